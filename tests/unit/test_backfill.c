// SPDX-License-Identifier: MIT
/*
 * test_backfill.c - back-fill lanes against a running cloud, over real TLS: what comes late beside
 * what comes now, RESUME of ranges, duplicates, summaries and DONE of a run, broken rules, and a
 * cloud that is killed between the frames of a run and its CLOSE.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/index.h"
#include "cloud/segment.h"
#include "tests/unit/check.h"
#include "tests/unit/uplink.h"

#define MOTION	  8
#define KEEPALIVE 11

static struct cloud cloud;

/* what OPEN says beside the usual; UINT32_MAX and first > last: it does not say it */
struct lane {
	uint32_t lane;
	uint64_t first, last;
	const struct sluice_wire_clock *clock; /* NULL: it does not say it */
};

static void put_range(struct sluice_wire_writer *w, const struct lane *l)
{
	uint64_t v[2] = { l->first, l->last };

	sluice_wire_put_bytes(w, SLUICE_TAG_RANGE, v, sizeof(v));
}

static void say_open(struct uplink *u, uint32_t slot, const char *name, uint64_t epoch,
		     const struct lane *l)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_NAME, name);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_size(&w, 64, 48);
	sluice_wire_put_u32(&w, SLUICE_TAG_FORMAT, 0x56595559);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, 1000000000);
	if (l->lane != UINT32_MAX)
		sluice_wire_put_u32(&w, SLUICE_TAG_LANE, l->lane);
	if (l->first != UINT64_MAX)
		put_range(&w, l);
	if (l->clock)
		sluice_wire_put_clock(&w, l->clock);
	uplink_send(u, SLUICE_MSG_OPEN, 0, slot, 0, buf, w.used);
}

static void say_close(struct uplink *u, uint32_t slot, uint64_t epoch, const struct lane *l)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, 2000000000);
	put_range(&w, l);
	uplink_send(u, SLUICE_MSG_CLOSE, 0, slot, 0, buf, w.used);
}

static uint64_t field_u64(struct uplink *u, uint16_t tag)
{
	uint64_t value = UINT64_MAX;

	sluice_wire_get_u64(&u->f, tag, &value);
	return value;
}

/* The next message of that slot and type, other slots' are passed; 0: it does not come. */
static int expect(struct uplink *u, uint32_t slot, int type)
{
	for (;;) {
		int got = uplink_next(u, 5);

		if (!got)
			return 0;
		if (got == type && u->m.slot == slot)
			return 1;
	}
}

/* OPEN, and the RESUME of its OPENED. */
static uint64_t open_lane(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t first,
			  uint64_t last)
{
	const struct lane l = { slot > 16, first, last, NULL };

	say_open(u, slot, "door", epoch, &l);
	CHECK(expect(u, slot, SLUICE_MSG_OPENED));
	CHECK(field_u64(u, SLUICE_TAG_EPOCH) == epoch);
	return field_u64(u, SLUICE_TAG_RESUME);
}

static void wait_stored(struct uplink *u, uint32_t slot, uint64_t sequence)
{
	do {
		if (!expect(u, slot, SLUICE_MSG_ACK))
			break;
	} while (field_u64(u, SLUICE_TAG_CUMULATIVE) < sequence);
	CHECK(field_u64(u, SLUICE_TAG_CUMULATIVE) == sequence);
}

/* DONE of that run, its summaries before it. Returns how many. */
static int wait_done(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t first)
{
	uint64_t got = 0, last = 0;
	int summaries = 0;
	char id[33];

	for (;;) {
		int type = uplink_next(u, 5);

		if (type == SLUICE_MSG_SUMMARY) {
			CHECK(!sluice_wire_get_text(&u->f, SLUICE_TAG_ID, id, sizeof(id)));
			uplink_ack(u, id);
			summaries++;
		}
		CHECK(type && (type != SLUICE_MSG_EVENT || u->m.slot <= 16));
		if (!type || (type == SLUICE_MSG_DONE && u->m.slot == slot))
			break;
	}
	CHECK(field_u64(u, SLUICE_TAG_EPOCH) == epoch);
	CHECK(!sluice_wire_get_range(&u->f, &got, &last) && got == first);
	return summaries;
}

static int count_frame(void *ctx, const struct sluice_index_frame *f)
{
	(*(int *)ctx)++;
	return 0;
}

