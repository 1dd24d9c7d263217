#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# time limit: 7200
# Every VM test of `make check` on 6.12 as well, but for those that choose their kernel themselves.
set -eu
cd "$(dirname "$0")/../.."
export KERNEL=6.12
tests=$(tests/run vm --list | grep -v '^vm/kernel_' | paste -sd '|')
exec tests/run vm --filter "^($tests)\$"
