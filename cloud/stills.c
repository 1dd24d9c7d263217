// SPDX-License-Identifier: MIT
/*
 * stills.c - a blob that keeps its place is either a thing that was put there, or the hole that a
 * thing has left in the background. A thing has edges in the picture, a hole has them in the
 * background. Who came walking and stands is a track, and no object.
 */
#include <math.h>
#include <string.h>

#include "cloud/stills.h"

#define STILL_S 0.9
#define LOST_S	1.5   /* not seen for so long, in pictures: forgotten */
#define SAME	0.6f  /* overlap of a still blob with itself */
#define OWNED	0.3f  /* overlap with a track that makes it the track's */
#define GONE	0.8f  /* sluice_background_edges() below which it is a hole, ... */
#define THERE	1.25f /* ... and above which a thing */
#define BUSY	0.1f  /* of its cells in which the gate sees motion: it is not still */
#define ALIKE	8.0f  /* grey levels between what it looked like and does */

static float overlap(const struct sluice_box *a, const struct sluice_box *b)
{
	float w = (a->x + a->w < b->x + b->w ? a->x + a->w : b->x + b->w) -
		  (a->x > b->x ? a->x : b->x);
	float h = (a->y + a->h < b->y + b->h ? a->y + a->h : b->y + b->h) -
		  (a->y > b->y ? a->y : b->y);
	float both = w > 0 && h > 0 ? w * h : 0;

	return both / (a->w * a->h + b->w * b->h - both + 1e-3f);
}

static bool owned(struct sluice_tracker *tracker, const struct sluice_box *b)
{
	uint32_t count;
	const struct sluice_track *live = sluice_tracker_live(tracker, &count);

	for (uint32_t i = 0; i < count; i++)
		if (live[i].confirmed && live[i].moved && overlap(&live[i].last, b) > OWNED)
			return true;
	return false;
}

/* Has anybody who moves been at it, or is it where he began? Nobody leaves or takes what stands
 * alone. */
static bool visited(struct sluice_tracker *tracker, const struct sluice_box *b)
{
	uint32_t count;
	const struct sluice_track *live = sluice_tracker_live(tracker, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct sluice_track *t = &live[i];

		for (uint32_t k = 0; t->confirmed && t->moved && t->way > 0.7f && k < t->path_count;
		     k++)
			if (overlap(&t->path[k], b) > 0)
				return true;
	}
	return false;
}

/* Does it still look as it did? A flame does not. */
static bool alike(const float *a, const float *b)
{
	for (int i = 0; i < SLUICE_LOOKS; i++)
		if (fabsf(a[i] - b[i]) > ALIKE)
			return false;
	return true;
}

/* The entry of a blob, new if there is none; -1: no room. */
static int entry_of(struct sluice_stills *s, const struct sluice_box *b)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (overlap(&s->at[i].box, b) > SAME)
			return (int)i;
	if (s->count == SLUICE_STILLS_MAX)
		return -1;
	memset(&s->at[s->count], 0, sizeof(s->at[0]));
	s->at[s->count].box = *b;
	s->at[s->count].since_s = b->t_s;
	return (int)s->count++;
}

static void forget(struct sluice_stills *s, double t_s)
{
	for (uint32_t i = s->count; i-- > 0;)
		if (t_s - s->at[i].seen_s > LOST_S)
			s->at[i] = s->at[--s->count];
}

uint32_t sluice_stills_frame(struct sluice_stills *s, double t_s, const struct sluice_blob *blobs,
			     uint32_t count, struct sluice_tracker *tracker,
			     struct sluice_background *b, const struct sluice_gray *g,
			     uint8_t *mask, struct sluice_object out[SLUICE_STILLS_MAX])
{
	uint32_t n = 0;

	for (uint32_t j = 0; j < count; j++) {
		struct sluice_box box = { t_s, blobs[j].x, blobs[j].y, blobs[j].w, blobs[j].h };
		uint32_t x0 = (uint32_t)box.x, y0 = (uint32_t)box.y;
		uint32_t x1 = (uint32_t)(box.x + box.w), y1 = (uint32_t)(box.y + box.h);
		int i = owned(tracker, &box) ? -1 : entry_of(s, &box);
		float edges;

		if (i < 0)
			continue;
		s->at[i].seen_s = t_s;
		if (blobs[j].busy > BUSY || !alike(s->at[i].look, blobs[j].look)) {
			s->at[i].since_s = t_s;
			memcpy(s->at[i].look, blobs[j].look, sizeof(s->at[i].look));
		}
		if (s->at[i].told || t_s - s->at[i].since_s < STILL_S)
			continue;
		edges = sluice_background_edges(b, g, mask, x0, y0, x1, y1);
		if (edges > GONE && edges < THERE)
			continue;
		s->at[i].told = true;
		if (edges <= GONE)
			sluice_background_absorb(b, g, x0, y0, x1, y1);
		if (!visited(tracker, &box))
			continue;
		box.t_s = s->at[i].since_s;
		out[n++] = (struct sluice_object){ edges <= GONE ? SLUICE_OBJECT_REMOVED
								 : SLUICE_OBJECT_LEFT,
						   box };
		if (n == SLUICE_STILLS_MAX)
			break;
	}
	forget(s, t_s);
	return n;
}
