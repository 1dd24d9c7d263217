// SPDX-License-Identifier: MIT
/*
 * One camera against a cloud that is played by hand: what is said in which order, and that every
 * record of the ring ends as stored or rejected, none twice, across links that break, epochs that
 * follow one another, and rejections. The gate's side of the ring is the real one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "ringmake.h"
#include "relay/drain.h"

static struct ringmake gate;
static struct relay_camera cam;
static struct relay_todo todo;

static void begin(uint32_t descs)
{
	ringmake_open(&gate, "front", descs, 1u << 20);
	memset(&cam, 0, sizeof(cam));
	cam.slot = 1;
}

static void attach(void)
{
	struct relay_ring ring;
	char why[160];

	CHECK(!relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)));
	CHECK(!relay_camera_attach(&cam, &ring));
}

static void end(void)
{
	relay_camera_detach(&cam);
	ringmake_close(&gate);
}

/* The next step must be that one; it is taken. */
static void expect(enum relay_step step)
{
	relay_camera_next(&cam, &todo);
	CHECK(todo.step == step);
	if (todo.step == step && step != RELAY_NOTHING)
		relay_camera_sent(&cam, &todo);
}

static void test_life(void)
{
	begin(16);
	attach();
	relay_camera_link(&cam, true);
	expect(RELAY_NOTHING); /* no frame yet, no epoch */
	ringmake_stream(&gate, 100, 640, 480);
	for (int i = 0; i < 3; i++)
		ringmake_frame(&gate, (uint64_t)i * 2, "x", 1);
	relay_camera_look(&cam);
	expect(RELAY_SEND_OPEN);
	expect(RELAY_NOTHING);
	CHECK(relay_camera_opened(&cam, 99, 0) == -EPROTO);
	CHECK(!relay_camera_opened(&cam, 100, 0));
	CHECK(relay_camera_opened(&cam, 100, 0) == -EPROTO);
	for (int i = 0; i < 3; i++) {
		expect(RELAY_SEND_FRAME);
		CHECK(todo.desc.sequence == (uint64_t)i * 2);
	}
	expect(RELAY_SEND_STATS);
	CHECK(cam.due.delivered == 3);
	expect(RELAY_NOTHING);
	CHECK(gate.ring.ctrl->tail == 0 && cam.sent == 3);
	CHECK(relay_camera_stored(&cam, 100, 5) == -EPROTO);
	CHECK(!relay_camera_stored(&cam, 100, 2));
	CHECK(gate.ring.ctrl->tail == 2 && cam.stored == 2);
	CHECK(!relay_camera_stored(&cam, 100, 1)); /* an old one changes nothing */
	CHECK(relay_camera_rejected(&cam, 100, 77) == -EPROTO);
	CHECK(!relay_camera_rejected(&cam, 100, 4));
	CHECK(gate.ring.ctrl->tail == 3 && cam.stored == 2 && cam.rejected == 1);
	ringmake_state(&gate, SLUICE_STATE_ENDED);
	relay_camera_look(&cam);
	CHECK(!relay_camera_finished(&cam));
	expect(RELAY_SEND_STATS);
	expect(RELAY_SEND_CLOSE);
	expect(RELAY_NOTHING);
	CHECK(!relay_camera_finished(&cam));
	CHECK(!relay_camera_done(&cam, 100));
	CHECK(relay_camera_finished(&cam));
	relay_camera_look(&cam);
	expect(RELAY_NOTHING); /* not opened again */
	end();
}

/* STATS waits for the frames that were in the ring before it, and for no others. */
static void test_stats_order(void)
{
	begin(64);
	attach();
	ringmake_stream(&gate, 7, 64, 48);
	ringmake_frame(&gate, 0, "x", 1);
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 7, 0);
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_STATS);
	ringmake_frame(&gate, 1, "x", 1);
	ringmake_frame(&gate, 2, "x", 1);
	relay_camera_look(&cam);
	for (int i = 3; i < 30; i++) {
		ringmake_frame(&gate, (uint64_t)i, "x", 1);
		relay_camera_look(&cam);
	}
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_STATS);
	CHECK(cam.due.delivered == 3);
	end();
}

/* The gate drops a frame of that time. */
static void see_quiet_until(uint64_t time_ns)
{
	gate.time_ns = time_ns;
	gate.delivered++;
	ringmake_state(&gate, gate.state);
	relay_camera_look(&cam);
}

/* STATS end an event when they are newer than its last motion by JOIN_MS; until then it is said how
 * long that will be. What is no motion prolongs nothing. */
