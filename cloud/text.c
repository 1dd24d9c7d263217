// SPDX-License-Identifier: MIT
/* text.c - see text.h. Counts, sides, times and guessed classes are put into fixed sentences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cloud/text.h"

static const char *nuisance_title(enum sluice_nuisance n)
{
	return n == SLUICE_NUISANCE_LIGHT ? "Light changed" : "Something flickered";
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
	if (!strcmp(class, "animal-like"))
		return "animal-like object";
	if (!strcmp(class, "small"))
		return "small object";
	if (!strcmp(class, "unknown"))
		return "object";
	return class; /* a detector's own word */
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
		       const struct sluice_scale *scale, struct sluice_text *out)
{
	const struct sluice_track *t = leading(e);
	struct sluice_track_facts f;
	float length = e->end_s - e->part_start_s;
	char way[96];

	snprintf(out->scene, sizeof(out->scene),
		 "Camera %s, %.1f s of motion between second %.1f and %.1f.", camera, length,
		 e->part_start_s, e->end_s);
	if (e->camera_moved) {
		out->confidence = 0.7f;
		snprintf(out->title, sizeof(out->title), "Camera %s was moved", camera);
		snprintf(
			out->body, sizeof(out->body),
			"The picture is the same place, shifted: the camera was pushed or turned.");
		return;
	}
	if (e->nuisance) {
		out->confidence = 0.2f;
		snprintf(out->title, sizeof(out->title), "%s on %s", nuisance_title(e->nuisance),
			 camera);
		snprintf(out->body, sizeof(out->body),
			 "The gate saw motion for %.1f s, but nothing came or went.", length);
		return;
	}
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
	sluice_track_facts(t, w, h, NULL, scale, &f);
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
