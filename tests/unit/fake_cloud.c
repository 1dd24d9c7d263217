// SPDX-License-Identifier: MIT
#include "fake_cloud.h"
#include "certs.h"
#include "lib/crc32c.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void blame(struct fake_cloud *f, const char *format,
							...)
{
	va_list ap;

	f->wrong++;
	va_start(ap, format);
	vsnprintf(f->what, sizeof(f->what), format, ap);
	va_end(ap);
}

static void send_raw(struct fake_cloud *f, const struct sluice_wire_message *m, const void *payload,
		     uint32_t crc, uint8_t version)
{
	struct sluice_wire_header h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)payload, payload ? m->length : 0 } };

	if (!f->conn || f->ending)
		return;
	sluice_wire_header_put(&h, m, crc);
	h.version = version;
	h.header_crc = sluice_crc32c(0, &h, 28);
	f->sent_ns = sluice_io_now(f->io);
	sluice_conn_send(f->conn, iov, 2);
}

void fake_cloud_send(struct fake_cloud *f, uint8_t type, uint32_t slot, const void *payload,
		     size_t size)
{
	struct sluice_wire_message m = { .type = type, .slot = slot, .length = (uint32_t)size };

	send_raw(f, &m, payload, sluice_crc32c(0, payload, size), SLUICE_WIRE_VERSION);
}

void fake_cloud_cut(struct fake_cloud *f)
{
	if (!f->conn || f->ending)
		return;
	f->ending = true;
	sluice_conn_abort(f->conn, "cut");
}

static struct fake_epoch *find_epoch(struct fake_cloud *f, uint64_t epoch)
{
	for (unsigned int i = 0; i < f->epochs; i++)
		if (f->epoch[i].epoch == epoch)
			return &f->epoch[i];
	if (f->epochs == FAKE_EPOCHS)
		return NULL;
	f->epoch[f->epochs].epoch = epoch;
	return &f->epoch[f->epochs++];
}

uint32_t fake_cloud_stored(const struct fake_cloud *f)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < f->epochs; i++)
		n += f->epoch[i].stored;
	return n;
}

static void send_u64s(struct fake_cloud *f, uint8_t type, uint64_t epoch, uint16_t tag,
		      uint64_t value, uint32_t stage)
{
	uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, epoch);
	if (stage)
		sluice_wire_put_u32(&w, SLUICE_TAG_STAGE, stage);
	if (tag)
		sluice_wire_put_u64(&w, tag, value);
	fake_cloud_send(f, type, 1, buf, w.used);
}

/* The disk has what came so far. */
static void on_store(void *arg)
{
	struct fake_cloud *f = arg;

	for (unsigned int i = 0; i < f->epochs; i++) {
		struct fake_epoch *e = &f->epoch[i];

		if (e->waiting_count) {
			e->stored += e->waiting_count;
			e->durable = e->waiting[e->waiting_count - 1] + 1;
			e->waiting_count = 0;
			send_u64s(f, SLUICE_MSG_ACK, e->epoch, SLUICE_TAG_CUMULATIVE,
				  e->durable - 1, SLUICE_STAGE_STORED);
		}
		if (e->closed && !f->no_done) {
			e->closed = false;
			send_u64s(f, SLUICE_MSG_DONE, e->epoch, 0, 0, 0);
		}
	}
	f->released = f->received;
	if (f->granted < f->released + f->window) {
		uint8_t buf[32];
		struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

		f->granted = f->released + f->window;
		sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, f->granted);
		fake_cloud_send(f, SLUICE_MSG_CREDIT, 0, buf, w.used);
	}
}

static void store_soon(struct fake_cloud *f)
{
	if (!f->store.set)
		sluice_io_timer_in(f->io, &f->store, f->store_ms, on_store, f);
}

