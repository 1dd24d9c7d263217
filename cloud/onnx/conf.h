/* SPDX-License-Identifier: MIT */
/* conf.h - what a model is and how it wants its pictures: the configuration of docs/detector.md. */
#ifndef SLUICE_ONNX_CONF_H
#define SLUICE_ONNX_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

enum onnx_layout {
	ONNX_YOLO, /* one output [1, 4 + classes, N] (or [1, N, 4 + classes]): centre and size in
		      pixels of the model's picture, then a score for each class */
	ONNX_SSD,  /* three outputs: boxes [1, N, 4], scores [1, N], classes [1, N] */
};

struct onnx_conf {
	char name[SLUICE_DETECTOR_NAME_MAX];
	char model[4096]; /* path, as given; relative to the folder */
	enum onnx_layout layout;
	uint32_t width, height; /* of the model's picture; 0: the model says */
	float mean[3], std[3];	/* of R, G, B: (value - mean) / std goes into a float model */
	bool bgr;		/* B comes first */
	bool xyxy;		/* of ONNX_SSD: x0 y0 x1 y1, else y0 x0 y1 x1 */
	bool pixels;		/* of ONNX_SSD: pixels of the model's picture, else shares of it */
	int first_class;	/* of ONNX_SSD: what the first class is called there */
	char output[3][64];	/* names; "": by their order */
	float overlap;		/* of two boxes of one class, above which the less sure one goes */
	float least;		/* score */
	int threads;
	uint32_t class_count;
	char classes[SLUICE_DETECTOR_CLASS_MAX][SLUICE_DETECTOR_NAME_MAX];
};

/* The text of a configuration; folder: where files that it names lie. 0 or -errno with why. */
int onnx_conf_read(struct onnx_conf *c, const char *text, const char *folder, char *why,
		   size_t why_size);

#endif
