// SPDX-License-Identifier: MIT
/*
 * uplink.c - what sending costs: the shipped relay, from a ring that never runs dry, over TLS on
 * loopback, against the same frames by libcurl and by SSL_write() alone. CPU time is user and
 * system of the sending process, all its threads, its start and handshake included; the sides take
 * turns and the least of each counts. System calls are counted in runs of their own, under strace.
 *
 * BENCH_FRAMES=N in the environment asks for so many frames a turn (default 20000), BENCH_TURNS=N
 * for so many turns (default 3; 0: the relay alone, for its memory: with 1000000 frames, a soak).
 */
#include "bench.h"
#include "uplink_bench.h"
#include "tests/unit/certs.h"
#include "tests/unit/jpeg_make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES 40000u
#define LIMIT_S	    300
#define RELAY	    "build/bin/sluice-relay"

/* Of one run. */
struct cost {
	double cpu_us;		     /* a frame */
	long anon_early_kb, anon_kb; /* private memory: the most of the first half, and of all */
};

static long anon_kb(pid_t pid)
{
	char path[64], line[128];
	long kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* Waits for a process, at most LIMIT_S. 0, or -1 if it failed. */
static int reap(pid_t pid, const struct uplink_bench *b, struct cost *c)
{
	static long sample[LIMIT_S * 100];
	const struct timespec step = { .tv_nsec = 10000000 };
	unsigned int samples = 0;
	struct rusage u;
	double us;
	int status;

	for (long i = 0; i < LIMIT_S * 100L; i++) {
		pid_t r = wait4(pid, &status, WNOHANG, &u);
		long kb;

		if (r == pid) {
			us = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
			     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
			if (c)
				*c = (struct cost){ us / b->frames, 0, 0 };
			for (unsigned int n = 0; c && n < samples; n++) {
				c->anon_kb = sample[n] > c->anon_kb ? sample[n] : c->anon_kb;
				if (n == samples / 2)
					c->anon_early_kb = c->anon_kb;
			}
			return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
		}
		kb = c ? anon_kb(pid) : 0;
		if (kb)
			sample[samples++] = kb;
		nanosleep(&step, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void quiet(const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, 1);
	dup2(fd, 2);
}

static int run_peer(const struct uplink_bench *b, int (*run)(const struct uplink_bench *b),
		    struct cost *c)
{
	pid_t pid = fork();

	if (!pid)
		_exit(run(b));
	return pid > 0 ? reap(pid, b, c) : -1;
}

/* strace: file for its table; NULL: without it. No spool: what is measured is sending. */
static int run_relay(const struct uplink_bench *b, const char *strace, struct cost *c)
{
	char socket[96], state[96], conf[96], log[96], url[64];
	char *argv[] = { "strace",	 "-f",
			 "-c",		 "-o",
			 (char *)strace, RELAY,
			 "--cloud",	 url,
			 "--cert",	 (char *)b->crt,
			 "--key",	 (char *)b->key,
			 "--ca",	 (char *)b->ca,
			 "--state",	 state,
			 "--feed",	 socket,
			 "--config",	 conf,
			 "--spool",	 "0",
			 "--once",	 NULL };
	pid_t feed, relay;
	int err;

	snprintf(socket, sizeof(socket), "%s/feed", b->dir);
	snprintf(state, sizeof(state), "%s/state", b->dir);
	snprintf(log, sizeof(log), "%s/relay.log", b->dir);
	snprintf(url, sizeof(url), "https://localhost:%d", b->port);
	snprintf(conf, sizeof(conf), "%s/relay.conf", b->dir);
	mkdir(state, 0700);
	close(open(conf, O_WRONLY | O_CREAT, 0600));
	feed = fork();
	if (!feed)
		_exit(uplink_feed_run(b, socket));
	for (int i = 0; i < 200 && access(socket, F_OK); i++)
		usleep(10000);
	relay = fork();
	if (!relay) {
		quiet(log);
		if (strace)
			execvp("strace", argv);
		else
			execv(RELAY, argv + 5);
		_exit(127);
	}
	err = reap(relay, b, c);
	if (err)
		kill(feed, SIGKILL);
	return reap(feed, b, NULL) || err ? -1 : 0;
}

static double count_calls(const char *table)
{
	FILE *f = fopen(table, "r");
	char line[256], word[64];
	double calls = 0, value;

	/* % time, seconds, usecs/call, calls, [errors,] name; the last line is the total */
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " total") && sscanf(line, "%*s %*s %63s %lf", word, &value) == 2)
			calls = strchr(word, '.') ? 0 : value;
	if (f)
		fclose(f);
	return calls;
}

static void keep_least(struct cost *best, const struct cost *now)
{
	if (!best->cpu_us || now->cpu_us < best->cpu_us)
		best->cpu_us = now->cpu_us;
	if (now->anon_kb > best->anon_kb)
		*best = (struct cost){ best->cpu_us, now->anon_early_kb, now->anon_kb };
}

static void put_memory(struct bench *b, const struct cost *relay)
{
	bench_figures(b,
		      &(struct bench_row){ "relay_memory",
					   "the relay's private memory at its most, beside rings",
					   "32 MiB", 1 },
		      "KiB", (double)relay->anon_kb, 32 * 1024);
	bench_figures(b,
		      &(struct bench_row){ "relay_memory_flat",
					   "the same against that of the first half", "first half",
					   1.1 },
		      "KiB", (double)relay->anon_kb,
		      (double)(relay->anon_early_kb ? relay->anon_early_kb : relay->anon_kb));
}

static void put_rows(struct bench *b, const struct uplink_bench *u, const struct cost *relay,
		     const struct cost *curl, const struct cost *raw, double calls)
{
	char what[256];

	snprintf(what, sizeof(what),
		 "CPU of the relay, %u MJPEG frames of %u bytes over TLS 1.3 on loopback",
		 u->frames, u->size);
	bench_figures(b,
		      &(struct bench_row){ "relay_cpu_curl", what,
					   "libcurl, one POST a frame, connection kept", 0.2 },
		      "us/frame", relay->cpu_us, curl->cpu_us);
	bench_figures(b,
		      &(struct bench_row){ "relay_cpu_ssl_write", what,
					   "SSL_write() of the same bytes alone", 1.5 },
		      "us/frame", relay->cpu_us, raw->cpu_us);
	if (calls > 0)
		bench_figures(b,
			      &(struct bench_row){ "relay_syscalls",
						   "system calls of the relay under load, "
						   "strace -c, against one a frame",
						   "1", 0.2 },
			      "calls/frame", calls / u->frames, 1);
	else
		bench_left_out(b, "relay_syscalls", "no strace here, or it may not trace");
	put_memory(b, relay);
}

static int measure(struct bench *b, struct uplink_bench *u)
{
	struct cost relay = { 0 }, curl = { 0 }, raw = { 0 }, now;
	long turns = getenv("BENCH_TURNS") ? strtol(getenv("BENCH_TURNS"), NULL, 10) : 3;
	char table[96];
	double calls = 0;

	if (!turns) {
		if (run_relay(u, NULL, &relay))
			bench_left_out(b, "relay_memory", "the relay failed; build it with make");
		else
			put_memory(b, &relay);
		return 0;
	}
	for (long turn = 0; turn < turns; turn++) {
		now = (struct cost){ 0 };
		if (run_relay(u, NULL, &now)) {
			bench_left_out(b, "relay_cpu", "the relay failed; build it with make");
			return -1;
		}
		keep_least(&relay, &now);
		now = (struct cost){ 0 };
		if (run_peer(u, uplink_curl_run, &now)) {
			bench_left_out(b, "relay_cpu", "libcurl failed");
			return -1;
		}
		keep_least(&curl, &now);
		now = (struct cost){ 0 };
		if (run_peer(u, uplink_raw_run, &now)) {
			bench_left_out(b, "relay_cpu", "the SSL_write() loop failed");
			return -1;
		}
		keep_least(&raw, &now);
	}
	snprintf(table, sizeof(table), "%s/strace", u->dir);
	for (long turn = 0; turn < turns; turn++) {
		double n = run_relay(u, table, NULL) ? 0 : count_calls(table);

		calls = n > 0 && (n < calls || !calls) ? n : calls;
	}
	put_rows(b, u, &relay, &curl, &raw, calls);
	return 0;
}

/* A picture that takes a little less than FRAME_BYTES. */
static uint8_t *make_jpeg(size_t *size)
{
	struct jpeg_shape shape = { .width = 640, .height = 480, .components = 3, .h = 2, .v = 1 };
	uint8_t *pixel = malloc(640 * 480 * 3), *jpeg = NULL;
	uint32_t noise = 1;

	for (uint32_t i = 0; pixel && i < 640 * 480 * 3; i++) {
		noise = noise * 1664525u + 1013904223u;
		pixel[i] = (uint8_t)(40 + i / 3 % 640 / 5 + (noise >> 28));
	}
	for (shape.quality = 92; pixel && shape.quality > 10; shape.quality -= 2) {
		jpeg = jpeg_from_pixels(&shape, pixel, size);
		if (*size <= FRAME_BYTES)
			break;
		free(jpeg);
		jpeg = NULL;
	}
	free(pixel);
	return jpeg;
}

void bench_uplink(struct bench *b)
{
	const char *frames = getenv("BENCH_FRAMES");
	struct uplink_bench u = { .size = FRAME_BYTES };
	uint8_t *frame = calloc(1, FRAME_BYTES), *jpeg;
	size_t size;
	pid_t sink;
	int fd;

	u.frames = frames ? (uint32_t)strtoul(frames, NULL, 10) : 20000;
	jpeg = make_jpeg(&size);
	if (!frame || !jpeg || !u.frames) {
		bench_left_out(b, "relay_cpu", "no frame of the right size");
		goto out;
	}
	memcpy(frame, jpeg, size); /* cameras pad too */
	u.frame = frame;
	snprintf(u.dir, sizeof(u.dir), "%s", certs_dir());
	certs_make_usual();
	snprintf(u.ca, sizeof(u.ca), "%s", certs_path("ca", "crt"));
	snprintf(u.crt, sizeof(u.crt), "%s", certs_path("device", "crt"));
	snprintf(u.key, sizeof(u.key), "%s", certs_path("device", "key"));
	u.port = uplink_sink_listen(&fd);
	if (u.port < 0) {
		bench_left_out(b, "relay_cpu", strerror(-u.port));
		goto out;
	}
	sink = fork();
	if (!sink)
		uplink_sink_serve(fd, certs_path("server", "crt"), certs_path("server", "key"));
	close(fd);
	measure(b, &u);
	kill(sink, SIGKILL);
	waitpid(sink, NULL, 0);
	if (!getenv("KEEP_TMP"))
		certs_remove();
out:
	free(frame);
	free(jpeg);
}
