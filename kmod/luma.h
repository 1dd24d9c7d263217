/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* luma.h - the grid of a raw frame: mean luma of every block, in Q8 (1 grey level = 256). */
#ifndef SLUICE_LUMA_H
#define SLUICE_LUMA_H

#include "core.h"

#define SLUICE_WIDTH_MIN  16
#define SLUICE_WIDTH_MAX  4096
#define SLUICE_GRID_W_MAX 512 /* 4096 / 8 */
#define SLUICE_CELLS_MAX  (512 * 512)

#define SLUICE_FOURCC(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)
#define SLUICE_FMT_YUYV		  SLUICE_FOURCC('Y', 'U', 'Y', 'V')
#define SLUICE_FMT_UYVY		  SLUICE_FOURCC('U', 'Y', 'V', 'Y')
#define SLUICE_FMT_NV12		  SLUICE_FOURCC('N', 'V', '1', '2')
#define SLUICE_FMT_NV21		  SLUICE_FOURCC('N', 'V', '2', '1')
#define SLUICE_FMT_YU12		  SLUICE_FOURCC('Y', 'U', '1', '2')
#define SLUICE_FMT_GREY		  SLUICE_FOURCC('G', 'R', 'E', 'Y')
#define SLUICE_FMT_RGB24	  SLUICE_FOURCC('R', 'G', 'B', '3')
#define SLUICE_FMT_BGR24	  SLUICE_FOURCC('B', 'G', 'R', '3')
#define SLUICE_FMT_MJPEG	  SLUICE_FOURCC('M', 'J', 'P', 'G')
#define SLUICE_FMT_JPEG		  SLUICE_FOURCC('J', 'P', 'E', 'G') /* treated as MJPEG */
/* The same as NV12, NV21, YU12, but each plane in memory of its own; see mask.h. */
#define SLUICE_FMT_NM12		  SLUICE_FOURCC('N', 'M', '1', '2')
#define SLUICE_FMT_NM21		  SLUICE_FOURCC('N', 'M', '2', '1')
#define SLUICE_FMT_YM12		  SLUICE_FOURCC('Y', 'M', '1', '2')

/* A picture format after the checks of sluice_picture_init(). */
struct sluice_picture {
	u32 fourcc;
	u32 width, height; /* pixels */
	u32 stride;	   /* bytes per line of the first plane; 0 for MJPEG */
	u32 size_min;	   /* least bytes a full raw frame has; 0 for MJPEG */
	u8 block;      /* pixels per side of a grid cell: 8, 4 or 2 (raw: near 80 cells wide), MJPEG
			  always 8 */
	u8 pixel_step; /* bytes from one luma sample to the next: 1, 2 or 3 */
	u8 luma_first; /* offset of the first luma (or first colour) byte of a line */
	u8 apart;      /* chroma planes that lie in memory of their own: 0, 1 or 2 */
	u16 grid_w, grid_h; /* cells; partial blocks at the right and bottom edge count as cells */
	u32 apart_stride;   /* bytes per line of these */
};

/*
 * Fill p for a format. bytesperline 0 means "packed".
 * Returns 0, -EOPNOTSUPP for a fourcc that Sluice does not know, -EINVAL for a size or stride
 * outside the limits (16..4096 pixels a side).
 */
int sluice_picture_init(struct sluice_picture *p, u32 fourcc, u32 width, u32 height,
			u32 bytesperline);

/* How luma lies in a line; one row function each. */
enum sluice_luma_layout {
	SLUICE_LUMA_GREY, /* 1 byte a pixel, also the first plane of NV12, NV21, YU12 */
	SLUICE_LUMA_YUYV, /* luma in the even bytes */
	SLUICE_LUMA_UYVY, /* luma in the odd bytes */
	SLUICE_LUMA_RGB,  /* three colours a pixel, in either order */
	SLUICE_LUMA_LAYOUTS
};

/*
 * cell[0..cells-1] += sums << shift of cells blocks that lie side by side: rows lines (1..block)
 * from line on, stride bytes apart, block pixels of each. RGB: three sums a block, in the order of
 * the bytes. A sum has at most 64 * 255, so u16 holds it, and its mean in Q8 too. Reads nothing
 * behind the last pixel of a block and no byte twice.
 */
typedef void (*sluice_luma_row)(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block,
				u32 shift, u16 *cell);

/*
 * One implementation of the grid. Row functions with begin set may be called only between a
 * begin() that returned true and end(), and hold the CPU's vector unit in between: one section
 * covers at most 16 KiB of input.
 */
struct sluice_luma_ops {
	const char *name;			     /* "scalar", "sse2", "avx2" */
	sluice_luma_row row[SLUICE_LUMA_LAYOUTS];    /* block is 8 */
	sluice_luma_row narrow[SLUICE_LUMA_LAYOUTS]; /* block is 4 or 2 */
	bool (*begin)(void); /* NULL: nothing to do; false: use the scalar table this time */
	void (*end)(void);
};

extern const struct sluice_luma_ops sluice_luma_scalar;
/* The best table for this CPU; scalar until sluice_luma_init(). Tests may set it. */
extern const struct sluice_luma_ops *sluice_luma;

/*
 * The tables that this CPU can run, best first, ended by NULL (luma_x86.c; elsewhere luma.c knows
 * only the scalar one).
 */
const struct sluice_luma_ops *const *sluice_luma_tables(void);

/* Choose the table by CPU features. force_scalar for tests and for CPUs with broken vector units.
 */
void sluice_luma_init(bool force_scalar);

/*
 * Grid of a raw frame: cell[grid_h][grid_w], u16 Q8 means. data may be written by others meanwhile;
 * every byte is read at most once and the result is then merely a mix.
 * Returns 0, or -EMSGSIZE if len < p->size_min (the frame is short).
 */
int sluice_luma_grid(const struct sluice_picture *p, const void *data, size_t len, u16 *cell);

#endif
