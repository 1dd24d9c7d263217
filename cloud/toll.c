// SPDX-License-Identifier: MIT
/*
 * toll.c - what the analysis says of a camera's gate, on its way to the index. It is stored with
 * the note of how far everything is told, so frames that are read again after a crash are counted
 * once more or not at all, never twice. A few samples wait for more of them, and are lost with the
 * worker.
 */
#include <errno.h>
#include <string.h>

#include "cloud/tuner.h"
#include "cloud/worker_state.h"

#define SAMPLES 5 /* that are worth a row's writing */
#define DAY_NS	86400000000000ull
#define LOOK_NS 600000000000ull

static uint32_t day_of(const struct sluice_tally *t)
{
	return (uint32_t)(t->utc_ns / DAY_NS);
}

struct stored {
	const struct subject *s;
	struct sluice_tally *sum;
};

/* The row that it goes into; one that cannot be read is as if it were not there. */
static int add_stored(void *ctx, const struct sluice_index_tally *row)
{
	const struct stored *st = ctx;
	const struct sluice_tally *t = &st->s->tally;
	struct sluice_tally was;

	if (row->day != day_of(t) || row->settings != t->settings ||
	    row->lane != st->s->worker->lane || sluice_tally_unpack(row->counts, row->size, &was))
		return 0;
	if (sluice_tiles_same(&was.tiles, &t->tiles))
		sluice_tally_add(st->sum, &was);
	return 1;
}

static int store(struct subject *s)
{
	struct sluice_index *ix = s->worker->index;
	struct sluice_tally sum = s->tally;
	struct stored st = { s, &sum };
	uint8_t counts[SLUICE_TALLY_BYTES];
	struct sluice_index_tally row = { .day = day_of(&s->tally),
					  .settings = s->tally.settings,
					  .lane = s->worker->lane,
					  .counts = counts };
	int rc = ix->ops->tallies(ix, s->camera->id, row.day, add_stored, &st);

	if (rc < 0)
		return rc;
	memcpy(row.camera, s->camera->id, sizeof(row.camera));
	row.size = sluice_tally_pack(&sum, counts);
	return ix->ops->tally_put(ix, &row);
}

/* In a transaction of its own. What cannot be stored is not counted. */
static void store_alone(struct subject *s)
{
	const struct sluice_fence *f = &s->worker->fence;
	struct sluice_index *ix = s->worker->index;
	int err = sluice_fence_begin(f, ix);

	if (!err)
		err = sluice_fence_end(f, ix, store(s));
	if (err && err != -ESTALE)
		sluice_log_limited(&s->worker->limit, SLUICE_LOG_WARNING,
				   "what the gate of camera %s did is not counted: %s",
				   s->camera->name, strerror(-err));
	worker_toll_forget(s);
}

void worker_toll_end(struct subject *s)
{
	if (!sluice_tally_empty(&s->tally))
		store_alone(s);
}

static struct sluice_tuner tuner_of(const struct sluice_worker *w)
{
	return (struct sluice_tuner){ w->c.fleet, w->index, w->c.retune };
}

void worker_toll(struct subject *s, const struct sluice_tally *t)
{
	const struct sluice_tuner tuner = tuner_of(s->worker);

	if (!sluice_tuner_counts(&tuner, s->camera))
		return;
	if (!sluice_tally_empty(&s->tally) &&
	    (day_of(&s->tally) != day_of(t) || s->tally.settings != t->settings ||
	     !sluice_tiles_same(&s->tally.tiles, &t->tiles)))
		store_alone(s);
	sluice_tally_add(&s->tally, t);
}

static int is_worth(const struct sluice_tally *t)
{
	return t->openings || t->missed || t->samples >= SAMPLES;
}

int worker_toll_store(struct subject *s)
{
	return is_worth(&s->tally) ? store(s) : 0;
}

/* One camera has one live lane, so one who looks. What fails is tried the next time. */
static void look(struct subject *s)
{
	struct sluice_worker *w = s->worker;
	const struct sluice_tuner t = tuner_of(w);
	uint64_t now = sluice_utc_now();
	int rc;

	if (w->lane || !w->c.fleet || (now >= s->tuned_ns && now - s->tuned_ns < LOOK_NS))
		return;
	s->tuned_ns = now;
	rc = sluice_tuner_look(&t, s->camera, now, 0);
	if (rc < 0)
		sluice_log_limited(
			&w->limit, SLUICE_LOG_WARNING,
			"whether the gate of camera %s is to be retuned is not known: %s",
			s->camera->name, strerror(-rc));
	else if (rc && w->c.ops->retuned)
		w->c.ops->retuned(w->c.ctx, s->camera);
}

void worker_toll_stored(struct subject *s)
{
	if (!is_worth(&s->tally))
		return;
	worker_toll_forget(s);
	look(s);
}

void worker_toll_forget(struct subject *s)
{
	memset(&s->tally, 0, sizeof(s->tally));
}
