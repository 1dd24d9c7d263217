// SPDX-License-Identifier: MIT
/*
 * test_track.c - who is who after things have met: painted things in a small picture, real blobs,
 * real tracks. Without their looks, their speeds or the gate's cells each case has another end.
 */
#include <math.h>
#include <string.h>

#include "cloud/background.h"
#include "cloud/blobs.h"
#include "cloud/portrait.h"
#include "cloud/track.h"
#include "tests/unit/check.h"

#define W    320
#define H    240
#define CELL 4
#define GW   (W / CELL)
#define GH   (H / CELL)
#define STEP (1.0 / 6)

struct thing {
	float x, y;
	int w, h;
	uint8_t luma, cb, cr;
	bool calm; /* the gate sees no motion there */
};

static uint8_t px[W * H], cb[W * H / 4], cr[W * H / 4], mask[W * H], cells[(GW * GH + 7) / 8];
static struct sluice_gray gray = { .px = px, .cb = cb, .cr = cr, .w = W, .h = H, .scale = 2 };
static struct sluice_blobs *blobs;
static struct sluice_tracker *tracker;
static double now;
static uint32_t ended_count;

static void ended(void *ctx, struct sluice_track *t)
{
	ended_count++;
}

static void begin(void)
{
	if (tracker)
		sluice_tracker_flush(tracker, ended, NULL);
	sluice_tracker_close(tracker);
	tracker = sluice_tracker_open(W, H);
	CHECK(tracker != NULL);
	now = ended_count = 0;
}

static void paint(const struct thing *t)
{
	for (int y = (int)t->y; y < (int)t->y + t->h; y++)
		for (int x = (int)t->x; x < (int)t->x + t->w; x++) {
			if (x < 0 || y < 0 || x >= W || y >= H)
				continue;
			px[y * W + x] = (uint8_t)(t->luma + (y / 8 & 1) * 12);
			cb[y / 2 * (W / 2) + x / 2] = t->cb;
			cr[y / 2 * (W / 2) + x / 2] = t->cr;
			mask[y * W + x] = SLUICE_MASK_STRONG;
			if (!t->calm)
				cells[(y / CELL * GW + x / CELL) / 8] |= 1 << ((x / CELL) & 7);
		}
}

/* The next picture: later ones are in front. Returns how many blobs it has. */
static uint32_t show(const struct thing *t, uint32_t count)
{
	struct sluice_blob found[SLUICE_BLOBS_MAX];
	uint32_t n;

	memset(px, 90, sizeof(px));
	memset(cb, 128, sizeof(cb));
	memset(cr, 128, sizeof(cr));
	memset(mask, 0, sizeof(mask));
	memset(cells, 0, sizeof(cells));
	for (uint32_t i = 0; i < count; i++)
		paint(&t[i]);
	n = sluice_blobs_find(blobs, mask, NULL, &gray, 12, cells, GW, GH, found);
	now += STEP;
	sluice_tracker_frame(tracker, now, (uint64_t)(now / STEP), &gray, mask, found, n, ended,
			     NULL);
	return n;
}

/* The track whose box has the thing's middle now, 0: none, or more than one. */
static uint32_t who(const struct thing *t)
{
	uint32_t count, id = 0;
	const struct sluice_track *live = sluice_tracker_live(tracker, &count);
	float x = t->x + (float)t->w / 2, y = t->y + (float)t->h / 2;

	for (uint32_t i = 0; i < count; i++) {
		const struct sluice_box *b = &live[i].last;

		if (live[i].seen_s < now || x < b->x || x > b->x + b->w || y < b->y ||
		    y > b->y + b->h)
			continue;
		if (id)
			return 0;
		id = live[i].id;
	}
	return id;
}

#define RED  .luma = 60, .cb = 110, .cr = 180
#define BLUE .luma = 180, .cb = 170, .cr = 100

/* They meet, stand side by side for a second, and each goes back: only their looks tell. */
static void test_turn_back(void)
{
	struct thing t[2] = { { 40, 80, 24, 64, RED }, { 250, 84, 24, 64, BLUE } };
	uint32_t a = 0, b = 0, together = 0;

	begin();
	for (int i = 0; t[1].x - t[0].x > 24; i++) {
		t[0].x += 6;
		t[1].x -= 6;
		together += show(t, 2) == 1;
		if (i != 4)
			continue;
		a = who(&t[0]);
		b = who(&t[1]);
		CHECK(a && b && a != b);
	}
	for (int i = 0; i < 6; i++)
		together += show(t, 2) == 1;
	CHECK(together >= 6);
	CHECK(who(&t[0]) == a); /* and where each is in there */
	CHECK(who(&t[1]) == b);
	for (int i = 0; i < 8; i++) {
		t[0].x -= 6;
		t[1].x += 6;
		show(t, 2);
	}
	CHECK(who(&t[0]) == a);
	CHECK(who(&t[1]) == b);
}

