/* SPDX-License-Identifier: MIT */
/* conf.h - what the relay was told: file and command line, checked, with defaults. */
#ifndef RELAY_CONF_H
#define RELAY_CONF_H

#include "relay/budget.h"
#include "relay/clouds.h"
#include "relay/commands.h"
#include "relay/region.h"
#include "relay/retention.h"
#include "relay/settings.h"
#include "relay/sinks.h"
#include "relay/source.h"

#include <limits.h>

struct relay_conf {
	struct relay_clouds clouds;
	char cert[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
	char state[PATH_MAX];
	const char *feed[RELAY_SOURCES_MAX], *device[RELAY_SOURCES_MAX];
	size_t feeds, devices;
	uint64_t spool_bytes;	  /* 0: no spool */
	unsigned int spool_after; /* ms without a link */
	unsigned int weight[2];	  /* of live and back-fill */
	unsigned int quality;	  /* of JPEGs made from raw frames */
	struct relay_region_config region;
	struct relay_budget_config budget;
	bool once, check, verbose, json, events;
	bool check_config, renew; /* --check=config, --renew */
	bool seccomp, starts_programs;
	int log;	     /* enum sluice_log_level */
	const char *metrics; /* address, NULL: none */
	struct relay_retention retention;
	struct relay_sinks_config sinks;
	struct relay_settings_conf settings;
	uint32_t commands;	  /* of the cloud's that are allowed: bits by enum relay_command */
	struct sluice_conf *file; /* holds the strings */
};

/* 0: go on; else exit with *exit_code (0 after --help, 2 usage, 1 a file that is wrong); what is to
 * be said has been printed. */
int relay_conf_read(struct relay_conf *c, int argc, char **argv, int *exit_code);
/* The same again, for SIGHUP: 0, or -EINVAL with a sentence in why; nothing is printed. */
int relay_conf_reread(struct relay_conf *c, int argc, char **argv, char *why, size_t why_size);
void relay_conf_free(struct relay_conf *c);

#endif
