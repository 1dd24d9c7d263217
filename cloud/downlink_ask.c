// SPDX-License-Identifier: MIT
/*
 * downlink_ask.c - what the index is asked for a device: which summaries it has not got, the row of
 * one that is sent, and whether an epoch is done. An event loop must not wait for a data base of
 * another machine, so there the desk asks (desk.h), in a handle of its own; where the index is a
 * file the loop does, and has the answer when the call returns.
 *
 * A session may end while it is asked for, or be told something else: the answer is looked at only
 * if what asked is still as it was. Who cannot ask now (the desk is full, the index is away) loses
 * nothing: sluice_downlink_look() asks again, and a summary that was to be sent waits.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_state.h"
#include "cloud/desk.h"
#include "cloud/downlink_state.h"
#include "lib/log.h"

struct sluice_ask {
	struct sluice_desk_job job;
	struct sluice_loop *loop;
	uint64_t session;
	const struct sluice_camera *camera;
	int err;
	/* of a slot */
	int check, done, told; /* done: all of it is; told: that was told already */
	struct sluice_done of;
	char (*id)[33];
	size_t count, room;
	/* of a summary */
	char summary[33];
	struct sluice_index_summary row;
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
};

static struct sluice_ask *ask_of(struct sluice_desk_job *j)
{
	return (void *)((char *)j - offsetof(struct sluice_ask, job));
}

static void free_ask(struct sluice_ask *a)
{
	free((char *)a->row.json);
	free(a->id);
	free(a);
}

/* ---- in whichever thread asks ---- */

static int take_id(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct sluice_ask *a = ctx;

	(void)c;
	if (a->count == a->room) {
		size_t room = a->room ? 2 * a->room : 16;
		void *more = realloc(a->id, room * sizeof(*a->id));

		if (!more)
			return -ENOMEM;
		a->id = more;
		a->room = room;
	}
	memcpy(a->id[a->count++], s->id, sizeof(*a->id));
	return 0;
}

/* What is told before an epoch is done has its row before: so this is asked first. */
static int ask_done(struct sluice_ask *a, struct sluice_index *ix)
{
	struct sluice_index_epoch e = { 0 };
	struct sluice_index_run r = { 0 };
	int err;

	if (a->of.lane)
		err = ix->ops->run_find(ix, a->camera->id, a->of.epoch, a->of.range_first, &r);
	else
		err = ix->ops->epoch_find(ix, a->camera->id, a->of.epoch, &e);
	a->done = !err && (e.done || r.done);
	return err == -ENOENT ? 0 : err;
}

static void run_slot(struct sluice_desk_job *j)
{
	struct sluice_ask *a = ask_of(j);

	a->err = a->check ? ask_done(a, j->index) : 0;
	if (!a->err)
		a->err = j->index->ops->summaries_unacked(j->index, a->camera->id, take_id, a);
}

static int take_row(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct sluice_ask *a = ctx;

	(void)c;
	a->row = *s;
	a->row.json = strdup(s->json);
	if (s->media_count)
		memcpy(a->media, s->media, s->media_count * sizeof(a->media[0]));
	a->row.media = a->media;
	return a->row.json ? 0 : -ENOMEM;
}

static void run_summary(struct sluice_desk_job *j)
{
	struct sluice_ask *a = ask_of(j);
	const struct sluice_whose whose = { .tenant = a->camera->tenant };

	a->err = j->index->ops->summary_find(j->index, &whose, a->summary, take_row, a);
}

/* ---- in the loop ---- */

static void slot_done(struct sluice_desk_job *j)
{
	struct sluice_ask *a = ask_of(j);
	struct sluice_session *ss = sluice_session_find(a->loop, a->session);

	if (ss)
		ss->asks--;
	if (ss && ss->conn && !j->cancelled && a->err) {
		sluice_error("cannot read the summaries of camera %s: %s; trying again",
			     a->camera->name, strerror(-a->err));
	} else if (ss && ss->conn && !j->cancelled) {
		for (size_t i = 0; i < a->count; i++)
			downlink_queue(ss, a->camera, a->id[i]);
		if (a->told || a->done)
			downlink_queue_done(ss, a->camera, &a->of);
		sluice_downlink_pump(ss);
	}
	free_ask(a);
}

static void summary_done(struct sluice_desk_job *j)
{
	struct sluice_ask *a = ask_of(j);
	struct sluice_session *ss = sluice_session_find(a->loop, a->session);

	if (ss && ss->sending.ask == a) {
		ss->sending.ask = NULL;
		downlink_begin(ss, a->err || j->cancelled ? NULL : &a->row,
			       j->cancelled ? -ECANCELED : a->err);
		if (a->loop->server->api->desk) /* else it was asked from there */
			sluice_downlink_pump(ss);
	}
	free_ask(a);
}

static struct sluice_ask *make_ask(struct sluice_session *ss, const struct sluice_camera *c,
				   void (*run)(struct sluice_desk_job *),
				   void (*done)(struct sluice_desk_job *))
{
	struct sluice_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->job = (struct sluice_desk_job){ .run = run, .done = done, .io = ss->loop->io };
	a->loop = ss->loop;
	a->session = ss->id;
	a->camera = c;
	return a;
}

/* 0, or -EBUSY: it is still the caller's. */
static int post(struct sluice_ask *a)
{
	struct sluice_desk *desk = a->loop->server->api->desk;

	if (desk)
		return sluice_desk_post(desk, &a->job);
	a->job.index = a->loop->index;
	a->job.run(&a->job);
	a->job.done(&a->job);
	return 0;
}

void downlink_ask_slot(struct sluice_session *ss, uint32_t number, int check,
		       const struct sluice_done *done)
{
	const struct sluice_slot *slot = &ss->slot[number];
	struct sluice_ask *a = make_ask(ss, slot->camera, run_slot, slot_done);

	if (!a)
		return; /* asked again with the next look, or when it connects */
	a->check = check && slot->closed && !slot->done;
	a->told = done != NULL;
	a->of = done ? *done
		     : (struct sluice_done){ slot->epoch, slot->lane, slot->range_first,
					     slot->range_last };
	ss->asks++;
	if (!post(a))
		return;
	ss->asks--;
	free_ask(a);
}

void downlink_ask_summary(struct sluice_session *ss)
{
	const struct sluice_parcel *p = ss->sending.parcel;
	struct sluice_ask *a = make_ask(ss, p->camera, run_summary, summary_done);

	if (!a) {
		downlink_begin(ss, NULL, -ENOMEM);
		return;
	}
	memcpy(a->summary, p->id, sizeof(a->summary));
	ss->sending.ask = a;
	if (!post(a))
		return;
	ss->sending.ask = NULL;
	free_ask(a);
	downlink_begin(ss, NULL, -EBUSY);
}
