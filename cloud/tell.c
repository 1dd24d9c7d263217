// SPDX-License-Identifier: MIT
/*
 * tell.c - from the writer's and the workers' threads to the loops, the workers' by the bus, which
 * carries it to the processes that have the loops: each call becomes one posted
 * message for each loop that it concerns, in order. The session it is for is looked up when it
 * arrives; if it is gone, nothing is lost: the device asks again, and summaries wait in the index.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/api_state.h"
#include "cloud/desire.h"
#include "cloud/session.h"
#include "cloud/vision.h"
#include "lib/log.h"

/* The device times out and comes back; until then it holds what it was not told of. */
static void tell_lost(void)
{
	sluice_error("out of memory: a message to a session is lost");
}

/* ---- the writer ---- */

struct telling {
	struct sluice_loop *loop;
	size_t count;
	struct sluice_told told[];
};

static void run_telling(void *arg)
{
	struct telling *t = arg;
	struct sluice_session *ss;
	size_t i;

	for (i = 0; i < t->count; i++) {
		ss = sluice_session_find(t->loop, t->told[i].session);
		if (ss)
			sluice_session_told(ss, &t->told[i]);
	}
	free(t);
}

void sluice_server_tell(void *ctx, struct sluice_told *told, size_t count)
{
	struct sluice_server *s = ctx;
	size_t n[SLUICE_LOOPS_MAX] = { 0 }, i;
	unsigned int l;

	for (i = 0; i < count; i++)
		n[sluice_session_loop(s, told[i].session)->number]++;
	for (l = 0; l < s->loop_count; l++) {
		struct telling *t = n[l] ? malloc(sizeof(*t) + n[l] * sizeof(t->told[0])) : NULL;

		if (!n[l])
			continue;
		if (t) {
			t->loop = &s->loops[l];
			t->count = 0;
			for (i = 0; i < count; i++)
				if (sluice_session_loop(s, told[i].session) == t->loop)
					t->told[t->count++] = told[i];
		}
		if (!t || sluice_io_post(t->loop->io, run_telling, t)) {
			tell_lost();
			free(t);
		}
	}
	free(told);
}

/* ---- the workers ---- */

struct note {
	const struct sluice_camera *camera;
	struct sluice_done done;
	char id[33];
	char json[];
};

static void run_event(struct sluice_session *ss, void *arg)
{
	struct note *n = arg;
	struct sluice_wire_writer w = { .size = strlen(n->json) + 64 };
	uint32_t slot = ss ? sluice_session_slot(ss, n->camera) : 0;

	if (slot && w.size <= SLUICE_WIRE_CONTROL_MAX)
		w.buf = malloc(w.size);
	if (w.buf) {
		sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, n->json, strlen(n->json));
		sluice_session_fields(ss, SLUICE_MSG_EVENT, slot, &w);
	}
	free(w.buf);
	free(n);
}

static void run_summary(struct sluice_session *ss, void *arg)
{
	struct note *n = arg;

	if (ss)
		sluice_downlink_summary(ss, n->camera, n->id);
	free(n);
}

static void run_done(struct sluice_session *ss, void *arg)
{
	struct note *n = arg;

	if (ss)
		sluice_downlink_done(ss, n->camera, &n->done);
	free(n);
}

static struct note *make_note(const struct sluice_camera *c, size_t json)
{
	struct note *n = calloc(1, sizeof(*n) + json + 1);

	if (n)
		n->camera = c;
	else
		tell_lost();
	return n;
}

static void post_note(struct sluice_server *s, struct note *n, sluice_roster_fn fn)
{
	int err = sluice_roster_call(s, n->camera->tenant, n->camera->device, fn, n);

	if (!err)
		return;
	if (err != -ENOTCONN)
		tell_lost();
	free(n);
}

