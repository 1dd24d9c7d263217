// SPDX-License-Identifier: MIT
/*
 * s3_many.c - several objects put at once, by one thread: each is a call as those of s3.c, with its
 * own tries, pauses and time; libcurl's multi handle runs those that are under way.
 *
 * One that is given up ends all: nothing that depends on them will be said, so no more is begun,
 * and what is under way is broken off. What became of that the store alone knows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/s3_state.h"

#define POLL_MS 1000

enum state { WAITING, RUNNING, DONE };

struct one {
	struct sluice_s3_call call;
	enum state state;
	unsigned int tries;
	uint64_t next; /* WAITING: not before; monotonic, ns */
};

struct many {
	struct sluice_s3 *s;
	CURLM *multi;
	struct one *one;
	size_t count, done;
	unsigned int running;
	char *why;
};

static CURLM *take_multi(struct sluice_s3 *s)
{
	CURLM *m;

	pthread_mutex_lock(&s->lock);
	m = s->many;
	s->many = NULL;
	pthread_mutex_unlock(&s->lock);
	if (!m && (m = curl_multi_init()))
		curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)SLUICE_S3_MANY);
	return m;
}

static void give_multi(struct sluice_s3 *s, CURLM *m)
{
	pthread_mutex_lock(&s->lock);
	if (!s->many) {
		s->many = m;
		m = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	if (m)
		curl_multi_cleanup(m);
}

static int begin_one(struct many *m, struct one *o)
{
	int err;

	if (!o->call.deadline)
		o->call.deadline = sluice_s3_now() + m->s->c.timeout_ms * 1000000ull;
	sluice_s3_begin_try(&o->call);
	err = sluice_s3_begin(m->s, &o->call);
	if (err)
		return err;
	curl_easy_setopt(o->call.handle, CURLOPT_PRIVATE, o);
	if (curl_multi_add_handle(m->multi, o->call.handle)) {
		o->call.code = CURLE_OUT_OF_MEMORY;
		return sluice_s3_end(m->s, &o->call);
	}
	o->state = RUNNING;
	m->running++;
	return 0;
}

/* All that may, in their order. */
static int begin_some(struct many *m)
{
	uint64_t now = sluice_s3_now();
	int err = 0;

	for (size_t i = 0; i < m->count && m->running < SLUICE_S3_MANY && !err; i++)
		if (m->one[i].state == WAITING && m->one[i].next <= now)
			err = begin_one(m, &m->one[i]);
	return err;
}

static void leave(struct many *m, struct one *o)
{
	curl_multi_remove_handle(m->multi, o->call.handle);
	m->running--;
	o->state = DONE;
}

static int end_one(struct many *m, struct one *o, CURLcode code)
{
	int final, ms, err;

	leave(m, o);
	o->call.code = code;
	err = sluice_s3_end(m->s, &o->call);
	err = sluice_s3_judge_try(m->s, &o->call, err, sluice_s3_judge_put, &final, m->why);
	if (!err) {
		m->done++;
		return 0;
	}
	if (err != -EAGAIN)
		return err;
	ms = ++o->tries < m->s->c.tries ? sluice_s3_pause_ms(&o->call, o->tries) : -1;
	if (ms < 0)
		return final;
	o->next = sluice_s3_now() + (uint64_t)ms * 1000000;
	o->state = WAITING;
	atomic_fetch_add(&m->s->stats.again, 1);
	return 0;
}

static int end_some(struct many *m)
{
	CURLMsg *msg;
	int left, err = 0;

	while (!err && (msg = curl_multi_info_read(m->multi, &left))) {
		CURLcode code = msg->data.result; /* gone with the handle */
		struct one *o;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&o);
		err = end_one(m, o, code);
	}
	return err;
}

/* Until something comes, or the next one's pause is over. */
static int wait_some(struct many *m)
{
	uint64_t now = sluice_s3_now(), next = now + POLL_MS * 1000000ull;

	for (size_t i = 0; i < m->count; i++)
		if (m->one[i].state == WAITING && m->one[i].next < next &&
		    m->running < SLUICE_S3_MANY)
			next = m->one[i].next;
	return curl_multi_poll(m->multi, NULL, 0,
			       next > now ? (int)((next - now) / 1000000 + 1) : 0, NULL)
		       ? -EIO
		       : 0;
}

static int run(struct many *m)
{
	int err = 0, running;

	while (!err && m->done < m->count) {
		err = begin_some(m);
		if (!err && curl_multi_perform(m->multi, &running))
			err = -EIO;
		if (!err)
			err = end_some(m);
		if (!err && m->done < m->count)
			err = wait_some(m);
	}
	return err;
}

static void break_off(struct many *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct one *o = &m->one[i];

		if (o->state == RUNNING) {
			leave(m, o);
			o->call.code = CURLE_ABORTED_BY_CALLBACK;
			sluice_s3_end(m->s, &o->call);
		}
		free(o->call.data);
	}
}

int sluice_s3_put_all(struct sluice_s3 *s, const struct sluice_s3_object *o, size_t count,
		      char *why)
{
	struct many m = { .s = s, .count = count, .why = why };
	int err = 0;

	why[0] = 0;
	if (!count)
		return 0;
	m.one = calloc(count, sizeof(*m.one));
	m.multi = m.one ? take_multi(s) : NULL;
	if (!m.multi) {
		free(m.one);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count && !err; i++)
		err = sluice_s3_ready_put(&m.one[i].call, o[i].key, o[i].data, o[i].size);
	if (!err)
		err = run(&m);
	break_off(&m);
	give_multi(s, m.multi);
	free(m.one);
	if (err)
		atomic_fetch_add(&s->stats.failed, 1);
	else
		why[0] = 0;
	return err;
}