static void take_frame(struct fake_cloud *f, const struct sluice_wire_message *m)
{
	struct sluice_wire_frame_info info;
	struct fake_epoch *e = find_epoch(f, f->open_epoch);

	f->frames++;
	f->received += m->length;
	if (f->received > f->granted)
		blame(f, "more bytes than credit");
	if (!f->opened || !e || sluice_wire_frame_get(m->payload, m->length, &info) ||
	    info.epoch != f->open_epoch) {
		blame(f, "FRAME malformed or out of place");
		return;
	}
	if (f->last_sequence != UINT64_MAX && m->sequence <= f->last_sequence)
		blame(f, "FRAME %llu after %llu", (unsigned long long)m->sequence,
		      (unsigned long long)f->last_sequence);
	f->last_sequence = m->sequence;
	if (info.cells_size != 3 || info.cells[0] != 0x5a)
		blame(f, "cells are missing");
	if (f->good && !f->good(info.epoch, m->sequence, info.picture, info.picture_size))
		blame(f, "FRAME %llu has other bytes", (unsigned long long)m->sequence);
	if (m->sequence == f->reject) {
		uint8_t buf[128];
		struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

		sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, info.epoch);
		sluice_wire_put_u64(&w, SLUICE_TAG_SEQUENCE, m->sequence);
		sluice_wire_put_u32(&w, SLUICE_TAG_CODE, SLUICE_CODE_BAD_FRAME);
		sluice_wire_put_text(&w, SLUICE_TAG_TEXT, "not liked");
		fake_cloud_send(f, SLUICE_MSG_REJECT, 1, buf, w.used);
	} else if (m->sequence < e->durable) {
		f->duplicates++;
	} else if (e->waiting_count < FAKE_FRAMES) {
		e->waiting[e->waiting_count++] = m->sequence;
	}
	store_soon(f);
}

static void take_hello(struct fake_cloud *f)
{
	uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_message m = { .type = SLUICE_MSG_WELCOME };

	f->hellos++;
	f->greeted = true;
	f->granted = f->window;
	sluice_wire_put_u64(&w, SLUICE_TAG_SESSION, f->links);
	sluice_wire_put_text(&w, SLUICE_TAG_NODE, "fake");
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, f->granted);
	sluice_wire_put_u32(&w, SLUICE_TAG_PAYLOAD_MAX, f->payload_max);
	sluice_wire_put_u32(&w, SLUICE_TAG_HEARTBEAT_MS, SLUICE_WIRE_HEARTBEAT_MS);
	m.length = (uint32_t)w.used;
	if (f->fault == FAKE_EARLY) {
		send_u64s(f, SLUICE_MSG_ACK, 1, SLUICE_TAG_CUMULATIVE, 1, SLUICE_STAGE_STORED);
		return;
	}
	send_raw(f, &m, buf, sluice_crc32c(0, buf, w.used), f->fault == FAKE_VERSION ? 2 : 1);
}

static void misbehave(struct fake_cloud *f)
{
	uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_message m = { .type = SLUICE_MSG_PING, .length = 16 };
	struct iovec iov = { buf, sizeof(buf) };

	memset(buf, 0, sizeof(buf));
	switch (f->fault) {
	case FAKE_GARBAGE:
		memset(buf, 1, sizeof(buf));
		sluice_conn_send(f->conn, &iov, 1);
		break;
	case FAKE_OVERSIZED:
		m.length = 1u << 30;
		send_raw(f, &m, NULL, 0, 1);
		break;
	case FAKE_BAD_CRC:
		send_raw(f, &m, buf, 1, 1);
		break;
	case FAKE_GOAWAY:
		sluice_wire_put_u32(&w, SLUICE_TAG_CODE, f->goaway_code);
		sluice_wire_put_text(&w, SLUICE_TAG_TEXT, "go\033 away");
		sluice_wire_put_u32(&w, SLUICE_TAG_RETRY_MS, f->goaway_retry_ms);
		fake_cloud_send(f, SLUICE_MSG_GOAWAY, 0, buf, w.used);
		break;
	case FAKE_CRITICAL:
	case FAKE_UNKNOWN:
		m.type = 99;
		m.flags = f->fault == FAKE_CRITICAL ? SLUICE_WIRE_CRITICAL : 0;
		send_raw(f, &m, buf, sluice_crc32c(0, buf, 16), 1);
		break;
	default:
		break;
	}
}

