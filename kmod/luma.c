// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * luma.c - the grid of a raw frame: mean luma of every block in Q8.
 *
 * One pass over the luma lines, a row of blocks at a time. The row functions of a table (scalar
 * here, SSE2 and AVX2 in luma_x86.c) add the pixels of whole blocks straight into the row of cells
 * as u16 sums, 64 * 255 at most; a shift, four cells a word, makes them means. Blocks that the
 * right or bottom edge cuts are averaged over the pixels they have. RGB is linear: the three
 * colours are summed apart and weighted once a block (BT.601: 77, 150, 29 of 256, full range).
 *
 * The frame may be mapped by the application that streams it: every byte is read at most once and
 * no length or offset is taken from it, so a writer can only change the picture.
 */
#include "luma_x86.h"

#define EVEN   0x00ff00ff00ff00ffull /* even bytes of a little-endian word: bytes 0 2 4 6 */
#define LANES4 0x0001000100010001ull

#define SECTION_BYTES 16384 /* of input for one begin/end section of the vector unit */
#define RGB_CELLS     32    /* cells summed by colour at a time: 192 bytes of stack */

static u64 load64(const u8 *p)
{
	u64 w;

	memcpy(&w, p, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

/*
 * Sum of the four u16 lanes, which is at most 16320. One multiplication; without the barrier
 * compilers that count latency only make six shifts and additions of it.
 */
static __always_inline u32 sum4(u64 lanes)
{
	u64 factor = LANES4;

	__asm__("" : "+r"(factor));
	return (lanes * factor) >> 48;
}

/* Blocks of any width, pixel by pixel: narrow blocks of small pictures, and cut ones. */
static void row_any(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
		    u16 *cell, u32 step)
{
	for (u32 r = 0; r < rows; r++, line += stride) {
		const u8 *p = line;

		for (u32 i = 0; i < cells; i++) {
			u32 s = 0;

			for (u32 x = 0; x < block; x++, p += step)
				s += *p;
			cell[i] += s << shift;
		}
	}
}

static void narrow_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			u16 *cell)
{
	row_any(line, stride, rows, cells, block, shift, cell, 1);
}

static void narrow_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			u16 *cell)
{
	row_any(line, stride, rows, cells, block, shift, cell, 2);
}

static void narrow_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			u16 *cell)
{
	row_any(line + 1, stride, rows, cells, block, shift, cell, 2);
}

/*
 * Blocks of eight lines go one by one, with their sums in registers. The lines lie too far apart
 * for the CPU to see a stream in them: so each block asks for its share of the next row of blocks,
 * in the order of memory. Rows of blocks that the bottom edge cuts may take their time.
 */

/* Luma is in the even bytes, for odd 8 in the odd ones. */
static __always_inline void row_packed(const u8 *line, u32 stride, u32 cells, u32 shift, u16 *cell,
				       u32 odd)
{
	const u8 *next = line + (size_t)8 * stride;

	for (; cells; cells--, line += 16, next += 16 * 8) {
		const u8 *p = line;
		u64 left = 0, right = 0;

		__builtin_prefetch(next);
		__builtin_prefetch(next + 64);
#pragma GCC unroll 8
		for (u32 r = 0; r < 8; r++, p += stride) {
			left += load64(p) >> odd & EVEN;
			right += load64(p + 8) >> odd & EVEN;
		}
		*cell++ += sum4(left + right) << shift;
	}
}

static void row_yuyv(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
		     u16 *cell)
{
	if (rows == 8)
		row_packed(line, stride, cells, shift, cell, 0);
	else
		narrow_yuyv(line, stride, rows, cells, block, shift, cell);
}

static void row_uyvy(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
		     u16 *cell)
{
	if (rows == 8)
		row_packed(line, stride, cells, shift, cell, 8);
	else
		narrow_uyvy(line, stride, rows, cells, block, shift, cell);
}

/*
 * In 16-bit lanes, modulo 2^64, the sum of the words is that of even + 256 * odd bytes; less 255 *
 * odd, that is even + odd, which no lane overflows.
 */
