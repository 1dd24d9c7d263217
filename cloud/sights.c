// SPDX-License-Identifier: MIT
/*
 * sights.c - see sights.h. A sight is a part of a frame: the track's box and as much again around
 * it, decoded at the scale at which it is not larger than the detector likes. A box that the
 * detector finds is the track's if the two overlap; each sight has one vote, weighed by the score,
 * and the class with the most wins, at its best score.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/decode.h"
#include "cloud/detector.h"
#include "cloud/sights.h"

#define AROUND	 2.0f /* a sight's side over the box' longer one */
#define LEAST	 96   /* pixels of the camera that a sight's side has at least */
#define OVERLAP	 0.2f /* of box and finding that makes it the track's */
#define NEAR_S	 0.3  /* a box of the path so close in time is where the track was */
#define APART_S	 0.4  /* sights of one track are so far apart */
#define OF_TRACK 3    /* sights */

struct sight {
	uint32_t track; /* of the event */
	double t_s;
	const uint8_t *jpeg;
	size_t size;
	uint8_t *own;	       /* jpeg, if it was fetched for this */
	struct sluice_box box; /* of the track, pixels of the sight */
	struct sluice_detector_image image;
	uint8_t *rgb;
};

struct sights {
	struct sluice_event_log *e;
	const struct sluice_sights_config *c;
	struct sluice_decoder *decoder;
	struct sluice_picture picture;
	uint32_t side; /* that the detector likes */
	struct sight at[SLUICE_SIGHTS_MAX];
	uint32_t count;
};

/* Where the track was then. false: not known. */
static bool box_at(const struct sluice_track *t, double t_s, struct sluice_box *out)
{
	double least = NEAR_S;
	bool found = false;

	for (uint32_t i = 0; i < t->path_count; i++) {
		double dt = fabs(t->path[i].t_s - t_s);

		if (dt > least || t->path[i].w <= 0 || t->path[i].h <= 0)
			continue;
		least = dt;
		*out = t->path[i];
		found = true;
	}
	return found;
}

/* ---- pictures ---- */

struct part {
	uint32_t x, y, w, h; /* pixels of the camera */
};

static uint32_t place(float centre, uint32_t side, uint32_t whole)
{
	float at = centre - (float)side / 2;

	at = fminf(at, (float)(whole - side));
	return at > 0 ? (uint32_t)at : 0;
}

/* The part of the frame around a box in the camera's pixels. */
static struct part part_around(const struct sluice_box *b, uint32_t width, uint32_t height)
{
	float longer = AROUND * fmaxf(b->w, b->h);
	uint32_t side = longer > LEAST ? (uint32_t)fminf(longer, 65535) : LEAST;
	struct part p = { .w = side < width ? side : width, .h = side < height ? side : height };

	p.x = place(b->x + b->w / 2, p.w, width);
	p.y = place(b->y + b->h / 2, p.h, height);
	return p;
}

static uint8_t clamp(int v)
{
	return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
}

/* JPEG's own colours (BT.601, full range), in 16.16. */
static void put_rgb(const struct sluice_picture *p, uint32_t x0, uint32_t y0, uint32_t w,
		    uint32_t h, uint8_t *out)
{
	for (uint32_t y = y0; y < y0 + h; y++)
		for (uint32_t x = x0; x < x0 + w; x++, out += 3) {
			size_t c = (size_t)(y / 2) * (p->w / 2) + x / 2;
			int l = p->plane[0][(size_t)y * p->w + x];
			int cb = p->plane[1][c] - 128, cr = p->plane[2][c] - 128;

			out[0] = clamp(l + ((91881 * cr + 32768) >> 16));
			out[1] = clamp(l - ((22554 * cb + 46802 * cr + 32768) >> 16));
			out[2] = clamp(l + ((116130 * cb + 32768) >> 16));
		}
}

