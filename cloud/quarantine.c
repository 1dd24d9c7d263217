// SPDX-License-Identifier: MIT
/*
 * quarantine.c - see quarantine.h. The bytes are written first, the note after them, each whole or
 * not at all: a note without its bytes is never seen. What is known is kept in memory, sorted by
 * nothing: there are hardly ever any.
 */
#include "cloud/quarantine.h"
#include "cloud/sealed.h"
#include "lib/sha256.h"
#include "lib/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX (16u << 20)

struct known {
	uint8_t camera[16];
	uint64_t epoch, sequence;
};

struct sluice_quarantine {
	char dir[4096];
	const struct sluice_keyring *keys;
	pthread_mutex_t lock;
	atomic_size_t count;
	struct known known[SLUICE_QUARANTINE_MAX];
};

/* ---- names ---- */

static void name_of(const uint8_t camera[16], uint64_t epoch, uint64_t sequence,
		    char name[SLUICE_QUARANTINE_NAME])
{
	char hex[33];

	sluice_hex(camera, 16, hex);
	snprintf(name, SLUICE_QUARANTINE_NAME, "%s-%llu-%llu", hex, (unsigned long long)epoch,
		 (unsigned long long)sequence);
}

/* "NAME" or "NAME.json"; -EINVAL. */
static int parse_name(const char *name, struct known *k)
{
	char again[SLUICE_QUARANTINE_NAME];
	unsigned long long epoch, sequence;
	unsigned int byte;

	for (int i = 0; i < 16; i++) {
		if (sscanf(name + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		k->camera[i] = (uint8_t)byte;
		if (!name[2 * i] || !name[2 * i + 1])
			return -EINVAL;
	}
	if (sscanf(name + 32, "-%llu-%llu", &epoch, &sequence) != 2)
		return -EINVAL;
	k->epoch = epoch;
	k->sequence = sequence;
	name_of(k->camera, epoch, sequence, again);
	return strncmp(name, again, strlen(again)) ? -EINVAL : (int)strlen(again);
}

static int is_note(const struct dirent *d, struct known *k)
{
	int n = parse_name(d->d_name, k);

	return n > 0 && !strcmp(d->d_name + n, ".json");
}

/* ---- what is known ---- */

int sluice_quarantine_open(const char *data, const struct sluice_keyring *keys,
			   struct sluice_quarantine **out)
{
	struct sluice_quarantine *q = calloc(1, sizeof(*q));
	struct dirent *e;
	DIR *d;

	*out = NULL;
	if (!q)
		return -ENOMEM;
	q->keys = keys;
	pthread_mutex_init(&q->lock, NULL);
	snprintf(q->dir, sizeof(q->dir), "%s/quarantine", data);
	d = opendir(q->dir);
	while (d && (e = readdir(d)) && q->count < SLUICE_QUARANTINE_MAX)
		if (is_note(e, &q->known[q->count]))
			q->count++;
	if (d)
		closedir(d);
	*out = q;
	return 0;
}

void sluice_quarantine_close(struct sluice_quarantine *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* Those that are counted do not change any more. */
int sluice_quarantine_has(struct sluice_quarantine *q, const uint8_t camera[16], uint64_t epoch,
			  uint64_t sequence)
{
	size_t count = q ? atomic_load(&q->count) : 0;

	for (size_t i = 0; i < count; i++)
		if (q->known[i].sequence == sequence && q->known[i].epoch == epoch &&
		    !memcmp(q->known[i].camera, camera, 16))
			return 1;
	return 0;
}

size_t sluice_quarantine_count(struct sluice_quarantine *q)
{
	return q ? atomic_load(&q->count) : 0;
}

/* ---- files ---- */

static int write_file(const char *path, const void *data, size_t size)
{
	char part[4300];
	int fd, err;

	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = sluice_write_whole(fd, data, size);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	if (!err && rename(part, path))
		err = -errno;
	if (err)
		unlink(part);
	return err;
}

/* What the key of a frame's bytes belongs to. */
static const char *write_place(char out[SLUICE_QUARANTINE_NAME + 16], const char *name)
{
	snprintf(out, SLUICE_QUARANTINE_NAME + 16, "quarantine/%s.bin", name);
	return out;
}

static int write_bytes(const struct sluice_quarantine *q, const char *name, const uint8_t *data,
		       size_t size)
{
	char path[4200], place[SLUICE_QUARANTINE_NAME + 16];
	uint8_t *sealed = NULL;
	size_t more;
	int err;

	snprintf(path, sizeof(path), "%s/%s.bin", q->dir, name);
	if (!q->keys || !q->keys->count)
		return write_file(path, data, size);
	err = sluice_sealed_make(q->keys, write_place(place, name), data, size, &sealed, &more);
	if (!err)
		err = write_file(path, sealed, more);
	free(sealed);
	return err;
}

static void sha256_hex(const uint8_t *data, size_t size, char hex[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	sluice_sha256(data, size, digest);
	sluice_hex(digest, sizeof(digest), hex);
}

static json_t *make_note(const struct sluice_camera *c, const struct sluice_stored_frame *f,
			 const char *death)
{
	char sha[65], epoch[24], sequence[24], utc[24];
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:I}", "tenant", c->tenant, "device", c->device,
			      "camera", c->name, "died_of", death, "found", (json_int_t)time(NULL));

	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)f->epoch);
	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)f->sequence);
	snprintf(utc, sizeof(utc), "%llu", (unsigned long long)f->utc_ns);
	sha256_hex(f->jpeg, f->jpeg_size, sha);
	json_object_update_new(o, json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:I,s:s}", "epoch", epoch,
					    "sequence", sequence, "utc_ns", utc, "width", f->width,
					    "height", f->height, "reason", f->reason, "flags",
					    f->flags, "size", (json_int_t)f->jpeg_size, "sha256",
					    sha));
	return o;
}