/* Frames in the index that came in that kind of lane. */
static int count_frames(uint64_t epoch, uint32_t lane)
{
	struct sluice_index *ix = NULL;
	struct sluice_camera c;
	char path[128];
	int n = 0;

	snprintf(path, sizeof(path), "%s/index.db", cloud.data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	CHECK(!ix->ops->frames(ix, c.id, epoch, -1, INT64_MAX, lane, count_frame, &n));
	sluice_index_close(ix);
	return n;
}

/* ---- the main path ---- */

static void test_beside(void)
{
	const struct lane run = { .lane = 1, .first = 10, .last = 20 };
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_lane(&u, 1, 5, 30, UINT64_MAX) == 0);
	CHECK(open_lane(&u, 17, 5, 10, 20) == 0);
	/* both lanes at once; the past does not bother the present */
	uplink_frame(&u, 1, 5, 30, MOTION, 300);
	uplink_frame(&u, 17, 5, 10, MOTION, 300);
	uplink_frame(&u, 1, 5, 31, MOTION, 300);
	uplink_frame(&u, 17, 5, 12, MOTION, 300);
	CHECK(expect(&u, 1, SLUICE_MSG_EVENT));
	uplink_frame(&u, 17, 5, 20, KEEPALIVE, 300);
	wait_stored(&u, 17, 20);
	say_close(&u, 17, 5, &run);
	CHECK(wait_done(&u, 17, 5, 10) == 1);
	uplink_stats(&u, 1, 5, 3000000000, 0);
	CHECK(expect(&u, 1, SLUICE_MSG_SUMMARY));
	uplink_close(&u);
	CHECK(count_frames(5, 0) == 2 && count_frames(5, 1) == 3);
}

static void test_resume(void)
{
	const struct lane run = { .lane = 1, .first = 10, .last = 20 };
	const struct lane grown = { .lane = 1, .first = 10, .last = 25 };
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_lane(&u, 1, 5, 32, UINT64_MAX) == 0);
	CHECK(open_lane(&u, 1, 5, 0, UINT64_MAX) == 32);
	CHECK(open_lane(&u, 17, 5, 11, 15) == 13);
	CHECK(open_lane(&u, 17, 5, 10, 20) == 21);
	/* a duplicate is acknowledged and stored once; DONE is said again, and nothing else */
	uplink_frame(&u, 17, 5, 12, MOTION, 300);
	wait_stored(&u, 17, 12);
	say_close(&u, 17, 5, &run);
	wait_done(&u, 17, 5, 10);
	CHECK(count_frames(5, 1) == 3);
	/* the run has grown, without CLOSE between */
	CHECK(open_lane(&u, 17, 5, 10, 22) == 21);
	uplink_frame(&u, 17, 5, 22, MOTION, 300);
	CHECK(open_lane(&u, 17, 5, 10, 25) == 23);
	uplink_frame(&u, 17, 5, 25, MOTION, 300);
	wait_stored(&u, 17, 25);
	say_close(&u, 17, 5, &grown);
	CHECK(wait_done(&u, 17, 5, 10) == 1);
	/* a frame below what is stored, and never stored: it is */
	CHECK(open_lane(&u, 17, 5, 10, 25) == 26);
	uplink_frame(&u, 17, 5, 15, KEEPALIVE, 300);
	wait_stored(&u, 17, 15);
	CHECK(count_frames(5, 1) == 6);
	uplink_close(&u);
}

/* ---- time ---- */

