// SPDX-License-Identifier: MIT
/*
 * busconf.c - see busconf.h. A node that analyses nothing is a publisher: it needs no rights on
 * leases and consumers.
 */
#include <errno.h>
#include <stdio.h>

#include "cloud/bus_nats.h"
#include "cloud/busconf.h"

int sluice_busconf_fits(const struct sluice_cloud_conf *conf, char *why)
{
	why[0] = 0;
	if (conf->bus.backend == SLUICE_BUS_LOCAL) {
		if (conf->server.role == SLUICE_PART_ALL)
			return 0;
		snprintf(why, SLUICE_BUS_WHY,
			 "a role other than all needs a bus between the processes: say [bus] "
			 "backend "
			 "= nats and urls = ...");
		return -EINVAL;
	}
	if (!conf->bus.urls[0])
		snprintf(why, SLUICE_BUS_WHY, "[bus] urls is missing: nats://HOST:4222, ...");
	else if (!conf->bus.certificate[0] != !conf->bus.key[0] ||
		 (conf->bus.certificate[0] && !conf->bus.ca[0]))
		snprintf(why, SLUICE_BUS_WHY, "[bus] ca, certificate and key go together");
	else if (conf->index.backend != SLUICE_INDEX_POSTGRESQL)
		snprintf(why, SLUICE_BUS_WHY,
			 "a bus of several processes needs an index that they share: say [index] "
			 "backend = postgresql");
	return why[0] ? -EINVAL : 0;
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

int sluice_busconf_open(const struct sluice_cloud_conf *conf, const char *name,
			struct sluice_cameras *cameras, struct sluice_bus **out, char *why)
{
	const struct sluice_nats_config c = {
		.urls = conf->bus.urls,
		.ca = or_null(conf->bus.ca),
		.cert = or_null(conf->bus.certificate),
		.key = or_null(conf->bus.key),
		.name = name,
		.partitions = conf->bus.partitions,
		.ttl_ms = (unsigned int)conf->bus.lease_ms,
		.publish_only = conf->server.role == SLUICE_PART_INGEST ||
				conf->server.role == SLUICE_PART_API,
		.cameras = cameras,
	};
	int err = sluice_busconf_fits(conf, why);

	*out = NULL;
	return err ? err : sluice_bus_nats_open(&c, out, why, SLUICE_BUS_WHY);
}