static void test_calm(void)
{
	const uint64_t join = SLUICE_WIRE_JOIN_MS * 1000000ull;
	uint64_t moved = 0, left;

	begin(64);
	attach();
	ringmake_stream(&gate, 7, 64, 48);
	CHECK(relay_camera_calm_in(&cam) == UINT64_MAX);
	gate.reason = SLUICE_REASON_KEEPALIVE;
	ringmake_frame(&gate, 0, "x", 1);
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 7, 0);
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_STATS);
	CHECK(relay_camera_calm_in(&cam) == UINT64_MAX);
	for (int i = 1; i < 4; i++) {
		gate.reason = i == 3 ? SLUICE_REASON_POSTROLL : SLUICE_REASON_MOTION;
		ringmake_frame(&gate, (uint64_t)i, "x", 1);
		moved = i == 3 ? moved : gate.time_ns;
		relay_camera_look(&cam);
		expect(RELAY_SEND_FRAME);
		expect(RELAY_SEND_STATS);
	}
	left = relay_camera_calm_in(&cam);
	CHECK(left == moved + join + 1000000 - gate.time_ns);
	see_quiet_until(moved + join); /* the cloud may have rounded the motion's time up */
	CHECK(relay_camera_calm_in(&cam) == 1000000);
	expect(RELAY_SEND_STATS);
	CHECK(relay_camera_calm_in(&cam) == 1000000);
	see_quiet_until(moved + join + 1000000);
	CHECK(relay_camera_calm_in(&cam) == 0);
	relay_camera_link(&cam, false); /* they were not sent yet */
	CHECK(relay_camera_calm_in(&cam) == 0);
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 7, 4);
	expect(RELAY_SEND_STATS);
	CHECK(relay_camera_calm_in(&cam) == UINT64_MAX);
	gate.reason = SLUICE_REASON_SCENE_CHANGE;
	ringmake_frame(&gate, 4, "x", 1);
	relay_camera_look(&cam);
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_STATS);
	CHECK(relay_camera_calm_in(&cam) == join + 1000000);
	ringmake_state(&gate, SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED);
	relay_camera_look(&cam);
	CHECK(relay_camera_calm_in(&cam) == UINT64_MAX);
	end();
}

/* Two epochs in one ring, and a link that breaks in each of their states. */
static void test_epochs(void)
{
	for (int cut = 0; cut < 9; cut++) {
		uint64_t first = 0;

		begin(64);
		ringmake_stream(&gate, 10, 64, 48);
		ringmake_frame(&gate, 0, "a", 1);
		ringmake_frame(&gate, 5, "b", 1);
		ringmake_stream(&gate, 20, 64, 48);
		ringmake_frame(&gate, 0, "c", 1);
		attach();
		for (int link = 0; link < 2; link++) {
			int steps = 0;

			relay_camera_link(&cam, true);
			while (link || steps < cut) {
				relay_camera_next(&cam, &todo);
				if (todo.step == RELAY_NOTHING)
					break;
				relay_camera_sent(&cam, &todo);
				if (todo.step == RELAY_SEND_OPEN) {
					CHECK(!relay_camera_opened(&cam, todo.epoch->epoch,
								   todo.epoch->epoch == 10 ? first
											   : 0));
				} else if (todo.step == RELAY_SEND_FRAME && link) {
					CHECK(!relay_camera_stored(&cam, todo.desc.epoch,
								   todo.desc.sequence));
				} else if (todo.step == RELAY_SEND_FRAME && todo.desc.epoch == 10 &&
					   cut & 1) {
					first = todo.desc.sequence + 1; /* stored, not yet told */
				} else if (todo.step == RELAY_SEND_CLOSE) {
					CHECK(todo.epoch->epoch == 10);
					if (link)
						CHECK(!relay_camera_done(&cam, 10));
				}
				steps++;
			}
			if (!link)
				relay_camera_link(&cam, false);
			expect(RELAY_NOTHING);
		}
		CHECK(gate.ring.ctrl->tail == 3 && cam.stored == 3 && !cam.rejected);
		CHECK(cam.epochs == 1 && cam.epoch[0].epoch == 20);
		end();
	}
}

/* A stream that stops and starts again is two epochs: the first is closed when it stops. */
static void test_pause(void)
{
	begin(16);
	ringmake_stream(&gate, 1, 64, 48);
	ringmake_frame(&gate, 0, "a", 1);
	attach();
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 1, 0);
	expect(RELAY_SEND_FRAME);
	expect(RELAY_SEND_STATS);
	ringmake_state(&gate, 0); /* not streaming */
	relay_camera_look(&cam);
	expect(RELAY_SEND_STATS);
	expect(RELAY_SEND_CLOSE);
	relay_camera_stored(&cam, 1, 0);
	relay_camera_done(&cam, 1);
	CHECK(!relay_camera_finished(&cam) && !cam.epochs);
	ringmake_stream(&gate, 2, 64, 48);
	ringmake_frame(&gate, 0, "b", 1);
	relay_camera_look(&cam);
	expect(RELAY_SEND_OPEN);
	CHECK(todo.epoch->epoch == 2);
	end();
}

