// SPDX-License-Identifier: MIT
/* index_people.c - the cases of the index about what people see: summaries, events, history. */
#include <errno.h>
#include <string.h>

#include "tests/conform/index_case.h"
#include "tests/unit/check.h"

/* ---- summaries ---- */

#define ODD "{\"kind\":\"event\",\"title\":\"\xc3\x84rger's \\\"door\\\" %s ?1 $1; --\"}"

static int on_whole(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	CHECK(!strcmp(c->name, "c0") && !strcmp(c->tenant, "t") && !memcmp(c->id, s->camera, 16));
	CHECK(s->epoch == 5 && s->start_utc_ns == T0 + 1 && s->end_utc_ns == T0 + 1 + 5 * S);
	CHECK(!strcmp(s->json, ODD) && s->media_count == 2);
	CHECK(!strcmp(s->media[0].name, "summary.json") && s->media[0].size == 101 &&
	      s->media[0].sha256[0] == 1 && !s->media[0].sha256[1] && s->media[0].sha256[2] == 2);
	CHECK(!strcmp(s->media[1].name, "key-1.jpg") && s->media[1].size == 1ull << 40 &&
	      s->media[1].sha256[0] == 0xff);
	return index_list_add(ctx, "%s", s->id + 31);
}

static int on_unacked(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	CHECK(!c && s->epoch == 5 && s->end_utc_ns == s->start_utc_ns + 5 * S);
	return index_list_add(ctx, "%s", s->id + 31);
}

static void case_summaries(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	const uint8_t *c0 = index_camera[C0].id;
	struct sluice_whose other = index_granted(C1);
	struct index_list whole = { 0 }, unacked = { 0 }, newest = { 0 }, of_name = { 0 };
	struct index_list alien = { 0 }, every = { 0 }, stopped = { .stop_at = 1 };
	uint8_t owner[16];
	uint64_t token = 0;

	CHECK(index_summary(ix, C0, 1, T0 + 1, ODD) == 0);
	CHECK(index_summary(ix, C0, 1, T0 + 9, "{}") == 1); /* nothing changed */
	CHECK(index_summary(ix, C1, 1, T0 + 1, ODD) == -EEXIST);
	CHECK(!ix->ops->summary_find(ix, &index_all, index_id(1), on_whole, &whole));
	CHECK(whole.count == 1);
	CHECK(ix->ops->summary_find(ix, &index_alien, index_id(1), on_whole, &whole) == -ENOENT);
	CHECK(ix->ops->summary_find(ix, &other, index_id(1), on_whole, &whole) == -ENOENT);
	CHECK(ix->ops->summary_find(ix, &index_nobody, index_id(1), on_whole, &whole) == -ENOENT);
	CHECK(ix->ops->summary_find(ix, &index_all, index_id(2), on_whole, &whole) == -ENOENT);
	CHECK(whole.count == 1);
	CHECK(!ix->ops->summary_owner(ix, index_id(1), owner, &token) && !memcmp(owner, c0, 16));
	CHECK(token == 1ull << 40);
	CHECK(ix->ops->summary_owner(ix, index_id(2), owner, NULL) == -ENOENT);
	CHECK(!index_summary(ix, C0, 3, T0 + 3, "{}") && !index_summary(ix, C0, 2, T0 + 2, "{}") &&
	      !index_summary(ix, C1, 4, T0 + 4, "{}") && !index_summary(ix, ALIEN, 5, T0, "{}"));
	CHECK(!ix->ops->summary_acked(ix, index_camera[C1].id, index_id(2))); /* not its own */
	CHECK(!ix->ops->summaries_unacked(ix, c0, on_unacked, &unacked));
	CHECK(index_list_is(&unacked, "1 2 3"));
	CHECK(!ix->ops->summary_acked(ix, c0, index_id(2)));
	memset(&unacked, 0, sizeof(unacked));
	CHECK(!ix->ops->summaries_unacked(ix, c0, on_unacked, &unacked));
	CHECK(index_list_is(&unacked, "1 3"));
	CHECK(!ix->ops->summaries(ix, &index_all, NULL, 3, index_list_summary, &newest));
	CHECK(index_list_is(&newest, "4 3 2+"));
	CHECK(!ix->ops->summaries(ix, &index_all, "c0", 2, index_list_summary, &of_name));
	CHECK(index_list_is(&of_name, "3 2+"));
	CHECK(!ix->ops->summaries(ix, &index_alien, NULL, 9, index_list_summary, &alien));
	CHECK(index_list_is(&alien, "5"));
	CHECK(ix->ops->summaries(ix, &index_all, NULL, 9, index_list_summary, &stopped) == 7);
	CHECK(!ix->ops->summaries_all(ix, index_list_summary, &every));
	CHECK(index_list_is(&every, "5 1 2+ 3 4"));
	/* an analysis that was made again is not the device's */
	CHECK(!index_summary(ix, C1, 6, T0 + 6, "{\"kind\":\"analysis\"}") &&
	      !index_summary(ix, C1, 7, T0 + 7, "{\"kind\":\"period\"}"));
	memset(&unacked, 0, sizeof(unacked));
	CHECK(!ix->ops->summaries_unacked(ix, index_camera[C1].id, on_unacked, &unacked));
	CHECK(index_list_is(&unacked, "4 7"));
	sluice_index_close(ix);
}

