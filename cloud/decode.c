// SPDX-License-Identifier: MIT
/*
 * decode.c - JPEG to luma and half as fine chroma at 1/1, 1/2, 1/4 or 1/8, the inverse DCT doing
 * the scaling. Planes are taken as they leave it: neither interpolated nor converted. libjpeg reads
 * the header; jpeg_coarse.c the scan, where it can, and libjpeg all that is unusual or broken.
 *
 * The bytes come from a camera by way of a device: nothing in them is believed. The size in the
 * JPEG's own header must equal what the device announced before memory of that size is touched. A
 * picture that libjpeg can only repair (a warning) is used if it is complete but for noise behind a
 * marker, and refused if its data ends early: half a grey picture would look like motion.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

#include "cloud/decode.h"
#include "cloud/jpeg_coarse.h"

struct sluice_decoder {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	jmp_buf fail;
	struct jpeg_coarse *coarse;
	int early_end;
	uint8_t *px;
	size_t capacity;
	uint8_t *rows; /* of one line of MCUs, all parts */
	size_t rows_capacity;
};

static void error_exit(j_common_ptr c)
{
	struct sluice_decoder *d = c->client_data;

	longjmp(d->fail, 1);
}

static void error_message(j_common_ptr c, int level)
{
	struct sluice_decoder *d = c->client_data;

	if (level < 0 && (c->err->msg_code == JWRN_JPEG_EOF || c->err->msg_code == JWRN_HIT_MARKER))
		d->early_end = 1;
}

static void error_silent(j_common_ptr c)
{
}

static int create(struct sluice_decoder *d)
{
	d->jpeg.err = jpeg_std_error(&d->errors);
	d->errors.error_exit = error_exit;
	d->errors.emit_message = error_message;
	d->errors.output_message = error_silent;
	d->jpeg.client_data = d;
	if (setjmp(d->fail))
		return -ENOMEM;
	jpeg_create_decompress(&d->jpeg);
	d->coarse = jpeg_coarse_open();
	if (d->coarse)
		return 0;
	jpeg_destroy_decompress(&d->jpeg);
	return -ENOMEM;
}

struct sluice_decoder *sluice_decoder_open(void)
{
	struct sluice_decoder *d = calloc(1, sizeof(*d));

	if (!d || !create(d))
		return d;
	free(d);
	return NULL;
}

void sluice_decoder_close(struct sluice_decoder *d)
{
	if (!d)
		return;
	jpeg_destroy_decompress(&d->jpeg);
	jpeg_coarse_close(d->coarse);
	free(d->px);
	free(d->rows);
	free(d);
}

static uint32_t scale_for(uint32_t width)
{
	uint32_t scale = 8;

	while (scale > 1 && (width + scale - 1) / scale < SLUICE_GRAY_WIDTH)
		scale /= 2;
	return scale;
}

uint32_t sluice_decode_pixels(uint32_t width, uint32_t height)
{
	uint32_t scale = scale_for(width);

	return ((width + scale - 1) / scale) * ((height + scale - 1) / scale);
}

static int grow(uint8_t **buffer, size_t *capacity, size_t need)
{
	uint8_t *p;

	if (need <= *capacity)
		return 0;
	p = realloc(*buffer, need);
	if (!p)
		return -ENOMEM;
	*buffer = p;
	*capacity = need;
	return 0;
}

/* libjpeg has left by longjmp: is it the picture's fault, or is there no memory for it? */
static int give_up(struct sluice_decoder *d)
{
	int err = d->errors.msg_code == JERR_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG;

	jpeg_abort_decompress(&d->jpeg);
	return err;
}

static int decode_rows(struct sluice_decoder *d, struct sluice_gray *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;

	while (j->output_scanline < j->output_height) {
		JSAMPROW row = out->px + (size_t)j->output_scanline * j->output_width;

		jpeg_read_scanlines(j, &row, 1);
	}
	return 0;
}

/* One chroma line of a part, from the nearest of its samples. */
static void put_chroma(uint8_t *to, uint32_t w, const uint8_t *from, uint32_t from_w)
{
	if (from_w == w) {
		memcpy(to, from, w);
	} else if (from_w / 2 == w) {
		for (uint32_t x = 0; x < w; x++)
			to[x] = (uint8_t)((from[2 * x] + from[2 * x + 1] + 1) / 2);
	} else {
		for (uint32_t x = 0; x < w; x++)
			to[x] = from[(uint64_t)x * from_w / w];
	}
}

