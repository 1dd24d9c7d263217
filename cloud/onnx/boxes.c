// SPDX-License-Identifier: MIT
/*
 * boxes.c - see boxes.h. Of all that a model says only the CANDIDATES surest are kept, in order;
 * then each that overlaps a surer one of its class too much goes (greedy non-maximum suppression).
 * What is not a number is passed over.
 */
#include "cloud/onnx/boxes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CANDIDATES 512
#define GREY	   114 /* around the picture, as models are taught */

/* ---- the picture ---- */

static float sample(const struct sluice_detector_image *i, float x, float y, int part)
{
	uint32_t x0 = (uint32_t)x, y0 = (uint32_t)y;
	uint32_t x1 = x0 + 1 < i->width ? x0 + 1 : x0, y1 = y0 + 1 < i->height ? y0 + 1 : y0;
	const uint8_t *a = i->data + (size_t)y0 * i->stride + part;
	const uint8_t *b = i->data + (size_t)y1 * i->stride + part;
	float fx = x - (float)x0, fy = y - (float)y0;
	float top = (float)a[3 * (size_t)x0] * (1 - fx) + (float)a[3 * (size_t)x1] * fx;
	float low = (float)b[3 * (size_t)x0] * (1 - fx) + (float)b[3 * (size_t)x1] * fx;

	return top * (1 - fy) + low * fy;
}

/* Where the middle of a pixel of the model's picture lies in the picture; < 0: outside. */
static float back(uint32_t at, float corner, float scale, uint32_t size)
{
	float v = ((float)at + 0.5f - corner) / scale - 0.5f;

	if (v < -0.5f || v > (float)size - 0.5f)
		return -1;
	return fminf(fmaxf(v, 0), (float)size - 1);
}

void onnx_letterbox(const struct sluice_detector_image *image, const struct onnx_conf *c,
		    bool planes, bool bytes, void *out, struct onnx_frame *f)
{
	float *floats = out;
	uint8_t *octets = out;
	size_t plane = (size_t)f->width * f->height;

	f->scale = fminf((float)f->width / (float)image->width,
			 (float)f->height / (float)image->height);
	f->x = ((float)f->width - (float)image->width * f->scale) / 2;
	f->y = ((float)f->height - (float)image->height * f->scale) / 2;
	for (uint32_t y = 0; y < f->height; y++)
		for (uint32_t x = 0; x < f->width; x++) {
			float sx = back(x, f->x, f->scale, image->width);
			float sy = back(y, f->y, f->scale, image->height);
			size_t pixel = (size_t)y * f->width + x;

			for (int k = 0; k < 3; k++) {
				int part = c->bgr ? 2 - k : k;
				size_t to =
					planes ? (size_t)k * plane + pixel : 3 * pixel + (size_t)k;
				float v = sx < 0 || sy < 0 ? GREY : sample(image, sx, sy, part);

				if (bytes)
					octets[to] = (uint8_t)lrintf(v);
				else
					floats[to] = (v - c->mean[part]) / c->std[part];
			}
		}
}

/* ---- the boxes ---- */

struct candidates {
	uint32_t count;
	struct sluice_detector_box box[CANDIDATES];
};

/* Keeps order: the surest first. */
static void add(struct candidates *k, const struct sluice_detector_box *b)
{
	uint32_t at = k->count;

	if (at == CANDIDATES) {
		if (k->box[at - 1].score >= b->score)
			return;
		at--;
	} else {
		k->count++;
	}
	for (; at && k->box[at - 1].score < b->score; at--)
		k->box[at] = k->box[at - 1];
	k->box[at] = *b;
}

/* From corners in the model's picture to the picture; not a number, or nothing: not added. */
static void add_corners(struct candidates *k, const struct onnx_frame *f, float x0, float y0,
			float x1, float y1, float score, uint32_t class)
{
	struct sluice_detector_box b = { (x0 - f->x) / f->scale, (y0 - f->y) / f->scale,
					 (x1 - x0) / f->scale,	 (y1 - y0) / f->scale,
					 fminf(score, 1),	 class };

	if (isfinite(b.x) && isfinite(b.y) && b.w > 0 && b.h > 0 && isfinite(b.w) && isfinite(b.h))
		add(k, &b);
}

