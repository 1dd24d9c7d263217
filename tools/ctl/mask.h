/* SPDX-License-Identifier: MIT */
/* mask.h - polygons of a command line as masks of a request; for mask and attach. */
#ifndef SLUICE_CTL_MASK_H
#define SLUICE_CTL_MASK_H

#include "tools/ctl/genl.h"

/*
 * Paint argc words (an option and its polygon in turns) on the grid of c, whose width, height,
 * grid_w and grid_h are set, and add the masks to m. CTL_OK, or the exit code of what was told.
 */
int ctl_mask_put(struct ctl *ctl, struct nl_msg *m, const struct genl_camera *c, int argc,
		 char **argv);

#endif
