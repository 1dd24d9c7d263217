// SPDX-License-Identifier: MIT
/*
 * detector.c - who may ask the detector when, and what becomes of one that fails.
 *
 * One question at a time. Who asks takes the turn (busy), puts the pictures into the area, leaves
 * the question with the thread and waits, until the deadline at most; then it goes, and the thread
 * keeps the turn until the process has answered, or has hung (HANG times the deadline) and is
 * ended. Answers come call by call, so a part of one counts too.
 *
 * A failure is: it cannot be loaded, it dies, hangs, says what it may not say, or detect() reports
 * an error. After each but the last kind it is started again, after a rest that doubles. FAILURES
 * in a row, or LATES questions in a row whose answer took longer than the deadline, switch it off
 * until the node is started again. Nothing else is harmed: events are told with the class that was
 * guessed.
 *
 * The lock guards what is shared; the process is the thread's alone, the area is that of who has
 * the turn.
 */
#include "cloud/detector.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cloud/conf.h"
#include "cloud/detector_process.h"
#include "lib/cond.h"
#include "lib/log.h"

#define FAILURES 5
#define LATES	 10
#define HANG	 10
#define REST_MS	 1000

struct sluice_detector_counts sluice_detector_counts;

struct sluice_detector {
	struct sluice_detector_process p;
	pthread_t thread;
	atomic_int stopping;
	int wake; /* eventfd: there is a question, or an end */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum sluice_detector_state state;
	uint32_t side;
	bool busy, asked, slow; /* slow: too often, it is to be switched off */
	uint32_t live_waiting, lates;
	struct sluice_detector_answer *answer; /* of who asks; NULL: given up */
	struct sluice_detector_look look;
	uint64_t until_ms;
	/* the thread's own */
	uint32_t failures;
	uint64_t rest_ms;
	struct sluice_log_limit limit;
};

/* With the lock held. */
static void set_state(struct sluice_detector *d, enum sluice_detector_state s)
{
	d->state = s;
	atomic_store(&sluice_detector_counts.state, s);
	pthread_cond_broadcast(&d->changed);
}

static void wake(struct sluice_detector *d)
{
	const uint64_t one = 1;

	if (write(d->wake, &one, sizeof(one)) < 0)
		return; /* it is full: it will wake */
}

/* ---- the thread ---- */

