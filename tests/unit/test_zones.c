// SPDX-License-Identifier: MIT
/* Named zones and lines: what is taken, what is refused with which words, and what the analysis
 * gets. */
#include "check.h"
#include "cloud/zones.h"

#include <string.h>

static const char *check_text(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	const char *wrong;

	CHECK(o);
	wrong = sluice_zones_check(o);
	json_decref(o);
	return wrong ? wrong : "";
}

#define REFUSED(text, words) CHECK(strstr(check_text(text), words))
#define TAKEN(text)	     CHECK(!*check_text(text))
#define BOX		     "[[0,0],[0.5,0],[0.5,0.5]]"

/* 17 zones, or one of 17 points, are one too many. */
static void bounds(void)
{
	json_t *doc, *list, *points;
	char name[8];
	int i, n;

	for (n = SLUICE_ZONES_MAX; n <= SLUICE_ZONES_MAX + 1; n++) {
		list = json_array();
		for (i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "z%d", i);
			json_array_append_new(list, json_pack("{s:s,s:o}", "name", name, "points",
							      json_loads(BOX, 0, NULL)));
		}
		doc = json_pack("{s:o}", "zones", list);
		CHECK(!sluice_zones_check(doc) == (n == SLUICE_ZONES_MAX));
		json_decref(doc);
	}
	for (n = SLUICE_ZONE_POINTS_MAX; n <= SLUICE_ZONE_POINTS_MAX + 1; n++) {
		points = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(points, json_pack("[f,f]", i / 20.0, i * i / 400.0));
		doc = json_pack("{s:[{s:s,s:o}]}", "zones", "name", "a", "points", points);
		CHECK(!sluice_zones_check(doc) == (n == SLUICE_ZONE_POINTS_MAX));
		json_decref(doc);
	}
}

int main(void)
{
	struct sluice_analysis_config c = { .join_ms = 7, .zone_count = 9, .line_count = 9 };
	json_t *o;

	TAKEN("{}");
	TAKEN("{\"zones\":[],\"lines\":[]}");
	TAKEN("{\"zones\":[{\"name\":\"a\",\"points\":" BOX
	      "}],\"lines\":[{\"name\":\"a\",\"points\":[[0,0],[1,1]]}]}");
	TAKEN("{\"zones\":[{\"name\":\"1234567890123456789012345678901\",\"points\":" BOX "}]}");
	REFUSED("{\"zones\":[{\"name\":\"12345678901234567890123456789012\",\"points\":" BOX "}]}",
		"31 bytes");
	REFUSED("{\"zones\":[{\"name\":\"\",\"points\":" BOX "}]}", "31 bytes");
	REFUSED("{\"zones\":[{\"points\":" BOX "}]}", "31 bytes");
	REFUSED("{\"zones\":[{\"name\":\"a\\nb\",\"points\":" BOX "}]}", "control");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":" BOX "},{\"name\":\"a\",\"points\":" BOX
		"}]}",
		"same name");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":" BOX ",\"x\":1}]}", "a name and points");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0],[1,1]]}]}", "three points");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0],[0.5,0.5],[1,1]]}]}", "too small");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0],[1.01,0],[1,1]]}]}", "0..1");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0],[-0.01,0],[1,1]]}]}", "0..1");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0],[\"1\",0],[1,1]]}]}", "0..1");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":[[0,0,0],[1,0],[1,1]]}]}", "0..1");
	REFUSED("{\"lines\":[{\"name\":\"a\",\"points\":[[0,0],[1,0],[1,1]]}]}", "two points");
	REFUSED("{\"lines\":[{\"name\":\"a\",\"points\":[[0.5,0.5],[0.505,0.5]]}]}", "too short");
	REFUSED("{\"zones\":{}}", "arrays");
	REFUSED("{\"zones\":[3]}", "31 bytes");
	REFUSED("{\"zoness\":[]}", "zones and lines");
	TAKEN("{\"zones\":[{\"name\":\"a\",\"points\":" BOX
	      ",\"concern\":true,\"dwell_s\":0}],\"night\":{\"from\":\"23:59\",\"to\":\"00:00\"}}");
	TAKEN("{\"night\":null}");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":" BOX ",\"concern\":1}]}", "true or false");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":" BOX ",\"dwell_s\":-1}]}", "0 to 86400");
	REFUSED("{\"zones\":[{\"name\":\"a\",\"points\":" BOX ",\"dwell_s\":\"1\"}]}",
		"0 to 86400");
	REFUSED("{\"lines\":[{\"name\":\"a\",\"points\":[[0,0],[1,1]],\"concern\":true}]}",
		"forward, backward or both");
	REFUSED("{\"lines\":[{\"name\":\"a\",\"points\":[[0,0],[1,1]],\"dwell_s\":1}]}",
		"a name and points");
	REFUSED("{\"night\":{\"from\":\"22:00\"}}", "night is");
	REFUSED("{\"night\":{\"from\":\"24:00\",\"to\":\"06:00\"}}", "night is");
	REFUSED("{\"night\":{\"from\":\"22:60\",\"to\":\"06:00\"}}", "night is");
	REFUSED("{\"night\":{\"from\":\"2:000\",\"to\":\"06:00\"}}", "night is");
	REFUSED("{\"night\":{\"from\":\":2:00\",\"to\":\"06:00\"}}", "night is");
	REFUSED("{\"night\":\"22:00\"}", "night is");
	bounds();

	o = json_loads("{\"zones\":[{\"name\":\"door\",\"points\":[[0,0],[0.25,0],[0.25,1]]}],"
		       "\"lines\":[{\"name\":\"step\",\"points\":[[0,0.5],[1,0.12344]]}]}",
		       0, NULL);
	sluice_zones_config(o, &c);
	CHECK(c.join_ms == 7 && c.zone_count == 1 && c.line_count == 1);
	CHECK(!strcmp(c.zones[0].name, "door") && c.zones[0].count == 3);
	CHECK(c.zones[0].point[2].x == 2500 && c.zones[0].point[2].y == 10000);
	CHECK(!strcmp(c.lines[0].name, "step") && c.lines[0].a.y == 5000 &&
	      c.lines[0].b.x == 10000);
	CHECK(c.lines[0].b.y == 1234);
	CHECK(!c.zones[0].concern && c.zones[0].dwell_ms == 2000 && !c.lines[0].concern);
	CHECK(c.night_from == c.night_to);
	json_decref(o);
	o = json_loads("{\"zones\":[{\"name\":\"door\",\"points\":" BOX
		       ",\"concern\":true,\"dwell_s\":1.5}],"
		       "\"lines\":[{\"name\":\"step\",\"points\":[[0,0.5],[1,0.1]],\"concern\":"
		       "\"backward\"}],"
		       "\"night\":{\"from\":\"22:30\",\"to\":\"06:05\"}}",
		       0, NULL);
	sluice_zones_config(o, &c);
	CHECK(c.zones[0].concern && c.zones[0].dwell_ms == 1500);
	CHECK(c.lines[0].concern == SLUICE_LINE_BACKWARD);
	CHECK(c.night_from == 1350 && c.night_to == 365);
	json_decref(o);
	sluice_zones_config(NULL, &c);
	CHECK(!c.zone_count && !c.line_count && !c.zones[0].name[0]);
	return check_result();
}
