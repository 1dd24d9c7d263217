// SPDX-License-Identifier: MIT
/*
 * ground.c - see ground.h. Boxes of what is followed are spread by a margin and kept for each frame
 * as a bit for each block of 8x8; a block is taken from the frames in which it is free, from all of
 * them if it is free in none.
 */
#include "cloud/ground.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES SLUICE_GROUND_SAMPLES
#define FREE	3  /* samples in which a block is free: else all are taken */
#define KEPT	24 /* decoded frames */
#define BLOCK	8
#define MARGIN	8	      /* of a box in pixels, and 1/8 of its size */
#define APART	20000000000ll /* how far before and behind a unit */

struct kept {
	uint32_t frame; /* UINT32_MAX: none */
	uint64_t used;
	struct sluice_picture picture;
};

struct sluice_reel {
	const struct sluice_synopsis *s;
	const struct sluice_synopsis_options *o;
	struct sluice_decoder *decoder;
	struct kept kept[KEPT];
	uint64_t uses;
	uint32_t w, h; /* of pictures */
	/* stills by frame: those of frame f are order[by_frame[f]] .. order[by_frame[f + 1] - 1] */
	uint32_t *by_frame, *order;
};

/* ---- which boxes lie in a frame ---- */

static int sort_stills(struct sluice_reel *r)
{
	const struct sluice_tubes *t = &r->s->tubes;
	uint32_t frames = r->s->period->frame_count, *fill;

	r->by_frame = calloc(frames + 2, sizeof(*r->by_frame));
	r->order = calloc(t->still_count + 1, sizeof(*r->order));
	fill = calloc(frames + 1, sizeof(*fill));
	if (!r->by_frame || !r->order || !fill) {
		free(fill);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < t->still_count; i++)
		r->by_frame[t->stills[i].frame + 1]++;
	for (uint32_t f = 0; f < frames; f++) {
		r->by_frame[f + 1] += r->by_frame[f];
		fill[f] = r->by_frame[f];
	}
	for (uint32_t i = 0; i < t->still_count; i++)
		r->order[fill[t->stills[i].frame]++] = i;
	free(fill);
	return 0;
}

struct sluice_reel *sluice_reel_open(const struct sluice_synopsis *s,
				     const struct sluice_synopsis_options *o)
{
	struct sluice_reel *r = calloc(1, sizeof(*r));
	uint32_t scale = 1;

	if (!r)
		return NULL;
	r->s = s;
	r->o = o;
	/* as sluice_decode_picture() makes them */
	while (scale < 8 && (s->period->width > SLUICE_SYNOPSIS_SIDE * scale ||
			     s->period->height > SLUICE_SYNOPSIS_SIDE * scale))
		scale *= 2;
	r->w = ((s->period->width + scale - 1) / scale + 1) & ~1u;
	r->h = ((s->period->height + scale - 1) / scale + 1) & ~1u;
	for (int i = 0; i < KEPT; i++)
		r->kept[i].frame = UINT32_MAX;
	r->decoder = sluice_decoder_open();
	if (r->decoder && !sort_stills(r))
		return r;
	sluice_reel_close(r);
	return NULL;
}

void sluice_reel_close(struct sluice_reel *r)
{
	if (!r)
		return;
	for (int i = 0; i < KEPT; i++)
		sluice_picture_free(&r->kept[i].picture);
	sluice_decoder_close(r->decoder);
	free(r->by_frame);
	free(r->order);
	free(r);
}

void sluice_reel_size(const struct sluice_reel *r, uint32_t *w, uint32_t *h)
{
	*w = r->w;
	*h = r->h;
}

static int decode(struct sluice_reel *r, uint32_t frame, struct sluice_picture *to)
{
	const struct sluice_period *p = r->s->period;
	const struct sluice_period_frame *f = &p->frames[frame];
	size_t size = 0;
	uint8_t *jpeg = r->o->fetch(r->o->ctx, f->epoch, f->sequence, &size);
	int err;

	if (!jpeg)
		return -ENOENT;
	err = sluice_decode_picture(r->decoder, jpeg, size, p->width, p->height,
				    SLUICE_SYNOPSIS_SIDE, to);
	free(jpeg);
	return !err && (to->w != r->w || to->h != r->h) ? -EBADMSG : err;
}

