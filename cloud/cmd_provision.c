// SPDX-License-Identifier: MIT
/*
 * cmd_provision.c - provision: makes what the bus needs at the broker, the tables of the index
 * and the bucket that [index] and [media] of cloud.conf name; again: nothing changes.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cloud/bus_nats.h"
#include "cloud/cmd.h"
#include "cloud/indexconf.h"
#include "cloud/mediaconf.h"
#include "cloud/people_pg.h"
#include "lib/log.h"

enum { URLS = 1, CA, CERT, KEY, PARTITIONS, REPLICAS, TTL, SIZE, AGE, ACK_WAIT, JSON, CONFIG };

static const struct option options[] = {
	{ "nats", required_argument, NULL, URLS },
	{ "ca", required_argument, NULL, CA },
	{ "cert", required_argument, NULL, CERT },
	{ "key", required_argument, NULL, KEY },
	{ "partitions", required_argument, NULL, PARTITIONS },
	{ "replicas", required_argument, NULL, REPLICAS },
	{ "lease", required_argument, NULL, TTL },
	{ "size", required_argument, NULL, SIZE },
	{ "age", required_argument, NULL, AGE },
	{ "ack-wait", required_argument, NULL, ACK_WAIT },
	{ "json", no_argument, NULL, JSON },
	{ "config", required_argument, NULL, CONFIG },
	{ 0 },
};

struct wanted {
	struct sluice_nats_config config;
	struct sluice_nats_plan plan;
	json_t *objects; /* NULL: text */
	const char *conf;
	struct sluice_cloud_conf cloud; /* empty if there is none */
	bool partitions, ttl;		/* said as options, which count more */
};

static void on_object(void *ctx, const char *object, const char *done)
{
	struct wanted *w = ctx;

	if (w->objects)
		json_object_set_new(w->objects, object, json_string(done));
	else
		printf("%-8s %s\n", object, done);
}

/* 0 and the number, or -EINVAL. */
static int read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || *end || !*text || *text == '-' || *out < min || *out > max ? -EINVAL : 0;
}

static int read_option(struct wanted *w, int c)
{
	uint64_t n = 0;
	int err = 0;

	switch (c) {
	case URLS:
		w->config.urls = optarg;
		break;
	case CA:
		w->config.ca = optarg;
		break;
	case CERT:
		w->config.cert = optarg;
		break;
	case KEY:
		w->config.key = optarg;
		break;
	case PARTITIONS:
		err = read_number(optarg, 1, SLUICE_NATS_PARTITIONS_MAX, &n);
		w->plan.partitions = (unsigned int)n;
		w->partitions = true;
		break;
	case REPLICAS:
		err = read_number(optarg, 1, 5, &n);
		w->plan.replicas = (unsigned int)n;
		break;
	case TTL:
		err = read_number(optarg, 1, 3600, &n);
		w->plan.ttl_ms = (unsigned int)n * 1000;
		w->ttl = true;
		break;
	case SIZE:
		err = read_number(optarg, 16, 1 << 24, &n);
		w->plan.max_bytes = n << 20;
		break;
	case AGE:
		err = read_number(optarg, 60, 1 << 20, &n);
		w->plan.max_age_s = (unsigned int)n;
		break;
	case ACK_WAIT:
		err = read_number(optarg, 2, 3600, &n);
		w->plan.ack_wait_ms = (unsigned int)n * 1000;
		break;
	case CONFIG:
		w->conf = optarg;
		break;
	case JSON:
		w->objects = json_object();
		break;
	}
	return err;
}

static void warn_of_version(const struct wanted *w)
{
	const char *warning;
	char version[32];
	int err = sluice_nats_version(&w->config, version);

	if (err) {
		sluice_warning("cannot ask %s for its version: %s", w->config.urls, strerror(-err));
		return;
	}
	warning = sluice_nats_version_warning(version);
	if (warning)
		sluice_warning("nats-server %s: %s", version, warning);
}

static int provision_bus(struct wanted *w, char *why, size_t size)
{
	if (sluice_bus_nats_library())
		warn_of_version(w);
	return sluice_bus_nats_provision(&w->config, &w->plan, on_object, w, why, size);
}

static const char *or_else(const char *said, const char *conf)
{
	return said || !conf[0] ? said : conf;
}

