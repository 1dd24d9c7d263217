// SPDX-License-Identifier: MIT
/* cmd_run.c - sluice-cloud run. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/cmd.h"
#include "cloud/server.h"
#include "lib/log.h"

int sluice_cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "port-file", required_argument, NULL, 'p' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct sluice_server_config c = { 0 };
	static struct sluice_server server;
	int o, err, verbose = 0;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			c.data = optarg;
		else if (o == 'l')
			c.listen = optarg;
		else if (o == 'p')
			c.port_file = optarg;
		else if (o == 'v')
			verbose = 1;
		else
			return 2;
	}
	if (!c.data || !c.listen || optind != argc)
		return sluice_cmd_usage("run", !c.data	   ? "--data DIR is missing"
					       : !c.listen ? "--listen ADDR:PORT is missing"
							   : "too many words");
	sluice_log_setup("sluice-cloud", verbose ? SLUICE_LOG_DEBUG : SLUICE_LOG_INFO, false);
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
