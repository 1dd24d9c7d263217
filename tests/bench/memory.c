// SPDX-License-Identifier: MIT
/*
 * memory.c - what one camera's analysis keeps, by the size of its pictures: with the scene alone,
 * and with an event going on (a thing that moves for 40 s, its key frames kept). Each of many
 * cameras in one heap, as in a child. Prints one JSON object per size, bytes per camera.
 * Exit 1 if that is more than a child's master reserves for it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "cloud/analysis.h"
#include "cloud/digest.h"
#include "cloud/room.h"

#define CAMERAS 8
#define FRAMES	200 /* five a second */
#define STILL	20  /* of them before anything moves */
#define MOTION	8

static unsigned char *jpeg[FRAMES];
static unsigned long size[FRAMES];

static void make_frames(unsigned int w, unsigned int h)
{
	unsigned char *px = malloc((size_t)w * h);
	tjhandle t = tjInitCompress();
	uint32_t seed = 1;

	for (unsigned int n = 0; n < FRAMES; n++) {
		unsigned int left = w / 20 + w * (n > STILL ? n - STILL : 0) / 250;

		for (unsigned int y = 0; y < h; y++)
			for (unsigned int x = 0; x < w; x++) {
				int thing = n >= STILL && x > left && x < left + w / 8 &&
					    y > h / 3 && y < 2 * h / 3;

				seed = seed * 1664525 + 1013904223;
				px[(size_t)y * w + x] =
					(unsigned char)((thing ? 200
							       : (x * 256 / w) / 2 +
									 (y * 256 / h) / 4) +
							(seed >> 28));
			}
		if (!px || !t ||
		    tjCompress2(t, px, (int)w, 0, (int)h, TJPF_GRAY, &jpeg[n], &size[n],
				TJSAMP_GRAY, 85, 0)) {
			fprintf(stderr, "cannot make the pictures\n");
			exit(1);
		}
	}
	tjDestroy(t);
	free(px);
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static int events, summaries;

static void on_event(void *ctx, const char *id, const char *json)
{
	events++;
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	summaries++;
}

static void on_digest(void *ctx, struct sluice_digest_plan *plan)
{
	sluice_digest_plan_free(plan);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *bytes)
{
	uint8_t *copy = sequence < FRAMES ? malloc(size[sequence]) : NULL;

	*bytes = copy ? size[sequence] : 0;
	if (copy)
		memcpy(copy, jpeg[sequence], *bytes);
	return copy;
}

static int measure(unsigned int w, unsigned int h)
{
	static const struct sluice_analysis_ops ops = {
		.event = on_event, .summary = on_summary, .digest = on_digest, .fetch = on_fetch
	};
	static const struct sluice_analysis_config config = { .camera = "bench",
							      .join_ms = 10000,
							      .event_max_ms = 300000,
							      .keyframes_max = 12,
							      .language = "en" };
	struct sluice_analysis *a[CAMERAS];
	size_t before, opened, still = 0, most = 0, at;

	make_frames(w, h);
	before = in_use();
	for (int i = 0; i < CAMERAS; i++) {
		a[i] = sluice_analysis_open(&config, &ops, NULL);
		sluice_analysis_epoch(a[i], 1, 0, 1000000000);
	}
	opened = in_use() - before;
	events = summaries = 0;
	for (unsigned int n = 0; n < FRAMES; n++) {
		const struct sluice_stored_frame f = { .epoch = 1,
						       .sequence = n,
						       .time_ns = n * 200000000ull,
						       .utc_ns = n * 200000000ull,
						       .reason = MOTION,
						       .width = w,
						       .height = h,
						       .jpeg = jpeg[n],
						       .jpeg_size = size[n] };

		for (int i = 0; i < CAMERAS; i++)
			sluice_analysis_frame(a[i], &f);
		at = in_use() - before;
		if (n == STILL - 1)
			still = at;
		most = at > most ? at : most;
	}
	for (int i = 0; i < CAMERAS; i++)
		sluice_analysis_close(a[i]);
	printf("{\"width\": %u, \"height\": %u, \"jpeg\": %lu, \"opened\": %zu, \"scene\": %zu, "
	       "\"event\": %zu, \"events\": %d, \"reserved\": %llu}\n",
	       w, h, size[FRAMES - 1], opened / CAMERAS, still / CAMERAS, most / CAMERAS, events,
	       (unsigned long long)sluice_room_need(w, h));
	for (unsigned int n = 0; n < FRAMES; n++) {
		tjFree(jpeg[n]);
		jpeg[n] = NULL;
	}
	if (opened / CAMERAS <= sluice_room_need(0, 0) && most / CAMERAS <= sluice_room_need(w, h))
		return 0;
	fprintf(stderr, "%ux%u: more is held than cloud/room.c reserves\n", w, h);
	return 1;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[][2] = { { 160, 120 },	{ 320, 240 },	{ 640, 480 },
						 { 1280, 720 }, { 1920, 1080 }, { 2560, 1440 },
						 { 3840, 2160 } };

	size_t count = sizeof(sizes) / sizeof(sizes[0]);
	int bad = 0;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--smallest") != 0)) {
		fprintf(stderr, "usage: bench_memory [--smallest]\n");
		return 2;
	}
	for (size_t i = 0; i < (argc == 2 ? 1 : count); i++)
		bad |= measure(sizes[i][0], sizes[i][1]);
	return bad;
}
