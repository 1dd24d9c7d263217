// SPDX-License-Identifier: MIT
/*
 * test_index_find.c - what people look for in the index: random filters over random summaries,
 * page by page, against a walk over all of them; the plans of all statements that serve people;
 * a file of version 1, as a cloud of that version left it.
 *
 * usage: test_index_find [SEED [SUMMARIES]]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sqlite3.h>

#include "cloud/index_sql.h"
#include "tests/unit/check.h"

#define CAMERAS	  3
#define SUMMARIES 11000 /* more than one page looks at */

static const char *const classes[] = { "person-like", "vehicle-like", "small", "unknown" };
static const char *const zones[] = { "door", "street" };
static const char *const words[] = { "Person", "vehicle", "walks", "stands", "Night", "ÄRGER" };

/* One summary as it was made, to be looked at without an index. */
struct made {
	char id[33];
	int camera, kind, nuisance, pinned, confidence, threat;
	unsigned int classes, zones, words; /* bits */
	int x, y;			    /* of the one box, 40 x 40 pixels of 640 x 480 */
	uint64_t start_ns;
};

static char dir[64] = "/tmp/test_index_find.XXXXXX", path[96];
static struct sluice_camera camera[CAMERAS];
static const struct sluice_whose all = { "t", NULL };
static struct made *made;
static size_t made_count = SUMMARIES;

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;

	CHECK(!sluice_index_sqlite_open(path, &ix));
	if (!ix)
		exit(1);
	return ix;
}

static void append_words(char *text, size_t size, const char *const *list, size_t count,
			 unsigned int bits, const char *quote)
{
	size_t i, n = strlen(text);
	int any = 0;

	for (i = 0; i < count; i++)
		if (bits & 1u << i)
			n += (size_t)snprintf(text + n, size - n, "%s%s%s%s",
					      any++ ? (*quote ? "," : " ") : "", quote, list[i],
					      quote);
}

static void make_summary(struct made *m, size_t i, char *json, size_t size)
{
	char zone[64] = "", text[128] = "";
	size_t k, n;

	snprintf(m->id, sizeof(m->id), "%08x%024zx", (unsigned int)random_below(UINT32_MAX), i);
	m->camera = (int)random_below(CAMERAS);
	m->kind = random_below(4) == 0;
	m->nuisance = random_below(5) == 0;
	m->confidence = (int)random_below(1001);
	m->threat = (int)random_below(3);
	m->classes = (unsigned int)random_below(16);
	m->zones = (unsigned int)random_below(4);
	m->words = (unsigned int)random_below(64);
	m->x = (int)random_below(600);
	m->y = (int)random_below(440);
	/* many share a time, so that pages end within one */
	m->start_ns = 1700000000000000000ull + random_below(made_count / 4 + 1) * 1000000000ull;
	append_words(zone, sizeof(zone), zones, 2, m->zones, "\"");
	append_words(text, sizeof(text), words, 6, m->words, "");
	n = (size_t)snprintf(json, size,
			     "{\"kind\":\"%s\",\"confidence\":%.3f,\"threat_level\":%d,"
			     "\"nuisance\":%s,\"width\":640,"
			     "\"height\":480,\"title\":\"%s\",\"zones\":[%s],\"tracks\":[",
			     m->kind ? "digest" : "event", m->confidence / 1000.0, m->threat,
			     m->nuisance ? "\"rain\"" : "false", text, zone);
	for (k = 0; k < 4; k++)
		if (m->classes & 1u << k)
			n += (size_t)snprintf(json + n, size - n,
					      "%s{\"class\":\"%s\",\"boxes\":[[0.5,%d,%d,40,40]]}",
					      m->classes & ((1u << k) - 1) ? "," : "", classes[k],
					      m->x, m->y);
	snprintf(json + n, size - n, "]}");
}

