/* SPDX-License-Identifier: MIT */
/* rekey.h - the master key of a store is changed: the same keys of files, wrapped again. */
#ifndef SLUICE_REKEY_H
#define SLUICE_REKEY_H

#include "cloud/seal.h"

struct sluice_rekeyed {
	uint64_t files;	  /* sealed ones */
	uint64_t changed; /* of them, wrapped again */
	uint64_t locked;  /* by a key that is not here; left as they are */
	uint64_t plain;	  /* not sealed */
	char first[256];  /* of those that are locked or damaged: the first */
};

/* All segments, summaries' files and frames in quarantine get locks of the ring's first key. Nobody
 * else uses data. A broken run is gone on with by another. */
int sluice_rekey(const char *data, const struct sluice_keyring *keys, struct sluice_rekeyed *out);

#endif
