/* SPDX-License-Identifier: MIT */
/* track_facts.h - what can be said of a track: sides, zones, lines, speed, size, and a guessed
 * class. */
#ifndef SLUICE_TRACK_FACTS_H
#define SLUICE_TRACK_FACTS_H

#include "cloud/analysis.h"
#include "cloud/track.h"

enum sluice_side {
	SLUICE_SIDE_INSIDE,
	SLUICE_SIDE_LEFT,
	SLUICE_SIDE_RIGHT,
	SLUICE_SIDE_TOP,
	SLUICE_SIDE_BOTTOM
};

#define SLUICE_SCALE_BANDS   8
#define SLUICE_CROSSINGS_MAX 16 /* of one track; later ones are not told */

/* How tall those who walk upright are at each height of the picture, learned of one camera: shares
 * of the picture's height, weight 0: not known. */
struct sluice_scale {
	float tall[SLUICE_SCALE_BANDS], weight[SLUICE_SCALE_BANDS];
};

struct sluice_crossing {
	uint32_t line; /* of the config */
	double t_s;
	bool forward;
};

struct sluice_track_facts {
	/* "person-like", "vehicle-like", "animal-like", "small", "unknown": a guess from shape,
	 * size and speed, always called heuristic; or what a detector called it */
	const char *class;
	const char *by;	  /* the detector; NULL: it is a guess */
	const char *kind; /* the class among those of the guess, for rules: of a detector's "car"
			     "vehicle-like"; a word that none of them has: what is guessed */
	float confidence; /* 0..1 */
	enum sluice_side enter, leave;
	float length;			  /* pixels of way */
	float speed;			  /* pixels a second, while it moved */
	float w, h;			  /* pixels, median */
	double dwell_s, dwell_at;	  /* the longest that it stood, and since when */
	uint32_t zones;			  /* bit i: it was in zone i */
	double zone_s[SLUICE_ZONES_MAX];  /* and for how long */
	double zone_at[SLUICE_ZONES_MAX]; /* and when first */
	uint32_t crossing_count;
	struct sluice_crossing crossing[SLUICE_CROSSINGS_MAX];
};

/* Of a picture of w x h analysed pixels; all results are in such pixels. c, scale: may be NULL. */
void sluice_track_facts(const struct sluice_track *t, uint32_t w, uint32_t h,
			const struct sluice_analysis_config *c, const struct sluice_scale *scale,
			struct sluice_track_facts *f);

/* Did something come or go, rather than flicker or shimmer in its place? */
bool sluice_track_real(const struct sluice_track *t, uint32_t w, uint32_t h);

/* Something large that the gate sees moving all the time, in its place: not every motion gets
 * anywhere. */
bool sluice_track_lively(const struct sluice_track *t, uint32_t w, uint32_t h);

/* A track that ended teaches the scale, if it is clear what it was. */
void sluice_scale_learn(struct sluice_scale *s, const struct sluice_track_facts *f,
			const struct sluice_track *t, uint32_t h);

const char *sluice_side_name(enum sluice_side side);

#endif
