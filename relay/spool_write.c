// SPDX-License-Identifier: MIT
/*
 * spool_write.c - into the spool: frames are gathered for 200 ms or up to 1 MiB, written and
 * synced, first those of events, then the rest; then, and only then, settled() says that they are
 * the spool's. One batch at a time: while it is on its way nothing is added.
 *
 * A batch that fails is the caller's again, whole; the segments that it was written to take nothing
 * more and are cut back to what was durable. As long as that cannot be done no other segment is
 * begun, so that a crash leaves the batch where it is looked for (spool_scan.c). Nothing is taken
 * for ten seconds, after which a segment is made and synced for a trial.
 */
#include "relay/spool_private.h"
#include "lib/crc32c.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_next(struct relay_spool *s);

/* ---- errors ---- */

static enum relay_spool_state state_of(int err)
{
	switch (err) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return RELAY_SPOOL_NO_SPACE;
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return RELAY_SPOOL_READ_ONLY;
	default:
		return RELAY_SPOOL_FAILED;
	}
}

static void set_state(struct relay_spool *s, enum relay_spool_state state, int err)
{
	bool was_bad = s->state > RELAY_SPOOL_EVICTING, is_bad = state > RELAY_SPOOL_EVICTING;

	if (state == s->state)
		return;
	s->state = state;
	if (is_bad)
		sluice_error("cannot write to the spool in %s: %s; frames stay in the rings, and "
			     "are lost when those are full; make room or repair the disk, it is "
			     "tried again by itself",
			     s->dir, strerror(-err));
	else if (was_bad)
		sluice_info("the spool in %s can be written again", s->dir);
}

/* The segment is what it was before the batch. False: not even that can be done now. */
static bool cut_segment(struct relay_spool *s, enum spool_class class)
{
	struct spool_segment *g = s->writer.uncut[class];
	char path[PATH_MAX];

	if (!g)
		return true;
	spool_segment_path(s, g, path);
	if (g->bytes ? truncate(path, (off_t)g->bytes) : unlink(path) && errno != ENOENT)
		return false;
	s->writer.uncut[class] = NULL;
	if (!g->bytes)
		spool_segment_remove(s, g);
	return true;
}

/* Nothing of what this segment got since its last sync counts; nothing more is written to it. */
static void abandon_segment(struct relay_spool *s, enum spool_class class)
{
	struct spool_writer *w = &s->writer;

	sluice_io_file_close(w->file[class]);
	w->file[class] = NULL;
	if (w->segment[class])
		w->uncut[class] = w->segment[class];
	w->segment[class] = NULL;
	cut_segment(s, class);
}

static void drop_staged(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;

	for (size_t i = 0; i < w->count; i++) {
		struct relay_run *r = w->staged[i].run;

		r->staged = 0;
		r->staged_last = r->last;
		if (!r->left && !r->told)
			r->ended = true; /* it never was */
	}
	w->count = 0; /* their numbers are not given again */
	for (int c = 0; c < SPOOL_CLASSES; c++)
		w->batch[c].used = 0;
	spool_runs_prune(s);
}

/* The runs that were parted at the start are so for ever, before a newer batch hides why. 0, or
 * what kept that from the disk. */
static int keep_parted(struct relay_spool *s)
{
	return s->parted ? spool_mark_write(s, true) : 0;
}

static void try_again(void *arg)
{
	struct relay_spool *s = arg;

	if (s->writer.step != STEP_IDLE)
		return;
	/* before that nothing is taken: a frame must not lie there twice, and the last batch must
	 * be known for it (spool_scan.c) */
	if (!cut_segment(s, SPOOL_MOTION) || !cut_segment(s, SPOOL_FILLER) || keep_parted(s)) {
		sluice_io_timer_in(s->conf.io, &s->writer.retry, s->conf.retry_ms, try_again, s);
		return;
	}
	s->writer.class = SPOOL_MOTION;
	write_next(s); /* an empty batch: a segment is made and synced */
}

