// SPDX-License-Identifier: MIT
/*
 * event_clips.c - the analysis on real clips with truth files: gate, ring, JPEG and the whole chain
 * behind. Exit 1 if a bar is missed, 77 if there are no clips.
 *
 *   event_clips [--verbose] [NAME]     clips of $SLUICE_DATA or ../shared/data whose name begins so
 *
 * Events closer than 10 s are one, in the truth too. A clip whose truth says "fixed_camera": false
 * is shown and does not count.
 */
#include "judge.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects at the busiest moment, all kinds together, of the busiest event; 0: not a number. */
static u32 true_peak(const json_t *truth)
{
	const json_t *e, *n;
	const char *kind;
	u32 most = 0;
	size_t i;

	json_array_foreach (json_object_get(truth, "events"), i, e) {
		u32 sum = 0;

		json_object_foreach (json_object_get(e, "peak"), kind, n)
			sum += (u32)json_integer_value(n);
		most = sum > most ? sum : most;
	}
	return most;
}

/* Events of a second or more that no key frame lies in. */
static u32 unshown(const struct play *p, const struct truth *t)
{
	u32 n = 0;

	for (size_t i = 0; i < t->events.count; i++) {
		const struct span *e = &t->events.at[i];
		bool shown = e->end - e->start < 1;
		const json_t *k;
		size_t j;

		for (u32 s = 0; s < p->summaries; s++)
			json_array_foreach (json_object_get(p->summary[s], "keyframes"), j, k) {
				double at = json_number_value(json_object_get(k, "t_s"));

				shown |= at >= e->start && at <= e->end;
			}
		n += !shown;
	}
	return n;
}

struct total {
	struct event_score events;
	u32 peaks, peaks_right, unshown, shown;
	bool verbose;
};

static void judge_clip(struct total *sum, const char *name, const struct play *p,
		       const struct truth *truth, const json_t *root)
{
	struct event_score e;
	u32 peak = 0, is = true_peak(root), hidden = unshown(p, truth);
	bool counts = !json_is_false(json_object_get(root, "fixed_camera"));
	double start = 0, end = 0;

	judge_events(&e, p, truth, 10);
	for (u32 i = 0; i < p->summaries; i++) {
		u32 n = (u32)json_integer_value(json_object_get(p->summary[i], "peak_objects"));

		peak = n > peak ? n : peak;
	}
	for (u32 i = 0; i < e.edges; i++) {
		start = fmax(start, e.start_error[i]);
		end = fmax(end, e.end_error[i]);
	}
	printf("| %s | %u/%u | %u | %u | %.2f / %.2f | %u of %zu | %u / ", name, e.found, e.truth,
	       e.told - e.right, e.nuisance, start, end, (u32)truth->events.count - hidden,
	       truth->events.count, peak);
	if (is)
		printf("%u", is);
	printf(" | %u of %u | %.0f | %s |\n", p->count, p->given,
	       1e6 * p->cpu_s / fmax(1, p->count), counts ? "" : "does not count");
	fflush(stdout);
	if (sum->verbose)
		play_print(p);
	if (!counts)
		return;
	event_score_add(&sum->events, &e);
	sum->unshown += hidden;
	sum->shown += (u32)truth->events.count - hidden;
	sum->peaks += is > 0;
	sum->peaks_right += is && abs((int)peak - (int)is) <= 1;
}

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1
						       : *(const double *)a > *(const double *)b;
}

static bool bar(const char *what, double is, bool least, double limit)
{
	bool met = least ? is >= limit - 1e-9 : is <= limit + 1e-9;

	printf("| %s | %.3f | %s %.3g | %s |\n", what, is, least ? ">=" : "<=", limit,
	       met ? "yes" : "**missed**");
	return met;
}

static bool print_bars(struct total *t)
{
	struct event_score *e = &t->events;
	bool ok;

	qsort(e->start_error, e->edges, sizeof(double), by_size);
	printf("\n| what | is | bar | met |\n|---|---|---|---|\n");
	ok = bar("event recall", e->truth ? (double)e->found / e->truth : 1, true, 1);
	ok &= bar("event precision", e->told ? (double)e->right / e->told : 1, true, 0.95);
	ok &= bar("activities without a key frame", t->unshown, false, 0);
	/* clips that begin in the middle of things cannot be told before the first second */
	ok &= bar("median start error, s", e->edges ? e->start_error[e->edges / 2] : 0, false, 0.5);
	ok &= bar("clips with the peak count within 1",
		  t->peaks ? (double)t->peaks_right / t->peaks : 1, true, 0.8);
	return ok;
}

static bool one(struct total *sum, const char *data, char *file)
{
	static struct play p;
	char path[4096], media[4096];
	struct truth truth;
	json_t *root;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", data, file);
	file[strlen(file) - strlen(TRUTH_SUFFIX)] = 0;
	root = json_load_file(path, 0, NULL);
	ok = root && !truth_read(&truth, path) && truth_media(media, sizeof(media), data, file) &&
	     !play_clip(&p, media);
	if (ok) {
		judge_clip(sum, file, &p, &truth, root);
		play_free(&p);
	} else {
		fprintf(stderr, "%s: no truth, no clip, or gate and analysis do not agree\n", file);
	}
	json_decref(root);
	return ok;
}

int main(int argc, char **argv)
{
	const char *data = getenv("SLUICE_DATA") ? getenv("SLUICE_DATA") : "../shared/data";
	static struct total sum;
	struct dirent **list;
	bool ok = true;
	int n = scandir(data, &list, truth_is, alphasort), at = 1;

	sum.verbose = argc > at && !strcmp(argv[at], "--verbose");
	at += sum.verbose;
	if (n <= 0) {
		printf("no clips with truth files in %s (set SLUICE_DATA)\n", data);
		return 77;
	}
	printf("| clip | events | false | nuisance | start / end off s | activities shown | peak "
	       "told / "
	       "true | stored of frames | us/frame | "
	       "|\n|---|---|---|---|---|---|---|---|---|---|\n");
	for (int i = 0; i < n; i++) {
		if (argc <= at || !strncmp(list[i]->d_name, argv[at], strlen(argv[at])))
			ok &= one(&sum, data, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return print_bars(&sum) && ok ? 0 : 1;
}
