// SPDX-License-Identifier: MIT
/*
 * analysis.c - what the cloud does with a stored JPEG, all of it (decoding, background, blobs,
 * tracks, the event's memory), against OpenCV's MOG2 and findContours on the same JPEG, decoding
 * included on both sides, and against a millisecond: 1000 frames/s on one core. Less than a
 * millisecond depends on the machine; the ratio to MOG2 hardly does.
 *
 * Two streets: a busy one (frames of the runner's clip) and one on which little moves (two boxes in
 * front of the clip's first frame, with noise of 2 grey levels).
 */
#include "bench.h"
#include "tests/accuracy/peers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include <sluice/ring.h>

#include "cloud/analysis.h"

#define W	640
#define H	480
#define FRAMES	32
#define QUALITY 80
#define STEP_NS 33000000ull

struct job {
	uint8_t *jpeg[FRAMES];
	unsigned long size[FRAMES];
	struct sluice_analysis *analysis;
	struct peer *peer;
	uint8_t *mask;
	uint64_t sequence;
};

static void drop_summary(void *ctx, const struct sluice_summary *s)
{
}

static const struct sluice_analysis_ops ops = { .summary = drop_summary };

static uint64_t analyse(void *context, unsigned int i)
{
	struct job *j = context;
	struct sluice_stored_frame f = {
		.epoch = 1,
		.sequence = ++j->sequence,
		.time_ns = j->sequence * STEP_NS,
		.utc_ns = j->sequence * STEP_NS,
		.reason = SLUICE_REASON_MOTION,
		.width = W,
		.height = H,
		.jpeg = j->jpeg[i],
		.jpeg_size = j->size[i],
	};

	if (sluice_analysis_frame(j->analysis, &f))
		abort();
	return j->sequence;
}

static uint64_t subtract(void *context, unsigned int i)
{
	struct job *j = context;
	double ignored = 0;

	return peer_frame(j->peer, j->jpeg[i], (uint32_t)j->size[i], j->mask, &ignored);
}

static void encode(struct job *j, const uint8_t *rgb)
{
	tjhandle t = tjInitCompress();

	for (unsigned int i = 0; i < FRAMES; i++)
		if (!t || tjCompress2(t, rgb + (size_t)i * W * H * 3, W, 0, H, TJPF_RGB,
				      &j->jpeg[i], &j->size[i], TJSAMP_420, QUALITY, 0))
			abort();
	tjDestroy(t);
}

/* The first frame again and again, with noise, and two boxes that walk before it. */
static void make_calm(uint8_t *rgb)
{
	uint32_t dice = 1;

	for (unsigned int i = FRAMES; i-- > 0;) {
		uint8_t *p = rgb + (size_t)i * W * H * 3;

		memmove(p, rgb, (size_t)W * H * 3);
		for (unsigned int k = 0; k < 2; k++)
			for (unsigned int y = 200 + 60 * k; y < 310 + 60 * k; y++)
				memset(p + ((size_t)y * W + 100 + 200 * k + 4 * i) * 3,
				       k ? 30 : 220, 40 * 3);
		for (size_t n = 0; n < (size_t)W * H * 3; n++) {
			int v = p[n] + (int)((dice = dice * 1664525 + 1013904223) >> 24) % 9 - 4;

			p[n] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
	}
}

static void bench_street(struct bench *b, const uint8_t *rgb, bool calm)
{
	const struct sluice_analysis_config c = { .camera = "bench",
						  .join_ms = 10000,
						  .event_max_ms = 300000,
						  .keyframes_max = 12,
						  .language = "en" };
	struct bench_row row = { .aim = 0.1 };
	struct job j = { .analysis = sluice_analysis_open(&c, &ops, NULL),
			 .peer = peer_open(PEER_MOG2, W, H),
			 .mask = malloc((size_t)W * H) };

	if (!j.analysis || !j.mask)
		abort();
	encode(&j, rgb);
	row.name = calm ? "analysis_calm_mog2" : "analysis_busy_mog2";
	row.what = calm ? "decoding, model, tracks of 640x480 JPEG, two things walk"
			: "decoding, model, tracks of 640x480 JPEG, a busy street";
	row.against = "decoding, OpenCV MOG2 with shadows, median, findContours";
	if (j.peer)
		bench_pair(b, &row, analyse, &j, subtract, &j, FRAMES);
	else
		bench_left_out(b, row.name, "OpenCV is not installed");
	peer_close(j.peer);
	free(j.mask);
	sluice_analysis_close(j.analysis);
	for (unsigned int i = 0; i < FRAMES; i++)
		tjFree(j.jpeg[i]);
}

void bench_analysis(struct bench *b)
{
	const char *source;
	uint8_t *rgb = bench_clip(b, "analysis", W, H, FRAMES, &source);

	if (!rgb)
		return;
	bench_street(b, rgb, false);
	make_calm(rgb);
	bench_street(b, rgb, true);
	free(rgb);
}
