/* SPDX-License-Identifier: MIT */
/* parked.h - which cameras are not analysed since there is no room, of all workers of this process:
 * for those who ask. Any thread. */
#ifndef SLUICE_PARKED_H
#define SLUICE_PARKED_H

#include <stdatomic.h>

#include "cloud/camera.h"

/* Owned by who parks; in the list from add() to remove(). */
struct sluice_parked {
	struct sluice_parked *next;
	const struct sluice_camera *camera;
};

void sluice_parked_add(struct sluice_parked *p, const struct sluice_camera *c);
/* If it is there. */
void sluice_parked_remove(struct sluice_parked *p);

unsigned int sluice_parked_count(void);
int sluice_parked_has(const char *hex);

/* Items of such cameras that were left for later. */
extern atomic_ullong sluice_parked_frames;

#endif
