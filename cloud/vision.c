// SPDX-License-Identifier: MIT
/*
 * vision.c - see vision.h.
 *
 * An event's summary is offered by whoever told it. The thread reads it from the index, has its key
 * frames made small (in a child, where there is a sandbox), asks, and stores what is said as a
 * summary of its own under an id that follows from the event's: one that is there already is not
 * asked for again, and two nodes that ask store one. The words change nothing of the event.
 *
 * What is over with time (no connection, 429, 5xx, too slow) is tried twice more, and nobody else
 * is asked about meanwhile; an endpoint that names a time to come back is believed up to an hour.
 * What the operator must put right (key, certificate, address) is told in the log and not tried
 * again for that event. What waits when the node ends is not asked about.
 */
#include "cloud/vision.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cloud/digest.h"
#include "cloud/sandbox.h"
#include "cloud/shelf.h"
#include "cloud/vision_call.h"
#include "cloud/vision_note.h"
#include "lib/cond.h"
#include "lib/log.h"

#define TRIES	     3
#define AGAIN_S	     5	/* then four times that */
#define QUIET_S	     60 /* after what an operator must put right */
#define OLD_S	     3600
#define PICTURE_COST 1600 /* tokens of a picture, at most, where nobody has told */

struct job {
	struct job *next;
	const struct sluice_camera *camera;
	char id[33];
	int tries;
};

struct small {
	uint8_t *jpeg[SLUICE_VISION_PICTURES];
	struct sluice_vision_picture picture[SLUICE_VISION_PICTURES];
	uint32_t count;
};

struct sluice_vision {
	struct sluice_vision_config c;
	struct sluice_vision_budget budget; /* the thread's, as all up to limit */
	struct sluice_index *index;
	struct sluice_rebuild *rebuild;
	struct sluice_shelf shelf;
	struct sluice_sandbox *sandbox;
	const struct sluice_camera *camera; /* of the job at work, for fetch */
	struct small *small;		    /* likewise, for take_small */
	time_t quiet_until;		    /* CLOCK_MONOTONIC */
	struct sluice_log_limit limit;
	struct sluice_log_limit full; /* of whoever offers */
	pthread_t thread;
	atomic_int stopping;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *head, **tail;
	unsigned int waiting;
};

static time_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void skip(enum sluice_vision_skip why)
{
	atomic_fetch_add(&sluice_vision_counts.skipped[why], 1);
}

/* ---- pictures ---- */

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct sluice_vision *v = ctx;

	return sluice_shelf_jpeg_insist(&v->shelf, v->camera, epoch, sequence, size);
}

/* "small-N.jpg" is of the plan's key frame N - 1; the ones that could not be made are not there. */
static void take_small(void *ctx, const struct sluice_summary *sum)
{
	struct sluice_vision *v = ctx;
	struct small *s = v->small;

	for (size_t i = 0; i < sum->media_count; i++) {
		const struct sluice_summary_media *m = &sum->media[i];
		unsigned int n = (unsigned int)(m->name[6] - '1');

		if (strncmp(m->name, "small-", 6) != 0 || strcmp(m->name + 7, ".jpg") != 0 ||
		    n >= s->count || s->jpeg[n])
			continue;
		s->jpeg[n] = malloc(m->size + 1);
		if (!s->jpeg[n])
			continue;
		memcpy(s->jpeg[n], m->data, m->size);
		s->picture[n].size = m->size;
	}
}

/* Only those that were made, in their order. */
static void close_ranks(struct small *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		if (!s->jpeg[i])
			continue;
		s->picture[n] = s->picture[i];
		s->jpeg[n] = s->jpeg[i];
		s->picture[n].jpeg = s->jpeg[n];
		n++;
	}
	for (uint32_t i = n; i < s->count; i++)
		s->jpeg[i] = NULL;
	s->count = n;
}

static int make_small(struct sluice_vision *v, struct sluice_digest_plan *p)
{
	static const struct sluice_analysis_ops ops = { .summary = take_small, .fetch = fetch };
	struct sluice_digest_options o = { .fetch = fetch, .ctx = v };
	struct sluice_digest *g;
	int err;

	if (v->sandbox)
		return sluice_sandbox_digest(v->sandbox, p, &ops, v);
	err = sluice_digest_make(p, &o, &g);
	if (!err)
		take_small(v, &g->summary);
	sluice_digest_free(g);
	return err;
}

static uint64_t u64_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

