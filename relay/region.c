// SPDX-License-Identifier: MIT
/*
 * region.c - between full frames of an event only the MCUs that changed are sent.
 *
 * An MCU counts if a motion cell of the gate (and a cell around it) touches it, or if in one of its
 * blocks the mean, or the slope of luma across or down, differs from the base's by DIFFERS_GREY or
 * more. So nothing that moved is missing, and the rest of the picture is as it was at the base but
 * for changes below that bound, however many frames in between the gate held back. Light that
 * drifts reaches the bound everywhere, and the next frame is full.
 *
 * The box around the MCUs that count is cut out as coefficients: nothing is decoded to pixels, and
 * what is sent is, bit for bit, what the full frame would have had there.
 *
 * A base serves its own epoch, event, lane, size, sampling and quantisation, for key_ms. When
 * anything differs, when more than SHARE_MAX of the picture counts, when the part would not be much
 * smaller, or when the picture is not a whole baseline JPEG, the frame is sent full. Out of memory:
 * likewise.
 */
#include "relay/region.h"
#include "lib/coefs.h"
#include "lib/wire_region.h"

#include <stdlib.h>
#include <string.h>

#define DIFFERS_GREY 4	/* grey levels */
#define SHARE_MAX    60 /* percent of the MCUs */
#define SIZE_MAX_PCT 60 /* of the full frame's bytes: a new base makes the next parts smaller */
#define LOW_LUMA     3	/* mean, slope across, slope down */

static const uint32_t low_at[LOW_LUMA] = { 0, 1, 8 };

void relay_region_reset(struct relay_region *r)
{
	r->has_base = false;
}

void relay_region_exit(struct relay_region *r)
{
	sluice_coefs_close(r->coefs);
	free(r->low);
	free(r->mask);
	free(r->head);
	memset(r, 0, sizeof(*r));
}

/* ---- memory ---- */

static uint32_t low_of(uint32_t component)
{
	return component ? 1 : LOW_LUMA;
}

static bool resize(uint8_t **p, size_t *had, size_t size)
{
	uint8_t *more;

	if (*had >= size)
		return true;
	more = realloc(*p, size);
	if (!more)
		return false;
	*p = more;
	*had = size;
	return true;
}

static bool make_room(struct relay_region *r, const struct sluice_coefs_shape *s)
{
	uint32_t mcus = s->columns * s->rows;
	size_t count = 0, had = r->low_count * sizeof(*r->low);
	uint8_t *low = (uint8_t *)r->low;
	bool ok;

	for (uint32_t k = 0; k < s->components; k++)
		count += (size_t)mcus * s->h[k] * s->v[k] * low_of(k);
	ok = resize(&low, &had, count * sizeof(*r->low));
	r->low = (int16_t *)low;
	r->low_count = had / sizeof(*r->low);
	return ok && resize(&r->mask, &r->mask_size, (mcus + 7) / 8) &&
	       resize(&r->head, &r->head_size, sluice_wire_region_size(mcus));
}

/* ---- the base ---- */

static void keep_low(struct relay_region *r, const struct sluice_coefs_shape *s)
{
	int16_t *low = r->low;

	for (uint32_t k = 0; k < s->components; k++)
		for (uint32_t y = 0; y < s->rows * s->v[k]; y++) {
			int16_t(*row)[64] = sluice_coefs_row(r->coefs, k, y);

			for (uint32_t x = 0; x < s->columns * s->h[k]; x++)
				for (uint32_t i = 0; i < low_of(k); i++)
					*low++ = row[x][low_at[i]];
		}
}

static void become_base(struct relay_region *r, uint32_t lane, const struct sluice_ring_desc *d)
{
	const struct sluice_coefs_shape *s = sluice_coefs_shape(r->coefs);

	if (!make_room(r, s))
		return;
	keep_low(r, s);
	for (uint32_t k = 0; k < s->components; k++)
		memcpy(r->steps[k], sluice_coefs_steps(r->coefs, k), sizeof(r->steps[k]));
	r->width = s->width;
	r->height = s->height;
	r->mcu_w = s->mcu_w;
	r->mcu_h = s->mcu_h;
	r->components = s->components;
	r->lane = lane;
	r->event = d->event;
	r->epoch = d->epoch;
	r->base = d->sequence;
	r->base_ns = d->time_ns;
	r->has_base = true;
}

