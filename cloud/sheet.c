// SPDX-License-Identifier: MIT
/*
 * sheet.c - still pictures of an event: the storyboard, a thumbnail, and the heat map, which lays
 * over a darkened key frame how often something moved at each place (dark red: seldom, yellow: as
 * often as anywhere).
 */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "cloud/decode.h"
#include "cloud/digest.h"

#define CELL_SIDE  320 /* pixels of a picture in the sheet */
#define THUMB_SIDE 160
#define BORDER	   4
#define QUALITY	   80

/* *data: malloc'd, the caller's. */
static int encode_jpeg(const struct sluice_picture *p, uint8_t **data, size_t *size)
{
	const unsigned char *planes[3] = { p->plane[0], p->plane[1], p->plane[2] };
	tjhandle tj = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long n = 0;
	int err = -EIO;

	*data = NULL;
	if (!tj)
		return -ENOMEM;
	if (!tjCompressFromYUVPlanes(tj, planes, p->w, NULL, p->h, TJSAMP_420, &out, &n, QUALITY,
				     0)) {
		*data = malloc(n);
		err = *data ? 0 : -ENOMEM;
	}
	if (!err) {
		memcpy(*data, out, n);
		*size = n;
	}
	tjFree(out);
	tjDestroy(tj);
	return err;
}

/* A frame, small. 0, 1: not there, -ENOMEM. */
static int load(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		const struct sluice_digest_frame *f, struct sluice_decoder *d, uint32_t side,
		struct sluice_picture *out)
{
	size_t size = 0;
	uint8_t *jpeg = o->fetch(o->ctx, p->epoch, f->sequence, &size);
	int err;

	/* 1/8 of a very large picture may still be larger */
	while (side < (p->width + 7) / 8 || side < (p->height + 7) / 8)
		side *= 2;
	err = jpeg ? sluice_decode_picture(d, jpeg, size, p->width, p->height, side, out) : -ENOENT;
	free(jpeg);
	return err == -ENOMEM ? err : err ? 1 : 0;
}

struct sheet {
	struct sluice_picture all, cell;
	uint32_t columns, shown;
};

static uint32_t columns_of(uint32_t count)
{
	return count < 2 ? 1 : count < 5 ? 2 : count < 10 ? 3 : 4;
}

static int add_cell(struct sheet *s, const struct sluice_digest_plan *p,
		    const struct sluice_digest_frame *f)
{
	uint32_t w = s->cell.w + BORDER, h = s->cell.h + BORDER;
	uint32_t rows = (p->key_count + s->columns - 1) / s->columns;
	char clock[32];
	int err;

	if (!s->shown) {
		err = sluice_picture_size(&s->all, s->columns * w + BORDER, rows * h + BORDER);
		if (err)
			return err;
		sluice_picture_fill(&s->all, 32);
	}
	sluice_digest_clock(p->first_utc_ns + (uint64_t)(f->t_s * 1e9), clock);
	sluice_picture_text(&s->cell, 0, 0, 1, clock);
	sluice_picture_paste(&s->all, &s->cell, BORDER + s->shown % s->columns * w,
			     BORDER + s->shown / s->columns * h);
	s->shown++;
	return 0;
}

int sluice_digest_storyboard(const struct sluice_digest_plan *p,
			     const struct sluice_digest_options *o, uint8_t **data, size_t *size)
{
	struct sheet s = { .columns = columns_of(p->key_count) };
	struct sluice_decoder *d = sluice_decoder_open();
	int err = d ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < p->key_count && !err; i++) {
		err = load(p, o, &p->keys[i], d, CELL_SIDE, &s.cell);
		if (!err)
			err = add_cell(&s, p, &p->keys[i]);
		else if (err > 0)
			err = 0;
	}
	if (!err)
		err = s.shown ? encode_jpeg(&s.all, data, size) : -ENODATA;
	sluice_decoder_close(d);
	sluice_picture_free(&s.cell);
	sluice_picture_free(&s.all);
	return err;
}

/* The first key frame that can be shown, without anything written on it. */
static int load_first(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		      uint32_t side, struct sluice_picture *out)
{
	struct sluice_decoder *d = sluice_decoder_open();
	int err = d ? 1 : -ENOMEM;

	for (uint32_t i = 0; i < p->key_count && err > 0; i++)
		err = load(p, o, &p->keys[i], d, side, out);
	sluice_decoder_close(d);
	return err > 0 ? -ENODATA : err;
}

