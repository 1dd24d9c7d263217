// SPDX-License-Identifier: MIT
/*
 * All of it is in memory, in one object a kind, by "TENANT/NAME"; the data base is what comes after
 * a restart, and what other nodes see (fleet_db.c). It is small: operators write it, and a device
 * has one report of a few hundred bytes a camera. Who writes to the data base keeps other writers
 * out; who looks waits for nobody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/fleet_state.h"
#include "cloud/tuning.h"
#include "cloud/wish.h"

/* What devices tell, and what is asked of them once, is written later; shared, what became of a
 * command, too: loops tell it. */
static int is_lazy(const struct sluice_fleet *f, enum sluice_fleet_kind kind, const json_t *old)
{
	return (kind >= SLUICE_FLEET_REPORT && kind <= SLUICE_FLEET_DEVICE) ||
	       kind == SLUICE_FLEET_ASKED || (f->shared && kind == SLUICE_FLEET_COMMAND && old);
}

static int has_version(enum sluice_fleet_kind kind)
{
	return kind <= SLUICE_FLEET_DESIRED || kind == SLUICE_FLEET_ZONES ||
	       kind == SLUICE_FLEET_RETUNE;
}

char *sluice_fleet_key(const char *tenant, const char *name, char key[SLUICE_FLEET_KEY])
{
	snprintf(key, SLUICE_FLEET_KEY, "%s/%s", tenant, name);
	return key;
}

const char *sluice_fleet_split(const char *key, char tenant[SLUICE_NAME_MAX])
{
	const char *name = strchr(key, '/') + 1;

	snprintf(tenant, SLUICE_NAME_MAX, "%.*s", (int)(name - key - 1), key);
	return name;
}

void sluice_fleet_close(struct sluice_fleet *f)
{
	if (!f)
		return;
	if (f->running) {
		pthread_mutex_lock(&f->lock);
		f->stop = 1;
		pthread_cond_signal(&f->end);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->thread, NULL);
	}
	sluice_fleet_write_dirty(f);
	sluice_fleet_free(f);
}

void sluice_fleet_flush(struct sluice_fleet *f)
{
	if (!f->shared)
		sluice_fleet_write_dirty(f);
}

void sluice_fleet_turned(struct sluice_fleet *f, int kind)
{
	if (kind == SLUICE_FLEET_ZONES)
		atomic_fetch_add(&f->zones_turn, 1);
}

/* ---- documents ---- */

/* A whole copy: Jansson before 2.14 leaves out what it has no memory for. */
static int copy_doc(const json_t *doc, json_t **out)
{
	*out = json_deep_copy(doc);
	if (*out && !json_equal(*out, doc)) {
		json_decref(*out);
		*out = NULL;
	}
	return *out ? 0 : -ENOMEM;
}

int sluice_fleet_get(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t **out)
{
	char key[SLUICE_FLEET_KEY];
	json_t *doc;
	int err = -ENOENT;

	*out = NULL;
	pthread_mutex_lock(&f->lock);
	doc = json_object_get(f->docs[kind], sluice_fleet_key(tenant, name, key));
	if (doc)
		err = copy_doc(doc, out);
	pthread_mutex_unlock(&f->lock);
	return err;
}

int64_t sluice_fleet_version(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "version"));
}

int sluice_fleet_check(const json_t *old, const int64_t *if_version)
{
	if (!if_version)
		return 0;
	if (!*if_version)
		return old ? -EEXIST : 0;
	return !old || sluice_fleet_version(old) != *if_version ? -ESTALE : 0;
}

int sluice_fleet_number(enum sluice_fleet_kind kind, json_t *doc, const json_t *old)
{
	json_t *n = has_version(kind) ? json_integer(sluice_fleet_version(old) + 1) : NULL;

	return has_version(kind) && json_object_set_new(doc, "version", n) ? -ENOMEM : 0;
}

/* Under lock. */
static unsigned int count_of(const struct sluice_fleet *f, enum sluice_fleet_kind kind,
			     const char *tenant)
{
	size_t length = strlen(tenant);
	unsigned int n = 0;
	const char *key;
	json_t *v;

	json_object_foreach (f->docs[kind], key, v)
		n += !strncmp(key, tenant, length) && key[length] == '/';
	return n;
}

/* What is there is old again (NULL: nothing). Under lock. */
static void put_back(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *key,
		     json_t *old)
{
	if (old)
		json_object_set(f->docs[kind], key, old);
	else
		json_object_del(f->docs[kind], key);
}

