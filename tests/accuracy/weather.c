// SPDX-License-Identifier: MIT
/* weather.c - what moves in a place and is nobody. Deterministic: the same seed and time, the same
 * pixels. */
#include "weather.h"

#include <math.h>

#include "ground.h"

void weather_tree(u32 seed, double t, u8 *yuv)
{
	for (int y = 60; y < 260; y++)
		for (int x = 470; x < 610; x++) {
			double gust = sin(2 * M_PI * t / 7) * 0.4 + 0.8;
			int dx = (int)lrint(4 * gust * sin(2 * M_PI * t * 0.5 + y * 0.02));
			int dy = (int)lrint(2 * gust * sin(2 * M_PI * t * 0.9 + x * 0.03));
			u32 leaf = (u32)(y + dy) / 5 * 4096 + (u32)(x + dx) / 5;

			yuv[y * MOVIE_W + x] = (u8)(50 + mix(seed + 13, leaf) % 80);
		}
}

static void paint_flame(u32 seed, double t, int left, int foot, u8 *yuv)
{
	u32 key = seed + 21 + (u32)left;

	for (int k = 0; k < 14; k++) {
		double life = fmod(t * 1.7 + chance(key, k), 1.0);
		u32 turn = (u32)(t * 1.7 + chance(key, k)) * 32 + k;
		int cx = left + (int)(50 * chance(key + 1, turn)), r = (int)(16 * (1 - life)) + 3;
		int cy = foot - (int)(110 * life);

		for (int y = cy - r; y <= cy + r; y++)
			for (int x = cx - r; x <= cx + r; x++)
				if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= r * r)
					yuv[y * MOVIE_W + x] = (u8)(170 + 70 * (1 - life));
	}
}

/* Light that dances on what is around a fire. */
static void paint_glow(u32 seed, double t, int cx, int cy, u8 *yuv)
{
	u32 key = seed + 31 + (u32)cx, at = (u32)(t * 6);
	double f = t * 6 - at, gain = 0.5 * ((1 - f) * chance(key, at) + f * chance(key, at + 1));

	for (int y = cy - 150; y < cy + 60; y++)
		for (int x = cx - 120; x < cx + 120; x++) {
			double u = (x - cx) / 120.0, v = (y - cy + 45) / 105.0, r = u * u + v * v;
			double l;

			if (r >= 1 || x < 0 || y < 0 || x >= MOVIE_W || y >= MOVIE_H)
				continue;
			l = yuv[y * MOVIE_W + x] * (1 + gain * (1 - r));
			yuv[y * MOVIE_W + x] = (u8)(l > 255 ? 255 : l);
		}
}

void weather_flame(u32 seed, double t, u8 *yuv)
{
	paint_flame(seed, t, 45, 400, yuv);
}

void weather_fires(u32 seed, double t, u8 *yuv)
{
	paint_glow(seed, t, 115, 380, yuv);
	paint_glow(seed, t, 425, 300, yuv);
	paint_flame(seed, t, 90, 410, yuv);
	paint_flame(seed, t * 1.3, 400, 330, yuv);
}

void weather_rain(u32 seed, u32 i, u8 *yuv)
{
	for (u32 k = 0; k < 80; k++) {
		u32 at = mix(seed + 11, i * 80 + k), x = at % MOVIE_W;
		u32 y = at / MOVIE_W % (MOVIE_H - 14);

		for (u32 v = 0; v < 12; v++)
			weather_blend(&yuv[(y + v) * MOVIE_W + x], 210, 0.5f);
	}
}
