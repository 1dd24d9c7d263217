// SPDX-License-Identifier: MIT
/* index.c - the cases of the index: cameras, segments, frames, epochs, runs, transactions. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tests/conform/index_case.h"
#include "tests/unit/check.h"

struct sluice_camera index_camera[CASE_CAMERAS];
const struct sluice_whose index_all = { "t", NULL }, index_alien = { "other", NULL },
			  index_nobody = { "t", "" };

/* ---- what the cases share ---- */

struct sluice_whose index_granted(int c)
{
	static _Thread_local char hex[33];
	size_t i;

	memcpy(hex, index_camera[c].hex, sizeof(hex));
	for (i = 0; hex[i]; i++)
		hex[i] = (char)(hex[i] >= 'a' ? hex[i] - 32 : hex[i]);
	return (struct sluice_whose){ "t", hex };
}

struct sluice_index *index_begin(struct conform_index *rig)
{
	struct sluice_index *ix;
	int c;

	if (sluice_camera_init(&index_camera[C0], "t", "d", "c0") ||
	    sluice_camera_init(&index_camera[C1], "t", "d", "c1") ||
	    sluice_camera_init(&index_camera[C2], "t", "B", "c0") ||
	    sluice_camera_init(&index_camera[ALIEN], "other", "d", "c0"))
		exit(1);
	rig->clear(rig);
	ix = rig->open(rig);
	for (c = 0; c < CASE_CAMERAS; c++)
		CHECK(!ix->ops->camera_add(ix, &index_camera[c]));
	return ix;
}

struct sluice_index_frame index_frame(int c, uint64_t epoch, uint64_t sequence, uint64_t segment)
{
	struct sluice_index_frame f = { .epoch = epoch,
					.sequence = sequence,
					.segment = segment,
					.offset = 64 + sequence * 1000,
					.length = 1000,
					.time_ns = sequence * S,
					.utc_ns = T0 + sequence * S,
					.reason = SLUICE_REASON_MOTION };

	memcpy(f.camera, index_camera[c].id, sizeof(f.camera));
	return f;
}

struct sluice_index_segment index_segment(struct sluice_index *ix, int c, uint64_t epoch,
					  uint64_t at, unsigned int count, uint16_t reason)
{
	struct sluice_index_segment s = { .created_ns = T0 + at };
	unsigned int i;

	memcpy(s.camera, index_camera[c].id, sizeof(s.camera));
	snprintf(s.path, sizeof(s.path), "segments/%s/%llu-%llu.seg", index_camera[c].hex,
		 (unsigned long long)epoch, (unsigned long long)at);
	CHECK(!ix->ops->segment_add(ix, &s));
	for (i = 0; i < count; i++) {
		struct sluice_index_frame f = index_frame(c, epoch, i, s.id);

		f.utc_ns = T0 + at + i * S;
		f.reason = reason;
		sluice_index_segment_frame(&s, f.utc_ns, reason);
		CHECK(!ix->ops->frame_add(ix, &f));
	}
	s.size = 64 + count * 1000;
	s.closed = 1;
	CHECK(!ix->ops->segment_closed(ix, &s));
	return s;
}

const char *index_id(unsigned int number)
{
	static _Thread_local char id[33];

	snprintf(id, sizeof(id), "%032x", number);
	return id;
}

int index_summary(struct sluice_index *ix, int c, unsigned int number, uint64_t start_ns,
		  const char *json)
{
	const struct sluice_index_media media[] = { { "summary.json", 100 + number, { 1, 0, 2 } },
						    { "key-1.jpg", 1ull << 40, { 0xff, 0xfe } } };
	struct sluice_index_summary s = { .epoch = 5,
					  .start_utc_ns = start_ns,
					  .end_utc_ns = start_ns + 5 * S,
					  .json = json,
					  .media = media,
					  .media_count = 2,
					  .token = (uint64_t)number << 40 };

	memcpy(s.id, index_id(number), sizeof(s.id));
	memcpy(s.camera, index_camera[c].id, sizeof(s.camera));
	return ix->ops->summary_add(ix, &s);
}

