/* SPDX-License-Identifier: MIT */
/* ledger.h - a LEDGER field as it is kept in the index, read and told (docs/api.md). */
#ifndef SLUICE_CLOUD_LEDGER_H
#define SLUICE_CLOUD_LEDGER_H

#include <jansson.h>

#include "lib/wire.h"

/* -EINVAL: there is none. */
int sluice_ledger_read(const void *data, size_t size, struct sluice_wire_ledger *l);

/* A new reference. */
json_t *sluice_ledger_json(const struct sluice_wire_ledger *l);

#endif
