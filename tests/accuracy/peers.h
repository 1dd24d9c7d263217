/* SPDX-License-Identifier: MIT */
/* peers.h - what others make of the same JPEGs: full-size masks. Includable from C++. */
#ifndef SLUICE_ACCURACY_PEERS_H
#define SLUICE_ACCURACY_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum peer_kind { PEER_DIFFERENCE, PEER_MOG2, PEER_KNN, PEER_KINDS };

extern const char *const peer_name[PEER_KINDS];

struct peer;

/* NULL: OpenCV is not here (PEER_DIFFERENCE is always). Pictures of w x h. */
struct peer *peer_open(enum peer_kind kind, uint32_t w, uint32_t h);
void peer_close(struct peer *p); /* NULL-safe */

/*
 * One JPEG of that size: mask[h][w] becomes 0 or not; returns the pixels of the largest contour
 * (of the difference: of all that is set). *cpu_s grows by the time of model and mask, without the
 * decoding.
 */
uint32_t peer_frame(struct peer *p, const uint8_t *jpeg, uint32_t size, uint8_t *mask,
		    double *cpu_s);

/* peers_opencv.cc, or peers_absent.c. bgr: w x h. */
struct opencv_model;
struct opencv_model *opencv_open(bool knn, uint32_t w, uint32_t h);
void opencv_close(struct opencv_model *m);
uint32_t opencv_frame(struct opencv_model *m, const uint8_t *bgr, uint8_t *mask);

#ifdef __cplusplus
}
#endif

#endif
