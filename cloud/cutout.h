/* SPDX-License-Identifier: MIT */
/* cutout.h - a thing cut out of its picture with soft edges, and laid over another one. */
#ifndef SLUICE_CUTOUT_H
#define SLUICE_CUTOUT_H

#include "cloud/picture.h"

/*
 * What in the box (pixels of the pictures, with a margin around it) differs from the ground of its
 * time goes from one picture into the other, at the same place. All three have one size. Returns
 * the share of the box that was taken, 0..1; -1: out of memory.
 */
float sluice_cutout_paste(struct sluice_picture *to, const struct sluice_picture *from,
			  const struct sluice_picture *ground, int x, int y, int w, int h);

#endif
