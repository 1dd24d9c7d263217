/* SPDX-License-Identifier: MIT */
/* clouds.h - the addresses of the cloud: which one is tried next, and through which proxy. */
#ifndef RELAY_CLOUDS_H
#define RELAY_CLOUDS_H

#include "lib/url.h"

#include <stdint.h>

#define RELAY_CLOUDS_MAX 8

/* Zeroed by the owner, filled by parse() and proxy(). */
struct relay_clouds {
	struct sluice_place at[RELAY_CLOUDS_MAX]; /* in order of preference */
	unsigned int count;
	bool proxied;
	struct sluice_proxy proxy;
	char no_proxy[512];
	/* what was learnt */
	unsigned int now;   /* the one being tried or linked */
	unsigned int good;  /* the one that answered last */
	unsigned int tried; /* in this round, now included */
	bool top;	    /* the next round begins with the first one */
};

/* "URL[, URL...]" (commas or blanks). 0, or -EINVAL with a sentence in why. */
int relay_clouds_parse(struct relay_clouds *c, const char *urls, char *why, size_t why_size);

/*
 * url: the setting; NULL: what the environment says (https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY);
 * "none" or "": no proxy, whatever the environment says. 0, or -EINVAL with a sentence in why.
 */
int relay_clouds_proxy(struct relay_clouds *c, const char *url, const char *no_proxy, char *why,
		       size_t why_size);

/* The address to try now. */
const struct sluice_place *relay_clouds_place(const struct relay_clouds *c);

/* The proxy for it, or NULL. */
const struct sluice_proxy *relay_clouds_via(const struct relay_clouds *c);

/* The present address answered. */
void relay_clouds_good(struct relay_clouds *c);

/*
 * The try failed, or the link that had been up for up_ms (0: it never was) ended; away: the cloud
 * asked us to go. True: another address waits in this round and should be tried at once; false: the
 * round is over, wait before the next.
 */
bool relay_clouds_failed(struct relay_clouds *c, uint64_t up_ms, bool away);

/* Other addresses, by SIGHUP; what was learnt of those that stay is kept. True if the address in
 * use is not among them, or the way to it changed: the link should be made anew. */
bool relay_clouds_replace(struct relay_clouds *c, const struct relay_clouds *with);

#endif
