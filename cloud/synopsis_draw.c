// SPDX-License-Identifier: MIT
/*
 * synopsis_draw.c - the planned synopsis as a video. For each picture: the ground of the mean true
 * time of what is shown (between two times of the period the light goes over), then the things, cut
 * out of their frames against the ground of their own minutes, then when each of them was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/ground.h"
#include "cloud/cutout.h"
#include "cloud/digest.h"
#include "cloud/synopsis.h"
#include "cloud/webm.h"

#define SLOT_NS	 600000000000ll
#define SMOOTH	 15    /* pictures before and behind, of the ground's time */
#define SEEN	 0.01f /* of a box: less is nothing that anybody sees */
#define LABELLED 0.04f
#define DAY_NS	 86400000000000ll
#define BITS_MAX 48000000 /* of the whole video: its file stays below its bound */

struct local {
	bool tried, known;
	uint32_t last; /* picture in which it is needed last */
	struct sluice_picture ground;
};

struct film {
	struct sluice_synopsis *s;
	const struct sluice_synopsis_options *o;
	struct sluice_reel *reel;
	struct sluice_webm *webm;
	struct local *local; /* of each unit */
	uint32_t slots;
	struct local slot[SLUICE_GROUND_SLOTS];
	int64_t *time; /* of the ground, of each picture */
	struct sluice_picture picture;
	uint8_t *seen;	/* of each tube: it was to be seen in some picture */
	uint8_t *share; /* of each shot: enough of it is there to be labelled */
};

/* ---- grounds ---- */

/* NULL: there is none. */
static const struct sluice_picture *slot_ground(struct film *f, uint32_t i, int *err)
{
	const struct sluice_period *p = f->s->period;
	struct local *g = &f->slot[i];
	int64_t span = p->to_ns - p->from_ns, from = p->from_ns + span * i / f->slots;
	uint32_t frames[SLUICE_GROUND_SAMPLES], n = 0;

	if (!g->tried) {
		g->tried = true;
		for (int k = 0; k < SLUICE_GROUND_SAMPLES; k++) {
			int64_t at =
				from + span / f->slots * (2 * k + 1) / (2 * SLUICE_GROUND_SAMPLES);
			uint32_t near = sluice_period_near(p, at);

			if (!n || frames[n - 1] != near)
				frames[n++] = near;
		}
		*err = sluice_ground_make(f->reel, frames, n, &g->ground);
		g->known = !*err;
		if (*err == -ENODATA)
			*err = 0;
	}
	return g->known ? &g->ground : NULL;
}

static const struct sluice_picture *unit_ground(struct film *f, uint32_t unit, int *err)
{
	const struct sluice_unit *u = &f->s->tubes.units[unit];
	struct local *g = &f->local[unit];
	uint32_t frames[9], n;

	if (!g->tried) {
		g->tried = true;
		n = sluice_ground_around(f->s->period, u->start_ns, u->end_ns, frames);
		*err = sluice_ground_make(f->reel, frames, n, &g->ground);
		g->known = !*err;
		if (*err == -ENODATA)
			*err = 0;
	}
	return g->known ? &g->ground : NULL;
}

static void free_done(struct film *f, uint32_t k)
{
	for (uint32_t i = 0; i < f->s->tubes.unit_count; i++)
		if (f->local[i].known && f->local[i].last < k) {
			sluice_picture_free(&f->local[i].ground);
			f->local[i].known = false;
		}
}

/* The mean true time of what is shown, smoothed; where nothing is shown, as before. */
static void find_times(struct film *f)
{
	const struct sluice_synopsis *s = f->s;
	int64_t from = s->period->from_ns, last = from, *raw = f->time + s->pictures;

	for (uint32_t k = 0; k < s->pictures; k++) {
		uint32_t n = s->first[k + 1] - s->first[k];
		int64_t sum = 0;

		for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
			sum += (s->period->frames[s->shots[i].frame].at_ns - from) / n;
			f->local[s->tubes.tubes[s->shots[i].tube].unit].last = k;
		}
		raw[k] = last = n ? sum : k ? last : 0;
	}
	for (uint32_t k = 0; k < s->pictures; k++) {
		uint32_t a = k < SMOOTH ? 0 : k - SMOOTH;
		uint32_t b = k + SMOOTH < s->pictures ? k + SMOOTH : s->pictures - 1;
		int64_t sum = 0;

		for (uint32_t i = a; i <= b; i++)
			sum += raw[i] / (b - a + 1);
		f->time[k] = from + sum;
	}
}