static void fail_batch(struct relay_spool *s, int err)
{
	struct spool_writer *w = &s->writer;

	w->step = STEP_IDLE;
	for (int c = 0; c < SPOOL_CLASSES; c++)
		abandon_segment(s, c);
	spool_segment_free(w->fresh);
	w->fresh = NULL;
	drop_staged(s);
	set_state(s, state_of(err), err);
	sluice_io_timer_in(s->conf.io, &w->retry, s->conf.retry_ms, try_again, s);
	s->conf.settled(s->conf.arg, err);
}

/* ---- the steps of a batch ---- */

/* All is durable: the frames count. */
static void finish_batch(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;
	size_t count = w->count;

	w->step = STEP_IDLE;
	for (size_t i = 0; i < count; i++) {
		const struct spool_staged *f = &w->staged[i];

		f->run->durable = true;
		f->run->last = f->sequence;
		f->run->durable_last[f->class] = f->sequence;
		f->run->now_ns = f->time_ns;
		f->run->staged--;
		f->run->left++;
		s->camera[f->run->camera].counts.left++;
	}
	for (int c = 0; c < SPOOL_CLASSES; c++) {
		struct spool_segment *g = w->segment[c];

		if (!w->batch[c].used)
			continue;
		g->bytes += w->batch[c].used;
		g->passed = false;
		s->bytes += w->batch[c].used;
		w->batch[c].used = 0;
	}
	w->count = 0;
	s->sure = s->next_number;
	if (s->state > RELAY_SPOOL_EVICTING)
		set_state(s, RELAY_SPOOL_OK, 0);
	if (!count)
		return;
	s->conf.settled(s->conf.arg, 0);
	if (s->conf.ready && !s->stopped)
		s->conf.ready(s->conf.arg);
}

static void on_file(void *arg, int result);
static void on_dir(void *arg, int result);

static int begin_segment(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;
	uint64_t number = s->next_number - w->count;

	sluice_io_file_close(w->file[w->class]);
	w->segment[w->class] = NULL;
	w->file[w->class] = sluice_io_file_new(s->conf.io, on_file, s);
	w->fresh = spool_segment_new(w->class, number);
	if (!w->file[w->class] || !w->fresh)
		return -ENOMEM;
	spool_segment_path(s, w->fresh, w->path);
	w->step = STEP_OPEN;
	sluice_io_file_open(w->file[w->class], w->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return 0;
}

/* The class that comes next, or the end. */
static void write_next(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;
	bool trial = s->state > RELAY_SPOOL_EVICTING && !w->count;
	int err = 0;

	while (w->class < SPOOL_CLASSES && !w->batch[w->class].used &&
	       !(trial && w->class == SPOOL_MOTION))
		w->class ++;
	if (w->class == SPOOL_CLASSES) {
		finish_batch(s);
		return;
	}
	if (w->segment[w->class] && w->segment[w->class]->bytes < s->conf.segment_bytes) {
		w->step = STEP_WRITE;
		sluice_io_file_write(w->file[w->class], w->batch[w->class].bytes,
				     w->batch[w->class].used, w->segment[w->class]->bytes);
	} else {
		err = begin_segment(s);
	}
	if (err)
		fail_batch(s, err);
}

/* What the batch says of its frames, in the segment that they are now in. */
static int count_batch(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;
	struct spool_segment *g = w->segment[w->class];
	int err = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct spool_staged *f = &w->staged[i];

		if (f->class != w->class)
			continue;
		err = spool_segment_count(g, f->run, f->reason, f->event);
		if (!err)
			continue;
		while (i--)
			if (w->staged[i].class == w->class)
				spool_segment_uncount(g, w->staged[i].run, w->staged[i].reason);
		return err;
	}
	return 0;
}

/* The counts of a batch that failed in a later class. */
static void uncount_batch(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;

	for (size_t i = 0; i < w->count; i++)
		if (w->staged[i].class < w->class && w->segment[w->staged[i].class])
			spool_segment_uncount(w->segment[w->staged[i].class], w->staged[i].run,
					      w->staged[i].reason);
}

