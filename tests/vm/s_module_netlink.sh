#!/bin/sh
# SPDX-License-Identifier: MIT
# time limit: 1800
# The netlink test with many more random requests.
set -eu
REQUESTS=20000
export REQUESTS
exec "$(dirname "$0")/t_module_netlink.sh"
