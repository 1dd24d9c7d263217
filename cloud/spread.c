// SPDX-License-Identifier: MIT
/* spread.c - see spread.h. */
#include <stdint.h>

#include "cloud/spread.h"

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

unsigned int sluice_spread_step(struct sluice_spread *s, const struct sluice_spread_node *own,
				const struct sluice_spread_node *others, size_t count)
{
	uint64_t links = own->links, room = 0, share, step;
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		if (!others[i].room)
			continue;
		links += others[i].links;
		room += others[i].room;
		open++;
	}
	if (open != s->others)
		s->quiet = SLUICE_SPREAD_QUIET;
	s->others = open;
	share = (links + open) / (open + 1); /* rounded up */
	if (own->links <= share + share / 20 + 1)
		s->moving = false;
	else if (own->links > share + share / 4 + 2)
		s->moving = true;
	if (!open || s->quiet) {
		s->quiet -= s->quiet > 0;
		s->moving = false;
		return 0;
	}
	if (!s->moving)
		return 0;
	step = min_of(share / 50 + 1, SLUICE_SPREAD_STEP);
	return (unsigned int)min_of(min_of(step, own->links - share), room);
}
