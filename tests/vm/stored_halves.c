// SPDX-License-Identifier: MIT
/*
 * stored_halves.c - what a cloud has stored of a camera whose left half is masked.
 *
 * usage: stored_halves DATA: every segment below DATA is read with the cloud's own reader, every
 * picture decoded. Left of the middle (16 pixels apart from it, for what compression smears) luma
 * must be one value; right of it there must be a picture. Prints how many pictures were looked at;
 * exit 1 if one shows something, or if there is none.
 */
#include "cloud/segment.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#define SMEAR 16
#define FLAT  6 /* luma levels that compression may leave between blocks of one colour */

static unsigned int pictures, wrong;

static void look(const uint8_t *row, unsigned int from, unsigned int to, uint8_t *low,
		 uint8_t *high)
{
	for (unsigned int x = from; x < to; x++) {
		*low = row[x] < *low ? row[x] : *low;
		*high = row[x] > *high ? row[x] : *high;
	}
}

static void check_picture(const uint8_t *jpeg, size_t size)
{
	struct jpeg_error_mgr errors;
	struct jpeg_decompress_struct d = { .err = jpeg_std_error(&errors) };
	uint8_t low[2] = { 255, 255 }, high[2] = { 0, 0 };
	JSAMPROW row;

	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, jpeg, size);
	jpeg_read_header(&d, TRUE);
	d.out_color_space = JCS_GRAYSCALE;
	jpeg_start_decompress(&d);
	row = malloc(d.output_width);
	if (!row)
		abort();
	while (d.output_scanline < d.output_height) {
		jpeg_read_scanlines(&d, &row, 1);
		look(row, 0, d.output_width / 2 - SMEAR, &low[0], &high[0]);
		look(row, d.output_width / 2 + SMEAR, d.output_width, &low[1], &high[1]);
	}
	jpeg_finish_decompress(&d);
	jpeg_destroy_decompress(&d);
	free(row);
	pictures++;
	if (high[0] - low[0] > FLAT || high[1] - low[1] < 40) {
		printf("picture %u: left %u..%u, right %u..%u\n", pictures, low[0], high[0], low[1],
		       high[1]);
		wrong++;
	}
}

static int on_frame(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		    uint32_t length)
{
	check_picture(f->jpeg, f->jpeg_size);
	return 0;
}

static int on_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');
	struct sluice_segment_info info;
	uint64_t good, size;

	if (kind != FTW_F || !dot || strcmp(dot, ".seg"))
		return 0;
	if (sluice_segment_scan(path, NULL, &info, on_frame, NULL, &good, &size) || good != size) {
		printf("%s: damaged\n", path);
		wrong++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 || nftw(argv[1], on_file, 8, FTW_PHYS)) {
		fprintf(stderr, "usage: stored_halves DATA\n");
		return 2;
	}
	printf("%u pictures, %u wrong\n", pictures, wrong);
	return wrong || !pictures;
}
