// SPDX-License-Identifier: MIT
/*
 * budget.c - two limits, one order.
 *
 * Bytes a second: a bucket of two seconds' worth. A class may go while more is in it than is kept
 * for the classes before it; a frame that is larger than what is left goes all the same and leaves
 * a debt, so that size never decides whether a frame goes, and the mean over time is the limit.
 *
 * Bytes a day: what was spent in the last 24 whole hours and the present one is counted by the
 * hour, so that no 24 hours ever hold more than the limit, whatever the clocks do. The last parts
 * of the day's bytes are kept for the classes that matter more: back-fill ends at half, keep-alive
 * at 60 %, rolls at 80 %, motion at 95 %. The count begins anew with the process.
 *
 * What may not go is not lost: it waits in the spool, or without one in its ring.
 */
#include "relay/budget.h"

#include <string.h>

#define S	 1000000000ull
#define HOUR	 (3600 * S)
#define BURST_S	 2
#define STEP	 10
#define DWELL_NS (2 * S)
#define FILL_LOW 16 /* of 256: under it the ring is as good as empty */
#define FILL_BAD 64

/* What must be in the bucket, in percent of it, and what of the day may be spent. */
static const struct {
	unsigned int bucket, day;
} limit[RELAY_CLASSES] = { [RELAY_CLASS_FIRST] = { 0, 100 },
			   [RELAY_CLASS_MOTION] = { 10, 95 },
			   [RELAY_CLASS_ROLL] = { 30, 80 },
			   [RELAY_CLASS_SPARE] = { 50, 60 },
			   [RELAY_CLASS_BACKFILL] = { 60, 50 } };

void relay_budget_init(struct relay_budget *b, const struct relay_budget_config *c, uint64_t now)
{
	memset(b, 0, sizeof(*b));
	b->conf = *c;
	b->start_ns = b->last_ns = b->quality_ns = now;
	b->tokens = (int64_t)(c->rate * BURST_S);
	b->quality = c->quality_max;
}

void relay_budget_change(struct relay_budget *b, const struct relay_budget_config *c)
{
	if (b->conf.rate != c->rate)
		b->tokens = (int64_t)(c->rate * BURST_S);
	b->conf = *c;
	if (b->quality > c->quality_max || b->quality < c->quality_min)
		b->quality = c->quality_max;
}

static bool is_motion(const struct sluice_ring_desc *d)
{
	return d->reason == SLUICE_REASON_MOTION || d->reason == SLUICE_REASON_SCENE_CHANGE;
}

enum relay_class relay_budget_class(const struct relay_budget_event *e,
				    const struct sluice_ring_desc *d)
{
	bool same = e->epoch == d->epoch && e->event == d->event;

	switch (d->reason) {
	case SLUICE_REASON_PREROLL:
	case SLUICE_REASON_POSTROLL:
		return RELAY_CLASS_ROLL;
	case SLUICE_REASON_KEEPALIVE:
	case SLUICE_REASON_AUDIT:
	case SLUICE_REASON_WARMUP:
		return RELAY_CLASS_SPARE;
	default:
		return is_motion(d) && d->event && (!same || e->frames < RELAY_FIRST_FRAMES)
			       ? RELAY_CLASS_FIRST
			       : RELAY_CLASS_MOTION;
	}
}

void relay_budget_event_sent(struct relay_budget_event *e, const struct sluice_ring_desc *d)
{
	if (!is_motion(d) || !d->event)
		return;
	if (e->epoch != d->epoch || e->event != d->event)
		*e = (struct relay_budget_event){ .epoch = d->epoch, .event = d->event };
	e->frames++;
}

static int64_t bucket(const struct relay_budget *b)
{
	return (int64_t)(b->conf.rate * BURST_S);
}

static void advance(struct relay_budget *b, uint64_t now)
{
	uint64_t ns = now > b->last_ns ? now - b->last_ns : 0, hour, add;

	if (b->conf.rate) {
		add = (uint64_t)((unsigned __int128)b->conf.rate * ns / S);
		/* the clock moves by what was added, so that no remainder is lost */
		b->last_ns += (uint64_t)((unsigned __int128)add * S / b->conf.rate);
		b->tokens = add >= (uint64_t)(bucket(b) - b->tokens) ? bucket(b)
								     : b->tokens + (int64_t)add;
		if (b->tokens == bucket(b) && now > b->last_ns)
			b->last_ns = now;
	}
	hour = now > b->start_ns ? (now - b->start_ns) / HOUR : 0;
	for (unsigned int i = 0; b->hour < hour && i <= RELAY_BUDGET_HOURS; i++) {
		b->hour++;
		b->day_spent -= b->spent[b->hour % (RELAY_BUDGET_HOURS + 1)];
		b->spent[b->hour % (RELAY_BUDGET_HOURS + 1)] = 0;
	}
	if (b->hour < hour)
		b->hour = hour; /* all of them are empty by now */
}

static bool day_allows(const struct relay_budget *b, enum relay_class class)
{
	return !b->conf.day || b->day_spent < b->conf.day / 100 * limit[class].day;
}

static int64_t kept(const struct relay_budget *b, enum relay_class class)
{
	return bucket(b) / 100 * limit[class].bucket;
}

bool relay_budget_allows(struct relay_budget *b, uint64_t now, enum relay_class class)
{
	advance(b, now);
	return day_allows(b, class) && (!b->conf.rate || b->tokens > kept(b, class));
}

void relay_budget_spent(struct relay_budget *b, uint64_t now, uint64_t bytes)
{
	advance(b, now);
	if (b->conf.rate)
		b->tokens -= (int64_t)bytes;
	b->spent[b->hour % (RELAY_BUDGET_HOURS + 1)] += bytes;
	b->day_spent += bytes;
}

uint64_t relay_budget_wait(struct relay_budget *b, uint64_t now, enum relay_class class)
{
	uint64_t ns = S / 1000, lack;

	advance(b, now);
	if (!day_allows(b, class))
		return 60 * S;
	if (b->conf.rate && b->tokens <= kept(b, class)) {
		lack = (uint64_t)(kept(b, class) - b->tokens) + 1;
		ns = lack / b->conf.rate >= 60 ? 60 * S : lack * S / b->conf.rate + S / 1000;
	}
	return ns < 60 * S ? ns : 60 * S;
}

unsigned int relay_budget_quality(struct relay_budget *b, uint64_t now, unsigned int fill)
{
	bool rich, poor;

	advance(b, now);
	poor = fill > FILL_BAD || (b->conf.rate && b->tokens < bucket(b) / 4);
	rich = fill < FILL_LOW && (!b->conf.rate || b->tokens > bucket(b) / 4 * 3);
	if (now - b->quality_ns < DWELL_NS || now < b->quality_ns)
		return b->quality;
	if (poor && b->quality > b->conf.quality_min)
		b->quality = b->quality > b->conf.quality_min + STEP ? b->quality - STEP
								     : b->conf.quality_min;
	else if (rich && b->quality < b->conf.quality_max)
		b->quality = b->quality + STEP < b->conf.quality_max ? b->quality + STEP
								     : b->conf.quality_max;
	else
		return b->quality;
	b->quality_ns = now;
	return b->quality;
}
