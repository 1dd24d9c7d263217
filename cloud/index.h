/* SPDX-License-Identifier: MIT */
/*
 * index.h - what is stored where: cameras, epochs, segments, frames, summaries. A table of
 * functions, so that any data base can stand behind it (index_sql.c has the statements).
 *
 * One handle per thread. All return 0 or a negative errno (-ENOENT: no such row) unless said
 * otherwise. Numbers from devices are below 2^63 (the ingest checks it). Where a person asks, whose
 * rows they may see is a mandatory argument: no function that serves requests returns a row of
 * another tenant, or of a camera that was not granted.
 *
 * Everything about frames can be made again from the segments, and the rest from the media
 * directory (rebuild.c); who may connect lies elsewhere (auth.h).
 */
#ifndef SLUICE_INDEX_H
#define SLUICE_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sluice/ring.h>
#include "cloud/camera.h"
#include "cloud/facets.h"
#include "cloud/whose.h"

struct sluice_index_segment {
	uint64_t id;
	uint8_t camera[16];
	char path[192]; /* below the data directory */
	uint64_t created_ns;
	uint64_t size; /* 0 while it is open */
	int closed;    /* 1: nothing more will be appended; 2: it is being forgotten */
	/* of its frames; told when it is closed */
	uint64_t first_utc_ns, last_utc_ns;
	uint64_t frames, motion; /* motion: all but keep-alive and audit */
};

struct sluice_index_frame {
	uint8_t camera[16];
	uint64_t epoch, sequence;
	uint64_t segment, offset;
	uint32_t length; /* of the record, with padding */
	uint64_t time_ns, utc_ns;
	uint16_t reason, flags;
};

/* With the path of its segment; "": the segment has no row. */
struct sluice_index_placed {
	struct sluice_index_frame frame;
	char path[192];
};

/* Among the frames of a camera by time: a device's clock may stand still, or be set back into what
 * another epoch has, so a time alone is no place. */
struct sluice_index_place {
	uint64_t utc_ns, epoch;
	int64_t sequence; /* -1: before the epoch's first */
};

/* Before every frame of that time. */
static inline struct sluice_index_place sluice_index_before(uint64_t utc_ns)
{
	return (struct sluice_index_place){ utc_ns, 0, -1 };
}

static inline struct sluice_index_place sluice_index_place(const struct sluice_index_frame *f)
{
	return (struct sluice_index_place){ f->utc_ns, f->epoch, (int64_t)f->sequence };
}

struct sluice_index_epoch {
	uint8_t camera[16];
	uint64_t epoch;
	uint64_t first_ns, first_utc_ns; /* of its first frame: device monotonic, UTC */
	int64_t told; /* every event that began at or before this sequence is told; -1: none */
	int done;     /* the epoch has ended and everything is told */
};

/* A row of frames that came in a back-fill lane. */
struct sluice_index_run {
	uint8_t camera[16];
	uint64_t epoch, first, last;
	uint64_t first_ns, first_utc_ns; /* of the epoch's first frame */
	int64_t told;			 /* as of an epoch; -1: nothing */
	int done;
};

struct sluice_index_media {
	char name[48];
	uint64_t size;
	uint8_t sha256[32];
};

#define SLUICE_SUMMARY_MEDIA_MAX 32

struct sluice_index_summary {
	char id[33];
	uint8_t camera[16];
	uint64_t epoch;
	uint64_t start_utc_ns, end_utc_ns;
	const char *json;
	const struct sluice_index_media *media;
	size_t media_count;
	uint64_t token;	      /* where its files lie (media.h); 0: under its id */
	int acked;	      /* the device has it on its disk */
	int pinned, nuisance; /* filled by summaries_find alone */
};

/* What a summary must be to be found. All zero finds everything but asks for a limit. */
struct sluice_index_filter {
	const char *camera; /* its name, or the 32 hex digits of its id; NULL: any */
	const char *device;
	const char *kind;  /* "event", "digest", "period", "analysis", "vision" */
	const char *class; /* of a track: "person-like" */
	const char *zone;
	const char *threat;	 /* "1", "2": the level at least */
	const char *text;	 /* every word of it (at most 4) is in title or text; any case */
	uint64_t from_ns, to_ns; /* start is in [from, to), UTC; to 0: no end */
	struct sluice_region region; /* a track was there; all zero: anywhere */
	int confidence;		     /* thousandths, at least */
	int nuisance;		     /* 0 either, 1 only, -1 none */
	int pinned;		     /* likewise */
	const char *after;	     /* cursor of the page before; NULL: the first page */
	unsigned int limit;	     /* rows, 1..SLUICE_FIND_MAX */
};

