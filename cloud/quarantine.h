/* SPDX-License-Identifier: MIT */
/*
 * quarantine.h - frames that killed a child twice: DATA/quarantine/NAME.bin (the bytes, as they
 * came; sealed where the store is) and NAME.json (whose, what it died of, and what the bytes are).
 * NAME is CAMERA-EPOCH-SEQUENCE, the camera as 32 hex digits. What is there is never analysed
 * again.
 */
#ifndef SLUICE_QUARANTINE_H
#define SLUICE_QUARANTINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/analysis.h"
#include "cloud/camera.h"
#include "cloud/seal.h"

#define SLUICE_QUARANTINE_MAX  4096 /* frames */
#define SLUICE_QUARANTINE_NAME 80

struct sluice_quarantine;

/* Reads what is there; the directory is made when it is first needed. keys: borrowed, may be NULL.
 * Thread-safe. -errno. */
int sluice_quarantine_open(const char *data, const struct sluice_keyring *keys,
			   struct sluice_quarantine **out);
/* NULL-safe. */
void sluice_quarantine_close(struct sluice_quarantine *q);

/* Is the frame in it? q may be NULL: no. Cheap. */
int sluice_quarantine_has(struct sluice_quarantine *q, const uint8_t camera[16], uint64_t epoch,
			  uint64_t sequence);

/* The frame is known from now on, whatever is returned; 0, or why it is not on the disk (-ENOSPC,
 * ...), so that a restart will meet it again. -ENOBUFS: SLUICE_QUARANTINE_MAX are known. */
int sluice_quarantine_add(struct sluice_quarantine *q, const struct sluice_camera *c,
			  const struct sluice_stored_frame *f, const char *death);

/* How many there are. */
size_t sluice_quarantine_count(struct sluice_quarantine *q);

/* ---- for the command ---- */

/* fn(ctx, NAME, note) for each note that can be read; the note is borrowed. 0 or -errno. */
int sluice_quarantine_each(const char *data, int (*fn)(void *ctx, const char *name, json_t *note),
			   void *ctx);
/* NAME's frame; its pointers point into *bytes, malloc'd, the caller's. -ENOENT, -EINVAL: no such
 * name, -EBADMSG: its note and bytes do not belong together, -ENOKEY: sealed by a key that is not
 * in keys. */
int sluice_quarantine_frame(const char *data, const struct sluice_keyring *keys, const char *name,
			    struct sluice_stored_frame *f, uint8_t **bytes);
/* -ENOENT, -EINVAL. */
int sluice_quarantine_drop(const char *data, const char *name);

#endif
