/* SPDX-License-Identifier: MIT */
/* shelf.h - where the workers get stored frames and put summaries: index, media, segments. */
#ifndef SLUICE_SHELF_H
#define SLUICE_SHELF_H

#include <stdatomic.h>

#include "cloud/analysis.h"
#include "cloud/fence.h"
#include "cloud/index.h"
#include "cloud/media.h"
#include "cloud/rebuild.h"
#include "cloud/segment.h"
#include "lib/log.h"

struct sluice_shelf {
	const char *data;	    /* the data directory, borrowed */
	struct sluice_index *index; /* of this thread */
	struct sluice_media *media;
	struct sluice_rebuild *rebuild;	  /* of this thread */
	const struct sluice_fence *fence; /* of the lease under which summaries are put; NULL: of
					     none */
	/* Where files are put without a lease though other processes may put the same: a number
	 * that none of them has; 0: nobody else does. */
	uint64_t token;
};

/* Media, then index. 0; 1: it was there already; or what failed (-EINVAL: it can never be put;
 * -EEXIST: nor can this, the id is another camera's; -ESTALE: the lease is lost). */
int sluice_shelf_put(const struct sluice_shelf *s, const struct sluice_camera *c,
		     const struct sluice_summary *sum);

/*
 * The same again and again, each second, as long as it may yet be put (the disk is full). 0: it is
 * there, whoever has put it; else it is given up: -EINVAL, -EEXIST, -ESTALE, -ECANCELED when
 * stopping. what: for the log, as "summary".
 */
int sluice_shelf_insist(const struct sluice_shelf *s, const struct sluice_camera *c,
			const struct sluice_summary *sum, const char *what,
			const atomic_int *stopping, struct sluice_log_limit *limit);

/* Pins it for by (NULL: unpins), in the index and beside its files. -ENOENT too if it is not
 * theirs. */
int sluice_shelf_pin(const struct sluice_shelf *s, const struct sluice_whose *who, const char *id,
		     const char *by, const char *note);

/* A stored record. f points into *buf, malloc'd, the caller's. */
int sluice_shelf_record(const struct sluice_shelf *s, const struct sluice_camera *c, uint64_t epoch,
			uint64_t sequence, struct sluice_segment_frame *f, uint8_t **buf);

/* The same of a row of the index, without asking it. */
int sluice_shelf_placed(const struct sluice_shelf *s, const struct sluice_index_placed *row,
			struct sluice_segment_frame *f, uint8_t **buf);

/* 1: what failed so is a bucket that does not answer, though it was asked several times. */
int sluice_shelf_away(const struct sluice_shelf *s, int err);

/* The same for a thread that may wait: where it may yet be read (no memory, an error of the disk)
 * it is tried again, for a second in all. */
int sluice_shelf_placed_insist(const struct sluice_shelf *s, const struct sluice_index_placed *row,
			       struct sluice_segment_frame *f, uint8_t **buf);

/* A record as the analysis takes it; what it points to is the record's. */
struct sluice_stored_frame sluice_shelf_stored(const struct sluice_segment_frame *f);

/*
 * The JPEG of a stored frame, the whole picture also of a region, malloc'd, the caller's. -ENOENT:
 * there is none (or not what the region lies on); -EBADMSG: it is damaged; or what failed.
 */
int sluice_shelf_picture(const struct sluice_shelf *s, const struct sluice_camera *c,
			 uint64_t epoch, uint64_t sequence, uint8_t **out, size_t *size);
/* Likewise for a thread that may wait, and where it does not matter why: NULL. */
uint8_t *sluice_shelf_jpeg_insist(const struct sluice_shelf *s, const struct sluice_camera *c,
				  uint64_t epoch, uint64_t sequence, size_t *size);
/* The same where it does not matter why: NULL. */
uint8_t *sluice_shelf_jpeg(const struct sluice_shelf *s, const struct sluice_camera *c,
			   uint64_t epoch, uint64_t sequence, size_t *size);

#endif
