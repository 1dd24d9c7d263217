// SPDX-License-Identifier: MIT
/* main.c - sluice-cloud and its subcommands. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cloud/cmd.h"
#include "cloud/detector_box.h"
#include "cloud/h264.h"
#include "cloud/sandbox.h"
#include "cloud/starved.h"
#include "lib/log.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "init", sluice_cmd_init },
	{ "run", sluice_cmd_run },
	{ "token", sluice_cmd_token },
	{ "devices", sluice_cmd_devices },
	{ "revoke", sluice_cmd_revoke },
	{ "fsck", sluice_cmd_fsck },
	{ "rebuild-index", sluice_cmd_rebuild },
	{ "migrate-index", sluice_cmd_move },
	{ "migrate-media", sluice_cmd_move_media },
	{ "export", sluice_cmd_export },
	{ "backup", sluice_cmd_backup },
	{ "restore", sluice_cmd_restore },
	{ "rekey", sluice_cmd_rekey },
	{ "user", sluice_cmd_user },
	{ "tenant", sluice_cmd_tenant },
	{ "apitoken", sluice_cmd_apitoken },
	{ "audit", sluice_cmd_audit },
	{ "crl", sluice_cmd_crl },
	{ "quarantine", sluice_cmd_quarantine },
	{ "jobs", sluice_cmd_jobs },
	{ "status", sluice_cmd_status },
	{ "provision", sluice_cmd_provision },
	{ SLUICE_SANDBOX_WORD, sluice_sandbox_child }, /* not for people */
	{ SLUICE_DETECTOR_WORD, sluice_detector_host },
	{ SLUICE_H264_WORD, sluice_h264_child },
	{ "routes", sluice_cmd_routes }, /* for tests: what the API has */
};

