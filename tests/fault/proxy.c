// SPDX-License-Identifier: MIT
/*
 * usage: proxy --to HOST:PORT --port-file FILE --control SOCKET
 *        proxy --say SOCKET COMMAND...
 *
 * A TCP proxy that is a bad link, for tests. It listens on 127.0.0.1, any port, and does what is
 * said on its control socket, one command a connection; "ok" or one line of numbers is the answer.
 * DIR is up (to HOST:PORT) or down. Offsets count the bytes of a direction over all connections
 * since the proxy began, so that a byte of the present connection can be named (see stats).
 *
 *	rate DIR N	at most N bytes/s, over all connections; 0: no limit
 *	delay DIR MS	every byte comes so much later
 *	stall DIR on|off	nothing is taken or given, connections stay: a half-open link
 *	refuse on|off	new connections are reset at once
 *	cut		all connections are reset now
 *	cut-at DIR N	all connections are reset before byte N
 *	close DIR	that direction is closed, the other goes on: half-closed
 *	corrupt DIR N	byte N is changed
 *	swap DIR N L	the L bytes from N on change places with the L behind them
 *	stats		up BYTES down BYTES connections N accepted N
 *
 * Buffers are small (SO_RCVBUF, and 64 KiB a direction), so that the rate is what the sender feels.
 * It ends by SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINKS_MAX 32
#define ROOM	  (64u << 10)
#define TICK_MS	  2
#define RCVBUF	  (32 << 10)
#define NONE	  UINT64_MAX

enum direction { UP, DOWN };

/* One direction of one connection: what came and has not gone. */
struct flow {
	uint8_t buf[ROOM];
	size_t have;
	uint64_t due_ns[ROOM / 1024 + 1]; /* of each started KiB of buf */
	bool ended, closed;
};

struct link {
	int fd[2]; /* UP: the client's, DOWN: the server's; -1: free */
	struct flow flow[2];
};

/* What is done to a direction. */
struct ways {
	uint64_t rate, delay_ns;
	bool stall;
	uint64_t cut_at, corrupt_at, swap_at, swap_length;
	uint64_t in, out; /* bytes ever */
	double tokens;
};

static struct link *links[LINKS_MAX];
static struct ways ways[2] = { { .cut_at = NONE, .corrupt_at = NONE, .swap_at = NONE },
			       { .cut_at = NONE, .corrupt_at = NONE, .swap_at = NONE } };
static bool refuse;
static uint64_t accepted;
static struct sockaddr_storage server;
static socklen_t server_len;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- connections ---- */

