// SPDX-License-Identifier: MIT
/*
 * libjpeg-turbo by its raw-data interface: the planes of the camera are the planes of the JPEG, so
 * nothing is converted or resampled. Lines that already lie in the ring as the JPEG wants them
 * (planar luma, a width that is a multiple of 16) are read in place; interleaved ones are taken
 * apart into a strip of 16 lines that stays in the cache. The edge is filled with its last pixel.
 *
 * A frame shorter than its format says is filled up with zeros before it is compressed: a picture
 * with a grey or green end, but every delivered pixel is in it. libjpeg reports errors by a jump
 * out of the middle; the encoder is then as good as new.
 *
 * The standard Huffman tables (ITU-T T.81, K.3) are taken from libjpeg itself.
 */
#include "relay/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#define FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SIDE_MAX  4096
#define RAW_MAX	  (64u << 20)
#define OUT_FIRST (256u << 10)
#define DHT_MAX	  512

enum layout { YUYV, UYVY, NV12, NV21, YU12, GREY, RGB, BGR, MJPEG, LAYOUTS };

static const struct {
	uint32_t fourcc;
	enum layout layout;
} formats[] = {
	{ FOURCC('Y', 'U', 'Y', 'V'), YUYV },  { FOURCC('U', 'Y', 'V', 'Y'), UYVY },
	{ FOURCC('N', 'V', '1', '2'), NV12 },  { FOURCC('N', 'V', '2', '1'), NV21 },
	{ FOURCC('Y', 'U', '1', '2'), YU12 },  { FOURCC('G', 'R', 'E', 'Y'), GREY },
	{ FOURCC('R', 'G', 'B', '3'), RGB },   { FOURCC('B', 'G', 'R', '3'), BGR },
	{ FOURCC('M', 'J', 'P', 'G'), MJPEG }, { FOURCC('J', 'P', 'E', 'G'), MJPEG },
};

/* A raw picture. */
struct raw {
	enum layout layout;
	const uint8_t *bytes;
	uint32_t width, height, stride;
	size_t size; /* that it has when it is whole */
};

struct relay_encoder {
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_destination_mgr dest;
	jmp_buf out_of_here;
	int err;
	unsigned int quality;
	uint8_t *out;
	size_t out_size, out_max;
	uint8_t dht[DHT_MAX];
	size_t dht_size;
	uint8_t *filled;	    /* a short frame made whole */
	uint8_t luma[16][SIDE_MAX]; /* the strip */
	uint8_t blue[8][SIDE_MAX / 2];
	uint8_t red[8][SIDE_MAX / 2];
};

/* ---- libjpeg's callbacks ---- */

static void on_error(j_common_ptr jpeg)
{
	struct relay_encoder *e = jpeg->client_data;

	if (!e->err)
		e->err = -EINVAL;
	longjmp(e->out_of_here, 1);
}

static void on_message(j_common_ptr jpeg)
{
}

static void out_begin(j_compress_ptr jpeg)
{
	struct relay_encoder *e = jpeg->client_data;

	e->dest.next_output_byte = e->out;
	e->dest.free_in_buffer = e->out_size;
}

/* The buffer is full: twice as much, up to the bound. */
static boolean out_full(j_compress_ptr jpeg)
{
	struct relay_encoder *e = jpeg->client_data;
	size_t had = e->out_size, size = had * 2 < e->out_max ? had * 2 : e->out_max;
	uint8_t *more = size > had ? realloc(e->out, size) : NULL;

	if (!more) {
		e->err = size > had ? -ENOMEM : -EMSGSIZE;
		on_error((j_common_ptr)jpeg);
	}
	e->out = more;
	e->out_size = size;
	e->dest.next_output_byte = e->out + had;
	e->dest.free_in_buffer = size - had;
	return TRUE;
}

static void out_end(j_compress_ptr jpeg)
{
}

/* ---- Huffman tables ---- */

static void add_table(struct relay_encoder *e, uint8_t id, const JHUFF_TBL *t)
{
	size_t values = 0;

	for (int i = 1; i <= 16; i++)
		values += t->bits[i];
	if (e->dht_size + 17 + values > DHT_MAX)
		return;
	e->dht[e->dht_size++] = id;
	memcpy(e->dht + e->dht_size, t->bits + 1, 16);
	memcpy(e->dht + e->dht_size + 16, t->huffval, values);
	e->dht_size += 16 + values;
}

/* SOI and a DHT segment with the four standard tables: what goes before a picture without any. */
static void make_dht(struct relay_encoder *e)
{
	e->jpeg.in_color_space = JCS_YCbCr;
	e->jpeg.input_components = 3;
	jpeg_set_defaults(&e->jpeg);
	memcpy(e->dht, "\xff\xd8\xff\xc4\0\0", 6);
	e->dht_size = 6;
	add_table(e, 0x00, e->jpeg.dc_huff_tbl_ptrs[0]);
	add_table(e, 0x10, e->jpeg.ac_huff_tbl_ptrs[0]);
	add_table(e, 0x01, e->jpeg.dc_huff_tbl_ptrs[1]);
	add_table(e, 0x11, e->jpeg.ac_huff_tbl_ptrs[1]);
	e->dht[4] = (uint8_t)((e->dht_size - 4) >> 8);
	e->dht[5] = (uint8_t)(e->dht_size - 4);
}

