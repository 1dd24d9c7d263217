// SPDX-License-Identifier: MIT
/*
 * Messages to the cloud. A FRAME goes out as one vector: header, fixed part, cells and picture
 * straight from the ring (or the encoder), so that its bytes are touched twice in user space: by
 * the checksum and by the encryption.
 */
#include "relay/uplink.h"
#include "lib/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUILD "sluice-relay 0.1"

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

static void read_boot_id(char *id, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, size - 1);

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = 0;
	id[strcspn(id, "\n")] = 0;
	if (!id[0])
		snprintf(id, size, "unknown");
}

static void put_clock(struct sluice_wire_writer *w)
{
	struct sluice_wire_clock clock;

	sluice_wire_clock_now(&clock);
	sluice_wire_put_clock(w, &clock);
}

int relay_send_hello(struct relay_uplink *u)
{
	_Alignas(8) uint8_t buf[256 + SLUICE_WIRE_PARTIALS * 56];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	char boot_id[64];

	read_boot_id(boot_id, sizeof(boot_id));
	sluice_wire_put_text(&w, SLUICE_TAG_BOOT_ID, boot_id);
	sluice_wire_put_text(&w, SLUICE_TAG_BUILD, BUILD);
	put_clock(&w);
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
	put_clock(&w);
	return relay_send_fields(u, SLUICE_MSG_OPEN, c->slot, &w);
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
		sluice_wire_put_u32(&w, SLUICE_TAG_STATE, s->state);
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

int relay_send_frame(struct relay_uplink *u, struct relay_camera *c,
		     const struct sluice_ring_desc *d, const struct relay_picture *picture)
{
	static const uint8_t zeros[8];
	struct sluice_wire_message m = { .type = SLUICE_MSG_FRAME,
					 .slot = c->slot,
					 .sequence = d->sequence };
	struct sluice_wire_frame_info info = { .epoch = d->epoch,
					       .time_ns = d->time_ns,
					       .format = SLUICE_WIRE_JPEG,
					       .reason = d->reason,
					       .flags = d->flags & ~SLUICE_FRAME_NODHT,
					       .score = d->score,
					       .event = d->event,
					       .dropped = d->dropped,
					       .lost = d->lost,
					       .width = d->width,
					       .height = d->height,
					       .grid_w = d->grid_w,
					       .grid_h = d->grid_h,
					       .cells_size = d->cells_size,
					       .settings = d->settings };
	uint32_t padding = sluice_wire_cells_padded(d->cells_size) - d->cells_size;
	struct sluice_wire_frame fixed;
	struct iovec iov[4 + 3];
	size_t size = sizeof(fixed) + d->cells_size + padding + picture->size;
	int err;

	if (u->credit_used + size > u->credit)
		return -ENOSPC;
	sluice_wire_frame_put(&fixed, &info);
	iov[1] = (struct iovec){ &fixed, sizeof(fixed) };
	iov[2] = (struct iovec){ (void *)relay_ring_bytes(&c->ring, d->cells), d->cells_size };
	iov[3] = (struct iovec){ (void *)zeros, padding };
	memcpy(iov + 4, picture->iov, picture->count * sizeof(*iov));
	err = send_vector(u, &m, iov, 4 + picture->count);
	if (!err)
		u->credit_used += size;
	return err;
}
