// SPDX-License-Identifier: MIT
/*
 * test_session.c - a device against a running cloud, over real TLS: the main path, everything that
 * a hostile or broken device may send, reconnections, revocation, and kill -9 at every step of a
 * commit. The analysis is the double of analysis_script.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "cloud/auth.h"
#include "cloud/index.h"
#include "cloud/ingest.h"
#include "cloud/loop.h"
#include "cloud/recover.h"
#include "cloud/segment.h"
#include "lib/wire_region.h"
#include "tests/unit/check.h"
#include "tests/unit/uplink.h"

#define MOTION	  8
#define KEEPALIVE 11
#define CORRUPT	  16

static struct cloud cloud;
static const struct sluice_actor local = { .who = "local" };

/* ---- helpers ---- */

static uint64_t field_u64(struct uplink *u, uint16_t tag)
{
	uint64_t value = UINT64_MAX;

	sluice_wire_get_u64(&u->f, tag, &value);
	return value;
}

/* OPEN, and the resume point of its OPENED. */
static uint64_t open_camera(struct uplink *u, uint64_t epoch)
{
	uplink_camera(u, 1, "door", epoch);
	CHECK(uplink_expect(u, SLUICE_MSG_OPENED, 5));
	CHECK(u->m.slot == 1 && field_u64(u, SLUICE_TAG_EPOCH) == epoch);
	return field_u64(u, SLUICE_TAG_RESUME);
}

static void wait_stored(struct uplink *u, uint64_t sequence)
{
	while (u->stored <= sequence)
		if (!uplink_next(u, 5))
			break;
	CHECK(u->stored > sequence);
}

/* SUMMARY and all its media, compared with their hashes. Returns its id. */
static int take_summary(struct uplink *u, char id[33])
{
	struct sluice_wire_media_info media[2];
	struct sluice_wire_field field;
	struct sluice_wire_part_info part;
	uint8_t digest[32], *data[2];
	uint64_t have[2] = { 0 };
	uint32_t at = 0, n = 0, i;

	if (!uplink_expect(u, SLUICE_MSG_SUMMARY, 5))
		return 0;
	CHECK(!sluice_wire_get_text(&u->f, SLUICE_TAG_ID, id, 33));
	while (sluice_wire_field_next(u->m.payload, u->m.length, &at, &field) > 0)
		if (field.tag == SLUICE_TAG_MEDIA && n < 2)
			CHECK(!sluice_wire_media_get(&field, &media[n++]));
	CHECK(n == 2 && !strcmp(media[0].name, "key-1.jpg") && media[1].size == 100000);
	for (i = 0; i < n; i++)
		data[i] = malloc(media[i].size);
	while (n == 2 && (have[0] < media[0].size || have[1] < media[1].size)) {
		if (!uplink_expect(u, SLUICE_MSG_PART, 5))
			break;
		CHECK(!sluice_wire_part_get(u->m.payload, u->m.length, &part));
		CHECK(!strcmp(part.id, id) && part.index < 2);
		if (part.index >= 2 || part.offset != have[part.index] ||
		    part.size > media[part.index].size - part.offset) {
			CHECK(!"a PART that fits");
			break;
		}
		memcpy(data[part.index] + part.offset, part.data, part.size);
		have[part.index] += part.size;
	}
	for (i = 0; i < n; i++) {
		SHA256(data[i], media[i].size, digest);
		CHECK(have[i] == media[i].size && !memcmp(digest, media[i].sha256, 32));
		free(data[i]);
	}
	return 1;
}

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/index.db", cloud.data);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	return ix;
}

/* Is the frame in the store, byte for byte? size: as it was sent. */
static int is_stored(uint64_t epoch, uint64_t sequence, size_t size)
{
	struct sluice_index *ix = open_index();
	struct sluice_segment_frame f = { 0 };
	struct sluice_index_frame row;
	struct sluice_camera c;
	uint8_t *buf = NULL, *sent = malloc(size);
	char path[192], full[512];
	int ok;

	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	ok = !ix->ops->frame_find(ix, c.id, epoch, sequence, &row, path);
	if (ok) {
		snprintf(full, sizeof(full), "%s/%s", cloud.data, path);
		ok = !sluice_segment_read(full, NULL, row.offset, row.length, &f, &buf);
	}
	uplink_picture(sent, size, epoch, sequence, 64, 48);
	ok = ok && f.jpeg_size == size && !memcmp(f.jpeg, sent, size) && f.sequence == sequence;
	free(buf);
	free(sent);
	sluice_index_close(ix);
	return ok;
}

