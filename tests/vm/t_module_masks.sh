#!/bin/sh
# SPDX-License-Identifier: MIT
# No masked pixel in the arena, the pre-roll or the records, also while the mask changes.
set -eu
exec "$(dirname "$0")/module_run.sh" masks --timeout 300
