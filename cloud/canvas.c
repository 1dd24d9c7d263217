// SPDX-License-Identifier: MIT
/*
 * canvas.c - a region is decoded at the scale of the whole picture and laid over its base.
 *
 * The inverse DCT works on blocks of 8x8 alone and a region is made of whole ones, so the result is
 * the same as that of decoding the rebuilt frame, at the price of the region. The newest full frame
 * of an event is kept: it is nearly always the base of the next. After a restart, or when two lanes
 * of one camera alternate, the base is fetched.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/ring.h>

#include "cloud/canvas.h"
#include "lib/wire_region.h"

struct sluice_canvas {
	struct sluice_decoder *decoder;
	uint32_t scale; /* asked; 0: by the size */
	/* the base */
	bool known;
	uint64_t epoch, sequence;
	uint32_t width, height;
	struct sluice_gray base; /* px: ours */
	uint8_t *px;		 /* the picture put together */
	size_t room;		 /* of both */
};

struct sluice_canvas *sluice_canvas_open(uint32_t scale)
{
	struct sluice_canvas *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->scale = scale;
	c->decoder = sluice_decoder_open();
	if (c->decoder)
		return c;
	free(c);
	return NULL;
}

void sluice_canvas_close(struct sluice_canvas *c)
{
	if (!c)
		return;
	sluice_decoder_close(c->decoder);
	free(c->base.px);
	free(c->px);
	free(c);
}

static int decode(struct sluice_canvas *c, const struct sluice_stored_frame *f, const uint8_t *jpeg,
		  size_t size, struct sluice_gray *out)
{
	return c->scale ? sluice_decode_scaled(c->decoder, jpeg, size, f->width, f->height,
					       c->scale, out)
			: sluice_decode_gray(c->decoder, jpeg, size, f->width, f->height, out);
}

static int make_room(struct sluice_canvas *c, size_t need)
{
	uint8_t *base, *px;

	if (need <= c->room)
		return 0;
	c->known = false;
	base = realloc(c->base.px, need);
	if (base)
		c->base.px = base;
	px = realloc(c->px, need);
	if (px)
		c->px = px;
	if (!base || !px)
		return -ENOMEM;
	c->room = need;
	return 0;
}

static int keep_base(struct sluice_canvas *c, const struct sluice_gray *g, uint64_t epoch,
		     uint64_t sequence, uint32_t width, uint32_t height)
{
	size_t n = (size_t)g->w * g->h, chroma = sluice_gray_chroma(g);
	int err = make_room(c, n + 2 * chroma);

	if (err)
		return err;
	memcpy(c->base.px, g->px, n);
	c->base.cb = c->base.cr = NULL;
	if (g->cb) {
		c->base.cb = c->base.px + n;
		c->base.cr = c->base.cb + chroma;
		memcpy(c->base.cb, g->cb, chroma);
		memcpy(c->base.cr, g->cr, chroma);
	}
	c->base.w = g->w;
	c->base.h = g->h;
	c->base.scale = g->scale;
	c->epoch = epoch;
	c->sequence = sequence;
	c->width = width;
	c->height = height;
	c->known = true;
	return 0;
}

static int find_base(struct sluice_canvas *c, const struct sluice_stored_frame *f, uint64_t base,
		     const struct sluice_analysis_ops *ops, void *ctx)
{
	struct sluice_gray g;
	uint8_t *jpeg;
	size_t size;
	int err;

	if (c->known && c->epoch == f->epoch && c->sequence == base && c->width == f->width &&
	    c->height == f->height)
		return 0;
	if (base >= f->sequence || !ops->fetch)
		return -EBADMSG;
	jpeg = ops->fetch(ctx, f->epoch, base, &size);
	if (!jpeg)
		return -EBADMSG;
	err = decode(c, f, jpeg, size, &g);
	free(jpeg);
	return err ? err : keep_base(c, &g, f->epoch, base, f->width, f->height);
}

