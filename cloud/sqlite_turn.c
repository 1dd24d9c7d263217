// SPDX-License-Identifier: MIT
/*
 * sqlite_turn.c - a queue of threads for each data base. Each that waits lies on its own stack and
 * has a condition of its own: the one that passes the turn wakes the next, and nobody else. One
 * that gives up takes itself out, so a turn never goes to somebody who is gone.
 */
#include "cloud/sqlite_turn.h"
#include "lib/cond.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waiter {
	struct waiter *next;
	pthread_cond_t mine;
	int served;
};

struct sluice_turn {
	struct sluice_turn *next;
	unsigned int users;
	int taken;
	struct waiter *first, **last;
	char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sluice_turn *turns; /* few: the data bases of a node */

struct sluice_turn *sluice_turn_get(const char *path)
{
	struct sluice_turn *t;

	pthread_mutex_lock(&lock);
	for (t = turns; t && strcmp(t->path, path) != 0; t = t->next)
		;
	if (!t) {
		t = calloc(1, sizeof(*t) + strlen(path) + 1);
		if (t) {
			memcpy(t->path, path, strlen(path) + 1);
			t->last = &t->first;
			t->next = turns;
			turns = t;
		}
	}
	if (t)
		t->users++;
	pthread_mutex_unlock(&lock);
	return t;
}

void sluice_turn_put(struct sluice_turn *t)
{
	struct sluice_turn **at;

	if (!t)
		return;
	pthread_mutex_lock(&lock);
	if (!--t->users) {
		for (at = &turns; *at != t; at = &(*at)->next)
			;
		*at = t->next;
		free(t);
	}
	pthread_mutex_unlock(&lock);
}

static void leave_queue(struct sluice_turn *t, struct waiter *w)
{
	struct waiter **at;

	for (at = &t->first; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	if (t->last == &w->next)
		t->last = at;
}

/* Under the lock; 0, or -EBUSY. */
static int wait_in_queue(struct sluice_turn *t)
{
	struct waiter w = { 0 };
	struct timespec until = sluice_cond_until(SLUICE_TURN_MS);
	int late = 0;

	sluice_cond_init(&w.mine);
	/* it has left the queue before this returns */
	/* cppcheck-suppress autoVariables */
	*t->last = &w;
	/* cppcheck-suppress autoVariables */
	t->last = &w.next;
	while (!w.served && !late)
		late = pthread_cond_timedwait(&w.mine, &lock, &until) == ETIMEDOUT;
	if (!w.served)
		leave_queue(t, &w);
	pthread_cond_destroy(&w.mine);
	return w.served ? 0 : -EBUSY;
}

int sluice_turn_take(struct sluice_turn *t)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (t->taken)
		err = wait_in_queue(t);
	else
		t->taken = 1;
	pthread_mutex_unlock(&lock);
	return err;
}

/* It stays taken if somebody waits: it is theirs from here on. */
void sluice_turn_pass(struct sluice_turn *t)
{
	struct waiter *w;

	pthread_mutex_lock(&lock);
	w = t->first;
	if (w) {
		t->first = w->next;
		if (!t->first)
			t->last = &t->first;
		w->served = 1;
		pthread_cond_signal(&w->mine);
	} else {
		t->taken = 0;
	}
	pthread_mutex_unlock(&lock);
}
