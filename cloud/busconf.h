/* SPDX-License-Identifier: MIT */
/* busconf.h - the bus that [bus] of cloud.conf describes. */
#ifndef SLUICE_BUSCONF_H
#define SLUICE_BUSCONF_H

#include "cloud/bus.h"
#include "cloud/conf.h"

#define SLUICE_BUS_WHY 400

/* 0, or -EINVAL with a sentence in why (SLUICE_BUS_WHY): role and [bus] do not go together, or a
 * key is missing. Nobody is asked. */
int sluice_busconf_fits(const struct sluice_cloud_conf *conf, char *why);

/* Opens the bus at the broker, as a node of conf's role called name. -errno with why. */
int sluice_busconf_open(const struct sluice_cloud_conf *conf, const char *name,
			struct sluice_cameras *cameras, struct sluice_bus **out, char *why);

#endif