/* ---- the main path ---- */

static void test_main_path(void)
{
	struct uplink u;
	char id[33], again[33];
	uint64_t i;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(u.credit > 0);
	CHECK(open_camera(&u, 5) == 0);
	for (i = 0; i < 5; i++)
		uplink_frame(&u, 1, 5, i * 2, MOTION, 1000 + i);
	CHECK(uplink_expect(&u, SLUICE_MSG_ACK, 5));
	CHECK(field_u64(&u, SLUICE_TAG_EPOCH) == 5);
	CHECK(uplink_expect(&u, SLUICE_MSG_EVENT, 5) && u.m.slot == 1);
	wait_stored(&u, 8);
	for (i = 0; i < 5; i++)
		CHECK(is_stored(5, i * 2, 1000 + i));
	uplink_stats(&u, 1, 5, 2000000000, 0);
	CHECK(take_summary(&u, id));
	uplink_close(&u); /* without an acknowledgement: it comes again */

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, 5) == 9);
	CHECK(take_summary(&u, again) && !strcmp(id, again));
	uplink_ack(&u, id);
	/* a duplicate is acknowledged, new frames go on */
	uplink_frame(&u, 1, 5, 8, MOTION, 1004);
	uplink_frame(&u, 1, 5, 20, KEEPALIVE, 1000);
	wait_stored(&u, 20);
	uplink_end(&u, 1, 5, 3000000000);
	/* the duplicate did not open an event again, so nothing but DONE comes */
	for (;;) {
		int type = uplink_next(&u, 5);

		CHECK(type != SLUICE_MSG_SUMMARY && type != SLUICE_MSG_EVENT);
		if (!type || type == SLUICE_MSG_DONE)
			break;
	}
	CHECK(u.m.type == SLUICE_MSG_DONE && field_u64(&u, SLUICE_TAG_EPOCH) == 5);
	uplink_close(&u);

	/* acknowledged: it does not come a third time; DONE comes for a CLOSE that is said again */
	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, 5) == 21);
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

/* CLOSE with an event open: its summary comes before DONE. */
static void test_close_tells(uint64_t epoch)
{
	struct uplink u;
	char id[33];

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, epoch) == 0);
	uplink_frame(&u, 1, epoch, 0, MOTION, 300);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(take_summary(&u, id));
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_ack(&u, id);
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

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, epoch) == 0);
	uplink_frame(&u, 1, epoch, 0, MOTION, 300);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(take_summary(&u, id));
	uplink_close(&u);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		p[0].index = places[i].index;
		p[0].offset = places[i].offset;
		memcpy(p[0].id, id, sizeof(id));
		CHECK(!uplink_open_partial(&u, &cloud, "box1", p, 1));
		open_camera(&u, epoch);
		CHECK(first_part(&u, places[i].goes_on, places[i].at));
		uplink_close(&u);
	}
	/* the device finds what it had to be wrong: at once from the start, and to the end */
	p[0].index = 1;
	p[0].offset = 50000;
	CHECK(!uplink_open_partial(&u, &cloud, "box1", p, 1));
	open_camera(&u, epoch);
	CHECK(first_part(&u, 1, 50000));
	uplink_ack_status(&u, id, EILSEQ);
	CHECK(take_summary(&u, id));
	uplink_ack(&u, id);
	uplink_end(&u, 1, epoch, 2000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	/* more places than are allowed, of summaries that nobody has: no harm */
	for (unsigned int i = 0; i < 2 * SLUICE_WIRE_PARTIALS; i++)
		snprintf(p[i].id, sizeof(p[i].id), "%032x", i);
	CHECK(!uplink_open_partial(&u, &cloud, "box1", p, 2 * SLUICE_WIRE_PARTIALS));
	open_camera(&u, epoch);
	uplink_close(&u);
}

