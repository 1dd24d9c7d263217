// SPDX-License-Identifier: MIT
/*
 * test_retain.c - retention on a simulated clock: age, room, class and pins; a process that dies at
 * every step of forgetting, and starts again.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/retain.h"
#include "cloud/store.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

#define DAY  (86400 * 1000000000ull)
#define T0   1700000000000000000ull
#define DAYS 6 /* a segment of a quiet camera and one of a busy one on each */

static char data[64];
static struct sluice_media *media;
static struct sluice_camera camera[2]; /* 0 quiet, 1 busy */
static const struct sluice_whose who = { "t", NULL };
static uint64_t now;

static uint64_t clock_now(void)
{
	return now;
}

static int count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path);

	(void)st;
	(void)ftw;
	if (type == FTW_F && n > 4 && !strcmp(path + n - 4, ".seg"))
		now++; /* borrowed as a counter */
	return 0;
}

static unsigned int segment_files(void)
{
	uint64_t keep = now;
	unsigned int n;

	now = 0;
	nftw(data, count_file, 16, FTW_PHYS);
	n = (unsigned int)now;
	now = keep;
	return n;
}

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/index.db", data);
	if (sluice_index_sqlite_open(path, &ix))
		exit(1);
	return ix;
}

static void store_frame(struct sluice_store *s, int c, uint64_t epoch, uint64_t sequence,
			uint64_t utc_ns)
{
	struct sluice_item *item = calloc(1, sizeof(*item) + 1000);
	uint64_t resume;

	item->camera = &camera[c];
	item->epoch = epoch;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = utc_ns - T0 + 1;
	item->utc_ns = utc_ns;
	item->width = 64;
	item->height = 48;
	item->reason = c ? SLUICE_REASON_MOTION : SLUICE_REASON_KEEPALIVE;
	item->jpeg_size = 1000;
	CHECK(!sluice_store_begin(s));
	if (!sequence)
		CHECK(!sluice_store_epoch(s, item, &resume));
	CHECK(!sluice_store_frame(s, item));
	CHECK(!sluice_store_sync(s));
	CHECK(!sluice_store_commit(s));
	free(item);
}

/* Event of a day: on day 2 nuisance. Its id begins with the day. */
static void store_event(struct sluice_index *ix, struct sluice_media *m, unsigned int day)
{
	char json[256];
	struct sluice_index_summary s = { .epoch = day + 1,
					  .start_utc_ns = T0 + day * DAY,
					  .end_utc_ns = T0 + day * DAY + 2000000000u,
					  .json = json };
	struct sluice_media_file f = { "summary.json", (const uint8_t *)json, 0 };

	snprintf(s.id, sizeof(s.id), "%032x", day);
	f.size = (size_t)snprintf(json, sizeof(json),
				  "{\"kind\":\"event\",\"nuisance\":%s,\"id\":\"%s\"}",
				  day == 2 ? "true" : "false", s.id);
	memcpy(s.camera, camera[1].id, sizeof(s.camera));
	CHECK(!m->ops->put(m, &camera[1], s.id, &f, 1));
	CHECK(!ix->ops->summary_add(ix, &s));
}

