// SPDX-License-Identifier: MIT
/*
 * wire.c - bytes on the wire for real clips: every frame as JPEG; what the gate passes, full; the
 * same as regions; and continuous H.264 at the rate of the gate (5 frames/s), at the first of a few
 * qualities that is no worse where something moved. Every region is rebuilt by the cloud's code and
 * compared with the camera's frame.
 *
 * BENCH_WIRE_CLIPS: files, separated by newlines.
 */
#include "bench.h"
#include "wire.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE 5.0 /* frames/s that the gate passes on */

/* Seconds with an event, by the truth beside the clip; < 0: there is none. */
static double busy_seconds(const char *clip)
{
	char path[4096], text[65536];
	const char *dot = strrchr(clip, '.');
	double sum = 0, start, end;
	const char *p, *q, *stop;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%.*s.events.json", (int)(dot - clip), clip);
	f = fopen(path, "r");
	if (!f)
		return -1;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	p = strstr(text, "\"events\"");
	stop = p ? strstr(p, "\n ]") : NULL;
	while (p && (p = strstr(p, "\"start\":")) && (!stop || p < stop)) {
		q = strstr(p, "\"end\":");
		if (!q || sscanf(p + 8, "%lf", &start) != 1 || sscanf(q + 6, "%lf", &end) != 1)
			break;
		sum += end - start;
		p = q;
	}
	return sum;
}

static void put_bytes(struct bench *b, const char *kind, const char *clip, const char *what,
		      const char *against, uint64_t ours, uint64_t other, double aim)
{
	char name[160];

	snprintf(name, sizeof(name), "wire_%s_%s", kind, clip);
	bench_figures(b, &(struct bench_row){ name, what, against, aim }, "kB", (double)ours / 1e3,
		      (double)other / 1e3);
}

static void against_h264(struct bench *b, const struct wire_clip *c, const char *clip)
{
	static const int crf[] = { 32, 29, 26, 23, 20, 17 };
	uint32_t every = (uint32_t)fmax(1, round(c->fps / RATE));
	char file[64], what[256];
	struct wire_error e;
	uint64_t bytes = 0;
	size_t i;
	int fd;

	snprintf(file, sizeof(file), "/tmp/sluice-bench-XXXXXX");
	fd = mkstemp(file);
	close(fd);
	for (i = 0; fd >= 0 && i < sizeof(crf) / sizeof(crf[0]); i++) {
		if (wire_h264_run(c, every, crf[i], file, &bytes, &e)) {
			bench_left_out(b, "wire_h264", "ffmpeg with libx264 failed");
			unlink(file);
			return;
		}
		if (wire_psnr(&e) >= wire_psnr(&c->part))
			break;
	}
	unlink(file);
	snprintf(what, sizeof(what),
		 "gate and regions; PSNR where it moved %.2f dB, H.264 %.2f dB (crf %d, %.1f/s)",
		 wire_psnr(&c->part), wire_psnr(&e), crf[i < 6 ? i : 5], c->fps / every);
	printf("  %s\n", what);
	put_bytes(b, "h264", clip, what, "continuous H.264, veryfast, zerolatency", c->region,
		  bytes, 0);
}

static void measure(struct bench *b, const char *path)
{
	const char *slash = strrchr(path, '/');
	double busy = busy_seconds(path), quiet;
	struct wire_clip c;
	char why[512], clip[64], what[256];

	snprintf(clip, sizeof(clip), "%.60s", slash ? slash + 1 : path);
	clip[strcspn(clip, ".")] = 0;
	if (wire_clip_run(&c, path, why, sizeof(why))) {
		bench_left_out(b, clip, why);
		return;
	}
	quiet = 1 - busy * c.fps / (double)c.frames;
	snprintf(what, sizeof(what), "gate with default settings; %lu of %lu frames",
		 (unsigned long)c.sent, (unsigned long)c.frames);
	put_bytes(b, "gate", clip, what, "every frame as JPEG", c.full, c.every, 0);
	snprintf(what, sizeof(what), "gate and regions; %.0f %% of the clip is quiet",
		 busy < 0 ? NAN : 100 * quiet);
	put_bytes(b, "region", clip, what, "every frame as JPEG", c.region, c.every,
		  busy >= 0 && quiet >= 0.5 ? 0.1 : 0);
	snprintf(what, sizeof(what),
		 "regions (%lu of %lu frames); PSNR where sent %.2f dB, full frames %.2f dB there; "
		 "elsewhere %.2f and %.2f dB",
		 (unsigned long)c.parts, (unsigned long)c.sent, wire_psnr(&c.part),
		 wire_psnr(&c.whole), wire_psnr(&c.stale), wire_psnr(&c.around));
	printf("  %s\n", what);
	put_bytes(b, "region_full", clip, what, "the same frames, full", c.region, c.full, 0.5);
	if (c.part.sum != c.whole.sum)
		bench_left_out(b, clip, "a region is not what the full frame has there");
	if (c.parts)
		against_h264(b, &c, clip);
	wire_clip_free(&c);
}

void bench_wire(struct bench *b)
{
	const char *list = getenv("BENCH_WIRE_CLIPS");
	char path[4096];
	int any = 0;

	signal(SIGPIPE, SIG_IGN); /* ffmpeg may end early: then its row is left out */
	while (list && *list) {
		size_t n = strcspn(list, "\n");

		if (n && n < sizeof(path)) {
			memcpy(path, list, n);
			path[n] = 0;
			if (!access(path, R_OK)) {
				measure(b, path);
				any = 1;
			}
		}
		list += n + !!list[n];
	}
	if (!any)
		bench_left_out(b, "wire", "no clip: install opencv-doc");
}
