// SPDX-License-Identifier: MIT
/*
 * Every background model on drawn pictures: it settles on a noisy place, shows a thing, takes what
 * stays for background after the same time at any rate, leaves no ghost, does not take light,
 * the rim of a shadow or the edge of a cloud for things, and knows a pushed camera from another
 * scene; the default one knows a fire.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/background.h"
#include "tests/unit/check.h"

#define W 320
#define H 180

static uint8_t px[W * H], mask[W * H], hold[W * H];
static const struct sluice_gray picture = { .px = px, .w = W, .h = H, .scale = 2 };
static uint32_t dice;

static uint32_t mix(uint32_t a, uint32_t b)
{
	uint32_t h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	return h ^ h >> 13;
}

/* Patches of 24x24 and a fine grain, moved by dx, dy, under a light of so many per cent, with a
 * noise of 2 grey levels. scene: another place. */
static void draw(uint32_t scene, int dx, int dy, int light)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			uint32_t u = (uint32_t)(x + dx + 4096), v = (uint32_t)(y + dy + 4096);
			int patch = 60 + (int)(mix(u / 24 + 1000 * scene, v / 24) % 110);
			int grain = (int)(mix(u, v + 7) % 13) - 6;
			int noise = (int)((dice = dice * 1664525 + 1013904223) >> 24) % 7 - 3;
			int value = (patch + grain) * light / 100 + noise;

			px[y * W + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
		}
}

/* A striped thing of 40x60 at x, y. */
static void draw_thing(int x, int y)
{
	for (int v = y; v < y + 60; v++)
		for (int u = x; u < x + 40; u++)
			px[v * W + u] = v / 6 & 1 ? 20 : 235;
}

static struct sluice_background_result step(struct sluice_background *b, float dt)
{
	struct sluice_background_result r;

	sluice_background_frame(b, &picture, dt, hold, false, mask, &r);
	return r;
}

/* Share of the box that is set. */
static double set_in(int x, int y)
{
	int n = 0;

	for (int v = y; v < y + 60; v++)
		for (int u = x; u < x + 40; u++)
			n += mask[v * W + u] != 0;
	return n / 2400.0;
}

/* A model that knows the place for long enough for it to be no new one. */
static struct sluice_background *settled(uint32_t kind, float fps)
{
	struct sluice_background *b = sluice_background_open(kind, W, H);

	dice = 3;
	if (!b)
		abort();
	for (int i = 0; i < (int)(12 * fps); i++) {
		draw(0, 0, 0, 100);
		step(b, 1 / fps);
	}
	return b;
}

static void settles_and_shows(uint32_t kind)
{
	struct sluice_background *b = settled(kind, 10);
	struct sluice_background_result r;

	draw(0, 0, 0, 100);
	r = step(b, 0.1f);
	CHECK(!r.learning && r.foreground < W * H / 1000 && r.change == SLUICE_CHANGE_NONE);
	draw(0, 0, 0, 100);
	draw_thing(100, 60);
	r = step(b, 0.1f);
	CHECK(set_in(100, 60) > 0.85 && r.foreground < 2400 * 1.2);
	draw(0, 0, 0, 100);
	step(b, 0.1f);
	CHECK(set_in(100, 60) < 0.05);
	sluice_background_close(b);
}

/* Seconds until a thing that was put there is background. */
static double absorbed_after(uint32_t kind, float fps)
{
	struct sluice_background *b = settled(kind, fps);
	double t = 0;

	do {
		draw(0, 0, 0, 100);
		draw_thing(100, 60);
		step(b, 1 / fps);
		t += 1 / fps;
	} while (t < 20 && set_in(100, 60) > 0.5);
	sluice_background_close(b);
	return t;
}

static void time_counts_not_pictures(uint32_t kind)
{
	double slow = absorbed_after(kind, 4), fast = absorbed_after(kind, 25);

	CHECK(slow > 2.5 && slow < 7 && fast > 2.5 && fast < 7);
	CHECK(slow - fast < 1 && fast - slow < 1);
}

/* Below a living track it is kept. */
static void held(uint32_t kind)
{
	struct sluice_background *b = settled(kind, 10);

	memset(hold, 1, sizeof(hold));
	for (int i = 0; i < 100; i++) {
		draw(0, 0, 0, 100);
		draw_thing(100, 60);
		step(b, 0.1f);
	}
	CHECK(set_in(100, 60) > 0.85);
	memset(hold, 0, sizeof(hold));
	sluice_background_close(b);
}

