// SPDX-License-Identifier: MIT
/*
 * The relay's uplink against a cloud that delays, cuts, refuses and talks nonsense (fake_cloud.c),
 * over real TLS and a real ring. What must hold: every published frame is stored once and in order,
 * or counted as rejected; what a person must repair is said in words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "certs.h"
#include "check.h"
#include "fake_cloud.h"
#include "ringmake.h"
#include "lib/log.h"
#include "relay/uplink.h"

static struct sluice_io *io;
static struct fake_cloud cloud;
static struct ringmake gate;
static struct relay_camera camera[SLUICE_WIRE_SLOTS];
static struct relay_lanes lanes;
static struct relay_uplink uplink;
static struct relay_encoder *encoder;
static struct relay_downlink *downlink;
static struct sluice_tls_ctx *tls;
static int ups, downs, permanents;
static uint32_t heartbeat_ms, stale_ms;
static char last_why[400];

/* The bytes of a frame follow from its names. */
static uint32_t make_picture(uint64_t epoch, uint64_t sequence, uint8_t *out)
{
	uint32_t size = 200 + (uint32_t)((epoch * 7919 + sequence * 104729) % 20000);

	for (uint32_t i = 0; i < size; i++)
		out[i] = (uint8_t)(epoch + sequence * 3 + i * 7 + (i >> 8));
	return size;
}

static bool is_picture(uint64_t epoch, uint64_t sequence, const uint8_t *picture, uint32_t size)
{
	static uint8_t expected[20200];

	return make_picture(epoch, sequence, expected) == size && !memcmp(expected, picture, size);
}

static int publish(uint64_t sequence)
{
	static uint8_t picture[20200];
	uint32_t size = make_picture(gate.epoch, sequence, picture);

	return ringmake_frame(&gate, sequence, picture, size);
}

static void on_answer(void *arg, const char *id, int status)
{
	relay_uplink_acknowledge(&uplink, id, status);
}

static struct relay_downlink *open_downlink(const char *state, int *err)
{
	struct relay_downlink_config c = { .state = state, .io = io, .answer = on_answer };

	return relay_downlink_open(&c, err);
}

static void on_told(void *arg, bool up, bool permanent, const char *why)
{
	ups += up;
	downs += !up;
	permanents += permanent;
	snprintf(last_why, sizeof(last_why), "%s", why);
}

static void on_progress(void *arg)
{
}

static void start(const char *host, uint64_t arena)
{
	struct relay_uplink_config c = { .io = io,
					 .tls = tls,
					 .host = host,
					 .port = cloud.port,
					 .camera = camera,
					 .lanes = &lanes,
					 .maker.encoder = encoder,
					 .downlink = downlink,
					 .retry_first_ms = 1,
					 .retry_max_ms = 8,
					 .heartbeat_ms = heartbeat_ms,
					 .stale_ms = stale_ms,
					 .told = on_told,
					 .progress = on_progress };
	struct relay_ring ring;
	char why[160];

	memset(camera, 0, sizeof(camera));
	for (uint32_t i = 0; i < SLUICE_WIRE_SLOTS; i++)
		camera[i].slot = i + 1;
	ups = downs = permanents = 0;
	ringmake_open(&gate, "front", 512, arena);
	CHECK(!relay_ring_map(&ring, gate.fd, gate.size, why, sizeof(why)));
	CHECK(!relay_camera_attach(&camera[0], &ring));
	relay_uplink_start(&uplink, &c);
}

static void stop(void)
{
	relay_uplink_stop(&uplink);
	for (int i = 0; i < 600 && !relay_uplink_stopped(&uplink); i++)
		sluice_io_turn(io, 10);
	CHECK(relay_uplink_stopped(&uplink));
	relay_uplink_free(&uplink);
	relay_camera_detach(&camera[0]);
	ringmake_close(&gate);
	if (cloud.wrong)
		fprintf(stderr, "the device: %s\n", cloud.what);
	CHECK(!cloud.wrong);
	fake_cloud_reset(&cloud);
}

