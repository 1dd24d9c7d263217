// SPDX-License-Identifier: MIT
/*
 * Timers in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986), whose nodes lie in the
 * timers themselves: setting and cancelling never allocate and so never fail. prev of a first child
 * is its parent, of the others the sibling before.
 */
#include "lib/io_object.h"

#define RUN_MAX 4096

static struct sluice_io_timer *meld(struct sluice_io_timer *a, struct sluice_io_timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->at_ns < a->at_ns) {
		struct sluice_io_timer *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	a->next = NULL;
	a->prev = NULL;
	return a;
}

/* Two passes: pairs from left to right, then all into one from right to left. */
static struct sluice_io_timer *meld_children(struct sluice_io_timer *first)
{
	struct sluice_io_timer *pairs = NULL, *all = NULL;

	while (first) {
		struct sluice_io_timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
		}
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct sluice_io_timer *next = pairs->next;

		pairs->next = NULL;
		all = meld(all, pairs);
		pairs = next;
	}
	return all;
}

void sluice_io_timer_cancel(struct sluice_io *io, struct sluice_io_timer *t)
{
	struct sluice_io_timer *rest;

	if (!t->set)
		return;
	rest = meld_children(t->child);
	if (t == io->timers) {
		io->timers = rest;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		io->timers = meld(io->timers, rest);
	}
	t->child = NULL;
	t->next = NULL;
	t->prev = NULL;
	t->set = false;
}

void sluice_io_timer_set(struct sluice_io *io, struct sluice_io_timer *t, uint64_t at_ns,
			 void (*fn)(void *arg), void *arg)
{
	sluice_io_timer_cancel(io, t);
	*t = (struct sluice_io_timer){ .at_ns = at_ns, .fn = fn, .arg = arg, .set = true };
	io->timers = meld(io->timers, t);
}

void sluice_io_timer_in(struct sluice_io *io, struct sluice_io_timer *t, uint64_t in_ms,
			void (*fn)(void *arg), void *arg)
{
	sluice_io_timer_set(io, t, sluice_io_now(io) + in_ms * 1000000u, fn, arg);
}

uint64_t sluice_io_timers_next(const struct sluice_io *io)
{
	return io->timers ? io->timers->at_ns : UINT64_MAX;
}

bool sluice_io_timers_run(struct sluice_io *io)
{
	uint64_t now = sluice_io_now(io);
	bool ran = false;

	/* bounded, so that timers which set themselves again at once do not starve the rest */
	for (int i = 0; i < RUN_MAX && io->timers && io->timers->at_ns <= now; i++) {
		struct sluice_io_timer *t = io->timers;

		sluice_io_timer_cancel(io, t);
		t->fn(t->arg);
		ran = true;
	}
	return ran;
}
