/* SPDX-License-Identifier: MIT */
/*
 * export.h - an event as a file that goes elsewhere and can be proven there: a ZIP with the stored
 * JPEGs, or an MP4 of them, and a manifest of what is in it, signed with the server's key.
 */
#ifndef SLUICE_EXPORT_H
#define SLUICE_EXPORT_H

#include "cloud/shelf.h"
#include "cloud/whose.h"

#define SLUICE_EXPORT_FRAMES_MAX 20000 /* of one event; an event's part is minutes */
#define SLUICE_EXPORT_BYTES_MAX	 (2ull << 30)
#define SLUICE_EXPORT_ROLL_NS	 5000000000ull /* of frames before and behind it */

enum sluice_export_format {
	SLUICE_EXPORT_ZIP,
	SLUICE_EXPORT_MP4,
	SLUICE_EXPORT_MANIFEST,	 /* of the MP4: its own hash and those of its frames */
	SLUICE_EXPORT_SIGNATURE, /* of that manifest */
};

struct sluice_exported {
	unsigned int frames, missing; /* missing: could not be read; the manifest names them */
	int complete;		      /* 0: the event has not ended yet */
	unsigned int per_mille;	      /* of its time that is in the file so far */
};

/*
 * Writes the event (the id of its summary, or of one that is still open) to fd, an empty file that
 * can be read, written and seeked in. stopping (may be NULL) is asked between frames. 0; -ENOENT:
 * no such event of theirs, or none of its frames is there any more; -EFBIG: beyond the bounds
 * above; -ECANCELED; or what failed.
 */
int sluice_export(const struct sluice_shelf *s, const struct sluice_whose *who, const char *id,
		  enum sluice_export_format format, int fd, int (*stopping)(void *ctx), void *ctx,
		  struct sluice_exported *out);

/* export_mp4.c: JPEGs as they are, at their true times. */
struct sluice_mp4;

/* width and height of the first frame. -ENOMEM, -EIO. */
int sluice_mp4_open(int fd, unsigned int width, unsigned int height, struct sluice_mp4 **out);
/* time_ns must rise. */
int sluice_mp4_frame(struct sluice_mp4 *m, uint64_t time_ns, const uint8_t *jpeg, size_t size);
/* Writes the rest if finish; frees it. NULL-safe. */
int sluice_mp4_close(struct sluice_mp4 *m, int finish);

/* export_zip.c: files as they are. */
struct sluice_zip;

/* fd: empty, written from its beginning on. -ENOMEM. */
int sluice_zip_open(int fd, struct sluice_zip **out);
/* A file of that name, dated utc_ns. After -ENOMEM, -EFBIG or what write() said the archive is not
 * whole any more, and is to be closed without finish. */
int sluice_zip_file(struct sluice_zip *z, const char *name, uint64_t utc_ns, const void *data,
		    size_t size);
/* Writes the directory if finish; frees it. NULL-safe. */
int sluice_zip_close(struct sluice_zip *z, int finish);

/* sign.c: ECDSA with SHA-256 by DATA/server.key, as `openssl dgst -sha256 -verify` wants it. *out:
 * malloc'd. */
int sluice_sign(const char *data, const void *text, size_t size, uint8_t **out, size_t *out_size);

#endif