static void on_step(struct relay_spool *s, int result)
{
	struct spool_writer *w = &s->writer;
	struct spool_batch *b = &w->batch[w->class];
	int err = result < 0 ? result : 0;

	if (!err && w->step == STEP_OPEN) {
		w->step = STEP_DIR;
		sluice_io_file_sync(w->dir);
		return;
	}
	if (!err && w->step == STEP_DIR) {
		w->segment[w->class] = w->fresh;
		w->fresh = NULL;
		spool_segment_link(s, w->segment[w->class]);
		w->step = STEP_WRITE;
		result = 0;
		if (b->used) {
			sluice_io_file_write(w->file[w->class], b->bytes, b->used, 0);
			return;
		}
	}
	if (!err && w->step == STEP_WRITE) {
		w->step = STEP_SYNC;
		sluice_io_file_sync(w->file[w->class]);
		return;
	}
	if (!err)
		err = count_batch(s);
	if (err) {
		uncount_batch(s);
		fail_batch(s, err);
		return;
	}
	w->class ++;
	write_next(s);
}

static void on_file(void *arg, int result)
{
	on_step(arg, result);
}

static void on_dir(void *arg, int result)
{
	on_step(arg, result);
}

static void commit(void *arg)
{
	struct relay_spool *s = arg;

	sluice_io_timer_cancel(s->conf.io, &s->writer.commit);
	if (s->writer.step != STEP_IDLE || !s->writer.count)
		return;
	s->writer.class = SPOOL_MOTION;
	write_next(s);
}

void relay_spool_flush(struct relay_spool *s)
{
	commit(s);
}

/* ---- adding ---- */

bool relay_spool_accepts(const struct relay_spool *s)
{
	return !s->stopped && s->writer.step == STEP_IDLE && s->state <= RELAY_SPOOL_EVICTING;
}

bool relay_spool_pending(const struct relay_spool *s)
{
	return s->writer.count > 0;
}

/* Room for a record in the batch, and in the list. */
static int make_room(struct relay_spool *s, struct spool_batch *b, uint64_t size)
{
	struct spool_writer *w = &s->writer;

	if (b->used + size > b->room) {
		size_t room = b->room ? b->room : 128u << 10;
		uint8_t *bytes;

		while (room < b->used + size)
			room *= 2;
		bytes = realloc(b->bytes, room);
		if (!bytes)
			return -ENOMEM;
		b->bytes = bytes;
		b->room = room;
	}
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		void *staged = realloc(w->staged, room * sizeof(*w->staged));

		if (!staged)
			return -ENOMEM;
		w->staged = staged;
		w->room = room;
	}
	return 0;
}

static int make_budget(struct relay_spool *s, uint64_t size)
{
	uint64_t staged = s->writer.batch[0].used + s->writer.batch[1].used;
	int err = 0;

	while (!err && s->bytes + staged + size > s->conf.bytes_max) {
		err = spool_evict(s);
		if (!err)
			set_state(s, RELAY_SPOOL_EVICTING, 0);
	}
	if (!err && s->state == RELAY_SPOOL_EVICTING &&
	    s->bytes + staged + size + 2ull * s->conf.segment_bytes < s->conf.bytes_max)
		set_state(s, RELAY_SPOOL_OK, 0);
	return err;
}

/* The run that the frame goes on, or a new one. */
static struct relay_run *run_for(struct relay_spool *s, unsigned int camera,
				 struct relay_spool_record *r, bool joined)
{
	struct relay_run *run = NULL;

	for (struct relay_run *i = s->runs; i; i = i->next)
		if (i->camera == camera)
			run = i;
	if (run && !run->ended && joined && run->epoch == r->epoch &&
	    r->sequence > run->staged_last)
		return run;
	if (run)
		run->ended = true;
	r->run = r->sequence;
	return s->run_count < RELAY_SPOOL_RUNS ? spool_run_add(s, camera, r) : NULL;
}

/* Where a record will lie: at the end of the present segment, or at the beginning of the next. */
static uint64_t durable_of(const struct relay_spool *s, enum spool_class class)
{
	const struct spool_segment *g = s->writer.segment[class];

	return g && g->bytes < s->conf.segment_bytes ? g->bytes : 0;
}

