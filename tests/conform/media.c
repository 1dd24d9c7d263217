// SPDX-License-Identifier: MIT
/* media.c - the cases of media: whole or not there, unchanged, and nobody else's. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conform/media.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"

#define BIG	(3u << 20)
#define THREADS 4
#define SETS	7 /* more than a page of a list holds */

static struct sluice_camera camera[3]; /* two of one tenant, one of another */
static const char id[] = "0123456789abcdef0123456789abcdef";
static const char other[] = "fedcba9876543210fedcba9876543210";
static uint8_t *big;

static struct sluice_media_file file_of(const char *name, const char *text)
{
	return (struct sluice_media_file){ name, (const uint8_t *)text, strlen(text) };
}

static void begin(void)
{
	size_t i;

	big = malloc(BIG);
	if (!big || sluice_camera_init(&camera[0], "t", "d", "c0") ||
	    sluice_camera_init(&camera[1], "t", "d", "c1") ||
	    sluice_camera_init(&camera[2], "other", "d", "c0"))
		exit(1);
	for (i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + (i >> 11));
}

/* 1: the file is there and is these bytes. */
static int is_there(struct sluice_media *m, const struct sluice_camera *c, const char *of,
		    const struct sluice_media_file *f)
{
	uint8_t *data;
	size_t size;
	int same;

	if (m->ops->get(m, c, of, f->name, BIG, &data, &size))
		return 0;
	same = size == f->size && !memcmp(data, f->data, size);
	free(data);
	return same;
}

static int get_error(struct sluice_media *m, const struct sluice_camera *c, const char *of,
		     const char *name, size_t max)
{
	uint8_t *data = (uint8_t *)1;
	size_t size;
	int err = m->ops->get(m, c, of, name, max, &data, &size);

	CHECK(!err || !data);
	if (!err)
		free(data);
	return err;
}

/* ---- lists ---- */

struct list {
	unsigned int count, wanted; /* wanted: of camera[0] and id */
	char names[256];
};

static int add_id(void *ctx, const char *tenant, const uint8_t id16[16], const char *of)
{
	struct list *l = ctx;

	l->count++;
	l->wanted += !strcmp(tenant, camera[0].tenant) && !memcmp(id16, camera[0].id, 16) &&
		     !strcmp(of, id);
	return 0;
}

static int stop_at_once(void *ctx, const char *tenant, const uint8_t id16[16], const char *of)
{
	(void)tenant;
	(void)id16;
	(void)of;
	++*(int *)ctx;
	return 7;
}

static int add_name(void *ctx, const char *name)
{
	struct list *l = ctx;
	size_t n = strlen(l->names);

	l->count++;
	snprintf(l->names + n, sizeof(l->names) - n, "[%s]", name);
	return 0;
}

struct place_list {
	unsigned int count, disorder;
	char camera[33], last[SLUICE_MEDIA_PLACE];
};

static int add_place(void *ctx, const char *tenant, const uint8_t id16[16], const char *place)
{
	struct place_list *l = ctx;
	char hex[33];

	sluice_hex(id16, 16, hex);
	l->disorder += !strcmp(hex, l->camera) && strcmp(place, l->last) <= 0;
	l->count++;
	snprintf(l->camera, sizeof(l->camera), "%s", hex);
	snprintf(l->last, sizeof(l->last), "%s", place);
	return 0;
}

static unsigned int count_ids(struct sluice_media *m)
{
	struct list l = { 0 };

	CHECK(!m->ops->each(m, add_id, &l));
	return l.count;
}

/* ---- cases ---- */

