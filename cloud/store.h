/* SPDX-License-Identifier: MIT */
/*
 * store.h - the writer's side of segments and index: which segment of which camera is open, what
 * was stored last, one group at a time. Used by the writer thread alone.
 */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include "cloud/bus.h"
#include "cloud/depot.h"
#include "cloud/index.h"
#include "cloud/seal.h"

struct sluice_store;

/* data and keys (may be NULL) are borrowed. */
int sluice_store_open(const char *data, const struct sluice_keyring *keys,
		      struct sluice_store **out);
/* The same with segments in a depot that takes whole ones (NULL: sluice_store_open()). */
int sluice_store_open_in(const char *data, struct sluice_depot *depot,
			 const struct sluice_keyring *keys, struct sluice_store **out);
/* Closes the segments and marks them closed. NULL-safe. */
void sluice_store_close(struct sluice_store *s);

/* Can so many bytes be written and synced beside the segments? 0 or -errno. */
int sluice_store_probe(struct sluice_store *s, size_t bytes);

struct sluice_index *sluice_store_index(struct sluice_store *s);

/*
 * Before the group begins, with all of its items: where segments are put whole its frames are made
 * durable now, outside the index's transaction; elsewhere this is nothing. After a failure there is
 * nothing to be aborted; then, or after the group: sluice_store_unstage().
 */
int sluice_store_stage(struct sluice_store *s, const struct sluice_item *group);
void sluice_store_unstage(struct sluice_store *s);

/* A group: begin, any number of the calls below, then commit, or abort after any failure. */
int sluice_store_begin(struct sluice_store *s);

/* A camera's epoch begins or goes on. *resume: highest stored sequence + 1, 0 if none. -EDQUOT. */
int sluice_store_epoch(struct sluice_store *s, const struct sluice_item *item, uint64_t *resume);

/*
 * A group with this item is given up. Nothing more of that camera is taken from that session: what
 * follows would be acknowledged, cumulatively, over the hole. -ENOMEM.
 */
int sluice_store_break(struct sluice_store *s, const struct sluice_item *item);
int sluice_store_broken(struct sluice_store *s, const struct sluice_item *item);

/* Appends a frame; sets item->duplicate instead if it is stored already. */
int sluice_store_frame(struct sluice_store *s, struct sluice_item *item);

/* Segments to the disk, then the index. */
int sluice_store_sync(struct sluice_store *s);
int sluice_store_commit(struct sluice_store *s);

/* The group never was; segments are cut back. */
void sluice_store_abort(struct sluice_store *s);

#endif