int index_list_add(struct index_list *l, const char *fmt, ...)
{
	size_t n = strlen(l->text);
	va_list ap;

	if (n && n + 1 < sizeof(l->text))
		l->text[n++] = ' ';
	va_start(ap, fmt);
	vsnprintf(l->text + n, sizeof(l->text) - n, fmt, ap);
	va_end(ap);
	l->count++;
	return l->stop_at && l->count == l->stop_at ? 7 : 0;
}

int index_list_is(const struct index_list *l, const char *words)
{
	if (!strcmp(l->text, words))
		return 1;
	fprintf(stderr, "wanted '%s', got '%s'\n", words, l->text);
	return 0;
}

int index_list_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	(void)c;
	return index_list_add(ctx, "%lu%s%s", strtoul(s->id, NULL, 16), s->acked ? "+" : "",
			      s->pinned ? "!" : "");
}

int index_list_frame(void *ctx, const struct sluice_index_frame *f)
{
	return index_list_add(ctx, "%llu/%llu", (unsigned long long)f->epoch,
			      (unsigned long long)f->sequence);
}

/* ---- cameras ---- */

struct camera_row {
	struct index_list names;
	const char *look_at; /* a name, of which the rest is kept */
	uint64_t seen_ns;
	uint32_t width, height;
	char ledger[16];
	size_t ledger_size;
};

static int on_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_ns, uint32_t width,
		     uint32_t height, const void *ledger, size_t size)
{
	struct camera_row *r = ctx;

	CHECK(!strcmp(c->hex, index_camera[C2].hex) || strcmp(c->device, "B") != 0);
	if (r->look_at && !strcmp(r->look_at, c->name)) {
		r->seen_ns = seen_ns;
		r->width = width;
		r->height = height;
		r->ledger_size = size;
		if (size && size <= sizeof(r->ledger))
			memcpy(r->ledger, ledger, size);
	}
	return index_list_add(&r->names, "%s/%s/%s", c->tenant, c->device, c->name);
}

static void case_cameras(struct conform_index *rig)
{
	static const uint8_t nowhere[16] = { 9 };
	struct sluice_index *ix = index_begin(rig);
	struct sluice_whose one = index_granted(C1);
	struct camera_row all = { .look_at = "c1" }, alien = { 0 }, none = { 0 }, granted = { 0 };
	struct camera_row stopped = { .names.stop_at = 2 };
	struct sluice_camera found;

	CHECK(!ix->ops->camera_add(ix, &index_camera[C0])); /* again */
	CHECK(!ix->ops->camera_find(ix, index_camera[ALIEN].id, &found));
	CHECK(!memcmp(&found, &index_camera[ALIEN], sizeof(found)));
	CHECK(ix->ops->camera_find(ix, nowhere, &found) == -ENOENT);
	/* the newest time stays, a picture of no width is none */
	CHECK(!ix->ops->camera_seen(ix, index_camera[C1].id, T0 + 5, 640, 480));
	CHECK(!ix->ops->camera_seen(ix, index_camera[C1].id, T0 + 4, 0, 0));
	CHECK(!ix->ops->camera_ledger(ix, index_camera[C1].id, T0, 5, "a\0b'\xff", 5));
	/* by device and name, byte by byte: capitals first */
	CHECK(!ix->ops->cameras(ix, &index_all, on_camera, &all));
	CHECK(index_list_is(&all.names, "t/B/c0 t/d/c0 t/d/c1"));
	CHECK(all.seen_ns == T0 + 5 && all.width == 640 && all.height == 480);
	CHECK(all.ledger_size == 5 && !memcmp(all.ledger, "a\0b'\xff", 5));
	CHECK(!ix->ops->camera_seen(ix, index_camera[C1].id, T0 + 6, 320, 240));
	CHECK(!ix->ops->cameras(ix, &one, on_camera, &granted));
	CHECK(index_list_is(&granted.names, "t/d/c1"));
	CHECK(!ix->ops->cameras(ix, &index_alien, on_camera, &alien));
	CHECK(index_list_is(&alien.names, "other/d/c0"));
	CHECK(!ix->ops->cameras(ix, &index_nobody, on_camera, &none) && !none.names.count);
	CHECK(ix->ops->cameras(ix, &index_all, on_camera, &stopped) == 7);
	CHECK(stopped.names.count == 2);
	sluice_index_close(ix);
}

