// SPDX-License-Identifier: MIT
/*
 * jobs_period.c - the job "period": the summary of an hour, a day, or any time of one camera, made
 * of what is told and stored of it, then stored and sent to the device like that of an event.
 *
 * Its id follows from the job's, so that a job that is begun again, at whatever point the node was
 * killed, ends with the same one summary: one that the index has is told once more (a session knows
 * what its device has) and not made again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/h264.h"
#include "cloud/jobs_state.h"
#include "cloud/period_fill.h"
#include "cloud/period_make.h"
#include "lib/sha256.h"

#define SECONDS	    60 /* of synopsis, and the bounds of it */
#define SECONDS_MIN 5
#define SECONDS_MAX 600

int job_period_check(const json_t *settings, char *why, size_t size)
{
	const char *key, *text;
	json_t *v;

	json_object_foreach ((json_t *)settings, key, v) {
		text = json_string_value(v);
		if (!strcmp(key, "seconds")) {
			if (json_is_integer(v) && json_integer_value(v) >= SECONDS_MIN &&
			    json_integer_value(v) <= SECONDS_MAX)
				continue;
			snprintf(why, size, "seconds (of synopsis) must be a number from %d to %d",
				 SECONDS_MIN, SECONDS_MAX);
		} else if (!strcmp(key, "language")) {
			if (text && (!strcmp(text, "en") || !strcmp(text, "zh")))
				continue;
			snprintf(why, size, "language must be en or zh");
		} else if (!strcmp(key, "span")) {
			if (text && (!strcmp(text, "hour") || !strcmp(text, "day") ||
				     !strcmp(text, "other")))
				continue;
			snprintf(why, size, "span must be hour, day or other");
		} else {
			snprintf(why, size,
				 "a period has no setting '%.40s'; it has seconds, language and "
				 "span",
				 key);
		}
		return -EINVAL;
	}
	return 0;
}

static void make_id(const struct job_work *w, char id[33])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[128];
	int n = snprintf(text, sizeof(text), "sluice period 1\n%s\n%s", w->camera->hex, w->job.id);

	sluice_sha256(text, (size_t)n, hash);
	sluice_hex(hash, 16, id);
}

static void set_text(char *out, size_t size, const json_t *settings, const char *key)
{
	const char *text = json_string_value(json_object_get(settings, key));

	if (text)
		snprintf(out, size, "%s", text);
}

static int open_period(struct job_work *w, const char *id, struct sluice_period **out)
{
	json_int_t seconds = json_integer_value(json_object_get(w->settings, "seconds"));
	struct sluice_period *p =
		sluice_period_open(w->camera->name, (int64_t)w->job.from_ns, (int64_t)w->job.to_ns);
	int err;

	*out = p;
	if (!p)
		return -ENOMEM;
	memcpy(p->id, id, sizeof(p->id));
	p->seconds = (double)(seconds ? seconds : SECONDS);
	p->order_s = p->seconds / 6;
	set_text(p->language, sizeof(p->language), w->settings, "language");
	set_text(p->span, sizeof(p->span), w->settings, "span");
	err = sluice_period_fill(p, w->shelf.index, w->camera, job_stopped, w);
	if (!err && !p->event_count) {
		snprintf(w->why, sizeof(w->why), "there is no event in that time");
		err = -ENODATA;
	}
	return err;
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct job_work *w = ctx;

	return sluice_shelf_jpeg_insist(&w->shelf, w->camera, epoch, sequence, size);
}

static int progress(void *ctx, int per_mille)
{
	return job_progress(ctx, per_mille);
}

static void progress_here(void *ctx, int per_mille)
{
	job_progress(ctx, per_mille);
}

static void tell(struct job_work *w, const char *id)
{
	w->c->ops->summary(w->c->ctx, w->camera, id);
	w->result = json_pack("{s:s}", "summary", id);
}

static void store(void *ctx, const struct sluice_summary *sum)
{
	struct sluice_h264_summary both = { 0 };
	struct job_work *w = ctx;
	int err = -ENOENT;

	if (strcmp(sum->id, json_string_value(json_object_get(w->settings, "summary"))) != 0)
		return; /* a child that says more than it was asked for */
	if (w->c->h264)
		err = sluice_h264_add(w->c->h264, sum, w->stop, &both);
	if (err && err != -ENOENT && err != -ECANCELED)
		sluice_log_limited(w->limit, SLUICE_LOG_WARNING, "no H.264 by %s: %s", w->c->h264,
				   strerror(-err));
	if (err != -ECANCELED && !sluice_shelf_insist(&w->shelf, w->camera, err ? sum : &both.sum,
						      "summary of a period", w->stop, w->limit))
		tell(w, sum->id);
	sluice_h264_free(&both);
}

static int make_in_child(struct job_work *w, const struct sluice_period *p)
{
	static const struct sluice_analysis_ops ops = { .summary = store, .fetch = fetch };
	int err = sluice_sandbox_period(w->sandbox, p, &ops, progress, w);

	if (err == -EPIPE) /* perhaps killed from outside; its own fault it is the second time */
		err = sluice_sandbox_period(w->sandbox, p, &ops, progress, w);
	if (err == -EPIPE)
		snprintf(w->why, sizeof(w->why), "the child that made it died: %s",
			 sluice_sandbox_death(w->sandbox));
	return err;
}

static int make_here(struct job_work *w, const struct sluice_period *p)
{
	const struct sluice_period_options o = {
		.fetch = fetch, .stopped = job_stopped, .progress = progress_here, .ctx = w
	};
	struct sluice_period_made *made;
	int err = sluice_period_make(p, &o, &made);

	if (!err)
		store(w, &made->summary);
	sluice_period_made_free(made);
	return err;
}

int job_period(struct job_work *w)
{
	struct sluice_period *p = NULL;
	uint8_t owner[16];
	char id[33];
	int err;

	make_id(w, id);
	if (!w->shelf.index->ops->summary_owner(w->shelf.index, id, owner, NULL) &&
	    !memcmp(owner, w->camera->id, sizeof(owner))) {
		tell(w, id); /* by an earlier life */
		return 0;
	}
	/* what store() takes, and no other */
	err = json_object_set_new(w->settings, "summary", json_string(id)) ? -ENOMEM : 0;
	if (!err)
		err = open_period(w, id, &p);
	if (!err)
		err = w->sandbox ? make_in_child(w, p) : make_here(w, p);
	sluice_period_free(p);
	if (!err && !w->result)
		err = atomic_load(w->stop) ? -ECANCELED : -EIO;
	if (err == -EIO)
		snprintf(w->why, sizeof(w->why), "it could not be stored; the log says why");
	return err;
}
