// SPDX-License-Identifier: MIT
/* cmd_run.c - sluice-cloud run: the settings, then the server. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/busconf.h"
#include "cloud/cmd.h"
#include "cloud/conf.h"
#include "cloud/indexconf.h"
#include "cloud/keyconf.h"
#include "cloud/server.h"
#include "cloud/service.h"
#include "lib/log.h"

#define SAID_MAX 16

enum { OPT_CONFIG = 256, OPT_CHECK, OPT_JSON };

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "data", required_argument, NULL, 0 },
	{ "listen", required_argument, NULL, 1 },
	{ "port-file", required_argument, NULL, 2 },
	{ "device-life", required_argument, NULL, 3 },
	{ "digests", no_argument, NULL, 4 },
	{ "verbose", no_argument, NULL, 5 },
	{ "key-file", required_argument, NULL, 6 },
	{ "key-command", required_argument, NULL, 7 },
	{ "old-key-file", required_argument, NULL, 8 },
	{ "old-key-command", required_argument, NULL, 9 },
	{ "role", required_argument, NULL, 10 },
	{ "node", required_argument, NULL, 11 },
	{ 0 },
};

/* What the options stand for; in the order of their numbers above. */
static const struct sluice_conf_said meaning[] = {
	{ "--data", "server", "data", NULL },
	{ "--listen", "server", "listen", NULL },
	{ "--port-file", "server", "port_file", NULL },
	{ "--device-life", "auth", "device_life", NULL },
	{ "--digests", "digests", "enabled", "yes" },
	{ "--verbose", "log", "level", "debug" },
	{ "--key-file", "encryption", "key_file", NULL },
	{ "--key-command", "encryption", "key_command", NULL },
	{ "--old-key-file", "encryption", "old_key_file", NULL },
	{ "--old-key-command", "encryption", "old_key_command", NULL },
	{ "--role", "server", "role", NULL },
	{ "--node", "server", "node", NULL },
};

struct line {
	struct sluice_conf_said said[SAID_MAX];
	size_t count;
	const char *config;
	bool check, json;
};

/* 0, or 2. */
static int read_line(int argc, char **argv, struct line *l)
{
	int o;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == '?')
			return 2;
		if (o == OPT_CONFIG) {
			l->config = optarg;
		} else if (o == OPT_CHECK) {
			l->check = true;
		} else if (o == OPT_JSON) {
			l->json = true;
		} else {
			if (l->count == SAID_MAX)
				return sluice_cmd_usage("run", "too many options");
			l->said[l->count] = meaning[o];
			if (optarg)
				l->said[l->count].value = optarg;
			l->count++;
		}
	}
	if (optind != argc)
		return sluice_cmd_usage("run", "unexpected word '%s'", argv[optind]);
	if (l->json && !l->check)
		return sluice_cmd_usage("run", "--json goes with --check");
	return 0;
}

/*
 * Few threads: few arenas; what a burst took goes back to the system. Where chunks leave the
 * process they are copied into one block, and by the bus's library into another: those of the
 * usual size are not to be mapped, zeroed and unmapped each time, which costs as much as the rest
 * of sending them.
 */
static void keep_memory_small(bool sends_chunks)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, sends_chunks ? 4 << 20 : 128 << 10);
	mallopt(M_TRIM_THRESHOLD, sends_chunks ? 16 << 20 : 1 << 20);
}

static int serve(struct sluice_service *service)
{
	static struct sluice_keyring ring;
	const struct sluice_cloud_conf *conf = &service->conf[0];
	const struct sluice_server_config c = {
		.conf = conf,
		.service = service,
		.data = conf->server.data,
		.listen = conf->server.listen,
		.port_file = conf->server.port_file[0] ? conf->server.port_file : NULL,
		.device_life_s = (uint32_t)(conf->auth.device_life_ms / 1000),
		.digests = conf->digests.enabled,
		.open_bus = conf->bus.backend == SLUICE_BUS_NATS ? sluice_busconf_open : NULL,
		.keys = &ring,
		.retain = { .events_s = conf->retention.events_ms / 1000,
			    .summaries_s = conf->retention.summaries_ms / 1000,
			    .max_bytes = conf->retention.max_size,
			    .free_bytes = conf->retention.keep_free },
	};
	const struct sluice_keyconf keys = { conf->encryption.key_file,
					     conf->encryption.key_command,
					     conf->encryption.old_key_file,
					     conf->encryption.old_key_command };
	static struct sluice_server server;
	char why[SLUICE_PG_WHY > SLUICE_BUS_WHY ? SLUICE_PG_WHY : SLUICE_BUS_WHY];
	int err;

	if (sluice_busconf_fits(conf, why) || sluice_indexconf_use(conf, why)) {
		sluice_error("%s", why);
		return 1;
	}
	if (sluice_keyconf_read(&keys, &ring))
		return 1;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	keep_memory_small(conf->bus.backend != SLUICE_BUS_LOCAL);
	err = sluice_server_open(&server, &c);
	if (!err) {
		sluice_info("listening on %s, port %u", c.listen, server.port);
		err = sluice_server_run(&server);
		if (err)
			sluice_error("the event loop failed: %s", strerror(-err));
	}
	sluice_server_close(&server);
	sluice_keyring_clear(&ring);
	sluice_indexconf_clear();
	return err ? 1 : 0;
}

int sluice_cmd_run(int argc, char **argv)
{
	static struct sluice_service service;
	struct sluice_cloud_conf *conf = &service.conf[0];
	struct line line = { 0 };
	char why[400];
	int code = read_line(argc, argv, &line);

	if (code)
		return code;
	sluice_service_begin(&service);
	service.path = line.config;
	service.said = line.said;
	service.said_count = line.count;
	if (sluice_cloud_conf_read(conf, line.config, line.said, line.count, why, sizeof(why))) {
		sluice_error("%s", why);
		return strncmp(why, "--", 2) ? 1 : 2;
	}
	sluice_log_setup("sluice-cloud", (enum sluice_log_level)conf->log.level, conf->log.format);
	if (!conf->server.data[0])
		code = sluice_cmd_usage("run", "--data DIR is missing, or data in [server]");
	else if (!conf->server.listen[0])
		code = sluice_cmd_usage("run", "--listen ADDR:PORT is missing, or listen in "
					       "[server]");
	else
		code = line.check ? sluice_cmd_check(conf, line.json) : serve(&service);
	sluice_service_free(&service);
	return code;
}
