// SPDX-License-Identifier: MIT
/*
 * usage: bad_s3 PORT PORT-FILE
 *
 * Stands before the HTTP server at PORT of localhost and writes the port at which it listens itself
 * to PORT-FILE. Each line of its standard input says what it does from then on:
 *	WAY N	to request N, 2N, ...
 *	well	nothing
 * and is answered by a line: how many requests were treated badly since the one before. It ends
 * with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conform/bad_proxy.h"

static const char *const ways[BAD_PROXY_WAYS] = {
	[BAD_PROXY_500] = "500",       [BAD_PROXY_SLOW_DOWN] = "503",
	[BAD_PROXY_CUT] = "cut",       [BAD_PROXY_UNSAID] = "unsaid",
	[BAD_PROXY_SHORT] = "short",   [BAD_PROXY_CHANGED] = "changed",
	[BAD_PROXY_ETAG] = "etag",     [BAD_PROXY_BROKEN] = "broken",
	[BAD_PROXY_SILENT] = "silent", [BAD_PROXY_SLOW] = "slow",
};

static int do_line(const char *line)
{
	unsigned int way = 0, every = 0;
	char name[16];

	if (strcmp(line, "well\n") != 0) {
		if (sscanf(line, "%15s %u", name, &every) != 2 || !every)
			return -1;
		while (way < BAD_PROXY_WAYS && strcmp(ways[way], name) != 0)
			way++;
		if (way == BAD_PROXY_WAYS)
			return -1;
	}
	printf("%u\n", bad_proxy_every(way, every));
	return fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[64];
	FILE *f;

	if (argc != 3)
		return 2;
	f = fopen(argv[2], "w");
	if (!f)
		return 2;
	fprintf(f, "%u\n", bad_proxy_start((unsigned int)strtoul(argv[1], NULL, 10)));
	if (fclose(f))
		return 2;
	while (fgets(line, sizeof(line), stdin))
		if (do_line(line)) {
			fprintf(stderr, "bad_s3: what is '%s'?\n", line);
			return 2;
		}
	return 0;
}
