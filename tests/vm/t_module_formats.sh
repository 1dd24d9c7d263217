#!/bin/sh
# SPDX-License-Identifier: MIT
# Two guests at a time. formats: every raw format, single and multi-planar, in vmalloc and DMA memory,
# MMAP, USERPTR and DMABUF: what comes out of the ring is what the application saw, and a mask holds in
# each. masks: no masked pixel in the arena, the pre-roll or the records, also while the mask changes.
set -eu
cd "$(dirname "$0")/../.."
tests/vm/kbuild >build/kbuild.log 2>&1 || { cat build/kbuild.log; exit 1; }
make -s guest-programs
mkdir -p build/vm
tests/vm/module_run.sh masks --timeout 500 >build/vm/masks.log 2>&1 &
masks=$!
rc=0
tests/vm/module_run.sh formats --timeout 500 || rc=1
wait $masks || rc=1
cat build/vm/masks.log
exit $rc
