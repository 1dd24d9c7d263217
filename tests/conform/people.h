/* SPDX-License-Identifier: MIT */
/* people.h - what auth.h and fleet.h must do whichever data base is below, as a list of cases. */
#ifndef SLUICE_CONFORM_PEOPLE_H
#define SLUICE_CONFORM_PEOPLE_H

#include "cloud/auth.h"
#include "cloud/fleet.h"

struct conform_people {
	/* Nothing is in the data base any more; no handle is open. Exits on failure. */
	void (*clear)(struct conform_people *rig);
	/* A handle more on one and the same data base. Exit on failure. */
	struct sluice_auth *(*auth)(struct conform_people *rig);
	struct sluice_fleet *(*fleet)(struct conform_people *rig);
	int shared; /* two fleets see each other */
};

/* Runs every case by CHECK(). */
void conform_people(struct conform_people *rig);
/* Of these, those of the fleet. */
void conform_fleet(struct conform_people *rig);

/* For who has cases of his own: a certificate of that serial, and what is called to make one. */
extern const struct sluice_actor people_local;
int people_issue(void *ctx, const char *tenant, const char *device, struct sluice_certificate *out);
/* Tries the condition until it holds; after a minute it does not. */
int people_await(int (*holds)(void *ctx), void *ctx);

#endif
