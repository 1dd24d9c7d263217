// SPDX-License-Identifier: MIT
/*
 * stream.c - one ring for the node, under one lock; a reader is a number: the last thing that it
 * was given. Telling puts a thing into the ring and wakes each loop that has readers, once; the
 * loop then lets each of its readers pull. A reader whose next thing has left the ring while it was
 * connected is too slow and is let go (counted); one that comes back too late is told that there is
 * a gap.
 *
 * Numbers go on from the time of day at the start, so that an id of before a restart is never taken
 * for one of now. Every tick a reader gets a comment, which shows both sides that the other
 * lives, and its credential is looked at again: a stream does not outlive a session.
 */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cloud/api_call.h"
#include "cloud/conf.h"
#include "cloud/stream.h"
#include "lib/log.h"

#define TICK_MS_MAX 15000

struct thing {
	char tenant[SLUICE_NAME_MAX];
	char camera[33]; /* upper-case hex; "": of no camera */
	char *text;	 /* as it is sent; NULL: lost */
	size_t size;
};

struct reader {
	struct sluice_pull pull; /* first */
	struct sluice_stream *stream;
	struct sluice_loop *loop;
	struct reader *next, **at; /* of the stream's list, under its lock */
	struct sluice_io_timer tick;
	struct sluice_who who;
	char secret[SLUICE_SECRET_MAX];
	uint64_t last; /* given */
	int late;      /* it came back: a gap is no fault of its own */
	char *out;     /* being pulled */
	size_t size, sent;
	int over; /* its credential is good no more */
	/* at the desk: is it still good? */
	struct sluice_desk_job job;
	int checking, gone; /* gone: it ends when the answer is there */
	int err;
	struct sluice_who fresh;
};

/* A loop that has been told that there is something, and has not looked yet. */
struct waking {
	struct sluice_stream *stream;
	struct sluice_loop *loop;
};

struct sluice_stream {
	pthread_mutex_t lock;
	struct thing ring[SLUICE_STREAM_RING];
	uint64_t first, next; /* numbers of the oldest kept and of the one to come */
	size_t bytes;
	struct reader *readers;
	uint64_t waking; /* bit per loop */
	struct sluice_stream_counters count;
};

struct sluice_stream *sluice_stream_open(void)
{
	struct sluice_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->first = s->next = sluice_utc_now() / 1000;
	return s;
}

void sluice_stream_close(struct sluice_stream *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < SLUICE_STREAM_RING; i++)
		free(s->ring[i].text);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- telling ---- */

static struct thing *thing_at(struct sluice_stream *s, uint64_t number)
{
	return &s->ring[number % SLUICE_STREAM_RING];
}

static void drop_oldest(struct sluice_stream *s)
{
	struct thing *t = thing_at(s, s->first++);

	s->bytes -= t->size;
	free(t->text);
	memset(t, 0, sizeof(*t));
}

/* Of one loop: in its thread. */
static void wake_readers(void *arg)
{
	struct waking *w = arg;
	struct sluice_stream *s = w->stream;
	struct client *client[64];
	struct reader *r;
	int n, i, skip = 0;

	pthread_mutex_lock(&s->lock);
	s->waking &= ~(1ull << w->loop->number);
	pthread_mutex_unlock(&s->lock);
	do { /* a push may end its reader: the list is walked anew for each lot */
		int passed = 0;

		n = 0;
		pthread_mutex_lock(&s->lock);
		for (r = s->readers; r && n < 64; r = r->next)
			if (r->loop == w->loop && r->pull.client && passed++ >= skip)
				client[n++] = r->pull.client;
		pthread_mutex_unlock(&s->lock);
		for (i = 0; i < n; i++)
			sluice_http_push(client[i]);
		skip += n;
	} while (n == 64);
	free(w);
}

/* Under the lock. */
static void wake_loops(struct sluice_stream *s)
{
	struct reader *r;

	for (r = s->readers; r; r = r->next) {
		struct waking *w;

		if (s->waking & 1ull << r->loop->number)
			continue;
		w = malloc(sizeof(*w));
		if (w) {
			*w = (struct waking){ s, r->loop };
			if (sluice_io_post(r->loop->io, wake_readers, w))
				free(w); /* the next tick looks, too */
			else
				s->waking |= 1ull << r->loop->number;
		}
	}
}