#define SLUICE_FIND_MAX	    1000
#define SLUICE_FIND_SCANNED 10000 /* rows looked at for one page */

/* What may go, the least missed first. */
enum sluice_index_class {
	SLUICE_CLASS_QUIET,    /* keep-alive and audit frames alone */
	SLUICE_CLASS_NUISANCE, /* events, and all of them nuisance */
	SLUICE_CLASS_MOTION,   /* the rest */
};

/* A bucket of the timeline that is not empty. */
struct sluice_index_bucket {
	uint64_t start_ns;
	uint32_t events, nuisance; /* nuisance: of the events */
};

#define SLUICE_BUCKETS_MAX 5000 /* of a range, for each camera */
#define SLUICE_FRAMES_MAX  5000 /* rows of one call of frames_between */
#define SLUICE_LEDGER_S	   300	/* the last of each such span is kept */

/* Row functions: non-zero ends the walk and is returned by it. Rows are borrowed. */
typedef int (*sluice_index_camera_fn)(void *ctx, const struct sluice_camera *c,
				      uint64_t seen_utc_ns, uint32_t width, uint32_t height,
				      const void *ledger, size_t ledger_size);
typedef int (*sluice_index_segment_fn)(void *ctx, const struct sluice_index_segment *s);
typedef int (*sluice_index_frame_fn)(void *ctx, const struct sluice_index_frame *f);
typedef int (*sluice_index_epoch_fn)(void *ctx, const struct sluice_camera *c,
				     const struct sluice_index_epoch *e);
typedef int (*sluice_index_run_fn)(void *ctx, const struct sluice_camera *c,
				   const struct sluice_index_run *r);
typedef int (*sluice_index_summary_fn)(void *ctx, const struct sluice_camera *c,
				       const struct sluice_index_summary *s);
typedef int (*sluice_index_bucket_fn)(void *ctx, const struct sluice_camera *c,
				      const struct sluice_index_bucket *b);
typedef int (*sluice_index_ledger_fn)(void *ctx, uint64_t utc_ns, uint64_t epoch,
				      const void *ledger, size_t size);

/* Long work over what is stored (jobs.h). */
enum sluice_job_state {
	SLUICE_JOB_QUEUED,
	SLUICE_JOB_RUNNING,
	SLUICE_JOB_DONE,
	SLUICE_JOB_FAILED,
	SLUICE_JOB_CANCELLED,
};

#define SLUICE_JOB_TRIES 3 /* lives that may end in it; then it has failed */

/* A row of jobs. Texts are borrowed; read, they are valid until the next call with the index. */
struct sluice_index_job {
	char id[33];
	uint8_t camera[16];
	char kind[16], by[48];	 /* what it does (jobs.h); "user:NAME", "token:NAME", "node", ... */
	uint64_t from_ns, to_ns; /* of what is stored, UTC */
	uint64_t made_ns, began_ns, ended_ns;
	enum sluice_job_state state;
	int cancel;	      /* somebody wants it to end; it runs yet */
	int tries;	      /* times that it was begun, but for those that a stop broke off */
	int per_mille;	      /* done of it */
	const char *settings; /* a JSON object */
	const char *result;   /* likewise, "" until there is one */
	const char *error;    /* of FAILED: a sentence; else "" */
};

/* Which jobs; all zero: any, but that asks for a limit. */
struct sluice_index_job_filter {
	const char *id, *kind;
	const char *camera;  /* its name, or its id in hex */
	unsigned int states; /* bits by state; 0: any */
	unsigned int limit;
};

/* What was counted of a camera's gate (tally.h) in a day of UTC, under a version of its settings,
 * in one kind of lane. */
struct sluice_index_tally {
	uint8_t camera[16];
	uint32_t day; /* since 1970 */
	uint32_t settings;
	uint32_t lane;	    /* enum sluice_wire_lane */
	const void *counts; /* packed; borrowed */
	size_t size;
};

#define SLUICE_TALLY_DAYS 30  /* kept of a camera, and ... */
#define SLUICE_TALLY_ROWS 128 /* ... so many rows at most */

typedef int (*sluice_index_tally_fn)(void *ctx, const struct sluice_index_tally *t);

typedef int (*sluice_index_job_fn)(void *ctx, const struct sluice_camera *c,
				   const struct sluice_index_job *j);

struct sluice_index;

struct sluice_index_ops {
	void (*close)(struct sluice_index *ix);

