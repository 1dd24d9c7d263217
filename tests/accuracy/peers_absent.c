// SPDX-License-Identifier: MIT
/* peers_absent.c - in place of peers_opencv.cc where OpenCV is not installed. */
#include "peers.h"

#include <stddef.h>

struct opencv_model *opencv_open(bool knn, uint32_t w, uint32_t h)
{
	return NULL;
}

void opencv_close(struct opencv_model *m)
{
}

uint32_t opencv_frame(struct opencv_model *m, const uint8_t *bgr, uint8_t *mask)
{
	return 0;
}
