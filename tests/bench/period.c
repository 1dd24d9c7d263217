// SPDX-License-Identifier: MIT
/*
 * period.c - a stored hour becomes the summary of a period, as a job makes it (jobs_period.c): the
 * index is asked for events and frames, frames are read from their segments, tubes are cut out,
 * placed, drawn and encoded, sheets and text are made. Prints one JSON object.
 *
 * The hour is a busy one: each minute somebody crosses the picture (640x480 in colour, noise, 5
 * pictures a second) for 20 s, each on a way of his own, every third time two at once. It is stored
 * and analysed first; that is measured too, and is no part of the summary.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <turbojpeg.h>

#include "cloud/period_fill.h"
#include "cloud/period_make.h"
#include "cloud/reanalyse.h"
#include "tests/unit/store_rig.h"

#define W	640
#define H	480
#define S	1000000000ull
#define T0	(1700000000 * S)
#define MINUTES 60
#define ACTIVE	20 /* s of each minute */
#define RATE	5
#define SECONDS 60 /* of synopsis */

static struct store_rig rig;
static struct sluice_shelf shelf;
static unsigned char ground[H][W][3], px[H][W][3];

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_period: cannot %s\n", what);
	exit(1);
}

/* ---- the hour ---- */

static void draw_ground(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int tile = (x / 40 + y / 30) % 2 * 20;

			ground[y][x][0] = (unsigned char)(80 + tile + x / 16);
			ground[y][x][1] = (unsigned char)(90 + tile + y / 12);
			ground[y][x][2] = (unsigned char)(70 + tile);
		}
}

/* Somebody: head and body, in colours of his own, share 0..1 of his way across. */
static void draw_walker(unsigned int number, double share)
{
	int tall = 60 + (int)(number * 37 % 90), wide = tall / 3;
	int from = (int)(number * 53 % 200) + 120, to = (int)(number * 91 % 200) + 120;
	int x0 = (int)(number % 2 ? share * (W + wide) - wide : W - share * (W + wide));
	int y0 = (int)(from + (to - from) * share);

	for (int y = y0; y < y0 + tall && y < H; y++)
		for (int x = x0 < 0 ? 0 : x0; x < x0 + wide && x < W; x++) {
			int dx = x - x0 - wide / 2, head = y - y0 < tall / 4;

			if (y < 0 || (head && abs(dx) > wide / 4))
				continue;
			px[y][x][0] = (unsigned char)(head ? 210 : 40 + number * 29 % 180);
			px[y][x][1] = (unsigned char)(head ? 170 : 30 + number * 67 % 180);
			px[y][x][2] = (unsigned char)(head ? 140 : 20 + number * 101 % 200);
			px[y][x][1] = (unsigned char)(px[y][x][1] + (x ^ y) % 8);
		}
}

static void store_frame(struct sluice_store *s, tjhandle t, uint64_t sequence, uint64_t at_ns,
			bool moving)
{
	static uint32_t seed = 1;
	unsigned char *jpeg = NULL, *p = px[0][0];
	unsigned long size = 0;
	struct sluice_item *item;
	uint64_t resume;

	for (size_t i = 0; i < sizeof(px); i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (unsigned char)(p[i] + (seed >> 29));
	}
	must(!tjCompress2(t, p, W, 0, H, TJPF_RGB, &jpeg, &size, TJSAMP_420, 80, 0), "encode");
	item = calloc(1, sizeof(*item) + size);
	must(item != NULL, "get memory");
	item->camera = &rig.camera;
	item->epoch = STORE_RIG_EPOCH;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = 7 * S + at_ns;
	item->utc_ns = T0 + at_ns;
	item->reason = moving ? SLUICE_REASON_MOTION : SLUICE_REASON_KEEPALIVE;
	item->width = W;
	item->height = H;
	item->jpeg_size = (uint32_t)size;
	memcpy(item->data, jpeg, size);
	must(sequence || !sluice_store_epoch(s, item, &resume), "store");
	must(!sluice_store_frame(s, item), "store");
	free(item);
	tjFree(jpeg);
}

static uint64_t store_minute(struct sluice_store *s, tjhandle t, unsigned int minute,
			     uint64_t sequence)
{
	uint64_t at = minute * 60 * S;

	must(!sluice_store_begin(s), "store");
	for (int i = 0; i < 3; i++) { /* before anybody comes */
		memcpy(px, ground, sizeof(px));
		store_frame(s, t, sequence++, at + (uint64_t)i * S, false);
	}
	at += 5 * S;
	for (unsigned int i = 0; i < ACTIVE * RATE; i++) {
		memcpy(px, ground, sizeof(px));
		draw_walker(2 * minute, i / (double)(ACTIVE * RATE));
		if (minute % 3 == 0)
			draw_walker(2 * minute + 1, i / (double)(ACTIVE * RATE));
		store_frame(s, t, sequence++, at + i * S / RATE, true);
	}
	must(!sluice_store_sync(s) && !sluice_store_commit(s), "store");
	return sequence;
}

