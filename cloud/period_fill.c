// SPDX-License-Identifier: MIT
/*
 * period_fill.c - see period_fill.h. The index tells events newest first and a period wants them
 * the other way round, so ids are collected, and then each summary is read. A frame's time is taken
 * by the clock of its stream's first frame, as boxes are: the device may have set its clock since.
 */
#include "cloud/period_fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/ring.h>

#include "cloud/ledger.h"
#include "cloud/segment.h"
#include "lib/reason.h"

#define MARGIN_NS 3000000000ll /* before the first event and behind the last one */
#define PAGE	  1000
#define EPOCHS	  16

struct ids {
	char (*id)[33];
	size_t count, room;
};

static int take_id(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct ids *l = ctx;

	(void)c;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		void *more = realloc(l->id, room * sizeof(*l->id));

		if (!more)
			return -ENOMEM;
		l->id = more;
		l->room = room;
	}
	memcpy(l->id[l->count++], s->id, 33);
	return 0;
}

static int collect_ids(const struct sluice_period *p, struct sluice_index *ix,
		       const struct sluice_camera *c, struct ids *l)
{
	const struct sluice_whose who = { c->tenant, NULL };
	char cursor[SLUICE_CURSOR_MAX] = "", next[SLUICE_CURSOR_MAX] = "";
	struct sluice_index_filter f = { .camera = c->hex,
					 .kind = "event",
					 .from_ns = (uint64_t)p->from_ns,
					 .to_ns = (uint64_t)p->to_ns,
					 .limit = PAGE };
	int err;

	do {
		err = ix->ops->summaries_find(ix, &who, &f, take_id, l, next);
		memcpy(cursor, next, sizeof(cursor));
		f.after = cursor;
	} while (!err && *cursor);
	return err;
}

static int take_event(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	json_t *o = json_loads(s->json, 0, NULL);
	int err = sluice_period_event(ctx, o);

	(void)c;
	json_decref(o);
	return err == -ENOMEM ? err : 0; /* what is none is left out */
}

static int fill_events(struct sluice_period *p, struct sluice_index *ix,
		       const struct sluice_camera *c)
{
	const struct sluice_whose who = { c->tenant, NULL };
	struct ids l = { 0 };
	int err = collect_ids(p, ix, c, &l);

	for (size_t i = l.count; i-- > 0 && !err;) {
		err = ix->ops->summary_find(ix, &who, l.id[i], take_event, p);
		if (err == -ENOENT) /* the retention was quicker */
			err = 0;
	}
	free(l.id);
	return err;
}

/* ---- frames ---- */

struct frames {
	struct sluice_period *p;
	struct sluice_index *ix;
	const struct sluice_camera *camera;
	struct sluice_index_epoch epoch[EPOCHS]; /* known ones; the oldest goes */
	unsigned int epochs, rows;
	uint32_t step, at; /* every step-th wanted one is taken */
	uint64_t last_utc_ns;
	struct sluice_index_frame *row; /* SLUICE_FRAMES_MAX */
};

static int take_row(void *ctx, const struct sluice_index_frame *row)
{
	struct frames *f = ctx;

	f->row[f->rows++] = *row;
	return 0;
}

/* By the clock of the stream's first frame; where that is not known, as it was told. */
static int64_t time_of(struct frames *f, const struct sluice_index_frame *row)
{
	struct sluice_index_epoch *e;

	for (unsigned int i = 0; i < EPOCHS && i < f->epochs; i++) {
		e = &f->epoch[i];
		if (e->epoch == row->epoch)
			return e->first_ns ? (int64_t)(e->first_utc_ns + row->time_ns - e->first_ns)
					   : (int64_t)row->utc_ns;
	}
	e = &f->epoch[f->epochs++ % EPOCHS];
	if (f->ix->ops->epoch_find(f->ix, f->camera->id, row->epoch, e)) {
		memset(e, 0, sizeof(*e));
		e->epoch = row->epoch;
		return (int64_t)row->utc_ns;
	}
	return (int64_t)(e->first_utc_ns + row->time_ns - e->first_ns);
}

