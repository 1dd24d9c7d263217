// SPDX-License-Identifier: MIT
/*
 * The message decoder and the readers of every payload. The first byte chooses how the stream is
 * cut and whether its checksums are put right (so that what lies behind them is reached too). What
 * must hold: no fault, and the same messages whether the bytes come whole or in pieces.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/crc32c.h"
#include "lib/wire.h"

#define FRAME_MAX  65536
#define STREAM_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_payload(const uint8_t *payload, uint32_t length)
{
	struct sluice_wire_fields f = { 0 };
	struct sluice_wire_frame_info frame;
	struct sluice_wire_part_info part;
	struct sluice_wire_field field;
	struct sluice_wire_media_info media;
	struct sluice_wire_ledger ledger;
	struct sluice_wire_clock clock;
	const uint8_t *bytes;
	uint32_t a, b, at = 0;
	uint64_t q;
	char text[SLUICE_WIRE_FEATURES_MAX + 1];

	while (sluice_wire_field_next(payload, length, &at, &field) > 0)
		sluice_wire_media_get(&field, &media);
	if (!sluice_wire_fields_get(&f, payload, length, 1ull << SLUICE_TAG_MEDIA))
		for (uint16_t tag = 0; tag < SLUICE_WIRE_TAGS + 2; tag++) {
			sluice_wire_get_u32(&f, tag, &a);
			sluice_wire_get_u64(&f, tag, &q);
			sluice_wire_get_text(&f, tag, text, sizeof(text));
			if (!sluice_wire_get_bytes(&f, tag, &bytes, &a) &&
			    (bytes < payload || bytes + a > payload + length))
				abort();
		}
	sluice_wire_get_size(&f, &a, &b);
	sluice_wire_get_clock(&f, &clock);
	sluice_wire_get_ledger(&f, &ledger);
	if (!sluice_wire_frame_get(payload, length, &frame) &&
	    frame.picture + frame.picture_size != payload + length)
		abort();
	if (!sluice_wire_part_get(payload, length, &part) &&
	    (part.data + part.size != payload + length || part.size > SLUICE_WIRE_PART_MAX))
		abort();
}

/* Returns the last result; sum: what was decoded. */
static int run(const uint8_t *data, size_t size, size_t most, uint32_t *sum)
{
	struct sluice_wire_decoder d;
	struct sluice_wire_message m;
	int r = 0;

	sluice_wire_decoder_init(&d, FRAME_MAX);
	*sum = 0;
	while (size && r >= 0) {
		size_t n = size < most ? size : most, used;

		/* a copy of exactly these bytes, so that reading beyond them is seen */
		uint8_t *piece = malloc(n);

		memcpy(piece, data, n);
		r = sluice_wire_feed(&d, piece, n, &used, &m);
		if (used > n || (!used && r == 0))
			abort();
		if (r > 0) {
			*sum = sluice_crc32c(*sum, &m.type, 1);
			*sum = sluice_crc32c(*sum, m.payload, m.length);
			read_payload(m.payload, m.length);
		}
		free(piece);
		data += used;
		size -= used;
	}
	sluice_wire_decoder_exit(&d);
	return r;
}

/* Make the checksums of whatever looks like messages right. */
static void put_right(uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct sluice_wire_header)) {
		struct sluice_wire_header h;
		size_t left = size - at - sizeof(h), length;

		memcpy(&h, data + at, sizeof(h));
		h.version = SLUICE_WIRE_VERSION;
		h.flags &= SLUICE_WIRE_CRITICAL;
		h.reserved = 0;
		h.slot %= SLUICE_WIRE_SLOTS + 1;
		h.length %= 512;
		length = h.length < left ? h.length : left;
		h.payload_crc = sluice_crc32c(0, data + at + sizeof(h), length);
		h.header_crc = sluice_crc32c(0, &h, 28);
		memcpy(data + at, &h, sizeof(h));
		at += sizeof(h) + length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[STREAM_MAX];
	uint32_t whole, pieces;
	int a, b;

	if (size < 2 || size > STREAM_MAX)
		return 0;
	memcpy(stream, data + 1, size - 1);
	if (data[0] & 1)
		put_right(stream, size - 1);
	read_payload(data + 1, (uint32_t)(size - 1));
	a = run(stream, size - 1, STREAM_MAX, &whole);
	b = run(stream, size - 1, 1 + data[0] / 2, &pieces);
	if ((a < 0 || b < 0 ? a != b : 0) || whole != pieces)
		abort();
	return 0;
}