static void case_quota(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_camera c;
	char name[16];
	int i, err = 0;

	CHECK(!ix->ops->begin(ix));
	for (i = 2; !err && i <= SLUICE_CAMERAS_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		CHECK(!sluice_camera_init(&c, "t", "d", name));
		err = ix->ops->camera_add(ix, &c);
	}
	CHECK(err == -EDQUOT && i == SLUICE_CAMERAS_MAX + 1);
	/* those that are known, and another device's */
	CHECK(!ix->ops->camera_add(ix, &index_camera[C1]));
	CHECK(!sluice_camera_init(&c, "t", "B", "more"));
	CHECK(!ix->ops->camera_add(ix, &c));
	CHECK(!ix->ops->commit(ix));
	sluice_index_close(ix);
}

/* ---- segments and frames ---- */

static int on_segment(void *ctx, const struct sluice_index_segment *s)
{
	return index_list_add(ctx, "%s:%d", strrchr(s->path, '/') + 1, s->closed);
}

static void case_segments(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_segment a = index_segment(ix, C0, 5, 0, 10, SLUICE_REASON_MOTION);
	struct sluice_index_segment b = index_segment(ix, C1, 4, 3, 4, SLUICE_REASON_AUDIT), found,
				    open = { .created_ns = 1, .path = "segments/x/open.seg" };
	struct index_list l = { 0 }, stopped = { .stop_at = 1 };
	uint64_t count = 99;

	CHECK(a.id && b.id > a.id && a.motion == 10 && b.motion == 0);
	memcpy(open.camera, index_camera[C0].id, 16);
	CHECK(!ix->ops->segment_add(ix, &open) && open.id > b.id);
	memset(&found, 0x55, sizeof(found));
	CHECK(!ix->ops->segment_find(ix, b.path, &found));
	CHECK(found.id == b.id && !memcmp(found.camera, b.camera, 16) &&
	      !strcmp(found.path, b.path) && found.created_ns == b.created_ns &&
	      found.size == b.size && found.closed == 1 && found.first_utc_ns == b.first_utc_ns &&
	      found.last_utc_ns == b.last_utc_ns && found.frames == 4 && found.motion == 0);
	CHECK(!ix->ops->segment_find(ix, open.path, &found) && !found.closed && !found.size);
	CHECK(ix->ops->segment_find(ix, "segments/x/none.seg", &found) == -ENOENT);
	found = a;
	CHECK(ix->ops->segment_add(ix, &found) == -EEXIST); /* a path is one segment's */
	CHECK(!ix->ops->segments(ix, on_segment, &l));
	CHECK(index_list_is(&l, "5-0.seg:1 4-3.seg:1 open.seg:0"));
	CHECK(ix->ops->segments(ix, on_segment, &stopped) == 7 && stopped.count == 1);
	CHECK(!ix->ops->segment_beyond(ix, &a, 0, &count) && count == 10);
	CHECK(!ix->ops->segment_beyond(ix, &a, 64 + 7 * 1000, &count) && count == 3);
	CHECK(!ix->ops->segment_beyond(ix, &open, 0, &count) && count == 0);
	sluice_index_close(ix);
}

