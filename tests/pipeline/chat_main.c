// SPDX-License-Identifier: MIT
/* usage: chat_server PORT-FILE LOG-DIR MANNER...	see tests/unit/chat_server.h */
#include <signal.h>
#include <stdio.h>

#include "tests/unit/chat_server.h"

int main(int argc, char **argv)
{
	struct chat_server s = { 0 };
	FILE *f;

	if (argc < 4) {
		fprintf(stderr, "usage: chat_server PORT-FILE LOG-DIR MANNER...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	s.manner = (const char *const *)argv + 3;
	s.manners = (unsigned int)argc - 3;
	s.log = argv[2];
	chat_server_listen(&s);
	f = fopen(argv[1], "w");
	if (!f || fprintf(f, "%u\n", s.port) < 0 || fclose(f))
		return 1;
	chat_server_serve(&s);
	return 0;
}
