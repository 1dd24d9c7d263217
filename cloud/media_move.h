/* SPDX-License-Identifier: MIT */
/*
 * media_move.h - segments and summaries' files of a data directory copied into a bucket, each read
 * back and compared; nothing is removed here. Again: what is there already is passed over, so a
 * broken run is gone on with.
 */
#ifndef SLUICE_MEDIA_MOVE_H
#define SLUICE_MEDIA_MOVE_H

#include "cloud/index.h"
#include "cloud/media.h"

struct sluice_media_move_config {
	const char *data;
	struct sluice_index *ix;   /* of data */
	struct sluice_media *from; /* its directory, with the keys of what is sealed */
	struct sluice_media *to;   /* the bucket; segments go to its depot, if it has one */
	int check;		   /* compare only: nothing is put */
	/* may be NULL: what is done of how many; true: to be broken off */
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t of, uint64_t bytes);
	int (*stopping)(void *ctx);
	void *ctx;
};

struct sluice_media_moved {
	uint64_t segments, summaries; /* looked at */
	uint64_t bytes;		      /* of those that are the same on both sides now */
	uint64_t copied;	      /* of segments and summaries: put now */
	uint64_t open;	 /* segments that still grow: not copied; the node has to be stopped */
	uint64_t differ; /* not the same in the bucket, or (check) not there */
	uint64_t lost;	 /* the index names them, and they cannot be read here */
	char first[192]; /* of differ and lost */
};

/* 0 also if something differs or is lost, which out says. -ECANCELED: broken off; else what failed.
 */
int sluice_media_move(const struct sluice_media_move_config *c, struct sluice_media_moved *out);

#endif
