/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plant.h - a bug on purpose in every frame's way, for the tests of the checkers: built only with
 * SLUICE_PLANT=leak, atomic, inversion or oob (make kmod PLANT=...). Otherwise it is nothing.
 */
#ifndef SLUICE_PLANT_H
#define SLUICE_PLANT_H

#ifdef SLUICE_PLANT
void sluice_plant_bug(void);
#else
static inline void sluice_plant_bug(void)
{
}
#endif

#endif