static void put_and_get(struct sluice_media *m)
{
	const struct sluice_media_file files[] = { file_of("key-1.jpg", "jpeg"),
						   file_of("empty", ""),
						   { "digest.webm", big, BIG },
						   file_of("summary.json", "{\"id\":1}") };
	const struct sluice_media_file bad = file_of("../key", "x"), dot = file_of(".x", "x");
	struct list l = { 0 };
	size_t i;

	CHECK(get_error(m, &camera[0], id, "summary.json", 100) == -ENOENT);
	CHECK(!m->ops->put(m, &camera[0], id, files, 4));
	for (i = 0; i < 4; i++)
		CHECK(is_there(m, &camera[0], id, &files[i]));
	CHECK(!m->ops->names(m, &camera[0], id, add_name, &l) && l.count == 4);
	CHECK(strstr(l.names, "[empty]") && strstr(l.names, "[summary.json]"));
	/* too large for whoever asks; exactly large enough */
	CHECK(get_error(m, &camera[0], id, "key-1.jpg", 3) == -EFBIG);
	CHECK(get_error(m, &camera[0], id, "key-1.jpg", 4) == 0);
	CHECK(get_error(m, &camera[0], id, "digest.webm", BIG - 1) == -EFBIG);
	/* what is not there, and whose it is not */
	CHECK(get_error(m, &camera[0], id, "key-2.jpg", 100) == -ENOENT);
	CHECK(get_error(m, &camera[0], other, "key-1.jpg", 100) == -ENOENT);
	CHECK(get_error(m, &camera[1], id, "key-1.jpg", 100) == -ENOENT);
	CHECK(get_error(m, &camera[2], id, "key-1.jpg", 100) == -ENOENT);
	CHECK(get_error(m, &camera[0], "..", "summary.json", 100) == -ENOENT);
	CHECK(get_error(m, &camera[0], id, "../key-1.jpg", 100) == -ENOENT);
	CHECK(m->ops->names(m, &camera[1], id, add_name, &l) == -ENOENT);
	/* names that are none */
	CHECK(m->ops->put(m, &camera[0], id, &bad, 1) == -EINVAL);
	CHECK(m->ops->put(m, &camera[0], id, &dot, 1) == -EINVAL);
	CHECK(m->ops->put(m, &camera[0], "a/b", files, 1) == -EINVAL);
	CHECK(is_there(m, &camera[0], id, &files[0]));
}

static void replace(struct sluice_media *m)
{
	const struct sluice_media_file first[] = { file_of("a", "1"), file_of("b", "2") };
	const struct sluice_media_file second[] = { file_of("b", "3"), file_of("c", "4") };

	CHECK(!m->ops->put(m, &camera[0], id, first, 2));
	CHECK(!m->ops->put(m, &camera[0], id, second, 2));
	CHECK(get_error(m, &camera[0], id, "a", 10) == -ENOENT);
	CHECK(is_there(m, &camera[0], id, &second[0]) && is_there(m, &camera[0], id, &second[1]));
	CHECK(!m->ops->put(m, &camera[0], id, second, 2)); /* the same again */
	CHECK(is_there(m, &camera[0], id, &second[0]) && is_there(m, &camera[0], id, &second[1]));
}

static void pin(struct sluice_media *m)
{
	const struct sluice_media_file file = file_of("summary.json", "{}");
	const struct sluice_media_file by[] = { file_of(SLUICE_MEDIA_PIN, "{\"by\":\"a\"}"),
						file_of(SLUICE_MEDIA_PIN, "{\"by\":\"bb\"}") };
	struct list l = { 0 };
	size_t i;

	CHECK(m->ops->pin(m, &camera[0], other, by[0].data, by[0].size) == -ENOENT);
	CHECK(!m->ops->put(m, &camera[0], id, &file, 1));
	CHECK(get_error(m, &camera[0], id, SLUICE_MEDIA_PIN, 100) == -ENOENT);
	for (i = 0; i < 2; i++) {
		CHECK(!m->ops->pin(m, &camera[0], id, by[i].data, by[i].size));
		CHECK(is_there(m, &camera[0], id, &by[i]));
	}
	CHECK(!m->ops->names(m, &camera[0], id, add_name, &l) && l.count == 1);
	CHECK(!m->ops->pin(m, &camera[0], id, NULL, 0));
	CHECK(!m->ops->pin(m, &camera[0], id, NULL, 0));
	CHECK(get_error(m, &camera[0], id, SLUICE_MEDIA_PIN, 100) == -ENOENT);
	CHECK(is_there(m, &camera[0], id, &file));
	/* it goes with what it pins */
	CHECK(!m->ops->pin(m, &camera[0], id, by[0].data, by[0].size));
	CHECK(!m->ops->remove(m, &camera[0], id));
	CHECK(get_error(m, &camera[0], id, SLUICE_MEDIA_PIN, 100) == -ENOENT);
}

