// SPDX-License-Identifier: MIT
/*
 * event_movies.c - the analysis on generated movies: gate, ring, JPEG and the whole chain behind,
 * against exact truth. Exit 1 if a bar is missed.
 *
 *   event_movies [--development] [--quick] [--plain] [--verbose] [--seeds N] [NAME]...
 *
 * --development: other grounds and seeds, those that constants may be tuned on. --quick: each movie
 * on one ground.
 * --seeds: each movie so often, with other noise, weather and clothes; the bars are of all
 * together.
 * --plain: neither other models nor peers. NAME: only these movies. Tables are Markdown.
 */
#include "run_movie.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background.h"

#define SIDES_MAX 16 /* ours, other models, peers */

struct side {
	const char *name;
	bool here;
	double f_sum, pwc_sum; /* over movies with foreground */
	u32 f_count;
	struct event_score events;
	double cpu_s;
	u32 frames;
};

struct suite {
	bool development, quick, plain, verbose;
	u32 seeds;   /* movies that differ in noise alone, 1.. */
	char **only; /* names, ended by NULL; none: all */
	struct side side[SIDES_MAX];
	u32 sides;
	struct track_score tracks;
	struct key_score keys;
	u32 peaks, peaks_right, left, left_told, removed, removed_told, objects_false;
	u32 calm_events; /* events told where nothing happens */
	u32 missed_bars;
};

static void add_side(struct suite *s, u32 at, const char *name, const struct movie_score *m)
{
	struct side *d = &s->side[at];

	d->name = name;
	d->here = true;
	if (m->mask.tp + m->mask.fn) {
		d->f_sum += mask_f(&m->mask);
		d->pwc_sum += mask_pwc(&m->mask);
		d->f_count++;
	}
	event_score_add(&d->events, &m->events);
	d->cpu_s += m->cpu_s;
	d->frames += m->frames;
	s->sides = at >= s->sides ? at + 1 : s->sides;
}

static void add_movie(struct suite *s, const struct movie_script *script,
		      const struct movie_score *m)
{
	int off = (int)m->tracks.peak_told - (int)m->tracks.peak_truth;

	track_score_add(&s->tracks, &m->tracks);
	key_score_add(&s->keys, &m->keys);
	s->left += m->left;
	s->removed += m->removed;
	s->left_told += m->left ? m->left_told < m->left ? m->left_told : m->left : 0;
	s->removed_told +=
		m->removed ? m->removed_told < m->removed ? m->removed_told : m->removed : 0;
	s->objects_false += (m->left_told > m->left ? m->left_told - m->left : 0) +
			    (m->removed_told > m->removed ? m->removed_told - m->removed : 0);
	if (!script->things)
		s->calm_events += m->events.told - m->events.right;
	if (m->events.found) {
		s->peaks++;
		s->peaks_right += abs(off) <= 1;
	}
}

static double worst(const double *v, u32 n)
{
	double most = 0;

	for (u32 i = 0; i < n; i++)
		most = fmax(most, v[i]);
	return most;
}

static void print_movie(const struct movie_script *script, const struct ground *g,
			const struct movie_score *m, double other_f)
{
	printf("| %s | %s | %u/%u | %u | %u | %.1f / %.1f |", script->name, g->name,
	       m->events.found, m->events.truth, m->events.told - m->events.right,
	       m->events.nuisance, worst(m->events.start_error, m->events.edges),
	       worst(m->events.end_error, m->events.edges));
	if (m->mask.tp + m->mask.fn)
		printf(other_f >= 0 ? " %.2f / %.2f |" : " %.2f |", mask_f(&m->mask), other_f);
	else
		printf(" |");
	if (m->tracks.things)
		printf(" %u / %u | %.2f | %u / %u | %u / %u |", m->tracks.tracks, m->tracks.things,
		       m->tracks.boxes ? (double)m->tracks.matched / m->tracks.boxes : 0,
		       m->tracks.switches, m->tracks.fragments, m->tracks.peak_told,
		       m->tracks.peak_truth);
	else
		printf(" %u / 0 | | | |", m->tracks.tracks);
	printf(" %u/%u, %u |\n", m->keys.things_shown, m->keys.things, m->keys.keys);
	fflush(stdout);
}

