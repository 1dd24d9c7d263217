// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * jpeg_dc.c - the luma DC grid of a baseline JPEG, without decoding the rest.
 *
 * Happy path: the headers are read a byte at a time; the entropy-coded bytes are copied, without
 * their stuffing, in chunks of 3 KiB into the decoder; from there a 64-bit window is refilled
 * without a test, and the look-ups of jpeg_huff.h skip two or three coefficients each. Only the
 * DC difference of luma blocks is ever extracted. The copy is also what makes the decoder safe
 * against a buffer that changes under it: what has been judged (a length, a marker, an entropy
 * byte) is never fetched again.
 *
 * Bounds: a block takes at most 64 symbols of at most 31 bits, 248 bytes; before each block at
 * least BLOCK_BYTES lie in the chunk, zeros behind the end of the data, so the inner loop tests
 * nothing. After each block that began in those last bytes the position is compared with the true
 * end. Work is O(len + cells): every block consumes data or ends the frame.
 *
 * Failure: whatever does not parse is -EBADMSG and the frame passes as CORRUPT; nothing of an
 * earlier frame is used except tables that this frame defines identically. No resynchronisation:
 * a wrong grid would look like motion, a frame passed too many costs little.
 */
#include "jpeg_dc.h"
#include "jpeg_huff.h"

#define CHUNK_BYTES 3072
#define BLOCK_BYTES 272 /* 248, and 8 of look-ahead, rounded up */
#define BLOCKS_MAX  10	/* of an MCU */
#define PAIRS	    3	/* of DC and AC tables in one picture */
#define NO_TABLES   255 /* a skip table that is free in this scan */

struct component {
	u8 id, h, v, quantiser;
};

/* One block of an MCU. */
struct block {
	const struct jpeg_skip *skip;
	const struct jpeg_huff *dc, *ac;
	u8 luma, x, y; /* place in the MCU, in blocks */
};

struct decoder {
	/* kept from frame to frame: only tables, each checked against the frame's own */
	u32 generation;
	struct jpeg_huff dc[2], ac[2];
	struct jpeg_skip skip[PAIRS];
	/* this frame */
	const u8 *src, *src_end; /* what was not fetched yet */
	u16 quantiser[4];	 /* DC step, 0: not defined */
	u32 width, height, restart;
	u32 components, h_max, v_max;
	struct component component[3];
	bool jfif, adobe, any_huff, no_tables; /* seen in this frame */
	u8 adobe_transform;
	/* this scan */
	struct block block[BLOCKS_MAX];
	u8 skip_tables[PAIRS]; /* ids of the tables that a skip table is made of */
	u32 blocks;
	bool stuffing; /* an FF was fetched, what follows it not yet */
	bool fetched;  /* anything at all of this run */
	bool ended;    /* a marker or the end of the data was reached */
	u8 marker;     /* that marker, 0: end of data */
	u32 fill;      /* bytes in chunk, padding not counted */
	s32 safe;      /* a block may begin at this offset or before without a look; -1: none */
	u8 chunk[CHUNK_BYTES + BLOCK_BYTES];
};

_Static_assert(sizeof(struct decoder) <= sizeof(struct sluice_jpeg_dc), "opaque is too small");

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

/* -- headers -- */

static int next_byte(struct decoder *d)
{
	return d->src < d->src_end ? core_read_once(*d->src++) : -1;
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

	return n < 2 || n - 2 > d->src_end - d->src ? -1 : n - 2;
}

static int parse_dqt(struct decoder *d, int n)
{
	while (n > 0) {
		int pq = next_byte(d), size = pq >> 4 ? 128 : 64;

		if (pq >> 4 > 1 || (pq & 15) > 3 || n < 1 + size)
			return -EBADMSG;
		d->quantiser[pq & 15] = pq >> 4 ? next_word(d) : next_byte(d);
		if (!d->quantiser[pq & 15])
			return -EBADMSG;
		d->src += pq >> 4 ? 126 : 63;
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
		d->any_huff = true;
		err = sluice_jpeg_huff_fill(tc >> 4 ? &d->ac[tc & 1] : &d->dc[tc & 1], bits, value,
					    count, !(tc >> 4), &d->generation);
		if (err)
			return err;
	}
	return 0;
}

