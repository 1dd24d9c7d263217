// SPDX-License-Identifier: MIT
/*
 * depot_s3.c - segments in a bucket of a store that runs: usage: depot_s3 HTTP-PORT HTTPS-PORT CA
 * DIRECTORY, key and secret as of media_s3. Runs the cases of all depots over TLS, then behind a
 * proxy that misbehaves; several puts at once; and a store that moves into the bucket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/depot_s3.h"
#include "lib/log.h"
#include "tests/conform/bad_proxy.h"
#include "tests/conform/depot.h"
#include "tests/conform/move_s3.h"
#include "tests/unit/check.h"

#define MANY 20 /* objects put at once: more than are under way at a time */

static struct sluice_s3_config config = { .region = "us-east-1",
					  .bucket = "sluice-segments",
					  .id = "test:tester",
					  .secret = "testing",
					  .timeout_ms = 30000,
					  .page = 3 };
static struct sluice_s3 *s3;

static void open_client(void)
{
	char why[SLUICE_S3_WHY];

	sluice_s3_close(s3);
	if (sluice_s3_open(&config, &s3, why) || sluice_s3_make_bucket(s3, why) < 0) {
		fprintf(stderr, "cannot open: %s\n", why);
		exit(1);
	}
}

static struct sluice_depot *rig_open(struct conform_depot *rig)
{
	struct sluice_depot *d;

	(void)rig;
	if (sluice_depot_s3_open(s3, "a/segments", &d))
		exit(1);
	return d;
}

static unsigned int rig_fail(struct conform_depot *rig, unsigned int way, unsigned int at,
			     int stays)
{
	(void)rig;
	return bad_proxy_fail(way, at, stays);
}

static unsigned long long rig_requests(struct conform_depot *rig)
{
	(void)rig;
	return sluice_s3_stats(s3)->gets;
}

/* Several at once: all are there; each failure heals by itself; one that stays ends it. */
static void put_many(void)
{
	struct sluice_s3_object o[MANY];
	char key[MANY][32], why[SLUICE_S3_WHY];
	uint8_t *got;
	size_t size, i;

	for (i = 0; i < MANY; i++) {
		snprintf(key[i], sizeof(key[i]), "a/many/%zu", i);
		o[i] = (struct sluice_s3_object){ key[i], (const uint8_t *)key[i], strlen(key[i]) };
	}
	for (unsigned int way = 0; way < BAD_PROXY_SILENT; way++) {
		bad_proxy_fail(way, 3 + way, 0);
		CHECK(!sluice_s3_put_all(s3, o, MANY, why) && !why[0]);
		CHECK(bad_proxy_fail(0, 0, 0) >= MANY);
	}
	for (i = 0; i < MANY; i++) {
		CHECK(!sluice_s3_get(s3, key[i], 100, &got, &size, why));
		CHECK(size == o[i].size && !memcmp(got, o[i].data, size));
		free(got);
	}
	bad_proxy_fail(BAD_PROXY_SLOW_DOWN, MANY / 2, 1);
	CHECK(sluice_s3_put_all(s3, o, MANY, why) == -EBUSY && why[0]);
	bad_proxy_fail(BAD_PROXY_ETAG, 5, 1);
	CHECK(sluice_s3_put_all(s3, o, MANY, why) == -EIO && strstr(why, "other bytes"));
	bad_proxy_fail(0, 0, 0);
	for (i = 0; i < MANY; i++)
		CHECK(!sluice_s3_delete(s3, key[i], why));
}

int main(int argc, char **argv)
{
	struct conform_depot rig = { .name = "s3",
				     .open = rig_open,
				     .heals = 1,
				     .etag_way = BAD_PROXY_ETAG,
				     .requests = rig_requests };
	char http[64], https[64];

	if (argc != 5)
		return 2;
	sluice_log_setup("depot_s3", SLUICE_LOG_ERROR, false);
	rig.data = argv[4];
	snprintf(https, sizeof(https), "https://localhost:%s", argv[2]);
	config.endpoint = https;
	config.ca = argv[3];
	open_client();
	conform_depot(&rig);
	snprintf(http, sizeof(http), "http://127.0.0.1:%u",
		 bad_proxy_start((unsigned int)strtoul(argv[1], NULL, 10)));
	config.endpoint = http;
	config.tries = 3;
	open_client();
	put_many();
	rig.fail = rig_fail;
	conform_move(&config);
	rig.ways = BAD_PROXY_SILENT;
	rig.wait_ways = 1;
	rig.lost_way = BAD_PROXY_UNSAID;
	conform_depot_faults(&rig);
	sluice_s3_close(s3);
	return check_result();
}
