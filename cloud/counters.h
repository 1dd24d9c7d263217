/* SPDX-License-Identifier: MIT */
/*
 * counters.h - what the node has counted since it began; any thread adds, nobody takes away. Their
 * names for Prometheus are in counters.c, their meaning for people in docs/metrics.md.
 */
#ifndef SLUICE_CLOUD_COUNTERS_H
#define SLUICE_CLOUD_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cloud/door.h"

enum sluice_counter {
	SLUICE_N_ACCEPTED,
	/* why a connection was not let in, or not left in; in the order of enum sluice_refusal */
	SLUICE_N_REFUSED_TOTAL,
	SLUICE_N_REFUSED_ADDRESS,
	SLUICE_N_REFUSED_RATE,
	SLUICE_N_REFUSED_HALF_OPEN,
	SLUICE_N_REFUSED_DEVICE,
	SLUICE_N_REFUSED_PROXY,
	SLUICE_N_HANDSHAKE_FULL,
	SLUICE_N_HANDSHAKE_RESUMED,
	SLUICE_N_HANDSHAKE_FAILED,
	SLUICE_N_HANDSHAKE_LATE,
	SLUICE_N_REQUESTS,
	SLUICE_N_REQUEST_LATE,
	SLUICE_N_LINKS,
	SLUICE_N_FRAMES,
	SLUICE_N_FRAME_BYTES,
	SLUICE_N_CONTROL,
	SLUICE_N_STORED,
	SLUICE_N_STORE_FAILED,
	SLUICE_N_REJECTED,
	/* the device was not read from, or not granted credit, for a while */
	SLUICE_N_HELD_RATE,
	SLUICE_N_HELD_FILL,
	SLUICE_N_CREDIT_STALLED,
	SLUICE_N_GOAWAY, /* + code, 0..10 */
	SLUICE_N_GOAWAY_LAST = SLUICE_N_GOAWAY + 10,
	SLUICE_COUNTERS
};

#define SLUICE_LATENCY_BUCKETS 12 /* the last: above all bounds */

struct sluice_counters {
	atomic_ullong n[SLUICE_COUNTERS];
	/* from a frame's arrival to its being durable */
	atomic_ullong latency[SLUICE_LATENCY_BUCKETS], latency_us;
};

static inline void sluice_count(struct sluice_counters *c, enum sluice_counter which, uint64_t n)
{
	atomic_fetch_add_explicit(&c->n[which], n, memory_order_relaxed);
}

/* r: not SLUICE_WELCOME. */
void sluice_count_refusal(struct sluice_counters *c, enum sluice_refusal r);
void sluice_count_latency(struct sluice_counters *c, uint64_t ns);

/* Prometheus text of all of them. */
void sluice_counters_print(struct sluice_counters *c, FILE *out);
/* One counter that lies elsewhere; as the gauge below. */
void sluice_counter_print(FILE *out, const char *name, const char *help, const char *labels,
			  uint64_t value);
/* One gauge, with its help (NULL: the one before has the name). labels: "" or "{a=\"b\"}". */
void sluice_gauge_print(FILE *out, const char *name, const char *help, const char *labels,
			double value);

#endif
