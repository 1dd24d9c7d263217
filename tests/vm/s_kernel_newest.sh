#!/bin/sh
# SPDX-License-Identifier: MIT
# The same for the newest kernel that Debian has, that of sid: what breaks there breaks for everybody
# later.
set -eu
KERNEL=newest exec "$(dirname "$0")/smoke"
