// SPDX-License-Identifier: MIT
/*
 * index_find.c - what people look for, in the index.
 *
 * A filter that names a zone, class, device, camera or kind walks that tag in order of time, the
 * first of these that is there; else the tenant's rows are walked. Every row on the way is looked
 * at with the whole filter, SLUICE_FIND_SCANNED of them for one page at most, so that no question
 * holds up whoever asks next. There is no sorting: both walks go along an index.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "cloud/index_sql.h"

#define TAGS  6
#define WORDS 4

/* ---- rows ---- */

/* "\nkind:event\nclass:person-like\n": so that instr() finds whole tags alone. */
static void join_tags(const struct sluice_facets *f, char *out, size_t size)
{
	size_t i, n = 0;

	out[n++] = '\n';
	for (i = 0; i < f->tag_count; i++)
		n += (size_t)snprintf(out + n, size - n, "%s\n", f->tags[i]);
	out[n] = 0;
}

static int add_rows(struct sluice_db *s, const struct sluice_index_summary *sum,
		    const struct sluice_facets *f)
{
	char tags[SLUICE_TAGS_MAX * (SLUICE_TAG_MAX + 1) + 2];
	size_t i;
	int err;

	join_tags(f, tags, sizeof(tags));
	err = sluice_db_run(sluice_db_bind(
		s, FACETS_ADD, "cisisddiiiiss", sum->camera, sum->start_utc_ns, sum->id,
		sum->end_utc_ns, f->kind, f->confidence, f->nuisance, f->region.word[0],
		f->region.word[1], f->region.word[2], f->region.word[3], tags, f->words));
	for (i = 0; !err && i < f->tag_count; i++)
		err = sluice_db_run(sluice_db_bind(s, TAG_ADD, "csis", sum->camera, f->tags[i],
						   sum->start_utc_ns, sum->id));
	return err;
}

/* Whose it is can be asked for too. -ENOENT: a camera without a name, which nobody can ask for. */
static int add_owner(struct sluice_db *s, const uint8_t camera[16], struct sluice_facets *f)
{
	struct sluice_rows *st = sluice_db_bind(s, CAMERA_FIND, "c", camera);
	struct sluice_camera c;
	int rc = sluice_db_step(st);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_camera(st, 0, &c);
	sluice_db_end(st);
	sluice_facets_tag(f, "camera", c.name);
	sluice_facets_tag(f, "camera", c.hex);
	sluice_facets_tag(f, "device", c.device);
	return 0;
}

int sluice_sql_facets_add(struct sluice_db *s, const struct sluice_index_summary *sum)
{
	struct sluice_facets *f = malloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	err = add_owner(s, sum->camera, f);
	if (!err) {
		sluice_facets_read(sum->json, f);
		err = add_rows(s, sum, f);
	}
	/* an analysis is for who asked for it here: no device is to get it */
	if (!err && !strcmp(f->kind, "analysis"))
		err = sluice_db_run(sluice_db_bind(s, SUMMARY_ACKED, "cs", sum->camera, sum->id));
	if (!err)
		err = sluice_sql_event_over(s, sum, f);
	free(f);
	return err == -ENOENT ? 0 : err;
}

int sluice_sql_facets_fill(struct sluice_db *s)
{
	struct sluice_rows *st = sluice_db_bind(s, SUMMARIES_FILL, "");
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		struct sluice_index_summary sum = { .epoch = column_u64(st, 2),
						    .start_utc_ns = column_u64(st, 3),
						    .end_utc_ns = column_u64(st, 4),
						    .json = sluice_db_text(st, 5) };

		column_text(st, 0, sum.id, sizeof(sum.id));
		sluice_db_id(st, 1, sum.camera);
		rc = sluice_sql_facets_add(s, &sum);
		if (rc) {
			sluice_db_end(st);
			break;
		}
	}
	return rc;
}

/* ---- questions ---- */

