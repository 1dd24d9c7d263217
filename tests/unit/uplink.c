// SPDX-License-Identifier: MIT
/* uplink.c - the device's end for tests. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "tests/unit/uplink.h"

int uplink_dial(struct uplink *u, const struct cloud *c, const char *who)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
	char path[160];

	memset(u, 0, sizeof(*u));
	sluice_wire_decoder_init(&u->decoder, 0);
	u->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(u->ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(u->ctx, SSL_VERIFY_PEER, NULL);
	snprintf(path, sizeof(path), "%s/ca.crt", c->data);
	SSL_CTX_load_verify_file(u->ctx, path);
	if (who) {
		snprintf(path, sizeof(path), "%s/%s.crt", c->dir, who);
		SSL_CTX_use_certificate_file(u->ctx, path, SSL_FILETYPE_PEM);
		snprintf(path, sizeof(path), "%s/%s.key", c->dir, who);
		SSL_CTX_use_PrivateKey_file(u->ctx, path, SSL_FILETYPE_PEM);
	}
	inet_pton(AF_INET, "127.0.0.1", &addr.sin_addr);
	u->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	u->ssl = SSL_new(u->ctx);
	SSL_set1_host(u->ssl, "localhost");
	if (connect(u->fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    SSL_set_fd(u->ssl, u->fd) != 1 || SSL_connect(u->ssl) != 1)
		return -1;
	return 0;
}

void uplink_close(struct uplink *u)
{
	SSL_free(u->ssl);
	SSL_CTX_free(u->ctx);
	if (u->fd > 0)
		close(u->fd);
	sluice_wire_decoder_exit(&u->decoder);
	memset(u, 0, sizeof(*u));
}

void uplink_raw(struct uplink *u, const void *data, size_t size)
{
	if (size)
		SSL_write(u->ssl, data, (int)size); /* it may be closed: the test will see */
}

/* 1 if something can be read within the time. */
static int wait_input(struct uplink *u, int ms)
{
	struct pollfd p = { .fd = u->fd, .events = POLLIN };

	return SSL_pending(u->ssl) || poll(&p, 1, ms) > 0;
}

int uplink_http(struct uplink *u, const char *request, char *answer, int room)
{
	int n, have = 0;

	uplink_raw(u, request, strlen(request));
	while (have < room - 1 && wait_input(u, 3000)) {
		n = SSL_read(u->ssl, answer + have, room - 1 - have);
		if (n <= 0)
			break;
		have += n;
	}
	answer[have] = 0;
	return have;
}

int uplink_upgrade(struct uplink *u)
{
	static const char request[] = "GET /v1/uplink HTTP/1.1\r\nHost: localhost\r\n"
				      "Upgrade: sluice/1\r\nConnection: Upgrade\r\n\r\n";
	char head[1024];
	int have = 0, status = 0;

	uplink_raw(u, request, strlen(request));
	while (have < (int)sizeof(head) - 1 && wait_input(u, 3000) &&
	       SSL_read(u->ssl, head + have, 1) == 1) {
		head[++have] = 0;
		if (have > 3 && !strcmp(head + have - 4, "\r\n\r\n"))
			break;
	}
	if (have > 12)
		status = (int)strtol(head + 9, NULL, 10);
	return status;
}

int uplink_open(struct uplink *u, const struct cloud *c, const char *who)
{
	if (uplink_dial(u, c, who) || uplink_upgrade(u) != 101)
		return -1;
	uplink_hello(u);
	if (!uplink_expect(u, SLUICE_MSG_WELCOME, 5))
		return -1;
	return 0;
}

void uplink_send(struct uplink *u, uint8_t type, uint16_t flags, uint32_t slot, uint64_t sequence,
		 const void *payload, size_t size)
{
	struct sluice_wire_message m = { .type = type,
					 .flags = flags,
					 .slot = slot,
					 .length = (uint32_t)size,
					 .sequence = sequence };
	struct sluice_wire_header h;

	sluice_wire_header_put(&h, &m, sluice_crc32c(0, payload, size));
	uplink_raw(u, &h, sizeof(h));
	uplink_raw(u, payload, size);
}

static void put_clock(struct sluice_wire_writer *w)
{
	struct sluice_wire_clock clock = { 1000000000, 1700000001000000000ull, 1000 };

	sluice_wire_put_clock(w, &clock);
}

static void send_fields(struct uplink *u, uint8_t type, uint32_t slot,
			const struct sluice_wire_writer *w)
{
	uplink_send(u, type, 0, slot, 0, w->buf, w->used);
}

static void send_hello(struct uplink *u, const struct sluice_wire_partial *p, unsigned int count)
{
	_Alignas(8) uint8_t buf[256 + 2 * SLUICE_WIRE_PARTIALS * 56];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, "boot");
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, "test");
	put_clock(&w);
	for (unsigned int i = 0; i < count; i++)
		sluice_wire_put_partial(&w, &p[i]);
	send_fields(u, SLUICE_MSG_HELLO, 0, &w);
}

void uplink_hello(struct uplink *u)
{
	send_hello(u, NULL, 0);
}

int uplink_open_partial(struct uplink *u, const struct cloud *c, const char *who,
			const struct sluice_wire_partial *p, unsigned int count)
{
	if (uplink_dial(u, c, who) || uplink_upgrade(u) != 101)
		return -1;
	send_hello(u, p, count);
	return uplink_expect(u, SLUICE_MSG_WELCOME, 5) ? 0 : -1;
}