static int parse_sof(struct decoder *d, int n, u32 width, u32 height)
{
	const u8 *end = d->src + n;

	if (n < 6 || d->components)
		return -EBADMSG;
	if (next_byte(d) != 8)
		return -EOPNOTSUPP;
	d->height = next_word(d);
	d->width = next_word(d);
	d->components = next_byte(d);
	if (d->width != width || d->height != height)
		return -EMSGSIZE;
	if (d->components != 1 && d->components != 3)
		return -EOPNOTSUPP;
	if (n < 6 + 3 * (int)d->components)
		return -EBADMSG;
	for (u32 i = 0; i < d->components; i++) {
		struct component *c = &d->component[i];
		int hv;

		c->id = next_byte(d);
		hv = next_byte(d);
		c->quantiser = next_byte(d);
		c->h = hv >> 4;
		c->v = hv & 15;
		if (!c->h || c->h > 4 || !c->v || c->v > 4 || c->quantiser > 3)
			return -EBADMSG;
		d->h_max = max_t(u32, d->h_max, c->h);
		d->v_max = max_t(u32, d->v_max, c->v);
	}
	if (d->component[0].h != d->h_max || d->component[0].v != d->v_max)
		return -EOPNOTSUPP; /* luma coarser than chroma: no 8x8 grid */
	d->src = end;
	return 0;
}

/* JFIF means YCbCr; Adobe says which; else three components called R, G, B are just that. */
static void parse_app(struct decoder *d, int marker, int n)
{
	static const char jfif[5] = "JFIF", adobe[5] = { 'A', 'd', 'o', 'b', 'e' };
	const u8 *end = d->src + n;
	u8 head[12];

	for (int i = 0; i < min_t(int, n, sizeof(head)); i++)
		head[i] = next_byte(d);
	if (marker == 0xe0 && n >= 5 && !memcmp(head, jfif, 5))
		d->jfif = true;
	if (marker == 0xee && n >= 12 && !memcmp(head, adobe, 5)) {
		d->adobe = true;
		d->adobe_transform = head[11];
	}
	d->src = end;
}

