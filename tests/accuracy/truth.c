// SPDX-License-Identifier: MIT
/*
 * truth.c - reads truth files and scores decisions against them.
 *
 * An event is found if a frame between its start (less EARLY_S) and its end has motion; the delay
 * counts from the visible start. False is the time of frames with motion in calm time outside every
 * event (widened by the tolerance of the file) and outside optional time.
 */
#include "truth.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

static bool inside(const struct spans *s, double t, double widen)
{
	for (size_t i = 0; i < s->count; i++)
		if (t >= s->at[i].start - widen && t <= s->at[i].end + widen)
			return true;
	return false;
}

/* "key": [[a, b], ...] or [{"start": a, "end": b}, ...] or both mixed. */
static int read_spans(struct spans *s, const json_t *root, const char *key)
{
	const json_t *list = json_object_get(root, key), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const json_t *a = json_is_array(item) ? json_array_get(item, 0)
						      : json_object_get(item, "start");
		const json_t *b = json_is_array(item) ? json_array_get(item, 1)
						      : json_object_get(item, "end");

		if (!json_is_number(a) || !json_is_number(b) || s->count == SPANS_MAX)
			return -1;
		spans_add(s, json_number_value(a), json_number_value(b));
	}
	return 0;
}

int truth_read(struct truth *t, const char *path)
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	int err;

	*t = (struct truth){ 0 };
	if (!root) {
		fprintf(stderr, "%s: %s\n", path, error.text);
		return -1;
	}
	err = read_spans(&t->events, root, "events") || read_spans(&t->calm, root, "quiet") ||
	      read_spans(&t->calm, root, "nuisance") || read_spans(&t->optional, root, "optional");
	t->tolerance_s = json_number_value(json_object_get(root, "tolerance_s"));
	json_decref(root);
	if (err)
		fprintf(stderr, "%s: a span is not two numbers\n", path);
	return err ? -1 : 0;
}

int truth_is(const struct dirent *e)
{
	const char *end = strstr(e->d_name, TRUTH_SUFFIX);

	return end && !end[strlen(TRUTH_SUFFIX)];
}

bool truth_media(char *path, size_t size, const char *data, const char *name)
{
	static const char *const kinds[] = { "mp4", "avi", "gif", "mkv" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, size, "%s/%s.%s", data, name, kinds[i]);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static double frame_time(const struct decision *d, size_t n, size_t i)
{
	if (i + 1 < n)
		return d[i + 1].t_s - d[i].t_s;
	return i ? d[i].t_s - d[i - 1].t_s : 0;
}

static double event_delay(const struct span *e, const struct decision *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (d[i].motion && d[i].t_s >= e->start - EARLY_S && d[i].t_s <= e->end)
			return d[i].t_s > e->start ? d[i].t_s - e->start : 0;
	return -1;
}

static double rolled_share(const struct decision *d, size_t n)
{
	size_t passed = 0, near = 0;

	for (size_t i = 0; i < n; i++) {
		bool pass = false;

		while (near < n && d[near].t_s < d[i].t_s - 2.0)
			near++;
		for (size_t k = near; k < n && d[k].t_s <= d[i].t_s + 1.0 && !pass; k++)
			pass = d[k].pass;
		passed += pass;
	}
	return n ? (double)passed / n : 0;
}

double published_share(const struct decision *d, size_t n)
{
	size_t passed = 0;

	for (size_t i = 0; i < n; i++)
		passed += d[i].published;
	return n ? (double)passed / n : 0;
}

void score_decisions(struct score *s, const struct truth *t, const struct decision *d, size_t n)
{
	size_t passed = 0;

	*s = (struct score){ .events = t->events.count };
	for (size_t i = 0; i < t->events.count; i++) {
		s->delay_s[i] = event_delay(&t->events.at[i], d, n);
		s->found += s->delay_s[i] >= 0;
		if (t->events.at[i].start > 1.5 && s->delay_s[i] > s->worst_delay_s)
			s->worst_delay_s = s->delay_s[i];
	}
	for (size_t i = 0; i < n; i++) {
		double dt = frame_time(d, n, i);

		passed += d[i].pass;
		if (d[i].t_s < START_S || !inside(&t->calm, d[i].t_s, 0) ||
		    inside(&t->events, d[i].t_s, t->tolerance_s) ||
		    inside(&t->optional, d[i].t_s, 0))
			continue;
		s->calm_s += dt;
		s->false_s += d[i].motion ? dt : 0;
	}
	s->bare = n ? (double)passed / n : 0;
	s->rolled = rolled_share(d, n);
}

void motion_spans(struct spans *s, const struct decision *d, size_t n, double gap_s)
{
	*s = (struct spans){ 0 };
	for (size_t i = 0; i < n; i++) {
		if (!d[i].motion)
			continue;
		if (s->count &&
		    (d[i].t_s - s->at[s->count - 1].end < gap_s || s->count == SPANS_MAX))
			s->at[s->count - 1].end = d[i].t_s;
		else
			spans_add(s, d[i].t_s, d[i].t_s);
	}
}
