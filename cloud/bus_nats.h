/* SPDX-License-Identifier: MIT */
/*
 * bus_nats.h - the bus on NATS JetStream: what lies in the broker, how it is made, how it is
 * opened. Where libnats was not there at build time, opening and provisioning are -ENOTSUP.
 *
 *   stream FRAMES    f.PARTITION.TENANT.CAMERA   work queue, file, refuses new ones when full
 *   consumers pNN    of f.NN.>                   durable, pull, one message out at a time
 *   stream ASIDE     aside.PARTITION             what was given out too often
 *   bucket LEASE     pNN                         who has a partition; goes by itself after the TTL
 */
#ifndef SLUICE_BUS_NATS_H
#define SLUICE_BUS_NATS_H

#include <stdbool.h>
#include "cloud/bus.h"

#define SLUICE_NATS_PARTITIONS_MAX 64

/* How often a process that takes chunks is heard of, if its leases' life does not make it oftener.
 * Less only for tests. */
extern unsigned int sluice_nats_pace_ms;

struct sluice_nats_config {
	const char *urls;	     /* "nats://HOST:PORT", more of them with commas */
	const char *ca, *cert, *key; /* files; ca NULL: no TLS; cert NULL: no certificate of ours */
	const char *name;	     /* of this node, in leases and at the broker */
	unsigned int partitions;     /* of live lanes; as they were provisioned */
	unsigned int ttl_ms;	     /* of a lease; as it was provisioned */
	size_t max;		     /* bytes that wait here for one partition; 0: 8 MiB */
	bool publish_only;	     /* an ingest node: needs no rights on leases and consumers */
	struct sluice_cameras *cameras; /* borrowed */
};

/* What provisioning makes; sizes and times as in the broker. */
struct sluice_nats_plan {
	unsigned int partitions, replicas, ttl_ms;
	uint64_t max_bytes; /* of FRAMES */
	unsigned int max_age_s, ack_wait_ms;
};

/* why (size bytes) says what is wrong. -ECONNREFUSED, -ENOENT (not provisioned), -EINVAL, ... */
int sluice_bus_nats_open(const struct sluice_nats_config *c, struct sluice_bus **out, char *why,
			 size_t size);

/* Makes what is missing and brings the rest to the plan; again: nothing changes. fn is told of each
 * object. -errno with a sentence in why. */
int sluice_bus_nats_provision(const struct sluice_nats_config *c,
			      const struct sluice_nats_plan *plan,
			      void (*fn)(void *ctx, const char *object, const char *done),
			      void *ctx, char *why, size_t size);

/* What must be said of a broker of that version ("2.9.10"); NULL: nothing. */
const char *sluice_nats_version_warning(const char *version);
/* version: 32 bytes, as the first server of c says. -errno. */
int sluice_nats_version(const struct sluice_nats_config *c, char *version);

/* "libnats 3.4.1", or NULL: built without. */
const char *sluice_bus_nats_library(void);

#endif
