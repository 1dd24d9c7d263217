#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 5400
# The module's suite and the KUnit suites in an x86 kernel with KASAN, lockdep, a check for sleeps in
# atomic context, kmemleak, two CPUs and preemption. No report, lockdep still on, nothing leaked.
set -eu
cd "$(dirname "$0")/../.."
. tests/vm/common.sh
. tests/vm/debug/suite.sh
KERNEL=$(tests/vm/debug/kernel x86)
export KERNEL GUEST_SLOWER=${GUEST_SLOWER:-4}
export REQUESTS="${REQUESTS:-300}" # of the netlink test
bad=0
run_kunit || bad=1
run_suite tests/vm/t_module_*.sh || bad=1
exit $bad
