// SPDX-License-Identifier: MIT
/*
 * hostile.c - devices and strangers that mean harm, against a running cloud. usage: hostile [long |
 * streams]
 *
 * After each of them: an honest device, whose link has been open all the time, gets its next frame
 * STORED; the cloud is alive and has not grown beyond a bound; and it said what it should have
 * said: the GOAWAY code, the status, or the counter of the limit in /metrics. Limits are set low,
 * so that a few hundred of everything are many; `long` makes them thousands and waits for the
 * deadlines that are constants (a message that trickles, a link on which nothing comes). `streams`:
 * those alone that mean people's streams.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "lib/crc32c.h"
#include "tests/unit/check.h"
#include "tests/unit/uplink.h"

#define MOTION	  8
#define KEEPALIVE 11
#define RSS_MAX \
	(192ul << 20) /* a bound, no aim: the queue's own bound is 192 MiB, and is not reached */
#define MANY_MAX 12000
#define PINGS	 30000 /* more bytes than the kernel buffers on both sides */

static const struct sluice_actor local = { .who = "local" };
static struct cloud cloud;
static struct uplink honest;
static uint64_t honest_next;
static bool at_length;

static int dial_plain(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)cloud.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Is it closed by the other side within that time? */
static bool is_closed(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[512];

	while (poll(&p, 1, ms) > 0)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return true;
	return false;
}

static unsigned long rss(void)
{
	char path[64], line[128];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)cloud.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmRSS: %lu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib << 10;
}

/* A counter of /metrics, by its name and labels; -1: it is not there. */
static double metric(const char *name)
{
	static char answer[65536];
	char request[256];
	struct uplink u;
	const char *at;
	double value = -1;

	snprintf(request, sizeof(request),
		 "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
		 "Connection: close\r\n\r\n",
		 cloud.admin);
	CHECK(!uplink_dial(&u, &cloud, NULL));
	CHECK(uplink_http(&u, request, answer, sizeof(answer)) > 0);
	uplink_close(&u);
	for (at = answer; (at = strstr(at, name)); at++)
		if (at[-1] == '\n' && at[strlen(name)] == ' ')
			value = strtod(at + strlen(name), NULL);
	return value;
}

static void is_well(const char *after)
{
	int failures = check_failures;

	uplink_frame(&honest, 1, 1, honest_next, KEEPALIVE, 5000);
	while (honest.stored <= honest_next)
		if (!uplink_next(&honest, 10))
			break;
	CHECK(honest.stored == honest_next + 1);
	honest_next++;
	CHECK(rss() > 0 && rss() < RSS_MAX);
	printf("after %-44s %4lu MiB%s\n", after, rss() >> 20,
	       check_failures == failures ? "" : "  NOT WELL");
	fflush(stdout);
}

/* The hostile device's link; its camera is open for epoch. */
static void begin(struct uplink *u, uint64_t epoch)
{
	CHECK(!uplink_open(u, &cloud, "box1"));
	uplink_camera(u, 1, "door", epoch);
	CHECK(uplink_expect(u, SLUICE_MSG_OPENED, 10));
}

static void end(struct uplink *u, uint32_t code, const char *what)
{
	CHECK(uplink_expect_goaway(u, code));
	uplink_close(u);
	is_well(what);
}

/* ---- wrong messages ---- */

static void test_wrong(void)
{
	_Alignas(8) uint8_t frame[256] = { 0 };
	struct uplink u;

	begin(&u, 10);
	uplink_frame(&u, 1, 11, 0, MOTION, 500);
	end(&u, SLUICE_CODE_PROTOCOL, "a frame of another epoch");
	begin(&u, 10);
	uplink_frame(&u, 1, 10, 5, MOTION, 500);
	uplink_frame(&u, 1, 10, 4, MOTION, 500);
	end(&u, SLUICE_CODE_PROTOCOL, "sequences that go backwards");
	begin(&u, 12);
	uplink_frame(&u, 1, 12, UINT64_MAX - 1, MOTION, 500);
	end(&u, SLUICE_CODE_PROTOCOL, "a sequence that cannot be kept");
	begin(&u, 13);
	uplink_frame_wh(&u, 1, 13, 0, MOTION, 500, 65500, 65500);
	CHECK(uplink_expect(&u, SLUICE_MSG_REJECT, 10));
	uplink_frame(&u, 1, 13, 1, MOTION, 500);
	CHECK(uplink_expect(&u, SLUICE_MSG_ACK, 10));
	uplink_close(&u);
	is_well("a JPEG whose header says 65500 x 65500");
	begin(&u, 14);
	memset(frame, 0x5a, sizeof(frame));
	uplink_raw(&u, frame, sizeof(frame));
	end(&u, SLUICE_CODE_VERSION, "bytes that are no message");
}