/* The store of media cannot be reached for a while: the summary comes on the same link. */
static void test_away(void)
{
	struct uplink u;
	char id[33];

	cloud.away = 1;
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, 30) == 0);
	uplink_frame(&u, 1, 30, 0, MOTION, 300);
	uplink_end(&u, 1, 30, 2000000000);
	CHECK(take_summary(&u, id));
	uplink_ack(&u, id);
	uplink_end(&u, 1, 30, 2000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&cloud));
	cloud.away = 0;
}

static void test_pictures(void)
{
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, 7) == 0);
	uplink_frame_wh(&u, 1, 7, 0, MOTION, 300, 65500, 65500);
	CHECK(uplink_expect(&u, SLUICE_MSG_REJECT, 5));
	CHECK(u.m.slot == 1 && field_u64(&u, SLUICE_TAG_SEQUENCE) == 0);
	/* what the device itself calls corrupt is kept, and marked */
	uplink_frame_wh(&u, 1, 7, 1, CORRUPT, 300, 65500, 65500);
	uplink_frame(&u, 1, 7, 2, KEEPALIVE, 300);
	wait_stored(&u, 2);
	CHECK(!is_stored(7, 0, 300));
	CHECK(is_stored(7, 2, 300));
	uplink_close(&u);
}

/* A region of 32x16 at x, y on a base, its JPEG's header saying width x height. */
static void send_region(struct uplink *u, uint64_t sequence, uint64_t base, int x, int y, int width,
			int height)
{
	struct sluice_wire_frame_info f = { .epoch = 70,
					    .time_ns = 1000000000 + sequence * 40000000,
					    .format = SLUICE_WIRE_JPEG,
					    .reason = KEEPALIVE, /* no event of the script */
					    .flags = SLUICE_WIRE_REGION,
					    .event = 1,
					    .width = 64,
					    .height = 48 };
	struct sluice_wire_region_info r = { .x = (uint16_t)x,
					     .y = (uint16_t)y,
					     .w = 32,
					     .h = 16,
					     .base = base,
					     .mcu_w = 16,
					     .mcu_h = 16 };
	_Alignas(8) uint8_t buf[sizeof(struct sluice_wire_frame) + 24 + 300];

	sluice_wire_frame_put((struct sluice_wire_frame *)buf, &f);
	sluice_wire_region_put(
		(struct sluice_wire_region *)(buf + sizeof(struct sluice_wire_frame)), &r);
	uplink_picture(buf + sizeof(buf) - 300, 300, 70, sequence, width, height);
	uplink_send(u, SLUICE_MSG_FRAME, 0, 1, sequence, buf, sizeof(buf));
}

/* Bytes of a stored region with its head, 0: none is stored. */
static uint32_t region_size(uint64_t sequence)
{
	struct sluice_index *ix = open_index();
	struct sluice_segment_frame f = { 0 };
	struct sluice_index_frame row;
	struct sluice_camera c;
	uint8_t *buf = NULL;
	char path[192], full[512];

	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	if (!ix->ops->frame_find(ix, c.id, 70, sequence, &row, path)) {
		snprintf(full, sizeof(full), "%s/%s", cloud.data, path);
		CHECK(!sluice_segment_read(full, NULL, row.offset, row.length, &f, &buf));
		CHECK(f.flags & SLUICE_WIRE_REGION);
	}
	free(buf);
	sluice_index_close(ix);
	return f.jpeg_size;
}

/* Parts of pictures: those that cannot be right are rejected alone, the link goes on. */
static void test_regions(void)
{
	struct uplink u;
	int wrong[][5] = {
		{ 5, 16, 16, 32, 32 }, /* the JPEG is not of the region's size */
		{ 6, 16, 16, 32, 16 }, /* its own base */
		{ 9, 16, 16, 32, 16 }, /* a base that comes later */
		{ 5, 8, 16, 32, 16 },  /* not on the grid of MCUs */
		{ 5, 48, 16, 32, 16 }, /* beyond the picture */
	};

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(open_camera(&u, 70) == 0);
	uplink_frame(&u, 1, 70, 0, KEEPALIVE, 300);
	send_region(&u, 1, 0, 16, 32, 32, 16);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		send_region(&u, 6 + i, i == 1 || i == 2 ? (uint64_t)wrong[i][0] + i : 0,
			    wrong[i][1], wrong[i][2], wrong[i][3], wrong[i][4]);
		CHECK(uplink_expect(&u, SLUICE_MSG_REJECT, 5));
		CHECK(field_u64(&u, SLUICE_TAG_SEQUENCE) == 6 + i);
	}
	send_region(&u, 20, 0, 0, 0, 32, 16);
	wait_stored(&u, 20);
	CHECK(region_size(1) == 324 && region_size(20) == 324 && !region_size(6));
	uplink_close(&u);
}