void sluice_stream_tell(struct sluice_stream *s, const char *tenant,
			const struct sluice_camera *camera, const char *type, const char *json)
{
	struct thing t = { 0 };
	int i, n;

	if (!s)
		return;
	snprintf(t.tenant, sizeof(t.tenant), "%s", tenant);
	for (i = 0; camera && i < 32; i++)
		t.camera[i] = (char)toupper((unsigned char)camera->hex[i]);
	pthread_mutex_lock(&s->lock);
	n = asprintf(&t.text, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)s->next,
		     type, json);
	if (n < 0) {
		t.text = NULL;
		n = 0;
	}
	t.size = (size_t)n;
	while (s->next - s->first >= SLUICE_STREAM_RING ||
	       (s->first < s->next && s->bytes + t.size > SLUICE_STREAM_BYTES))
		drop_oldest(s);
	*thing_at(s, s->next++) = t;
	s->bytes += t.size;
	s->count.told++;
	wake_loops(s);
	pthread_mutex_unlock(&s->lock);
}

void sluice_stream_camera(struct sluice_stream *s, const struct sluice_camera *c, const char *state)
{
	char text[160];

	snprintf(text, sizeof(text), "{\"id\":\"%s\",\"camera\":\"%s\",\"state\":\"%s\"}", c->hex,
		 c->name, state);
	sluice_stream_tell(s, c->tenant, c, "camera", text);
}

void sluice_stream_count(struct sluice_stream *s, struct sluice_stream_counters *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->count;
	pthread_mutex_unlock(&s->lock);
}

/* ---- reading ---- */

static int may_see(const struct reader *r, const struct thing *t)
{
	if (strcmp(r->who.tenant, t->tenant))
		return 0;
	if (!r->who.restricted)
		return 1;
	return *t->camera && strstr(r->who.cameras, t->camera);
}

static int put_out(struct reader *r, const char *text, size_t size)
{
	free(r->out);
	r->out = malloc(size ? size : 1);
	r->size = r->out ? size : 0;
	r->sent = 0;
	if (r->out)
		memcpy(r->out, text, size);
	return r->out ? 0 : -ENOMEM;
}

static int put_gap(struct reader *r, uint64_t number)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "id: %llu\nevent: gap\ndata: {}\n\n",
			 (unsigned long long)number);

	return put_out(r, text, (size_t)n);
}

/* The next thing for the reader into out. 0; -EAGAIN: none; -EPIPE: it is too slow. */
static int take_next(struct reader *r)
{
	struct sluice_stream *s = r->stream;
	int err = -EAGAIN;

	pthread_mutex_lock(&s->lock);
	if (r->last + 1 < s->first || r->last >= s->next) {
		if (!r->late) {
			s->count.slow++;
			sluice_info("%s does not keep up with its stream and is let go",
				    r->who.name);
			err = -EPIPE;
		} else {
			r->last = s->next - 1;
			err = put_gap(r, r->last);
		}
	}
	while (err == -EAGAIN && r->last + 1 < s->next) {
		const struct thing *t = thing_at(s, ++r->last);

		if (!t->text)
			err = put_gap(r, r->last);
		else if (may_see(r, t))
			err = put_out(r, t->text, t->size);
	}
	r->late = 0;
	pthread_mutex_unlock(&s->lock);
	return err;
}

static ssize_t pull_reader(struct sluice_pull *p, uint8_t *buf, size_t size)
{
	struct reader *r = (struct reader *)p;
	size_t n;
	int err;

	if (r->over)
		return 0;
	if (r->sent == r->size) {
		err = take_next(r);
		if (err)
			return err;
	}
	n = r->size - r->sent < size ? r->size - r->sent : size;
	memcpy(buf, r->out + r->sent, n);
	r->sent += n;
	return (ssize_t)n;
}

static void free_reader(struct reader *r)
{
	OPENSSL_cleanse(r->secret, sizeof(r->secret));
	free(r->out);
	free(r);
}

static void close_reader(struct sluice_pull *p)
{
	struct reader *r = (struct reader *)p;
	struct sluice_stream *s = r->stream;

	sluice_io_timer_cancel(r->loop->io, &r->tick);
	pthread_mutex_lock(&s->lock);
	*r->at = r->next;
	if (r->next)
		r->next->at = r->at;
	s->count.readers--;
	pthread_mutex_unlock(&s->lock);
	if (r->checking)
		r->gone = 1;
	else
		free_reader(r);
}