/* A payload whose CRC is wrong; a message of which only half comes. */
static void test_broken(void)
{
	struct sluice_wire_message m = { .type = SLUICE_MSG_PING, .length = 8 };
	struct sluice_wire_header h;
	struct uplink u;

	begin(&u, 15);
	sluice_wire_header_put(&h, &m, 0x12345678);
	uplink_raw(&u, &h, sizeof(h));
	uplink_raw(&u, "abcdefgh", 8);
	end(&u, SLUICE_CODE_PROTOCOL, "a wrong CRC");
	begin(&u, 16);
	m = (struct sluice_wire_message){ .type = SLUICE_MSG_FRAME, .slot = 1, .length = 4000000 };
	sluice_wire_header_put(&h, &m, 0);
	uplink_raw(&u, &h, sizeof(h));
	uplink_raw(&u, "half", 4);
	if (at_length) /* SLOW_S + 4000000 / 1024 s is too long even so; the link's silence ends it
			*/
		CHECK(uplink_next(&u, 40) == 0 || u.m.type == SLUICE_MSG_PING);
	uplink_close(&u);
	is_well("half a message of 4 MB");
}

/* Times that make no sense are not believed; the frames are stored. */
static void test_time_travel(void)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_clock clock = { 1, UINT64_MAX - 5, 0 };
	struct uplink u;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	sluice_wire_put_text(&w, SLUICE_TAG_NAME, "door");
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, 17);
	sluice_wire_put_size(&w, 64, 48);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, 1);
	sluice_wire_put_clock(&w, &clock);
	uplink_send(&u, SLUICE_MSG_OPEN, 0, 1, 0, buf, w.used);
	CHECK(uplink_expect(&u, SLUICE_MSG_OPENED, 10));
	uplink_frame(&u, 1, 17, 0, MOTION, 500);
	CHECK(uplink_expect(&u, SLUICE_MSG_ACK, 10));
	uplink_close(&u);
	is_well("a clock of the year 2554");
}

/* ---- too much ---- */

static void test_credit(void)
{
	struct uplink u;
	uint64_t i;

	begin(&u, 20);
	CHECK(u.credit == 1u << 20);
	for (i = 0; i < 3; i++) /* the second is too much, however quickly the first is stored */
		uplink_frame(&u, 1, 20, i, KEEPALIVE, 600000);
	end(&u, SLUICE_CODE_LIMIT, "more bytes than credit");
}

/* Faster than [limits] allow: it is held, and then goes on. */
static void test_flood(void)
{
	double held = metric("sluice_cloud_held_total{reason=\"rate\"}");
	struct uplink u;
	uint64_t i;

	begin(&u, 21);
	for (i = 0; i < 300; i++)
		uplink_frame(&u, 1, 21, i, KEEPALIVE, 300);
	while (u.stored < 300)
		if (!uplink_next(&u, 10))
			break;
	CHECK(u.stored == 300);
	uplink_close(&u);
	CHECK(metric("sluice_cloud_held_total{reason=\"rate\"}") > held);
	is_well("frames faster than the limit");
}

