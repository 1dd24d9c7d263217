// SPDX-License-Identifier: MIT
/*
 * usage: drain PORT SECONDS WORKER... [-- BROKER...] [-- DATABASE...]
 *
 * How long stopped workers take for what lies in the stream FRAMES. All numbers but the first two
 * are processes. The workers get SIGCONT, and when the broker whose monitoring is at PORT of
 * loopback says that the stream is empty, one JSON object is printed: "seconds" on the clock;
 * "workers", "brokers" and "database": seconds of their CPU, with their children.
 * Exit 1: it did not get empty, or was empty before.
 *
 * An answer costs the broker 3 ms, so it is asked seldom: again after a quarter of the time that
 * the rest will take, if it goes on as before.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/bench/usage.h"

#define ASK_S	  0.02 /* at the end */
#define ASK_S_MAX 2.0
#define PIDS_MAX  64
#define GROUPS	  3 /* workers, brokers, data base */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The body of an answer to a GET, to be freed; NULL: none. */
static char *get(unsigned int port, const char *path, char **all)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t size = 0, room = 1 << 20;
	char *text = malloc(room), *body;
	ssize_t n = 0;

	*all = text;
	if (fd < 0 || !text || connect(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    dprintf(fd, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path) < 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (size + 1 < room && (n = read(fd, text + size, room - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	text[size] = 0;
	body = strstr(text, "\r\n\r\n");
	return n == 0 && body ? body + 4 : NULL;
}

/* Messages in the stream; -1: no answer. Some of its other numbers are beyond 63 bits. */
static long long count_messages(unsigned int port)
{
	char *all, *body = get(port, "/jsz?accounts=1&streams=1", &all);
	json_t *o = body ? json_loads(body, JSON_DECODE_INT_AS_REAL, NULL) : NULL, *account,
	       *stream;
	long long count = -1;
	size_t i, j;

	json_array_foreach (json_object_get(o, "account_details"), i, account) {
		json_array_foreach (json_object_get(account, "stream_detail"), j, stream) {
			const char *name = json_string_value(json_object_get(stream, "name"));

			if (name && !strcmp(name, "FRAMES"))
				count = (long long)json_number_value(json_object_get(
					json_object_get(stream, "state"), "messages"));
		}
	}
	json_decref(o);
	free(all);
	return count;
}

/* Until it is asked again; left of all messages, after so many seconds. */
static void wait_ask(long long all, long long left, double after_s)
{
	double s = left < all ? after_s * (double)left / (double)(all - left) / 4 : after_s;

	s = s < ASK_S ? ASK_S : s > ASK_S_MAX ? ASK_S_MAX : s;
	nanosleep(&(struct timespec){ .tv_sec = (time_t)s,
				      .tv_nsec = (long)((s - (double)(time_t)s) * 1e9) },
		  NULL);
}

struct group {
	pid_t pid[PIDS_MAX];
	int count;
};

static double sum_cpu(const struct group *g)
{
	double sum = 0;

	for (int i = 0; i < g->count; i++)
		sum += usage_tree(g->pid[i]);
	return sum;
}

/* From the third argument on; -1: too many. */
static int read_groups(int argc, char **argv, struct group *g)
{
	int at = 0;

	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			g[at].pid[g[at].count++] = (pid_t)strtol(argv[i], NULL, 10);
		else if (++at == GROUPS)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct group group[GROUPS] = { 0 };
	double begun, cpu[GROUPS], limit;
	long long messages, left;
	unsigned int port;

	if (argc < 4 || argc > PIDS_MAX || read_groups(argc, argv, group)) {
		fputs("usage: drain PORT SECONDS WORKER... [-- BROKER...] [-- DATABASE...]\n",
		      stderr);
		return 2;
	}
	port = (unsigned int)strtoul(argv[1], NULL, 10);
	limit = strtod(argv[2], NULL);
	messages = count_messages(port);
	if (messages <= 0) {
		fprintf(stderr, "drain: %s\n",
			messages ? "the broker does not answer" : "there is nothing in the stream");
		return 1;
	}
	begun = now_s();
	for (int i = 0; i < GROUPS; i++)
		cpu[i] = sum_cpu(&group[i]);
	for (int i = 0; i < group[0].count; i++)
		kill(group[0].pid[i], SIGCONT);
	while ((left = count_messages(port)) && now_s() < begun + limit)
		wait_ask(messages, left < 0 ? messages : left, now_s() - begun);
	begun = now_s() - begun;
	if (begun >= limit) {
		fprintf(stderr, "drain: %lld chunks are left\n", count_messages(port));
		return 1;
	}
	for (int i = 0; i < GROUPS; i++)
		cpu[i] = sum_cpu(&group[i]) - cpu[i];
	printf("{\"chunks\": %lld, \"seconds\": %.3f, \"workers\": %.3f, \"brokers\": %.3f, "
	       "\"database\": %.3f}\n",
	       messages, begun, cpu[0], cpu[1], cpu[2]);
	return 0;
}
