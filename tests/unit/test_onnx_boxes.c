// SPDX-License-Identifier: MIT
/*
 * test_onnx_boxes.c - the half of the ONNX plug-in that needs no ONNX Runtime: its configuration,
 * the picture that a model is given, and the boxes that come out of what it says.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "cloud/onnx/boxes.h"
#include "tests/unit/check.h"

static struct onnx_conf conf;
static char why[256], folder[4000];

static void write_names(const char *text)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/names", folder);
	f = fopen(path, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static int read_conf(const char *text)
{
	memset(why, 0, sizeof(why));
	return onnx_conf_read(&conf, text, folder, why, sizeof(why));
}

#define BEGIN "model = m.onnx\nclasses = names\n"

static void test_conf(void)
{
	static const struct {
		const char *line, *why;
	} bad[] = { { "colour = red", "there is no key 'colour'" },
		    { "layout", "is not 'key = value'" },
		    { "layout = detr", "layout = detr" },
		    { "size = 640", "size = 640" },
		    { "size = 16x640", "size" },
		    { "size = 64x64x3", "size" },
		    { "mean = 1, 2", "mean" },
		    { "std = 1, 0, 1", "std" },
		    { "std = nan, 1, 1", "std" },
		    { "outputs = a, b", "outputs" },
		    { "first_class = 2", "first_class" },
		    { "overlap = 101", "overlap" },
		    { "least = x", "least" },
		    { "threads = 0", "threads" },
		    { "name = a-name-of-thirty-two-characters!", "name" },
		    { "classes = nowhere", "No such file" } };
	char text[256];

	write_names("person\n\n  traffic light \ncar");
	CHECK(!read_conf(BEGIN
			 "# a note\n\n  name = mine \nlayout = ssd\nsize=320x240\nmean = 1, 2, 3\n"
			 "std = 4,5,6\norder = bgr\ncorners = xyxy\nunits = pixels\n"
			 "first_class = 1\noutputs = a, b , c\noverlap = 50\nleast = 25\n"
			 "threads = 4\n"));
	CHECK(!strcmp(conf.name, "mine") && conf.layout == ONNX_SSD && conf.width == 320 &&
	      conf.height == 240 && conf.mean[2] == 3 && conf.std[0] == 4 && conf.bgr &&
	      conf.xyxy && conf.pixels && conf.first_class == 1 && conf.overlap == 0.5f &&
	      conf.least == 0.25f && conf.threads == 4);
	CHECK(!strcmp(conf.output[0], "a") && !strcmp(conf.output[1], "b") &&
	      !strcmp(conf.output[2], "c"));
	CHECK(conf.class_count == 3 && !strcmp(conf.classes[1], "traffic light") &&
	      !strcmp(conf.classes[2], "car"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), BEGIN "%s\n", bad[i].line);
		if (!read_conf(text) || !strstr(why, bad[i].why) || !strstr(why, "line 3")) {
			fprintf(stderr, "%s: %s\n", bad[i].line, why);
			CHECK(!"it says what is wrong, and where");
		}
	}
	CHECK(read_conf("") && strstr(why, "model = FILE"));
	CHECK(read_conf("model = m.onnx") && strstr(why, "classes = FILE"));
	write_names("");
	CHECK(read_conf(BEGIN));
	write_names("red\ngreen\n");
	CHECK(!read_conf(BEGIN));
}

/* ---- pictures ---- */

