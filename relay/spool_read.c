// SPDX-License-Identifier: MIT
/*
 * spool_read.c - out of the spool: one reader a class goes through the segments in order, half a
 * MiB at a time; of their two frames the one with the lower number is next. So each camera's frames
 * come in the order in which they went in, and memory does not grow with what waits.
 *
 * What was handed out is remembered until the cloud has said what became of it, at most 4096
 * frames. Per camera they are resolved in order: its mark is the number up to which nothing is
 * open. When the link breaks the readers go back to the oldest open one, and pass over what the
 * marks say is resolved.
 *
 * A record whose checksum is wrong is counted as damaged and passed over; where no header can be
 * read, the next one is looked for (spool_scan.c has counted it, or spool_sweep() does).
 */
#include "relay/spool_private.h"
#include "lib/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define READ_TRIES 3

static void on_read(void *arg, int result);

/* ---- frames under way ---- */

static struct spool_flight *flight_at(struct relay_spool *s, uint32_t i)
{
	return &s->flight[(s->flight_first + i) % RELAY_SPOOL_FLIGHT];
}

/* What became of it is final. */
static void settle(struct relay_spool *s, struct spool_flight *f)
{
	struct spool_camera *c = &s->camera[f->run->camera];

	if (f->fate == FATE_STORED)
		c->counts.stored++;
	else if (f->fate == FATE_REJECTED)
		c->counts.rejected++;
	else if (f->fate == FATE_EVICTED)
		c->counts.evicted[f->reason]++;
	else
		c->counts.damaged++;
	c->counts.left--;
	c->mark = f->number;
	f->run->left--;
	f->run->flight--;
	f->segment->flight--;
	spool_segment_uncount(f->segment, f->run, f->reason);
	f->done = true;
}

void spool_flight_resolve(struct relay_spool *s, unsigned int camera)
{
	bool any = false;

	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct spool_flight *f = flight_at(s, i);

		if (f->done || f->run->camera != camera)
			continue;
		if (f->fate == FATE_SENT)
			break;
		settle(s, f);
		any = true;
	}
	while (s->flight_count && flight_at(s, 0)->done) {
		s->flight_first = (s->flight_first + 1) % RELAY_SPOOL_FLIGHT;
		s->flight_count--;
	}
	if (any)
		spool_mark_soon(s);
}

void relay_spool_stored(struct relay_spool *s, unsigned int camera, uint64_t epoch,
			uint64_t cumulative)
{
	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct spool_flight *f = flight_at(s, i);

		if (!f->done && f->fate == FATE_SENT && f->run->camera == camera &&
		    f->run->epoch == epoch && f->sequence <= cumulative)
			f->fate = FATE_STORED;
	}
	spool_flight_resolve(s, camera);
	spool_sweep(s, false);
}

int relay_spool_rejected(struct relay_spool *s, unsigned int camera, uint64_t epoch,
			 uint64_t sequence)
{
	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct spool_flight *f = flight_at(s, i);

		if (f->done || f->fate != FATE_SENT || f->run->camera != camera ||
		    f->run->epoch != epoch || f->sequence != sequence)
			continue;
		f->fate = FATE_REJECTED;
		spool_flight_resolve(s, camera);
		spool_sweep(s, false);
		return 0;
	}
	return -EPROTO;
}

/* ---- one reader ---- */

static void close_reader(struct spool_reader *r)
{
	if (r->busy) { /* into the buffer */
		sluice_io_file_leave(r->file, r->buf);
		r->buf = NULL;
		r->room = 0;
	} else {
		sluice_io_file_close(r->file);
	}
	r->file = NULL;
	r->busy = r->opening = false;
	r->have = 0;
	r->has_head = false;
}

/* Stand at that place. */
static void seek_reader(struct spool_reader *r, struct spool_segment *g, uint64_t offset)
{
	close_reader(r);
	r->segment = g;
	r->offset = r->base = offset;
}

void spool_reader_leave(struct relay_spool *s, struct spool_segment *g)
{
	struct spool_reader *r = &s->reader[g->class];

	if (r->segment == g)
		seek_reader(r, g->next, 0);
}

/* Bytes from r->offset on are wanted. 0 or -ENOMEM. */
static int start_read(struct relay_spool *s, struct spool_reader *r, size_t want)
{
	size_t keep = r->have - (size_t)(r->offset - r->base);

	if (r->offset - r->base > r->have)
		keep = 0; /* a record was passed over that is longer than what was read */
	if (keep)
		memmove(r->buf, r->buf + (r->offset - r->base), keep);
	r->have = keep;
	r->base = r->offset;
	if (want > r->room || !r->buf) {
		size_t room = want > SPOOL_READ_BYTES ? want : SPOOL_READ_BYTES;
		uint8_t *buf = realloc(r->buf, room);

		if (!buf)
			return -ENOMEM;
		r->buf = buf;
		r->room = room;
	}
	want = r->room - r->have;
	if (want > r->segment->bytes - r->base - r->have)
		want = (size_t)(r->segment->bytes - r->base - r->have);
	r->busy = true;
	sluice_io_file_read(r->file, r->buf + r->have, want, r->base + r->have);
	return 0;
}

