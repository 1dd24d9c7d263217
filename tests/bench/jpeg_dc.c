// SPDX-License-Identifier: MIT
/*
 * jpeg_dc.c - DC grid of MJPEG frames against libjpeg-turbo's decode to grey at 1/8, which yields
 * the same cells (its 1/8 scale is the DC coefficient alone). Real frames, 16 in turn, encoded as
 * USB cameras do: quality 80, 4:2:2, standard Huffman tables. Both sides keep their decoder.
 */
#include "bench.h"
#include "kmod/jpeg_dc.h"
#include <stdio.h>
#include <stdlib.h>
#include <turbojpeg.h>

#define FRAMES 16

struct job {
	unsigned int width, height;
	unsigned char *jpeg[FRAMES];
	unsigned long size[FRAMES];
	struct sluice_jpeg_dc dec;
	tjhandle peer;
	u16 cell[240 * 135];
	u8 grey[240 * 135];
};

static uint64_t grid_frame(void *context, unsigned int i)
{
	struct job *j = context;

	if (sluice_jpeg_dc_grid(&j->dec, j->jpeg[i], j->size[i], j->width, j->height, j->cell,
				NULL))
		abort();
	return j->cell[i];
}

static uint64_t turbo_frame(void *context, unsigned int i)
{
	struct job *j = context;

	if (tjDecompress2(j->peer, j->jpeg[i], j->size[i], j->grey, j->width / 8, 0, j->height / 8,
			  TJPF_GRAY, 0))
		abort();
	return j->grey[i];
}

static void bench_size(struct bench *b, unsigned int width, unsigned int height)
{
	struct bench_row row = { .against = "libjpeg-turbo, grey at 1/8", .aim = 0.6 };
	struct job *j = calloc(1, sizeof(*j));
	tjhandle encoder = tjInitCompress();
	char name[64], what[256];
	unsigned long bytes = 0;
	const char *source;
	uint8_t *pixels;

	snprintf(name, sizeof(name), "dc_grid_%ux%u", width, height);
	pixels = bench_clip(b, name, width, height, FRAMES, &source);
	if (j && pixels) {
		j->width = width;
		j->height = height;
		j->peer = tjInitDecompress();
		for (int i = 0; i < FRAMES; i++) {
			if (tjCompress2(encoder, pixels + (size_t)i * width * height * 3, width, 0,
					height, TJPF_RGB, &j->jpeg[i], &j->size[i], TJSAMP_422, 80,
					0))
				abort();
			bytes += j->size[i];
		}
		snprintf(what, sizeof(what),
			 "DC grid of %ux%u MJPEG, q80 4:2:2, mean %lu bytes, %d frames of %s in "
			 "turn",
			 width, height, bytes / FRAMES, FRAMES, source);
		row.name = name;
		row.what = what;
		bench_pair(b, &row, grid_frame, j, turbo_frame, j, FRAMES);
		for (int i = 0; i < FRAMES; i++)
			tjFree(j->jpeg[i]);
		tjDestroy(j->peer);
	}
	tjDestroy(encoder);
	free(pixels);
	free(j);
}

void bench_jpeg_dc(struct bench *b)
{
	bench_size(b, 640, 480);
	bench_size(b, 1280, 720);
	bench_size(b, 1920, 1080);
}
