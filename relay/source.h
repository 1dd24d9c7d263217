/* SPDX-License-Identifier: MIT */
/* source.h - where rings come from: device nodes of the kernel module, and feeds. */
#ifndef RELAY_SOURCE_H
#define RELAY_SOURCE_H

#include "lib/io.h"
#include "relay/drain.h"
#include "relay/gate.h"

#define RELAY_SOURCES_MAX 32

struct relay_sources;

struct relay_sources_config {
	struct sluice_io *io;
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	const char *const *devices;  /* paths; borrowed */
	size_t device_count;
	const char *const *feeds; /* paths of sockets */
	size_t feed_count;
	bool scan; /* take every /dev/sluiceN there is and will be */
	/* A ring came, goes, or has something to look at. */
	void (*changed)(void *arg, struct relay_camera *c);
	void (*ready)(void *arg, struct relay_camera *c);
	void *arg;
};

/* NULL and -errno in *err. */
struct relay_sources *relay_sources_open(const struct relay_sources_config *c, int *err);
/* NULL-safe. Rings are unmapped; what was not released stays in them for the next reader. */
void relay_sources_close(struct relay_sources *s);

/* Once a second and after progress: look at the rings, let finished ones go. */
void relay_sources_tick(struct relay_sources *s);

/* True if every source has been seen and has ended (at least one). */
bool relay_sources_ended(const struct relay_sources *s);

/* A source that was never seen so far, or NULL. */
const char *relay_sources_missing(const struct relay_sources *s);

/* The socket of the feed that a camera's ring comes from into feed[RELAY_FEED_PATH]; "": none does.
 * NULL-safe.
 */
void relay_sources_find(const struct relay_sources *all, const char *camera, char *feed);

#endif