static void run_one(struct suite *s, const struct movie_script *script, const struct ground *g,
		    u32 seed)
{
	static struct movie_run run;
	struct movie_score m, other;
	struct sluice_analysis_config c;
	double mog2_f = -1;
	u32 at = 0;

	if (movie_run_open(&run, script, g, seed, &m)) {
		fprintf(stderr, "%s: gate and analysis do not agree\n", script->name);
		s->missed_bars++;
		movie_run_close(&run);
		return;
	}
	add_side(s, at++, "sluice", &m);
	add_movie(s, script, &m);
	for (u32 k = 0; !s->plain && k < SLUICE_BACKGROUND_KINDS; k++) {
		play_config(&c);
		c.background = k + 1;
		if (!movie_run_again(&run, &c, &other))
			add_side(s, at++, sluice_background_name(k + 1), &other);
	}
	for (u32 k = 0; !s->plain && k < PEER_KINDS; k++) {
		if (movie_run_peer(&run, k, &other))
			add_side(s, at, peer_name[k], &other);
		else
			s->side[at].name = peer_name[k];
		s->sides = at >= s->sides ? at + 1 : s->sides;
		mog2_f = k == PEER_MOG2 ? mask_f(&other.mask) : mog2_f;
		at++;
	}
	print_movie(script, g, &m, mog2_f);
	if (s->verbose)
		play_print(&run.play);
	movie_run_close(&run);
}

static double share(double part, double all)
{
	return all > 0 ? part / all : 1;
}

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1
						       : *(const double *)a > *(const double *)b;
}

static double median(double *v, u32 n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n ? (v[n / 2] + v[(n - 1) / 2]) / 2 : 0;
}

static void print_sides(const struct suite *s)
{
	printf("\n| on the same stored frames | F | PWC | events found | false events | activity "
	       "missed "
	       "%% | told for nothing %% | us/frame |\n|---|---|---|---|---|---|---|---|\n");
	for (u32 i = 0; i < s->sides; i++) {
		const struct side *d = &s->side[i];
		const struct event_score *e = &d->events;

		if (!d->here) {
			printf("| %s | absent: OpenCV is not installed |||||||\n", d->name);
			continue;
		}
		printf("| %s | %.3f | %.2f | %u/%u | %u | %.1f | %.1f | %.0f |\n", d->name,
		       d->f_sum / fmax(1, d->f_count), d->pwc_sum / fmax(1, d->f_count), e->found,
		       e->truth, e->told - e->right, 100 * share(e->untold_s, e->truth_s),
		       e->told_s > 0 ? 100 * e->false_s / e->told_s : 0,
		       1e6 * d->cpu_s / fmax(1, d->frames));
	}
}

static void bar(struct suite *s, const char *what, double is, bool least, double limit)
{
	bool met = least ? is >= limit - 1e-9 : is <= limit + 1e-9;

	printf("| %s | %.3f | %s %.3g | %s |\n", what, is, least ? ">=" : "<=", limit,
	       met ? "yes" : "**missed**");
	s->missed_bars += !met;
}