static uint64_t utc_of(uint64_t epoch, uint64_t sequence)
{
	struct sluice_index_frame f = { .utc_ns = 0 };
	struct sluice_index *ix = NULL;
	struct sluice_camera c;
	char path[192];

	snprintf(path, sizeof(path), "%s/index.db", cloud.data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	CHECK(!ix->ops->frame_find(ix, c.id, epoch, sequence, &f, path));
	sluice_index_close(ix);
	return f.utc_ns;
}

/*
 * A run of an earlier boot, beyond 2038, beside a live lane whose clock was set back by an hour:
 * each has its own time, and nothing changes its order.
 */
static void test_time(void)
{
	const uint64_t year_2040 = 2208988800000000000ull, hour = 3600000000000ull;
	const struct sluice_wire_clock then = { 1000000000, year_2040, 5 },
				       now = { 1000000000, year_2040 - hour, 5 };
	const struct lane run = { .lane = 1, .first = 10, .last = 20, .clock = &then };
	const struct lane live = { .first = 30, .last = UINT64_MAX, .clock = &now };
	struct uplink u;
	char text[32];

	CHECK(!uplink_open(&u, &cloud, "box1"));
	say_open(&u, 17, "door", 12, &run);
	CHECK(expect(&u, 17, SLUICE_MSG_OPENED));
	say_open(&u, 1, "door", 12, &live);
	CHECK(expect(&u, 1, SLUICE_MSG_OPENED));
	uplink_frame(&u, 1, 12, 30, KEEPALIVE, 300);
	uplink_frame(&u, 17, 12, 10, KEEPALIVE, 300);
	uplink_frame(&u, 17, 12, 20, KEEPALIVE, 300);
	wait_stored(&u, 17, 20);
	uplink_close(&u);
	CHECK(utc_of(12, 10) == year_2040 + 400000000);
	CHECK(utc_of(12, 20) == year_2040 + 800000000);
	CHECK(utc_of(12, 30) == year_2040 - hour + 1200000000);
	sluice_rfc3339(utc_of(12, 10), text);
	CHECK(!strcmp(text, "2040-01-01T00:00:00.400Z"));
}

/* ---- broken rules ---- */

static void expect_refusal(uint32_t slot, uint32_t lane, uint64_t first, uint64_t last)
{
	const struct lane l = { lane, first, last, NULL };
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	say_open(&u, slot, "door", 7, &l);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
}

static void test_rules(void)
{
	const struct lane run = { .lane = 1, .first = 10, .last = 20 };
	struct uplink u;
	int what;

	expect_refusal(1, 1, 0, 10);
	expect_refusal(17, 0, 0, 10);
	expect_refusal(17, UINT32_MAX, 0, 10);
	expect_refusal(17, 1, UINT64_MAX, 0);
	expect_refusal(17, 1, 10, 9);
	expect_refusal(32, 2, 0, 10);
	expect_refusal(1, UINT32_MAX, 1ull << 63, UINT64_MAX);
	for (what = 0; what < 5; what++) {
		CHECK(!uplink_open(&u, &cloud, "box1"));
		CHECK(open_lane(&u, 17, 8, 10, 20) == 0);
		if (what == 0)
			uplink_frame(&u, 17, 8, 9, MOTION, 300);
		else if (what == 1)
			uplink_frame(&u, 17, 8, 21, MOTION, 300);
		else if (what == 2)
			uplink_stats(&u, 17, 8, 2000000000, 0);
		else if (what == 3)
			say_open(&u, 18, "door", 8, &run);
		else
			uplink_end(&u, 17, 8, 2000000000); /* with a LEDGER */
		CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
		uplink_close(&u);
	}
}

/* ---- killed ---- */

static void test_killed(void)
{
	const struct lane run = { .lane = 1, .first = 0, .last = 40 };
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_lane(&u, 1, 9, 50, UINT64_MAX) == 0);
	CHECK(open_lane(&u, 17, 9, 0, 40) == 0);
	for (uint64_t i = 0; i <= 30; i += 5)
		uplink_frame(&u, 17, 9, i, MOTION, 2000);
	wait_stored(&u, 17, 30);
	uplink_frame(&u, 1, 9, 50, MOTION, 300);
	wait_stored(&u, 1, 50);
	kill(cloud.pid, SIGKILL);
	CHECK(cloud_wait(&cloud) == -SIGKILL);
	uplink_close(&u);
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_lane(&u, 17, 9, 0, 40) == 31);
	uplink_frame(&u, 17, 9, 40, MOTION, 2000);
	wait_stored(&u, 17, 40);
	say_close(&u, 17, 9, &run);
	CHECK(wait_done(&u, 17, 9, 0) == 1); /* one event: the live frame is not in it */
	CHECK(open_lane(&u, 1, 9, 50, UINT64_MAX) == 51);
	uplink_end(&u, 1, 9, 4000000000);
	CHECK(expect(&u, 1, SLUICE_MSG_SUMMARY));
	CHECK(expect(&u, 1, SLUICE_MSG_DONE));
	uplink_close(&u);
	CHECK(count_frames(9, 0) == 1 && count_frames(9, 1) == 8);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	signal(SIGPIPE, SIG_IGN);
	cloud_init(&cloud);
	cloud_start(&cloud);
	test_beside();
	test_resume();
	test_time();
	test_rules();
	test_killed();
	CHECK(!cloud_stop(&cloud));
	cloud_exit(&cloud);
	return check_result();
}
