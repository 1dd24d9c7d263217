// SPDX-License-Identifier: MIT
/*
 * jpeg_shrink.c - see jpeg_shrink.h. A pixel is the mean of the pixels that it stands for. In such
 * means coefficients 5, 6 and 7 of 8 cannot be told from 3, 2 and 1, and 4 vanishes; so all are
 * added up to four, and an inverse DCT of 4 points does the rest (of 2 or 1 likewise). All factors
 * that do not depend on the pixel are in the table that also dequantises. The finest coefficients,
 * of which little would be left, are not looked at.
 *
 * Blocks lie side by side, a coefficient of all of them in one line: the compiler makes vectors of
 * blocks. Values beyond the range (only broken pictures have them) wrap.
 */
#include "cloud/jpeg_shrink.h"

#include <endian.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "cloud/vectors.h"

#define TAN_PI_8 27146 /* tan(pi / 8), Q16 */
#define HALF	 (128 * 16 + 8)

static const uint8_t zigzag[64] = {
	0,  1,	8,  16, 9,  2,	3,  10, 17, 24, 32, 25, 18, 11, 4,  5,	12, 19, 26, 33, 40, 48,
	41, 34, 27, 20, 13, 6,	7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
	30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63
};

/* Which coefficient of n looks like the u-th of 8 once pixels are means; n: none, it vanishes. */
static uint32_t looks_like(uint32_t n, uint32_t u)
{
	static const uint8_t of_four[8] = { 0, 1, 2, 3, 4, 3, 2, 1 };

	if (n == 4)
		return of_four[u];
	return n == 2 && u & 1 ? 1 : u ? n : 0;
}

/* How much of that it is: the mean over the first pixel, against what four() makes of the other. */
static double factor(uint32_t n, uint32_t u)
{
	double pi = acos(-1), sum = 0;

	for (uint32_t x = 0; x < 8 / n; x++)
		sum += cos((2 * x + 1) * u * pi / 16);
	if (looks_like(n, u) == 3)
		sum /= tan(pi / 8);
	return sum * n / 8 * (u ? 0.5 : 0.5 * sqrt(0.5));
}

void jpeg_shrink_make(struct jpeg_shrink *s, uint32_t w, uint32_t h, uint32_t stride,
		      const uint16_t natural[64])
{
	if (s->w == w && s->h == h && s->stride == stride &&
	    !memcmp(s->made_of, natural, sizeof(s->made_of)))
		return;
	s->w = w;
	s->h = h;
	s->stride = stride;
	memcpy(s->made_of, natural, sizeof(s->made_of));
	s->last = w * h > 1 ? JPEG_SHRINK_LAST : 0;
	for (uint32_t k = 0; k < JPEG_PLACES; k++) {
		uint32_t u = zigzag[k & 63] & 7, v = zigzag[k & 63] >> 3;
		uint32_t like_u = looks_like(w, u), like_v = looks_like(h, v);

		s->put[k] = (struct jpeg_shrink_put){ 0, JPEG_SHRINK_KEPT * stride };
		if (k > s->last || like_u == w || like_v == h)
			continue;
		s->put[k].at = (4 * like_v + like_u) * stride;
		s->put[k].times = (int32_t)lrint(natural[zigzag[k]] * factor(w, u) * factor(h, v) *
						 16 * 1024);
	}
}

/* c[0], c[step], ... of every lane. */
VECTORS static void four(int16_t *restrict c, size_t step, uint32_t lanes)
{
	int16_t *restrict c1 = c + step, *restrict c2 = c1 + step, *restrict c3 = c2 + step;

	for (size_t i = 0; i < lanes; i++) {
		int16_t even = (int16_t)(c[i] + c2[i]), odd = (int16_t)(c[i] - c2[i]);
		int16_t p = (int16_t)(c1[i] + ((c3[i] * TAN_PI_8) >> 16));
		int16_t q = (int16_t)(((c1[i] * TAN_PI_8) >> 16) - c3[i]);

		c[i] = (int16_t)(even + p);
		c1[i] = (int16_t)(odd + q);
		c2[i] = (int16_t)(odd - q);
		c3[i] = (int16_t)(even - p);
	}
}

VECTORS static void two(int16_t *restrict c, size_t step, uint32_t lanes)
{
	int16_t *restrict c1 = c + step;

	for (size_t i = 0; i < lanes; i++) {
		int16_t a = c[i], b = c1[i];

		c[i] = (int16_t)(a + b);
		c1[i] = (int16_t)(a - b);
	}
}

static inline int16_t grey(int16_t v)
{
	v = (int16_t)((int16_t)(v + HALF) >> 4);
	v = v < 0 ? 0 : v;
	return v > 255 ? 255 : v;
}

/* Two pixels, the left one first in memory. */
static inline uint16_t pair(int16_t a, int16_t b)
{
	return htole16((uint16_t)(grey(a) | (uint16_t)(grey(b) << 8)));
}

VECTORS static void put_four(const int16_t *restrict c, uint32_t stride, uint32_t lanes,
			     uint16_t *restrict out)
{
	const int16_t *restrict c1 = c + stride, *restrict c2 = c1 + stride,
				*restrict c3 = c2 + stride;

	for (size_t i = 0; i < lanes; i++) {
		out[2 * i] = pair(c[i], c1[i]);
		out[2 * i + 1] = pair(c2[i], c3[i]);
	}
}

VECTORS static void put_two(const int16_t *restrict c, uint32_t stride, uint32_t lanes,
			    uint16_t *restrict out)
{
	const int16_t *restrict c1 = c + stride;

	for (size_t i = 0; i < lanes; i++)
		out[i] = pair(c[i], c1[i]);
}

VECTORS static void put_one(const int16_t *restrict c, uint32_t lanes, uint8_t *restrict out)
{
	for (size_t i = 0; i < lanes; i++)
		out[i] = (uint8_t)grey(c[i]);
}

void jpeg_shrink_line(const struct jpeg_shrink *s, int16_t *coefs, uint32_t lanes, uint8_t *out,
		      uint32_t pitch)
{
	uint32_t stride = s->stride;

	for (uint32_t u = 0; u < s->w; u++) {
		if (s->h == 4)
			four(coefs + (size_t)u * stride, (size_t)4 * stride, lanes);
		else if (s->h == 2)
			two(coefs + (size_t)u * stride, (size_t)4 * stride, lanes);
	}
	for (uint32_t v = 0; v < s->h; v++, out += pitch) {
		int16_t *c = coefs + (size_t)4 * v * stride;

		if (s->w == 4) {
			four(c, stride, lanes);
			put_four(c, stride, lanes, (uint16_t *)out);
		} else if (s->w == 2) {
			two(c, stride, lanes);
			put_two(c, stride, lanes, (uint16_t *)out);
		} else {
			put_one(c, lanes, out);
		}
	}
}