static void put_record(struct relay_spool *s, struct relay_spool_record *r,
		       const struct relay_payload *p, enum spool_class class)
{
	struct spool_batch *b = &s->writer.batch[class];
	struct relay_spool_header *h = (void *)(b->bytes + b->used);
	uint8_t *to = (uint8_t *)(h + 1);

	r->number = s->next_number++;
	r->place = (uint32_t)s->writer.count + 1;
	r->durable = durable_of(s, class);
	r->payload_size = (uint32_t)p->size;
	r->payload_crc = 0;
	for (unsigned int i = 0; i < p->count; i++) {
		memcpy(to, p->iov[i].iov_base, p->iov[i].iov_len);
		to += p->iov[i].iov_len;
	}
	r->payload_crc = sluice_crc32c(0, h + 1, p->size);
	memset(to, 0, -p->size & 7u);
	relay_spool_header_put(h, r);
	b->used += relay_spool_record_size(r->payload_size);
}

static int check_add(struct relay_spool *s, const struct relay_payload *p)
{
	int err;

	if (p->size > RELAY_SPOOL_PAYLOAD ||
	    relay_spool_record_size((uint32_t)p->size) > s->conf.bytes_max / 2)
		return -EMSGSIZE;
	if (s->state > RELAY_SPOOL_EVICTING)
		return s->state == RELAY_SPOOL_READ_ONLY  ? -EROFS
		       : s->state == RELAY_SPOOL_NO_SPACE ? -ENOSPC
							  : -EIO;
	if (!relay_spool_accepts(s))
		return -EAGAIN;
	err = keep_parted(s);
	if (err) {
		set_state(s, state_of(err), err);
		sluice_io_timer_in(s->conf.io, &s->writer.retry, s->conf.retry_ms, try_again, s);
	}
	return err;
}

int relay_spool_add(struct relay_spool *s, const char *camera, const struct sluice_ring_desc *d,
		    uint64_t first_ns, const struct relay_payload *p, bool joined)
{
	enum spool_class class = spool_class_of(d->reason);
	struct spool_writer *w = &s->writer;
	struct relay_spool_record r = { .epoch = d->epoch,
					.sequence = d->sequence,
					.time_ns = d->time_ns,
					.first_ns = first_ns,
					.event = d->event,
					.format = d->format,
					.reason = d->reason,
					.width = d->width,
					.height = d->height };
	int c, err = check_add(s, p);
	struct relay_run *run;

	if (!err)
		err = make_budget(s, relay_spool_record_size((uint32_t)p->size));
	if (err == -ENOSPC && w->count) { /* what could go is being written to */
		commit(s);
		return -EAGAIN;
	}
	if (!err)
		err = make_room(s, &w->batch[class], relay_spool_record_size((uint32_t)p->size));
	if (err)
		return err;
	c = spool_camera_get(s, camera);
	if (c < 0)
		return -EDQUOT;
	memcpy(r.camera, s->camera[c].name, sizeof(r.camera));
	strncpy(r.boot, s->conf.boot, sizeof(r.boot) - 1);
	s->conf.clock(&r.clock);
	run = run_for(s, (unsigned int)c, &r, joined);
	if (!run)
		return -ENOSPC;
	r.run = run->first;
	run->clock = r.clock;
	run->staged_last = r.sequence;
	run->staged++;
	put_record(s, &r, p, class);
	w->staged[w->count++] = (struct spool_staged){ .run = run,
						       .sequence = r.sequence,
						       .time_ns = r.time_ns,
						       .event = r.event,
						       .reason = r.reason,
						       .class = class };
	if (w->batch[0].used + w->batch[1].used >= SPOOL_BATCH)
		commit(s);
	else if (!w->commit.set)
		sluice_io_timer_in(s->conf.io, &w->commit, s->conf.commit_ms, commit, s);
	return 0;
}

/* ---- life ---- */

int spool_writer_init(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;

	w->dir = sluice_io_file_new(s->conf.io, on_dir, s);
	if (!w->dir)
		return -ENOMEM;
	return sluice_io_file_hold(w->dir, s->dir, O_RDONLY | O_DIRECTORY);
}

void spool_writer_exit(struct relay_spool *s)
{
	struct spool_writer *w = &s->writer;

	sluice_io_timer_cancel(s->conf.io, &w->commit);
	sluice_io_timer_cancel(s->conf.io, &w->retry);
	for (int c = 0; c < SPOOL_CLASSES; c++)
		sluice_io_file_close(w->file[c]);
	sluice_io_file_close(w->dir);
	w->dir = NULL;
	w->file[0] = w->file[1] = NULL;
}
