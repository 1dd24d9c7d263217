// SPDX-License-Identifier: MIT
/*
 * api_ledger.c - "nothing moved" against "we lost it": the newest ledger of each camera, and what
 * was counted between one that was kept and the next. Where an epoch ends the counts begin again at
 * 0: what the old one counted after its last kept ledger is not in any span.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/api_call.h"
#include "cloud/ledger.h"
#include "lib/reason.h"

#define SPANS_MAX 3000
#define DAY_NS	  86400000000000ull
#define SPAN_NS	  (SLUICE_LEDGER_S * 1000000000ull)

int sluice_ledger_read(const void *data, size_t size, struct sluice_wire_ledger *l)
{
	const uint8_t *p = data;
	uint64_t v[36];
	size_t i, j;

	if (!p || size != sizeof(v))
		return -EINVAL;
	for (i = 0; i < 36; i++)
		for (v[i] = 0, j = 8; j--;)
			v[i] = v[i] << 8 | p[8 * i + j];
	l->delivered = v[0];
	l->pending = v[1];
	l->bytes_seen = v[2];
	l->bytes_passed = v[3];
	memcpy(l->count, v + 4, sizeof(l->count));
	return 0;
}

json_t *sluice_ledger_json(const struct sluice_wire_ledger *l)
{
	json_t *by_class[3] = { 0 };
	unsigned int i;

	for (i = 0; i < 3; i++)
		by_class[i] = json_object();
	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		if (l->count[i] && sluice_reason_name(i))
			json_object_set_new(by_class[sluice_reason_class(i)], sluice_reason_name(i),
					    json_integer((json_int_t)l->count[i]));
	return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "delivered", (json_int_t)l->delivered,
			 "pending", (json_int_t)l->pending, "bytes_seen", (json_int_t)l->bytes_seen,
			 "bytes_passed", (json_int_t)l->bytes_passed, "passed",
			 by_class[SLUICE_PASSED], "dropped", by_class[SLUICE_DROPPED], "lost",
			 by_class[SLUICE_LOST]);
}

static int add_newest(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns,
		      uint32_t width, uint32_t height, const void *ledger, size_t ledger_size)
{
	struct sluice_wire_ledger l;
	json_t *json =
		sluice_ledger_read(ledger, ledger_size, &l) ? json_null() : sluice_ledger_json(&l);

	return json_array_append_new(ctx, json_pack("{s:s,s:s,s:s,s:o}", "id", c->hex, "device",
						    c->device, "name", c->name, "ledger", json));
}

static void get_ledgers(struct sluice_call *c)
{
	json_t *list = json_array();
	int err = c->index->ops->cameras(c->index, &c->whose, add_newest, list);

	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "cameras", list));
}

struct spans {
	json_t *list;
	int have, more;
	uint64_t utc_ns, epoch;
	struct sluice_wire_ledger last;
};

/* now becomes what was counted since before; pending is what it is. */
static void subtract(struct sluice_wire_ledger *now, const struct sluice_wire_ledger *before)
{
	unsigned int i;

#define LESS(field) (now->field = now->field > before->field ? now->field - before->field : 0)
	LESS(delivered);
	LESS(bytes_seen);
	LESS(bytes_passed);
	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		LESS(count[i]);
#undef LESS
}

static int add_span(void *ctx, uint64_t utc_ns, uint64_t epoch, const void *ledger, size_t size)
{
	struct spans *s = ctx;
	struct sluice_wire_ledger now, counted;
	char start[24], end[24];
	int fresh = s->epoch != epoch;

	if (sluice_ledger_read(ledger, size, &now))
		return 0;
	if (s->have && json_array_size(s->list) == SPANS_MAX) {
		s->more = 1;
		return 1;
	}
	if (s->have) {
		counted = now;
		if (!fresh)
			subtract(&counted, &s->last);
		counted.pending = 0;
		counted.delivered = sluice_reason_sum(counted.count, SLUICE_PASSED) +
				    sluice_reason_sum(counted.count, SLUICE_DROPPED) +
				    sluice_reason_sum(counted.count, SLUICE_LOST);
		/* what is kept is the last of each span, under the span's begin */
		snprintf(start, sizeof(start), "%llu", (unsigned long long)(s->utc_ns + SPAN_NS));
		snprintf(end, sizeof(end), "%llu", (unsigned long long)(utc_ns + SPAN_NS));
		json_array_append_new(s->list, json_pack("{s:s,s:s,s:b,s:o}", "start_ns", start,
							 "end_ns", end, "new_stream", fresh,
							 "ledger", sluice_ledger_json(&counted)));
	}
	s->have = 1;
	s->utc_ns = utc_ns;
	s->epoch = epoch;
	s->last = now;
	return 0;
}

static void get_ledger(struct sluice_call *c)
{
	int64_t to = sluice_call_number(c, "to", (int64_t)sluice_utc_now(), 0, INT64_MAX);
	int64_t from = to < 0 ? -1
			      : sluice_call_number(c, "from",
						   to > (int64_t)DAY_NS ? to - (int64_t)DAY_NS : 0,
						   0, INT64_MAX);
	struct spans s = { 0 };
	char from_text[24], to_text[24];
	uint8_t id[16];
	int err;

	if (from < 0 || to < 0 || from > to) {
		sluice_answer_problem(c, 400, "from and to are UTC nanoseconds, from before to");
		return;
	}
	err = sluice_call_camera(c, c->part[0], id);
	if (err)
		return;
	s.list = json_array();
	err = c->index->ops->ledgers(c->index, &c->whose, id, (uint64_t)from, (uint64_t)to,
				     add_span, &s);
	if (err < 0) {
		json_decref(s.list);
		sluice_answer_error(c, err);
		return;
	}
	snprintf(from_text, sizeof(from_text), "%lld", (long long)from);
	snprintf(to_text, sizeof(to_text), "%lld", (long long)to);
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:s,s:s,s:o,s:b}", "camera", c->part[0], "from_ns",
				     from_text, "to_ns", to_text, "spans", s.list, "more", s.more));
}

const struct sluice_route sluice_api_ledger[] = {
	{ SLUICE_HTTP_GET, "/v1/ledger", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_ledgers,
	  "listLedgers" },
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/ledger", SLUICE_VIEWER, SLUICE_SCOPE_READ,
	  get_ledger, "getLedger" },
	{ 0 },
};