/* Records that make no sense are counted and passed; the list of epochs is bounded. */
static void test_nonsense(void)
{
	begin(64);
	ringmake_stream(&gate, 5, 64, 48);
	ringmake_frame(&gate, 0, "a", 1);
	ringmake_frame(&gate, 1, "b", 1);
	gate.ring.desc[0].offset = 1u << 30;
	gate.ring.desc[1].reason = SLUICE_REASON_QUIET;
	ringmake_frame(&gate, 2, "c", 1);
	attach();
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 5, 0);
	expect(RELAY_SEND_FRAME);
	CHECK(todo.desc.sequence == 2 && cam.rejected == 2);
	relay_camera_next(&cam, &todo);
	CHECK(todo.step == RELAY_SEND_STATS);
	end();

	begin(64);
	for (uint64_t e = 1; e <= 12; e++) {
		ringmake_stream(&gate, e, 64, 48);
		ringmake_frame(&gate, 0, "a", 1);
	}
	attach();
	relay_camera_link(&cam, true);
	for (int i = 0; i < 200; i++) {
		relay_camera_next(&cam, &todo);
		if (todo.step == RELAY_NOTHING)
			break;
		relay_camera_sent(&cam, &todo);
		if (todo.step == RELAY_SEND_OPEN)
			relay_camera_opened(&cam, todo.epoch->epoch, 0);
	}
	CHECK(cam.epochs == RELAY_EPOCHS && !cam.rejected && cam.tail == 0);
	for (uint64_t e = 1; e <= 7; e++) {
		CHECK(!relay_camera_stored(&cam, e, 0));
		CHECK(!relay_camera_done(&cam, e));
	}
	CHECK(cam.tail == 7 && cam.stored == 7);
	expect(RELAY_SEND_OPEN);
	CHECK(todo.epoch->epoch == 8 && !cam.rejected);
	end();
}

/* A frame that cannot be sent is counted once, also if the link breaks before tail passes it. */
static void test_refuse(void)
{
	begin(16);
	ringmake_stream(&gate, 1, 64, 48);
	for (uint64_t i = 0; i < 4; i++)
		ringmake_frame(&gate, i, "a", 1);
	attach();
	for (int link = 0; link < 2; link++) {
		relay_camera_link(&cam, true);
		expect(RELAY_SEND_OPEN);
		relay_camera_opened(&cam, 1, 0);
		expect(RELAY_SEND_FRAME);
		if (!link) {
			relay_camera_next(&cam, &todo);
			CHECK(todo.step == RELAY_SEND_FRAME && todo.desc.sequence == 1);
			relay_camera_refuse(&cam, &todo);
		}
		expect(RELAY_SEND_FRAME);
		CHECK(todo.desc.sequence == 2);
	}
	relay_camera_stored(&cam, 1, 2);
	CHECK(cam.stored == 2 && cam.rejected == 1 && cam.tail == 3 && cam.sent == 2);
	end();
}

/* The next reader begins where the last one stopped; the ring's words are checked. */
static void test_restart(void)
{
	struct relay_ring ring;
	char why[160];

	test_refuse();
	begin(16);
	ringmake_stream(&gate, 1, 64, 48);
	ringmake_frame(&gate, 0, "a", 1);
	ringmake_frame(&gate, 1, "a", 1);
	attach();
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	relay_camera_opened(&cam, 1, 1);
	expect(RELAY_SEND_FRAME);
	CHECK(todo.desc.sequence == 1 && gate.ring.ctrl->tail == 1 && cam.stored == 1);
	relay_camera_detach(&cam);
	attach();
	CHECK(cam.tail == 1);
	relay_camera_detach(&cam);
	gate.ring.ctrl->tail = 99;
	CHECK(!relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)));
	CHECK(relay_ring_tail(&ring) == 2);
	relay_ring_unmap(&ring);
	gate.ring.ctrl->desc_count = 24;
	CHECK(relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)) == -EPROTO);
	gate.ring.ctrl->desc_count = 16;
	gate.ring.ctrl->arena_bytes *= 2;
	CHECK(relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)) == -EPROTO);
	gate.ring.ctrl->arena_bytes /= 2;
	gate.ring.ctrl->name[0] = '/';
	CHECK(relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)) == -EPROTO);
	gate.ring.ctrl->name[0] = 'f';
	gate.ring.ctrl->version = 2;
	CHECK(relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)) == -EPROTONOSUPPORT);
	gate.ring.ctrl->version = 1;
	CHECK(relay_ring_map(&ring, gate.fd, gate.size - 4096, why, sizeof(why)) == -EPROTO);
	CHECK(!relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)));
	gate.ring.ctrl->changed |= 1; /* the gate died while it wrote */
	CHECK(relay_ring_snapshot(&ring, &cam.now) == -EAGAIN);
	relay_ring_unmap(&ring);
	end();
}