/* A rectangle of one plane. */
static void lay_rect(uint8_t *to, uint32_t to_w, const uint8_t *from, uint32_t from_w, uint32_t w,
		     uint32_t h)
{
	for (uint32_t y = 0; y < h; y++)
		memcpy(to + (size_t)y * to_w, from + (size_t)y * from_w, w);
}

/* MCUs that count, from the decoded region onto the copy of the base (its planes are at c->px). */
static void lay_over(struct sluice_canvas *c, const struct sluice_wire_region_info *r,
		     const struct sluice_gray *g)
{
	uint32_t scale = c->base.scale, w = r->mcu_w / scale, h = r->mcu_h / scale;
	uint32_t left = r->x / scale, top = r->y / scale, cw = (c->base.w + 1) / 2;
	uint8_t *to = c->px + (size_t)top * c->base.w + left;
	uint8_t *cb = c->px + (size_t)c->base.w * c->base.h + (size_t)(top / 2) * cw + left / 2;
	size_t chroma = sluice_gray_chroma(&c->base);

	for (uint32_t i = 0; i < r->columns * r->rows; i++) {
		uint32_t x = i % r->columns * w, y = i / r->columns * h;
		uint32_t wide = g->w - x < w ? g->w - x : w, high = g->h - y < h ? g->h - y : h;
		size_t at = (size_t)(y / 2) * cw + x / 2,
		       from = (size_t)(y / 2) * ((g->w + 1) / 2) + x / 2;

		if (!sluice_wire_region_has(r, i))
			continue;
		lay_rect(to + (size_t)y * c->base.w + x, c->base.w, g->px + (size_t)y * g->w + x,
			 g->w, wide, high);
		if (!c->base.cb || !g->cb)
			continue;
		/* at 1/8 an MCU may be one line of luma: then every second one brings the chroma */
		lay_rect(cb + at, cw, g->cb + from, (g->w + 1) / 2, (wide + 1) / 2, (high + 1) / 2);
		lay_rect(cb + chroma + at, cw, g->cr + from, (g->w + 1) / 2, (wide + 1) / 2,
			 (high + 1) / 2);
	}
}

static int put_together(struct sluice_canvas *c, const struct sluice_stored_frame *f,
			const struct sluice_analysis_ops *ops, void *ctx, struct sluice_gray *out)
{
	struct sluice_wire_region_info r;
	struct sluice_gray g;
	int err = sluice_wire_region_get(f->jpeg, f->jpeg_size, f->width, f->height, &r);

	if (!err)
		err = find_base(c, f, r.base, ops, ctx);
	if (!err)
		err = sluice_decode_scaled(c->decoder, r.jpeg, r.jpeg_size, r.w, r.h, c->base.scale,
					   &g);
	if (err)
		return err;
	memcpy(c->px, c->base.px, (size_t)c->base.w * c->base.h + 2 * sluice_gray_chroma(&c->base));
	lay_over(c, &r, &g);
	*out = c->base;
	out->px = c->px;
	if (c->base.cb) {
		out->cb = c->px + (size_t)c->base.w * c->base.h;
		out->cr = out->cb + sluice_gray_chroma(&c->base);
	}
	return 0;
}

static bool may_be_base(const struct sluice_stored_frame *f)
{
	return f->reason == SLUICE_REASON_MOTION || f->reason == SLUICE_REASON_PREROLL ||
	       f->reason == SLUICE_REASON_POSTROLL || f->reason == SLUICE_REASON_SCENE_CHANGE ||
	       f->reason == SLUICE_REASON_WARMUP;
}

int sluice_canvas_frame(struct sluice_canvas *c, const struct sluice_stored_frame *f,
			const struct sluice_analysis_ops *ops, void *ctx, struct sluice_gray *out)
{
	int err;

	if (f->flags & SLUICE_WIRE_REGION)
		return put_together(c, f, ops, ctx, out);
	err = decode(c, f, f->jpeg, f->jpeg_size, out);
	if (!err && may_be_base(f))
		err = keep_base(c, out, f->epoch, f->sequence, f->width, f->height);
	return err;
}
