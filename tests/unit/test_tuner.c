// SPDX-License-Identifier: MIT
/*
 * test_tuner.c - a camera's gate from what was counted to what is wanted of it, and back: by
 * people, by itself, and left alone; on a real index and fleet, with days that the test makes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/tuner.h"
#include "cloud/tuning.h"
#include "cloud/wish.h"
#include "lib/log.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

#define DAY_NS 86400000000000ull
#define TODAY  20000u /* a day since 1970 */
#define GRID_W 80
#define GRID_H 60

static char data[64];
static struct sluice_camera camera;
static struct sluice_retune_config config;
static struct sluice_tuner tuner;
static uint64_t now = TODAY * DAY_NS;

static void begin(enum sluice_retune_mode mode)
{
	char path[80];

	snprintf(data, sizeof(data), "/tmp/test_tuner.XXXXXX");
	CHECK(mkdtemp(data));
	snprintf(path, sizeof(path), "%s/fleet.db", data);
	CHECK(!sluice_fleet_open(path, &tuner.fleet));
	snprintf(path, sizeof(path), "%s/index.db", data);
	CHECK(!sluice_index_sqlite_open(path, &tuner.index));
	CHECK(!sluice_camera_init(&camera, "t", "box", "door"));
	CHECK(!tuner.index->ops->camera_add(tuner.index, &camera));
	config = (struct sluice_retune_config){ mode, DAY_NS, 7, sluice_retune_usual };
	tuner.c = &config;
	now = TODAY * DAY_NS;
}

static void end(void)
{
	sluice_fleet_close(tuner.fleet);
	sluice_index_close(tuner.index);
	tmp_dir_remove(data);
}

/* What the device tells of itself. */
static void report(uint32_t version, const char *preset, const char *map)
{
	json_t *o = json_pack("{s:I,s:{s:s},s:s,s:s}", "version", (json_int_t)version, "settings",
			      "preset", preset, "map", map, "gate", "door/1");

	CHECK(!sluice_fleet_put(tuner.fleet, SLUICE_FLEET_REPORT, "t", camera.hex, o, NULL));
}

static void counted(uint32_t day, uint32_t settings, uint32_t nothing, uint32_t samples,
		    uint32_t missed)
{
	static struct sluice_tally t;
	uint8_t bytes[SLUICE_TALLY_BYTES];
	struct sluice_index_tally row = { .day = day, .settings = settings, .counts = bytes };

	CHECK(!sluice_tally_begin(&t, GRID_W, GRID_H));
	t.openings = t.nothing = nothing;
	t.samples = samples;
	t.missed = missed;
	t.tile[30].nothing = nothing;
	t.tile[300].missed = missed;
	row.size = sluice_tally_pack(&t, bytes);
	memcpy(row.camera, camera.id, sizeof(row.camera));
	CHECK(!tuner.index->ops->tally_put(tuner.index, &row));
}

/* The map that is wanted; NULL: none. */
static json_t *wanted(const char *preset)
{
	int enforce;
	json_t *wish = sluice_fleet_wish(tuner.fleet, &camera, NULL, &enforce);
	json_t *map = json_incref(json_object_get(wish, "map"));
	const char *got =
		json_string_value(json_object_get(json_object_get(wish, "settings"), "preset"));

	CHECK(wish && !strcmp(got ? got : "", preset));
	json_decref(wish);
	return map;
}

static int wants(const char *preset, int map)
{
	json_t *m = wanted(preset);
	int is = !m ? 0 : json_is_null(m) ? 1 : 2;

	json_decref(m);
	if (is != map)
		fprintf(stderr, "the map is %d, expected %d\n", is, map);
	return is == map;
}

/* The device takes on what is wanted. */
static void take_on(uint32_t version, const char *preset, const char *wished)
{
	char id[SLUICE_WISH_ID] = "none";
	json_t *m = wanted(wished);

	if (m)
		sluice_wish_map_id(m, id);
	json_decref(m);
	report(version, preset, id);
}

