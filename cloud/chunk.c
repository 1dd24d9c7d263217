// SPDX-License-Identifier: MIT
/* chunk.c - chunks to bytes and back; what comes back may be anything. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/chunk.h"
#include "lib/crc32c.h"

uint32_t sluice_chunk_crc(const uint8_t *data, size_t size)
{
	size_t to = offsetof(struct sluice_chunk_head, crc), from = to + sizeof(uint32_t);

	return sluice_crc32c(sluice_crc32c(0, data, to), data + from, size - from);
}

static size_t data_size(const struct sluice_item *i)
{
	return i->kind == SLUICE_ITEM_FRAME ? (size_t)i->cells_size + i->jpeg_size
					    : (size_t)i->ledger_size;
}

static size_t padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static void pack_item(const struct sluice_item *i, struct sluice_chunk_item *p)
{
	*p = (struct sluice_chunk_item){
		.kind = htole16((uint16_t)i->kind),
		.reason = htole16(i->reason),
		.flags = htole16(i->flags),
		.width = htole16(i->width),
		.height = htole16(i->height),
		.grid_w = htole16(i->grid_w),
		.grid_h = htole16(i->grid_h),
		.slot = htole32(i->slot),
		.score = htole32(i->score),
		.event = htole32(i->event),
		.settings = htole32(i->settings),
		.state = htole32(i->state),
		.cells_size = htole32(i->cells_size),
		.jpeg_size = htole32(i->jpeg_size),
		.ledger_size = htole32((uint32_t)i->ledger_size),
		.session = htole64(i->session),
		.range_first = htole64(i->range_first),
		.range_last = htole64(i->range_last),
		.charge = htole64(i->charge),
		.epoch = htole64(i->epoch),
		.sequence = htole64(i->sequence),
		.time_ns = htole64(i->time_ns),
		.utc_ns = htole64(i->utc_ns),
		.put_ns = htole64(i->put_ns),
		.delivered = htole64(i->delivered),
	};
	memcpy(p->id, i->id, sizeof(i->id));
}

int sluice_chunk_encode(const struct sluice_chunk *c, size_t max, uint8_t **out, size_t *size)
{
	struct sluice_chunk_head head = { .magic = htole32(SLUICE_CHUNK_MAGIC),
					  .version = htole16(SLUICE_CHUNK_VERSION),
					  .lane = htole16((uint16_t)c->lane) };
	size_t bytes = sizeof(head), at = sizeof(head);
	const struct sluice_item *i;
	uint32_t count = 0;

	*out = NULL;
	for (i = c->items; i; i = i->next, count++)
		bytes += sizeof(struct sluice_chunk_item) + padded(data_size(i));
	if (bytes > max)
		return -EMSGSIZE;
	*out = calloc(1, bytes);
	if (!*out)
		return -ENOMEM;
	head.items = htole32(count);
	memcpy(head.tenant, c->camera->tenant, sizeof(head.tenant));
	memcpy(head.device, c->camera->device, sizeof(head.device));
	memcpy(head.name, c->camera->name, sizeof(head.name));
	for (i = c->items; i; i = i->next) {
		struct sluice_chunk_item p;

		pack_item(i, &p);
		memcpy(*out + at, &p, sizeof(p));
		memcpy(*out + at + sizeof(p), i->data, data_size(i));
		at += sizeof(p) + padded(data_size(i));
	}
	memcpy(*out, &head, sizeof(head));
	head.crc = htole32(sluice_chunk_crc(*out, bytes));
	memcpy(*out, &head, sizeof(head));
	*size = bytes;
	return 0;
}

static struct sluice_item *unpack_item(const struct sluice_chunk_item *p, const uint8_t *data,
				       size_t bytes)
{
	struct sluice_item *i = calloc(1, sizeof(*i) + bytes);

	if (!i)
		return NULL;
	i->kind = le16toh(p->kind);
	i->reason = le16toh(p->reason);
	i->flags = le16toh(p->flags);
	i->width = le16toh(p->width);
	i->height = le16toh(p->height);
	i->grid_w = le16toh(p->grid_w);
	i->grid_h = le16toh(p->grid_h);
	i->slot = le32toh(p->slot);
	i->score = le32toh(p->score);
	i->event = le32toh(p->event);
	i->settings = le32toh(p->settings);
	i->state = le32toh(p->state);
	i->cells_size = le32toh(p->cells_size);
	i->jpeg_size = le32toh(p->jpeg_size);
	i->ledger_size = le32toh(p->ledger_size);
	i->session = le64toh(p->session);
	i->range_first = le64toh(p->range_first);
	i->range_last = le64toh(p->range_last);
	i->charge = (size_t)le64toh(p->charge);
	i->epoch = le64toh(p->epoch);
	i->sequence = le64toh(p->sequence);
	i->time_ns = le64toh(p->time_ns);
	i->utc_ns = le64toh(p->utc_ns);
	i->put_ns = le64toh(p->put_ns);
	i->delivered = le64toh(p->delivered);
	memcpy(i->id, p->id, sizeof(i->id) - 1);
	memcpy(i->data, data, bytes);
	return i;
}

/* One item at *at; *at is behind it afterwards. */
static int read_item(struct sluice_chunk *c, const uint8_t *data, size_t size, size_t *at)
{
	struct sluice_chunk_item p;
	struct sluice_item *i;
	uint64_t bytes;
	uint16_t kind;

	if (size - *at < sizeof(p))
		return -EBADMSG;
	memcpy(&p, data + *at, sizeof(p));
	*at += sizeof(p);
	kind = le16toh(p.kind);
	bytes = kind == SLUICE_ITEM_FRAME ? (uint64_t)le32toh(p.cells_size) + le32toh(p.jpeg_size)
					  : le32toh(p.ledger_size);
	/* nothing that is not a frame has a picture, nor a frame a ledger */
	if (kind > SLUICE_ITEM_ACK || bytes > size - *at || padded(bytes) > size - *at ||
	    (kind == SLUICE_ITEM_FRAME ? p.ledger_size : p.cells_size | p.jpeg_size))
		return -EBADMSG;
	i = unpack_item(&p, data + *at, bytes);
	if (!i)
		return -ENOMEM;
	*at += padded(bytes);
	i->camera = c->camera;
	i->lane = c->lane;
	if (c->items)
		c->last->next = i;
	else
		c->items = i;
	c->last = i;
	c->bytes += sizeof(*i) + bytes;
	return 0;
}

int sluice_chunk_decode(const uint8_t *data, size_t size, struct sluice_cameras *cameras,
			struct sluice_chunk **out)
{
	struct sluice_chunk_head head;
	size_t at = sizeof(head);
	struct sluice_chunk *c;
	uint32_t i, count;
	int err;

	*out = NULL;
	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	if (le32toh(head.magic) != SLUICE_CHUNK_MAGIC)
		return -EBADMSG;
	if (le16toh(head.version) != SLUICE_CHUNK_VERSION)
		return -EPROTONOSUPPORT;
	if (le32toh(head.crc) != sluice_chunk_crc(data, size) ||
	    head.tenant[sizeof(head.tenant) - 1] || head.device[sizeof(head.device) - 1] ||
	    head.name[sizeof(head.name) - 1])
		return -EBADMSG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->lane = le16toh(head.lane);
	count = le32toh(head.items);
	err = count ? sluice_cameras_get(cameras, head.tenant, head.device, head.name, &c->camera)
		    : -EBADMSG;
	for (i = 0; i < count && !err; i++)
		err = read_item(c, data, size, &at);
	if (!err && at != size)
		err = -EBADMSG;
	if (err) {
		sluice_chunk_free(c);
		return err;
	}
	*out = c;
	return 0;
}
