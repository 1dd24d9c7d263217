#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 5400
# usage: tests/vm/s_debug_x86.sh [kunit|NAME]...
# The module's suite and the KUnit suites in an x86 kernel with KASAN, lockdep, a check for sleeps in
# atomic context, kmemleak, two CPUs and preemption. No report, lockdep still on, nothing leaked.
set -eu
cd "$(dirname "$0")/../.."
. tests/vm/common.sh
. tests/vm/debug/suite.sh
KERNEL=$(tests/vm/debug/kernel x86)
export KERNEL GUEST_SLOWER=${GUEST_SLOWER:-4}
export REQUESTS="${REQUESTS:-300}" # of the netlink test
if [ $# -eq 0 ]; then
	set -- tests/vm/t_module_*.sh
	set -- "${@##*t_module_}"
	set -- kunit "${@%.sh}"
fi
run_suite "$@"
