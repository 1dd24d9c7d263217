/* SPDX-License-Identifier: MIT */
/* walk.h - the files of a data directory in order of their names, and whose they are. Paths are
 * below the data directory. A non-zero return of a function ends the walk and is returned. */
#ifndef SLUICE_WALK_H
#define SLUICE_WALK_H

#include <dirent.h>

#include "cloud/camera.h"

/* Called for each segment file. */
typedef int (*sluice_walk_fn)(void *ctx, const struct sluice_camera *c, const char *path);

int sluice_walk_segments(const char *data, sluice_walk_fn fn, void *ctx);

/* Called for each summary's directory. */
typedef int (*sluice_walk_media_fn)(void *ctx, const char *tenant, const uint8_t camera[16],
				    const char *id, const char *path);

int sluice_walk_media(const char *data, sluice_walk_media_fn fn, void *ctx);

/* Calls fn for every name in data/path. A directory that is not there is empty. */
int sluice_each_name(const char *data, const char *path, int (*filter)(const struct dirent *),
		     int (*fn)(void *ctx, const char *path, const char *name), void *ctx);

/* A filter: what does not begin with a dot. */
int sluice_is_entry(const struct dirent *d);

#endif
