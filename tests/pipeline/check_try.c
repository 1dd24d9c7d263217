// SPDX-License-Identifier: MIT
/*
 * usage: check_try OUT TRUTH.events.json
 *
 * Holds what sluice-try left in OUT against a truth file: every event of one second or more must be
 * covered by an event summary, with at least one key frame from inside the event; key frames must
 * be JPEGs that are there; a clip with events has one period that counts them all; the ledger must
 * add up with nothing lost, and what passed must be stored. Prints a line an event. Exit 0 if all
 * holds.
 */
#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_MIN_S 1.0
#define SUMMARIES   256

static int failures;

static void fail(const char *what, const char *where)
{
	printf("  FAILED: %s: %s\n", what, where);
	failures++;
}

struct summary {
	char dir[4096];
	json_t *json;
};

static struct summary summaries[SUMMARIES];
static size_t summary_count;

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void load_summaries(const char *out)
{
	char root[4096];
	char *paths[] = { root, NULL };
	FTS *fts;
	FTSENT *e;

	snprintf(root, sizeof(root), "%s/summaries", out);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (fts && (e = fts_read(fts)) && summary_count < SUMMARIES) {
		struct summary *s = &summaries[summary_count];

		if (e->fts_info != FTS_F || strcmp(e->fts_name, "summary.json"))
			continue;
		s->json = json_load_file(e->fts_path, 0, NULL);
		snprintf(s->dir, sizeof(s->dir), "%.*s", (int)(strlen(e->fts_path) - 13),
			 e->fts_path);
		if (!json_is_object(s->json) || number(s->json, "version") != 1)
			fail("no summary of version 1", e->fts_path);
		else
			summary_count++;
	}
	if (fts)
		fts_close(fts);
}

static bool is_jpeg(const char *dir, const char *file)
{
	unsigned char head[3] = { 0 };
	char path[5000];
	FILE *f;

	if (!file || strchr(file, '/'))
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "rb");
	if (!f)
		return false;
	if (fread(head, 1, 3, f) != 3)
		head[0] = 0;
	fclose(f);
	return head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

static bool is_kind(const json_t *s, const char *want)
{
	const char *kind = json_string_value(json_object_get(s, "kind"));

	return kind && !strcmp(kind, want);
}

/* The file that the digest names under key begins like one of its kind. */
static bool begins(const struct summary *s, const char *key, const char *head, size_t size)
{
	const char *file = json_string_value(json_object_get(s->json, key));
	char path[5000], got[8] = { 0 };
	FILE *f;

	if (!file || strchr(file, '/'))
		return false;
	snprintf(path, sizeof(path), "%s/%s", s->dir, file);
	f = fopen(path, "rb");
	if (!f)
		return false;
	if (fread(got, 1, size, f) != size)
		got[0] = 0;
	fclose(f);
	return !memcmp(got, head, size);
}

/* Each event has its digest: a video of at most 20 s, and the pictures. */
static void check_digest(const struct summary *event)
{
	const char *id = json_string_value(json_object_get(event->json, "id"));

	for (size_t i = 0; id && i < summary_count; i++) {
		const struct summary *s = &summaries[i];
		const char *of = json_string_value(json_object_get(s->json, "of"));

		if (!is_kind(s->json, "digest") || !of || strcmp(of, id))
			continue;
		if (!begins(s, "digest", "\x1a\x45\xdf\xa3", 4) || number(s->json, "video_s") > 20)
			fail("a digest has no video, or one that is too long", s->dir);
		if (!begins(s, "storyboard", "\xff\xd8\xff", 3) ||
		    !begins(s, "thumb", "\xff\xd8\xff", 3) || !begins(s, "heat", "\x89PNG", 4))
			fail("a digest lacks a picture", s->dir);
		return;
	}
	fail("an event has no digest", event->dir);
}

/* One summary of the whole clip: it counts each event once, and has its video and pictures. */
static void check_period(void)
{
	size_t events = 0, nuisance = 0, tracks = 0, periods = 0;
	const struct summary *p = NULL;

	for (size_t i = 0; i < summary_count; i++) {
		const json_t *o = summaries[i].json;
		bool light = json_is_true(json_object_get(o, "nuisance"));

		if (is_kind(o, "period") && ++periods)
			p = &summaries[i];
		if (!is_kind(o, "event"))
			continue;
		events += !light && !json_is_true(json_object_get(o, "continued"));
		nuisance += light && !json_is_true(json_object_get(o, "continued"));
		tracks += light ? 0 : json_array_size(json_object_get(o, "tracks"));
	}
	if (!periods && !events && !nuisance)
		return;
	if (periods != 1) {
		fail("a clip with events has not one period", "summaries");
		return;
	}
	if (number(p->json, "event_count") != (double)events ||
	    number(p->json, "nuisance_count") != (double)nuisance)
		fail("the period counts other events than there are", p->dir);
	for (int i = 0; i < 2; i++) {
		const json_t *t =
			json_object_get(json_object_get(p->json, "texts"), i ? "zh" : "en");

		if (!json_string_length(json_object_get(t, "title")) ||
		    !json_string_length(json_object_get(t, "report")))
			fail("the period has no text", i ? "zh" : "en");
	}
	printf("  period: %zu events, %.0f objects, %.0f in %.1f s of synopsis\n", events,
	       number(p->json, "objects"), number(p->json, "objects_shown"),
	       number(p->json, "video_s"));
	if (events && !begins(p, "storyboard", "\xff\xd8\xff", 3))
		fail("the period has no storyboard", p->dir);
	if (!tracks)
		return;
	if (!begins(p, "synopsis", "\x1a\x45\xdf\xa3", 4) || number(p->json, "video_s") > 60.5)
		fail("the period has no synopsis, or one that is too long", p->dir);
	if (!begins(p, "heat", "\x89PNG", 4))
		fail("the period has no heat map", p->dir);
}