static void reset_fd(int fd)
{
	const struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

static void drop_link(int i, bool reset)
{
	for (int d = 0; d < 2; d++) {
		if (reset)
			reset_fd(links[i]->fd[d]);
		else
			close(links[i]->fd[d]);
	}
	free(links[i]);
	links[i] = NULL;
}

static void cut_all(void)
{
	for (int i = 0; i < LINKS_MAX; i++)
		if (links[i])
			drop_link(i, true);
}

static int dial(void)
{
	int fd = socket(server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&server, server_len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void take_client(int listener)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC), to = -1, i = 0, one = 1;

	if (client < 0)
		return;
	accepted++;
	while (i < LINKS_MAX && links[i])
		i++;
	if (!refuse && i < LINKS_MAX)
		to = dial();
	if (to < 0) {
		reset_fd(client);
		return;
	}
	links[i] = calloc(1, sizeof(*links[i]));
	if (!links[i])
		die("memory");
	links[i]->fd[UP] = client;
	links[i]->fd[DOWN] = to;
	for (int d = 0; d < 2; d++) {
		fcntl(links[i]->fd[d], F_SETFL, O_NONBLOCK);
		setsockopt(links[i]->fd[d], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
}

/* ---- bytes ---- */

/* What is to be done to bytes at..at+n of a direction, as they come. */
static void spoil(struct ways *w, uint8_t *bytes, uint64_t at, size_t n)
{
	if (w->corrupt_at >= at && w->corrupt_at < at + n) {
		bytes[w->corrupt_at - at] ^= 0x20;
		w->corrupt_at = NONE;
	}
	if (w->swap_at != NONE && w->swap_at >= at && w->swap_at + 2 * w->swap_length <= at + n) {
		uint8_t *a = bytes + (w->swap_at - at), *b = a + w->swap_length;

		for (uint64_t i = 0; i < w->swap_length; i++) {
			uint8_t byte = a[i];

			a[i] = b[i];
			b[i] = byte;
		}
		w->swap_at = NONE;
	}
}

/* False: the connection is gone. */
static bool read_flow(int i, enum direction d, uint64_t now)
{
	struct flow *f = &links[i]->flow[d];
	struct ways *w = &ways[d];
	ssize_t n;

	if (f->ended || w->stall || f->have == ROOM)
		return true;
	n = recv(links[i]->fd[d], f->buf + f->have, ROOM - f->have, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0) {
		drop_link(i, true);
		return false;
	}
	if (!n)
		f->ended = true;
	spoil(w, f->buf + f->have, w->in, (size_t)n);
	for (size_t k = f->have / 1024; k <= (f->have + (size_t)n) / 1024; k++)
		f->due_ns[k] = now + w->delay_ns;
	w->in += (uint64_t)n;
	f->have += (size_t)n;
	return true;
}

/* Bytes that may go on now. */
static size_t allowed(const struct flow *f, const struct ways *w, uint64_t now)
{
	size_t n = 0;

	while (n < f->have && f->due_ns[n / 1024] <= now)
		n += 1024;
	if (n > f->have)
		n = f->have;
	if (w->rate && (double)n > w->tokens)
		n = w->tokens > 0 ? (size_t)w->tokens : 0;
	if (w->cut_at != NONE && w->out + n > w->cut_at)
		n = w->cut_at > w->out ? (size_t)(w->cut_at - w->out) : 0;
	return n;
}

static bool write_flow(int i, enum direction d, uint64_t now)
{
	struct flow *f = &links[i]->flow[d];
	struct ways *w = &ways[d];
	size_t n = w->stall ? 0 : allowed(f, w, now);
	ssize_t sent = n ? send(links[i]->fd[!d], f->buf, n, MSG_NOSIGNAL) : 0;

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		drop_link(i, true);
		return false;
	}
	if (sent > 0) {
		f->have -= (size_t)sent;
		memmove(f->buf, f->buf + sent, f->have);
		memmove(f->due_ns, f->due_ns + sent / 1024,
			sizeof(f->due_ns) - (size_t)sent / 1024 * sizeof(f->due_ns[0]));
		w->out += (uint64_t)sent;
		w->tokens -= (double)sent;
	}
	if (w->cut_at != NONE && w->out >= w->cut_at) {
		w->cut_at = NONE;
		cut_all();
		return false;
	}
	if (f->ended && !f->have && !f->closed) {
		f->closed = true;
		shutdown(links[i]->fd[!d], SHUT_WR);
	}
	return true;
}

static void run_links(uint64_t now)
{
	for (int i = 0; i < LINKS_MAX; i++) {
		bool alive = links[i];

		for (int d = 0; d < 2 && alive; d++)
			alive = read_flow(i, d, now) && write_flow(i, d, now);
		if (alive && links[i]->flow[UP].closed && links[i]->flow[DOWN].closed)
			drop_link(i, false);
	}
}

static void refill(uint64_t passed_ns)
{
	for (int d = 0; d < 2; d++) {
		ways[d].tokens += (double)ways[d].rate * (double)passed_ns / 1e9;
		if (ways[d].tokens > (double)ways[d].rate / 50)
			ways[d].tokens = (double)ways[d].rate / 50; /* 20 ms at once at most */
	}
}

/* ---- control ---- */

static bool is_on(const char *word)
{
	return !strcmp(word, "on");
}

static bool obey_direction(const char *what, enum direction d, const char *a, const char *b)
{
	uint64_t n = strtoull(a, NULL, 10);
	struct ways *w = &ways[d];

	if (!strcmp(what, "rate"))
		w->rate = n;
	else if (!strcmp(what, "delay"))
		w->delay_ns = n * 1000000;
	else if (!strcmp(what, "stall"))
		w->stall = is_on(a);
	else if (!strcmp(what, "cut-at"))
		w->cut_at = n;
	else if (!strcmp(what, "corrupt"))
		w->corrupt_at = n;
	else if (!strcmp(what, "swap")) {
		w->swap_at = n;
		w->swap_length = strtoull(b, NULL, 10);
	} else if (!strcmp(what, "close")) {
		for (int i = 0; i < LINKS_MAX; i++)
			if (links[i])
				links[i]->flow[d].ended = true;
	} else {
		return false;
	}
	return true;
}

static void obey(const char *line, char *answer, size_t size)
{
	char what[16] = "", dir[16] = "", a[32] = "", b[32] = "";
	bool ok = true;
	int count = 0;

	sscanf(line, "%15s %15s %31s %31s", what, dir, a, b);
	snprintf(answer, size, "ok\n");
	if (!strcmp(what, "cut")) {
		cut_all();
	} else if (!strcmp(what, "refuse")) {
		refuse = is_on(dir);
	} else if (!strcmp(what, "stats")) {
		for (int i = 0; i < LINKS_MAX; i++)
			count += links[i] != NULL;
		snprintf(answer, size, "up %llu down %llu connections %d accepted %llu\n",
			 (unsigned long long)ways[UP].out, (unsigned long long)ways[DOWN].out,
			 count, (unsigned long long)accepted);
	} else {
		ok = (!strcmp(dir, "up") || !strcmp(dir, "down")) &&
		     obey_direction(what, strcmp(dir, "up") ? DOWN : UP, a, b);
	}
	if (!ok)
		snprintf(answer, size, "what? %s\n", line);
}

static void take_command(int control)
{
	int fd = accept4(control, NULL, NULL, SOCK_CLOEXEC);
	char line[128], answer[192];
	ssize_t n;

	if (fd < 0)
		return;
	n = recv(fd, line, sizeof(line) - 1, 0);
	if (n > 0) {
		line[n] = 0;
		line[strcspn(line, "\n")] = 0;
		obey(line, answer, sizeof(answer));
		n = send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	}
	close(fd);
}

static int unix_socket(const char *path, bool listening)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (listening)
		unlink(path);
	if (fd < 0 || (listening ? bind(fd, (void *)&a, sizeof(a)) || listen(fd, 8)
				 : connect(fd, (void *)&a, sizeof(a))))
		die(path);
	return fd;
}

static int say(int argc, char **argv)
{
	int fd = unix_socket(argv[0], false);
	char line[128] = "", answer[192];
	ssize_t n;

	for (int i = 1; i < argc; i++) {
		size_t used = strlen(line);

		snprintf(line + used, sizeof(line) - used, "%s%s", used ? " " : "", argv[i]);
	}
	if (send(fd, line, strlen(line), 0) < 0)
		die("send");
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	answer[n > 0 ? n : 0] = 0;
	fputs(answer, stdout);
	return n > 0 && strncmp(answer, "what?", 5) ? 0 : 1;
}

/* ---- start ---- */

static void find_server(const char *to)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(to, ':');
	struct addrinfo *found;
	char host[256];

	if (!colon)
		exit(2);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - to), to);
	if (getaddrinfo(host, colon + 1, &hints, &found)) {
		fprintf(stderr, "proxy: no address for %s\n", to);
		exit(1);
	}
	memcpy(&server, found->ai_addr, found->ai_addrlen);
	server_len = found->ai_addrlen;
	freeaddrinfo(found);
}

