// SPDX-License-Identifier: MIT
/*
 * jpeg_coarse.c - see jpeg_coarse.h. Most of the time of libjpeg goes into Huffman codes one by
 * one. Here a look-up brings a code together with its value, and once a block has no coefficient
 * left that the small picture shows, several codes at once (jpeg_table.h).
 *
 * A line of MCUs at a time: coefficients are put side by side for all blocks of the line, then
 * turned into pixels together (jpeg_shrink.h).
 *
 * The bytes are hostile. Between two restart markers (or in the whole scan) they are copied without
 * their stuffing into a buffer with room behind it for the longest MCU; after each MCU it is looked
 * whether it has come beyond the end. A scan that is not read to its last bit, and no further, is
 * libjpeg's to judge.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#include "cloud/jpeg_coarse.h"
#include "cloud/jpeg_shrink.h"
#include "cloud/jpeg_table.h"

#define PARTS	3
#define KEPT	(JPEG_SHRINK_KEPT + 1)
#define BEHIND	4096 /* bytes; the longest MCU has 10 blocks of 64 codes of 27 bits */
#define RESTART 0xd0
#define THE_END 0xd9

/* Bits are taken from the top. */
struct reader {
	uint64_t bits;
	uint32_t left; /* of bits, that are from the buffer */
	const uint8_t *at, *end;
};

struct part {
	const struct jpeg_table *dc, *ac;
	uint32_t h, v;	/* blocks of an MCU */
	int16_t before; /* DC of the block before */
	uint32_t lanes;
	struct jpeg_shrink shrink;
	int16_t *coefs; /* v times [JPEG_SHRINK_KEPT + 1][stride] */
	uint8_t *rows;	/* v * shrink.h lines */
};

struct jpeg_coarse {
	struct jpeg_table dc[NUM_HUFF_TBLS], ac[NUM_HUFF_TBLS];
	struct part part[PARTS];
	uint32_t parts, columns, lines; /* MCUs */
	void *room;
	size_t room_size;
	uint8_t *bytes; /* in room: one stretch without stuffing */
	const uint8_t *in, *in_end;
	uint8_t marker; /* behind the stretch */
};

struct jpeg_coarse *jpeg_coarse_open(void)
{
	return calloc(1, sizeof(struct jpeg_coarse));
}

void jpeg_coarse_close(struct jpeg_coarse *c)
{
	if (c)
		free(c->room);
	free(c);
}