static void fill_index(struct sluice_index *ix)
{
	char json[2048];
	size_t i;
	int c;

	CHECK(!ix->ops->begin(ix));
	for (c = 0; c < CAMERAS; c++)
		CHECK(!ix->ops->camera_add(ix, &camera[c]));
	for (i = 0; i < made_count; i++) {
		struct sluice_index_summary s = { .json = json };

		make_summary(&made[i], i, json, sizeof(json));
		memcpy(s.id, made[i].id, sizeof(s.id));
		memcpy(s.camera, camera[made[i].camera].id, sizeof(s.camera));
		s.start_utc_ns = made[i].start_ns;
		s.end_utc_ns = s.start_utc_ns + 5;
		CHECK(!ix->ops->summary_add(ix, &s));
	}
	CHECK(!ix->ops->commit(ix));
	for (i = 0; i < made_count; i += made_count / 12) {
		made[i].pinned = 1;
		CHECK(!ix->ops->summary_pin(ix, &all, made[i].id, "me", NULL, 1));
	}
}

static int newer_first(const void *a, const void *b)
{
	const struct made *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? 1 : -1;
	return -strcmp(x->id, y->id);
}

/* ---- filters ---- */

static const char *one_of(const char *const *list, size_t count)
{
	return random_below(3) ? NULL : list[random_below(count)];
}

static void make_filter(struct sluice_index_filter *f, unsigned int *text_bits)
{
	static const char *const names[] = { "c0", "c1", "c2", "nobody" };
	static const char *const kinds[] = { "event", "digest" };
	static const char *const threats[] = { "1", "2" };
	static char text[128];
	size_t k;

	memset(f, 0, sizeof(*f));
	*text_bits = 0;
	f->camera = one_of(names, 4);
	if (!random_below(6))
		f->camera = camera[1].hex;
	f->kind = one_of(kinds, 2);
	f->class = one_of(classes, 4);
	f->zone = one_of(zones, 2);
	f->threat = one_of(threats, 2);
	f->nuisance = (int)random_below(3) - 1;
	f->pinned = random_below(8) ? 0 : (int)random_below(3) - 1;
	f->confidence = random_below(2) ? (int)random_below(900) : 0;
	if (!random_below(3))
		f->from_ns = 1700000000000000000ull + random_below(made_count / 4) * 1000000000ull;
	if (!random_below(3))
		f->to_ns = 1700000000000000000ull + random_below(made_count / 4) * 1000000000ull;
	if (!random_below(3)) {
		text[0] = 0;
		for (k = 0; k < 2; k++)
			*text_bits |= 1u << random_below(6);
		append_words(text, sizeof(text), words, 6, *text_bits, "");
		if (random_below(2)) /* ASCII alone is folded */
			for (k = 0; text[k]; k++)
				if (text[k] >= 'a' && text[k] <= 'z')
					text[k] = (char)(text[k] - 32);
		f->text = text;
	}
	if (!random_below(3))
		sluice_region_add(&f->region, (double)random_below(640), (double)random_below(480),
				  60, 60, 640, 480);
	f->limit = 1 + (unsigned int)random_below(300);
}

static int has_class(const struct made *m, const char *class)
{
	unsigned int k;

	for (k = 0; k < 4; k++)
		if (m->classes & 1u << k && !strcmp(classes[k], class))
			return 1;
	return 0;
}

/* By pixels, as the region's cells are 40 x 30 of them. */
static int meets(const struct made *m, const struct sluice_region *r)
{
	int x, y;

	if (!m->classes)
		return 0;
	for (y = m->y / 30; y <= (m->y + 39) / 30; y++)
		for (x = m->x / 40; x <= (m->x + 39) / 40; x++)
			if (r->word[y / 4] >> (y % 4 * 16 + x) & 1)
				return 1;
	return 0;
}