static int open_reader(struct relay_spool *s, struct spool_reader *r)
{
	r->file = sluice_io_file_new(s->conf.io, on_read, r);
	if (!r->file)
		return -ENOMEM;
	spool_segment_path(s, r->segment, r->path);
	r->opening = true;
	sluice_io_file_open(r->file, r->path, O_RDONLY, 0);
	return 0;
}

/*
 * What cannot be read is asked for again, and then passed over to the end of the segment, to be
 * found missing there; a segment that is being written to gets no more.
 */
static void read_failed(struct relay_spool *s, struct spool_reader *r)
{
	struct spool_segment *g = r->segment;
	struct spool_writer *w = &s->writer;

	if (r->failures++ < READ_TRIES) {
		seek_reader(r, g, r->offset);
		return;
	}
	r->offset = g->bytes;
	if (w->segment[g->class] == g && w->step == STEP_IDLE && !w->batch[g->class].used) {
		sluice_io_file_close(w->file[g->class]);
		w->file[g->class] = NULL;
		w->segment[g->class] = NULL;
		g->passed = !g->next;
	}
}

static void on_read(void *arg, int result)
{
	struct spool_reader *r = arg;
	struct relay_spool *s = r->spool;

	bool opened = r->opening;

	r->busy = r->opening = false;
	if (result > 0 && !opened)
		r->have += (size_t)result;
	if (result < 0 || (!opened && !result))
		read_failed(s, r);
	else if (!opened)
		r->failures = 0;
	if (s->conf.ready && !s->stopped)
		s->conf.ready(s->conf.arg);
}

/* The next header at or behind at, within what was read; r->base + r->have if there is none. */
static uint64_t find_header(const struct spool_reader *r, uint64_t at)
{
	struct relay_spool_record rec;

	for (at = (at + 7) & ~7ull; at + sizeof(struct relay_spool_header) <= r->base + r->have;
	     at += 8)
		if (!relay_spool_header_get((const void *)(r->buf + (at - r->base)), &rec))
			return at;
	return at;
}

/* The record at r->offset into r->head. 1, 0 at the end for now, -EAGAIN, -ENOMEM. */
static int load_head(struct relay_spool *s, struct spool_reader *r, enum spool_class class)
{
	for (;;) {
		const struct relay_spool_header *h;
		uint64_t have, want = sizeof(*h);

		if (!r->segment)
			seek_reader(r, s->first[class], 0);
		if (!r->segment)
			return 0;
		if (r->busy || r->opening)
			return -EAGAIN;
		if (r->offset >= r->segment->bytes) {
			if (!r->segment->next)
				return 0;
			r->segment->passed = true;
			seek_reader(r, r->segment->next, 0);
			continue;
		}
		if (!r->file)
			return open_reader(s, r) ? -ENOMEM : -EAGAIN;
		have = r->base + r->have > r->offset ? r->base + r->have - r->offset : 0;
		if (have < want && r->offset + want <= r->segment->bytes)
			return start_read(s, r, want) ? -ENOMEM : -EAGAIN;
		h = (const void *)(r->buf + (r->offset - r->base));
		if (have < want) {
			r->offset = r->segment->bytes; /* no header fits there */
			continue;
		}
		if (relay_spool_header_get(h, &r->head)) {
			r->offset = find_header(r, r->offset + 8);
			continue;
		}
		want = relay_spool_record_size(r->head.payload_size);
		if (r->offset + want > r->segment->bytes) {
			r->offset = find_header(r, r->offset + 8);
			continue;
		}
		if (have < want)
			return start_read(s, r, want) ? -ENOMEM : -EAGAIN;
		r->payload = (const uint8_t *)(h + 1);
		return 1;
	}
}

static void step_over(struct spool_reader *r)
{
	if (r->head.number > r->last) /* it may stand in an older segment than before */
		r->last = r->head.number;
	r->offset += relay_spool_record_size(r->head.payload_size);
	r->has_head = false;
}

static int push_flight(struct relay_spool *s, struct spool_reader *r, enum spool_fate fate)
{
	struct spool_flight *f;

	if (s->flight_count == RELAY_SPOOL_FLIGHT)
		return -ENOBUFS;
	f = flight_at(s, s->flight_count++);
	*f = (struct spool_flight){ .run = r->run,
				    .segment = r->segment,
				    .number = r->head.number,
				    .offset = r->offset,
				    .sequence = r->head.sequence,
				    .reason = r->head.reason,
				    .fate = fate };
	r->run->flight++;
	r->segment->flight++;
	step_over(r);
	if (fate != FATE_SENT)
		spool_flight_resolve(s, f->run->camera);
	return 0;
}

