/* SPDX-License-Identifier: MIT */
/*
 * Making a roll of any clip. Absent from the static build, which only plays.
 */
#ifndef SLUICE_CAMSIM_MAKE_ROLL_H
#define SLUICE_CAMSIM_MAKE_ROLL_H

#include "tools/camsim/options.h"

/* Writes o->make_roll from the clip o->rolls[0]: 0, or 1 and a message on stderr. */
int make_roll(const struct options *o);

#endif
