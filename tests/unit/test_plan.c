// SPDX-License-Identifier: MIT
/* What is wanted of a camera: layers, drift, and what is asked next: conflicts, back-off, refusals.
 */
#include "check.h"
#include "cloud/plan.h"
#include "cloud/wish.h"

#include <string.h>

#define SEC 1000000000ull

static uint64_t now = 1000 * SEC;

static json_t *parse(const char *text)
{
	json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);

	CHECK(o);
	return o;
}

static void same(json_t *have, const char *want)
{
	json_t *o = parse(want);
	char *text = json_dumps(have, JSON_COMPACT | JSON_ENCODE_ANY);

	CHECK(json_equal(have, o));
	if (!json_equal(have, o))
		fprintf(stderr, "have %s, want %s\n", text ? text : "nothing", want);
	free(text);
	json_decref(o);
	json_decref(have);
}

static void test_check(void)
{
	static const char *const good[] = {
		"{}",
		"{\"settings\":{}}",
		"{\"settings\":{\"rate\":2.5,\"preset\":\"low\"},\"map\":null}",
		"{\"map\":{\"zones\":[]}}",
		"{\"map\":{\"zones\":[],\"width\":1,\"height\":1}}",
		"{\"map\":{\"grid\":[1,1],\"cells\":\"EA==\"}}"
	};
	static const char *const bad[] = {
		"{\"settings\":[]}",
		"{\"settings\":{\"speed\":1}}",
		"{\"settings\":{\"rate\":\"2\"}}",
		"{\"settings\":{\"rate\":-1}}",
		"{\"settings\":{\"preset\":\"custom\"}}",
		"{\"settings\":{\"preset\":\"low\",\"floor\":3}}",
		"{\"map\":[]}",
		"{\"map\":{}}",
		"{\"map\":{\"zones\":[],\"privacy\":1}}",
		"{\"map\":{\"grid\":[1],\"cells\":\"\"}}",
		"{\"map\":{\"zones\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}}"
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_t *o = parse(good[i]);

		CHECK(!sluice_wish_check(o));
		json_decref(o);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *o = parse(bad[i]);

		CHECK(sluice_wish_check(o));
		json_decref(o);
	}
}

static json_t *merge(const char *a, const char *b)
{
	json_t *one = parse(a), *two = parse(b);
	const json_t *const layer[] = { one, NULL, two };
	json_t *o = sluice_wish_merge(layer, 3);

	json_decref(one);
	json_decref(two);
	return o;
}

static void test_merge(void)
{
	json_t *o = merge("{}", "{}");

	CHECK(sluice_wish_empty(o));
	json_decref(o);
	same(merge("{\"settings\":{\"rate\":1,\"audit\":5}}",
		   "{\"settings\":{\"rate\":2},\"map\":null}"),
	     "{\"settings\":{\"rate\":2,\"audit\":5},\"map\":null}");
	same(merge("{\"settings\":{\"preset\":\"low\",\"rate\":1}}",
		   "{\"settings\":{\"floor\":9}}"),
	     "{\"settings\":{\"rate\":1,\"floor\":9}}");
	same(merge("{\"settings\":{\"floor\":9,\"rate\":1}}",
		   "{\"settings\":{\"preset\":\"low\"}}"),
	     "{\"settings\":{\"rate\":1,\"preset\":\"low\"}}");
}

static json_t *drift(const char *wish, const char *actual)
{
	json_t *w = parse(wish), *a = parse(actual), *o = sluice_wish_drift(w, a);

	json_decref(w);
	json_decref(a);
	return o;
}

static void test_drift(void)
{
	/* 1.1 grey levels are 282/256 in the gate */
	same(drift("{\"settings\":{\"floor\":1.1,\"rate\":2}}",
		   "{\"settings\":{\"floor\":1.1015625,\"rate\":2.0}}"),
	     "{}");
	same(drift("{\"settings\":{\"rate\":2,\"preset\":\"high\"}}",
		   "{\"settings\":{\"rate\":3,\"preset\":\"custom\"}}"),
	     "{\"rate\":{\"desired\":2,\"actual\":3},\"preset\":{\"desired\":\"high\",\"actual\":"
	     "\"custom\"}}");
	same(drift("{\"settings\":{\"tamper\":1}}", "{\"settings\":{}}"),
	     "{\"tamper\":{\"desired\":1,\"actual\":null}}");
	same(drift("{\"map\":null}", "{\"map\":\"none\"}"), "{}");
	same(drift("{\"map\":null}", "{\"map\":\"unknown\"}"),
	     "{\"map\":{\"desired\":\"none\",\"actual\":\"unknown\"}}");
}

/* ---- plans ---- */

static json_t *state, *wish, *report;
static struct sluice_plan plan = { .session = 7, .reported = 1 };

static void want(const char *text)
{
	json_decref(wish);
	plan.wish = wish = parse(text);
}

static void told(const char *text)
{
	json_decref(report);
	plan.report = report = parse(text);
}

/* The next question; NULL: none. state is its word then. */
static void next(const char *config, const char *word)
{
	json_t *o;
	const char *is;

	plan.now_ns = now;
	o = sluice_plan_next(state, &plan);
	is = json_string_value(json_object_get(state, "state"));
	if (!is)
		is = "none";
	CHECK(!strcmp(is, word));
	if (strcmp(is, word))
		fprintf(stderr, "state %s, not %s\n", is, word);
	if (config)
		same(o, config);
	else
		CHECK(!o);
}