static bool base_serves(const struct relay_region *r, const struct sluice_coefs_shape *s)
{
	if (s->width != r->width || s->height != r->height || s->mcu_w != r->mcu_w ||
	    s->mcu_h != r->mcu_h || s->components != r->components)
		return false;
	for (uint32_t k = 0; k < s->components; k++)
		if (memcmp(r->steps[k], sluice_coefs_steps(r->coefs, k), sizeof(r->steps[k])))
			return false;
	return true;
}

/* ---- what counts ---- */

static void mark(uint8_t *mask, uint32_t mcu)
{
	mask[mcu / 8] |= (uint8_t)(1u << mcu % 8);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* MCUs that a motion cell, or one of its neighbours, touches. */
static void mark_cells(struct relay_region *r, const struct sluice_coefs_shape *s,
		       const struct sluice_ring_desc *d, const uint8_t *cells)
{
	uint32_t gw = d->grid_w, gh = d->grid_h;

	if (!gw || !gh || d->cells_size != ((size_t)gw * gh + 7) / 8)
		return;
	for (uint32_t i = 0; i < gw * gh; i++) {
		uint32_t cx = i % gw, cy = i / gw;
		uint32_t x0 = (cx ? cx - 1 : 0) * s->width / gw / s->mcu_w;
		uint32_t y0 = (cy ? cy - 1 : 0) * s->height / gh / s->mcu_h;
		uint32_t x1 = (least(cx + 2, gw) * s->width - 1) / gw / s->mcu_w;
		uint32_t y1 = (least(cy + 2, gh) * s->height - 1) / gh / s->mcu_h;

		if (!(cells[i / 8] >> (i % 8) & 1))
			continue;
		for (uint32_t y = y0; y <= y1; y++)
			for (uint32_t x = x0; x <= x1; x++)
				mark(r->mask, y * s->columns + x);
	}
}

/* A coefficient of 8 is one grey level. */
static bool differs(int16_t a, int16_t b, uint32_t step)
{
	uint32_t d = (uint32_t)abs(a - b);

	return d && d * step >= 8 * DIFFERS_GREY;
}

static void mark_changed(struct relay_region *r, const struct sluice_coefs_shape *s)
{
	const int16_t *low = r->low;

	for (uint32_t k = 0; k < s->components; k++)
		for (uint32_t y = 0; y < s->rows * s->v[k]; y++) {
			int16_t(*row)[64] = sluice_coefs_row(r->coefs, k, y);

			for (uint32_t x = 0; x < s->columns * s->h[k]; x++)
				for (uint32_t i = 0; i < low_of(k); i++, low++)
					if (differs(row[x][low_at[i]], *low,
						    r->steps[k][low_at[i]]))
						mark(r->mask,
						     y / s->v[k] * s->columns + x / s->h[k]);
		}
}

static bool marked(const uint8_t *mask, uint32_t mcu)
{
	return mask[mcu / 8] >> (mcu % 8) & 1;
}

/* The box around what is marked (at least one MCU); how many are marked. */
static uint32_t find_box(const uint8_t *mask, const struct sluice_coefs_shape *s,
			 struct sluice_coefs_box *b)
{
	uint32_t x0 = s->columns, y0 = s->rows, x1 = 0, y1 = 0, count = 0;

	for (uint32_t y = 0; y < s->rows; y++)
		for (uint32_t x = 0; x < s->columns; x++) {
			if (!marked(mask, y * s->columns + x))
				continue;
			count++;
			x0 = least(x0, x);
			y0 = least(y0, y);
			x1 = x > x1 ? x : x1;
			y1 = y;
		}
	*b = count ? (struct sluice_coefs_box){ x0, y0, x1 - x0 + 1, y1 - y0 + 1 }
		   : (struct sluice_coefs_box){ 0, 0, 1, 1 };
	return count;
}

/* ---- the part ---- */

static size_t write_head(struct relay_region *r, const struct sluice_coefs_shape *s,
			 const struct sluice_coefs_box *b, bool all)
{
	uint32_t mcus = b->columns * b->rows;
	size_t size = all ? sizeof(struct sluice_wire_region) : sluice_wire_region_size(mcus);
	uint8_t *mask = r->head + sizeof(struct sluice_wire_region);
	struct sluice_wire_region_info info = {
		.x = (uint16_t)(b->column * s->mcu_w),
		.y = (uint16_t)(b->row * s->mcu_h),
		.w = (uint16_t)least(b->columns * s->mcu_w, s->width - b->column * s->mcu_w),
		.h = (uint16_t)least(b->rows * s->mcu_h, s->height - b->row * s->mcu_h),
		.base = r->base,
		.mcu_w = s->mcu_w,
		.mcu_h = s->mcu_h,
		.columns = b->columns,
		.rows = b->rows,
		.mask = all ? NULL : mask,
	};

	memset(r->head, 0, size);
	for (uint32_t i = 0; !all && i < mcus; i++)
		if (marked(r->mask,
			   (b->row + i / b->columns) * s->columns + b->column + i % b->columns))
			mark(mask, i);
	sluice_wire_region_put((struct sluice_wire_region *)r->head, &info);
	return size;
}

static bool make_part(struct relay_region *r, const struct sluice_ring_desc *d,
		      const uint8_t *cells, struct relay_picture *picture)
{
	const struct sluice_coefs_shape *s = sluice_coefs_shape(r->coefs);
	uint32_t mcus = s->columns * s->rows, count;
	struct sluice_coefs_box box;
	const uint8_t *jpeg;
	size_t head, size;
	bool all;

	memset(r->mask, 0, (mcus + 7) / 8);
	mark_cells(r, s, d, cells);
	mark_changed(r, s);
	count = find_box(r->mask, s, &box);
	if (count > mcus / 100 * SHARE_MAX + mcus % 100 * SHARE_MAX / 100)
		return false;
	all = count == box.columns * box.rows;
	head = write_head(r, s, &box, all);
	if (sluice_coefs_write(r->coefs, &box,
			       all ? NULL : r->head + sizeof(struct sluice_wire_region), &jpeg,
			       &size) ||
	    head + size > picture->size / 100 * SIZE_MAX_PCT)
		return false;
	picture->head = (struct iovec){ r->head, head };
	picture->iov[0] = (struct iovec){ (void *)jpeg, size };
	picture->count = 1;
	picture->size = size;
	return true;
}

/* Other frames may be evicted from the spool one by one; an event goes as a whole, and its bases
 * with it. The warm-up is of no event, and on the live link nothing is evicted. */
static bool of_event(const struct sluice_ring_desc *d, uint32_t lane)
{
	if (d->reason == SLUICE_REASON_WARMUP)
		return !lane;
	return d->event &&
	       (d->reason == SLUICE_REASON_MOTION || d->reason == SLUICE_REASON_PREROLL ||
		d->reason == SLUICE_REASON_POSTROLL || d->reason == SLUICE_REASON_SCENE_CHANGE);
}

/* The same coefficients in the Huffman code that suits them: some percent less. */
static void recode(struct relay_region *r, struct relay_picture *picture)
{
	const uint8_t *jpeg;
	size_t size;

	if (sluice_coefs_write(r->coefs, NULL, NULL, &jpeg, &size) || size >= picture->size)
		return;
	picture->iov[0] = (struct iovec){ (void *)jpeg, size };
	picture->count = 1;
	picture->size = size;
}

void relay_region_make(struct relay_region *r, const struct relay_region_config *c, uint32_t lane,
		       const struct sluice_ring_desc *d, const uint8_t *cells,
		       struct relay_picture *picture)
{
	bool in_order = d->epoch == r->epoch && d->sequence > r->last;

	if (!c->on)
		return;
	if (lane != r->lane || !in_order)
		r->has_base = false;
	r->lane = lane;
	r->epoch = d->epoch;
	r->last = d->sequence;
	r->full++;
	if (!of_event(d, lane))
		return;
	if (!r->coefs)
		r->coefs = sluice_coefs_open(SLUICE_WIRE_PAYLOAD_MAX);
	if (!r->coefs ||
	    sluice_coefs_read(r->coefs, picture->iov, picture->count, d->width, d->height)) {
		r->has_base = false;
		return;
	}
	if (r->has_base && d->event == r->event &&
	    d->time_ns - r->base_ns < c->key_ms * 1000000ull &&
	    base_serves(r, sluice_coefs_shape(r->coefs)) && make_part(r, d, cells, picture)) {
		r->full--;
		r->parts++;
	} else {
		r->has_base = false;
		become_base(r, lane, d);
		recode(r, picture);
	}
	sluice_coefs_forget(r->coefs); /* three bytes a pixel, which no other camera needs twice */
}
