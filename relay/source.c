// SPDX-License-Identifier: MIT
/*
 * A source is absent, being asked (a feed that has not yet said hello), or attached to a camera. An
 * absent one is tried again by a timer, and a device node also when inotify says that it has
 * appeared or got other permissions; each reason why not is told once, until it changes.
 *
 * A device is held by its descriptor: closing it gives the ring back, with what was not released.
 * The ring goes when the camera is finished: ended or unplugged, everything STORED, DONE. A feed
 * whose process dies leaves its memory to us: what is in it is still sent, then it is over.
 *
 * A feed that has ended is looked for again at the same path: there may be a next clip.
 */
#include "relay/source.h"
#include "lib/feed.h"
#include "lib/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 1000
#define LOOK_MS	 50	     /* between two looks for the frame after which an event is over */
#define SOON_NS	 1000000000u /* what is over later than that the next tick sees */

enum state { ABSENT, ASKED, ATTACHED };

struct source {
	struct relay_sources *all;
	bool feed, scanned, seen, ended;
	enum state state;
	char path[128];
	int fd;	     /* the device, or the feed's socket */
	int wake_fd; /* the feed's eventfd; -1: the device itself */
	struct sluice_io_watch *watch, *wake_watch;
	struct sluice_io_timer retry;
	struct relay_camera *camera;
	int told;	   /* last error that was told */
	unsigned int busy; /* times in a row */
};

struct relay_sources {
	struct relay_sources_config conf;
	struct source *source[RELAY_SOURCES_MAX];
	size_t count;
	int inotify_fd;
	struct sluice_io_watch *inotify;
	struct sluice_io_timer calm; /* the next event that is over, before the next tick */
};

static void try_source(void *arg);

static void retry_source(struct source *s)
{
	sluice_io_timer_in(s->all->conf.io, &s->retry, RETRY_MS, try_source, s);
}

/* Let go of everything; the camera keeps its counters. */
static void release_source(struct source *s)
{
	sluice_io_unwatch(s->watch);
	sluice_io_unwatch(s->wake_watch);
	s->watch = s->wake_watch = NULL;
	if (s->camera) {
		relay_camera_detach(s->camera);
		s->all->conf.changed(s->all->conf.arg, s->camera);
	}
	s->camera = NULL;
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->wake_fd = -1;
	s->state = ABSENT;
}

/* It cannot be had now; why may be NULL for the error's own words. */
static void miss_source(struct source *s, int err, const char *why)
{
	const char *hint = "";

	release_source(s);
	s->busy = err == -EBUSY ? s->busy + 1 : 0;
	if (s->busy == 1) { /* a relay that was killed holds it for a moment yet */
		retry_source(s);
		return;
	}
	if (err != s->told && (err != -ENOENT || !s->scanned)) {
		if (err == -EACCES)
			hint = "; add the relay's user to the group video";
		else if (err == -EBUSY)
			hint = "; another relay reads it";
		else if (err == -ENOENT || err == -ECONNREFUSED)
			hint = s->feed ? "; waiting for sluice-feed" : "; waiting for the camera";
		sluice_log(err == -ENOENT || err == -ECONNREFUSED ? SLUICE_LOG_INFO
								  : SLUICE_LOG_WARNING,
			   "%s: %s%s", s->path, why ? why : strerror(-err), hint);
	}
	s->told = err;
	if (!s->scanned || err != -ENOENT)
		retry_source(s);
}

/* ---- attaching ---- */

static void on_wake(void *arg, uint32_t revents)
{
	struct source *s = arg;
	uint64_t count;

	/* once: it takes all that was added, and what is added later wakes us again */
	if (s->wake_fd >= 0 && read(s->wake_fd, &count, sizeof(count)) < 0)
		count = 0;
	relay_ring_arm(&s->camera->ring);
	relay_camera_look(s->camera);
	s->all->conf.ready(s->all->conf.arg, s->camera);
}

/* The camera of that name, else a free place, else one whose ring has gone. NULL: none, or in use.
 */
static struct relay_camera *choose_camera(struct relay_sources *all, const char *name)
{
	struct relay_camera *free_place = NULL, *old = NULL;

	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		struct relay_camera *c = &all->conf.camera[i];

		c->slot = i + 1;
		if (!strcmp(c->name, name))
			return c->attached ? NULL : c;
		if (!c->name[0] && !free_place)
			free_place = c;
		else if (!c->attached && !c->held && !old)
			old = c;
	}
	return free_place ? free_place : old;
}