static void take_open(struct fake_cloud *f, const struct sluice_wire_fields *fields)
{
	struct fake_epoch *e;
	char name[32] = "";
	uint32_t width, height;
	uint64_t first;

	f->opens++;
	if (sluice_wire_get_text(fields, SLUICE_TAG_NAME, name, sizeof(name)) ||
	    sluice_wire_get_u64(fields, SLUICE_TAG_EPOCH, &f->open_epoch) ||
	    sluice_wire_get_size(fields, &width, &height) || !width || !height ||
	    sluice_wire_get_u64(fields, SLUICE_TAG_FIRST_NS, &first) || !first)
		blame(f, "OPEN misses a field");
	e = find_epoch(f, f->open_epoch);
	if (!e) {
		blame(f, "too many epochs");
		return;
	}
	f->opened = true;
	f->last_sequence = UINT64_MAX;
	send_u64s(f, SLUICE_MSG_OPENED, f->open_epoch, SLUICE_TAG_RESUME, e->durable, 0);
	if (f->fault == FAKE_BAD_ACK)
		send_u64s(f, SLUICE_MSG_ACK, f->open_epoch, SLUICE_TAG_CUMULATIVE, 1000000,
			  SLUICE_STAGE_STORED);
}

static void take_control(struct fake_cloud *f, const struct sluice_wire_message *m)
{
	struct sluice_wire_fields fields;
	uint64_t epoch = 0, now_ns;
	uint32_t status = 1;

	if (sluice_wire_fields_get(&fields, m->payload, m->length, 0)) {
		blame(f, "malformed fields");
		return;
	}
	switch (m->type) {
	case SLUICE_MSG_HELLO:
		if (f->greeted)
			blame(f, "a second HELLO");
		take_hello(f);
		misbehave(f);
		break;
	case SLUICE_MSG_OPEN:
		take_open(f, &fields);
		break;
	case SLUICE_MSG_STATS:
	case SLUICE_MSG_CLOSE:
		if (sluice_wire_get_u64(&fields, SLUICE_TAG_EPOCH, &epoch) ||
		    epoch != f->open_epoch || !f->opened ||
		    sluice_wire_get_u64(&fields, SLUICE_TAG_NOW_NS, &now_ns) ||
		    sluice_wire_get_ledger(&fields, &f->ledger))
			blame(f, "STATS or CLOSE malformed or out of place");
		if (m->type == SLUICE_MSG_STATS) {
			f->stats++;
			break;
		}
		f->closes++;
		f->opened = false;
		find_epoch(f, epoch)->closed = true;
		store_soon(f);
		break;
	case SLUICE_MSG_SUMMARY_ACK:
		if (!sluice_wire_get_u32(&fields, SLUICE_TAG_STATUS, &status) && !status)
			f->acks_status0++;
		break;
	case SLUICE_MSG_BYE:
		f->byes++;
		break;
	default:
		blame(f, "unexpected %s", sluice_wire_type_name(m->type));
	}
}

static void take_request(struct fake_cloud *f, const uint8_t **data, size_t *size)
{
	char head[256];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov = { .iov_base = head };
	int status = f->http_status ? f->http_status : 101;
	size_t used;
	int step = sluice_http_feed(&f->http, *data, *size, &used);

	*data += used;
	*size -= used;
	if (step < 0)
		blame(f, "bad request: %s", f->http.why);
	if (step != SLUICE_HTTP_STARTED)
		return;
	if (strcmp(f->http.target, SLUICE_WIRE_PATH) || !f->http.upgrade)
		blame(f, "not the uplink's request");
	sluice_http_write_status(&w, status);
	if (status == 101) {
		sluice_http_write_field(&w, "Upgrade", "%s", SLUICE_WIRE_UPGRADE);
		sluice_http_write_field(&w, "Connection", "Upgrade");
	} else {
		sluice_http_write_field(&w, "Content-Length", "0");
	}
	iov.iov_len = (size_t)sluice_http_write_end(&w);
	sluice_conn_send(f->conn, &iov, 1);
	f->upgraded = true;
}