static void case_frames(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_segment s = index_segment(ix, C0, 5, 0, 6, SLUICE_REASON_MOTION);
	struct sluice_index_frame f = index_frame(C0, 5, INT64_MAX, s.id), found;
	const uint8_t *c0 = index_camera[C0].id;
	struct index_list all = { 0 }, part = { 0 }, lane = { 0 }, stopped = { .stop_at = 2 };
	struct sluice_index_placed page[8];
	uint64_t sequence = 99, count = 0;
	char path[192];

	f.flags = 0xffff; /* SLUICE_RECORD_BACKFILL among them */
	f.reason = 31;
	f.length = UINT32_MAX;
	f.offset = f.time_ns = f.utc_ns = INT64_MAX;
	CHECK(!ix->ops->frame_add(ix, &f));
	memset(&found, 0x55, sizeof(found));
	CHECK(!ix->ops->frame_find(ix, c0, 5, INT64_MAX, &found, path));
	CHECK(!memcmp(found.camera, c0, 16) && found.epoch == 5 && found.sequence == INT64_MAX &&
	      found.segment == s.id && found.offset == INT64_MAX && found.length == UINT32_MAX &&
	      found.time_ns == INT64_MAX && found.utc_ns == INT64_MAX && found.reason == 31 &&
	      found.flags == 0xffff && !strcmp(path, s.path));
	/* one that is there stays as it is */
	f = index_frame(C0, 5, 3, s.id);
	f.offset = 1;
	CHECK(!ix->ops->frame_add(ix, &f));
	CHECK(!ix->ops->frame_find(ix, c0, 5, 3, &found, path) && found.offset == 64 + 3000);
	CHECK(!ix->ops->frames_count(ix, &count) && count == 7);
	CHECK(ix->ops->frame_find(ix, c0, 5, 6, &found, path) == -ENOENT);
	CHECK(ix->ops->frame_find(ix, c0, 6, 3, &found, path) == -ENOENT);
	CHECK(ix->ops->frame_find(ix, index_camera[C1].id, 5, 3, &found, path) == -ENOENT);
	CHECK(!ix->ops->frame_last(ix, c0, 5, 0, 100, &sequence) && sequence == 5);
	CHECK(!ix->ops->frame_last(ix, c0, 5, 0, 3, &sequence) && sequence == 3);
	CHECK(!ix->ops->frame_last(ix, c0, 5, 0, INT64_MAX, &sequence) && sequence == INT64_MAX);
	CHECK(ix->ops->frame_last(ix, c0, 5, 6, 100, &sequence) == -ENOENT);
	CHECK(ix->ops->frame_last(ix, c0, 6, 0, 100, &sequence) == -ENOENT);
	CHECK(!ix->ops->frames(ix, c0, 5, -1, INT64_MAX, 0, index_list_frame, &all));
	CHECK(index_list_is(&all, "5/0 5/1 5/2 5/3 5/4 5/5"));
	CHECK(!ix->ops->frames(ix, c0, 5, 2, 4, 0, index_list_frame, &part));
	CHECK(index_list_is(&part, "5/3 5/4"));
	CHECK(!ix->ops->frames(ix, c0, 5, -1, INT64_MAX, 1, index_list_frame, &lane));
	CHECK(index_list_is(&lane, "5/9223372036854775807"));
	CHECK(ix->ops->frames(ix, c0, 5, -1, INT64_MAX, 0, index_list_frame, &stopped) == 7);
	CHECK(stopped.count == 2);
	CHECK(ix->ops->frames_page(ix, c0, 5, -1, INT64_MAX, 0, page, 8) == 6);
	CHECK(page[0].frame.sequence == 0 && page[5].frame.sequence == 5);
	CHECK(page[3].frame.offset == 64 + 3000 && !strcmp(page[3].path, s.path));
	CHECK(ix->ops->frames_page(ix, c0, 5, 1, INT64_MAX, 0, page, 2) == 2);
	CHECK(page[0].frame.sequence == 2 && page[1].frame.sequence == 3);
	CHECK(ix->ops->frames_page(ix, c0, 5, 5, 5, 0, page, 8) == 0);
	CHECK(ix->ops->frames_page(ix, c0, 5, -1, INT64_MAX, 1, page, 8) == 1);
	f = index_frame(C0, 7, 0, s.id + 1000); /* of a segment that is not there */
	CHECK(!ix->ops->frame_add(ix, &f));
	CHECK(ix->ops->frames_page(ix, c0, 7, -1, INT64_MAX, 0, page, 8) == 1);
	CHECK(!page[0].path[0]);
	CHECK(!ix->ops->frames_clear(ix));
	CHECK(!ix->ops->frames_count(ix, &count) && !count);
	CHECK(ix->ops->segment_find(ix, s.path, &s) == -ENOENT);
	sluice_index_close(ix);
}