/* The chosen key frames of a summary, small. 0; -ENODATA: none; or what failed. */
static int shrink(struct sluice_vision *v, const json_t *summary, const char *id, struct small *s)
{
	struct sluice_digest_frame first = { 0 };
	struct sluice_digest_plan p = { .frames = &first, .frame_count = 1 };
	uint32_t at[SLUICE_VISION_PICTURES];
	const char *event = json_string_value(json_object_get(summary, "event"));
	int err;

	memset(s, 0, sizeof(*s));
	s->count = sluice_vision_choose(summary, v->c.settings.pictures, at);
	if (!s->count || !event)
		return -ENODATA;
	snprintf(p.camera, sizeof(p.camera), "%s", v->camera->name);
	snprintf(p.event, sizeof(p.event), "%s", event);
	snprintf(p.summary, sizeof(p.summary), "%s", id);
	p.epoch = u64_of(summary, "epoch");
	p.width = (uint32_t)json_integer_value(json_object_get(summary, "width"));
	p.height = (uint32_t)json_integer_value(json_object_get(summary, "height"));
	p.small = v->c.settings.side;
	p.key_count = s->count;
	for (uint32_t i = 0; i < s->count; i++) {
		const json_t *k = json_array_get(json_object_get(summary, "keyframes"), at[i]);
		const char *file = json_string_value(json_object_get(k, "file"));

		snprintf(s->picture[i].file, sizeof(s->picture[i].file), "%s", file ? file : "");
		s->picture[i].sequence = p.keys[i].sequence = u64_of(k, "sequence");
		s->picture[i].t_s = p.keys[i].t_s = json_number_value(json_object_get(k, "t_s"));
	}
	v->small = s;
	err = make_small(v, &p);
	close_ranks(s);
	return err ? err : s->count ? 0 : -ENODATA;
}

static void free_small(struct small *s)
{
	for (uint32_t i = 0; i < SLUICE_VISION_PICTURES; i++)
		free(s->jpeg[i]);
}

/* ---- one event ---- */

static int take_summary(void *ctx, const struct sluice_camera *c,
			const struct sluice_index_summary *s)
{
	(void)c;
	*(json_t **)ctx = json_loads(s->json, 0, NULL);
	return 0;
}

/* Is it to be asked about? Counts why not, where somebody may wonder. */
static bool is_asked(struct sluice_vision *v, const json_t *summary, const char *id)
{
	const char *kind = json_string_value(json_object_get(summary, "kind"));
	uint64_t end_ns = u64_of(summary, "end_ns");
	char own[33];
	uint8_t owner[16];

	if (!kind || strcmp(kind, "event") != 0 ||
	    json_is_true(json_object_get(summary, "nuisance")) ||
	    json_integer_value(json_object_get(summary, "threat_level")) <
		    (json_int_t)v->c.settings.threat)
		return false;
	sluice_vision_id(id, own);
	if (!v->index->ops->summary_owner(v->index, own, owner, NULL))
		return false; /* it was, in another life or by another node */
	if (end_ns / 1000000000 + OLD_S < (uint64_t)time(NULL)) {
		skip(SLUICE_VISION_SKIP_OLD);
		return false;
	}
	return true;
}

static void keep(struct sluice_vision *v, const json_t *summary, const struct small *small,
		 const struct sluice_vision_answer *a, const struct sluice_vision_reply *r,
		 uint64_t cost)
{
	const struct sluice_vision_limits *l = &v->c.settings.limits;
	const struct sluice_vision_facts f = { .model = v->c.settings.model,
					       .language = v->c.settings.language,
					       .picture = small->picture,
					       .pictures = small->count,
					       .took_s = r->took_s,
					       .cost = cost,
					       .priced = l->price_in || l->price_out };
	char *json = sluice_vision_note(summary, a, &f);
	struct sluice_summary sum = { .epoch = u64_of(summary, "epoch"),
				      .start_utc_ns = u64_of(summary, "start_ns"),
				      .end_utc_ns = u64_of(summary, "end_ns"),
				      .json = json };

	sluice_vision_id(json_string_value(json_object_get(summary, "id")), sum.id);
	if (json && !sluice_shelf_insist(&v->shelf, v->camera, &sum, "vision text", &v->stopping,
					 &v->limit))
		v->c.ops->summary(v->c.ctx, v->camera, sum.id);
	free(json);
}

/* What is charged: what the endpoint says; else as much as it may have been; nothing where nothing
 * was sent, or an error came instead. */
