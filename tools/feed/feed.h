/* SPDX-License-Identifier: MIT */
/* feed.h - the parts of sluice-feed, in the order a frame meets them. */
#ifndef SLUICE_FEED_PARTS_H
#define SLUICE_FEED_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kmod/frame.h"

/* options.c */

struct feed_options {
	const char *clip;
	const char *socket; /* NULL: gate only */
	const char *name;
	bool gate_only, json, realtime;
	uint32_t fourcc, width, height; /* 0: the clip's */
	uint32_t every;			/* take one frame in so many */
	uint32_t loop;			/* play so many times */
	double seconds;			/* of the clip's time; 0: all */
	uint64_t arena_bytes;
	struct sluice_settings settings;
};

/* 0: go on; 1: help was printed; 2: wrong use, told. */
int feed_options_parse(struct feed_options *o, int argc, char **argv);

/* shm.c: the ring in a memfd, with the eventfd that wakes its reader. */

struct feed_shm {
	int memfd, wakefd; /* -1: none */
	uint64_t size;
	void *base;
	void *priv;
	struct sluice_ring ring;
	const char *name; /* borrowed */
};

/* 0 or a negative errno. */
int feed_shm_open(struct feed_shm *s, const char *name, uint64_t arena_bytes, uint64_t now_ns);
/* Wake the reader. */
void feed_shm_wake(const struct feed_shm *s);
/* True if a frame of so many bytes finds room, or only the reader's silence is not to blame. */
bool feed_shm_has_room(struct feed_shm *s, size_t bytes);
/* True if the reader has released every record. */
bool feed_shm_released(struct feed_shm *s);
void feed_shm_close(struct feed_shm *s);

/* door.c: the socket where the reader takes the ring. */

struct feed_camera;

struct feed_door {
	const char *path;
	int listener, reader;	    /* -1: none */
	int control, asker;	    /* the same for who asks the gate: control.c */
	struct feed_camera *camera; /* NULL: nobody can ask */
};

/* 0 or a negative errno; a socket file that nobody listens on any more is replaced. */
int feed_door_open(struct feed_door *d, const char *path);
/*
 * Wait at most timeout_ms for somebody at the door; let in, turn away, notice who has left. Returns
 * as soon as something happened, or a signal came.
 */
void feed_door_poll(struct feed_door *d, struct feed_shm *s, int timeout_ms);
void feed_door_close(struct feed_door *d);
/* A socket there, in the place of one that nobody listens on any more; -errno. */
int feed_door_listen(const char *path);

/* control.c: where the gate is asked (lib/feed.h). */

/* 0 or a negative errno. Without it the door has nobody at its control socket. */
int feed_control_open(struct feed_door *d, struct feed_camera *c);
/* The asker's request, or its end. */
void feed_control_serve(struct feed_door *d);
void feed_control_close(struct feed_door *d);

/* verdicts.c: what the gate made of the clip, for people and for programs. */

#define FEED_VERDICTS 4096 /* more than frames can be without a verdict */

struct feed_span {
	double start, end;
};

struct feed_verdicts {
	bool lines; /* print a JSON line a frame */
	uint64_t first_ns;
	struct feed_verdict {
		uint64_t time_ns;
		uint32_t score;
		uint8_t reason; /* 0: none yet */
	} window[FEED_VERDICTS];
	uint64_t handed, printed; /* frames */
	struct feed_span *events;
	size_t event_count, event_room;
	uint64_t busy_ns; /* time spent in the frame path */
};

void feed_verdicts_frame(struct feed_verdicts *v, uint64_t time_ns);
void feed_verdicts_motion(struct feed_verdicts *v);
void feed_verdicts_settle(struct feed_verdicts *v, uint64_t sequence, uint32_t score,
			  enum sluice_reason reason);
/* The end: a JSON line or a table for people, on stdout. */
void feed_verdicts_summary(const struct feed_verdicts *v, const struct feed_options *o,
			   const struct sluice_picture *p, const struct sluice_ledger *l,
			   uint64_t epoch, uint64_t damaged);
void feed_verdicts_free(struct feed_verdicts *v);

/* camera.c: the gate core around one clip. */

struct feed_camera {
	struct sluice_picture picture;
	struct sluice_ledger ledger;
	struct sluice_path *path;
	struct sluice_settings settings; /* in force */
	uint32_t map_crc;		 /* of the threshold map; 0: none */
	struct feed_shm *shm;		 /* NULL: gate only */
	struct feed_verdicts *verdicts;
	uint32_t driver_sequence;
};

/* 0, -EOPNOTSUPP or -EINVAL (format or size that the gate does not know), -ENOMEM. */
int feed_camera_open(struct feed_camera *c, const struct feed_options *o, uint32_t fourcc,
		     uint32_t width, uint32_t height);
void feed_camera_frame(struct feed_camera *c, const void *data, size_t len, uint64_t time_ns);
/* Settle what waits, and say ENDED to the reader. */
void feed_camera_end(struct feed_camera *c);
void feed_camera_close(struct feed_camera *c);

#endif
