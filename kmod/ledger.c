// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ledger.c - every frame that the driver counted ends under exactly one reason.
 *
 * A window of 64 driver sequence numbers ending at the newest tells a frame that was lost by the
 * driver from one that comes late: a number that is skipped counts as delivered and pending; if
 * its buffer arrives it is an ordinary frame, and if it falls out of the window, or the stream
 * ends, it becomes DRIVER. Numbers before the first frame of a stream are nobody's loss: a tap may
 * begin in mid-stream.
 *
 * Numbers wrap at 32 bits and are compared modulo that. A number far behind the window, or 0 once
 * more, is a new stream. Any other number that was seen before is a frame like any other: some
 * drivers give all their buffers the same one.
 */
#include "ledger.h"

#define ALL_SEEN (~0ull)

/* Settle n sequence numbers whose buffers nobody saw. */
static void settle_missing(struct sluice_ledger *l, u64 n)
{
	l->count[SLUICE_REASON_DRIVER] += n;
	l->pending -= n;
}

static u32 count_unseen(u64 seen)
{
	u64 missing = ~seen;
	u32 n = 0;

	for (; missing; missing &= missing - 1)
		n++;
	return n;
}

/* Shift the window by step > 0 numbers; the last of them is the frame in hand. */
static void advance_window(struct sluice_ledger *l, u32 step)
{
	u64 out; /* numbers that leave the window, unseen ones as zeros */

	l->delivered += step;
	l->pending += step;
	if (step >= SLUICE_LEDGER_WINDOW) {
		settle_missing(l, count_unseen(l->seen));
		settle_missing(l, step - SLUICE_LEDGER_WINDOW);
		l->seen = 1;
		return;
	}
	out = l->seen >> (SLUICE_LEDGER_WINDOW - step);
	settle_missing(l, count_unseen(out | ALL_SEEN << step));
	l->seen = l->seen << step | 1;
}

void sluice_ledger_init(struct sluice_ledger *l)
{
	memset(l, 0, sizeof(*l));
}

bool sluice_ledger_deliver(struct sluice_ledger *l, u32 driver_sequence, size_t bytes)
{
	s32 step = (s32)(driver_sequence - l->newest);
	bool restarted;
	u64 bit;

	l->bytes_seen += bytes;
	if (l->running && step > 0) {
		advance_window(l, (u32)step);
		l->newest = driver_sequence;
		return false;
	}
	if (l->running && step > -SLUICE_LEDGER_WINDOW) {
		bit = 1ull << -step;
		if (!(l->seen & bit)) {
			l->seen |= bit; /* it was counted when its gap opened */
			return false;
		}
		if (driver_sequence || !step) {
			l->delivered++;
			l->pending++;
			return false;
		}
	}
	restarted = l->running;
	sluice_ledger_close(l);
	l->running = true;
	l->newest = driver_sequence;
	l->seen = ALL_SEEN;
	l->delivered++;
	l->pending++;
	return restarted;
}

void sluice_ledger_settle(struct sluice_ledger *l, enum sluice_reason reason)
{
	l->count[reason]++;
	l->pending--;
}

void sluice_ledger_pass_bytes(struct sluice_ledger *l, size_t bytes)
{
	l->bytes_passed += bytes;
}

void sluice_ledger_close(struct sluice_ledger *l)
{
	if (l->running)
		settle_missing(l, count_unseen(l->seen));
	l->seen = ALL_SEEN;
	l->running = false;
}