static uint32_t longer_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Fills image, rgb and box of a sight that has its bytes. false: it cannot be shown. */
static bool make_picture(struct sights *s, struct sight *v)
{
	uint32_t width = s->c->width, height = s->c->height, scale = 1;
	float k = (float)s->c->scale;
	struct sluice_box b = { .t_s = v->t_s };
	struct part p;

	if (!box_at(&s->e->tracks[v->track], v->t_s, &b))
		return false;
	b = (struct sluice_box){ b.t_s, b.x * k, b.y * k, b.w * k, b.h * k };
	p = part_around(&b, width, height);
	while (scale < 8 && (longer_of(p.w, p.h) / scale > s->side ||
			     longer_of(width, height) / scale > SLUICE_PICTURE_SIDE_MAX))
		scale *= 2;
	if (longer_of(p.w, p.h) / scale > s->side ||
	    sluice_decode_picture(s->decoder, v->jpeg, v->size, width, height,
				  (longer_of(width, height) + scale - 1) / scale, &s->picture))
		return false;
	p = (struct part){ p.x / scale, p.y / scale, p.w / scale, p.h / scale };
	if (!p.w || !p.h || p.x + p.w > s->picture.w || p.y + p.h > s->picture.h)
		return false;
	v->rgb = malloc((size_t)p.w * p.h * 3);
	if (!v->rgb)
		return false;
	put_rgb(&s->picture, p.x, p.y, p.w, p.h, v->rgb);
	v->image = (struct sluice_detector_image){ v->rgb, p.w, p.h, 3 * p.w, 0 };
	k = 1.0f / (float)scale;
	v->box = (struct sluice_box){ b.t_s, b.x * k - (float)p.x, b.y * k - (float)p.y, b.w * k,
				      b.h * k };
	return true;
}

/* ---- which ---- */

/* Takes over own. */
static void add(struct sights *s, uint32_t track, double t_s, const uint8_t *jpeg, size_t size,
		uint8_t *own)
{
	struct sight *v = &s->at[s->count];

	if (jpeg && s->count < SLUICE_SIGHTS_MAX) {
		*v = (struct sight){
			.track = track, .t_s = t_s, .jpeg = jpeg, .size = size, .own = own
		};
		if (make_picture(s, v)) {
			s->count++;
			return;
		}
	}
	free(own);
}

static void add_best(struct sights *s, uint32_t track, const struct sluice_keyframe *keys,
		     const struct sluice_summary_media *media, uint32_t count)
{
	const struct sluice_track *t = &s->e->tracks[track];
	const struct sluice_sights_config *c = s->c;
	uint8_t *own;
	size_t size = 0;

	for (uint32_t i = 0; i < count; i++)
		if (keys[i].sequence == t->best.sequence) {
			add(s, track, t->best.t_s, media[i].data, media[i].size, NULL);
			return;
		}
	own = c->ops->fetch ? c->ops->fetch(c->ctx, c->epoch, t->best.sequence, &size) : NULL;
	add(s, track, t->best.t_s, own, size, own);
}

/* One more of the key frames that show it at another time than the sights that there are. */
static void add_another(struct sights *s, uint32_t track, const struct sluice_keyframe *keys,
			const struct sluice_summary_media *media, uint32_t count)
{
	const struct sluice_track *t = &s->e->tracks[track];

	for (uint32_t i = 0; i < count; i++) {
		bool near = keys[i].t_s < t->start_s || keys[i].t_s > t->seen_s;

		for (uint32_t k = 0; k < s->count && !near; k++)
			near = s->at[k].track == track &&
			       fabs(s->at[k].t_s - keys[i].t_s) < APART_S;
		if (near)
			continue;
		add(s, track, keys[i].t_s, media[i].data, media[i].size, NULL);
		return;
	}
}

static float shown_s(const struct sluice_track *t)
{
	return (float)(t->seen_s - t->start_s);
}

/* The tracks longest in view; how many. */
static uint32_t choose_tracks(const struct sluice_event_log *e, uint32_t out[SLUICE_SIGHTS_TRACKS])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->track_count; i++) {
		uint32_t at = n < SLUICE_SIGHTS_TRACKS ? n++ : n - 1;

		if (at == n - 1 && i >= n && shown_s(&e->tracks[out[at]]) >= shown_s(&e->tracks[i]))
			continue;
		for (; at && shown_s(&e->tracks[out[at - 1]]) < shown_s(&e->tracks[i]); at--)
			out[at] = out[at - 1];
		out[at] = i;
	}
	return n;
}