	/* Everything between begin and commit is durable together or not at all. After a failed
	 * call in between: rollback. */
	int (*begin)(struct sluice_index *ix);
	int (*commit)(struct sluice_index *ix);
	void (*rollback)(struct sluice_index *ix);

	/*
	 * The same for whoever has the lease of a partition (bus.h), by its token. -ESTALE:
	 * somebody with a later one has written there, so the lease is lost; nothing has begun, and
	 * it is counted. What was written under a token before is not taken back.
	 */
	int (*begin_fenced)(struct sluice_index *ix, unsigned int partition, uint64_t token);
	/* of a partition: the latest token that has written, and how often an earlier one was
	 * refused; -ENOENT: none has */
	int (*fence)(struct sluice_index *ix, unsigned int partition, uint64_t *token,
		     uint64_t *refused);

	/* -EDQUOT: the device has used SLUICE_CAMERAS_MAX names. Known ones: 0 */
	int (*camera_add)(struct sluice_index *ix, const struct sluice_camera *c);
	int (*camera_find)(struct sluice_index *ix, const uint8_t id[16], struct sluice_camera *c);
	/* newest frame and picture size; width 0 leaves the size */
	int (*camera_seen)(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
			   uint32_t width, uint32_t height);
	/* newest ledger as it came (LEDGER field of STATS); the last of each SLUICE_LEDGER_S is
	 * kept for ledgers() */
	int (*camera_ledger)(struct sluice_index *ix, const uint8_t id[16], uint64_t utc_ns,
			     uint64_t epoch, const void *ledger, size_t size);
	int (*cameras)(struct sluice_index *ix, const struct sluice_whose *whose,
		       sluice_index_camera_fn fn, void *ctx);

	int (*segment_add)(struct sluice_index *ix, struct sluice_index_segment *s); /* sets id */
	/* id says which; what is told when a segment is closed is taken */
	int (*segment_closed)(struct sluice_index *ix, const struct sluice_index_segment *s);
	int (*segment_find)(struct sluice_index *ix, const char *path,
			    struct sluice_index_segment *s);
	int (*segments)(struct sluice_index *ix, sluice_index_segment_fn fn, void *ctx);
	/* frames of the segment at or behind offset: how many */
	int (*segment_beyond)(struct sluice_index *ix, const struct sluice_index_segment *s,
			      uint64_t offset, uint64_t *count);

