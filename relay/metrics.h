/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - counters in Prometheus' text format, and the health, over HTTP on a port of this
 * machine or a Unix socket. docs/metrics.md lists the names, which do not change.
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "relay/health.h"
#include "relay/renew.h"
#include "relay/uplink.h"

#define RELAY_METRICS_EXTRA 48 /* of other parts */

/* A counter or gauge of another part, without labels. Strings are borrowed for ever. */
struct relay_metric {
	const char *name; /* "sluice_spool_bytes"; a counter's ends with _total */
	const char *help;
	bool counter;
	uint64_t (*value)(void *arg);
	void *arg;
};

struct relay_metrics_config {
	struct sluice_io *io;
	const char *address; /* "127.0.0.1:9465", "[::1]:9465", "unix:/run/sluice/metrics" */
	const struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	const struct relay_uplink *uplink;
	const struct relay_renew *renew;
	const struct relay_health *health;
	uint64_t (*reloads)(void *arg);
	void *arg;
};

struct relay_metrics;

/* 0 if the address is one that open() takes: of this machine only. */
int relay_metrics_address(const char *address);

/* address NULL: nothing listens, and render() works. NULL and -errno in *err. */
struct relay_metrics *relay_metrics_open(const struct relay_metrics_config *c, int *err);
/* NULL-safe. Before the io is closed: nobody is answered any more. */
void relay_metrics_close(struct relay_metrics *m);
/* NULL-safe. After the io is closed, since connections that end look at it. */
void relay_metrics_free(struct relay_metrics *m);

/* 0 or -ENOSPC. */
int relay_metrics_add(struct relay_metrics *m, const struct relay_metric *metric);

/* The whole text; malloc'd, NULL: out of memory. */
char *relay_metrics_render(const struct relay_metrics *m);

#endif
