/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * ledger.h - counts every frame that the driver counted under exactly one reason. At all times
 * delivered = sum(count) + pending; pending frames lie in the pre-roll or are sequence numbers that
 * may still arrive out of order.
 */
#ifndef SLUICE_LEDGER_H
#define SLUICE_LEDGER_H

#include "core.h"
#include <sluice/ring.h>

#define SLUICE_LEDGER_WINDOW 64 /* driver sequence numbers that may come out of order */

struct sluice_ledger {
	u64 delivered; /* by the driver, including those in its own gaps */
	u64 count[SLUICE_REASON_COUNT];
	u64 pending; /* delivered - sum(count) */
	u64 bytes_seen;
	u64 bytes_passed;
	/* driver sequence window: bit i of seen = (newest - i) was seen */
	u32 newest;
	u64 seen;
	bool running;
};

void sluice_ledger_init(struct sluice_ledger *l);

/*
 * The driver delivered a buffer with this sequence number. Gaps count as pending until they fill
 * (out of order) or fall out of the window (then DRIVER). Returns true if the number shows that the
 * driver started a new stream (it went back by more than the window, or is 0 once more); the caller
 * begins a new epoch. A number seen before counts as a new frame (drivers that do not number their
 * buffers).
 */
bool sluice_ledger_deliver(struct sluice_ledger *l, u32 driver_sequence, size_t bytes);

/* A delivered frame got its final verdict. */
void sluice_ledger_settle(struct sluice_ledger *l, enum sluice_reason reason);

/* A publication moved this many payload bytes to the reader. */
void sluice_ledger_pass_bytes(struct sluice_ledger *l, size_t bytes);

/* The stream ended: gaps still open become DRIVER. */
void sluice_ledger_close(struct sluice_ledger *l);

#endif
