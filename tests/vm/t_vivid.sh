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

# $1: name; $2: expected exit code; $3: words of the verdict; $4: script; $5: time limit. These guests
# do next to nothing, so one CPU each is enough, and two of them run at a time.
expect() {
	dir=build/vm/judge-$1
	mkdir -p "$dir"
	printf '%s\n' "$4" >"$dir.sh"
	rc=0
	$boot --smp 1 --out "$dir" --timeout "${5:-120}" --script "$dir.sh" >"$dir.log" 2>&1 || rc=$?
	if [ $rc -ne "$2" ] || ! grep -q "$3" "$dir/verdict"; then
		echo "expected exit $2 and '$3' of: $4; got exit $rc and: $(cat "$dir/verdict")"
		return 1
	fi
	echo "judged rightly: $4"
}
bad=0
(
	expect exit 1 'exit code 3' 'exit 3' || bad=1
	expect skip 77 'skipped' 'exit 77' || bad=1
	expect warning 1 'kernel complains' 'echo "<4>WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg' || bad=1
	exit $bad
) &
first=$!
expect panic 1 'kernel complains' 'echo c >/proc/sysrq-trigger' || bad=1
expect silent 1 'without having said' 'poweroff -f' || bad=1
expect hang 124 'no end within' 'sleep 600' 15 || bad=1
wait $first || bad=1
exit $bad
