// SPDX-License-Identifier: MIT
/*
 * people_fleet.c - what must hold of what is wanted of devices, and asked of them, with two handles
 * as two nodes have them, if those share it: each sees what the other does.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conform/people.h"
#include "tests/unit/check.h"

#define T   SLUICE_TENANT
#define HEX "00000000000000000000000000000001"

static int put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *name,
	       const char *text, const int64_t *if_version)
{
	return sluice_fleet_put(f, kind, T, name, json_loads(text, 0, NULL), if_version);
}

static int64_t version_of(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *name)
{
	int64_t version;
	json_t *doc;

	if (sluice_fleet_get(f, kind, T, name, &doc))
		return 0;
	version = json_integer_value(json_object_get(doc, "version"));
	json_decref(doc);
	return version;
}

/* One node: what is durable is there again. */
static void test_documents(struct conform_people *rig)
{
	const int64_t none = 0, one = 1, two = 2;
	struct sluice_fleet *f;
	json_t *asked;

	rig->clear(rig);
	f = rig->fleet(rig);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none));
	CHECK(put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none) == -EEXIST);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &one));
	CHECK(put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &one) == -ESTALE);
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", NULL));
	CHECK(put(f, SLUICE_FLEET_DESIRED, "other", "{}", &two) == -ESTALE);
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"sent\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_REPORT, HEX, "{\"device\":\"box\",\"session\":7}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s1\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\"}", NULL));
	CHECK(sluice_fleet_remove(f, SLUICE_FLEET_GROUP, T, "none", NULL) == -ENOENT);
	sluice_fleet_close(f);
	f = rig->fleet(rig);
	CHECK(!sluice_fleet_get(f, SLUICE_FLEET_ASKED, T, HEX, &asked));
	CHECK(!strcmp(json_string_value(json_object_get(asked, "request")) ?: "", "s2") &&
	      !json_object_get(asked, "version"));
	json_decref(asked);
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 3);
	CHECK(sluice_fleet_remove(f, SLUICE_FLEET_DESIRED, T, HEX, &two) == -ESTALE);
	CHECK(!sluice_fleet_remove(f, SLUICE_FLEET_DESIRED, T, HEX, NULL));
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &none));
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 1);
	sluice_fleet_close(f);
}

struct sight {
	struct sluice_fleet *fleet;
	enum sluice_fleet_kind kind;
	const char *name, *key, *value; /* value NULL: it is gone */
};

static int is_seen(void *ctx)
{
	const struct sight *s = ctx;
	json_t *doc;
	int err = sluice_fleet_get(s->fleet, s->kind, T, s->name, &doc), seen;
	const char *text = json_string_value(json_object_get(doc, s->key));

	seen = s->value ? text && !strcmp(text, s->value) : err == -ENOENT;
	json_decref(doc);
	return seen;
}

static pthread_mutex_t wished_lock = PTHREAD_MUTEX_INITIALIZER;
static char wished[64];

static void on_wished(void *ctx, const char *tenant, const char *device)
{
	(void)ctx;
	pthread_mutex_lock(&wished_lock);
	snprintf(wished, sizeof(wished), "%s/%s", tenant, device);
	pthread_mutex_unlock(&wished_lock);
}

static int is_wished(void *ctx)
{
	int is;

	pthread_mutex_lock(&wished_lock);
	is = !strcmp(wished, ctx);
	pthread_mutex_unlock(&wished_lock);
	return is;
}

/* The last command that another node has changed. */
static void on_commanded(void *ctx, const char *tenant, const char *request, const json_t *doc)
{
	(void)ctx;
	pthread_mutex_lock(&wished_lock);
	snprintf(wished, sizeof(wished), "%s/%s/%s/%s", tenant, request,
		 json_string_value(json_object_get(doc, "state")) ?: "",
		 json_string_value(json_object_get(doc, "ask")) ?: "");
	pthread_mutex_unlock(&wished_lock);
}

/* The last settings that another node has asked of a camera, or ended. */
static void on_asked(void *ctx, const char *tenant, const char *camera, const json_t *doc)
{
	(void)camera;
	on_commanded(ctx, tenant, json_string_value(json_object_get(doc, "request")), doc);
}

static const struct sluice_fleet_watcher watcher = { on_wished, on_commanded, on_asked };

