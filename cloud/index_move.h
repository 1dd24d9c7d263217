/* SPDX-License-Identifier: MIT */
/*
 * index_move.h - an index, or people and what is wanted of devices, go from their SQLite files to
 * PostgreSQL, row by row.
 *
 * Rows are read in the order of their keys and committed in batches, so what broke off goes on
 * behind the last row that is there. Then both sides are read once more and compared: number and
 * SHA-256 of the rows of each table. The file stays as it is.
 */
#ifndef SLUICE_INDEX_MOVE_H
#define SLUICE_INDEX_MOVE_H

#include "cloud/index_pg.h"

struct sluice_index_moved {
	uint64_t rows, copied; /* of all tables; copied: by this call */
};

enum sluice_move_what { SLUICE_MOVE_INDEX, SLUICE_MOVE_AUTH, SLUICE_MOVE_FLEET };

struct sluice_index_move_config {
	const char *path; /* index.db, auth.db or fleet.db */
	int what;	  /* enum sluice_move_what */
	const struct sluice_pg_config *pg;
	/* of a table: so many of its rows are copied (or compared) */
	void (*progress)(void *ctx, const char *table, const char *verb, uint64_t done,
			 uint64_t of);
	/* of a table that is the same on both sides; sha256: hex */
	void (*verified)(void *ctx, const char *table, uint64_t rows, const char *sha256);
	int (*stopping)(void *ctx);
	void *ctx;
};

/*
 * Nobody else may use either side meanwhile. 0; -ECANCELED: stopping, it can be called again;
 * -EUCLEAN: a table is not the same on both sides, because there were other rows in PostgreSQL; or
 * an error of the two. why: a sentence, SLUICE_PG_WHY bytes.
 */
int sluice_index_move(const struct sluice_index_move_config *c, struct sluice_index_moved *out,
		      char *why);

#endif
