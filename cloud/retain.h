/* SPDX-License-Identifier: MIT */
/* retain.h - how long is kept what is stored: frames and summaries by age, all of it by size. */
#ifndef SLUICE_RETAIN_H
#define SLUICE_RETAIN_H

#include <stdatomic.h>
#include <stdint.h>

struct sluice_index;
struct sluice_media;

#define SLUICE_RETAIN_EVENTS_S	  (10ull * 86400)
#define SLUICE_RETAIN_SUMMARIES_S (30ull * 86400)

struct sluice_retain_config {
	const char *data;	    /* the data directory, borrowed */
	struct sluice_media *media; /* its files of summaries, borrowed */
	uint64_t events_s;	    /* frames older than this go; 0: never for their age */
	uint64_t summaries_s;	    /* likewise summaries, their files and ledgers */
	uint64_t max_bytes;	    /* of segments and media; 0: any */
	uint64_t free_bytes;	    /* to be left on the disk; 0: any */
	uint64_t (*utc_now)(void);  /* NULL: the clock */
	const atomic_ullong *duty;  /* 0: another process does it now; NULL: none. Borrowed */
};

/* What has gone since the start. */
struct sluice_retained {
	uint64_t segments, segment_bytes, summaries;
	uint64_t for_age, for_size; /* of the segments: why */
	uint64_t failed;	    /* steps that could not be done, and are tried again */
};

struct sluice_retain;

/* Opens an index of its own; no thread yet. c is copied. */
int sluice_retain_open(const struct sluice_retain_config *c, struct sluice_retain **out);

/*
 * One bounded step: one file or directory removed, or SLUICE_RETAIN_ROWS rows forgotten. 1: there
 * may be more to do; 0: nothing for now; -errno.
 */
int sluice_retain_step(struct sluice_retain *r);

#define SLUICE_RETAIN_ROWS 500

/* From now on a thread of lowest priority makes the steps. */
int sluice_retain_start(struct sluice_retain *r);

/* Any thread. NULL: nothing has gone here. */
void sluice_retain_stats(struct sluice_retain *r, struct sluice_retained *out);

/* Ends the thread after its present step. NULL-safe. */
void sluice_retain_close(struct sluice_retain *r);

/* Removes what an earlier life has forgotten and not removed; before anybody reads segments. */
int sluice_retain_finish(const char *data, struct sluice_index *ix, struct sluice_media *media);

/* Called at each step of forgetting, if set: tests end the process there. */
enum sluice_retain_at {
	SLUICE_RETAIN_FORGOT,  /* the index has committed */
	SLUICE_RETAIN_REMOVED, /* the file is gone, the note of it not yet */
};
extern void (*sluice_retain_point)(enum sluice_retain_at at);

#endif