static void thin_out(struct frames *f)
{
	struct sluice_period *p = f->p;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->frame_count; i += 2)
		p->frames[n++] = p->frames[i];
	p->frame_count = n;
	f->step *= 2;
}

static int add_row(struct frames *f, const struct sluice_index_frame *row)
{
	struct sluice_period_frame frame = { row->epoch, row->sequence, time_of(f, row) };
	bool quiet = row->reason == SLUICE_REASON_KEEPALIVE || row->reason == SLUICE_REASON_AUDIT;

	if (row->flags & SLUICE_RECORD_BAD || frame.at_ns < 0 ||
	    (!quiet && !sluice_period_wants(f->p, frame.at_ns)))
		return 0;
	if (f->at++ % f->step)
		return 0;
	if (f->p->frame_count == SLUICE_PERIOD_FRAMES_MAX)
		thin_out(f);
	return sluice_period_frame(f->p, &frame);
}

static int by_time(const void *a, const void *b)
{
	const struct sluice_period_frame *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int fill_frames(struct frames *f, int (*stopped)(void *ctx), void *ctx)
{
	const struct sluice_whose who = { f->camera->tenant, NULL };
	struct sluice_period *p = f->p;
	int64_t from = p->from_ns - MARGIN_NS, to = p->to_ns;
	struct sluice_index_place at;
	int err = 0;

	for (uint32_t i = 0; i < p->event_count; i++)
		to = p->events[i].end_ns > to ? p->events[i].end_ns : to;
	to += MARGIN_NS;
	at = sluice_index_before(from < 0 ? 0 : (uint64_t)from);
	do {
		f->rows = 0;
		err = f->ix->ops->frames_between(f->ix, &who, f->camera->id, &at, (uint64_t)to,
						 SLUICE_FRAMES_MAX, take_row, f);
		for (unsigned int i = 0; i < f->rows && !err; i++)
			err = add_row(f, &f->row[i]);
		if (!err && stopped && stopped(ctx))
			err = -ECANCELED;
		if (f->rows)
			at = sluice_index_place(&f->row[f->rows - 1]);
	} while (!err && f->rows == SLUICE_FRAMES_MAX);
	if (!err && p->frame_count)
		qsort(p->frames, p->frame_count, sizeof(*p->frames), by_time);
	return err;
}

/* ---- ledger ---- */

struct counted {
	struct sluice_period *p;
	int known;
	uint64_t epoch;
	struct sluice_wire_ledger last;
};

/* Between two kept ledgers of one epoch; what lies at its ends is not told. */
static int take_ledger(void *ctx, uint64_t utc_ns, uint64_t epoch, const void *ledger, size_t size)
{
	struct counted *c = ctx;
	struct sluice_wire_ledger l;

	(void)utc_ns;
	if (sluice_ledger_read(ledger, size, &l))
		return 0;
	if (c->known && c->epoch == epoch && l.delivered >= c->last.delivered) {
		c->p->seen += l.delivered - c->last.delivered;
		c->p->passed += sluice_reason_sum(l.count, SLUICE_PASSED) -
				sluice_reason_sum(c->last.count, SLUICE_PASSED);
		c->p->lost += sluice_reason_sum(l.count, SLUICE_LOST) -
			      sluice_reason_sum(c->last.count, SLUICE_LOST);
	}
	c->known = 1;
	c->epoch = epoch;
	c->last = l;
	return 0;
}

int sluice_period_fill(struct sluice_period *p, struct sluice_index *ix,
		       const struct sluice_camera *c, int (*stopped)(void *ctx), void *ctx)
{
	const struct sluice_whose who = { c->tenant, NULL };
	struct frames f = { .p = p, .ix = ix, .camera = c, .step = 1 };
	struct counted counted = { .p = p };
	int err = fill_events(p, ix, c);

	f.row = malloc(SLUICE_FRAMES_MAX * sizeof(*f.row));
	if (!err && !f.row)
		err = -ENOMEM;
	if (!err && p->event_count)
		err = fill_frames(&f, stopped, ctx);
	if (!err)
		err = ix->ops->ledgers(ix, &who, c->id, (uint64_t)p->from_ns, (uint64_t)p->to_ns,
				       take_ledger, &counted);
	free(f.row);
	return err;
}