/* ---- filters ---- */

#define FOUND 40

/* Number i: kind, class and the rest follow from it; four share a time. */
static void add_found(struct sluice_index *ix)
{
	char json[512];
	unsigned int i;

	for (i = 1; i <= FOUND; i++) {
		snprintf(json, sizeof(json),
			 "{\"kind\":\"%s\",\"confidence\":0.%03u,\"threat_level\":%u,\"nuisance\":%"
			 "s,"
			 "\"width\":160,\"height\":160,\"title\":\"Number %u "
			 "\xc3\x84rger\",\"zones\":[\"z%u\"],"
			 "\"tracks\":[{\"class\":\"%s\",\"boxes\":[[0,%u,%u,4,4]]}]}",
			 i % 3 ? "event" : "digest", i, i % 6 % 3, i % 5 ? "false" : "\"rain\"", i,
			 i % 4, i % 2 ? "small" : "person-like", i % 10 * 16, i / 10 * 16);
		CHECK(!index_summary(ix, i % 7 ? C0 : C2, i, T0 + i / 4 * S, json));
	}
	CHECK(!index_summary(ix, ALIEN, 999, T0 + S, "{\"kind\":\"event\"}"));
}

/* All pages of limit rows: what fits by fn, newest first, no row twice. */
static void expect(struct sluice_index *ix, struct sluice_index_filter f,
		   int (*fits)(unsigned int i))
{
	char next[SLUICE_CURSOR_MAX], after[SLUICE_CURSOR_MAX] = "";
	struct index_list want = { 0 }, got = { 0 };
	unsigned int i, page;
	int group;

	for (group = FOUND / 4; group >= 0; group--)
		for (i = (unsigned int)group * 4 + 3; i != (unsigned int)group * 4 - 1; i--)
			if (i && i <= FOUND && fits(i))
				index_list_add(&want, "%u", i);
	for (f.limit = 3, page = 0; page < 100; page++) {
		unsigned int before = got.count;

		f.after = after[0] ? after : NULL;
		CHECK(!ix->ops->summaries_find(ix, &index_all, &f, index_list_summary, &got, next));
		CHECK(got.count - before <= 3);
		if (!next[0])
			break;
		memcpy(after, next, sizeof(after));
	}
	CHECK(want.count > 1 && index_list_is(&got, want.text));
}

static int fits_any(unsigned int i)
{
	return i > 0;
}

static int fits_kind(unsigned int i)
{
	return i % 3 == 0;
}

static int fits_class(unsigned int i)
{
	return i % 2 == 0;
}

static int fits_zone(unsigned int i)
{
	return i % 4 == 1;
}

