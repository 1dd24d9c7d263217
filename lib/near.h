/* SPDX-License-Identifier: MIT */
/* near.h - "did you mean": how far two words are apart. */
#ifndef SLUICE_LIB_NEAR_H
#define SLUICE_LIB_NEAR_H

#include <stdbool.h>

/* Letters to insert, remove, change or swap with their neighbour to make b of a (optimal string
 * alignment). Words of more than 32 letters: 99. */
unsigned int sluice_near_distance(const char *a, const char *b);

/* True if somebody who typed a may have meant b: one slip in three letters, at most three. */
bool sluice_near(const char *a, const char *b);

#endif
