/* SPDX-License-Identifier: MIT */
/* recover.h - from segments to the index: after a crash, for a check, for a rebuild. */
#ifndef SLUICE_RECOVER_H
#define SLUICE_RECOVER_H

#include "cloud/depot.h"
#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/seal.h"

struct sluice_recovered {
	unsigned int scanned; /* segments */
	unsigned int damaged; /* of them, with a bad record before frames that the index knows */
	uint64_t frames;      /* whole records seen */
	uint64_t added;	      /* of them, unknown to the index until now */
	uint64_t cut;	      /* bytes of half-written records cut off */
	uint64_t foreign;     /* summaries left out, since another camera has one of that id */
	uint64_t unread;      /* summaries whose files are sealed by another key, or damaged */
};

/*
 * Scans the segments below a data directory that are not known to be closed, or (all) every one;
 * cuts what a crash left half-written, adds to the index what it does not know, marks them closed.
 * Nobody else may use the data directory.
 */
int sluice_recover(const char *data, struct sluice_index *ix, int all, struct sluice_recovered *r);

/* All segments of a depot into an index that knows nothing of frames; what is there counts as
 * analysed. */
int sluice_recover_lost(struct sluice_depot *d, struct sluice_index *ix,
			struct sluice_recovered *r);

/* reindex.c: throws away what the index says of frames and summaries' files and makes it again. */
int sluice_rebuild(const char *data, struct sluice_index *ix, struct sluice_media *media,
		   struct sluice_recovered *r, uint64_t *summaries);

struct sluice_check {
	unsigned int segments;
	uint64_t frames;	/* whole records */
	uint64_t indexed;	/* rows */
	uint64_t missing_row;	/* records without a row */
	uint64_t missing_frame; /* rows without a whole record: lost frames */
	unsigned int bad_tail;	/* segments with bytes behind their last whole record */
	unsigned int bad_header;
	uint64_t summaries;
	uint64_t bad_media; /* files missing or changed */
	uint64_t orphans;   /* segments that no row names; not looked into */
	uint64_t locked;    /* segments and files that no key here opens: not looked into */
};

/*
 * check.c: reads everything, changes nothing. orphan (NULL: only counted) is called for each
 * segment that no row names where segments are put whole: it is of a group that failed, or of one
 * that is on its way; non-zero ends the check and is returned.
 */
int sluice_check(const char *data, struct sluice_index *ix, struct sluice_media *media,
		 int (*orphan)(void *ctx, const char *path), void *ctx, struct sluice_check *r);

#endif