static uint64_t store_hour(void)
{
	tjhandle t = tjInitCompress();
	struct sluice_store *s;
	uint64_t sequence = 0;

	must(t != NULL, "encode");
	draw_ground();
	store_rig_begin(&rig, 0);
	must(!sluice_store_open(rig.data, &rig.ring, &s), "open a store");
	for (unsigned int minute = 0; minute < MINUTES; minute++)
		sequence = store_minute(s, t, minute, sequence);
	sluice_store_close(s);
	tjDestroy(t);
	must(!store_rig_shelf(&rig, rig.data, &shelf), "open the index");
	shelf.rebuild = sluice_rebuild_open();
	return sequence;
}

/* ---- told, as a worker tells it ---- */

static unsigned int events;

static void on_summary(void *ctx, const struct sluice_summary *sum)
{
	must(sluice_shelf_put(&shelf, &rig.camera, sum) >= 0, "store a summary");
	events++;
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	return sluice_shelf_jpeg(&shelf, &rig.camera, epoch, sequence, size);
}

static void tell_hour(uint64_t frames)
{
	static const struct sluice_analysis_ops ops = { .summary = on_summary, .fetch = fetch };
	struct sluice_analysis_config c = {
		.join_ms = 10000, .event_max_ms = 300000, .keyframes_max = 12, .language = "en"
	};
	struct sluice_analysis *a;

	memcpy(c.camera, rig.camera.name, sizeof(c.camera));
	a = sluice_analysis_open(&c, &ops, NULL);
	must(a != NULL, "get memory");
	sluice_analysis_epoch(a, STORE_RIG_EPOCH, 7 * S, T0);
	for (uint64_t i = 0; i < frames; i++) {
		struct sluice_segment_frame rec;
		uint8_t *buf;

		must(!sluice_shelf_record(&shelf, &rig.camera, STORE_RIG_EPOCH, i, &rec, &buf),
		     "read a frame");
		sluice_analysis_frame(a,
				      &(struct sluice_stored_frame){ .epoch = rec.epoch,
								     .sequence = i,
								     .time_ns = rec.time_ns,
								     .utc_ns = rec.utc_ns,
								     .reason = rec.reason,
								     .width = rec.width,
								     .height = rec.height,
								     .jpeg = rec.jpeg,
								     .jpeg_size = rec.jpeg_size });
		free(buf);
	}
	sluice_analysis_flush(a);
	sluice_analysis_close(a);
}

int main(void)
{
	const struct sluice_period_options o = { .fetch = fetch };
	struct sluice_period_made *made = NULL;
	struct sluice_period *p;
	uint64_t frames = store_hour();
	double begin = cpu_s(), told, done;
	json_t *summary;

	tell_hour(frames);
	told = cpu_s();
	p = sluice_period_open(rig.camera.name, (int64_t)T0, (int64_t)(T0 + 3600 * S));
	must(p != NULL, "get memory");
	p->seconds = SECONDS;
	p->order_s = SECONDS / 6.0;
	snprintf(p->id, sizeof(p->id), "%032d", 1);
	must(!sluice_period_fill(p, shelf.index, &rig.camera, NULL, NULL) &&
		     !sluice_period_make(p, &o, &made),
	     "sum the hour up");
	done = cpu_s();
	summary = json_loads(made->json, 0, NULL);
	printf("{\"frames\":%llu,\"events\":%u,\"objects_shown\":%lld,\"objects_left_out\":%lld,"
	       "\"video_s\":%.1f,\"analysis_s\":%.2f,\"period_s\":%.2f,\"times\":%.1f}\n",
	       (unsigned long long)frames, events,
	       (long long)json_integer_value(json_object_get(summary, "objects_shown")),
	       (long long)json_integer_value(json_object_get(summary, "objects_left_out")),
	       json_number_value(json_object_get(summary, "video_s")), told - begin, done - told,
	       3600 / (done - told));
	json_decref(summary);
	sluice_period_made_free(made);
	sluice_period_free(p);
	sluice_rebuild_close(shelf.rebuild);
	store_rig_close(&shelf);
	store_rig_remove(rig.data);
	return 0;
}
