// SPDX-License-Identifier: MIT
/*
 * depot_s3.c - segments as objects of a bucket.
 *
 * put: all of them at once; the store compares each with the signed hash of its bytes, and we the
 * ETag with their MD5. A put that fails may have left objects; nobody was told of them, and fsck
 * finds them.
 *
 * read: a request costs as much as hundreds of kilobytes, so it asks for a window around nothing
 * less than FIRST bytes, and for twice as much each time that the reading goes on where the last
 * window ended. Windows are kept, the latest used of ROOM bytes in all, for all readers of the
 * process: a replay asks once for many frames, and the header of a segment is there for each of
 * them. An object never changes, so a window is never old.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/depot_s3.h"
#include "lib/log.h"

#define WINDOWS 64
#define ROOM	(48u << 20) /* bytes of all windows */
#define FIRST	(512u << 10)
#define MOST	(4u << 20)
#define NEAR	(64u << 10) /* so far behind a window is going on with it */
#define PROBE	"segments/.probe"

struct window {
	char path[SLUICE_DEPOT_PATH];
	uint8_t *data; /* NULL: none */
	uint64_t from;
	size_t size;
	int ends;      /* the object ends with it */
	uint64_t used; /* when, in reads */
};

struct depot_s3 {
	struct sluice_depot base;
	struct sluice_s3 *s3;
	char prefix[64];
	pthread_mutex_t lock;
	/* under the lock */
	struct window window[WINDOWS];
	size_t kept; /* bytes */
	uint64_t reads;
	struct sluice_log_limit limit;
};

static struct depot_s3 *mine(struct sluice_depot *d)
{
	return (struct depot_s3 *)d;
}

static int tell(struct depot_s3 *d, int err, const char *why)
{
	if (!err || err == -ENOENT || !why[0])
		return err;
	pthread_mutex_lock(&d->lock);
	sluice_log_limited(&d->limit, SLUICE_LOG_ERROR, "segments in the bucket: %s", why);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static const char *key_of(const struct depot_s3 *d, const char *path, char out[SLUICE_S3_KEY])
{
	snprintf(out, SLUICE_S3_KEY, "%s/%s", d->prefix, path);
	return out;
}

/* ---- windows; under the lock ---- */

static void drop(struct depot_s3 *d, struct window *w)
{
	if (w->data)
		d->kept -= w->size;
	free(w->data);
	memset(w, 0, sizeof(*w));
}

static void forget(struct depot_s3 *d, const char *path)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < WINDOWS; i++)
		if (d->window[i].data && !strcmp(d->window[i].path, path))
			drop(d, &d->window[i]);
	pthread_mutex_unlock(&d->lock);
}

static struct window *find(struct depot_s3 *d, const char *path, uint64_t offset)
{
	for (size_t i = 0; i < WINDOWS; i++) {
		struct window *w = &d->window[i];

		if (w->data && offset >= w->from && (offset < w->from + w->size || w->ends) &&
		    !strcmp(w->path, path))
			return w;
	}
	return NULL;
}

/* How much to ask for: more of what is read on. */
static size_t ahead(const struct depot_s3 *d, const char *path, uint64_t offset)
{
	size_t most = FIRST;

	for (size_t i = 0; i < WINDOWS; i++) {
		const struct window *w = &d->window[i];

		if (w->data && offset >= w->from && offset <= w->from + w->size + NEAR &&
		    2 * w->size > most && !strcmp(w->path, path))
			most = 2 * w->size;
	}
	return most < MOST ? most : MOST;
}

/* The least used one goes, as long as there is no room. */
static struct window *make_room(struct depot_s3 *d, size_t size)
{
	for (;;) {
		struct window *free_one = NULL, *old = NULL;

		for (size_t i = 0; i < WINDOWS; i++) {
			struct window *w = &d->window[i];

			if (!w->data)
				free_one = w;
			else if (!old || w->used < old->used)
				old = w;
		}
		if (free_one && (!old || d->kept + size <= ROOM))
			return free_one;
		drop(d, old);
	}
}