static int fits(const struct made *m, const struct sluice_index_filter *f, unsigned int text_bits)
{
	static const struct sluice_region anywhere;
	const struct sluice_camera *c = &camera[m->camera];

	return (!f->camera || !strcmp(f->camera, c->name) || !strcmp(f->camera, c->hex)) &&
	       (!f->kind || !strcmp(f->kind, m->kind ? "digest" : "event")) &&
	       (!f->class || has_class(m, f->class)) &&
	       (!f->zone || m->zones & (strcmp(f->zone, "door") ? 2u : 1u)) &&
	       (!f->threat || m->threat >= f->threat[0] - '0') &&
	       (!f->nuisance || m->nuisance == (f->nuisance > 0)) &&
	       (!f->pinned || m->pinned == (f->pinned > 0)) && m->confidence >= f->confidence &&
	       m->start_ns >= f->from_ns && (!f->to_ns || m->start_ns < f->to_ns) &&
	       (m->words & text_bits) == text_bits &&
	       (!memcmp(&f->region, &anywhere, sizeof(anywhere)) || meets(m, &f->region));
}

struct reading {
	const struct sluice_index_filter *f;
	unsigned int text_bits;
	size_t at; /* in made */
	unsigned int rows, wrong;
};

static int on_row(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	struct reading *r = ctx;

	while (r->at < made_count && !fits(&made[r->at], r->f, r->text_bits))
		r->at++;
	if (r->at == made_count || strcmp(made[r->at].id, s->id) != 0 ||
	    strcmp(camera[made[r->at].camera].name, c->name) != 0 ||
	    made[r->at].pinned != s->pinned || made[r->at].nuisance != s->nuisance)
		r->wrong++;
	r->at++;
	r->rows++;
	return 0;
}

static void test_filters(struct sluice_index *ix)
{
	char next[SLUICE_CURSOR_MAX], after[SLUICE_CURSOR_MAX];
	struct sluice_index_filter f;
	unsigned int i, pages, found = 0;

	for (i = 0; i < 40; i++) {
		struct reading r = { .f = &f };

		make_filter(&f, &r.text_bits);
		for (pages = 0; pages < 100000; pages++) {
			r.rows = 0;
			CHECK(!ix->ops->summaries_find(ix, &all, &f, on_row, &r, next));
			found += r.rows;
			CHECK(r.rows <= f.limit);
			if (!next[0])
				break;
			memcpy(after, next, sizeof(after));
			f.after = after;
		}
		while (r.at < made_count && !fits(&made[r.at], &f, r.text_bits))
			r.at++;
		CHECK(!r.wrong && r.at == made_count);
		if (r.wrong || r.at != made_count)
			fprintf(stderr, "filter %u: %u wrong, stopped at %zu\n", i, r.wrong, r.at);
	}
	printf("%u rows found by 40 filters\n", found);
	CHECK(found > 1000);
}

static int count_row(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	(void)c;
	(void)s;
	++*(unsigned int *)ctx;
	return 0;
}

/* Nobody else's rows, no page without an end, no cursor that is none. */
static void test_bounds(struct sluice_index *ix)
{
	const struct sluice_whose other = { "other", NULL }, none = { "t", "" };
	struct sluice_index_filter f = { .limit = SLUICE_FIND_MAX };
	char hex[33], next[SLUICE_CURSOR_MAX];
	struct sluice_whose one = { "t", hex };
	static const char *const bad[] = { "",
					   "x",
					   "a",
					   "b00000000000000050123456789abcdef0123456789abcdef",
					   "a8000000000000000"
					   "0123456789abcdef0123456789abcdef",
					   "a00000000000000050123456789abcdef0123456789abcdeg" };
	unsigned int n = 0;
	size_t i;

	CHECK(!ix->ops->summaries_find(ix, &other, &f, count_row, &n, next) && !n && !next[0]);
	CHECK(!ix->ops->summaries_find(ix, &none, &f, count_row, &n, next) && !n);
	CHECK(ix->ops->summary_pin(ix, &other, made[0].id, "x", NULL, 1) == -ENOENT);
	CHECK(ix->ops->summary_pin(ix, &none, made[0].id, NULL, NULL, 1) == -ENOENT);
	sluice_hex(camera[2].id, 16, hex);
	for (i = 0; hex[i]; i++)
		hex[i] = (char)(hex[i] >= 'a' ? hex[i] - 32 : hex[i]);
	f.camera = "c1";
	CHECK(!ix->ops->summaries_find(ix, &one, &f, count_row, &n, next) && !n);
	f.camera = "c2";
	CHECK(!ix->ops->summaries_find(ix, &one, &f, count_row, &n, next) && n == f.limit);
	/* what is nowhere: the page ends empty after a bounded walk, and goes on */
	f = (struct sluice_index_filter){ .text = "no such word", .limit = 1 };
	n = 0;
	CHECK(!ix->ops->summaries_find(ix, &all, &f, count_row, &n, next) && !n);
	CHECK(!next[0] == (made_count <= SLUICE_FIND_SCANNED));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.after = bad[i];
		CHECK(ix->ops->summaries_find(ix, &all, &f, count_row, &n, next) == -EINVAL);
	}
	f = (struct sluice_index_filter){ .limit = SLUICE_FIND_MAX + 1 };
	CHECK(ix->ops->summaries_find(ix, &all, &f, count_row, &n, next) == -EINVAL);
}

