#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 3600
# The module's suite and the KUnit suites in User-Mode Linux with KASAN, lockdep and kmemleak: another
# architecture, at native speed. It has no USB, so the tests with USB cameras are not for it.
set -eu
cd "$(dirname "$0")/../.."
. tests/vm/common.sh
. tests/vm/debug/suite.sh
KERNEL=$(tests/vm/debug/kernel uml)
export KERNEL GUEST_SLOWER=${GUEST_SLOWER:-2}
export REQUESTS="${REQUESTS:-300}" # of the netlink test
tests=()
for t in tests/vm/t_module_*.sh; do
	grep -qE 'camsim|uvc' "$t" || tests+=("$t")
done
bad=0
run_kunit || bad=1
run_suite "${tests[@]}" || bad=1
exit $bad