/* ---- epochs and runs ---- */

static int on_epoch(void *ctx, const struct sluice_camera *c, const struct sluice_index_epoch *e)
{
	CHECK(!memcmp(c->id, e->camera, 16));
	return index_list_add(ctx, "%s/%s/%llu", c->device, c->name, (unsigned long long)e->epoch);
}

static void case_epochs(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_epoch e = { .epoch = 7, .first_ns = 3, .first_utc_ns = T0 }, found;
	struct index_list open = { 0 }, rest = { 0 }, newest = { 0 }, alien = { 0 };
	const uint8_t *c0 = index_camera[C0].id;
	struct sluice_whose other = index_granted(C1);

	memcpy(e.camera, c0, 16);
	CHECK(ix->ops->epoch_find(ix, c0, 7, &found) == -ENOENT);
	CHECK(!ix->ops->epoch_add(ix, &e));
	e.first_ns = 4; /* a known one stays as it is */
	CHECK(!ix->ops->epoch_add(ix, &e));
	CHECK(!ix->ops->epoch_find(ix, c0, 7, &found));
	CHECK(!memcmp(found.camera, c0, 16) && found.epoch == 7 && found.first_ns == 3 &&
	      found.first_utc_ns == T0 && found.told == -1 && !found.done);
	for (e.epoch = 9; e.epoch > 7; e.epoch--)
		CHECK(!ix->ops->epoch_add(ix, &e));
	CHECK(!ix->ops->epochs_open(ix, on_epoch, &open));
	CHECK(index_list_is(&open, "d/c0/7 d/c0/8 d/c0/9"));
	/* what was told is not told again */
	CHECK(!ix->ops->epoch_told(ix, c0, 7, 40, 0));
	CHECK(!ix->ops->epoch_told(ix, c0, 7, 30, 0));
	CHECK(!ix->ops->epoch_find(ix, c0, 7, &found) && found.told == 40 && !found.done);
	CHECK(!ix->ops->epoch_told(ix, c0, 7, 41, 1) && !ix->ops->epoch_told(ix, c0, 7, 42, 0));
	CHECK(!ix->ops->epoch_find(ix, c0, 7, &found) && found.told == 42 && found.done == 1);
	CHECK(!ix->ops->epochs_open(ix, on_epoch, &rest));
	CHECK(index_list_is(&rest, "d/c0/8 d/c0/9"));
	CHECK(!ix->ops->epochs(ix, &index_all, c0, 2, on_epoch, &newest));
	CHECK(index_list_is(&newest, "d/c0/9 d/c0/8"));
	CHECK(!ix->ops->epochs(ix, &index_alien, c0, 2, on_epoch, &alien));
	CHECK(!ix->ops->epochs(ix, &other, c0, 2, on_epoch, &alien) && !alien.count);
	sluice_index_close(ix);
}

static int on_run(void *ctx, const struct sluice_camera *c, const struct sluice_index_run *r)
{
	CHECK(!memcmp(c->id, r->camera, 16));
	return index_list_add(ctx, "%s/%llu:%llu-%llu", c->name, (unsigned long long)r->epoch,
			      (unsigned long long)r->first, (unsigned long long)r->last);
}

