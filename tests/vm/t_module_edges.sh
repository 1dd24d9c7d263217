#!/bin/sh
# SPDX-License-Identifier: MIT
# Applications and readers that are killed, second openers, rmmod at every moment, sixteen cameras.
set -eu
exec "$(dirname "$0")/module_run.sh" edges --timeout 400
