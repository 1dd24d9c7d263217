/* SPDX-License-Identifier: MIT */
/* sprite.h - shapes of things that move in generated movies. */
#ifndef SLUICE_ACCURACY_SPRITE_H
#define SLUICE_ACCURACY_SPRITE_H

enum sprite_kind { SPRITE_PERSON, SPRITE_CAR, SPRITE_ANIMAL, SPRITE_BAG };

#define SPRITE_PARTS 4 /* of different colour: body, head, legs or wheels, windows */

/* Half of a thing's width at height 1 (its own height). */
float sprite_half_width(enum sprite_kind kind);

/*
 * Distance to the outline (< 0 inside), in heights, of the point u to the right of and v above the
 * middle of the ground line, and the part it belongs to. phase: of the step, in turns.
 */
float sprite_distance(enum sprite_kind kind, float u, float v, float phase, int *part);

#endif
