/* SPDX-License-Identifier: MIT */
/* store_rig.h - a small data directory for tests: one camera, two groups of frames, one event. */
#ifndef SLUICE_TEST_STORE_RIG_H
#define SLUICE_TEST_STORE_RIG_H

#include "cloud/shelf.h"
#include "cloud/store.h"

#define STORE_RIG_FRAMES 6
#define STORE_RIG_BYTES	 500 /* of one */
#define STORE_RIG_EPOCH	 5
#define STORE_RIG_GROUP	 3 /* frames of one commit */

struct store_rig {
	char data[64];
	struct sluice_camera camera;
	struct sluice_keyring ring;
};

extern const char store_rig_id[]; /* of the event */

/* A fresh, empty data directory sealed by key number `key`. Exits on failure. */
void store_rig_begin(struct store_rig *rig, int key);
/* Removes a directory with all that is in it. */
void store_rig_remove(const char *path);

/* One group of frames from `first` on; 1 if it is committed. */
int store_rig_group(struct store_rig *rig, struct sluice_store *s, uint64_t first);
/* The event over all frames, with one key frame. 1: it is put. */
int store_rig_summary(struct store_rig *rig, const struct sluice_shelf *shelf);

/* Index and media of data (the rig's or a copy of it). Both are there, or neither: 0 or -errno. */
int store_rig_shelf(struct store_rig *rig, const char *data, struct sluice_shelf *shelf);
void store_rig_close(struct sluice_shelf *shelf);

/* The bytes that frame `sequence` has. */
void store_rig_fill(uint8_t *out, uint64_t sequence);
/* 0: the frame is there, and it is that one; -EUCLEAN: another one; or why not. */
int store_rig_frame(struct store_rig *rig, const struct sluice_shelf *shelf, uint64_t sequence);

#endif
