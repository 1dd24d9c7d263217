// SPDX-License-Identifier: MIT
/*
 * media_s3.c - the files of summaries in a bucket.
 *
 * A store has no directories to rename, so a summary is whole by its set: the object that names its
 * files. They are put first, beside each other, each under a name made of its bytes, so that a
 * second put of the same id never changes what a first one has named; when all of them are durable
 * comes the set, at once. A life that ends before that leaves files that nobody names; they go with
 * the id.
 *
 * get() asks for the set, then for the file: two requests. What the set says of a file, its bytes
 * must be. remove() takes the set first.
 *
 * Sealed files lie as they do in a directory, bound to TENANT/CAMERA-HEX/ID/NAME; the set is
 * plain: names, sizes and hashes of what is sealed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>
#include <jansson.h>

#include "cloud/media_s3.h"
#include "cloud/sealed.h"
#include "lib/log.h"
#include "lib/sha256.h"

#define SET_MAX	   65536 /* bytes */
#define FILES_MAX  64
#define PREFIX_MAX 64

struct media_s3 {
	struct sluice_media base;
	struct sluice_s3 *s3;
	char prefix[PREFIX_MAX];
	pthread_mutex_t lock;
	struct sluice_log_limit limit; /* under the lock */
};

/* One file of a set. */
struct entry {
	char name[48], hash[2 * SHA256_DIGEST_LENGTH + 1]; /* of the bytes as they are stored */
	uint64_t size;
};

static struct media_s3 *mine(struct sluice_media *m)
{
	return (struct media_s3 *)m;
}

/* What the operator is told; the error stays what it is. */
static int tell(struct media_s3 *m, int err, const char *why)
{
	if (!err || err == -ENOENT || !why[0])
		return err;
	pthread_mutex_lock(&m->lock);
	sluice_log_limited(&m->limit, SLUICE_LOG_ERROR, "media store: %s", why);
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int tell_damaged(struct media_s3 *m, const char *key)
{
	char why[SLUICE_S3_KEY + 64];

	snprintf(why, sizeof(why), "%s is not what was put there", key);
	return tell(m, -EBADMSG, why);
}

/* ---- keys ---- */

static const char *write_place(char out[256], const struct sluice_camera *c, const char *id,
			       const char *name)
{
	snprintf(out, 256, "%s/%s/%s/%s", c->tenant, c->hex, id, name);
	return out;
}

static const char *key_of(const struct media_s3 *m, const char *kind, const struct sluice_camera *c,
			  const char *id, char out[SLUICE_S3_KEY])
{
	snprintf(out, SLUICE_S3_KEY, "%s/%s/%s/%s/%s", m->prefix, kind, c->tenant, c->hex, id);
	return out;
}

static const char *key_of_file(const struct media_s3 *m, const struct sluice_camera *c,
			       const char *id, const struct entry *e, char out[SLUICE_S3_KEY])
{
	snprintf(out, SLUICE_S3_KEY, "%s/file/%s/%s/%s/%.32s-%s", m->prefix, c->tenant, c->hex, id,
		 e->hash, e->name);
	return out;
}

/* ---- the set ---- */

/* NULL: out of memory. */
static json_t *pack_set(const struct entry *e, size_t count)
{
	json_t *files = json_array();
	int err = !files;

	for (size_t i = 0; i < count && !err; i++)
		err = json_array_append_new(files,
					    json_pack("{s:s,s:I,s:s}", "name", e[i].name, "size",
						      (json_int_t)e[i].size, "sha256", e[i].hash));
	if (err) {
		json_decref(files);
		return NULL;
	}
	return json_pack("{s:i,s:o}", "version", 1, "files", files);
}

static int unpack_entry(json_t *o, struct entry *e)
{
	const char *name, *hash;
	json_int_t size;

	if (json_unpack(o, "{s:s,s:I,s:s}", "name", &name, "size", &size, "sha256", &hash) ||
	    !sluice_media_name_valid(name) || strlen(hash) != 2 * SHA256_DIGEST_LENGTH ||
	    strspn(hash, "0123456789abcdef") != strlen(hash) || size < 0)
		return -EBADMSG;
	snprintf(e->name, sizeof(e->name), "%s", name);
	memcpy(e->hash, hash, sizeof(e->hash));
	e->size = (uint64_t)size;
	return 0;
}

/* FILES_MAX entries at most. */
static int unpack_set(const uint8_t *text, size_t size, struct entry *e, size_t *count)
{
	json_t *o = json_loadb((const char *)text, size, 0, NULL),
	       *files = json_object_get(o, "files");
	int err = json_integer_value(json_object_get(o, "version")) == 1 && json_is_array(files) &&
				  json_array_size(files) <= FILES_MAX
			  ? 0
			  : -EBADMSG;

	*count = err ? 0 : json_array_size(files);
	for (size_t i = 0; i < *count && !err; i++)
		err = unpack_entry(json_array_get(files, i), &e[i]);
	json_decref(o);
	return err;
}

static int get_set(struct media_s3 *m, const struct sluice_camera *c, const char *id,
		   struct entry *e, size_t *count)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY];
	uint8_t *text;
	size_t size;
	int err;

	err = sluice_s3_get(m->s3, key_of(m, "set", c, id, key), SET_MAX, &text, &size, why);
	if (err)
		return tell(m, err, why);
	err = unpack_set(text, size, e, count);
	free(text);
	return err ? tell_damaged(m, key) : 0;
}

