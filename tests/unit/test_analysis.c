// SPDX-License-Identifier: MIT
/*
 * The whole chain on drawn JPEGs: a textured box walks through a noisy picture, with gaps as the
 * gate makes them. What is told must be what was drawn: times, tracks, sides, key frames.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <turbojpeg.h>

#include <sluice/ring.h>
#include <sluice/wire.h>

#include "cloud/analysis.h"
#include "cloud/summary.h"

#define W 640
#define H 480
#define CHECK(c)                                                               \
	do {                                                                   \
		if (!(c)) {                                                    \
			printf("%s:%d: not so: %s\n", __func__, __LINE__, #c); \
			failed = 1;                                            \
		}                                                              \
	} while (0)

static int failed;
static int events, summaries;
static json_t *last;
static char event_id[33];
static unsigned char px[W * H];
static unsigned int seed = 1;
static struct {
	char id[33];
	size_t media;
} told[8];

static void on_event(void *ctx, const char *id, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);

	CHECK(o && json_is_number(json_object_get(o, "start_s")));
	json_decref(o);
	snprintf(event_id, sizeof(event_id), "%s", id);
	events++;
}

static uint64_t ns_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	json_decref(last);
	last = json_loads(s->json, 0, NULL);
	CHECK(last);
	CHECK(strlen(s->id) == 32);
	/* an index is made again from the JSON alone */
	CHECK(ns_of(last, "start_ns") == s->start_utc_ns);
	CHECK(ns_of(last, "end_ns") == s->end_utc_ns);
	snprintf(told[summaries % 8].id, 33, "%s", s->id);
	told[summaries % 8].media = s->media_count;
	for (size_t i = 0; i < s->media_count; i++)
		CHECK(s->media[i].size > 100 && s->media[i].data[0] == 0xff &&
		      s->media[i].data[1] == 0xd8);
	summaries++;
}

static uint8_t *encode(size_t *size)
{
	tjhandle tj = tjInitCompress();
	unsigned char *out = NULL, *copy;
	unsigned long n = 0;

	tjCompress2(tj, px, W, 0, H, TJPF_GRAY, &out, &n, TJSAMP_GRAY, 80, 0);
	copy = malloc(n);
	memcpy(copy, out, n);
	*size = n;
	tjFree(out);
	tjDestroy(tj);
	return copy;
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	return encode(size);
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };

static void draw_scene(int gain)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int v = 70 + x / 8 + 20 * ((x / 40 + y / 40) & 1) +
				(int)(rand_r(&seed) % 9) - 4;

			v = v * gain / 100;
			px[y * W + x] = v > 255 ? 255 : v;
		}
}

static void draw_box(int x0, int y0, int w, int h)
{
	for (int y = y0 < 0 ? 0 : y0; y < y0 + h && y < H; y++)
		for (int x = x0 < 0 ? 0 : x0; x < x0 + w && x < W; x++)
			px[y * W + x] = 200 + 30 * (((x - x0) / 8 + (y - y0) / 8) & 1);
}

static int give(struct sluice_analysis *a, uint64_t seq, double t_s, int reason)
{
	struct sluice_stored_frame f = {
		.epoch = 5,
		.sequence = seq,
		.time_ns = 1000000000ull + (uint64_t)(t_s * 1e9),
		.utc_ns = 1700000000000000000ull + (uint64_t)(t_s * 1e9),
		.reason = reason,
		.width = W,
		.height = H,
		.settings = 3,
	};
	int err;

	f.jpeg = encode(&f.jpeg_size);
	err = sluice_analysis_frame(a, &f);
	free((void *)f.jpeg);
	return err;
}

static struct sluice_analysis *open_chain(void)
{
	struct sluice_analysis_config c = { .camera = "yard",
					    .join_ms = 10000,
					    .event_max_ms = 300000,
					    .keyframes_max = 12,
					    .language = "en" };
	struct sluice_analysis *a = sluice_analysis_open(&c, &ops, NULL);

	events = summaries = 0;
	sluice_analysis_epoch(a, 5, 1000000000ull, 1700000000000000000ull);
	return a;
}

static void quiet(struct sluice_analysis *a, uint64_t *seq, double from, double to, int reason)
{
	for (double t = from; t < to; t += 0.2) {
		draw_scene(100);
		CHECK(!give(a, (*seq)++, t, reason));
	}
}

