// SPDX-License-Identifier: MIT
/*
 * usage: onnx_check PLUGIN CONFIG
 *
 * Runs a detector as the node does (it is its own child) on pictures with red and green squares,
 * which make_model.py's models know, and checks what it finds: class, place, what lies over
 * another, a picture that is wider than the model's. A configuration named *-bad.conf must be
 * refused: what the plug-in says is printed.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "cloud/detector.h"
#include "tests/unit/check.h"

#define W 128
#define H 64

static uint8_t pixels[H][W][3];

static void paint(int x, int y, int size, int red, int green)
{
	for (int j = y; j < y + size; j++)
		for (int i = x; i < x + size; i++) {
			pixels[j][i][0] = (uint8_t)red;
			pixels[j][i][1] = (uint8_t)green;
			pixels[j][i][2] = 0;
		}
}

static struct sluice_detector_answer a;

/* The only thing of this class lies around x, y. */
static void only(uint32_t picture, const char *class, float x, float y, float size, float score)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a.count[picture]; i++) {
		const struct sluice_detector_thing *t = &a.thing[picture][i];

		if (strcmp(t->class, class) != 0)
			continue;
		n++;
		printf("%s %.2f at %.1f,%.1f %.1fx%.1f\n", t->class, t->score, t->x, t->y, t->w,
		       t->h);
		CHECK(fabsf(t->x + t->w / 2 - x) < 0.6f && fabsf(t->y + t->h / 2 - y) < 0.6f);
		CHECK(fabsf(t->w - size) < 0.6f && fabsf(t->h - size) < 0.6f);
		CHECK(fabsf(t->score - score) < 0.02f);
	}
	CHECK(n == 1);
}

static void look(struct sluice_detector *d)
{
	struct sluice_detector_image image[3] = { { &pixels[0][0][0], 64, 64, 3 * W, 0 },
						  { &pixels[0][0][0], W, H, 3 * W, 0 },
						  { &pixels[0][64][0], 64, 64, 3 * W, 0 } };

	memset(pixels, 90, sizeof(pixels));
	paint(16, 24, 8, 255, 0);	/* one cell of the model */
	paint(48, 8, 8, 0, 128);	/* half as sure */
	paint(64 + 16, 32, 16, 255, 0); /* four cells of 64x64, one of 128x64 */
	CHECK(!sluice_detector_ask(d, image, 3, true, &a));
	CHECK(a.looked == 3);
	only(0, "red", 20, 28, 20, 1);
	only(0, "green", 52, 12, 20, 0.5f);
	CHECK(a.count[0] == 2);
	/* twice as wide: half the scale, and grey above and below */
	only(1, "red", 64 + 24, 40, 40, 1);
	/* four boxes, of which three lie over a surer one */
	only(2, "red", 20, 36, 20, 1);
	CHECK(a.count[2] == 1);
}

int main(int argc, char **argv)
{
	struct sluice_detector_config c = { .min_score = 0.3f,
					    .deadline_ms = 20000,
					    .memory = 2ull << 30 };
	struct sluice_detector_report r;
	struct sluice_detector *d;
	int bad;

	if (argc > 1 && !strcmp(argv[1], SLUICE_DETECTOR_WORD))
		return sluice_detector_host(argc - 1, argv + 1);
	if (argc != 3)
		return 2;
	c.plugin = argv[1];
	c.config = argv[2];
	bad = strstr(argv[2], "-bad.conf") != NULL;
	if (sluice_detector_try(&c, &r)) {
		printf("refused: %s\n", r.why);
		return !bad;
	}
	printf("%s: %u classes, %u pixels, loaded in %u ms\n", r.ready.name, r.ready.class_count,
	       r.ready.side, r.ready.load_ms);
	CHECK(!bad && r.ready.side == 64 && r.ready.class_count == 2);
	if (sluice_detector_open(&c, &d))
		return 1;
	for (int i = 0; i < 3000 && !sluice_detector_side(d); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	look(d);
	printf("%llu pictures in %llu ms\n", (unsigned long long)sluice_detector_counts.pictures,
	       (unsigned long long)sluice_detector_counts.busy_us / 1000);
	sluice_detector_close(d);
	return check_result();
}