/* ---- put ---- */

/* Its bytes as they are to be stored; *made is to be freed. */
static int seal_file(const struct media_s3 *m, const struct sluice_camera *c, const char *id,
		     const struct sluice_media_file *f, const uint8_t **data, size_t *size,
		     uint8_t **made)
{
	char place[256];

	*made = NULL;
	*data = f->data;
	*size = f->size;
	if (!m->base.keys || !m->base.keys->count)
		return 0;
	if (sluice_sealed_make(m->base.keys, write_place(place, c, id, f->name), f->data, f->size,
			       made, size))
		return -EIO;
	*data = *made;
	return 0;
}

/* What is on its way. */
struct parcel {
	char key[SLUICE_S3_KEY];
	uint8_t *made; /* sealed; NULL: as it was given */
};

static int pack_file(const struct media_s3 *m, const struct sluice_camera *c, const char *id,
		     const struct sluice_media_file *f, struct entry *e, struct parcel *p,
		     struct sluice_s3_object *o)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int err = seal_file(m, c, id, f, &o->data, &o->size, &p->made);

	if (err)
		return err;
	sluice_sha256(o->data, o->size, digest);
	sluice_hex(digest, sizeof(digest), e->hash);
	snprintf(e->name, sizeof(e->name), "%s", f->name);
	e->size = o->size;
	o->key = key_of_file(m, c, id, e, p->key);
	return 0;
}

/* All of them durable; else some may be. */
static int put_files(struct media_s3 *m, const struct sluice_camera *c, const char *id,
		     const struct sluice_media_file *files, size_t count, struct entry *e)
{
	struct parcel *p = calloc(count + 1, sizeof(*p));
	struct sluice_s3_object o[FILES_MAX];
	char why[SLUICE_S3_WHY] = "";
	int err = p ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		err = pack_file(m, c, id, &files[i], &e[i], &p[i], &o[i]);
	if (!err)
		err = sluice_s3_put_all(m->s3, o, count, why);
	for (size_t i = 0; p && i < count; i++)
		free(p[i].made);
	free(p);
	return tell(m, err, why);
}

static int s3_put(struct sluice_media *base, const struct sluice_camera *c, const char *id,
		  const struct sluice_media_file *files, size_t count)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY] = "", *text;
	struct media_s3 *m = mine(base);
	struct entry e[FILES_MAX];
	json_t *set;
	size_t i;
	int err;

	if (!sluice_media_name_valid(id) || count > FILES_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (!sluice_media_name_valid(files[i].name))
			return -EINVAL;
	err = put_files(m, c, id, files, count, e);
	if (err)
		return err;
	set = pack_set(e, count);
	text = set ? json_dumps(set, JSON_COMPACT) : NULL;
	json_decref(set);
	if (!text)
		return -ENOMEM;
	err = sluice_s3_put(m->s3, key_of(m, "set", c, id, key), (uint8_t *)text, strlen(text),
			    why);
	free(text);
	return tell(m, err, why);
}

/* ---- get ---- */

static int get_file(struct media_s3 *m, const struct sluice_camera *c, const char *id,
		    const struct entry *e, size_t max, uint8_t **data, size_t *size)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY], hash[2 * SHA256_DIGEST_LENGTH + 1];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int err;

	err = sluice_s3_get(m->s3, key_of_file(m, c, id, e, key), max, data, size, why);
	if (err)
		return tell(m, err, why);
	sluice_sha256(*data, *size, digest);
	sluice_hex(digest, sizeof(digest), hash);
	if (*size == e->size && !strcmp(hash, e->hash))
		return 0;
	return tell_damaged(m, key);
}

