// SPDX-License-Identifier: MIT
/* movies.c - what happens in the generated movies. Things come from outside of the picture and
 * leave it unless they are said to stay. */
#include "movie.h"

#define LEFT	  -70
#define RIGHT	  (MOVIE_W + 70)
#define FAR_LEFT  -180
#define FAR_RIGHT (MOVIE_W + 180)

#define THING(kind_, height_, ...)                                                                \
	{                                                                                         \
		.kind = SPRITE_##kind_, .height = height_, .stop = { __VA_ARGS__ },               \
		.stops = sizeof((struct movie_stop[]){ __VA_ARGS__ }) / sizeof(struct movie_stop) \
	}
#define OLD_THING(kind_, height_, ...)                                                            \
	{                                                                                         \
		.old = true, .kind = SPRITE_##kind_, .height = height_, .stop = { __VA_ARGS__ },  \
		.stops = sizeof((struct movie_stop[]){ __VA_ARGS__ }) / sizeof(struct movie_stop) \
	}
#define WALKER .things = 1, .thing = { THING(PERSON, 110, { 8, LEFT, 400 }, { 18, RIGHT, 380 }) }

const struct movie_script movie_scripts[] = {
	/* nothing happens */
	{ .name = "idle" },
	{ .name = "idle, noisy", .sigma = 7 },
	{ .name = "light drifts", .seconds = 45, .light = MOVIE_DRIFT },
	{ .name = "exposure steps", .light = MOVIE_STEP },
	{ .name = "cloud", .seconds = 34, .light = MOVIE_CLOUD },
	{ .name = "lamp", .light = MOVIE_LAMP },
	{ .name = "flicker", .light = MOVIE_FLICKER },
	{ .name = "shake", .weather = MOVIE_SHAKE },
	{ .name = "rain", .weather = MOVIE_RAIN },
	{ .name = "tree", .weather = MOVIE_TREE },
	{ .name = "flame", .weather = MOVIE_FLAME },
	{ .name = "knock", .weather = MOVIE_KNOCK },
	/* one thing */
	{ .name = "walker", WALKER },
	{ .name = "walker, noisy", .sigma = 7, WALKER },
	{ .name = "walker, night", .light = MOVIE_NIGHT, .sigma = 5, WALKER },
	{ .name = "walker, drift", .light = MOVIE_DRIFT, WALKER },
	{ .name = "walker, exposure", .light = MOVIE_STEP, WALKER },
	{ .name = "walker, cloud", .light = MOVIE_CLOUD, WALKER },
	{ .name = "walker, shake", .weather = MOVIE_SHAKE, WALKER },
	{ .name = "walker, rain", .weather = MOVIE_RAIN, WALKER },
	{ .name = "walker, tree", .weather = MOVIE_TREE, WALKER },
	{ .name = "walker, flame", .weather = MOVIE_FLAME, WALKER },
	{ .name = "tiny walkers",
	  .things = 2,
	  .thing = { THING(PERSON, 22, { 8, 200, 240 }, { 18, 420, 250 }),
		     THING(PERSON, 26, { 10, 600, 300 }, { 19, 380, 280 }) } },
	{ .name = "car",
	  .things = 1,
	  .thing = { THING(CAR, 70, { 8, FAR_LEFT, 380 }, { 12, FAR_RIGHT, 390 }) } },
	{ .name = "animal",
	  .things = 1,
	  .thing = { THING(ANIMAL, 45, { 8, LEFT, 420 }, { 13, 350, 400 }, { 14.5, 350, 400 },
			   { 18, RIGHT, 430 }) } },
	{ .name = "runner",
	  .things = 1,
	  .thing = { THING(PERSON, 100, { 9, LEFT, 400 }, { 11.2, RIGHT, 400 }) } },
	/* stops, stays, takes */
	{ .name = "stop and go",
	  .seconds = 34,
	  .things = 1,
	  .thing = { THING(PERSON, 120, { 8, LEFT, 420 }, { 13, 320, 410 }, { 21, 320, 410 },
			   { 26, RIGHT, 400 }) } },
	{ .name = "parked car",
	  .seconds = 66,
	  .things = 2,
	  .thing = { THING(CAR, 75, { 8, FAR_LEFT, 360 }, { 12, 330, 370 }, { 66, 330, 370 }),
		     THING(PERSON, 110, { 50, LEFT, 440 }, { 58, RIGHT, 440 }) } },
	{ .name = "car leaves",
	  .seconds = 45,
	  .things = 1,
	  .removed = 1,
	  .thing = { OLD_THING(CAR, 75, { 10, 330, 370 }, { 14, FAR_RIGHT, 380 }) } },
	{ .name = "bag left",
	  .seconds = 60,
	  .things = 2,
	  .left = 1,
	  .thing = { THING(PERSON, 120, { 8, LEFT, 420 }, { 13, 300, 410 }, { 14, 300, 410 },
			   { 19, RIGHT, 400 }),
		     THING(BAG, 34, { 13.5, 330, 412 }, { 60, 330, 412 }) } },
	{ .name = "bag taken",
	  .seconds = 60,
	  .things = 2,
	  .removed = 1,
	  .thing = { OLD_THING(BAG, 34, { 13, 330, 412 }, { 13.5, 330, 412 }, { 18, RIGHT, 360 }),
		     THING(PERSON, 120, { 8, LEFT, 420 }, { 13, 300, 414 }, { 13.5, 300, 414 },
			   { 18, RIGHT, 414 }) } },
	/* several */
	{ .name = "crossing",
	  .things = 2,
	  .thing = { THING(PERSON, 110, { 8, LEFT, 400 }, { 17, RIGHT, 400 }),
		     THING(PERSON, 115, { 8, RIGHT, 415 }, { 18, LEFT, 415 }) } },
	{ .name = "overtaking",
	  .things = 2,
	  .thing = { THING(PERSON, 110, { 8, LEFT, 400 }, { 20, RIGHT, 400 }),
		     THING(PERSON, 110, { 9.5, LEFT, 425 }, { 17, RIGHT, 425 }) } },
	{ .name = "pillar",
	  .pillar_x = 290,
	  .pillar_w = 80,
	  .things = 2,
	  .thing = { THING(PERSON, 110, { 8, LEFT, 400 }, { 18, RIGHT, 400 }),
		     THING(PERSON, 100, { 12, RIGHT, 370 }, { 21, LEFT, 370 }) } },
	{ .name = "crowd",
	  .seconds = 30,
	  .things = 8,
	  .thing = { THING(PERSON, 100, { 8, LEFT, 350 }, { 18, RIGHT, 350 }),
		     THING(PERSON, 104, { 9, RIGHT, 365 }, { 20, LEFT, 365 }),
		     THING(PERSON, 108, { 10, LEFT, 395 }, { 22, RIGHT, 395 }),
		     THING(PERSON, 112, { 11, RIGHT, 410 }, { 21, LEFT, 410 }),
		     THING(PERSON, 116, { 12, LEFT, 435 }, { 24, RIGHT, 435 }),
		     THING(PERSON, 96, { 13, RIGHT, 335 }, { 24, LEFT, 335 }),
		     THING(PERSON, 118, { 14, LEFT, 460 }, { 25, RIGHT, 460 }),
		     THING(PERSON, 90, { 15, RIGHT, 315 }, { 25, LEFT, 315 }) } },
	{ .name = "mixed",
	  .seconds = 30,
	  .things = 4,
	  .thing = { THING(CAR, 60, { 8, FAR_LEFT, 300 }, { 13, FAR_RIGHT, 305 }),
		     THING(PERSON, 110, { 10, LEFT, 440 }, { 20, RIGHT, 430 }),
		     THING(ANIMAL, 40, { 14, RIGHT, 390 }, { 20, LEFT, 400 }),
		     THING(CAR, 66, { 18, FAR_RIGHT, 330 }, { 22, FAR_LEFT, 330 }) } },
	{ .name = "two visits",
	  .seconds = 50,
	  .things = 2,
	  .thing = { THING(PERSON, 110, { 8, LEFT, 400 }, { 16, RIGHT, 400 }),
		     THING(PERSON, 105, { 34, RIGHT, 390 }, { 43, LEFT, 390 }) } },
	/* what came later, at the end: seeds and grounds go by place */
	{ .name = "fires", .seconds = 60, .weather = MOVIE_FIRES },
	{ .name = "walker, fires",
	  .seconds = 40,
	  .weather = MOVIE_FIRES,
	  .things = 1,
	  .thing = { THING(PERSON, 110, { 20, LEFT, 400 }, { 30, RIGHT, 380 }) } },
	/* towards the camera and away from it */
	{ .name = "goes away",
	  .things = 1,
	  .thing = { { .kind = SPRITE_PERSON,
		       .height = 330,
		       .stops = 3,
		       .stop = { { 8, 300, 830 }, { 12, 310, 480 }, { 20, 330, 260 } },
		       .near = { 1, 0.7f, 0.25f } } } },
	{ .name = "comes near",
	  .things = 1,
	  .thing = { { .kind = SPRITE_PERSON,
		       .height = 330,
		       .stops = 3,
		       .stop = { { 8, 330, 250 }, { 15, 320, 470 }, { 19, 300, 830 } },
		       .near = { 0.2f, 0.7f, 1 } } } },
	{ .name = "there from the start",
	  .seconds = 16,
	  .things = 1,
	  .thing = { { .kind = SPRITE_PERSON,
		       .height = 330,
		       .stops = 3,
		       .stop = { { 0, 390, 530 }, { 3, 200, 470 }, { 16, 200, 470 } },
		       .near = { 0.9f, 0.7f, 0.7f } } } },
};

const u32 movie_script_count = sizeof(movie_scripts) / sizeof(movie_scripts[0]);