static void set_timeout(int fd, int seconds)
{
	const struct timeval t = { seconds, 0 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* PINGs whose answers nobody reads. The cloud gives up when its queue is full, or holds the device
 * so that it never fills; either way the sender gets stuck or cut, and the others do not. */
static void test_never_reads(void)
{
	static const uint8_t payload[1024];
	struct uplink u;
	int size = 4096, i;

	begin(&u, 22);
	setsockopt(u.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	set_timeout(u.fd, 1);
	for (i = 0; i < PINGS; i++) {
		struct sluice_wire_message m = { .type = SLUICE_MSG_PING, .length = 1024 };
		struct sluice_wire_header h;

		sluice_wire_header_put(&h, &m, sluice_crc32c(0, payload, sizeof(payload)));
		if (SSL_write(u.ssl, &h, sizeof(h)) <= 0 ||
		    SSL_write(u.ssl, payload, sizeof(payload)) <= 0)
			break;
	}
	CHECK(i < PINGS);
	uplink_close(&u);
	is_well("PINGs without end, answers not read");
}

static void test_opens(void)
{
	struct uplink u;
	char name[32];
	int i;

	CHECK(!uplink_open(&u, &cloud, "box1"));
	for (i = 1; i <= 16; i++) {
		snprintf(name, sizeof(name), "cam%d", i);
		uplink_camera(&u, (uint32_t)i, name, 1);
	}
	end(&u, SLUICE_CODE_LIMIT, "more cameras than may be open");
	CHECK(!uplink_open(&u, &cloud, "box1"));
	for (i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		uplink_camera(&u, 1, name, 1);
	}
	end(&u, SLUICE_CODE_LIMIT, "names of cameras without end");
}

/* ---- connections ---- */

static int many[MANY_MAX];

static void test_half_open(int count)
{
	double refused = metric("sluice_cloud_refused_total{reason=\"half_open\"}");
	struct uplink u;
	int i, open = 0;

	for (i = 0; i < count; i++) {
		many[i] = dial_plain();
		open += many[i] >= 0;
	}
	CHECK(open == count);
	CHECK(!uplink_dial(&u, &cloud, "box1") && uplink_upgrade(&u) == 101);
	uplink_close(&u);
	CHECK(metric("sluice_cloud_refused_total{reason=\"half_open\"}") > refused);
	is_well("connections that say nothing");
	/* all go by themselves: the oldest for newer ones, the rest at the deadline */
	for (i = 0; i < count; i++) {
		CHECK(is_closed(many[i], 6000));
		close(many[i]);
	}
}

/* One byte at a time: of a handshake, and of a request. The deadline is of the whole. */
static void test_slow_loris(void)
{
	static const uint8_t hello[] = { 22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
	static const char head[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ";
	double late = metric("sluice_cloud_requests_late_total");
	time_t begun = time(NULL);
	struct uplink u;
	int i, fd[40];
	size_t at;

	for (i = 0; i < 40; i++)
		fd[i] = dial_plain();
	for (at = 0; at < sizeof(hello); at++) {
		for (i = 0; i < 40; i++)
			(void)!send(fd[i], hello + at, 1, MSG_NOSIGNAL);
		usleep(100000);
	}
	for (i = 0; i < 40; i++) {
		CHECK(is_closed(fd[i], 6000));
		close(fd[i]);
	}
	is_well("handshakes that trickle");
	CHECK(!uplink_dial(&u, &cloud, NULL));
	begun = time(NULL);
	for (at = 0; time(NULL) < begun + 8; at++) {
		uplink_raw(&u, at < sizeof(head) - 1 ? head + at : "x", 1);
		if (is_closed(u.fd, 100))
			break;
	}
	CHECK(time(NULL) < begun + 8);
	uplink_close(&u);
	CHECK(metric("sluice_cloud_requests_late_total") > late);
	is_well("a request that trickles");
}

/* Links that never say HELLO, and more of them than a device may have. */
static void test_links(void)
{
	struct uplink u[4];
	int i, status[4];

	for (i = 0; i < 4; i++) {
		CHECK(!uplink_dial(&u[i], &cloud, "box1"));
		status[i] = uplink_upgrade(&u[i]);
	}
	CHECK(status[0] == 101 && status[1] == 101 && status[2] == 101 && status[3] == 429);
	CHECK(uplink_expect_goaway(&u[0], SLUICE_CODE_PROTOCOL));
	for (i = 0; i < 4; i++)
		uplink_close(&u[i]);
	is_well("links without HELLO");
}

/* Revoked while it is connected, whatever loop it is in. */
static void test_revoked(void)
{
	struct sluice_auth *auth = NULL;
	struct uplink u[2];
	char path[160], name[2][8] = { "bad1", "bad2" };
	int i;

	for (i = 0; i < 2; i++) {
		cloud_enrol(&cloud, name[i]);
		CHECK(!uplink_open(&u[i], &cloud, name[i]));
	}
	snprintf(path, sizeof(path), "%s/auth.db", cloud.data);
	CHECK(!sluice_auth_open(path, &auth));
	for (i = 0; i < 2; i++)
		CHECK(!sluice_auth_revoke(auth, &local, SLUICE_TENANT, name[i]));
	sluice_auth_close(auth);
	for (i = 0; i < 2; i++) {
		CHECK(uplink_expect_goaway(&u[i], SLUICE_CODE_REVOKED));
		uplink_close(&u[i]);
		CHECK(!uplink_dial(&u[i], &cloud, name[i]) && uplink_upgrade(&u[i]) == 403);
		uplink_close(&u[i]);
	}
	is_well("two devices that were revoked");
}

/* A certificate in a field is nobody's word here. */
static void test_forwarded(void)
{
	struct uplink u;
	char answer[2048];

	CHECK(!uplink_dial(&u, &cloud, NULL));
	uplink_http(&u,
		    "GET /v1/uplink HTTP/1.1\r\nHost: localhost\r\nUpgrade: sluice/1\r\n"
		    "Connection: Upgrade\r\nX-Sluice-Client-Cert: AAAA\r\n\r\n",
		    answer, sizeof(answer));
	CHECK(!strncmp(answer, "HTTP/1.1 400 ", 13));
	uplink_close(&u);
	is_well("a forwarded certificate from no proxy");
}

static void set(const char *key, const char *value)
{
	int i = 0;

	while (i < CLOUD_SET && cloud.set[i].key && strcmp(cloud.set[i].key, key))
		i++;
	CHECK(i < CLOUD_SET);
	if (i == CLOUD_SET)
		return;
	cloud.set[i].section = "limits";
	cloud.set[i].key = key;
	cloud.set[i].value = value;
}

/* ---- readers of the stream ---- */

#define SLOW_READERS 7 /* with the good one as many as a user may have */
#define LOT	     128
#define LOTS	     24		  /* more than the ring and the kernel hold */
#define REASON	     3800	  /* bytes of each thing */
#define GROWTH_MAX   (24ul << 20) /* the ring and what is on its way; unbounded it were 80 MiB */

struct watcher {
	struct uplink u;
	char buf[16384];
	size_t fill;
	unsigned long things; /* "settings" */
	uint64_t last;
	bool in_order, gone;
};

/* Until the stream is open: what is told from then on comes. */
static void watch(struct watcher *w)
{
	int n = 1;

	char request[300];

	memset(w, 0, sizeof(*w));
	w->in_order = true;
	CHECK(!uplink_dial(&w->u, &cloud, NULL));
	setsockopt(w->u.fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 30 },
		   sizeof(struct timeval));
	snprintf(request, sizeof(request),
		 "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
		 cloud.admin);
	uplink_raw(&w->u, request, strlen(request));
	while (n > 0 && w->fill < 4096 && !strstr(w->buf, "retry:")) {
		n = SSL_read(w->u.ssl, w->buf + w->fill, 1024);
		w->fill += n > 0 ? (size_t)n : 0;
	}
	CHECK(strstr(w->buf, "retry:") != NULL);
}

/* Counts the things that are whole in what has come. */
static void take_things(struct watcher *w)
{
	char *at = w->buf, *end;

	w->buf[w->fill] = 0;
	for (; (end = strstr(at, "\n\n")); at = end + 2) {
		unsigned long long id;

		*end = 0;
		if (sscanf(at, "id: %llu", &id) != 1)
			continue;
		w->in_order &= id > w->last && !strstr(at, "event: gap");
		w->last = id;
		w->things += strstr(at, "event: settings") != NULL;
	}
	w->fill -= (size_t)(at - w->buf);
	memmove(w->buf, at, w->fill);
}

/* Reads until it has had so many things, or it is let go. */
static void watch_until(struct watcher *w, unsigned long things)
{
	while (w->things < things && !w->gone) {
		size_t room = sizeof(w->buf) - 1 - w->fill;
		int n = SSL_read(w->u.ssl, w->buf + w->fill, (int)room);

		w->gone = n <= 0;
		w->fill += n > 0 ? (size_t)n : 0;
		take_things(w);
	}
}

/* Settings that the device says it was asked for: those who watch are told each time. */
static void refuse(struct uplink *u)
{
	_Alignas(8) uint8_t buf[REASON + 256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	char json[REASON + 128];

	snprintf(json, sizeof(json), "{\"request\":\"0\",\"applied\":false,\"reason\":\"%0*d\"}",
		 REASON, 0);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, (uint32_t)strlen(json));
	uplink_send(u, SLUICE_MSG_CONFIG_RESULT, 0, 1, 0, buf, w.used);
}

/* Readers that do not read, with a lot going on: nobody waits for them, they cost no more than what
 * a connection may hold, and are let go when they come back. */
static void test_slow_readers(void)
{
	static struct watcher good, slow[SLOW_READERS];
	unsigned long before;
	struct uplink u;
	int lot, i;

	set("frames", "1000000"); /* and other messages, a second */
	cloud_start(&cloud);
	begin(&u, 23);
	watch(&good);
	for (i = 0; i < SLOW_READERS; i++)
		watch(&slow[i]);
	before = rss();
	for (lot = 1; lot <= LOTS && !good.gone; lot++) {
		for (i = 0; i < LOT; i++)
			refuse(&u);
		watch_until(&good, (unsigned long)lot * LOT);
	}
	CHECK(!good.gone && good.in_order);
	CHECK(rss() < before + GROWTH_MAX);
	printf("after %-44s %4ld KiB more\n", "readers of the stream that do not read",
	       ((long)rss() - (long)before) / 1024);
	for (i = 0; i < SLOW_READERS; i++) {
		watch_until(&slow[i], ULONG_MAX);
		CHECK(slow[i].gone && slow[i].in_order && slow[i].things < LOT * LOTS);
		uplink_close(&slow[i].u);
	}
	CHECK(metric("sluice_cloud_streams_let_go_total") == SLOW_READERS);
	uplink_close(&good.u);
	uplink_close(&u);
	CHECK(!cloud_stop(&cloud));
}

/* A stream on which nothing happens lives longer than an idle connection may: three ticks of it,
 * each half of that time. */
static void test_ticks(void)
{
	static struct watcher w;
	char c, before = 0;
	int ticks = 0;

	set("idle", "1s");
	cloud_start(&cloud);
	watch(&w);
	while (ticks < 3 && SSL_read(w.u.ssl, &c, 1) > 0) {
		ticks += c == ':' && before == '\n'; /* a comment */
		before = c;
	}
	CHECK(ticks == 3);
	uplink_close(&w.u);
	CHECK(!cloud_stop(&cloud));
}

/* An address that comes too often, on a cloud of its own with lower limits. */
static void test_rate(void)
{
	int i, fd, open = 0;

	set("burst", "20");
	set("rate", "1");
	cloud_start(&cloud);
	for (i = 0; i < 60; i++) {
		fd = dial_plain();
		open += !is_closed(fd, 20);
		close(fd);
	}
	CHECK(open >= 10 && open <= 30);
	usleep(1500000);
	CHECK(metric("sluice_cloud_refused_total{reason=\"rate\"}") >= 20);
	CHECK(!cloud_stop(&cloud));
	printf("after %-44s %d of 60 came in\n", "an address that comes too often", open);
}

int main(int argc, char **argv)
{
	struct rlimit r;

	at_length = argc > 1 && !strcmp(argv[1], "long");
	signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	cloud_init(&cloud);
	if (argc > 1 && !strcmp(argv[1], "streams")) {
		test_slow_readers();
		test_ticks();
		cloud_exit(&cloud);
		return check_result();
	}
	cloud_enrol(&cloud, "honest");
	set("handshake", "2s");
	set("request", "2s");
	set("half_open", "100");
	set("connections_per_address", "11000");
	set("connections_per_device", "3");
	set("frames", "60");
	set("cameras", "8");
	set("burst", "20000");
	set("credit", "1M");
	cloud_start(&cloud);
	CHECK(!uplink_open(&honest, &cloud, "honest"));
	uplink_camera(&honest, 1, "door", 1);
	CHECK(uplink_expect(&honest, SLUICE_MSG_OPENED, 10));
	is_well("nothing yet");

	test_wrong();
	test_broken();
	test_time_travel();
	test_credit();
	test_flood();
	test_never_reads();
	test_opens();
	test_half_open(at_length ? 10000 : 300);
	test_slow_loris();
	test_links();
	test_revoked();
	test_forwarded();
	uplink_close(&honest);
	CHECK(!cloud_stop(&cloud));
	test_rate();
	cloud_exit(&cloud);
	return check_result();
}