static bool has_synopsis(void)
{
	for (size_t i = 0; i < summary_count; i++)
		if (is_kind(summaries[i].json, "period") &&
		    json_is_string(json_object_get(summaries[i].json, "synopsis")))
			return true;
	return false;
}

/* The page begins with the period: both texts, and the synopsis. */
static void check_page(const char *out)
{
	static const char *const words[] = { "<h2>The whole of it</h2>", "<div lang=\"en\">",
					     "<div lang=\"zh\">", "<figcaption>synopsis: " };
	bool found[4] = { false };
	char path[4096], *line = NULL;
	size_t room = 0;
	FILE *f;

	if (!has_synopsis())
		return;
	snprintf(path, sizeof(path), "%s/report.html", out);
	f = fopen(path, "r");
	while (f && getline(&line, &room, f) > 0)
		for (int i = 0; i < 4; i++)
			found[i] |= strstr(line, words[i]) != NULL;
	if (f)
		fclose(f);
	free(line);
	for (int i = 0; i < 4; i++)
		if (!found[i])
			fail("the report does not have the period", words[i]);
}

static void check_summary(const struct summary *s)
{
	static const char *const texts[] = { "id", "camera", "title", "text", "reason", "start" };
	const char *id = json_string_value(json_object_get(s->json, "id"));
	json_t *k;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *v = json_string_value(json_object_get(s->json, texts[i]));

		if (!v || !*v)
			fail("the summary lacks a text", texts[i]);
	}
	if (!id || strcmp(strrchr(s->dir, '/') + 1, id))
		fail("the directory is not named by the id", s->dir);
	if (!is_kind(s->json, "event"))
		return;
	if (!json_is_true(json_object_get(s->json, "nuisance")))
		check_digest(s);
	if (!json_array_size(json_object_get(s->json, "keyframes")))
		fail("no key frame", s->dir);
	json_array_foreach (json_object_get(s->json, "keyframes"), i, k) {
		double t = number(k, "t_s");

		if (!is_jpeg(s->dir, json_string_value(json_object_get(k, "file"))))
			fail("a key frame is no JPEG", s->dir);
		if (t < number(s->json, "start_s") - 1e-3 || t > number(s->json, "end_s") + 1e-3)
			fail("a key frame lies outside of its event", s->dir);
	}
}

/* Key frames of event summaries between start and end; *covered: seconds of it inside summaries. */
static size_t key_frames_inside(double start, double end, double *covered)
{
	size_t found = 0;
	size_t i, j;
	json_t *k;

	*covered = 0;
	for (i = 0; i < summary_count; i++) {
		const json_t *s = summaries[i].json;
		double from = number(s, "start_s");
		double to = number(s, "end_s");

		if (!is_kind(s, "event") || to < start || from > end)
			continue;
		*covered += (to < end ? to : end) - (from > start ? from : start);
		json_array_foreach (json_object_get(s, "keyframes"), j, k) {
			double t = number(k, "t_s");

			found += t >= start && t <= end;
		}
	}
	return found;
}

static void check_truth(const char *path)
{
	json_t *truth = json_load_file(path, 0, NULL);
	json_t *e;
	size_t i, found;

	if (!truth)
		fail("no truth", path);
	json_array_foreach (json_object_get(truth, "events"), i, e) {
		double start = number(e, "start");
		double end = number(e, "end");
		double covered;

		if (end - start < EVENT_MIN_S || json_object_get(e, "optional"))
			continue;
		found = key_frames_inside(start, end, &covered);
		printf("  event %6.2f to %6.2f s: %5.1f %% covered, %zu key frames inside\n", start,
		       end, 100 * covered / (end - start), found);
		if (!found)
			fail("an event has no key frame",
			     json_string_value(json_object_get(e, "what")));
	}
	json_decref(truth);
}

static json_int_t sum(const json_t *o)
{
	json_int_t n = 0;
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)o, key, v)
		n += json_integer_value(v);
	return n;
}

static void check_ledger(const char *out)
{
	char path[4096];
	json_t *ledger, *c;
	json_int_t passed, all, stored;

	snprintf(path, sizeof(path), "%s/ledger.json", out);
	ledger = json_load_file(path, 0, NULL);
	c = json_array_get(json_object_get(ledger, "cameras"), 0);
	passed = sum(json_object_get(c, "passed"));
	all = json_integer_value(json_object_get(c, "pending")) + passed +
	      sum(json_object_get(c, "dropped")) + sum(json_object_get(c, "lost"));
	stored = json_integer_value(json_object_get(c, "stored"));
	printf("  ledger: %lld delivered, %lld passed, %lld stored, %lld lost\n",
	       (long long)json_integer_value(json_object_get(c, "delivered")), (long long)passed,
	       (long long)stored, (long long)sum(json_object_get(c, "lost")));
	if (!passed || all != json_integer_value(json_object_get(c, "delivered")))
		fail("the ledger does not add up", path);
	if (sum(json_object_get(c, "lost")) || json_integer_value(json_object_get(c, "pending")))
		fail("frames are lost or pending", path);
	if (stored != passed)
		fail("not all that passed is stored", path);
	json_decref(ledger);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc != 3) {
		fputs("usage: check_try OUT TRUTH.events.json\n", stderr);
		return 2;
	}
	load_summaries(argv[1]);
	for (i = 0; i < summary_count; i++)
		check_summary(&summaries[i]);
	check_period();
	check_page(argv[1]);
	check_truth(argv[2]);
	check_ledger(argv[1]);
	for (i = 0; i < summary_count; i++)
		json_decref(summaries[i].json);
	return failures ? 1 : 0;
}
