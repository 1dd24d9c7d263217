// SPDX-License-Identifier: MIT
/* bad_proxy.c - see bad_proxy.h. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/conform/bad_proxy.h"

#define MESSAGE_MAX (16u << 20)

static int listener;
static unsigned int server_port;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* under the lock */
static unsigned int requests, fail_way, fail_at, fail_every, failed;
static int fail_stays;

struct message {
	char *bytes;
	size_t size, head; /* head: bytes of it, the empty line too */
};

unsigned int bad_proxy_fail(unsigned int way, unsigned int at, int stays)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = requests;
	requests = 0;
	fail_way = way;
	fail_at = at;
	fail_every = 0;
	fail_stays = stays;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned int bad_proxy_every(unsigned int way, unsigned int every)
{
	unsigned int n;

	bad_proxy_fail(way, 0, 0);
	pthread_mutex_lock(&lock);
	fail_every = every;
	n = failed;
	failed = 0;
	pthread_mutex_unlock(&lock);
	return n;
}

/* What is done to the request that comes now; BAD_PROXY_WAYS: nothing. */
static unsigned int choose_way(void)
{
	unsigned int way = BAD_PROXY_WAYS;

	pthread_mutex_lock(&lock);
	requests++;
	if ((fail_at && (fail_stays ? requests >= fail_at : requests == fail_at)) ||
	    (fail_every && requests % fail_every == 0)) {
		way = fail_way;
		failed++;
	}
	pthread_mutex_unlock(&lock);
	return way;
}

static void say(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

static void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

/* The line of the head that begins with name, its end in *end; NULL: none. */
static char *find_header(const struct message *m, const char *name, char **end)
{
	char *line = m->bytes, *next;

	while (line < m->bytes + m->head && (next = strstr(line, "\r\n"))) {
		if (!strncasecmp(line, name, strlen(name))) {
			*end = next;
			return line;
		}
		line = next + 2;
	}
	return NULL;
}

static size_t body_size(const struct message *m)
{
	char *end, *line = find_header(m, "content-length:", &end);

	return line ? strtoul(line + 15, NULL, 10) : 0;
}

/* A whole request, or until the end; 0, or -1. */
static int read_message(int fd, struct message *m, int to_end)
{
	ssize_t n;

	m->bytes = malloc(MESSAGE_MAX + 1);
	m->size = m->head = 0;
	while (m->bytes && m->size < MESSAGE_MAX &&
	       (n = read(fd, m->bytes + m->size, MESSAGE_MAX - m->size)) > 0) {
		char *end;

		m->size += (size_t)n;
		m->bytes[m->size] = 0;
		if (!m->head && (end = strstr(m->bytes, "\r\n\r\n"))) {
			m->head = (size_t)(end + 4 - m->bytes);
			if (!to_end && find_header(m, "expect:", &end))
				say_text(fd, "HTTP/1.1 100 Continue\r\n\r\n");
		}
		if (!to_end && m->head && m->size >= m->head + body_size(m))
			return 0;
	}
	return to_end && m->head ? 0 : -1;
}

/* The request as it came, but that the connection ends after it; answer NULL: half of its body, and
 * the connection ends there. */
static int ask_server(const struct message *request, struct message *answer)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)server_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char *end, *expect = find_header(request, "expect:", &end);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = -1;

	if (fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		size_t before = expect ? (size_t)(expect - request->bytes) : request->head - 2;
		size_t behind = expect ? (size_t)(end + 2 - request->bytes) : request->head - 2;

		say(fd, request->bytes, before);
		say_text(fd, "Connection: close\r\n");
		if (answer)
			say(fd, request->bytes + behind, request->size - behind);
		else
			say(fd, request->bytes + behind,
			    request->head - behind + (request->size - request->head) / 2);
		err = answer ? read_message(fd, answer, 1) : 0;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static void change_etag(const struct message *m)
{
	char *end, *line = find_header(m, "etag:", &end);

	if (line && (line = memchr(line, '"', (size_t)(end - line))))
		line[1] = line[1] == '0' ? '1' : '0';
}

static void answer_badly(int fd, unsigned int way, const struct message *m)
{
	size_t size = m->size, body = m->size - m->head;

	if (way == BAD_PROXY_UNSAID)
		return;
	if (way == BAD_PROXY_SLOW)
		sleep(2);
	if (way == BAD_PROXY_SHORT)
		size = body ? m->head + body / 2 : m->head / 2;
	if (way == BAD_PROXY_CHANGED && body)
		m->bytes[m->head + body / 2] ^= 1;
	if (way == BAD_PROXY_ETAG)
		change_etag(m);
	say(fd, m->bytes, size);
}

static void say_slow_down(int fd)
{
	static const char xml[] = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>"
				  "Reduce your request rate.</Message></Error>";
	char text[400];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\n"
		 "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
		 sizeof(xml) - 1, xml);
	say_text(fd, text);
}

static void *serve(void *ctx)
{
	int fd = (int)(intptr_t)ctx;
	struct message request, answer = { 0 };
	unsigned int way;
	char byte;

	if (!read_message(fd, &request, 0)) {
		way = choose_way();
		if (way == BAD_PROXY_500)
			say_text(fd, "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n"
				     "Connection: close\r\n\r\n");
		else if (way == BAD_PROXY_SLOW_DOWN)
			say_slow_down(fd);
		else if (way == BAD_PROXY_SILENT)
			while (read(fd, &byte, 1) > 0)
				;
		else if (way == BAD_PROXY_BROKEN)
			ask_server(&request, NULL);
		else if (way != BAD_PROXY_CUT && !ask_server(&request, &answer))
			answer_badly(fd, way, &answer);
	}
	close(fd);
	free(request.bytes);
	free(answer.bytes);
	return NULL;
}

static void *accept_all(void *ctx)
{
	pthread_attr_t detached;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t t;

		if (fd >= 0 && pthread_create(&t, &detached, serve, (void *)(intptr_t)fd))
			close(fd);
	}
	return NULL;
}

unsigned int bad_proxy_start(unsigned int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	pthread_t t;

	server_port = port;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 64) || getsockname(listener, (struct sockaddr *)&at, &size) ||
	    pthread_create(&t, NULL, accept_all, NULL)) {
		perror("bad_proxy");
		exit(1);
	}
	return ntohs(at.sin_port);
}
