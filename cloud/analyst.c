// SPDX-License-Identifier: MIT
/*
 * analyst.c - one camera's analysis, in this process or in a child: the same calls, see sandbox.h.
 *
 * With a child the calls become steps in the shared area, and a batch of them is one message: a
 * frame costs one copy into the area and no system call. The batch belongs to one analyst; another
 * one that begins its own has the first one's done before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/sandbox_state.h"
#include "cloud/starved.h"

#define MESSAGES 4096u /* of a batch, and as many again for each step's worth */

struct sluice_analyst {
	struct sluice_sandbox *box;
	struct sluice_analysis *own; /* without a box */
	struct sluice_analysis_config c;
	const struct sluice_analysis_ops *ops;
	void *ctx;
	uint32_t child;		    /* where it is known; 0: nowhere yet */
	uint32_t subject, numbered; /* as what, and by which child */
	uint64_t need, held;	    /* bytes: of its pictures; promised by that child */
	bool lost, died;	    /* died: its own batch was at work */
	uint64_t epoch;
	struct sluice_stored_frame suspect;
};

struct sluice_analyst *sluice_analyst_open(struct sluice_sandbox *b,
					   const struct sluice_analysis_config *c,
					   const struct sluice_analysis_ops *ops, void *ctx)
{
	struct sluice_analyst *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->box = b;
	a->c = *c;
	a->ops = ops;
	a->ctx = ctx;
	a->need = sluice_room_need(0, 0);
	if (!b)
		a->own = sluice_analysis_open(c, ops, ctx);
	if (!b && !a->own) {
		free(a);
		return NULL;
	}
	return a;
}

bool sluice_analyst_lost(const struct sluice_analyst *a)
{
	return a->lost || (a->box && a->child && (!a->box->pid || a->child != a->box->child));
}

void sluice_analyst_lose(struct sluice_analyst *a)
{
	a->lost = true;
}

bool sluice_analyst_died(const struct sluice_analyst *a)
{
	return a->died;
}

/* Does the child that lives now know it? */
static bool in_child(const struct sluice_analyst *a)
{
	return a->box && a->child && a->box->pid && a->child == a->box->child;
}

/* The child forgets it; a child that does not hear is dead, and has forgotten. */
static void leave_child(struct sluice_analyst *a)
{
	struct sluice_sandbox *b = a->box;

	if (!b)
		return;
	if (b->owner == a) {
		b->owner = NULL;
		b->steps = 0;
		b->used = 0;
	}
	if (in_child(a) && !sandbox_send(b, SLUICE_BOX_CLOSE, a->subject, NULL, 0, NULL, 0))
		sluice_room_leave(&b->room, a->held);
	a->child = 0;
}

void sluice_analyst_leave(struct sluice_analyst *a)
{
	leave_child(a);
}

bool sluice_analyst_held(const struct sluice_analyst *a)
{
	return in_child(a);
}

bool sluice_analyst_fits(struct sluice_analyst *a)
{
	struct sluice_sandbox *b = a->box;

	if (b)
		sandbox_ease(b);
	return !b || in_child(a) || sluice_room_fits(&b->room, 0, a->need);
}

/* There is none for it. */
static int no_room(struct sluice_analyst *a)
{
	leave_child(a);
	a->lost = true;
	return -ENOBUFS;
}

/* The largest of its pictures is that large; the child, if it knows it, must promise more. */
static int see_size(struct sluice_analyst *a, uint32_t width, uint32_t height)
{
	uint64_t need = sluice_room_need(width, height);
	struct sluice_sandbox *b = a->box;

	if (need <= a->need)
		return 0;
	a->need = need;
	if (!in_child(a))
		return 0;
	if (sluice_room_take(&b->room, a->held, need))
		return no_room(a);
	a->held = need;
	return 0;
}

void sluice_analyst_close(struct sluice_analyst *a)
{
	if (!a)
		return;
	leave_child(a);
	sluice_analysis_close(a->own);
	free(a);
}

int sluice_analyst_reset(struct sluice_analyst *a)
{
	if (!a->box) {
		struct sluice_analysis *fresh = sluice_analysis_open(&a->c, a->ops, a->ctx);

		if (!fresh)
			return -ENOMEM;
		sluice_analysis_close(a->own);
		a->own = fresh;
		a->lost = false;
		return 0;
	}
	leave_child(a);
	a->lost = a->died = false;
	return 0;
}

