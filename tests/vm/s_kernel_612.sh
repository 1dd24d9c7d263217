#!/bin/sh
# SPDX-License-Identifier: MIT
# The module builds for 6.12 without a warning, and works there: tests/vm/smoke. The whole suite on
# 6.12 is s_kernel_612_suite.sh.
set -eu
KERNEL=6.12 exec "$(dirname "$0")/smoke"
