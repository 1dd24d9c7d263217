// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * tamper.c - covered, defocused and turned cameras.
 *
 * What tells scenes apart is their structure, the differences between neighbouring cells: light
 * may change it by a factor (lamps, clouds, night, infrared, fog), but does not make it another
 * one. Two pictures are kept: the average of the last half second, and the reference, which
 * follows over a minute while all is well and stands still while it is not. Four times a second
 * their differences are compared, to the right and down, over all cells that are looked at:
 *
 *	gain	how much of the reference's structure is there: sum(ref * now) / sum(ref * ref),
 *		a matched filter over thousands of pairs: noise of single cells does not matter
 *	match	squared correlation, 0..256: is what is there the same?
 *	fine	median gain of strong differences between cells
 *	coarse	the same between means of 4x4 cells. Fog, night and exposure lower both alike, a
 *		blurred picture loses the fine ones
 *
 * COVERED: gain under 5 %, and little other structure. The same is true of a room whose light goes
 * out. So a picture that is dark counts only if something moved across a good part of it before,
 * in frames that light did not explain, for an eighth of a second; and never if it is black: that
 * is night, or a cap, and nobody can tell.
 *
 * TURNED: there is structure, and it does not match, neither the fine nor the coarse, and nothing
 * large moves. The fine one is elsewhere already when a camera sags by a few pixels. DEFOCUSED: it
 *matches, and fine is under 5/9 of coarse, and nowhere else, which takes a blur of about a cell.
 *Each must hold for some time, so things that pass by do not count. All is well again once the
 *scene has matched for a second. Another view that has been there for ten minutes is the view.
 *
 * A scene without structure (dark, white wall) is no reference: there is no verdict, and the
 * reference follows quickly until there is one. Cost: a pass over the cells four times a second, of
 * large grids over a part of their rows.
 */
#include "tamper.h"

#define STEP_MS	      250
#define LEARN_MS      10000 /* a new reference */
#define COVERED_MS    1000
#define DEFOCUSED_MS  3000
#define TURNED_MS     2000
#define CLEAR_MS      1000
#define VIEW_MS	      600000 /* a turned camera's new view is taken over */
#define SWEEP_PCT     4	     /* of all cells: a hand before the lens is larger */
#define SWEEP_MS      120
#define SWEEP_FRAMES  2 /* a rolling shutter shows a light that goes out in one */
#define SWEEP_HOLD_MS 4000
#define BLACK	      72 /* units of a quarter grey: the black of most cameras is 64 */
#define DARK	      96 /* units of a quarter grey: mean level of a dark picture */
#define WHITE	      (245 << 8)
#define STRUCTURE     36  /* least energy per pair: 1.5 grey */
#define CLEAR_CUT     100 /* of a reference that can tell another view: 2.5 grey */
#define OTHER	      64  /* of what is there instead: 2 grey */
#define STRONG_FINE   24  /* 6 grey */
#define STRONG_COARSE 16
#define PAIRS_MIN     64
#define COARSE_MIN    24
#define BINS	      64    /* of a sixteenth */
#define POOL	      4	    /* cells a side of a coarse one */
#define ROWS_CELLS    16384 /* more cells: not every row is compared */

struct sluice_tamper {
	u32 w, h, n;
	u32 step_ms;	/* since the last step */
	u32 known_ms;	/* the reference has been learnt for, up to LEARN_MS */
	u32 held_ms[4]; /* how long each kind has been likely; NONE: how long all has been well */
	u32 alarm_ms;
	u32 moving_ms; /* much has been moving for so long */
	u32 moving;    /* ... and in so many frames */
	u32 swept_ms;  /* it did so long enough, and that counts for so long yet */
	u32 dither;
	enum sluice_tamper_kind kind;
	bool begun; /* the planes hold something */

	u16 *now;  /* Q8, average of half a second */
	u16 *ref;  /* Q8 */
	u8 *look;  /* 0: leave the cell out */
	s32 *pool; /* two rows of coarse cells, of ref and of now, and their counts */
};