static int fits_camera(unsigned int i)
{
	return i % 7 == 0;
}

static int fits_nuisance(unsigned int i)
{
	return i % 5 == 0;
}

static int fits_sure(unsigned int i)
{
	return i >= 20 && i % 5;
}

static int fits_time(unsigned int i)
{
	return i >= 8 && i < 16;
}

static int fits_text(unsigned int i)
{
	return i == 3 || (i >= 30 && i <= 39) || i == 13 || i == 23;
}

static int fits_region(unsigned int i)
{
	return i % 10 == 3 || i / 10 == 4;
}

static int fits_many(unsigned int i)
{
	return fits_kind(i) && fits_class(i) && !fits_camera(i);
}

static int fits_threat_1(unsigned int i)
{
	return i % 6 % 3 >= 1;
}

static int fits_threat_2(unsigned int i)
{
	return i % 6 % 3 == 2;
}

static void case_find(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_filter none = { .limit = 9, .text = "nothing of it" };
	struct sluice_index_filter region = { 0 }, any = { .limit = SLUICE_FIND_MAX };
	struct sluice_whose one = index_granted(C2);
	struct index_list l = { 0 };
	char next[SLUICE_CURSOR_MAX] = "x";

	add_found(ix);
	expect(ix, (struct sluice_index_filter){ 0 }, fits_any);
	expect(ix, (struct sluice_index_filter){ .kind = "digest" }, fits_kind);
	expect(ix, (struct sluice_index_filter){ .class = "person-like" }, fits_class);
	expect(ix, (struct sluice_index_filter){ .zone = "z1" }, fits_zone);
	expect(ix, (struct sluice_index_filter){ .threat = "1" }, fits_threat_1);
	expect(ix, (struct sluice_index_filter){ .threat = "2" }, fits_threat_2);
	expect(ix, (struct sluice_index_filter){ .device = "B" }, fits_camera);
	expect(ix, (struct sluice_index_filter){ .camera = index_camera[C2].hex }, fits_camera);
	expect(ix, (struct sluice_index_filter){ .camera = "c0" }, fits_any); /* of both devices */
	expect(ix, (struct sluice_index_filter){ .nuisance = 1 }, fits_nuisance);
	expect(ix, (struct sluice_index_filter){ .nuisance = -1, .confidence = 20 }, fits_sure);
	expect(ix, (struct sluice_index_filter){ .from_ns = T0 + 2 * S, .to_ns = T0 + 4 * S },
	       fits_time);
	expect(ix, (struct sluice_index_filter){ .text = " 3 NUMBER \xc3\x84rger " }, fits_text);
	expect(ix,
	       (struct sluice_index_filter){
		       .kind = "digest", .class = "person-like", .device = "d" },
	       fits_many);
	sluice_region_add(&region.region, 3 * 16, 0, 9, 160, 160, 160);
	sluice_region_add(&region.region, 0, 4 * 16, 160, 9, 160, 160);
	expect(ix, region, fits_region);
	/* nothing, and what is nobody's business */
	CHECK(!ix->ops->summaries_find(ix, &index_all, &none, index_list_summary, &l, next));
	CHECK(!l.count && !next[0]);
	CHECK(!ix->ops->summaries_find(ix, &index_nobody, &any, index_list_summary, &l, next));
	CHECK(!l.count);
	CHECK(!ix->ops->summaries_find(ix, &index_alien, &any, index_list_summary, &l, next));
	CHECK(index_list_is(&l, "999"));
	memset(&l, 0, sizeof(l));
	CHECK(!ix->ops->summaries_find(ix, &one, &any, index_list_summary, &l, next));
	CHECK(l.count == FOUND / 7);
	CHECK(ix->ops->summaries_find(ix, &index_all, &any, index_list_summary,
				      &(struct index_list){ .stop_at = 4 }, next) == 7);
	any.limit = 0;
	CHECK(ix->ops->summaries_find(ix, &index_all, &any, index_list_summary, &l, next) ==
	      -EINVAL);
	any.limit = SLUICE_FIND_MAX + 1;
	CHECK(ix->ops->summaries_find(ix, &index_all, &any, index_list_summary, &l, next) ==
	      -EINVAL);
	any.limit = 1;
	any.after = "no cursor";
	CHECK(ix->ops->summaries_find(ix, &index_all, &any, index_list_summary, &l, next) ==
	      -EINVAL);
	sluice_index_close(ix);
}

