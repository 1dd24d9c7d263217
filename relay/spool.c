// SPDX-License-Identifier: MIT
/*
 * spool.c - the spool as a whole: cameras, runs, open and close. Its parts, in the order a frame
 * meets them: spool_write.c, spool_segment.c, spool_read.c; spool_scan.c and spool_mark.c at the
 * start.
 *
 * DIR/NUMBER-m.seg and NUMBER-f.seg hold records (spool_record.h) in order of their numbers: m the
 * frames of events, f keep-alive and audit frames. A batch is written and synced before its frames
 * are the spool's; what a crash leaves behind the last whole batch is cut off at the next start. If
 * that batch may have failed, its frames are a run of their own (spool_scan.c).
 * DIR/mark.json says, for each camera, up to which number all frames are resolved, and what was
 * counted. It is written once a second, and synced before a segment is removed; an old one costs
 * frames that are sent again, and are known to the cloud.
 *
 * Errors of the disk: the batch is given back whole, nothing more is taken until a new segment can
 * be made and synced, which is tried every ten seconds. What is on the disk is still given out.
 */
#include "relay/spool_private.h"
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BYTES_MAX     (2ull << 30)
#define SEGMENT_MIN   (64u << 10)
#define SEGMENT_MAX   (64u << 20)
#define SEGMENT_SHARE 256

/* ---- cameras ---- */

int spool_camera_find(const struct relay_spool *s, const char *name)
{
	for (int i = 0; i < RELAY_SPOOL_CAMERAS; i++)
		if (!strcmp(s->camera[i].name, name))
			return i;
	return -1;
}

int spool_camera_get(struct relay_spool *s, const char *name)
{
	int i = spool_camera_find(s, name);

	if (i >= 0)
		return i;
	for (i = 0; i < RELAY_SPOOL_CAMERAS; i++) {
		if (s->camera[i].name[0])
			continue;
		snprintf(s->camera[i].name, sizeof(s->camera[i].name), "%s", name);
		return i;
	}
	return -1;
}

/* ---- runs ---- */

struct relay_run *spool_run_find(const struct relay_spool *s, unsigned int camera, uint64_t epoch,
				 uint64_t first)
{
	struct relay_run *r = s->runs;

	while (r && (r->camera != camera || r->epoch != epoch || r->first != first))
		r = r->next;
	return r;
}

struct relay_run *spool_run_of(const struct relay_spool *s, unsigned int camera,
			       const struct relay_spool_record *r)
{
	struct relay_run *of = NULL;

	for (struct relay_run *i = s->runs; i; i = i->next)
		if (i->camera == camera && i->epoch == r->epoch && i->name == r->run &&
		    i->from <= r->number && (!of || i->from > of->from))
			of = i;
	return of;
}

struct relay_run *spool_run_add(struct relay_spool *s, unsigned int camera,
				const struct relay_spool_record *r)
{
	struct relay_run *run;

	run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->camera = camera;
	run->epoch = r->epoch;
	run->name = run->first = run->last = run->staged_last = r->run;
	run->first_ns = r->first_ns;
	run->now_ns = r->time_ns;
	run->width = r->width;
	run->height = r->height;
	run->format = r->format;
	run->clock = r->clock;
	memcpy(run->boot, r->boot, sizeof(run->boot));
	if (s->runs)
		s->runs_last->next = run;
	else
		s->runs = run;
	s->runs_last = run;
	s->run_count++;
	return run;
}

void spool_run_drop(struct relay_spool *s, struct relay_run *r)
{
	struct relay_run **at = &s->runs, *before = NULL;

	for (; *at != r; at = &(*at)->next)
		before = *at;
	*at = r->next;
	if (s->runs_last == r)
		s->runs_last = before;
	s->run_count--;
	free(r);
}

void spool_runs_prune(struct relay_spool *s)
{
	struct relay_run *r, *next;

	for (r = s->runs; r; r = next) {
		next = r->next;
		if (r->ended && !r->left && !r->staged && !r->told)
			spool_run_drop(s, r);
	}
}

struct relay_run *relay_spool_runs(struct relay_spool *s)
{
	return s->runs;
}

void relay_spool_run_told(struct relay_spool *s, struct relay_run *r)
{
	if (r->told)
		return;
	r->told = true;
	spool_mark_soon(s);
}

void relay_spool_forget_run(struct relay_spool *s, struct relay_run *r)
{
	if (!r->ended || r->left || r->staged)
		return;
	r->told = false;
	spool_runs_prune(s);
	spool_mark_soon(s);
}

void relay_spool_end_run(struct relay_spool *s, const char *camera)
{
	int c = spool_camera_find(s, camera);

	for (struct relay_run *r = s->runs; c >= 0 && r; r = r->next)
		if ((int)r->camera == c)
			r->ended = true;
	spool_runs_prune(s);
}

bool relay_spool_has(const struct relay_spool *s, const char *camera, uint64_t epoch,
		     uint64_t sequence)
{
	int c = spool_camera_find(s, camera);

	for (const struct relay_run *r = s->runs; c >= 0 && r; r = r->next)
		if ((int)r->camera == c && r->durable && r->epoch == epoch &&
		    r->first <= sequence && sequence <= r->last)
			return true;
	return false;
}