static void mix_grounds(struct sluice_picture *to, const struct sluice_picture *a,
			const struct sluice_picture *b, uint32_t weight)
{
	size_t n = (size_t)to->w * to->h * 3 / 2;

	for (size_t i = 0; i < n; i++)
		to->plane[0][i] = (uint8_t)((a->plane[0][i] * (256 - weight) +
					     b->plane[0][i] * weight + 128) >>
					    8);
}

static int draw_ground(struct film *f, uint32_t k)
{
	const struct sluice_period *p = f->s->period;
	double at = (double)(f->time[k] - p->from_ns) / (double)(p->to_ns - p->from_ns) * f->slots -
		    0.5;
	uint32_t a = at > 0 ? (uint32_t)at : 0, b;
	const struct sluice_picture *x, *y;
	int err = 0;

	a = a < f->slots ? a : f->slots - 1;
	b = a + 1 < f->slots ? a + 1 : a;
	x = slot_ground(f, a, &err);
	y = err ? NULL : slot_ground(f, b, &err);
	if (err)
		return err;
	x = x ? x : y;
	y = y ? y : x;
	if (x)
		mix_grounds(&f->picture, x, y, at > a ? (uint32_t)((at - a) * 256) : 0);
	else
		sluice_picture_fill(&f->picture, 64);
	return 0;
}

/* ---- things ---- */

static void scale_box(const struct film *f, const struct sluice_synopsis_shot *s, int box[4])
{
	const struct sluice_period *p = f->s->period;
	int w = (int)f->picture.w, h = (int)f->picture.h;

	box[0] = s->x * w / (int)p->width;
	box[1] = s->y * h / (int)p->height;
	box[2] = s->w * w / (int)p->width;
	box[3] = s->h * h / (int)p->height;
}

static int draw_thing(struct film *f, const struct sluice_synopsis_shot *s)
{
	int err = 0, box[4];
	const struct sluice_picture *ground = unit_ground(f, f->s->tubes.tubes[s->tube].unit, &err);
	const struct sluice_picture *from;
	float share;

	if (err || !ground)
		return err;
	from = sluice_reel_frame(f->reel, s->frame, &err);
	if (!from)
		return err;
	scale_box(f, s, box);
	share = sluice_cutout_paste(&f->picture, from, ground, box[0], box[1], box[2], box[3]);
	if (share >= SEEN)
		f->seen[s->tube] = 1;
	f->share[s - f->s->shots] = share >= LABELLED;
	return share < 0 ? -ENOMEM : 0;
}

/* When it was; the day too where the period has several. */
static void draw_time(struct film *f, const struct sluice_synopsis_shot *s)
{
	const struct sluice_period *p = f->s->period;
	time_t at = (time_t)(p->frames[s->frame].at_ns / 1000000000);
	int box[4], x, y, w;
	struct tm tm;
	char text[32];

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), p->to_ns - p->from_ns > DAY_NS ? "%d/%H:%M" : "%H:%M:%S", &tm);
	scale_box(f, s, box);
	w = (int)strlen(text) * SLUICE_LETTER_W;
	x = box[0] + box[2] / 2 - w / 2;
	y = box[1] - SLUICE_LETTER_H - 2;
	x = x > (int)f->picture.w - w ? (int)f->picture.w - w : x;
	y = y > (int)f->picture.h - SLUICE_LETTER_H ? (int)f->picture.h - SLUICE_LETTER_H : y;
	sluice_picture_text(&f->picture, x < 0 ? 0 : (uint32_t)x, y < 0 ? 0 : (uint32_t)y, 1, text);
}

