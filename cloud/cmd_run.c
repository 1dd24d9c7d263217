// SPDX-License-Identifier: MIT
/* cmd_run.c - sluice-cloud run. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/cmd.h"
#include "cloud/keyconf.h"
#include "cloud/server.h"
#include "lib/log.h"

/* "90d": seconds; -1: wrong. */
static long read_life(const char *s)
{
	static const char units[] = "smhd";
	static const long factor[] = { 1, 60, 3600, 86400 };
	const char *u;
	char *end;
	long n;

	n = strtol(s, &end, 10);
	u = *end && !end[1] ? strchr(units, *end) : NULL;
	if (*s < '0' || *s > '9' || !u || n > 825 * 86400L)
		return -1;
	n *= factor[u - units];
	return n < 10 || n > 825 * 86400L ? -1 : n;
}

int sluice_cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "port-file", required_argument, NULL, 'p' },
		{ "device-life", required_argument, NULL, 'c' },
		{ "digests", no_argument, NULL, 'g' },
		{ "key-file", required_argument, NULL, 'k' },
		{ "key-command", required_argument, NULL, 'K' },
		{ "old-key-file", required_argument, NULL, 'o' },
		{ "old-key-command", required_argument, NULL, 'O' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct sluice_server_config c = { .retain = { .events_s = SLUICE_RETAIN_EVENTS_S,
						      .summaries_s = SLUICE_RETAIN_SUMMARIES_S } };
	struct sluice_keyconf keys = { 0 };
	static struct sluice_keyring ring;
	static struct sluice_server server;
	int o, err, verbose = 0;
	long life = 0;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			c.data = optarg;
		else if (o == 'l')
			c.listen = optarg;
		else if (o == 'p')
			c.port_file = optarg;
		else if (o == 'c')
			life = read_life(optarg);
		else if (o == 'g')
			c.digests = 1;
		else if (o == 'k')
			keys.file = optarg;
		else if (o == 'K')
			keys.command = optarg;
		else if (o == 'o')
			keys.old_file = optarg;
		else if (o == 'O')
			keys.old_command = optarg;
		else if (o == 'v')
			verbose = 1;
		else
			return 2;
	}
	if (!c.data || !c.listen || optind != argc)
		return sluice_cmd_usage("run", !c.data	   ? "--data DIR is missing"
					       : !c.listen ? "--listen ADDR:PORT is missing"
							   : "too many words");
	if (life < 0)
		return sluice_cmd_usage("run", "--device-life is a number with s, m, h or d, "
					       "from 10s to 825d");
	c.device_life_s = (uint32_t)life;
	sluice_log_setup("sluice-cloud", verbose ? SLUICE_LOG_DEBUG : SLUICE_LOG_INFO, false);
	if (sluice_keyconf_read(&keys, &ring))
		return 1;
	c.keys = &ring;
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
	sluice_keyring_clear(&ring);
	return err ? 1 : 0;
}