static void test_letterbox(void)
{
	static uint8_t rgb[2][4][3] = {
		{ { 255, 0, 0 }, { 255, 0, 0 }, { 0, 0, 255 }, { 0, 0, 255 } },
		{ { 255, 0, 0 }, { 255, 0, 0 }, { 0, 0, 255 }, { 0, 0, 255 } }
	};
	const struct sluice_detector_image wide = { &rgb[0][0][0], 4, 2, 12, 0 };
	const struct sluice_detector_image tall = { &rgb[0][2][0], 1, 2, 12, 0 };
	struct onnx_frame f = { .width = 8, .height = 8 };
	float planes[3][8][8];
	uint8_t bytes[8][8][3];

	onnx_letterbox(&wide, &conf, true, false, planes, &f);
	CHECK(f.scale == 2 && f.x == 0 && f.y == 2);
	CHECK(fabsf(planes[0][0][0] - 114 / 255.0f) < 1e-6f && planes[0][1][0] == planes[0][0][0]);
	CHECK(planes[0][2][0] == 1 && planes[2][2][0] == 0 && planes[1][5][7] == 0);
	CHECK(planes[2][5][7] == 1 && planes[0][5][7] == 0);
	CHECK(planes[0][3][3] == 0.75f && planes[0][3][4] == 0.25f); /* between two pixels */
	CHECK(planes[2][6][7] == planes[0][0][0]);
	conf.bgr = true;
	onnx_letterbox(&wide, &conf, false, true, bytes, &f);
	CHECK(bytes[2][0][2] == 255 && bytes[2][0][0] == 0 && bytes[0][0][1] == 114);
	conf.bgr = false;
	onnx_letterbox(&tall, &conf, false, true, bytes, &f);
	CHECK(f.scale == 4 && f.x == 2 && f.y == 0);
	CHECK(bytes[0][1][0] == 114 && bytes[0][2][2] == 255 && bytes[7][5][2] == 255 &&
	      bytes[7][6][0] == 114);
	conf.mean[0] = 100;
	conf.std[0] = 10;
	onnx_letterbox(&wide, &conf, true, false, planes, &f);
	CHECK(planes[0][2][0] == 15.5f);
	conf.mean[0] = 0;
	conf.std[0] = 255;
}

/* ---- boxes ---- */

static struct sluice_detector_box room[8];
static struct sluice_detector_result result;
/* the picture is 200x100, the model's 64x64 */
static const struct onnx_frame frame = { 0.32f, 0, 16, 64, 64 };

static bool is_box(uint32_t i, float x, float y, float w, float h, float score, uint32_t class)
{
	const struct sluice_detector_box *b = &room[i];

	return fabsf(b->x - x) < 0.01f && fabsf(b->y - y) < 0.01f && fabsf(b->w - w) < 0.01f &&
	       fabsf(b->h - h) < 0.01f && fabsf(b->score - score) < 1e-6f && b->class == class;
}

static int yolo(const float *data, uint32_t rows, uint32_t columns, uint32_t capacity)
{
	const struct onnx_tensor t = { data, rows, columns };

	result = (struct sluice_detector_result){ room, capacity, 0 };
	return onnx_boxes_yolo(&t, &conf, &frame, &result, why, sizeof(why));
}

static void test_yolo(void)
{
	/* five boxes: sure, over it, over it of the other class, apart, below the least */
	static const float rows[6][5] = {
		{ 32, 33, 32, 10, 50 },		{ 32, 32, 32, 24, 40 },
		{ 16, 16, 16, 8, 8 },		{ 8, 8, 8, 4, 4 },
		{ 0.9f, 0.8f, 0.1f, 0, 0.05f }, { 0.1f, 0, 0.6f, 0.5f, 0.09f }
	};
	float turned[5][6], odd[6][2];

	CHECK(!yolo(&rows[0][0], 6, 5, 8) && result.count == 3);
	CHECK(is_box(0, 75, 37.5f, 50, 25, 0.9f, 0));
	CHECK(is_box(1, 75, 37.5f, 50, 25, 0.6f, 1));
	CHECK(is_box(2, 18.75f, 18.75f, 25, 12.5f, 0.5f, 1));
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 6; k++)
			turned[i][k] = rows[k][i];
	CHECK(!yolo(&turned[0][0], 5, 6, 8) && result.count == 3 &&
	      is_box(0, 75, 37.5f, 50, 25, 0.9f, 0) &&
	      is_box(2, 18.75f, 18.75f, 25, 12.5f, 0.5f, 1));
	CHECK(!yolo(&rows[0][0], 6, 5, 2) && result.count == 2 && room[1].score == 0.6f);
	conf.overlap = 0.95f;
	CHECK(!yolo(&rows[0][0], 6, 5, 8) && result.count == 4 && room[1].score == 0.8f);
	conf.overlap = 0.45f;
	CHECK(yolo(&rows[0][0], 7, 5, 8) == -EINVAL && strstr(why, "[1, 6, N]"));
	/* what is not a number, or has no size, is nobody's */
	for (int i = 0; i < 6; i++)
		odd[i][0] = odd[i][1] = 10;
	odd[4][0] = odd[4][1] = 2; /* above 1: as sure as can be */
	odd[0][0] = NAN;
	odd[2][1] = -4;
	CHECK(!yolo(&odd[0][0], 6, 2, 8) && !result.count);
	odd[0][0] = INFINITY;
	odd[2][1] = 4;
	CHECK(!yolo(&odd[0][0], 6, 2, 8) && result.count == 1 && room[0].score == 1);
	odd[4][1] = odd[5][1] = NAN;
	CHECK(!yolo(&odd[0][0], 6, 2, 8) && !result.count);
}