/* ---- in this process ---- */

/* Before a call of its own analysis. -EPIPE: it is lost. */
static int begin_own(struct sluice_analyst *a, unsigned long *starved)
{
	*starved = sluice_starved;
	return a->lost ? -EPIPE : 0;
}

/* After it: what has come out of too little memory is not gone on with. */
static int end_own(struct sluice_analyst *a, unsigned long starved)
{
	if (starved == sluice_starved)
		return 0;
	a->lost = true;
	return -ENOMEM;
}

/* ---- batches ---- */

static int lose(struct sluice_analyst *a)
{
	a->lost = true;
	return a->box && atomic_load(a->box->stopping) ? -ECANCELED : -EPIPE;
}

static int run_batch(struct sluice_sandbox *b)
{
	struct sluice_analyst *a = b->owner;
	const struct sluice_box_run run = { .steps = b->steps };
	const struct sluice_box_speaker who = { .subject = a->subject,
						.camera = a->c.camera,
						.epoch = a->epoch };
	struct sluice_box_done done;
	int err;

	b->owner = NULL;
	atomic_store(&b->progress->at, 0);
	err = sandbox_send(b, SLUICE_BOX_RUN, a->subject, &run, sizeof(run), NULL, 0);
	if (!err)
		err = sandbox_serve(b, &who, MESSAGES * (1ull + b->steps), a->ops, a->ctx, &done);
	if (err) {
		a->died = true;
		return lose(a);
	}
	b->steps = 0;
	b->used = 0;
	return 0;
}

int sluice_analyst_sync(struct sluice_analyst *a)
{
	if (sluice_analyst_lost(a))
		return lose(a);
	if (!a->box)
		return 0;
	return a->box->owner == a ? run_batch(a->box) : 0;
}

/* The child knows this camera, and the batch is its own. */
static int take_box(struct sluice_analyst *a)
{
	struct sluice_sandbox *b = a->box;
	struct sluice_box_open open;
	int err;

	if (sluice_analyst_lost(a))
		return lose(a);
	if (b->owner == a)
		return 0;
	if (b->owner)
		run_batch(b); /* its owner finds out by itself that it is lost */
	if (sluice_analyst_lost(a))
		return lose(a);
	err = sandbox_ensure(b);
	if (err)
		return lose(a);
	if (!a->child) {
		memset(&open, 0, sizeof(open));
		open.config = a->c;
		open.config.language = NULL;
		strncpy(open.language, a->c.language ? a->c.language : "en",
			sizeof(open.language) - 1);
		open.digests = a->ops->digest != NULL;
		open.looks = a->ops->look != NULL;
		open.tallies = a->ops->tally != NULL;
		if (a->numbered != b->child && b->subject == SLUICE_BOX_SUBJECTS - 1)
			return -ENOMEM;
		if (sluice_room_take(&b->room, 0, a->need))
			return no_room(a);
		a->held = a->need;
		if (a->numbered != b->child)
			a->subject = ++b->subject;
		a->child = a->numbered = b->child;
		if (sandbox_send(b, SLUICE_BOX_OPEN, a->subject, &open, sizeof(open), NULL, 0))
			return lose(a);
	}
	b->owner = a;
	b->steps = 0;
	b->used = 0;
	return 0;
}

/* Room for a step and what lies behind it. NULL: *err. */
static struct sluice_box_step *add_step(struct sluice_analyst *a, uint32_t kind, size_t behind,
					int *err)
{
	size_t size = (sizeof(struct sluice_box_step) + behind + 7) & ~(size_t)7;
	struct sluice_sandbox *b = a->box;
	struct sluice_box_step *s;

	*err = size > SLUICE_BOX_AREA ? -E2BIG : take_box(a);
	if (!*err && (b->steps == SLUICE_BOX_STEPS || size > SLUICE_BOX_AREA - b->used)) {
		*err = run_batch(b);
		if (!*err)
			*err = take_box(a);
	}
	if (*err)
		return NULL;
	s = (struct sluice_box_step *)(b->area + b->used);
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->size = (uint32_t)size;
	b->step_offset[b->steps++] = (uint32_t)b->used;
	b->used += size;
	return s;
}

