/* SPDX-License-Identifier: MIT */
/* landing.h - one summary on its way to the disk. Everything here may wait for the disk. */
#ifndef RELAY_LANDING_H
#define RELAY_LANDING_H

#include "lib/wire.h"

#include <openssl/evp.h>

#define RELAY_MEDIA_COUNT_MAX 32
#define RELAY_MEDIA_BYTES_MAX (64ull << 20) /* of one summary */

/* Where summaries are kept. */
struct relay_store {
	int fd;			/* of summaries/ */
	const char *path;	/* of the same */
	uint64_t free_bytes;	/* with less than that free on the disk nothing is begun */
	unsigned int partial_s; /* what stands still for so long will not be gone on with */
	/* make room, if possible; may be NULL */
	void (*make_room)(void *arg);
	/* the summary is complete but for its name: note durably that it is to be announced. 0 or
	 * -errno, then it is not completed. May be NULL */
	int (*stage)(void *arg, const char *id, const char *day);
	void *arg;
};

struct relay_landing {
	/* set before begin() */
	char id[33];
	char camera[SLUICE_CAMERA_NAME_SIZE];
	char day[64];	  /* "CAMERA/YYYY-MM-DD" */
	uint8_t *payload; /* of SUMMARY, its own */
	uint32_t payload_size, json_size;
	const uint8_t *json; /* in payload */
	uint32_t count;
	struct sluice_wire_media_info media[RELAY_MEDIA_COUNT_MAX];
	/* since begin() */
	bool started, complete;
	int err;			 /* it has failed or is over: parts are ignored */
	int day_fd, fd;			 /* directories */
	int file_fd;			 /* of media[index], -1: not open */
	uint32_t index;			 /* the file that is being written */
	uint64_t have;			 /* bytes of it */
	uint64_t unsynced;		 /* bytes since `safe` was written */
	struct sluice_wire_partial safe; /* so far it is durable */
	EVP_MD_CTX *sha;
};

struct relay_landing *relay_landing_new(void);
void relay_landing_free(struct relay_landing *l); /* NULL-safe; what is on disk stays */

/* The payload of SUMMARY, for the camera of that name (NULL: the JSON's own) into a new landing. 0,
 * -EPROTO or -ENOMEM. */
int relay_landing_read(struct relay_landing *l, const char *camera, const uint8_t *payload,
		       uint32_t length);

/*
 * Directories, the list of files, what an earlier link has left. l->safe tells from where it may
 * go on. 0; -EEXIST: the summary is there already; else -errno. l->complete: it had no bytes.
 */
int relay_landing_begin(struct relay_store *s, struct relay_landing *l);

/*
 * Bytes of file `index` at `offset`. The first ones after begin() stand at the very start (then
 * everything begins anew) or anywhere up to l->safe; later ones follow on. 0 or -errno: -EILSEQ, a
 * place or a SHA-256 is wrong. On error what is on disk is removed. l->complete: it was the last.
 */
int relay_landing_part(struct relay_store *s, struct relay_landing *l, uint32_t index,
		       uint64_t offset, const uint8_t *data, size_t size);

/* No more will come now: keep what there is, to go on later. */
void relay_landing_leave(struct relay_landing *l);

/* What earlier runs have left, to be told to the cloud; what is of no use is removed. Number of
 * places written to out. */
unsigned int relay_landing_scan(struct relay_store *s, struct sluice_wire_partial *out,
				unsigned int max);

#endif