bool relay_spool_settle(struct relay_spool *s, const char *camera, const struct sluice_ring_desc *d)
{
	enum spool_class class = spool_class_of(d->reason);
	int c = spool_camera_find(s, camera);
	bool there = false, passed = false;

	for (const struct relay_run *r = s->runs; c >= 0 && r; r = r->next) {
		if ((int)r->camera != c || !r->durable || r->epoch != d->epoch ||
		    d->sequence < r->first || d->sequence > r->last)
			continue;
		passed = true;
		there |= d->sequence <= r->durable_last[class];
	}
	if (passed && !there) {
		s->camera[c].counts.evicted[d->reason]++;
		/* The ring gives it up next. A process that was killed before this is written, or a
		 * machine that dies before it is durable, would have lost it from the ledger. There
		 * are a few such frames, once in a start after a crash. */
		if (spool_mark_write(s, true))
			spool_mark_soon(s);
	}
	return passed;
}

void relay_spool_run_clock(const struct relay_spool *s, const struct relay_run *r,
			   struct sluice_wire_clock *c)
{
	*c = r->clock;
	if (!strcmp(r->boot, s->conf.boot)) {
		s->conf.clock(c);
		return;
	}
	/* a clock that was set late in that boot is better than what was believed before */
	for (const struct relay_run *i = s->runs; i; i = i->next)
		if (!strcmp(i->boot, r->boot) && i->clock.monotonic > c->monotonic)
			*c = i->clock;
}

/* ---- facts ---- */

enum relay_spool_state relay_spool_state(const struct relay_spool *s)
{
	return s->state;
}

const char *relay_spool_state_name(enum relay_spool_state state)
{
	static const char *const names[] = { "ok", "evicting", "no-space", "read-only", "failed" };

	return names[state];
}

uint64_t relay_spool_bytes(const struct relay_spool *s)
{
	return s->bytes;
}

uint64_t relay_spool_left(const struct relay_spool *s)
{
	uint64_t left = 0;

	for (int i = 0; i < RELAY_SPOOL_CAMERAS; i++)
		left += s->camera[i].counts.left;
	return left;
}

const struct relay_spool_counts *relay_spool_counts(const struct relay_spool *s, const char *name)
{
	int i = spool_camera_find(s, name);

	return i < 0 ? NULL : &s->camera[i].counts;
}

const char *relay_spool_camera(const struct relay_spool *s, unsigned int camera)
{
	return camera < RELAY_SPOOL_CAMERAS ? s->camera[camera].name : "";
}

uint64_t relay_spool_damaged(const struct relay_spool *s)
{
	return s->damaged;
}

/* ---- open and close ---- */

static void set_defaults(struct relay_spool *s)
{
	uint64_t share;

	if (!s->conf.bytes_max)
		s->conf.bytes_max = BYTES_MAX;
	share = s->conf.bytes_max / SEGMENT_SHARE;
	if (!s->conf.segment_bytes)
		s->conf.segment_bytes = share < SEGMENT_MIN   ? SEGMENT_MIN
					: share > SEGMENT_MAX ? SEGMENT_MAX
							      : (uint32_t)share;
	if (!s->conf.commit_ms)
		s->conf.commit_ms = 200;
	if (!s->conf.mark_ms)
		s->conf.mark_ms = 1000;
	if (!s->conf.retry_ms)
		s->conf.retry_ms = 10000;
	if (!s->conf.clock)
		s->conf.clock = sluice_wire_clock_now;
}

struct relay_spool *relay_spool_open(const struct relay_spool_config *c, int *err)
{
	struct relay_spool *s = calloc(1, sizeof(*s));

	*err = -ENOMEM;
	if (!s)
		return NULL;
	s->conf = *c;
	s->next_number = 1;
	set_defaults(s);
	*err = -ENAMETOOLONG;
	if (snprintf(s->dir, sizeof(s->dir), "%s", c->dir) >= (int)sizeof(s->dir))
		goto fail;
	*err = mkdir(s->dir, 0700) && errno != EEXIST ? -errno : 0;
	if (!*err) {
		spool_mark_read(s);
		*err = spool_scan(s);
	}
	if (!*err)
		*err = spool_writer_init(s);
	if (*err)
		goto fail;
	spool_reader_init(s);
	for (struct relay_run *r = s->runs; r; r = r->next)
		r->ended = true;
	spool_runs_prune(s);
	spool_sweep(s, true);
	spool_mark_write(s, true); /* a disk that cannot be written is told of later */
	if (relay_spool_left(s))
		sluice_info("spool: %llu frames wait from before (%llu MiB)",
			    (unsigned long long)relay_spool_left(s),
			    (unsigned long long)(s->bytes >> 20));
	return s;
fail:
	relay_spool_close(s);
	return NULL;
}

void relay_spool_stop(struct relay_spool *s)
{
	if (!s || s->stopped)
		return;
	s->stopped = true;
	spool_writer_exit(s);
	spool_reader_exit(s);
	sluice_io_timer_cancel(s->conf.io, &s->mark);
	spool_mark_write(s, true);
}

void relay_spool_close(struct relay_spool *s)
{
	if (!s)
		return;
	for (int c = 0; c < SPOOL_CLASSES; c++) {
		while (s->first[c]) {
			struct spool_segment *g = s->first[c];

			s->first[c] = g->next;
			spool_segment_free(g);
		}
		free(s->writer.batch[c].bytes);
		free(s->reader[c].buf);
	}
	spool_segment_free(s->writer.fresh);
	free(s->writer.staged);
	while (s->runs)
		spool_run_drop(s, s->runs);
	free(s);
}
