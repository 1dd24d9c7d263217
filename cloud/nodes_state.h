/* SPDX-License-Identifier: MIT */
/* nodes_state.h - what nodes.c (who is there) and nodes_say.c share; nobody else includes it. */
#ifndef SLUICE_NODES_STATE_H
#define SLUICE_NODES_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cloud/nodes.h"
#include "cloud/spread.h"
#include "lib/log.h"
#include "lib/wire.h"

#define NODES_TURN     8     /* beats in which all devices are said once */
#define NODES_STALE_MS 20000 /* a device that is not said again for as long is gone */
#define NODES_CHANGES  4096  /* that wait to be said; of more, the turn brings them */
#define NODES_BUCKETS  4096

/* Another process that takes devices. */
struct nodes_node {
	char id[17]; /* on the bus; "" free */
	char name[64];
	uint64_t seen_ms;
	struct sluice_spread_node load;
};

/* A device that is connected to one of them. */
struct nodes_device {
	struct nodes_device *next;
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
	char node[17];
	uint64_t since_ns; /* of the link, UTC by the clock of its process */
	uint64_t seen_ms;
	unsigned int count;
	char camera[][SLUICE_NAME_MAX];
};

/* Of a device of this process something has changed. */
struct nodes_change {
	struct nodes_change *next;
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX];
};

struct sluice_nodes {
	struct sluice_nodes_config c;
	pthread_t thread;
	bool has_thread;
	struct sluice_log_limit limit;
	struct sluice_spread spread; /* the thread's, as turn */
	unsigned int turn;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	bool stopping;
	struct nodes_change *change, **change_last;
	unsigned int changes;
	struct nodes_node node[SLUICE_NODES_MAX];
	struct nodes_device *bucket[NODES_BUCKETS];
	unsigned int devices;
};

/* nodes_say.c: what this process is, and what has changed of its devices; beat: a part of all of
 * them too. In its thread. */
void nodes_say(struct sluice_nodes *n, const struct sluice_spread_node *own, bool beat);
void nodes_say_gone(struct sluice_nodes *n);
/* Watches the roster: struct sluice_nodes. Any thread. */
void nodes_on_change(void *ctx, const char *tenant, const char *device);

#endif