static void print_bars(struct suite *s)
{
	struct event_score *e = &s->side[0].events;
	struct track_score *t = &s->tracks;
	struct key_score *k = &s->keys;

	printf("\n| what | is | bar | met |\n|---|---|---|---|\n");
	bar(s, "event recall", share(e->found, e->truth), true, 1);
	bar(s, "event precision", share(e->right, e->told), true, 0.95);
	bar(s, "events told where nothing happens", s->calm_events, false, 0);
	bar(s, "median start error, s", median(e->start_error, e->edges), false, 0.5);
	bar(s, "events with a key frame that shows it", share(k->shown, k->events), true, 1);
	bar(s, "ID switches a track", share(t->switches, t->things), false, 0.1);
	bar(s, "movies with the peak count within 1", share(s->peaks_right, s->peaks), true, 0.8);
	printf("\n| what | is |\n|---|---|\n");
	printf("| median end error | %.2f s |\n", median(e->end_error, e->edges));
	printf("| activities missed (less than half told) | %u of %u |\n", e->missed,
	       e->activities);
	printf("| boxes of things followed | %.1f %% of %u |\n", 100 * share(t->matched, t->boxes),
	       t->boxes);
	printf("| track purity | %.3f |\n", share(t->purity, t->tracks - t->false_tracks));
	printf("| tracks on nothing | %u of %u |\n", t->false_tracks, t->tracks);
	printf("| ID switches, fragments | %u, %u of %u things |\n", t->switches, t->fragments,
	       t->things);
	printf("| classes right, wrong, unknown | %u, %u, %u of %u tracks |\n", t->classes_right,
	       t->classes - t->classes_right - t->classes_unknown, t->classes_unknown, t->classes);
	printf("| things shown by key frames | %u of %u |\n", k->things_shown, k->things);
	printf("| ... by as many evenly spread frames | %u of %u |\n", k->uniform_shown, k->things);
	printf("| redundant key frames | %u of %u |\n", k->redundant, k->keys);
	printf("| ... of as many evenly spread frames | %u |\n", k->redundant_even);
	printf("| objects left, found | %u of %u |\n", s->left_told, s->left);
	printf("| objects removed, found | %u of %u |\n", s->removed_told, s->removed);
	printf("| left or removed, and nothing was | %u |\n", s->objects_false);
	printf("| seconds told of seconds seen | %.1f %% |\n", 100 * share(k->told_s, k->source_s));
}

static bool wanted(const struct suite *s, const char *name)
{
	for (char **p = s->only; p && *p; p++)
		if (!strcmp(*p, name))
			return true;
	return !s->only || !*s->only;
}

static bool parse(struct suite *s, int argc, char **argv)
{
	int i;

	s->seeds = 1;
	for (i = 1; i < argc && *argv[i] == '-'; i++) {
		if (!strcmp(argv[i], "--development"))
			s->development = true;
		else if (!strcmp(argv[i], "--quick"))
			s->quick = true;
		else if (!strcmp(argv[i], "--plain"))
			s->plain = true;
		else if (!strcmp(argv[i], "--verbose"))
			s->verbose = true;
		else if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
			s->seeds = (u32)strtoul(argv[++i], NULL, 10);
		else
			return false;
	}
	s->only = argv + i;
	return s->seeds >= 1 && s->seeds <= 10;
}

int main(int argc, char **argv)
{
	const char *data = getenv("SLUICE_DATA");
	static struct suite s;
	struct ground ground[GROUNDS_MAX];
	u32 grounds;

	if (!parse(&s, argc, argv)) {
		fprintf(stderr, "usage: event_movies [--development] [--quick] [--plain] "
				"[--verbose] [--seeds 1..10] [NAME]...\n");
		return 2;
	}
	grounds = grounds_load(ground, s.development ? GROUNDS_DEVELOPMENT : GROUNDS_REPORT,
			       data ? data : "../shared/data");
	printf("| movie | ground | events | false | nuisance | start / end off s | F ours / MOG2 | "
	       "tracks / things | followed | switches / fragments | peak told / true | things "
	       "shown, "
	       "key frames |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (u32 i = 0; i < movie_script_count; i++) {
		if (!wanted(&s, movie_scripts[i].name))
			continue;
		for (u32 k = 0; k < (s.quick ? 1 : 2); k++)
			for (u32 n = 0; n < s.seeds; n++)
				run_one(&s, &movie_scripts[i], &ground[(i + k) % grounds],
					(s.development ? 100 : 7000) + 10 * i + k + 100000 * n);
	}
	if (!s.plain)
		print_sides(&s);
	print_bars(&s);
	grounds_free(ground, grounds);
	return s.missed_bars ? 1 : 0;
}