/* What [bus] says, where no option does: the certificate is then that of the file. */
static void take_bus(struct wanted *w)
{
	const struct sluice_cloud_conf *c = &w->cloud;

	if (c->bus.backend != SLUICE_BUS_NATS)
		return;
	w->config.urls = or_else(w->config.urls, c->bus.urls);
	w->config.ca = or_else(w->config.ca, c->bus.ca);
	if (!w->config.cert && !w->config.key) {
		w->config.cert = or_else(NULL, c->bus.certificate);
		w->config.key = or_else(NULL, c->bus.key);
	}
	if (!w->partitions)
		w->plan.partitions = c->bus.partitions;
	if (!w->ttl)
		w->plan.ttl_ms = (unsigned int)c->bus.lease_ms;
}

static int provision_bucket(struct wanted *w, char *why, size_t size)
{
	char text[SLUICE_S3_WHY] = "", object[100];
	struct sluice_media *m = NULL;
	struct sluice_cloud_conf conf;
	int rc = sluice_cloud_conf_read(&conf, w->conf, NULL, 0, why, size);

	if (rc)
		return rc;
	if (conf.media.backend == SLUICE_MEDIA_S3) {
		rc = sluice_mediaconf_open_new(&conf, NULL, &m, text);
		if (!rc)
			rc = sluice_s3_make_bucket(sluice_media_s3_client(m), text);
		snprintf(object, sizeof(object), "bucket %s", conf.media.bucket);
		if (rc >= 0)
			on_object(w, object, rc ? "is there" : "made");
		else
			snprintf(why, size, "%s", text);
	}
	sluice_media_close(m);
	sluice_cloud_conf_free(&conf);
	return rc < 0 ? rc : 0;
}

static int provision_index(struct wanted *w, char *why, size_t size)
{
	char text[SLUICE_PG_WHY] = "", object[100];
	struct sluice_cloud_conf conf;
	int rc = sluice_cloud_conf_read(&conf, w->conf, NULL, 0, why, size);

	if (rc)
		return rc;
	rc = sluice_indexconf_use(&conf, text);
	if (!rc && sluice_indexconf_pg()) {
		rc = sluice_index_pg_provision(sluice_indexconf_pg(), text);
		snprintf(object, sizeof(object), "schema %.48s", conf.index.schema);
		if (rc >= 0) {
			on_object(w, object, rc ? "is there" : "made");
			rc = sluice_people_pg_provision(sluice_indexconf_pg(), text);
		}
		if (rc >= 0)
			on_object(w, "people", rc ? "is there" : "made");
	}
	if (rc < 0)
		snprintf(why, size, "%s", text);
	sluice_indexconf_clear();
	sluice_cloud_conf_free(&conf);
	return rc < 0 ? rc : 0;
}

int sluice_cmd_provision(int argc, char **argv)
{
	struct wanted w = { .config = { .name = "provision" },
			    .plan = { .partitions = 16,
				      .replicas = 3,
				      .ttl_ms = 4000,
				      .max_bytes = 4096ull << 20,
				      .max_age_s = 3600,
				      .ack_wait_ms = 3000 } };
	char why[SLUICE_S3_WHY] = "";
	int c, err;

	while ((c = sluice_cmd_option(argc, argv, options)) != -1) {
		if (c == '?')
			return 2;
		if (read_option(&w, c))
			return sluice_cmd_usage(argv[0], "'%s' is no value for %s", optarg,
						argv[optind - 2]);
	}
	if (w.conf && sluice_cloud_conf_read(&w.cloud, w.conf, NULL, 0, why, sizeof(why))) {
		sluice_error("%s", why);
		return 1;
	}
	if (w.conf)
		take_bus(&w);
	if ((!w.config.urls && !w.conf) || optind != argc)
		return sluice_cmd_usage(argv[0],
					"--nats URL, --config FILE or both, and no other words");
	if (!w.config.cert != !w.config.key || (w.config.cert && !w.config.ca))
		return sluice_cmd_usage(argv[0], "--cert, --key and --ca go together");
	err = w.config.urls ? provision_bus(&w, why, sizeof(why)) : 0;
	if (!err && w.conf)
		err = provision_index(&w, why, sizeof(why));
	if (!err && w.conf)
		err = provision_bucket(&w, why, sizeof(why));
	if (w.objects && !err)
		json_dumpf(w.objects, stdout, JSON_INDENT(2)), putchar('\n');
	json_decref(w.objects);
	sluice_cloud_conf_free(&w.cloud);
	if (err)
		sluice_error("%s", why);
	return err ? 1 : 0;
}