static void remove_one(struct sluice_media *m)
{
	const struct sluice_media_file files[] = { file_of("summary.json", "{}"),
						   file_of("k", "v") };
	struct sluice_camera bare = { 0 };
	int i;

	for (i = 0; i < 3; i++)
		CHECK(!m->ops->put(m, &camera[i], id, files, 2));
	CHECK(!m->ops->put(m, &camera[0], other, files, 2));
	/* only this much is known of what retention removes */
	memcpy(bare.tenant, camera[0].tenant, sizeof(bare.tenant));
	memcpy(bare.hex, camera[0].hex, sizeof(bare.hex));
	CHECK(!m->ops->remove(m, &bare, id));
	CHECK(get_error(m, &camera[0], id, "k", 10) == -ENOENT);
	CHECK(m->ops->names(m, &camera[0], id, add_name, &(struct list){ 0 }) == -ENOENT);
	CHECK(!m->ops->remove(m, &bare, id)); /* again */
	CHECK(is_there(m, &camera[0], other, &files[1]));
	CHECK(is_there(m, &camera[1], id, &files[1]) && is_there(m, &camera[2], id, &files[1]));
	CHECK(count_ids(m) == 3);
	/* it can come again */
	CHECK(!m->ops->put(m, &camera[0], id, files, 2) && is_there(m, &camera[0], id, &files[0]));
	for (i = 0; i < 3; i++)
		CHECK(!m->ops->remove(m, &camera[i], id));
	CHECK(!m->ops->remove(m, &camera[0], other) && !count_ids(m));
}

static void list_all(struct sluice_media *m)
{
	const struct sluice_media_file file = file_of("summary.json", "{}");
	struct list l = { 0 };
	char name[33];
	int i, n = 0;

	for (i = 0; i < SETS; i++) {
		snprintf(name, sizeof(name), "%032d", i);
		CHECK(!m->ops->put(m, &camera[i % 3], name, &file, 1));
	}
	CHECK(!m->ops->put(m, &camera[0], id, &file, 1));
	CHECK(!m->ops->each(m, add_id, &l) && l.count == SETS + 1 && l.wanted == 1);
	CHECK(m->ops->each(m, stop_at_once, &n) == 7 && n == 1);
	for (i = 0; i < SETS; i++) {
		snprintf(name, sizeof(name), "%032d", i);
		CHECK(!m->ops->remove(m, &camera[i % 3], name));
	}
	CHECK(!m->ops->remove(m, &camera[0], id));
}

/* What lies at another place of the same summary is another thing, and goes with the last. */
static void places(struct sluice_media *m)
{
	const struct sluice_media_file old = file_of("summary.json", "{\"by\":1}"),
				       new = file_of("summary.json", "{\"by\":2}"),
				       pin = file_of(SLUICE_MEDIA_PIN, "{}");
	char first[SLUICE_MEDIA_PLACE], second[SLUICE_MEDIA_PLACE], third[SLUICE_MEDIA_PLACE];
	struct place_list l = { 0 };

	sluice_media_place(first, id, 9);
	sluice_media_place(second, id, 1ull << 50);
	sluice_media_place(third, other, 9);
	CHECK(!m->ops->put(m, &camera[0], second, &new, 1));
	CHECK(!m->ops->put(m, &camera[0], first, &old, 1));
	CHECK(!m->ops->put(m, &camera[0], third, &old, 1));
	CHECK(!m->ops->put(m, &camera[1], first, &old, 1));
	CHECK(is_there(m, &camera[0], second, &new) && is_there(m, &camera[0], first, &old));
	CHECK(get_error(m, &camera[0], id, "summary.json", 100) == -ENOENT);
	CHECK(!m->ops->pin(m, &camera[0], second, pin.data, pin.size));
	CHECK(is_there(m, &camera[0], second, &pin));
	CHECK(get_error(m, &camera[0], first, SLUICE_MEDIA_PIN, 100) == -ENOENT);
	CHECK(!m->ops->each(m, add_place, &l) && l.count == 4 && !l.disorder);
	CHECK(!m->ops->remove(m, &camera[0], second));
	CHECK(get_error(m, &camera[0], second, "summary.json", 100) == -ENOENT);
	CHECK(get_error(m, &camera[0], second, SLUICE_MEDIA_PIN, 100) == -ENOENT);
	CHECK(get_error(m, &camera[0], first, "summary.json", 100) == -ENOENT);
	CHECK(is_there(m, &camera[0], third, &old) && is_there(m, &camera[1], first, &old));
	CHECK(!m->ops->remove(m, &camera[0], third) && !m->ops->remove(m, &camera[1], first));
	CHECK(!m->ops->remove(m, &camera[1], first) && count_ids(m) == 0);
}

