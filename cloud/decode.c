// SPDX-License-Identifier: MIT
/*
 * decode.c - JPEG to grey at 1/1, 1/2, 1/4 or 1/8, the inverse DCT doing the scaling.
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
#include <jpeglib.h>
#include <jerror.h>

#include "cloud/decode.h"

struct sluice_decoder {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	jmp_buf fail;
	int early_end;
	uint8_t *px;
	size_t capacity;
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
	return 0;
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
	free(d->px);
	free(d);
}

static uint32_t scale_for(uint32_t width)
{
	uint32_t scale = 8;

	while (scale > 1 && (width + scale - 1) / scale < 160)
		scale /= 2;
	return scale;
}

static int decode_rows(struct sluice_decoder *d, struct sluice_gray *out)
{
	struct jpeg_decompress_struct *j = &d->jpeg;
	size_t need = (size_t)j->output_width * j->output_height;

	if (need > d->capacity) {
		uint8_t *px = realloc(d->px, need);

		if (!px)
			return -ENOMEM;
		d->px = px;
		d->capacity = need;
	}
	while (j->output_scanline < j->output_height) {
		JSAMPROW row = d->px + (size_t)j->output_scanline * j->output_width;

		jpeg_read_scanlines(j, &row, 1);
	}
	out->px = d->px;
	out->w = j->output_width;
	out->h = j->output_height;
	out->scale = j->scale_denom;
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
	if (setjmp(d->fail)) {
		jpeg_abort_decompress(j);
		return -EBADMSG;
	}
	jpeg_mem_src(j, jpeg, size);
	if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK || j->image_width != width ||
	    j->image_height != height || j->progressive_mode || j->data_precision != 8) {
		jpeg_abort_decompress(j);
		return -EBADMSG;
	}
	j->out_color_space = JCS_GRAYSCALE;
	j->scale_num = 1;
	j->scale_denom = scale;
	j->dct_method = JDCT_IFAST;
	jpeg_start_decompress(j);
	err = decode_rows(d, out);
	if (err) {
		jpeg_abort_decompress(j);
		return err;
	}
	jpeg_finish_decompress(j);
	return d->early_end ? -EBADMSG : 0;
}
