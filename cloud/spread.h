/* SPDX-License-Identifier: MIT */
/*
 * spread.h - how many links an ingest process should send away now, so that they come to one that
 * has less. Only the decision: who knows of whom is nodes.h, which links go is session.c.
 *
 * The share of a process is the mean of all that take devices. One that holds a quarter and two
 * links more than its share begins, and goes on until it holds no more than a twentieth and one
 * above it: what is in between is left alone. A fiftieth of the share goes in each step, at most
 * SLUICE_SPREAD_STEP, and never more than there is room for elsewhere. After a process has come or
 * gone nothing moves for SLUICE_SPREAD_QUIET steps, for its devices are still on their way.
 */
#ifndef SLUICE_SPREAD_H
#define SLUICE_SPREAD_H

#include <stdbool.h>
#include <stddef.h>

#define SLUICE_SPREAD_STEP  50
#define SLUICE_SPREAD_QUIET 10

/* What a process says of itself. */
struct sluice_spread_node {
	unsigned int links; /* devices that it holds */
	unsigned int room;  /* links more that it would take; 0: it takes none now */
};

/* All zero to begin with. */
struct sluice_spread {
	size_t others;	    /* that had room in the last step */
	unsigned int quiet; /* steps yet without a move */
	bool moving;
};

/* A step, once a second. others: those heard of that are alive. Links that should go now. */
unsigned int sluice_spread_step(struct sluice_spread *s, const struct sluice_spread_node *own,
				const struct sluice_spread_node *others, size_t count);

#endif