static int write_entry(struct sluice_quarantine *q, const struct sluice_camera *c,
		       const struct sluice_stored_frame *f, const char *death)
{
	char name[SLUICE_QUARANTINE_NAME], path[4200];
	json_t *note = make_note(c, f, death);
	char *text = note ? json_dumps(note, JSON_INDENT(2)) : NULL;
	int err = text ? 0 : -ENOMEM, dir;

	name_of(c->id, f->epoch, f->sequence, name);
	if (!err && mkdir(q->dir, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = write_bytes(q, name, f->jpeg, f->jpeg_size);
	snprintf(path, sizeof(path), "%s/%s.json", q->dir, name);
	if (!err)
		err = write_file(path, text, strlen(text));
	dir = err ? -1 : open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && fsync(dir))
		err = -errno;
	if (dir >= 0)
		close(dir);
	free(text);
	json_decref(note);
	return err;
}

int sluice_quarantine_add(struct sluice_quarantine *q, const struct sluice_camera *c,
			  const struct sluice_stored_frame *f, const char *death)
{
	size_t at;
	int err;

	pthread_mutex_lock(&q->lock);
	at = atomic_load(&q->count);
	if (at == SLUICE_QUARANTINE_MAX) {
		pthread_mutex_unlock(&q->lock);
		return -ENOBUFS;
	}
	memcpy(q->known[at].camera, c->id, 16);
	q->known[at].epoch = f->epoch;
	q->known[at].sequence = f->sequence;
	err = write_entry(q, c, f, death);
	atomic_store(&q->count, at + 1); /* it is whole: has() reads without the lock */
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* ---- for the command ---- */

int sluice_quarantine_each(const char *data, int (*fn)(void *ctx, const char *name, json_t *note),
			   void *ctx)
{
	char dir[4096], path[4400];
	struct known k;
	struct dirent *e;
	int err = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/quarantine", data);
	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (e = readdir(d))) {
		json_t *note;

		if (!is_note(e, &k))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		note = json_load_file(path, 0, NULL);
		e->d_name[strlen(e->d_name) - 5] = 0;
		if (json_is_object(note))
			err = fn(ctx, e->d_name, note);
		json_decref(note);
	}
	closedir(d);
	return err;
}

/* *bytes is the caller's, also after an error. */
static int read_file(const char *path, uint8_t **bytes, size_t *size)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	int err = f && !fstat(fileno(f), &st) ? 0 : -errno;

	*bytes = NULL;
	if (!err && (st.st_size < 1 || st.st_size > (off_t)(BYTES_MAX + SLUICE_SEALED_MORE)))
		err = -EBADMSG;
	if (!err)
		*bytes = malloc((size_t)st.st_size);
	if (!err && !*bytes)
		err = -ENOMEM;
	if (!err && fread(*bytes, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		err = -EIO;
	*size = err ? 0 : (size_t)st.st_size;
	if (f)
		fclose(f);
	return err;
}

int sluice_quarantine_frame(const char *data, const struct sluice_keyring *keys, const char *name,
			    struct sluice_stored_frame *f, uint8_t **bytes)
{
	char path[4400], place[SLUICE_QUARANTINE_NAME + 16], sha[65] = "";
	const char *want = NULL;
	struct known k;
	json_t *note;
	int err = parse_name(name, &k);

	*bytes = NULL;
	if (err < 0 || name[err])
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/quarantine/%s.bin", data, name);
	err = read_file(path, bytes, &f->jpeg_size);
	if (!err)
		err = sluice_sealed_open(keys, write_place(place, name), *bytes, &f->jpeg_size);
	if (err)
		goto err_free;
	snprintf(path, sizeof(path), "%s/quarantine/%s.json", data, name);
	note = json_load_file(path, 0, NULL);
	*f = (struct sluice_stored_frame){
		.epoch = k.epoch,
		.sequence = k.sequence,
		.reason = (uint16_t)json_integer_value(json_object_get(note, "reason")),
		.flags = (uint16_t)json_integer_value(json_object_get(note, "flags")),
		.width = (uint16_t)json_integer_value(json_object_get(note, "width")),
		.height = (uint16_t)json_integer_value(json_object_get(note, "height")),
		.jpeg = *bytes,
		.jpeg_size = f->jpeg_size,
	};
	sha256_hex(f->jpeg, f->jpeg_size, sha);
	want = json_string_value(json_object_get(note, "sha256"));
	err = want && !strcmp(want, sha) ? 0 : -EBADMSG;
	json_decref(note);
	if (!err)
		return 0;
err_free:
	free(*bytes);
	*bytes = NULL;
	return err;
}

int sluice_quarantine_drop(const char *data, const char *name)
{
	static const char *const ends[] = { "json", "bin" };
	char path[4400];
	struct known k;
	int n = parse_name(name, &k), err = 0;

	if (n < 0 || name[n])
		return -EINVAL;
	for (int i = 0; i < 2 && !err; i++) {
		snprintf(path, sizeof(path), "%s/quarantine/%s.%s", data, name, ends[i]);
		if (unlink(path) && !(i && errno == ENOENT))
			err = -errno;
	}
	return err;
}