/* Returns false if libjpeg jumped out. */
static bool set_up(struct relay_encoder *e)
{
	if (setjmp(e->out_of_here))
		return false;
	jpeg_create_compress(&e->jpeg);
	e->dest.init_destination = out_begin;
	e->dest.empty_output_buffer = out_full;
	e->dest.term_destination = out_end;
	e->jpeg.dest = &e->dest;
	make_dht(e);
	return true;
}

struct relay_encoder *relay_encoder_open(unsigned int quality, size_t size_max)
{
	struct relay_encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->quality = quality;
	e->out_max = size_max;
	e->out_size = OUT_FIRST < size_max ? OUT_FIRST : size_max;
	e->out = malloc(e->out_size);
	e->jpeg.err = jpeg_std_error(&e->errors);
	e->errors.error_exit = on_error;
	e->errors.output_message = on_message;
	e->jpeg.client_data = e;
	if (e->out && set_up(e))
		return e;
	relay_encoder_close(e);
	return NULL;
}

void relay_encoder_quality(struct relay_encoder *e, unsigned int quality)
{
	e->quality = quality;
}

void relay_encoder_close(struct relay_encoder *e)
{
	if (!e)
		return;
	jpeg_destroy_compress(&e->jpeg);
	free(e->out);
	free(e->filled);
	free(e);
}

/* ---- lines ---- */

static void pad_line(uint8_t *line, uint32_t from, uint32_t to)
{
	if (from < to)
		memset(line + from, line[from - 1], to - from);
}

/* Every second byte of a line, from the offset on. */
static void pick_bytes(uint8_t *out, const uint8_t *in, uint32_t count, uint32_t step)
{
	for (uint32_t i = 0; i < count; i++)
		out[i] = in[(size_t)i * step];
}

static const uint8_t *raw_line(const struct raw *r, uint32_t y)
{
	return r->bytes + (size_t)r->stride * (y < r->height ? y : r->height - 1);
}

static JSAMPROW luma_line(struct relay_encoder *e, const struct raw *r, uint32_t y, uint32_t at)
{
	uint32_t wide = (r->width + 15) & ~15u;
	const uint8_t *line = raw_line(r, y);

	if (r->layout == YUYV || r->layout == UYVY)
		pick_bytes(e->luma[at], line + (r->layout == UYVY), r->width, 2);
	else if (wide == r->width)
		return (JSAMPROW)line;
	else
		memcpy(e->luma[at], line, r->width);
	pad_line(e->luma[at], r->width, wide);
	return e->luma[at];
}

/* Line cy of both chroma planes, into the strip. */
static void chroma_line(struct relay_encoder *e, const struct raw *r, uint32_t cy, uint32_t at)
{
	uint32_t half = r->width / 2, wide = ((r->width + 15) & ~15u) / 2;
	uint32_t lines = (r->height + 1) / 2;
	const uint8_t *line;

	if (r->layout == YUYV || r->layout == UYVY) {
		line = raw_line(r, cy) + (r->layout == YUYV);
		pick_bytes(e->blue[at], line, half, 4);
		pick_bytes(e->red[at], line + 2, half, 4);
	} else {
		if (cy >= lines)
			cy = lines - 1;
		line = r->bytes + (size_t)r->stride * r->height;
		if (r->layout == YU12) {
			line += (size_t)(r->stride / 2) * cy;
			memcpy(e->blue[at], line, half);
			memcpy(e->red[at], line + (size_t)(r->stride / 2) * lines, half);
		} else {
			line += (size_t)r->stride * cy;
			pick_bytes(e->blue[at], line + (r->layout == NV21), half, 2);
			pick_bytes(e->red[at], line + (r->layout == NV12), half, 2);
		}
	}
	pad_line(e->blue[at], half, wide);
	pad_line(e->red[at], half, wide);
}

/* ---- compression ---- */

static void compress_planes(struct relay_encoder *e, const struct raw *r)
{
	bool packed = r->layout == YUYV || r->layout == UYVY;
	uint32_t lines = packed ? 8 : 16; /* of luma in one row of blocks */
	JSAMPROW luma[16], blue[8], red[8];
	JSAMPARRAY planes[3] = { luma, blue, red };

	e->jpeg.in_color_space = JCS_YCbCr;
	e->jpeg.input_components = 3;
	jpeg_set_defaults(&e->jpeg);
	jpeg_set_quality(&e->jpeg, (int)e->quality, TRUE);
	e->jpeg.raw_data_in = TRUE;
	e->jpeg.comp_info[0].h_samp_factor = 2;
	e->jpeg.comp_info[0].v_samp_factor = packed ? 1 : 2;
	jpeg_start_compress(&e->jpeg, TRUE);
	while (e->jpeg.next_scanline < r->height) {
		uint32_t y = e->jpeg.next_scanline;

		for (uint32_t i = 0; i < lines; i++)
			luma[i] = luma_line(e, r, y + i, i);
		for (uint32_t i = 0; i < 8; i++) {
			chroma_line(e, r, packed ? y + i : y / 2 + i, i);
			blue[i] = e->blue[i];
			red[i] = e->red[i];
		}
		jpeg_write_raw_data(&e->jpeg, planes, lines);
	}
}