/* What the relay does once a second. */
static void look(void)
{
	relay_camera_look(&camera[0]);
	relay_uplink_pump(&uplink);
}

static bool turn_until(bool (*done)(void), int seconds)
{
	uint64_t limit = sluice_io_now(io) + (uint64_t)seconds * 1000000000u;

	while (!done() && sluice_io_now(io) < limit) {
		sluice_io_turn(io, 5);
		look();
	}
	return done();
}

static bool is_finished(void)
{
	return relay_camera_finished(&camera[0]);
}

static bool is_up(void)
{
	return ups > 0;
}

static bool is_down(void)
{
	return downs > 0;
}

static bool all_released(void)
{
	return gate.ring.ctrl->tail == gate.ring.head && gate.ring.head;
}

/* Everything is stored once; the ring is empty; the ledger came. */
static void check_complete(uint32_t frames, uint64_t rejected)
{
	CHECK(all_released());
	CHECK(camera[0].stored == frames && camera[0].rejected == rejected);
	CHECK(fake_cloud_stored(&cloud) == frames);
	CHECK(camera[0].sent >= frames && camera[0].sent <= frames + rejected);
	CHECK(cloud.ledger.delivered == frames + rejected);
}

static void test_plain(void)
{
	start("localhost", 4u << 20);
	cloud.good = is_picture;
	ringmake_stream(&gate, 5, 640, 480);
	for (uint64_t i = 0; i < 100; i++)
		CHECK(!publish(i * 3));
	CHECK(turn_until(all_released, 10));
	CHECK(!relay_camera_finished(&camera[0]));
	fake_cloud_send(&cloud, SLUICE_MSG_PING, 0, "hello", 5);
	ringmake_state(&gate, SLUICE_STATE_ENDED);
	CHECK(turn_until(is_finished, 10));
	check_complete(100, 0);
	CHECK(cloud.links == 1 && cloud.opens == 1 && cloud.closes == 1 && cloud.stats >= 2);
	CHECK(!cloud.duplicates && cloud.pongs == 1);
	stop();
}

/* BYE is the last word, and what was not stored stays in the ring. */
static void test_stop(void)
{
	start("localhost", 1u << 20);
	cloud.store_ms = 100000;
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	CHECK(turn_until(is_up, 10));
	for (int i = 0; i < 100 && !cloud.frames; i++) {
		sluice_io_turn(io, 5);
		look();
	}
	CHECK(cloud.frames == 1 && gate.ring.ctrl->tail == 0);
	relay_uplink_stop(&uplink);
	for (int i = 0; i < 600 && !(cloud.byes && relay_uplink_stopped(&uplink)); i++)
		sluice_io_turn(io, 10);
	CHECK(cloud.byes == 1);
	stop();
}

/* Links that are cut anywhere, also in the middle of a frame or of the greeting; two epochs. */
static void test_cuts(void)
{
	uint64_t sequence = 0;
	uint32_t frames = 0;

	start("localhost", 2u << 20);
	cloud.good = is_picture;
	ringmake_stream(&gate, 1, 640, 480);
	for (int round = 0; round < 60; round++) {
		cloud.cut_after = 1 + random_below(round & 1 ? 60000 : 1500);
		cloud.store_ms = random_below(4);
		for (uint32_t i = random_below(6); i; i--) {
			if (!publish(sequence))
				frames++;
			sequence += 1 + random_below(3);
		}
		if (round == 30) {
			ringmake_stream(&gate, 2, 640, 480);
			sequence = 0;
		}
		for (int i = 0; i < 8; i++) {
			sluice_io_turn(io, 2);
			look();
		}
	}
	cloud.cut_after = 0;
	ringmake_state(&gate, SLUICE_STATE_GONE);
	CHECK(turn_until(is_finished, 20));
	CHECK(frames > 50 && cloud.links > 15);
	check_complete(frames, 0);
	stop();
}

