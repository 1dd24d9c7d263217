#!/bin/sh
# SPDX-License-Identifier: MIT
# A thousand times attached and detached, and memory is as before; sixteen cameras that stream at once.
# time limit: 1800
set -eu
exec "$(dirname "$0")/module_run.sh" soak --timeout 1700
