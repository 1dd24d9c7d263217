/* SPDX-License-Identifier: MIT */
/*
 * stream.h - what happens, told to everyone who may see it as it happens. A ring of the last things
 * told is kept, so that a reader who was away for a moment misses nothing. Any thread.
 */
#ifndef SLUICE_STREAM_H
#define SLUICE_STREAM_H

#include <stdint.h>

#include "cloud/camera.h"

#define SLUICE_STREAM_RING  1024       /* things kept */
#define SLUICE_STREAM_BYTES (4u << 20) /* of their text */
#define SLUICE_STREAM_USER  8	       /* readers of one user or API token */
#define SLUICE_STREAM_ALL   1024       /* readers of the node */

struct sluice_stream;
struct sluice_call;

struct sluice_stream *sluice_stream_open(void);	   /* NULL: out of memory */
void sluice_stream_close(struct sluice_stream *s); /* NULL-safe; when no loop runs any more */

/*
 * type: "event", "summary", "camera", "settings", "command", "job"; one word. camera: whose it is;
 * only who may see it gets it. NULL: everyone of the tenant who is not restricted to cameras. json:
 * one line. Out of memory: it is lost, and readers are told that there is a gap.
 */
void sluice_stream_tell(struct sluice_stream *s, const char *tenant,
			const struct sluice_camera *camera, const char *type, const char *json);

/* "camera": that is its state now. */
void sluice_stream_camera(struct sluice_stream *s, const struct sluice_camera *c,
			  const char *state);

/* Answers the call with a stream that begins behind its Last-Event-ID, or now. */
void sluice_stream_answer(struct sluice_stream *s, struct sluice_call *c);

struct sluice_stream_counters {
	uint64_t told, slow; /* slow: readers that were let go since they did not keep up */
	unsigned int readers;
};

void sluice_stream_count(struct sluice_stream *s, struct sluice_stream_counters *out);

#endif
