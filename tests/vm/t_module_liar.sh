#!/bin/sh
# SPDX-License-Identifier: MIT
# A camera driver of our own that gets everything wrong (tests/vm/liar), in both modes.
set -eu
cd "$(dirname "$0")/../.."
tests/vm/kbuild >build/kbuild.log 2>&1 || { cat build/kbuild.log; exit 1; }
tests/vm/liar/build
exec tests/vm/module_run.sh liar --timeout 400 --add build/vm/liar/liar.ko