static int draw_picture(struct film *f, uint32_t k)
{
	const struct sluice_synopsis *s = f->s;
	int err = draw_ground(f, k);

	for (uint32_t i = s->first[k]; !err && i < s->first[k + 1]; i++)
		err = draw_thing(f, &s->shots[i]);
	for (uint32_t i = s->first[k]; !err && i < s->first[k + 1]; i++)
		if (f->share[i])
			draw_time(f, &s->shots[i]);
	return err ? err : sluice_webm_picture(f->webm, &f->picture);
}

static int open_video(struct film *f)
{
	double seconds = (double)f->s->pictures / SLUICE_SYNOPSIS_FPS;
	uint32_t bits = (uint32_t)(BITS_MAX / seconds), w, h;
	int err;

	sluice_reel_size(f->reel, &w, &h);
	err = sluice_picture_size(&f->picture, w, h);
	return err ? err
		   : sluice_webm_open(f->picture.w, f->picture.h, SLUICE_SYNOPSIS_FPS,
				      bits < SLUICE_WEBM_BITS ? bits : SLUICE_WEBM_BITS, &f->webm);
}

static int roll(struct film *f)
{
	uint32_t n = f->s->pictures;
	int err = open_video(f);

	for (uint32_t k = 0; k < n && !err; k++) {
		if (f->o->stopped && f->o->stopped(f->o->ctx))
			return -ECANCELED;
		if (f->o->progress)
			f->o->progress(f->o->ctx, k, n);
		err = draw_picture(f, k);
		free_done(f, k);
	}
	return err;
}

static bool anything_seen(const struct film *f)
{
	return memchr(f->seen, 1, f->s->tubes.tube_count + 1) != NULL;
}

/* What was to be shown, and nothing of it could be read. */
static void leave_out_unseen(struct film *f)
{
	struct sluice_synopsis *s = f->s;

	for (uint32_t i = 0; i < s->tubes.tube_count; i++)
		if (!s->tube[i].why && !f->seen[i]) {
			s->tube[i].why = SLUICE_LEFT_PICTURES;
			s->shown--;
		}
}

int sluice_synopsis_draw(struct sluice_synopsis *s, const struct sluice_synopsis_options *o,
			 uint32_t *w, uint32_t *h, uint8_t **data, size_t *size)
{
	int64_t slots = (s->period->to_ns - s->period->from_ns) / SLOT_NS;
	struct film f = { .s = s, .o = o };
	int err;

	if (!s->pictures || !s->period->frame_count)
		return -ENODATA;
	f.slots = slots < 1			? 1
		  : slots > SLUICE_GROUND_SLOTS ? SLUICE_GROUND_SLOTS
						: (uint32_t)slots;
	f.reel = sluice_reel_open(s, o);
	f.local = calloc(s->tubes.unit_count + 1, sizeof(*f.local));
	f.time = calloc(2 * (size_t)s->pictures, sizeof(*f.time));
	f.seen = calloc(s->tubes.tube_count + 1, 1);
	f.share = calloc(s->first[s->pictures] + 1, 1);
	err = f.reel && f.local && f.time && f.seen && f.share ? 0 : -ENOMEM;
	if (!err) {
		find_times(&f);
		err = roll(&f);
	}
	if (!err)
		err = anything_seen(&f) ? sluice_webm_finish(f.webm, data, size) : -ENODATA;
	if (!err)
		leave_out_unseen(&f);
	*w = f.picture.w;
	*h = f.picture.h;
	sluice_webm_close(f.webm);
	for (uint32_t i = 0; f.local && i < s->tubes.unit_count; i++)
		sluice_picture_free(&f.local[i].ground);
	for (uint32_t i = 0; i < f.slots; i++)
		sluice_picture_free(&f.slot[i].ground);
	sluice_picture_free(&f.picture);
	sluice_reel_close(f.reel);
	free(f.local);
	free(f.time);
	free(f.seen);
	free(f.share);
	return err;
}
