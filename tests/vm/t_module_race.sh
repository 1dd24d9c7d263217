#!/bin/sh
# SPDX-License-Identifier: MIT
# Unplug in capture mode at every moment of a frame.
set -eu
exec "$(dirname "$0")/module_run.sh" race --timeout 300