/* Two frames' worth of credit: never more, and all arrives nevertheless. */
static void test_credit(void)
{
	start("localhost", 4u << 20);
	cloud.good = is_picture;
	cloud.window = 45000;
	ringmake_stream(&gate, 5, 640, 480);
	for (uint64_t i = 0; i < 60; i++)
		CHECK(!publish(i));
	ringmake_state(&gate, SLUICE_STATE_ENDED);
	CHECK(turn_until(is_finished, 20));
	check_complete(60, 0);
	stop();
}

/* The cloud is away while the ring fills: the newest is dropped by the gate, the rest arrives. */
static void test_full_ring(void)
{
	uint32_t frames = 0, full = 0;

	cloud.http_status = 503;
	start("localhost", 1u << 20);
	cloud.good = is_picture;
	ringmake_stream(&gate, 5, 640, 480);
	for (uint64_t i = 0; i < 300; i++) {
		if (publish(i))
			full++;
		else
			frames++;
		if (i % 50 == 0)
			sluice_io_turn(io, 2);
	}
	CHECK(full > 50 && frames > 30);
	CHECK(turn_until(is_down, 5) && !permanents);
	CHECK(strstr(last_why, "503"));
	cloud.http_status = 0;
	CHECK(turn_until(all_released, 20));
	CHECK(!publish(1000));
	ringmake_state(&gate, SLUICE_STATE_ENDED);
	CHECK(turn_until(is_finished, 20));
	check_complete(frames + 1, 0);
	stop();
}

/* Rejected by the cloud, larger than the cloud takes, and of a format that is none. */
static void test_rejects(void)
{
	static uint8_t big[60000];

	cloud.payload_max = 50000;
	cloud.reject = 2;
	start("localhost", 4u << 20);
	ringmake_stream(&gate, 5, 640, 480);
	for (uint64_t i = 0; i < 3; i++)
		publish(i);
	ringmake_frame(&gate, 3, big, sizeof(big));
	publish(4);
	gate.format = 0x34363248; /* H264 */
	publish(5);
	gate.format = 0x47504a4d;
	publish(6);
	ringmake_state(&gate, SLUICE_STATE_ENDED);
	CHECK(turn_until(is_finished, 10));
	check_complete(4, 3);
	stop();
}

static void expect_trouble(enum fake_fault fault, int http_status, const char *text, bool permanent)
{
	cloud.fault = fault;
	cloud.http_status = http_status;
	start("localhost", 1u << 20);
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	CHECK(turn_until(is_down, 10));
	CHECK(strstr(last_why, text) && (permanents > 0) == permanent);
	if (!strstr(last_why, text) || (permanents > 0) != permanent)
		fprintf(stderr, "%d: '%s'\n", permanents, last_why);
	CHECK(gate.ring.ctrl->tail == 0);
	/* and when it is repaired all is well */
	cloud.fault = FAKE_GOOD;
	cloud.http_status = 0;
	if (cloud.goaway_code != SLUICE_CODE_REPLACED)
		CHECK(turn_until(all_released, 10));
	stop();
}