static void sealed(struct conform_media *rig)
{
	const struct sluice_media_file files[] = { file_of("summary.json", "{\"of\":1}"),
						   { "digest.webm", big, 100000 } };
	struct sluice_keyring keys, others;
	struct sluice_media *m = rig->open(rig, make_ring(&keys, 1, 0));
	struct sluice_media *wrong = rig->open(rig, make_ring(&others, 2, 0));
	struct sluice_media *without = rig->open(rig, NULL);

	/* plain files of before are read as they are */
	CHECK(!without->ops->put(without, &camera[1], id, files, 2));
	CHECK(is_there(m, &camera[1], id, &files[1]));
	CHECK(!m->ops->put(m, &camera[0], id, files, 2));
	CHECK(is_there(m, &camera[0], id, &files[0]) && is_there(m, &camera[0], id, &files[1]));
	CHECK(get_error(without, &camera[0], id, "summary.json", 100) == -ENOKEY);
	CHECK(get_error(wrong, &camera[0], id, "digest.webm", BIG) == -ENOKEY);
	CHECK(get_error(m, &camera[0], id, "digest.webm", 100000) == 0);
	CHECK(get_error(m, &camera[0], id, "digest.webm", 99999) == -EFBIG);
	CHECK(!m->ops->pin(m, &camera[0], id, files[0].data, files[0].size));
	CHECK(get_error(m, &camera[0], id, SLUICE_MEDIA_PIN, 100) == 0);
	CHECK(get_error(without, &camera[0], id, SLUICE_MEDIA_PIN, 100) == -ENOKEY);
	CHECK(!m->ops->remove(m, &camera[0], id) && !m->ops->remove(m, &camera[1], id));
	sluice_media_close(wrong);
	sluice_media_close(without);
	sluice_media_close(m);
}

/* ---- many at a time ---- */

struct thread {
	pthread_t thread;
	struct sluice_media *m;
	unsigned int number, wrong;
};

static void *thread_main(void *ctx)
{
	struct thread *t = ctx;
	char name[33], text[32];
	int i;

	for (i = 0; i < 4; i++) {
		struct sluice_media_file file;

		snprintf(name, sizeof(name), "%032u", t->number * 100 + (unsigned int)i);
		snprintf(text, sizeof(text), "%u/%d", t->number, i);
		file = file_of("summary.json", text);
		t->wrong += t->m->ops->put(t->m, &camera[i % 3], name, &file, 1) != 0;
		t->wrong += !is_there(t->m, &camera[i % 3], name, &file);
		t->wrong += t->m->ops->remove(t->m, &camera[i % 3], name) != 0;
	}
	return NULL;
}

static void many(struct sluice_media *m)
{
	struct thread t[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .m = m, .number = i };
		CHECK(!pthread_create(&t[i].thread, NULL, thread_main, &t[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i].thread, NULL);
		CHECK(!t[i].wrong);
	}
	CHECK(!count_ids(m));
}

/* ---- faults ---- */

static const struct sluice_media_file before[] = { { "a", (const uint8_t *)"old", 3 },
						   { "c", (const uint8_t *)"old", 3 } };
static const struct sluice_media_file after[] = { { "a", (const uint8_t *)"newer", 5 },
						  { "b", (const uint8_t *)"newer", 5 } };

/* 0: the old set, whole; 1: the new one, whole; -1: neither. */
static int which_set(struct sluice_media *m)
{
	const struct sluice_media_file *set;
	struct list l = { 0 };

	if (m->ops->names(m, &camera[0], id, add_name, &l) || l.count != 2)
		return -1;
	set = strstr(l.names, "[b]") ? after : before;
	return is_there(m, &camera[0], id, &set[0]) && is_there(m, &camera[0], id, &set[1])
		       ? set == after
		       : -1;
}

/* A put in which the at-th request fails: what is there then is old or new, whole; 0 is said only
 * of the new one. Returns whether there was such a request. */
