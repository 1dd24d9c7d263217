// SPDX-License-Identifier: MIT
/*
 * usage: rude_server PORT-FILE LOG-DIR MANNER...
 *
 * A web server on loopback for one client at a time. Each request is answered in the next MANNER,
 * those beyond the list with the last one:
 *	ok 200		NNN that status		later 503 with Retry-After: 2
 *	slow nothing for 3 s, then 200	half a Content-Length that does not come, then close
 *	reset after the request		huge 200 with 10 MB of body	garbage no HTTP
 *	loop a redirect to itself	ftp a redirect to ftp://	file a redirect to file://
 * LOG-DIR/N: head and body of request N (0, 1, ...), whole.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (4u << 20)

static char request[REQUEST_MAX + 1];

/* A whole request; its size, 0: none came. */
static size_t read_request(int fd)
{
	size_t used = 0, need = 0;
	ssize_t n;

	while (used < REQUEST_MAX && (n = read(fd, request + used, REQUEST_MAX - used)) > 0) {
		char *end, *length;

		used += (size_t)n;
		request[used] = 0;
		end = need ? NULL : strstr(request, "\r\n\r\n");
		if (end) {
			length = strcasestr(request, "\r\ncontent-length:");
			need = (size_t)(end + 4 - request) +
			       (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
		}
		if (need && used >= need)
			return used;
	}
	return 0;
}

static void say(int fd, const char *text)
{
	size_t n = strlen(text);

	if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		shutdown(fd, SHUT_RDWR);
}

static void say_huge(int fd)
{
	static char buf[65536];
	bool more = true;

	memset(buf, 'x', sizeof(buf));
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
	for (int i = 0; i < 160 && more; i++)
		more = send(fd, buf, sizeof(buf), MSG_NOSIGNAL) > 0;
}

static void answer(int fd, const char *manner)
{
	struct linger l = { .l_onoff = 1 };
	char line[160];

	if (!strcmp(manner, "slow") || !strcmp(manner, "ok")) {
		if (manner[0] == 's')
			sleep(3);
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	} else if (!strcmp(manner, "later")) {
		say(fd, "HTTP/1.1 503 Later\r\nRetry-After: 2\r\nContent-Length: 0\r\n"
			"Connection: close\r\n\r\n");
	} else if (!strcmp(manner, "half")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	} else if (!strcmp(manner, "reset")) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	} else if (!strcmp(manner, "huge")) {
		say_huge(fd);
	} else if (!strcmp(manner, "garbage")) {
		say(fd, "\x16\x03\x01 what?\r\n\r\n");
	} else if (!strcmp(manner, "loop") || !strcmp(manner, "ftp") || !strcmp(manner, "file")) {
		snprintf(line, sizeof(line),
			 "HTTP/1.1 307 There\r\nLocation: %s\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n",
			 manner[0] == 'l'   ? "/again"
			 : manner[1] == 't' ? "ftp://127.0.0.1/x"
					    : "file:///etc/passwd");
		say(fd, line);
	} else {
		snprintf(line, sizeof(line),
			 "HTTP/1.1 %s No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			 manner);
		say(fd, line);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), next = 3;
	char path[4096];
	FILE *f;

	if (argc < 4) {
		fprintf(stderr, "usage: rude_server PORT-FILE LOG-DIR MANNER...\n");
		return 2;
	}
	if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&at, &len) || !(f = fopen(argv[1], "w")))
		return 1;
	fprintf(f, "%d\n", ntohs(at.sin_port));
	fclose(f);
	for (unsigned int number = 0;;) {
		int client = accept(fd, NULL, NULL);
		size_t n = client < 0 ? 0 : read_request(client);

		if (n) {
			snprintf(path, sizeof(path), "%s/%u", argv[2], number++);
			f = fopen(path, "w");
			if (!f || fwrite(request, 1, n, f) != n || fclose(f))
				return 1;
			answer(client, argv[next < argc ? next : argc - 1]);
			next++;
		}
		if (client >= 0)
			close(client);
	}
}
