/* SPDX-License-Identifier: MIT */
/*
 * uplink_bench.h - the parts of the rows about sending: a server that takes frames in three ways, a
 * camera that never runs dry, and the peers. Each runs in a process of its own, so that its CPU
 * time is not the relay's.
 */
#ifndef TESTS_BENCH_UPLINK_H
#define TESTS_BENCH_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

struct uplink_bench {
	char dir[64];			  /* of sockets and state */
	char ca[160], crt[160], key[160]; /* the device's */
	int port;
	uint32_t frames;
	const uint8_t *frame; /* one JPEG */
	uint32_t size;
};

/*
 * uplink_sink.c: listens on a port of 127.0.0.1 and returns it, or -errno; serves for ever. Takes
 * TLS 1.3 and, by the first line: "GET " the uplink protocol, stored and credited as the cloud
 * does; "POST " requests, each answered by 204; "RAW " bytes, answered by one byte at their end.
 */
int uplink_sink_listen(int *fd);
void uplink_sink_serve(int fd, const char *crt, const char *key) __attribute__((noreturn));

/* uplink_feed.c: a ring at this socket; b->frames frames as fast as they are taken, then the end.
 * Returns an exit code. */
int uplink_feed_run(const struct uplink_bench *b, const char *path);

/* uplink_peers.c: the same frames, by libcurl (one handle, one POST a frame, the connection kept)
 * and by SSL_write() alone. Exit codes. */
int uplink_curl_run(const struct uplink_bench *b);
int uplink_raw_run(const struct uplink_bench *b);

#endif