/* A title that is cut where it is too long: between two letters. */
static void case_long_title(struct conform_index *rig)
{
	struct sluice_index_filter f = { .text = "\xc3\xb6\xc3\xb6\xc3\xb6", .limit = 5 };
	struct sluice_index *ix = index_begin(rig);
	struct index_list l = { 0 };
	char json[4096], next[SLUICE_CURSOR_MAX];
	unsigned int shift, i;

	for (shift = 0; shift < 2; shift++) {
		size_t n = (size_t)snprintf(json, sizeof(json),
					    "{\"kind\":\"event\",\"title\":\"%s", shift ? "x" : "");

		for (i = 0; i < 600; i++)
			n += (size_t)snprintf(json + n, sizeof(json) - n, "\xc3\xb6");
		snprintf(json + n, sizeof(json) - n, "\"}");
		CHECK(!index_summary(ix, C0, 1 + shift, T0 + shift, json));
	}
	CHECK(!ix->ops->summaries_find(ix, &index_all, &f, index_list_summary, &l, next));
	CHECK(index_list_is(&l, "2 1"));
	sluice_index_close(ix);
}

static int on_bucket(void *ctx, const struct sluice_camera *c, const struct sluice_index_bucket *b)
{
	return index_list_add(ctx, "%s/%s+%llu:%u,%u", c->device, c->name,
			      (unsigned long long)((b->start_ns - T0) / S), b->events, b->nuisance);
}

static void case_timeline(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct index_list l = { 0 }, one = { 0 }, alien = { 0 };
	struct sluice_whose who = index_granted(C1);
	const char *rain = "{\"kind\":\"event\",\"nuisance\":true}",
		   *event = "{\"kind\":\"event\"}";

	CHECK(!index_summary(ix, C0, 1, T0, event) && !index_summary(ix, C0, 2, T0 + 9 * S, rain));
	CHECK(!index_summary(ix, C0, 3, T0 + 10 * S, event) &&
	      !index_summary(ix, C0, 4, T0 + 29 * S, event));
	CHECK(!index_summary(ix, C1, 5, T0 + 5 * S, rain) &&
	      !index_summary(ix, C1, 6, T0 + 30 * S, rain));
	CHECK(!index_summary(ix, C2, 7, T0 + 5 * S, "{\"kind\":\"digest\"}") &&
	      !index_summary(ix, C2, 8, T0 + 25 * S, event));
	CHECK(!ix->ops->timeline(ix, &index_all, NULL, T0, T0 + 30 * S, 10 * S, on_bucket, &l));
	CHECK(index_list_is(&l, "B/c0+20:1,0 d/c0+0:2,1 d/c0+10:1,0 d/c0+20:1,0 d/c1+0:1,1"));
	CHECK(!ix->ops->timeline(ix, &index_all, index_camera[C1].hex, T0, T0 + 31 * S, 10 * S,
				 on_bucket, &one));
	CHECK(index_list_is(&one, "d/c1+0:1,1 d/c1+30:1,1"));
	memset(&one, 0, sizeof(one));
	CHECK(!ix->ops->timeline(ix, &who, "c0", T0, T0 + 30 * S, S, on_bucket, &one));
	CHECK(!ix->ops->timeline(ix, &index_alien, NULL, T0, T0 + 30 * S, S, on_bucket, &alien));
	CHECK(!one.count && !alien.count);
	CHECK(ix->ops->timeline(ix, &index_all, NULL, 0, T0, 1, on_bucket, &l) == -EINVAL);
	CHECK(ix->ops->timeline(ix, &index_all, NULL, T0, T0 + 1, 0, on_bucket, &l) == -EINVAL);
	sluice_index_close(ix);
}