static int listen_any(const char *port_file)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), size = RCVBUF;
	socklen_t len = sizeof(a);
	char part[4096];
	FILE *f;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    bind(fd, (void *)&a, sizeof(a)) || listen(fd, 16) || getsockname(fd, (void *)&a, &len))
		die("listen");
	snprintf(part, sizeof(part), "%s.part", port_file);
	f = fopen(part, "we");
	if (!f || fprintf(f, "%u\n", ntohs(a.sin_port)) < 0 || fclose(f) || rename(part, port_file))
		die(port_file);
	return fd;
}

static void run(int listener, int control)
{
	struct pollfd p[2] = { { listener, POLLIN, 0 }, { control, POLLIN, 0 } };
	uint64_t last = now_ns(), now;

	while (!stop) {
		bool any = false;

		for (int i = 0; i < LINKS_MAX; i++)
			any |= links[i] != NULL;
		if (poll(p, 2, any ? TICK_MS : 1000) < 0 && errno != EINTR)
			die("poll");
		now = now_ns();
		refill(now - last);
		last = now;
		if (p[1].revents)
			take_command(control);
		if (p[0].revents)
			take_client(listener);
		run_links(now);
	}
}

int main(int argc, char **argv)
{
	const char *to = NULL, *port_file = NULL, *control = NULL;

	if (argc > 3 && !strcmp(argv[1], "--say"))
		return say(argc - 2, argv + 2);
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--to"))
			to = argv[i + 1];
		else if (!strcmp(argv[i], "--port-file"))
			port_file = argv[i + 1];
		else if (!strcmp(argv[i], "--control"))
			control = argv[i + 1];
	}
	if (!to || !port_file || !control) {
		fputs("usage: proxy --to HOST:PORT --port-file FILE --control SOCKET\n"
		      "       proxy --say SOCKET COMMAND...\n",
		      stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	find_server(to);
	run(listen_any(port_file), unix_socket(control, true));
	cut_all();
	return 0;
}
