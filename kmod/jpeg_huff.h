/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * jpeg_huff.h - Huffman tables that skip: private to jpeg_dc.c.
 *
 * Nothing but the DC difference of luma is wanted, so a look-up need not say what the coefficients
 * are, only how many bits and how many positions of the block they take: as many symbols as have
 * their codes inside JPEG_BITS bits are one entry, with the bits of their values counted along.
 *
 *   bits 0..5   length in bits of all of them (at most JPEG_BITS + 15)
 *   bits 8..15  advance in the block: the sum of run + 1, at most 63; JPEG_EOB + that sum if the
 *               last symbol is end of block; JPEG_SLOW if the first code is longer than JPEG_BITS
 *               or none at all
 */
#ifndef SLUICE_JPEG_HUFF_H
#define SLUICE_JPEG_HUFF_H

#include "core.h"

#define JPEG_BITS    11
#define JPEG_DC_BITS 9
#define JPEG_EOB     128
#define JPEG_SLOW    255

/* One table as DHT gives it, and its canonical decoding for codes of any length. */
struct jpeg_huff {
	u32 generation; /* changes with the content; 0: never filled */
	u16 count;	/* of symbols */
	u8 present;	/* defined in this frame */
	u8 bits[16];	/* codes of length 1..16 */
	u8 value[256];
	s32 last[17];	/* greatest code of a length, -1: none */
	s32 offset[17]; /* index of a code's symbol: code + offset */
};

/* What a component's blocks are skipped with: made of one DC and one AC table. */
struct jpeg_skip {
	u32 dc_generation, ac_generation;
	u16 first[1 << JPEG_BITS]; /* from the start of a block: DC symbol, then AC symbols */
	u16 ac[1 << JPEG_BITS];	   /* from anywhere behind */
	u8 dc[1 << JPEG_DC_BITS];  /* code length << 4 | category; 0: longer code */
};

/*
 * Fill h from the body of a DHT segment: 16 counts, then the symbols. Unchanged content costs a
 * comparison only. *generation is the decoder's counter. Returns 0 or -EBADMSG if the counts are
 * no prefix code or (dc) a category is above 15.
 */
int sluice_jpeg_huff_fill(struct jpeg_huff *h, const u8 *bits, const u8 *value, u32 count, bool dc,
			  u32 *generation);

/* The standard tables (ITU-T T.81, annex K.3): id 0 luminance, 1 chrominance. */
int sluice_jpeg_huff_standard(struct jpeg_huff *h, bool dc, u32 id, u32 *generation);

/* Make s of two filled tables, unless it is made of them already. */
void sluice_jpeg_skip_build(struct jpeg_skip *s, const struct jpeg_huff *dc,
			    const struct jpeg_huff *ac);

/*
 * The symbol that the 64 bits in buf (first bit topmost) begin with: its code length << 8 | symbol,
 * 0 if no code matches.
 */
u32 sluice_jpeg_huff_symbol(const struct jpeg_huff *h, u64 buf);

#endif
