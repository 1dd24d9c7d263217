// SPDX-License-Identifier: MIT
/* sprite.c - signed distances: a thing is the union of round boxes, discs and limbs. */
#include "sprite.h"

#include <math.h>

static float disc(float u, float v, float cu, float cv, float r)
{
	return hypotf(u - cu, v - cv) - r;
}

static float round_box(float u, float v, float cu, float cv, float hw, float hh, float r)
{
	float a = fabsf(u - cu) - hw + r, b = fabsf(v - cv) - hh + r;

	return hypotf(fmaxf(a, 0), fmaxf(b, 0)) + fminf(fmaxf(a, b), 0) - r;
}

static float limb(float u, float v, float u0, float v0, float u1, float v1, float r)
{
	float du = u1 - u0, dv = v1 - v0, t = ((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv);

	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return hypotf(u - u0 - t * du, v - v0 - t * dv) - r;
}

/* The nearer one wins the part. */
static void join(float *d, int *part, float e, int p)
{
	if (e < *d) {
		*d = e;
		*part = p;
	}
}

static float person(float u, float v, float phase, int *part)
{
	float swing = 0.13f * sinf(phase * 6.2832f), d = 1e9f;

	join(&d, part, limb(u, v, 0.03f, 0.48f, swing, 0.03f, 0.055f), 2);
	join(&d, part, limb(u, v, -0.03f, 0.48f, -swing, 0.03f, 0.055f), 2);
	join(&d, part, round_box(u, v, 0, 0.64f, 0.125f, 0.2f, 0.08f), 0);
	join(&d, part, limb(u, v, 0.1f, 0.78f, 0.13f - swing, 0.5f, 0.04f), 0);
	join(&d, part, limb(u, v, -0.1f, 0.78f, -0.13f + swing, 0.5f, 0.04f), 0);
	join(&d, part, disc(u, v, 0, 0.92f, 0.078f), 1);
	return d;
}

static float car(float u, float v, int *part)
{
	float d = 1e9f;

	join(&d, part, round_box(u, v, 0, 0.4f, 1.35f, 0.28f, 0.15f), 0);
	join(&d, part, round_box(u, v, 0.1f, 0.75f, 0.75f, 0.24f, 0.2f), 0);
	if (d < 0 && round_box(u, v, 0.1f, 0.76f, 0.62f, 0.14f, 0.08f) < 0)
		*part = 3;
	join(&d, part, disc(u, v, -0.85f, 0.18f, 0.19f), 2);
	join(&d, part, disc(u, v, 0.85f, 0.18f, 0.19f), 2);
	return d;
}

static float animal(float u, float v, float phase, int *part)
{
	float swing = 0.16f * sinf(phase * 6.2832f), d = 1e9f;

	for (int i = -1; i <= 1; i += 2) {
		join(&d, part, limb(u, v, 0.5f * i, 0.45f, 0.5f * i + swing, 0.05f, 0.07f), 2);
		join(&d, part, limb(u, v, 0.42f * i, 0.45f, 0.42f * i - swing, 0.05f, 0.07f), 2);
	}
	join(&d, part, round_box(u, v, 0, 0.6f, 0.62f, 0.2f, 0.18f), 0);
	join(&d, part, disc(u, v, 0.72f, 0.82f, 0.17f), 1);
	return d;
}

float sprite_half_width(enum sprite_kind kind)
{
	static const float half[] = { 0.3f, 1.4f, 0.95f, 0.65f };

	return half[kind];
}

float sprite_distance(enum sprite_kind kind, float u, float v, float phase, int *part)
{
	*part = 0;
	switch (kind) {
	case SPRITE_PERSON:
		return person(u, v, phase, part);
	case SPRITE_CAR:
		return car(u, v, part);
	case SPRITE_ANIMAL:
		return animal(u, v, phase, part);
	default:
		return round_box(u, v, 0, 0.5f, 0.6f, 0.48f, 0.1f);
	}
}
