/* SPDX-License-Identifier: MIT */
/* boxes.h - from a picture to what a model is given, and from what it says to boxes. Knows nothing
 * of ONNX Runtime. */
#ifndef SLUICE_ONNX_BOXES_H
#define SLUICE_ONNX_BOXES_H

#include "cloud/onnx/conf.h"

/* How a picture lies in the model's: scaled by scale, its corner at x, y; the rest is grey. */
struct onnx_frame {
	float scale, x, y;
	uint32_t width, height; /* of the model's picture */
};

/* Scaled to fit, in the middle (bilinear). planes: [3][height][width], else [height][width][3];
 * out: floats, mean and std applied; or bytes. */
void onnx_letterbox(const struct sluice_detector_image *image, const struct onnx_conf *c,
		    bool planes, bool bytes, void *out, struct onnx_frame *f);

/* Values of an output: [1, rows, columns]. */
struct onnx_tensor {
	const float *data;
	uint32_t rows, columns;
};

/* What is found goes behind r->count, in pixels of the picture, the surest first, without those
 * that overlap a surer one of their class. 0; -EINVAL with why: the output has another shape. */
int onnx_boxes_yolo(const struct onnx_tensor *t, const struct onnx_conf *c,
		    const struct onnx_frame *f, struct sluice_detector_result *r, char *why,
		    size_t why_size);
int onnx_boxes_ssd(const struct onnx_tensor *boxes, const struct onnx_tensor *scores,
		   const struct onnx_tensor *classes, const struct onnx_conf *c,
		   const struct onnx_frame *f, struct sluice_detector_result *r, char *why,
		   size_t why_size);

#endif
