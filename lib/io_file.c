// SPDX-License-Identifier: MIT
/*
 * Files: one request at a time on one descriptor. A write that the kernel takes in part goes on
 * where it stopped; a read goes on until its end or the end of the file. Closing leaves a request
 * that is under way to the kernel and forgets its answer.
 */
#include "lib/io_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct sluice_io_file {
	struct io_object object;
	struct sluice_io_request request;
	void (*fn)(void *arg, int result);
	void *arg;
	int fd;
	uint32_t done; /* bytes of this read or write so far */
	void *left;    /* freed at the end */
};

/* What the request comes to; true if it goes on instead. */
static bool goes_on(struct sluice_io_file *f, int *result)
{
	struct sluice_io_request *r = &f->request;

	if (*result == -EINTR || *result == -EAGAIN)
		return true;
	if (r->op == SLUICE_IO_OPEN && *result >= 0) {
		f->fd = *result;
		*result = 0;
	} else if ((r->op == SLUICE_IO_READ || r->op == SLUICE_IO_WRITE) && *result >= 0) {
		f->done += (uint32_t)*result;
		r->bytes = (uint8_t *)r->bytes + *result;
		r->offset += (uint32_t)*result;
		r->size -= (uint32_t)*result;
		if (*result && r->size)
			return true;
		*result = r->op == SLUICE_IO_WRITE && r->size ? -EIO : (int)f->done;
	}
	return false;
}

static void file_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_file *f = io_container(r, struct sluice_io_file, request);

	if (f->object.closed) {
		if (r->op == SLUICE_IO_OPEN && result >= 0)
			f->fd = result;
	} else if (goes_on(f, &result)) {
		sluice_io_object_submit(&f->object, r);
	} else {
		f->fn(f->arg, result);
	}
	sluice_io_object_answered(&f->object);
}

static void file_release(struct io_object *o)
{
	struct sluice_io_file *f = io_container(o, struct sluice_io_file, object);

	if (f->fd >= 0)
		close(f->fd);
	free(f->left);
	free(f);
}

static void file_stop(struct io_object *o)
{
	sluice_io_file_close(io_container(o, struct sluice_io_file, object));
}

struct sluice_io_file *sluice_io_file_new(struct sluice_io *io, void (*fn)(void *arg, int result),
					  void *arg)
{
	struct sluice_io_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->fn = fn;
	f->arg = arg;
	f->fd = -1;
	f->request.done = file_done;
	f->object.stop = file_stop;
	f->object.release = file_release;
	sluice_io_object_add(io, &f->object);
	return f;
}

static void submit(struct sluice_io_file *f, enum sluice_io_op op)
{
	f->done = 0;
	f->request.op = op;
	f->request.fd = f->fd;
	sluice_io_object_submit(&f->object, &f->request);
}

void sluice_io_file_open(struct sluice_io_file *f, const char *path, int flags, unsigned int mode)
{
	f->request.path = path;
	f->request.flags = flags;
	f->request.mode = mode;
	submit(f, SLUICE_IO_OPEN);
}

int sluice_io_file_hold(struct sluice_io_file *f, const char *path, int flags)
{
	f->fd = open(path, flags | O_CLOEXEC);
	return f->fd < 0 ? -errno : 0;
}

static void transfer(struct sluice_io_file *f, enum sluice_io_op op, void *buf, size_t size,
		     uint64_t offset)
{
	f->request.bytes = buf;
	f->request.size = (uint32_t)size;
	f->request.offset = offset;
	submit(f, op);
}

void sluice_io_file_read(struct sluice_io_file *f, void *buf, size_t size, uint64_t offset)
{
	transfer(f, SLUICE_IO_READ, buf, size, offset);
}

void sluice_io_file_write(struct sluice_io_file *f, const void *buf, size_t size, uint64_t offset)
{
	transfer(f, SLUICE_IO_WRITE, (void *)buf, size, offset);
}

void sluice_io_file_sync(struct sluice_io_file *f)
{
	submit(f, SLUICE_IO_SYNC);
}

bool sluice_io_file_is_open(const struct sluice_io_file *f)
{
	return f->fd >= 0;
}

void sluice_io_file_close(struct sluice_io_file *f)
{
	if (f && !f->object.closed)
		sluice_io_object_close(&f->object);
}

void sluice_io_file_leave(struct sluice_io_file *f, void *buf)
{
	f->left = buf;
	sluice_io_file_close(f);
}