static uint64_t cost_of(struct sluice_vision *v, const struct sluice_vision_answer *a,
			const struct sluice_vision_reply *r, uint64_t most)
{
	uint64_t cost;

	if (!a->metered)
		return !r->sent || (r->status && r->status != 200) ? 0 : most;
	cost = sluice_vision_cost(&v->c.settings.limits, a->tokens_in, a->tokens_out);
	atomic_fetch_add(&sluice_vision_counts.tokens_in, a->tokens_in);
	atomic_fetch_add(&sluice_vision_counts.tokens_out, a->tokens_out);
	return cost;
}

/* Seconds until it may be asked again; 0: not this one. */
static unsigned int again_after(const struct sluice_vision_reply *r, int tries)
{
	bool passes = r->failure == SLUICE_VISION_CONNECT || r->failure == SLUICE_VISION_TIMEOUT ||
		      r->failure == SLUICE_VISION_RATE ||
		      (r->failure == SLUICE_VISION_STATUS && r->status >= 500);
	unsigned int wait = tries > 1 ? 4 * AGAIN_S : AGAIN_S;

	if (!passes)
		return 0;
	return r->after_s ? r->after_s : wait;
}

/* 1: it is to be tried again, once quiet_until is over. */
static int settle(struct sluice_vision *v, struct job *j, const struct sluice_vision_reply *r)
{
	unsigned int wait = again_after(r, j->tries);

	sluice_log_limited(&v->limit, SLUICE_LOG_WARNING,
			   "no vision text of event %s of camera %s: %s%s", j->id, j->camera->name,
			   r->why, wait && j->tries < TRIES ? "; trying again" : "");
	if (wait)
		v->quiet_until = monotonic() + wait;
	else if (r->failure == SLUICE_VISION_KEY || r->failure == SLUICE_VISION_TLS ||
		 r->failure == SLUICE_VISION_REDIRECT)
		v->quiet_until = monotonic() + QUIET_S;
	if (wait && j->tries < TRIES)
		return 1;
	skip(SLUICE_VISION_SKIP_GIVEN_UP);
	return 0;
}

static int ask(struct sluice_vision *v, struct job *j, const json_t *summary,
	       const struct small *small)
{
	const struct sluice_vision_settings *s = &v->c.settings;
	const struct sluice_vision_question q = { s->model, s->language,    s->format,	 s->tokens,
						  summary,  small->picture, small->count };
	const struct sluice_vision_endpoint e = { s->url, s->key, s->ca, s->timeout_ms,
						  &v->stopping };
	char *question = sluice_vision_ask(&q);
	struct sluice_vision_answer a;
	struct sluice_vision_reply r;
	uint64_t most, cost;
	int err;

	if (!question)
		return 0;
	most = sluice_vision_cost(&s->limits, 4096 + (uint64_t)PICTURE_COST * small->count,
				  s->tokens);
	err = sluice_vision_budget_take(&v->budget, time(NULL), most);
	if (err) {
		skip(SLUICE_VISION_SKIP_BUDGET);
		if (err != -EDQUOT)
			sluice_log_limited(&v->limit, SLUICE_LOG_ERROR,
					   "cannot write down what vision texts cost, so none is "
					   "asked for: %s",
					   strerror(-err));
		free(question);
		return 0;
	}
	sluice_vision_call(&e, question, small->count, &a, &r);
	free(question);
	cost = cost_of(v, &a, &r, most);
	sluice_vision_budget_settle(&v->budget, most, cost);
	atomic_fetch_add(&sluice_vision_counts.cost, cost);
	if (atomic_load(&v->stopping))
		return 0;
	atomic_fetch_add(&sluice_vision_counts.calls[r.failure], 1);
	if (r.failure != SLUICE_VISION_OK)
		return settle(v, j, &r);
	keep(v, summary, small, &a, &r, cost);
	return 0;
}

/* 1: once more, later. */
static int work(struct sluice_vision *v, struct job *j)
{
	const struct sluice_whose whose = { .tenant = j->camera->tenant };
	json_t *summary = NULL;
	struct small small = { 0 };
	int err, again = 0;

	v->camera = j->camera;
	j->tries++;
	err = v->index->ops->summary_find(v->index, &whose, j->id, take_summary, &summary);
	if (!err && is_asked(v, summary, j->id)) {
		err = shrink(v, summary, j->id, &small);
		if (!err)
			again = ask(v, j, summary, &small);
		else if (err != -ECANCELED)
			skip(SLUICE_VISION_SKIP_PICTURES);
	}
	free_small(&small);
	json_decref(summary);
	return again;
}

/* ---- the thread ---- */

static void pop(struct sluice_vision *v)
{
	struct job *j = v->head;

	v->head = j->next;
	if (!v->head)
		v->tail = &v->head;
	v->waiting--;
	atomic_store(&sluice_vision_counts.waiting, v->waiting);
	free(j);
}

