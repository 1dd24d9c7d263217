// SPDX-License-Identifier: MIT
/*
 * test_nodes.c - what processes say of themselves comes to what others know: who is connected
 * where, also when messages are lost, a link is noticed late to be gone, or a process dies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/nodes.h"
#include "cloud/roster.h"
#include "lib/log.h"
#include "tests/unit/check.h"

#define PROCESSES 3

/* ---- a bus that carries what is said at once, and may lose it ---- */

static struct end {
	struct sluice_bus bus;
	char id[17];
	sluice_node_fn fn;
	void *ctx;
	atomic_int mute; /* what it says is lost */
} end[PROCESSES];

static int call_out(struct sluice_bus *b, const char *text)
{
	struct end *from = (struct end *)b;

	for (int i = 0; i < PROCESSES && !from->mute; i++)
		if (&end[i] != from && end[i].fn)
			end[i].fn(end[i].ctx, from->id, text, strlen(text));
	return 0;
}

static int overhear(struct sluice_bus *b, sluice_node_fn fn, void *ctx)
{
	struct end *e = (struct end *)b;

	e->fn = fn;
	e->ctx = ctx;
	return 0;
}

static const struct sluice_bus_ops ops = { .call_out = call_out, .overhear = overhear };

/* ---- two that take devices, and one that serves people ---- */

static struct sluice_roster *roster[PROCESSES];
static struct sluice_cameras *cameras;
static struct sluice_nodes *nodes[PROCESSES];
static atomic_int came, went;

static unsigned int room(void *ctx)
{
	return 100;
}

static void move(void *ctx, unsigned int links)
{
	CHECK(links <= 5); /* of 450, a fiftieth of the share */
}

static void seen(void *ctx, const struct sluice_camera *c, bool online)
{
	atomic_fetch_add(online ? &came : &went, 1);
}

static void start(int i)
{
	static const char *const names[PROCESSES] = { "i1", "i2", "a1" };
	const struct sluice_nodes_config c = { .bus = &end[i].bus,
					       .roster = roster[i],
					       .cameras = cameras,
					       .node = names[i],
					       .says = i < 2,
					       .keeps = i == 2,
					       .room = room,
					       .move = move,
					       .seen = seen };

	snprintf(end[i].id, sizeof(end[i].id), "%016x", i + 1);
	CHECK(!sluice_nodes_open(&c, &nodes[i]) && nodes[i]);
}

#define BECOMES(what)                                                               \
	do {                                                                        \
		for (int t = 0; !(what) && t < 5000; t++)                           \
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL); \
		CHECK(what);                                                        \
	} while (0)

static int is_at(const char *device, const char *node)
{
	char name[64] = "";

	return sluice_nodes_device(nodes[2], "t", device, name) && !strcmp(name, node);
}

static const struct sluice_camera *camera(const char *device)
{
	const struct sluice_camera *c = NULL;

	CHECK(!sluice_cameras_get(cameras, "t", device, "door", &c));
	return c;
}

static void enter(int i, const char *device, uint64_t session)
{
	CHECK(!sluice_roster_arrive(roster[i], "t", device, 4));
	sluice_roster_enter(roster[i], "t", device, session);
	sluice_roster_open_camera(roster[i], session, camera(device), 1);
}

static void leave(int i, const char *device, uint64_t session)
{
	sluice_roster_leave(roster[i], "t", device, session);
	sluice_roster_depart(roster[i], "t", device);
}

