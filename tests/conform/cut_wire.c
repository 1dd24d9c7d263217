// SPDX-License-Identifier: MIT
/* cut_wire.c - see cut_wire.h. A thread for each connection; what one read gives is a message. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/conform/cut_wire.h"

#define ANSWER_MS 5000

static struct sockaddr_in server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int messages, cut_at;
static enum cut_wire_way cut_way;
static atomic_uint generation; /* connections of an earlier one are cut */

struct wire {
	int client, server;
	unsigned int generation;
};

/* 1: this message is the one. */
static int count_message(enum cut_wire_way *way)
{
	int is_it;

	pthread_mutex_lock(&lock);
	is_it = ++messages == cut_at;
	*way = cut_way;
	pthread_mutex_unlock(&lock);
	return is_it;
}

static int pass_on(int to, const char *buf, ssize_t n)
{
	while (n > 0) {
		ssize_t w = send(to, buf, (size_t)n, MSG_NOSIGNAL);

		if (w <= 0)
			return -1;
		buf += w;
		n -= w;
	}
	return 0;
}

static void wait_silently(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
}

/* 0: go on. */
static int from_client(const struct wire *w, const char *buf, ssize_t n)
{
	struct pollfd answer = { .fd = w->server, .events = POLLIN };
	enum cut_wire_way way;

	if (!count_message(&way))
		return pass_on(w->server, buf, n);
	if (way == CUT_WIRE_SILENT)
		wait_silently(w->client);
	if (way == CUT_WIRE_BEHIND && !pass_on(w->server, buf, n))
		poll(&answer, 1, ANSWER_MS);
	return -1;
}

static void *run_wire(void *arg)
{
	struct wire *w = arg;
	struct pollfd p[2] = { { .fd = w->client, .events = POLLIN },
			       { .fd = w->server, .events = POLLIN } };
	char buf[65536];
	int over = 0;

	while (!over && poll(p, 2, 10) >= 0) {
		ssize_t n;
		int i;

		if (w->generation != atomic_load(&generation))
			break;
		for (i = 0; i < 2 && !over; i++) {
			if (!p[i].revents)
				continue;
			n = recv(p[i].fd, buf, sizeof(buf), 0);
			over = n <= 0 || (i ? pass_on(w->client, buf, n) : from_client(w, buf, n));
		}
	}
	close(w->client);
	close(w->server);
	free(w);
	return NULL;
}

static void *accept_all(void *arg)
{
	int fd = *(int *)arg;

	for (;;) {
		struct wire *w = calloc(1, sizeof(*w));
		pthread_t thread;

		if (!w)
			exit(1);
		w->generation = atomic_load(&generation);
		w->client = accept(fd, NULL, NULL);
		w->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (w->client < 0 || w->server < 0)
			exit(1);
		w->generation = atomic_load(&generation);
		if (connect(w->server, (struct sockaddr *)&server, sizeof(server)) ||
		    pthread_create(&thread, NULL, run_wire, w)) {
			close(w->client);
			close(w->server);
			free(w);
			continue;
		}
		pthread_detach(thread);
	}
	return NULL;
}

unsigned int cut_wire_start(unsigned int port)
{
	static int fd;
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t size = sizeof(own);
	pthread_t thread;

	server = own;
	server.sin_port = htons((uint16_t)port);
	server.sin_addr.s_addr = own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, size) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&own, &size) ||
	    pthread_create(&thread, NULL, accept_all, &fd)) {
		perror("cut_wire");
		exit(1);
	}
	pthread_detach(thread);
	return ntohs(own.sin_port);
}

unsigned int cut_wire_at(enum cut_wire_way way, unsigned int at)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = messages;
	messages = 0;
	cut_at = at;
	cut_way = way;
	pthread_mutex_unlock(&lock);
	return n;
}

void cut_wire_all(void)
{
	atomic_fetch_add(&generation, 1);
}