/* Segments end with the store that wrote them. */
static void fill(void)
{
	struct sluice_index *ix;
	struct sluice_store *s;
	char path[128];
	unsigned int day, i;

	snprintf(data, sizeof(data), "/tmp/test_retain.XXXXXX");
	if (!mkdtemp(data))
		exit(1);
	snprintf(path, sizeof(path), "%s/segments", data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/media", data);
	mkdir(path, 0700);
	CHECK(!sluice_media_dir_open(path, NULL, &media));
	for (day = 0; day < DAYS; day++) {
		CHECK(!sluice_store_open(data, NULL, &s));
		for (i = 0; i < 3; i++) {
			store_frame(s, 0, day + 1, i, T0 + day * DAY + i * 1000000000u);
			store_frame(s, 1, day + 1, i, T0 + day * DAY + i * 1000000000u);
		}
		sluice_store_close(s);
	}
	ix = open_index();
	for (day = 0; day < DAYS; day++)
		store_event(ix, media, day);
	sluice_index_close(ix);
}

static void end_data(void)
{
	sluice_media_close(media);
	tmp_dir_remove(data);
}

static void run_all(const struct sluice_retain_config *c, struct sluice_retained *stats)
{
	struct sluice_retain_config of = *c;
	struct sluice_retain *r;
	int rc, steps = 0;

	of.media = media;
	CHECK(!sluice_retain_open(&of, &r));
	while ((rc = sluice_retain_step(r)) > 0 && ++steps < 1000)
		;
	CHECK(!rc);
	sluice_retain_stats(r, stats);
	sluice_retain_close(r);
}

/* Whether the frames of a camera's day are there: each row with its file, or neither. */
static int has_day(int c, unsigned int day)
{
	struct sluice_index *ix = open_index();
	struct sluice_index_frame f;
	char path[192], full[512];
	int found;

	found = !ix->ops->frame_find(ix, camera[c].id, day + 1, 1, &f, path);
	snprintf(full, sizeof(full), "%s/%s", data, path);
	CHECK(!found || !access(full, R_OK));
	sluice_index_close(ix);
	return found;
}

static int has_event(unsigned int day)
{
	struct sluice_index *ix = open_index();
	char id[33], path[256];
	int found;

	snprintf(id, sizeof(id), "%032x", day);
	snprintf(path, sizeof(path), "%s/media/t/%s/%s/summary.json", data, camera[1].hex, id);
	found = !access(path, R_OK);
	CHECK(found == (ix->ops->summary_pin(ix, &who, id, NULL, NULL, 0) == 0));
	sluice_index_close(ix);
	return found;
}

static void pin(unsigned int day)
{
	struct sluice_index *ix = open_index();
	char id[33];

	snprintf(id, sizeof(id), "%032x", day);
	CHECK(!ix->ops->summary_pin(ix, &who, id, "me", "for the insurance", now));
	sluice_index_close(ix);
}

static void check_store(void)
{
	struct sluice_index *ix = open_index();
	struct sluice_check k;

	CHECK(!sluice_check(data, ix, media, NULL, NULL, &k));
	CHECK(!k.missing_frame && !k.missing_row && !k.bad_media && !k.bad_header);
	sluice_index_close(ix);
}

static void test_age(void)
{
	struct sluice_retain_config c = {
		.data = data, .events_s = 3 * 86400, .summaries_s = 5 * 86400, .utc_now = clock_now
	};
	struct sluice_retained r;
	int c1, day;

	fill();
	now = T0 + DAY;
	run_all(&c, &r);
	CHECK(!r.segments && !r.summaries);
	pin(1);
	now = T0 + 5 * DAY + DAY / 2; /* frames of days 0..2 are too old, events of day 0 */
	run_all(&c, &r);
	CHECK(r.segments == 5 && r.for_age == 5 && r.summaries == 1);
	for (c1 = 0; c1 < 2; c1++)
		for (day = 0; day < DAYS; day++)
			CHECK(has_day(c1, (unsigned int)day) == (day > 2 || (c1 && day == 1)));
	check_store();
	now = T0 + 30 * DAY;
	run_all(&c, &r);
	CHECK(r.segments == 6 && r.summaries == 4); /* the pinned one stays with its frames */
	CHECK(has_day(1, 1));
	CHECK(segment_files() == 1);
	check_store();
	/* has_event() unpins what it finds */
	CHECK(!has_event(0) && has_event(1) && !has_event(5));
	run_all(&c, &r);
	CHECK(r.segments == 1 && r.summaries == 1 && !segment_files());
	check_store();
	end_data();
}

/* Room: quiet ones first, then nuisance, then the oldest; a pin outlasts all of it. */
static void test_room(void)
{
	struct sluice_retain_config c = { .data = data, .utc_now = clock_now };
	struct sluice_index *ix;
	struct sluice_retained r;
	uint64_t all;
	unsigned int day;

	fill();
	now = T0 + DAYS * DAY;
	ix = open_index();
	CHECK(!ix->ops->bytes(ix, &all));
	sluice_index_close(ix);
	pin(0);
	c.max_bytes = all / 2; /* all of the quiet camera's are as large as the others' */
	run_all(&c, &r);
	CHECK(r.for_size == r.segments && r.segments >= DAYS);
	for (day = 0; day < DAYS; day++)
		CHECK(!has_day(0, day));
	CHECK(r.segments == DAYS ? has_day(1, 2) : !has_day(1, 2));
	c.max_bytes = all / 2 - 3000;
	run_all(&c, &r);
	CHECK(!has_day(1, 2)); /* the nuisance */
	CHECK(has_day(1, 0) && has_day(1, 1) && has_day(1, 5));
	c.max_bytes -= 3000;
	run_all(&c, &r);
	CHECK(has_day(1, 0) && !has_day(1, 1) && has_day(1, 3));
	c.max_bytes = 1;
	run_all(&c, &r);
	CHECK(has_day(1, 0) && segment_files() == 1);
	check_store();
	end_data();
}

static enum sluice_retain_at die_at;
static int die_count;

static void on_point(enum sluice_retain_at at)
{
	if (at == die_at && !--die_count)
		kill(getpid(), SIGKILL);
}

/* Dies at the n-th step of each kind; the next start finishes, and nothing comes back. */
static void test_crash(void)
{
	struct sluice_retain_config c = {
		.data = data, .events_s = 86400, .summaries_s = 86400, .utc_now = clock_now
	};
	struct sluice_recovered rec;
	struct sluice_retained r;
	struct sluice_index *ix;
	int at, n, status, died = 0;

	for (at = SLUICE_RETAIN_FORGOT; at <= SLUICE_RETAIN_REMOVED; at++) {
		for (n = 1; n < 10; n += 3) {
			fill();
			now = T0 + 4 * DAY;
			if (!fork()) {
				die_at = (enum sluice_retain_at)at;
				die_count = n;
				sluice_retain_point = on_point;
				run_all(&c, &r);
				_exit(0);
			}
			wait(&status);
			died += WIFSIGNALED(status);
			ix = open_index();
			CHECK(!sluice_retain_finish(data, ix, media));
			CHECK(!sluice_recover(data, ix, 0, &rec));
			CHECK(!rec.added);
			sluice_index_close(ix);
			check_store();
			run_all(&c, &r);
			CHECK(segment_files() == 2 * (DAYS - 3));
			check_store();
			end_data();
		}
	}
	CHECK(died >= 4);
}

static int away(struct sluice_media *m, const struct sluice_camera *c, const char *id)
{
	(void)m;
	(void)c;
	(void)id;
	return -EHOSTUNREACH;
}

static int count_id(void *ctx, const char *tenant, const uint8_t camera16[16], const char *id)
{
	(void)tenant;
	(void)camera16;
	(void)id;
	++*(unsigned int *)ctx;
	return 0;
}

/* A remote store that does not answer: segments go all the same, its files when it is back. */
static void test_away(void)
{
	struct sluice_retain_config c = {
		.data = data, .events_s = 86400, .summaries_s = 86400, .utc_now = clock_now
	};
	struct sluice_media_ops ops;
	struct sluice_media remote = { .ops = &ops, .remote = 1 }, *there;
	struct sluice_retained r, later;
	unsigned int n = 0;

	fill();
	there = media;
	ops = *media->ops;
	ops.remove = away;
	media = &remote;
	now = T0 + 4 * DAY;
	run_all(&c, &r);
	CHECK(segment_files() == 2 * (DAYS - 3) && r.summaries == 3 && r.failed == 1);
	CHECK(!there->ops->each(there, count_id, &n) && n == DAYS);
	media = there;
	run_all(&c, &later);
	n = 0;
	CHECK(!later.failed && !there->ops->each(there, count_id, &n) && n == DAYS - 3);
	check_store();
	end_data();
}

/* As a thread: it comes to the same, and ends when it is asked to. */
static void test_thread(void)
{
	struct sluice_retain_config c = { .data = data, .events_s = 86400, .utc_now = clock_now };
	struct sluice_retain *r;

	fill();
	now = T0 + 30 * DAY;
	c.media = media;
	CHECK(!sluice_retain_open(&c, &r));
	CHECK(!sluice_retain_start(r));
	sluice_retain_close(r);
	end_data();
}

int main(void)
{
	CHECK(!sluice_camera_init(&camera[0], "t", "d", "quiet"));
	CHECK(!sluice_camera_init(&camera[1], "t", "d", "busy"));
	test_age();
	test_room();
	test_crash();
	test_away();
	test_thread();
	return check_result();
}