static size_t rounded(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static size_t coefs_size(const struct part *p)
{
	return rounded(sizeof(int16_t) * p->v * KEPT * p->lanes);
}

static size_t rows_size(const struct part *p)
{
	return rounded((size_t)p->v * p->shrink.h * p->shrink.w * p->lanes);
}

/* ---- the scan ---- */

/* From here to the next marker that is not part of the data. False: there is none. */
static bool next_stretch(struct jpeg_coarse *c, struct reader *r)
{
	uint8_t *to = c->bytes;

	for (;;) {
		const uint8_t *ff = memchr(c->in, 0xff, (size_t)(c->in_end - c->in));
		size_t n;

		if (!ff || c->in_end - ff < 2)
			return false;
		n = (size_t)(ff - c->in);
		memcpy(to, c->in, n);
		to += n;
		c->in = ff + (ff[1] == 0xff ? 1 : 2);
		if (ff[1] && ff[1] != 0xff) {
			c->marker = ff[1];
			break;
		}
		if (!ff[1])
			*to++ = 0xff;
	}
	memset(to, 0, BEHIND);
	*r = (struct reader){ .at = c->bytes, .end = to };
	return true;
}

/* 56 bits or more are there now. */
static inline void refill(struct reader *r)
{
	uint64_t next;

	memcpy(&next, r->at, sizeof(next));
	r->bits |= be64toh(next) >> r->left;
	r->at += (63 - r->left) >> 3;
	r->left |= 56;
}

static inline void take(struct reader *r, uint32_t n)
{
	r->bits <<= n;
	r->left -= n;
}

/* All bits of the stretch were taken but for less than a byte. */
static bool at_end(const struct reader *r)
{
	ptrdiff_t rest = (r->end - r->at) * 8 + r->left;

	return rest >= 0 && rest < 8;
}

static inline uint64_t look(const struct reader *r, const struct jpeg_table *t)
{
	return t->step[r->bits >> (64 - JPEG_LOOK)];
}

/* One code of what was looked up. */
static inline uint32_t next_step(struct reader *r, const struct jpeg_table *t, uint64_t e)
{
	uint32_t s = (uint32_t)e, n = (uint32_t)(e >> 56);

	if (!n) {
		s = jpeg_table_long(t, e, (uint32_t)(r->bits >> 32));
		take(r, s & 255);
		refill(r);
		return s;
	}
	take(r, n);
	return s;
}

static inline int16_t scaled(int16_t value, int32_t times)
{
	return (int16_t)((value * times + 512) >> 10);
}

/* Places: of a block. */
static inline void put(const struct jpeg_shrink_put *places, uint32_t k, int16_t value, int16_t *to)
{
	const struct jpeg_shrink_put *at = &places[k - 1];

	to[at->at] = (int16_t)(to[at->at] + scaled(value, at->times));
}

/*
 * One AC code or two: the position behind. From where coefficients still count two steps do not
 * reach the end of a block, so the second is of the same block. A code that is none leads to a
 * place where no block ends.
 */
static inline uint32_t read_ac(struct reader *r, const struct jpeg_table *t,
			       const struct jpeg_shrink_put *places, uint64_t s, uint32_t k,
			       int16_t *to)
{
	if (s & 63) {
		take(r, s & 63);
		k += s >> 8 & 255;
		put(places, k, (int16_t)(s >> 16), to);
		k += s >> 32 & 255;
		put(places, k, (int16_t)(s >> 40), to);
		return k;
	}
	s = jpeg_table_long(t, s, (uint32_t)(r->bits >> 32));
	if (!s)
		return 64 + 1;
	take(r, s & 63);
	refill(r);
	k += s >> 8 & 255;
	put(places, k, (int16_t)(s >> 16), to);
	return k;
}

/* What the small picture does not show. 56 bits are enough for two looks and a code. */
static inline uint32_t skip_ac(struct reader *r, const struct jpeg_table *t, uint32_t k)
{
	while (k < 64) {
		refill(r);
		for (int i = 0; i < 2 && k < 64; i++) {
			uint32_t s = t->skip[r->bits >> (64 - JPEG_LOOK)];

			if (!(s & 255) || k + (s >> 8 & (JPEG_END - 1)) >= 64) {
				s = next_step(r, t, look(r, t));
				k = s ? k + (s >> 8 & 255) : 64 + 1;
				break;
			}
			take(r, s & 255);
			k += s >> 8;
		}
	}
	return k;
}

/*
 * to: where the block's lane begins. What is looked up next does not wait for a refill: that is
 * done while the table is read. So a look finds JPEG_LOOK bits at least, and where a code is
 * longer, 45: two looks, of at most JPEG_LOOK bits each, lie between two refills, and after a
 * longer code there is another refill.
 */
static inline bool read_block(struct reader *r, struct part *p, int16_t *to)
{
	/* copies: for all that the compiler knows, coefficients are put over the part */
	const struct jpeg_shrink_put *places = p->shrink.put;
	const struct jpeg_table *ac = p->ac;
	uint64_t e = look(r, p->dc);
	uint32_t s, k = 1, last = p->shrink.last;

	refill(r);
	s = next_step(r, p->dc, e);
	p->before = (int16_t)(p->before + (int16_t)(s >> 16));
	to[0] = (int16_t)(((int64_t)p->before * places[0].times + 512) >> 10);
	if (!s)
		return false;
	if (last)
		k = read_ac(r, ac, places, look(r, ac), k, to);
	while (k <= last) {
		e = look(r, ac);
		refill(r);
		k = read_ac(r, ac, places, e, k, to);
		if (k <= last)
			k = read_ac(r, ac, places, look(r, ac), k, to);
	}
	k = skip_ac(r, ac, k);
	return k == 64 || k > JPEG_END;
}

/* MCUs from x to end of a line. The reader is copied, so that it stays in registers. */
static bool read_mcus(struct jpeg_coarse *c, struct reader *from, uint32_t x, uint32_t end)
{
	struct reader r = *from;

	refill(&r);
	for (; x < end && r.at <= r.end + sizeof(r.bits); x++)
		for (uint32_t i = 0; i < c->parts; i++) {
			struct part *p = &c->part[i];
			int16_t *line = p->coefs + (size_t)x * p->h;

			for (uint32_t v = 0; v < p->v; v++, line += KEPT * p->lanes)
				for (uint32_t h = 0; h < p->h; h++)
					if (!read_block(&r, p, line + h))
						return false;
		}
	*from = r;
	return x == end;
}

/*
 * MCU line y of a part into a plane of w x h pixels: at once where it has that width, else by way
 * of rows, which have room for all that MCUs show.
 */
static void shrink_line(struct part *p, uint32_t y, uint8_t *plane, uint32_t w, uint32_t h)
{
	uint32_t pitch = p->lanes * p->shrink.w, lines = p->v * p->shrink.h;
	uint8_t *to = plane + (size_t)y * lines * w;
	bool fits = pitch == w && (y + 1) * lines <= h && !((uintptr_t)to & 1);

	for (uint32_t v = 0; v < p->v; v++)
		jpeg_shrink_line(&p->shrink, p->coefs + (size_t)v * KEPT * p->lanes, p->lanes,
				 (fits ? to : p->rows) + (size_t)v * p->shrink.h * pitch, pitch);
	for (uint32_t k = 0; k < lines && y * lines + k < h && !fits; k++)
		memcpy(to + (size_t)k * w, p->rows + (size_t)k * pitch, w);
}

static bool restart(struct jpeg_coarse *c, struct reader *r, uint32_t number)
{
	for (uint32_t i = 0; i < c->parts; i++)
		c->part[i].before = 0;
	return at_end(r) && c->marker == RESTART + (number & 7) && next_stretch(c, r);
}

/* Where the reader stands. */
struct place {
	uint32_t interval; /* MCUs between restarts, 0: none */
	uint32_t until, restarts;
};

static bool read_line(struct jpeg_coarse *c, struct reader *r, struct place *at)
{
	for (uint32_t x = 0, end; x < c->columns; x = end) {
		if (at->interval && !at->until) {
			if (!restart(c, r, at->restarts++))
				return false;
			at->until = at->interval;
		}
		end = c->columns;
		if (at->interval) {
			end = end - x < at->until ? end : x + at->until;
			at->until -= end - x;
		}
		if (!read_mcus(c, r, x, end))
			return false;
	}
	return true;
}

static bool read_scan(struct jpeg_coarse *c, uint32_t interval, struct sluice_gray *out)
{
	uint32_t cw = (out->w + 1) / 2, ch = (out->h + 1) / 2;
	struct place at = { interval, interval, 0 };
	struct reader r;

	if (!next_stretch(c, &r))
		return false;
	for (uint32_t y = 0; y < c->lines; y++) {
		for (uint32_t i = 0; i < c->parts; i++)
			memset(c->part[i].coefs, 0, coefs_size(&c->part[i]));
		if (!read_line(c, &r, &at))
			return false;
		for (uint32_t i = 0; i < c->parts; i++)
			shrink_line(&c->part[i], y,
				    i == 2 ? out->cr
				    : i	   ? out->cb
					   : out->px,
				    i ? cw : out->w, i ? ch : out->h);
	}
	return at_end(&r) && c->marker == THE_END;
}

/* ---- what kind of JPEG is it ---- */

/* Pixels that a block becomes along one side; 0: none that is done here. */
static uint32_t pixels_of(uint32_t scale, int most, int own, bool chroma)
{
	uint32_t n = 8 * (uint32_t)most, by = scale * (uint32_t)own * (chroma ? 2 : 1);

	n = n % by ? 0 : n / by;
	return n == 1 || n == 2 || n == 4 ? n : 0;
}

static bool take_table(struct jpeg_table *t, bool dc, const JHUFF_TBL *from)
{
	return from && jpeg_table_make(t, dc, from->bits, from->huffval);
}

static bool take_part(struct jpeg_coarse *c, const struct jpeg_decompress_struct *j, int i,
		      uint32_t scale)
{
	const jpeg_component_info *info = &j->comp_info[i];
	const JQUANT_TBL *q = j->quant_tbl_ptrs[info->quant_tbl_no & (NUM_QUANT_TBLS - 1)];
	int dc = info->dc_tbl_no & (NUM_HUFF_TBLS - 1), ac = info->ac_tbl_no & (NUM_HUFF_TBLS - 1);
	struct part *p = &c->part[i];
	uint32_t w = pixels_of(scale, j->max_h_samp_factor, info->h_samp_factor, i > 0);
	uint32_t h = pixels_of(scale, j->max_v_samp_factor, info->v_samp_factor, i > 0);

	if (!q || !w || !h || !take_table(&c->dc[dc], true, j->dc_huff_tbl_ptrs[dc]) ||
	    !take_table(&c->ac[ac], false, j->ac_huff_tbl_ptrs[ac]))
		return false;
	for (int k = 0; k < DCTSIZE2; k++)
		if (!q->quantval[k] || q->quantval[k] > 255)
			return false;
	p->dc = &c->dc[dc];
	p->ac = &c->ac[ac];
	p->before = 0;
	/* a scan of one part alone has MCUs of one block */
	p->h = c->parts > 1 ? (uint32_t)info->h_samp_factor : 1;
	p->v = c->parts > 1 ? (uint32_t)info->v_samp_factor : 1;
	p->lanes = c->columns * p->h;
	jpeg_shrink_make(&p->shrink, w, h, p->lanes, q->quantval);
	return true;
}

static int make_room(struct jpeg_coarse *c, size_t scan)
{
	size_t need = scan + BEHIND;
	uint8_t *at;

	for (uint32_t i = 0; i < c->parts; i++)
		need += coefs_size(&c->part[i]) + rows_size(&c->part[i]);
	if (need > c->room_size) {
		free(c->room);
		c->room_size = 0;
		c->room = malloc(need);
		if (!c->room)
			return -ENOMEM;
		c->room_size = need;
	}
	at = c->room;
	for (uint32_t i = 0; i < c->parts; i++) {
		struct part *p = &c->part[i];

		p->coefs = (int16_t *)at;
		p->rows = at + coefs_size(p);
		at = p->rows + rows_size(p);
	}
	c->bytes = at;
	return 0;
}

static bool is_ours(const struct jpeg_decompress_struct *j, const struct sluice_gray *out)
{
	return out->scale > 1 && !j->arith_code && !j->progressive_mode &&
	       j->comps_in_scan == j->num_components && j->src->bytes_in_buffer &&
	       j->num_components == (out->cb ? PARTS : 1);
}

int jpeg_coarse_read(struct jpeg_coarse *c, const struct jpeg_decompress_struct *j,
		     struct sluice_gray *out)
{
	uint32_t wide = 8, high = 8, blocks = 0;
	int err;

	if (!is_ours(j, out))
		return -ENOTSUP;
	c->parts = (uint32_t)j->num_components;
	if (c->parts > 1) {
		wide *= (uint32_t)j->max_h_samp_factor;
		high *= (uint32_t)j->max_v_samp_factor;
	}
	c->columns = (j->image_width + wide - 1) / wide;
	c->lines = (j->image_height + high - 1) / high;
	for (int i = 0; i < j->num_components; i++) {
		if (j->cur_comp_info[i] != &j->comp_info[i] || !take_part(c, j, i, out->scale))
			return -ENOTSUP;
		blocks += c->part[i].h * c->part[i].v;
	}
	if (blocks > D_MAX_BLOCKS_IN_MCU)
		return -ENOTSUP;
	err = make_room(c, j->src->bytes_in_buffer);
	if (err)
		return err;
	c->in = j->src->next_input_byte;
	c->in_end = c->in + j->src->bytes_in_buffer;
	return read_scan(c, j->restart_interval, out) ? 0 : -ENOTSUP;
}
