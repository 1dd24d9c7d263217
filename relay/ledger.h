/* SPDX-License-Identifier: MIT */
/* ledger.h - STATE/ledger.json (docs/api.md): where every frame of every camera went. */
#ifndef RELAY_LEDGER_H
#define RELAY_LEDGER_H

#include "relay/drain.h"
#include "relay/spool.h"

/* Write path anew, complete or not at all. spool may be NULL. 0 or -errno. */
int relay_ledger_write(const char *path, const struct relay_camera *camera, unsigned int count,
		       const struct relay_spool *spool);

#endif