/* The question is over, however; the turn is free. */
static void finish(struct sluice_detector *d, int result)
{
	pthread_mutex_lock(&d->lock);
	if (d->answer) {
		d->answer->done = true;
		d->answer->result = result;
	}
	d->answer = NULL;
	d->asked = d->busy = false;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

static void switch_off(struct sluice_detector *d, const char *why)
{
	detector_process_bury(&d->p, "it is switched off");
	sluice_error("the detector %s is switched off: %s; classes are guessed from shape and "
		     "speed until the node is started again. Try it with: sluice-cloud run --check",
		     d->p.c.plugin, why);
	pthread_mutex_lock(&d->lock);
	set_state(d, SLUICE_DETECTOR_OFF);
	pthread_mutex_unlock(&d->lock);
}

/* It failed; p.death says how. Is it the last time? */
static void fail(struct sluice_detector *d)
{
	char why[sizeof(d->p.death) + 64];
	bool dead = !d->p.pid;

	if (++d->failures >= FAILURES) {
		snprintf(why, sizeof(why), "it failed %u times in a row, the last time: %s",
			 d->failures, d->p.death);
		switch_off(d, why);
		return;
	}
	d->rest_ms = (d->p.c.rest_ms ? d->p.c.rest_ms : REST_MS) << (d->failures - 1);
	sluice_log_limited(&d->limit, SLUICE_LOG_WARNING, "the detector %s failed (%u of %u): %s%s",
			   d->p.c.plugin, d->failures, FAILURES, d->p.death,
			   dead ? "; it is started again" : "");
	if (!dead)
		return;
	pthread_mutex_lock(&d->lock);
	set_state(d, SLUICE_DETECTOR_RESTING);
	pthread_mutex_unlock(&d->lock);
}

/* Until the time is over, or something is wanted. */
static void sleep_ms(struct sluice_detector *d, int ms)
{
	struct pollfd f = { .fd = d->wake, .events = POLLIN };
	uint64_t n;

	if (poll(&f, 1, ms) > 0 && read(d->wake, &n, sizeof(n)) < 0)
		return;
}

static void start(struct sluice_detector *d)
{
	uint64_t until = detector_now_ms() + d->rest_ms, now;
	int err;

	while ((now = detector_now_ms()) < until && !atomic_load(&d->stopping))
		sleep_ms(d, (int)(until - now));
	if (atomic_load(&d->stopping))
		return;
	pthread_mutex_lock(&d->lock);
	set_state(d, SLUICE_DETECTOR_LOADING);
	pthread_mutex_unlock(&d->lock);
	err = detector_process_start(&d->p);
	if (err == -ECANCELED)
		return;
	if (err) {
		fail(d);
		return;
	}
	sluice_info("detector %s: %u classes, pictures of %u pixels, loaded in %u ms (%s)",
		    d->p.ready.name, d->p.ready.class_count, d->p.ready.side, d->p.ready.load_ms,
		    d->p.c.plugin);
	pthread_mutex_lock(&d->lock);
	d->side = d->p.ready.side;
	set_state(d, SLUICE_DETECTOR_IDLE);
	pthread_mutex_unlock(&d->lock);
}

/* A part of the answer, for who still waits. */
static void on_found(void *ctx, const struct sluice_detector_found *f,
		     const struct sluice_detector_box *box)
{
	struct sluice_detector *d = ctx;
	struct sluice_detector_answer *a;

	pthread_mutex_lock(&d->lock);
	a = d->answer;
	for (uint32_t i = f->first; a && i < f->first + f->count; i++) {
		a->count[i] = 0;
		for (uint32_t k = 0; k < f->boxes[i - f->first]; k++, box++) {
			struct sluice_detector_thing *t = &a->thing[i][a->count[i]];

			if (box->score < d->p.c.min_score)
				continue;
			a->count[i]++;
			*t = (struct sluice_detector_thing){ box->x, box->y,	 box->w,
							     box->h, box->score, "" };
			memcpy(t->class, d->p.classes[box->class], sizeof(t->class));
		}
		a->looked = i + 1;
	}
	if (a)
		memcpy(a->name, d->p.ready.name, sizeof(a->name));
	pthread_mutex_unlock(&d->lock);
}

static void serve(struct sluice_detector *d)
{
	struct sluice_detector_look l;
	uint64_t began = detector_now_ms(), until;
	int err = 0, dead;

	pthread_mutex_lock(&d->lock);
	l = d->look;
	until = d->until_ms;
	d->asked = false;
	pthread_mutex_unlock(&d->lock);
	l.left_ms = until > began ? (uint32_t)(until - began) : 0;
	dead = detector_process_look(&d->p, &l, (uint64_t)HANG * d->p.c.deadline_ms, &err, on_found,
				     d);
	atomic_fetch_add(&sluice_detector_counts.busy_us, (detector_now_ms() - began) * 1000);
	if (dead == -ECANCELED) {
		finish(d, -EAGAIN);
		return;
	}
	if (dead || err)
		fail(d);
	else
		d->failures = 0;
	d->rest_ms = d->failures ? d->rest_ms : 0;
	finish(d, dead || err ? -EIO : 0);
}

/* Something is said by it that nobody asked for: its end, as a rule. */
static void hear_unasked(struct sluice_detector *d)
{
	struct pollfd f = { .fd = d->p.fd, .events = POLLIN };

	if (poll(&f, 1, 0) <= 0)
		return;
	detector_process_bury(&d->p, f.revents & POLLHUP ? NULL : "it spoke when not asked");
	fail(d);
}

static void *detector_main(void *arg)
{
	struct sluice_detector *d = arg;

	while (!atomic_load(&d->stopping)) {
		bool asked, slow, off;
		struct pollfd f[2] = { { .fd = d->wake, .events = POLLIN } };

		pthread_mutex_lock(&d->lock);
		asked = d->asked;
		slow = d->slow;
		off = d->state == SLUICE_DETECTOR_OFF;
		pthread_mutex_unlock(&d->lock);
		if (off) {
			if (asked)
				finish(d, -EAGAIN);
			sleep_ms(d, -1);
		} else if (slow) {
			switch_off(d,
				   "it was too slow for [detector] deadline many times in a row");
		} else if (!d->p.pid) {
			if (asked)
				finish(d, -EAGAIN);
			start(d);
		} else if (asked) {
			serve(d);
		} else {
			f[1] = (struct pollfd){ .fd = d->p.fd, .events = POLLIN };
			poll(f, 2, -1);
			if (f[0].revents)
				sleep_ms(d, 0);
			if (f[1].revents)
				hear_unasked(d);
		}
	}
	finish(d, -EAGAIN);
	return NULL;
}

/* ---- those who ask ---- */

static struct timespec as_timespec(uint64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
				  .tv_nsec = (long)(ms % 1000) * 1000000 };
}

