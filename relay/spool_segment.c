// SPDX-License-Identifier: MIT
/*
 * spool_segment.c - what lies in which segment, and what goes when the spool is full.
 *
 * A segment goes as a whole: when every frame of it is resolved, or to make room. Then the oldest
 * of the keep-alive and audit frames go first, then the oldest of the rest; an event whose
 * beginning goes with its segment goes altogether, its rest is passed over where it lies. Segments
 * with frames on their way to the cloud stay: what becomes of those is for the cloud to say.
 */
#include "relay/spool_private.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sluice_log_limit evict_limit = { .burst = 3, .interval_ms = 60000 };

void spool_segment_path(const struct relay_spool *s, const struct spool_segment *g, char *path)
{
	snprintf(path, PATH_MAX, "%s/%016" PRIx64 "-%c.seg", s->dir, g->number,
		 g->class == SPOOL_FILLER ? 'f' : 'm');
}

struct spool_segment *spool_segment_new(enum spool_class class, uint64_t number)
{
	struct spool_segment *g = calloc(1, sizeof(*g));

	if (g) {
		g->class = class;
		g->number = number;
	}
	return g;
}

void spool_segment_link(struct relay_spool *s, struct spool_segment *g)
{
	if (s->first[g->class])
		s->last[g->class]->next = g;
	else
		s->first[g->class] = g;
	s->last[g->class] = g;
}

void spool_segment_free(struct spool_segment *g)
{
	if (!g)
		return;
	free(g->part);
	free(g);
}

static struct spool_part *find_part(const struct spool_segment *g, const struct relay_run *run)
{
	for (unsigned int i = g->parts; i; i--)
		if (g->part[i - 1].run == run)
			return &g->part[i - 1];
	return NULL;
}

int spool_segment_count(struct spool_segment *g, struct relay_run *run, uint16_t reason,
			uint32_t event)
{
	struct spool_part *p = find_part(g, run);

	if (!p) {
		p = realloc(g->part, (g->parts + 1) * sizeof(*p));
		if (!p)
			return -ENOMEM;
		g->part = p;
		p += g->parts++;
		memset(p, 0, sizeof(*p));
		p->run = run;
	}
	p->left[spool_reason(reason)]++;
	p->event = event;
	g->left++;
	return 0;
}

void spool_segment_uncount(struct spool_segment *g, const struct relay_run *run, uint16_t reason)
{
	struct spool_part *p = find_part(g, run);

	if (!p || !p->left[spool_reason(reason)])
		return;
	p->left[spool_reason(reason)]--;
	g->left--;
}

void spool_segment_remove(struct relay_spool *s, struct spool_segment *g)
{
	struct spool_segment **at = &s->first[g->class], *before = NULL;
	struct spool_writer *w = &s->writer;
	char path[PATH_MAX];

	spool_reader_leave(s, g);
	if (w->segment[g->class] == g) {
		sluice_io_file_close(w->file[g->class]);
		w->file[g->class] = NULL;
		w->segment[g->class] = NULL;
	}
	if (w->uncut[g->class] == g)
		w->uncut[g->class] = NULL;
	for (; *at != g; at = &(*at)->next)
		before = *at;
	*at = g->next;
	if (s->last[g->class] == g)
		s->last[g->class] = before;
	s->bytes -= g->bytes;
	spool_segment_path(s, g, path);
	/* what cannot be removed now holds nothing that the mark does not know */
	if (unlink(path) && errno != ENOENT)
		sluice_warning("cannot remove %s: %s", path, strerror(errno));
	spool_segment_free(g);
}

/* Frames that the reader did not find, though they were there: the disk has lost them. */
static void count_damaged(struct relay_spool *s, struct spool_segment *g)
{
	for (unsigned int i = 0; i < g->parts; i++)
		for (unsigned int r = 0; r < SPOOL_REASONS; r++) {
			uint32_t n = g->part[i].left[r];

			if (!n)
				continue; /* its run may be forgotten already */
			s->camera[g->part[i].run->camera].counts.damaged += n;
			s->camera[g->part[i].run->camera].counts.left -= n;
			g->part[i].run->left -= n;
			g->part[i].left[r] = 0;
		}
	g->left = 0;
}

