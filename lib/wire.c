// SPDX-License-Identifier: MIT
/*
 * Messages: header and decoder. A header is checked by its own CRC before any word of it is
 * believed, the payload's length before memory is taken for it, the payload's CRC before anybody
 * sees it. An error is final: the stream has lost its place and the link must be closed.
 */
#include "lib/wire.h"
#include "lib/crc32c.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_CRC_BYTES 28

void sluice_wire_header_put(struct sluice_wire_header *h, const struct sluice_wire_message *m,
			    uint32_t payload_crc)
{
	*h = (struct sluice_wire_header){
		.version = SLUICE_WIRE_VERSION,
		.type = m->type,
		.flags = htole16(m->flags),
		.length = htole32(m->length),
		.slot = htole32(m->slot),
		.payload_crc = htole32(payload_crc),
		.sequence = htole64(m->sequence),
	};
	h->header_crc = htole32(sluice_crc32c(0, h, HEADER_CRC_BYTES));
}

int sluice_wire_header_get(const struct sluice_wire_header *h, uint32_t frame_max,
			   struct sluice_wire_message *m, uint32_t *payload_crc)
{
	uint32_t max = h->type == SLUICE_MSG_FRAME ? frame_max : SLUICE_WIRE_CONTROL_MAX;

	if (h->version != SLUICE_WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (le32toh(h->header_crc) != sluice_crc32c(0, h, HEADER_CRC_BYTES))
		return -EBADMSG;
	*m = (struct sluice_wire_message){
		.type = h->type,
		.flags = le16toh(h->flags),
		.length = le32toh(h->length),
		.slot = le32toh(h->slot),
		.sequence = le64toh(h->sequence),
	};
	*payload_crc = le32toh(h->payload_crc);
	if (h->reserved || (m->flags & ~SLUICE_WIRE_CRITICAL) || m->slot > SLUICE_WIRE_SLOTS_ALL)
		return -EBADMSG;
	if (m->length > max)
		return -EMSGSIZE;
	return 0;
}

void sluice_wire_decoder_init(struct sluice_wire_decoder *d, uint32_t frame_max)
{
	memset(d, 0, sizeof(*d));
	d->frame_max = frame_max < SLUICE_WIRE_PAYLOAD_MAX ? frame_max : SLUICE_WIRE_PAYLOAD_MAX;
}

void sluice_wire_decoder_exit(struct sluice_wire_decoder *d)
{
	if (!d)
		return;
	free(d->buf);
	memset(d, 0, sizeof(*d));
}

/* Room for a payload that comes in pieces. Powers of two, so that it is rarely grown. */
static int reserve_payload(struct sluice_wire_decoder *d)
{
	size_t size = 4096;
	uint8_t *buf;

	if (d->buf_size >= d->m.length)
		return 0;
	while (size < d->m.length)
		size *= 2;
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	free(d->buf);
	d->buf = buf;
	d->buf_size = size;
	return 0;
}

/* Bytes of a payload: straight from data if it is whole there, else gathered. 1: complete. */
static int take_payload(struct sluice_wire_decoder *d, const uint8_t *data, size_t size,
			size_t *used)
{
	size_t n = d->m.length - d->have;
	int err;

	if (!d->have && size >= n) {
		d->m.payload = data;
		d->crc = sluice_crc32c(0, data, n);
		*used += n;
		return 1;
	}
	if (n > size)
		n = size;
	err = reserve_payload(d);
	if (err)
		return err;
	if (n) {
		memcpy(d->buf + d->have, data, n);
		d->crc = sluice_crc32c(d->have ? d->crc : 0, data, n);
		d->have += (uint32_t)n;
		*used += n;
	}
	d->m.payload = d->buf;
	return d->have == d->m.length;
}

int sluice_wire_feed(struct sluice_wire_decoder *d, const uint8_t *data, size_t size, size_t *used,
		     struct sluice_wire_message *m)
{
	int done;

	*used = 0;
	if (!d->in_payload) {
		size_t n = sizeof(d->head) - d->head_used;
		int err;

		if (n > size)
			n = size;
		if (n)
			memcpy((uint8_t *)&d->head + d->head_used, data, n);
		d->head_used += (uint32_t)n;
		*used = n;
		if (d->head_used < sizeof(d->head))
			return 0;
		err = sluice_wire_header_get(&d->head, d->frame_max, &d->m, &d->payload_crc);
		if (err)
			return err;
		d->in_payload = true;
		d->have = 0;
	}
	done = take_payload(d, data + *used, size - *used, used);
	if (done <= 0)
		return done;
	d->in_payload = false;
	d->head_used = 0;
	if (d->crc != d->payload_crc)
		return -EILSEQ;
	*m = d->m;
	return 1;
}

static const char *const type_names[] = {
	[SLUICE_MSG_HELLO] = "HELLO",
	[SLUICE_MSG_OPEN] = "OPEN",
	[SLUICE_MSG_FRAME] = "FRAME",
	[SLUICE_MSG_STATS] = "STATS",
	[SLUICE_MSG_CLOSE] = "CLOSE",
	[SLUICE_MSG_SUMMARY_ACK] = "SUMMARY_ACK",
	[SLUICE_MSG_PING] = "PING",
	[SLUICE_MSG_PONG] = "PONG",
	[SLUICE_MSG_CONFIG_RESULT] = "CONFIG_RESULT",
	[SLUICE_MSG_COMMAND_RESULT] = "COMMAND_RESULT",
	[SLUICE_MSG_SETTINGS] = "SETTINGS",
	[SLUICE_MSG_BYE] = "BYE",
	[SLUICE_MSG_WELCOME] = "WELCOME",
	[SLUICE_MSG_OPENED] = "OPENED",
	[SLUICE_MSG_ACK] = "ACK",
	[SLUICE_MSG_CREDIT] = "CREDIT",
	[SLUICE_MSG_REJECT] = "REJECT",
	[SLUICE_MSG_EVENT] = "EVENT",
	[SLUICE_MSG_SUMMARY] = "SUMMARY",
	[SLUICE_MSG_PART] = "PART",
	[SLUICE_MSG_CONFIG] = "CONFIG",
	[SLUICE_MSG_GOAWAY] = "GOAWAY",
	[SLUICE_MSG_DONE] = "DONE",
	[SLUICE_MSG_COMMAND] = "COMMAND",
};

bool sluice_wire_type_known(uint8_t type)
{
	return type < sizeof(type_names) / sizeof(type_names[0]) && type_names[type];
}

const char *sluice_wire_type_name(uint8_t type)
{
	return sluice_wire_type_known(type) ? type_names[type] : "UNKNOWN";
}

const char *sluice_wire_strerror(int err)
{
	switch (err) {
	case 0:
		return "no error";
	case -EPROTONOSUPPORT:
		return "the peer speaks another version of the protocol";
	case -EBADMSG:
		return "a message header is damaged";
	case -EMSGSIZE:
		return "a message is longer than allowed";
	case -EILSEQ:
		return "a message is damaged (checksum)";
	case -ENOMEM:
		return "out of memory";
	default:
		return "protocol error";
	}
}

enum sluice_wire_code sluice_wire_error_code(int err)
{
	switch (err) {
	case 0:
		return SLUICE_CODE_OK;
	case -EPROTONOSUPPORT:
		return SLUICE_CODE_VERSION;
	case -EMSGSIZE:
		return SLUICE_CODE_TOO_BIG;
	case -ENOMEM:
		return SLUICE_CODE_LIMIT;
	default:
		return SLUICE_CODE_PROTOCOL;
	}
}