/* What a device told: 1, or -ENOMEM; it will be written. 0: it is not of that sort. */
static int put_lazy(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *key,
		    json_t *doc)
{
	json_t *old;
	int rc;

	pthread_mutex_lock(&f->lock);
	old = json_incref(json_object_get(f->docs[kind], key));
	rc = is_lazy(f, kind, old);
	if (rc && json_object_set(f->docs[kind], key, doc))
		rc = -ENOMEM;
	else if (rc && !(old && json_equal(old, doc)) &&
		 json_object_set_new(f->dirty[kind], key, json_true())) {
		put_back(f, kind, key, old);
		rc = -ENOMEM;
	}
	json_decref(old);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* Of one node, whose disk is waited for: into memory first, so that nobody sees it before it is
 * durable, and what is durable is there. Under both locks. */
static int put_own(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		   const char *name, const char *key, json_t *doc, const int64_t *if_version)
{
	json_t *old = json_incref(json_object_get(f->docs[kind], key));
	int err = sluice_fleet_check(old, if_version);

	if (!err && kind == SLUICE_FLEET_GROUP && !old &&
	    count_of(f, kind, tenant) >= SLUICE_GROUPS_MAX)
		err = -ENOSPC;
	if (!err)
		err = sluice_fleet_number(kind, doc, old);
	if (!err && json_object_set(f->docs[kind], key, doc))
		err = -ENOMEM;
	else if (!err)
		err = sluice_fleet_write(f, kind, tenant, name, doc);
	if (err && json_object_get(f->docs[kind], key) == doc)
		put_back(f, kind, key, old);
	if (!err)
		sluice_fleet_turned(f, kind);
	json_decref(old);
	return err;
}

/* Of several: others look meanwhile. If there is no memory for it here it is read with the changes
 * of others. */
static int put_shared(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      const char *name, const char *key, json_t *doc, const int64_t *if_version)
{
	int err = sluice_fleet_change(f, kind, tenant, name, doc, if_version);

	if (err)
		return err;
	pthread_mutex_lock(&f->lock);
	if (!json_object_set(f->docs[kind], key, doc))
		sluice_fleet_turned(f, kind);
	pthread_mutex_unlock(&f->lock);
	return 0;
}

int sluice_fleet_put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t *doc, const int64_t *if_version)
{
	char key[SLUICE_FLEET_KEY];
	int rc;

	if (!doc)
		return -ENOMEM;
	rc = put_lazy(f, kind, sluice_fleet_key(tenant, name, key), doc);
	if (!rc) {
		pthread_mutex_lock(&f->writing);
		if (f->shared) {
			rc = put_shared(f, kind, tenant, name, key, doc, if_version);
		} else {
			pthread_mutex_lock(&f->lock);
			rc = put_own(f, kind, tenant, name, key, doc, if_version);
			pthread_mutex_unlock(&f->lock);
		}
		pthread_mutex_unlock(&f->writing);
	}
	json_decref(doc);
	return rc < 0 ? rc : 0;
}

uint64_t sluice_fleet_zones_turn(const struct sluice_fleet *f)
{
	return atomic_load(&f->zones_turn);
}

/* It is gone from the data base. Under lock. */
static void forget(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *key)
{
	json_object_del(f->dirty[kind], key);
	json_object_del(f->docs[kind], key);
	sluice_fleet_turned(f, kind);
}

int sluice_fleet_remove(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			const char *name, const int64_t *if_version)
{
	char key[SLUICE_FLEET_KEY];
	json_t *old;
	int err = 0;

	sluice_fleet_key(tenant, name, key);
	pthread_mutex_lock(&f->writing);
	if (f->shared)
		err = sluice_fleet_change(f, kind, tenant, name, NULL, if_version);
	pthread_mutex_lock(&f->lock);
	old = json_object_get(f->docs[kind], key);
	if (!f->shared)
		err = old ? sluice_fleet_check(old, if_version) : -ENOENT;
	if (!err && !f->shared)
		err = sluice_fleet_erase(f, kind, tenant, name);
	if (!err)
		forget(f, kind, key);
	pthread_mutex_unlock(&f->lock);
	pthread_mutex_unlock(&f->writing);
	return err;
}

