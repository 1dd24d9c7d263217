/* SPDX-License-Identifier: MIT */
/* encode.h - a picture of the ring as a JPEG that opens anywhere. */
#ifndef RELAY_ENCODE_H
#define RELAY_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <sluice/ring.h>

struct relay_encoder;

/* A JPEG in up to three pieces: of the ring, of the encoder. Valid until the next encode. */
struct relay_picture {
	struct iovec iov[3];
	unsigned int count;
	size_t size;	   /* of the pieces */
	struct iovec head; /* of a region (region.h); none: a whole picture */
};

/* quality 1..100; a JPEG above size_max bytes is refused. NULL: out of memory. */
struct relay_encoder *relay_encoder_open(unsigned int quality, size_t size_max);
/* Of the pictures to come, 1..100. */
void relay_encoder_quality(struct relay_encoder *e, unsigned int quality);
/* NULL-safe. */
void relay_encoder_close(struct relay_encoder *e);

/*
 * Raw formats are compressed, 4:2:2 or 4:2:0 or grey as the camera has it, RGB as 4:2:0; MJPEG
 * stays as it is, with the standard Huffman tables put in where d->flags has SLUICE_FRAME_NODHT.
 * bytes: d->size of them, within the ring. 0, -EMSGSIZE, -EOPNOTSUPP (format), -EINVAL (sizes that
 * do not fit together), -ENOMEM.
 */
int relay_encode(struct relay_encoder *e, const struct sluice_ring_desc *d, const uint8_t *bytes,
		 struct relay_picture *out);

#endif