static double number(const char *key)
{
	return json_number_value(json_object_get(last, key));
}

static const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void check_walker(void)
{
	json_t *tracks = json_object_get(last, "tracks"), *t = json_array_get(tracks, 0);
	json_t *keys = json_object_get(last, "keyframes");

	CHECK(!strcmp(event_id, told[0].id));
	CHECK(fabs(number("start_s") - 3) < 0.5 && fabs(number("end_s") - 7) < 0.5);
	CHECK(number("peak_objects") == 1 && number("settings") == 3);
	CHECK(json_array_size(tracks) == 1);
	CHECK(!strcmp(text_of(t, "enter"), "left"));
	CHECK(!strcmp(text_of(t, "leave"), "right"));
	CHECK(!strcmp(text_of(t, "class"), "person-like"));
	CHECK(json_array_size(json_object_get(t, "boxes")) > 10);
	CHECK(json_array_size(keys) >= 1 && json_array_size(keys) == told[0].media);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		double s = json_number_value(json_object_get(json_array_get(keys, i), "t_s"));

		CHECK(s > 2.9 && s < 7.1);
	}
	CHECK(strstr(text_of(last, "text"), "crosses from the left to the right"));
}

/* One walker, left to right, 4 s; the device's clock ends the event. */
static void walker(void)
{
	struct sluice_analysis *a = open_chain();
	uint64_t seq = 0, counts[32] = { 0 };

	quiet(a, &seq, 0, 1.5, SLUICE_REASON_WARMUP);
	quiet(a, &seq, 1.6, 3, SLUICE_REASON_PREROLL);
	for (double s = 3; s < 7; s += 0.2) {
		draw_scene(100);
		draw_box(-40 + (int)((s - 3) * 180), 200, 48, 110);
		CHECK(!give(a, seq++, s, SLUICE_REASON_MOTION));
	}
	CHECK(events == 1 && summaries == 0);
	quiet(a, &seq, 7, 12, SLUICE_REASON_POSTROLL);
	sluice_analysis_clock(a, 1000000000ull + 14000000000ull, 0, seq, counts);
	CHECK(summaries == 0); /* ten seconds are not over */
	sluice_analysis_clock(a, 1000000000ull + 17000000000ull, 0, seq, counts);
	CHECK(summaries == 1);
	if (summaries)
		check_walker();
	sluice_analysis_close(a);
}

/* Comes, stands still for 18 s while the gate lets nothing pass, goes: one event. */
static void stander(void)
{
	struct sluice_analysis *a = open_chain();
	uint64_t seq = 0, counts[32] = { 0 };

	quiet(a, &seq, 0, 2.9, SLUICE_REASON_WARMUP);
	for (double s = 3; s < 33; s += 0.2) {
		bool moving = s < 5 || s >= 28;
		int reason = moving ? SLUICE_REASON_MOTION : SLUICE_REASON_POSTROLL;
		double x = s < 5 ? (s - 3) * 130 : s < 28 ? 260 : 260 + (s - 28) * 130;

		if (s >= 10 && s < 23)
			continue;
		draw_scene(100);
		draw_box(-40 + (int)x, 200, 60, 120);
		CHECK(!give(a, seq++, s, s >= 23 && s < 28 ? SLUICE_REASON_PREROLL : reason));
	}
	sluice_analysis_clock(a, 1000000000ull + 40000000000ull, 0, seq, counts);
	CHECK(summaries == 0); /* ten seconds after it left are not over */
	sluice_analysis_clock(a, 1000000000ull + 44000000000ull, 0, seq, counts);
	CHECK(summaries == 1 && events == 1);
	CHECK(json_array_size(json_object_get(last, "tracks")) == 1);
	CHECK(fabs(number("start_s") - 3) < 0.5 && fabs(number("end_s") - 33) < 0.5);
	sluice_analysis_close(a);
}

