/* SPDX-License-Identifier: MIT */
/* api_media.h - bodies that are read from the disk: in a thread of their own, so that no event loop
 * waits for it; answered later, whole or in part. */
#ifndef SLUICE_API_MEDIA_H
#define SLUICE_API_MEDIA_H

#include "cloud/api_call.h"

#define SLUICE_MEDIA_MAX (64u << 20)

/* calloc'd by the handler, freed when it is answered. */
struct sluice_media_job {
	/* the handler's; called in the reader's thread with that thread's own index. 0 and body,
	 * size and type; -errno: 404 for -ENOENT. */
	int (*read)(struct sluice_media_job *m, struct sluice_api *api);
	const char *action; /* of the audit log, static */
	char what[128];	    /* for the audit log */
	const char *type, *cache;
	char id[33], file[48];
	uint8_t camera[16];
	uint64_t time_ns, sequence, epoch;
	struct sluice_whose whose; /* of the caller, copied */
	uint8_t *body;
	size_t size;
	uint64_t frame_ns;  /* X-Frame-Time; 0: none */
	uint8_t sha256[32]; /* of the body; all zero: taken from the body */
	/* private */
	int err;
	struct sluice_job job;
	struct sluice_later *later;
	struct sluice_loop *loop;
	struct sluice_who who;
	char address[64], range[64], if_range[80], if_none_match[256];
};

/* Takes m; whose and what is needed to answer are filled from the call. */
void sluice_media_start(struct sluice_call *c, struct sluice_media_job *m);
/* NULL-safe. */
void sluice_media_drop(struct sluice_media_job *m);

#endif
