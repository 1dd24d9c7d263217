/* SPDX-License-Identifier: MIT */
/* fuzz_luma.h - how an input of fuzz_luma begins: eight u16 in the machine's order. */
#ifndef TESTS_FUZZ_LUMA_H
#define TESTS_FUZZ_LUMA_H

enum {
	FUZZ_CHOICE, /* low 3 bits: format; then bits below */
	FUZZ_WIDTH,
	FUZZ_HEIGHT,
	FUZZ_LINE,
	FUZZ_MORE, /* bytes more than a full frame */
	FUZZ_LESS,
	FUZZ_SHIFT, /* alignment */
	FUZZ_SPARE,
	FUZZ_WORDS
};

#define FUZZ_FOURCC 8u	 /* any fourcc */
#define FUZZ_WIDE   16u	 /* width to 4999 */
#define FUZZ_HIGH   32u	 /* height to 299 */
#define FUZZ_STRIDE 64u	 /* bytes per line as LINE says */
#define FUZZ_NEAR   128u /* nearly a full frame */
#define FUZZ_SHORT  256u /* LESS / 65536 of it */

#endif
