// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * jpeg_dc.c - the luma DC grid of a baseline JPEG: its headers, and the way to its scan.
 *
 * Happy path: the segments are read a byte at a time, the tables that they bring are compared with
 * those of the frame before (cameras repeat them), and the scan with luma goes to jpeg_scan.c.
 * What does not matter for luma is stepped over.
 *
 * The buffer may change under the decoder: a length or a marker is fetched once, judged and used,
 * never fetched again. The work is bounded by the length of the data.
 *
 * Failure: whatever does not parse is -EBADMSG and the frame passes as CORRUPT; nothing of an
 * earlier frame is used except tables that this frame defines identically. No resynchronisation:
 * a wrong grid would look like motion, a frame passed too many costs little.
 */
#include "jpeg_dc.h"
#include "jpeg_scan.h"

#define PAIRS	  3   /* of DC and AC tables in one picture */
#define NO_TABLES 255 /* a skip table that is free in this scan */

struct component {
	u8 id, h, v, quantiser;
};

/* What the headers of one frame say; zeroed at its start. */
struct frame {
	u16 quantiser[4]; /* DC step, 0: not defined */
	u32 width, height, restart;
	u32 components, h_max, v_max;
	struct component component[3];
	bool jfif, adobe, any_huff, no_tables; /* seen in this frame */
	u8 adobe_transform;
	u8 skip_tables[PAIRS]; /* ids of the tables that a skip table is made of */
};

struct decoder {
	/* kept from frame to frame: only tables, each checked against the frame's own */
	u32 generation;
	struct jpeg_huff dc[2], ac[2];
	struct jpeg_skip skip[PAIRS];
	struct frame frame;
	struct jpeg_scan scan;
};

_Static_assert(sizeof(struct decoder) <= sizeof(struct sluice_jpeg_dc), "opaque is too small");

static int next_byte(struct decoder *d)
{
	return d->scan.src < d->scan.src_end ? core_read_once(*d->scan.src++) : -1;
}

/* 16 bits, most significant first; -1 at the end of the data. */
static int next_word(struct decoder *d)
{
	int high = next_byte(d), low = next_byte(d);

	return low < 0 ? -1 : high << 8 | low;
}

/* Body length of the segment that begins here, all of it inside the data; -1 if not. */
static int segment_length(struct decoder *d)
{
	int n = next_word(d);

	return n < 2 || n - 2 > d->scan.src_end - d->scan.src ? -1 : n - 2;
}

static int parse_dqt(struct decoder *d, int n)
{
	while (n > 0) {
		int pq = next_byte(d), size = pq >> 4 ? 128 : 64;

		if (pq >> 4 > 1 || (pq & 15) > 3 || n < 1 + size)
			return -EBADMSG;
		d->frame.quantiser[pq & 15] = pq >> 4 ? next_word(d) : next_byte(d);
		if (!d->frame.quantiser[pq & 15])
			return -EBADMSG;
		d->scan.src += pq >> 4 ? 126 : 63;
		n -= 1 + size;
	}
	return 0;
}

static int parse_dht(struct decoder *d, int n)
{
	u8 bits[16], value[256];

	while (n > 0) {
		int tc = next_byte(d), count = 0, err;

		if (n < 17 || tc >> 4 > 1)
			return -EBADMSG;
		for (u32 i = 0; i < 16; i++) {
			bits[i] = next_byte(d);
			count += bits[i];
		}
		n -= 17;
		if (count > n || count > 256)
			return -EBADMSG;
		for (int i = 0; i < count; i++)
			value[i] = next_byte(d);
		n -= count;
		if ((tc & 15) > 1)
			return -EOPNOTSUPP; /* extended sequential may have four: nobody does */
		d->frame.any_huff = true;
		err = sluice_jpeg_huff_fill(tc >> 4 ? &d->ac[tc & 1] : &d->dc[tc & 1], bits, value,
					    count, !(tc >> 4), &d->generation);
		if (err)
			return err;
	}
	return 0;
}

static int parse_sof(struct decoder *d, int n, u32 width, u32 height)
{
	const u8 *end = d->scan.src + n;

	if (n < 6 || d->frame.components)
		return -EBADMSG;
	if (next_byte(d) != 8)
		return -EOPNOTSUPP;
	d->frame.height = next_word(d);
	d->frame.width = next_word(d);
	d->frame.components = next_byte(d);
	if (d->frame.width != width || d->frame.height != height)
		return -EMSGSIZE;
	if (d->frame.components != 1 && d->frame.components != 3)
		return -EOPNOTSUPP;
	if (n < 6 + 3 * (int)d->frame.components)
		return -EBADMSG;
	for (u32 i = 0; i < d->frame.components; i++) {
		struct component *c = &d->frame.component[i];
		int hv;

		c->id = next_byte(d);
		hv = next_byte(d);
		c->quantiser = next_byte(d);
		c->h = hv >> 4;
		c->v = hv & 15;
		if (!c->h || c->h > 4 || !c->v || c->v > 4 || c->quantiser > 3)
			return -EBADMSG;
		d->frame.h_max = max_t(u32, d->frame.h_max, c->h);
		d->frame.v_max = max_t(u32, d->frame.v_max, c->v);
	}
	if (d->frame.component[0].h != d->frame.h_max || d->frame.component[0].v != d->frame.v_max)
		return -EOPNOTSUPP; /* luma coarser than chroma: no 8x8 grid */
	d->scan.src = end;
	return 0;
}

