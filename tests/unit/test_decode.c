// SPDX-License-Identifier: MIT
/*
 * test_decode.c - the small grey picture against one that is computed from libjpeg's coefficients
 * in floating point, on every shape that cameras send at every scale; what is not read by our own
 * hand is read by libjpeg; what ends early or is broken.
 */
#include "jpeg_make.h"
#include "cloud/decode.h"
#include "tests/unit/check.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

static double basis(unsigned int x, unsigned int u)
{
	return (u ? 0.5 : 0.5 * sqrt(0.5)) * cos((2 * x + 1) * u * acos(-1) / 16);
}

/* Mean of the pixels of [x0, x0 + side) in one direction, of coefficient u. */
static double mean_basis(unsigned int at, unsigned int n, unsigned int u)
{
	double sum = 0;

	for (unsigned int x = at * 8 / n; x < (at + 1) * 8 / n; x++)
		sum += basis(x, u);
	return sum * n / 8;
}

/* What does not count: in the order of the file, the 48th and those behind it. */
static bool is_fine(unsigned int u, unsigned int v)
{
	return u + v > 9 || (u == 2 && v == 7);
}

/* The mean of a block's pixels that become the one at x, y of w x h. */
static double pixel_of(const JCOEF *block, const UINT16 *quant, unsigned int w, unsigned int h,
		       unsigned int x, unsigned int y)
{
	double sum = 128;

	for (unsigned int v = 0; v < 8; v++)
		for (unsigned int u = 0; u < 8; u++)
			if (!is_fine(u, v))
				sum += block[8 * v + u] * (double)quant[8 * v + u] *
				       mean_basis(x, w, u) * mean_basis(y, h, v);
	return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

/* The greatest difference of a plane of width x height from component c, whose blocks become bw x
 * bh pixels. */
static double worst_of(struct jpeg_decompress_struct *d, jvirt_barray_ptr *coefs, int c,
		       unsigned int bw, unsigned int bh, const uint8_t *plane, unsigned int width,
		       unsigned int height)
{
	double worst = 0;

	for (unsigned int y = 0; y < height; y++) {
		JBLOCKARRAY row =
			d->mem->access_virt_barray((j_common_ptr)d, coefs[c], y / bh, 1, FALSE);

		for (unsigned int x = 0; x < width; x++) {
			double is = pixel_of(row[0][x / bw], d->comp_info[c].quant_table->quantval,
					     bw, bh, x % bw, y % bh);

			worst = fmax(worst, fabs(is - plane[(size_t)y * width + x]));
		}
	}
	return worst;
}

static double difference(const uint8_t *data, size_t size, const struct sluice_gray *g)
{
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr err;
	jvirt_barray_ptr *coefs;
	double worst = 0;

	d.err = jpeg_std_error(&err);
	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, data, size);
	jpeg_read_header(&d, TRUE);
	coefs = jpeg_read_coefficients(&d);
	for (int c = 0; c < d.num_components && (!c || g->cb); c++) {
		unsigned int by = g->scale * (c ? 2 : 1);
		unsigned int w = 8 * d.max_h_samp_factor / d.comp_info[c].h_samp_factor / by;
		unsigned int h = 8 * d.max_v_samp_factor / d.comp_info[c].v_samp_factor / by;

		worst = fmax(worst, worst_of(&d, coefs, c, w, h,
					     c == 2 ? g->cr
					     : c    ? g->cb
						    : g->px,
					     c ? (g->w + 1) / 2 : g->w, c ? (g->h + 1) / 2 : g->h));
	}
	jpeg_abort_decompress(&d);
	jpeg_destroy_decompress(&d);
	return worst;
}

/* data in a buffer of exactly its size, so that a sanitiser sees a read beyond it */
static int decode(struct sluice_decoder *d, const struct jpeg_shape *s, const uint8_t *data,
		  size_t size, uint32_t scale, struct sluice_gray *g)
{
	uint8_t *exact = malloc(size ? size : 1);
	int ret;

	memcpy(exact, data, size);
	ret = sluice_decode_scaled(d, exact, size, s->width, s->height, scale, g);
	free(exact);
	return ret;
}

/* Samplings whose chroma becomes whole pixels, at scales 2, 4, 8. */
static const struct sampling {
	unsigned int components, h, v, scale_max;
} samplings[] = { { 1, 1, 1, 8 }, { 1, 2, 2, 8 }, { 3, 1, 1, 4 },
		  { 3, 2, 1, 4 }, { 3, 1, 2, 4 }, { 3, 2, 2, 8 } };