/* Comes and stays: told after half a minute, up to the last time that it was seen. */
static void stayer(void)
{
	struct sluice_analysis *a = open_chain();
	uint64_t seq = 0, counts[32] = { 0 };

	quiet(a, &seq, 0, 2.9, SLUICE_REASON_WARMUP);
	for (double s = 3; s < 10; s += 0.2) {
		draw_scene(100);
		draw_box(-40 + (int)((s < 5 ? s - 3 : 2) * 130), 200, 60, 120);
		CHECK(!give(a, seq++, s, s < 5 ? SLUICE_REASON_MOTION : SLUICE_REASON_POSTROLL));
	}
	sluice_analysis_clock(a, 1000000000ull + 20000000000ull, 0, seq, counts);
	CHECK(summaries == 0);
	sluice_analysis_clock(a, 1000000000ull + 36000000000ull, 0, seq, counts);
	CHECK(summaries == 1);
	CHECK(fabs(number("end_s") - 10) < 0.5);
	sluice_analysis_close(a);
}

/* Light that goes up by a fifth is no object; a broken JPEG is refused and costs nothing. */
static void light_and_rubbish(void)
{
	struct sluice_analysis *a = open_chain();
	struct sluice_stored_frame bad = { .epoch = 5,
					   .sequence = 40,
					   .time_ns = 9000000000ull,
					   .width = W,
					   .height = H,
					   .reason = SLUICE_REASON_MOTION,
					   .jpeg = (const uint8_t *)"\xff\xd8\xff\xd9",
					   .jpeg_size = 4 };
	uint64_t seq = 0;

	quiet(a, &seq, 0, 4, SLUICE_REASON_WARMUP);
	for (double s = 4; s < 8; s += 0.2) {
		draw_scene(100 + (int)((s - 4) * 5));
		CHECK(!give(a, seq++, s, SLUICE_REASON_MOTION));
	}
	CHECK(sluice_analysis_frame(a, &bad) == -EBADMSG);
	sluice_analysis_flush(a);
	CHECK(summaries == 1); /* the gate said motion: it is told, but nothing is invented */
	CHECK(json_array_size(json_object_get(last, "tracks")) == 0);
	sluice_analysis_close(a);
}

/* Motion that does not end is told in parts under one event id. */
static void long_event(void)
{
	struct sluice_analysis *a = open_chain();
	uint64_t seq = 0;

	quiet(a, &seq, 0, 2, SLUICE_REASON_WARMUP);
	for (double s = 2; s < 330; s += 1) {
		draw_scene(100);
		draw_box(100 + (int)(200 * sin(s / 3)), 200, 60, 60);
		CHECK(!give(a, seq++, s, SLUICE_REASON_MOTION));
	}
	sluice_analysis_flush(a);
	CHECK(events == 1 && summaries == 2);
	CHECK(strcmp(told[0].id, told[1].id));
	CHECK(!strcmp(text_of(last, "event"), told[0].id));
	CHECK(!json_is_true(json_object_get(last, "continued")));
	sluice_analysis_close(a);
}

/* However much moves and however long, the JSON fits into one message. */
static void bounded(void)
{
	static struct sluice_event_log e;
	struct sluice_summary_facts f = {
		.camera = "yard", .w = 160, .h = 120, .scale = 4, .width = W, .height = H
	};
	const char *none[] = { NULL };
	uint64_t lost = 0;
	char *json;

	f.lost_names = none;
	f.lost = &lost;
	sluice_event_begin(&e, 0);
	for (uint32_t i = 0; i < SLUICE_EVENT_TRACKS; i++) {
		struct sluice_track t = { .id = 1000000 + i, .hits = 3000, .seen_s = 1234567.891 };

		t.path = calloc(SLUICE_TRACK_PATH_MAX, sizeof(*t.path));
		t.path_count = SLUICE_TRACK_PATH_MAX;
		for (uint32_t k = 0; k < t.path_count; k++)
			t.path[k] = (struct sluice_box){ 1234567.891, 1023, 767, 1023, 767 };
		CHECK(sluice_event_track(&e, &t));
	}
	while (e.activity_count < SLUICE_ACTIVITY_MAX)
		e.activity[e.activity_count++] = 0.123f;
	json = sluice_summary_json(&e, "0123456789abcdef0123456789abcdef", &f, NULL, NULL, 0);
	CHECK(json && strlen(json) < SLUICE_WIRE_CONTROL_MAX - 16384);
	free(json);
	sluice_event_clear(&e);
}

int main(void)
{
	bounded();
	walker();
	stander();
	stayer();
	light_and_rubbish();
	long_event();
	json_decref(last);
	return failed;
}
