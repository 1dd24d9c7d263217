/* SPDX-License-Identifier: MIT */
/*
 * budget.h - what the uplink may cost, and who goes first when that is less than there is. Pure:
 * the time comes from the caller (monotonic, ns).
 */
#ifndef RELAY_BUDGET_H
#define RELAY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sluice/ring.h>

/* In the order of their right to what is left. */
enum relay_class {
	RELAY_CLASS_FIRST,    /* the first frames with motion of the newest event */
	RELAY_CLASS_MOTION,   /* the rest of what moves; snapshots, scene changes, corrupt frames */
	RELAY_CLASS_ROLL,     /* pre- and post-roll */
	RELAY_CLASS_SPARE,    /* keep-alive, audit, warm-up */
	RELAY_CLASS_BACKFILL, /* what waits in the spool */
	RELAY_CLASSES
};

#define RELAY_FIRST_FRAMES 8
#define RELAY_BUDGET_HOURS 24

struct relay_budget_config {
	uint64_t rate;			       /* bytes/s; 0: no limit */
	uint64_t day;			       /* bytes in any 24 hours; 0: no limit */
	unsigned int quality_min, quality_max; /* of JPEGs made from raw frames */
};

struct relay_budget {
	struct relay_budget_config conf;
	uint64_t start_ns, last_ns;
	int64_t tokens; /* bytes; below 0: a frame was larger than what there was */
	uint64_t hour;	/* since start */
	uint64_t spent[RELAY_BUDGET_HOURS + 1], day_spent;
	unsigned int quality;
	uint64_t quality_ns; /* since when */
};

/* How far one camera is in its newest event. */
struct relay_budget_event {
	uint64_t epoch;
	uint32_t event, frames;
};

void relay_budget_init(struct relay_budget *b, const struct relay_budget_config *c, uint64_t now);

/* Other limits from now on; what was spent stays spent. */
void relay_budget_change(struct relay_budget *b, const struct relay_budget_config *c);

/* The class of a record; e is not changed. */
enum relay_class relay_budget_class(const struct relay_budget_event *e,
				    const struct sluice_ring_desc *d);
/* It was sent live. */
void relay_budget_event_sent(struct relay_budget_event *e, const struct sluice_ring_desc *d);

/* May a frame of that class go now? */
bool relay_budget_allows(struct relay_budget *b, uint64_t now, enum relay_class class);
/* So many bytes went. */
void relay_budget_spent(struct relay_budget *b, uint64_t now, uint64_t bytes);
/* ns until allows() may say yes to that class: a hint for a timer, at least 1 ms, at most 60 s. */
uint64_t relay_budget_wait(struct relay_budget *b, uint64_t now, enum relay_class class);

/*
 * Quality of the next JPEG that is made. fill: of the fullest ring, 0..256. Steps of 10, at most
 * one every two seconds, down while the ring fills or the budget is short, up when neither is.
 */
unsigned int relay_budget_quality(struct relay_budget *b, uint64_t now, unsigned int fill);

#endif