struct question {
	char tag[TAGS][SLUICE_TAG_MAX + 2]; /* with a newline on both sides; "" none */
	char words[SLUICE_WORDS_MAX];
	const char *word[WORDS];
	const char *drive; /* the tag to walk, without newlines; NULL: all rows */
	char drive_text[SLUICE_TAG_MAX];
	uint64_t before_ns;
	char before_id[33];
};

/* In the order in which they are likely to be rare. */
static int ask_tags(struct question *q, const struct sluice_index_filter *f)
{
	const char *const kind[TAGS] = { "threat", "zone", "class", "camera", "device", "kind" };
	const char *const value[TAGS] = { f->threat, f->zone,	f->class,
					  f->camera, f->device, f->kind };
	size_t i;

	if (f->pinned > 0)
		q->drive = "pinned:";
	for (i = 0; i < TAGS; i++) {
		if (!value[i])
			continue;
		if (snprintf(q->tag[i], sizeof(q->tag[i]), "\n%s:%s\n", kind[i], value[i]) >=
		    (int)sizeof(q->tag[i]))
			return -ENOENT; /* longer than any that is kept */
		if (q->drive)
			continue;
		snprintf(q->drive_text, sizeof(q->drive_text), "%s:%s", kind[i], value[i]);
		q->drive = q->drive_text;
	}
	return 0;
}

static void ask_words(struct question *q, const char *text)
{
	char *at = q->words;
	size_t n = 0;

	sluice_facets_lower(text ? text : "", q->words, sizeof(q->words));
	while (n < WORDS) {
		while (isspace((unsigned char)*at))
			at++;
		if (!*at)
			break;
		q->word[n++] = at;
		while (*at && !isspace((unsigned char)*at))
			at++;
		if (*at)
			*at++ = 0;
	}
}

static int ask(struct question *q, const struct sluice_index_filter *f)
{
	memset(q, 0, sizeof(*q));
	if (!f->limit || f->limit > SLUICE_FIND_MAX)
		return -EINVAL;
	q->before_ns = f->to_ns && f->to_ns < INT64_MAX ? f->to_ns : INT64_MAX;
	if (f->after) {
		uint64_t at;

		if (sluice_cursor_read(f->after, &at, q->before_id))
			return -EINVAL;
		if (at < q->before_ns)
			q->before_ns = at;
		else
			q->before_id[0] = 0;
	}
	ask_words(q, f->text);
	return ask_tags(q, f);
}

static const char *text_or_null(const char *text)
{
	return *text ? text : NULL;
}

/* For "either", "only", "none" of the filter: what a column of 0 and 1 must be; -1: anything. */
static int wanted(int choice)
{
	return choice ? choice > 0 : -1;
}

static struct sluice_rows *bind_question(struct sluice_index *ix, const struct sluice_whose *who,
					 const struct sluice_index_filter *f,
					 const struct question *q, unsigned int limit)
{
	const uint64_t *r = f->region.word, from = f->from_ns < INT64_MAX ? f->from_ns : INT64_MAX;

	/* without a tag to walk the last parameter is not there: the format ends before it */
	return sluice_db_bind(db(ix), q->drive ? FIND_TAG : FIND,
			      q->drive ? "siissddddiiiissssssssssd"
					 "s"
				       : "siissddddiiiissssssssssd",
			      who->tenant, from, q->before_ns, q->before_id, who->cameras,
			      f->confidence, wanted(f->nuisance), wanted(f->pinned),
			      !(r[0] | r[1] | r[2] | r[3]), r[0], r[1], r[2], r[3],
			      text_or_null(q->tag[0]), text_or_null(q->tag[1]),
			      text_or_null(q->tag[2]), text_or_null(q->tag[3]),
			      text_or_null(q->tag[4]), text_or_null(q->tag[5]), q->word[0],
			      q->word[1], q->word[2], q->word[3], (int)limit, q->drive);
}

