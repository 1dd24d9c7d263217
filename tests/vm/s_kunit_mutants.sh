#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 900
# Each KUnit suite has to notice a plain mistake in what it is about: one line of the gate core is
# changed in a copy of the tree, and the suite of that noun must fail. Two more: a kernel that dies
# inside a suite, and the unchanged copy, which must pass.
set -eu
cd "$(dirname "$0")/../.."
tree=$TEST_TMP/tree
mkdir -p "$tree/tests"
cp -r kmod include Kbuild "$tree/"
cp -r tests/vm tests/kunit "$tree/tests/"
bad=0

# $1: suite, or none; $2: file; $3: what sed does to it.
mutant() {
	cp "kmod/$2" "$tree/kmod/$2"
	sed -i "$3" "$tree/kmod/$2"
	if [ "$1" != none ] && cmp -s "kmod/$2" "$tree/kmod/$2"; then
		echo "kmod/$2 has no line for '$3' any more: choose another mistake"
		bad=1
		return 0
	fi
	"$tree/tests/kunit/run" >"$TEST_TMP/log" 2>&1 || { tail -n 20 "$TEST_TMP/log"; bad=1; return 0; }
	for s in $(tests/kunit/run --list); do
		rc=0
		words=$("$tree/tests/kunit/run" --judge "$s") || rc=1
		words=${words##*$'\n'}
		if [ "$s" = "$1" ] && [ $rc -eq 0 ]; then
			echo "$1 does not notice '$3' in $2: $words"
			bad=1
		elif [ "$1" = none ] && [ $rc -ne 0 ]; then
			echo "$s fails as it is: $words"
			bad=1
		elif [ "$s" = "$1" ]; then
			echo "noticed by $1: $3: $words"
		fi
	done
	cp "kmod/$2" "$tree/kmod/$2"
}
mutant none ring.c ''
mutant luma luma.c 's/77 \* red + 150/77 * red + 151/'
mutant jpeg_dc jpeg_scan.c 's/32768/32767/'
mutant gate gate.c 's/\.confirm_ms = 90/.confirm_ms = 130/'
mutant mask mask.c 's/\.blank = { 128, 128 }/.blank = { 128, 127 }/'
mutant ring ring.c 's/reserved >= r->desc_count/reserved > r->desc_count/'
mutant ledger ledger.c 's/step >= SLUICE_LEDGER_WINDOW/step > SLUICE_LEDGER_WINDOW/'
mutant ring ring.c 's/^\tspan->page = page;/\tif (r->head > 100)\n\t\tspan = NULL;\n&/'
exit $bad