static void test_shapes(struct sluice_decoder *d)
{
	static const unsigned int size[][2] = { { 64, 48 }, { 203, 121 }, { 33, 17 }, { 16, 16 } };
	unsigned int seed = 1, n = 0;
	double worst = 0;

	for (unsigned int i = 0; i < 6 * 4 * 16; i++) {
		const struct sampling *p = &samplings[i % 6];
		unsigned int bits = i / 24;
		struct jpeg_shape s = { .width = size[i / 6 % 4][0],
					.height = size[i / 6 % 4][1],
					.components = p->components,
					.h = p->h,
					.v = p->v,
					.quality = bits & 2   ? 97
						   : bits & 1 ? 40
							      : 80,
					.restart = bits & 4 ? 1 + i % 7 : 0,
					.optimise = bits & 8 };
		size_t bytes;
		uint8_t *data = jpeg_make(&s, ++seed, bits & 1 ? 200 : 10, &bytes);

		for (uint32_t scale = 2; scale <= p->scale_max; scale *= 2, n++) {
			struct sluice_gray g;
			int ret = decode(d, &s, data, bytes, scale, &g);

			EXPECT("a camera's JPEG is read", !ret);
			EXPECT("it has colour as the JPEG has", !g.cb == (p->components == 1));
			if (!ret)
				worst = fmax(worst, difference(data, bytes, &g));
		}
		free(data);
	}
	printf("%u pictures, at most %.2f grey levels off\n", n, worst);
	EXPECT("the pixels are the means of what is coarse", worst < 1);
}

/* What libjpeg has to do is near what we do ourselves, too: chroma of another kind, RGB, scans
 * apart, no tables, full size. */
static void test_others(struct sluice_decoder *d)
{
	const struct jpeg_shape usual = {
		.width = 200, .height = 120, .components = 3, .h = 2, .v = 2, .quality = 90
	};
	struct jpeg_shape shapes[] = { usual, usual, usual, usual, usual };

	shapes[0].h = 4;
	shapes[0].v = 1;
	shapes[1].apart = true;
	shapes[2].h = shapes[2].v = 1;
	shapes[2].rgb = true;
	shapes[3].no_tables = true;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		uint32_t scale = i == 4 ? 1 : 2;
		struct sluice_gray g;
		size_t bytes;
		uint8_t *data = jpeg_make(&shapes[i], 7, 10, &bytes);
		uint64_t sum = 0;

		EXPECT("libjpeg reads the rest", !decode(d, &shapes[i], data, bytes, scale, &g));
		for (size_t k = 0; k < (size_t)g.w * g.h; k++)
			sum += g.px[k];
		EXPECT("of that size", g.w == 200 / scale && g.h == 120 / scale);
		EXPECT("it shows something", sum / (g.w * g.h) > 60 && sum / (g.w * g.h) < 200);
		free(data);
	}
}

static void test_cut(struct sluice_decoder *d, const struct jpeg_shape *s)
{
	size_t bytes;
	uint8_t *data = jpeg_make(s, 3, 60, &bytes);
	struct sluice_gray g;

	for (size_t n = 0; n < bytes; n += 1 + n / 64)
		EXPECT("a cut picture is refused", decode(d, s, data, n, 2, &g) == -EBADMSG);
	EXPECT("the whole one is not", !decode(d, s, data, bytes, 2, &g));
	free(data);
}

/* Bits fall over: it is decoded or refused, and the next good one is what it was. */
static void test_broken(struct sluice_decoder *d, const struct jpeg_shape *s)
{
	unsigned int dice = 9, refused = 0;
	size_t bytes;
	uint8_t *data = jpeg_make(s, 3, 60, &bytes);
	struct sluice_gray g;

	for (int i = 0; i < 400; i++) {
		size_t at = (dice = dice * 1664525u + 1013904223u) % bytes;
		uint8_t bit = (uint8_t)(1 << (dice >> 29));
		int ret;

		data[at] ^= bit;
		ret = decode(d, s, data, bytes, 2u << i % 3, &g);
		EXPECT("decoded or refused", !ret || ret == -EBADMSG);
		refused += ret != 0;
		data[at] ^= bit;
	}
	EXPECT("some are refused", refused);
	EXPECT("a good one follows", !decode(d, s, data, bytes, 2, &g));
	EXPECT("and is right", difference(data, bytes, &g) < 1);
	free(data);
}

int main(void)
{
	const struct jpeg_shape plain = {
		.width = 131, .height = 75, .components = 3, .h = 2, .v = 2, .quality = 80
	};
	const struct jpeg_shape often = { .width = 131,
					  .height = 75,
					  .components = 3,
					  .h = 2,
					  .v = 1,
					  .quality = 80,
					  .restart = 3 };
	struct sluice_decoder *d = sluice_decoder_open();

	if (!d)
		return 1;
	test_shapes(d);
	test_others(d);
	test_cut(d, &plain);
	test_cut(d, &often);
	test_broken(d, &plain);
	test_broken(d, &often);
	sluice_decoder_close(d);
	return check_result();
}
