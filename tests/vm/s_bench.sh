#!/bin/sh
# SPDX-License-Identifier: MIT
# time limit: 3600
# What the module costs, in guests; see tests/vm/bench for what counts as good.
set -eu
cd "$(dirname "$0")/../.."
command -v motion >/dev/null || { echo "motion is not installed; make deps"; exit 77; }
exec tests/vm/bench
