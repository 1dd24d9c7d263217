// SPDX-License-Identifier: MIT
/* api_timeline.c - how many events began when, camera by camera: only buckets that are not empty.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/api_call.h"

#define BUCKETS	    240
#define BUCKETS_MAX 2000

struct timeline {
	json_t *cameras, *buckets; /* buckets: of the last camera, borrowed */
	char id[33];
	uint64_t from_ns, width_ns;
};

static int add_bucket(void *ctx, const struct sluice_camera *c, const struct sluice_index_bucket *b)
{
	struct timeline *t = ctx;

	if (strcmp(t->id, c->hex)) {
		memcpy(t->id, c->hex, sizeof(t->id));
		t->buckets = json_array();
		json_array_append_new(t->cameras,
				      json_pack("{s:s,s:s,s:s,s:o}", "id", c->hex, "device",
						c->device, "name", c->name, "buckets", t->buckets));
	}
	return json_array_append_new(
		t->buckets,
		json_pack("[I,i,i]", (json_int_t)((b->start_ns - t->from_ns) / t->width_ns),
			  (int)b->events, (int)b->nuisance));
}

static void get_timeline(struct sluice_call *c)
{
	int64_t from = sluice_call_number(c, "from", -1, 0, INT64_MAX);
	int64_t to = sluice_call_number(c, "to", -1, 0, INT64_MAX);
	int64_t buckets = sluice_call_number(c, "buckets", BUCKETS, 1, BUCKETS_MAX);
	char from_text[24], to_text[24], width_text[24], camera[40];
	int err = sluice_http_query(c->request, "camera", camera, sizeof(camera));
	struct timeline t = { 0 };

	if (from < 0 || to <= from || buckets < 1 || (err && err != -ENOENT)) {
		sluice_answer_problem(c, 400,
				      "from and to are UTC nanoseconds, from before to, buckets "
				      "1..2000, camera a name or an id");
		return;
	}
	t.from_ns = (uint64_t)from;
	t.width_ns = ((uint64_t)(to - from) + (uint64_t)buckets - 1) / (uint64_t)buckets;
	t.cameras = json_array();
	err = c->index->ops->timeline(c->index, &c->whose, err ? NULL : camera, t.from_ns,
				      (uint64_t)to, t.width_ns, add_bucket, &t);
	if (err) {
		json_decref(t.cameras);
		sluice_answer_error(c, err);
		return;
	}
	snprintf(from_text, sizeof(from_text), "%lld", (long long)from);
	snprintf(to_text, sizeof(to_text), "%lld", (long long)to);
	snprintf(width_text, sizeof(width_text), "%llu", (unsigned long long)t.width_ns);
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:s,s:s,s:o}", "from_ns", from_text, "to_ns", to_text,
				     "width_ns", width_text, "cameras", t.cameras));
}

const struct sluice_route sluice_api_timeline[] = {
	{ SLUICE_HTTP_GET, "/v1/timeline", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_timeline,
	  "getTimeline" },
	{ 0 },
};
