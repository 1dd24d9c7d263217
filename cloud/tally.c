// SPDX-License-Identifier: MIT
/*
 * Packed, without time and settings, which the row has: u16 version (1), grid width, grid height,
 * number of tiles; u32 openings, nothing, samples, missed; then of each tile that has counts u16
 * number, in rising order, and u32 nothing, frames, seen, missed. Little-endian.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "cloud/tally.h"

#define VERSION 1
#define HEAD	24
#define EACH	18

int sluice_tiles_of(uint32_t grid_w, uint32_t grid_h, struct sluice_tiles *t)
{
	uint32_t side, high;

	memset(t, 0, sizeof(*t));
	if (grid_w < 2 || grid_h < 2 || grid_w > SLUICE_GRID_W || grid_h > SLUICE_GRID_W)
		return -EINVAL;
	side = (grid_w + SLUICE_TILES_W - 1) / SLUICE_TILES_W;
	high = (grid_h + SLUICE_TILES_H - 1) / SLUICE_TILES_H;
	side = side > high ? side : high;
	t->grid_w = (uint16_t)grid_w;
	t->grid_h = (uint16_t)grid_h;
	t->side = (uint16_t)side;
	t->w = (uint16_t)((grid_w + side - 1) / side);
	t->h = (uint16_t)((grid_h + side - 1) / side);
	return 0;
}

static uint32_t cell_at(float share, uint32_t cells)
{
	if (!(share > 0))
		return 0;
	return share >= 1 ? cells - 1 : (uint32_t)(share * (float)cells);
}

uint32_t sluice_tiles_at(const struct sluice_tiles *t, float x, float y)
{
	return cell_at(y, t->grid_h) / t->side * t->w + cell_at(x, t->grid_w) / t->side;
}

int sluice_tally_begin(struct sluice_tally *t, uint32_t grid_w, uint32_t grid_h)
{
	memset(t, 0, sizeof(*t));
	return sluice_tiles_of(grid_w, grid_h, &t->tiles);
}

bool sluice_tally_empty(const struct sluice_tally *t)
{
	return !t->openings && !t->samples;
}

bool sluice_tally_ok(const struct sluice_tally *t)
{
	struct sluice_tiles want;

	return !sluice_tiles_of(t->tiles.grid_w, t->tiles.grid_h, &want) &&
	       want.side == t->tiles.side && want.w == t->tiles.w && want.h == t->tiles.h &&
	       t->nothing <= t->openings && t->missed <= t->samples;
}

static void grow(uint32_t *n, uint32_t by)
{
	*n = by > UINT32_MAX - *n ? UINT32_MAX : *n + by;
}

void sluice_tally_add(struct sluice_tally *t, const struct sluice_tally *more)
{
	if (!sluice_tiles_same(&t->tiles, &more->tiles)) {
		*t = *more;
		return;
	}
	t->utc_ns = more->utc_ns;
	t->settings = more->settings;
	grow(&t->openings, more->openings);
	grow(&t->nothing, more->nothing);
	grow(&t->samples, more->samples);
	grow(&t->missed, more->missed);
	for (uint32_t i = 0; i < (uint32_t)t->tiles.w * t->tiles.h; i++) {
		grow(&t->tile[i].nothing, more->tile[i].nothing);
		grow(&t->tile[i].frames, more->tile[i].frames);
		grow(&t->tile[i].seen, more->tile[i].seen);
		grow(&t->tile[i].missed, more->tile[i].missed);
	}
}

/* ---- bytes ---- */

static uint8_t *put16(uint8_t *p, uint32_t value)
{
	uint16_t v = htole16((uint16_t)value);

	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	uint32_t v = htole32(value);

	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static const uint8_t *get16(const uint8_t *p, uint32_t *value)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	*value = le16toh(v);
	return p + sizeof(v);
}

static const uint8_t *get32(const uint8_t *p, uint32_t *value)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	*value = le32toh(v);
	return p + sizeof(v);
}

size_t sluice_tally_pack(const struct sluice_tally *t, uint8_t *out)
{
	uint8_t *p = put16(put16(put16(out, VERSION), t->tiles.grid_w), t->tiles.grid_h);
	uint8_t *count = p;
	uint32_t n = 0;

	p = put32(put32(put16(p, 0), t->openings), t->nothing);
	p = put32(put32(p, t->samples), t->missed);
	for (uint32_t i = 0; i < (uint32_t)t->tiles.w * t->tiles.h; i++) {
		const struct sluice_tile *a = &t->tile[i];

		if (!a->nothing && !a->frames && !a->seen && !a->missed)
			continue;
		p = put32(put32(put16(p, i), a->nothing), a->frames);
		p = put32(put32(p, a->seen), a->missed);
		n++;
	}
	put16(count, n);
	return (size_t)(p - out);
}

int sluice_tally_unpack(const void *data, size_t size, struct sluice_tally *t)
{
	const uint8_t *p = data;
	uint32_t version, w, h, n, i, at, next = 0;

	if (size < HEAD)
		return -EBADMSG;
	p = get16(get16(get16(get16(p, &version), &w), &h), &n);
	if (version != VERSION || sluice_tally_begin(t, w, h) || size != HEAD + (size_t)n * EACH)
		return -EBADMSG;
	p = get32(get32(p, &t->openings), &t->nothing);
	p = get32(get32(p, &t->samples), &t->missed);
	for (i = 0; i < n; i++) {
		struct sluice_tile *a;

		p = get16(p, &at);
		if (at < next || at >= (uint32_t)t->tiles.w * t->tiles.h)
			return -EBADMSG;
		a = &t->tile[at];
		p = get32(get32(p, &a->nothing), &a->frames);
		p = get32(get32(p, &a->seen), &a->missed);
		next = at + 1;
	}
	return sluice_tally_ok(t) ? 0 : -EBADMSG;
}