static void test_others(struct conform_people *rig)
{
	struct sluice_fleet *f, *g;
	struct sight s = { .kind = SLUICE_FLEET_ZONES, .name = HEX, .key = "by", .value = "ann" };
	const int64_t none = 0, one = 1;
	uint64_t turn;

	rig->clear(rig);
	f = rig->fleet(rig);
	g = rig->fleet(rig);
	s.fleet = g;
	sluice_fleet_watch(g, &watcher, NULL);
	/* zones: seen, and seen to be others; over what is there, not over what was last known */
	turn = sluice_fleet_zones_turn(g);
	CHECK(!put(f, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"ann\"}", &none));
	CHECK(put(g, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"bob\"}", &none) == -EEXIST);
	CHECK(people_await(is_seen, &s) && sluice_fleet_zones_turn(g) > turn);
	CHECK(!put(g, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"bob\"}", &one));
	CHECK(put(f, SLUICE_FLEET_ZONES, HEX, "{\"by\":\"cid\"}", &one) == -ESTALE);
	s.fleet = f;
	s.value = "bob";
	CHECK(people_await(is_seen, &s) && version_of(f, SLUICE_FLEET_ZONES, HEX) == 2);
	turn = sluice_fleet_zones_turn(g);
	CHECK(!sluice_fleet_remove(f, SLUICE_FLEET_ZONES, T, HEX, NULL));
	s.fleet = g;
	s.value = NULL;
	CHECK(people_await(is_seen, &s) && sluice_fleet_zones_turn(g) > turn);
	/* what a device tells one node, but for the session, which is that node's */
	CHECK(!put(f, SLUICE_FLEET_REPORT, HEX, "{\"device\":\"box\",\"session\":7}", NULL));
	s = (struct sight){ g, SLUICE_FLEET_REPORT, HEX, "device", "box" };
	CHECK(people_await(is_seen, &s));
	/* whose wishes are others now */
	CHECK(!put(f, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/box"));
	CHECK(!put(f, SLUICE_FLEET_GROUP, "yard",
		   "{\"devices\":[\"crate\"],\"cameras\":[],\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/crate"));
	CHECK(!put(f, SLUICE_FLEET_GROUP, "yard",
		   "{\"devices\":[],\"cameras\":[\"" HEX "\"],\"settings\":{}}", NULL));
	CHECK(people_await(is_wished, "default/box")); /* crate was told, too, and first */
	/* a command: of the node that has the device the end, seen by the one that was asked */
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"sent\"}", NULL));
	s = (struct sight){ f, SLUICE_FLEET_COMMAND, "r1", "state", "sent" };
	CHECK(people_await(is_seen, &s));
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r1", "{\"state\":\"done\"}", NULL));
	s = (struct sight){ g, SLUICE_FLEET_COMMAND, "r1", "state", "done" };
	CHECK(people_await(is_seen, &s));
	CHECK(people_await(is_wished, "default/r1/done/"));
	/* one for a device of another node, which takes what is to be sent, and then ends it */
	CHECK(!put(f, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"sent\",\"ask\":\"x\"}", NULL));
	CHECK(people_await(is_wished, "default/r2/sent/x"));
	sluice_fleet_watch(g, NULL, NULL);
	sluice_fleet_watch(f, &watcher, NULL);
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"sent\",\"taken\":\"yes\"}", NULL));
	s = (struct sight){ f, SLUICE_FLEET_COMMAND, "r2", "taken", "yes" };
	CHECK(people_await(is_seen, &s) && is_wished("default/r2/sent/x")); /* told nothing of it */
	CHECK(!put(g, SLUICE_FLEET_COMMAND, "r2", "{\"state\":\"failed\"}", NULL));
	CHECK(people_await(is_wished, "default/r2/failed/"));
	/* settings asked once of a camera of another node, and asked again before an answer came */
	CHECK(!put(g, SLUICE_FLEET_ASKED, HEX,
		   "{\"request\":\"s1\",\"state\":\"asked\",\"ask\":\"x\"}", NULL));
	CHECK(people_await(is_wished, "default/s1/asked/x"));
	CHECK(!put(g, SLUICE_FLEET_ASKED, HEX,
		   "{\"request\":\"s2\",\"state\":\"asked\",\"ask\":\"y\"}", NULL));
	CHECK(people_await(is_wished, "default/s2/asked/y"));
	sluice_fleet_watch(f, NULL, NULL);
	sluice_fleet_watch(g, &watcher, NULL);
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\",\"state\":\"asked\"}", NULL));
	CHECK(!put(f, SLUICE_FLEET_ASKED, HEX, "{\"request\":\"s2\",\"state\":\"applied\"}", NULL));
	CHECK(people_await(is_wished, "default/s2/applied/"));
	sluice_fleet_watch(g, NULL, NULL);
	sluice_fleet_watch(f, NULL, NULL);
	sluice_fleet_close(f);
	sluice_fleet_close(g);
}

struct counting {
	struct sluice_fleet *fleet;
	int done;
};

/* Each change goes over the version that was seen; who was too late looks again. */
static void *run_counting(void *arg)
{
	struct counting *c = arg;
	int64_t version = 0;
	int err;

	while (c->done < 20) {
		err = put(c->fleet, SLUICE_FLEET_DESIRED, HEX, "{\"settings\":{}}", &version);
		c->done += !err;
		if (err && err != -ESTALE && err != -EEXIST) {
			CHECK(!err);
			break;
		}
		version++; /* mine, or somebody has been faster */
	}
	return NULL;
}

static void test_versions(struct conform_people *rig)
{
	struct counting c[2] = { { rig->fleet(rig), 0 }, { rig->fleet(rig), 0 } };
	pthread_t thread[2];
	struct sluice_fleet *f;
	int i;

	for (i = 0; i < 2; i++)
		sluice_fleet_close(c[i].fleet);
	rig->clear(rig);
	for (i = 0; i < 2; i++)
		c[i].fleet = rig->fleet(rig);
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&thread[i], NULL, run_counting, &c[i]));
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		CHECK(c[i].done == 20);
	}
	for (i = 0; i < 2; i++)
		sluice_fleet_close(c[i].fleet);
	f = rig->fleet(rig);
	CHECK(version_of(f, SLUICE_FLEET_DESIRED, HEX) == 40);
	sluice_fleet_close(f);
}

void conform_fleet(struct conform_people *rig)
{
	test_documents(rig);
	if (rig->shared) {
		test_others(rig);
		test_versions(rig);
	}
}
