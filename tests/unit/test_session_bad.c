// SPDX-License-Identifier: MIT
/*
 * test_session_bad.c - everything that a hostile or broken device may send to a running cloud, over
 * real TLS, and what somebody may ask of it who has no business there. The analysis is the double
 * of analysis_script.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/auth.h"
#include "cloud/segment.h"
#include "lib/wire_region.h"
#include "tests/unit/check.h"
#include "tests/unit/session_rig.h"

static const struct sluice_actor local = { .who = "local" };

static void test_pictures(void)
{
	struct uplink u;

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, 7) == 0);
	uplink_frame_wh(&u, 1, 7, 0, MOTION, 300, 65500, 65500);
	CHECK(uplink_expect(&u, SLUICE_MSG_REJECT, 5));
	CHECK(u.m.slot == 1 && session_u64(&u, SLUICE_TAG_SEQUENCE) == 0);
	/* what the device itself calls corrupt is kept, and marked */
	uplink_frame_wh(&u, 1, 7, 1, CORRUPT, 300, 65500, 65500);
	uplink_frame(&u, 1, 7, 2, KEEPALIVE, 300);
	session_stored(&u, 2);
	CHECK(!session_has(7, 0, 300));
	CHECK(session_has(7, 2, 300));
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
	struct sluice_index *ix = session_index();
	struct sluice_segment_frame f = { 0 };
	struct sluice_index_frame row;
	struct sluice_camera c;
	uint8_t *buf = NULL;
	char path[192], full[512];

	CHECK(!sluice_camera_init(&c, SLUICE_TENANT, "box1", "door"));
	if (!ix->ops->frame_find(ix, c.id, 70, sequence, &row, path)) {
		snprintf(full, sizeof(full), "%s/%s", session_cloud.data, path);
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

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
	CHECK(session_camera(&u, 70) == 0);
	uplink_frame(&u, 1, 70, 0, KEEPALIVE, 300);
	send_region(&u, 1, 0, 16, 32, 32, 16);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		send_region(&u, 6 + i, i == 1 || i == 2 ? (uint64_t)wrong[i][0] + i : 0,
			    wrong[i][1], wrong[i][2], wrong[i][3], wrong[i][4]);
		CHECK(uplink_expect(&u, SLUICE_MSG_REJECT, 5));
		CHECK(session_u64(&u, SLUICE_TAG_SEQUENCE) == 6 + i);
	}
	send_region(&u, 20, 0, 0, 0, 32, 16);
	session_stored(&u, 20);
	CHECK(region_size(1) == 324 && region_size(20) == 324 && !region_size(6));
	uplink_close(&u);
}

static void test_small_talk(void)
{
	struct uplink u;

	CHECK(!uplink_open(&u, &session_cloud, "box1"));
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

static void greet(struct uplink *u, int camera)
{
	CHECK(!uplink_open(u, &session_cloud, "box1"));
	if (camera)
		session_camera(u, 9);
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
	CHECK(!uplink_dial(&u, &session_cloud, "box1") && uplink_upgrade(&u) == 101);
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
	session_stored(&u, 50);
	uplink_frame(&u, 1, 9, 40, KEEPALIVE, 300);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_PROTOCOL));
	uplink_close(&u);
	CHECK(session_has(9, 50, 300) && !session_has(9, 40, 300));
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

static void test_identity(void)
{
	struct sluice_auth *auth = NULL;
	struct uplink u;
	char path[512];

	CHECK(!uplink_dial(&u, &session_cloud, NULL) && uplink_upgrade(&u) == 401);
	uplink_close(&u);
	/* a server's certificate is no device's */
	snprintf(path, sizeof(path), "cp %s/server.crt %s/fake.crt && cp %s/server.key %s/fake.key",
		 session_cloud.data, session_cloud.dir, session_cloud.data, session_cloud.dir);
	CHECK(!system(path));
	CHECK(uplink_dial(&u, &session_cloud, "fake") || uplink_upgrade(&u) != 101);
	uplink_close(&u);
	/* revoked while connected */
	cloud_enrol(&session_cloud, "box2");
	CHECK(!uplink_open(&u, &session_cloud, "box2"));
	snprintf(path, sizeof(path), "%s/auth.db", session_cloud.data);
	CHECK(!sluice_auth_open(path, &auth) &&
	      !sluice_auth_revoke(auth, &local, SLUICE_TENANT, "box2"));
	sluice_auth_close(auth);
	CHECK(uplink_expect_goaway(&u, SLUICE_CODE_REVOKED));
	uplink_close(&u);
	CHECK(!uplink_dial(&u, &session_cloud, "box2") && uplink_upgrade(&u) == 403);
	uplink_close(&u);
}

/* ---- REST ---- */

static int http_status(const char *request, char *answer, int room)
{
	struct uplink u;

	CHECK(!uplink_dial(&u, &session_cloud, NULL));
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
	CHECK(get_status("/v1/cameras", session_cloud.admin, answer, sizeof(answer)) == 200 &&
	      strstr(answer, "\"door\""));
	CHECK(get_status("/v1/devices", session_cloud.admin, answer, sizeof(answer)) == 200 &&
	      strstr(answer, "\"box1\""));
	CHECK(get_status("/v1/enrol", session_cloud.admin, answer, sizeof(answer)) == 405);
	CHECK(get_status("/nothing", session_cloud.admin, answer, sizeof(answer)) == 404);
	CHECK(get_status("/v1/summaries?limit=0", session_cloud.admin, answer, sizeof(answer)) ==
	      400);
	CHECK(get_status("/v1/summaries?camera=door", session_cloud.admin, answer,
			 sizeof(answer)) == 200);
	id = strstr(answer, "\"id\":\"");
	CHECK(id);
	if (id) {
		snprintf(path, sizeof(path), "/v1/summaries/%.32s/summary.json", id + 6);
		CHECK(get_status(path, session_cloud.admin, answer, sizeof(answer)) == 200 &&
		      strstr(answer, "\"version\":1"));
		CHECK(get_status(path, NULL, answer, sizeof(answer)) == 401);
		path[46] = 0;
		strncat(path, "/../../../auth.db", sizeof(path) - 50);
		i = (size_t)get_status(path, session_cloud.admin, answer, sizeof(answer));
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

int main(int argc, char **argv)
{
	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	signal(SIGPIPE, SIG_IGN);
	cloud_init(&session_cloud);
	cloud_start(&session_cloud);
	session_close_tells(6);
	test_pictures();
	test_regions();
	test_small_talk();
	test_wrong_messages();
	test_wrong_frames();
	test_identity();
	test_rest();
	CHECK(!cloud_stop(&session_cloud));
	cloud_exit(&session_cloud);
	return check_result();
}
