/* SPDX-License-Identifier: MIT */
/*
 * vision_budget.h - what asking a vision model may cost: calls an hour and a day, money a day.
 * Hours and days are of UTC. What was spent is on the disk before each call, so that a node that
 * crashes again and again spends no more than one that runs. Used by one thread.
 *
 * Money is counted in millionths of whatever currency the prices are in.
 */
#ifndef SLUICE_VISION_BUDGET_H
#define SLUICE_VISION_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_VISION_BUDGET_FILE "vision.budget" /* in the data directory */

struct sluice_vision_limits {
	uint64_t hour_calls, day_calls; /* 0: none at all */
	uint64_t day_money;		/* millionths; UINT64_MAX: any */
	uint64_t price_in, price_out;	/* millionths, of a million tokens */
};

struct sluice_vision_budget {
	struct sluice_vision_limits limits;
	char path[4096];
	int64_t hour, day; /* since 1970 */
	uint64_t hour_calls, day_calls, day_money;
};

/* "0.15" as millionths. 0, -EINVAL: not a number of at most six decimals, below a billion. */
int sluice_vision_money(const char *text, uint64_t *millionths);

/* What was spent before comes from the file; one that is not there or damaged: nothing yet of this
 * hour, or all of this day (with -EUCLEAN, for the log). */
int sluice_vision_budget_open(struct sluice_vision_budget *b, const char *data,
			      const struct sluice_vision_limits *limits, int64_t now_s);

/* What so many tokens cost. */
uint64_t sluice_vision_cost(const struct sluice_vision_limits *l, uint64_t tokens_in,
			    uint64_t tokens_out);

/* A call that costs at most that: it is written down. 0; -EDQUOT: it would be too much; or what
 * failed, and then nobody is to be asked. */
int sluice_vision_budget_take(struct sluice_vision_budget *b, int64_t now_s, uint64_t most);
/* What it did cost, instead of most. */
int sluice_vision_budget_settle(struct sluice_vision_budget *b, uint64_t most, uint64_t cost);

#endif