static void compress_lines(struct relay_encoder *e, const struct raw *r)
{
	e->jpeg.in_color_space = r->layout == GREY  ? JCS_GRAYSCALE
				 : r->layout == RGB ? JCS_EXT_RGB
						    : JCS_EXT_BGR;
	e->jpeg.input_components = r->layout == GREY ? 1 : 3;
	jpeg_set_defaults(&e->jpeg);
	jpeg_set_quality(&e->jpeg, (int)e->quality, TRUE);
	jpeg_start_compress(&e->jpeg, TRUE);
	while (e->jpeg.next_scanline < r->height) {
		JSAMPROW line = (JSAMPROW)raw_line(r, e->jpeg.next_scanline);

		jpeg_write_scanlines(&e->jpeg, &line, 1);
	}
}

static int compress_raw(struct relay_encoder *e, const struct raw *r, struct relay_picture *out)
{
	e->err = 0;
	if (setjmp(e->out_of_here)) {
		jpeg_abort_compress(&e->jpeg);
		return e->err;
	}
	e->jpeg.image_width = r->width;
	e->jpeg.image_height = r->height;
	e->jpeg.raw_data_in = FALSE;
	if (r->layout <= YU12)
		compress_planes(e, r);
	else
		compress_lines(e, r);
	jpeg_finish_compress(&e->jpeg);
	out->iov[0].iov_base = e->out;
	out->iov[0].iov_len = e->out_size - e->dest.free_in_buffer;
	out->count = 1;
	out->size = out->iov[0].iov_len;
	return 0;
}

/* Sizes that fit together: everything that is read lies within r->size bytes. */
static int check_raw(struct raw *r)
{
	uint64_t step = r->layout == GREY ? 1 : r->layout <= UYVY ? 2 : r->layout <= YU12 ? 1 : 3;
	uint64_t size;

	if (!r->stride)
		r->stride = r->width * (uint32_t)step;
	if (r->width < 2 || r->height < 2 || r->width > SIDE_MAX || r->height > SIDE_MAX ||
	    r->stride < r->width * step || (r->layout <= YU12 && r->width & 1) ||
	    (r->layout == YU12 && r->stride & 1))
		return -EINVAL;
	size = (uint64_t)r->stride * r->height;
	if (r->layout >= NV12 && r->layout <= YU12)
		size += (uint64_t)r->stride * ((r->height + 1) / 2);
	r->size = size;
	return size > RAW_MAX ? -EINVAL : 0;
}

static int encode_raw(struct relay_encoder *e, enum layout layout, const struct sluice_ring_desc *d,
		      const uint8_t *bytes, struct relay_picture *out)
{
	struct raw r = { .layout = layout,
			 .bytes = bytes,
			 .width = d->width,
			 .height = d->height,
			 .stride = d->stride };
	int err = check_raw(&r);

	if (err)
		return err;
	if (d->size < r.size) {
		e->filled = calloc(1, r.size);
		if (!e->filled)
			return -ENOMEM;
		memcpy(e->filled, bytes, d->size);
		r.bytes = e->filled;
	}
	err = compress_raw(e, &r, out);
	free(e->filled);
	e->filled = NULL;
	return err;
}

static int pass_jpeg(struct relay_encoder *e, const struct sluice_ring_desc *d,
		     const uint8_t *bytes, struct relay_picture *out)
{
	bool insert = d->flags & SLUICE_FRAME_NODHT && d->size > 2 && bytes[0] == 0xff &&
		      bytes[1] == 0xd8;

	if (!d->size)
		return -EINVAL;
	out->count = 0;
	if (insert)
		out->iov[out->count++] = (struct iovec){ e->dht, e->dht_size };
	out->iov[out->count].iov_base = (void *)(bytes + (insert ? 2 : 0));
	out->iov[out->count++].iov_len = d->size - (insert ? 2 : 0);
	out->size = d->size + (insert ? e->dht_size - 2 : 0);
	return out->size > e->out_max ? -EMSGSIZE : 0;
}

int relay_encode(struct relay_encoder *e, const struct sluice_ring_desc *d, const uint8_t *bytes,
		 struct relay_picture *out)
{
	out->head = (struct iovec){ 0 };
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].fourcc != d->format)
			continue;
		return formats[i].layout == MJPEG ? pass_jpeg(e, d, bytes, out)
						  : encode_raw(e, formats[i].layout, d, bytes, out);
	}
	return -EOPNOTSUPP;
}
