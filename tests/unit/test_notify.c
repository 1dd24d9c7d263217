// SPDX-License-Identifier: MIT
/* The datagrams that systemd gets, by path and by abstract name, and none where nobody asked. */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "check.h"
#include "lib/notify.h"

static int listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (*name == '/'));

	memcpy(a.sun_path, name, strlen(name));
	if (*name == '@')
		a.sun_path[0] = 0;
	CHECK(!bind(fd, (struct sockaddr *)&a, len));
	return fd;
}

static const char *get(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static void test_at(const char *name)
{
	struct sluice_notify n;
	char pid[16];
	int fd = listen_at(name);

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	sluice_notify_open(&n);
	CHECK(n.fd >= 0 && n.watchdog_ms == 15000);
	CHECK(!getenv("NOTIFY_SOCKET") && !getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
	sluice_notify(&n, "READY=%d", 1);
	CHECK(!strcmp(get(fd), "READY=1"));
	sluice_notify_status(&n, "linked\nWATCHDOG=1");
	CHECK(!strcmp(get(fd), "STATUS=linked?WATCHDOG=1"));
	sluice_notify_status(&n, "linked");
	CHECK(!strcmp(get(fd), "STATUS=linked"));
	sluice_notify_status(&n, "linked"); /* nothing new */
	CHECK(!strcmp(get(fd), ""));
	sluice_notify_reloading(&n);
	CHECK(!strncmp(get(fd), "RELOADING=1\nMONOTONIC_USEC=", 27));
	/* a reader that does not read is not waited for */
	for (int i = 0; i < 100000; i++)
		sluice_notify(&n, "WATCHDOG=1");
	sluice_notify_close(&n);
	sluice_notify(&n, "READY=1");
	close(fd);
	if (*name == '/')
		unlink(name);
}

int main(void)
{
	struct sluice_notify n;
	char name[64];

	snprintf(name, sizeof(name), "/tmp/sluice-test-notify.%d", (int)getpid());
	test_at(name);
	snprintf(name, sizeof(name), "@sluice-test-notify.%d", (int)getpid());
	test_at(name);
	/* a watchdog for another process, then no socket at all, then one that is not there */
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	sluice_notify_open(&n);
	CHECK(n.fd < 0 && !n.watchdog_ms);
	sluice_notify_open(&n);
	CHECK(n.fd < 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	sluice_notify_open(&n);
	CHECK(n.fd < 0);
	sluice_notify(&n, "READY=1");
	sluice_notify_status(&n, "x");
	return check_result();
}