static void case_runs(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_run r = { .epoch = 7, .first = 100, .last = 150, .first_ns = 2 }, found;
	const uint8_t *c0 = index_camera[C0].id;
	struct index_list open = { 0 }, rest = { 0 };

	memcpy(r.camera, c0, 16);
	CHECK(!ix->ops->run_add(ix, &r));
	r.last = 120; /* it never shrinks */
	r.first_ns = 9;
	CHECK(!ix->ops->run_add(ix, &r));
	CHECK(!ix->ops->run_find(ix, c0, 7, 100, &found));
	CHECK(found.last == 150 && found.first_ns == 2 && found.told == -1 && !found.done);
	CHECK(ix->ops->run_find(ix, c0, 7, 101, &found) == -ENOENT);
	CHECK(!ix->ops->run_told(ix, c0, 7, 100, 150, 1) &&
	      !ix->ops->run_told(ix, c0, 7, 100, 3, 0));
	CHECK(!ix->ops->run_find(ix, c0, 7, 100, &found) && found.told == 150 && found.done);
	r.first = 10;
	CHECK(!ix->ops->run_add(ix, &r));
	CHECK(!ix->ops->runs_open(ix, on_run, &rest) && index_list_is(&rest, "c0/7:10-120"));
	/* one that grows is not done */
	r.first = 100;
	r.last = 160;
	CHECK(!ix->ops->run_add(ix, &r));
	CHECK(!ix->ops->run_find(ix, c0, 7, 100, &found) && found.told == 150 && !found.done);
	CHECK(!ix->ops->runs_open(ix, on_run, &open));
	CHECK(index_list_is(&open, "c0/7:10-120 c0/7:100-160"));
	sluice_index_close(ix);
}

/* ---- transactions ---- */

static uint64_t frames_of(struct sluice_index *ix)
{
	uint64_t count = 99;

	CHECK(!ix->ops->frames_count(ix, &count));
	return count;
}

/* Nobody sees half of it; what is not committed is not there, in whatever way it ended. */
static void case_transactions(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig), *other = rig->open(rig);
	struct sluice_index_frame f = index_frame(C0, 5, 0, 1);

	CHECK(!ix->ops->begin(ix));
	for (; f.sequence < 10; f.sequence++)
		CHECK(!ix->ops->frame_add(ix, &f));
	CHECK(!index_summary(ix, C0, 1, T0, "{}"));
	CHECK(frames_of(ix) == 10 && frames_of(other) == 0);
	ix->ops->rollback(ix);
	CHECK(frames_of(ix) == 0);
	CHECK(ix->ops->summary_owner(ix, index_id(1), f.camera, NULL) == -ENOENT);
	ix->ops->rollback(ix); /* of nothing */
	CHECK(!ix->ops->begin(ix) && !ix->ops->frame_add(ix, &f) && !ix->ops->commit(ix));
	CHECK(frames_of(other) == 1);
	f.sequence++;
	CHECK(!ix->ops->begin(ix) && !ix->ops->frame_add(ix, &f));
	sluice_index_close(ix);
	CHECK(frames_of(other) == 1);
	/* after a call that failed: rollback, then all is as before */
	ix = rig->open(rig);
	{
		struct sluice_index_segment s = index_segment(ix, C0, 5, 0, 0, 0), again = s;

		CHECK(!ix->ops->begin(ix) && !ix->ops->frame_add(ix, &f));
		CHECK(ix->ops->segment_add(ix, &again) == -EEXIST);
		ix->ops->rollback(ix);
	}
	CHECK(frames_of(ix) == 1 && frames_of(other) == 1);
	CHECK(!ix->ops->begin(ix) && !ix->ops->frame_add(ix, &f) && !ix->ops->commit(ix));
	sluice_index_close(other);
	sluice_index_close(ix);
	ix = rig->open(rig);
	CHECK(frames_of(ix) == 2);
	sluice_index_close(ix);
}

void conform_index(struct conform_index *rig)
{
	case_cameras(rig);
	case_quota(rig);
	case_segments(rig);
	case_frames(rig);
	case_epochs(rig);
	case_runs(rig);
	case_transactions(rig);
	index_cases_people(rig);
	index_cases_work(rig);
}
