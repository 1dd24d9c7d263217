// SPDX-License-Identifier: GPL-2.0 OR MIT
/* gate_row_avx2.c - gate_row.c once more, for a compiler that may use 256-bit vectors. */
#define GATE_ROWS gate_rows_avx2
#include "gate_row.c"