int sluice_digest_thumb(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
			uint8_t **data, size_t *size)
{
	struct sluice_picture picture = { 0 };
	int err = load_first(p, o, THUMB_SIDE, &picture);

	if (!err)
		err = encode_jpeg(&picture, data, size);
	sluice_picture_free(&picture);
	return err;
}

int sluice_digest_small(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
			uint32_t at, uint8_t **data, size_t *size)
{
	struct sluice_picture picture = { 0 };
	struct sluice_decoder *d = sluice_decoder_open();
	int err = d ? load(p, o, &p->keys[at], d, p->small, &picture) : -ENOMEM;

	if (!err && (picture.w > p->small || picture.h > p->small))
		err = 1;
	if (!err)
		err = encode_jpeg(&picture, data, size);
	sluice_decoder_close(d);
	sluice_picture_free(&picture);
	return err > 0 ? -ENODATA : err;
}

static void paint(uint8_t rgb[3], uint8_t luma, uint32_t heat, uint32_t most)
{
	uint32_t share = heat * 255 / most;

	rgb[0] = rgb[1] = rgb[2] = luma / 2;
	if (!heat)
		return;
	rgb[0] = 128 + share / 2;
	rgb[1] = (rgb[1] + share * 3) / 4;
	rgb[2] /= 4;
}

/* rgb: a frame of RGB24 of the picture's size. */
static int encode_png(AVFrame *rgb, uint8_t **data, size_t *size)
{
	const AVCodec *png = avcodec_find_encoder(AV_CODEC_ID_PNG);
	AVCodecContext *c = png ? avcodec_alloc_context3(png) : NULL;
	AVPacket *packet = av_packet_alloc();
	int err = !png ? -ENOSYS : !c || !packet ? -ENOMEM : 0;

	if (!err) {
		c->width = rgb->width;
		c->height = rgb->height;
		c->pix_fmt = AV_PIX_FMT_RGB24;
		c->time_base = (AVRational){ 1, 1 };
		c->thread_count = 1;
		if (avcodec_open2(c, png, NULL) < 0 || avcodec_send_frame(c, rgb) < 0 ||
		    avcodec_receive_packet(c, packet) < 0)
			err = -EIO;
	}
	if (!err) {
		*data = malloc(packet->size);
		err = *data ? 0 : -ENOMEM;
	}
	if (!err) {
		memcpy(*data, packet->data, packet->size);
		*size = packet->size;
	}
	av_packet_free(&packet);
	avcodec_free_context(&c);
	return err;
}

static int draw_heat(const struct sluice_digest_plan *p, const struct sluice_picture *under,
		     uint32_t most, uint8_t **data, size_t *size)
{
	AVFrame *rgb = av_frame_alloc();
	int err = -ENOMEM;

	if (rgb) {
		rgb->format = AV_PIX_FMT_RGB24;
		rgb->width = (int)under->w;
		rgb->height = (int)under->h;
		err = av_frame_get_buffer(rgb, 0) < 0 ? -ENOMEM : 0;
	}
	for (uint32_t y = 0; !err && y < under->h; y++)
		for (uint32_t x = 0; x < under->w; x++) {
			size_t at = (size_t)(y * p->heat_h / under->h) * p->heat_w +
				    x * p->heat_w / under->w;

			paint(rgb->data[0] + (ptrdiff_t)y * rgb->linesize[0] + 3 * x,
			      under->plane[0][(size_t)y * under->w + x], p->heat[at], most);
		}
	if (!err)
		err = encode_png(rgb, data, size);
	av_frame_free(&rgb);
	return err;
}

int sluice_digest_heat(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		       uint8_t **data, size_t *size)
{
	struct sluice_picture under = { 0 };
	uint32_t most = 0;
	int err;

	for (size_t i = 0; p->heat && i < (size_t)p->heat_w * p->heat_h; i++)
		if (p->heat[i] > most)
			most = p->heat[i];
	if (!most)
		return -ENODATA;
	err = load_first(p, o, CELL_SIDE, &under);
	if (!err)
		err = draw_heat(p, &under, most, data, size);
	sluice_picture_free(&under);
	return err;
}
