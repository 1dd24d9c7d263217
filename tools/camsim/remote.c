// SPDX-License-Identifier: MIT
/*
 * Commands: detach, attach, pause, resume, next, status, fault SPEC.
 *
 * A datagram that is too long or not understood gets an error for an answer and changes nothing. A
 * sender that bound no address of its own gets no answer. An answer that cannot be sent is dropped.
 */
#include "tools/camsim/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int set_address(struct sockaddr_un *a, const char *path)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

/* True when nobody listens there any more. */
static bool is_dead(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat st;
	bool dead = false;

	if (fd < 0)
		return false;
	if (!stat(a->sun_path, &st) && S_ISSOCK(st.st_mode))
		dead = connect(fd, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

int remote_open(const char *path)
{
	struct sockaddr_un a;
	int r = set_address(&a, path), fd;

	if (r)
		return r;
	if (is_dead(&a))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

void remote_execute(struct camera *camera, const char *command, uint64_t now_ns, char *answer,
		    size_t size)
{
	char why[256];

	snprintf(answer, size, "ok");
	if (!strcmp(command, "detach")) {
		camera->replug_ns = 0;
		camera_detach(camera, "command");
	} else if (!strcmp(command, "attach")) {
		if (camera_attach(camera, why, sizeof(why)))
			snprintf(answer, size, "error: %s", why);
	} else if (!strcmp(command, "pause")) {
		play_pause(&camera->play);
	} else if (!strcmp(command, "resume")) {
		play_resume(&camera->play, now_ns);
	} else if (!strcmp(command, "next")) {
		if (camera->play.paused)
			play_step(&camera->play);
		else
			snprintf(answer, size, "error: not paused");
	} else if (!strcmp(command, "status")) {
		camera_status(camera, answer, size);
	} else if (!strncmp(command, "fault ", 6)) {
		if (fault_parse(&camera->faults, command + 6, why, sizeof(why)))
			snprintf(answer, size, "error: %s", why);
	} else {
		snprintf(answer, size,
			 "error: commands are detach attach pause resume next status fault");
	}
}

void remote_readable(int fd, struct camera *camera, uint64_t now_ns)
{
	char text[REMOTE_TEXT_MAX], answer[REMOTE_TEXT_MAX];
	struct sockaddr_un from;
	socklen_t from_size = sizeof(from);
	ssize_t n = recvfrom(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &from_size);

	if (n < 0)
		return;
	if (n >= (ssize_t)sizeof(text)) {
		snprintf(answer, sizeof(answer), "error: command too long");
	} else {
		while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
			n--;
		text[n] = 0;
		remote_execute(camera, text, now_ns, answer, sizeof(answer));
	}
	if (from_size > sizeof(sa_family_t))
		sendto(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&from, from_size);
}

int remote_tell(const char *path, const char *command)
{
	struct sockaddr_un a, any = { .sun_family = AF_UNIX };
	const struct timeval limit = { 10, 0 };
	char answer[REMOTE_TEXT_MAX];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = set_address(&a, path);
	ssize_t n = -1;

	if (r)
		errno = -r;
	else if (fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)) &&
		 !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) &&
		 !connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
		 send(fd, command, strlen(command), 0) >= 0)
		n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n < 0)
		fprintf(stderr, "sluice-camsim: no answer at %s: %s; is the camera running?\n",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return 1;
	answer[n] = 0;
	puts(answer);
	return !strncmp(answer, "error", 5);
}
