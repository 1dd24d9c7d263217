// SPDX-License-Identifier: MIT
/*
 * test_session.c - a device against a running cloud, over real TLS: the main path, reconnections,
 * and stores that do not answer. The analysis is the double of analysis_script.c. What a device may
 * do wrong: test_session_bad.c; how the cloud may die: test_session_kill.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cloud/loop.h"
#include "tests/unit/check.h"
#include "tests/unit/session_rig.h"

static void test_main_path(void)
{
	struct uplink u;
	char id[33], again[33];
	uint64_t i;

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(u.credit > 0);
	CHECK(session_camera(&u, 5) == 0);
	for (i = 0; i < 5; i++)
		uplink_frame(&u, 1, 5, i * 2, MOTION, 1000 + i);
	CHECK(uplink_expect(&u, SLUICE_MSG_ACK, 5));
	CHECK(session_u64(&u, SLUICE_TAG_EPOCH) == 5);
	CHECK(uplink_expect(&u, SLUICE_MSG_EVENT, 5) && u.m.slot == 1);
	session_stored(&u, 8);
	for (i = 0; i < 5; i++)
		CHECK(session_has(5, i * 2, 1000 + i));
	uplink_stats(&u, 1, 5, 2000000000, 0);
	CHECK(session_summary(&u, id));
	uplink_close(&u); /* without an acknowledgement: it comes again */

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, 5) == 9);
	CHECK(session_summary(&u, again) && !strcmp(id, again));
	uplink_ack(&u, id);
	/* a duplicate is acknowledged, new frames go on */
	uplink_frame(&u, 1, 5, 8, MOTION, 1004);
	uplink_frame(&u, 1, 5, 20, KEEPALIVE, 1000);
	session_stored(&u, 20);
	uplink_end(&u, 1, 5, 3000000000);
	/* the duplicate did not open an event again, so nothing but DONE comes */
	for (;;) {
		int type = uplink_next(&u, 5);

		CHECK(type != SLUICE_MSG_SUMMARY && type != SLUICE_MSG_EVENT);
		if (!type || type == SLUICE_MSG_DONE)
			break;
	}
	CHECK(u.m.type == SLUICE_MSG_DONE && session_u64(&u, SLUICE_TAG_EPOCH) == 5);
	uplink_close(&u);

	/* acknowledged: it does not come a third time; DONE comes for a CLOSE that is said again */
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, 5) == 21);
	uplink_end(&u, 1, 5, 3000000000);
	for (;;) {
		int type = uplink_next(&u, 5);

		CHECK(type != SLUICE_MSG_SUMMARY);
		if (!type || type == SLUICE_MSG_DONE)
			break;
	}
	CHECK(u.m.type == SLUICE_MSG_DONE);
	uplink_close(&u);
}

/* The first PART of the summary that comes now; the rest is left in the pipe. */
static bool first_part(struct uplink *u, uint32_t index, uint64_t offset)
{
	struct sluice_wire_part_info p = { .index = 99 };

	return uplink_expect(u, SLUICE_MSG_SUMMARY, 5) && uplink_expect(u, SLUICE_MSG_PART, 5) &&
	       !sluice_wire_part_get(u->m.payload, u->m.length, &p) && p.index == index &&
	       p.offset == offset;
}

/* A device that has some of a summary: it comes from there on, and from nowhere else. */
static void test_going_on(uint64_t epoch)
{
	static const struct {
		uint32_t index, goes_on;
		uint64_t offset, at;
	} places[] = {
		{ 1, 1, 50000, 50000 },
		{ 0, 0, 100, 100 },
		{ 1, 0, 100000, 0 }, /* its end */
		{ 2, 0, 0, 0 },
		{ UINT32_MAX, 0, UINT64_MAX, 0 },
		{ 1, 0, UINT64_MAX - 5, 0 },
		{ 0, 0, 1ull << 40, 0 },
	};
	struct sluice_wire_partial p[2 * SLUICE_WIRE_PARTIALS] = { 0 };
	struct uplink u;
	char id[33];

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, epoch) == 0);
	uplink_frame(&u, 1, epoch, 0, MOTION, 300);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(session_summary(&u, id));
	uplink_close(&u);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		p[0].index = places[i].index;
		p[0].offset = places[i].offset;
		memcpy(p[0].id, id, sizeof(id));
		CHECK(!uplink_open_partial(&u, &session_cloud, "box1", p, 1));
		session_camera(&u, epoch);
		CHECK(first_part(&u, places[i].goes_on, places[i].at));
		uplink_close(&u);
	}
	/* the device finds what it had to be wrong: at once from the start, and to the end */
	p[0].index = 1;
	p[0].offset = 50000;
	CHECK(!uplink_open_partial(&u, &session_cloud, "box1", p, 1));
	session_camera(&u, epoch);
	CHECK(first_part(&u, 1, 50000));
	uplink_ack_status(&u, id, EILSEQ);
	CHECK(session_summary(&u, id));
	uplink_ack(&u, id);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	/* more places than are allowed, of summaries that nobody has: no harm */
	for (unsigned int i = 0; i < 2 * SLUICE_WIRE_PARTIALS; i++)
		snprintf(p[i].id, sizeof(p[i].id), "%032x", i);
	CHECK(!uplink_open_partial(&u, &session_cloud, "box1", p, 2 * SLUICE_WIRE_PARTIALS));
	session_camera(&u, epoch);
	uplink_close(&u);
}

