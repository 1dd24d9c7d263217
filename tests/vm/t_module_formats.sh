#!/bin/sh
# SPDX-License-Identifier: MIT
# Every raw format, single and multi-planar, in vmalloc and DMA memory, MMAP, USERPTR and DMABUF:
# what comes out of the ring is what the application saw, and a privacy mask holds in each.
set -eu
exec "$(dirname "$0")/module_run.sh" formats --timeout 400
