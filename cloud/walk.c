// SPDX-License-Identifier: MIT
/* walk.c - the files of a data directory in order of their names, and whose they are. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/walk.h"

int sluice_is_entry(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int is_segment(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 4 && !strcmp(d->d_name + n - 4, ".seg");
}

int sluice_each_name(const char *data, const char *path, int (*filter)(const struct dirent *),
		     int (*fn)(void *ctx, const char *path, const char *name), void *ctx)
{
	struct dirent **list = NULL;
	char full[4096];
	int i, n, err = 0;

	snprintf(full, sizeof(full), "%s/%s", data, path);
	n = scandir(full, &list, filter, alphasort);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (i = 0; i < n; i++) {
		if (!err)
			err = fn(ctx, path, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return err;
}

struct walk {
	const char *data;
	sluice_walk_fn fn;
	void *ctx;
	char name[2][SLUICE_NAME_MAX]; /* tenant, device */
	int depth;
	struct sluice_camera camera;
};

static int walk_file(void *ctx, const char *path, const char *name)
{
	struct walk *w = ctx;
	char file[4096];

	if (snprintf(file, sizeof(file), "%s/%s", path, name) >= 192)
		return 0; /* none of ours */
	return w->fn(w->ctx, &w->camera, file);
}

static int walk_name(void *ctx, const char *path, const char *name)
{
	struct walk *w = ctx;
	char below[4096];
	int err;

	if (!sluice_name_valid(name) ||
	    snprintf(below, sizeof(below), "%s/%s", path, name) >= (int)sizeof(below))
		return 0;
	if (w->depth == 2) {
		err = sluice_camera_init(&w->camera, w->name[0], w->name[1], name);
		return err ? err : sluice_each_name(w->data, below, is_segment, walk_file, w);
	}
	snprintf(w->name[w->depth], SLUICE_NAME_MAX, "%s", name);
	w->depth++;
	err = sluice_each_name(w->data, below, sluice_is_entry, walk_name, w);
	w->depth--;
	return err;
}

int sluice_walk_segments(const char *data, sluice_walk_fn fn, void *ctx)
{
	struct walk w = { .data = data, .fn = fn, .ctx = ctx };

	return sluice_each_name(data, "segments", sluice_is_entry, walk_name, &w);
}

/* ---- media ---- */

struct media_walk {
	const char *data;
	sluice_walk_media_fn fn;
	void *ctx;
	char tenant[SLUICE_NAME_MAX];
	uint8_t camera[16];
};

static int walk_summary(void *ctx, const char *path, const char *id)
{
	struct media_walk *w = ctx;
	char below[4096];

	if (strlen(id) != 32)
		return 0;
	snprintf(below, sizeof(below), "%s/%s", path, id);
	return w->fn(w->ctx, w->tenant, w->camera, id, below);
}

static int walk_media_camera(void *ctx, const char *path, const char *hex)
{
	struct media_walk *w = ctx;
	char below[4096];

	if (sluice_unhex(hex, w->camera, sizeof(w->camera)))
		return 0;
	snprintf(below, sizeof(below), "%s/%s", path, hex);
	return sluice_each_name(w->data, below, sluice_is_entry, walk_summary, w);
}

static int walk_media_tenant(void *ctx, const char *path, const char *tenant)
{
	struct media_walk *w = ctx;
	char below[4096];

	if (!sluice_name_valid(tenant))
		return 0;
	snprintf(w->tenant, sizeof(w->tenant), "%s", tenant);
	snprintf(below, sizeof(below), "%s/%s", path, tenant);
	return sluice_each_name(w->data, below, sluice_is_entry, walk_media_camera, w);
}

int sluice_walk_media(const char *data, sluice_walk_media_fn fn, void *ctx)
{
	struct media_walk w = { .data = data, .fn = fn, .ctx = ctx };

	return sluice_each_name(data, "media", sluice_is_entry, walk_media_tenant, &w);
}
