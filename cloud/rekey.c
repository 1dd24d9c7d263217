// SPDX-License-Identifier: MIT
/*
 * rekey.c - see rekey.h.
 *
 * Each sealed file has room for two locks. The new one is written into the empty place and synced,
 * then the old one is overwritten with zeros and synced: at every moment one of them opens the
 * file, and in the end the old master key opens nothing. Not a byte of what is sealed is touched.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "cloud/rekey.h"
#include "cloud/segment.h"
#include "cloud/walk.h"

struct rekeying {
	const char *data;
	const struct sluice_keyring *keys;
	struct sluice_rekeyed *out;
	char tenant[SLUICE_NAME_MAX], hex[33], id[33];
};

/* Writes a lock to its place, durably. */
static int write_lock(int fd, uint64_t at, int place, const struct sluice_lock *l)
{
	if (pwrite(fd, l, sizeof(*l), (off_t)(at + (uint64_t)place * sizeof(*l))) !=
	    (ssize_t)sizeof(*l))
		return errno ? -errno : -EIO;
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* 1: changed; 0: it is the first key's alone already. */
static int change_lock(int fd, uint64_t at, const void *aad, size_t aad_size,
		       const struct sluice_keyring *keys, struct sluice_lock lock[2])
{
	static const struct sluice_lock none;
	const struct sluice_lock first[2] = { lock[0], none };
	struct sluice_lock fresh;
	uint8_t key[32];
	int opens = sluice_seal_unwrap(keys, aad, aad_size, first, key);
	int err = sluice_seal_unwrap(keys, aad, aad_size, lock, key), i, place = !opens;

	if (!err && opens && opens != -EBADMSG && opens != -ENOKEY)
		err = opens; /* which of them opens is not known */
	if (err)
		return err;
	for (i = 0; i < 2; i++)
		if (!memcmp(&lock[!i], &none, sizeof(none)) &&
		    !memcmp(lock[i].key_id, keys->key[0].id, sizeof(lock[0].key_id)))
			return 0;
	/* place: the one whose lock is not the one that has opened */
	err = sluice_seal_wrap(keys, aad, aad_size, key, &fresh);
	OPENSSL_cleanse(key, sizeof(key));
	if (!err)
		err = write_lock(fd, at, place, &fresh);
	if (!err)
		err = write_lock(fd, at, !place, &none);
	return err ? err : 1;
}

static int note(struct rekeying *r, const char *path, int rc)
{
	if (rc == -ENOKEY || rc == -EBADMSG) {
		r->out->locked++;
		if (!r->out->first[0])
			snprintf(r->out->first, sizeof(r->out->first), "%s", path);
		rc = 0;
	}
	r->out->changed += rc > 0;
	return rc < 0 ? rc : 0;
}

/* n: what reading its head has given; a head that cannot be read may well be sealed. */
static int not_sealed(struct rekeying *r, int fd, ssize_t n)
{
	int err = n < 0 ? -errno : 0;

	close(fd);
	r->out->plain += !err;
	return err;
}

static int rekey_segment(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct {
		uint8_t header[sizeof(struct sluice_segment_header)];
		struct sluice_lock lock[2];
	} h;
	struct sluice_segment_info info;
	struct rekeying *r = ctx;
	char full[4400];
	ssize_t n;
	int fd, rc;

	(void)c;
	snprintf(full, sizeof(full), "%s/%s", r->data, path);
	fd = open(full, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, &h, sizeof(h), 0);
	if (n < (ssize_t)sizeof(h) || sluice_segment_decode(h.header, &info) || !info.sealed)
		return not_sealed(r, fd, n);
	r->out->files++;
	rc = change_lock(fd, sizeof(h.header), h.header, sizeof(h.header), r->keys, h.lock);
	close(fd);
	return note(r, path, rc);
}

/* below: the file's path below the data directory; place: what its key belongs to. */
static int rekey_sealed(struct rekeying *r, const char *below, const char *place)
{
	struct sluice_sealed head;
	char full[4400];
	ssize_t n;
	int fd, rc;

	snprintf(full, sizeof(full), "%s/%s", r->data, below);
	fd = open(full, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, &head, sizeof(head), 0);
	if (n < (ssize_t)sizeof(head) || le64toh(head.magic) != SLUICE_SEALED_MAGIC)
		return not_sealed(r, fd, n);
	r->out->files++;
	rc = change_lock(fd, offsetof(struct sluice_sealed, lock), place, strlen(place), r->keys,
			 head.lock);
	close(fd);
	return note(r, below, rc);
}

static int rekey_file(void *ctx, const char *path, const char *name)
{
	struct rekeying *r = ctx;
	char place[256], below[256];

	snprintf(below, sizeof(below), "%s/%s", path, name);
	snprintf(place, sizeof(place), "%s/%s/%s/%s", r->tenant, r->hex, r->id, name);
	return rekey_sealed(r, below, place);
}

static int rekey_summary(void *ctx, const char *tenant, const uint8_t camera[16], const char *id,
			 const char *path)
{
	struct rekeying *r = ctx;

	snprintf(r->tenant, sizeof(r->tenant), "%s", tenant);
	snprintf(r->id, sizeof(r->id), "%s", id);
	sluice_hex(camera, 16, r->hex);
	return sluice_each_name(r->data, path, sluice_is_entry, rekey_file, r);
}

static int rekey_frame(void *ctx, const char *path, const char *name)
{
	size_t n = strlen(name);
	char below[256];

	if (n < 4 || strcmp(name + n - 4, ".bin") != 0)
		return 0; /* a note */
	snprintf(below, sizeof(below), "%s/%s", path, name);
	return rekey_sealed(ctx, below, below);
}

int sluice_rekey(const char *data, const struct sluice_keyring *keys, struct sluice_rekeyed *out)
{
	struct rekeying r = { .data = data, .keys = keys, .out = out };
	int err;

	memset(out, 0, sizeof(*out));
	if (!keys->count)
		return -ENOKEY;
	err = sluice_walk_segments(data, rekey_segment, &r);
	if (!err)
		err = sluice_walk_media(data, rekey_summary, &r);
	return err ? err : sluice_each_name(data, "quarantine", sluice_is_entry, rekey_frame, &r);
}
