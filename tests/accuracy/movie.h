/* SPDX-License-Identifier: MIT */
/*
 * movie.h - generated colour movies with exact truth: things walk in front of a real place, with
 * soft edges and shadows, under light and weather, seen by a noisy sensor. The same script, ground
 * and seed give the same bytes; frames may be painted in any order.
 */
#ifndef SLUICE_ACCURACY_MOVIE_H
#define SLUICE_ACCURACY_MOVIE_H

#include "ground.h"
#include "sprite.h"
#include "truth.h"

#define MOVIE_THINGS 16
#define MOVIE_STOPS  8

enum movie_light {
	MOVIE_STEADY,
	MOVIE_DRIFT, /* gain +-30 %, period 40 s */
	MOVIE_STEP,  /* exposure falls by 35 % within 0.4 s at SWITCH_S, and comes back 8 s later */
	MOVIE_CLOUD, /* soft edge of -35 %, crosses from SWITCH_S on, goes 12 s later */
	MOVIE_LAMP,  /* a lamp lights one side from SWITCH_S to SWITCH_S + 8 */
	MOVIE_FLICKER, /* bands of 5 % that roll */
	MOVIE_NIGHT,   /* a third of the light */
};

enum movie_weather {
	MOVIE_CALM,
	MOVIE_RAIN,
	MOVIE_TREE,  /* leaves at the right sway */
	MOVIE_FLAME, /* a fire burns at the left */
	MOVIE_SHAKE, /* 1 to 2 pixels */
	MOVIE_FIRES, /* two fires that light what is around them */
	MOVIE_KNOCK, /* at SWITCH_S the camera is pushed aside by 40 pixels, for good */
};

#define SWITCH_S 10.0

struct movie_stop {
	float t_s, x, y; /* middle of the ground line, pixels */
};

struct movie_thing {
	enum sprite_kind kind;
	float height; /* pixels */
	u32 stops;
	struct movie_stop stop[MOVIE_STOPS]; /* straight lines between them; not there before and
						after */
	float near[MOVIE_STOPS];	     /* share of its height at each stop; 0: all of it */
	bool old;			     /* stands there since before the first frame */
};

struct movie_script {
	const char *name;
	float seconds, fps; /* 0: 26, 12 */
	float sigma;	    /* of the sensor's noise, grey levels; 0: 3 */
	enum movie_light light;
	enum movie_weather weather;
	u32 things;
	struct movie_thing thing[MOVIE_THINGS];
	int pillar_x, pillar_w; /* pixels; 0 wide: none. Things pass behind it */
	u32 left, removed;	/* things that stay, and old ones that go */
};

#define LABEL_NONE    0	  /* background, shadows too */
#define LABEL_UNKNOWN 255 /* soft edges, things that have long stood still: not judged */
/* others: number of the thing from 1 */

/* A thing in one frame. */
struct movie_seen {
	bool there;	    /* a pixel of it can be seen */
	bool moving;	    /* it moves, or has stood for less than STAND_S */
	int x0, y0, x1, y1; /* box of what can be seen, x1 and y1 exclusive */
	u32 area;	    /* pixels that can be seen */
	u32 whole;	    /* that it would have with nothing before it and no border */
};

#define STAND_S 6.0 /* what stands longer may be taken for background */

struct movie; /* one script on one ground */

struct movie *movie_open(const struct movie_script *s, const struct ground *g, u32 seed);
void movie_close(struct movie *m);
u32 movie_frames(const struct movie *m);
double movie_time(const struct movie *m, u32 i); /* of frame i, seconds */

/* Frame i: yuv of MOVIE_BYTES, or NULL; label of MOVIE_LUMA and seen, or NULL. */
void movie_paint(struct movie *m, u32 i, u8 *yuv, u8 *label, struct movie_seen seen[MOVIE_THINGS]);

/* Spans in which each thing is there and has not stood for longer than gap_s, as a truth's events
 * (of all things, not joined); all other time is calm. */
void movie_truth(struct movie *m, double gap_s, struct truth *t);

/* movies.c: the scripts. */
extern const struct movie_script movie_scripts[];
extern const u32 movie_script_count;

#endif
