#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 3600
# usage: tests/vm/s_debug_uml.sh [kunit|NAME]...
# The module's suite and the KUnit suites in User-Mode Linux with KASAN, lockdep and kmemleak: another
# architecture, at native speed. It has neither USB nor a network here: tests that need those are not for it.
set -eu
cd "$(dirname "$0")/../.."
. tests/vm/common.sh
. tests/vm/debug/suite.sh
KERNEL=$(tests/vm/debug/kernel uml)
export KERNEL GUEST_SLOWER=${GUEST_SLOWER:-4}
export REQUESTS="${REQUESTS:-300}" # of the netlink test
if [ $# -eq 0 ]; then
	for t in tests/vm/t_module_*.sh; do
		grep -qE 'camsim|uvc|--net' "$t" || set -- "$@" "${t##*t_module_}"
	done
	set -- kunit "${@%.sh}"
fi
run_suite "$@"
