// SPDX-License-Identifier: MIT
/*
 * media_s3.c - media in a bucket of a store that runs: usage: media_s3 HTTP-PORT HTTPS-PORT CA,
 * where the access key is test:tester and its secret testing. Runs the cases of all media over TLS,
 * then behind a proxy that misbehaves, and looks at what an operator is told when a setting is
 * wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/media_s3.h"
#include "lib/log.h"
#include "tests/conform/bad_proxy.h"
#include "tests/conform/media.h"
#include "tests/unit/check.h"

static struct sluice_media_s3_config config = {
	.s3 = { .region = "us-east-1",
		.bucket = "sluice-test",
		.id = "test:tester",
		.secret = "testing",
		.timeout_ms = 30000,
		.page = 3 },
	.prefix = "a/media",
};

static struct sluice_media *rig_open(struct conform_media *rig, const struct sluice_keyring *keys)
{
	char why[SLUICE_S3_WHY];
	struct sluice_media *m;

	config.keys = keys;
	if (sluice_media_s3_open(&config, &m, why)) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
	return m;
}

static unsigned int rig_fail(struct conform_media *rig, unsigned int way, unsigned int at,
			     int stays)
{
	return bad_proxy_fail(way, at, stays);
}

static void make_bucket(void)
{
	struct sluice_media *m = rig_open(NULL, NULL);
	struct sluice_s3 *s3 = sluice_media_s3_client(m);
	char why[SLUICE_S3_WHY];

	CHECK(sluice_s3_check(s3, why) == -ENODEV && strstr(why, "sluice-cloud provision"));
	CHECK(sluice_s3_make_bucket(s3, why) == 0);
	CHECK(sluice_s3_make_bucket(s3, why) == 1);
	CHECK(!sluice_s3_check(s3, why) && !why[0]);
	sluice_media_close(m);
}

/* A put with that config is refused with err, and the sentence has these words. */
static void refused(const struct sluice_s3_config *c, int err, const char *words)
{
	char why[SLUICE_S3_WHY] = "";
	struct sluice_s3 *s;
	int got;

	CHECK(!sluice_s3_open(c, &s, why));
	got = sluice_s3_put(s, "a/x", (const uint8_t *)"x", 1, why);
	if (got != err || !strstr(why, words))
		fprintf(stderr, "wanted %s with '%s', got %s: %s\n", strerror(-err), words,
			strerror(-got), why);
	CHECK(got == err && strstr(why, words));
	CHECK(!strstr(why, "testing"));
	sluice_s3_close(s);
}

static void explains(const char *ca)
{
	struct sluice_s3_config c = config.s3;

	c.secret = "wrong";
	refused(&c, -EPERM, "secret_file");
	c = config.s3;
	c.id = "nobody:here";
	refused(&c, -EPERM, "key_id_file");
	c = config.s3;
	c.region = "eu-west-9";
	refused(&c, -EREMOTEIO, "region = us-east-1");
	c = config.s3;
	c.bucket = "not-there";
	refused(&c, -ENODEV, "no bucket 'not-there'");
	c = config.s3;
	c.ca = NULL;
	refused(&c, -EHOSTUNREACH, "[media] ca");
	c = config.s3;
	c.endpoint = "https://127.0.0.1:1";
	c.tries = 2;
	refused(&c, -EHOSTUNREACH, "no good answer of https://127.0.0.1:1");
	CHECK(ca);
}

/* A body that breaks off is gone on with, not fetched again. */
static void goes_on(void)
{
	enum { SIZE = 2 << 20 };
	struct sluice_media *m = rig_open(NULL, NULL);
	struct sluice_s3 *s3 = sluice_media_s3_client(m);
	uint8_t *bytes = malloc(SIZE), *got = NULL;
	char why[SLUICE_S3_WHY];
	unsigned long long began;
	size_t i, size = 0;

	for (i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 13 + (i >> 9));
	CHECK(!sluice_s3_put(s3, "a/long", bytes, SIZE, why));
	began = sluice_s3_stats(s3)->received;
	bad_proxy_fail(BAD_PROXY_SHORT, 1, 0);
	CHECK(!sluice_s3_get(s3, "a/long", SIZE, &got, &size, why));
	CHECK(bad_proxy_fail(0, 0, 0) == 2);
	CHECK(size == SIZE && !memcmp(got, bytes, SIZE));
	CHECK(sluice_s3_stats(s3)->again == 1);
	CHECK(sluice_s3_stats(s3)->received - began == SIZE);
	free(got);
	CHECK(!sluice_s3_delete(s3, "a/long", why) && !sluice_s3_delete(s3, "a/long", why));
	CHECK(sluice_s3_exists(s3, "a/long", why) == -ENOENT);
	free(bytes);
	sluice_media_close(m);
}

/* A store that says nothing is not waited for for the whole time of a call. */
static void is_silent(void)
{
	struct sluice_s3_config c = config.s3;
	char why[SLUICE_S3_WHY];
	struct sluice_s3 *s;

	c.timeout_ms = 9000;
	CHECK(!sluice_s3_open(&c, &s, why));
	bad_proxy_fail(BAD_PROXY_SILENT, 1, 0);
	CHECK(!sluice_s3_put(s, "a/silent", (const uint8_t *)"x", 1, why));
	bad_proxy_fail(0, 0, 0);
	CHECK(sluice_s3_stats(s)->again == 1);
	CHECK(!sluice_s3_delete(s, "a/silent", why));
	sluice_s3_close(s);
}

int main(int argc, char **argv)
{
	struct conform_media rig = { .name = "s3", .open = rig_open };
	char http[64], https[64];

	if (argc != 4)
		return 2;
	sluice_log_setup("media_s3", SLUICE_LOG_ERROR, false);
	snprintf(https, sizeof(https), "https://localhost:%s", argv[2]);
	config.s3.endpoint = https;
	config.s3.ca = argv[3];
	make_bucket();
	conform_media(&rig);
	explains(argv[3]);
	snprintf(http, sizeof(http), "http://127.0.0.1:%u",
		 bad_proxy_start((unsigned int)strtoul(argv[1], NULL, 10)));
	config.s3.endpoint = http;
	config.s3.tries = 3;
	goes_on();
	is_silent();
	rig.fail = rig_fail;
	rig.ways = BAD_PROXY_SILENT; /* which takes its time */
	rig.harmless = BAD_PROXY_ETAG;
	rig.heals = 1;
	conform_media_faults(&rig);
	return check_result();
}
