/* SPDX-License-Identifier: MIT */
/*
 * depot.h - where the bytes of segments lie: a table of functions. depot_dir.c has them below the
 * data directory, where a segment grows (segment.c writes it) until it is closed; depot_s3.c has
 * them in a bucket, where a segment is one object, put whole and never changed.
 *
 * A path is the segment's in the index: segments/TENANT/DEVICE/CAMERA/NAME.seg, 191 bytes at most.
 * Any thread may call. Errors: -ENOENT there is none; -EINVAL no path of a segment; those of a
 * disk, or of s3.h; what an operator has to know is told to the log.
 */
#ifndef SLUICE_DEPOT_H
#define SLUICE_DEPOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "cloud/camera.h"

#define SLUICE_DEPOT_PATH 192

/* A whole segment, borrowed. */
struct sluice_depot_put {
	const char *path;
	const uint8_t *data;
	size_t size;
};

/* One that is being read. */
struct sluice_depot_file {
	const char *path; /* borrowed until shut() */
	int fd;		  /* of a directory; else -1 */
};

struct sluice_depot;

typedef int (*sluice_depot_fn)(void *ctx, const struct sluice_camera *c, const char *path);

struct sluice_depot_ops {
	void (*close)(struct sluice_depot *d);
	/* All durable, side by side, when it returns 0; else any of them may be there, and be found
	 * by each(). One that is there already is replaced. */
	int (*put)(struct sluice_depot *d, const struct sluice_depot_put *puts, size_t count);
	/* Could something be put now? At least so many bytes, where it is known what room there is.
	 */
	int (*probe)(struct sluice_depot *d, size_t bytes);

	/* -ENOENT may come from the first read() only. */
	int (*open)(struct sluice_depot *d, const char *path, struct sluice_depot_file *f);
	/* Bytes read, fewer only at the end. What a bucket is asked for is more than that, and kept
	 * for whoever reads on. */
	ssize_t (*read)(struct sluice_depot *d, struct sluice_depot_file *f, void *buf, size_t size,
			uint64_t offset);
	void (*shut)(struct sluice_depot *d, struct sluice_depot_file *f);
	/* What was read of it is not what was written: what is kept of it is asked for anew. 1:
	 * that is worth a try; 0: it would come to the same. */
	int (*doubt)(struct sluice_depot *d, const char *path);

	/* All of it, malloc'd; -EBADMSG: not the bytes that were put, by the hash that the store
	 * keeps with them (a directory keeps none). */
	int (*load)(struct sluice_depot *d, const char *path, uint8_t **data, size_t *size);
	/* 1: it is there, and was put with so many bytes of that SHA-256 (64 digits); 0: it is not.
	 */
	int (*has)(struct sluice_depot *d, const char *path, const char *sha256, uint64_t size);
	/* Durably; what is not there: 0. */
	int (*remove)(struct sluice_depot *d, const char *path);
	/* Those that are there, in order of their paths, device by device; non-zero of fn ends the
	 * walk and is returned. fn may remove. */
	int (*each)(struct sluice_depot *d, sluice_depot_fn fn, void *ctx);
};

struct sluice_depot {
	const struct sluice_depot_ops *ops;
	const char *data; /* the data directory, of depot_dir.c; else NULL */
	int whole; /* segments are put whole, of one group each, and never cut or appended to;
		    * a call may take seconds */
};

/* Fills in one below a data directory; there is nothing to be closed. data is borrowed. */
void sluice_depot_dir(struct sluice_depot *d, const char *data);

static inline void sluice_depot_close(struct sluice_depot *d)
{
	if (d)
		d->ops->close(d);
}

#endif