static void row_grey(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
		     u16 *cell)
{
	const u8 *next = line + (size_t)8 * stride;

	if (rows < 8) {
		narrow_grey(line, stride, rows, cells, block, shift, cell);
		return;
	}
	for (; cells; cells--, line += 8, next += 8 * 8) {
		const u8 *p = line;
		u64 all = 0, odd = 0, w;

		__builtin_prefetch(next);
#pragma GCC unroll 8
		for (u32 r = 0; r < 8; r++, p += stride) {
			w = load64(p);
			all += w;
			odd += w >> 8 & EVEN;
		}
		*cell++ += sum4(all - 255 * odd) << shift;
	}
}

/* 24 bytes hold 8 pixels; byte b of them has colour b % 3. Columns first, colours at the end. */
static void row_rgb(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
		    u16 *cell)
{
	for (u32 i = 0; i < cells; i++, line += 24, cell += 3) {
		u64 even[3] = { 0 }, odd[3] = { 0 };
		const u8 *p = line;
		u32 colour = 0;

		for (u32 r = 0; r < rows; r++, p += stride) {
			for (u32 w = 0; w < 3; w++) {
				u64 v = load64(p + 8 * w);

				even[w] += v & EVEN;
				odd[w] += v >> 8 & EVEN;
			}
		}
		for (u32 b = 0; b < 24; b++) {
			u64 v = b & 1 ? odd[b / 8] : even[b / 8];

			cell[colour] += (v >> (b % 8 / 2 * 16) & 0xffff) << shift;
			colour = colour == 2 ? 0 : colour + 1;
		}
	}
}

void sluice_luma_rgb_narrow(const u8 *line, u32 stride, u32 rows, u32 cells, u32 block, u32 shift,
			    u16 *cell)
{
	for (u32 r = 0; r < rows; r++, line += stride) {
		const u8 *p = line;

		for (u32 i = 0; i < cells * block; i++, p += 3) {
			for (u32 c = 0; c < 3; c++)
				cell[i / block * 3 + c] += p[c] << shift;
		}
	}
}

const struct sluice_luma_ops sluice_luma_scalar = {
	.name = "scalar",
	.row = { row_grey, row_yuyv, row_uyvy, row_rgb },
	.narrow = { narrow_grey, narrow_yuyv, narrow_uyvy, sluice_luma_rgb_narrow },
};

const struct sluice_luma_ops *sluice_luma = &sluice_luma_scalar;

#ifndef SLUICE_SIMD_X86
const struct sluice_luma_ops *const *sluice_luma_tables(void)
{
	static const struct sluice_luma_ops *const scalar_only[] = { &sluice_luma_scalar, NULL };

	return scalar_only;
}
#endif

void sluice_luma_init(bool force_scalar)
{
	sluice_luma = force_scalar ? &sluice_luma_scalar : sluice_luma_tables()[0];
}

/* Sums of a row of whole blocks, in sections that the table's vector unit may be held for. */
static void sum_row(const struct sluice_picture *p, enum sluice_luma_layout layout, const u8 *line,
		    u32 rows, u32 cells, u32 shift, u16 *cell)
{
	const struct sluice_luma_ops *ops = sluice_luma;
	u32 bytes = max_t(u32, cells * p->block * p->pixel_step, 1);
	u32 chunk = ops->begin ? max_t(u32, SECTION_BYTES / bytes, 1) : rows;

	while (rows) {
		u32 n = min(rows, chunk);
		const struct sluice_luma_ops *o =
			ops->begin && !ops->begin() ? &sluice_luma_scalar : ops;

		(p->block == 8 ? o->row : o->narrow)[layout](line, p->stride, n, cells, p->block,
							     shift, cell);
		if (o->end)
			o->end();
		line += (size_t)n * p->stride;
		rows -= n;
	}
}

/* Weighted colours of cells blocks of area pixels: rgb[3 * i..] are sums in the order of bytes. */
static void weigh_rgb(bool bgr, const u16 *rgb, u32 cells, u32 area, u16 *cell)
{
	for (u32 i = 0; i < cells; i++, rgb += 3) {
		u32 red = bgr ? rgb[2] : rgb[0], blue = bgr ? rgb[0] : rgb[2];

		cell[i] = (77 * red + 150 * rgb[1] + 29 * blue) / area;
	}
}

