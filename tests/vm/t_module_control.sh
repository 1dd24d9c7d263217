#!/bin/sh
# SPDX-License-Identifier: MIT
# Every request and every refusal of the netlink family; masks; nothing is left behind.
set -eu
exec "$(dirname "$0")/module_run.sh" control --timeout 420
