// SPDX-License-Identifier: MIT
/* play.c - see play.h. The device's clock is told once a second, as STATS would. */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/wire.h"
#include "relay/encode.h"
#include "relay/ring.h"
#include "tools/feed/feed.h"

#define YU12	  0x32315559u
#define ARENA	  (128ull << 20)
#define QUALITY	  80
#define FIRST_NS  1000000000ull /* of the first frame */
#define FIRST_UTC 1700000000000000000ull

struct player {
	struct play *out;
	const struct play *from; /* who has the frames */
	const struct play_source *source;
	struct feed_shm shm;
	struct feed_camera camera;
	struct feed_verdicts verdicts;
	struct relay_ring ring;
	struct relay_encoder *encoder;
	u64 at, epoch;
};

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void on_event(void *ctx, const char *id, const char *json)
{
	struct player *p = ctx;

	p->out->events++;
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	struct play *out = ((struct player *)ctx)->out;

	if (out->summaries == PLAY_SUMMARIES)
		abort();
	out->summary[out->summaries] = json_loads(s->json, 0, NULL);
	if (!out->summary[out->summaries++])
		abort();
}

static u8 *copy_of(const void *from, size_t n)
{
	u8 *to = malloc(n + 1);

	if (!to)
		abort();
	memcpy(to, from, n);
	return to;
}

static u8 *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct play *from = ((struct player *)ctx)->from;

	for (u32 i = 0; i < from->count; i++)
		if (from->frame[i].index == sequence) {
			*size = from->frame[i].size;
			return copy_of(from->frame[i].jpeg, from->frame[i].size);
		}
	return NULL;
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };

static int analyse(struct player *p, const struct play_frame *f)
{
	struct play *out = p->out;
	double before;
	int err;

	if (p->epoch != f->stored.epoch)
		sluice_analysis_epoch(out->analysis, f->stored.epoch, FIRST_NS, FIRST_UTC);
	p->epoch = f->stored.epoch;
	before = cpu_now();
	err = sluice_analysis_frame(out->analysis, &f->stored);
	out->cpu_s += cpu_now() - before;
	if (!err && p->source->analysed)
		p->source->analysed(p->source->ctx, out, f);
	return err;
}

static int take_record(struct player *p, const struct sluice_ring_desc *d)
{
	struct play_frame *f = &p->out->frame[p->out->count];
	struct relay_picture picture;
	size_t n = 0;

	if (p->out->count == PLAY_FRAMES ||
	    relay_encode(p->encoder, d, relay_ring_bytes(&p->ring, d->offset), &picture))
		return -1;
	*f = (struct play_frame){ .index = d->driver_sequence,
				  .t_s = (d->time_ns - FIRST_NS) * 1e-9,
				  .reason = d->reason,
				  .jpeg = malloc(picture.size),
				  .size = picture.size };
	if (!f->jpeg)
		abort();
	for (u32 i = 0; i < picture.count; i++) {
		memcpy(f->jpeg + n, picture.iov[i].iov_base, picture.iov[i].iov_len);
		n += picture.iov[i].iov_len;
	}
	f->stored = (struct sluice_stored_frame){
		.epoch = d->epoch,
		.sequence = d->sequence,
		.time_ns = d->time_ns,
		.utc_ns = FIRST_UTC + d->time_ns - FIRST_NS,
		.reason = d->reason,
		.flags = d->flags,
		.score = d->score,
		.settings = d->settings,
		.width = d->width,
		.height = d->height,
		.grid_w = d->grid_w,
		.grid_h = d->grid_h,
		.jpeg = f->jpeg,
		.jpeg_size = f->size,
	};
	if (d->cells_size)
		f->stored.cells = copy_of(relay_ring_bytes(&p->ring, d->cells), d->cells_size);
	p->out->count++;
	return analyse(p, f);
}

static int take_records(struct player *p)
{
	struct sluice_ring_desc d;

	for (; p->at < relay_ring_head(&p->ring); p->at++)
		if (relay_ring_record(&p->ring, p->at, &d) || take_record(p, &d))
			return -1;
	relay_ring_release(&p->ring, p->at);
	return 0;
}

