# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the debug kernels' tests: the module's suite in a kernel with checkers, and their word at
# the end. The environment's KERNEL is the debug kernel's directory.

# $1: a directory that a guest left (build/vm.../NAME). The checkers were there, and saw nothing.
checkers_quiet() {
	local said
	said=$(cat "$1/checkers" 2>/dev/null || true)
	[ "$said" = 'kasan 1, debug_locks 1, leaks 0' ] || { echo "$1: the checkers say '${said:-nothing}'"; return 1; }
}

# $1: a test. Its log is TEST_TMP/log; the directories that its guests leave are those newer than the start.
run_test() {
	local dir rc=0
	touch "$TEST_TMP/start"
	"$1" >"$TEST_TMP/log" 2>&1 || return
	while read -r dir; do
		checkers_quiet "${dir%/rc}" || rc=1
	done < <(find "build/vm$(kernel_suffix)" -mindepth 2 -maxdepth 2 -name rc ! -path "*/plant-*" -newer "$TEST_TMP/start")
	return $rc
}

# vhci_hcd frees a URB's private part in its receiver while another CPU takes the URB back: a race of
# 6.1's own. KASAN's report of it switches lockdep off, so such a run says nothing of our module.
vhci_raced() { grep -q 'KASAN: use-after-free in vhci_urb_dequeue' "$TEST_TMP/log"; }

# Runs tests/vm/t_module_NAME.sh for each NAME, which boots guests, or the KUnit suites; a line each.
# Returns how many did not pass.
run_suite() {
	local t rc bad=0 start
	for t; do
		if [ "$t" = kunit ]; then
			run_kunit || bad=$((bad + 1))
			continue
		fi
		t=tests/vm/t_module_$t.sh
		start=$SECONDS
		for _ in 1 2 3 4 5; do
			rc=0
			run_test "$t" || rc=$?
			{ [ "$rc" -ne 0 ] && vhci_raced; } || break
			echo "again ${t##*/}: the USB driver of the simulated camera has raced with itself"
		done
		case $rc in
		0) echo "ok   ${t##*/} $((SECONDS - start)) s" ;;
		77) echo "skip ${t##*/} $(tail -n 1 "$TEST_TMP/log")" ;;
		*)
			echo "FAIL ${t##*/} $((SECONDS - start)) s"
			tail -n 40 "$TEST_TMP/log"
			bad=$((bad + 1))
			;;
		esac
	done
	return $bad
}

# The gate core's KUnit suites in this kernel: with vectors on x86, and with its checkers.
run_kunit() {
	local dir=build/kunit/kmod$(kernel_suffix) out=build/vm$(kernel_suffix)/kunit suite bad=0
	tests/vm/kbuild --out "$dir" --module sluice_kunit SLUICE_KUNIT=1 >"$TEST_TMP/log" 2>&1 &&
		tests/vm/boot --script tests/vm/guest/kunit.sh --out "$out" --timeout 200 --add "$dir/sluice_kunit.ko" \
			>>"$TEST_TMP/log" 2>&1 || { tail -n 30 "$TEST_TMP/log"; return 1; }
	for suite in $(tests/kunit/run --list); do
		echo "kunit/$suite: $(tests/kunit/run --judge "$suite" "$out/dmesg" | tail -n 1)"
		tests/kunit/run --judge "$suite" "$out/dmesg" >/dev/null || bad=1
	done
	checkers_quiet "$out" || bad=1
	return $bad
}

# $1: kind of a planted bug, or none; $2: what the verdict must say; $3: what the log or kmemleak
# must say, with the function's name.
plant_reported() {
	local kind=$1 out rc=0 dir=$top/build/plant$(kernel_suffix)-$1
	out=$top/build/vm$(kernel_suffix)/plant-$kind
	KERNEL=$KERNEL tests/vm/kbuild --out "$dir" $([ "$kind" = none ] || echo SLUICE_PLANT="$kind") >"$dir.log" 2>&1 || {
		cat "$dir.log"
		return 1
	}
	make -s guest-programs
	tests/vm/boot --script tests/vm/guest/module_plant.sh --out "$out" --timeout 200 --allow 'Call Trace' \
		--add "$dir/sluice.ko" --add build/vm/prog/control --add build/vm/prog/ringread \
		--add tests/vm/guest/module.sh:/root/module.sh >"$dir.log" 2>&1 || rc=$?
	if [ "$kind" = none ]; then
		[ "$rc" -eq 0 ] || { echo "without a planted bug: exit $rc, $(cat "$out/verdict")"; tail -n 20 "$dir.log"; return 1; }
		checkers_quiet "$out"
		return
	fi
	if [ "$rc" -ne 1 ] || ! grep -qE "$2" "$out/verdict"; then
		echo "$kind: exit $rc, the verdict is '$(cat "$out/verdict")', expected '$2'"
		return 1
	fi
	grep -qE "$3" "$out"/{dmesg,kernel.log,kmemleak-live} 2>/dev/null || { echo "$kind: nobody names plant_$kind"; return 1; }
	echo "reported: $kind: $(cat "$out/verdict")"
	grep -hE -m 1 "$3" "$out"/{dmesg,kernel.log,kmemleak-live} 2>/dev/null | head -n 1 | tr -d '\r'
}
