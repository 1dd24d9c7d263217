/* SPDX-License-Identifier: MIT */
/*
 * log_ring.h - the newest lines of the log, kept in memory, for those who ask from afar. Any
 * thread.
 */
#ifndef SLUICE_LIB_LOG_RING_H
#define SLUICE_LIB_LOG_RING_H

#include "lib/log.h"

#include <stddef.h>

#define SLUICE_LOG_RING_BYTES (128u << 10)

/* From now on lines are kept. Once, before there are threads. 0 or -ENOMEM. */
int sluice_log_ring_start(void);

/* log.c's: one line. utc_ns: when. Does nothing before start(). */
void sluice_log_ring_put(enum sluice_log_level level, uint64_t utc_ns, const char *text);

/*
 * The newest lines up to that level, at most count, oldest first; text is borrowed for the call.
 * Returns how many there were.
 */
size_t sluice_log_ring_walk(enum sluice_log_level max, size_t count,
			    void (*each)(void *arg, enum sluice_log_level level, uint64_t utc_ns,
					 const char *text),
			    void *arg);

#endif
