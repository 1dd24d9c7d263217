#!/bin/sh
# SPDX-License-Identifier: MIT
# The camera is unplugged in mid-stream, in both modes.
set -eu
exec "$(dirname "$0")/module_run.sh" unplug --timeout 300