/* ---- pins and open events ---- */

static void case_pins(struct conform_index *rig)
{
	struct sluice_index_filter pinned = { .pinned = 1, .limit = 9 },
				   plain = { .pinned = -1, .limit = 9 };
	struct sluice_index *ix = index_begin(rig);
	struct sluice_whose other = index_granted(C1);
	struct index_list l = { 0 }, rest = { 0 };
	char next[SLUICE_CURSOR_MAX];

	CHECK(!index_summary(ix, C0, 1, T0, "{}") && !index_summary(ix, C0, 2, T0, "{}"));
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(1), "user:anna", "it's ours", T0));
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(1), "user:bob", NULL, T0)); /* again */
	CHECK(ix->ops->summary_pin(ix, &index_alien, index_id(2), "x", NULL, T0) == -ENOENT);
	CHECK(ix->ops->summary_pin(ix, &other, index_id(2), "x", NULL, T0) == -ENOENT);
	CHECK(ix->ops->summary_pin(ix, &other, index_id(1), NULL, NULL, T0) == -ENOENT);
	CHECK(ix->ops->summary_pin(ix, &index_all, index_id(3), "x", NULL, T0) == -ENOENT);
	CHECK(!ix->ops->summaries_find(ix, &index_all, &pinned, index_list_summary, &l, next));
	CHECK(index_list_is(&l, "1!"));
	CHECK(!ix->ops->summaries_find(ix, &index_all, &plain, index_list_summary, &rest, next));
	CHECK(index_list_is(&rest, "2"));
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(1), NULL, NULL, T0));
	memset(&l, 0, sizeof(l));
	CHECK(!ix->ops->summaries_find(ix, &index_all, &pinned, index_list_summary, &l, next));
	CHECK(!l.count);
	sluice_index_close(ix);
}

static int on_event(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	CHECK(!memcmp(c->id, s->camera, 16) && !s->end_utc_ns && s->epoch == 5);
	CHECK(!strcmp(s->json, "{\"a\":1}"));
	return index_list_add(ctx, "%s+%llu", s->id + 31,
			      (unsigned long long)(s->start_utc_ns - T0) / S);
}

static void open_event(struct sluice_index *ix, int c, unsigned int number)
{
	struct sluice_index_summary s = { .epoch = 5, .start_utc_ns = T0, .json = "{\"a\":1}" };

	memcpy(s.id, index_id(number), sizeof(s.id));
	memcpy(s.camera, index_camera[c].id, sizeof(s.camera));
	CHECK(!ix->ops->event_open(ix, &s));
}

static void events_are(struct sluice_index *ix, const struct sluice_whose *who, unsigned int number,
		       const char *words)
{
	struct index_list l = { 0 };

	CHECK(!ix->ops->events_open(ix, who, number ? index_id(number) : NULL, on_event, &l));
	CHECK(index_list_is(&l, words));
}

static void case_events(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_whose one = index_granted(C1);
	char json[128];

	open_event(ix, C0, 1);
	open_event(ix, C0, 1);
	open_event(ix, C1, 2);
	events_are(ix, &index_all, 1, "1+0");
	events_are(ix, &index_all, 3, "");
	events_are(ix, &one, 0, "2+0");
	events_are(ix, &index_alien, 0, "");
	/* a part of it is told: it goes on behind that; then all of it */
	snprintf(json, sizeof(json), "{\"kind\":\"event\",\"event\":\"%s\",\"continued\":true}",
		 index_id(1));
	CHECK(!index_summary(ix, C1, 10, T0, json)); /* not its camera */
	events_are(ix, &index_all, 1, "1+0");
	CHECK(!index_summary(ix, C0, 11, T0, json));
	events_are(ix, &index_all, 1, "1+5");
	snprintf(json, sizeof(json), "{\"kind\":\"event\",\"event\":\"%s\"}", index_id(1));
	CHECK(!index_summary(ix, C0, 12, T0, json));
	events_are(ix, &index_all, 0, "2+0");
	/* an epoch that is done leaves none open */
	CHECK(!ix->ops->epoch_told(ix, index_camera[C1].id, 5, 9, 0));
	events_are(ix, &index_all, 0, "2+0");
	CHECK(!ix->ops->epoch_told(ix, index_camera[C1].id, 5, 9, 1));
	events_are(ix, &index_all, 0, "");
	sluice_index_close(ix);
}

