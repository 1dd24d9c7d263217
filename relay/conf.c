// SPDX-License-Identifier: MIT
/*
 * The file first, then the command line over it; then everything is looked at once. What is wrong
 * is said on standard error, or kept for the caller when a running relay reads it anew.
 */
#include "relay/conf.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "relay/metrics.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_FILE "/etc/sluice/relay.conf"

static const char help[] =
	"usage: sluice-relay [OPTION]...\n"
	"Sends the frames that the gate let through to the cloud, and keeps the summaries that "
	"come back.\n"
	"\n"
	"  --config FILE    settings; default " CONF_FILE ", if it is there\n"
	"  --cloud URL      https://HOST[:PORT]; several, with commas, are tried in this order\n"
	"  --proxy URL      http://[USER:PASSWORD@]HOST:PORT, or none; default: $https_proxy\n"
	"  --cert FILE      this device's certificate; default /etc/sluice/device.crt\n"
	"  --key FILE       its key; default /etc/sluice/device.key\n"
	"  --ca FILE        certificate authority of the cloud; default /etc/sluice/ca.crt\n"
	"  --state DIR      where summaries and ledger.json go; default /var/lib/sluice\n"
	"  --spool MIB      disk for frames that cannot be sent now, in DIR/spool; default 2048, "
	"0: "
	"none\n"
	"  --feed SOCKET    take the ring of a sluice-feed; may be repeated\n"
	"  --device FILE    take this ring only, /dev/sluiceN; may be repeated\n"
	"                   (without --feed and --device: every /dev/sluiceN there is and will "
	"be)\n"
	"  --events         events and summaries as JSON lines on stdout\n"
	"  --once           end when every ring has ended and everything is stored and told\n"
	"  --check          try the settings and the cloud, then end; --check=config: only the\n"
	"                   settings and the certificate's files\n"
	"  --renew          get a new certificate from the cloud now, then end\n"
	"  --json           log as JSON lines\n"
	"  --verbose        say more\n"
	"  --help\n"
	"\n"
	"Exit: 0 done, 1 it failed, 2 wrong usage. Signals: TERM and INT end it cleanly, HUP reads "
	"the\n"
	"settings anew.\n";

enum {
	OPT_CONFIG = 256,
	OPT_CLOUD,
	OPT_PROXY,
	OPT_CERT,
	OPT_KEY,
	OPT_CA,
	OPT_STATE,
	OPT_SPOOL,
	OPT_FEED,
	OPT_DEVICE,
	OPT_EVENTS,
	OPT_ONCE,
	OPT_CHECK,
	OPT_RENEW,
	OPT_JSON,
	OPT_VERBOSE,
	OPT_HELP
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "cloud", required_argument, NULL, OPT_CLOUD },
	{ "proxy", required_argument, NULL, OPT_PROXY },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "spool", required_argument, NULL, OPT_SPOOL },
	{ "feed", required_argument, NULL, OPT_FEED },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "events", no_argument, NULL, OPT_EVENTS },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "check", optional_argument, NULL, OPT_CHECK },
	{ "renew", no_argument, NULL, OPT_RENEW },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* Where complaints go, if not to standard error. */
static struct {
	char *text;
	size_t size;
} kept;

static void complain(const char *what, const char *arg, const char *advice)
{
	if (kept.text)
		snprintf(kept.text, kept.size, "%s%s", what, arg);
	else
		fprintf(stderr, "sluice-relay: %s%s%s\n", what, arg, advice);
}

static int usage(const char *what, const char *arg)
{
	complain(what, arg, "; see sluice-relay --help");
	return 2;
}

/* What the command line said; NULL: nothing. */
struct said {
	const char *config, *cloud, *proxy, *cert, *key, *ca, *state, *spool;
};

static int add_path(const char **list, size_t *count, const char *path)
{
	if (*count == RELAY_SOURCES_MAX)
		return usage("too many feeds or devices", "");
	list[(*count)++] = path;
	return 0;
}

/* Returns -1 to go on, as read_option(). */
static int read_check(struct relay_conf *c, const char *what)
{
	if (what && strcmp(what, "cloud") && strcmp(what, "config"))
		return usage("--check=cloud or --check=config, not ", what);
	c->check_config = what && !strcmp(what, "config");
	c->check = !c->check_config;
	return -1;
}

