/* SPDX-License-Identifier: GPL-2.0 */
/* tune.h - masks of a flow; its owner holds the camera's lock. Settings: see camera.h. */
#ifndef SLUICE_TUNE_H
#define SLUICE_TUNE_H

#include "camera.h"

/*
 * Take copies of the masks that a names (NULL: leave, size 0: clear) for the flow's picture.
 * Returns 0, -EINVAL for a wrong size, -EOPNOTSUPP for a privacy mask on MJPEG, -ENOMEM; the
 * old masks stay on failure.
 */
int sluice_tune_masks(struct sluice_flow *flow, const struct sluice_attach *a,
		      struct netlink_ext_ack *extack);

/*
 * Fit the masks to the grid of picture p: a privacy mask covers at least what it covered, with a
 * rim of one cell; thresholds take the nearest cell. Returns 0 or -ENOMEM (nothing changed).
 */
int sluice_tune_scale(struct sluice_flow *flow, const struct sluice_picture *p);

#endif
