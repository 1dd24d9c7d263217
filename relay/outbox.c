// SPDX-License-Identifier: MIT
/*
 * A file outbox/SINK/ID holds "CAMERA/YYYY-MM-DD". It is made before the summary gets its name and
 * removed when the sink has announced it, so whatever happens in between, the next run finds it.
 * One whose summary is not there was made by a run that ended before the summary was complete: it
 * is removed at the start, and made again when the summary comes again.
 *
 * In memory at most QUEUE_MAX wait; when they are through, the directory is read again.
 */
#include "relay/outbox.h"
#include "lib/wire.h"
#include "relay/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_MAX 256

struct relay_outbox {
	int fd, event, summaries;
	char *state;
	pthread_mutex_t lock; /* of what follows */
	struct relay_notice queue[QUEUE_MAX];
	unsigned int first, count;
	bool more; /* there are some that did not fit */
	bool ending;
};

static bool fill_notice(struct relay_notice *n, const char *id, const char *day)
{
	const char *slash = strchr(day, '/');

	if (!sluice_wire_id_ok(id) || !slash || (size_t)(slash - day) >= sizeof(n->camera) ||
	    strlen(slash) != 11 || strchr(slash + 1, '/') || day[0] == '.')
		return false;
	memset(n, 0, sizeof(*n));
	memcpy(n->id, id, sizeof(n->id));
	snprintf(n->day, sizeof(n->day), "%s", day);
	memcpy(n->camera, day, (size_t)(slash - day));
	return true;
}

/* With the lock. */
static void enqueue(struct relay_outbox *o, const struct relay_notice *n)
{
	if (o->count == QUEUE_MAX) {
		o->more = true;
		return;
	}
	o->queue[(o->first + o->count++) % QUEUE_MAX] = *n;
}

/* With the lock: what is on disk and not in the queue. drop: remove what has no summary. */
static void read_box(struct relay_outbox *o, bool drop)
{
	int fd = openat(o->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct relay_notice n;
	struct dirent *e;
	char path[128], *day;
	struct stat st;
	uint32_t size;

	if (!d && fd >= 0)
		close(fd);
	o->more = false;
	while (d && (e = readdir(d))) {
		if (!sluice_wire_id_ok(e->d_name))
			continue;
		day = (char *)relay_file_read(o->fd, e->d_name, sizeof(n.day) - 1, &size);
		if (day && fill_notice(&n, e->d_name, day)) {
			snprintf(path, sizeof(path), "%s/%s", n.day, n.id);
			if (!fstatat(o->summaries, path, &st, AT_SYMLINK_NOFOLLOW))
				enqueue(o, &n);
			else if (drop)
				unlinkat(o->fd, e->d_name, 0);
		} else if (drop) {
			unlinkat(o->fd, e->d_name, 0);
		}
		free(day);
	}
	if (d)
		closedir(d);
}

struct relay_outbox *relay_outbox_open(const char *state, const char *sink, int *err)
{
	struct relay_outbox *o = calloc(1, sizeof(*o));
	int top = -1, box = -1;

	*err = -ENOMEM;
	if (!o)
		return NULL;
	o->fd = o->event = o->summaries = -1;
	pthread_mutex_init(&o->lock, NULL);
	o->state = strdup(state);
	if (!o->state)
		goto fail;
	top = relay_tree_open(AT_FDCWD, state);
	box = top < 0 ? -1 : relay_tree_open(top, "outbox");
	o->fd = box < 0 ? -1 : relay_tree_open(box, sink);
	o->summaries = o->fd < 0 ? -1 : relay_tree_open(top, "summaries");
	o->event = o->summaries < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*err = o->event < 0 ? -errno : 0;
	if (*err)
		goto fail;
	close(box);
	close(top);
	read_box(o, true);
	eventfd_write(o->event, 1);
	return o;
fail:
	if (box >= 0)
		close(box);
	if (top >= 0)
		close(top);
	relay_outbox_close(o);
	return NULL;
}

void relay_outbox_close(struct relay_outbox *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	if (o->event >= 0)
		close(o->event);
	if (o->summaries >= 0)
		close(o->summaries);
	pthread_mutex_destroy(&o->lock);
	free(o->state);
	free(o);
}

int relay_outbox_stage(struct relay_outbox *o, const char *id, const char *day)
{
	int err;

	unlinkat(o->fd, id, 0);
	err = relay_file_write(o->fd, id, (const uint8_t *)day, strlen(day));
	return err ? err : fsync(o->fd) ? -errno : 0;
}

void relay_outbox_ready(struct relay_outbox *o, const char *id, const char *day)
{
	struct relay_notice n;

	if (!fill_notice(&n, id, day))
		return;
	pthread_mutex_lock(&o->lock);
	enqueue(o, &n);
	pthread_mutex_unlock(&o->lock);
	eventfd_write(o->event, 1);
}

bool relay_outbox_waiting(struct relay_outbox *o, const char *id)
{
	return !faccessat(o->fd, id, F_OK, AT_SYMLINK_NOFOLLOW);
}

void relay_outbox_wake(struct relay_outbox *o)
{
	eventfd_write(o->event, 1);
}

void relay_outbox_end(struct relay_outbox *o)
{
	pthread_mutex_lock(&o->lock);
	o->ending = true;
	pthread_mutex_unlock(&o->lock);
	eventfd_write(o->event, 1);
}

bool relay_outbox_ending(struct relay_outbox *o)
{
	bool ending;

	pthread_mutex_lock(&o->lock);
	ending = o->ending;
	pthread_mutex_unlock(&o->lock);
	return ending;
}

int relay_outbox_fd(struct relay_outbox *o)
{
	return o->event;
}

void relay_outbox_quiet(struct relay_outbox *o)
{
	eventfd_t n;

	eventfd_read(o->event, &n);
}

bool relay_outbox_take(struct relay_outbox *o, struct relay_notice *n)
{
	bool found;

	pthread_mutex_lock(&o->lock);
	if (!o->count && o->more)
		read_box(o, false);
	found = o->count;
	if (found) {
		*n = o->queue[o->first];
		o->first = (o->first + 1) % QUEUE_MAX;
		o->count--;
	}
	pthread_mutex_unlock(&o->lock);
	return found;
}

void relay_outbox_again(struct relay_outbox *o, const struct relay_notice *n)
{
	pthread_mutex_lock(&o->lock);
	enqueue(o, n);
	pthread_mutex_unlock(&o->lock);
}

void relay_outbox_done(struct relay_outbox *o, const struct relay_notice *n)
{
	unlinkat(o->fd, n->id, 0);
}

void relay_outbox_path(const struct relay_outbox *o, const struct relay_notice *n, const char *file,
		       char *out, size_t size)
{
	snprintf(out, size, "%s/summaries/%s/%s%s%s", o->state, n->day, n->id, file[0] ? "/" : "",
		 file);
}

void relay_outbox_wait(struct relay_outbox *o, int timeout_ms)
{
	struct pollfd p = { .fd = o->event, .events = POLLIN };

	poll(&p, 1, timeout_ms);
	relay_outbox_quiet(o);
}
