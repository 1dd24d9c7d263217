// SPDX-License-Identifier: MIT
/* The file first, then the command line over it; then everything is looked at once. */
#include "relay/conf.h"
#include "lib/conf.h"

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
	"  --cloud URL      https://HOST[:PORT]\n"
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
	"  --check          try the settings and the cloud, then end\n"
	"  --json           log as JSON lines\n"
	"  --verbose        say more\n"
	"  --help\n"
	"\n"
	"Exit: 0 done, 1 it failed, 2 wrong usage. Signals: TERM and INT end it cleanly.\n";

enum {
	OPT_CONFIG = 256,
	OPT_CLOUD,
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
	OPT_JSON,
	OPT_VERBOSE,
	OPT_HELP
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "cloud", required_argument, NULL, OPT_CLOUD },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "spool", required_argument, NULL, OPT_SPOOL },
	{ "feed", required_argument, NULL, OPT_FEED },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "events", no_argument, NULL, OPT_EVENTS },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *what, const char *arg)
{
	fprintf(stderr, "sluice-relay: %s%s; see sluice-relay --help\n", what, arg);
	return 2;
}

/* What the command line said; NULL: nothing. */
struct said {
	const char *config, *cloud, *cert, *key, *ca, *state, *spool;
};

static int add_path(const char **list, size_t *count, const char *path)
{
	if (*count == RELAY_SOURCES_MAX)
		return usage("too many feeds or devices", "");
	list[(*count)++] = path;
	return 0;
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
		c->check = true;
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

/* https://HOST[:PORT][/], HOST may be [ADDRESS]. */
static bool read_url(struct relay_conf *c, const char *url)
{
	const char *host = url + 8, *end, *port;
	size_t n;

	if (strncmp(url, "https://", 8))
		return false;
	if (*host == '[') {
		end = strchr(++host, ']');
		port = end ? end + 1 : NULL;
	} else {
		end = host + strcspn(host, ":/");
		port = end;
	}
	if (!end || end == host || (size_t)(end - host) >= sizeof(c->host))
		return false;
	snprintf(c->host, sizeof(c->host), "%.*s", (int)(end - host), host);
	if (strspn(c->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") !=
	    strlen(c->host))
		return false;
	snprintf(c->port, sizeof(c->port), "443");
	if (*port == ':') {
		n = strspn(++port, "0123456789");
		if (!n || n > 5 || strtoul(port, NULL, 10) - 1 >= 65535)
			return false;
		snprintf(c->port, sizeof(c->port), "%.*s", (int)n, port);
		port += n;
	}
	return !*port || !strcmp(port, "/");
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
	fprintf(stderr, "sluice-relay: %s\n", why);
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

static int read_file(struct relay_conf *c, const struct said *said)
{
	bool named = c->feeds || c->devices;
	const char *url, *path;
	size_t at = 0;

	url = sluice_conf_text(c->file, "cloud", "url", NULL);
	if (said->cloud)
		url = said->cloud;
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
	c->verbose |= sluice_conf_bool(c->file, "relay", "verbose", false);
	while ((path = sluice_conf_next(c->file, "feed", "socket", &at)))
		if (!named && add_path(c->feed, &c->feeds, path))
			return 1;
	at = 0;
	while ((path = sluice_conf_next(c->file, "relay", "device", &at)))
		if (!named && add_path(c->device, &c->devices, path))
			return 1;
	if (sluice_conf_finish(c->file)) {
		fprintf(stderr, "sluice-relay: %s\n", sluice_conf_error(c->file));
		return 1;
	}
	if (!url)
		return usage("no cloud: give --cloud https://HOST:PORT or [cloud] url in ",
			     said->config ? said->config : CONF_FILE);
	if (!read_url(c, url))
		return usage("the cloud must be https://HOST[:PORT], not ", url);
	return 0;
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

void relay_conf_free(struct relay_conf *c)
{
	sluice_conf_close(c->file);
	c->file = NULL;
}