/* There from the first picture on, then it goes: its place is no ghost for long, and for no time at
 * all where it is told that it is background. */
static void leaves_no_ghost(uint32_t kind)
{
	struct sluice_background *b = sluice_background_open(kind, W, H);

	for (int i = 0; i < 30; i++) {
		draw(0, 0, 0, 100);
		draw_thing(100, 60);
		step(b, 0.1f);
	}
	draw(0, 0, 0, 100);
	step(b, 0.1f);
	CHECK(set_in(100, 60) > 0.6);
	CHECK(sluice_background_edges(b, &picture, mask, 100, 60, 140, 120) < 0.8f);
	for (int i = 0; i < 60; i++) {
		draw(0, 0, 0, 100);
		step(b, 0.1f);
	}
	CHECK(set_in(100, 60) < 0.05);
	draw_thing(200, 60);
	step(b, 0.1f);
	CHECK(set_in(200, 60) > 0.85);
	CHECK(sluice_background_edges(b, &picture, mask, 200, 60, 240, 120) > 1.25f);
	sluice_background_absorb(b, &picture, 200, 60, 240, 120);
	step(b, 0.1f);
	CHECK(set_in(200, 60) < 0.05);
	sluice_background_close(b);
}

static void light_is_nothing(uint32_t kind)
{
	struct sluice_background *b = settled(kind, 10);

	for (int light = 100; light >= 60; light -= 8) {
		struct sluice_background_result r;

		draw(0, 0, 0, light);
		r = step(b, 0.1f);
		CHECK(r.foreground < W * H / 50 && r.change == SLUICE_CHANGE_NONE);
	}
	sluice_background_close(b);
}

/* A plain wall, and a shadow on it whose rim is as soft as the sun is wide, or none. */
static void draw_plain(bool shadow)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			int noise = (int)((dice = dice * 1664525 + 1013904223) >> 24) % 3 - 1;
			double u = (x - 200) / 50.0, v = (y - 120) / 14.0, r = u * u + v * v;
			double light = r < 0.6 ? 0.68 : r < 1 ? 0.68 + 0.32 * (r - 0.6) / 0.4 : 1;

			px[y * W + x] = (uint8_t)(130 * (shadow ? light : 1) + noise);
		}
}

/* In a place without structure a shadow's rim is structure, and yet no thing. */
static void shadow_has_no_rim(uint32_t kind)
{
	struct sluice_background *b = sluice_background_open(kind, W, H);
	struct sluice_background_result r;

	dice = 5;
	for (int i = 0; i < 30; i++) {
		draw_plain(false);
		step(b, 0.1f);
	}
	draw_plain(true);
	r = step(b, 0.1f);
	CHECK(r.foreground < 60 && r.light > 0.02f);
	draw_plain(true);
	draw_thing(100, 60);
	r = step(b, 0.1f);
	CHECK(set_in(100, 60) > 0.85 && r.foreground < 2400 * 1.2);
	sluice_background_close(b);
}

/* Grey walls do not say that a camera shows no colours: its coloured things do, and their shadows
 * end at their feet. */
static void shadow_ends_at_feet(uint32_t kind)
{
	static uint8_t cb[W * H / 4], cr[W * H / 4];
	const struct sluice_gray coloured = {
		.px = px, .cb = cb, .cr = cr, .w = W, .h = H, .scale = 2
	};
	struct sluice_background *b = sluice_background_open(kind, W, H);
	struct sluice_background_result r = { 0 };

	dice = 11;
	memset(cr, 128, sizeof(cr));
	for (int i = 0; i < 34; i++) {
		bool there = i >= 30;

		draw_plain(there);
		for (int c = 0; c < W * H / 4; c++) {
			int x = c % (W / 2) * 2, y = c / (W / 2) * 2;

			cb[c] = there && x >= 160 && x < 200 && y >= 60 && y < 120 ? 170 : 128;
		}
		if (there)
			draw_thing(160, 60); /* the shadow's left half is around its feet */
		sluice_background_frame(b, &coloured, 0.1f, hold, false, mask, &r);
	}
	CHECK(set_in(160, 60) > 0.85 && r.foreground < 2400 * 1.04);
	sluice_background_close(b);
}

