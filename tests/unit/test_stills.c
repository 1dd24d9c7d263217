// SPDX-License-Identifier: MIT
/*
 * test_stills.c - what was left and what was removed: each side of every bound. Tracker and
 * background are stand-ins, so that a case says exactly who was where and what the edges are.
 */
#include <string.h>

#include "cloud/stills.h"
#include "tests/unit/check.h"

/* ---- the stand-ins ---- */

static struct sluice_track live[4];
static struct sluice_box path[4][8];
static uint32_t live_count;
static float edges;
static uint32_t asked, absorbed;
static uint32_t absorbed_at[4];

struct sluice_track *sluice_tracker_live(struct sluice_tracker *t, uint32_t *count)
{
	*count = live_count;
	return live;
}

float sluice_background_edges(const struct sluice_background *b, const struct sluice_gray *g,
			      const uint8_t *mask, uint32_t x0, uint32_t y0, uint32_t x1,
			      uint32_t y1)
{
	asked++;
	return edges;
}

void sluice_background_absorb(struct sluice_background *b, const struct sluice_gray *g, uint32_t x0,
			      uint32_t y0, uint32_t x1, uint32_t y1)
{
	absorbed++;
	absorbed_at[0] = x0;
	absorbed_at[1] = y0;
	absorbed_at[2] = x1;
	absorbed_at[3] = y1;
}

/* ---- the scene ---- */

static struct sluice_stills s;
static struct sluice_object out[SLUICE_STILLS_MAX];

/* Somebody who has walked over x, y and stands at ax, ay now. */
static void walker(float x, float y, float ax, float ay)
{
	struct sluice_track *t = &live[live_count];

	memset(t, 0, sizeof(*t));
	t->confirmed = t->moved = true;
	t->way = 3;
	t->path = path[live_count];
	t->path_count = 2;
	t->path[0] = (struct sluice_box){ 0, x, y, 20, 40 };
	t->path[1] = t->last = (struct sluice_box){ 1, ax, ay, 20, 40 };
	live_count++;
}

static void begin(float e)
{
	memset(&s, 0, sizeof(s));
	live_count = 0;
	edges = e;
	asked = absorbed = 0;
	walker(100, 60, 250, 60);
}

/* One blob of 20x20 at x, y in the picture at t_s; how many objects are new. */
static uint32_t show(double t_s, float x, float y)
{
	const struct sluice_blob b = { .x = x, .y = y, .w = 20, .h = 20 };

	return sluice_stills_frame(&s, t_s, &b, 1, NULL, NULL, NULL, NULL, out);
}

static uint32_t show_none(double t_s)
{
	return sluice_stills_frame(&s, t_s, NULL, 0, NULL, NULL, NULL, NULL, out);
}

/* ---- cases ---- */

static void test_left(void)
{
	begin(2);
	CHECK(!show(5, 100, 80) && !asked);
	CHECK(!show(5.89, 100, 80) && !asked); /* not long enough */
	CHECK(show(5.9, 100, 80) == 1 && asked == 1);
	CHECK(out[0].kind == SLUICE_OBJECT_LEFT && out[0].box.t_s == 5 && out[0].box.x == 100 &&
	      out[0].box.y == 80 && out[0].box.w == 20 && out[0].box.h == 20);
	CHECK(!absorbed); /* a thing stays in the picture */
	for (int i = 0; i < 50; i++)
		CHECK(!show(6 + i * 0.1, 100, 80)); /* told once */
}

static void test_removed(void)
{
	begin(0.5f);
	CHECK(!show(2, 100, 80));
	CHECK(show(3, 100, 80) == 1);
	CHECK(out[0].kind == SLUICE_OBJECT_REMOVED && out[0].box.t_s == 2);
	CHECK(absorbed == 1 && absorbed_at[0] == 100 && absorbed_at[1] == 80 &&
	      absorbed_at[2] == 120 && absorbed_at[3] == 100); /* it leaves no ghost */
}

/* What moves in its place (a flame) or looks otherwise each time is not still. */
static void test_restless(void)
{
	struct sluice_blob b = { .x = 100, .y = 80, .w = 20, .h = 20, .busy = 0.11f };
	int i;

	begin(2);
	for (i = 0; i < 20; i++)
		CHECK(!sluice_stills_frame(&s, 2 + i * 0.2, &b, 1, NULL, NULL, NULL, NULL, out));
	b.busy = 0.1f;
	for (i = 0; i < 20; i++) {
		b.look[4] = i & 1 ? 100 : 108.5f;
		CHECK(!sluice_stills_frame(&s, 6 + i * 0.2, &b, 1, NULL, NULL, NULL, NULL, out));
	}
	for (i = 0; i < 4; i++) { /* and now it is: since when it was last seen otherwise */
		b.look[4] = i & 1 ? 101 : 107;
		CHECK(!sluice_stills_frame(&s, 10 + i * 0.2, &b, 1, NULL, NULL, NULL, NULL, out));
	}
	CHECK(sluice_stills_frame(&s, 10.9, &b, 1, NULL, NULL, NULL, NULL, out) == 1);
	CHECK(out[0].box.t_s > 9 && out[0].box.t_s <= 10);
}

