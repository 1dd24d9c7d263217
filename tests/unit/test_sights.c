// SPDX-License-Identifier: MIT
/*
 * test_sights.c - which pictures a detector is asked about, what they show, and how its answers
 * become the class of a track. The frames are grey with a red box where the track is; the detector
 * is a stand-in that looks for red.
 */
#include <math.h>
#include <string.h>

#include "cloud/detector.h"
#include "cloud/sights.h"
#include "tests/unit/check.h"
#include "tests/unit/jpeg_make.h"

static struct frame {
	uint8_t *jpeg;
	size_t size;
} frame;

static uint32_t width, height;

/* A grey frame with a red box. */
static void make_frame(uint32_t w, uint32_t h, struct sluice_box b)
{
	const struct jpeg_shape s = {
		.width = w, .height = h, .components = 3, .h = 2, .v = 2, .quality = 90
	};
	uint8_t *px = malloc((size_t)w * h * 3);

	width = w;
	height = h;
	for (uint32_t y = 0; y < h; y++)
		for (uint32_t x = 0; x < w; x++) {
			bool in = x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h;
			uint8_t *p = px + ((size_t)y * w + x) * 3;

			p[0] = in ? 76 : 120;
			p[1] = in ? 85 : 128;
			p[2] = in ? 255 : 128;
		}
	free(frame.jpeg);
	frame.jpeg = jpeg_from_pixels(&s, px, &frame.size);
	free(px);
}

/* ---- the stand-in ---- */

static struct {
	uint32_t side, asked, count, fetched;
	struct sluice_detector_image image[SLUICE_SIGHTS_MAX];
	const char *class[SLUICE_SIGHTS_MAX]; /* what it says of each picture; NULL: nothing */
	float score[SLUICE_SIGHTS_MAX];
	uint32_t looked; /* so many at most */
	int err;
	bool elsewhere; /* what it finds lies in a corner */
} d;

static uint32_t on_side(void *ctx)
{
	return d.side;
}

static bool is_red(const struct sluice_detector_image *i, uint32_t x, uint32_t y)
{
	const uint8_t *p = i->data + (size_t)y * i->stride + 3 * (size_t)x;

	return p[0] > 180 && p[1] < 90 && p[2] < 90;
}

/* The box of what is red. */
static bool find_red(const struct sluice_detector_image *i, struct sluice_detector_thing *t)
{
	uint32_t x0 = UINT32_MAX, y0 = UINT32_MAX, x1 = 0, y1 = 0;

	for (uint32_t y = 0; y < i->height; y++)
		for (uint32_t x = 0; x < i->width; x++) {
			if (!is_red(i, x, y))
				continue;
			x0 = x < x0 ? x : x0;
			y0 = y < y0 ? y : y0;
			x1 = x + 1 > x1 ? x + 1 : x1;
			y1 = y + 1 > y1 ? y + 1 : y1;
		}
	t->x = (float)x0;
	t->y = (float)y0;
	t->w = (float)x1 - (float)x0;
	t->h = (float)y1 - (float)y0;
	return x1 > 0;
}

static int on_look(void *ctx, const struct sluice_detector_image *image, uint32_t count,
		   struct sluice_detector_answer *a)
{
	d.asked++;
	d.count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct sluice_detector_thing *t = &a->thing[i][0];
		const char *class = d.class[i] ? d.class[i] : d.class[0];

		d.image[i] = image[i];
		CHECK(image[i].width <= d.side && image[i].height <= d.side);
		CHECK(find_red(&image[i], t));
		if (d.elsewhere)
			*t = (struct sluice_detector_thing){ .w = 4, .h = 4 };
		t->score = d.score[i];
		snprintf(t->class, sizeof(t->class), "%s", class);
		a->count[i] = d.score[i] > 0;
	}
	snprintf(a->name, sizeof(a->name), "double");
	a->looked = count < d.looked ? count : d.looked;
	return d.err;
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	uint8_t *copy = malloc(frame.size);

	CHECK(epoch == 3);
	d.fetched++;
	memcpy(copy, frame.jpeg, frame.size);
	*size = frame.size;
	return copy;
}

static const struct sluice_analysis_ops ops = { .fetch = on_fetch,
						.look_side = on_side,
						.look = on_look };

/* ---- the event ---- */

static struct sluice_event_log e;
static struct sluice_box path[SLUICE_EVENT_TRACKS][8];
static struct sluice_keyframe keys[4];
static struct sluice_summary_media media[4];

/* A track that stands at b (analysed at a quarter of the size) for so many seconds. */
static void add_track(struct sluice_box b, double seconds)
{
	struct sluice_track *t = &e.tracks[e.track_count];

	memset(t, 0, sizeof(*t));
	t->id = e.track_count + 1;
	t->path = path[e.track_count];
	t->seen_s = seconds;
	for (t->path_count = 0; t->path_count < 8; t->path_count++)
		t->path[t->path_count] = (struct sluice_box){ t->path_count * seconds / 7, b.x / 4,
							      b.y / 4, b.w / 4, b.h / 4 };
	t->best.t_s = t->path[1].t_s;
	t->best.sequence = 100 + e.track_count;
	e.track_count++;
}

static void begin(struct sluice_box b, uint32_t w, uint32_t h)
{
	memset(&e, 0, sizeof(e));
	memset(&d, 0, sizeof(d));
	d.side = 320;
	d.looked = SLUICE_SIGHTS_MAX;
	d.class[0] = "cat";
	for (uint32_t i = 0; i < SLUICE_SIGHTS_MAX; i++)
		d.score[i] = 0.75f;
	make_frame(w, h, b);
	add_track(b, 7);
	for (uint32_t i = 0; i < 4; i++) {
		keys[i] = (struct sluice_keyframe){ .sequence = 10 + i, .t_s = 1 + 2.0 * i };
		media[i].data = frame.jpeg;
		media[i].size = frame.size;
	}
}