static void test_small_talk(void)
{
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	uplink_send(&u, SLUICE_MSG_PING, 0, 0, 0, "abcdefgh", 8);
	CHECK(uplink_expect(&u, SLUICE_MSG_PONG, 5));
	CHECK(u.m.length == 8 && !memcmp(u.m.payload, "abcdefgh", 8));
	uplink_send(&u, 77, 0, 0, 0, "whatever", 8); /* unknown, not critical */
	uplink_send(&u, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(&u, SLUICE_MSG_PONG, 5) && u.m.length == 0);
	uplink_send(&u, 77, SLUICE_WIRE_CRITICAL, 0, 0, "whatever", 8);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
}

/* ---- bad devices ---- */

static void greet(struct uplink *u, int camera)
{
	CHECK(!uplink_open(u, &cloud, "box1"));
	if (camera)
		open_camera(u, 9);
}

static void test_wrong_messages(void)
{
	struct sluice_wire_header h = { 0 };
	struct sluice_wire_message m = { .type = SLUICE_MSG_PING };
	uint8_t noise[256];
	struct uplink u;
	size_t i;

	/* another version, with a CRC that holds */
	greet(&u, 0);
	sluice_wire_header_put(&h, &m, 0);
	h.version = 9;
	uplink_raw(&u, &h, sizeof(h));
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_VERSION));
	uplink_close(&u);
	/* a frame above the maximum: refused by its header, before any of it is taken */
	greet(&u, 1);
	m = (struct sluice_wire_message){ .type = SLUICE_MSG_FRAME, .slot = 1, .length = 9u << 20 };
	sluice_wire_header_put(&h, &m, 0);
	uplink_raw(&u, &h, sizeof(h));
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_TOO_BIG));
	uplink_close(&u);
	/* noise */
	greet(&u, 0);
	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)random_below(256);
	noise[0] = SLUICE_WIRE_VERSION;
	uplink_raw(&u, noise, sizeof(noise));
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	/* the first message is no HELLO */
	CHECK(!uplink_dial(&u, &cloud, "box1") && uplink_upgrade(&u) == 101);
	uplink_camera(&u, 1, "door", 1);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	/* HELLO twice */
	greet(&u, 0);
	uplink_hello(&u);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	/* what only the cloud says */
	greet(&u, 0);
	uplink_send(&u, SLUICE_MSG_WELCOME, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
}

static void test_wrong_frames(void)
{
	struct uplink u;

	greet(&u, 0); /* slot not open */
	uplink_frame(&u, 2, 9, 0, MOTION, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 1); /* another epoch */
	uplink_frame(&u, 1, 10, 0, MOTION, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 1); /* out of order: the first is stored all the same */
	uplink_frame(&u, 1, 9, 50, KEEPALIVE, 300);
	wait_stored(&u, 50);
	uplink_frame(&u, 1, 9, 40, KEEPALIVE, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	CHECK(is_stored(9, 50, 300) && !is_stored(9, 40, 300));
	greet(&u, 1); /* a reason that lets nothing pass */
	uplink_frame(&u, 1, 9, 60, 1, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 1); /* after the end */
	uplink_end(&u, 1, 9, 5000000000);
	uplink_frame(&u, 1, 9, 70, KEEPALIVE, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 0); /* a number beyond what can be kept */
	uplink_camera(&u, 1, "door", UINT64_MAX);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 0); /* a name that is a path */
	uplink_camera(&u, 1, "../door", 1);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	greet(&u, 1); /* one camera twice */
	uplink_camera(&u, 2, "door", 9);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
}