/* To people who watch: with what tells the camera from others of its name. */
static void stream_event(struct sluice_server *s, const struct sluice_camera *c, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	char *text;

	json_object_set_new(o, "camera_id", json_string(c->hex));
	json_object_set_new(o, "device", json_string(c->device));
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		sluice_stream_tell(s->api->stream, c->tenant, c, "event", text);
	free(text);
	json_decref(o);
}

static void stream_summary(struct sluice_server *s, const struct sluice_camera *c, const char *id)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"id\":\"%s\",\"camera\":\"%s\",\"camera_id\":\"%s\",\"device\":\"%s\"}", id,
		 c->name, c->hex, c->device);
	sluice_stream_tell(s->api->stream, c->tenant, c, "summary", text);
}

static void hear_event(void *ctx, const struct sluice_camera *c, const char *json)
{
	struct note *n = make_note(c, strlen(json));

	stream_event(ctx, c, json);
	if (n) {
		memcpy(n->json, json, strlen(json));
		post_note(ctx, n, run_event);
	}
}

static void hear_summary(void *ctx, const struct sluice_camera *c, const char *id)
{
	struct note *n = make_note(c, 0);

	stream_summary(ctx, c, id);
	if (n) {
		memcpy(n->id, id, sizeof(n->id));
		post_note(ctx, n, run_summary);
	}
}

static void hear_done(void *ctx, const struct sluice_news *news)
{
	struct note *n = make_note(news->camera, 0);

	if (n) {
		n->done = (struct sluice_done){ news->epoch, news->lane, news->range_first,
						news->range_last };
		post_note(ctx, n, run_done);
	}
}

void sluice_server_hear(void *ctx, const struct sluice_news *news)
{
	struct sluice_server *s = ctx;

	switch (news->kind) {
	case SLUICE_NEWS_EVENT:
		hear_event(s, news->camera, news->text);
		break;
	case SLUICE_NEWS_SUMMARY:
		hear_summary(s, news->camera, news->text);
		break;
	case SLUICE_NEWS_DONE:
		hear_done(s, news);
		break;
	case SLUICE_NEWS_JOB:
		sluice_stream_tell(s->api->stream, news->camera->tenant, news->camera, "job",
				   news->text);
		break;
	case SLUICE_NEWS_KINDS:
		break;
	}
}

static void say(struct sluice_server *s, const struct sluice_news *news)
{
	int err = s->bus->ops->say(s->bus, news);

	if (err == -ENOMEM)
		tell_lost();
	else if (err == -EMSGSIZE)
		sluice_warning("news of camera %s are too long to be told", news->camera->name);
}

static void tell_event(void *ctx, const struct sluice_camera *c, const char *json)
{
	say(ctx, &(struct sluice_news){ .kind = SLUICE_NEWS_EVENT, .camera = c, .text = json });
}

static void tell_summary(void *ctx, const struct sluice_camera *c, const char *id)
{
	struct sluice_server *s = ctx;

	say(s, &(struct sluice_news){ .kind = SLUICE_NEWS_SUMMARY, .camera = c, .text = id });
	sluice_vision_offer(s->vision, c, id); /* the node that told it, and no other */
}

static void tell_done(void *ctx, const struct sluice_camera *c, const struct sluice_done *d)
{
	say(ctx, &(struct sluice_news){ .kind = SLUICE_NEWS_DONE,
					.camera = c,
					.text = "",
					.epoch = d->epoch,
					.lane = d->lane,
					.range_first = d->range_first,
					.range_last = d->range_last });
}

void sluice_server_tell_job(void *ctx, const struct sluice_camera *c, const char *json)
{
	say(ctx, &(struct sluice_news){ .kind = SLUICE_NEWS_JOB, .camera = c, .text = json });
}

/* In this process; others see it in the fleet. */
static void tell_retuned(void *ctx, const struct sluice_camera *c)
{
	sluice_desire_changed(ctx, c->tenant, c->device);
}

const struct sluice_worker_ops sluice_server_worker_ops = {
	.event = tell_event,
	.summary = tell_summary,
	.done = tell_done,
	.retuned = tell_retuned,
};
