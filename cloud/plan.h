/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what to ask of a camera next, so that what is wanted comes into force and what somebody
 * changes at the device is seen and not silently undone. Works on JSON alone, no input or output:
 * fleet.h keeps it.
 *
 * The state of a camera, an object: "state": "none" (nothing is wanted), "waiting" (the device is
 * not there, or has not told its settings), "asked", "applied" (by its own word; it will tell its
 * settings), "in_sync", "refused" (with "reason" and "code"), "conflict" (it was in force, and then
 * was changed at the device).
 */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include <jansson.h>
#include <stdint.h>

#define SLUICE_PLAN_ANSWER_NS 30000000000ull /* then the question was lost */
#define SLUICE_PLAN_FIRST_NS  30000000000ull /* enforcing: wait so long, doubled each time */
#define SLUICE_PLAN_MOST_NS   3600000000000ull

struct sluice_plan {
	const json_t *wish;   /* effective; with "versions", which make a new wish of it */
	const json_t *report; /* SETTINGS as it came, NULL: never */
	int reported;	      /* on this link */
	int enforce;	      /* undo what was changed at the device, after a while */
	uint64_t session;
	uint64_t now_ns;
};

/* Changes the state; a CONFIG to send (without "request": the caller's, and to be put into the
 * state, too), a new reference, or NULL. */
json_t *sluice_plan_next(json_t *state, const struct sluice_plan *p);

/* CONFIG_RESULT. 1: it answers what was asked; 0: something else. */
int sluice_plan_result(json_t *state, const json_t *result, uint64_t now_ns);

/* When next() should be called again, though nothing happens; 0: no need. */
uint64_t sluice_plan_due(const json_t *state);

#endif
