// SPDX-License-Identifier: MIT
/* test_chunk.c - a chunk as bytes: the same afterwards; not one changed or missing byte is let
 * through; what must be said of a broker's version. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "cloud/bus_nats.h"
#include "cloud/chunk.h"
#include "tests/unit/check.h"

static struct sluice_cameras *cameras;

static struct sluice_chunk *make(void)
{
	static const uint32_t size[3] = { 5, 0, 4096 };
	struct sluice_chunk *c = calloc(1, sizeof(*c));

	if (!c)
		exit(1);
	CHECK(!sluice_cameras_get(cameras, "t", "d", "c", &c->camera));
	for (uint32_t i = 0; i < 3; i++) {
		struct sluice_item *item = calloc(1, sizeof(*item) + size[i]);

		if (!item)
			exit(1);
		item->camera = c->camera;
		item->kind = i ? SLUICE_ITEM_FRAME : SLUICE_ITEM_STATS;
		item->sequence = i;
		if (i)
			item->jpeg_size = size[i];
		else
			item->ledger_size = size[i];
		memset(item->data, 'a' + (int)i, size[i]);
		if (c->items)
			c->last->next = item;
		else
			c->items = item;
		c->last = item;
		c->bytes += sizeof(*item) + size[i];
	}
	return c;
}

/* With a CRC that is right again. */
static int decode_mended(uint8_t *data, size_t size)
{
	struct sluice_chunk_head head;
	struct sluice_chunk *c;
	int err;

	memcpy(&head, data, sizeof(head));
	head.crc = htole32(sluice_chunk_crc(data, size));
	memcpy(data, &head, sizeof(head));
	err = sluice_chunk_decode(data, size, cameras, &c);
	sluice_chunk_free(c);
	return err;
}

static void test_bytes(void)
{
	struct sluice_chunk *c = make(), *got;
	struct sluice_chunk_item item;
	uint8_t *data, *copy;
	size_t size, i, at = sizeof(struct sluice_chunk_head);

	CHECK(sluice_chunk_encode(c, 100, &data, &size) == -EMSGSIZE && !data);
	CHECK(!sluice_chunk_encode(c, 1 << 20, &data, &size));
	CHECK(!sluice_chunk_decode(data, size, cameras, &got));
	CHECK(got && got->camera == c->camera && got->bytes == c->bytes);
	CHECK(got && got->last->jpeg_size == 4096 && got->last->data[4095] == 'c');
	sluice_chunk_free(got);
	copy = malloc(size);
	if (!copy)
		exit(1);
	for (i = 0; i < size; i++) { /* every byte and every length */
		memcpy(copy, data, size);
		copy[i] ^= 1;
		CHECK(sluice_chunk_decode(copy, size, cameras, &got) < 0 && !got);
		CHECK(sluice_chunk_decode(data, i, cameras, &got) < 0 && !got);
	}
	/* sizes that do not fit, though the CRC does */
	for (i = 0; i < 3; i++) {
		memcpy(copy, data, size);
		memcpy(&item, copy + at, sizeof(item));
		if (i == 0)
			item.ledger_size = UINT32_MAX;
		else if (i == 1)
			item.jpeg_size = 1;
		else
			item.kind = 99;
		memcpy(copy + at, &item, sizeof(item));
		CHECK(decode_mended(copy, size) == -EBADMSG);
	}
	memcpy(copy, data, size);
	copy[offsetof(struct sluice_chunk_head, name)] = '/';
	CHECK(decode_mended(copy, size) == -EINVAL);
	memcpy(copy, data, size);
	copy[offsetof(struct sluice_chunk_head, items)] = 2;
	CHECK(decode_mended(copy, size) == -EBADMSG);
	copy[offsetof(struct sluice_chunk_head, version)] = 9;
	CHECK(decode_mended(copy, size) == -EPROTONOSUPPORT);
	free(copy);
	free(data);
	sluice_chunk_free(c);
}

static void test_versions(void)
{
	static const char *const bad[] = { "2.9.10", "2.10.26", "2.11.15", "2.12.6", "1.4.1", "x" };
	static const char *const good[] = { "2.11.16", "2.12.7", "2.14.0", "3.0.0" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(sluice_nats_version_warning(bad[i]));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(!sluice_nats_version_warning(good[i]));
}

int main(void)
{
	cameras = sluice_cameras_open();
	if (!cameras)
		return 1;
	test_bytes();
	test_versions();
	sluice_cameras_close(cameras);
	return check_result();
}