static const char help[] =
	"usage: sluice-cloud COMMAND [OPTION]...\n"
	"Stores what devices send, analyses it, and sends video summaries back.\n"
	"\n"
	"  init   --data DIR [--name HOST]... [--offline-root DIR | --authority DIR] [--force]\n"
	"         make the data directory: authority, server certificate for localhost, 127.0.0.1\n"
	"         and each HOST (name or address), and the first administrator's token, which is\n"
	"         printed once. --force makes new ones; every device must then be enrolled again.\n"
	"         --offline-root: the root's key is made in (or read from) another directory, "
	"which\n"
	"         can be taken away afterwards; the node keeps an intermediate's. --authority: for "
	"a\n"
	"         further node, which has the authority of that directory and shares its "
	"PostgreSQL\n"
	"  run    [--config FILE] [--data DIR] [--listen ADDR:PORT] [--port-file FILE]\n"
	"         [--device-life TIME] [--digests] [--verbose] [--check [--json]]\n"
	"         [--role all|ingest|worker|api] [--node NAME]\n"
	"         serve; settings come from FILE, SLUICE_CLOUD_SECTION_KEY and options, the last\n"
	"         wins (cloud.conf(5)). Port 0 takes any free one, the port file receives its\n"
	"         number. --digests makes a short video, a storyboard and a heat map of each "
	"event\n"
	"         afterwards. --check prints what would be used and whether it can be.\n"
	"         --role: one of several processes on one bus ([bus] of the file)\n"
	"  token  --data DIR --device NAME [--minutes N] [--url URL]\n"
	"         one-time token that enrols the device within N minutes (15), and the command for "
	"it\n"
	"  devices        --data DIR       list devices and their certificates\n"
	"  revoke         --data DIR NAME  deny the device's certificates, also on live "
	"connections\n"
	"  fsck    --data DIR [--json] [--repair] [--orphans] [--remove-orphans HOURS] [KEYS]\n"
	"         compare segments, index and media, reading all of them; changes nothing, but "
	"with\n"
	"         --repair cuts half-written ends and completes the index. --orphans lists "
	"segments\n"
	"         of a bucket that no row names, --remove-orphans removes those as old as that\n"
	"  rebuild-index  --data DIR [KEYS]\n"
	"         make the index again from segments and media\n"
	"  migrate-index  --config FILE [--data DIR]\n"
	"         copy index.db, auth.db and fleet.db to where [index] of FILE says, and compare;\n"
	"         again: goes on. Commands on users and devices take --config FILE then\n"
	"  migrate-media  --config FILE [--data DIR] [--check] [--json] [KEYS]\n"
	"         copy summaries, and segments if they are to lie there, to the bucket of [media] "
	"of "
	"\n"
	"         FILE, and compare; again: goes on. --check only compares\n"
	"  export  --data DIR EVENT OUT.zip|OUT.mp4 [--tenant NAME] [KEYS]\n"
	"         the event's frames with a signed manifest of hashes; beside an MP4 it is\n"
	"         OUT.mp4.manifest.json and OUT.mp4.manifest.sig\n"
	"  backup  --data DIR --to COPY [--link] | --verify COPY\n"
	"         copy the data directory while the server runs; again: only what is new. --link\n"
	"         makes hard links of what does not change\n"
	"  restore --from COPY --data DIR     put a backup back, each file checked by its hash\n"
	"  rekey   --data DIR KEYS            from the old master key to the present one\n"
	"  user add NAME --role viewer|operator|admin, user passwd|disable|enable|drop NAME,\n"
	"  user role NAME --role ROLE, user list, all with --data DIR\n"
	"         people who sign in; a password is asked for, or read from standard input\n"
	"  apitoken add NAME --role ROLE [--scopes read,media,...] [--days N], apitoken revoke "
	"NAME,\n"
	"  apitoken list, all with --data DIR\n"
	"         for programs; the token is printed once. Scopes: read media settings enrol "
	"admin\n"
	"  tenant add NAME, tenant list, both with --data DIR\n"
	"         who shares nothing with the others; choose one with --tenant NAME above "
	"(default)\n"
	"  audit  --data DIR [--limit N] [--json]    who did what, newest first\n"
	"  crl    --data DIR               revoked certificates, for proxies that end TLS (PEM)\n"
	"  status         --data DIR [--node NAME] [--json]   how the running node is\n"
	"  quarantine list | export NAME [--output FILE] | retry NAME | drop NAME, --data DIR "
	"[KEYS]\n"
	"         frames that ended two analysing children\n"
	"  jobs list | show ID | cancel ID | run, --data DIR [--tenant NAME] [--camera NAME] "
	"[--json]\n"
	"  jobs start --data DIR --camera NAME --from TIME [--to TIME] [--span hour|day]\n"
	"       [--kind period] [--seconds N] [--language en|zh] [--tenant NAME] [--json]\n"
	"       --kind reanalyse [--model mean|mixture|sigma-delta|median] [--sensitivity X] "
	"[--scale N]\n"
	"       [--join S] [--longest S] [--detector yes|no] [--against ID]\n"
	"         long work over what is stored: the summary of a period with a synopsis of at "
	"most "
	"N\n"
	"         seconds, or an analysis with other settings, compared with what was told. Times "
	"are\n"
	"         UTC (2026-11-29T14:00). A running node does them; run does them here where none "
	"runs,\n"
	"         with the keys and [media] of cloud.conf\n"
	"  provision      --nats URL,... [--ca FILE --cert FILE --key FILE] [--partitions N] "
	"[--replicas N]\n"
	"                 [--lease S] [--ack-wait S] [--size MIB] [--age S] [--json] "
	"[--config FILE]\n"
	"         make streams, consumers and the bucket of leases at a NATS broker (16 "
	"partitions, "
	"3\n"
	"         replicas, leases of 6 s); again: nothing changes\n"
	"\n"
	"KEYS of a sealed store: --key-file FILE | --key-command COMMAND, and for an earlier key\n"
	"--old-key-file FILE | --old-key-command COMMAND; run takes them too. Where they are left\n"
	"out, those of cloud.conf are taken: of --config FILE, or of the machine's if it is of "
	"this\n"
	"DIR. Then --data may be left out too.\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong use.\n";

int sluice_cmd_option(int argc, char **argv, const struct option *options)
{
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, ":", options, NULL);
	if (c == ':')
		sluice_cmd_usage(argv[0], "option '%s' needs a value", argv[optind - 1]);
	else if (c == '?')
		sluice_cmd_usage(argv[0], "unknown option '%s'", argv[optind - 1]);
	return c == ':' ? '?' : c;
}

int sluice_cmd_usage(const char *name, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "sluice-cloud %s: ", name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("; see sluice-cloud --help\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	size_t i;
	int j;

	sluice_starved_watch_json();
	sluice_log_setup("sluice-cloud", SLUICE_LOG_INFO, false);
	for (j = 1; j < argc && strcmp(argv[j], "--"); j++) {
		if (!strcmp(argv[j], "--help") || !strcmp(argv[j], "-h")) {
			fputs(help, stdout);
			return 0;
		}
	}
	if (argc < 2) {
		fputs(help, stderr);
		return 2;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "sluice-cloud: no command '%s'; see sluice-cloud --help\n", argv[1]);
	return 2;
}
