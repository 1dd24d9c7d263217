/* SPDX-License-Identifier: MIT */
/*
 * A frame on its way: cut into UVC payloads, and payloads into URBs or isochronous packets.
 */
#ifndef SLUICE_CAMSIM_PAYLOAD_H
#define SLUICE_CAMSIM_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "tools/camsim/fault.h"

struct payload {
	bool busy; /* a frame is on its way */
	const uint8_t *data;
	size_t size, at;  /* of the frame */
	size_t open_size; /* of the payload that is open, with its header; 0: none is */
	size_t open_at;
	uint8_t header[2][2];		    /* of any payload, of the last one */
	uint32_t urb_errors, packet_errors; /* still to be played */
	int urb_status, packet_status;
};

/* Begins a frame; @data stays the caller's until the frame is done. */
void payload_begin(struct payload *p, const uint8_t *data, size_t size, uint8_t fid,
		   const struct fault_set *faults);

/*
 * Fills a URB or a packet of @room bytes; a payload holds at most @max. @iov gets 0 to 2 pieces
 * that stay valid until the next payload_begin. Returns their number and clears @busy behind the
 * frame's last byte, or -EMSGSIZE when not even a header and one byte fit. No piece: answer with
 * length 0, which ends a payload that filled its last URB.
 */
int payload_next(struct payload *p, size_t max, size_t room, struct iovec iov[2]);

#endif