/*
 * What a segment's frames have become must be durable before the segment goes: a crash in between
 * would lose them from the ledger. If the mark cannot be written, the segment stays and it is tried
 * again.
 */
void spool_sweep(struct relay_spool *s, bool all)
{
	bool marked = false;

	for (int c = 0; c < SPOOL_CLASSES; c++) {
		struct spool_segment *g, *next;

		for (g = s->first[c]; g; g = next) {
			bool written = s->writer.segment[c] == g;

			next = g->next;
			if (g->passed && !g->flight && g->left && !written)
				count_damaged(s, g);
			if (g->left || g->flight || (written && !all) || s->writer.uncut[c] == g ||
			    (written && (s->writer.step != STEP_IDLE || s->writer.batch[c].used)))
				continue;
			if (!marked && spool_mark_write(s, true)) {
				spool_mark_soon(s);
				return;
			}
			marked = true;
			spool_segment_remove(s, g);
		}
	}
	spool_runs_prune(s);
}

/* All that is left in it counts as given up, sign 1; or does not after all, -1. */
static void count_evicted(struct relay_spool *s, const struct spool_segment *g, int sign)
{
	for (unsigned int i = 0; i < g->parts; i++)
		for (unsigned int r = 0; r < SPOOL_REASONS; r++) {
			const struct spool_part *p = &g->part[i];
			uint64_t n = (uint64_t)((int64_t)p->left[r] * sign);
			struct spool_camera *c;

			if (!n)
				continue; /* its run may be forgotten already */
			c = &s->camera[p->run->camera];
			c->counts.evicted[SLUICE_REASON_MOTION + r] += n;
			c->counts.left -= n;
			p->run->left -= n;
		}
}

/* They are gone; and the rest of an event whose beginning is among them. */
static void forget_evicted(struct relay_spool *s, struct spool_segment *g)
{
	for (unsigned int i = 0; i < g->parts; i++) {
		struct spool_part *p = &g->part[i];
		uint64_t n = 0;

		for (unsigned int r = 0; r < SPOOL_REASONS; r++) {
			n += p->left[r];
			p->left[r] = 0;
		}
		if (n && p->event) {
			s->camera[p->run->camera].evicted_epoch = p->run->epoch;
			s->camera[p->run->camera].evicted_event = p->event;
		}
	}
	g->left = 0;
}

static int evict_segment(struct relay_spool *s, struct spool_segment *g)
{
	uint64_t frames = g->left;
	int err;

	count_evicted(s, g, 1);
	err = spool_mark_write(s, true);
	if (err) {
		count_evicted(s, g, -1);
		spool_mark_soon(s);
		return err;
	}
	forget_evicted(s, g);
	sluice_log_limited(&evict_limit, SLUICE_LOG_WARNING,
			   "the spool is full: the %" PRIu64 " oldest %s frames are given up",
			   frames, g->class == SPOOL_FILLER ? "keep-alive and audit" : "motion");
	spool_segment_remove(s, g);
	spool_runs_prune(s);
	spool_mark_soon(s);
	return 0;
}

static bool may_evict(const struct relay_spool *s, const struct spool_segment *g)
{
	const struct spool_reader *r = &s->reader[g->class];

	if (g->flight || (r->segment == g && (r->busy || r->opening)) ||
	    s->writer.uncut[g->class] == g)
		return false;
	return s->writer.segment[g->class] != g ||
	       (s->writer.step == STEP_IDLE && !s->writer.batch[g->class].used);
}

int spool_evict(struct relay_spool *s)
{
	for (int c = SPOOL_FILLER; c >= SPOOL_MOTION; c--)
		for (struct spool_segment *g = s->first[c]; g; g = g->next)
			if (may_evict(s, g))
				return evict_segment(s, g);
	return -ENOSPC;
}
