#!/bin/sh
# SPDX-License-Identifier: MIT
# The module looks over an application's shoulder: same bytes, other formats, 50 rounds, rmmod.
set -eu
exec "$(dirname "$0")/module_run.sh" tap --timeout 300
