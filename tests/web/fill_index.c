// SPDX-License-Identifier: MIT
/*
 * usage: fill_index INDEX.db COUNT
 *
 * Puts COUNT summaries of events into the index of a cloud that does not run, spread over the 28
 * days before today (the retention keeps 30) and over eight cameras of a device that has never
 * been; no media. One in 50 is
 * in the zone "gate", number 777 has the word "needle", and number 1000 is of a camera whose name,
 * title and text are markup. What a number gets is computed from it: the same call gives the same
 * rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/index.h"

#define CAMERAS	    8
#define BATCH	    5000
#define DAYS	    28
#define MARKUP	    1000
#define NEEDLE	    777
#define MARKUP_NAME "<img/src=x/onerror=boom()>"

static const char *const classes[] = { "person-like", "vehicle-like", "animal-like" };

static int add_cameras(struct sluice_index *ix, struct sluice_camera *cameras)
{
	char name[SLUICE_NAME_MAX];
	int i, err = 0;

	for (i = 0; i <= CAMERAS && !err; i++) {
		snprintf(name, sizeof(name), "fill-%d", i + 1);
		err = sluice_camera_init(&cameras[i], "default", "filler", name);
		if (i == CAMERAS) /* no name that a device may have */
			memcpy(cameras[i].name, MARKUP_NAME, sizeof(MARKUP_NAME));
		if (!err)
			err = ix->ops->camera_add(ix, &cameras[i]);
		if (!err)
			err = ix->ops->camera_seen(ix, cameras[i].id, 0, 640, 480);
	}
	return err;
}

static int add_event(struct sluice_index *ix, const struct sluice_camera *cameras, uint64_t n,
		     uint64_t start_ns)
{
	const struct sluice_camera *c = &cameras[n == MARKUP ? CAMERAS : n % CAMERAS];
	const char *class = classes[n % 3];
	struct sluice_index_summary s = { .epoch = 1, .acked = 1 };
	uint64_t end_ns = start_ns + (3 + n % 40) * 1000000000u;
	char json[2048], start[32], end[32], title[128];

	sluice_rfc3339(start_ns, start);
	sluice_rfc3339(end_ns, end);
	if (n == MARKUP)
		snprintf(title, sizeof(title), "<script>boom()</script><b>%" PRIu64, n);
	else
		snprintf(title, sizeof(title), "Event %" PRIu64, n);
	snprintf(s.id, sizeof(s.id), "%032" PRIx64, n + 0x10000);
	snprintf(
		json, sizeof(json),
		"{\"version\":1,\"id\":\"%s\",\"kind\":\"event\",\"camera\":\"%s\",\"epoch\":\"1\","
		"\"start\":\"%s\",\"end\":\"%s\",\"start_ns\":\"%" PRIu64 "\",\"end_ns\":\"%" PRIu64
		"\",\"start_s\":0,\"end_s\":%d,\"continued\":false,\"event\":\"%s\","
		"\"reason\":\"motion\",\"title\":\"%s\",\"text\":\"%s\",\"scene\":\"\","
		"\"confidence\":0.%d,\"peak_objects\":1,\"tracks\":[{\"id\":1,\"class\":\"%s\","
		"\"class_confidence\":0.6,\"heuristic\":true,\"start_s\":0,\"end_s\":%d,"
		"\"enter\":\"left\",\"leave\":\"right\",\"zones\":[%s],"
		"\"boxes\":[[0,%d,%d,40,80]]}],\"activity\":[0.1,0.2,0.1],\"keyframes\":[],"
		"\"width\":640,\"height\":480,\"digest\":null,"
		"\"ledger\":{\"seen\":100,\"passed\":50,\"lost\":{}},\"settings\":1}",
		s.id, n == MARKUP ? MARKUP_NAME : c->name, start, end, start_ns, end_ns,
		(int)(3 + n % 40), s.id, title,
		n == NEEDLE   ? "A needle in the hay."
		: n == MARKUP ? "<img src=x onerror=boom()>"
			      : "Something moved.",
		(int)(10 + n % 89), class, (int)(3 + n % 40), n % 50 ? "" : "\"gate\"",
		(int)(n % 15) * 40, (int)(n % 5) * 80);
	memcpy(s.camera, c->id, sizeof(s.camera));
	s.start_utc_ns = start_ns;
	s.end_utc_ns = end_ns;
	s.json = json;
	return ix->ops->summary_add(ix, &s);
}

int main(int argc, char **argv)
{
	struct sluice_camera cameras[CAMERAS + 1];
	uint64_t now = sluice_utc_now(), count, n, day = 86400000000000u, from, step;
	struct sluice_index *ix;
	int err;

	count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	if (!count) {
		fprintf(stderr, "usage: fill_index INDEX.db COUNT\n");
		return 2;
	}
	from = now - (DAYS + 1) * day;
	step = DAYS * day / count;
	err = sluice_index_sqlite_open(argv[1], &ix);
	if (!err)
		err = add_cameras(ix, cameras);
	for (n = 0; n < count && !err; n++) {
		if (n % BATCH == 0)
			err = ix->ops->begin(ix);
		if (!err)
			err = add_event(ix, cameras, n, from + n * step);
		if (!err && (n % BATCH == BATCH - 1 || n == count - 1))
			err = ix->ops->commit(ix);
	}
	if (err)
		fprintf(stderr, "fill_index: %s: %s\n", argv[1], strerror(-err));
	else
		sluice_index_close(ix);
	return err ? 1 : 0;
}