/* Returns -1 to go on. */
static int read_option(struct relay_conf *c, struct said *said, int option)
{
	switch (option) {
	case OPT_CONFIG:
		said->config = optarg;
		break;
	case OPT_CLOUD:
		said->cloud = optarg;
		break;
	case OPT_PROXY:
		said->proxy = optarg;
		break;
	case OPT_CERT:
		said->cert = optarg;
		break;
	case OPT_KEY:
		said->key = optarg;
		break;
	case OPT_CA:
		said->ca = optarg;
		break;
	case OPT_STATE:
		said->state = optarg;
		break;
	case OPT_SPOOL:
		said->spool = optarg;
		break;
	case OPT_FEED:
		return add_path(c->feed, &c->feeds, optarg) ? 2 : -1;
	case OPT_DEVICE:
		return add_path(c->device, &c->devices, optarg) ? 2 : -1;
	case OPT_EVENTS:
		c->events = true;
		break;
	case OPT_ONCE:
		c->once = true;
		break;
	case OPT_CHECK:
		return read_check(c, optarg);
	case OPT_RENEW:
		c->renew = true;
		break;
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_VERBOSE:
		c->verbose = true;
		break;
	case OPT_HELP:
		fputs(help, stdout);
		return 0;
	default:
		fputs("see sluice-relay --help\n", stderr);
		return 2;
	}
	return -1;
}

/* Where the cloud is and how to get there. 0, or the exit code after it was said. */
static int read_clouds(struct relay_conf *c, const struct said *said)
{
	const char *url = sluice_conf_text(c->file, "cloud", "url", NULL);
	const char *proxy = sluice_conf_text(c->file, "cloud", "proxy", NULL);
	const char *no_proxy = sluice_conf_text(c->file, "cloud", "no_proxy", NULL);
	char why[320];

	if (said->cloud)
		url = said->cloud;
	if (said->proxy)
		proxy = said->proxy;
	if (relay_clouds_parse(&c->clouds, url ? url : "", why, sizeof(why)) ||
	    relay_clouds_proxy(&c->clouds, proxy, no_proxy, why, sizeof(why)))
		return usage(why, "");
	return 0;
}

static int open_file(struct relay_conf *c, const char *path)
{
	char why[256];
	int err;

	if (!path && access(CONF_FILE, F_OK))
		return 0;
	c->file = sluice_conf_open(path ? path : CONF_FILE, &err, why, sizeof(why));
	if (c->file)
		return 0;
	complain(why, "", "");
	return 1;
}

/* One of the three files: named, or by its usual name in the directory of the certificates. */
static void read_path(struct relay_conf *c, char out[PATH_MAX], const char *said, const char *key,
		      const char *usual)
{
	const char *dir = sluice_conf_text(c->file, "cloud", "certificates", "/etc/sluice");
	const char *path = sluice_conf_text(c->file, "cloud", key, NULL);

	if (said || path)
		snprintf(out, PATH_MAX, "%s", said ? said : path);
	else
		snprintf(out, PATH_MAX, "%s/%s", dir, usual);
}

/* The spool, and how it shares the link. */
static int read_spool(struct relay_conf *c, const struct said *said)
{
	uint64_t mib = (uint64_t)sluice_conf_int(c->file, "spool", "size_mib", 2048, 0, 1 << 24);
	char *end = NULL;

	if (said->spool) {
		errno = 0;
		mib = strtoull(said->spool, &end, 10);
		if (!said->spool[0] || *end || errno || mib > 1 << 24 || said->spool[0] == '-')
			return usage("--spool takes a number of MiB, not ", said->spool);
	}
	c->spool_bytes = mib << 20;
	c->spool_after =
		(unsigned int)sluice_conf_int(c->file, "spool", "after_ms", 2000, 0, 3600000);
	c->weight[0] = (unsigned int)sluice_conf_int(c->file, "spool", "live_weight", 4, 1, 1000);
	c->weight[1] =
		(unsigned int)sluice_conf_int(c->file, "spool", "backfill_weight", 1, 1, 1000);
	return 0;
}

