// SPDX-License-Identifier: MIT
/*
 * reanalyse.c - see reanalyse.h. Frames are taken by their time, with some before the wanted time
 * so that the background is known when it begins, and behind it until what began in it is over. A
 * device's clock may have been set, so that epochs overlap in time: each has an analyst of its own
 * until its last frame was given. Of more than STREAMS at once the one whose frames are the longest
 * ago ends before its time.
 *
 * While no event is going on the state of the analysis is worth nothing: from such a point it can
 * be begun anew. That is where a job goes on after its node was killed, and where this goes on
 * after a child died. The frames before the point are given once more, and an event that ended
 * before it was kept already. A frame that two children died of is left out; so is what the live
 * workers have put aside (it kills children here as well, and is found so).
 */
#include "cloud/reanalyse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE_NS  120000000000ull /* given before a point, for the background */
#define PAGE	   256
#define DEADLY_MAX 8		/* frames that are left out */
#define DEATHS_MAX 20		/* children, of whatever */
#define PART_SLACK 2000000000ll /* a part is at least this close to the longest */
#define STREAMS	   3
#define PATIENCE_S 10 /* that a detector is waited for which is being started */

struct frame_id {
	uint64_t epoch, sequence;
};

struct run;

/* The frames of one epoch. */
struct stream {
	struct run *run;
	struct sluice_analyst *analyst;
	bool begun;
	bool open; /* an event is, or may be, going on */
	uint64_t epoch;
	uint64_t last; /* sequence of the last frame that is stored, as known */
	uint64_t used; /* counts with what was given */
};

struct run {
	struct sluice_reanalysis *r;
	struct stream stream[STREAMS];
	size_t kept;	   /* of r->events, at r->upto_ns */
	uint64_t begin_ns; /* of the frames of this go */
	uint64_t at_ns;	   /* of the last frame that was given */
	uint64_t given, unread, kept_unread;
	uint64_t used;
	int err; /* out of memory in a callback, or too many events */
	struct frame_id suspect, deadly[DEADLY_MAX];
	unsigned int suspected, deadlies, deaths;
	struct sluice_index_frame row[PAGE];
	size_t rows;
};

/* ---- what the analysis tells and asks ---- */

static void on_event(void *ctx, const char *id, const char *json)
{
	struct stream *st = ctx;

	(void)id;
	(void)json;
	st->open = true;
}

static uint64_t ns_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

/* What takes most of a summary's room, and nobody compares. */
static void strip(json_t *o)
{
	json_t *track;
	size_t i;

	json_object_del(o, "activity");
	json_array_foreach (json_object_get(o, "tracks"), i, track)
		json_object_del(track, "boxes");
}

static void on_summary(void *ctx, const struct sluice_summary *sum)
{
	struct stream *st = ctx;
	struct run *u = st->run;
	struct sluice_reanalysis *r = u->r;
	json_t *o = json_loads(sum->json, 0, NULL);
	int64_t most = (int64_t)r->config.event_max_ms * 1000000 - PART_SLACK;

	/* a part of an event that goes on is as long as a part may be */
	st->open = (int64_t)(sum->end_utc_ns - sum->start_utc_ns) >= most;
	if (!json_is_object(o)) {
		u->err = -ENOMEM;
	} else if (json_array_size(r->events) == SLUICE_REANALYSE_EVENTS_MAX) {
		u->err = -E2BIG;
	} else if (ns_of(o, "end_ns") > r->upto_ns) { /* else it is kept already */
		strip(o);
		if (json_array_append(r->events, o))
			u->err = -ENOMEM;
	}
	json_decref(o);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct sluice_reanalysis *r = ((struct stream *)ctx)->run->r;

	return sluice_shelf_jpeg(r->shelf, r->camera, epoch, sequence, size);
}

/* Nobody waits for this as for a live event: a detector that is being started is waited for. */
static uint32_t on_look_side(void *ctx)
{
	const struct sluice_reanalysis *r = ((struct stream *)ctx)->run->r;

	return sluice_detector_wait(r->detector, PATIENCE_S * 1000);
}

