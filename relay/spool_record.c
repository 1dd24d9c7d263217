// SPDX-License-Identifier: MIT
/* A header is believed only if its own checksum holds and its numbers make sense. */
#include "relay/spool_record.h"
#include "lib/crc32c.h"
#include "lib/reason.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define CRC_BYTES 188

void relay_spool_header_put(struct relay_spool_header *h, const struct relay_spool_record *r)
{
	memset(h, 0, sizeof(*h));
	h->magic = htole32(RELAY_SPOOL_MAGIC);
	h->payload_size = htole32(r->payload_size);
	h->payload_crc = htole32(r->payload_crc);
	h->place = htole32(r->place);
	h->number = htole64(r->number);
	h->durable = htole64(r->durable);
	h->epoch = htole64(r->epoch);
	h->sequence = htole64(r->sequence);
	h->run = htole64(r->run);
	h->time_ns = htole64(r->time_ns);
	h->first_ns = htole64(r->first_ns);
	h->clock[0] = htole64(r->clock.monotonic);
	h->clock[1] = htole64(r->clock.realtime);
	h->clock[2] = htole64(r->clock.uncertainty);
	h->event = htole32(r->event);
	h->reason = htole16(r->reason);
	h->width = htole16(r->width);
	h->height = htole16(r->height);
	h->format = htole32(r->format);
	memcpy(h->boot, r->boot, strnlen(r->boot, sizeof(h->boot) - 1));
	memcpy(h->camera, r->camera, strnlen(r->camera, sizeof(h->camera) - 1));
	h->header_crc = htole32(sluice_crc32c(0, h, CRC_BYTES));
}

int relay_spool_header_get(const struct relay_spool_header *h, struct relay_spool_record *r)
{
	if (le32toh(h->magic) != RELAY_SPOOL_MAGIC ||
	    le32toh(h->header_crc) != sluice_crc32c(0, h, CRC_BYTES))
		return -EBADMSG;
	*r = (struct relay_spool_record){
		.number = le64toh(h->number),
		.durable = le64toh(h->durable),
		.epoch = le64toh(h->epoch),
		.sequence = le64toh(h->sequence),
		.run = le64toh(h->run),
		.time_ns = le64toh(h->time_ns),
		.first_ns = le64toh(h->first_ns),
		.clock = { le64toh(h->clock[0]), le64toh(h->clock[1]), le64toh(h->clock[2]) },
		.event = le32toh(h->event),
		.format = le32toh(h->format),
		.reason = le16toh(h->reason),
		.width = le16toh(h->width),
		.height = le16toh(h->height),
		.payload_size = le32toh(h->payload_size),
		.payload_crc = le32toh(h->payload_crc),
		.place = le32toh(h->place),
	};
	memcpy(r->boot, h->boot, sizeof(r->boot));
	memcpy(r->camera, h->camera, sizeof(r->camera));
	if (r->boot[sizeof(r->boot) - 1] || !r->camera[0] || r->camera[sizeof(r->camera) - 1] ||
	    !sluice_reason_passes(r->reason) || r->sequence < r->run || !r->number ||
	    r->payload_size > RELAY_SPOOL_PAYLOAD || r->place > r->number)
		return -EBADMSG;
	return 0;
}
