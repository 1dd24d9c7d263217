// SPDX-License-Identifier: MIT
/*
 * Back-fill lanes on the device's side against a cloud that is played by hand: what is said in
 * which order, what RESUME spares, what a broken link and a restart bring again.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib/log.h"
#include "relay/lane.h"

#define BOOT "00000000-0000-4000-8000-000000000001"

static struct sluice_io *io;
static struct relay_spool *spool;
static struct relay_camera camera[SLUICE_WIRE_SLOTS];
static struct relay_lanes lanes;
static struct relay_lane_todo todo;
static char dir[64];
static int settled;

static void on_settled(void *arg, int err)
{
	CHECK(!err);
	settled++;
}

static void begin(void)
{
	struct relay_spool_config c = { .io = io, .dir = dir, .boot = BOOT, .settled = on_settled };
	int err;

	spool = relay_spool_open(&c, &err);
	if (!spool)
		exit(1);
	memset(camera, 0, sizeof(camera));
	lanes = (struct relay_lanes){ .spool = spool, .camera = camera };
	relay_lanes_hold(&lanes);
	relay_lanes_link(&lanes, true);
}

static void end(void)
{
	relay_spool_stop(spool);
	for (int i = 0; i < 5; i++)
		sluice_io_turn(io, 0);
	relay_spool_close(spool);
}

static void add(const char *name, uint64_t epoch, uint64_t first, uint64_t count, bool joined)
{
	for (uint64_t i = first; i < first + count; i++) {
		struct sluice_ring_desc d = { .epoch = epoch,
					      .sequence = i,
					      .time_ns = i,
					      .reason = SLUICE_REASON_MOTION,
					      .width = 64,
					      .height = 48 };
		struct relay_payload p = { .count = 1, .size = 5 };

		p.iov[0] = (struct iovec){ "hello", 5 };
		CHECK(!relay_spool_add(spool, name, &d, 1, &p, joined || i > first));
	}
	relay_spool_flush(spool);
	for (int before = settled, i = 0; settled == before && i < 1000; i++)
		sluice_io_turn(io, 5);
	relay_lanes_hold(&lanes);
}

/* The next step must be that one, in that lane; it is taken. */
static void expect(enum relay_step step, unsigned int lane)
{
	relay_lanes_next(&lanes, &todo);
	for (int i = 0; todo.step == RELAY_NOTHING && i < (step == RELAY_NOTHING ? 4 : 200); i++) {
		sluice_io_turn(io, 1); /* it may be reading */
		relay_lanes_next(&lanes, &todo);
	}
	CHECK(todo.step == step && (step == RELAY_NOTHING || todo.lane == lane));
	if (todo.step == step && step != RELAY_NOTHING)
		relay_lanes_sent(&lanes, &todo);
}

static void expect_frame(unsigned int lane, uint64_t sequence)
{
	expect(RELAY_SEND_FRAME, lane);
	CHECK(todo.frame.sequence == sequence && todo.frame.size == 5);
}

static void test_life(void)
{
	begin();
	expect(RELAY_NOTHING, 0);
	add("a", 7, 10, 3, false);
	CHECK(camera[0].held && !strcmp(camera[0].name, "a"));
	expect(RELAY_SEND_OPEN, 0);
	CHECK(todo.run->first == 10 && todo.run->last == 12);
	expect(RELAY_NOTHING, 0); /* before OPENED */
	CHECK(relay_lanes_opened(&lanes, 0, 8, 0) == -EPROTO);
	CHECK(relay_lanes_opened(&lanes, 1, 7, 0) == -EPROTO);
	CHECK(relay_lanes_opened(&lanes, 0, 7, 14) == -EPROTO); /* beyond what was opened */
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 11));
	expect_frame(0, 11); /* 10 is spared */
	CHECK(relay_lanes_stored(&lanes, 0, 7, 12) == -EPROTO);
	expect_frame(0, 12);
	expect(RELAY_NOTHING, 0); /* it may go on */
	add("a", 7, 13, 2, true);
	expect(RELAY_SEND_OPEN, 0); /* with a longer range */
	CHECK(todo.run->first == 10 && todo.run->last == 14);
	CHECK(!relay_lanes_stored(&lanes, 0, 7, 12));
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 13));
	expect_frame(0, 13);
	relay_spool_end_run(spool, "a");
	expect_frame(0, 14);
	expect(RELAY_SEND_CLOSE, 0);
	expect(RELAY_NOTHING, 0);
	CHECK(!relay_lanes_done(&lanes, 0, 7, 9)); /* none of ours */
	CHECK(!relay_lanes_stored(&lanes, 0, 7, 14));
	CHECK(!relay_spool_left(spool) && camera[0].held);
	CHECK(!relay_lanes_done(&lanes, 0, 7, 10));
	relay_lanes_hold(&lanes);
	CHECK(!camera[0].held && !relay_spool_runs(spool));
	CHECK(!relay_lanes_done(&lanes, 0, 7, 10)); /* twice */
	CHECK(relay_spool_counts(spool, "a")->stored == 5);
	end();
}