/* How it runs as a service. 0, or the exit code. loud: nothing was complained of so far. */
static int read_service(struct relay_conf *c, bool loud)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	const char *log = sluice_conf_text(c->file, "relay", "log", "info");

	c->verbose |= sluice_conf_bool(c->file, "relay", "verbose", false);
	c->seccomp = sluice_conf_bool(c->file, "relay", "seccomp", true);
	c->starts_programs = sluice_conf_has(c->file, "hook", "program");
	c->metrics = sluice_conf_text(c->file, "relay", "metrics", NULL);
	for (c->log = 0; c->log < 4 && strcmp(log, levels[c->log]);)
		c->log++;
	if (c->verbose && c->log < 4)
		c->log = SLUICE_LOG_DEBUG;
	if (!loud)
		return 0;
	if (c->log == 4)
		return usage("'log' must be error, warning, info or debug, not ", log);
	if (c->metrics && relay_metrics_address(c->metrics))
		return usage("'metrics' must be 127.0.0.1:PORT, [::1]:PORT or unix:/PATH, not ",
			     c->metrics);
	return 0;
}

static int read_file(struct relay_conf *c, const struct said *said)
{
	bool named = c->feeds || c->devices;
	int exit_code = read_clouds(c, said), service;
	const char *path;
	char why[256];
	size_t at = 0;

	read_path(c, c->cert, said->cert, "certificate", "device.crt");
	read_path(c, c->key, said->key, "key", "device.key");
	read_path(c, c->ca, said->ca, "ca", "ca.crt");
	path = sluice_conf_text(c->file, "relay", "state", "/var/lib/sluice");
	snprintf(c->state, sizeof(c->state), "%s", said->state ? said->state : path);
	if (read_spool(c, said))
		return 2;
	c->quality = (unsigned int)sluice_conf_int(c->file, "relay", "quality", 80, 10, 100);
	c->budget.quality_max = c->quality;
	c->budget.quality_min = (unsigned int)sluice_conf_int(c->file, "relay", "quality_min",
							      c->quality, 10, c->quality);
	c->budget.rate = sluice_conf_size(c->file, "budget", "rate", 0, 1000, 1ull << 40);
	c->budget.day = sluice_conf_size(c->file, "budget", "day", 0, 1 << 20, 1ull << 50);
	c->region.on = sluice_conf_bool(c->file, "relay", "region", false);
	c->region.key_ms =
		(uint32_t)sluice_conf_ms(c->file, "relay", "region_key", 10000, 100, 300000);
	c->events |= sluice_conf_bool(c->file, "relay", "events", false);
	service = read_service(c, !exit_code);
	if (!exit_code)
		exit_code = service;
	while ((path = sluice_conf_next(c->file, "feed", "socket", &at)))
		if (!named && add_path(c->feed, &c->feeds, path))
			return 1;
	at = 0;
	while ((path = sluice_conf_next(c->file, "relay", "device", &at)))
		if (!named && add_path(c->device, &c->devices, path))
			return 1;
	relay_retention_conf(&c->retention, c->file);
	relay_sinks_conf(&c->sinks, c->file);
	c->sinks.state = c->state;
	if (relay_settings_conf(&c->settings, c->file, why, sizeof(why)) ||
	    relay_commands_conf(&c->commands, c->file, why, sizeof(why))) {
		complain(why, "", "");
		return 1;
	}
	if (sluice_conf_finish(c->file)) {
		if (!exit_code)
			complain(sluice_conf_error(c->file), "", "");
		return exit_code ? exit_code : 1;
	}
	return exit_code;
}

int relay_conf_read(struct relay_conf *c, int argc, char **argv, int *exit_code)
{
	struct said said = { 0 };
	int option;

	memset(c, 0, sizeof(*c));
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		*exit_code = read_option(c, &said, option);
		if (*exit_code >= 0)
			return -1;
	}
	if (optind < argc) {
		*exit_code = usage("unexpected argument ", argv[optind]);
		return -1;
	}
	*exit_code = open_file(c, said.config);
	if (!*exit_code)
		*exit_code = read_file(c, &said);
	return *exit_code ? -1 : 0;
}

int relay_conf_reread(struct relay_conf *c, int argc, char **argv, char *why, size_t why_size)
{
	int exit_code, err;

	kept.text = why;
	kept.size = why_size;
	optind = 0; /* getopt begins anew */
	err = relay_conf_read(c, argc, argv, &exit_code);
	kept.text = NULL;
	return err ? -EINVAL : 0;
}

void relay_conf_free(struct relay_conf *c)
{
	sluice_conf_close(c->file);
	c->file = NULL;
}