/* A fire shows flames of two kinds, and the wall behind them, a third of the time each. */
static void fire_is_known(void)
{
	struct sluice_background *b = settled(SLUICE_BACKGROUND_MIXTURE, 10);

	for (int i = 0; i < 200; i++) {
		draw(0, 0, 0, 100);
		for (int y = 60; y < 120 && i / 2 % 3; y++)
			memset(px + y * W + 100, i / 2 % 3 == 1 ? 190 : 235, 40);
		step(b, 0.1f);
		if (i < 12 && i / 2 % 3)
			CHECK(set_in(100, 60) > 0.5);
		if (i > 150)
			CHECK(set_in(100, 60) < 0.1);
	}
	draw_thing(200, 60);
	step(b, 0.1f);
	CHECK(set_in(200, 60) > 0.85);
	sluice_background_close(b);
}

/* A street, and a sky that is too bright for the camera. A cloud's soft edge has come to x: left of
 * it there is less light, and more is seen of the sky. */
static void draw_sky(int edge)
{
	draw(0, 0, 0, 100);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double far = (x - edge) / 60.0;
			double light = far < 0 ? 0.65 : far < 1 ? 0.65 + 0.35 * far : 1;
			double sky = 256 + mix((uint32_t)x / 12, (uint32_t)y / 12) % 40;
			double value = light * (y < H / 3 ? sky : px[y * W + x]);

			px[y * W + x] = (uint8_t)(value > 255 ? 255 : value);
		}
}

static void cloud_is_nothing(uint32_t kind)
{
	/* the median needs more pictures to follow */
	uint32_t most = W * H / (kind == SLUICE_BACKGROUND_MEDIAN ? 8 : 50);
	struct sluice_background *b = sluice_background_open(kind, W, H);
	struct sluice_background_result r;

	dice = 7;
	for (int i = 0; i < 30; i++) {
		draw_sky(-1000);
		step(b, 0.4f);
	}
	for (int edge = -40; edge < W; edge += 20) {
		draw_sky(edge);
		draw_thing(200, 100);
		r = step(b, 0.2f);
		CHECK(r.change == SLUICE_CHANGE_NONE && set_in(200, 100) > 0.7);
		CHECK(r.foreground < 2400 + most);
	}
	sluice_background_close(b);
}

/* A camera whose picture has colours, and scales them with the light when it shuts its iris. */
static void colours_follow_light(uint32_t kind)
{
	static uint8_t cb[W * H / 4], cr[W * H / 4];
	const struct sluice_gray coloured = {
		.px = px, .cb = cb, .cr = cr, .w = W, .h = H, .scale = 2
	};
	struct sluice_background *b = sluice_background_open(kind, W, H);
	struct sluice_background_result r;

	dice = 9;
	for (int i = 0; i < 70; i++) {
		int light = i < 40 ? 100 : i < 43 ? 100 - 12 * (i - 39) : 64;

		draw(0, 0, 0, light);
		for (int c = 0; c < W * H / 4; c++) {
			int hue = (int)(mix((uint32_t)(c % (W / 2)) / 12,
					    (uint32_t)c / (W / 2) / 12) %
					80) -
				  40;

			cb[c] = (uint8_t)(128 + hue * light / 100);
			cr[c] = (uint8_t)(128 - hue * light / 100);
		}
		if (i >= 40)
			draw_thing(100, 60);
		sluice_background_frame(b, &coloured, 0.1f, hold, false, mask, &r);
		CHECK(r.change == SLUICE_CHANGE_NONE);
		if (i >= 40)
			CHECK(set_in(100, 60) > 0.7 && r.foreground < 2400 + W * H / 50);
	}
	sluice_background_close(b);
}

static enum sluice_background_change change_after(uint32_t kind, uint32_t scene, int dx, int dy)
{
	struct sluice_background *b = settled(kind, 10);
	enum sluice_background_change change = SLUICE_CHANGE_NONE;

	for (int i = 0; i < 5 && !change; i++) {
		draw(scene, dx, dy, 100);
		change = step(b, 0.1f).change;
	}
	sluice_background_close(b);
	return change;
}

int main(void)
{
	for (uint32_t kind = 1; kind <= SLUICE_BACKGROUND_KINDS; kind++) {
		printf("%s\n", sluice_background_name(kind));
		settles_and_shows(kind);
		time_counts_not_pictures(kind);
		held(kind);
		leaves_no_ghost(kind);
		light_is_nothing(kind);
		shadow_has_no_rim(kind);
		shadow_ends_at_feet(kind);
		cloud_is_nothing(kind);
		colours_follow_light(kind);
		CHECK(change_after(kind, 0, 24, 9) == SLUICE_CHANGE_CAMERA);
		CHECK(change_after(kind, 1, 0, 0) == SLUICE_CHANGE_SCENE);
	}
	fire_is_known();
	return check_result();
}
