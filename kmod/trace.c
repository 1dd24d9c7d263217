// SPDX-License-Identifier: GPL-2.0
/* trace.c - the one place where the bodies of trace.h's tracepoints are made. */
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