static void answer(const char *text)
{
	json_t *o = parse(text);

	json_object_set_new(state, "request", json_string("r"));
	json_object_set_new(o, "request", json_string("x"));
	CHECK(!sluice_plan_result(state, o, now));
	json_object_set_new(o, "request", json_string("r"));
	CHECK(sluice_plan_result(state, o, now) == 1);
	json_decref(o);
}

#define REPORT(version, rate)                                                    \
	"{\"gate\":\"g\",\"version\":" #version ",\"settings\":{\"rate\":" #rate \
	"},\"map\":\"none\"}"
#define RATE2(version) "{\"if_version\":" #version ",\"settings\":{\"rate\":2}}"

static void test_plan(void)
{
	state = json_object();
	want("{\"settings\":{},\"versions\":[]}");
	next(NULL, "none");
	want("{\"settings\":{\"rate\":2},\"versions\":[1]}");
	next(NULL, "waiting"); /* it has told nothing yet */
	told(REPORT(4, 5));
	plan.reported = 0;
	next(NULL, "waiting"); /* not on this link */
	plan.reported = 1;
	next(RATE2(4), "asked");
	next(NULL, "asked"); /* once */
	CHECK(sluice_plan_due(state) == now + SLUICE_PLAN_ANSWER_NS);
	/* no answer came: asked again, by the newest version */
	now += SLUICE_PLAN_ANSWER_NS;
	told(REPORT(5, 5));
	next(RATE2(5), "asked");
	/* "version" and "busy" are no refusals */
	answer("{\"applied\":false,\"code\":\"version\",\"reason\":\"other\"}");
	next(NULL, "waiting");
	now += SEC;
	told(REPORT(6, 5));
	next(RATE2(6), "asked");
	answer("{\"applied\":true,\"version\":7}");
	next(NULL, "applied"); /* its report is on its way */
	told(REPORT(7, 2));
	next(NULL, "in_sync");
	/* a cloud or a device that died between question and answer: the report tells */
	next(NULL, "in_sync");
}

static void test_conflict(void)
{
	uint64_t wait = 0;

	told(REPORT(8, 9));
	next(NULL, "conflict");
	now += 100 * SLUICE_PLAN_MOST_NS;
	next(NULL, "conflict"); /* nobody said enforce */
	CHECK(!sluice_plan_due(state));
	/* saved anew: asked */
	want("{\"settings\":{\"rate\":2},\"versions\":[2]}");
	next(RATE2(8), "asked");
	answer("{\"applied\":true,\"version\":9}");
	told(REPORT(9, 2));
	next(NULL, "in_sync");
	/* enforced: after a while, and each time after a longer one */
	plan.enforce = 1;
	for (int i = 0; i < 10; i++) {
		uint64_t due;

		told(REPORT(10, 9));
		next(NULL, "conflict");
		due = sluice_plan_due(state);
		CHECK(due - now >= SLUICE_PLAN_FIRST_NS && due - now >= wait &&
		      due - now <= SLUICE_PLAN_MOST_NS);
		wait = due - now;
		now = due - 1;
		next(NULL, "conflict");
		now = due;
		next(RATE2(10), "asked");
		answer("{\"applied\":true,\"version\":10}");
		told(REPORT(10, 2));
		next(NULL, "in_sync");
	}
	CHECK(wait == SLUICE_PLAN_MOST_NS);
	plan.enforce = 0;
	/* a gate that was made anew has the settings of its attach: no conflict */
	told("{\"gate\":\"h\",\"version\":1,\"settings\":{\"rate\":5},\"map\":\"none\"}");
	next(RATE2(1), "asked");
}

static void test_refused(void)
{
	answer("{\"applied\":false,\"code\":\"policy\",\"reason\":\"not here\"}");
	next(NULL, "refused");
	now += 100 * SLUICE_PLAN_MOST_NS;
	next(NULL, "refused"); /* as long as the link and the wish are the same */
	plan.session++;
	next(RATE2(1), "asked");
	answer("{\"applied\":false,\"reason\":\"an old relay\"}");
	next(NULL, "refused");
	want("{\"settings\":{\"rate\":3},\"versions\":[3]}");
	next("{\"if_version\":1,\"settings\":{\"rate\":3}}", "asked");
}

/* Settings first, then the map; both are in force before it is in sync. */
static void test_map(void)
{
	char id[SLUICE_WISH_ID], text[300];
	json_t *map = parse("{\"zones\":[]}");

	sluice_wish_map_id(map, id);
	json_decref(map);
	want("{\"settings\":{\"rate\":3},\"map\":{\"zones\":[]},\"versions\":[4]}");
	next("{\"if_version\":1,\"settings\":{\"rate\":3}}", "asked");
	answer("{\"applied\":true,\"version\":2}");
	told("{\"gate\":\"h\",\"version\":2,\"settings\":{\"rate\":3},\"map\":\"none\"}");
	snprintf(text, sizeof(text), "{\"if_version\":2,\"map\":{\"zones\":[]},\"map_id\":\"%s\"}",
		 id);
	next(text, "asked");
	answer("{\"applied\":true,\"version\":3}");
	snprintf(text, sizeof(text),
		 "{\"gate\":\"h\",\"version\":3,\"settings\":{\"rate\":3},\"map\":\"%s\"}", id);
	told(text);
	next(NULL, "in_sync");
	told("{\"gate\":\"h\",\"version\":4,\"settings\":{\"rate\":3},\"map\":\"unknown\"}");
	next(NULL, "conflict");
	want("{\"settings\":{},\"versions\":[0]}");
	next(NULL, "none");
}

int main(void)
{
	test_check();
	test_merge();
	test_drift();
	test_plan();
	test_conflict();
	test_refused();
	test_map();
	json_decref(state);
	json_decref(wish);
	json_decref(report);
	return check_result();
}
