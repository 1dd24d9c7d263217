#!/bin/sh
# SPDX-License-Identifier: MIT
# time limit: 900
# The whole way on a stock Debian kernel, in both modes, with half a minute of the real clip: what
# `make demo` does, and asks of itself. See tests/vm/demo for what counts as good.
set -eu
cd "$(dirname "$0")/../.."
for mode in capture tap; do
	tests/vm/demo --mode $mode --seconds 30 --out build/vm/t_demo-$mode
	[ -s build/vm/t_demo-$mode/report.html ]
done
