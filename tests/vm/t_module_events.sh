#!/bin/sh
# SPDX-License-Identifier: MIT
# Every event once; tracepoints and debugfs against the ledger; latency histograms; hostile words in
# the ring while the camera streams.
set -eu
exec "$(dirname "$0")/module_run.sh" events --timeout 400 --env SEED="${SLUICE_SEED:-1}" \
	--add build/bin/sluicectl --add "$(command -v jq)" --add "$(command -v setpriv):/root/setpriv"
