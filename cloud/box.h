/* SPDX-License-Identifier: MIT */
/*
 * box.h - what the master and a child that decodes say to each other.
 *
 * Both are the same binary, so structs travel as they are; pointers never do. Messages go over a
 * stream socket: a header, then size bytes. Frames lie in shared memory (the area, which the child
 * can only read) as steps, one behind the other, 8-byte aligned. The page of progress is the only
 * thing that both write: its number is believed for blame, never for memory.
 *
 * The child speaks only while it has been given something to do, and for that subject only:
 *
 *	READY			once, when it has given up its rights
 *	OPEN, CLOSE		no answer
 *	RUN			EVENT, SUMMARY, PLAN, TALLY, FETCH (answered by FETCHED), LOOK
 *				(by SEEN) ..., DONE
 *	DIGEST			FETCH ..., SUMMARY or none, DONE
 *	PERIOD			FETCH, PROGRESS ..., SUMMARY or none, DONE
 *
 * What the child says may be said by whoever has taken it over: sluice_box_parse() looks at all of
 * it before anything is used.
 */
#ifndef SLUICE_BOX_H
#define SLUICE_BOX_H

#include <stdatomic.h>
#include <stdint.h>

#include "cloud/analysis.h"
#include "cloud/detector.h"
#include "cloud/digest.h"
#include "cloud/tally.h"

#define SLUICE_BOX_AREA	     (8u << 20) /* bytes of the area */
#define SLUICE_BOX_STEPS     32		/* of a batch at most */
#define SLUICE_BOX_MEDIA     32		/* files of a summary at most */
#define SLUICE_BOX_JSON_MAX  (256u << 10)
#define SLUICE_BOX_REPLY_MAX (64u << 20)
#define SLUICE_BOX_FETCH_MAX (16u << 20)
#define SLUICE_BOX_PLAN_MAX  (16u << 20)
#define SLUICE_BOX_SUBJECTS  65536

enum sluice_box_type {
	SLUICE_BOX_OPEN = 1,
	SLUICE_BOX_CLOSE,
	SLUICE_BOX_RUN,
	SLUICE_BOX_FETCHED,
	SLUICE_BOX_DIGEST,
	SLUICE_BOX_PERIOD, /* as sluice_period_pack() makes it */
	SLUICE_BOX_SEEN,

	SLUICE_BOX_READY = 64,
	SLUICE_BOX_EVENT,
	SLUICE_BOX_SUMMARY,
	SLUICE_BOX_PLAN,
	SLUICE_BOX_FETCH,
	SLUICE_BOX_DONE,
	SLUICE_BOX_PROGRESS,
	SLUICE_BOX_LOOK,
	SLUICE_BOX_TALLY, /* struct sluice_tally */
};

struct sluice_box_header {
	uint32_t type, subject;
	uint64_t size; /* bytes that follow */
};

struct sluice_box_open {
	struct sluice_analysis_config config; /* language is set by the child */
	char language[16];
	uint32_t digests; /* plans are wanted */
	uint32_t looks;	  /* there is a detector */
	uint32_t tallies; /* what the gate did is wanted */
	uint32_t zero;
};

struct sluice_box_run {
	uint32_t steps, zero;
};

enum sluice_box_step_kind {
	SLUICE_STEP_EPOCH = 1,
	SLUICE_STEP_FRAME,
	SLUICE_STEP_CLOCK,
	SLUICE_STEP_FLUSH,
	SLUICE_STEP_ZONES, /* struct sluice_analysis_config lies behind it */
};

/* In the area; the bitmap and then the JPEG of a FRAME lie behind it, the zones of ZONES too. */
struct sluice_box_step {
	uint32_t kind, size; /* size: with what lies behind, a multiple of 8 */
	union {
		struct {
			uint64_t epoch, first_ns, first_utc_ns;
		} epoch;
		struct {
			struct sluice_stored_frame f; /* its pointers are 0 */
			uint32_t cells_size, zero;
		} frame;
		struct {
			uint64_t now_ns, delivered, counts[32];
			uint32_t gate_open, zero;
		} clock;
	};
};

struct sluice_box_progress {
	_Atomic uint32_t at; /* number of the step at work */
};

struct sluice_box_event {
	char id[40]; /* then the JSON and its 0 */
};

struct sluice_box_summary {
	char id[40];
	uint64_t epoch, start_utc_ns, end_utc_ns;
	uint32_t json_size, media_count; /* json_size: without its 0 */
	struct {
		char name[48];
		uint64_t size;
	} media[SLUICE_BOX_MEDIA];
	/* then the JSON and its 0, then the files */
};

struct sluice_box_fetch {
	uint64_t epoch, sequence;
};

struct sluice_box_fetched {
	uint64_t found; /* 0: there is none; then the bytes */
};

/* What is in these pictures; of none: which size they may have. */
struct sluice_box_look {
	uint32_t count, zero;
	struct {
		uint32_t w, h;
	} picture[SLUICE_DETECTOR_PICTURES];
	/* then their bytes, 3 of each pixel, one behind the other */
};

struct sluice_box_seen {
	int32_t err;
	uint32_t side;
	struct sluice_detector_answer answer;
};

struct sluice_box_passed {
	uint32_t per_mille, zero; /* of PROGRESS */
};

struct sluice_box_done {
	int32_t err;
	uint32_t bad; /* frames that did not decode */
};

/* ---- plans: as one piece of memory ---- */

/* Bytes of p, malloc'd, in *data. -ENOMEM, -E2BIG. */
int sluice_box_plan_pack(const struct sluice_digest_plan *p, uint8_t **data, size_t *size);
/* The plan that data holds, malloc'd. -EBADMSG: it holds none. -ENOMEM. */
int sluice_box_plan_unpack(const uint8_t *data, size_t size, struct sluice_digest_plan **out);

/* ---- what the master believes ---- */

/* For whom the child may speak now. */
struct sluice_box_speaker {
	uint32_t subject;
	const char *camera; /* its name */
	uint64_t epoch;
	int digest; /* it makes one: no events, no plans */
	int period; /* of a period: any frame of the camera, progress too */
};

/* Pointers point into the message, which must stay; plan is malloc'd, the caller's. */
struct sluice_box_reply {
	uint32_t type;
	const char *id, *json; /* EVENT */
	struct sluice_summary summary;
	struct sluice_summary_media media[SLUICE_BOX_MEDIA];
	struct sluice_digest_plan *plan;
	struct sluice_box_fetch fetch;
	struct sluice_box_done done;
	const struct sluice_tally *tally;
	int per_mille; /* PROGRESS */
	struct sluice_detector_image look[SLUICE_DETECTOR_PICTURES];
	uint32_t look_count; /* of LOOK; 0: the size is asked for */
};

/* True if a message with such a header may come now. */
int sluice_box_header_ok(const struct sluice_box_header *h, const struct sluice_box_speaker *s);

/* 0; -EBADMSG: nothing of it is to be used; -ENOMEM. data: h->size bytes, 8-byte aligned. */
int sluice_box_parse(const struct sluice_box_header *h, const uint8_t *data,
		     const struct sluice_box_speaker *s, struct sluice_box_reply *r);

#endif