/* With the lock held. 0; -ETIMEDOUT, -EAGAIN. */
static int take_turn(struct sluice_detector *d, bool live, uint64_t until_ms)
{
	const struct timespec until = as_timespec(until_ms);
	int err = 0;

	d->live_waiting += live;
	while (d->state == SLUICE_DETECTOR_IDLE && !err && (d->busy || (!live && d->live_waiting)))
		err = pthread_cond_timedwait(&d->changed, &d->lock, &until);
	d->live_waiting -= live;
	if (d->state != SLUICE_DETECTOR_IDLE) {
		pthread_cond_broadcast(&d->changed);
		return -EAGAIN;
	}
	if (err) {
		pthread_cond_broadcast(&d->changed);
		return -ETIMEDOUT;
	}
	d->busy = true;
	return 0;
}

/* Into the area, as many as it holds. */
static void put_pictures(struct sluice_detector *d, const struct sluice_detector_image *image,
			 uint32_t count, struct sluice_detector_look *l)
{
	size_t at = 0;

	memset(l, 0, sizeof(*l));
	for (uint32_t i = 0; i < count && i < SLUICE_DETECTOR_PICTURES; i++) {
		uint32_t w = image[i].width, h = image[i].height, row = 3 * w;

		if (!w || !h || w > SLUICE_DETECTOR_SIDE_MAX || h > SLUICE_DETECTOR_SIDE_MAX ||
		    at + (size_t)row * h > SLUICE_DETECTOR_AREA)
			return;
		l->picture[i].offset = (uint32_t)at;
		l->picture[i].w = w;
		l->picture[i].h = h;
		l->picture[i].stride = row;
		for (uint32_t y = 0; y < h; y++)
			memcpy(d->p.area + at + (size_t)y * row,
			       image[i].data + (size_t)y * image[i].stride, row);
		at += ((size_t)row * h + 63) & ~(size_t)63;
		l->count++;
	}
}

/* With the lock held and the turn taken: the thread does it. 0; -ETIMEDOUT, -EAGAIN, -EIO. */
static int put_question(struct sluice_detector *d, const struct sluice_detector_look *l,
			uint64_t until_ms, struct sluice_detector_answer *a)
{
	const struct timespec until = as_timespec(until_ms);
	int err = 0;

	if (d->state != SLUICE_DETECTOR_IDLE || !l->count) {
		d->busy = false;
		pthread_cond_broadcast(&d->changed);
		return -EAGAIN;
	}
	a->done = false;
	d->answer = a;
	d->look = *l;
	d->until_ms = until_ms;
	d->asked = true;
	wake(d);
	while (!a->done && !err)
		err = pthread_cond_timedwait(&d->changed, &d->lock, &until);
	if (a->done)
		return a->looked ? 0 : a->result ? a->result : -ETIMEDOUT;
	d->answer = NULL;
	return a->looked ? 0 : -ETIMEDOUT;
}

/* With the lock held. turn: it was asked itself; who waits behind others says nothing about it. */
static void count_end(struct sluice_detector *d, int err, bool turn,
		      const struct sluice_detector_answer *a)
{
	struct sluice_detector_counts *c = &sluice_detector_counts;

	if (!err) {
		d->lates = 0;
		atomic_fetch_add(&c->answered, 1);
		atomic_fetch_add(&c->pictures, a->looked);
	} else if (err == -ETIMEDOUT) {
		atomic_fetch_add(&c->late, 1);
		if (turn && ++d->lates == LATES) {
			d->slow = true;
			wake(d);
		}
	} else {
		atomic_fetch_add(err == -EIO ? &c->failed : &c->away, 1);
	}
}

