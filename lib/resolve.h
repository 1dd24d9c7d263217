/* SPDX-License-Identifier: MIT */
/* resolve.h - host names to addresses without blocking the loop: getaddrinfo in a thread. */
#ifndef SLUICE_LIB_RESOLVE_H
#define SLUICE_LIB_RESOLVE_H

#include "lib/io.h"

#include <netdb.h>

struct sluice_resolve;

/*
 * fn(arg, addresses, NULL) or fn(arg, NULL, why) once, from the loop; the addresses are then the
 * callback's (freeaddrinfo). Numeric addresses and localhost need no thread. NULL: out of memory.
 */
struct sluice_resolve *sluice_resolve_start(
	struct sluice_io *io, const char *host, const char *port,
	void (*fn)(void *arg, struct addrinfo *addrs, const char *why), void *arg);

/* fn does not come. The thread may still run; it holds nothing of the caller's. NULL-safe. */
void sluice_resolve_cancel(struct sluice_resolve *r);

#endif
