// SPDX-License-Identifier: MIT
/* main.c - sluicectl: looks up the subcommand and runs it. No subcommand means show. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/ctl/ctl.h"

volatile int ctl_stopped;

static const struct ctl_command commands[] = {
	{ "show", "[CAMERA]", "cameras, their state and settings", ctl_show },
	{ "attach", "DEVICE [options] [SETTING=VALUE]...", "watch a camera", ctl_attach },
	{ "detach", "CAMERA", "stop watching a camera", ctl_detach },
	{ "set", "CAMERA SETTING=VALUE...", "change settings of a gate", ctl_set },
	{ "mask", "CAMERA [--privacy|--ignore X,Y ...]...", "privacy masks and ignored zones",
	  ctl_mask },
	{ "stats", "[CAMERA] [--follow]", "the ledger: where every frame went", ctl_stats },
	{ "watch", "", "events as they happen", ctl_watch },
	{ "snapshot", "CAMERA", "let the next frame pass", ctl_snapshot },
	{ "enrol", "URL --token TOKEN [--dir DIR]", "get this device a certificate", ctl_enrol },
	{ "summaries", "[list|show ID|follow] [--dir DIR]", "summaries that came back",
	  ctl_summaries },
	{ "doctor", "[--dir DIR] [--cloud URL]", "what is missing on this box", ctl_doctor },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void on_signal(int sig)
{
	ctl_stopped = 1;
}

int ctl_error(const struct ctl *ctl, int code, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "sluicectl %s: ", ctl->command);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

bool ctl_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || *end || v < least || v > most)
		return false;
	*out = v;
	return true;
}

static void help(FILE *to)
{
	fprintf(to, "usage: sluicectl [--json] COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %-40s %s\n", commands[i].name, commands[i].arguments,
			commands[i].what);
	fprintf(to, "\nCAMERA is a name or an index. Exit codes: 0 done, 1 failed, 2 usage.\n"
		    "See sluicectl(1) for settings and examples.\n");
}

static const struct ctl_command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct ctl ctl = { .command = "show" };
	const struct ctl_command *c = &commands[0];
	static char *none[] = { "show", NULL };
	int kept = 0;

	ctl.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++) { /* --json may stand anywhere */
		if (!strcmp(argv[i], "--json"))
			ctl.json = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	if (kept &&
	    (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "help"))) {
		help(stdout);
		return CTL_OK;
	}
	if (!kept)
		return c->run(&ctl, 1, none);
	c = find(argv[0]);
	if (!c) {
		fprintf(stderr, "sluicectl: no command '%s'; see sluicectl --help\n", argv[0]);
		return CTL_USAGE;
	}
	ctl.command = c->name;
	for (int i = 1; i < kept; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			printf("usage: sluicectl %s %s\n%s\n", c->name, c->arguments, c->what);
			return CTL_OK;
		}
	}
	return c->run(&ctl, kept, argv);
}