/* Sums over pairs of neighbours; a quarter grey is 1. */
struct sums {
	s64 rr, cc, rc;
	s64 coarse_rr, coarse_cc, coarse_rc;
	u32 pairs, cells;
	u64 level;
	u32 fine[BINS], coarse[BINS];
	u32 fine_pairs, coarse_pairs;
};

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static u32 pool_width(u32 w)
{
	return w / POOL;
}

size_t sluice_tamper_size(u32 grid_w, u32 grid_h)
{
	size_t n = (size_t)grid_w * grid_h;

	return align8(sizeof(struct sluice_tamper)) + 2 * align8(n * 2) + align8(n) +
	       align8((size_t)pool_width(grid_w) * 6 * sizeof(s32)) + align8(sizeof(struct sums));
}

static struct sums *sums_of(struct sluice_tamper *t)
{
	return (struct sums *)((u8 *)t->pool + align8((size_t)pool_width(t->w) * 6 * sizeof(s32)));
}

struct sluice_tamper *sluice_tamper_init(void *mem, u32 grid_w, u32 grid_h)
{
	struct sluice_tamper *t = mem;
	u8 *at = (u8 *)mem + align8(sizeof(*t));

	memset(mem, 0, sluice_tamper_size(grid_w, grid_h));
	t->w = grid_w;
	t->h = grid_h;
	t->n = grid_w * grid_h;
	t->now = (u16 *)at;
	at += align8((size_t)t->n * 2);
	t->ref = (u16 *)at;
	at += align8((size_t)t->n * 2);
	t->look = at;
	at += align8(t->n);
	t->pool = (s32 *)at;
	sluice_tamper_look(t, NULL, NULL);
	return t;
}

void sluice_tamper_reset(struct sluice_tamper *t)
{
	t->begun = false;
	t->kind = SLUICE_TAMPER_NONE;
	t->step_ms = 0;
	t->known_ms = 0;
	t->moving_ms = 0;
	t->moving = 0;
	t->swept_ms = 0;
	memset(t->held_ms, 0, sizeof(t->held_ms));
}

void sluice_tamper_look(struct sluice_tamper *t, const u8 *hidden, const u8 *map)
{
	for (u32 i = 0; i < t->n; i++)
		t->look[i] = !(hidden && hidden[i / 8] >> i % 8 & 1) && (!map || map[i]);
}

/* ---- comparing ---- */

static void add_pair(struct sums *s, const struct sluice_tamper *t, u32 a, u32 b)
{
	s32 r = (t->ref[b] >> 6) - (t->ref[a] >> 6), c = (t->now[b] >> 6) - (t->now[a] >> 6);
	s32 size = r < 0 ? -r : r;

	s->rr += r * r;
	s->cc += c * c;
	s->rc += r * c;
	s->pairs++;
	/* White has lost its structure to the light, not to the lens. */
	if (size < STRONG_FINE || max(t->now[a], t->now[b]) >= WHITE)
		return;
	c = (r < 0 ? -c : c) * 16 / size;
	s->fine[clamp_t(s32, c, 0, BINS - 1)]++;
	s->fine_pairs++;
}

static void add_row(struct sums *s, const struct sluice_tamper *t, u32 y)
{
	const u8 *look = t->look + y * t->w;
	u32 at = y * t->w;

	for (u32 x = 0; x < t->w; x++, at++) {
		if (!look[x])
			continue;
		s->cells++;
		s->level += t->now[at] >> 6;
		if (x + 1 < t->w && look[x + 1])
			add_pair(s, t, at, at + 1);
		if (y + 1 < t->h && look[x + t->w])
			add_pair(s, t, at, at + t->w);
	}
}

static void add_coarse(struct sums *s, s32 r, s32 c)
{
	s32 size = r < 0 ? -r : r;

	s->coarse_rr += r * r;
	s->coarse_cc += c * c;
	s->coarse_rc += r * c;
	if (size < STRONG_COARSE)
		return;
	s->coarse[clamp_t(s32, (r < 0 ? -c : c) * 16 / size, 0, BINS - 1)]++;
	s->coarse_pairs++;
}

/* A row of coarse cells: means in quarter grey of ref and now, and whether all of it is looked at.
 */
