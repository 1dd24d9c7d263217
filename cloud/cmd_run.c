// SPDX-License-Identifier: MIT
/* cmd_run.c - sluice-cloud run: the settings, then the server. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/cmd.h"
#include "cloud/conf.h"
#include "cloud/server.h"
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

static int serve(const struct sluice_cloud_conf *conf)
{
	const struct sluice_server_config c = {
		.conf = conf,
		.data = conf->server.data,
		.listen = conf->server.listen,
		.port_file = conf->server.port_file[0] ? conf->server.port_file : NULL,
		.device_life_s = (uint32_t)(conf->auth.device_life_ms / 1000),
		.digests = conf->digests.enabled,
	};
	static struct sluice_server server;
	int err;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* few threads: few arenas; what a burst took goes back to the system */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	err = sluice_server_open(&server, &c);
	if (!err) {
		sluice_info("listening on %s, port %u", c.listen, server.port);
		err = sluice_server_run(&server);
		if (err)
			sluice_error("the event loop failed: %s", strerror(-err));
	}
	sluice_server_close(&server);
	return err ? 1 : 0;
}

int sluice_cmd_run(int argc, char **argv)
{
	struct line line = { 0 };
	struct sluice_cloud_conf conf;
	char why[400];
	int code = read_line(argc, argv, &line);

	if (code)
		return code;
	if (sluice_cloud_conf_read(&conf, line.config, line.said, line.count, why, sizeof(why))) {
		sluice_error("%s", why);
		return strncmp(why, "--", 2) ? 1 : 2;
	}
	sluice_log_setup("sluice-cloud", (enum sluice_log_level)conf.log.level, conf.log.format);
	if (!conf.server.data[0])
		code = sluice_cmd_usage("run", "--data DIR is missing, or data in [server]");
	else if (!conf.server.listen[0])
		code = sluice_cmd_usage("run", "--listen ADDR:PORT is missing, or listen in "
					       "[server]");
	else
		code = line.check ? sluice_cmd_check(&conf, line.json) : serve(&conf);
	sluice_cloud_conf_free(&conf);
	return code;
}