struct counted {
	uint64_t events, nuisance, from;
	unsigned int buckets;
};

static int on_bucket(void *ctx, const struct sluice_camera *c, const struct sluice_index_bucket *b)
{
	struct counted *t = ctx;
	uint64_t events = 0, nuisance = 0;
	size_t i;

	for (i = 0; i < made_count; i++)
		if (!made[i].kind && !strcmp(camera[made[i].camera].name, c->name) &&
		    made[i].start_ns >= b->start_ns &&
		    made[i].start_ns - b->start_ns < 7000000000u) {
			events++;
			nuisance += (uint64_t)made[i].nuisance;
		}
	CHECK(events == b->events && nuisance == b->nuisance);
	CHECK((b->start_ns - t->from) % 7000000000u == 0);
	t->events += b->events;
	t->buckets++;
	return 0;
}

static void test_timeline(struct sluice_index *ix)
{
	struct counted t = { .from = 1700000000000000000ull };
	uint64_t to = t.from + 7000000000ull * 40;
	size_t i, expect = 0;

	for (i = 0; i < made_count; i++)
		expect += !made[i].kind && made[i].start_ns < to;
	CHECK(!ix->ops->timeline(ix, &all, NULL, t.from, to, 7000000000u, on_bucket, &t));
	printf("%llu events of %zu in %u buckets\n", (unsigned long long)t.events, expect,
	       t.buckets);
	CHECK(t.events == expect && t.buckets > 40 && t.buckets <= 40 * CAMERAS);
	CHECK(ix->ops->timeline(ix, &all, NULL, 0, to, 1, on_bucket, &t) == -EINVAL);
	CHECK(ix->ops->timeline(ix, &all, NULL, 5, 6, 0, on_bucket, &t) == -EINVAL);
}

/* ---- plans ---- */

/* No statement that serves people walks a whole table or sorts. */
static void test_plans(void)
{
	static const int served[] = { CAMERA_FIND,
				      FRAME_ADD,
				      FRAME_LAST,
				      FRAME_FIND,
				      FRAMES,
				      SUMMARY_FIND,
				      MEDIA,
				      SUMMARIES_UNACKED,
				      FIND,
				      FIND_TAG,
				      SUMMARY_GET,
				      TIMELINE,
				      FRAME_BEFORE,
				      FRAME_BEHIND,
				      FRAMES_DROP,
				      SEGMENT_OLDEST,
				      SEGMENT_LEAVING,
				      FACETS_OF,
				      EVENTS_OPEN,
				      FRAMES_BETWEEN,
				      PIN_FIND,
				      LEDGERS,
				      EPOCHS };
	sqlite3 *raw = NULL;
	size_t i;

	CHECK(!sqlite3_open(path, &raw));
	for (i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
		sqlite3_stmt *st = NULL;
		char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sluice_index_sql[served[i]]);

		CHECK(!sqlite3_prepare_v2(raw, text, -1, &st, NULL));
		while (st && sqlite3_step(st) == SQLITE_ROW) {
			const char *line = (const char *)sqlite3_column_text(st, 3);

			printf("%d: %s\n", served[i], line);
			CHECK(strncmp(line, "SCAN", 4) != 0 || !strcmp(line, "SCAN CONSTANT ROW"));
			CHECK(!strstr(line, "TEMP B-TREE"));
		}
		sqlite3_finalize(st);
		sqlite3_free(text);
	}
	sqlite3_close(raw);
}