static void test_troubles(void)
{
	expect_trouble(FAKE_GOOD, 426, "does not speak sluice/1 (426); update", true);
	expect_trouble(FAKE_GOOD, 403, "does not know this device (403); enrol", true);
	expect_trouble(FAKE_GOOD, 404, "no Sluice cloud there (HTTP status 404)", true);
	expect_trouble(FAKE_GOOD, 200, "no Sluice cloud there", true);
	expect_trouble(FAKE_GOOD, 503, "refused the link (HTTP status 503", false);
	expect_trouble(FAKE_VERSION, 0, "another version of the protocol", true);
	expect_trouble(FAKE_GARBAGE, 0, "a message header is damaged", false);
	expect_trouble(FAKE_OVERSIZED, 0, "a message is longer than allowed", false);
	expect_trouble(FAKE_BAD_CRC, 0, "a message is damaged", false);
	expect_trouble(FAKE_EARLY, 0, "malformed or misplaced ACK", false);
	expect_trouble(FAKE_BAD_ACK, 0, "malformed or misplaced ACK", false);
	expect_trouble(FAKE_CRITICAL, 0, "malformed or misplaced UNKNOWN", false);
	cloud.goaway_code = SLUICE_CODE_VERSION;
	expect_trouble(FAKE_GOAWAY, 0, "ended the link (version): go\033 away; update", true);
	cloud.goaway_code = SLUICE_CODE_REVOKED;
	expect_trouble(FAKE_GOAWAY, 0, "(revoked)", true);
	cloud.goaway_code = SLUICE_CODE_SHUTDOWN;
	expect_trouble(FAKE_GOAWAY, 0, "(shutdown)", false);
	cloud.goaway_code = SLUICE_CODE_REPLACED;
	expect_trouble(FAKE_GOAWAY, 0, "another relay", false);
	cloud.goaway_code = 0;
	cloud.fault = FAKE_UNKNOWN;
	start("localhost", 1u << 20);
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	CHECK(turn_until(all_released, 10) && !downs);
	stop();
}

/* What is no TLS: nothing to wait for at first; damage on the way once the cloud has spoken it. */
static void test_no_tls(void)
{
	for (int linked = 0; linked < 2; linked++) {
		cloud.plain = !linked;
		start("localhost", 1u << 20);
		ringmake_stream(&gate, 5, 640, 480);
		publish(0);
		if (linked) {
			CHECK(turn_until(all_released, 10) && ups == 1);
			cloud.plain = true;
			fake_cloud_cut(&cloud);
			CHECK(turn_until(is_down, 10));
			downs = 0;
		}
		CHECK(turn_until(is_down, 10));
		CHECK(strstr(last_why, linked ? "link damaged" : "no TLS 1.3 there"));
		CHECK((permanents > 0) == !linked);
		cloud.plain = false;
		publish(1);
		CHECK(turn_until(all_released, 10));
		stop();
	}
}

static struct sluice_tls_ctx *make_tls(const char *cert, const char *ca)
{
	struct sluice_tls_config c = { .cert = certs_path(cert, "crt"),
				       .key = certs_path(cert, "key"),
				       .ca = certs_path(ca, "crt") };
	char why[256];
	int err;

	return sluice_tls_ctx_open(&c, &err, why, sizeof(why));
}

static void expect_refusal(const char *host, const char *cert, const char *ca, const char *text)
{
	struct sluice_tls_ctx *good = tls;

	tls = make_tls(cert, ca);
	start(host, 1u << 20);
	CHECK(turn_until(is_down, 10));
	CHECK(strstr(last_why, text));
	if (!strstr(last_why, text))
		fprintf(stderr, "'%s'\n", last_why);
	stop();
	sluice_tls_ctx_close(tls);
	tls = good;
}

static void test_certificates(void)
{
	certs_make(&(struct cert_spec){ "old", "x", "URI:sluice://home/x", "ca", -10, -1 });
	certs_make(&(struct cert_spec){ "alien", "x", "URI:sluice://home/x", "other", -1, 10 });
	expect_refusal("localhost", "device", "other", "is not of our certificate authority");
	expect_refusal("127.0.0.2", "device", "ca", "is for another host name");
	expect_refusal("localhost", "old", "ca", "our certificate has expired; enrol");
	expect_refusal("localhost", "alien", "ca", "does not accept our certificate; enrol");
	expect_refusal("nosuchhost.invalid", "device", "ca", "cloud not reachable: cannot look up");
	snprintf(cloud.port, sizeof(cloud.port), "1");
	expect_refusal("localhost", "device", "ca", "cloud not reachable: cannot connect to");
	snprintf(cloud.port, sizeof(cloud.port), "%u", sluice_io_listener_port(cloud.listener));
}

static void turn_for(uint32_t ms)
{
	uint64_t limit = sluice_io_now(io) + ms * 1000000ull;

	while (sluice_io_now(io) < limit) {
		sluice_io_turn(io, 5);
		look();
	}
}