	/* a frame that is there already stays as it is: 0 */
	int (*frame_add)(struct sluice_index *ix, const struct sluice_index_frame *f);
	/* highest stored sequence of the epoch, of those from first to last */
	int (*frame_last)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			  uint64_t first, uint64_t last, uint64_t *sequence);
	/* path: of its segment, 192 bytes */
	int (*frame_find)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			  uint64_t sequence, struct sluice_index_frame *f, char *path);
	/* in order, those of a kind of lane with a sequence > after (-1: all) and <= last */
	int (*frames)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
		      int64_t after, uint64_t last, uint32_t lane, sluice_index_frame_fn fn,
		      void *ctx);
	/* the same, a page at a time: the first of them, at most room, into rows. How many. */
	int (*frames_page)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			   int64_t after, uint64_t last, uint32_t lane,
			   struct sluice_index_placed *rows, unsigned int room);
	/* every frame and segment row goes; before a rebuild */
	int (*frames_clear)(struct sluice_index *ix);
	int (*frames_count)(struct sluice_index *ix, uint64_t *count);

	/* known ones stay as they are */
	int (*epoch_add)(struct sluice_index *ix, const struct sluice_index_epoch *e);
	int (*epoch_find)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			  struct sluice_index_epoch *e);
	int (*epoch_told)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			  int64_t told, int done);
	/* those not done, oldest first */
	int (*epochs_open)(struct sluice_index *ix, sluice_index_epoch_fn fn, void *ctx);

	/* a known one grows to its last, and is not done any more */
	int (*run_add)(struct sluice_index *ix, const struct sluice_index_run *r);
	int (*run_find)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, struct sluice_index_run *r);
	int (*run_told)(struct sluice_index *ix, const uint8_t camera[16], uint64_t epoch,
			uint64_t first, int64_t told, int done);
	/* those not done, in order */
	int (*runs_open)(struct sluice_index *ix, sluice_index_run_fn fn, void *ctx);

	/* whose the summary of that id is, of any tenant, and its token (may be NULL); -ENOENT */
	int (*summary_owner)(struct sluice_index *ix, const char *id, uint8_t camera[16],
			     uint64_t *token);
	/* 1: it was there already, nothing changed; -EEXIST: the id is another camera's */
	int (*summary_add)(struct sluice_index *ix, const struct sluice_index_summary *s);
	int (*summary_acked)(struct sluice_index *ix, const uint8_t camera[16], const char *id);
	/* of one camera, not acknowledged, oldest first; only id, epoch and times are filled */
	int (*summaries_unacked)(struct sluice_index *ix, const uint8_t camera[16],
				 sluice_index_summary_fn fn, void *ctx);
	/* newest first, at most limit; camera: name, NULL for all */
	int (*summaries)(struct sluice_index *ix, const struct sluice_whose *whose,
			 const char *camera, unsigned int limit, sluice_index_summary_fn fn,
			 void *ctx);
	/*
	 * What the filter describes, newest first by start. next (SLUICE_CURSOR_MAX bytes): cursor
	 * of the page behind, "" if this is the last. A page may hold fewer rows than its limit and
	 * yet not be the last: it ends after SLUICE_FIND_SCANNED rows were looked at. -EINVAL: the
	 * cursor is none, or the limit is out of range. Rows carry no media.
	 */
	int (*summaries_find)(struct sluice_index *ix, const struct sluice_whose *who,
			      const struct sluice_index_filter *f, sluice_index_summary_fn fn,
			      void *ctx, char *next);
	/* events that began in [from, to), counted in buckets of width_ns from from on, camera by
	 * camera; camera as in the filter. -EINVAL: more than SLUICE_BUCKETS_MAX. */
	int (*timeline)(struct sluice_index *ix, const struct sluice_whose *who, const char *camera,
			uint64_t from_ns, uint64_t to_ns, uint64_t width_ns,
			sluice_index_bucket_fn fn, void *ctx);
	/* pinned: kept by the retention, with its frames, until it is unpinned. by: who says so;
	 * NULL: unpin. -ENOENT too if it is not theirs. */
	int (*summary_pin)(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			   const char *by, const char *note, uint64_t utc_ns);

	/* an event has begun; it is open until its summary is added or its epoch is done */
	int (*event_open)(struct sluice_index *ix, const struct sluice_index_summary *s);
	/* those open now, or the one of that id; json is the event's (docs/api.md), end_utc_ns 0 */
	int (*events_open)(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			   sluice_index_summary_fn fn, void *ctx);

	/* the stored frame that is nearest to a time (UINT64_MAX >> 1: the newest). path: 192 */
	int (*frame_near)(struct sluice_index *ix, const struct sluice_whose *who,
			  const uint8_t camera[16], uint64_t utc_ns, struct sluice_index_frame *f,
			  char *path);
	/* behind that place up to to_ns, by time, at most limit (SLUICE_FRAMES_MAX); the place of
	 * the last row is where the next page begins */
	int (*frames_between)(struct sluice_index *ix, const struct sluice_whose *who,
			      const uint8_t camera[16], const struct sluice_index_place *after,
			      uint64_t to_ns, unsigned int limit, sluice_index_frame_fn fn,
			      void *ctx);
	/* ledgers kept of [from, to), oldest first */
	int (*ledgers)(struct sluice_index *ix, const struct sluice_whose *who,
		       const uint8_t camera[16], uint64_t from_ns, uint64_t to_ns,
		       sluice_index_ledger_fn fn, void *ctx);
	/* of one camera, newest first */
	int (*epochs)(struct sluice_index *ix, const struct sluice_whose *who,
		      const uint8_t camera[16], unsigned int limit, sluice_index_epoch_fn fn,
		      void *ctx);

	/* ---- retention, of every tenant; a pinned event keeps the segments it has a part in ----
	 */

	/* the oldest closed segment of that class whose frames are all before before_ns */
	int (*segment_oldest)(struct sluice_index *ix, enum sluice_index_class class,
			      uint64_t before_ns, struct sluice_index_segment *s);
	/* Forgets at most limit of its frames; 1: there are more. When none is left its row goes,
	 * and its path is among those that are gone. Half-dropped ones are the first oldest. */
	int (*segment_drop)(struct sluice_index *ix, const struct sluice_index_segment *s,
			    unsigned int limit);
	/* the oldest summary that began before before_ns and is not pinned */
	int (*summary_oldest)(struct sluice_index *ix, uint64_t before_ns, char id[33],
			      struct sluice_camera *c);
	/* its rows; the path of its files is among those that are gone */
	int (*summary_drop)(struct sluice_index *ix, const struct sluice_camera *c, const char *id);
	int (*ledgers_drop)(struct sluice_index *ix, uint64_t before_ns);
	/* of closed segments and of media files */
	int (*bytes)(struct sluice_index *ix, uint64_t *bytes);
	/* a path below the data directory, of which nothing is known any more and which may still
	 * be there, segments before media; gone_done: it is not */
	int (*gone)(struct sluice_index *ix, char path[192]);
	int (*gone_done)(struct sluice_index *ix, const char *path);

	/* ---- jobs; each call is a transaction of its own, unless it is in one ---- */

	/* queued; 1: one of that id is there already, nothing changed */
	int (*job_add)(struct sluice_index *ix, const struct sluice_index_job *j);
	/* The oldest queued one is running from now on: its id. -ENOENT: none is queued. */
	int (*job_take)(struct sluice_index *ix, uint64_t now_ns, char id[33]);
	/* how far it has come, unless it has ended; *cancel: it is to end */
	int (*job_progress)(struct sluice_index *ix, const char *id, int per_mille, int *cancel);
	/* To go on from in a later life: result holds it until the job has ended. -ENOENT: it does
	 * not run. */
	int (*job_note)(struct sluice_index *ix, const char *id, const char *notes);
	/* Ended: state, result, error and ended_ns of j; or queued again as if it had not been
	 * begun, result (notes) with it. -ENOENT: it does not run. */
	int (*job_end)(struct sluice_index *ix, const struct sluice_index_job *j);
	/* a queued one is cancelled, one that runs is asked to end; any other stays: -EALREADY.
	 * -ENOENT too if it is not theirs. */
	int (*job_cancel)(struct sluice_index *ix, const struct sluice_whose *who, const char *id,
			  uint64_t now_ns);
	/* newest first; who NULL: of every tenant */
	int (*jobs)(struct sluice_index *ix, const struct sluice_whose *who,
		    const struct sluice_index_job_filter *f, sluice_index_job_fn fn, void *ctx);
	/* When a node starts: what ran in an earlier life is queued again, or, if that has ended
	 * SLUICE_JOB_TRIES lives, has failed. How many, or -errno. */
	int (*jobs_again)(struct sluice_index *ix, uint64_t now_ns);
	/* those that ended before */
	int (*jobs_drop)(struct sluice_index *ix, uint64_t before_ns);
	/* Cameras of every tenant with an event in [from, to) that is no nuisance, and their
	 * picture; ledger is NULL. */
	int (*cameras_busy)(struct sluice_index *ix, uint64_t from_ns, uint64_t to_ns,
			    sluice_index_camera_fn fn, void *ctx);

	/* in place of what is there of that day, version and lane; what is too old, or too many, of
	 * the camera's goes. In the caller's transaction, if there is one. */
	int (*tally_put)(struct sluice_index *ix, const struct sluice_index_tally *t);
	/* of a camera, from a day on, in order */
	int (*tallies)(struct sluice_index *ix, const uint8_t camera[16], uint32_t from_day,
		       sluice_index_tally_fn fn, void *ctx);

	/* of every tenant, for the check of the whole store */
	int (*summaries_all)(struct sluice_index *ix, sluice_index_summary_fn fn, void *ctx);
	/* one, with its media; -ENOENT too if it is not theirs */
	int (*summary_find)(struct sluice_index *ix, const struct sluice_whose *whose,
			    const char *id, sluice_index_summary_fn fn, void *ctx);
};

/* A frame more in the segment that s describes. */
static inline void sluice_index_segment_frame(struct sluice_index_segment *s, uint64_t utc_ns,
					      uint16_t reason)
{
	if (!s->frames || utc_ns < s->first_utc_ns)
		s->first_utc_ns = utc_ns;
	if (utc_ns > s->last_utc_ns)
		s->last_utc_ns = utc_ns;
	s->frames++;
	s->motion += reason != SLUICE_REASON_KEEPALIVE && reason != SLUICE_REASON_AUDIT;
}

struct sluice_index {
	const struct sluice_index_ops *ops;
};

/*
 * A handle on the index of a data directory, wherever it lies (indexconf.h): index.db in it, made
 * if it does not exist, unless something else was said. Where PostgreSQL cannot be used the log
 * says why. -EREMOTE: it lies there, and this process was not told.
 */
int sluice_index_open(const char *data, struct sluice_index **out);

/* A handle on the SQLite file at path, made if it does not exist. */
int sluice_index_sqlite_open(const char *path, struct sluice_index **out);

static inline void sluice_index_close(struct sluice_index *ix)
{
	if (ix)
		ix->ops->close(ix);
}

#endif
