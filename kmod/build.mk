# SPDX-License-Identifier: MIT
# The pixel half of the gate core in user space. SIMD objects are leaves, each for its own ISA;
# elsewhere than on x86 the grid is scalar. The scalar table stays what the kernel would run.
LUMA_SRCS := kmod/luma.c
CFLAGS_kmod/luma.c := -fno-tree-vectorize
ifeq ($(shell uname -m),x86_64)
LUMA_SRCS += kmod/luma_x86.c kmod/luma_sse2.c kmod/luma_avx2.c
CFLAGS_kmod/luma.c += -DSLUICE_SIMD_X86
CFLAGS_kmod/luma_sse2.c := -msse -msse2
CFLAGS_kmod/luma_avx2.c := -msse -msse2 -mavx -mavx2
endif

GATE_SRCS := kmod/gate.c kmod/gate_light.c kmod/gate_cell.c kmod/gate_row.c kmod/gate_blob.c
CFLAGS_kmod/gate_row.c := -fno-tree-vectorize
ifeq ($(shell uname -m),x86_64)
GATE_SRCS += kmod/gate_row_avx2.c
CFLAGS_kmod/gate_cell.c := -DSLUICE_SIMD_X86
CFLAGS_kmod/gate_row_avx2.c := -O3 -msse -msse2 -mavx -mavx2
endif

# Is the camera still looking at its scene?
GATE_SRCS += kmod/tamper.c

# The frame path: what is decided, what waits, what is published.
FRAME_SRCS := kmod/frame.c kmod/roll.c kmod/record.c kmod/ring.c kmod/ledger.c kmod/settings.c
JPEG_DC_SRCS := kmod/jpeg_dc.c kmod/jpeg_scan.c kmod/jpeg_huff.c
