// SPDX-License-Identifier: MIT
/*
 * Messages to the cloud. A FRAME goes out as one vector: header, then the pieces of its payload
 * from wherever they lie (payload.h).
 */
#include "relay/uplink.h"
#include "lib/crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int send_vector(struct relay_uplink *u, struct sluice_wire_message *m, struct iovec *iov,
		       unsigned int count)
{
	struct sluice_wire_header header;
	uint32_t crc = 0;
	int err;

	m->length = 0;
	for (unsigned int i = 1; i < count; i++) {
		crc = sluice_crc32c(crc, iov[i].iov_base, iov[i].iov_len);
		m->length += (uint32_t)iov[i].iov_len;
	}
	sluice_wire_header_put(&header, m, crc);
	iov[0].iov_base = &header;
	iov[0].iov_len = sizeof(header);
	err = sluice_conn_send(u->conn, iov, count);
	if (!err) {
		u->sent_messages++;
		u->bytes_sent += sizeof(header) + m->length;
	}
	return err;
}

int relay_send_message(struct relay_uplink *u, uint8_t type, uint32_t slot, const void *payload,
		       size_t size)
{
	struct sluice_wire_message m = { .type = type, .slot = slot, .sequence = u->sent_messages };
	struct iovec iov[2] = { { 0 }, { (void *)payload, size } };

	return send_vector(u, &m, iov, size ? 2 : 1);
}

int relay_send_fields(struct relay_uplink *u, uint8_t type, uint32_t slot,
		      const struct sluice_wire_writer *w)
{
	return w->err ? w->err : relay_send_message(u, type, slot, w->buf, w->used);
}

static void put_clock(struct sluice_wire_writer *w)
{
	struct sluice_wire_clock clock;

	sluice_wire_clock_now(&clock);
	sluice_wire_put_clock(w, &clock);
}

int relay_send_hello(struct relay_uplink *u)
{
	_Alignas(8)
		uint8_t buf[256 + 2 * (SLUICE_WIRE_FEATURES_MAX + 16) + SLUICE_WIRE_PARTIALS * 56];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	char boot_id[64];

	relay_boot_id(boot_id, sizeof(boot_id));
	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, boot_id);
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, RELAY_BUILD);
	put_clock(&w);
	if (u->conf.features)
		sluice_wire_put_text(&w, SLUICE_TAG_FEATURES, u->conf.features);
	if (u->conf.allows)
		sluice_wire_put_text(&w, SLUICE_TAG_ALLOWS, u->conf.allows);
	relay_downlink_offer(u->conf.downlink, &w);
	return relay_send_fields(u, SLUICE_MSG_HELLO, 0, &w);
}

int relay_send_open(struct relay_uplink *u, struct relay_camera *c, const struct relay_epoch *e)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_NAME, c->name);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, e->epoch);
	sluice_wire_put_size(&w, e->width, e->height);
	sluice_wire_put_u32(&w, SLUICE_TAG_FORMAT, e->format);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, e->first_ns);
	if (e->range_first)
		sluice_wire_put_range(&w, e->range_first, UINT64_MAX);
	put_clock(&w);
	return relay_send_fields(u, SLUICE_MSG_OPEN, c->slot, &w);
}

int relay_send_run_open(struct relay_uplink *u, const struct relay_lane_todo *t)
{
	_Alignas(8) uint8_t buf[320];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_wire_clock clock;

	relay_spool_run_clock(u->conf.lanes->spool, t->run, &clock);
	sluice_wire_put_text(&w, SLUICE_TAG_NAME,
			     relay_spool_camera(u->conf.lanes->spool, t->run->camera));
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, t->run->epoch);
	sluice_wire_put_u32(&w, SLUICE_TAG_LANE, SLUICE_LANE_BACKFILL);
	sluice_wire_put_range(&w, t->run->first, t->run->last);
	sluice_wire_put_size(&w, t->run->width, t->run->height);
	sluice_wire_put_u32(&w, SLUICE_TAG_FORMAT, t->run->format);
	sluice_wire_put_u64(&w, SLUICE_TAG_FIRST_NS, t->run->first_ns);
	sluice_wire_put_clock(&w, &clock);
	return relay_send_fields(u, SLUICE_MSG_OPEN, SLUICE_WIRE_SLOTS + 1 + t->lane, &w);
}

int relay_send_run_close(struct relay_uplink *u, const struct relay_lane_todo *t)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, t->run->epoch);
	sluice_wire_put_range(&w, t->run->first, t->run->last);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, t->run->now_ns);
	return relay_send_fields(u, SLUICE_MSG_CLOSE, SLUICE_WIRE_SLOTS + 1 + t->lane, &w);
}

int relay_send_ledger(struct relay_uplink *u, struct relay_camera *c, const struct relay_epoch *e,
		      bool close)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	const struct relay_snapshot *s = close ? &c->now : &c->due;
	struct sluice_wire_ledger l = { .delivered = s->delivered,
					.pending = s->pending,
					.bytes_seen = s->bytes_seen,
					.bytes_passed = s->bytes_passed };

	memcpy(l.count, s->count, sizeof(l.count));
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, e->epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_NOW_NS, close ? e->now_ns : s->now_ns);
	sluice_wire_put_ledger(&w, &l);
	if (!close) {
		sluice_wire_put_u32(&w, SLUICE_TAG_STATE,
				    (s->state & ~SLUICE_WIRE_STATE_PAUSED) |
					    (relay_camera_paused(c) ? SLUICE_WIRE_STATE_PAUSED
								    : 0));
		if (c->paused)
			sluice_wire_put_u64(&w, SLUICE_TAG_PAUSED, c->paused);
		put_clock(&w);
	}
	return relay_send_fields(u, close ? SLUICE_MSG_CLOSE : SLUICE_MSG_STATS, c->slot, &w);
}

int relay_send_bye(struct relay_uplink *u, const char *text)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_TEXT, text);
	return relay_send_fields(u, SLUICE_MSG_BYE, 0, &w);
}

int relay_send_frame(struct relay_uplink *u, uint32_t slot, uint64_t sequence,
		     const struct iovec *payload, unsigned int count)
{
	struct sluice_wire_message m = { .type = SLUICE_MSG_FRAME,
					 .slot = slot,
					 .sequence = sequence };
	struct iovec iov[1 + RELAY_PAYLOAD_PARTS];
	unsigned int lane = slot > SLUICE_WIRE_SLOTS;
	size_t size = 0;
	int err;

	for (unsigned int i = 0; i < count; i++) {
		iov[1 + i] = payload[i];
		size += payload[i].iov_len;
	}
	if (u->credit_used + size > u->credit)
		return -ENOSPC;
	err = send_vector(u, &m, iov, 1 + count);
	if (err)
		return err;
	u->credit_used += size;
	u->share[lane] += size / u->conf.weight[lane];
	return 0;
}
