#!/bin/sh
# SPDX-License-Identifier: MIT
# Two guests at a time. edges: applications and readers that are killed, second openers, rmmod at every
# moment, sixteen cameras. liar: a camera driver of our own that gets everything wrong (tests/vm/liar).
set -eu
cd "$(dirname "$0")/../.."
tests/vm/kbuild >build/kbuild.log 2>&1 || { cat build/kbuild.log; exit 1; }
rc=0
ko=$(tests/vm/liar/build) || rc=$?
[ $rc -ne 77 ] || exec tests/vm/module_run.sh edges --timeout 500 # the kernel is not one for liar
[ $rc -eq 0 ] || exit $rc
tests/vm/module_run.sh liar --timeout 500 --add "$ko" >"${ko%/*}/run.log" 2>&1 &
liar=$!
tests/vm/module_run.sh edges --timeout 500 || rc=1
wait $liar || rc=1
cat "${ko%/*}/run.log"
exit $rc
