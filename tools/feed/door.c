// SPDX-License-Identifier: MIT
/*
 * door.c - the Unix socket where a reader takes the ring (lib/feed.h). One reader at a time; when
 * it has gone, the words it may have spoilt are written anew, and the next one starts at the oldest
 * record that was not released.
 */
#include "tools/feed/feed.h"
#include "lib/feed.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* True if path is a socket that nobody listens on. */
static bool socket_stale(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const void *)a, sizeof(*a)) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

int feed_door_listen(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (socket_stale(&a))
		unlink(path);
	if (bind(fd, (void *)&a, sizeof(a)) || listen(fd, 4)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int feed_door_open(struct feed_door *d, const char *path)
{
	d->path = NULL;
	d->reader = d->control = d->asker = -1;
	d->camera = NULL;
	d->listener = feed_door_listen(path);
	if (d->listener < 0)
		return d->listener;
	d->path = path;
	return 0;
}

/* Returns true if the message was taken. */
static bool send_hello(int fd, const struct feed_shm *s, uint32_t status)
{
	struct sluice_feed_hello hello = { .magic = SLUICE_FEED_MAGIC,
					   .version = SLUICE_FEED_VERSION,
					   .status = status,
					   .size = status ? 0 : s->size };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SLUICE_FEED_FDS * sizeof(int))];
	} control;
	struct iovec iov = { &hello, sizeof(hello) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[SLUICE_FEED_FDS] = { s->memfd, s->wakefd };
	struct cmsghdr *c;

	memcpy(hello.name, s->name, strlen(s->name) + 1);
	if (!status) {
		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(c), fds, sizeof(fds));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(hello);
}

static void let_in(struct feed_door *d, struct feed_shm *s)
{
	int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (d->reader >= 0) {
		send_hello(fd, s, EBUSY);
		close(fd);
		return;
	}
	sluice_ring_reset_reader(&s->ring);
	if (!send_hello(fd, s, 0)) {
		close(fd);
		return;
	}
	d->reader = fd;
	feed_shm_wake(s); /* there may be something to look at already */
}

void feed_door_poll(struct feed_door *d, struct feed_shm *s, int timeout_ms)
{
	struct pollfd p[3] = { { d->listener, POLLIN, 0 },
			       { d->reader, POLLIN, 0 },
			       { d->asker >= 0 ? d->asker : d->control, POLLIN, 0 } };
	char byte;

	if (poll(p, 3, timeout_ms) <= 0)
		return;
	/* a reader sends nothing: bytes are ignored, an end or an error is its end */
	if (p[1].revents) {
		ssize_t n = recv(d->reader, &byte, 1, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			close(d->reader);
			d->reader = -1;
		}
	}
	if (p[0].revents)
		let_in(d, s);
	if (p[2].revents)
		feed_control_serve(d);
}

void feed_door_close(struct feed_door *d)
{
	if (d->reader >= 0)
		close(d->reader);
	if (d->listener >= 0)
		close(d->listener);
	feed_control_close(d);
	if (d->path)
		unlink(d->path);
	d->path = NULL;
	d->reader = d->listener = -1;
}