/* 1: found; 0: not. */
static int show(struct sluice_index *ix, struct sluice_rows *st, const char *id,
		sluice_index_summary_fn fn, void *ctx)
{
	int err;

	if (!(int)sluice_db_int(st, 2))
		return 0;
	err = sluice_sql_summary_get(ix, id, (int)sluice_db_int(st, 3), (int)sluice_db_int(st, 4),
				     fn, ctx);
	return err == -ENOENT ? 0 : err ? err : 1;
}

/* Of one page, as far as it has come. */
struct page {
	unsigned int scanned, rows;
	uint64_t at_ns; /* the last row that was looked at */
	char at_id[33];
};

/* Looks at the rows of st. *end: the page ends here, and there are more. */
static int look(struct sluice_index *ix, struct sluice_rows *st,
		const struct sluice_index_filter *f, struct page *p, sluice_index_summary_fn fn,
		void *ctx, int *end)
{
	int rc;

	while ((rc = sluice_db_step(st)) > 0) {
		*end = p->rows == f->limit || p->scanned == SLUICE_FIND_SCANNED;
		if (*end) {
			sluice_db_end(st);
			return 0;
		}
		p->scanned++;
		p->at_ns = column_u64(st, 0);
		column_text(st, 1, p->at_id, sizeof(p->at_id));
		rc = show(ix, st, p->at_id, fn, ctx);
		if (rc < 0 || rc > 1) {
			sluice_db_end(st);
			return rc;
		}
		p->rows += (unsigned int)rc;
	}
	return rc;
}

/* In batches, for a data base that gives all rows at once: mostly the first is enough. */
int sluice_sql_find(struct sluice_index *ix, const struct sluice_whose *who,
		    const struct sluice_index_filter *f, sluice_index_summary_fn fn, void *ctx,
		    char *next)
{
	unsigned int batch, before;
	struct page p = { 0 };
	struct question q;
	int end = 0, rc = ask(&q, f);

	*next = 0;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	for (batch = f->limit + 1;;
	     batch = batch < SLUICE_FIND_SCANNED / 4 ? batch * 4 : SLUICE_FIND_SCANNED) {
		before = p.scanned;
		rc = look(ix, bind_question(ix, who, f, &q, batch), f, &p, fn, ctx, &end);
		if (rc)
			return rc;
		if (end)
			sluice_cursor_write(p.at_ns, p.at_id, next);
		if (end || p.scanned - before < batch)
			return 0;
		q.before_ns = p.at_ns;
		memcpy(q.before_id, p.at_id, sizeof(q.before_id));
	}
}

/* ---- the timeline ---- */

int sluice_sql_timeline(struct sluice_index *ix, const struct sluice_whose *who, const char *camera,
			uint64_t from_ns, uint64_t to_ns, uint64_t width_ns,
			sluice_index_bucket_fn fn, void *ctx)
{
	struct sluice_index_bucket b = { 0 };
	struct sluice_camera now, c = { 0 };
	struct sluice_rows *st;
	int rc;

	if (!width_ns || to_ns < from_ns || to_ns > INT64_MAX ||
	    (to_ns - from_ns) / width_ns >= SLUICE_BUCKETS_MAX)
		return -EINVAL;
	st = sluice_db_bind(db(ix), TIMELINE, "sssii", who->tenant, who->cameras, camera, from_ns,
			    to_ns);
	while ((rc = sluice_db_step(st)) > 0) {
		uint64_t at = column_u64(st, 4);

		at -= (at - from_ns) % width_ns;
		read_camera(st, 0, &now);
		if (b.events && (at != b.start_ns || memcmp(now.id, c.id, sizeof(c.id)) != 0)) {
			rc = fn(ctx, &c, &b);
			memset(&b, 0, sizeof(b));
		} else {
			rc = 0;
		}
		if (rc) {
			sluice_db_end(st);
			return rc;
		}
		c = now;
		b.start_ns = at;
		b.events++;
		b.nuisance += (int)sluice_db_int(st, 5) != 0;
	}
	return !rc && b.events ? fn(ctx, &c, &b) : rc;
}