static float overlap(const struct sluice_detector_box *a, const struct sluice_detector_box *b)
{
	float w = fminf(a->x + a->w, b->x + b->w) - fmaxf(a->x, b->x);
	float h = fminf(a->y + a->h, b->y + b->h) - fmaxf(a->y, b->y);
	float both = fmaxf(w, 0) * fmaxf(h, 0);

	return both / (a->w * a->h + b->w * b->h - both);
}

static void suppress(const struct candidates *k, const struct onnx_conf *c,
		     struct sluice_detector_result *r)
{
	uint32_t first = r->count;

	for (uint32_t i = 0; i < k->count && r->count < r->capacity; i++) {
		bool covered = false;

		for (uint32_t j = first; j < r->count && !covered; j++)
			covered = r->box[j].class == k->box[i].class &&
				  overlap(&r->box[j], &k->box[i]) > c->overlap;
		if (!covered)
			r->box[r->count++] = k->box[i];
	}
}

int onnx_boxes_yolo(const struct onnx_tensor *t, const struct onnx_conf *c,
		    const struct onnx_frame *f, struct sluice_detector_result *r, char *why,
		    size_t why_size)
{
	uint32_t parts = 4 + c->class_count;
	bool turned = t->rows != parts && t->columns == parts;
	uint32_t n = turned ? t->rows : t->columns;
	size_t part_step = turned ? 1 : t->columns, box_step = turned ? parts : 1;
	struct candidates k;

	k.count = 0;
	if (t->rows != parts && !turned) {
		snprintf(why, why_size,
			 "the model says [1, %u, %u]; with %u classes layout = yolo is [1, %u, N]",
			 t->rows, t->columns, c->class_count, parts);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < n; i++) {
		const float *v = t->data + i * box_step;
		uint32_t best = 0;
		float x = v[0], y = v[part_step], w = v[2 * part_step], h = v[3 * part_step];

		for (uint32_t j = 1; j < c->class_count; j++)
			if (v[(4 + j) * part_step] > v[(4 + best) * part_step])
				best = j;
		if (v[(4 + best) * part_step] >= c->least)
			add_corners(&k, f, x - w / 2, y - h / 2, x + w / 2, y + h / 2,
				    v[(4 + best) * part_step], best);
	}
	suppress(&k, c, r);
	return 0;
}

int onnx_boxes_ssd(const struct onnx_tensor *boxes, const struct onnx_tensor *scores,
		   const struct onnx_tensor *classes, const struct onnx_conf *c,
		   const struct onnx_frame *f, struct sluice_detector_result *r, char *why,
		   size_t why_size)
{
	uint32_t n = boxes->rows;
	float sx = c->pixels ? 1 : (float)f->width, sy = c->pixels ? 1 : (float)f->height;
	struct candidates k;

	k.count = 0;
	if (boxes->columns != 4 || scores->columns != n || scores->rows != 1 ||
	    classes->columns != n || classes->rows != 1) {
		snprintf(why, why_size,
			 "the model says boxes [1, %u, %u], scores [%u, %u], classes [%u, %u]; "
			 "layout = ssd is [1, N, 4], [1, N], [1, N]",
			 boxes->rows, boxes->columns, scores->rows, scores->columns, classes->rows,
			 classes->columns);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < n; i++) {
		const float *v = boxes->data + 4 * (size_t)i;
		float class = classes->data[i] - (float)c->first_class;

		if (!(scores->data[i] >= c->least) || !(class >= 0) ||
		    class >= (float)c->class_count)
			continue; /* a class without a name is nobody's */
		if (c->xyxy)
			add_corners(&k, f, v[0] * sx, v[1] * sy, v[2] * sx, v[3] * sy,
				    scores->data[i], (uint32_t) class);
		else
			add_corners(&k, f, v[1] * sx, v[0] * sy, v[3] * sx, v[2] * sy,
				    scores->data[i], (uint32_t) class);
	}
	suppress(&k, c, r);
	return 0;
}
