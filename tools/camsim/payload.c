// SPDX-License-Identifier: MIT
/*
 * Payloads: header (2 bytes: its length, flags) and data.
 *
 * The driver takes a bulk payload as ended when a URB comes back short or when the payload has the
 * size that was agreed on; a shorter payload that fills its URBs exactly needs an empty answer
 * behind it. With the default sizes a payload is a URB and only a frame's last one is short. Of an
 * isochronous stream every packet with data is a payload of its own.
 */
#include "tools/camsim/payload.h"

#include <errno.h>

#include "tools/camsim/descriptors.h"

enum { FLAG_FID = 0x01, FLAG_EOF = 0x02, FLAG_ERR = 0x40, FLAG_EOH = 0x80 };

void payload_begin(struct payload *p, const uint8_t *data, size_t size, uint8_t fid,
		   const struct fault_set *faults)
{
	uint8_t length = PAYLOAD_HEADER_SIZE, flags = FLAG_EOH | (fid ? FLAG_FID : 0);
	uint8_t last = FLAG_EOF;

	if (faults->mask >> FAULT_HLEN & 1)
		length = faults->value[FAULT_HLEN];
	if (faults->mask >> FAULT_ERR & 1)
		flags |= FLAG_ERR;
	if (faults->mask >> FAULT_NOEOF & 1)
		last = 0;
	*p = (struct payload){
		.busy = true,
		.data = data,
		.size = size,
		.header = { { length, flags }, { length, flags | last } },
		.urb_errors = faults->times[FAULT_URBSTATUS],
		.urb_status = -(int)faults->value[FAULT_URBSTATUS],
		.packet_errors = faults->times[FAULT_PKTSTATUS],
		.packet_status = -(int)faults->value[FAULT_PKTSTATUS],
	};
}

int payload_next(struct payload *p, size_t max, size_t room, struct iovec iov[2])
{
	size_t given = 0, take;
	int n = 0;

	if (!p->open_size) {
		size_t left = p->size - p->at;

		if (room <= PAYLOAD_HEADER_SIZE || max <= PAYLOAD_HEADER_SIZE)
			return -EMSGSIZE;
		take = max - PAYLOAD_HEADER_SIZE;
		p->open_size = PAYLOAD_HEADER_SIZE + (left < take ? left : take);
		p->open_at = given = PAYLOAD_HEADER_SIZE;
		iov[n++] = (struct iovec){ p->header[left <= take], PAYLOAD_HEADER_SIZE };
	}
	take = p->open_size - p->open_at;
	if (take > room - given)
		take = room - given;
	if (take)
		iov[n++] = (struct iovec){ (void *)(p->data + p->at), take };
	p->at += take;
	p->open_at += take;
	given += take;
	if (p->open_at == p->open_size && (given < room || p->open_size == max)) {
		p->open_size = 0;
		p->busy = p->at < p->size;
	}
	return n;
}