static void attach_source(struct source *s, int ring_fd, uint64_t memfd_bytes)
{
	struct relay_camera *c;
	struct relay_ring ring;
	char why[160];
	int err = relay_ring_map(&ring, ring_fd, memfd_bytes, why, sizeof(why));

	if (err) {
		miss_source(s, err, why);
		return;
	}
	c = choose_camera(s->all, ring.name);
	if (!c) {
		snprintf(why, sizeof(why),
			 "a camera named %s is attached already, or there are %u; give it another "
			 "name",
			 ring.name, SLUICE_WIRE_SLOTS);
		relay_ring_unmap(&ring);
		miss_source(s, -EEXIST, why);
		return;
	}
	err = relay_camera_attach(c, &ring);
	if (err) {
		miss_source(s, err, NULL);
		return;
	}
	s->camera = c;
	s->state = ATTACHED;
	s->seen = true;
	s->ended = false;
	s->told = 0;
	s->wake_watch =
		sluice_io_watch(s->all->conf.io, s->feed ? s->wake_fd : s->fd, POLLIN, on_wake, s);
	if (!s->wake_watch) {
		miss_source(s, -ENOMEM, NULL);
		return;
	}
	relay_ring_arm(&c->ring);
	sluice_info("%s: camera %s is attached%s", s->path, c->name,
		    relay_ring_head(&c->ring) != c->tail ? ", with frames from before" : "");
	s->all->conf.changed(s->all->conf.arg, c);
	s->all->conf.ready(s->all->conf.arg, c);
}

static void open_device(struct source *s)
{
	s->fd = open(s->path, O_RDWR | O_CLOEXEC);
	if (s->fd < 0)
		miss_source(s, -errno, NULL);
	else
		attach_source(s, s->fd, 0);
}

/* ---- feeds ---- */

/* 0 and two descriptors, or -errno. */
static int receive_hello(int fd, struct sluice_feed_hello *hello, int fds[SLUICE_FEED_FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SLUICE_FEED_FDS * sizeof(int))];
	} control;
	struct iovec iov = { hello, sizeof(*hello) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	size_t count = 0;

	if (n < 0)
		return -errno;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), (count < 2 ? count : 2) * sizeof(int));
	}
	if (n != sizeof(*hello) || hello->magic != SLUICE_FEED_MAGIC)
		return n ? -EPROTO : -ECONNREFUSED;
	if (hello->version != SLUICE_FEED_VERSION)
		return -EPROTONOSUPPORT;
	if (hello->status)
		return -(int)(hello->status & 0xfff);
	return count == SLUICE_FEED_FDS && !(m.msg_flags & MSG_CTRUNC) ? 0 : -EPROTO;
}

/* The feed says hello, or later: it has died. */
static void on_feed(void *arg, uint32_t revents)
{
	struct source *s = arg;
	struct sluice_feed_hello hello;
	int fds[SLUICE_FEED_FDS] = { -1, -1 };
	char byte;
	int err;

	if (s->state == ATTACHED) {
		if (recv(s->fd, &byte, 1, MSG_DONTWAIT) > 0)
			return;
		if (errno == EAGAIN || errno == EINTR)
			return;
		relay_camera_look(s->camera);
		if (!(s->camera->now.state & SLUICE_STATE_ENDED))
			sluice_warning("%s: the feed is gone before its end", s->path);
		s->camera->gone = true;
		s->all->conf.ready(s->all->conf.arg, s->camera);
		return;
	}
	err = receive_hello(s->fd, &hello, fds);
	if (err == -EAGAIN || err == -EINTR)
		return;
	s->wake_fd = fds[1];
	if (err)
		miss_source(s, err, err == -EPROTO ? "no feed of Sluice there" : NULL);
	else
		attach_source(s, fds[0], hello.size);
	if (fds[0] >= 0)
		close(fds[0]); /* the map holds the memory */
}

static void open_feed(struct source *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(s->path) >= sizeof(a.sun_path)) {
		miss_source(s, -ENAMETOOLONG, NULL);
		return;
	}
	memcpy(a.sun_path, s->path, strlen(s->path));
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&a, sizeof(a))) {
		miss_source(s, -errno, NULL);
		return;
	}
	s->state = ASKED;
	s->watch = sluice_io_watch(s->all->conf.io, s->fd, POLLIN | POLLRDHUP, on_feed, s);
	if (!s->watch)
		miss_source(s, -ENOMEM, NULL);
}

static void try_source(void *arg)
{
	struct source *s = arg;

	if (s->state != ABSENT)
		return;
	sluice_io_timer_cancel(s->all->conf.io, &s->retry);
	if (s->feed)
		open_feed(s);
	else
		open_device(s);
}

/* ---- the set of sources ---- */

static struct source *add_source(struct relay_sources *all, const char *path, bool feed,
				 bool scanned)
{
	struct source *s;

	if (all->count == RELAY_SOURCES_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->all = all;
	s->feed = feed;
	s->scanned = scanned;
	s->fd = s->wake_fd = -1;
	snprintf(s->path, sizeof(s->path), "%s", path);
	all->source[all->count++] = s;
	return s;
}

/* A name in /dev that is or has become a ring's. */
static void meet_node(struct relay_sources *all, const char *name)
{
	struct source *s = NULL;
	char path[128];

	if (strncmp(name, "sluice", 6) || !name[6] ||
	    strspn(name + 6, "0123456789") != strlen(name + 6) || strlen(name) > 12)
		return;
	snprintf(path, sizeof(path), "/dev/%s", name);
	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->source[i]->path, path))
			s = all->source[i];
	if (!s && all->conf.scan)
		s = add_source(all, path, false, true);
	if (s)
		try_source(s);
}