static void on_open(void *arg)
{
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct fake_cloud *f = arg;
	struct sluice_wire_message m;
	size_t used;

	if (f->cut_after && f->link_bytes >= f->cut_after)
		size = 0;
	else if (f->cut_after && f->link_bytes + size > f->cut_after)
		size = f->cut_after - f->link_bytes;
	f->link_bytes += size;
	while (size && !f->upgraded && !f->wrong)
		take_request(f, &data, &size);
	while (size && !f->ending) {
		int r = sluice_wire_feed(&f->decoder, data, size, &used, &m);

		data += used;
		size -= used;
		if (r < 0)
			blame(f, "%s", sluice_wire_strerror(r));
		if (r < 0)
			break;
		if (!r)
			continue;
		if (m.type == SLUICE_MSG_FRAME)
			take_frame(f, &m);
		else if (m.type == SLUICE_MSG_PONG)
			f->pongs += m.length == 5 && !memcmp(m.payload, "hello", 5);
		else if (m.type != SLUICE_MSG_PING)
			take_control(f, &m);
		else if (!f->mute)
			fake_cloud_send(f, SLUICE_MSG_PONG, 0, m.payload, m.length);
	}
	if (f->cut_after && f->link_bytes >= f->cut_after)
		fake_cloud_cut(f);
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct fake_cloud *f = arg;

	f->conn = NULL;
	f->ending = false;
	sluice_wire_decoder_exit(&f->decoder);
	sluice_io_timer_cancel(f->io, &f->store);
	for (unsigned int i = 0; i < f->epochs; i++) {
		f->epoch[i].waiting_count = 0; /* what was not on disk is lost */
		f->epoch[i].closed = false;
	}
}

static void on_accept(void *arg, int fd)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, NULL, on_close };
	static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct fake_cloud *f = arg;
	struct sluice_conn_config c = { .io = f->io, .tls = f->tls, .ops = &ops };

	if (f->conn) { /* the old link has not yet noticed */
		close(fd);
		return;
	}
	if (f->plain_fd)
		close(f->plain_fd);
	f->plain_fd = f->plain ? fd : 0;
	if (f->plain) {
		send(fd, plain, sizeof(plain) - 1, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		return;
	}
	f->links++;
	f->upgraded = f->greeted = f->opened = f->ending = false;
	f->link_bytes = f->received = f->released = 0;
	sluice_http_begin_request(&f->http, 0);
	sluice_wire_decoder_init(&f->decoder, SLUICE_WIRE_PAYLOAD_MAX);
	f->conn = sluice_conn_adopt(&c, fd, f);
}

static void set_script(struct fake_cloud *f)
{
	f->fault = FAKE_GOOD;
	f->plain = false;
	f->http_status = 0;
	f->payload_max = SLUICE_WIRE_PAYLOAD_MAX;
	f->window = 1u << 20;
	f->store_ms = 2;
	f->cut_after = 0;
	f->reject = UINT64_MAX;
	f->no_done = false;
	f->goaway_retry_ms = 1;
	f->mute = false;
}

void fake_cloud_open(struct fake_cloud *f, struct sluice_io *io)
{
	struct sluice_tls_config c = { .server = true,
				       .cert = certs_path("server", "crt"),
				       .key = certs_path("server", "key"),
				       .ca = certs_path("ca", "crt") };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char why[256];
	int err;

	memset(f, 0, sizeof(*f));
	f->io = io;
	f->tls = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	f->listener = sluice_io_listen(io, (void *)&sin, sizeof(sin), on_accept, f, &err);
	if (!f->tls || !f->listener)
		exit(1);
	snprintf(f->port, sizeof(f->port), "%u", sluice_io_listener_port(f->listener));
	set_script(f);
}

void fake_cloud_reset(struct fake_cloud *f)
{
	struct sluice_io *io = f->io;

	fake_cloud_cut(f);
	for (int i = 0; i < 100 && f->conn; i++)
		sluice_io_turn(io, 10);
	memset(f->epoch, 0, sizeof(f->epoch));
	f->epochs = 0;
	memset(&f->ledger, 0, sizeof(f->ledger));
	f->links = f->hellos = f->opens = f->frames = f->duplicates = f->stats = f->closes = 0;
	f->byes = f->pongs = f->acks_status0 = f->wrong = 0;
	f->good = NULL;
	if (f->plain_fd)
		close(f->plain_fd);
	f->plain_fd = 0;
	set_script(f);
}

void fake_cloud_close(struct fake_cloud *f)
{
	fake_cloud_reset(f);
	sluice_io_unlisten(f->listener);
	sluice_tls_ctx_close(f->tls);
}