static bool is_rgb(const struct decoder *d)
{
	const struct component *c = d->component;

	if (d->components != 3 || d->jfif)
		return false;
	if (d->adobe)
		return d->adobe_transform == 0;
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

/* -- entropy-coded bytes -- */

#define ONES8 0x0101010101010101ull

/* The next up to 8 bytes of data, first one lowest; *n says how many. */
static u64 next_bytes(struct decoder *d, u32 *n)
{
	u64 w = 0;

	if (d->src_end - d->src >= 8) {
		*n = 8;
		memcpy(&w, d->src, 8);
		w = little64(w);
	} else {
		*n = d->src_end - d->src;
		for (u32 i = 0; i < *n; i++)
			w |= (u64)d->src[i] << (8 * i);
	}
	return w;
}

/*
 * Copies data without its stuffing to to, at most room bytes; stops behind a marker or at the end
 * of the data. Returns the bytes written.
 */
static u32 unstuff(struct decoder *d, u8 *to, u32 room)
{
	const u8 *start = to, *end = to + room;

	while (!d->ended && end - to >= 8) {
		u32 n;
		u64 w = next_bytes(d, &n);

		if (n == 8 && !d->stuffing && !((~w - ONES8) & w & ONES8 << 7)) {
			w = little64(w); /* eight bytes, none of them FF */
			memcpy(to, &w, 8);
			to += 8;
			d->src += 8;
			continue;
		}
		if (!n)
			d->ended = true;
		for (; n && !d->ended; n--, w >>= 8) {
			u8 c = w & 0xff;

			d->src++;
			if (!d->stuffing) {
				d->stuffing = c == 0xff;
				if (c != 0xff)
					*to++ = c;
			} else if (c != 0xff) { /* any number of FF may stand before a code */
				d->stuffing = false;
				d->ended = c;
				d->marker = c;
				if (!c)
					*to++ = 0xff;
			}
		}
	}
	return to - start;
}

/* Begin a run of entropy-coded data: the start of a scan, or behind a restart marker. */
static void begin_run(struct decoder *d, struct window *w)
{
	d->stuffing = false;
	d->ended = false;
	d->marker = 0;
	d->fill = 0;
	d->safe = -1; /* the first block fetches */
	d->fetched = false;
	w->buf = 0;
	w->count = 0;
	w->next = d->chunk;
}

/* Whether more bits were used than the run has. Signed: the window may reach before the chunk. */
static bool missing_bits(const struct decoder *d, const struct window *w)
{
	return d->ended && (s32)(w->next - d->chunk) * 8 - (s32)w->count > (s32)d->fill * 8;
}

/*
 * Called with a block to begin at w->next, beyond d->safe: fetch more, or check that the bits used
 * so far were there. Returns the new place of next, NULL if bits are missing.
 */
static const u8 *more_chunk(struct decoder *d, const struct window *w)
{
	u32 used = w->next - d->chunk, keep;

	if (d->ended && d->fetched)
		return missing_bits(d, w) ? NULL : w->next;
	keep = d->fill - used; /* next never passes what was filled in a run that goes on */
	memmove(d->chunk, w->next, keep);
	d->fill = keep + unstuff(d, d->chunk + keep, CHUNK_BYTES - keep);
	d->fetched = true;
	d->safe = d->ended ? -1 : (s32)d->fill - BLOCK_BYTES;
	if (d->ended)
		memset(d->chunk + d->fill, 0, BLOCK_BYTES);
	return d->chunk;
}

/* Skips to the marker that ends the run, if the data has one: d->marker. */
static void end_run(struct decoder *d)
{
	while (!d->ended)
		unstuff(d, d->chunk, CHUNK_BYTES);
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
static __always_inline s32 dc_difference(const struct window *w, const struct block *b)
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
static __always_inline int skip_block(struct window *w, const struct block *b, s32 *difference)
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

/* -- scan -- */

/* Where the luma of a scan goes. */
struct target {
	u16 *cell;
	u32 w, h; /* cells */
	u32 step; /* Q8 value of one DC level */
};

static void store_dc(const struct target *t, u32 x, u32 y, s32 dc)
{
	s64 value = 32768 + (s64)dc * t->step;

	if (x < t->w && y < t->h)
		t->cell[y * t->w + x] = value < 0 ? 0 : value > 65535 ? 65535 : value;
}

/* The restart marker number n must come now. */
static int restart_run(struct decoder *d, struct window *w, u32 n)
{
	if (missing_bits(d, w))
		return -EBADMSG;
	end_run(d);
	if (d->marker != 0xd0 + (n & 7))
		return -EBADMSG;
	begin_run(d, w);
	return 0;
}

/* All MCUs of a scan that has luma: across x down of them. */
static int scan_luma(struct decoder *d, u32 across, u32 down, u32 h, u32 v, const struct target *t)
{
	u32 left = d->restart, restarts = 0, dc = 0;
	struct window w;

	begin_run(d, &w);
	for (u32 y = 0; y < down; y++) {
		for (u32 x = 0; x < across; x++) {
			if (d->restart && !left--) {
				struct window copy = w;

				if (restart_run(d, &copy, restarts++))
					return -EBADMSG;
				w = copy;
				left = d->restart - 1;
				dc = 0;
			}
			for (const struct block *b = d->block; b < d->block + d->blocks; b++) {
				s32 difference;

				if (w.next - d->chunk > d->safe) {
					struct window copy = w; /* keeps w itself in registers */

					w.next = more_chunk(d, &copy);
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
				store_dc(t, x * h + b->x, y * v + b->y, (s32)dc);
			}
		}
	}
	if (missing_bits(d, &w))
		return -EBADMSG;
	end_run(d);
	return 0;
}

static bool is_restart(int marker)
{
	return marker >= 0xd0 && marker <= 0xd7;
}

/* Runs over the data of a scan without luma. */
static void skip_scan(struct decoder *d)
{
	struct window w;

	do {
		begin_run(d, &w);
		end_run(d);
	} while (is_restart(d->marker));
}

/* A table that the frame lacks is the standard one if the frame brings none at all. */
static int need_table(struct decoder *d, struct jpeg_huff *h, bool dc, u32 id)
{
	if (h->present)
		return 0;
	if (d->any_huff)
		return -EBADMSG;
	d->no_tables = true;
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
		if (d->skip_tables[i] == tables || d->skip_tables[i] == NO_TABLES)
			break;
	}
	if (i == PAIRS)
		return -EOPNOTSUPP;
	d->skip_tables[i] = tables;
	sluice_jpeg_skip_build(skip, &d->dc[dc], &d->ac[ac]);
	for (u32 y = 0; y < v; y++) {
		for (u32 x = 0; x < h; x++) {
			if (d->blocks == BLOCKS_MAX)
				return -EBADMSG;
			d->block[d->blocks++] = (struct block){ .skip = skip,
								.dc = &d->dc[dc],
								.ac = &d->ac[ac],
								.luma = c == d->component,
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
	struct target t = { .cell = cell };
	u8 tables[3];
	int err;

	if (n < 1 || !d->components || is_rgb(d))
		return d->components && n >= 1 ? -EOPNOTSUPP : -EBADMSG;
	if (!count || count > d->components || n != 4 + 2 * (int)count)
		return -EBADMSG;
	for (u32 i = 0, j; i < count; i++) {
		u32 id = next_byte(d);

		for (j = 0; j < d->components && d->component[j].id != id; j++)
			;
		if (j == d->components)
			return -EBADMSG;
		in[i] = &d->component[j];
		tables[i] = next_byte(d);
		*done |= !j;
	}
	d->src += 3; /* spectral selection and approximation: fixed in sequential pictures */
	if (!*done) {
		skip_scan(d);
		return 0;
	}
	d->blocks = 0;
	if (count > 1) { /* interleaved: an MCU is h_max x v_max blocks of luma */
		h_max = d->h_max;
		v_max = d->v_max;
	}
	memset(d->skip_tables, NO_TABLES, sizeof(d->skip_tables));
	for (u32 i = 0; i < count; i++) {
		err = add_blocks(d, in[i], tables[i], count > 1 ? in[i]->h : 1,
				 count > 1 ? in[i]->v : 1);
		if (err)
			return err;
	}
	t.w = (d->width + 7) / 8;
	t.h = (d->height + 7) / 8;
	t.step = 32 * d->quantiser[d->component[0].quantiser];
	if (!t.step)
		return -EBADMSG;
	return scan_luma(d, (t.w + h_max - 1) / h_max, (t.h + v_max - 1) / v_max, h_max, v_max, &t);
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
	if (marker == 0x01 || is_restart(marker))
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
		d->restart = next_word(d);
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
	d->src += n;
	return 0;
}

/* Bytes up to and with the end of image, len if it is missing. Called behind the luma scan. */
static u32 find_end(struct decoder *d, const u8 *data, size_t len)
{
	for (;;) {
		int marker = d->marker ? d->marker : next_marker(d), n;

		d->marker = 0;
		if (marker == 0xd9)
			return d->src - data;
		if (marker == 0x01 || is_restart(marker))
			continue;
		n = marker < 0 ? -1 : segment_length(d);
		if (n < 0)
			return len;
		d->src += n;
		if (marker == 0xda)
			skip_scan(d);
	}
}

static void reset_frame(struct decoder *d, const u8 *data, size_t len)
{
	memset((u8 *)d + offsetof(struct decoder, src), 0,
	       offsetof(struct decoder, chunk) - offsetof(struct decoder, src));
	d->src = data;
	d->src_end = data + len;
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
		int marker = d->marker; /* that ended a scan */

		d->marker = 0;
		ret = parse_segment(d, marker ? marker : next_marker(d), width, height, cell,
				    &done);
	} while (!ret && !done);
	if (ret)
		return ret < 0 ? ret : -EBADMSG; /* end of image before its luma */
	/* behind the luma only the end of the image matters, and that may be missing */
	if (info) {
		info->width = d->width;
		info->height = d->height;
		info->no_tables = d->no_tables;
		info->bytes = find_end(d, data, len);
	}
	return 0;
}
