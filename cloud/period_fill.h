/* SPDX-License-Identifier: MIT */
/* period_fill.h - what the index knows of a period, for period.h. */
#ifndef SLUICE_PERIOD_FILL_H
#define SLUICE_PERIOD_FILL_H

#include "cloud/index.h"
#include "cloud/period.h"

/*
 * Events that began in the period of p, frames that are wanted for them, and the ledger. Frames of
 * more than SLUICE_PERIOD_FRAMES_MAX are thinned out evenly. stopped is asked now and then:
 * -ECANCELED. -ENOMEM, or as the index says.
 */
int sluice_period_fill(struct sluice_period *p, struct sluice_index *ix,
		       const struct sluice_camera *c, int (*stopped)(void *ctx), void *ctx);

#endif
