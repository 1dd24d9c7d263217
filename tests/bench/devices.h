/* SPDX-License-Identifier: MIT */
/*
 * devices.h - the load generator for the cloud: many devices in one process, each with a
 * certificate of its own from the cloud's authority, over real TLS, in the real protocol. The cloud
 * is a process of its own, started and measured here, or one that runs already.
 */
#ifndef TESTS_BENCH_DEVICES_H
#define TESTS_BENCH_DEVICES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/io.h"
#include "lib/tls.h"

#define DEVICES_MAX    20000
#define BESIDE_MAX     8
#define PARTITIONS_MAX 64

struct devices_options {
	const char *cloud; /* the program */
	unsigned int devices, seconds, bytes;
	unsigned int rate; /* frames of a device in 10 s */
	unsigned int width, height;
	uint64_t epoch;
	unsigned int frames;	 /* of a device, in part feed */
	unsigned int partitions; /* of which each is to have as many cameras; 0: as it comes */
	const char *dir;  /* where devices and data are, or are to be made; NULL: a new one */
	const char *port; /* of a cloud that runs there; NULL: one is started */
	pid_t pid;	  /* of that cloud; 0: not said */
	struct {
		const char *name;
		pid_t pid;
	} beside[BESIDE_MAX]; /* processes that are measured, too, with their children */
	unsigned int beside_count;
	const char *reel; /* file of frames to be sent; NULL: a still picture */
	bool json;
};

/* ---- devices_cloud.c: the server ---- */

struct cloud_process {
	char dir[128], data[160];
	pid_t pid;
	char port[8];
	bool found; /* it ran before us, and goes on */
};

/* What the process has used; seconds of CPU and bytes. */
struct cloud_usage {
	double cpu, ingest_cpu; /* all of it; of the event loops and the writer */
	uint64_t rss;
};

/* A data directory with so many devices enrolled, in c->dir. 0 or -1. */
int cloud_process_prepare(struct cloud_process *c, const struct devices_options *o);
/* The same and the cloud running on it; or the one that o names. 0 or -1. */
int cloud_process_start(struct cloud_process *c, const struct devices_options *o);
int cloud_process_usage(const struct cloud_process *c, struct cloud_usage *u);
/* Ends it and removes the directory; its exit code. Not one that was found. */
int cloud_process_stop(struct cloud_process *c);
/* Files of device n; path: 256 bytes. */
void cloud_process_file(const struct cloud_process *c, unsigned int n, const char *end, char *path);

/* ---- devices_footage.c: what they send ---- */

struct footage;

/* Of o->reel, or a still of o's size and bytes. NULL: it cannot be read, or memory is short; told.
 */
struct footage *footage_open(const struct devices_options *o);
void footage_close(struct footage *f); /* NULL-safe */
void footage_picture(const struct footage *f, uint32_t *width, uint32_t *height);
/* How long so many frames have taken in earnest; 0: a still. */
uint64_t footage_span_ns(const struct footage *f, uint64_t frames);
/* Bytes of the payload of that frame of an epoch. */
uint32_t footage_size(const struct footage *f, uint64_t sequence);
/* Its payload, valid until the next call. first_ns: the epoch's first frame; now_ns: the time of a
 * still. */
const uint8_t *footage_frame(struct footage *f, uint64_t epoch, uint64_t sequence,
			     uint64_t first_ns, uint64_t now_ns);

/* ---- devices_link.c: devices on an event loop ---- */

struct fleet;

/* What all of them have seen. */
struct fleet_result {
	unsigned int welcomed; /* are, or were, connected */
	unsigned int opened;   /* cameras */
	unsigned int errors;   /* links that ended by themselves, GOAWAY, REJECT */
	char error[160];       /* the first one */
	uint64_t sent, stored; /* frames */
	uint64_t sent_bytes;
	double p50_ms, p99_ms, max_ms;	   /* from sending a frame to its STORED, all of them */
	double p99_first_ms, p99_later_ms; /* each device's first, and the others */
};

struct fleet *fleet_open(const struct cloud_process *c, const struct devices_options *o);
/* Connects all, some at a time, and waits until each is welcomed (and has its camera open, if
 * cameras); seconds at the most. */
int fleet_connect(struct fleet *f, bool cameras, unsigned int seconds);
/* Each device sends its frames at its rate (0: as fast as credit allows) for so long; then waits
 * for what is not yet STORED, 10 s at the most. */
void fleet_send(struct fleet *f, unsigned int seconds, bool flat_out);
/* Each sends so many frames as fast as credit allows; until all are STORED, for so long at most. */
void fleet_feed(struct fleet *f, unsigned int frames, unsigned int seconds);
/* Nothing but heartbeats. */
void fleet_rest(struct fleet *f, unsigned int seconds);
void fleet_result(struct fleet *f, struct fleet_result *r);
void fleet_close(struct fleet *f);

/* ---- devices_shake.c ---- */

/* Mutual handshakes for so many seconds, by two clients at a time; how many, 0: it failed. A
 * handshake counts when the server's ticket has come, by which it has finished, too. */
uint64_t devices_shake(const struct cloud_process *c, bool resumed, unsigned int seconds);

/* ---- devices_bare.c ---- */

/* The same handshakes by OpenSSL alone, for so many seconds: how many a second of CPU of their
 * server's half; 0: one failed. */
double devices_bare(const struct cloud_process *c, unsigned int seconds);

/* ---- devices_sink.c ---- */

/* A bare TLS sink reads and discards so many bytes: its seconds of CPU. < 0: it failed. */
double devices_sink(const struct cloud_process *c, uint64_t bytes);

#endif
