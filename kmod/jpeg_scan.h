/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* jpeg_scan.h - the entropy-coded part of a JPEG: private to jpeg_dc.c. */
#ifndef SLUICE_JPEG_SCAN_H
#define SLUICE_JPEG_SCAN_H

#include "jpeg_huff.h"

#define JPEG_CHUNK_BYTES 3072
#define JPEG_BLOCK_BYTES                                                                       \
	272		   /* most that one block takes, 248, and 16 of look-ahead, rounded up \
			    */
#define JPEG_BLOCKS_MAX 10 /* of an MCU */

/* One block of an MCU. */
struct jpeg_block {
	const struct jpeg_skip *skip;
	const struct jpeg_huff *dc, *ac;
	bool luma;
	u8 x, y; /* place in the MCU, in blocks */
};

struct jpeg_scan {
	const u8 *src, *src_end; /* what was not fetched yet; set by the caller */
	struct jpeg_block block[JPEG_BLOCKS_MAX];
	u32 blocks; /* of an MCU; set by the caller */
	/* a run: the data up to the next marker */
	bool stuffing; /* an FF was fetched, what follows it not yet */
	bool fetched;  /* anything at all of this run */
	bool ended;    /* a marker or the end of the data was reached */
	u8 marker;     /* that marker, src is behind it; 0: end of data */
	u32 fill;      /* bytes in chunk, padding not counted */
	s32 safe;      /* a block may begin at this offset or before without a look; -1: none */
	u8 chunk[JPEG_CHUNK_BYTES + JPEG_BLOCK_BYTES];
};

/* Where the luma of a scan goes. */
struct jpeg_target {
	u16 *cell;
	u32 w, h;	  /* cells */
	u32 mcu_w, mcu_h; /* of an MCU, in blocks of luma */
	u32 step;	  /* Q8 value of one DC level */
};

/*
 * Decode the blocks of a scan that has luma, restart MCUs (0: all) between restart markers, and
 * run on to the marker behind it. Returns 0 or -EBADMSG.
 */
int sluice_jpeg_scan_luma(struct jpeg_scan *s, const struct jpeg_target *t, u32 restart);

/* Run over the data of a scan without luma, to the marker behind it. */
void sluice_jpeg_scan_skip(struct jpeg_scan *s);

bool sluice_jpeg_is_restart(int marker);

#endif
