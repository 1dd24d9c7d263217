// SPDX-License-Identifier: MIT
/*
 * gate_clips.c - the gate on real clips with truth files, against bars. Exit 1 if one is missed, 77
 * if there are no clips.
 *
 *   gate_clips [DATA]     (else $SLUICE_DATA, else ../shared/data)
 *
 * At full rate the decisions are those of sluice-feed --gate-only --json, the same program and path
 * that users have. The variants (fewer frames, quantised grids) run the gate on grids made here.
 * The tables are Markdown.
 */
#include "grids.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FEED	   "build/bin/sluice-feed"
#define FRAMES_MAX 20000

/* What a clip's own bars are; 0: none. */
static const struct clip_bar {
	const char *name;
	double false_max_s, bare_min, rolled_min;
} clip_bars[] = {
	{ "cacophony_possum", 0, 0, 0 },
	{ "boofcv_rubixfire", 0.5, 0, 0 },
	{ "meva_school.G330.annotated", 1, 0.85, 0.95 },
	{ "opendatacam_street", 1, 0.85, 0.95 },
	{ "", 1, 0, 0 }, /* every other one */
};

enum {
	VARIANT_FULL,
	VARIANT_15,
	VARIANT_10,
	VARIANT_5,
	VARIANT_Q90,
	VARIANT_Q80,
	VARIANT_Q70,
	VARIANTS
};

static const struct variant {
	const char *name;
	double fps;
	enum grid_kind kind;
} variants[VARIANTS] = {
	{ "full rate, sluice-feed", 0, GRID_RAW },
	{ "15 fps", 15, GRID_RAW },
	{ "10 fps", 10, GRID_RAW },
	{ "5 fps", 5, GRID_RAW },
	{ "JPEG DC, quality 90", 0, GRID_Q90 },
	{ "JPEG DC, quality 80", 0, GRID_Q80 },
	{ "JPEG DC, quality 70", 0, GRID_Q70 },
};

struct total {
	size_t clips, events, found;
	double false_s, calm_s;
};

static bool line_decision(const char *line, struct decision *d)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *reason = json_string_value(json_object_get(o, "reason"));
	bool ok = o && reason && json_is_number(json_object_get(o, "t"));

	if (ok) {
		d->t_s = json_number_value(json_object_get(o, "t"));
		d->score = json_number_value(json_object_get(o, "score"));
		d->motion = !strcmp(reason, "motion") || !strcmp(reason, "scene_change");
		d->pass = d->motion || !strcmp(reason, "warmup");
		d->published = json_is_true(json_object_get(o, "pass"));
	}
	json_decref(o);
	return ok;
}

/* Decisions of sluice-feed; returns their number, 0 with a message on failure. */
static size_t feed_decisions(const char *path, struct decision *d)
{
	char line[4096];
	size_t n = 0;
	FILE *f;

	setenv("ACCURACY_CLIP", path, 1); /* no quoting in the shell's own words */
	f = popen(FEED " --gate-only --json --set rate_mfps=0 --set preroll_ms=1000 "
		       "--set postroll_ms=2000 --set keepalive_ms=0 --set audit_ms=0 "
		       "\"$ACCURACY_CLIP\"",
		  "r");
	while (f && n < FRAMES_MAX && fgets(line, sizeof(line), f))
		n += line_decision(line, &d[n]);
	if (!f || pclose(f)) {
		fprintf(stderr, "%s: sluice-feed failed\n", path);
		return 0;
	}
	return n;
}

static bool clip_met(const char *name, const struct score *s)
{
	const struct clip_bar *b = clip_bars;

	while (*b->name && strcmp(b->name, name))
		b++;
	return s->found == s->events && s->worst_delay_s <= 0.5 + 1e-6 &&
	       s->false_s <= b->false_max_s + 1e-6 && s->bare >= b->bare_min &&
	       s->rolled >= b->rolled_min;
}

static void add_score(struct total *t, const struct score *s)
{
	t->clips++;
	t->events += s->events;
	t->found += s->found;
	t->false_s += s->false_s;
	t->calm_s += s->calm_s;
}

static void print_clip(const char *name, const struct score *s, bool met)
{
	printf("| %s | %zu/%zu |", name, s->found, s->events);
	for (size_t i = 0; i < s->events; i++)
		printf(s->delay_s[i] < 0 ? " -" : " %.2f", s->delay_s[i]);
	printf(" | %.2f | %.0f | %.0f / %.0f | %s |\n", s->false_s, s->calm_s, s->bare * 100,
	       s->rolled * 100, met ? "yes" : "**missed**");
	fflush(stdout);
}

