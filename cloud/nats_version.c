// SPDX-License-Identifier: MIT
/*
 * nats_version.c - how old the broker is. It says so in its first line, before TLS and before
 * anybody has signed in; libnats 3.4 does not hand it on.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <jansson.h>

#include "cloud/bus_nats.h"

#define WAIT_S	       5
#define LINE_MAX_BYTES 16384

const char *sluice_nats_version_warning(const char *version)
{
	unsigned int a, b, c;

	if (sscanf(version, "%u.%u.%u", &a, &b, &c) != 3)
		return "the broker's version is not one that is known";
	if (a > 2 || (a == 2 && (b > 12 || (b == 12 && c >= 7) || (b == 11 && c >= 16))))
		return NULL;
	if (a < 2 || (a == 2 && (b < 10 || (b == 10 && c < 27))))
		return "the broker is older than 2.11.16/2.12.7: known ways around its sign-in, "
		       "and who may "
		       "use JetStream can purge the streams of other accounts (CVE-2025-30215); "
		       "and it cannot "
		       "sync each message to its disk. For tests only";
	return "the broker is older than 2.11.16/2.12.7: known ways around its sign-in; keep it on "
	       "a private "
	       "network, without leaf nodes, websockets and MQTT, and bring it up to date";
}

static int open_first(const char *urls)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	struct timeval wait = { .tv_sec = WAIT_S };
	char host[256], *port;
	const char *from = strstr(urls, "://");
	int fd = -1;

	from = from ? from + 3 : urls;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(from, ",/"), from);
	port = strrchr(host, ':');
	if (!port || port == host)
		return -EINVAL;
	*port++ = 0;
	if (host[0] == '[' && port[-2] == ']') { /* [::1] */
		port[-2] = 0;
		memmove(host, host + 1, strlen(host));
	}
	if (getaddrinfo(host, port, &hints, &list))
		return -EHOSTUNREACH;
	for (ai = list; ai && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd < 0 ? -ECONNREFUSED : fd;
}

int sluice_nats_version(const struct sluice_nats_config *c, char *version)
{
	char line[LINE_MAX_BYTES];
	const char *text;
	size_t have = 0;
	ssize_t n = 1;
	json_t *info;
	int fd = open_first(c->urls), err = -EPROTO;

	if (fd < 0)
		return fd;
	while (have < sizeof(line) - 1 && n > 0 && !memchr(line, '\n', have)) {
		n = read(fd, line + have, sizeof(line) - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	line[have] = 0;
	if (strncmp(line, "INFO ", 5) != 0)
		return -EPROTO;
	info = json_loads(line + 5, JSON_DISABLE_EOF_CHECK, NULL);
	text = json_string_value(json_object_get(info, "version"));
	if (text && strlen(text) < 32) {
		snprintf(version, 32, "%s", text);
		err = 0;
	}
	json_decref(info);
	return err;
}
