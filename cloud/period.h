/* SPDX-License-Identifier: MIT */
/*
 * period.h - what is known of a period of one camera before anything is decoded: its events, what
 * was followed in them, and where its frames are. Filled from summaries (docs/api.md) and the
 * index; the synopsis and the summary of the period are made from it.
 *
 * All times are UTC nanoseconds by the clock of the stream's first frame, in which boxes and frames
 * agree.
 */
#ifndef SLUICE_PERIOD_H
#define SLUICE_PERIOD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_PERIOD_EVENTS_MAX 4000	/* told events of more are counted, and not looked at */
#define SLUICE_PERIOD_TUBES_MAX	 4000	/* likewise */
#define SLUICE_PERIOD_BOXES_MAX	 300000 /* likewise: then every second one of each tube */
#define SLUICE_PERIOD_FRAMES_MAX 250000
#define SLUICE_PERIOD_KEYS	 4 /* key frames remembered of an event */
#define SLUICE_PERIOD_BUCKETS	 60
#define SLUICE_PERIOD_CLASS_MAX	 32 /* bytes of a class, with the final NUL */

struct sluice_period_frame {
	uint64_t epoch, sequence;
	int64_t at_ns;
};

struct sluice_period_box {
	int64_t at_ns;
	int16_t x, y, w, h; /* the camera's pixels */
};

struct sluice_period_event {
	char event[33], summary[33]; /* event's id, and that of the summary */
	char title[96];
	int64_t start_ns, end_ns;
	float confidence;
	uint32_t threat;   /* 0..2 */
	uint32_t concerns; /* bit i: it has one of enum sluice_concern_kind i */
	uint32_t peak, tracks;
	bool nuisance, continued;
	uint32_t key_count;
	struct sluice_period_frame keys[SLUICE_PERIOD_KEYS];
};

/* What was followed in an event that is no nuisance. */
struct sluice_period_tube {
	uint32_t event, track; /* index of the event; id in its summary */
	char class[SLUICE_PERIOD_CLASS_MAX];
	uint32_t seen;	       /* 1: by a detector; 0: the class is guessed */
	uint32_t first, count; /* its boxes, by time */
};

struct sluice_period {
	char camera[32], language[8];
	char id[33], span[8];  /* of the summary; "hour", "day", "other" */
	uint64_t epoch;	       /* of its first event; names the summary's stream */
	uint64_t first_utc_ns; /* of that stream: second 0 */
	int64_t from_ns, to_ns;
	uint32_t width, height; /* the camera's picture; events of another size give no tubes */
	double seconds;		/* of synopsis, at most */
	double order_s;		/* seconds of synopsis by which two may be out of their order */
	uint64_t seen, passed, lost; /* the ledger over the period; all 0: it is not known */
	uint32_t events_untold;	     /* beyond SLUICE_PERIOD_EVENTS_MAX */
	uint32_t tubes_untold; /* beyond SLUICE_PERIOD_TUBES_MAX, or of another picture size */
	uint32_t event_count, tube_count, box_count, frame_count;
	struct sluice_period_event *events; /* by start */
	struct sluice_period_tube *tubes;
	struct sluice_period_box *boxes;
	struct sluice_period_frame *frames; /* by time */
	uint32_t event_room, tube_room, box_room, frame_room;
};

/* From and to are set; the rest of the settings is the caller's to fill. NULL: out of memory. */
struct sluice_period *sluice_period_open(const char *camera, int64_t from_ns, int64_t to_ns);
void sluice_period_free(struct sluice_period *p); /* NULL-safe */

/* An event by its summary.json, of kind "event"; events come by their start. -EINVAL: it is none.
 * -ENOMEM. */
int sluice_period_event(struct sluice_period *p, const json_t *summary);

/* Is something followed, or nearly, at that time? Then its frame is wanted. Events before. */
bool sluice_period_wants(const struct sluice_period *p, int64_t at_ns);
/* Frames come by their time. -ENOSPC, -ENOMEM. */
int sluice_period_frame(struct sluice_period *p, const struct sluice_period_frame *f);

/* The frame nearest to a time; frame_count must not be 0. */
uint32_t sluice_period_near(const struct sluice_period *p, int64_t at_ns);

/* period_pack.c: as one piece of memory, malloc'd. -E2BIG, -ENOMEM. */
int sluice_period_pack(const struct sluice_period *p, uint8_t **data, size_t *size);
/* What data holds, with everything in it looked at. -EBADMSG: it holds none. -ENOMEM. */
int sluice_period_unpack(const uint8_t *data, size_t size, struct sluice_period **out);

#define SLUICE_PERIOD_PACKED_MAX (16u << 20)

#endif
