// SPDX-License-Identifier: MIT
/*
 * synopsis_clips.c - ten minutes of busy footage in a minute of synopsis: real clips played again
 * and again through gate, ring, JPEG and analysis, then planned, drawn and judged by the map that
 * lies beside the video. Exit 1 if a bar is missed, 77 if there are no clips.
 *
 *   synopsis_clips [--quick] [--keep DIR] [NAME]
 *
 * --quick: two minutes in twelve seconds, and time is not judged. --keep: videos and maps go there.
 */
#include "play.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/synopsis.h"

#define REST 2.0 /* seconds between two times of a clip */

/* Always busy, one camera each. */
static const char *const names[] = { "intel_one-by-one-person-detection", "intel_car-detection",
				     "meva_school.G330.annotated", "intel_bottle-detection",
				     "opendatacam_street" };

/* ---- the same again and again ---- */

#define FIRST_NS  1000000000ull
#define FIRST_UTC 1700000000000000000ull

struct loop {
	const struct play *from;
	u32 times;
	json_t *summaries;
	struct sluice_period *period;
};

static void on_event(void *ctx, const char *id, const char *json)
{
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	json_array_append_new(((struct loop *)ctx)->summaries, json_loads(s->json, 0, NULL));
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct play *from = ((struct loop *)ctx)->from;
	const struct play_frame *f = &from->frame[sequence % from->count];
	uint8_t *copy = malloc(f->size);

	*size = f->size;
	if (copy)
		memcpy(copy, f->jpeg, f->size);
	return copy;
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };

/* Frames of the period are all that were stored: as many as the gate let through. */
static int analyse(struct loop *l, double seconds)
{
	struct sluice_analysis_config c;
	struct sluice_analysis *a;
	double step = l->from->length_s + REST;

	play_config(&c);
	l->times = (u32)ceil(seconds / step);
	l->summaries = json_array();
	a = sluice_analysis_open(&c, &ops, l);
	if (!a || !l->summaries)
		return -ENOMEM;
	sluice_analysis_epoch(a, 1, FIRST_NS, FIRST_UTC);
	for (u32 n = 0; n < l->times; n++)
		for (u32 i = 0; i < l->from->count; i++) {
			struct sluice_stored_frame f = l->from->frame[i].stored;
			u64 shift = (u64)(n * step * 1e9);

			if (l->from->frame[i].t_s + n * step > seconds)
				break;
			f.sequence = (u64)n * l->from->count + i;
			f.epoch = 1;
			f.time_ns += shift;
			f.utc_ns += shift;
			if (sluice_analysis_frame(a, &f))
				return -EBADMSG;
		}
	sluice_analysis_flush(a);
	sluice_analysis_close(a);
	return 0;
}

static int fill_period(struct loop *l, double seconds, double synopsis)
{
	double step = l->from->length_s + REST;
	const json_t *s;
	size_t k;

	l->period = sluice_period_open("movie", (int64_t)FIRST_UTC,
				       (int64_t)(FIRST_UTC + seconds * 1e9));
	if (!l->period)
		return -ENOMEM;
	l->period->seconds = synopsis;
	json_array_foreach (l->summaries, k, s)
		if (sluice_period_event(l->period, s))
			return -EINVAL;
	for (u32 n = 0; n < l->times; n++)
		for (u32 i = 0; i < l->from->count; i++) {
			double t_s = l->from->frame[i].t_s + n * step;
			struct sluice_period_frame f = { 1, (u64)n * l->from->count + i,
							 (int64_t)FIRST_UTC +
								 (int64_t)(t_s * 1e9) };

			if (t_s <= seconds && sluice_period_frame(l->period, &f))
				return -ENOSPC;
		}
	return 0;
}

/* ---- judging by the map ---- */

#define SHRINK	   2 /* pixels of the video to one that is counted */
#define SCREEN_MAX 640

struct box {
	int picture, x, y, w, h;
};

struct shown {
	const json_t *o, *boxes;
	double start, at;
	const json_t *life; /* its boxes in its summary: [t_s, x, y, w, h] */
};

struct score {
	u32 tubes, shown, left, unlisted;
	double overlap, meeting; /* by things of different times; by all */
	double disorder_s;
	u32 reversals, pairs;
	double video_s, factor;
	double cpu_s;
	size_t bytes;
};

static double ns_s(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? (double)(strtoll(text, NULL, 10) - (int64_t)FIRST_UTC) * 1e-9 : NAN;
}

static const json_t *life_of(const json_t *summaries, const json_t *o)
{
	const char *id = json_string_value(json_object_get(o, "summary"));
	json_int_t track = json_integer_value(json_object_get(o, "track"));
	const json_t *s, *t;
	size_t i, k;

	json_array_foreach (summaries, i, s) {
		const char *is = json_string_value(json_object_get(s, "id"));

		if (!id || !is || strcmp(id, is) != 0)
			continue;
		json_array_foreach (json_object_get(s, "tracks"), k, t)
			if (json_integer_value(json_object_get(t, "id")) == track)
				return json_object_get(t, "boxes");
	}
	return NULL;
}