static void test_replaced(void)
{
	struct uplink a, b;
	uint64_t first;

	CHECK(!uplink_open(&a, &cloud, "box1"));
	first = field_u64(&a, SLUICE_TAG_SESSION);
	open_camera(&a, 11);
	uplink_frame(&a, 1, 11, 0, KEEPALIVE, 300);
	uplink_send(&a, SLUICE_MSG_PING, 0, 0, 0, NULL, 0);
	CHECK(uplink_expect(&a, SLUICE_MSG_PONG, 5)); /* the frame has arrived, perhaps not more */
	CHECK(!uplink_open(&b, &cloud, "box1"));
	/* the new link is in another loop than the old one */
	CHECK(field_u64(&b, SLUICE_TAG_SESSION) % SLUICE_LOOPS_MAX != first % SLUICE_LOOPS_MAX);
	CHECK(uplink_expect_goaway(&a, SLUICE_CODE_REPLACED));
	/* what the old session had sent is known to the new one */
	CHECK(open_camera(&b, 11) == 1);
	uplink_frame(&b, 1, 11, 1, KEEPALIVE, 300);
	wait_stored(&b, 1);
	uplink_close(&a);
	uplink_close(&b);
}

static void test_credit(void)
{
	struct uplink u;
	int i;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	CHECK(u.credit == 65536);
	open_camera(&u, 12);
	/* within credit, again and again: what is stored comes free */
	for (i = 0; i < 8; i++) {
		uint64_t used = (uint64_t)(i + 1) * (30000 + 64);

		while (u.credit < used && uplink_next(&u, 5))
			;
		CHECK(u.credit >= used);
		uplink_frame(&u, 1, 12, (uint64_t)i, KEEPALIVE, 30000);
	}
	wait_stored(&u, 7);
	uplink_frame(&u, 1, 12, 8, KEEPALIVE, 200000);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_LIMIT));
	uplink_close(&u);
	CHECK(!is_stored(12, 8, 200000));
}

static void test_identity(void)
{
	struct sluice_auth *auth = NULL;
	struct uplink u;
	char path[512];

	CHECK(!uplink_dial(&u, &cloud, NULL) && uplink_upgrade(&u) == 401);
	uplink_close(&u);
	/* a server's certificate is no device's */
	snprintf(path, sizeof(path), "cp %s/server.crt %s/fake.crt && cp %s/server.key %s/fake.key",
		 cloud.data, cloud.dir, cloud.data, cloud.dir);
	CHECK(!system(path));
	CHECK(uplink_dial(&u, &cloud, "fake") || uplink_upgrade(&u) != 101);
	uplink_close(&u);
	/* revoked while connected */
	cloud_enrol(&cloud, "box2");
	CHECK(!uplink_open(&u, &cloud, "box2"));
	snprintf(path, sizeof(path), "%s/auth.db", cloud.data);
	CHECK(!sluice_auth_open(path, &auth) &&
	      !sluice_auth_revoke(auth, &local, SLUICE_TENANT, "box2"));
	sluice_auth_close(auth);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_REVOKED));
	uplink_close(&u);
	CHECK(!uplink_dial(&u, &cloud, "box2") && uplink_upgrade(&u) == 403);
	uplink_close(&u);
}

/* ---- REST ---- */

static int http_status(const char *request, char *answer, int room)
{
	struct uplink u;

	CHECK(!uplink_dial(&u, &cloud, NULL));
	uplink_http(&u, request, answer, room);
	uplink_close(&u);
	return strncmp(answer, "HTTP/1.1 ", 9) ? 0 : (int)strtol(answer + 9, NULL, 10);
}

static int get_status(const char *path, const char *token, char *answer, int room)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s\r\n", path,
		 token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
	return http_status(request, answer, room);
}

