/* SPDX-License-Identifier: MIT */
/*
 * tuning.h - tunings of a gate (retune.h) as JSON: as the fleet keeps them, and as a device takes
 * them. No input or output.
 *
 * {"grid":[W,H],"preset":"medium","factors":BASE64}: a byte a tile, in sixteenths of the threshold.
 */
#ifndef SLUICE_TUNING_H
#define SLUICE_TUNING_H

#include <jansson.h>

#include "cloud/retune.h"

/* "custom" for what is none. */
enum sluice_retune_preset sluice_retune_preset_of(const char *name);
const char *sluice_retune_preset_name(enum sluice_retune_preset preset);

/* A new reference; NULL: out of memory. */
json_t *sluice_tuning_json(const struct sluice_tuning *t);
/* -EINVAL: it is none. Needs no memory. */
int sluice_tuning_read(const json_t *o, struct sluice_tuning *t);

/* The map that a device is asked for (docs/protocol.md 7): null if every factor is one. A new
 * reference; NULL: out of memory. */
json_t *sluice_tuning_map_json(const struct sluice_tuning *t);

/*
 * What is wanted of a camera whose document is doc (tuner.h), as a layer of wish.h, a new reference
 * in *out: NULL if nothing was ever applied. -ENOMEM; a document that cannot be read wants nothing.
 */
int sluice_tuning_wish(const json_t *doc, json_t **out);

#endif