static int on_look(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		   struct sluice_detector_answer *a)
{
	const struct sluice_reanalysis *r = ((struct stream *)ctx)->run->r;

	return sluice_detector_ask(r->detector, image, count, false, a);
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };
static const struct sluice_analysis_ops ops_looking = { .event = on_event,
							.summary = on_summary,
							.fetch = on_fetch,
							.look_side = on_look_side,
							.look = on_look };

/* ---- frames ---- */

static bool is_deadly(const struct run *u, uint64_t epoch, uint64_t sequence)
{
	for (unsigned int i = 0; i < u->deadlies; i++)
		if (u->deadly[i].epoch == epoch && u->deadly[i].sequence == sequence)
			return true;
	return false;
}

static bool any_open(const struct run *u)
{
	for (int i = 0; i < STREAMS; i++)
		if (u->stream[i].open)
			return true;
	return false;
}

static int sync_all(struct run *u)
{
	int err = 0;

	for (int i = 0; i < STREAMS && !err; i++)
		if (u->stream[i].begun)
			err = sluice_analyst_sync(u->stream[i].analyst);
	return err ? err : u->err;
}

/* Tells what is going on in it; it is free. */
static int end_stream(struct stream *st)
{
	int err = st->begun ? sluice_analyst_flush(st->analyst) : 0;

	st->begun = st->open = false;
	return err ? err : st->run->err;
}

static int find_last(const struct run *u, uint64_t epoch, uint64_t *last)
{
	struct sluice_index *ix = u->r->shelf->index;

	return ix->ops->frame_last(ix, u->r->camera->id, epoch, 0, INT64_MAX, last);
}

/* The one that goes on with the frame. */
static int enter_stream(struct run *u, const struct sluice_index_frame *row, struct stream **out)
{
	struct sluice_index *ix = u->r->shelf->index;
	struct sluice_index_epoch e;
	struct stream *st = &u->stream[0];
	int err;

	for (int i = 0; i < STREAMS; i++) {
		struct stream *other = &u->stream[i];

		if (other->begun && other->epoch == row->epoch) {
			*out = other;
			return 0;
		}
		if (st->begun && (!other->begun || other->used < st->used))
			st = other;
	}
	*out = st;
	err = end_stream(st);
	if (!err)
		err = find_last(u, row->epoch, &st->last);
	if (err)
		return err;
	err = ix->ops->epoch_find(ix, u->r->camera->id, row->epoch, &e);
	if (err && err != -ENOENT)
		return err;
	if (err) { /* an index that was made again may not know: then it begins here */
		e.first_ns = row->time_ns;
		e.first_utc_ns = row->utc_ns;
	}
	st->begun = true;
	st->epoch = row->epoch;
	return sluice_analyst_epoch(st->analyst, row->epoch, e.first_ns, e.first_utc_ns);
}

/* Was that the last frame of its epoch? What has come in the meantime counts too. */
static int leave_stream(struct run *u, struct stream *st, const struct sluice_index_frame *row)
{
	int err = row->sequence < st->last ? 0 : find_last(u, st->epoch, &st->last);

	if (err == -ENOENT) /* the retention was quicker */
		return end_stream(st);
	return err || row->sequence < st->last ? err : end_stream(st);
}

