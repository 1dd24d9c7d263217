/* SPDX-License-Identifier: MIT */
/*
 * scenes.h - generated scenes of 640x480 luma with exact truth. The same seed gives the same bytes
 * on every machine with IEEE doubles.
 */
#ifndef SLUICE_ACCURACY_SCENES_H
#define SLUICE_ACCURACY_SCENES_H

#include "kmod/core.h"
#include "truth.h"

#define SCENE_W 640
#define SCENE_H 480

enum scene_light {
	LIGHT_STEADY,
	LIGHT_DRIFT,   /* gain +-35 %, period 60 s */
	LIGHT_FLICKER, /* rolling bands of 6 % at mains_hz, sampled by the frame rate */
	LIGHT_AE,      /* exposure falls by 40 % within 0.3 s at 10 s */
	LIGHT_IR,      /* infrared switch at 10 s: other contrast, other texture */
	LIGHT_LAMP,    /* a lamp lights one side from 10 s on */
	LIGHT_CUT,     /* another picture from 10 s on */
	LIGHT_CLOUD,   /* the edge of a cloud, -35 %, crosses from 10 s on, and again at 30 s */
};

enum scene_weather {
	WEATHER_NONE,
	WEATHER_RAIN,	    /* 80 streaks in every frame */
	WEATHER_RAIN_ONSET, /* the same from 10 s on */
	WEATHER_TREE,	    /* a textured region sways by some pixels */
	WEATHER_SHAKE,	    /* the camera shakes by 1 to 2 pixels */
};

enum scene_thing {
	THING_NONE,
	THING_WALKER, /* crosses once from 14 s on */
	THING_PARKED, /* 120x60: drives in at 4 s, stands 8..20 s, drives out by 24 s */
	THING_BUSY,   /* a walker every 3 s */
};

struct scene {
	const char *name;
	double fps, seconds;
	double sigma; /* of the sensor noise, grey levels */
	enum scene_light light;
	enum scene_weather weather;
	enum scene_thing thing;
	double mains_hz;
	int thing_w, thing_h; /* pixels */
	double contrast;      /* grey levels against the background */
	double speed;	      /* of a walker, pixels a second; 0: 60 */
	u32 seed;
};

struct scene_painter; /* background, noise and scratch; one per scene */

/*
 * picture: NULL, or 640x480 luma as background in place of the generated one (copied). Aborts when
 * memory is short.
 */
struct scene_painter *scene_open(const struct scene *s, const u8 *picture);
void scene_close(struct scene_painter *p);

size_t scene_frames(const struct scene *s);

/* Frame i, in any order. luma: 640x480 bytes. */
void scene_paint(struct scene_painter *p, size_t i, u8 *luma);

/* The same picture as YUYV, 640x480x2 bytes, chroma 128. */
void scene_yuyv(const u8 *luma, u8 *yuyv);

/* Where things move, in seconds since the first frame; all other time is calm. */
void scene_truth(const struct scene *s, struct truth *t);

#endif
