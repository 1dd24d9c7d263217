// SPDX-License-Identifier: MIT
/*
 * usage: cut_proxy PORT-FILE TARGET-PORT RATE
 *
 * A TCP proxy on loopback. What the server says is passed on at RATE bytes/s (0: as it comes).
 * SIGUSR1: no rate any more. SIGUSR2: every connection is cut hard.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 16

struct pair {
	int client, server; /* -1: free */
	uint64_t passed, start_ms;
};

static struct pair pairs[PAIRS];
static volatile sig_atomic_t unlimited, cut;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		unlimited = 1;
	else
		cut = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void end_pair(struct pair *p, bool hard)
{
	struct linger l = { .l_onoff = 1 };

	if (hard) {
		setsockopt(p->client, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		setsockopt(p->server, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	close(p->client);
	close(p->server);
	p->client = p->server = -1;
}

static bool write_all(int fd, const char *data, ssize_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, data, (size_t)n, MSG_NOSIGNAL);

		if (w < 0)
			return false;
		data += w;
		n -= w;
	}
	return true;
}

/* Bytes that may be passed to the client now. */
static size_t allowance(const struct pair *p, uint64_t rate, size_t most)
{
	uint64_t may;

	if (!rate || unlimited)
		return most;
	may = (now_ms() - p->start_ms) * rate / 1000;
	may = may > p->passed ? may - p->passed : 0;
	return may < most ? may : most;
}

static void serve(struct pair *p, bool client, bool server, uint64_t rate)
{
	static char buf[16384];
	ssize_t n = 1;
	size_t most;

	if (client) {
		n = read(p->client, buf, sizeof(buf));
		if (n <= 0 || !write_all(p->server, buf, n)) {
			end_pair(p, false);
			return;
		}
	}
	most = server ? allowance(p, rate, sizeof(buf)) : 0;
	if (!most)
		return;
	n = read(p->server, buf, most);
	if (n <= 0 || !write_all(p->client, buf, n)) {
		end_pair(p, false);
		return;
	}
	p->passed += (uint64_t)n;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void take_client(int listener, int port)
{
	struct sockaddr_in to = loopback(port);
	int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);

	if (client >= 0 && server >= 0 && !connect(server, (struct sockaddr *)&to, sizeof(to)))
		for (int i = 0; i < PAIRS; i++)
			if (pairs[i].client < 0) {
				pairs[i] = (struct pair){ client, server, 0, now_ms() };
				return;
			}
	close(client);
	close(server);
}

static int open_listener(const char *port_file)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *f;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		return -1;
	f = fopen(port_file, "w");
	if (!f)
		return -1;
	fprintf(f, "%d\n", ntohs(at.sin_port));
	return fclose(f) ? -1 : fd;
}

int main(int argc, char **argv)
{
	uint64_t rate = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	int listener = argc > 3 ? open_listener(argv[1]) : -1;

	if (listener < 0) {
		fprintf(stderr, "usage: cut_proxy PORT-FILE TARGET-PORT RATE\n");
		return 2;
	}
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	for (int i = 0; i < PAIRS; i++)
		pairs[i].client = pairs[i].server = -1;
	for (;;) {
		struct pollfd p[1 + 2 * PAIRS] = { { .fd = listener, .events = POLLIN } };

		for (int i = 0; i < PAIRS; i++) {
			p[1 + 2 * i] = (struct pollfd){ .fd = pairs[i].client, .events = POLLIN };
			p[2 + 2 * i] = (struct pollfd){ .fd = pairs[i].server };
			if (pairs[i].client >= 0 && allowance(&pairs[i], rate, 1))
				p[2 + 2 * i].events = POLLIN;
		}
		if (poll(p, 1 + 2 * PAIRS, 20) < 0)
			memset(p, 0, sizeof(p));
		for (int i = 0; cut && i < PAIRS; i++)
			if (pairs[i].client >= 0)
				end_pair(&pairs[i], true);
		cut = 0;
		for (int i = 0; i < PAIRS; i++)
			if (pairs[i].client >= 0 && p[1 + 2 * i].fd == pairs[i].client)
				serve(&pairs[i], p[1 + 2 * i].revents, p[2 + 2 * i].revents, rate);
		if (p[0].revents)
			take_client(listener, (int)strtol(argv[2], NULL, 10));
	}
}