/* Two cameras, two runs of one; ACKs of a run that is closed while the next is open. */
static void test_two(void)
{
	begin();
	add("a", 7, 20, 2, false);
	add("b", 3, 0, 2, false);
	add("a", 7, 30, 1, false);
	relay_spool_end_run(spool, "a");
	relay_spool_end_run(spool, "b");
	expect(RELAY_SEND_OPEN, 0);
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 0));
	expect_frame(0, 20);
	expect_frame(0, 21);
	expect(RELAY_SEND_CLOSE, 0);
	expect(RELAY_SEND_OPEN, 1);
	CHECK(!relay_lanes_opened(&lanes, 1, 3, 0));
	expect_frame(1, 0);
	CHECK(!relay_lanes_rejected(&lanes, 1, 3, 0));
	CHECK(relay_lanes_rejected(&lanes, 1, 3, 0) == -EPROTO);
	CHECK(relay_lanes_rejected(&lanes, 0, 7, 30) == -EPROTO);
	expect_frame(1, 1);
	expect(RELAY_SEND_CLOSE, 1);
	expect(RELAY_SEND_OPEN, 0);
	CHECK(todo.run->first == 30);
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 0));
	CHECK(!relay_lanes_stored(&lanes, 0, 7, 21)); /* of the run before */
	CHECK(relay_spool_left(spool) == 2);
	expect_frame(0, 30);
	expect(RELAY_SEND_CLOSE, 0);
	/* the link breaks before all is said: what is open comes again, DONE is waited for */
	relay_lanes_link(&lanes, false);
	relay_lanes_link(&lanes, true);
	CHECK(!relay_lanes_done(&lanes, 0, 7, 20)); /* answers the CLOSE of the old link */
	expect(RELAY_SEND_OPEN, 0);		    /* nothing is left of it */
	CHECK(todo.run->first == 20);
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 22));
	expect(RELAY_SEND_CLOSE, 0);
	CHECK(!relay_lanes_done(&lanes, 0, 7, 20));
	expect(RELAY_SEND_OPEN, 1);
	CHECK(!relay_lanes_opened(&lanes, 1, 3, 2)); /* 1 was stored, and that not heard */
	expect(RELAY_SEND_OPEN, 0);
	CHECK(todo.run->first == 30);
	expect(RELAY_SEND_CLOSE, 1);
	CHECK(!relay_lanes_opened(&lanes, 0, 7, 0));
	expect_frame(0, 30);
	expect(RELAY_SEND_CLOSE, 0);
	CHECK(!relay_lanes_stored(&lanes, 0, 7, 30));
	CHECK(!relay_spool_left(spool));
	CHECK(!relay_lanes_done(&lanes, 0, 7, 30));
	/* a restart: b is remembered until its DONE */
	end();
	begin();
	expect(RELAY_SEND_OPEN, (unsigned int)(camera[0].name[0] == 'b' ? 0 : 1));
	CHECK(todo.run->epoch == 3 && todo.run->first == 0 && todo.run->last == 1);
	CHECK(!relay_lanes_opened(&lanes, todo.lane, 3, 2));
	expect(RELAY_SEND_CLOSE, todo.lane);
	CHECK(!relay_lanes_done(&lanes, todo.lane, 3, 0));
	expect(RELAY_NOTHING, 0);
	CHECK(!relay_spool_runs(spool));
	end();
}

static void empty_dir(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	char why[256];
	int err;

	random_seed(seed_of(argc, argv));
	sluice_log_setup("test_lane", SLUICE_LOG_ERROR, false);
	io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	snprintf(dir, sizeof(dir), "/tmp/test_lane.%d", (int)getpid());
	test_life();
	test_two();
	empty_dir();
	sluice_io_close(io);
	return check_result();
}