void uplink_camera(struct uplink *u, uint32_t slot, const char *name, uint64_t epoch)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_NAME, name);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_size(&w, 64, 48);
	sluice_wire_put_u32(&w, SLUICE_TAG_FORMAT, 0x56595559);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, 1000000000);
	put_clock(&w);
	send_fields(u, SLUICE_MSG_OPEN, slot, &w);
}

/* Headers of a baseline gray JPEG, then bytes that follow from the numbers; nothing decodes it. */
void uplink_picture(uint8_t *out, size_t size, uint64_t epoch, uint64_t sequence, int width,
		    int height)
{
	const uint8_t head[] = { 0xff,
				 0xd8,
				 0xff,
				 0xc0,
				 0,
				 11,
				 8,
				 (uint8_t)(height >> 8),
				 (uint8_t)height,
				 (uint8_t)(width >> 8),
				 (uint8_t)width,
				 1,
				 1,
				 0x11,
				 0,
				 0xff,
				 0xda,
				 0,
				 8,
				 1,
				 1,
				 0,
				 0,
				 63,
				 0 };
	uint64_t x = epoch * 1000003 + sequence + 1;
	size_t i;

	memcpy(out, head, sizeof(head));
	for (i = sizeof(head); i < size; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		out[i] = (uint8_t)(x >> 56) & 0x7f;
	}
}

void uplink_frame_wh(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		     size_t size, int width, int height)
{
	struct sluice_wire_frame_info f = {
		.epoch = epoch,
		.time_ns = 1000000000 + sequence * 40000000,
		.format = SLUICE_WIRE_JPEG,
		.reason = (uint16_t)reason,
		.width = 64,
		.height = 48,
		.grid_w = 8,
		.grid_h = 6,
		.cells_size = 6,
	};
	size_t fixed = sizeof(struct sluice_wire_frame), whole = fixed + 8 + size;
	uint8_t *buf = calloc(1, whole);

	sluice_wire_frame_put((struct sluice_wire_frame *)buf, &f);
	memset(buf + fixed, 0x5a, 6);
	uplink_picture(buf + fixed + 8, size, epoch, sequence, width, height);
	uplink_send(u, SLUICE_MSG_FRAME, 0, slot, sequence, buf, whole);
	free(buf);
}

void uplink_frame(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		  size_t size)
{
	uplink_frame_wh(u, slot, epoch, sequence, reason, size, 64, 48);
}

void uplink_stats(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns, int open)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_ledger ledger = { .delivered = 10 };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, now_ns);
	sluice_wire_put_u32(&w, SLUICE_TAG_STATE, open ? SLUICE_STATE_OPEN : 0);
	sluice_wire_put_ledger(&w, &ledger);
	send_fields(u, SLUICE_MSG_STATS, slot, &w);
}

void uplink_end(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_ledger ledger = { .delivered = 10 };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	sluice_wire_put_ledger(&w, &ledger);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, now_ns);
	send_fields(u, SLUICE_MSG_CLOSE, slot, &w);
}

void uplink_ack(struct uplink *u, const char *id)
{
	uplink_ack_status(u, id, 0);
}

void uplink_ack_status(struct uplink *u, const char *id, uint32_t status)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
	sluice_wire_put_u32(&w, SLUICE_TAG_STATUS, status);
	send_fields(u, SLUICE_MSG_SUMMARY_ACK, 0, &w);
}

/* Keeps what tests ask for again and again. */
static void note_message(struct uplink *u)
{
	uint64_t value;

	if (u->m.type == SLUICE_MSG_PART || u->m.type == SLUICE_MSG_PONG)
		return;
	if (sluice_wire_fields_get(&u->f, u->m.payload, u->m.length, 1ull << SLUICE_TAG_MEDIA)) {
		memset(&u->f, 0, sizeof(u->f));
		return;
	}
	if (!sluice_wire_get_u64(&u->f, SLUICE_TAG_CREDIT, &value))
		u->credit = value;
	if (u->m.type == SLUICE_MSG_ACK && u->m.slot == 1 &&
	    !sluice_wire_get_u64(&u->f, SLUICE_TAG_CUMULATIVE, &value))
		u->stored = value + 1;
}

int uplink_next(struct uplink *u, int seconds)
{
	time_t end = time(NULL) + seconds + 1;
	size_t used;
	int n;

	for (;;) {
		if (u->at < u->have) {
			n = sluice_wire_feed(&u->decoder, u->in + u->at, u->have - u->at, &used,
					     &u->m);
			u->at += used;
			if (n < 0)
				return 0;
			if (n > 0) {
				note_message(u);
				return u->m.type;
			}
		}
		if (time(NULL) > end || !wait_input(u, 200)) {
			if (time(NULL) > end)
				return 0;
			continue;
		}
		n = SSL_read(u->ssl, u->in, sizeof(u->in));
		if (n <= 0)
			return 0;
		u->at = 0;
		u->have = (size_t)n;
	}
}

int uplink_expect(struct uplink *u, int type, int seconds)
{
	int got;

	while ((got = uplink_next(u, seconds)))
		if (got == type)
			return 1;
	return 0;
}

int uplink_expect_goaway(struct uplink *u, uint32_t code)
{
	uint32_t told = 0;
	int got;

	while ((got = uplink_next(u, 5)))
		if (got == SLUICE_MSG_GOAWAY)
			sluice_wire_get_u32(&u->f, SLUICE_TAG_CODE, &told);
	if (told != code)
		fprintf(stderr, "GOAWAY %u came, not %u\n", told, code);
	return told == code;
}
