// SPDX-License-Identifier: MIT
/* What is said of a track: zones, lines, sides, and whether it was anything at all. */
#include <stdlib.h>
#include <string.h>

#include "cloud/track_facts.h"
#include "tests/unit/check.h"

#define W 320
#define H 240

static struct sluice_box path[200];

/* count boxes of w x h, five a second, the first one's middle of the foot at x, y, each one further
 * by dx, dy; the gate has seen all of them. */
static struct sluice_track walk(float x, float y, float dx, float dy, float w, float h,
				uint32_t count)
{
	struct sluice_track t = { .id = 1, .confirmed = true, .moved = true, .path = path };

	for (uint32_t i = 0; i < count; i++)
		path[i] = (struct sluice_box){ i / 5.0, x + dx * (float)i - w / 2,
					       y + dy * (float)i - h, w, h };
	t.path_count = t.hits = t.backed = t.backed_hits = count;
	t.last = path[count - 1];
	t.seen_s = t.backed_s = t.last.t_s;
	return t;
}

static void zones_and_lines(void)
{
	struct sluice_analysis_config c = {
		.zone_count = 2,
		.zones = { { .name = "door",
			     .count = 4,
			     .point = { { 4000, 5000 },
					{ 6000, 5000 },
					{ 6000, 10000 },
					{ 4000, 10000 } } },
			   { .name = "roof",
			     .count = 3,
			     .point = { { 0, 0 }, { 10000, 0 }, { 5000, 2000 } } } },
		.line_count = 2,
		.lines = { { .name = "gate", .a = { 5000, 0 }, .b = { 5000, 10000 } },
			   { .name = "far", .a = { 5000, 0 }, .b = { 5000, 2000 } } },
	};
	struct sluice_track t = walk(10, 200, 6, 0, 20, 60, 50);
	struct sluice_track_facts f;

	sluice_track_facts(&t, W, H, &c, NULL, &f);
	CHECK(f.zones == 1);
	/* 64 pixels at 30 pixels a second */
	CHECK(f.zone_s[0] > 1.9 && f.zone_s[0] < 2.4 && f.zone_s[1] == 0);
	CHECK(f.crossing_count == 1 && f.crossing[0].line == 0);
	CHECK(f.crossing[0].t_s > 4.8 && f.crossing[0].t_s < 5.4);
	CHECK(f.enter == SLUICE_SIDE_LEFT && f.leave == SLUICE_SIDE_RIGHT);
	CHECK(f.speed > 28 && f.speed < 32);
	/* back again: the other way over the line */
	t = walk(310, 200, -6, 0, 20, 60, 50);
	CHECK(f.crossing[0].forward == false);
	sluice_track_facts(&t, W, H, &c, NULL, &f);
	CHECK(f.crossing_count == 1 && f.crossing[0].forward);
	CHECK(f.enter == SLUICE_SIDE_RIGHT && f.leave == SLUICE_SIDE_LEFT);
}

static void real_and_not(void)
{
	struct sluice_track t = walk(10, 200, 6, 0, 20, 60, 50);

	CHECK(sluice_track_real(&t, W, H));
	t.backed = t.backed_hits = 1; /* the gate saw nothing there */
	CHECK(!sluice_track_real(&t, W, H));
	t = walk(10, 200, 6, 0, 20, 60, 50);
	t.confirmed = false;
	CHECK(!sluice_track_real(&t, W, H));
	/* across a part of the picture, from nowhere to nowhere */
	t = walk(100, 200, 4, 0, 20, 40, 30);
	CHECK(sluice_track_real(&t, W, H));
	/* a short way, but seen all of the time; a flame here and a flame there is not */
	t = walk(100, 200, 6, 0, 20, 20, 7);
	CHECK(sluice_track_real(&t, W, H));
	t.unseen_s = 1;
	CHECK(!sluice_track_real(&t, W, H));
	/* towards the camera: in from the edge, and hardly farther than its own size */
	t = walk(160, 239, 0, -2, 60, 120, 30);
	CHECK(sluice_track_real(&t, W, H));
}

/* Where the light changes, only what goes far in small steps is a thing. */
static void light(void)
{
	struct sluice_track t = walk(10, 200, 6, 0, 20, 60, 50);

	t.light_hits = 45; /* all of its way, before a camera that shakes */
	CHECK(sluice_track_real(&t, W, H));
	t = walk(10, 200, 60, 0, 8, 10, 5); /* specks at the rim of a lamp's light */
	t.light_hits = 5;
	CHECK(!sluice_track_real(&t, W, H));
	t.light_hits = 0;
	CHECK(sluice_track_real(&t, W, H));
	t = walk(100, 200, 4, 0, 20, 60, 25);
	t.light_hits = 25;
	CHECK(!sluice_track_real(&t, W, H));
}

