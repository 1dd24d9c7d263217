/* SPDX-License-Identifier: MIT */
/*
 * synopsis.h - a period in a minute: what was followed, moved in time and shown together over a
 * background of the right time of day. After Pritch, Rav-Acha and Peleg, "Nonchronological Video
 * Synopsis and Indexing" (PAMI 30(11), 2008): tubes are placed by the energy of their collisions
 * and of their order; the rest is our own.
 *
 * Planned from boxes alone (synopsis_plan.c), then drawn from stored frames (synopsis_draw.c).
 */
#ifndef SLUICE_SYNOPSIS_H
#define SLUICE_SYNOPSIS_H

#include "cloud/tube.h"

#define SLUICE_SYNOPSIS_FPS	10
#define SLUICE_SYNOPSIS_SIDE	640   /* pixels: its longer side at most */
#define SLUICE_SYNOPSIS_FACTOR	8.0   /* nothing is shown faster than this, but to fit at all */
#define SLUICE_SYNOPSIS_OVERLAP 0.049 /* share of what is shown that two things may share */

enum sluice_left_out {
	SLUICE_SHOWN,
	SLUICE_LEFT_NO_FRAMES, /* none of its frames is stored */
	SLUICE_LEFT_NO_ROOM,   /* it would cover others */
	SLUICE_LEFT_ORDER,     /* it would be out of order by more than asked */
	SLUICE_LEFT_PICTURES,  /* its frames cannot be read */
};

/* "no_room"; for SLUICE_SHOWN: NULL. */
const char *sluice_left_out_name(enum sluice_left_out why);

struct sluice_synopsis_tube {
	enum sluice_left_out why;
	uint32_t at, count; /* pictures of the video */
};

/* A tube in a picture. */
struct sluice_synopsis_shot {
	uint32_t frame, tube; /* of the period */
	int16_t x, y, w, h;   /* the camera's pixels */
};

struct sluice_synopsis {
	const struct sluice_period *period; /* borrowed */
	struct sluice_tubes tubes;
	struct sluice_synopsis_tube *tube;  /* one for each of the period */
	uint32_t pictures;		    /* of the video; 0: nothing is shown */
	uint32_t *first;		    /* [pictures + 1]: of each picture, into shots */
	struct sluice_synopsis_shot *shots; /* by picture, the farthest first */
	double factor;			    /* how much faster than life tubes are, at least 1 */
	uint32_t shown;
	double overlap;	   /* share of the area of things in which two from different times meet */
	double disorder_s; /* the most that two are out of their order */
	uint32_t reversals, pairs; /* two shown the other way round; of all those shown */
};

/* Choose and place. 0 also if nothing can be shown. -ENOMEM. */
int sluice_synopsis_plan(const struct sluice_period *p, struct sluice_synopsis *out);
void sluice_synopsis_free(struct sluice_synopsis *s); /* safe on one that is zero */

struct sluice_synopsis_options {
	/* The original JPEG, malloc'd, or NULL. */
	uint8_t *(*fetch)(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size);
	int (*stopped)(void *ctx); /* asked before each picture; may be NULL */
	void (*progress)(void *ctx, uint32_t done, uint32_t of); /* pictures; may be NULL */
	void *ctx;
};

/*
 * The video of s (VP9 in WebM); *data malloc'd, the caller's. Tubes of which no frame can be read
 * become left out. -ENODATA: nothing to be shown; -ENOSYS: no VP9 encoder; -ECANCELED, -ENOMEM.
 */
int sluice_synopsis_draw(struct sluice_synopsis *s, const struct sluice_synopsis_options *o,
			 uint32_t *w, uint32_t *h, uint8_t **data, size_t *size);

/* The map beside it (docs/api.md): which tube is where, when it was, of which event. w, h: of the
 * video. Malloc'd, or NULL. */
char *sluice_synopsis_map(const struct sluice_synopsis *s, uint32_t w, uint32_t h);

#endif