static void grid_row_rgb(const struct sluice_picture *p, const u8 *line, u32 rows, u16 *cell)
{
	bool bgr = p->fourcc == SLUICE_FMT_BGR24;
	u32 full = p->width / p->block, rest = p->width % p->block;
	u16 sum[3 * RGB_CELLS];

	for (u32 x = 0; x < full; x += RGB_CELLS) {
		u32 n = min_t(u32, full - x, RGB_CELLS);

		memset(sum, 0, sizeof(sum));
		sum_row(p, SLUICE_LUMA_RGB, line + 3 * x * p->block, rows, n, 0, sum);
		weigh_rgb(bgr, sum, n, rows * p->block, cell + x);
	}
	if (rest) {
		memset(sum, 0, sizeof(sum));
		sluice_luma_rgb_narrow(line + 3 * full * p->block, p->stride, rows, 1, rest, 0,
				       sum);
		weigh_rgb(bgr, sum, 1, rows * rest, cell + full);
	}
}

static void grid_row(const struct sluice_picture *p, const u8 *line, u32 rows, u16 *cell)
{
	enum sluice_luma_layout layout = p->pixel_step == 1 ? SLUICE_LUMA_GREY
					 : p->luma_first    ? SLUICE_LUMA_UYVY
							    : SLUICE_LUMA_YUYV;
	u32 full = p->width / p->block, rest = p->width % p->block, area = p->block * rows;
	u32 shift = p->block == 8 ? 2 : p->block == 4 ? 4 : 6; /* 64, 16, 4 pixels: sum to Q8 */

	memset(cell, 0, p->grid_w * sizeof(*cell));
	sum_row(p, layout, line, rows, full, rows == p->block ? shift : 0, cell);
	for (u32 i = 0; rows != p->block && i < full; i++)
		cell[i] = ((u32)cell[i] << 8) / area;
	if (rest) {
		row_any(line + full * p->block * p->pixel_step + p->luma_first, p->stride, rows, 1,
			rest, 0, cell + full, p->pixel_step);
		cell[full] = ((u32)cell[full] << 8) / (rest * rows);
	}
}

int sluice_luma_grid(const struct sluice_picture *p, const void *data, size_t len, u16 *cell)
{
	const u8 *line = data;

	if (!p->size_min || len < p->size_min)
		return -EMSGSIZE;
	for (u32 y = 0; y < p->height; y += p->block) {
		u32 rows = min_t(u32, p->height - y, p->block);

		if (p->pixel_step == 3)
			grid_row_rgb(p, line, rows, cell);
		else
			grid_row(p, line, rows, cell);
		line += (size_t)p->block * p->stride;
		cell += p->grid_w;
	}
	return 0;
}

int sluice_picture_init(struct sluice_picture *p, u32 fourcc, u32 width, u32 height,
			u32 bytesperline)
{
	bool mjpeg = false, paired = false, planes = false;

	memset(p, 0, sizeof(*p));
	p->pixel_step = 1;
	switch (fourcc) {
	case SLUICE_FMT_YUYV:
	case SLUICE_FMT_UYVY:
		p->luma_first = fourcc == SLUICE_FMT_UYVY;
		p->pixel_step = 2;
		paired = true;
		break;
	case SLUICE_FMT_NV12:
	case SLUICE_FMT_NV21:
	case SLUICE_FMT_YU12:
		paired = true;
		planes = true;
		break;
	case SLUICE_FMT_GREY:
		break;
	case SLUICE_FMT_RGB24:
	case SLUICE_FMT_BGR24:
		p->pixel_step = 3;
		break;
	case SLUICE_FMT_MJPEG:
	case SLUICE_FMT_JPEG:
		mjpeg = true;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (width < SLUICE_WIDTH_MIN || width > SLUICE_WIDTH_MAX || height < SLUICE_WIDTH_MIN ||
	    height > SLUICE_WIDTH_MAX || (paired && width & 1))
		return -EINVAL;
	p->fourcc = fourcc;
	p->width = width;
	p->height = height;
	p->block = mjpeg || width >= 480 ? 8 : width >= 240 ? 4 : 2;
	p->grid_w = (width + p->block - 1) / p->block;
	p->grid_h = (height + p->block - 1) / p->block;
	if (mjpeg)
		return 0;
	p->stride = bytesperline ? bytesperline : width * p->pixel_step;
	if (p->stride < width * p->pixel_step || p->stride > 65536 ||
	    (fourcc == SLUICE_FMT_YU12 && p->stride & 1))
		return -EINVAL;
	p->size_min = p->stride * height;
	if (planes) /* half the lines of chroma, as wide as luma together */
		p->size_min += p->stride * ((height + 1) / 2);
	return 0;
}
