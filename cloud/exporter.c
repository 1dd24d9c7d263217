// SPDX-License-Identifier: MIT
/*
 * exporter.c - see exporter.h.
 *
 * A thread an export, with an index and a rebuilder of its own: it reads for seconds and must not
 * hold up a loop. The file has no name, so that a crash leaves nothing behind; it lies on the
 * store's own file system, and takes its room for as long as it is being sent. The answer goes back
 * to the connection's loop, and is dropped there if the connection has gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/api_call.h"
#include "cloud/exporter.h"
#include "lib/log.h"

struct sluice_exporter {
	const char *data;
	struct sluice_media *media;
	pthread_mutex_t lock;
	pthread_cond_t less;
	/* under the lock */
	unsigned int running;
	int stopping;
};

struct job {
	struct sluice_exporter *x;
	struct sluice_io *io;
	struct sluice_later *later;
	char tenant[SLUICE_NAME_MAX], *cameras;
	char id[33];
	enum sluice_export_format format;
	/* the result */
	int fd; /* or -errno */
};

/* ---- a file as a body ---- */

struct file_pull {
	struct sluice_pull base;
	int fd;
	off_t at;
};

static ssize_t pull_file(struct sluice_pull *p, uint8_t *buf, size_t size)
{
	struct file_pull *f = (struct file_pull *)p;
	ssize_t n;

	do
		n = pread(f->fd, buf, size, f->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	f->at += n;
	return n;
}

static void close_file(struct sluice_pull *p)
{
	struct file_pull *f = (struct file_pull *)p;

	close(f->fd);
	free(f);
}

static const struct sluice_pull_ops file_ops = { pull_file, close_file };

static const struct {
	const char *type, *disposition;
} kinds[] = {
	[SLUICE_EXPORT_ZIP] = { "application/zip", "attachment; filename=\"event.zip\"" },
	[SLUICE_EXPORT_MP4] = { "video/mp4", "attachment; filename=\"event.mp4\"" },
	[SLUICE_EXPORT_MANIFEST] = { "application/json",
				     "attachment; filename=\"event.manifest.json\"" },
	[SLUICE_EXPORT_SIGNATURE] = { "application/octet-stream",
				      "attachment; filename=\"event.manifest.sig\"" },
};

int sluice_exporter_body(struct sluice_response *r, int fd, enum sluice_export_format format)
{
	struct file_pull *f = calloc(1, sizeof(*f));
	struct stat st;

	if (!f || fstat(fd, &st) < 0) {
		free(f);
		close(fd);
		return -ENOMEM;
	}
	f->base.ops = &file_ops;
	f->fd = fd;
	r->status = 200;
	r->type = kinds[format].type;
	r->disposition = kinds[format].disposition;
	r->pull = &f->base;
	r->length = st.st_size;
	return 0;
}

static void answer_problem(struct sluice_response *r, int err)
{
	struct sluice_call c = { .out = r };

	if (err == -EFBIG)
		sluice_answer_problem(&c, 413, "the event is too long to be exported at once");
	else
		sluice_answer_problem(&c, err == -ENOENT ? 404 : err == -ENOSPC ? 507 : 500, NULL);
}

/* In the connection's loop. */
static void answer(void *arg)
{
	struct job *j = arg;
	struct sluice_response r = { 0 };

	if (j->fd >= 0)
		j->fd = sluice_exporter_body(&r, j->fd, j->format);
	if (j->fd < 0)
		answer_problem(&r, j->fd);
	sluice_http_answer(j->later, &r);
	free(j->cameras);
	free(j);
}

/* ---- the thread ---- */

static int is_stopping(void *ctx)
{
	struct sluice_exporter *x = ctx;
	int stopping;

	pthread_mutex_lock(&x->lock);
	stopping = x->stopping;
	pthread_mutex_unlock(&x->lock);
	return stopping;
}

int sluice_exporter_make(const char *data, struct sluice_media *media,
			 const struct sluice_whose *who, const char *id,
			 enum sluice_export_format format, int (*stopping)(void *ctx), void *ctx,
			 struct sluice_exported *out)
{
	struct sluice_shelf shelf = { .data = data, .media = media };
	int fd, err;

	err = sluice_index_open(data, &shelf.index);
	if (err)
		return err;
	shelf.rebuild = sluice_rebuild_open();
	fd = open(data, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (!shelf.rebuild)
		err = -ENOMEM;
	else if (fd < 0)
		err = -errno;
	else
		err = sluice_export(&shelf, who, id, format, fd, stopping, ctx, out);
	sluice_rebuild_close(shelf.rebuild);
	sluice_index_close(shelf.index);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static void *export_main(void *arg)
{
	struct job *j = arg;
	struct sluice_exporter *x = j->x;
	const struct sluice_whose who = { j->tenant, j->cameras };
	struct sluice_exported out;

	j->fd = sluice_exporter_make(x->data, x->media, &who, j->id, j->format, is_stopping, x,
				     &out);
	if (j->fd < 0 && j->fd != -ENOENT && j->fd != -ECANCELED)
		sluice_error("cannot export event %s: %s", j->id, strerror(-j->fd));
	while (sluice_io_post(j->io, answer, j))
		usleep(10000); /* out of memory: the connection waits for it */
	pthread_mutex_lock(&x->lock);
	x->running--;
	pthread_cond_signal(&x->less);
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

int sluice_exporter_add(struct sluice_exporter *x, struct sluice_io *io, struct sluice_later *later,
			const struct sluice_whose *who, const char *id,
			enum sluice_export_format format)
{
	struct job *j = calloc(1, sizeof(*j));
	pthread_t thread;
	int err = 0;

	if (!j)
		return -ENOMEM;
	*j = (struct job){ .x = x, .io = io, .later = later, .format = format };
	snprintf(j->tenant, sizeof(j->tenant), "%s", who->tenant);
	snprintf(j->id, sizeof(j->id), "%s", id);
	j->cameras = who->cameras ? strdup(who->cameras) : NULL;
	if (who->cameras && !j->cameras)
		err = -ENOMEM;
	pthread_mutex_lock(&x->lock);
	if (!err && (x->stopping || x->running == SLUICE_EXPORTS_MAX))
		err = -EBUSY;
	if (!err)
		err = -pthread_create(&thread, NULL, export_main, j);
	if (!err) {
		pthread_detach(thread);
		x->running++;
	}
	pthread_mutex_unlock(&x->lock);
	if (err) {
		free(j->cameras);
		free(j);
	}
	return err;
}

struct sluice_exporter *sluice_exporter_open(const char *data, struct sluice_media *media)
{
	struct sluice_exporter *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->data = data;
	x->media = media;
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->less, NULL);
	return x;
}

void sluice_exporter_close(struct sluice_exporter *x)
{
	if (!x)
		return;
	pthread_mutex_lock(&x->lock);
	x->stopping = 1;
	while (x->running)
		pthread_cond_wait(&x->less, &x->lock);
	pthread_mutex_unlock(&x->lock);
	pthread_cond_destroy(&x->less);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