static struct box box_of(const json_t *b)
{
	int v[5];

	for (size_t i = 0; i < 5; i++)
		v[i] = (int)lround(json_number_value(json_array_get(b, i)));
	return (struct box){ v[0], v[1], v[2], v[3], v[4] };
}

/* Did their boxes meet when it happened? */
static bool met(const struct shown *a, const struct shown *b)
{
	const json_t *p, *q;
	size_t i, k = 0;

	json_array_foreach (a->life, i, p) {
		double t = json_number_value(json_array_get(p, 0));
		struct box x = box_of(p), y;

		while (k + 1 < json_array_size(b->life) &&
		       json_number_value(json_array_get(json_array_get(b->life, k), 0)) < t - 0.25)
			k++;
		q = json_array_get(b->life, k);
		if (fabs(json_number_value(json_array_get(q, 0)) - t) > 0.25)
			continue;
		y = box_of(q);
		if (x.x < y.x + y.w && y.x < x.x + x.w && x.y < y.y + y.h && y.y < x.y + x.h)
			return true;
	}
	return false;
}

static void paint(u16 *screen, u16 *twice, bool *apart, u32 tubes, const struct box *b, u16 number,
		  u64 *collided)
{
	for (int y = b->y / SHRINK; y < (b->y + b->h) / SHRINK; y++)
		for (int x = b->x / SHRINK; x < (b->x + b->w) / SHRINK; x++) {
			size_t at = (size_t)y * SCREEN_MAX + x;

			if (x < 0 || y < 0 || x >= SCREEN_MAX || y >= SCREEN_MAX)
				continue;
			if (!screen[at]) {
				screen[at] = number;
			} else {
				u16 other = screen[at];

				if (apart[(size_t)(other - 1) * tubes + number - 1] &&
				    !(twice[at] & 2)) {
					twice[at] |= 2;
					++*collided;
				}
				twice[at] |= 1;
			}
		}
}

static void judge_area(struct score *s, const struct shown *t, u32 pictures)
{
	u16 *screen = malloc(2 * SCREEN_MAX * SCREEN_MAX * sizeof(*screen));
	u16 *twice;
	bool *apart = calloc((size_t)s->shown * s->shown + 1, sizeof(*apart));
	u64 all = 0, meeting = 0, collided = 0;

	if (!screen || !apart)
		abort();
	twice = screen + SCREEN_MAX * SCREEN_MAX;
	for (u32 i = 0; i < s->shown; i++)
		for (u32 k = 0; k < s->shown; k++)
			apart[(size_t)i * s->shown + k] = !met(&t[i], &t[k]);
	for (u32 p = 0; p < pictures; p++) {
		memset(screen, 0, 2 * SCREEN_MAX * SCREEN_MAX * sizeof(*screen));
		for (u32 i = 0; i < s->shown; i++) {
			const json_t *b;
			size_t k;

			json_array_foreach (t[i].boxes, k, b) {
				struct box x = box_of(b);

				if (x.picture == (int)p)
					paint(screen, twice, apart, s->shown, &x, (u16)(i + 1),
					      &collided);
			}
		}
		for (size_t i = 0; i < SCREEN_MAX * SCREEN_MAX; i++) {
			all += screen[i] != 0;
			meeting += twice[i] & 1;
		}
	}
	s->overlap = all ? (double)collided / (double)all : 0;
	s->meeting = all ? (double)meeting / (double)all : 0;
	free(screen);
	free(apart);
}

static void judge_order(struct score *s, const struct shown *t)
{
	for (u32 i = 0; i < s->shown; i++)
		for (u32 k = 0; k < s->shown; k++) {
			if (t[i].start >= t[k].start)
				continue;
			s->pairs++;
			s->reversals += t[i].at > t[k].at;
			s->disorder_s = fmax(s->disorder_s, t[i].at - t[k].at);
		}
}

/* Tubes of events that are no nuisance, as the summaries tell them. */
static u32 count_told(const json_t *summaries)
{
	const json_t *s, *t;
	u32 n = 0;
	size_t i, k;

	json_array_foreach (summaries, i, s)
		if (!json_is_true(json_object_get(s, "nuisance")))
			json_array_foreach (json_object_get(s, "tracks"), k, t)
				n += json_array_size(json_object_get(t, "boxes")) > 0;
	return n;
}