static int get_pin(struct media_s3 *m, const struct sluice_camera *c, const char *id, size_t max,
		   uint8_t **data, size_t *size)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY];

	return tell(m, sluice_s3_get(m->s3, key_of(m, "pin", c, id, key), max, data, size, why),
		    why);
}

static int get_named(struct media_s3 *m, const struct sluice_camera *c, const char *id,
		     const char *name, size_t max, uint8_t **data, size_t *size)
{
	struct entry e[FILES_MAX];
	size_t count, i;
	int err;

	if (!strcmp(name, SLUICE_MEDIA_PIN))
		return get_pin(m, c, id, max, data, size);
	err = get_set(m, c, id, e, &count);
	for (i = 0; !err && i < count; i++)
		if (!strcmp(e[i].name, name))
			return e[i].size > max ? -EFBIG
					       : get_file(m, c, id, &e[i], max, data, size);
	return err ? err : -ENOENT;
}

static int s3_get(struct sluice_media *base, const struct sluice_camera *c, const char *id,
		  const char *name, size_t max, uint8_t **data, size_t *size)
{
	struct media_s3 *m = mine(base);
	char place[256];
	int err;

	*data = NULL;
	*size = 0;
	if (!sluice_media_name_valid(id) || !sluice_media_name_valid(name))
		return -ENOENT;
	err = get_named(m, c, id, name, max + SLUICE_SEALED_MORE, data, size);
	if (!err)
		err = sluice_sealed_open(base->keys, write_place(place, c, id, name), *data, size);
	if (!err && *size > max)
		err = -EFBIG;
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}

/* ---- pin ---- */

static int s3_pin(struct sluice_media *base, const struct sluice_camera *c, const char *id,
		  const uint8_t *data, size_t size)
{
	const struct sluice_media_file pin = { SLUICE_MEDIA_PIN, data, size };
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY] = "";
	struct media_s3 *m = mine(base);
	const uint8_t *bytes;
	uint8_t *made = NULL;
	int err;

	if (!sluice_media_name_valid(id))
		return -ENOENT;
	err = sluice_s3_exists(m->s3, key_of(m, "set", c, id, key), why);
	if (err)
		return tell(m, err, why);
	key_of(m, "pin", c, id, key);
	if (!data)
		return tell(m, sluice_s3_delete(m->s3, key, why), why);
	err = seal_file(m, c, id, &pin, &bytes, &size, &made);
	if (!err)
		err = sluice_s3_put(m->s3, key, bytes, size, why);
	free(made);
	return tell(m, err, why);
}

/* ---- remove ---- */

struct removal {
	struct media_s3 *m;
	char why[SLUICE_S3_WHY];
};

static int remove_key(void *ctx, const char *key, uint64_t size)
{
	struct removal *r = ctx;

	(void)size;
	return sluice_s3_delete(r->m->s3, key, r->why);
}

/* Every place of the summary, one kind of object after the other. */
static int remove_places(struct removal *r, const struct sluice_camera *c, const char *id)
{
	static const char *const kinds[] = { "set", "pin", "file" };
	char key[SLUICE_S3_KEY], like[34], why[SLUICE_S3_WHY] = "";
	int err = 0;

	snprintf(like, sizeof(like), "%.33s", id); /* with the dot */
	for (size_t i = 0; i < 3 && !err; i++)
		err = sluice_s3_list(r->m->s3, key_of(r->m, kinds[i], c, like, key), remove_key, r,
				     why);
	return tell(r->m, err, r->why[0] ? r->why : why);
}

static int s3_remove(struct sluice_media *base, const struct sluice_camera *c, const char *id)
{
	struct removal r = { .m = mine(base) };
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY] = "";
	int err;

	if (!sluice_media_name_valid(id))
		return -EINVAL;
	if (strlen(id) > 33 && id[32] == '.')
		return remove_places(&r, c, id);
	err = sluice_s3_delete(r.m->s3, key_of(r.m, "set", c, id, key), why);
	if (!err)
		err = sluice_s3_delete(r.m->s3, key_of(r.m, "pin", c, id, key), why);
	if (err)
		return tell(r.m, err, why);
	snprintf(key, sizeof(key), "%s/file/%s/%s/%s/", r.m->prefix, c->tenant, c->hex, id);
	err = sluice_s3_list(r.m->s3, key, remove_key, &r, why);
	return tell(r.m, err, r.why[0] ? r.why : why);
}

