/* SPDX-License-Identifier: MIT */
/* weather.h - leaves, fire and rain over a frame of a generated movie (YU12 of MOVIE_W x MOVIE_H).
 */
#ifndef SLUICE_ACCURACY_WEATHER_H
#define SLUICE_ACCURACY_WEATHER_H

#include "kmod/core.h"

/* A number that a and b decide, and the same from 0 to 1. */
static inline u32 mix(u32 a, u32 b)
{
	u32 h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 12;
	h *= 0x297a2d39u;
	return h ^ h >> 15;
}

static inline float chance(u32 a, u32 b)
{
	return mix(a, b) / 4294967296.0f;
}

static inline void weather_blend(u8 *p, int v, float a)
{
	*p = (u8)(*p + a * (v - *p) + 0.5f);
}

/* t: seconds; i: number of the frame. */
void weather_tree(u32 seed, double t, u8 *yuv);
void weather_flame(u32 seed, double t, u8 *yuv);
void weather_fires(u32 seed, double t, u8 *yuv);
void weather_rain(u32 seed, u32 i, u8 *yuv);

#endif