static void pool_row(const struct sluice_tamper *t, u32 y, s32 *ref, s32 *now, s32 *whole)
{
	for (u32 k = 0; k < pool_width(t->w); k++) {
		s32 r = 0, c = 0, seen = 0;

		for (u32 v = 0; v < POOL; v++) {
			for (u32 x = 0; x < POOL; x++) {
				u32 at = (y * POOL + v) * t->w + k * POOL + x;

				r += t->ref[at];
				c += t->now[at];
				seen += t->look[at] && t->now[at] < WHITE;
			}
		}
		ref[k] = r >> 10; /* of 16 cells, Q8 to a quarter */
		now[k] = c >> 10;
		whole[k] = seen == POOL * POOL;
	}
}

static void add_pools(struct sums *s, const struct sluice_tamper *t)
{
	u32 pw = pool_width(t->w);

	for (u32 y = 0; y < t->h / POOL; y++) {
		s32 *here = t->pool + (y & 1) * 3 * pw, *above = t->pool + (~y & 1) * 3 * pw;

		pool_row(t, y, here, here + pw, here + 2 * pw);
		for (u32 k = 0; k < pw; k++) {
			if (!here[2 * pw + k])
				continue;
			if (k && here[2 * pw + k - 1])
				add_coarse(s, here[k] - here[k - 1],
					   here[pw + k] - here[pw + k - 1]);
			if (y && above[2 * pw + k])
				add_coarse(s, here[k] - above[k], here[pw + k] - above[pw + k]);
		}
	}
}

static u32 median_of(const u32 *bin, u32 count)
{
	u32 below = 0, i;

	for (i = 0; i < BINS - 1 && (below + bin[i]) * 2 < count; i++)
		below += bin[i];
	return i;
}

/* Squared correlation in 1/256; 0 where it is negative. */
static u32 match_of(s64 rr, s64 cc, s64 rc)
{
	if (rc <= 0)
		return 0;
	for (; rr >> 30 || cc >> 30; rr >>= 1, cc >>= 1)
		rc >>= 1; /* |rc| is not above the larger of them */
	rr = max_t(s64, (rr * cc) >> 8, 1);
	return (u32)min_t(s64, div64_s64(rc * rc, rr), 256);
}

static bool is_blurred(const struct sums *s)
{
	u32 fine, coarse;

	if (s->fine_pairs < PAIRS_MIN || s->coarse_pairs < COARSE_MIN)
		return false;
	fine = median_of(s->fine, s->fine_pairs);
	coarse = median_of(s->coarse, s->coarse_pairs);
	/*
	 * A lamp adds coarse differences, but takes no fine ones away; a camera that sags by a
	 * pixel moves them, and they are still there.
	 */
	return s->cc * 5 < s->rr * 2 && coarse >= 4 && fine < 11 && fine * 9 < coarse * 5;
}

/* What the picture looks like now. same: like the reference, beyond doubt. */
static enum sluice_tamper_kind judge(const struct sluice_tamper *t, const struct sums *s,
				     bool *same)
{
	u32 match = match_of(s->rr, s->cc, s->rc);
	u32 coarse = match_of(s->coarse_rr, s->coarse_cc, s->coarse_rc);
	bool dark = s->level < (u64)s->cells * DARK;
	bool black = s->level < (u64)s->cells * BLACK;
	bool gone = s->rc * 20 < s->rr;

	*same = false;
	if (gone && s->cc * 16 <= s->rr)
		return black || (dark && !t->swept_ms) ? SLUICE_TAMPER_NONE : SLUICE_TAMPER_COVERED;
	if (!t->moving && match < 16 && coarse < 80 && s->cc * 4 >= s->rr &&
	    s->rr >= (s64)s->pairs * CLEAR_CUT && s->cc >= (s64)s->pairs * OTHER)
		return SLUICE_TAMPER_TURNED;
	if (!dark && (match >= 16 || coarse >= 80) && is_blurred(s))
		return SLUICE_TAMPER_DEFOCUSED;
	*same = (!gone && match >= 64) || coarse >= 128;
	return SLUICE_TAMPER_NONE;
}