/* The edge of a cloud: the gate sees it come, and the model takes it in from one side. */
static void cloud(void)
{
	struct sluice_track t = walk(40, 120, 5, 0, 120, 100, 25);

	CHECK(sluice_track_real(&t, W, H));
	t.backed = t.backed_hits = 3;
	t.backed_s = path[2].t_s;
	CHECK(!sluice_track_real(&t, W, H));
	/* from side to side, and hardly seen by the gate */
	t = walk(40, 239, 7, 0, 80, 235, 25);
	t.backed = 7;
	CHECK(!sluice_track_real(&t, W, H));
	t.backed = 20; /* a lorry */
	CHECK(sluice_track_real(&t, W, H));
}

/* A flame is now here, now there. */
static void flicker(void)
{
	struct sluice_track t = walk(100, 200, 0, 0, 12, 16, 60);

	for (uint32_t i = 0; i < 60; i++) {
		path[i].x += (float)(i * 37 % 23);
		path[i].y += (float)(i * 53 % 31);
	}
	CHECK(!sluice_track_real(&t, W, H));
	/* ... and jumps to another fire */
	for (uint32_t i = 30; i < 60; i++)
		path[i].x += 60;
	t.backed = 12;
	CHECK(!sluice_track_real(&t, W, H));
}

/* A track that begins at a flame, goes on with who walks past, and ends at the flame. */
static void walks_between_fires(void)
{
	struct sluice_track t = walk(60, 200, 6, 0, 24, 58, 66);

	for (uint32_t i = 0; i < 66; i++) {
		if (i >= 20 && i < 46)
			continue;
		path[i] = (struct sluice_box){ path[i].t_s, 100 + (float)(i * 37 % 43),
					       150 + (float)(i * 53 % 31), 14, 18 };
	}
	t.backed = 30;
	CHECK(sluice_track_real(&t, W, H));
	t.backed = 7; /* the gate has hardly seen it */
	CHECK(!sluice_track_real(&t, W, H));
	t.backed = 30;
	for (uint32_t i = 20; i < 46; i++)
		path[i].x = 100 + (float)(i * 37 % 43);
	CHECK(!sluice_track_real(&t, W, H));
}

static void lively(void)
{
	struct sluice_track t = walk(160, 200, 0, 0, 40, 100, 20);

	CHECK(!sluice_track_real(&t, W, H) && sluice_track_lively(&t, W, H));
	/* what stands afterwards does not count against it */
	t.hits = 100;
	CHECK(sluice_track_lively(&t, W, H));
	t.backed = 10;
	CHECK(!sluice_track_lively(&t, W, H));
	t = walk(160, 200, 0, 0, 10, 20, 20);
	CHECK(!sluice_track_lively(&t, W, H));
}

/* A detector's word goes before the guess; rules are told what it means among the guessed ones. */
static void seen_as(void)
{
	static const struct {
		const char *word, *kind;
	} cases[] = { { "person", "person-like" }, { "truck", "vehicle-like" },
		      { "dog", "animal-like" },	   { "suitcase", "person-like" },
		      { "Person", "person-like" }, { "", "person-like" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_track t = walk(10, 200, 6, 0, 20, 60, 50);
		struct sluice_track_facts f;

		snprintf(t.seen_as.class, sizeof(t.seen_as.class), "%s", cases[i].word);
		snprintf(t.seen_as.by, sizeof(t.seen_as.by), "eyes");
		t.seen_as.score = 0.9f;
		sluice_track_facts(&t, W, H, NULL, NULL, &f);
		CHECK(!strcmp(f.kind, cases[i].kind));
		if (cases[i].word[0])
			CHECK(!strcmp(f.class, cases[i].word) && f.by && !strcmp(f.by, "eyes") &&
			      f.confidence == 0.9f);
		else
			CHECK(!strcmp(f.class, "person-like") && !f.by && f.confidence < 0.9f);
	}
}

int main(void)
{
	seen_as();
	zones_and_lines();
	real_and_not();
	light();
	cloud();
	flicker();
	walks_between_fires();
	lively();
	return check_result();
}
