// SPDX-License-Identifier: MIT
/*
 * camera.c - the gate core around one clip: what the module's sources are to a real camera. The
 * epoch is named by the wall clock, the audit sample by a fixed seed, so that a clip gives the same
 * verdicts every time.
 */
#include "tools/feed/feed.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static uint64_t clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void on_verdict(void *ctx, u64 epoch, u64 sequence, u64 time_ns, u32 score,
		       enum sluice_reason reason)
{
	struct feed_camera *c = ctx;

	feed_verdicts_settle(c->verdicts, sequence, score, reason);
}

static void on_published(void *ctx, const struct sluice_ring_desc *d, bool wake)
{
	struct feed_camera *c = ctx;

	if (wake)
		feed_shm_wake(c->shm);
}

/* A state bit has changed, or is about to be written: the reader looks when it is woken. */
static void on_note(void *ctx, enum sluice_frame_note note, u64 time_ns)
{
	struct feed_camera *c = ctx;

	if (c->shm)
		feed_shm_wake(c->shm);
}

static void on_decided(void *ctx, u64 sequence, const struct sluice_gate_result *r)
{
	struct feed_camera *c = ctx;

	if (r->state == SLUICE_GATE_MOTION || r->state == SLUICE_GATE_SCENE)
		feed_verdicts_motion(c->verdicts);
}

static const struct sluice_frame_ops ops = {
	.verdict = on_verdict, .published = on_published, .note = on_note, .decided = on_decided
};

int feed_camera_open(struct feed_camera *c, const struct feed_options *o, uint32_t fourcc,
		     uint32_t width, uint32_t height)
{
	struct sluice_path_config config = { .picture = &c->picture,
					     .settings = &c->settings,
					     .ring = c->shm ? &c->shm->ring : NULL,
					     .ledger = &c->ledger,
					     .ops = &ops,
					     .ctx = c,
					     .seed = 1 };
	size_t size;
	void *mem;
	int ret;

	c->settings = o->settings;
	sluice_luma_init(false);
	ret = sluice_picture_init(&c->picture, fourcc, width, height, 0);
	if (ret)
		return ret;
	size = sluice_path_size(&c->picture);
	if (!size)
		return -EINVAL;
	mem = calloc(1, size);
	if (!mem)
		return -ENOMEM;
	sluice_ledger_init(&c->ledger);
	c->path = sluice_path_init(mem, &config);
	return 0;
}

void feed_camera_frame(struct feed_camera *c, const void *data, size_t len, uint64_t time_ns)
{
	struct sluice_frame f = { .data = data,
				  .len = len,
				  .time_ns = time_ns,
				  .driver_sequence = c->driver_sequence++ };
	uint64_t before = clock_now(CLOCK_MONOTONIC);

	feed_verdicts_frame(c->verdicts, time_ns);
	sluice_path_frame(c->path, &f, clock_now(CLOCK_REALTIME));
	c->verdicts->busy_ns += clock_now(CLOCK_MONOTONIC) - before;
}

void feed_camera_end(struct feed_camera *c)
{
	sluice_path_end(c->path);
	sluice_path_mirror(c->path, SLUICE_STATE_ENDED, 0);
	if (c->shm)
		feed_shm_wake(c->shm);
}

void feed_camera_close(struct feed_camera *c)
{
	free(c->path);
	c->path = NULL;
}