/* More than there is room for: the surest come out, in order. */
static void test_many(void)
{
	enum { N = 2000 };
	static float rows[6][N];

	for (int i = 0; i < N; i++) {
		rows[0][i] = (float)(i % 8) * 8 + 4;
		rows[1][i] = (float)(i / 8 % 8) * 8 + 4;
		rows[2][i] = rows[3][i] = 4;
		rows[4][i] = 0.2f + (float)(i * 7919 % N) / (2 * N);
		rows[5][i] = 0;
	}
	CHECK(!yolo(&rows[0][0], 6, N, 8) && result.count == 8);
	for (int i = 1; i < 8; i++)
		CHECK(room[i].score <= room[i - 1].score);
	CHECK(room[0].score > 0.699f);
}

static int ssd(const float boxes[4][4], const float *scores, const float *classes, uint32_t n)
{
	const struct onnx_tensor b = { &boxes[0][0], 4, 4 }, s = { scores, 1, n },
				 c = { classes, 1, 4 };

	result = (struct sluice_detector_result){ room, 8, 0 };
	return onnx_boxes_ssd(&b, &s, &c, &conf, &frame, &result, why, sizeof(why));
}

static void test_ssd(void)
{
	static const float shares[4][4] = { { 0.375f, 0.25f, 0.625f, 0.75f },
					    { 0.375f, 0.25f, 0.625f, 0.75f },
					    { 0.25f, 0, 0.5f, 0.125f },
					    { 0, 0, 1, 1 } };
	static const float pixels[4][4] = { { 16, 24, 48, 40 }, { 0, 0, 0, 0 }, { 0, 16, 8, 32 } };
	static const float scores[4] = { 0.9f, 0.7f, 0.5f, 0.05f }, ones[4] = { 1, 1, 2, 1 };
	static const float zeros[4] = { 0, 2, 1, NAN };

	conf.first_class = 1;
	CHECK(!ssd(shares, scores, ones, 4) && result.count == 2);
	CHECK(is_box(0, 50, 25, 100, 50, 0.9f, 0) && is_box(1, 0, 0, 25, 50, 0.5f, 1));
	CHECK(ssd(shares, scores, ones, 3) == -EINVAL && strstr(why, "layout = ssd"));
	conf.first_class = 0;
	conf.pixels = conf.xyxy = true;
	CHECK(!ssd(pixels, scores, zeros, 4) && result.count == 2); /* class 2 has no name */
	CHECK(is_box(0, 50, 25, 100, 50, 0.9f, 0) && is_box(1, 0, 0, 25, 50, 0.5f, 1));
	conf.pixels = conf.xyxy = false;
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TEST_TMP");

	snprintf(folder, sizeof(folder), "%s", tmp ? tmp : "/tmp");
	test_conf();
	test_letterbox();
	test_yolo();
	test_many();
	test_ssd();
	return check_result();
}