/* One walks past behind the other, and both go on. */
static void test_pass(void)
{
	struct thing t[2] = { { 60, 80, 24, 64, RED }, { 240, 84, 24, 64, BLUE } };
	uint32_t a = 0, b = 0, together = 0;

	begin();
	for (int i = 0; i < 26; i++) {
		t[0].x += 6;
		t[1].x -= 6;
		together += show(t, 2) == 1;
		if (i == 5) {
			a = who(&t[0]);
			b = who(&t[1]);
			CHECK(a && b && a != b);
		}
	}
	CHECK(together >= 3);
	CHECK(t[0].x > t[1].x + 24);
	CHECK(who(&t[0]) == a);
	CHECK(who(&t[1]) == b);
}

/* Who stood there from the start leaves his place behind: the track goes with what moves, though
 * what stays has the larger share of it. */
static void test_leaves_its_place(void)
{
	struct thing t[2] = { { 150, 80, 64, 100, RED, .calm = true }, { 145, 80, 32, 100, RED } };
	uint32_t a = 0;

	begin();
	for (int i = 0; i < 12; i++) {
		t[1].x -= 4;
		show(t, 2);
		if (i == 4)
			a = who(&t[1]);
	}
	CHECK(a && t[1].x + 32 < 147);
	CHECK(who(&t[1]) == a);
}

static void test_portrait(void)
{
	const struct sluice_portrait_sitting s = { &gray, mask };
	const struct thing both[2] = { { 100, 60, 24, 64, RED }, { 124, 60, 24, 64, BLUE } };
	struct sluice_portrait p = { 0 };
	float x = 94, y = 60;

	CHECK(sluice_portrait_find(&p, &s, 8, 2, &x, &y, 24, 64) == SLUICE_PORTRAIT_APART);
	CHECK(x == 94 && y == 60);
	begin();
	show(both, 1);
	sluice_portrait_learn(&p, &s, 100, 60, 24, 64);
	CHECK(sluice_portrait_find(&p, &s, 8, 2, &x, &y, 24, 64) < 4);
	CHECK(fabsf(x - 100) < 3 && y == 60);
	/* beside one that looks different it is where it was */
	show(both, 2);
	x = 106;
	CHECK(sluice_portrait_find(&p, &s, 8, 2, &x, &y, 24, 64) < 8);
	CHECK(fabsf(x - 100) < 3);
	x = 124;
	CHECK(sluice_portrait_find(&p, &s, 4, 2, &x, &y, 24, 64) > 30);
	/* where there is nothing, and outside */
	x = 200;
	CHECK(sluice_portrait_find(&p, &s, 8, 2, &x, &y, 24, 64) == SLUICE_PORTRAIT_APART);
	x = -1e4f;
	y = 1e4f;
	CHECK(sluice_portrait_find(&p, &s, 8, 2, &x, &y, 24, 64) == SLUICE_PORTRAIT_APART);
	sluice_portrait_learn(&p, &s, -12, 220, 24, 64);
	/* a grey picture */
	gray.cb = gray.cr = NULL;
	x = 100;
	y = 60;
	CHECK(sluice_portrait_find(&p, &s, 2, 2, &x, &y, 24, 64) <= SLUICE_PORTRAIT_APART);
	gray.cb = cb;
	gray.cr = cr;
}

/* Boxes that no camera's picture can have, and more than there is room for. */
static void test_many(void)
{
	struct sluice_blob many[SLUICE_BLOBS_MAX];
	uint32_t count;

	begin();
	for (int round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < SLUICE_BLOBS_MAX; i++)
			many[i] = (struct sluice_blob){ .x = (float)random_below(W),
							.y = (float)random_below(H),
							.w = 1 + (float)random_below(W),
							.h = 1 + (float)random_below(H),
							.area = 20,
							.support = random_below(3),
							.busy = (float)random_below(3) / 2,
							.edges = 1 };
		now += STEP;
		sluice_tracker_frame(tracker, now, (uint64_t)round, &gray, mask, many,
				     1 + random_below(SLUICE_BLOBS_MAX), ended, NULL);
		for (uint32_t i = 0; i < (sluice_tracker_live(tracker, &count), count); i++) {
			const struct sluice_box *b = &sluice_tracker_live(tracker, &count)[i].last;

			CHECK(isfinite(b->x) && isfinite(b->y) && b->w > 0 && b->h > 0);
		}
	}
	CHECK(count > 0 && count <= SLUICE_TRACKS_MAX);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	blobs = sluice_blobs_open(W, H);
	CHECK(blobs != NULL);
	test_turn_back();
	test_pass();
	test_leaves_its_place();
	test_portrait();
	test_many();
	begin();
	sluice_tracker_close(tracker);
	sluice_blobs_close(blobs);
	return check_result();
}
