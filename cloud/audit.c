// SPDX-License-Identifier: MIT
/*
 * audit.c - the thread behind the audit log. It takes all lines that wait, writes them in one
 * transaction, and takes the next. A batch that cannot be written stays and is tried again every
 * second; meanwhile add() refuses. Once an hour what is too old goes.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/audit.h"
#include "cloud/auth_state.h"
#include "lib/cond.h"
#include "lib/log.h"

#define TRIM_S	    3600
#define DAY_NS	    86400000000000ull
#define TOUCH_NS    60000000000ull
#define ADDRESS_MAX 64
#define WHAT_MAX    200

struct line {
	struct line *next;
	int used; /* no line of the log: when a credential was used */
	int is_session;
	uint64_t now_ns;
	const char *action;
	enum sluice_result result;
	char tenant[SLUICE_NAME_MAX];
	struct sluice_actor by;
	char address[ADDRESS_MAX];
	char what[WHAT_MAX];
};

struct sluice_auditor {
	struct sluice_auth *auth;
	struct sluice_auth_lives lives;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct line *first, **last;
	unsigned int count;
	int stop, failed;
};

static int write_line(struct sluice_auditor *t, const struct line *l)
{
	if (!l->used)
		return sluice_auth_audit(t->auth, l->tenant, &l->by, l->action, l->what, l->result);
	return l->is_session ? sluice_auth_session_touch(t->auth, l->what, l->now_ns)
			     : sluice_auth_apitoken_touch(t->auth, l->what, l->now_ns);
}

static int write_batch(struct sluice_auditor *t, const struct line *l)
{
	int err = sluice_auth_begin(t->auth);

	if (err)
		return err;
	for (; l && !err; l = l->next)
		err = write_line(t, l);
	return sluice_auth_end(t->auth, err);
}

static void free_batch(struct line *l)
{
	while (l) {
		struct line *next = l->next;

		free(l);
		l = next;
	}
}

/* All that wait; NULL: none within a while, or the end. */
static struct line *take_batch(struct sluice_auditor *t, int *stop)
{
	struct timespec until = sluice_cond_until(1000 * TRIM_S);
	struct line *l;

	pthread_mutex_lock(&t->lock);
	while (!t->first && !t->stop)
		if (pthread_cond_timedwait(&t->more, &t->lock, &until) == ETIMEDOUT)
			break;
	l = t->first;
	t->first = NULL;
	t->last = &t->first;
	t->count = 0;
	*stop = t->stop;
	pthread_mutex_unlock(&t->lock);
	return l;
}

/* Sets failed, waits a second or for the end. 1: it is the end. */
static int wait_failed(struct sluice_auditor *t, int failed)
{
	struct timespec until = sluice_cond_until(1000);
	int stop;

	pthread_mutex_lock(&t->lock);
	t->failed = failed;
	while (failed && !t->stop)
		if (pthread_cond_timedwait(&t->more, &t->lock, &until) == ETIMEDOUT)
			break;
	stop = t->stop;
	pthread_mutex_unlock(&t->lock);
	return stop;
}

static void keep_trying(struct sluice_auditor *t, const struct line *batch)
{
	int err, told = 0;

	while ((err = write_batch(t, batch))) {
		if (!told)
			sluice_error("the audit log cannot be written: %s; requests that must be "
				     "logged are refused until it can",
				     strerror(-err));
		told = 1;
		if (wait_failed(t, 1)) {
			sluice_error("lines of the audit log are lost");
			return;
		}
	}
	if (told) {
		sluice_info("the audit log is written again");
		wait_failed(t, 0);
	}
}

static void trim(struct sluice_auditor *t)
{
	uint64_t now = sluice_utc_now();
	int err = sluice_auth_audit_trim(t->auth, now - SLUICE_AUDIT_DAYS * DAY_NS,
					 SLUICE_AUDIT_ROWS);

	if (!err)
		err = sluice_auth_sessions_trim(t->auth, now, &t->lives);
	if (err)
		sluice_error("old lines of the audit log cannot be dropped: %s", strerror(-err));
}

static void *run_thread(void *arg)
{
	struct sluice_auditor *t = arg;
	time_t trimmed = 0;
	int stop = 0;

	while (!stop) {
		struct line *batch = take_batch(t, &stop);

		if (batch)
			keep_trying(t, batch);
		free_batch(batch);
		if (!stop && time(NULL) - trimmed >= TRIM_S) {
			trimmed = time(NULL);
			trim(t);
		}
	}
	return NULL;
}

struct sluice_auditor *sluice_auditor_open(struct sluice_auth *auth,
					   const struct sluice_auth_lives *lives, int *err)
{
	struct sluice_auditor *t = calloc(1, sizeof(*t));
	sigset_t all, old;

	*err = t ? 0 : -ENOMEM;
	if (*err)
		goto err_free;
	t->auth = auth;
	t->lives = *lives;
	t->last = &t->first;
	pthread_mutex_init(&t->lock, NULL);
	sluice_cond_init(&t->more);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	*err = -pthread_create(&t->thread, NULL, run_thread, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!*err)
		return t;
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
err_free:
	sluice_auth_close(auth);
	free(t);
	return NULL;
}

void sluice_auditor_stop(struct sluice_auditor *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = 1;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void sluice_auditor_close(struct sluice_auditor *t)
{
	if (!t)
		return;
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	sluice_auth_close(t->auth);
	free(t);
}

/* Takes the line. */
static int push_line(struct sluice_auditor *t, struct line *l)
{
	int err = 0;

	pthread_mutex_lock(&t->lock);
	if (t->failed)
		err = -EIO;
	else if (t->stop || t->count >= SLUICE_AUDIT_QUEUE)
		err = -EBUSY;
	if (!err) {
		*t->last = l;
		t->last = &l->next;
		t->count++;
		pthread_cond_signal(&t->more);
	}
	pthread_mutex_unlock(&t->lock);
	if (err)
		free(l);
	return err;
}

int sluice_auditor_add(struct sluice_auditor *t, const char *tenant, const struct sluice_actor *by,
		       const char *action, const char *what, enum sluice_result result)
{
	struct line *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->action = action;
	l->result = result;
	l->by = *by;
	snprintf(l->address, sizeof(l->address), "%s", by->address ? by->address : "");
	l->by.address = l->address;
	snprintf(l->tenant, sizeof(l->tenant), "%s", tenant);
	snprintf(l->what, sizeof(l->what), "%s", what);
	return push_line(t, l);
}

void sluice_auditor_used(struct sluice_auditor *t, const struct sluice_who *who, uint64_t now_ns)
{
	struct line *l;

	if (now_ns < who->used_ns + TOUCH_NS)
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->used = 1;
	l->is_session = who->is_session;
	l->now_ns = now_ns;
	snprintf(l->what, sizeof(l->what), "%s", who->id);
	push_line(t, l);
}
