// SPDX-License-Identifier: MIT
/*
 * jpeg_make.c - see jpeg_make.h. Errors of libjpeg end the program: a test without its picture
 * proves nothing.
 */
#include "jpeg_make.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

uint8_t *jpeg_from_pixels(const struct jpeg_shape *s, const uint8_t *pixel, size_t *size)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	unsigned char *out = NULL;
	unsigned long length = 0;
	jpeg_scan_info scan[3];

	c.err = jpeg_std_error(&err);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &out, &length);
	c.image_width = s->width;
	c.image_height = s->height;
	c.input_components = s->components;
	c.in_color_space = s->components == 1 ? JCS_GRAYSCALE : s->rgb ? JCS_RGB : JCS_YCbCr;
	jpeg_set_defaults(&c);
	if (s->rgb)
		jpeg_set_colorspace(&c, JCS_RGB);
	jpeg_set_quality(&c, s->quality, TRUE);
	c.comp_info[0].h_samp_factor = s->h;
	c.comp_info[0].v_samp_factor = s->v;
	c.restart_interval = s->restart;
	c.optimize_coding = s->optimise;
	if (s->progressive)
		jpeg_simple_progression(&c);
	if (s->apart) { /* chroma first, so that a scan is skipped before luma comes */
		memset(scan, 0, sizeof(scan));
		for (unsigned int i = 0; i < s->components; i++) {
			scan[i].comps_in_scan = 1;
			scan[i].component_index[0] = s->components - 1 - i;
			scan[i].Se = 63;
		}
		c.scan_info = scan;
		c.num_scans = s->components;
	}
	jpeg_start_compress(&c, TRUE);
	while (c.next_scanline < c.image_height) {
		JSAMPROW row = (JSAMPROW)pixel + (size_t)c.next_scanline * s->width * s->components;

		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	*size = length;
	if (s->no_tables)
		jpeg_strip(out, size, 0xc4);
	return out;
}

uint8_t *jpeg_make(const struct jpeg_shape *s, unsigned int seed, int noise, size_t *size)
{
	uint8_t *pixel = malloc((size_t)s->width * s->height * s->components), *p = pixel, *out;

	if (!pixel)
		exit(1);
	for (unsigned int y = 0; y < s->height; y++) {
		for (unsigned int x = 0; x < s->width; x++) {
			for (unsigned int c = 0; c < s->components; c++) {
				int value = (x * (c + 1) + y * 2 + (x / 16 * y / 16) * 13) & 255;

				seed = seed * 1664525u + 1013904223u;
				value += noise * (int)(seed >> 24) / 256 - noise / 2;
				*p++ = value < 0 ? 0 : value > 255 ? 255 : value;
			}
		}
	}
	out = jpeg_from_pixels(s, pixel, size);
	free(pixel);
	return out;
}

void jpeg_strip(uint8_t *data, size_t *size, int marker)
{
	size_t at = 2;

	while (at + 4 <= *size && data[at] == 0xff && data[at + 1] != 0xda) {
		size_t length = 2 + (data[at + 2] << 8 | data[at + 3]);

		if (data[at + 1] == marker) {
			memmove(data + at, data + at + length, *size - at - length);
			*size -= length;
		} else {
			at += length;
		}
	}
}

/* libjpeg-turbo puts the standard tables in by itself when DHT is missing. */
void jpeg_reference(const uint8_t *data, size_t size, uint16_t *cell)
{
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr err;
	jvirt_barray_ptr *coefficients;

	d.err = jpeg_std_error(&err);
	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, data, size);
	jpeg_read_header(&d, TRUE);
	coefficients = jpeg_read_coefficients(&d);
	for (unsigned int y = 0; y < (d.image_height + 7) / 8; y++) {
		JBLOCKARRAY row =
			d.mem->access_virt_barray((j_common_ptr)&d, coefficients[0], y, 1, FALSE);

		for (unsigned int x = 0; x < (d.image_width + 7) / 8; x++) {
			int value =
				32768 + 32 * row[0][x][0] * d.comp_info[0].quant_table->quantval[0];

			*cell++ = value < 0 ? 0 : value > 65535 ? 65535 : value;
		}
	}
	jpeg_finish_decompress(&d);
	jpeg_destroy_decompress(&d);
}