static void test_rest(void)
{
	static const char *const closed[] = { "/v1/devices",	   "/v1/cameras", "/v1/summaries",
					      "/v1/summaries/a/b", "/v1/tokens",  "/nothing" };
	static char answer[65536];
	char path[128], *id;
	size_t i;

	CHECK(get_status("/healthz", NULL, answer, sizeof(answer)) == 200);
	CHECK(get_status("/v1/ca", NULL, answer, sizeof(answer)) == 200 &&
	      strstr(answer, "BEGIN CERTIFICATE") && !strstr(answer, "PRIVATE"));
	for (i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		CHECK(get_status(closed[i], NULL, answer, sizeof(answer)) == 401);
		CHECK(get_status(closed[i], "wrong", answer, sizeof(answer)) == 401);
	}
	CHECK(get_status("/v1/cameras", cloud.admin, answer, sizeof(answer)) == 200 &&
	      strstr(answer, "\"door\""));
	CHECK(get_status("/v1/devices", cloud.admin, answer, sizeof(answer)) == 200 &&
	      strstr(answer, "\"box1\""));
	CHECK(get_status("/v1/enrol", cloud.admin, answer, sizeof(answer)) == 405);
	CHECK(get_status("/nothing", cloud.admin, answer, sizeof(answer)) == 404);
	CHECK(get_status("/v1/summaries?limit=0", cloud.admin, answer, sizeof(answer)) == 400);
	CHECK(get_status("/v1/summaries?camera=door", cloud.admin, answer, sizeof(answer)) == 200);
	id = strstr(answer, "\"id\":\"");
	CHECK(id);
	if (id) {
		snprintf(path, sizeof(path), "/v1/summaries/%.32s/summary.json", id + 6);
		CHECK(get_status(path, cloud.admin, answer, sizeof(answer)) == 200 &&
		      strstr(answer, "\"version\":1"));
		CHECK(get_status(path, NULL, answer, sizeof(answer)) == 401);
		path[46] = 0;
		strncat(path, "/../../../auth.db", sizeof(path) - 50);
		i = (size_t)get_status(path, cloud.admin, answer, sizeof(answer));
		CHECK(i == 400 || i == 404);
	}
	CHECK(http_status("GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
			  answer, sizeof(answer)) == 501);
	CHECK(http_status("GET /healthz HTTP/1.1\r\n\r\n", answer, sizeof(answer)) == 400);
	CHECK(http_status("POST /v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
			  answer, sizeof(answer)) == 413);
	CHECK(http_status("POST /v1/enrol HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			  "Content-Length: 2\r\n\r\n[]",
			  answer, sizeof(answer)) == 400);
	CHECK(http_status("POST /v1/enrol HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			  "Content-Length: 24\r\n\r\n{\"token\":\"a\",\"csr\":\"b\"} ",
			  answer, sizeof(answer)) == 403);
}

/* ---- a full disk ---- */

/* A device that is told STORAGE keeps its frames and brings them when there is room again. */
static void test_full_disk(void)
{
	uint64_t sent, stored, i;
	struct uplink u;

	cloud.file_max = 1 << 20;
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	open_camera(&u, 90);
	for (sent = 0; sent < 50; sent++)
		uplink_frame(&u, 1, 90, sent, KEEPALIVE, 50000);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_STORAGE));
	stored = u.stored;
	CHECK(stored < 50);
	uplink_close(&u);
	CHECK(get_status("/healthz", NULL, (char[4096]){ 0 }, 4096) == 200);
	CHECK(!cloud_stop(&cloud));

	cloud.file_max = 0;
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	i = open_camera(&u, 90);
	CHECK(i >= stored && i <= 50);
	for (; i < 50; i++)
		uplink_frame(&u, 1, 90, i, KEEPALIVE, 50000);
	wait_stored(&u, 49);
	uplink_close(&u);
	CHECK(!cloud_stop(&cloud));
	for (i = 0; i < 50; i++)
		CHECK(is_stored(90, i, 50000));
}

/* ---- kill -9 ---- */

/* The server dies at a step of its n-th group; the device comes back and loses nothing. */
static void kill_at(int point, int count)
{
	uint64_t next = 0, told = 0, epoch = (uint64_t)(100 + 10 * point + count), i;
	struct uplink u;
	char id[33];

	cloud.die_point = point;
	cloud.die_count = count;
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	uplink_camera(&u, 1, "door", epoch);
	/* one more frame whenever something was acknowledged, until it is dead */
	while (next < 200) {
		uplink_frame(&u, 1, epoch, next, MOTION, 500 + next);
		next++;
		if (next % 3 == 0 && !uplink_expect(&u, SLUICE_MSG_ACK, 2))
			break;
		told = u.stored;
	}
	CHECK(next < 200);
	while (uplink_next(&u, 1))
		; /* the last words may still be on their way */
	told = u.stored;
	uplink_close(&u);
	CHECK(cloud_wait(&cloud) == -SIGKILL);

	cloud.die_count = 0;
	cloud_start(&cloud);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	i = open_camera(&u, epoch);
	CHECK(i >= told && i <= next);
	for (; i < next + 2; i++)
		uplink_frame(&u, 1, epoch, i, MOTION, 500 + i);
	wait_stored(&u, next + 1);
	/* the event that was open when it died is told once, from its first frame on */
	uplink_stats(&u, 1, epoch, 60000000000, 0);
	CHECK(take_summary(&u, id));
	CHECK(u.m.type == SLUICE_MSG_PART);
	uplink_ack(&u, id);
	uplink_end(&u, 1, epoch, 60000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&cloud));
	for (i = 0; i < next + 2; i++)
		CHECK(is_stored(epoch, i, 500 + i));
}