/*
 * A link on which nothing comes any more, though it is not closed: it is given up after stale_ms
 * (25 s; here less), not before, and what was not stored goes on the next one.
 */
static void test_half_open(void)
{
	heartbeat_ms = 60;
	stale_ms = 400;
	start("localhost", 1u << 20);
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	CHECK(turn_until(all_released, 10));
	turn_for(1200); /* idle, and answered */
	CHECK(!downs && cloud.links == 1);
	cloud.mute = true;
	cloud.store_ms = 100000;
	publish(1);
	CHECK(turn_until(is_down, 10));
	CHECK(sluice_io_now(io) - cloud.sent_ns >= stale_ms * 1000000ull);
	CHECK(strstr(last_why, "link lost") && !all_released());
	cloud.mute = false;
	cloud.store_ms = 2;
	CHECK(turn_until(all_released, 10));
	heartbeat_ms = stale_ms = 0;
	stop();
}

/* GOAWAY with RETRY_MS: nobody is seen before that. */
static void test_goaway(void)
{
	unsigned int links;
	uint64_t from;

	cloud.fault = FAKE_GOAWAY;
	cloud.goaway_code = SLUICE_CODE_SHUTDOWN;
	cloud.goaway_retry_ms = 700;
	start("localhost", 1u << 20);
	CHECK(turn_until(is_down, 10));
	from = sluice_io_now(io);
	links = cloud.links;
	cloud.fault = FAKE_GOOD;
	cloud.goaway_code = 0;
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	while (cloud.links == links && sluice_io_now(io) - from < 10000000000ull)
		turn_for(5);
	CHECK(cloud.links == links + 1 && sluice_io_now(io) - from >= 690000000ull);
	CHECK(turn_until(all_released, 10));
	stop();
}

/* A summary on the same link, while frames flow. */
static void test_summary(void)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	static const char json[] = "{\"id\":\"0123456789abcdef0123456789abcdef\","
				   "\"camera\":\"front\",\"start\":\"2026-03-04T05:06:07.000Z\"}";
	uint8_t buf[1024];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct stat st;

	start("localhost", 1u << 20);
	ringmake_stream(&gate, 5, 640, 480);
	publish(0);
	CHECK(turn_until(all_released, 10));
	sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, strlen(json));
	fake_cloud_send(&cloud, SLUICE_MSG_SUMMARY, 1, buf, w.used);
	for (int i = 0; i < 200 && !cloud.acks_status0; i++)
		sluice_io_turn(io, 10);
	CHECK(cloud.acks_status0 == 1);
	CHECK(!stat(certs_path("state/summaries/front/2026-03-04/"
			       "0123456789abcdef0123456789abcdef/summary",
			       "json"),
		    &st) &&
	      st.st_size == (off_t)strlen(json));
	stop();
}

int main(int argc, char **argv)
{
	char state[160], why[256];
	int err;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	sluice_log_setup("test_uplink", SLUICE_LOG_ERROR, false);
	io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	certs_make_usual();
	fake_cloud_open(&cloud, io);
	tls = make_tls("device", "ca");
	encoder = relay_encoder_open(80, SLUICE_WIRE_PAYLOAD_MAX);
	snprintf(state, sizeof(state), "%s", certs_path("state", "x"));
	state[strlen(state) - 2] = 0;
	downlink = open_downlink(state, &err);
	CHECK(tls && encoder && downlink);
	test_plain();
	test_stop();
	test_cuts();
	test_credit();
	test_full_ring();
	test_rejects();
	test_troubles();
	test_no_tls();
	test_half_open();
	test_goaway();
	test_certificates();
	test_summary();
	fake_cloud_close(&cloud);
	relay_downlink_close(downlink);
	sluice_io_close(io);
	relay_encoder_close(encoder);
	sluice_tls_ctx_close(tls);
	certs_remove();
	return check_result();
}
