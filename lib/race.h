/* SPDX-License-Identifier: MIT */
/* race.h - happy eyeballs: of all addresses of a host, the connection that comes first. */
#ifndef SLUICE_LIB_RACE_H
#define SLUICE_LIB_RACE_H

#include "lib/io.h"

#include <netdb.h>

#define SLUICE_RACE_MAX	       16 /* addresses that are tried; the rest is left out */
#define SLUICE_RACE_STAGGER_MS 250

struct sluice_race;

/*
 * Connects to addrs (getaddrinfo's, borrowed until fn or cancel). fn(arg, fd, address) once, from
 * the loop: a connected fd, which is then the callback's, or the -errno of the last that failed;
 * address is "192.0.2.1 port 443", borrowed for the call. There is no time limit of its own: the
 * caller cancels. NULL: out of memory.
 */
struct sluice_race *sluice_race_start(struct sluice_io *io, const struct addrinfo *addrs,
				      void (*fn)(void *arg, int fd, const char *address),
				      void *arg);

/* fn does not come; everything under way is closed. Only before fn has come. NULL-safe. */
void sluice_race_cancel(struct sluice_race *r);

/* The address that was begun last, "" if none. */
const char *sluice_race_address(const struct sluice_race *r);

#endif
