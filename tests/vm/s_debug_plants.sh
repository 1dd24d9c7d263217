#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 3600
# usage: tests/vm/s_debug_plants.sh [uml] [x86]
# A checker that has never failed proves nothing: a module with a bug on purpose (kmod/plant.h) must be
# reported, by the name of its function, in both debug kernels, and the run must fail for it; the same
# run without the bug must pass.
set -eu
cd "$(dirname "$0")/../.."
. tests/vm/common.sh
. tests/vm/debug/suite.sh
bad=0
[ $# -gt 0 ] || set -- uml x86
for which; do
	KERNEL=$(tests/vm/debug/kernel "$which")
	export KERNEL GUEST_SLOWER=${GUEST_SLOWER:-3}
	echo "$which:"
	# User-Mode Linux cannot count preemption: there lockdep sees the mutex inside the spinlock. And its
	# kmemleak has no backtraces: what lies in the memory tells whose it was.
	case $which in
	x86) sleep='sleeping function called from invalid context' leak='plant_leak\+' ;;
	*) sleep='Invalid wait context' leak='^    5a 5a 5a 5a 5a 5a 5a 5a' ;;
	esac
	plant_reported none '' '' || bad=1
	plant_reported leak 'kmemleak: [1-9]' "$leak" || bad=1
	plant_reported atomic "$sleep" 'plant_atomic\+' || bad=1
	plant_reported inversion 'possible circular locking' 'plant_inversion\+' || bad=1
	plant_reported oob 'KASAN: slab-out-of-bounds in plant_oob' 'slab-out-of-bounds in plant_oob' || bad=1
done
exit $bad
