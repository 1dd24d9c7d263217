// SPDX-License-Identifier: MIT
/* badge.c - see badge.h. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "cloud/badge.h"
#include "cloud/people.h"
#include "lib/cond.h"
#include "lib/log.h"

#define LOOK_S 1

struct sluice_badges {
	struct sluice_auth *auth; /* the thread's */
	pthread_t thread;
	int running;
	pthread_mutex_t lock;
	pthread_cond_t end;
	int stop, away;
	int64_t turn;
	json_t *denied; /* by serial */
	json_t *good;	/* "TENANT/DEVICE" by serial */
};

static int add_denied(void *ctx, const char *serial, uint64_t denied_ns)
{
	(void)denied_ns;
	return json_object_set_new(ctx, serial, json_true()) ? -ENOMEM : 0;
}

/* The whole list, or the old one stays. */
static int read_list(struct sluice_badges *b, int64_t turn)
{
	json_t *list = json_object(), *old;
	int err =
		list ? sluice_auth_denied(b->auth, (int64_t)time(NULL), add_denied, list) : -ENOMEM;

	if (err) {
		json_decref(list);
		return err;
	}
	pthread_mutex_lock(&b->lock);
	old = b->denied;
	b->denied = list;
	b->turn = turn;
	pthread_mutex_unlock(&b->lock);
	json_decref(old);
	return 0;
}

/* The number before the list: who is denied in between is in the next one, too. */
static int look(struct sluice_badges *b)
{
	int64_t turn;
	int err = sluice_auth_deny_version(b->auth, &turn);

	return err || turn == b->turn ? err : read_list(b, turn);
}

/* A second, or the end: 1. */
static int wait_turn(struct sluice_badges *b, int away)
{
	struct timespec until = sluice_cond_until(1000 * LOOK_S);
	int stop;

	pthread_mutex_lock(&b->lock);
	b->away = away;
	while (!b->stop)
		if (pthread_cond_timedwait(&b->end, &b->lock, &until) == ETIMEDOUT)
			break;
	stop = b->stop;
	pthread_mutex_unlock(&b->lock);
	return stop;
}

static void *run_thread(void *arg)
{
	struct sluice_badges *b = arg;
	int away = 0, err;

	pthread_setname_np(pthread_self(), "badges");
	while (!wait_turn(b, away)) {
		err = look(b);
		if (err && !away)
			sluice_warning(
				"the list of revoked devices cannot be read: %s; what was "
				"known last holds, and devices not seen before are not let in",
				strerror(-err));
		else if (!err && away)
			sluice_info("the list of revoked devices is read again");
		away = err != 0;
	}
	return NULL;
}

int sluice_badges_open(const char *data, struct sluice_badges **out)
{
	struct sluice_badges *b = calloc(1, sizeof(*b));
	sigset_t all, old;
	int err;

	*out = NULL;
	if (!b)
		return -ENOMEM;
	pthread_mutex_init(&b->lock, NULL);
	sluice_cond_init(&b->end);
	b->turn = -1;
	b->denied = json_object();
	b->good = json_object();
	err = b->denied && b->good ? sluice_people_auth(data, &b->auth) : -ENOMEM;
	if (!err) {
		err = look(b);
		if (err)
			sluice_error("cannot read the list of revoked devices: %s", strerror(-err));
	}
	if (!err) {
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &old);
		err = -pthread_create(&b->thread, NULL, run_thread, b);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		b->running = !err;
	}
	if (err) {
		sluice_badges_close(b);
		return err;
	}
	*out = b;
	return 0;
}

void sluice_badges_close(struct sluice_badges *b)
{
	if (!b)
		return;
	if (b->running) {
		pthread_mutex_lock(&b->lock);
		b->stop = 1;
		pthread_cond_signal(&b->end);
		pthread_mutex_unlock(&b->lock);
		pthread_join(b->thread, NULL);
	}
	sluice_auth_close(b->auth);
	json_decref(b->denied);
	json_decref(b->good);
	pthread_cond_destroy(&b->end);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int64_t sluice_badges_turn(struct sluice_badges *b)
{
	int64_t turn;

	pthread_mutex_lock(&b->lock);
	turn = b->turn;
	pthread_mutex_unlock(&b->lock);
	return turn;
}

int sluice_badges_away(struct sluice_badges *b)
{
	int away;

	pthread_mutex_lock(&b->lock);
	away = b->away;
	pthread_mutex_unlock(&b->lock);
	return away;
}

static void name_badge(const char *tenant, const char *device, char out[2 * SLUICE_NAME_MAX])
{
	snprintf(out, 2 * SLUICE_NAME_MAX, "%s/%s", tenant, device);
}

int sluice_badges_check(struct sluice_badges *b, const char *tenant, const char *device,
			const char *serial)
{
	char name[2 * SLUICE_NAME_MAX];
	const char *whose;
	int err = -ENOENT;

	name_badge(tenant, device, name);
	pthread_mutex_lock(&b->lock);
	whose = json_string_value(json_object_get(b->good, serial));
	if (json_object_get(b->denied, serial))
		err = -EKEYREVOKED;
	else if (whose && !strcmp(whose, name))
		err = 0;
	pthread_mutex_unlock(&b->lock);
	return err;
}

/* One that there is no room or no memory for is one that is not known. */
void sluice_badges_good(struct sluice_badges *b, const char *tenant, const char *device,
			const char *serial)
{
	char name[2 * SLUICE_NAME_MAX];

	name_badge(tenant, device, name);
	pthread_mutex_lock(&b->lock);
	if (json_object_size(b->good) >= SLUICE_BADGES_MAX)
		json_object_clear(b->good);
	json_object_set_new(b->good, serial, json_string(name));
	pthread_mutex_unlock(&b->lock);
}