static int give_frame(struct run *u, const struct sluice_index_frame *row)
{
	struct sluice_reanalysis *r = u->r;
	struct sluice_segment_frame rec;
	struct sluice_stored_frame f;
	bool inside =
		row->utc_ns >= r->from_ns && row->utc_ns < r->to_ns && row->utc_ns > r->upto_ns;
	struct stream *st;
	uint8_t *buf;
	int err;

	if (row->utc_ns > u->at_ns)
		u->at_ns = row->utc_ns;
	if (row->flags & SLUICE_RECORD_BAD || is_deadly(u, row->epoch, row->sequence))
		return 0;
	err = sluice_shelf_record(r->shelf, r->camera, row->epoch, row->sequence, &rec, &buf);
	if (err == -ENOENT || err == -EBADMSG) {
		u->unread += inside;
		return 0; /* the retention was quicker, or fsck tells */
	}
	if (err)
		return err;
	if (inside && !r->has_epoch) {
		r->has_epoch = true;
		r->epoch = row->epoch;
	}
	err = enter_stream(u, row, &st);
	f = sluice_shelf_stored(&rec);
	if (!err)
		err = sluice_analyst_frame(st->analyst, &f);
	free(buf);
	u->given += inside;
	st->used = ++u->used;
	return err ? err : u->err;
}

static int give_row(struct run *u, const struct sluice_index_frame *row)
{
	int err = give_frame(u, row);

	for (int i = 0; i < STREAMS && !err; i++)
		if (u->stream[i].begun && u->stream[i].epoch == row->epoch)
			err = leave_stream(u, &u->stream[i], row);
	return err;
}

/* Nothing is going on: it can be gone on from here. */
static void settle(struct run *u)
{
	struct sluice_reanalysis *r = u->r;

	if (any_open(u) || u->at_ns <= r->upto_ns)
		return;
	u->kept = json_array_size(r->events);
	r->frames += u->given;
	r->unread += u->unread;
	u->given = u->unread = 0;
	r->upto_ns = u->at_ns;
	if (r->settled)
		r->settled(r->ctx);
}

static int take_row(void *ctx, const struct sluice_index_frame *row)
{
	struct run *u = ctx;

	u->row[u->rows++] = *row;
	return 0;
}

static int tell_progress(struct run *u)
{
	const struct sluice_reanalysis *r = u->r;
	uint64_t at = u->at_ns < r->from_ns ? r->from_ns
		      : u->at_ns > r->to_ns ? r->to_ns
					    : u->at_ns;
	int per_mille = (int)((at - r->from_ns) / ((r->to_ns - r->from_ns) / 950 + 1));

	return r->progress && r->progress(r->ctx, per_mille) ? -ECANCELED : 0;
}