int sluice_detector_ask(struct sluice_detector *d, const struct sluice_detector_image *image,
			uint32_t count, bool live, struct sluice_detector_answer *a)
{
	uint64_t until = detector_now_ms() + d->p.c.deadline_ms;
	struct sluice_detector_look l;
	bool turn;
	int err;

	a->looked = 0;
	pthread_mutex_lock(&d->lock);
	err = take_turn(d, live, until);
	turn = !err;
	if (turn) {
		pthread_mutex_unlock(&d->lock);
		put_pictures(d, image, count, &l);
		pthread_mutex_lock(&d->lock);
		err = put_question(d, &l, until, a);
	}
	count_end(d, err, turn, a);
	pthread_mutex_unlock(&d->lock);
	return err;
}

uint32_t sluice_detector_side(struct sluice_detector *d)
{
	return sluice_detector_wait(d, 0);
}

uint32_t sluice_detector_wait(struct sluice_detector *d, uint32_t ms)
{
	const struct timespec until = as_timespec(detector_now_ms() + ms);
	uint32_t side = 0;
	int late = !ms;

	if (!d)
		return 0;
	pthread_mutex_lock(&d->lock);
	while (!late &&
	       (d->state == SLUICE_DETECTOR_LOADING || d->state == SLUICE_DETECTOR_RESTING))
		late = pthread_cond_timedwait(&d->changed, &d->lock, &until);
	if (d->state == SLUICE_DETECTOR_IDLE)
		side = d->side;
	else
		atomic_fetch_add(&sluice_detector_counts.away, 1);
	pthread_mutex_unlock(&d->lock);
	return side;
}

/* ---- open, close, try ---- */

struct sluice_detector_config sluice_detector_of(const struct sluice_cloud_conf *c)
{
	return (struct sluice_detector_config){ .plugin = c->detector.plugin,
						.config = c->detector.config,
						.min_score = (float)c->detector.min_score / 100,
						.deadline_ms = (uint32_t)c->detector.deadline_ms,
						.memory = c->detector.memory };
}

int sluice_detector_open(const struct sluice_detector_config *c, struct sluice_detector **out)
{
	struct sluice_detector *d = calloc(1, sizeof(*d));
	int err;

	*out = NULL;
	if (!d)
		return -ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	sluice_cond_init(&d->changed);
	d->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 30000 };
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = d->wake < 0 ? -errno : detector_process_init(&d->p, c, &d->stopping);
	if (err)
		sluice_error("no detector: %s", d->p.death[0] ? d->p.death : strerror(-err));
	else
		set_state(d, SLUICE_DETECTOR_LOADING);
	if (!err)
		err = -pthread_create(&d->thread, NULL, detector_main, d);
	if (!err) {
		*out = d;
		return 0;
	}
	d->thread = 0;
	sluice_detector_close(d);
	atomic_store(&sluice_detector_counts.state, SLUICE_DETECTOR_OFF);
	return err;
}

void sluice_detector_close(struct sluice_detector *d)
{
	if (!d)
		return;
	atomic_store(&d->stopping, 1);
	if (d->wake >= 0)
		wake(d);
	if (d->thread)
		pthread_join(d->thread, NULL);
	detector_process_exit(&d->p);
	if (d->wake >= 0)
		close(d->wake);
	atomic_store(&sluice_detector_counts.state, SLUICE_DETECTOR_NONE);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

int sluice_detector_try(const struct sluice_detector_config *c, struct sluice_detector_report *r)
{
	struct sluice_detector_process *p = calloc(1, sizeof(*p));
	static const atomic_int never;
	int err = p ? detector_process_init(p, c, &never) : -ENOMEM;

	memset(r, 0, sizeof(*r));
	if (!err)
		err = detector_process_start(p);
	if (!err) {
		r->ready = p->ready;
		memcpy(r->first_class, p->classes[0], sizeof(r->first_class));
	} else {
		snprintf(r->why, sizeof(r->why), "%s",
			 p && p->death[0] ? p->death : strerror(-err));
	}
	if (p)
		detector_process_exit(p);
	free(p);
	return err;
}
