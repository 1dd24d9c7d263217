/* SPDX-License-Identifier: MIT */
/*
 * media.h - the files of summaries: summary.json and what belongs to it. A table of functions;
 * media_dir.c keeps them in a directory, media_s3.c in a bucket of an S3-compatible store. Any
 * thread may call; names are [A-Za-z0-9._-]{1,47}, without a leading dot.
 *
 * No store can ask who has the lease of a partition. So whoever writes under one puts a summary's
 * files at a place of its own, which holds its token, and the row of the index, which is fenced,
 * says which place counts. What a worker that was frozen puts when it comes to lies where nobody
 * looks, and goes with the rest when the summary is forgotten. A place is given wherever an id is
 * asked for below; without leases it is the id alone.
 */
#ifndef SLUICE_MEDIA_H
#define SLUICE_MEDIA_H

#include <stddef.h>
#include <stdint.h>
#include "cloud/camera.h"
#include "cloud/depot.h"
#include "cloud/seal.h"

struct sluice_media_file {
	const char *name;
	const uint8_t *data;
	size_t size;
};

/* Beside a summary's files, not one of them: who has pinned it and why, so that a pin outlives the
 * index. */
#define SLUICE_MEDIA_PIN "pin.json"

#define SLUICE_MEDIA_PLACE 48 /* bytes of one, with its end */

struct sluice_media;

/* id is a place. */
typedef int (*sluice_media_id_fn)(void *ctx, const char *tenant, const uint8_t camera[16],
				  const char *id);
typedef int (*sluice_media_name_fn)(void *ctx, const char *name);

struct sluice_media_ops {
	void (*close)(struct sluice_media *m);
	/* All files durable under the id, or none. What is there under that id is replaced, whole:
	 * a life that ended before the index knew of it has left it, and told nobody. */
	int (*put)(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const struct sluice_media_file *files, size_t count);
	/* SLUICE_MEDIA_PIN of the id is these bytes, durably, or (data NULL) is not there any
	 * more. -ENOENT: no such id. */
	int (*pin)(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const uint8_t *data, size_t size);
	/* *data: malloc'd, the caller's, with room for one byte more. -ENOENT; -EFBIG: above max
	 * bytes; -ENOKEY, -EBADMSG: sealed by a key that is not here, or damaged. */
	int (*get)(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		   const char *name, size_t max, uint8_t **data, size_t *size);
	/* The id and all that is under it goes, the pin too, durably; of c, tenant and hex count.
	 * Of a place with a token: every place of its summary. What is not there: 0. */
	int (*remove)(struct sluice_media *m, const struct sluice_camera *c, const char *id);
	/* Every place that is whole; those of one summary one behind the other, the latest token
	 * last. Non-zero of fn ends the walk and is returned. */
	int (*each)(struct sluice_media *m, sluice_media_id_fn fn, void *ctx);
	/* The names that were put under the id, in no order. -ENOENT: no such id. */
	int (*names)(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		     sluice_media_name_fn fn, void *ctx);
};

struct sluice_media {
	const struct sluice_media_ops *ops;
	const struct sluice_keyring
		*keys;		    /* of this store, segments too; NULL: nothing is sealed */
	int remote;		    /* a call may take seconds: not from an event loop */
	struct sluice_depot *depot; /* where segments lie, closed with it; NULL: below the data
				     * directory */
};

int sluice_media_name_valid(const char *name);

/* Of a summary whose id is 32 digits; returns out. As text, places of one summary are in the order
 * of their tokens. */
const char *sluice_media_place(char out[SLUICE_MEDIA_PLACE], const char *id, uint64_t token);
/* What it is the place of. -EINVAL: of no summary. */
int sluice_media_place_read(const char *place, char id[33], uint64_t *token);

/* Files at ROOT/TENANT/CAMERA-HEX/ID/NAME, sealed if keys (NULL, or borrowed) holds a key. */
int sluice_media_dir_open(const char *root, const struct sluice_keyring *keys,
			  struct sluice_media **out);

static inline void sluice_media_close(struct sluice_media *m)
{
	if (!m)
		return;
	sluice_depot_close(m->depot);
	m->ops->close(m);
}

/* Where the segments of a store lie; local is filled in, and returned, if that is its directory. */
static inline struct sluice_depot *sluice_media_depot(const struct sluice_media *m,
						      const char *data, struct sluice_depot *local)
{
	if (m && m->depot)
		return m->depot;
	sluice_depot_dir(local, data);
	return local;
}

#endif