/* A record that is not resolved stands at the reader. 1, 0, -EAGAIN. */
static int find_head(struct relay_spool *s, enum spool_class class)
{
	struct spool_reader *r = &s->reader[class];
	struct spool_camera *c;
	int n;

	while (!r->has_head) {
		int err = load_head(s, r, class);

		if (err <= 0)
			return err;
		n = spool_camera_find(s, r->head.camera);
		c = n < 0 ? NULL : &s->camera[n];
		r->run = c ? spool_run_of(s, (unsigned int)n, &r->head) : NULL;
		if (!r->run || r->head.number <= c->mark || r->head.number <= r->last) {
			step_over(r);
			continue;
		}
		r->has_head = true;
		r->fate = FATE_SENT;
		if (sluice_crc32c(0, r->payload, r->head.payload_size) != r->head.payload_crc)
			r->fate = FATE_DAMAGED;
		else if (r->head.event && r->head.event == c->evicted_event &&
			 r->head.epoch == c->evicted_epoch && class == SPOOL_MOTION)
			r->fate = FATE_EVICTED;
	}
	return 1;
}

/* ---- both ---- */

/* Whose head has the lower number. NULL: none, or *err. */
static struct spool_reader *first_reader(struct relay_spool *s, int *err)
{
	int got[SPOOL_CLASSES];

	for (int c = 0; c < SPOOL_CLASSES; c++)
		got[c] = find_head(s, c);
	for (int c = 0; c < SPOOL_CLASSES; c++)
		if (got[c] < 0) {
			*err = -EAGAIN;
			return NULL;
		}
	*err = 0;
	if (!got[0] || !got[1])
		return got[0] ? &s->reader[0] : got[1] ? &s->reader[1] : NULL;
	return s->reader[0].head.number < s->reader[1].head.number ? &s->reader[0] : &s->reader[1];
}

/*
 * The next frame that is to be sent. Those before it that will not be are resolved on the way, each
 * when its turn has come: the camera's mark says that everything up to it is resolved, in both
 * classes.
 */
static struct spool_reader *next_reader(struct relay_spool *s, int *err)
{
	struct spool_reader *r;

	while ((r = first_reader(s, err)) && r->fate != FATE_SENT) {
		if (push_flight(s, r, r->fate)) {
			*err = -EAGAIN; /* too many are under way */
			return NULL;
		}
	}
	return r;
}

int relay_spool_peek(struct relay_spool *s, struct relay_spool_frame *f)
{
	struct spool_reader *r;
	int err;

	if (s->stopped)
		return 0;
	r = next_reader(s, &err);
	if (!r)
		return err;
	*f = (struct relay_spool_frame){ .run = r->run,
					 .sequence = r->head.sequence,
					 .time_ns = r->head.time_ns,
					 .payload = r->payload,
					 .size = r->head.payload_size };
	return 1;
}

bool relay_spool_may_take(const struct relay_spool *s)
{
	return s->flight_count < RELAY_SPOOL_FLIGHT;
}

static int take(struct relay_spool *s, enum spool_fate fate)
{
	struct spool_reader *r;
	int err;

	r = next_reader(s, &err);
	return r ? push_flight(s, r, fate) : -EINVAL;
}

int relay_spool_taken(struct relay_spool *s)
{
	return take(s, FATE_SENT);
}

int relay_spool_skip(struct relay_spool *s)
{
	return take(s, FATE_STORED);
}

int relay_spool_refuse(struct relay_spool *s)
{
	return take(s, FATE_REJECTED);
}

void relay_spool_rewind(struct relay_spool *s)
{
	bool moved[SPOOL_CLASSES] = { false };

	for (uint32_t i = 0; i < s->flight_count; i++) {
		struct spool_flight *f = flight_at(s, i);
		enum spool_class class;

		if (f->done)
			continue; /* its segment may be gone */
		class = f->segment->class;
		f->run->flight--;
		f->segment->flight--;
		if (moved[class])
			continue;
		moved[class] = true;
		seek_reader(&s->reader[class], f->segment, f->offset);
		s->reader[class].last = f->number - 1;
		for (struct spool_segment *g = f->segment; g; g = g->next)
			g->passed = false;
	}
	s->flight_first = s->flight_count = 0;
}

void spool_reader_init(struct relay_spool *s)
{
	for (int c = 0; c < SPOOL_CLASSES; c++)
		s->reader[c].spool = s;
}

void spool_reader_exit(struct relay_spool *s)
{
	for (int c = 0; c < SPOOL_CLASSES; c++)
		close_reader(&s->reader[c]);
}