/* All variants of one clip. */
static bool run_clip(const char *name, const char *path, const struct truth *truth,
		     struct decision *d, struct total *sum)
{
	struct clip_grids own, eight;
	struct score s;
	bool met;
	size_t n = feed_decisions(path, d);

	if (!n || clip_grids_read(&own, path, 0))
		return false;
	if (own.block != 8 && clip_grids_read(&eight, path, 8))
		return false;
	score_decisions(&s, truth, d, n);
	s.rolled = published_share(d, n);
	met = clip_met(name, &s) && n == own.frames;
	if (n != own.frames)
		fprintf(stderr, "%s: %zu decisions, %zu frames\n", name, n, own.frames);
	print_clip(name, &s, met);
	add_score(&sum[VARIANT_FULL], &s);
	for (int v = VARIANT_15; v < VARIANTS; v++) {
		const struct variant *a = &variants[v];
		const struct clip_grids *c = a->kind == GRID_RAW || own.block == 8 ? &own : &eight;

		if (a->fps && (own.frames - 1) / own.t_s[own.frames - 1] < a->fps * 1.2)
			continue;
		n = clip_grids_decide(c, a->kind, a->fps, d);
		score_decisions(&s, truth, d, n);
		if (s.found < s.events)
			fprintf(stderr, "%s, %s: %zu of %zu events\n", name, a->name, s.found,
				s.events);
		add_score(&sum[v], &s);
	}
	if (own.block != 8)
		clip_grids_free(&eight);
	clip_grids_free(&own);
	return met;
}

/*
 * No event lost. False time: at most 1 s a minute; with fewer frames twice that of the full rate,
 * quantised 1.2 times.
 */
static bool variant_met(int v, const struct total *sum)
{
	const struct total *t = &sum[v], *full = &sum[VARIANT_FULL];
	double per_s = full->false_s / full->calm_s;

	if (t->found < t->events || !t->clips)
		return false;
	if (v == VARIANT_FULL)
		return per_s * 60 <= 1;
	if (variants[v].fps)
		return t->false_s <= 2 * per_s * t->calm_s + 1e-6;
	return t->false_s <= 1.2 * full->false_s + 1e-6;
}

static bool print_variants(const struct total *sum)
{
	bool ok = true;

	printf("\n| variant | clips | events | false s | of s | s/min | met |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (int v = 0; v < VARIANTS; v++) {
		const struct total *t = &sum[v];
		bool met = variant_met(v, sum);

		printf("| %s | %zu | %zu/%zu | %.2f | %.0f | %.2f | %s |\n", variants[v].name,
		       t->clips, t->found, t->events, t->false_s, t->calm_s,
		       t->calm_s > 0 ? t->false_s / t->calm_s * 60 : 0, met ? "yes" : "**missed**");
		ok &= met;
	}
	return ok;
}

int main(int argc, char **argv)
{
	const char *data = argc > 1 ? argv[1] : getenv("SLUICE_DATA");
	struct decision *d = calloc(FRAMES_MAX, sizeof(*d));
	struct total sum[VARIANTS] = { 0 };
	struct dirent **list;
	char path[4096], media[4096];
	bool ok = true;
	int n;

	data = data ? data : "../shared/data";
	n = scandir(data, &list, truth_is, alphasort);
	if (n <= 0) {
		printf("no clips with truth files in %s (set SLUICE_DATA)\n", data);
		return 77;
	}
	if (!d)
		abort();
	printf("| clip | events | delays s | false s | of s | pass %% bare / rolled | met |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (int i = 0; i < n; i++) {
		struct truth truth;
		char *name = list[i]->d_name;

		snprintf(path, sizeof(path), "%s/%s", data, name);
		name[strlen(name) - strlen(TRUTH_SUFFIX)] = 0;
		if (truth_read(&truth, path) || !truth_media(media, sizeof(media), data, name)) {
			fprintf(stderr, "%s: no truth or no clip\n", name);
			ok = false;
			continue;
		}
		ok &= run_clip(name, media, &truth, d, sum);
		free(list[i]);
	}
	free(list);
	free(d);
	ok &= print_variants(sum);
	return ok ? 0 : 1;
}
