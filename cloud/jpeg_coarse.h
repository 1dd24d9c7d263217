/* SPDX-License-Identifier: MIT */
/*
 * jpeg_coarse.h - the scan of a baseline JPEG to a picture of half, a quarter or an eighth, faster
 * than libjpeg: what the small picture does not show is skipped and never becomes pixels. decode.c
 * includes it.
 */
#ifndef SLUICE_JPEG_COARSE_H
#define SLUICE_JPEG_COARSE_H

#include "cloud/decode.h"

struct jpeg_coarse;
struct jpeg_decompress_struct;

struct jpeg_coarse *jpeg_coarse_open(void);    /* NULL: out of memory */
void jpeg_coarse_close(struct jpeg_coarse *c); /* NULL-safe */

/*
 * j has read its header, and its source is memory. out: w, h, scale and planes are set; chroma is
 * read if there is room for it. Returns 0 and the planes are filled; -ENOTSUP if the JPEG is none
 * of those, or anything is unusual in it: libjpeg is to judge, and j is as it was; -ENOMEM.
 */
int jpeg_coarse_read(struct jpeg_coarse *c, const struct jpeg_decompress_struct *j,
		     struct sluice_gray *out);

#endif
