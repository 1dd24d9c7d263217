// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * jpeg_scan.c - skips through the entropy-coded data of a JPEG scan and picks out luma DC.
 *
 * Happy path: the bytes are copied, without their stuffing, in chunks of 3 KiB into the decoder;
 * from there a 64-bit window is refilled without a test, and the look-ups of jpeg_huff.h skip two
 * or three coefficients each. Only the DC difference of luma blocks is ever extracted. The copy is
 * also what makes the decoder safe against a buffer that changes under it.
 *
 * Bounds: a block takes at most 64 symbols of at most 31 bits, 248 bytes; before each block at
 * least JPEG_BLOCK_BYTES lie in the chunk, zeros behind the end of the data, so the inner loop
 * tests nothing. Once the end is in the chunk, the position is compared with it before each block
 * and after the last. Work is O(len + blocks).
 *
 * Failure: a code that is none, a block that is too long, data that ends early, a restart marker
 * that is missing or out of order: -EBADMSG, at once.
 */
#include "jpeg_scan.h"

/* The window on the entropy-coded bits: the top count bits of buf are valid. */
struct window {
	u64 buf;
	u32 count;
	const u8 *next;
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define little64(w) (w)
#define big64(w)    __builtin_bswap64(w)
#else
#define little64(w) __builtin_bswap64(w)
#define big64(w)    (w)
#endif

#define ONES8 0x0101010101010101ull

/* The next up to 8 bytes of data, first one lowest; *n says how many. */
static u64 next_bytes(struct jpeg_scan *s, u32 *n)
{
	u64 w = 0;

	if (s->src_end - s->src >= 8) {
		*n = 8;
		memcpy(&w, s->src, 8);
		w = little64(w);
	} else {
		*n = s->src_end - s->src;
		for (u32 i = 0; i < *n; i++)
			w |= (u64)s->src[i] << (8 * i);
	}
	return w;
}

/*
 * Copies data without its stuffing into to, at most room bytes; stops behind a marker or at the
 * end of the data. Returns the bytes written.
 */
static u32 unstuff(struct jpeg_scan *s, u8 *to, u32 room)
{
	const u8 *start = to, *end = to + room;

	while (!s->ended && end - to >= 8) {
		u32 n;
		u64 w = next_bytes(s, &n);

		if (n == 8 && !s->stuffing && !((~w - ONES8) & w & ONES8 << 7)) {
			w = little64(w); /* eight bytes, none of them FF */
			memcpy(to, &w, 8);
			to += 8;
			s->src += 8;
			continue;
		}
		if (!n)
			s->ended = true;
		for (; n && !s->ended; n--, w >>= 8) {
			u8 c = w & 0xff;

			s->src++;
			if (!s->stuffing) {
				s->stuffing = c == 0xff;
				if (c != 0xff)
					*to++ = c;
			} else if (c != 0xff) { /* any number of FF may stand before a code */
				s->stuffing = false;
				s->ended = c;
				s->marker = c;
				if (!c)
					*to++ = 0xff;
			}
		}
	}
	return to - start;
}

/* Begin a run of entropy-coded data: the start of a scan, or behind a restart marker. */
static void begin_run(struct jpeg_scan *s, struct window *w)
{
	s->stuffing = false;
	s->ended = false;
	s->marker = 0;
	s->fill = 0;
	s->safe = -1; /* the first block fetches */
	s->fetched = false;
	w->buf = 0;
	w->count = 0;
	w->next = s->chunk;
}

/* Whether more bits were used than the run has. Signed: the window may reach before the chunk. */
static bool missing_bits(const struct jpeg_scan *s, const struct window *w)
{
	return s->ended && (s32)(w->next - s->chunk) * 8 - (s32)w->count > (s32)s->fill * 8;
}

/*
 * Called with a block to begin at w->next, beyond s->safe: fetch more, or check that the bits used
 * so far were there. Returns the new place of next, NULL if bits are missing.
 */
static const u8 *more_chunk(struct jpeg_scan *s, const struct window *w)
{
	u32 used = w->next - s->chunk, keep;

	if (s->ended && s->fetched)
		return missing_bits(s, w) ? NULL : w->next;
	keep = s->fill - used; /* next never passes what was filled in a run that goes on */
	memmove(s->chunk, w->next, keep);
	s->fill = keep + unstuff(s, s->chunk + keep, JPEG_CHUNK_BYTES - keep);
	s->fetched = true;
	s->safe = s->ended ? -1 : (s32)s->fill - JPEG_BLOCK_BYTES;
	if (s->ended)
		memset(s->chunk + s->fill, 0, JPEG_BLOCK_BYTES);
	return s->chunk;
}

/* Skips to the marker that ends the run, if the data has one: s->marker. */
static void end_run(struct jpeg_scan *s)
{
	while (!s->ended)
		unstuff(s, s->chunk, JPEG_CHUNK_BYTES);
}

static __always_inline void refill(struct window *w)
{
	u64 bytes;

	memcpy(&bytes, w->next, sizeof(bytes));
	w->buf |= big64(bytes) >> w->count;
	w->next += (63 - w->count) >> 3;
	w->count |= 56;
}

static __always_inline void consume(struct window *w, u32 bits)
{
	w->buf <<= bits & 63;
	w->count -= bits & 63;
}

/*
 * One symbol the long way. k: position in the block, 0 for its DC. Returns the new position, 64 if
 * the block is complete; more than 64 if it does not parse. *length: bits to consume.
 */
static u32 slow_symbol(const struct jpeg_huff *h, u64 buf, u32 k, u32 *length)
{
	u32 symbol = sluice_jpeg_huff_symbol(h, buf), size = symbol & 15, run = symbol >> 4 & 15;

	*length = (symbol >> 8) + size;
	if (!symbol)
		return JPEG_SLOW;
	if (!k)
		return 1;
	return size || run == 15 ? k + run + 1 : 64;
}

/* DC difference of the block that begins here; its bits, 31 at most, stay. */
static __always_inline s32 dc_difference(const struct window *w, const struct jpeg_block *b)
{
	u32 code = b->skip->dc[w->buf >> (64 - JPEG_DC_BITS)], size = code & 15;
	s64 value;

	code >>= 4;
	if (!code) {
		u32 symbol = sluice_jpeg_huff_symbol(b->dc, w->buf);

		code = symbol >> 8; /* 0: no code, and skipping will find out */
		size = symbol & 15;
	}
	value = (s64)(w->buf << code);
	/* a leading 0 means negative: bits - (2^size - 1) */
	return (s32)((u64)value >> 1 >> (63 - size)) - (s32)(~value >> 63 & ((1 << size) - 1));
}

/*
 * Skips one block; *difference: its DC, if wanted. Returns 0 or -EBADMSG. Two look-ups take at most
 * 2 * (JPEG_BITS + 15) = 52 of the 56 bits that a refill guarantees.
 */
static __always_inline int skip_block(struct window *w, const struct jpeg_block *b, s32 *difference)
{
	u32 k = 0, entry, to, length;

	refill(w);
	if (difference)
		*difference = dc_difference(w, b);
	entry = b->skip->first[w->buf >> (64 - JPEG_BITS)];
	for (;;) {
		to = k + (entry >> 8);
		if (to < 64) {
			consume(w, entry);
			k = to;
			entry = b->skip->ac[w->buf >> (64 - JPEG_BITS)];
			to = k + (entry >> 8);
			if (to < 64) {
				consume(w, entry);
				k = to;
			}
		}
		if (to == 64 || to - JPEG_EOB < 64) {
			consume(w, entry);
			return 0;
		}
		refill(w);
		if (to > 64) { /* a long code, or symbols beyond the end of the block */
			k = slow_symbol(k ? b->ac : b->dc, w->buf, k, &length);
			if (k > 64)
				return -EBADMSG;
			consume(w, length);
			if (k == 64)
				return 0;
			refill(w);
		}
		entry = b->skip->ac[w->buf >> (64 - JPEG_BITS)];
	}
}

static void store_dc(const struct jpeg_target *t, u32 x, u32 y, s32 dc)
{
	s64 value = 32768 + (s64)dc * t->step;

	if (x < t->w && y < t->h)
		t->cell[y * t->w + x] = value < 0 ? 0 : value > 65535 ? 65535 : value;
}

/* The restart marker number n must come now. */
static int restart_run(struct jpeg_scan *s, struct window *w, u32 n)
{
	if (missing_bits(s, w))
		return -EBADMSG;
	end_run(s);
	if (s->marker != 0xd0 + (n & 7))
		return -EBADMSG;
	begin_run(s, w);
	return 0;
}

int sluice_jpeg_scan_luma(struct jpeg_scan *s, const struct jpeg_target *t, u32 restart)
{
	u32 across = (t->w + t->mcu_w - 1) / t->mcu_w, down = (t->h + t->mcu_h - 1) / t->mcu_h;
	u32 left = restart, restarts = 0, dc = 0;
	struct window w;

	begin_run(s, &w);
	for (u32 y = 0; y < down; y++) {
		for (u32 x = 0; x < across; x++) {
			if (restart && !left--) {
				struct window copy = w;

				if (restart_run(s, &copy, restarts++))
					return -EBADMSG;
				w = copy;
				left = restart - 1;
				dc = 0;
			}
			for (const struct jpeg_block *b = s->block; b < s->block + s->blocks; b++) {
				s32 difference;

				if (w.next - s->chunk > s->safe) {
					struct window copy = w; /* keeps w itself in registers */

					w.next = more_chunk(s, &copy);
					if (!w.next)
						return -EBADMSG;
				}
				if (!b->luma) {
					if (skip_block(&w, b, NULL))
						return -EBADMSG;
					continue;
				}
				if (skip_block(&w, b, &difference))
					return -EBADMSG;
				dc += (u32)difference;
				store_dc(t, x * t->mcu_w + b->x, y * t->mcu_h + b->y, (s32)dc);
			}
		}
	}
	if (missing_bits(s, &w))
		return -EBADMSG;
	end_run(s);
	return 0;
}

bool sluice_jpeg_is_restart(int marker)
{
	return marker >= 0xd0 && marker <= 0xd7;
}

void sluice_jpeg_scan_skip(struct jpeg_scan *s)
{
	struct window w;

	do {
		begin_run(s, &w);
		end_run(s);
	} while (sluice_jpeg_is_restart(s->marker));
}
