/* SPDX-License-Identifier: MIT */
/* jpeg_head.h - what the header of a JPEG says about its size, before anything decodes it. */
#ifndef SLUICE_JPEG_HEAD_H
#define SLUICE_JPEG_HEAD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Walks the markers up to the frame header. 0; -EBADMSG: no JPEG, or cut before its scan;
 * -EOPNOTSUPP: progressive, arithmetic, lossless, not 8 bits, or neither 1 nor 3 components.
 */
int sluice_jpeg_head(const uint8_t *data, size_t size, uint16_t *width, uint16_t *height);

#endif