/* Takes data. */
static void keep(struct depot_s3 *d, const char *path, uint64_t from, uint8_t *data, size_t size,
		 int ends)
{
	struct window *w;

	pthread_mutex_lock(&d->lock);
	w = make_room(d, size);
	snprintf(w->path, sizeof(w->path), "%s", path);
	w->data = data;
	w->from = from;
	w->size = size;
	w->ends = ends;
	w->used = ++d->reads;
	d->kept += size;
	pthread_mutex_unlock(&d->lock);
}

/* Bytes that a window has from there on; *ends: and no more are to come. 0: nothing is kept, and
 * *most says how much to ask for. */
static size_t copy_kept(struct depot_s3 *d, const char *path, uint64_t offset, void *buf,
			size_t size, int *ends, size_t *most)
{
	struct window *w;
	size_t n = 0;

	*ends = 0;
	pthread_mutex_lock(&d->lock);
	w = find(d, path, offset);
	if (w && offset < w->from + w->size) {
		n = (size_t)(w->from + w->size - offset);
		n = n < size ? n : size;
		memcpy(buf, w->data + (offset - w->from), n);
	}
	if (w) {
		w->used = ++d->reads;
		*ends = w->ends && offset + n == w->from + w->size;
		*ends |= w->ends && offset >= w->from + w->size;
	}
	*most = ahead(d, path, offset);
	pthread_mutex_unlock(&d->lock);
	return n;
}

/* ---- read ---- */

static int s3_open(struct sluice_depot *base, const char *path, struct sluice_depot_file *f)
{
	(void)base;
	f->path = path;
	f->fd = -1;
	return strlen(path) < SLUICE_DEPOT_PATH ? 0 : -EINVAL;
}

static void s3_shut(struct sluice_depot *base, struct sluice_depot_file *f)
{
	(void)base;
	(void)f;
}

static ssize_t s3_read(struct sluice_depot *base, struct sluice_depot_file *f, void *buf,
		       size_t size, uint64_t offset)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY];
	struct depot_s3 *d = mine(base);
	size_t got = 0, n, most;
	uint8_t *data;
	int err, ends;

	key_of(d, f->path, key);
	while (got < size) {
		got += copy_kept(d, f->path, offset + got, (uint8_t *)buf + got, size - got, &ends,
				 &most);
		if (got == size || ends)
			break;
		if (most < size - got)
			most = size - got;
		err = sluice_s3_get_part(d->s3, key, offset + got, most, &data, &n, why);
		if (err)
			return tell(d, err, why);
		if (n <= size - got) { /* nothing is left to be kept, but where it ends */
			memcpy((uint8_t *)buf + got, data, n);
			got += n;
			free(data);
			if (n < most)
				break;
			continue;
		}
		memcpy((uint8_t *)buf + got, data, size - got);
		keep(d, f->path, offset + got, data, n, n < most);
		got = size;
	}
	return (ssize_t)got;
}

static int s3_doubt(struct sluice_depot *base, const char *path)
{
	forget(mine(base), path);
	return 1;
}

static int s3_load(struct sluice_depot *base, const char *path, uint8_t **data, size_t *size)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY];
	struct depot_s3 *d = mine(base);

	return tell(d,
		    sluice_s3_get(d->s3, key_of(d, path, key), SLUICE_S3_OBJECT, data, size, why),
		    why);
}

static int s3_has(struct sluice_depot *base, const char *path, const char *sha256, uint64_t size)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY], is[65];
	struct depot_s3 *d = mine(base);
	uint64_t n;
	int err = sluice_s3_head_sha256(d->s3, key_of(d, path, key), &n, is, why);

	if (err)
		return err == -ENOENT ? 0 : tell(d, err, why);
	return n == size && !strcmp(is, sha256);
}

/* ---- write ---- */