/* ---- time ---- */

/* ref moves to now by 1/2^shift. */
static void learn(struct sluice_tamper *t, u32 shift)
{
	s32 round = (s32)(t->dither & ((1u << shift) - 1));

	for (u32 i = 0; i < t->n; i++)
		t->ref[i] += (t->now[i] - t->ref[i] + round) >> shift;
}

static void take_view(struct sluice_tamper *t)
{
	memcpy(t->ref, t->now, t->n * sizeof(*t->ref));
	memset(t->held_ms, 0, sizeof(t->held_ms));
	t->kind = SLUICE_TAMPER_NONE;
	t->known_ms = 0;
}

/* likely: what the picture looked like in this step. */
static void settle_kind(struct sluice_tamper *t, enum sluice_tamper_kind likely, bool same, u32 ms)
{
	static const u16 needed[] = { CLEAR_MS, COVERED_MS, DEFOCUSED_MS, TURNED_MS };

	for (u32 k = 0; k < 4; k++) {
		bool holds = k ? likely == k : same;

		t->held_ms[k] = holds ? min_t(u32, t->held_ms[k] + ms, 60000) : 0;
		if (t->held_ms[k] >= needed[k] && t->kind != k) {
			t->kind = k;
			t->alarm_ms = 0;
		}
	}
	t->alarm_ms = t->kind ? min_t(u32, t->alarm_ms + ms, VIEW_MS) : 0;
	if (t->kind == SLUICE_TAMPER_TURNED && t->alarm_ms >= VIEW_MS)
		take_view(t);
}

static void compare(struct sluice_tamper *t, u32 ms)
{
	struct sums *s = sums_of(t);
	enum sluice_tamper_kind likely;
	bool same;

	memset(s, 0, sizeof(*s));
	for (u32 y = 0; y < t->h; y += t->n / ROWS_CELLS + 1)
		add_row(s, t, y);
	if (t->known_ms < LEARN_MS || s->pairs < PAIRS_MIN ||
	    (!t->kind && s->rr < (s64)s->pairs * STRUCTURE)) {
		t->known_ms = min_t(u32, t->known_ms + ms, LEARN_MS);
		learn(t, 4);
		return;
	}
	add_pools(s, t);
	likely = judge(t, s, &same);
	settle_kind(t, likely, same, ms);
	if (!t->kind && same)
		learn(t, 8);
}

/* Does a large thing move before the lens? */
static void note_motion(struct sluice_tamper *t, u32 dt, u32 moved)
{
	if (moved * 100ull >= (u64)t->n * SWEEP_PCT)
		t->moving++;
	else
		t->moving = 0;
	t->moving_ms = t->moving ? min_t(u32, t->moving_ms + dt, 60000) : 0;
	if (t->moving >= SWEEP_FRAMES && t->moving_ms >= SWEEP_MS)
		t->swept_ms = SWEEP_HOLD_MS;
	else
		t->swept_ms -= min_t(u32, t->swept_ms, dt);
}

enum sluice_tamper_kind sluice_tamper_frame(struct sluice_tamper *t, const u16 *cell, u32 dt_ms,
					    u32 moved)
{
	u32 dt = clamp_t(u32, dt_ms, 1, 2000), ms;

	if (!t->begun) {
		memcpy(t->now, cell, t->n * sizeof(*cell));
		memcpy(t->ref, cell, t->n * sizeof(*cell));
		t->begun = true;
		return t->kind;
	}
	note_motion(t, dt, moved);
	t->step_ms += dt;
	if (t->step_ms < STEP_MS)
		return t->kind;
	ms = t->step_ms;
	t->step_ms = 0;
	t->dither += 159; /* 256 / golden ratio: even */
	for (u32 i = 0; i < t->n; i++)
		t->now[i] += (cell[i] - t->now[i] + (s32)(t->dither & 1)) >> 1;
	compare(t, ms);
	/* A covered lens stays covered however long it is dark. */
	if (t->kind == SLUICE_TAMPER_COVERED)
		t->swept_ms = max_t(u32, t->swept_ms, SWEEP_HOLD_MS);
	return t->kind;
}