/* The store of media cannot be reached for a while: the summary comes on the same link. */
static void test_away(void)
{
	struct uplink u;
	char id[33];

	session_cloud.away = 1;
	cloud_start(&session_cloud);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, 30) == 0);
	uplink_frame(&u, 1, 30, 0, MOTION, 300);
	uplink_end(&u, 1, 30, 2000000000);
	CHECK(session_summary(&u, id));
	uplink_ack(&u, id);
	uplink_end(&u, 1, 30, 2000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&session_cloud));
	session_cloud.away = 0;
}

static void test_replaced(void)
{
	struct uplink a, b;
	uint64_t first;

	CHECK(!uplink_open(&a, &session_cloud, "box1"));
	first = session_u64(&a, SLUICE_TAG_SESSION);
	session_camera(&a, 11);
	uplink_frame(&a, 1, 11, 0, KEEPALIVE, 300);
	uplink_send(&a, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(&a, SLUICE_MSG_PONG, 5)); /* the frame has arrived, perhaps not more */
	CHECK(!uplink_open(&b, &session_cloud, "box1"));
	/* the new link is in another loop than the old one */
	CHECK(session_u64(&b, SLUICE_TAG_SESSION) % SLUICE_LOOPS_MAX != first % SLUICE_LOOPS_MAX);
	CHECK(uplink_expect_goaway(&a, SLUICE_CODE_REPLACED));
	/* what the old session had sent is known to the new one */
	CHECK(session_camera(&b, 11) == 1);
	uplink_frame(&b, 1, 11, 1, KEEPALIVE, 300);
	session_stored(&b, 1);
	uplink_close(&a);
	uplink_close(&b);
}

static void test_credit(void)
{
	struct uplink u;
	int i;

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(u.credit == 65536);
	session_camera(&u, 12);
	/* within credit, again and again: what is stored comes free */
	for (i = 0; i < 8; i++) {
		uint64_t used = (uint64_t)(i + 1) * (30000 + 64);

		while (u.credit < used && uplink_next(&u, 5))
			;
		CHECK(u.credit >= used);
		uplink_frame(&u, 1, 12, (uint64_t)i, KEEPALIVE, 30000);
	}
	session_stored(&u, 7);
	uplink_frame(&u, 1, 12, 8, KEEPALIVE, 200000);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_LIMIT));
	uplink_close(&u);
	CHECK(!session_has(12, 8, 200000));
}

/* The index is that of another machine, and does not answer: the device is heard, and what it sends
 * is stored; its summary comes when the index does. */
static void test_desk(void)
{
	char hold[128], held[128], id[33];
	struct uplink u;

	snprintf(hold, sizeof(hold), "%s/" CLOUD_HOLD, session_cloud.data);
	snprintf(held, sizeof(held), "%s/" CLOUD_HELD, session_cloud.data);
	session_cloud.desk = 1;
	cloud_start(&session_cloud);
	session_close_tells(36);
	test_going_on(38);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	close(open(hold, O_CREAT | O_WRONLY, 0600));
	for (int i = 0; access(held, F_OK) && i < 5000; i++)
		usleep(2000);
	CHECK(!access(held, F_OK));
	CHECK(session_camera(&u, 40) == 0);
	uplink_frame(&u, 1, 40, 0, MOTION, 300);
	uplink_frame(&u, 1, 40, 1, MOTION, 300);
	session_stored(&u, 1);
	uplink_stats(&u, 1, 40, 2000000000, 0); /* the event ends, and is told */
	for (int i = 0; i < 20; i++) {
		uplink_send(&u, SLUICE_MSG_PING, 0, 0, 0, "abcdefgh", 8);
		CHECK(uplink_expect(&u, SLUICE_MSG_PONG, 5));
		usleep(10000);
	}
	CHECK(!access(held, F_OK));
	unlink(hold);
	CHECK(session_summary(&u, id));
	uplink_ack(&u, id);
	uplink_end(&u, 1, 40, 3000000000);
	for (;;) {
		int type = uplink_next(&u, 5);

		CHECK(type != SLUICE_MSG_SUMMARY); /* nor a second time */
		if (!type || type == SLUICE_MSG_DONE)
			break;
	}
	CHECK(u.m.type == SLUICE_MSG_DONE);
	uplink_close(&u);
	/* gone while it is asked for */
	close(open(hold, O_CREAT | O_WRONLY, 0600));
	for (int i = 0; access(held, F_OK) && i < 5000; i++)
		usleep(2000);
	for (int i = 0; i < 3; i++) {
		CHECK(!uplink_open(&u, &session_cloud, "box1"));
		session_camera(&u, 40);
		uplink_close(&u);
	}
	unlink(hold);
	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	session_camera(&u, 40);
	uplink_end(&u, 1, 40, 3000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&session_cloud));
	session_cloud.desk = 0;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	cloud_init(&session_cloud);
	session_cloud.remote = 1; /* test_asked has it otherwise */
	cloud_start(&session_cloud);
	test_main_path();
	session_close_tells(6);
	test_going_on(8);
	test_replaced();
	CHECK(!cloud_stop(&session_cloud));
	test_away();
	test_desk();
	session_cloud.set[0].section = "limits";
	session_cloud.set[0].key = "credit";
	session_cloud.set[0].value = "65536";
	cloud_start(&session_cloud);
	test_credit();
	CHECK(!cloud_stop(&session_cloud));
	session_cloud.set[0].key = NULL;
	cloud_exit(&session_cloud);
	return check_result();
}
