/* SPDX-License-Identifier: MIT */
/* webm.h - pictures to a VP9 video in a WebM file in memory. */
#ifndef SLUICE_WEBM_H
#define SLUICE_WEBM_H

#include "cloud/picture.h"

#define SLUICE_WEBM_BYTES_MAX (8u << 20) /* a longer file fails */
#define SLUICE_WEBM_BITS      900000u	 /* a second: enough for a digest */

struct sluice_webm;

/* A video of w x h (even) pixels, fps pictures a second, at most bits a second on the average of a
 * second or so. One thread, and the same bytes for the same pictures. -ENOSYS: this libavcodec has
 * no VP9 encoder. -ENOMEM, -EINVAL. */
int sluice_webm_open(uint32_t w, uint32_t h, uint32_t fps, uint32_t bits, struct sluice_webm **out);

/* The next picture; copied. -EINVAL: another size. -EFBIG, -EIO, -ENOMEM. */
int sluice_webm_picture(struct sluice_webm *v, const struct sluice_picture *p);

/* The whole file, after the last picture. *data: malloc'd, the caller's. Errors as above. */
int sluice_webm_finish(struct sluice_webm *v, uint8_t **data, size_t *size);

void sluice_webm_close(struct sluice_webm *v); /* NULL-safe; at any time */

#endif