static int check_all(struct sluice_index *ix, const struct sluice_keyring *ring,
		     struct sluice_check *k)
{
	struct sluice_media *m;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/media", cloud.data);
	err = sluice_media_dir_open(path, ring, &m);
	if (!err)
		err = sluice_check(cloud.data, ix, m, NULL, NULL, k);
	sluice_media_close(m);
	return err;
}

static void test_kill(void)
{
	struct sluice_check k;
	struct sluice_index *ix;
	int point, count;

	for (point = SLUICE_POINT_APPENDED; point <= SLUICE_POINT_TOLD; point++)
		for (count = 2; count <= 3; count++)
			kill_at(point, count);
	ix = open_index();
	CHECK(!check_all(ix, NULL, &k));
	CHECK(!k.missing_frame && !k.missing_row && !k.bad_header && !k.bad_tail && !k.bad_media);
	CHECK(k.frames == k.indexed && k.summaries == 9 + 3 + 3);
	sluice_index_close(ix);
}

/* The index is that of another machine, and does not answer: the device is heard, and what it sends
 * is stored; its summary comes when the index does. */
static void test_desk(void)
{
	char hold[128], held[128], id[33];
	struct uplink u;

	snprintf(hold, sizeof(hold), "%s/" CLOUD_HOLD, cloud.data);
	snprintf(held, sizeof(held), "%s/" CLOUD_HELD, cloud.data);
	cloud.desk = 1;
	cloud_start(&cloud);
	test_close_tells(36);
	test_going_on(38);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	close(open(hold, O_CREAT | O_WRONLY, 0600));
	for (int i = 0; access(held, F_OK) && i < 5000; i++)
		usleep(2000);
	CHECK(!access(held, F_OK));
	CHECK(open_camera(&u, 40) == 0);
	uplink_frame(&u, 1, 40, 0, MOTION, 300);
	uplink_frame(&u, 1, 40, 1, MOTION, 300);
	wait_stored(&u, 1);
	uplink_stats(&u, 1, 40, 2000000000, 0); /* the event ends, and is told */
	for (int i = 0; i < 20; i++) {
		uplink_send(&u, SLUICE_MSG_PING, 0, 0, 0, "abcdefgh", 8);
		CHECK(uplink_expect(&u, SLUICE_MSG_PONG, 5));
		usleep(10000);
	}
	CHECK(!access(held, F_OK));
	unlink(hold);
	CHECK(take_summary(&u, id));
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
		CHECK(!uplink_open(&u, &cloud, "box1"));
		open_camera(&u, 40);
		uplink_close(&u);
	}
	unlink(hold);
	CHECK(!uplink_open(&u, &cloud, "box1"));
	open_camera(&u, 40);
	uplink_end(&u, 1, 40, 3000000000);
	CHECK(uplink_expect(&u, SLUICE_MSG_DONE, 5));
	uplink_close(&u);
	CHECK(!cloud_stop(&cloud));
	cloud.desk = 0;
}

int main(int argc, char **argv)
{
	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	signal(SIGPIPE, SIG_IGN);
	cloud_init(&cloud);
	cloud.remote = 1; /* test_asked has it otherwise */
	cloud_start(&cloud);
	test_main_path();
	test_close_tells(6);
	test_going_on(8);
	test_pictures();
	test_regions();
	test_small_talk();
	test_wrong_messages();
	test_wrong_frames();
	test_replaced();
	test_identity();
	test_rest();
	CHECK(!cloud_stop(&cloud));
	test_away();
	test_desk();
	cloud.set[0].section = "limits";
	cloud.set[0].key = "credit";
	cloud.set[0].value = "65536";
	cloud_start(&cloud);
	test_credit();
	CHECK(!cloud_stop(&cloud));
	cloud.set[0].key = NULL;
	test_full_disk();
	test_kill();
	cloud_exit(&cloud);
	return check_result();
}