/* ---- lists ---- */

struct walk {
	struct media_s3 *m;
	sluice_media_id_fn fn;
	void *ctx;
	size_t skip; /* of a key: PREFIX/set/ */
};

static int walk_set(void *ctx, const char *key, uint64_t size)
{
	char tenant[SLUICE_NAME_MAX], hex[33], id[SLUICE_MEDIA_PLACE], more;
	struct walk *w = ctx;
	uint8_t camera[16];

	(void)size;
	_Static_assert(SLUICE_NAME_MAX == 32 && SLUICE_MEDIA_PLACE == 48, "the numbers below");
	if (sscanf(key + w->skip, "%31[^/]/%32[^/]/%47[^/]%c", tenant, hex, id, &more) != 3 ||
	    !sluice_name_valid(tenant) || sluice_unhex(hex, camera, sizeof(camera)))
		return 0; /* none of ours */
	return w->fn(w->ctx, tenant, camera, id);
}

static int s3_each(struct sluice_media *base, sluice_media_id_fn fn, void *ctx)
{
	struct walk w = { .m = mine(base), .fn = fn, .ctx = ctx };
	char prefix[PREFIX_MAX + 8], why[SLUICE_S3_WHY];
	int rc;

	w.skip = (size_t)snprintf(prefix, sizeof(prefix), "%s/set/", w.m->prefix);
	rc = sluice_s3_list(w.m->s3, prefix, walk_set, &w, why);
	return rc > 0 ? rc : tell(w.m, rc, why);
}

static int s3_names(struct sluice_media *base, const struct sluice_camera *c, const char *id,
		    sluice_media_name_fn fn, void *ctx)
{
	struct entry e[FILES_MAX];
	size_t count, i;
	int rc;

	if (!sluice_media_name_valid(id))
		return -ENOENT;
	rc = get_set(mine(base), c, id, e, &count);
	for (i = 0; !rc && i < count; i++)
		rc = fn(ctx, e[i].name);
	return rc;
}

/* ---- open and close ---- */

static void s3_close(struct sluice_media *base)
{
	sluice_s3_close(mine(base)->s3);
	pthread_mutex_destroy(&mine(base)->lock);
	free(base);
}

static const struct sluice_media_ops ops = {
	.close = s3_close,
	.put = s3_put,
	.get = s3_get,
	.pin = s3_pin,
	.remove = s3_remove,
	.each = s3_each,
	.names = s3_names,
};

struct sluice_s3 *sluice_media_s3_client(struct sluice_media *m)
{
	return m->ops == &ops ? mine(m)->s3 : NULL;
}

const char *sluice_media_s3_library(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "libcurl %s", LIBCURL_VERSION);
	return name;
}

static int is_prefix(const char *p)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-/";
	size_t n = strlen(p);

	return n > 0 && n < PREFIX_MAX && strspn(p, letters) == n && p[0] != '/' &&
	       p[n - 1] != '/' && !strstr(p, "//") && !strstr(p, "..");
}

int sluice_media_s3_open(const struct sluice_media_s3_config *c, struct sluice_media **out,
			 char *why)
{
	struct media_s3 *m;
	int err;

	*out = NULL;
	if (!c->prefix || !is_prefix(c->prefix)) {
		snprintf(why, SLUICE_S3_WHY,
			 "the prefix of keys must be 1 to 63 of A-Z, a-z, 0-9, '.', '_', '-', '/', "
			 "with no '/' at its ends; not '%.100s'",
			 c->prefix ? c->prefix : "");
		return -EINVAL;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		snprintf(why, SLUICE_S3_WHY, "out of memory");
		return -ENOMEM;
	}
	m->base.ops = &ops;
	m->base.keys = c->keys;
	m->base.remote = 1;
	pthread_mutex_init(&m->lock, NULL);
	m->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	snprintf(m->prefix, sizeof(m->prefix), "%s", c->prefix);
	err = sluice_s3_open(&c->s3, &m->s3, why);
	if (err) {
		pthread_mutex_destroy(&m->lock);
		free(m);
		return err;
	}
	*out = &m->base;
	return 0;
}