int sluice_analyst_epoch(struct sluice_analyst *a, uint64_t epoch, uint64_t first_ns,
			 uint64_t first_utc_ns)
{
	struct sluice_box_step *s;
	unsigned long starved;
	int err;

	if (!a->box) {
		err = begin_own(a, &starved);
		if (err)
			return err;
		sluice_analysis_epoch(a->own, epoch, first_ns, first_utc_ns);
		return end_own(a, starved);
	}
	/* what the last epoch still tells is told as its own */
	err = a->child ? sluice_analyst_flush(a) : 0;
	if (err)
		return err;
	a->epoch = epoch;
	s = add_step(a, SLUICE_STEP_EPOCH, 0, &err);
	if (!s)
		return err;
	s->epoch.epoch = epoch;
	s->epoch.first_ns = first_ns;
	s->epoch.first_utc_ns = first_utc_ns;
	return 0;
}

int sluice_analyst_frame(struct sluice_analyst *a, const struct sluice_stored_frame *f)
{
	size_t cells = f->cells ? ((size_t)f->grid_w * f->grid_h + 7) / 8 : 0;
	struct sluice_box_step *s;
	unsigned long starved;
	uint8_t *behind;
	int err;

	if (!a->box) {
		err = begin_own(a, &starved);
		if (err)
			return err;
		sluice_analysis_frame(a->own, f); /* one that does not decode is its own affair */
		return end_own(a, starved);
	}
	err = see_size(a, f->width, f->height);
	if (err)
		return err;
	s = add_step(a, SLUICE_STEP_FRAME, cells + f->jpeg_size, &err);
	if (!s)
		return err == -E2BIG ? 0 : err; /* larger than any frame that is taken in */
	s->frame.f = *f;
	s->frame.f.cells = NULL;
	s->frame.f.jpeg = NULL;
	s->frame.cells_size = (uint32_t)cells;
	behind = (uint8_t *)(s + 1);
	if (cells)
		memcpy(behind, f->cells, cells);
	memcpy(behind + cells, f->jpeg, f->jpeg_size);
	return 0;
}

int sluice_analyst_clock(struct sluice_analyst *a, uint64_t now_ns, int gate_open,
			 uint64_t delivered, const uint64_t counts[32])
{
	struct sluice_box_step *s;
	unsigned long starved;
	int err;

	if (!a->box) {
		err = begin_own(a, &starved);
		if (err)
			return err;
		sluice_analysis_clock(a->own, now_ns, gate_open, delivered, counts);
		return end_own(a, starved);
	}
	s = add_step(a, SLUICE_STEP_CLOCK, 0, &err);
	if (!s)
		return err;
	s->clock.now_ns = now_ns;
	s->clock.gate_open = gate_open != 0;
	s->clock.delivered = delivered;
	memcpy(s->clock.counts, counts, sizeof(s->clock.counts));
	return sluice_analyst_sync(a);
}

int sluice_analyst_flush(struct sluice_analyst *a)
{
	unsigned long starved;
	int err;

	if (!a->box) {
		err = begin_own(a, &starved);
		if (err)
			return err;
		sluice_analysis_flush(a->own);
		return end_own(a, starved);
	}
	return add_step(a, SLUICE_STEP_FLUSH, 0, &err) ? sluice_analyst_sync(a) : err;
}

int sluice_analyst_zones(struct sluice_analyst *a, const struct sluice_analysis_config *c)
{
	struct sluice_box_step *s;
	int err;

	sluice_analysis_take_zones(&a->c, c);
	if (!a->box) {
		sluice_analysis_zones(a->own, c);
		return 0;
	}
	if (!a->child)
		return 0; /* it is opened with them */
	s = add_step(a, SLUICE_STEP_ZONES, sizeof(*c), &err);
	if (s)
		memcpy(s + 1, c, sizeof(*c));
	return err;
}

const struct sluice_stored_frame *sluice_analyst_suspect(struct sluice_analyst *a)
{
	struct sluice_sandbox *b = a->box;
	struct sluice_stored_frame *f = &a->suspect;
	const struct sluice_box_step *s;

	/* the child's word, so it is looked at; what it points at is the master's own */
	if (!b || !a->died || !b->area || b->at >= b->steps)
		return NULL;
	s = (const struct sluice_box_step *)(b->area + b->step_offset[b->at]);
	if (s->kind != SLUICE_STEP_FRAME)
		return NULL;
	*f = s->frame.f;
	f->cells = s->frame.cells_size ? (const uint8_t *)(s + 1) : NULL;
	f->jpeg = (const uint8_t *)(s + 1) + s->frame.cells_size;
	return f;
}