int sluice_fleet_each(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      int (*fn)(void *ctx, const char *tenant, const char *name, json_t *doc),
		      void *ctx)
{
	char whose[SLUICE_NAME_MAX];
	const char *key, *name;
	int rc = 0;
	json_t *v;

	pthread_mutex_lock(&f->lock);
	json_object_foreach (f->docs[kind], key, v) {
		name = sluice_fleet_split(key, whose);
		if (!rc && (!tenant || !strcmp(whose, tenant)))
			rc = fn(ctx, whose, name, v);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* ---- groups ---- */

struct find_group {
	const char *key, *member;
	char *name;
	json_t *group;
	int err;
};

static int find_group(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct find_group *g = ctx;
	json_t *list = json_object_get(doc, g->key), *v;
	size_t i;

	json_array_foreach (list, i, v) {
		if (strcmp(json_string_value(v) ? json_string_value(v) : "", g->member))
			continue;
		g->err = copy_doc(doc, &g->group);
		snprintf(g->name, SLUICE_NAME_MAX, "%s", name);
		return 1;
	}
	return 0;
}

int sluice_fleet_group_of(struct sluice_fleet *f, const char *tenant, const char *key,
			  const char *member, char *name, json_t **out)
{
	struct find_group g = { key, member, name, NULL, -ENOENT };

	sluice_fleet_each(f, SLUICE_FLEET_GROUP, tenant, find_group, &g);
	*out = g.group;
	return g.err;
}

/* The names of both groups. NULL: out of memory. */
static json_t *names_of(const char *device, const char *camera)
{
	json_t *list = json_array();

	if ((*device && json_array_append_new(list, json_string(device))) ||
	    (*camera && strcmp(device, camera) &&
	     json_array_append_new(list, json_string(camera)))) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* Layers, the lowest first. */
enum { TUNED, OF_DEVICE, OF_CAMERA, OWN, LAYERS };

struct layers {
	json_t *layer[LAYERS], *tuned; /* tuned: the document that the lowest one is of */
	char device[SLUICE_NAME_MAX], camera[SLUICE_NAME_MAX]; /* groups; "": none */
};

static void layers_end(struct layers *l)
{
	for (int i = 0; i < LAYERS; i++)
		json_decref(l->layer[i]);
	json_decref(l->tuned);
}

/* 0 or -ENOMEM: then there are none. */
static int layers_read(struct sluice_fleet *f, const struct sluice_camera *c, struct layers *l)
{
	int err[LAYERS], bad = 0, i;

	memset(l, 0, sizeof(*l));
	err[TUNED] = sluice_fleet_get(f, SLUICE_FLEET_RETUNE, c->tenant, c->hex, &l->tuned);
	if (!err[TUNED])
		err[TUNED] = sluice_tuning_wish(l->tuned, &l->layer[TUNED]);
	err[OF_DEVICE] = sluice_fleet_group_of(f, c->tenant, "devices", c->device, l->device,
					       &l->layer[OF_DEVICE]);
	err[OF_CAMERA] = sluice_fleet_group_of(f, c->tenant, "cameras", c->hex, l->camera,
					       &l->layer[OF_CAMERA]);
	err[OWN] = sluice_fleet_get(f, SLUICE_FLEET_DESIRED, c->tenant, c->hex, &l->layer[OWN]);
	for (i = 0; i < LAYERS; i++)
		bad |= err[i] == -ENOMEM;
	if (bad)
		layers_end(l);
	return bad ? -ENOMEM : 0;
}

/* What makes another wish of the same settings. One that was never retuned has the same as ever. */
static json_t *versions_of(const struct layers *l)
{
	json_t *list = json_pack("[s,I,s,I,I]", l->device,
				 (json_int_t)sluice_fleet_version(l->layer[OF_DEVICE]), l->camera,
				 (json_int_t)sluice_fleet_version(l->layer[OF_CAMERA]),
				 (json_int_t)sluice_fleet_version(l->layer[OWN]));
	json_int_t at =
		json_integer_value(json_object_get(json_object_get(l->tuned, "applied"), "at_ns"));

	if (list && l->layer[TUNED] && json_array_append_new(list, json_integer(at))) {
		json_decref(list);
		return NULL;
	}
	return list;
}

json_t *sluice_fleet_wish(struct sluice_fleet *f, const struct sluice_camera *c, json_t **from,
			  int *enforce)
{
	json_t *wish, *names = NULL;
	struct layers l;
	int bad;

	*enforce = 0;
	if (from)
		*from = NULL;
	if (layers_read(f, c, &l))
		return NULL;
	*enforce = json_is_true(json_object_get(l.layer[OF_DEVICE], "enforce")) ||
		   json_is_true(json_object_get(l.layer[OF_CAMERA], "enforce"));
	wish = sluice_wish_merge((const json_t *const *)l.layer, LAYERS);
	bad = !wish || json_object_set_new(wish, "versions", versions_of(&l));
	if (from && !bad) {
		names = names_of(l.device, l.camera);
		bad = !names;
	}
	layers_end(&l);
	if (bad) {
		json_decref(wish);
		return NULL;
	}
	if (from)
		*from = names;
	return wish;
}

json_t *sluice_fleet_people_wish(struct sluice_fleet *f, const struct sluice_camera *c)
{
	struct layers l;
	json_t *wish;

	if (layers_read(f, c, &l))
		return NULL;
	wish = sluice_wish_merge((const json_t *const *)l.layer + OF_DEVICE, LAYERS - OF_DEVICE);
	layers_end(&l);
	return wish;
}