/* ---- what is seen ---- */

static float overlap(const struct sluice_box *a, const struct sluice_detector_thing *b)
{
	float w = fminf(a->x + a->w, b->x + b->w) - fmaxf(a->x, b->x);
	float h = fminf(a->y + a->h, b->y + b->h) - fmaxf(a->y, b->y);
	float both = fmaxf(w, 0) * fmaxf(h, 0);

	return both / (a->w * a->h + b->w * b->h - both + 1e-3f);
}

struct vote {
	const char *class;
	float sum, best;
};

/* The finding that is the track's, or NULL. */
static const struct sluice_detector_thing *finding(const struct sight *v,
						   const struct sluice_detector_answer *a,
						   uint32_t i)
{
	const struct sluice_detector_thing *best = NULL;
	float most = 0;

	for (uint32_t k = 0; k < a->count[i]; k++) {
		const struct sluice_detector_thing *t = &a->thing[i][k];
		float o = overlap(&v->box, t);

		if (o < OVERLAP || o * t->score <= most)
			continue;
		most = o * t->score;
		best = t;
	}
	return best;
}

static void judge(const struct sights *s, const struct sluice_detector_answer *a, uint32_t track)
{
	struct sluice_track *t = &s->e->tracks[track];
	struct vote vote[OF_TRACK] = { 0 }, *won = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count && i < a->looked; i++) {
		const struct sluice_detector_thing *f =
			s->at[i].track == track ? finding(&s->at[i], a, i) : NULL;
		uint32_t k = 0;

		if (!f)
			continue;
		while (k < n && strcmp(vote[k].class, f->class) != 0)
			k++;
		if (k == OF_TRACK)
			continue;
		n = k == n ? n + 1 : n;
		vote[k].class = f->class;
		vote[k].sum += f->score;
		vote[k].best = fmaxf(vote[k].best, f->score);
	}
	for (uint32_t k = 0; k < n; k++)
		if (!won || vote[k].sum > won->sum)
			won = &vote[k];
	if (!won)
		return;
	memcpy(t->seen_as.class, won->class, sizeof(t->seen_as.class));
	memcpy(t->seen_as.by, a->name, sizeof(t->seen_as.by));
	t->seen_as.score = won->best;
}

static void ask(struct sights *s, const uint32_t *tracks, uint32_t track_count)
{
	struct sluice_detector_image image[SLUICE_SIGHTS_MAX];
	struct sluice_detector_answer *a = calloc(1, sizeof(*a));

	for (uint32_t i = 0; i < s->count; i++)
		image[i] = s->at[i].image;
	if (a && s->count && !s->c->ops->look(s->c->ctx, image, s->count, a))
		for (uint32_t i = 0; i < track_count; i++)
			judge(s, a, tracks[i]);
	free(a);
}

void sluice_sights_classify(struct sluice_event_log *e, const struct sluice_keyframe *keys,
			    const struct sluice_summary_media *media, uint32_t count,
			    const struct sluice_sights_config *c)
{
	struct sights *s;
	uint32_t tracks[SLUICE_SIGHTS_TRACKS], n = choose_tracks(e, tracks);
	uint32_t side = n && c->ops->look ? c->ops->look_side(c->ctx) : 0;

	s = side ? calloc(1, sizeof(*s)) : NULL;
	if (!s)
		return;
	s->e = e;
	s->c = c;
	s->side = side;
	s->decoder = sluice_decoder_open();
	for (uint32_t i = 0; i < n && s->decoder; i++)
		add_best(s, tracks[i], keys, media, count);
	for (int round = 1; round < OF_TRACK && s->decoder; round++)
		for (uint32_t i = 0; i < n; i++)
			add_another(s, tracks[i], keys, media, count);
	ask(s, tracks, n);
	for (uint32_t i = 0; i < s->count; i++) {
		free(s->at[i].own);
		free(s->at[i].rgb);
	}
	sluice_picture_free(&s->picture);
	sluice_decoder_close(s->decoder);
	free(s);
}