/* Edges of 0.8 and below are a hole, of 1.25 and above a thing; between them it is asked again. */
static void test_edges(void)
{
	static const struct {
		float edges;
		int found; /* -1: not yet */
	} cases[] = { { 0, SLUICE_OBJECT_REMOVED },
		      { 0.8f, SLUICE_OBJECT_REMOVED },
		      { 0.81f, -1 },
		      { 1, -1 },
		      { 1.24f, -1 },
		      { 1.25f, SLUICE_OBJECT_LEFT },
		      { 100, SLUICE_OBJECT_LEFT } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t n;

		begin(cases[i].edges);
		show(1, 100, 80);
		n = show(2, 100, 80);
		CHECK(n == (cases[i].found >= 0));
		if (n)
			CHECK((int)out[0].kind == cases[i].found);
		CHECK(absorbed == (cases[i].found == SLUICE_OBJECT_REMOVED));
		edges = 3;
		CHECK(show(2.1, 100, 80) == (cases[i].found < 0)); /* now it is clear */
	}
}

/* What a track covers is the track, as long as that moved; what nobody was at is no object. */
static void test_people(void)
{
	begin(2);
	walker(10, 10, 100, 80);
	live[1].last = (struct sluice_box){ 1, 100, 80, 20, 20 };
	CHECK(!show(1, 100, 80) && !show(3, 100, 80) && !asked && !s.count);
	live[1].confirmed = false; /* nobody yet */
	CHECK(!show(4, 100, 80) && show(5, 100, 80) == 1);

	begin(2);
	walker(10, 10, 100, 80);
	live[1].last = (struct sluice_box){ 1, 100, 80, 20, 60 }; /* overlap 1/3 */
	CHECK(!show(1, 100, 80) && !s.count);
	live[1].last.h = 70; /* 2/7: not his */
	CHECK(!show(1, 100, 80) && s.count == 1);
	live[1].last.h = 60;
	live[1].moved = false;
	CHECK(!show(1.1, 100, 80) && show(2, 100, 80) == 1);

	begin(0.5f); /* far from every path: a ghost that goes, and nobody's doing */
	CHECK(!show(1, 10, 10) && !show(2, 10, 10) && absorbed == 1);
	CHECK(!show(3, 10, 10) && absorbed == 1);
	begin(2);
	live[0].way = 0.7f; /* has not really come from anywhere */
	CHECK(!show(1, 100, 80) && !show(2, 100, 80) && asked == 1);
	begin(2);
	live[0].way = 0.71f;
	CHECK(!show(1, 100, 80) && show(2, 100, 80) == 1);
}

/* It keeps its place, or it is another; not seen for 1.5 s it is forgotten. */
static void test_place(void)
{
	begin(2);
	show(1, 100, 80);
	CHECK(show(2, 104, 80) == 1); /* overlap 2/3 with where it was first */
	begin(2);
	show(1, 100, 80);
	CHECK(!show(2, 105, 80) && s.count == 2); /* exactly 0.6 */
	begin(2);
	for (int i = 0; i < 40; i++)
		CHECK(!show(1 + i * 0.1, 100 + 3.0f * (float)i, 80)); /* it moves */
	begin(2);
	show(1, 100, 80);
	CHECK(!show_none(2.5) && s.count == 1);
	CHECK(show(2.5, 100, 80) == 1); /* it was only hidden */
	begin(2);
	show(1, 100, 80);
	CHECK(!show_none(2.51) && !s.count);
	CHECK(!show(2.6, 100, 80) && !show(3.4, 100, 80)); /* begins anew */
	CHECK(show(3.51, 100, 80) == 1 && out[0].box.t_s == 2.6);
}

/* There is room for so many; the rest is looked at when there is room again. */
static void test_room(void)
{
	struct sluice_blob b[SLUICE_STILLS_MAX + 4];
	uint32_t n = sizeof(b) / sizeof(b[0]);

	begin(2);
	memset(b, 0, sizeof(b));
	for (uint32_t i = 0; i < n; i++) {
		b[i] = (struct sluice_blob){ .x = 30.0f * (float)i, .y = 80, .w = 20, .h = 20 };
		if (i < 8)
			path[0][i] = (struct sluice_box){ 0, b[i].x, 80, 20, 20 };
	}
	live[0].path_count = 8;
	CHECK(!sluice_stills_frame(&s, 1, b, n, NULL, NULL, NULL, NULL, out));
	CHECK(s.count == SLUICE_STILLS_MAX);
	CHECK(sluice_stills_frame(&s, 2, b, n, NULL, NULL, NULL, NULL, out) == 8);
	CHECK(s.count == SLUICE_STILLS_MAX && asked == SLUICE_STILLS_MAX);
	/* only the last four are seen any more: they come in when the others are forgotten */
	sluice_stills_frame(&s, 4, b + SLUICE_STILLS_MAX, 4, NULL, NULL, NULL, NULL, out);
	CHECK(!s.count);
	path[0][0].x = b[n - 1].x;
	sluice_stills_frame(&s, 4.1, b + SLUICE_STILLS_MAX, 4, NULL, NULL, NULL, NULL, out);
	CHECK(s.count == 4);
	CHECK(sluice_stills_frame(&s, 5, b + SLUICE_STILLS_MAX, 4, NULL, NULL, NULL, NULL, out) ==
	      1);
	CHECK(out[0].box.x == b[n - 1].x);
}

int main(void)
{
	test_left();
	test_removed();
	test_restless();
	test_edges();
	test_people();
	test_place();
	test_room();
	return check_result();
}
