#!/bin/sh
# SPDX-License-Identifier: MIT
# Ignored zones and zones of another sensitivity, on the cells of the records; snapshots.
set -eu
exec "$(dirname "$0")/module_run.sh" zones --timeout 300 --add build/bin/sluicectl