static void classify(uint32_t key_count)
{
	const struct sluice_sights_config c = {
		.ops = &ops, .epoch = 3, .width = width, .height = height, .scale = 4
	};

	sluice_sights_classify(&e, keys, media, key_count, &c);
}

static bool seen_as(uint32_t track, const char *class, float score)
{
	const struct sluice_track *t = &e.tracks[track];

	return !strcmp(t->seen_as.class, class) && fabsf(t->seen_as.score - score) < 1e-6f &&
	       !strcmp(t->seen_as.by, class[0] ? "double" : "");
}

/* ---- cases ---- */

static const struct sluice_box middle = { 0, 300, 200, 40, 80 };

static void test_best(void)
{
	begin(middle, 640, 480);
	classify(0);
	CHECK(d.asked == 1 && d.count == 1 && d.fetched == 1);
	CHECK(d.image[0].width == 160 && d.image[0].height == 160); /* twice the longer side */
	CHECK(seen_as(0, "cat", 0.75f));
	begin(middle, 640, 480);
	keys[0].sequence = e.tracks[0].best.sequence; /* it is there already */
	keys[0].t_s = e.tracks[0].best.t_s;
	classify(1);
	CHECK(d.count == 1 && !d.fetched && seen_as(0, "cat", 0.75f));
}

static void test_nobody(void)
{
	begin(middle, 640, 480);
	d.side = 0;
	classify(4);
	CHECK(!d.asked && !d.fetched && seen_as(0, "", 0));
	begin(middle, 640, 480);
	d.err = -110;
	classify(4);
	CHECK(d.asked == 1 && seen_as(0, "", 0));
	begin(middle, 640, 480);
	d.looked = 0;
	classify(4);
	CHECK(seen_as(0, "", 0));
	begin(middle, 640, 480);
	d.elsewhere = true;
	classify(4);
	CHECK(d.asked == 1 && seen_as(0, "", 0));
	begin(middle, 640, 480);
	e.track_count = 0;
	classify(4);
	CHECK(!d.asked);
}

/* The best view and two more; the class with the most votes, at its best score. */
static void test_votes(void)
{
	begin(middle, 640, 480);
	d.class[0] = "car";
	d.class[1] = "dog";
	d.class[2] = "car";
	d.score[0] = 0.5f;
	d.score[1] = 0.9f;
	d.score[2] = 0.6f;
	classify(4);
	CHECK(d.count == 3 && seen_as(0, "car", 0.6f));
	begin(middle, 640, 480);
	d.class[1] = "dog";
	d.class[2] = "dog";
	d.looked = 1; /* there was time for one */
	classify(4);
	CHECK(seen_as(0, "cat", 0.75f));
	begin(middle, 640, 480);
	d.score[0] = 0; /* nothing in the first */
	d.class[1] = "dog";
	d.class[2] = "dog";
	classify(4);
	CHECK(seen_as(0, "dog", 0.75f));
}

/* At the border, larger than the detector likes, smaller than anything. */
static void test_places(void)
{
	static const struct {
		struct sluice_box box;
		uint32_t w, h, side, want_w, want_h;
	} cases[] = { { { 0, 0, 0, 40, 80 }, 640, 480, 320, 160, 160 },
		      { { 0, 600, 400, 40, 80 }, 640, 480, 320, 160, 160 },
		      { { 0, 100, 40, 200, 400 }, 640, 480, 320, 320, 240 },
		      { { 0, 200, 100, 400, 900 }, 1920, 1080, 320, 225, 135 },
		      { { 0, 800, 600, 16, 16 }, 1920, 1080, 640, 96, 96 },
		      { { 0, 20, 20, 60, 60 }, 100, 90, 320, 100, 90 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(cases[i].box, cases[i].w, cases[i].h);
		d.side = cases[i].side;
		classify(0);
		if (d.count != 1 || d.image[0].width != cases[i].want_w ||
		    d.image[0].height != cases[i].want_h)
			fprintf(stderr, "case %zu: %u pictures, %ux%u\n", i, d.count,
				d.image[0].width, d.image[0].height);
		CHECK(d.count == 1 && d.image[0].width == cases[i].want_w &&
		      d.image[0].height == cases[i].want_h);
		CHECK(seen_as(0, "cat", 0.75f));
	}
}

/* The eight longest in view, and no more than twelve pictures. */
static void test_many(void)
{
	begin(middle, 640, 480);
	e.track_count = 0;
	for (int i = 0; i < 12; i++)
		add_track(middle, 1 + (i * 5 % 12)); /* 1, 6, 11, 4, ... */
	classify(4);
	CHECK(d.count == SLUICE_SIGHTS_MAX && d.fetched == SLUICE_SIGHTS_TRACKS);
	for (uint32_t i = 0; i < 12; i++)
		CHECK(seen_as(i, e.tracks[i].seen_s > 4 ? "cat" : "",
			      e.tracks[i].seen_s > 4 ? 0.75f : 0));
}

/* A frame that does not decode, or is gone, is left out. */
static void test_damaged(void)
{
	begin(middle, 640, 480);
	frame.size /= 2;
	classify(0);
	CHECK(!d.asked && d.fetched == 1 && seen_as(0, "", 0));
}

int main(void)
{
	test_best();
	test_nobody();
	test_votes();
	test_places();
	test_many();
	test_damaged();
	free(frame.jpeg);
	return check_result();
}
