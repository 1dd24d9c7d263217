// SPDX-License-Identifier: MIT
/*
 * tell.c - from the writer's and the workers' threads to the event loop: each call becomes one
 * posted message, in order. The session it is for is looked up when it arrives; if it is gone,
 * nothing is lost: the device asks again, and summaries wait in the index.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud/session.h"
#include "lib/log.h"

enum note_kind { NOTE_TOLD, NOTE_EVENT, NOTE_SUMMARY, NOTE_DONE };

struct note {
	struct sluice_server *server;
	enum note_kind kind;
	struct sluice_told *told;
	size_t count;
	const struct sluice_camera *camera;
	struct sluice_done done;
	char id[33];
	char json[];
};

static void run_told(struct sluice_server *s, struct sluice_told *told, size_t count)
{
	struct sluice_session *ss;
	size_t i;

	for (i = 0; i < count; i++) {
		ss = sluice_session_find(s, told[i].session);
		if (ss)
			sluice_session_told(ss, &told[i]);
	}
	free(told);
}

static void send_event(struct sluice_session *ss, const struct note *n)
{
	struct sluice_wire_writer w = { .size = strlen(n->json) + 64 };
	uint32_t slot = sluice_session_slot(ss, n->camera);
	struct iovec part;

	if (!slot || w.size > SLUICE_WIRE_CONTROL_MAX)
		return;
	w.buf = malloc(w.size);
	if (!w.buf)
		return;
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, n->json, strlen(n->json));
	part = (struct iovec){ w.buf, w.used };
	if (!w.err)
		sluice_session_send(ss, SLUICE_MSG_EVENT, slot, &part, 1);
	free(w.buf);
}

static void run_note(void *arg)
{
	struct note *n = arg;
	struct sluice_session *ss;

	if (n->kind == NOTE_TOLD) {
		run_told(n->server, n->told, n->count);
	} else {
		ss = sluice_session_of(n->server, n->camera);
		if (ss && n->kind == NOTE_EVENT)
			send_event(ss, n);
		else if (ss && n->kind == NOTE_SUMMARY)
			sluice_downlink_summary(ss, n->camera, n->id);
		else if (ss)
			sluice_downlink_done(ss, n->camera, &n->done);
	}
	free(n);
}

static struct note *make_note(struct sluice_server *s, enum note_kind kind, size_t json)
{
	struct note *n = calloc(1, sizeof(*n) + json + 1);

	if (n) {
		n->server = s;
		n->kind = kind;
	}
	return n;
}

static void post_note(struct note *n)
{
	if (n && !sluice_io_post(n->server->io, run_note, n))
		return;
	/* The device times out and comes back; until then it holds what it was not told of. */
	sluice_error("out of memory: a message to a session is lost");
	if (n)
		free(n->told);
	free(n);
}

void sluice_server_tell(void *ctx, struct sluice_told *told, size_t count)
{
	struct note *n = make_note(ctx, NOTE_TOLD, 0);

	if (n) {
		n->told = told;
		n->count = count;
	} else {
		free(told);
	}
	post_note(n);
}

static void tell_event(void *ctx, const struct sluice_camera *c, const char *json)
{
	struct note *n = make_note(ctx, NOTE_EVENT, strlen(json));

	if (n) {
		n->camera = c;
		memcpy(n->json, json, strlen(json));
	}
	post_note(n);
}

static void tell_summary(void *ctx, const struct sluice_camera *c, const char *id)
{
	struct note *n = make_note(ctx, NOTE_SUMMARY, 0);

	if (n) {
		n->camera = c;
		memcpy(n->id, id, sizeof(n->id));
	}
	post_note(n);
}

static void tell_done(void *ctx, const struct sluice_camera *c, const struct sluice_done *d)
{
	struct note *n = make_note(ctx, NOTE_DONE, 0);

	if (n) {
		n->camera = c;
		n->done = *d;
	}
	post_note(n);
}

const struct sluice_worker_ops sluice_server_worker_ops = {
	.event = tell_event,
	.summary = tell_summary,
	.done = tell_done,
};
