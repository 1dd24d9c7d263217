#!/bin/sh
# SPDX-License-Identifier: MIT
# The module streams vivid itself: order, ledger, readers that come, go and attack, full ring, rmmod.
set -eu
exec "$(dirname "$0")/module_run.sh" capture --timeout 300
