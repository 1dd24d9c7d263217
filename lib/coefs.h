/* SPDX-License-Identifier: MIT */
/*
 * coefs.h - a JPEG as its quantised coefficients: read, compared, put together, written again. Only
 * the Huffman code is undone and made anew, so what is copied stays the same bit for bit.
 */
#ifndef SLUICE_LIB_COEFS_H
#define SLUICE_LIB_COEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct sluice_coefs;

struct sluice_coefs_shape {
	uint32_t width, height; /* pixels */
	uint32_t mcu_w, mcu_h;	/* pixels: 8, 16 or 32 */
	uint32_t columns, rows; /* MCUs */
	uint32_t components;	/* 1 or 3 */
	uint32_t h[3], v[3];	/* blocks of a component in one MCU */
};

/* In MCUs. */
struct sluice_coefs_box {
	uint32_t column, row, columns, rows;
};

/* A JPEG that is written never exceeds size_max bytes. NULL: out of memory. */
struct sluice_coefs *sluice_coefs_open(size_t size_max);
void sluice_coefs_close(struct sluice_coefs *c); /* NULL-safe */

/*
 * Read a JPEG that lies in pieces. Its header must say width x height before memory of that size is
 * taken. 0; -EBADMSG: another size, damaged or cut, more scans than components need; -EOPNOTSUPP:
 * progressive, arithmetic, not 8 bits, 2 or 4 components, odd sampling; -ENOMEM.
 */
int sluice_coefs_read(struct sluice_coefs *c, const struct iovec *piece, unsigned int pieces,
		      uint32_t width, uint32_t height);

/* Free what was read; what was written stays. */
void sluice_coefs_forget(struct sluice_coefs *c);

/* Of what was read last; valid until the next read. */
const struct sluice_coefs_shape *sluice_coefs_shape(const struct sluice_coefs *c);
/* Row of blocks, from the top, below rows * v: columns * h blocks, each 64 coefficients in natural
 * order (not zigzag). They may be changed. */
int16_t (*sluice_coefs_row(struct sluice_coefs *c, uint32_t component, uint32_t row))[64];
/* Quantisation of a component, 64 steps in natural order. */
const uint16_t *sluice_coefs_steps(const struct sluice_coefs *c, uint32_t component);

/* The same sampling and the same steps, so that blocks of one mean the same in the other. */
bool sluice_coefs_alike(const struct sluice_coefs *a, const struct sluice_coefs *b);

/* Copy the MCUs of from, which lies at (column, row) of to. mask: as in sluice_wire_region, NULL:
 * all. -EINVAL: not alike, or it does not fit. */
int sluice_coefs_paste(struct sluice_coefs *to, struct sluice_coefs *from, uint32_t column,
		       uint32_t row, const uint8_t *mask);

/*
 * Write a box of what was read (NULL: all) with Huffman codes made for it. mask (NULL: all): MCUs
 * of the box that count; the others are made as small as they can be. *jpeg is valid until the next
 * write. 0, -EMSGSIZE, -ENOMEM, -EBADMSG (coefficients that no JPEG can hold).
 */
int sluice_coefs_write(struct sluice_coefs *c, const struct sluice_coefs_box *box,
		       const uint8_t *mask, const uint8_t **jpeg, size_t *size);

#endif
