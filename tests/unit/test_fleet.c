// SPDX-License-Identifier: MIT
/*
 * What operators want is never taken for nothing because memory ended: each allocation of opening,
 * reading and writing fleet.db fails once, and what is there is then read whole, or it is said that
 * it is not known.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/analysis.h"
#include "cloud/fleet.h"
#include "cloud/starved.h"
#include "tests/unit/check.h"
#include "tests/unit/nth_fault.h"

/* A preset, and a map of four tiles that goes under the one of people. */
#define RETUNE                                                                             \
	"{\"applied\":{\"at_ns\":5,\"preset\":true,\"tuning\":{\"grid\":[2,2],\"preset\":" \
	"\"high\","                                                                        \
	"\"factors\":\"EBgQEA==\"}}}"
#define ZONES                                                                                   \
	"{\"zones\":[{\"name\":\"door\",\"points\":[[0.1,0.1],[0.5,0.1],[0.5,0.9]]}],\"lines\"" \
	":[{\"name\":\"step\",\"points\":[[0.2,0.2],[0.8,0.8]]}],\"by\":\"ann\",\"at_ns\":5}"
#define OTHER "{\"zones\":[],\"lines\":[],\"by\":\"bob\",\"at_ns\":6}"

static char path[64];
static struct sluice_camera camera;

static json_t *parse(const char *text)
{
	return json_loads(text, 0, NULL);
}

static struct sluice_fleet *open_fleet(void)
{
	struct sluice_fleet *f = NULL;

	CHECK(!sluice_fleet_open(path, &f));
	return f;
}

static int put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *name,
	       const char *text)
{
	json_t *doc = parse(text);

	return doc ? sluice_fleet_put(f, kind, "t", name, doc, NULL) : -ENOMEM;
}

static void make_fleet(void)
{
	struct sluice_fleet *f;

	snprintf(path, sizeof(path), "/tmp/test_fleet.XXXXXX");
	close(mkstemp(path));
	f = open_fleet();
	CHECK(!put(f, SLUICE_FLEET_ZONES, camera.hex, ZONES));
	CHECK(!put(f, SLUICE_FLEET_GROUP, "yard",
		   "{\"enforce\":true,\"devices\":[\"box\"],\"cameras\":[],\"settings\":{},"
		   "\"map\":{\"zones\":[1]}}"));
	CHECK(!put(f, SLUICE_FLEET_DESIRED, camera.hex, "{\"settings\":{\"rate\":2}}"));
	CHECK(!put(f, SLUICE_FLEET_RETUNE, camera.hex, RETUNE));
	sluice_fleet_close(f);
}

static void remove_fleet(void)
{
	char beside[80];

	unlink(path);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	unlink(beside);
}

/* ---- what is tried: 0 or -errno; what it says is right ---- */

static int try_open(void)
{
	struct sluice_fleet *f = NULL;
	int err = sluice_fleet_open(path, &f);
	json_t *doc;

	nth_end();
	CHECK(!err == !!f);
	if (f)
		CHECK(!sluice_fleet_get(f, SLUICE_FLEET_ZONES, "t", camera.hex, &doc));
	if (f)
		json_decref(doc);
	sluice_fleet_close(f);
	return err;
}

static struct sluice_fleet *fleet;

static int try_zones(void)
{
	struct sluice_analysis_config c = { .zone_count = 7 };
	int err = sluice_fleet_zones(fleet, "t", camera.hex, &c);

	CHECK(err || (c.zone_count == 1 && c.zones[0].count == 3 && c.line_count == 1));
	CHECK(!err || (err == -ENOMEM && c.zone_count == 7));
	return err;
}

static int try_wish(void)
{
	json_t *from = NULL, *wish;
	int enforce;

	wish = sluice_fleet_wish(fleet, &camera, &from, &enforce);
	CHECK(!wish == !from);
	CHECK(!wish || (enforce && json_object_get(wish, "map") && json_array_size(from) == 1));
	CHECK(!wish || json_object_get(json_object_get(wish, "settings"), "rate"));
	CHECK(!wish || json_object_get(json_object_get(wish, "settings"), "preset"));
	CHECK(!wish || json_array_size(json_object_get(wish, "versions")) == 6);
	json_decref(wish);
	json_decref(from);
	return wish ? 0 : -ENOMEM;
}

/* Refused, it is as before, here and in the file; taken, it is the new one in both. */
static int try_put(void)
{
	int err = put(fleet, SLUICE_FLEET_ZONES, camera.hex, OTHER), here = -1, there = -1;
	struct sluice_fleet *again;
	json_t *doc;

	nth_end();
	CHECK(!sluice_fleet_get(fleet, SLUICE_FLEET_ZONES, "t", camera.hex, &doc));
	here = (int)json_array_size(json_object_get(doc, "zones"));
	json_decref(doc);
	again = open_fleet();
	CHECK(!sluice_fleet_get(again, SLUICE_FLEET_ZONES, "t", camera.hex, &doc));
	there = (int)json_array_size(json_object_get(doc, "zones"));
	json_decref(doc);
	sluice_fleet_close(again);
	CHECK(here == !!err && there == here);
	CHECK(!put(fleet, SLUICE_FLEET_ZONES, camera.hex, ZONES));
	return err;
}

/* Each place once. inside: with a fleet that is open. */
static void test_places(const char *what, int (*fn)(void), enum nth_kind kind, int inside)
{
	unsigned long at, total, failed = 0;
	int bad = check_failures;

	fleet = inside ? open_fleet() : NULL;
	CHECK(!fn()); /* warms up what lives as long as the process */
	nth_begin(kind, 0);
	CHECK(!fn());
	total = nth_fault.calls;
	nth_end();
	CHECK(total > 0);
	for (at = 1; at <= total && check_failures == bad; at++) {
		long before = nth_fault.live;

		nth_begin(kind, at);
		failed += fn() != 0;
		nth_end();
		CHECK(inside || nth_fault.live == before);
		if (check_failures != bad)
			fprintf(stderr, "^ %s: %lu of %lu, %ld blocks are left\n", what, at, total,
				nth_fault.live - before);
	}
	CHECK(failed > 0);
	printf("%s: %lu places, %lu of them said that it failed\n", what, total, failed);
	sluice_fleet_close(fleet);
}

int main(void)
{
	json_t *none;

	sluice_starved_watch_json();
	snprintf(camera.tenant, sizeof(camera.tenant), "t");
	snprintf(camera.device, sizeof(camera.device), "box");
	snprintf(camera.hex, sizeof(camera.hex), "%032x", 1);
	make_fleet();
	test_places("open", try_open, NTH_MEMORY, 0);
	test_places("zones", try_zones, NTH_MEMORY, 1);
	test_places("wish", try_wish, NTH_MEMORY, 1);
	test_places("put", try_put, NTH_MEMORY, 1);
	test_places("put, disk", try_put, NTH_DISK, 1);
	fleet = open_fleet();
	CHECK(sluice_fleet_get(fleet, SLUICE_FLEET_ZONES, "t", "other", &none) == -ENOENT && !none);
	sluice_fleet_close(fleet);
	remove_fleet();
	return check_result();
}