/* Planes, a line of MCUs at a time: that many lines of each part. */
static int decode_planes(struct sluice_decoder *d, struct sluice_gray *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	uint32_t cw = (out->w + 1) / 2, ch = (out->h + 1) / 2, put = 0;
	uint32_t step = j->max_v_samp_factor * j->min_DCT_scaled_size;
	JSAMPROW row[3][4 * DCTSIZE];
	JSAMPARRAY parts[3] = { row[0], row[1], row[2] };
	size_t need = 0, at = 0;

	for (int c = 0; c < 3; c++)
		need += (size_t)j->comp_info[c].v_samp_factor * j->comp_info[c].DCT_scaled_size *
			(j->comp_info[c].width_in_blocks + 4) * j->comp_info[c].DCT_scaled_size;
	if (grow(&d->rows, &d->rows_capacity, need))
		return -ENOMEM;
	for (int c = 0; c < 3; c++) {
		const jpeg_component_info *p = &j->comp_info[c];

		for (int y = 0; y < p->v_samp_factor * p->DCT_scaled_size; y++) {
			row[c][y] = d->rows + at;
			at += (size_t)(p->width_in_blocks + 4) * p->DCT_scaled_size;
		}
	}
	for (uint32_t y = 0; y < out->h; y += step) {
		jpeg_read_raw_data(j, parts, step);
		for (uint32_t k = 0; k < step && y + k < out->h; k++)
			memcpy(out->px + (size_t)(y + k) * out->w, row[0][k], out->w);
		for (; put < ch && put * 2 < y + step; put++)
			for (int c = 1; c < 3; c++) {
				const jpeg_component_info *p = &j->comp_info[c];
				uint32_t lines = p->v_samp_factor * p->DCT_scaled_size;

				put_chroma((c == 1 ? out->cb : out->cr) + (size_t)put * cw, cw,
					   row[c][(put * 2 - y) * lines / step],
					   p->downsampled_width);
			}
	}
	return 0;
}

/* Colour whose luma is as fine as the picture; other JPEGs are taken as grey. */
static int has_planes(const struct jpeg_decompress_struct *j)
{
	return j->num_components == 3 && j->jpeg_color_space == JCS_YCbCr &&
	       j->comp_info[0].h_samp_factor == j->max_h_samp_factor &&
	       j->comp_info[0].v_samp_factor == j->max_v_samp_factor;
}

static int prepare(struct sluice_decoder *d, struct sluice_gray *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	size_t n, c;

	*out = (struct sluice_gray){ .w = j->output_width,
				     .h = j->output_height,
				     .scale = j->scale_denom };
	n = (size_t)out->w * out->h;
	c = sluice_gray_chroma(out);
	if (grow(&d->px, &d->capacity, n + 2 * c))
		return -ENOMEM;
	out->px = d->px;
	if (j->raw_data_out) {
		out->cb = d->px + n;
		out->cr = out->cb + c;
	}
	return 0;
}

/* Read the header; the picture must be one of ours. Leaves by longjmp as the rest. */
static int read_head(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
		     uint32_t height)
{
	struct jpeg_decompress_struct *j = &d->jpeg;

	jpeg_mem_src(j, jpeg, size);
	if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK || j->image_width != width ||
	    j->image_height != height || j->progressive_mode || j->data_precision != 8)
		return -EBADMSG;
	j->scale_num = 1;
	j->dct_method = JDCT_IFAST;
	return 0;
}

int sluice_decode_gray(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
		       uint32_t height, struct sluice_gray *out)
{
	return sluice_decode_scaled(d, jpeg, size, width, height, scale_for(width), out);
}