/* ---- history ---- */

static int on_ledger(void *ctx, uint64_t utc_ns, uint64_t epoch, const void *ledger, size_t size)
{
	CHECK(utc_ns % (SLUICE_LEDGER_S * S) == 0);
	return index_list_add(ctx, "%llu/%llu/%.*s",
			      (unsigned long long)(utc_ns / S / SLUICE_LEDGER_S),
			      (unsigned long long)epoch, (int)size, (const char *)ledger);
}

static void near(struct sluice_index *ix, uint64_t utc_ns, uint64_t sequence)
{
	struct sluice_index_frame f = { .sequence = 99 };
	char path[192];

	CHECK(!ix->ops->frame_near(ix, &index_all, index_camera[C0].id, utc_ns, &f, path));
	CHECK(f.sequence == sequence && !strncmp(path, "segments/", 9));
}

struct paged {
	struct index_list list;
	struct sluice_index_place at; /* of the last row */
	unsigned int rows;
};

static int keep_place(void *ctx, const struct sluice_index_frame *f)
{
	struct paged *p = ctx;

	p->rows++;
	p->at = sluice_index_place(f);
	return index_list_frame(&p->list, f);
}

/* A clock that stands still, and a stream in the times of another: no frame is passed over or met
 * twice, whatever a page holds. */
static void case_pages(struct conform_index *rig)
{
	static const struct {
		uint64_t epoch, sequence, s;
	} frame[] = { { 5, 0, 1 }, { 5, 1, 1 }, { 5, 2, 1 }, { 5, 3, 2 },
		      { 7, 0, 1 }, { 7, 1, 1 }, { 7, 2, 2 }, { 7, 3, 3 } };
	struct sluice_index *ix = index_begin(rig);
	const uint8_t *c0 = index_camera[C0].id;

	for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++) {
		struct sluice_index_frame f = { .epoch = frame[i].epoch,
						.sequence = frame[i].sequence,
						.segment = 1,
						.length = 10,
						.utc_ns = T0 + frame[i].s * S };

		memcpy(f.camera, c0, sizeof(f.camera));
		CHECK(!ix->ops->frame_add(ix, &f));
	}
	for (unsigned int limit = 1; limit <= 9; limit++) {
		struct paged p = { .at = sluice_index_before(T0 + S) };

		do {
			p.rows = 0;
			CHECK(!ix->ops->frames_between(ix, &index_all, c0, &p.at, T0 + 3 * S, limit,
						       keep_place, &p));
		} while (p.rows == limit);
		CHECK(index_list_is(&p.list, "5/0 5/1 5/2 7/0 7/1 5/3 7/2 7/3"));
	}
	sluice_index_close(ix);
}