/*
 * Paused: records behind it are dropped and counted, those before it go their way, over a link that
 * breaks too; every record is in one place.
 */
static void test_dropped_by_request(void)
{
	begin(16);
	attach();
	ringmake_stream(&gate, 100, 640, 480);
	ringmake_frame(&gate, 0, "x", 1);
	ringmake_frame(&gate, 1, "x", 1);
	relay_camera_look(&cam);
	CHECK(!relay_camera_pause(&cam) && !relay_camera_pause(&cam) && relay_camera_paused(&cam));
	ringmake_frame(&gate, 2, "x", 1);
	ringmake_frame(&gate, 3, "x", 1);
	relay_camera_pass_paused(&cam); /* those before it are not sent yet */
	CHECK(cam.paused == 0);
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	CHECK(!relay_camera_opened(&cam, 100, 0));
	expect(RELAY_SEND_FRAME);
	CHECK(todo.desc.sequence == 0);
	expect(RELAY_SEND_FRAME);
	CHECK(todo.desc.sequence == 1);
	CHECK(!relay_camera_resume(&cam) && !relay_camera_paused(&cam) && cam.pauses == 1);
	ringmake_frame(&gate, 4, "x", 1);
	/* the link breaks before anything was acknowledged */
	relay_camera_link(&cam, false);
	relay_camera_link(&cam, true);
	expect(RELAY_SEND_OPEN);
	CHECK(!relay_camera_opened(&cam, 100, 1));
	relay_camera_next(&cam, &todo);
	while (todo.step == RELAY_SEND_STATS) {
		relay_camera_sent(&cam, &todo);
		relay_camera_next(&cam, &todo);
	}
	CHECK(todo.step == RELAY_SEND_FRAME && todo.desc.sequence == 1);
	relay_camera_sent(&cam, &todo);
	relay_camera_next(&cam, &todo);
	CHECK(todo.step == RELAY_SEND_FRAME && todo.desc.sequence == 4);
	relay_camera_sent(&cam, &todo);
	CHECK(!relay_camera_stored(&cam, 100, 4));
	CHECK(cam.stored == 3 && cam.paused == 2 && cam.rejected == 0 && cam.pauses == 0 &&
	      cam.tail == 5);
	/* nobody sends: they are dropped all the same, so that the ring has room */
	relay_camera_link(&cam, false);
	CHECK(!relay_camera_pause(&cam));
	for (int i = 5; i < 60; i++) {
		CHECK(!ringmake_frame(&gate, (uint64_t)i, "x", 1));
		relay_camera_pass_paused(&cam);
	}
	CHECK(cam.paused == 57 && cam.tail == 60);
	/* on the way to the spool, too */
	CHECK(!relay_camera_resume(&cam));
	for (int i = 0; i < 3 * RELAY_PAUSES; i++) {
		ringmake_frame(&gate, (uint64_t)(60 + i), "x", 1);
		CHECK(relay_camera_pause(&cam) == (i < RELAY_PAUSES ? 0 : -EBUSY));
		if (i < RELAY_PAUSES)
			ringmake_frame(&gate, (uint64_t)(200 + i), "x", 1);
		CHECK(!relay_camera_resume(&cam));
		if (i == RELAY_PAUSES)
			break;
	}
	for (int i = 0; relay_camera_spill_next(&cam, &todo.desc); i++) {
		CHECK(todo.desc.sequence == (uint64_t)(60 + i));
		relay_camera_spill_add(&cam, &todo.desc, false);
	}
	relay_camera_spill_settled(&cam, true);
	CHECK(cam.spooled == RELAY_PAUSES + 1 && cam.paused == 57 + RELAY_PAUSES && !cam.pauses);
	end();
}

int main(void)
{
	test_life();
	test_dropped_by_request();
	test_stats_order();
	test_calm();
	test_epochs();
	test_pause();
	test_nonsense();
	test_restart();
	return check_result();
}
