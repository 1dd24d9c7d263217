// SPDX-License-Identifier: MIT
/*
 * subject_ops.c - what the analysis of a camera asks of its worker, and tells it: frames, a
 * detector's word; events, summaries, what digests are made of, what the gate did.
 *
 * A summary is written to media, then to the index, and only then told. In the worker's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/detector.h"
#include "cloud/digester.h"
#include "cloud/worker_state.h"
#include "lib/log.h"

/* For people who ask what goes on; it is over with its summary. A convenience: the log says if not.
 */
static void open_event(struct subject *s, const char *id, const char *json)
{
	struct sluice_worker *w = s->worker;
	struct sluice_index_summary row = { .epoch = s->epoch, .json = json };
	json_t *o = json_loads(json, 0, NULL);
	const char *start = json_string_value(json_object_get(o, "start_ns"));
	int err;

	snprintf(row.id, sizeof(row.id), "%s", id);
	memcpy(row.camera, s->camera->id, sizeof(row.camera));
	row.start_utc_ns = start ? strtoull(start, NULL, 10) : 0;
	err = sluice_fence_begin(&w->fence, w->index);
	if (!err)
		err = sluice_fence_end(&w->fence, w->index,
				       w->index->ops->event_open(w->index, &row));
	if (err && err != -ESTALE)
		sluice_log_limited(&w->limit, SLUICE_LOG_ERROR,
				   "an event of camera %s is not in the list of those open: %s",
				   s->camera->name, strerror(-err));
	json_decref(o);
}

static void on_event(void *ctx, const char *id, const char *json)
{
	struct subject *s = ctx;

	s->event_open = 1;
	if (s->worker->lane)
		return; /* long ago: not news */
	open_event(s, id, json);
	if (atomic_load(&s->worker->stopping))
		return;
	s->worker->c.ops->event(s->worker->c.ctx, s->camera, json);
}

static void on_summary(void *ctx, const struct sluice_summary *sum)
{
	struct subject *s = ctx;
	struct sluice_worker *w = s->worker;

	s->event_open = 0;
	/* one that was there already is perhaps not delivered yet: the session sorts that out */
	if (!sluice_shelf_insist(&w->shelf, s->camera, sum, "summary", &w->stopping, &w->limit))
		w->c.ops->summary(w->c.ctx, s->camera, sum->id);
}

static void on_digest(void *ctx, struct sluice_digest_plan *plan)
{
	struct subject *s = ctx;

	sluice_digester_add(s->worker->digester, s->camera, plan);
}

static void on_tally(void *ctx, const struct sluice_tally *t)
{
	worker_toll(ctx, t);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct subject *s = ctx;

	return sluice_shelf_jpeg_insist(&s->worker->shelf, s->camera, epoch, sequence, size);
}

static uint32_t on_look_side(void *ctx)
{
	struct subject *s = ctx;

	return sluice_detector_side(s->worker->c.detector);
}

static int on_look(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		   struct sluice_detector_answer *a)
{
	struct subject *s = ctx;

	return sluice_detector_ask(s->worker->c.detector, image, count, !s->worker->lane, a);
}

void worker_set_ops(struct sluice_worker *w)
{
	w->ops = (struct sluice_analysis_ops){ .event = on_event,
					       .summary = on_summary,
					       .digest = w->digester ? on_digest : NULL,
					       .tally = w->c.retune ? on_tally : NULL,
					       .fetch = on_fetch,
					       .look_side = w->c.detector ? on_look_side : NULL,
					       .look = w->c.detector ? on_look : NULL };
}