/* JFIF means YCbCr; Adobe says which; else three components called R, G, B are just that. */
static void parse_app(struct decoder *d, int marker, int n)
{
	static const char jfif[5] = "JFIF", adobe[5] = { 'A', 'd', 'o', 'b', 'e' };
	const u8 *end = d->scan.src + n;
	u8 head[12];

	for (int i = 0; i < min_t(int, n, sizeof(head)); i++)
		head[i] = next_byte(d);
	if (marker == 0xe0 && n >= 5 && !memcmp(head, jfif, 5))
		d->frame.jfif = true;
	if (marker == 0xee && n >= 12 && !memcmp(head, adobe, 5)) {
		d->frame.adobe = true;
		d->frame.adobe_transform = head[11];
	}
	d->scan.src = end;
}

static bool is_rgb(const struct decoder *d)
{
	const struct component *c = d->frame.component;

	if (d->frame.components != 3 || d->frame.jfif)
		return false;
	if (d->frame.adobe)
		return d->frame.adobe_transform == 0;
	return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
}

/* The next marker, whatever lies before it; -1 at the end of the data. */
static int next_marker(struct decoder *d)
{
	int c = next_byte(d);

	for (;;) {
		while (c >= 0 && c != 0xff)
			c = next_byte(d);
		while (c == 0xff)
			c = next_byte(d);
		if (c)
			return c;
	}
}

/* A table that the frame lacks is the standard one if the frame brings none at all. */
static int need_table(struct decoder *d, struct jpeg_huff *h, bool dc, u32 id)
{
	if (h->present)
		return 0;
	if (d->frame.any_huff)
		return -EBADMSG;
	d->frame.no_tables = true;
	return sluice_jpeg_huff_standard(h, dc, id, &d->generation);
}

/* Adds the blocks that component c has in an MCU, h x v of them. */
static int add_blocks(struct decoder *d, struct component *c, u32 tables, u32 h, u32 v)
{
	u32 dc = tables >> 4, ac = tables & 15, i;
	struct jpeg_skip *skip = d->skip;

	if (dc > 1 || ac > 1)
		return -EOPNOTSUPP;
	if (need_table(d, &d->dc[dc], true, dc) || need_table(d, &d->ac[ac], false, ac))
		return -EBADMSG;
	/* components with the same tables share a skip table, so that there are enough of them */
	for (i = 0; i < PAIRS; i++, skip++) {
		if (d->frame.skip_tables[i] == tables || d->frame.skip_tables[i] == NO_TABLES)
			break;
	}
	if (i == PAIRS)
		return -EOPNOTSUPP;
	d->frame.skip_tables[i] = tables;
	sluice_jpeg_skip_build(skip, &d->dc[dc], &d->ac[ac]);
	for (u32 y = 0; y < v; y++) {
		for (u32 x = 0; x < h; x++) {
			if (d->scan.blocks == JPEG_BLOCKS_MAX)
				return -EBADMSG;
			d->scan.block[d->scan.blocks++] =
				(struct jpeg_block){ .skip = skip,
						     .dc = &d->dc[dc],
						     .ac = &d->ac[ac],
						     .luma = c == d->frame.component,
						     .x = x,
						     .y = y };
		}
	}
	return 0;
}

/*
 * Start of scan: n bytes of header, then data. Fills cell if luma is in the scan (*done), else runs
 * over the data.
 */