/* An expression of the state, as people see it. */
static const char *shown(const char *key, const char *of)
{
	static char text[200];
	json_t *o = sluice_tuner_json(&tuner, &camera), *v = json_object_get(o, key);

	if (of)
		v = json_object_get(v, of);
	snprintf(text, sizeof(text), "%s",
		 !v		      ? "absent"
		 : json_is_null(v)    ? "null"
		 : json_is_string(v)  ? json_string_value(v)
		 : json_is_integer(v) ? "number"
		 : json_is_true(v)    ? "true"
		 : json_is_false(v)   ? "false"
				      : "some");
	json_decref(o);
	return text;
}

static int is(const char *key, const char *of, const char *want)
{
	const char *got = shown(key, of);

	if (!strstr(got, want))
		fprintf(stderr, "%s %s is '%s', expected '%s'\n", key, of ? of : "", got, want);
	return strstr(got, want) != NULL;
}

static int look(void)
{
	return sluice_tuner_look(&tuner, &camera, now, 0);
}

static int apply(const char *by)
{
	return sluice_tuner_apply(&tuner, &camera, by, NULL, now);
}

static int back(const char *by)
{
	return sluice_tuner_back(&tuner, &camera, by, NULL, now);
}

static void falsely_opened(void)
{
	counted(TODAY - 2, 3, 10, 500, 0);
	counted(TODAY - 1, 3, 15, 500, 0);
}

static void test_proposed(void)
{
	const int64_t other = 77;

	begin(SLUICE_RETUNE_PROPOSE);
	/* nothing is known of it */
	CHECK(!look() && is("left_alone", NULL, "not told its settings") && wants("", 0));
	CHECK(apply("ann") == -ENOENT && back("ann") == -ENOENT);
	report(3, "medium", "none");
	CHECK(!look() && is("proposal", NULL, "null") && is("left_alone", NULL, "null"));
	/* counts of other settings say nothing */
	counted(TODAY - 2, 2, 900, 500, 0);
	counted(TODAY - 1, 4, 900, 500, 0);
	CHECK(!look() && is("proposal", NULL, "null"));
	falsely_opened();
	CHECK(!look() && is("proposal", "why", "opened the gate 25 times"));
	CHECK(is("proposal", "raised", "number") && is("proposal", "map", "some"));
	CHECK(wants("", 0));
	/* not again on the same day, unless somebody asks */
	counted(TODAY, 3, 5, 0, 0);
	now += DAY_NS / 2;
	CHECK(!look() && is("proposal", "why", "opened the gate 25 times"));
	CHECK(!sluice_tuner_look(&tuner, &camera, now, 1));
	CHECK(is("proposal", "why", "opened the gate 30 times"));
	/* applied, by a person */
	CHECK(sluice_tuner_apply(&tuner, &camera, "ann", &other, now) == -ESTALE);
	CHECK(!apply("ann") && wants("", 2) && is("applied", "by", "ann"));
	CHECK(is("applied", "preset", "null") && is("applied", "can_go_back", "true"));
	CHECK(is("proposal", NULL, "null") && apply("ann") == -ENOENT);
	CHECK(is("left_alone", NULL, "has not taken on"));
	take_on(4, "medium", "");
	CHECK(is("left_alone", NULL, "null"));
	/* and back */
	CHECK(!back("ben") && wants("", 1) && is("applied", "by", "ben"));
	CHECK(is("applied", "can_go_back", "false") && back("ben") == -ENOENT);
	take_on(5, "medium", "");
	/* what opened it falsely is not tried again for a while */
	now += 2 * DAY_NS;
	counted(TODAY, 5, 40, 500, 0);
	counted(TODAY + 1, 5, 40, 500, 0);
	CHECK(!look() && is("proposal", NULL, "null"));
	now += 13 * DAY_NS;
	counted(TODAY + 12, 5, 40, 500, 0);
	counted(TODAY + 13, 5, 40, 500, 0);
	CHECK(!look() && is("proposal", "raised", "number"));
	end();
}

