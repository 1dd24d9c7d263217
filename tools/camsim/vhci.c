// SPDX-License-Identifier: MIT
/*
 * Attaching: one end of a socket pair goes to the kernel, the other is the camera's.
 *
 * Two programs that attach at once choose the same port; the loser gets EBUSY, reads the list again
 * and takes the next. The kernel keeps its own reference to its end, ours to it is closed at once:
 * then the death of this process, however it comes, is the unplugging of the camera.
 */
#include "tools/camsim/vhci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PORT_FREE   4
#define DEVID	    0x10002
#define SPEED_HIGH  3
#define SPEED_SUPER 5
#define TRIES	    50
#define PATH_SIZE   256

static int read_text(const char *dir, const char *name, char *text, size_t size)
{
	char path[PATH_SIZE];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	else
		text[n] = 0;
	close(fd);
	return n < 0 ? n : 0;
}

static int write_text(const char *dir, const char *name, const char *text)
{
	char path[PATH_SIZE];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int vhci_find_port(const char *status, bool super)
{
	for (const char *line = status; line; line = strchr(line, '\n')) {
		unsigned int port, state;
		char hub[4];

		line += *line == '\n';
		if (sscanf(line, "%3s %u %u", hub, &port, &state) == 3 && state == PORT_FREE &&
		    !strcmp(hub, super ? "ss" : "hs") && port < 1024)
			return port;
	}
	return -ENOSPC;
}

static int attach_fd(const char *dir, bool super, int fd)
{
	const struct timespec pause = { 0, 20000000 };
	char text[8192];
	int port, r;

	for (int i = 0; i < TRIES; i++) {
		r = read_text(dir, "status", text, sizeof(text));
		if (r)
			return r;
		port = vhci_find_port(text, super);
		if (port < 0)
			return port;
		snprintf(text, sizeof(text), "%d %d %d %d", port, fd, DEVID,
			 super ? SPEED_SUPER : SPEED_HIGH);
		r = write_text(dir, "attach", text);
		if (r != -EBUSY)
			return r ? r : port;
		nanosleep(&pause, NULL); /* the other program's turn */
	}
	return -EBUSY;
}

int vhci_attach(const char *dir, bool super, int *fd, int *port, char *why, size_t why_size)
{
	const struct timeval limit = { 5, 0 };
	int pair[2], r;

	*why = 0;
	if (access(dir, F_OK)) {
		snprintf(why, why_size, "vhci_hcd is not loaded: modprobe vhci_hcd");
		return -ENODEV;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		r = -errno;
		snprintf(why, why_size, "no socket pair: %s", strerror(-r));
		return r;
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	r = attach_fd(dir, super, pair[1]);
	close(pair[1]);
	if (r >= 0) {
		*fd = pair[0];
		*port = r;
		return 0;
	}
	close(pair[0]);
	if (r == -ENOSPC)
		snprintf(why, why_size, "no free %s port at vhci_hcd: unplug another camera",
			 super ? "SuperSpeed" : "high-speed");
	else if (r == -EACCES || r == -EPERM)
		snprintf(why, why_size, "attaching a USB device needs root");
	else
		snprintf(why, why_size, "cannot attach at %s: %s", dir, strerror(-r));
	return r;
}
