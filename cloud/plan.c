// SPDX-License-Identifier: MIT
/*
 * A wish is asked for once for each of its versions and each ring of the gate (a ring that was made
 * anew begins with the settings of its attach: nobody changed anything). Two parts, since the gate
 * has two calls: settings, then the map; "parts" has the bits of those that were applied.
 *
 * Drift in a part that was applied before is a change at the device: a conflict. It is shown, and
 * stays, until the wish is saved anew; or, where the group says enforce, is undone after a time
 * that doubles with each change, so that two who both insist do not make a loop of it. Refused is
 * refused: asked again on the next link (the device's file may be another one by then), or when the
 * wish changes. "version" and "busy" are no refusals: the next report, or a second, and again.
 *
 * The CONFIG carries if_version of the newest report: a question that was answered and whose answer
 * was lost, or one that comes late, changes nothing twice.
 */
#include "cloud/plan.h"
#include "cloud/wish.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS 1
#define MAP	 2
#define AGAIN_NS 1000000000ull

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static uint64_t ns_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static void set_ns(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static int is_state(const json_t *o, const char *state)
{
	return !strcmp(text_of(o, "state"), state);
}

static void set_state(json_t *o, const char *state, const char *reason)
{
	json_object_set_new(o, "state", json_string(state));
	if (reason)
		json_object_set_new(o, "reason", json_string(reason));
	else
		json_object_del(o, "reason");
	json_object_del(o, "code");
}

/* Another wish, or another ring: nothing of it was asked for yet. */
static void begin_anew(json_t *state, const char *wish, const char *gate)
{
	json_object_clear(state);
	set_state(state, "waiting", NULL);
	json_object_set_new(state, "wish", json_string(wish));
	json_object_set_new(state, "gate", json_string(gate));
}

static uint64_t wait_ns(uint64_t tries)
{
	uint64_t ns = SLUICE_PLAN_FIRST_NS;

	while (tries-- && ns < SLUICE_PLAN_MOST_NS)
		ns *= 2;
	return ns < SLUICE_PLAN_MOST_NS ? ns : SLUICE_PLAN_MOST_NS;
}

/* It was changed at the device. 1: it is time to undo that. */
static int meet_conflict(json_t *state, const struct sluice_plan *p)
{
	uint64_t due = ns_of(state, "due_ns"), tries = ns_of(state, "tries");

	if (!is_state(state, "conflict")) {
		set_state(state, "conflict", "changed at the device");
		set_ns(state, "at_ns", p->now_ns);
		due = p->enforce ? p->now_ns + wait_ns(tries) : 0;
		set_ns(state, "due_ns", due);
	}
	if (!p->enforce || p->now_ns < due)
		return 0;
	set_ns(state, "tries", tries + 1);
	return 1;
}

static json_t *make_config(json_t *state, const struct sluice_plan *p, const json_t *drift,
			   int part)
{
	json_t *o = json_pack("{s:O}", "if_version", json_object_get(p->report, "version")), *list;
	const json_t *map = json_object_get(p->wish, "map");
	char id[SLUICE_WISH_ID];
	const char *key;
	json_t *v;

	if (part == MAP) {
		sluice_wish_map_id(map, id);
		json_object_set_new(o, "map", json_deep_copy(map));
		json_object_set_new(o, "map_id", json_string(id));
	} else {
		list = json_object();
		json_object_foreach ((json_t *)drift, key, v)
			if (strcmp(key, "map"))
				json_object_set(list, key, json_object_get(v, "desired"));
		json_object_set_new(o, "settings", list);
	}
	set_state(state, "asked", NULL);
	set_ns(state, "session", p->session);
	set_ns(state, "at_ns", p->now_ns);
	set_ns(state, "due_ns", p->now_ns + SLUICE_PLAN_ANSWER_NS);
	set_ns(state, "part", (uint64_t)part);
	return o;
}

/* Is there a reason to wait? */
static int must_wait(json_t *state, const struct sluice_plan *p, int part)
{
	int here = ns_of(state, "session") == p->session;

	if (is_state(state, "asked"))
		return here && p->now_ns < ns_of(state, "due_ns");
	if (is_state(state, "refused"))
		return here;
	if (is_state(state, "waiting"))
		return here && p->now_ns < ns_of(state, "due_ns");
	if (is_state(state, "applied") && ns_of(p->report, "version") < ns_of(state, "version"))
		return 1; /* its report is on its way */
	if (ns_of(state, "parts") & (uint64_t)part)
		return !meet_conflict(state, p);
	return 0;
}

json_t *sluice_plan_next(json_t *state, const struct sluice_plan *p)
{
	const char *gate = text_of(p->report, "gate");
	char wish[SLUICE_WISH_ID];
	json_t *drift, *config = NULL;
	const char *key;
	int part = MAP;
	json_t *v;

	if (sluice_wish_empty(p->wish)) {
		json_object_clear(state);
		set_state(state, "none", NULL);
		return NULL;
	}
	sluice_wish_id(p->wish, wish);
	if (strcmp(text_of(state, "wish"), wish) || strcmp(text_of(state, "gate"), gate))
		begin_anew(state, wish, gate);
	if (!p->report || !p->reported) {
		if (is_state(state, "asked") || is_state(state, "waiting"))
			set_state(state, "waiting", "the device has not told its settings yet");
		return NULL;
	}
	drift = sluice_wish_drift(p->wish, p->report);
	json_object_foreach (drift, key, v)
		if (strcmp(key, "map"))
			part = SETTINGS;
	if (!json_object_size(drift)) {
		if (!is_state(state, "in_sync"))
			set_ns(state, "at_ns", p->now_ns);
		set_state(state, "in_sync", NULL);
		set_ns(state, "parts", SETTINGS | MAP);
		set_ns(state, "due_ns", 0);
	} else if (!must_wait(state, p, part)) {
		config = make_config(state, p, drift, part);
	}
	json_decref(drift);
	return config;
}

int sluice_plan_result(json_t *state, const json_t *result, uint64_t now_ns)
{
	const char *code = text_of(result, "code"), *reason = text_of(result, "reason");

	if (!is_state(state, "asked") || !text_of(state, "request")[0] ||
	    strcmp(text_of(state, "request"), text_of(result, "request")))
		return 0;
	set_ns(state, "at_ns", now_ns);
	set_ns(state, "due_ns", 0);
	if (json_is_true(json_object_get(result, "applied"))) {
		set_state(state, "applied", NULL);
		set_ns(state, "parts", ns_of(state, "parts") | ns_of(state, "part"));
		set_ns(state, "version", ns_of(result, "version"));
	} else if (!strcmp(code, "version") || !strcmp(code, "busy")) {
		set_state(state, "waiting", reason);
		set_ns(state, "due_ns", now_ns + AGAIN_NS);
	} else {
		set_state(state, "refused", reason);
		json_object_set_new(state, "code", json_string(code[0] ? code : "policy"));
	}
	return 1;
}

uint64_t sluice_plan_due(const json_t *state)
{
	return is_state(state, "asked") || is_state(state, "waiting") || is_state(state, "conflict")
		       ? ns_of(state, "due_ns")
		       : 0;
}