/* In mode apply, and what was a mistake. */
static void test_by_itself(void)
{
	begin(SLUICE_RETUNE_APPLY);
	report(3, "medium", "none");
	falsely_opened();
	CHECK(look() == 1 && wants("", 2) && is("applied", "by", "retune"));
	take_on(4, "medium", "");
	/* nothing is missed: it stays, and is not looked at again on this day */
	now += DAY_NS / 4;
	counted(TODAY, 4, 40, 300, 0);
	CHECK(!look() && wants("", 2));
	/* a miss in many is what there was before; more are not */
	counted(TODAY, 4, 0, 300, 6);
	CHECK(look() == 1 && wants("", 1) && is("applied", "why", "In 6 of 300 frames"));
	CHECK(is("applied", "by", "retune") && is("applied", "can_go_back", "false"));
	take_on(5, "medium", "");
	now += DAY_NS;
	/* what is missed lowers it at once */
	counted(TODAY + 1, 5, 0, 300, 1);
	CHECK(look() == 1 && wants("", 2) && is("applied", "why", "did not see in 1 frames"));
	end();
}

/* Missed all over the picture: the preset, which goes back too. */
static void test_preset(void)
{
	static struct sluice_tally t;
	uint8_t bytes[SLUICE_TALLY_BYTES];
	struct sluice_index_tally row = { .day = TODAY, .settings = 3, .counts = bytes };

	begin(SLUICE_RETUNE_APPLY);
	report(3, "low", "none");
	CHECK(!sluice_tally_begin(&t, GRID_W, GRID_H));
	t.samples = 100;
	t.missed = 9;
	for (int i = 0; i < 540; i += 5)
		t.tile[i].missed = 1;
	row.size = sluice_tally_pack(&t, bytes);
	memcpy(row.camera, camera.id, sizeof(row.camera));
	CHECK(!tuner.index->ops->tally_put(tuner.index, &row));
	CHECK(look() == 1 && wants("medium", 1) && is("applied", "preset", "medium"));
	take_on(4, "medium", "medium");
	CHECK(!back("ann") && wants("low", 1));
	/* people's own goes over it */
	CHECK(!sluice_fleet_put(tuner.fleet, SLUICE_FLEET_DESIRED, "t", camera.hex,
				json_pack("{s:{s:s}}", "settings", "preset", "high"), NULL));
	CHECK(wants("high", 1));
	end();
}

static void want_map(int there)
{
	json_t *doc = json_pack("{s:{s:i}}", "settings", "rate", 2);

	if (there)
		json_object_set_new(doc, "map", json_pack("{s:[]}", "zones"));
	CHECK(!sluice_fleet_put(tuner.fleet, SLUICE_FLEET_DESIRED, "t", camera.hex, doc, NULL));
}

static void test_left_alone(void)
{
	json_t *m;

	begin(SLUICE_RETUNE_APPLY);
	falsely_opened();
	/* somebody's map at the device, or in the cloud, is theirs */
	report(3, "medium", "unknown");
	CHECK(!look() && wants("", 0) && is("left_alone", NULL, "set at the device"));
	report(3, "medium", "none");
	want_map(1);
	CHECK(!look() && is("left_alone", NULL, "wanted by people") && wants("", 2));
	CHECK(!sluice_tuner_mode(&tuner, &camera, "propose", NULL) && is("mode", NULL, "propose"));
	want_map(0);
	CHECK(!look() && is("proposal", "raised", "number") && wants("", 0));
	want_map(1);
	CHECK(apply("ann") == -EPERM);
	want_map(0);
	CHECK(!apply("ann"));
	take_on(4, "medium", "");
	want_map(1); /* over what is applied */
	m = wanted("");
	CHECK(json_object_get(m, "zones") && !json_object_get(m, "cells"));
	json_decref(m);
	/* off for this camera, whatever the node does */
	want_map(0);
	CHECK(!sluice_tuner_mode(&tuner, &camera, "off", NULL));
	CHECK(is("left_alone", NULL, "off") && is("effective_mode", NULL, "off"));
	counted(TODAY + 1, 4, 0, 300, 50);
	now += 2 * DAY_NS;
	CHECK(!look() && wants("", 2));
	CHECK(!sluice_tuner_mode(&tuner, &camera, NULL, NULL) && is("mode", NULL, "null"));
	CHECK(look() == 1 && wants("", 1));
	end();
}

