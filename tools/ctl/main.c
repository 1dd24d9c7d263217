// SPDX-License-Identifier: MIT
/* main.c - sluicectl: looks up the subcommand and runs it. No subcommand means show. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/ctl/fields.h"

volatile int ctl_stopped;

static const char attach_more[] =
	"  --mode capture   the module streams the camera (default)\n"
	"  --mode tap       another program streams it; attach before that program starts\n"
	"  --name NAME      letters, digits, - and _; default camN\n"
	"  --arena MIB      memory for frames that wait, 1 to 256; default 32\n"
	"  --privacy POLYGON, --ignore POLYGON, --zone F:POLYGON\n"
	"                   masks from the first frame on; see 'sluicectl mask --help'\n"
	"of a camera that is captured:\n"
	"  --format F       yuyv uyvy nv12 nv21 yu12 grey rgb3 bgr3 mjpeg\n"
	"  --size WxH       16x16 to 4096x4096\n"
	"  --fps N          1 to 240\n"
	"  what is not given stays as 'v4l2-ctl -d DEVICE --all' shows it\n";
static const char set_more[] =
	"  --if-version=N   only if the settings still have the version that show tells\n"
	"'sluicectl show CAMERA' prints every setting with its value and meaning.\n";
static const char mask_more[] =
	"  --privacy 'X,Y X,Y X,Y ...'  a polygon in pixels, blanked before anybody can read it\n"
	"  --ignore 'X,Y X,Y X,Y ...'   motion there does not count\n"
	"  --zone F:'X,Y X,Y X,Y ...'   the threshold there times F: 0.5 sees more, 2 less\n"
	"  --if-version=N               first: only if the settings still have that version\n"
	"  --clear                      no masks any more\n"
	"Polygons given replace those of their kind that were there.\n";
static const char stats_more[] = "  --latency  also how long frames took, as histograms\n"
				 "  --follow   once a second, until interrupted\n";
static const char enrol_more[] =
	"  --token TOKEN      from 'sluice-cloud token --data DIR --device NAME'\n"
	"  --token-file FILE  the same, not to be seen in the list of processes\n"
	"  --dir DIR          for ca.crt, device.crt, device.key; default /etc/sluice\n";
static const char retune_more[] =
	"  list                  what is proposed for the gate of each camera, and why (default)\n"
	"  show CAMERA           one of them, with what was counted and what is in force\n"
	"  look CAMERA           propose now, of what was counted so far\n"
	"  apply CAMERA          what is proposed is wanted of the camera\n"
	"  rollback CAMERA       what was applied last goes back\n"
	"  mode CAMERA MODE      off, propose, apply, or node: as the node has it\n"
	"  --cloud URL           https://HOST:PORT\n"
	"  --token-file FILE     a token of its API, from 'sluice-cloud apitoken'\n"
	"  --ca FILE             its authority; default /etc/sluice/ca.crt\n"
	"  --if-version=N        only if it still has the version that show tells\n"
	"CAMERA is NAME, DEVICE/NAME or an id of the cloud's.\n";
static const char summaries_more[] =
	"  list             newest first (default); show ID, open ID: a beginning of the id is "
	"enough\n"
	"  follow           each that comes, until interrupted\n"
	"  --camera NAME    of this camera only\n"
	"  --since TIME     30m, 2h, 3d, or a time like 2026-01-31T12:00 (UTC)\n"
	"  --limit N        so many at most\n"
	"  --dir DIR        default /var/lib/sluice/summaries\n";
static const char doctor_more[] = "  --dir DIR    certificate and key; default /etc/sluice\n"
				  "  --cloud URL  https://HOST:PORT, to try the connection\n"
				  "  --state DIR  summaries and ledger; default /var/lib/sluice\n"
				  "  --config FILE  the relay's; default /etc/sluice/relay.conf\n";

static const struct ctl_command commands[] = {
	{ "show", "[CAMERA]", "cameras, their state and settings", NULL, ctl_show },
	{ "attach", "DEVICE [options] [SETTING=VALUE]...", "watch a camera", attach_more,
	  ctl_attach },
	{ "detach", "CAMERA", "stop watching a camera", NULL, ctl_detach },
	{ "set", "CAMERA SETTING=VALUE...", "change settings of a gate", set_more, ctl_set },
	{ "mask", "CAMERA [--privacy|--ignore|--zone ...]...", "privacy masks and zones", mask_more,
	  ctl_mask },
	{ "stats", "[CAMERA] [--latency] [--follow]", "the ledger: where every frame went",
	  stats_more, ctl_stats },
	{ "watch", "", "events as they happen", NULL, ctl_watch },
	{ "snapshot", "CAMERA", "let the next frame pass", NULL, ctl_snapshot },
	{ "enrol", "URL --token TOKEN [--dir DIR]", "get this device a certificate", enrol_more,
	  ctl_enrol },
	{ "retune", "[list|show|apply|rollback CAMERA] ...", "better gates, as the cloud sees them",
	  retune_more, ctl_retune },
	{ "summaries", "[list|show ID|open ID|follow] [options]", "summaries that came back",
	  summaries_more, ctl_summaries },
	{ "doctor", "[--dir DIR] [--cloud URL]", "what is missing on this box", doctor_more,
	  ctl_doctor },
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

void ctl_print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
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
	int kept = 0, rc;
	char words[32];

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
			printf("usage: sluicectl %s %s\n%s\n%s", c->name, c->arguments, c->what,
			       c->more ? c->more : "");
			if (strstr(c->arguments, "SETTING")) {
				printf("settings, in this version of sluicectl:\n");
				field_help(stdout);
			}
			return CTL_OK;
		}
	}
	snprintf(words, sizeof(words), "sluicectl %s", c->name);
	argv[0] = words; /* getopt begins its complaints with it */
	rc = c->run(&ctl, kept, argv);
	if (rc == CTL_USAGE)
		fprintf(stderr, "see %s --help\n", words);
	return rc;
}
