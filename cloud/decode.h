/* SPDX-License-Identifier: MIT */
/* decode.h - a JPEG to a small grey picture for analysis. */
#ifndef SLUICE_DECODE_H
#define SLUICE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_DECODE_SIDE_MAX \
	4096 /* pixels; a header that says more is refused before any decoding */

struct sluice_decoder;

/* A grey picture at 1/scale of the camera's; px is the decoder's, valid until its next call. */
struct sluice_gray {
	uint8_t *px;	/* [h][w], packed */
	uint32_t w, h;	/* ceil(camera size / scale) */
	uint32_t scale; /* 1, 2, 4 or 8: the largest that leaves at least 160 pixels of width */
};

/* Returns NULL when out of memory. */
struct sluice_decoder *sluice_decoder_open(void);
void sluice_decoder_close(struct sluice_decoder *d); /* NULL-safe */

/*
 * Decode a JPEG whose header must say width x height (pixels).
 * Returns 0; -EBADMSG if it is not a whole JPEG of that size; -ENOMEM.
 */
int sluice_decode_gray(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
		       uint32_t height, struct sluice_gray *out);
/* The same at a scale that the caller chooses: 1, 2, 4 or 8. */
int sluice_decode_scaled(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
			 uint32_t height, uint32_t scale, struct sluice_gray *out);

#endif