/* A camera's own mode counts, on a node that is off too. */
static void test_counts(void)
{
	const struct sluice_tuner nobody = { NULL, NULL, &config };

	begin(SLUICE_RETUNE_OFF);
	CHECK(!sluice_tuner_counts(&tuner, &camera) && !sluice_tuner_counts(&nobody, &camera));
	CHECK(!sluice_tuner_mode(&tuner, &camera, "propose", NULL));
	CHECK(sluice_tuner_counts(&tuner, &camera) && !sluice_tuner_counts(&nobody, &camera));
	CHECK(!sluice_tuner_mode(&tuner, &camera, NULL, NULL));
	CHECK(!sluice_tuner_counts(&tuner, &camera));
	config.mode = SLUICE_RETUNE_PROPOSE;
	CHECK(sluice_tuner_counts(&tuner, &camera) && sluice_tuner_counts(&nobody, &camera));
	CHECK(!sluice_tuner_mode(&tuner, &camera, "off", NULL));
	CHECK(!sluice_tuner_counts(&tuner, &camera));
	end();
}

/* What is remembered has an end. */
static void test_bounds(void)
{
	size_t size;
	json_t *doc;

	begin(SLUICE_RETUNE_APPLY);
	for (uint32_t i = 0; i < 40; i++) {
		report(100 + i, "medium", "none");
		counted(TODAY + i, 100 + i, 0, 10, 3);
		now = (TODAY + i + 1) * DAY_NS;
		if (i % 2)
			back("ann");
		else
			look();
		take_on(100 + i, "medium", "");
	}
	CHECK(!sluice_fleet_get(tuner.fleet, SLUICE_FLEET_RETUNE, "t", camera.hex, &doc));
	CHECK(json_array_size(json_object_get(doc, "history")) == 16);
	size = json_dumpb(doc, NULL, 0, JSON_COMPACT);
	CHECK(size > 4000 && size < 32000);
	/* and what is damaged wants nothing */
	json_object_set_new(json_object_get(json_object_get(doc, "applied"), "tuning"), "factors",
			    json_string("AAAA"));
	CHECK(!sluice_fleet_put(tuner.fleet, SLUICE_FLEET_RETUNE, "t", camera.hex, doc, NULL));
	CHECK(wants("", 0) && is("left_alone", NULL, ""));
	end();
}

static void test_json(void)
{
	static const char *const bad[] = {
		"{}",
		"{\"grid\":[80,60],\"preset\":\"low\",\"factors\":\"\"}",
		"{\"grid\":[80],\"preset\":\"low\",\"factors\":\"AA==\"}",
		"{\"grid\":[-2,60],\"preset\":\"low\",\"factors\":\"AA==\"}",
		"{\"grid\":[2,2],\"preset\":\"low\",\"factors\":\"!!!!!!!!\"}",
		"{\"grid\":[2000,2000],\"preset\":\"low\",\"factors\":\"AAAA\"}",
	};
	static struct sluice_tuning t, back_again;
	json_t *o;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o = json_loads(bad[i], 0, NULL);
		CHECK(o && sluice_tuning_read(o, &t) == -EINVAL);
		json_decref(o);
	}
	CHECK(sluice_tuning_read(NULL, &t) == -EINVAL);
	CHECK(!sluice_tuning_begin(&t, 160, 90, SLUICE_RETUNE_HIGH));
	for (i = 0; i < SLUICE_TILES; i++)
		t.factor[i] = i < (size_t)t.tiles.w * t.tiles.h ? (uint8_t)i : SLUICE_FACTOR_ONE;
	o = sluice_tuning_json(&t);
	CHECK(o && !sluice_tuning_read(o, &back_again));
	CHECK(!memcmp(&t, &back_again, sizeof(t)));
	json_decref(o);
	o = sluice_tuning_map_json(&t);
	CHECK(o && !sluice_wish_check(NULL) &&
	      strlen(json_string_value(json_object_get(o, "cells"))) == 160 * 90 / 3 * 4);
	json_decref(o);
}

int main(void)
{
	sluice_log_setup("test", SLUICE_LOG_ERROR, false);
	test_json();
	test_proposed();
	test_by_itself();
	test_preset();
	test_left_alone();
	test_counts();
	test_bounds();
	return check_result();
}
