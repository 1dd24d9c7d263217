/* SPDX-License-Identifier: MIT */
/* spool_private.h - what the files of the spool share; nobody else includes it. */
#ifndef RELAY_SPOOL_PRIVATE_H
#define RELAY_SPOOL_PRIVATE_H

#include "relay/spool.h"

#include <limits.h>

/* Frames of the two classes lie in segments of their own, so that the less important can go alone.
 */
enum spool_class { SPOOL_MOTION, SPOOL_FILLER, SPOOL_CLASSES };

#define SPOOL_REASONS	 16 /* passing reasons, from SLUICE_REASON_MOTION */
#define SPOOL_BATCH	 (1u << 20)
#define SPOOL_READ_BYTES (512u << 10)

/* Frames of one run in one segment. */
struct spool_part {
	struct relay_run *run;
	uint32_t left[SPOOL_REASONS];
	uint32_t event; /* of the newest frame */
};

struct spool_segment {
	struct spool_segment *next; /* younger */
	enum spool_class class;
	uint64_t number; /* names the file */
	uint64_t bytes;	 /* durable */
	uint64_t left;	 /* frames */
	uint32_t flight;
	bool passed; /* the reader has come to its end */
	struct spool_part *part;
	unsigned int parts;
};

struct spool_camera {
	char name[32]; /* "": free */
	uint64_t mark; /* number of the newest frame in an unbroken row of resolved ones */
	uint64_t evicted_epoch;
	uint32_t evicted_event; /* its beginning was evicted: the rest goes too. 0: none */
	struct relay_spool_counts counts;
};

struct spool_batch {
	uint8_t *bytes;
	size_t used, room;
};

/* A frame that was added and is not yet durable. */
struct spool_staged {
	struct relay_run *run;
	uint64_t sequence, time_ns;
	uint32_t event;
	uint16_t reason;
	enum spool_class class;
};

enum spool_step { STEP_IDLE, STEP_OPEN, STEP_DIR, STEP_WRITE, STEP_SYNC };

struct spool_writer {
	enum spool_step step;
	enum spool_class class; /* that is being written */
	struct sluice_io_file *file[SPOOL_CLASSES];
	struct sluice_io_file *dir;
	struct spool_segment *segment[SPOOL_CLASSES]; /* NULL: the next batch begins one */
	struct spool_segment *fresh;		      /* being made */
	struct spool_segment *uncut[SPOOL_CLASSES];   /* ends with a batch that failed */
	struct spool_batch batch[SPOOL_CLASSES];
	struct spool_staged *staged;
	size_t count, room;
	struct sluice_io_timer commit, retry;
	char path[PATH_MAX];
};

enum spool_fate { FATE_SENT, FATE_STORED, FATE_REJECTED, FATE_EVICTED, FATE_DAMAGED };

/* A frame that has been handed out. */
struct spool_flight {
	struct relay_run *run;
	struct spool_segment *segment;
	uint64_t number, offset, sequence;
	uint16_t reason;
	enum spool_fate fate;
	bool done;
};

struct spool_reader {
	struct relay_spool *spool;
	struct sluice_io_file *file; /* of segment; NULL: not open */
	struct spool_segment *segment;
	uint64_t offset; /* of the next record */
	uint64_t base;	 /* of buf in the file */
	uint8_t *buf;
	size_t have, room;
	bool busy, opening;    /* the file is being read; or opened */
	unsigned int failures; /* of that, in a row */
	uint64_t last;	       /* number of the record before */
	bool has_head;
	enum spool_fate fate; /* of the head, as soon as its turn has come; SENT: to be sent */
	struct relay_spool_record head;
	struct relay_run *run;
	const uint8_t *payload;
	char path[PATH_MAX];
};