static void tell_clock(struct player *p)
{
	struct relay_snapshot s;

	if (!relay_ring_snapshot(&p->ring, &s))
		sluice_analysis_clock(p->out->analysis, s.now_ns, s.state & SLUICE_STATE_OPEN,
				      s.delivered, s.count);
}

static int open_player(struct player *p, const struct sluice_analysis_config *c)
{
	struct feed_options o = { .fourcc = YU12 };
	struct sluice_analysis_config defaults;
	char why[160];

	play_config(&defaults);
	sluice_settings_default(&o.settings);
	p->camera.shm = &p->shm;
	p->camera.verdicts = &p->verdicts;
	p->encoder = relay_encoder_open(QUALITY, SLUICE_WIRE_PAYLOAD_MAX);
	p->out->analysis = sluice_analysis_open(c ? c : &defaults, &ops, p);
	if (!p->encoder || !p->out->analysis || feed_shm_open(&p->shm, "movie", ARENA, 1) ||
	    feed_camera_open(&p->camera, &o, YU12, p->source->width, p->source->height))
		return -1;
	return relay_ring_map(&p->ring, p->shm.memfd, p->shm.size, why, sizeof(why));
}

static int give_all(struct player *p)
{
	size_t size = (size_t)p->source->width * p->source->height * 3 / 2;
	const u8 *yuv;
	double t_s, told = 0;
	u64 last = 0;

	while (p->source->next(p->source->ctx, &yuv, &t_s)) {
		u64 now = FIRST_NS + (u64)(t_s * 1e9 + 0.5);

		now = now > last ? now : last + 1;
		last = now;
		p->out->given++;
		p->out->length_s = t_s;
		feed_camera_frame(&p->camera, yuv, size, now);
		if (take_records(p))
			return -1;
		if (t_s - told >= 1) {
			tell_clock(p);
			told = t_s;
		}
	}
	feed_camera_end(&p->camera);
	if (take_records(p))
		return -1;
	sluice_analysis_flush(p->out->analysis);
	return 0;
}

void play_config(struct sluice_analysis_config *c)
{
	*c = (struct sluice_analysis_config){ .camera = "movie",
					      .join_ms = 10000,
					      .event_max_ms = 300000,
					      .keyframes_max = 12,
					      .language = "en" };
}

int play_run(struct play *out, const struct play_source *s, const struct sluice_analysis_config *c)
{
	struct player p = { .out = out, .from = out, .source = s };
	int err;

	memset(out, 0, sizeof(*out));
	out->width = s->width;
	out->height = s->height;
	err = open_player(&p, c) ? -1 : give_all(&p);
	relay_ring_unmap(&p.ring);
	feed_camera_close(&p.camera);
	feed_shm_close(&p.shm);
	feed_verdicts_free(&p.verdicts);
	relay_encoder_close(p.encoder);
	return err;
}

int play_again(struct play *out, const struct play *from, const struct play_source *s,
	       const struct sluice_analysis_config *c)
{
	struct player p = { .out = out, .from = from, .source = s };
	int err = 0;

	memset(out, 0, sizeof(*out));
	out->width = from->width;
	out->height = from->height;
	out->given = from->given;
	out->length_s = from->length_s;
	out->analysis = sluice_analysis_open(c, &ops, &p);
	if (!out->analysis)
		return -1;
	for (u32 i = 0; i < from->count && !err; i++)
		err = analyse(&p, &from->frame[i]);
	sluice_analysis_flush(out->analysis);
	return err;
}

void play_free(struct play *p)
{
	sluice_analysis_close(p->analysis);
	for (u32 i = 0; i < p->count; i++) {
		free(p->frame[i].jpeg);
		free((void *)p->frame[i].stored.cells);
	}
	for (u32 i = 0; i < p->summaries; i++)
		json_decref(p->summary[i]);
	memset(p, 0, sizeof(*p));
}