static int parse_sos(struct decoder *d, int n, u16 *cell, bool *done)
{
	u32 count = next_byte(d), h_max = 1, v_max = 1;
	struct component *in[3];
	struct jpeg_target t = { .cell = cell };
	u8 tables[3];
	int err;

	if (n < 1 || !d->frame.components || is_rgb(d))
		return d->frame.components && n >= 1 ? -EOPNOTSUPP : -EBADMSG;
	if (!count || count > d->frame.components || n != 4 + 2 * (int)count)
		return -EBADMSG;
	for (u32 i = 0, j; i < count; i++) {
		u32 id = next_byte(d);

		for (j = 0; j < d->frame.components && d->frame.component[j].id != id; j++)
			;
		if (j == d->frame.components)
			return -EBADMSG;
		in[i] = &d->frame.component[j];
		tables[i] = next_byte(d);
		*done |= !j;
	}
	d->scan.src += 3; /* spectral selection and approximation: fixed in sequential pictures */
	if (!*done) {
		sluice_jpeg_scan_skip(&d->scan);
		return 0;
	}
	d->scan.blocks = 0;
	if (count > 1) { /* interleaved: an MCU is h_max x v_max blocks of luma */
		h_max = d->frame.h_max;
		v_max = d->frame.v_max;
	}
	memset(d->frame.skip_tables, NO_TABLES, sizeof(d->frame.skip_tables));
	for (u32 i = 0; i < count; i++) {
		err = add_blocks(d, in[i], tables[i], count > 1 ? in[i]->h : 1,
				 count > 1 ? in[i]->v : 1);
		if (err)
			return err;
	}
	t.w = (d->frame.width + 7) / 8;
	t.h = (d->frame.height + 7) / 8;
	t.step = 32 * d->frame.quantiser[d->frame.component[0].quantiser];
	if (!t.step)
		return -EBADMSG;
	t.mcu_w = h_max;
	t.mcu_h = v_max;
	return sluice_jpeg_scan_luma(&d->scan, &t, d->frame.restart);
}

/*
 * One marker and its segment. *done is set by the scan that has luma. Returns 0, 1 for end of
 * image, or an error.
 */
static int parse_segment(struct decoder *d, int marker, u32 width, u32 height, u16 *cell,
			 bool *done)
{
	int n;

	if (marker < 0)
		return -EBADMSG;
	if (marker == 0xd9)
		return 1;
	if (marker == 0x01 || sluice_jpeg_is_restart(marker))
		return 0;
	n = segment_length(d);
	if (n < 0 || marker == 0xd8)
		return -EBADMSG;
	switch (marker) {
	case 0xc0: /* baseline */
	case 0xc1: /* extended sequential */
		return parse_sof(d, n, width, height);
	case 0xc4:
		return parse_dht(d, n);
	case 0xda:
		return parse_sos(d, n, cell, done);
	case 0xdb:
		return parse_dqt(d, n);
	case 0xdd:
		d->frame.restart = next_word(d);
		return n == 2 ? 0 : -EBADMSG;
	case 0xe0:
	case 0xee:
		parse_app(d, marker, n);
		return 0;
	case 0xcc: /* conditioning of arithmetic coding; the frame header refuses it */
		break;
	default:
		if (marker >= 0xc2 && marker <= 0xcf)
			return -EOPNOTSUPP; /* progressive, lossless, arithmetic */
		if (marker < 0xc0)
			return -EBADMSG;
	}
	d->scan.src += n;
	return 0;
}

/* Bytes up to and with the end of image, len if it is missing. Called behind the luma scan. */
static u32 find_end(struct decoder *d, const u8 *data, size_t len)
{
	for (;;) {
		int marker = d->scan.marker ? d->scan.marker : next_marker(d), n;

		d->scan.marker = 0;
		if (marker == 0xd9)
			return d->scan.src - data;
		if (marker == 0x01 || sluice_jpeg_is_restart(marker))
			continue;
		n = marker < 0 ? -1 : segment_length(d);
		if (n < 0)
			return len;
		d->scan.src += n;
		if (marker == 0xda)
			sluice_jpeg_scan_skip(&d->scan);
	}
}

static void reset_frame(struct decoder *d, const u8 *data, size_t len)
{
	memset(&d->frame, 0, sizeof(d->frame));
	d->scan.marker = 0;
	d->scan.src = data;
	d->scan.src_end = data + len;
	for (u32 i = 0; i < 2; i++) {
		d->dc[i].present = 0;
		d->ac[i].present = 0;
	}
}

int sluice_jpeg_dc_grid(struct sluice_jpeg_dc *dec, const void *data, size_t len, u32 width,
			u32 height, u16 *cell, struct sluice_jpeg_info *info)
{
	struct decoder *d = (struct decoder *)dec;
	bool done = false;
	int ret;

	reset_frame(d, data, len);
	if (next_byte(d) != 0xff || next_byte(d) != 0xd8)
		return -EBADMSG;
	do {
		int marker = d->scan.marker; /* that ended a scan */

		d->scan.marker = 0;
		ret = parse_segment(d, marker ? marker : next_marker(d), width, height, cell,
				    &done);
	} while (!ret && !done);
	if (ret)
		return ret < 0 ? ret : -EBADMSG; /* end of image before its luma */
	/* behind the luma only the end of the image matters, and that may be missing */
	if (info) {
		info->width = d->frame.width;
		info->height = d->frame.height;
		info->no_tables = d->frame.no_tables;
		info->bytes = find_end(d, data, len);
	}
	return 0;
}