static int as_they_came(const void *a, const void *b)
{
	const struct sluice_index_frame *x = a, *y = b;

	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* 1: behind the time, and all that began in it is over. */
static int give_page(struct run *u)
{
	const struct sluice_reanalysis *r = u->r;
	bool behind = u->rows && u->row[u->rows - 1].utc_ns >= r->to_ns;
	int err = 0;

	if (u->rows)
		qsort(u->row, u->rows, sizeof(u->row[0]), as_they_came);
	for (size_t i = 0; i < u->rows && !err; i++) {
		if (u->row[i].utc_ns >= r->to_ns) {
			err = sync_all(u); /* is there one that is not over? */
			if (!err && !any_open(u))
				continue;
		}
		if (!err)
			err = give_row(u, &u->row[i]);
		if (!err && i % 32 == 31)
			err = tell_progress(u);
	}
	if (!err)
		err = sync_all(u);
	return err ? err : behind && !any_open(u);
}

static int give_all(struct run *u)
{
	struct sluice_reanalysis *r = u->r;
	const struct sluice_whose who = { r->camera->tenant, NULL };
	struct sluice_index *ix = r->shelf->index;
	struct sluice_index_place at = sluice_index_before(u->begin_ns);
	uint64_t to = r->to_ns + SLUICE_REANALYSE_AFTER_NS;
	int rc;

	do {
		u->rows = 0;
		rc = ix->ops->frames_between(ix, &who, r->camera->id, &at, to, PAGE, take_row, u);
		if (!rc && u->rows)
			at = sluice_index_place(&u->row[u->rows - 1]);
		if (!rc)
			rc = give_page(u);
		if (!rc)
			rc = tell_progress(u);
		if (!rc)
			settle(u);
	} while (!rc && u->rows == PAGE);
	if (rc < 0)
		return rc;
	rc = 0;
	for (int i = 0; i < STREAMS && !rc; i++)
		rc = end_stream(&u->stream[i]);
	return rc;
}

/* ---- children that die ---- */

/* 0: once more; -EPIPE: that is enough of it. */
static int blame(struct run *u, char *why, size_t size)
{
	const struct sluice_stored_frame *f = NULL;
	const char *death = sluice_sandbox_death(u->r->sandbox);

	for (int i = 0; i < STREAMS && !f; i++)
		f = sluice_analyst_suspect(u->stream[i].analyst);
	snprintf(why, size, "the child that analysed it died: %s", death);
	if (++u->deaths == DEATHS_MAX)
		return -EPIPE;
	if (!f || sluice_sandbox_killed(u->r->sandbox))
		return 0;
	snprintf(why, size, "the child that analysed it died at frame %llu of epoch %llu: %s",
		 (unsigned long long)f->sequence, (unsigned long long)f->epoch, death);
	if (!u->suspected || u->suspect.epoch != f->epoch || u->suspect.sequence != f->sequence) {
		u->suspect = (struct frame_id){ f->epoch, f->sequence };
		u->suspected = 1;
		return 0;
	}
	if (u->deadlies == DEADLY_MAX)
		return -EPIPE;
	u->deadly[u->deadlies++] = u->suspect;
	u->r->unread++;
	return 0;
}

/* From upto_ns, or from the beginning; what was told behind it is forgotten. */
static int go(struct run *u)
{
	struct sluice_reanalysis *r = u->r;
	uint64_t point = r->upto_ns ? r->upto_ns : r->from_ns;

	while (json_array_size(r->events) > u->kept)
		json_array_remove(r->events, u->kept);
	for (int i = 0; i < STREAMS; i++)
		u->stream[i].begun = u->stream[i].open = false;
	u->given = u->unread = 0;
	u->err = 0;
	u->begin_ns = point > BEFORE_NS ? point - BEFORE_NS : 0;
	u->at_ns = u->begin_ns;
	return give_all(u);
}

static int open_streams(struct run *u)
{
	const struct sluice_reanalysis *r = u->r;

	for (int i = 0; i < STREAMS; i++) {
		struct stream *st = &u->stream[i];

		st->run = u;
		st->analyst = sluice_analyst_open(r->sandbox, &r->config,
						  r->detector ? &ops_looking : &ops, st);
		if (!st->analyst)
			return -ENOMEM;
	}
	return 0;
}

static int reset_streams(struct run *u)
{
	int err = 0;

	for (int i = 0; i < STREAMS && !err; i++)
		err = sluice_analyst_reset(u->stream[i].analyst);
	return err;
}

int sluice_reanalyse(struct sluice_reanalysis *r, char *why, size_t size)
{
	struct run *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->r = r;
	u->kept = json_array_size(r->events);
	memcpy(r->config.camera, r->camera->name, sizeof(r->config.camera));
	err = open_streams(u);
	if (!err)
		err = go(u);
	while (err == -EPIPE && r->sandbox && !blame(u, why, size)) {
		err = reset_streams(u);
		if (!err)
			err = go(u);
	}
	if (!err) {
		r->frames += u->given;
		r->unread += u->unread;
	}
	if (!err && !r->has_epoch)
		err = -ENODATA;
	if (err == -ENODATA)
		snprintf(why, size, "no frame is stored of that time");
	else if (err == -E2BIG)
		snprintf(why, size, "there are more than %d events in it; ask for a shorter time",
			 SLUICE_REANALYSE_EVENTS_MAX);
	if (err == -ECANCELED) /* what is not settled is made again */
		while (json_array_size(r->events) > u->kept)
			json_array_remove(r->events, u->kept);
	for (int i = 0; i < STREAMS; i++)
		sluice_analyst_close(u->stream[i].analyst);
	free(u);
	return err;
}