static int fail_put(struct conform_media *rig, struct sluice_media *m, unsigned int way,
		    unsigned int at, int stays)
{
	struct list l = { 0 };
	unsigned int made;
	int err, which;

	CHECK(!m->ops->put(m, &camera[0], id, before, 2));
	rig->fail(rig, way, at, stays);
	err = m->ops->put(m, &camera[0], id, after, 2);
	made = rig->fail(rig, 0, 0, 0);
	which = which_set(m);
	if (which < 0 || (!err && which != 1) || (rig->heals && !stays && err))
		fprintf(stderr, "put, way %u, request %u%s: %s, set %d\n", way, at,
			stays ? " and all behind" : "", strerror(-err), which);
	CHECK(which >= 0);
	CHECK(err || which == 1);
	CHECK(!rig->heals || stays || !err);
	CHECK(!stays || made < at || err);
	/* Afterwards all is well: of a put that was broken off nothing is in the next one. */
	CHECK(!m->ops->put(m, &camera[0], id, after, 1));
	CHECK(!m->ops->names(m, &camera[0], id, add_name, &l) && l.count == 1);
	CHECK(!m->ops->put(m, &camera[0], id, after, 2));
	return made >= at;
}

static void fail_get(struct conform_media *rig, struct sluice_media *m, unsigned int way,
		     unsigned int at, int stays)
{
	uint8_t *data;
	size_t size;
	int err;

	rig->fail(rig, way, at, stays);
	err = m->ops->get(m, &camera[0], id, "digest.webm", BIG, &data, &size);
	rig->fail(rig, 0, 0, 0);
	if (rig->heals && !stays && err)
		fprintf(stderr, "get, way %u, request %u%s: %s\n", way, at,
			stays ? " and all behind" : "", strerror(-err));
	/* never other bytes */
	CHECK(err || (size == BIG && !memcmp(data, big, size)));
	CHECK(err != -ENOENT);
	CHECK(!rig->heals || stays || !err);
	CHECK(!stays || err || way == rig->harmless);
	if (!err)
		free(data);
}

static void fail_remove(struct conform_media *rig, struct sluice_media *m, unsigned int way,
			unsigned int at)
{
	CHECK(!m->ops->put(m, &camera[0], id, after, 2));
	rig->fail(rig, way, at, 1);
	m->ops->remove(m, &camera[0], id);
	rig->fail(rig, 0, 0, 0);
	CHECK(!m->ops->remove(m, &camera[0], id)); /* as retention does, until it succeeds */
	CHECK(get_error(m, &camera[0], id, "a", 10) == -ENOENT && !count_ids(m));
}

/* Every request of a put fails, in one way; in the others the first (of a file) and the last. */
static void fail_puts(struct conform_media *rig, struct sluice_media *m)
{
	unsigned int way, at, last;

	for (last = 0; fail_put(rig, m, 0, last + 1, 0) && last < 100; last++)
		;
	CHECK(last > 0 && last < 100);
	for (way = 1; way < rig->ways; way++) {
		fail_put(rig, m, way, 1, 0);
		fail_put(rig, m, way, last, 0);
	}
	for (at = 1; at <= last; at++)
		fail_put(rig, m, 0, at, 1);
	CHECK(which_set(m) == 1);
}

void conform_media_faults(struct conform_media *rig)
{
	struct sluice_media_file large = { "digest.webm", NULL, BIG };
	struct sluice_media *m;
	unsigned int way, at;

	begin();
	large.data = big;
	m = rig->open(rig, NULL);
	fail_puts(rig, m);
	CHECK(!m->ops->put(m, &camera[0], id, &large, 1));
	for (way = 0; rig->heals && way < rig->ways; way++) {
		fail_get(rig, m, way, 2, 0); /* the file; the set is the first */
		fail_get(rig, m, way, 2, 1);
	}
	for (at = 1; at <= 4; at++)
		fail_remove(rig, m, 0, at);
	CHECK(!m->ops->remove(m, &camera[0], id) && !count_ids(m));
	sluice_media_close(m);
	free(big);
}

void conform_media(struct conform_media *rig)
{
	struct sluice_media *m, *again;

	begin();
	m = rig->open(rig, NULL);
	CHECK(!count_ids(m));
	put_and_get(m);
	again = rig->open(rig, NULL); /* another process */
	CHECK(is_there(again, &camera[0], id,
		       &(struct sluice_media_file){ "digest.webm", big, BIG }));
	sluice_media_close(again);
	replace(m);
	CHECK(!m->ops->remove(m, &camera[0], id));
	pin(m);
	remove_one(m);
	list_all(m);
	places(m);
	many(m);
	sealed(rig);
	CHECK(!count_ids(m));
	sluice_media_close(m);
	free(big);
}