int sluice_decode_scaled(struct sluice_decoder *d, const uint8_t *jpeg, size_t size, uint32_t width,
			 uint32_t height, uint32_t scale, struct sluice_gray *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	int err;

	if (width > SLUICE_DECODE_SIDE_MAX || height > SLUICE_DECODE_SIDE_MAX)
		return -EBADMSG;
	d->early_end = 0;
	if (setjmp(d->fail))
		return give_up(d);
	if (read_head(d, jpeg, size, width, height)) {
		jpeg_abort_decompress(j);
		return -EBADMSG;
	}
	j->raw_data_out = has_planes(j);
	j->out_color_space = j->raw_data_out ? JCS_YCbCr : JCS_GRAYSCALE;
	j->scale_denom = scale;
	jpeg_calc_output_dimensions(j);
	err = prepare(d, out);
	if (!err)
		err = jpeg_coarse_read(d->coarse, j, out);
	if (!err) {
		jpeg_abort_decompress(j);
		return 0;
	}
	if (err == -ENOTSUP) {
		jpeg_start_decompress(j);
		err = j->raw_data_out ? decode_planes(d, out) : decode_rows(d, out);
	}
	if (err) {
		jpeg_abort_decompress(j);
		return err;
	}
	jpeg_finish_decompress(j);
	return d->early_end ? -EBADMSG : 0;
}

/* Two rows of Y, Cb, Cr (or of grey) into the picture; the last of an odd number is doubled. */
static void put_rows(struct sluice_picture *p, uint32_t y, const uint8_t *rows, uint32_t w,
		     uint32_t parts)
{
	uint8_t *cb = p->plane[1] + (size_t)y / 2 * (p->w / 2);
	uint8_t *cr = p->plane[2] + (size_t)y / 2 * (p->w / 2);

	for (uint32_t x = 0; x < p->w; x += 2) {
		uint32_t x1 = x + 1 < w ? x + 1 : x;
		const uint8_t *a = rows + (size_t)x * parts, *b = rows + (size_t)x1 * parts;
		const uint8_t *c = a + (size_t)w * parts, *e = b + (size_t)w * parts;
		uint8_t *top = p->plane[0] + (size_t)y * p->w + x, *low = top + p->w;

		top[0] = a[0];
		top[1] = b[0];
		low[0] = c[0];
		low[1] = e[0];
		cb[x / 2] = parts == 3 ? (a[1] + b[1] + c[1] + e[1] + 2) / 4 : 128;
		cr[x / 2] = parts == 3 ? (a[2] + b[2] + c[2] + e[2] + 2) / 4 : 128;
	}
}

static int decode_picture_rows(struct sluice_decoder *d, struct sluice_picture *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	uint32_t w = j->output_width, h = j->output_height, parts = j->output_components;
	size_t row = (size_t)w * parts;
	int err = sluice_picture_size(out, w, h);

	if (!err)
		err = grow(&d->px, &d->capacity, 2 * row);
	for (uint32_t y = 0; !err && y < h; y += 2) {
		JSAMPROW first = d->px, second = d->px + row;

		jpeg_read_scanlines(j, &first, 1);
		if (y + 1 < h)
			jpeg_read_scanlines(j, &second, 1);
		else
			memcpy(second, first, row);
		put_rows(out, y, d->px, w, parts);
	}
	return err;
}

/* The smallest scale that brings a length to at most side; 0: none does. */
static uint32_t scale_within(uint32_t length, uint32_t side)
{
	uint32_t scale = 1;

	while (scale <= 8 && (length + scale - 1) / scale > side)
		scale *= 2;
	return scale <= 8 ? scale : 0;
}

int sluice_decode_picture(struct sluice_decoder *d, const uint8_t *jpeg, size_t size,
			  uint32_t width, uint32_t height, uint32_t side,
			  struct sluice_picture *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	int err;

	if (width > SLUICE_DECODE_SIDE_MAX || height > SLUICE_DECODE_SIDE_MAX)
		return -EBADMSG;
	d->early_end = 0;
	if (setjmp(d->fail))
		return give_up(d);
	if (read_head(d, jpeg, size, width, height)) {
		jpeg_abort_decompress(j);
		return -EBADMSG;
	}
	j->out_color_space = j->jpeg_color_space == JCS_YCbCr ? JCS_YCbCr : JCS_GRAYSCALE;
	j->scale_denom = scale_within(width > height ? width : height, side);
	if (!j->scale_denom) {
		jpeg_abort_decompress(j);
		return -EBADMSG;
	}
	jpeg_start_decompress(j);
	err = decode_picture_rows(d, out);
	if (err) {
		jpeg_abort_decompress(j);
		return err;
	}
	jpeg_finish_decompress(j);
	return d->early_end ? -EBADMSG : 0;
}
