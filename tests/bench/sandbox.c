// SPDX-License-Identifier: MIT
/*
 * sandbox.c - what it costs to analyse in a child: the same pictures (640x480, quality 80, a thing
 * that moves over noise) through the same analysis, here and in a child with all its limits, in
 * turns. Prints one JSON object; ratios are of whole runs, best of ROUNDS each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <turbojpeg.h>

#include "cloud/sandbox.h"

#define W      640
#define H      480
#define FRAMES 300
#define ROUNDS 3
#define MOTION 8

static struct {
	unsigned char *jpeg;
	unsigned long size;
} frames[FRAMES];

struct cost {
	double wall_s, cpu_s;
};

static void make_frames(void)
{
	static unsigned char px[H][W];
	tjhandle t = tjInitCompress();
	uint32_t seed = 1;

	for (int n = 0; n < FRAMES; n++) {
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				int thing = x > 20 + 2 * n && x < 80 + 2 * n && y > 200 && y < 320;

				seed = seed * 1664525 + 1013904223;
				px[y][x] = (unsigned char)((thing ? 200 : x / 4 + y / 8) +
							   (seed >> 28));
			}
		if (!t || tjCompress2(t, px[0], W, 0, H, TJPF_GRAY, &frames[n].jpeg,
				      &frames[n].size, TJSAMP_GRAY, 80, 0)) {
			fprintf(stderr, "cannot make the pictures\n");
			exit(1);
		}
	}
	tjDestroy(t);
}

static double cpu_of(int who)
{
	struct rusage r;

	getrusage(who, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static unsigned int summaries;

static void on_event(void *ctx, const char *id, const char *json)
{
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	summaries++;
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	uint8_t *copy = sequence < FRAMES ? malloc(frames[sequence].size) : NULL;

	*size = copy ? frames[sequence].size : 0;
	if (copy)
		memcpy(copy, frames[sequence].jpeg, *size);
	return copy;
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };
static const struct sluice_analysis_config config = { .camera = "bench",
						      .join_ms = 10000,
						      .event_max_ms = 300000,
						      .keyframes_max = 12,
						      .language = "en" };
static const struct sluice_sandbox_config limits = { 512ull << 20, 60000 };
static const atomic_int never;

/* So many frames, in batches of `batch`. Wall time begins when the child is ready; its CPU time is
 * that of its whole life: take off that of a run without frames. */
static struct cost run(int child, unsigned int batch, unsigned int count)
{
	struct sluice_sandbox *b = child ? sluice_sandbox_open(&limits, "bench", 0, &never) : NULL;
	struct sluice_analyst *a = sluice_analyst_open(b, &config, &ops, NULL);
	struct cost c;
	int err = a ? sluice_analyst_epoch(a, 1, 0, 1000000000) : -1;

	if (!err)
		err = sluice_analyst_sync(a);
	c.wall_s = now_s();
	c.cpu_s = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
	for (unsigned int n = 0; n < count && !err; n++) {
		const struct sluice_stored_frame f = { .epoch = 1,
						       .sequence = n,
						       .time_ns = n * 200000000ull,
						       .utc_ns = n * 200000000ull,
						       .reason = MOTION,
						       .width = W,
						       .height = H,
						       .jpeg = frames[n].jpeg,
						       .jpeg_size = frames[n].size };

		err = sluice_analyst_frame(a, &f);
		if (!err && n % batch == batch - 1)
			err = sluice_analyst_sync(a);
	}
	if (!err)
		err = sluice_analyst_flush(a);
	c.wall_s = now_s() - c.wall_s;
	sluice_analyst_close(a);
	sluice_sandbox_close(b); /* the child's time counts once it has ended */
	c.cpu_s = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - c.cpu_s;
	if (err) {
		fprintf(stderr, "the analysis failed: %s\n", strerror(-err));
		exit(1);
	}
	return c;
}

static void best(struct cost *at, struct cost c)
{
	if (at->wall_s == 0 || c.wall_s < at->wall_s)
		at->wall_s = c.wall_s;
	if (at->cpu_s == 0 || c.cpu_s < at->cpu_s)
		at->cpu_s = c.cpu_s;
}

int main(int argc, char **argv)
{
	struct cost here = { 0 }, batched = { 0 }, single = { 0 }, idle = { 0 };

	if (argc > 1 && !strcmp(argv[1], SLUICE_SANDBOX_WORD))
		return sluice_sandbox_child(argc - 1, argv + 1);
	make_frames();
	for (int i = 0; i < ROUNDS; i++) {
		best(&here, run(0, 8, FRAMES));
		best(&batched, run(1, 8, FRAMES));
		best(&single, run(1, 1, FRAMES));
		best(&idle, run(1, 8, 0));
	}
	batched.cpu_s -= idle.cpu_s;
	single.cpu_s -= idle.cpu_s;
	printf("{\"frames\":%d,\"summaries\":%u,\"here_s\":%.3f,\"here_cpu_s\":%.3f,"
	       "\"child_s\":%.3f,\"child_cpu_s\":%.3f,\"wall_ratio\":%.3f,\"cpu_ratio\":%.3f,"
	       "\"single_wall_ratio\":%.3f,\"single_cpu_ratio\":%.3f,\"start_cpu_s\":%.3f}\n",
	       FRAMES, summaries, here.wall_s, here.cpu_s, batched.wall_s, batched.cpu_s,
	       batched.wall_s / here.wall_s, batched.cpu_s / here.cpu_s,
	       single.wall_s / here.wall_s, single.cpu_s / here.cpu_s, idle.cpu_s);
	return 0;
}