static void case_history(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	const uint8_t *c0 = index_camera[C0].id;
	struct sluice_whose other = index_granted(C1);
	struct index_list some = { 0 }, first = { 0 }, ledgers = { 0 };
	struct sluice_index_frame f;
	struct sluice_index_place at;
	uint64_t span = SLUICE_LEDGER_S * S, i;
	char path[192];

	index_segment(ix, C0, 5, 0, 10, SLUICE_REASON_MOTION);
	near(ix, 0, 0);
	near(ix, T0 + 3 * S + 1, 3);
	near(ix, T0 + 4 * S - 1, 4);
	near(ix, UINT64_MAX >> 1, 9);
	CHECK(ix->ops->frame_near(ix, &index_alien, c0, T0, &f, path) == -ENOENT);
	CHECK(ix->ops->frame_near(ix, &other, c0, T0, &f, path) == -ENOENT);
	CHECK(ix->ops->frame_near(ix, &index_all, index_camera[C1].id, T0, &f, path) == -ENOENT);
	at = sluice_index_before(T0 + 2 * S);
	CHECK(!ix->ops->frames_between(ix, &index_all, c0, &at, T0 + 5 * S, 100, index_list_frame,
				       &some));
	CHECK(index_list_is(&some, "5/2 5/3 5/4 5/5")); /* both ends */
	at = sluice_index_before(0);
	CHECK(!ix->ops->frames_between(ix, &index_all, c0, &at, INT64_MAX, 3, index_list_frame,
				       &first));
	CHECK(index_list_is(&first, "5/0 5/1 5/2"));
	CHECK(!ix->ops->frames_between(ix, &other, c0, &at, INT64_MAX, 3, index_list_frame,
				       &first));
	CHECK(!ix->ops->frames_between(ix, &index_alien, c0, &at, INT64_MAX, 3, index_list_frame,
				       &first));
	CHECK(first.count == 3);
	CHECK(ix->ops->frames_between(ix, &index_all, c0, &at, 1, SLUICE_FRAMES_MAX + 1,
				      index_list_frame, &first) == -EINVAL);
	/* the last of each span */
	for (i = 0; i < 6; i++)
		CHECK(!ix->ops->camera_ledger(ix, c0, 1000 * span + i * span / 2, i, "abcdef" + i,
					      1));
	CHECK(!ix->ops->ledgers(ix, &index_all, c0, 1000 * span, 1002 * span, on_ledger, &ledgers));
	CHECK(index_list_is(&ledgers, "1000/1/b 1001/3/d"));
	CHECK(!ix->ops->ledgers(ix, &other, c0, 0, INT64_MAX, on_ledger, &ledgers));
	CHECK(!ix->ops->ledgers(ix, &index_alien, c0, 0, INT64_MAX, on_ledger, &ledgers));
	CHECK(ledgers.count == 2);
	CHECK(!ix->ops->ledgers_drop(ix, 1001 * span));
	memset(&ledgers, 0, sizeof(ledgers));
	CHECK(!ix->ops->ledgers(ix, &index_all, c0, 0, INT64_MAX, on_ledger, &ledgers));
	CHECK(index_list_is(&ledgers, "1001/3/d 1002/5/f"));
	sluice_index_close(ix);
}

static int on_busy(void *ctx, const struct sluice_camera *c, uint64_t seen_ns, uint32_t width,
		   uint32_t height, const void *ledger, size_t size)
{
	(void)seen_ns;
	CHECK(!ledger && !size);
	return index_list_add(ctx, "%s/%s/%s:%ux%u", c->tenant, c->device, c->name, width, height);
}

static void case_busy(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct index_list l = { 0 };

	CHECK(!ix->ops->camera_seen(ix, index_camera[C0].id, T0, 640, 480));
	CHECK(!index_summary(ix, C0, 1, T0, "{\"kind\":\"event\"}"));
	CHECK(!index_summary(ix, C1, 2, T0, "{\"kind\":\"event\",\"nuisance\":true}"));
	CHECK(!index_summary(ix, C2, 3, T0 + 9, "{\"kind\":\"event\"}"));
	CHECK(!index_summary(ix, ALIEN, 4, T0 + 8, "{\"kind\":\"event\"}"));
	CHECK(!ix->ops->cameras_busy(ix, T0, T0 + 9, on_busy, &l));
	CHECK(index_list_is(&l, "other/d/c0:0x0 t/d/c0:640x480"));
	sluice_index_close(ix);
}

void index_cases_people(struct conform_index *rig)
{
	case_summaries(rig);
	case_find(rig);
	case_long_title(rig);
	case_timeline(rig);
	case_pins(rig);
	case_events(rig);
	case_pages(rig);
	case_history(rig);
	case_busy(rig);
}
