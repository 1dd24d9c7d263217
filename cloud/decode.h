/* SPDX-License-Identifier: MIT */
/* decode.h - a JPEG to a small picture for analysis, or to a small colour picture to show. */
#ifndef SLUICE_DECODE_H
#define SLUICE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "cloud/picture.h"

#define SLUICE_DECODE_SIDE_MAX \
	4096 /* pixels; a header that says more is refused before any decoding */

struct sluice_decoder;

/* A picture at 1/scale of the camera's; its bytes are the decoder's, valid until its next call. */
struct sluice_gray {
	uint8_t *px;	/* luma [h][w], packed */
	uint8_t *cb;	/* chroma [h / 2][w / 2], rounded up; NULL: the JPEG is grey */
	uint8_t *cr;	/* ... */
	uint32_t w, h;	/* ceil(camera size / scale) */
	uint32_t scale; /* 1, 2, 4 or 8: the largest that leaves at least SLUICE_GRAY_WIDTH */
};

#define SLUICE_GRAY_WIDTH 240

static inline size_t sluice_gray_chroma(const struct sluice_gray *g)
{
	return (size_t)((g->w + 1) / 2) * ((g->h + 1) / 2);
}

/* Returns NULL when out of memory. */
struct sluice_decoder *sluice_decoder_open(void);
void sluice_decoder_close(struct sluice_decoder *d); /* NULL-safe */

/* Pixels of the grey picture that comes of such a JPEG. */
uint32_t sluice_decode_pixels(uint32_t width, uint32_t height);

/*
 * Decode a JPEG whose header must say width x height (pixels).
 * Returns 0; -EBADMSG if it is not a whole JPEG of that size; -ENOMEM.
 */
int sluice_decode_gray(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
		       uint32_t height, struct sluice_gray *out);
/* The same at a scale that the caller chooses: 1, 2, 4 or 8. */
int sluice_decode_scaled(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
			 uint32_t height, uint32_t scale, struct sluice_gray *out);

/*
 * The same in colour, into out, at the largest of 1/1, 1/2, 1/4, 1/8 with which neither side is
 * above side. Grey JPEGs come out grey. Returns as above; -EBADMSG too if 1/8 is too large. After a
 * failure out shows nothing of use.
 */
int sluice_decode_picture(struct sluice_decoder *d, const uint8_t *jpeg, size_t size,
			  uint32_t width, uint32_t height, uint32_t side,
			  struct sluice_picture *out);

#endif