/* Under the lock, which is given up while waiting: until there is something to do, and the endpoint
 * may be asked. */
static void wait_for_work(struct sluice_vision *v)
{
	struct timespec until = { 0 };

	if (!v->head) {
		pthread_cond_wait(&v->more, &v->lock);
		return;
	}
	until.tv_sec = v->quiet_until;
	pthread_cond_timedwait(&v->more, &v->lock, &until);
}

static void *vision_main(void *arg)
{
	struct sluice_vision *v = arg;

	/* of this thread alone; where it may not, it works on as it is */
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	pthread_mutex_lock(&v->lock);
	while (!atomic_load(&v->stopping)) {
		struct job *j = v->head;
		int again;

		if (!j || monotonic() < v->quiet_until) {
			wait_for_work(v);
			continue;
		}
		pthread_mutex_unlock(&v->lock);
		again = work(v, j);
		pthread_mutex_lock(&v->lock);
		if (!again)
			pop(v);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

/* False: too many wait, and j stays the caller's. */
static bool push(struct sluice_vision *v, struct job *j)
{
	bool taken;

	pthread_mutex_lock(&v->lock);
	taken = v->waiting < SLUICE_VISION_WAITING_MAX;
	if (taken) {
		*v->tail = j;
		v->tail = &j->next;
		atomic_store(&sluice_vision_counts.waiting, ++v->waiting);
		pthread_cond_signal(&v->more);
	}
	pthread_mutex_unlock(&v->lock);
	return taken;
}

void sluice_vision_offer(struct sluice_vision *v, const struct sluice_camera *c, const char *id)
{
	struct job *j;

	if (!v || !sluice_vision_wants(v->c.settings.cameras, c))
		return;
	j = calloc(1, sizeof(*j));
	if (!j)
		return;
	j->camera = c;
	snprintf(j->id, sizeof(j->id), "%s", id);
	if (push(v, j))
		return;
	free(j);
	skip(SLUICE_VISION_SKIP_FULL);
	sluice_log_limited(&v->full, SLUICE_LOG_WARNING,
			   "no vision text of camera %s: %u are waiting", c->name,
			   SLUICE_VISION_WAITING_MAX);
}

static int open_budget(struct sluice_vision *v)
{
	int err =
		sluice_vision_budget_open(&v->budget, v->c.data, &v->c.settings.limits, time(NULL));

	if (err)
		sluice_warning("cannot read %s/%s: %s; nothing is asked of [vision] url until "
			       "tomorrow (UTC), or remove that file",
			       v->c.data, SLUICE_VISION_BUDGET_FILE, strerror(-err));
	return 0;
}

static void free_vision(struct sluice_vision *v)
{
	while (v->head)
		pop(v);
	sluice_sandbox_close(v->sandbox);
	sluice_index_close(v->index);
	sluice_rebuild_close(v->rebuild);
	explicit_bzero(&v->c.settings, sizeof(v->c.settings));
	free(v);
}

int sluice_vision_open(const struct sluice_vision_config *c, struct sluice_vision **out)
{
	struct sluice_vision *v = calloc(1, sizeof(*v));
	int err;

	*out = NULL;
	if (!v)
		return -ENOMEM;
	v->c = *c;
	v->tail = &v->head;
	v->limit = v->full = (struct sluice_log_limit){ .burst = 5, .interval_ms = 60000 };
	pthread_mutex_init(&v->lock, NULL);
	sluice_cond_init(&v->more);
	v->rebuild = sluice_rebuild_open();
	err = v->rebuild ? sluice_index_open(c->data, &v->index) : -ENOMEM;
	v->shelf = (struct sluice_shelf){
		.data = c->data, .index = v->index, .media = c->media, .rebuild = v->rebuild
	};
	if (c->shared) /* two processes may have asked about the same */
		v->shelf.token = sluice_utc_now();
	if (!err && c->sandbox) {
		v->sandbox = sluice_sandbox_open(c->sandbox, "vision texts", 19, &v->stopping);
		err = v->sandbox ? 0 : -ENOMEM;
	}
	if (!err)
		err = open_budget(v);
	if (!err)
		err = -pthread_create(&v->thread, NULL, vision_main, v);
	if (err)
		free_vision(v);
	else
		*out = v;
	return err;
}

void sluice_vision_close(struct sluice_vision *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->lock);
	atomic_store(&v->stopping, 1);
	pthread_cond_signal(&v->more);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->thread, NULL);
	pthread_cond_destroy(&v->more);
	pthread_mutex_destroy(&v->lock);
	free_vision(v);
}