static void test_told(void)
{
	unsigned int devices;

	BECOMES(sluice_nodes_count(nodes[2], &devices) == 2 && !devices);
	enter(0, "box", 16);
	BECOMES(is_at("box", "i1") && sluice_nodes_camera(nodes[2], camera("box")));
	CHECK(!sluice_nodes_device(nodes[2], "other", "box", NULL));
	CHECK(sluice_nodes_count(nodes[1], &devices) == 1 && !devices); /* it does not keep them */
	/* it comes to another one, and the first notices later that its link is gone */
	enter(1, "box", 16);
	BECOMES(is_at("box", "i2"));
	leave(0, "box", 16);
	enter(0, "last", 32); /* said behind it */
	BECOMES(is_at("last", "i1"));
	/* its camera may be said later than itself */
	BECOMES(is_at("box", "i2") && sluice_nodes_camera(nodes[2], camera("box")));
	CHECK(came >= 2);
	leave(1, "box", 16);
	BECOMES(!sluice_nodes_device(nodes[2], "t", "box", NULL));
	CHECK(went >= 1);
	leave(0, "last", 32);
	BECOMES(sluice_nodes_count(nodes[2], &devices) == 2 && !devices);
}

/* Nobody heard it come: the turn brings it. More than a message holds. */
static void test_lost(void)
{
	unsigned int devices;
	char name[16];

	atomic_store(&end[0].mute, 1);
	for (unsigned int i = 0; i < 450; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		enter(0, name, 16 * (i + 3));
	}
	BECOMES(sluice_nodes_count(nodes[2], &devices) == 1); /* it counts as dead */
	atomic_store(&end[0].mute, 0);
	BECOMES(sluice_nodes_count(nodes[2], &devices) == 2 && devices == 450);
	CHECK(is_at("d0", "i1") && is_at("d449", "i1"));
	/* it dies */
	came = went = 0;
	atomic_store(&end[0].mute, 1);
	BECOMES(sluice_nodes_count(nodes[2], &devices) == 1 && !devices);
	CHECK(went >= 450);
	atomic_store(&end[0].mute, 0);
}

/* From somebody who may write to the subject. */
static void test_nonsense(void)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"node\":1}",
		"{\"node\":\"x\",\"devices\":{}}",
		"{\"node\":\"x\",\"links\":-1,\"room\":1e99,\"devices\":[1,null,{},"
		"{\"tenant\":\"t\",\"device\":\"../x\",\"since\":\"1\",\"online\":true},"
		"{\"tenant\":\"t\",\"device\":\"y\",\"since\":1,\"online\":true},"
		"{\"tenant\":\"t\",\"device\":\"y\",\"since\":\"1\",\"online\":true,"
		"\"cameras\":[1,\"\",\"a/b\"]}]}"
	};
	unsigned int devices, before;

	sluice_nodes_count(nodes[2], &before);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		end[2].fn(end[2].ctx, "00000000000000ff", texts[i], strlen(texts[i]));
	end[2].fn(end[2].ctx, "an id that is longer than any", "{\"node\":\"x\"}", 12);
	sluice_nodes_count(nodes[2], &devices);
	CHECK(devices == before + 1); /* y, without a camera */
	end[2].fn(end[2].ctx, "00000000000000ff", "{\"node\":\"x\",\"gone\":true}", 24);
	sluice_nodes_count(nodes[2], &devices);
	CHECK(devices == before);
}

int main(void)
{
	unsigned int devices;

	sluice_log_setup("test_nodes", SLUICE_LOG_ERROR, false);
	sluice_nodes_life_ms = 1600;
	sluice_nodes_beat_ms = 200;
	cameras = sluice_cameras_open();
	for (int i = 0; i < PROCESSES; i++) {
		end[i].bus.ops = &ops;
		end[i].bus.shared = true;
		roster[i] = sluice_roster_open();
	}
	for (int i = PROCESSES - 1; i >= 0; i--)
		start(i);
	test_told();
	test_nonsense();
	test_lost();
	/* it ends */
	sluice_nodes_close(nodes[1]);
	BECOMES(sluice_nodes_count(nodes[2], &devices) <= 1);
	sluice_nodes_close(nodes[0]);
	CHECK(sluice_nodes_count(nodes[2], &devices) == 0 && !devices);
	sluice_nodes_close(nodes[2]);
	for (int i = 0; i < PROCESSES; i++)
		sluice_roster_close(roster[i]);
	sluice_cameras_close(cameras);
	return check_result();
}