struct relay_spool {
	struct relay_spool_config conf;
	char dir[PATH_MAX - 64];
	enum relay_spool_state state;
	bool stopped;
	uint64_t next_number;
	uint64_t sure;	/* what has a lower number was settled, or is not there any more */
	bool parted;	/* runs are two since the scan, and no durable mark says so */
	uint64_t bytes; /* of all segments */
	uint64_t damaged;
	struct spool_segment *first[SPOOL_CLASSES], *last[SPOOL_CLASSES];
	struct relay_run *runs, *runs_last;
	unsigned int run_count;
	struct spool_camera camera[RELAY_SPOOL_CAMERAS];
	struct spool_writer writer;
	struct spool_reader reader[SPOOL_CLASSES];
	struct spool_flight flight[RELAY_SPOOL_FLIGHT];
	uint32_t flight_first, flight_count;
	bool dirty;	  /* the mark on the disk is old */
	bool mark_synced; /* it is durable */
	bool mark_safe;	  /* it is, or mark.old: one that was written since the spool was opened */
	bool reserved;	  /* DIR/reserve is there */
	struct sluice_io_timer mark;
};

static inline enum spool_class spool_class_of(uint16_t reason)
{
	return reason == SLUICE_REASON_KEEPALIVE || reason == SLUICE_REASON_AUDIT ? SPOOL_FILLER
										  : SPOOL_MOTION;
}

static inline unsigned int spool_reason(uint16_t reason)
{
	return reason - SLUICE_REASON_MOTION;
}

/* ---- spool.c ---- */

/* Number of the camera, -1: there are too many names. */
int spool_camera_get(struct relay_spool *s, const char *name);
int spool_camera_find(const struct relay_spool *s, const char *name);
struct relay_run *spool_run_add(struct relay_spool *s, unsigned int camera,
				const struct relay_spool_record *r);
struct relay_run *spool_run_find(const struct relay_spool *s, unsigned int camera, uint64_t epoch,
				 uint64_t first);
/* The run that a record is of. */
struct relay_run *spool_run_of(const struct relay_spool *s, unsigned int camera,
			       const struct relay_spool_record *r);
void spool_run_drop(struct relay_spool *s, struct relay_run *r);
/* Runs that nobody needs any more. */
void spool_runs_prune(struct relay_spool *s);

/* ---- spool_segment.c ---- */

void spool_segment_path(const struct relay_spool *s, const struct spool_segment *g, char *path);
struct spool_segment *spool_segment_new(enum spool_class class, uint64_t number);
void spool_segment_link(struct relay_spool *s, struct spool_segment *g);
void spool_segment_free(struct spool_segment *g);
/* The file and the memory go; its frames are accounted for. */
void spool_segment_remove(struct relay_spool *s, struct spool_segment *g);
/* A frame lies in it. -ENOMEM. */
int spool_segment_count(struct spool_segment *g, struct relay_run *run, uint16_t reason,
			uint32_t event);
/* A frame of it is resolved. */
void spool_segment_uncount(struct spool_segment *g, const struct relay_run *run, uint16_t reason);
/* Remove what holds nothing any more; all: also what is being written to. */
void spool_sweep(struct relay_spool *s, bool all);
/*
 * Make room by giving up the oldest of the least important. 0; -ENOSPC: nothing may go now; or what
 * kept the counts from the disk.
 */
int spool_evict(struct relay_spool *s);

/* ---- spool_scan.c, spool_mark.c ---- */

int spool_scan(struct relay_spool *s);
void spool_mark_read(struct relay_spool *s);
/* 0 or -errno; sync: before something is removed. */
int spool_mark_write(struct relay_spool *s, bool sync);
void spool_mark_soon(struct relay_spool *s);

/* ---- spool_write.c, spool_read.c ---- */

int spool_writer_init(struct relay_spool *s);
void spool_writer_exit(struct relay_spool *s);
void spool_reader_init(struct relay_spool *s);
void spool_reader_exit(struct relay_spool *s);
/* The segment goes: nobody looks at it any more. */
void spool_reader_leave(struct relay_spool *s, struct spool_segment *g);
/* A resolved row at the front of a camera's frames under way is counted. */
void spool_flight_resolve(struct relay_spool *s, unsigned int camera);

#endif