const struct sluice_picture *sluice_reel_frame(struct sluice_reel *r, uint32_t frame, int *err)
{
	struct kept *oldest = &r->kept[0];

	*err = 0;
	for (int i = 0; i < KEPT; i++) {
		struct kept *k = &r->kept[i];

		if (k->frame == frame) {
			k->used = ++r->uses;
			return &k->picture;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	oldest->frame = UINT32_MAX;
	oldest->used = ++r->uses;
	*err = decode(r, frame, &oldest->picture);
	if (*err) {
		oldest->used = 0;
		*err = *err == -ENOMEM ? -ENOMEM : 0;
		return NULL;
	}
	oldest->frame = frame;
	return &oldest->picture;
}

/* ---- the median ---- */

struct sample {
	struct sluice_picture picture; /* a copy: the reel turns on */
	uint8_t *taken;		       /* of each block */
};

static void mark_taken(const struct sluice_reel *r, uint32_t frame, uint32_t columns, uint32_t rows,
		       uint8_t *taken)
{
	const struct sluice_period *p = r->s->period;

	memset(taken, 0, (size_t)columns * rows);
	for (uint32_t i = r->by_frame[frame]; i < r->by_frame[frame + 1]; i++) {
		const struct sluice_still *s = &r->s->tubes.stills[r->order[i]];
		int mx = MARGIN + s->w / 8, my = MARGIN + s->h / 8;
		int x0 = (s->x - mx) * (int)r->w / (int)p->width / BLOCK;
		int y0 = (s->y - my) * (int)r->h / (int)p->height / BLOCK;
		int x1 = (s->x + s->w + mx) * (int)r->w / (int)p->width / BLOCK;
		int y1 = (s->y + s->h + my) * (int)r->h / (int)p->height / BLOCK;

		for (int y = y0 < 0 ? 0 : y0; y <= y1 && y < (int)rows; y++)
			for (int x = x0 < 0 ? 0 : x0; x <= x1 && x < (int)columns; x++)
				taken[y * (int)columns + x] = 1;
	}
}

static uint8_t median(uint8_t *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		uint8_t x = v[i];
		uint32_t k = i;

		for (; k && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
	return n & 1 ? v[n / 2] : (uint8_t)((v[n / 2 - 1] + v[n / 2] + 1) / 2);
}

/* One block of one plane, from the samples that are listed. */
static void mix_block(const struct sample *s, const uint8_t *use, uint32_t uses, int plane,
		      uint32_t x0, uint32_t y0, uint32_t side, struct sluice_picture *out)
{
	uint32_t w = out->w >> !!plane, h = out->h >> !!plane;

	for (uint32_t y = y0; y < y0 + side && y < h; y++)
		for (uint32_t x = x0; x < x0 + side && x < w; x++) {
			size_t at = (size_t)y * w + x;
			uint8_t v[SAMPLES];

			for (uint32_t i = 0; i < uses; i++)
				v[i] = s[use[i]].picture.plane[plane][at];
			out->plane[plane][at] = median(v, uses);
		}
}

static void mix(const struct sample *s, uint32_t count, uint32_t columns, uint32_t rows,
		struct sluice_picture *out)
{
	for (uint32_t b = 0; b < columns * rows; b++) {
		uint32_t x = b % columns, y = b / columns, uses = 0;
		uint8_t use[SAMPLES];

		for (uint32_t i = 0; i < count; i++)
			if (!s[i].taken[b])
				use[uses++] = (uint8_t)i;
		if (uses < FREE)
			for (uses = 0; uses < count; uses++)
				use[uses] = (uint8_t)uses;
		mix_block(s, use, uses, 0, x * BLOCK, y * BLOCK, BLOCK, out);
		for (int plane = 1; plane < 3; plane++)
			mix_block(s, use, uses, plane, x * BLOCK / 2, y * BLOCK / 2, BLOCK / 2,
				  out);
	}
}

static int add_sample(struct sluice_reel *r, uint32_t frame, struct sample *s)
{
	int err;
	const struct sluice_picture *p = sluice_reel_frame(r, frame, &err);
	uint32_t columns, rows;

	if (!p)
		return err ? err : 1;
	columns = (r->w + BLOCK - 1) / BLOCK;
	rows = (r->h + BLOCK - 1) / BLOCK;
	s->taken = malloc((size_t)columns * rows);
	if (!s->taken || sluice_picture_size(&s->picture, p->w, p->h))
		return -ENOMEM;
	sluice_picture_paste(&s->picture, p, 0, 0);
	mark_taken(r, frame, columns, rows, s->taken);
	return 0;
}

int sluice_ground_make(struct sluice_reel *r, const uint32_t *frames, uint32_t count,
		       struct sluice_picture *out)
{
	struct sample s[SAMPLES] = { 0 };
	uint32_t n = 0;
	int err = 0;

	for (uint32_t i = 0; i < count && n < SAMPLES && err >= 0; i++) {
		err = add_sample(r, frames[i], &s[n]);
		n += !err;
	}
	err = err < 0 ? err : n ? sluice_picture_size(out, r->w, r->h) : -ENODATA;
	if (!err)
		mix(s, n, (r->w + BLOCK - 1) / BLOCK, (r->h + BLOCK - 1) / BLOCK, out);
	for (int i = 0; i < SAMPLES; i++) {
		sluice_picture_free(&s[i].picture);
		free(s[i].taken);
	}
	return err;
}

uint32_t sluice_ground_around(const struct sluice_period *p, int64_t start_ns, int64_t end_ns,
			      uint32_t frames[9])
{
	int64_t whole = end_ns - start_ns + 2;
	int64_t apart = whole < APART ? whole : APART;
	uint32_t n = 0;

	/* three before, three in it, three behind */
	for (int i = 0; i < 9 && p->frame_count; i++) {
		int64_t at = i < 3   ? start_ns - apart * (3 - i) / 3 - 500000000
			     : i < 6 ? start_ns + whole * (2 * (i - 3) + 1) / 6
				     : end_ns + apart * (i - 5) / 3 + 500000000;
		uint32_t f = sluice_period_near(p, at);
		bool known = false;

		for (uint32_t k = 0; k < n; k++)
			known |= frames[k] == f;
		if (!known)
			frames[n++] = f;
	}
	return n;
}