static void judge(struct score *s, const json_t *map, const json_t *summaries)
{
	const json_t *tubes = json_object_get(map, "tubes"), *o;
	struct shown *t = calloc(json_array_size(tubes) + 1, sizeof(*t));
	size_t i;

	if (!t)
		abort();
	json_array_foreach (tubes, i, o)
		t[s->shown++] = (struct shown){ o, json_object_get(o, "boxes"), ns_s(o, "start_ns"),
						json_number_value(json_object_get(o, "at_s")),
						life_of(summaries, o) };
	s->tubes = count_told(summaries);
	s->left = (u32)json_array_size(json_object_get(map, "left_out"));
	s->unlisted = s->tubes - s->shown - s->left;
	s->factor = json_number_value(json_object_get(map, "factor"));
	s->video_s = json_number_value(json_object_get(map, "pictures")) / SLUICE_SYNOPSIS_FPS;
	judge_area(s, t, (u32)json_integer_value(json_object_get(map, "pictures")));
	judge_order(s, t);
	free(t);
}

/* ---- one clip ---- */

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void keep(const char *dir, const char *name, const char *end, const void *data, size_t size)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, end);
	f = fopen(path, "w");
	if (f)
		fwrite(data, 1, size, f);
	if (f)
		fclose(f);
}

static int make(struct loop *l, struct score *s, const char *name, const char *dir)
{
	const struct sluice_synopsis_options o = { .fetch = on_fetch, .ctx = l };
	struct sluice_synopsis syn;
	double before = cpu_now();
	uint32_t w, h;
	uint8_t *video = NULL;
	size_t size = 0;
	char *text = NULL;
	json_t *map;
	int err = sluice_synopsis_plan(l->period, &syn);

	if (!err)
		err = sluice_synopsis_draw(&syn, &o, &w, &h, &video, &size);
	if (!err)
		text = sluice_synopsis_map(&syn, w, h);
	s->cpu_s = cpu_now() - before;
	s->bytes = size;
	map = text ? json_loads(text, 0, NULL) : NULL;
	if (map)
		judge(s, map, l->summaries);
	if (map && dir) {
		keep(dir, name, "webm", video, size);
		keep(dir, name, "json", text, strlen(text));
	}
	json_decref(map);
	free(text);
	free(video);
	sluice_synopsis_free(&syn);
	return err ? err : map ? 0 : -ENOMEM;
}

static bool print(const char *name, const struct score *s, double seconds, double asked, bool quick)
{
	double present = s->tubes ? (double)s->shown / s->tubes : 0;
	double speed = s->cpu_s > 0 ? seconds / s->cpu_s : 0;
	bool met = s->tubes && present >= 0.95 && s->overlap <= 0.05 && !s->unlisted &&
		   s->disorder_s <= 10 + 1e-6 && s->video_s <= asked + 1e-6 &&
		   (quick || speed >= 20);

	printf("| %s | %u of %u | %u | %.1f | %.1f | %.2f | %.1f | %u of %u | %.1f | %.0f | %.0f | "
	       "%s "
	       "|\n",
	       name, s->shown, s->tubes, s->unlisted, 100 * s->overlap, 100 * s->meeting, s->factor,
	       s->disorder_s, s->reversals, s->pairs, s->video_s, s->bytes / 1024.0, speed,
	       met ? "yes" : "**missed**");
	fflush(stdout);
	return met;
}

static int run(const char *data, const char *name, bool quick, const char *dir, bool *met)
{
	static struct play p;
	double seconds = quick ? 120 : 600, asked = quick ? 12 : 60;
	struct score s = { 0 };
	struct loop l = { .from = &p };
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/%s.mp4", data, name);
	if (access(path, R_OK))
		snprintf(path, sizeof(path), "%s/%s.avi", data, name);
	if (access(path, R_OK))
		return 77;
	err = play_clip(&p, path);
	if (!err)
		err = analyse(&l, seconds);
	if (!err)
		err = fill_period(&l, seconds, asked);
	if (!err)
		err = make(&l, &s, name, dir);
	if (err)
		fprintf(stderr, "%s: %s\n", name, strerror(-err));
	*met = !err && print(name, &s, seconds, asked, quick);
	sluice_period_free(l.period);
	json_decref(l.summaries);
	play_free(&p);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' },
						 { "keep", required_argument, NULL, 'k' },
						 { 0 } };
	const char *data = getenv("SLUICE_DATA") ? getenv("SLUICE_DATA") : "../shared/data";
	const char *dir = NULL;
	bool quick = false, ok = true, any = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == '?')
			return 2;
		quick |= o == 'q';
		dir = o == 'k' ? optarg : dir;
	}
	printf("| clip, over and over | tubes shown | neither shown nor listed | %% of their area "
	       "covered twice: not so in life | all | times faster | most out of order s | "
	       "reversed "
	       "pairs | video s | KiB | times real time | met |\n"
	       "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool met;

		if (optind < argc && strncmp(names[i], argv[optind], strlen(argv[optind])) != 0)
			continue;
		if (run(data, names[i], quick, dir, &met) == 77)
			continue;
		any = true;
		ok &= met;
	}
	if (!any)
		printf("no clips in %s (set SLUICE_DATA)\n", data);
	return !any ? 77 : ok ? 0 : 1;
}
