# SPDX-License-Identifier: MIT
# The pixel half of the gate core in user space. SIMD objects are leaves, each for its own ISA;
# elsewhere than on x86 the grid is scalar. The scalar table stays what the kernel would run.
LUMA_SRCS := kmod/luma.c
CFLAGS_kmod/luma.c := -fno-tree-vectorize
ifeq ($(shell uname -m),x86_64)
LUMA_SRCS += kmod/luma_x86.c kmod/luma_sse2.c kmod/luma_avx2.c
CFLAGS_kmod/luma.c += -DSLUICE_LUMA_X86
CFLAGS_kmod/luma_sse2.c := -msse -msse2
CFLAGS_kmod/luma_avx2.c := -msse -msse2 -mavx -mavx2
endif
JPEG_DC_SRCS := kmod/jpeg_huff.c kmod/jpeg_dc.c
