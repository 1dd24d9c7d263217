// SPDX-License-Identifier: MIT
/* bus_nats_absent.c - in the place of bus_nats.c and its files where libnats is not there. */
#include <errno.h>
#include <stdio.h>

#include "cloud/bus_nats.h"

int sluice_bus_nats_open(const struct sluice_nats_config *c, struct sluice_bus **out, char *why,
			 size_t size)
{
	*out = NULL;
	snprintf(why, size, "built without libnats; install libnats-dev and build again");
	return -ENOTSUP;
}

int sluice_bus_nats_provision(const struct sluice_nats_config *c,
			      const struct sluice_nats_plan *plan,
			      void (*fn)(void *ctx, const char *object, const char *done),
			      void *ctx, char *why, size_t size)
{
	snprintf(why, size, "built without libnats; install libnats-dev and build again");
	return -ENOTSUP;
}

const char *sluice_bus_nats_library(void)
{
	return NULL;
}
