/* SPDX-License-Identifier: MIT */
/* media.h - what every back end of media must do, as a list of cases. */
#ifndef SLUICE_CONFORM_MEDIA_H
#define SLUICE_CONFORM_MEDIA_H

#include "cloud/media.h"

struct conform_media {
	const char *name;
	/* A handle more on one and the same store; keys may be NULL. Exits on failure. */
	struct sluice_media *(*open)(struct conform_media *rig, const struct sluice_keyring *keys);
	/*
	 * For the cases with faults: from now on the request (or call) number at, from 1, of
	 * whatever is done with the store fails, and if stays all behind it; 0: none. How it fails:
	 * number way, below ways. Returns how many have been made since the last time.
	 */
	unsigned int (*fail)(struct conform_media *rig, unsigned int way, unsigned int at,
			     int stays);
	unsigned int ways, harmless; /* harmless: the way that a get may come through */
	int heals;		     /* a single failure is tried again, and nobody sees it */
	void *ctx;
};

/* Runs every case by CHECK(); the store is empty before and afterwards. */
void conform_media(struct conform_media *rig);
/* The same of what is left when requests fail. */
void conform_media_faults(struct conform_media *rig);

#endif