/* Is the credential good, and for what? */
static void check_again(struct reader *r, struct sluice_auth *auth)
{
	uint64_t now = sluice_utc_now();

	if (r->who.is_session)
		r->err = sluice_auth_session_check(auth, r->secret, now,
						   &r->loop->server->api->lives, &r->fresh);
	else
		r->err = sluice_auth_apitoken_check(auth, r->secret, now, &r->fresh);
}

static void on_tick(void *arg);

/* Often enough that a stream on which nothing happens is not taken for an idle connection. */
static void set_tick(struct reader *r)
{
	uint64_t ms = r->loop->server->c.conf->limits.idle_ms / 2;

	sluice_io_timer_in(r->loop->io, &r->tick, ms < TICK_MS_MAX ? ms : TICK_MS_MAX, on_tick, r);
}

/* Of whom it cannot be told the stream goes: he comes back, and is asked again. */
static void checked(struct reader *r)
{
	if (r->err)
		r->over = 1;
	else
		r->who = r->fresh;
	if (!r->over && r->sent == r->size)
		put_out(r, ":\n\n", 3);
	if (r->pull.client)
		sluice_http_push(r->pull.client); /* may end the reader */
}

static struct reader *reader_of(struct sluice_desk_job *j)
{
	return (struct reader *)((char *)j - offsetof(struct reader, job));
}

static void run_check(struct sluice_desk_job *j)
{
	check_again(reader_of(j), j->auth);
}

static void check_done(struct sluice_desk_job *j)
{
	struct reader *r = reader_of(j);

	r->checking = 0;
	if (r->gone)
		free_reader(r);
	else if (!j->cancelled)
		checked(r);
}

static void on_tick(void *arg)
{
	struct reader *r = arg;
	struct sluice_desk *desk = r->loop->server->api->desk;

	set_tick(r);
	if (!desk) {
		check_again(r, r->loop->auth);
		checked(r);
	} else if (!r->checking) {
		r->job = (struct sluice_desk_job){ .run = run_check,
						   .done = check_done,
						   .io = r->loop->io };
		r->checking = !sluice_desk_post(desk, &r->job);
	}
}

/* Under the lock: how many readers the user has. */
static unsigned int count_readers(const struct sluice_stream *s, const struct sluice_who *who)
{
	const struct reader *r;
	unsigned int n = 0;

	for (r = s->readers; r; r = r->next)
		n += !strcmp(r->who.tenant, who->tenant) && !strcmp(r->who.name, who->name) &&
		     r->who.is_session == who->is_session;
	return n;
}

/* Where it left off: late, if it says so. */
static void find_start(struct reader *r, const char *id)
{
	char *end;
	unsigned long long n;

	r->last = r->stream->next - 1;
	if (!id || *id < '0' || *id > '9')
		return;
	errno = 0;
	n = strtoull(id, &end, 10);
	r->late = 1;
	r->last = errno || *end ? 0 : n;
}

/* 0, or -EBUSY: there are too many. */
static int enter_reader(struct sluice_stream *s, struct reader *r, const char *id)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (s->count.readers >= SLUICE_STREAM_ALL ||
	    count_readers(s, &r->who) >= SLUICE_STREAM_USER) {
		err = -EBUSY;
	} else {
		find_start(r, id);
		r->next = s->readers;
		if (r->next)
			r->next->at = &r->next;
		r->at = &s->readers;
		s->readers = r;
		s->count.readers++;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

void sluice_stream_answer(struct sluice_stream *s, struct sluice_call *c)
{
	static const struct sluice_pull_ops ops = { pull_reader, close_reader };
	static const char hello[] = "retry: 3000\n\n";
	struct reader *r = calloc(1, sizeof(*r));

	if (!r || put_out(r, hello, sizeof(hello) - 1)) {
		free(r);
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	r->pull.ops = &ops;
	r->stream = s;
	r->loop = c->loop;
	r->who = c->who;
	sluice_credential_read(c->request, r->secret);
	if (enter_reader(s, r, sluice_http_field(c->request, "last-event-id"))) {
		sluice_answer_problem(c, 429, "too many streams are open already");
		c->out->retry_s = 30;
		free(r->out);
		free(r);
		return;
	}
	set_tick(r);
	c->out->status = 200;
	c->out->type = "text/event-stream";
	c->out->pull = &r->pull;
	c->out->length = -1;
}
