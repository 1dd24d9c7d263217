#!/bin/sh
# SPDX-License-Identifier: MIT
# Two guests at a time. edges: applications and readers that are killed, second openers, rmmod at every
# moment, sixteen cameras. liar: a camera driver of our own that gets everything wrong (tests/vm/liar).
set -eu
cd "$(dirname "$0")/../.."
tests/vm/kbuild >build/kbuild.log 2>&1 || { cat build/kbuild.log; exit 1; }
tests/vm/liar/build
tests/vm/module_run.sh liar --timeout 500 --add build/vm/liar/liar.ko >build/vm/liar/run.log 2>&1 &
liar=$!
rc=0
tests/vm/module_run.sh edges --timeout 500 || rc=1
wait $liar || rc=1
cat build/vm/liar/run.log
exit $rc