static void on_inotify(void *arg, uint32_t revents)
{
	struct relay_sources *all = arg;
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n;

	while ((n = read(all->inotify_fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			if (e->len)
				meet_node(all, e->name);
			p += sizeof(*e) + e->len;
		}
}

static void scan_nodes(struct relay_sources *all)
{
	DIR *d = opendir("/dev");
	struct dirent *e;

	while (d && (e = readdir(d)))
		meet_node(all, e->d_name);
	if (d)
		closedir(d);
}

static int watch_nodes(struct relay_sources *all)
{
	all->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (all->inotify_fd < 0 ||
	    inotify_add_watch(all->inotify_fd, "/dev", IN_CREATE | IN_ATTRIB | IN_MOVED_TO) < 0)
		return -errno;
	all->inotify = sluice_io_watch(all->conf.io, all->inotify_fd, POLLIN, on_inotify, all);
	return all->inotify ? 0 : -ENOMEM;
}

struct relay_sources *relay_sources_open(const struct relay_sources_config *c, int *err)
{
	struct relay_sources *all = calloc(1, sizeof(*all));
	size_t wanted = c->device_count + c->feed_count;

	*err = -ENOMEM;
	if (!all)
		return NULL;
	all->conf = *c;
	all->inotify_fd = -1;
	for (size_t i = 0; i < wanted; i++) {
		bool feed = i >= c->device_count;
		const char *path = feed ? c->feeds[i - c->device_count] : c->devices[i];

		if (!add_source(all, path, feed, false))
			goto fail;
	}
	*err = c->scan || c->device_count ? watch_nodes(all) : 0;
	if (*err)
		goto fail;
	for (size_t i = 0; i < wanted; i++)
		try_source(all->source[i]);
	if (c->scan)
		scan_nodes(all);
	return all;
fail:
	relay_sources_close(all);
	return NULL;
}

void relay_sources_close(struct relay_sources *all)
{
	if (!all)
		return;
	sluice_io_unwatch(all->inotify);
	sluice_io_timer_cancel(all->conf.io, &all->calm);
	if (all->inotify_fd >= 0)
		close(all->inotify_fd);
	for (size_t i = 0; i < all->count; i++) {
		sluice_io_timer_cancel(all->conf.io, &all->source[i]->retry);
		release_source(all->source[i]);
		free(all->source[i]);
	}
	free(all);
}

/* ---- events that are over ---- */

static void on_calm(void *arg);

/* A timer for the first of the events that are over soon. */
static void await_calm(struct relay_sources *all)
{
	uint64_t first = UINT64_MAX, in, ms;

	for (size_t i = 0; i < all->count; i++) {
		const struct source *s = all->source[i];

		in = s->state == ATTACHED ? relay_camera_calm_in(s->camera) : UINT64_MAX;
		first = in && in < first ? in : first;
	}
	ms = first / 1000000;
	if (first < SOON_NS)
		sluice_io_timer_in(all->conf.io, &all->calm, ms > LOOK_MS ? ms : LOOK_MS, on_calm,
				   all);
}

/* Time goes by with the frames that the gate is given: the one that is needed may yet come. */
static void on_calm(void *arg)
{
	struct relay_sources *all = arg;

	for (size_t i = 0; i < all->count; i++) {
		struct source *s = all->source[i];

		if (s->state != ATTACHED || relay_camera_calm_in(s->camera) >= SOON_NS)
			continue;
		relay_camera_look(s->camera);
		if (!relay_camera_calm_in(s->camera))
			all->conf.ready(all->conf.arg, s->camera);
	}
	await_calm(all);
}

void relay_sources_tick(struct relay_sources *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct source *s = all->source[i];

		if (s->state != ATTACHED)
			continue;
		relay_camera_look(s->camera);
		if (!relay_camera_finished(s->camera)) {
			s->all->conf.ready(s->all->conf.arg, s->camera);
			continue;
		}
		sluice_info("%s: camera %s has ended, everything is stored", s->path,
			    s->camera->name);
		s->ended = true;
		release_source(s);
		if (!s->scanned)
			retry_source(s);
	}
	await_calm(all);
}

bool relay_sources_ended(const struct relay_sources *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->source[i]->ended)
			return false;
	return all->count > 0;
}

const char *relay_sources_missing(const struct relay_sources *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->source[i]->seen)
			return all->source[i]->path;
	return NULL;
}

void relay_sources_find(const struct relay_sources *all, const char *camera, char *feed)
{
	feed[0] = 0;
	for (size_t i = 0; all && i < all->count; i++) {
		const struct source *s = all->source[i];

		if (s->feed && s->camera && !strcmp(s->camera->name, camera))
			snprintf(feed, RELAY_FEED_PATH, "%s", s->path);
	}
}