/* ---- an older file ---- */

static char *read_text(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = calloc(1, 1 << 16);

	CHECK(f && fread(text, 1, (1 << 16) - 1, f) > 1000);
	if (f)
		fclose(f);
	return text;
}

/* All that makes the tables, sorted. */
static char *read_schema(const char *file)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *raw = NULL;
	char *out = NULL;

	CHECK(!sqlite3_open(file, &raw));
	CHECK(!sqlite3_prepare_v2(raw,
				  "SELECT group_concat(sql, char(10)) FROM (SELECT"
				  " replace(sql, 'IF NOT EXISTS ', '') AS sql FROM sqlite_master"
				  " ORDER BY name)",
				  -1, &st, NULL));
	if (st && sqlite3_step(st) == SQLITE_ROW)
		out = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(raw);
	return out;
}

static int on_segment(void *ctx, const struct sluice_index_segment *s)
{
	CHECK(s->closed && s->frames == 14 && s->motion > 0 && s->motion <= s->frames);
	CHECK(s->first_utc_ns < s->last_utc_ns);
	++*(unsigned int *)ctx;
	return 0;
}

static void test_older(void)
{
	static const char text[] = "tests/unit/index_v1.sql";
	const struct sluice_whose who = { "default", NULL };
	struct sluice_index_filter f = { .kind = "event", .camera = "clip", .limit = 10 };
	char old[96], next[SLUICE_CURSOR_MAX], *sql = read_text(text), *a, *b;
	struct sluice_index *ix = NULL;
	unsigned int n = 0;
	sqlite3 *raw = NULL;

	snprintf(old, sizeof(old), "%s/old.db", dir);
	CHECK(!sqlite3_open(old, &raw));
	CHECK(!sqlite3_exec(raw, sql, NULL, NULL, NULL));
	sqlite3_close(raw);
	free(sql);
	CHECK(!sluice_index_sqlite_open(old, &ix));
	if (!ix)
		return;
	CHECK(!ix->ops->summaries_find(ix, &who, &f, count_row, &n, next) && n == 1);
	f.kind = NULL;
	CHECK(!ix->ops->summaries_find(ix, &who, &f, count_row, &n, next) && n == 3);
	sluice_region_add(&f.region, 0, 0, 160, 120, 160, 120);
	CHECK(!ix->ops->summaries_find(ix, &who, &f, count_row, &n, next) && n == 4);
	n = 0;
	CHECK(!ix->ops->segments(ix, on_segment, &n) && n == 1);
	sluice_index_close(ix);
	/* and once more, now that it is there */
	CHECK(!sluice_index_sqlite_open(old, &ix));
	sluice_index_close(ix);
	a = read_schema(old);
	b = read_schema(path);
	CHECK(a && b && !strcmp(a, b));
	free(a);
	free(b);
	/* one of a later version is left alone */
	CHECK(!sqlite3_open(old, &raw));
	CHECK(!sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL, NULL));
	sqlite3_close(raw);
	CHECK(sluice_index_sqlite_open(old, &ix) == -EPROTONOSUPPORT && !ix);
	unlink(old);
}

int main(int argc, char **argv)
{
	struct sluice_index *ix;
	char name[16];
	int c;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	if (argc > 2)
		made_count = strtoull(argv[2], NULL, 0);
	made = calloc(made_count, sizeof(*made));
	if (made_count < 1000 || !made || !mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/index.db", dir);
	for (c = 0; c < CAMERAS; c++) {
		snprintf(name, sizeof(name), "c%d", c);
		CHECK(!sluice_camera_init(&camera[c], "t", "d", name));
	}
	ix = open_index();
	fill_index(ix);
	qsort(made, made_count, sizeof(*made), newer_first);
	test_filters(ix);
	test_bounds(ix);
	test_timeline(ix);
	sluice_index_close(ix);
	test_plans();
	test_older();
	unlink(path);
	rmdir(dir);
	free(made);
	return check_result();
}
