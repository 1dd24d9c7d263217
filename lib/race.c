// SPDX-License-Identifier: MIT
/*
 * RFC 8305, sections 4 and 5. The addresses come in the order of getaddrinfo (RFC 6724) and are
 * interleaved by family, the first one's family first. One attempt begins every 250 ms, and at once
 * when one fails; none is given up because a later one has begun. Whoever has finished the TCP
 * handshake first wins, and the others are closed by the loop, also those that finish in the same
 * turn. A family without a route fails at once and so costs nothing.
 *
 * Left out: asking for A and AAAA apart (section 3). getaddrinfo asks for both at the same time and
 * gives them together, sorted by rules that a caller cannot repeat.
 */
#include "lib/race.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct lane {
	struct sluice_race *race;
	const struct addrinfo *addr;
	struct sluice_io_dial *dial; /* NULL: not begun, or failed */
};

struct sluice_race {
	struct sluice_io *io;
	struct sluice_io_timer stagger;
	void (*fn)(void *arg, int fd, const char *address);
	void *arg;
	struct lane lane[SLUICE_RACE_MAX];
	unsigned int count, next, running;
	int err; /* of the last that failed */
	char address[96];
};

static void name_address(struct sluice_race *r, const struct addrinfo *a)
{
	char host[64], port[8];

	if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(r->address, sizeof(r->address), "%s port %s", host, port);
}

/* Ends the race: closes what still runs, tells, frees. */
static void finish(struct sluice_race *r, int fd)
{
	void (*fn)(void *arg, int fd, const char *address) = r->fn;

	r->fn = NULL;
	sluice_io_timer_cancel(r->io, &r->stagger);
	for (unsigned int i = 0; i < r->count; i++)
		sluice_io_undial(r->lane[i].dial);
	if (fn)
		fn(r->arg, fd, r->address);
	free(r);
}

static void begin_next(void *arg);

static void on_dialled(void *arg, int fd)
{
	struct lane *l = arg;
	struct sluice_race *r = l->race;

	l->dial = NULL;
	r->running--;
	if (fd >= 0) {
		name_address(r, l->addr);
		finish(r, fd);
		return;
	}
	r->err = fd;
	name_address(r, l->addr);
	begin_next(r);
}

static void begin_next(void *arg)
{
	struct sluice_race *r = arg;

	sluice_io_timer_cancel(r->io, &r->stagger);
	while (r->next < r->count) {
		struct lane *l = &r->lane[r->next++];

		name_address(r, l->addr);
		l->dial = sluice_io_dial(r->io, l->addr->ai_addr, l->addr->ai_addrlen, on_dialled,
					 l, &r->err);
		if (!l->dial)
			continue;
		r->running++;
		if (r->next < r->count)
			sluice_io_timer_in(r->io, &r->stagger, SLUICE_RACE_STAGGER_MS, begin_next,
					   r);
		return;
	}
	if (!r->running)
		finish(r, r->err);
}

/* One of each family by turns, as long as both have some. */
static void sort_addresses(struct sluice_race *r, const struct addrinfo *addrs)
{
	const struct addrinfo *same = addrs, *other = addrs;
	int family = addrs->ai_family;

	while (r->count < SLUICE_RACE_MAX && (same || other)) {
		while (same && same->ai_family != family)
			same = same->ai_next;
		if (same) {
			r->lane[r->count++] = (struct lane){ .race = r, .addr = same };
			same = same->ai_next;
		}
		while (other && other->ai_family == family)
			other = other->ai_next;
		if (other && r->count < SLUICE_RACE_MAX) {
			r->lane[r->count++] = (struct lane){ .race = r, .addr = other };
			other = other->ai_next;
		}
	}
}

struct sluice_race *sluice_race_start(struct sluice_io *io, const struct addrinfo *addrs,
				      void (*fn)(void *arg, int fd, const char *address), void *arg)
{
	struct sluice_race *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->io = io;
	r->fn = fn;
	r->arg = arg;
	r->err = -EADDRNOTAVAIL;
	sort_addresses(r, addrs);
	/* from the loop, so that fn never comes before the caller has its pointer */
	sluice_io_timer_in(io, &r->stagger, 0, begin_next, r);
	return r;
}

void sluice_race_cancel(struct sluice_race *r)
{
	if (!r)
		return;
	r->fn = NULL;
	finish(r, -ECANCELED);
}

const char *sluice_race_address(const struct sluice_race *r)
{
	return r ? r->address : "";
}
