// SPDX-License-Identifier: MIT
/*
 * jpeg_head.c - a hostile device can say 65500x65500 in 33 kB; a decoder would believe it and ask
 * for gigabytes. So the size is read here and compared with what was announced.
 */
#include <errno.h>

#include "cloud/jpeg_head.h"

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

/* p: the segment after its length word, n bytes. */
static int read_frame_header(unsigned int marker, const uint8_t *p, size_t n, uint16_t *width,
			     uint16_t *height)
{
	if (n < 6)
		return -EBADMSG;
	if (marker > 0xc1 || p[0] != 8 || (p[5] != 1 && p[5] != 3))
		return -EOPNOTSUPP;
	*height = (uint16_t)be16(p + 1);
	*width = (uint16_t)be16(p + 3);
	return n >= 6 + 3 * (size_t)p[5] && *width && *height ? 0 : -EBADMSG;
}

int sluice_jpeg_head(const uint8_t *data, size_t size, uint16_t *width, uint16_t *height)
{
	size_t at = 2, length;
	int seen = 0, err;

	*width = *height = 0;
	if (size < 4 || data[0] != 0xff || data[1] != 0xd8)
		return -EBADMSG;
	while (at + 4 <= size) {
		unsigned int marker = data[at + 1];

		if (data[at] != 0xff)
			return -EBADMSG;
		if (marker == 0xff) { /* fill byte */
			at++;
			continue;
		}
		if (marker == 0xd8 || marker == 0xd9 || marker < 0xc0 ||
		    (marker >= 0xd0 && marker <= 0xd7))
			return -EBADMSG;
		length = be16(data + at + 2);
		if (length < 2 || at + 2 + length > size)
			return -EBADMSG;
		if (marker == 0xda)
			return seen ? 0 : -EBADMSG;
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		    marker != 0xcc) {
			if (seen)
				return -EBADMSG;
			err = read_frame_header(marker, data + at + 4, length - 2, width, height);
			if (err)
				return err;
			seen = 1;
		}
		at += 2 + length;
	}
	return -EBADMSG;
}
