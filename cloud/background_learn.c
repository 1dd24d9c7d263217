// SPDX-License-Identifier: MIT
/* background_learn.c - background is followed, foreground is kept until it has stood long enough:
 * step (6) of background.c. */
#include <math.h>
#include <string.h>

#include "cloud/background_state.h"

#define TAU_MEAN_S  6.0f /* background follows slow change */
#define TAU_DEV_S   4.0f /* noise estimate */
#define TAU_LIGHT_S 0.7f /* background in another light */
#define STILL_GREY  8	 /* a foreground pixel that changes less stands still */
#define ABSORB_S    4.0f
#define QUIET_S	    1.5f /* the same while the gate sees nothing move */
#define HELD_S	    60.0f
#define TICKS	    4	  /* of the still counter, a second */
#define FRESH_S	    10.0f /* a place is new for so long: modes grow within MODE_FRESH_S */

/* What is to become of each pixel. Foreground that stands still counts up its ticks; for how long
 * it has to, patience says, and where hold is set it is longer. how is what light has said already.
 */
VECTORS static void decide(uint8_t *restrict cand, uint8_t *restrict still, uint8_t *restrict how,
			   const uint8_t *restrict px, const uint8_t *restrict hold,
			   const uint8_t *restrict mask, uint8_t patience, uint8_t ticks, size_t n)
{
	uint8_t held_for = (uint8_t)(HELD_S * TICKS);

	for (size_t i = 0; i < n; i++) {
		uint8_t set = when8(mask[i] != 0), held = when8(hold[i] != 0), p = px[i];
		uint8_t c = cand[i], s = still[i], calm = set & when8(apart(p, c) < STILL_GREY);
		uint8_t more = (uint8_t)(s + ticks), due, to;

		s = calm & (more | when8(more < s));
		due = when8(s >= either8(held, held_for, patience));
		to = either8(due, HOW_TAKE, either8(held, HOW_HELD, HOW_KEEP));
		cand[i] = either8(calm, c, p);
		how[i] = either8(set, to, how[i]);
		still[i] = s & (uint8_t)~due;
	}
}

static int16_t share_in(float dt, float tau)
{
	return (int16_t)lrintf(32767 * (1 - expf(-dt / tau)));
}

/* Whole steps; what is left is kept for the next time. */
static uint32_t steps_of(float *rest, float more)
{
	uint32_t whole;

	*rest += more;
	whole = (uint32_t)*rest;
	*rest -= (float)whole;
	return whole;
}

/* how: of the luma pixels, two for each of chroma. */
VECTORS static void learn_hue_row(const uint8_t *restrict px_b, const uint8_t *restrict px_r,
				  int16_t *restrict cb, int16_t *restrict cr, int16_t *restrict hue,
				  const uint8_t *restrict how, int16_t am, int16_t al, int16_t ad,
				  uint32_t w)
{
	for (size_t x = 0; x < w; x++) {
		int16_t h = how[2 * x], v = hue[x], share, ub, ur;
		int16_t db = (int16_t)(px_b[x] * Q7 - cb[x]), dr = (int16_t)(px_r[x] * Q7 - cr[x]);

		share = am & when16((h != HOW_KEEP) & (h != HOW_HELD));
		share = either16(when16(h == HOW_LIGHT), al, share);
		share |= when16(h == HOW_TAKE) & 32767;
		ub = db < 0 ? -db : db;
		ur = dr < 0 ? -dr : dr;
		ub = ub > ur ? ub : ur;
		cb[x] = (int16_t)(cb[x] + move_by(db, share));
		cr[x] = (int16_t)(cr[x] + move_by(dr, share));
		hue[x] = (int16_t)(v + move_by((int16_t)(ub - v), when16(h == HOW_LEARN) & ad));
	}
}

static void learn_hue(struct sluice_background *b, const struct sluice_gray *g,
		      const struct background_step *s)
{
	uint32_t cw = (b->w + 1) / 2, ch = (b->h + 1) / 2;

	for (uint32_t y = 0; y < ch; y++) {
		size_t c = (size_t)y * cw;

		learn_hue_row(g->cb + c, g->cr + c, b->cb + c, b->cr + c, b->hue + c,
			      b->how + (size_t)2 * y * b->w, s->mean, s->light, s->dev, cw);
	}
}

void background_learn(struct sluice_background *b, const struct sluice_gray *g,
		      const int16_t *expected, float dt, const uint8_t *hold, bool quiet,
		      const uint8_t *mask)
{
	size_t n = (size_t)b->w * b->h;
	struct background_step s = { .dt_s = dt,
				     .mean = share_in(dt, TAU_MEAN_S),
				     .dev = share_in(dt, TAU_DEV_S),
				     .light = share_in(dt, TAU_LIGHT_S) };
	uint32_t ticks;
	float grow;

	grow = 255 * fminf(dt, 1) / (b->age_s < FRESH_S ? MODE_FRESH_S : MODE_GROW_S);
	s.grow = (uint8_t)fminf(steps_of(&b->grow, grow), 255);
	s.fade = (uint8_t)steps_of(&b->fade, 255 * fminf(dt, 1) / MODE_FADE_S);
	if (b->pictures < 8 && s.mean < (int)(32767 / (b->pictures + 1)))
		s.mean = (int16_t)(32767 / (b->pictures + 1));
	ticks = steps_of(&b->tick_s, dt * TICKS);
	for (size_t i = 0; i < n; i += b->w) {
		if (background_any_set(mask + i, b->w)) {
			decide(b->cand + i, b->still + i, b->how + i, g->px + i, hold + i, mask + i,
			       (uint8_t)((quiet ? QUIET_S : ABSORB_S) * TICKS),
			       (uint8_t)(ticks < 200 ? ticks : 200), b->w);
			continue;
		}
		memcpy(b->cand + i, g->px + i, b->w);
		memset(b->still + i, 0, b->w);
	}
	b->ops->learn(b->own, g->px, expected, b->how, &s, b->mean, b->dev, n);
	if (b->colour)
		learn_hue(b, g, &s);
}
