#!/bin/sh
# SPDX-License-Identifier: MIT
# The machinery itself: a guest streams vivid; and a guest that fails, panics, warns or hangs is
# never taken for one that passed.
set -eu
cd "$(dirname "$0")/../.."
boot=tests/vm/boot
out=build/vm/t_vivid

$boot --out $out --timeout 120 --script tests/vm/guest/vivid.sh
grep -q 'Width/Height.*640/360' $out/format

# $1: expected exit code; $2: words of the verdict; $3: script.
expect() {
	printf '%s\n' "$3" >build/vm/judge.sh
	rc=0
	$boot --out build/vm/judge --timeout "${4:-120}" --script build/vm/judge.sh >build/vm/judge.log 2>&1 || rc=$?
	if [ $rc -ne "$1" ] || ! grep -q "$2" build/vm/judge/verdict; then
		echo "expected exit $1 and '$2' of: $3; got exit $rc and: $(cat build/vm/judge/verdict)"
		exit 1
	fi
	echo "judged rightly: $3"
}
expect 1 'exit code 3' 'exit 3'
expect 77 'skipped' 'exit 77'
expect 1 'kernel complains' 'echo "<4>WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg'
expect 1 'kernel complains' 'echo c >/proc/sysrq-trigger'
expect 1 'without having said' 'poweroff -f'
expect 124 'no end within' 'sleep 600' 15
