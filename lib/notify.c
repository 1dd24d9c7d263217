// SPDX-License-Identifier: MIT
/*
 * The socket is opened once, at the start: later the system call filter may be in the way, and the
 * environment is gone. It does not block; systemd that does not read is not waited for.
 */
#include "lib/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Half of WATCHDOG_USEC, if it is for this process. */
static uint32_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us = usec ? strtoull(usec, NULL, 10) : 0;

	if (pid && strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	us /= 2000;
	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

void sluice_notify_open(struct sluice_notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t size = path ? strlen(path) : 0;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);

	memset(n, 0, sizeof(*n));
	n->fd = -1;
	if (size >= 2 && size < sizeof(a.sun_path) && (*path == '/' || *path == '@')) {
		memcpy(a.sun_path, path, size);
		if (*path == '@')
			a.sun_path[0] = 0;
		else
			len++;
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (n->fd >= 0 && connect(n->fd, (struct sockaddr *)&a, len))
			sluice_notify_close(n);
	}
	if (n->fd >= 0)
		n->watchdog_ms = watchdog_ms();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void sluice_notify_close(struct sluice_notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void sluice_notify(struct sluice_notify *n, const char *format, ...)
{
	char text[512];
	va_list ap;
	int size;

	if (n->fd < 0)
		return;
	va_start(ap, format);
	size = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (size > 0 && (size_t)size < sizeof(text))
		(void)!send(n->fd, text, (size_t)size, MSG_NOSIGNAL);
}

void sluice_notify_status(struct sluice_notify *n, const char *text)
{
	if (n->fd < 0 || !strncmp(text, n->status, sizeof(n->status) - 1))
		return;
	snprintf(n->status, sizeof(n->status), "%s", text);
	for (char *p = n->status; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?'; /* a line end would begin another word of sd_notify */
	sluice_notify(n, "STATUS=%s", n->status);
}

void sluice_notify_reloading(struct sluice_notify *n)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	sluice_notify(n, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		      (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u);
}