static int s3_put(struct sluice_depot *base, const struct sluice_depot_put *puts, size_t count)
{
	struct sluice_s3_object *o = calloc(count + 1, sizeof(*o));
	char(*key)[SLUICE_S3_KEY] = calloc(count + 1, sizeof(*key)), why[SLUICE_S3_WHY] = "";
	struct depot_s3 *d = mine(base);
	int err = o && key ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++) {
		forget(d, puts[i].path);
		o[i] = (struct sluice_s3_object){ key_of(d, puts[i].path, key[i]), puts[i].data,
						  puts[i].size };
		if (strlen(puts[i].path) >= SLUICE_DEPOT_PATH)
			err = -EINVAL;
	}
	if (!err)
		err = sluice_s3_put_all(d->s3, o, count, why);
	free(o);
	free(key);
	return tell(d, err, why);
}

/* What room a bucket has nobody knows: may we, and does it answer? */
static int s3_probe(struct sluice_depot *base, size_t bytes)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY] = "";
	struct depot_s3 *d = mine(base);
	int err = sluice_s3_put(d->s3, key_of(d, PROBE, key), (const uint8_t *)"?", 1, why);

	(void)bytes;
	return tell(d, err, why);
}

static int s3_remove(struct sluice_depot *base, const char *path)
{
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY];
	struct depot_s3 *d = mine(base);

	forget(d, path);
	return tell(d, sluice_s3_delete(d->s3, key_of(d, path, key), why), why);
}

/* ---- list ---- */

struct walk {
	struct depot_s3 *d;
	sluice_depot_fn fn;
	void *ctx;
	size_t skip; /* of a key: PREFIX/ */
};

static int walk_key(void *ctx, const char *key, uint64_t size)
{
	char tenant[SLUICE_NAME_MAX], device[SLUICE_NAME_MAX], name[SLUICE_NAME_MAX], file[128],
		more;
	const struct walk *w = ctx;
	const char *path = key + w->skip;
	struct sluice_camera c;
	size_t n;

	(void)size;
	_Static_assert(SLUICE_NAME_MAX == 32, "the numbers below");
	if (strlen(path) >= SLUICE_DEPOT_PATH ||
	    sscanf(path, "segments/%31[^/]/%31[^/]/%31[^/]/%127[^/]%c", tenant, device, name, file,
		   &more) != 4)
		return 0; /* none of ours */
	n = strlen(file);
	if (n < 5 || strcmp(file + n - 4, ".seg") != 0 ||
	    sluice_camera_init(&c, tenant, device, name))
		return 0;
	return w->fn(w->ctx, &c, path);
}

static int s3_each(struct sluice_depot *base, sluice_depot_fn fn, void *ctx)
{
	struct walk w = { .d = mine(base), .fn = fn, .ctx = ctx };
	char key[SLUICE_S3_KEY], why[SLUICE_S3_WHY] = "";
	int rc;

	w.skip = strlen(w.d->prefix) + 1;
	rc = sluice_s3_list(w.d->s3, key_of(w.d, "segments/", key), walk_key, &w, why);
	return rc > 0 ? rc : tell(w.d, rc, why);
}

/* ---- open and close ---- */

static void s3_close(struct sluice_depot *base)
{
	struct depot_s3 *d = mine(base);

	for (size_t i = 0; i < WINDOWS; i++)
		drop(d, &d->window[i]);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static const struct sluice_depot_ops ops = {
	.close = s3_close,
	.put = s3_put,
	.probe = s3_probe,
	.open = s3_open,
	.read = s3_read,
	.shut = s3_shut,
	.doubt = s3_doubt,
	.load = s3_load,
	.has = s3_has,
	.remove = s3_remove,
	.each = s3_each,
};

int sluice_depot_s3_open(struct sluice_s3 *s3, const char *prefix, struct sluice_depot **out)
{
	struct depot_s3 *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (!d)
		return -ENOMEM;
	d->base = (struct sluice_depot){ .ops = &ops, .whole = 1 };
	d->s3 = s3;
	snprintf(d->prefix, sizeof(d->prefix), "%s", prefix);
	pthread_mutex_init(&d->lock, NULL);
	d->limit = (struct sluice_log_limit){ .burst = 5, .interval_ms = 10000 };
	*out = &d->base;
	return 0;
}
