// SPDX-License-Identifier: MIT
/* text.c - see text.h. Counts, sides, times and guessed classes are put into fixed sentences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cloud/text.h"

#define EDGE 0.04f /* of the picture: closer to the border counts as touching it */

const char *sluice_side_name(enum sluice_side side)
{
	static const char *const name[] = { "inside", "left", "right", "top", "bottom" };

	return name[side];
}

static enum sluice_side side_of(const struct sluice_box *b, uint32_t w, uint32_t h)
{
	float gap[5] = { 0, b->x, w - b->x - b->w, b->y, h - b->y - b->h };
	enum sluice_side best = SLUICE_SIDE_INSIDE;
	float least = 1;

	for (int s = SLUICE_SIDE_LEFT; s <= SLUICE_SIDE_BOTTOM; s++) {
		float share = gap[s] / (s <= SLUICE_SIDE_RIGHT ? w : h);

		if (share < EDGE && share < least) {
			least = share;
			best = s;
		}
	}
	return best;
}

void sluice_track_facts(const struct sluice_track *t, uint32_t w, uint32_t h,
			struct sluice_track_facts *f)
{
	float tall = 0, area = 0, path = 0, life = t->seen_s - t->start_s;
	uint32_t n = t->path_count;

	for (uint32_t i = 0; i < n; i++) {
		tall += t->path[i].h / fmaxf(t->path[i].w, 1) / n;
		area += t->path[i].w * t->path[i].h / ((float)w * h) / n;
		if (i)
			path += hypotf(t->path[i].x - t->path[i - 1].x,
				       t->path[i].y - t->path[i - 1].y);
	}
	f->class = "unknown";
	f->confidence = 0.3f;
	if (area < 0.0012f) {
		f->class = "small";
		f->confidence = 0.6f;
	} else if (tall > 1.4f) {
		f->class = "person-like";
		f->confidence = fminf(0.75f, 0.4f + 0.2f * (tall - 1.4f));
	} else if (tall < 0.9f && life > 0 && path / life > 0.1f * w && area > 0.01f) {
		f->class = "vehicle-like";
		f->confidence = 0.5f;
	}
	f->enter = n ? side_of(&t->path[0], w, h) : SLUICE_SIDE_INSIDE;
	f->leave = n ? side_of(&t->last, w, h) : SLUICE_SIDE_INSIDE;
}

/* The longest told track, or NULL. */
static const struct sluice_track *leading(const struct sluice_event_log *e)
{
	const struct sluice_track *best = NULL;

	for (uint32_t i = 0; i < e->track_count; i++) {
		const struct sluice_track *t = &e->tracks[i];

		if (!best || t->hits > best->hits)
			best = t;
	}
	return best;
}

static const char *noun_of(const char *class)
{
	if (!strcmp(class, "person-like"))
		return "person-like object";
	if (!strcmp(class, "vehicle-like"))
		return "vehicle-like object";
	if (!strcmp(class, "small"))
		return "small object";
	return "object";
}

static void tell_way(const struct sluice_track_facts *f, char *out, size_t size)
{
	if (f->enter == SLUICE_SIDE_INSIDE && f->leave == SLUICE_SIDE_INSIDE)
		snprintf(out, size, "moves inside the picture");
	else if (f->enter == SLUICE_SIDE_INSIDE)
		snprintf(out, size, "appears and leaves %s", sluice_side_name(f->leave));
	else if (f->leave == SLUICE_SIDE_INSIDE)
		snprintf(out, size, "enters from the %s", sluice_side_name(f->enter));
	else if (f->enter == f->leave)
		snprintf(out, size, "enters from the %s and leaves there again",
			 sluice_side_name(f->enter));
	else
		snprintf(out, size, "crosses from the %s to the %s", sluice_side_name(f->enter),
			 sluice_side_name(f->leave));
}

void sluice_text_event(const struct sluice_event_log *e, const char *camera, uint32_t w, uint32_t h,
		       struct sluice_text *out)
{
	const struct sluice_track *t = leading(e);
	struct sluice_track_facts f;
	float length = e->end_s - e->part_start_s;
	char way[96];

	snprintf(out->scene, sizeof(out->scene),
		 "Camera %s, %.1f s of motion between second %.1f and %.1f.", camera, length,
		 e->part_start_s, e->end_s);
	if (!t) {
		out->confidence = e->scene_change ? 0.5f : 0.3f;
		snprintf(out->title, sizeof(out->title), "%s on %s",
			 e->scene_change ? "Whole picture changed" : "Something moved", camera);
		if (e->scene_change)
			snprintf(out->body, sizeof(out->body),
				 "Most of the picture changed at once: light, exposure or the "
				 "camera itself. "
				 "No single object was followed.");
		else
			snprintf(out->body, sizeof(out->body),
				 "The gate saw motion for %.1f s. No single object could be "
				 "followed.",
				 length);
		return;
	}
	sluice_track_facts(t, w, h, &f);
	tell_way(&f, way, sizeof(way));
	out->confidence = fminf(0.95f, 0.5f + 0.03f * t->hits + (t->moved ? 0.1f : 0));
	if (e->track_count == 1)
		snprintf(out->title, sizeof(out->title), "One %s on %s", noun_of(f.class), camera);
	else
		snprintf(out->title, sizeof(out->title), "%u moving objects on %s", e->track_count,
			 camera);
	snprintf(out->body, sizeof(out->body), "%s %s %s.",
		 e->track_count == 1 ? "One" : "Longest in view: one", noun_of(f.class), way);
	if (e->track_count > 1) {
		size_t n = strlen(out->body);

		snprintf(out->body + n, sizeof(out->body) - n,
			 " %u objects were followed in %.0f s, at most %u at once.", e->track_count,
			 length, e->peak);
	} else {
		size_t n = strlen(out->body);

		snprintf(out->body + n, sizeof(out->body) - n, " It was in view for %.1f s.",
			 t->seen_s - t->start_s);
	}
}
