// SPDX-License-Identifier: MIT
/*
 * A summary comes as SUMMARY (its JSON and a list of files) and PARTs. It is gathered in
 * summaries/CAMERA/YYYY-MM-DD/.ID.part/; when every file has its announced size and SHA-256, all of
 * it is synced and the directory is renamed to ID: a directory of that name is complete, always.
 * Then the cloud is told, so a crash at any point leads to the summary being sent again, and an id
 * that is there already is acknowledged at once.
 *
 * Names come from the cloud and become paths: the id is 32 hex digits, the camera's name and the
 * files' names have their strict alphabets, the date is made from digits. What does not fit is
 * refused. A disk that is full or a checksum that does not match ends that summary alone, with its
 * errno in the acknowledgement; the cloud tries it again on a later link.
 *
 * Writing and syncing happen in the loop's thread: a summary is a few hundred kilobytes.
 */
#include "relay/downlink.h"
#include "lib/log.h"
#include "lib/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEDIA_COUNT_MAX 32
#define MEDIA_BYTES_MAX (64ull << 20) /* of one summary */
#define AT_ONCE		2	      /* summaries that come at the same time */

struct media {
	struct sluice_wire_media_info info;
	uint64_t have;
	EVP_MD_CTX *sha;
};

/* One that is coming. */
struct coming {
	char id[33]; /* "": free */
	char camera[SLUICE_CAMERA_NAME_SIZE];
	char part[96];	/* of the day's directory: ".ID.part" */
	int day_fd, fd; /* directories */
	char day[64];	/* "CAMERA/YYYY-MM-DD" */
	int file_fd;	/* of media[file] */
	uint32_t file;
	uint32_t count, complete;
	struct media media[MEDIA_COUNT_MAX];
	uint64_t age;
};

struct relay_downlink {
	int fd; /* summaries/ */
	char *path;
	void (*announce)(void *arg, const char *path, const char *id, const char *camera);
	void *arg;
	struct coming coming[AT_ONCE];
	uint64_t ages;
};

/* ---- directories ---- */

/* Open a directory, making it if it is missing; -1 and errno. */
static int open_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0755) && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Remove a directory of plain files. */
static void remove_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(fd, e->d_name, 0);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Forget one; what it has on disk is removed unless it was renamed. */
static void drop_coming(struct coming *c)
{
	if (!c->id[0])
		return;
	close_fd(&c->file_fd);
	close_fd(&c->fd);
	if (c->day_fd >= 0 && c->part[0])
		remove_dir(c->day_fd, c->part);
	close_fd(&c->day_fd);
	for (uint32_t i = 0; i < c->count; i++)
		EVP_MD_CTX_free(c->media[i].sha);
	memset(c, 0, sizeof(*c));
	c->day_fd = c->fd = c->file_fd = -1;
}

struct relay_downlink *relay_downlink_open(const char *state,
					   void (*announce)(void *arg, const char *path,
							    const char *id, const char *camera),
					   void *arg, int *err)
{
	struct relay_downlink *dl = calloc(1, sizeof(*dl));
	size_t size = strlen(state) + sizeof("/summaries");
	int fd;

	*err = -ENOMEM;
	if (!dl)
		return NULL;
	dl->fd = -1;
	dl->announce = announce;
	dl->arg = arg;
	for (int i = 0; i < AT_ONCE; i++)
		dl->coming[i].day_fd = dl->coming[i].fd = dl->coming[i].file_fd = -1;
	dl->path = malloc(size);
	if (!dl->path)
		goto fail;
	snprintf(dl->path, size, "%s/summaries", state);
	fd = open_dir(AT_FDCWD, state);
	*err = fd < 0 ? -errno : 0;
	if (fd >= 0) {
		dl->fd = open_dir(fd, "summaries");
		*err = dl->fd < 0 ? -errno : 0;
		close(fd);
	}
	if (!*err && faccessat(dl->fd, ".", W_OK, AT_EACCESS))
		*err = -errno;
	if (!*err)
		return dl;
fail:
	relay_downlink_close(dl);
	return NULL;
}

void relay_downlink_link_lost(struct relay_downlink *dl)
{
	for (int i = 0; dl && i < AT_ONCE; i++)
		drop_coming(&dl->coming[i]);
}

void relay_downlink_close(struct relay_downlink *dl)
{
	if (!dl)
		return;
	relay_downlink_link_lost(dl);
	close_fd(&dl->fd);
	free(dl->path);
	free(dl);
}

/* ---- SUMMARY ---- */

static bool camera_ok(const char *name)
{
	size_t n = strlen(name);

	return n && n < SLUICE_CAMERA_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       n;
}

/* "2026-01-31T..." to its date. */
static bool copy_date(char date[11], const char *start)
{
	if (strlen(start) < 11 || start[10] != 'T')
		return false;
	for (int i = 0; i < 10; i++) {
		bool dash = i == 4 || i == 7;

		if (dash ? start[i] != '-' : start[i] < '0' || start[i] > '9')
			return false;
		date[i] = start[i];
	}
	date[10] = 0;
	return true;
}

/* Camera and date of a summary's JSON, which must be an object with this id. 0 or -EPROTO. */
static int read_json(struct coming *c, const char *camera, const uint8_t *json, uint32_t size)
{
	json_t *o = json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(o, "id"));
	const char *start = json_string_value(json_object_get(o, "start"));
	const char *name = json_string_value(json_object_get(o, "camera"));
	char date[11];
	int err = -EPROTO;

	if (!camera)
		camera = name;
	if (id && start && camera && !strcmp(id, c->id) && camera_ok(camera) &&
	    copy_date(date, start)) {
		snprintf(c->camera, sizeof(c->camera), "%s", camera);
		snprintf(c->day, sizeof(c->day), "%s/%s", c->camera, date);
		err = 0;
	}
	json_decref(o);
	return err;
}

/* The list of files. 0 or -EPROTO. */
static int read_media(struct coming *c, const uint8_t *payload, uint32_t length)
{
	struct sluice_wire_field field;
	uint64_t total = 0;
	uint32_t at = 0;

	while (sluice_wire_field_next(payload, length, &at, &field) > 0) {
		struct media *m = &c->media[c->count];

		if (field.tag != SLUICE_TAG_MEDIA)
			continue;
		if (c->count == MEDIA_COUNT_MAX || sluice_wire_media_get(&field, &m->info) ||
		    m->info.index != c->count || !strcmp(m->info.name, "summary.json"))
			return -EPROTO;
		for (uint32_t i = 0; i < c->count; i++)
			if (!strcmp(c->media[i].info.name, m->info.name))
				return -EPROTO;
		if (m->info.size > MEDIA_BYTES_MAX - total)
			return -EPROTO;
		total += m->info.size;
		c->count++;
	}
	return 0;
}

static int write_file(int dir, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (size && !err) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

/* Directories down to .ID.part, and summary.json in it. 0, -EEXIST if ID is there, -errno. */
static int make_part(struct relay_downlink *dl, struct coming *c, const uint8_t *json,
		     uint32_t size)
{
	char *slash = strchr(c->day, '/');
	struct stat st;
	int fd;

	*slash = 0;
	fd = open_dir(dl->fd, c->day);
	*slash = '/';
	if (fd < 0)
		return -errno;
	c->day_fd = open_dir(fd, slash + 1);
	close(fd);
	if (c->day_fd < 0)
		return -errno;
	if (!fstatat(c->day_fd, c->id, &st, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	snprintf(c->part, sizeof(c->part), ".%.32s.part", c->id);
	remove_dir(c->day_fd, c->part);
	c->fd = open_dir(c->day_fd, c->part);
	return c->fd < 0 ? -errno : write_file(c->fd, "summary.json", json, size);
}

/* All files are there: sync, rename, announce. */
static int complete(struct relay_downlink *dl, struct coming *c)
{
	char path[PATH_MAX];

	if (fsync(c->fd) || renameat(c->day_fd, c->part, c->day_fd, c->id))
		return -errno;
	c->part[0] = 0; /* nothing to remove any more */
	if (fsync(c->day_fd) || fsync(dl->fd))
		return -errno;
	snprintf(path, sizeof(path), "%s/%s/%s", dl->path, c->day, c->id);
	if (dl->announce)
		dl->announce(dl->arg, path, c->id, c->camera);
	return 0;
}

/* Files of no bytes have no PART. */
static int finish_empty(struct coming *c)
{
	for (; c->file < c->count && !c->media[c->file].info.size; c->file++) {
		int err = write_file(c->fd, c->media[c->file].info.name, NULL, 0);

		if (err)
			return err;
		c->complete++;
	}
	return 0;
}

/* It ends, well or badly. */
static void settle(struct relay_downlink *dl, struct coming *c, int err,
		   struct relay_answer *answer)
{
	if (!err && c->complete == c->count)
		err = complete(dl, c);
	else if (!err)
		return; /* more PARTs to come */
	if (err == -EEXIST)
		err = 0;
	if (err)
		sluice_error("summary %s cannot be kept: %s", c->id,
			     err == -EILSEQ ? "a file is not what was announced (SHA-256)"
					    : strerror(-err));
	answer->answer = true;
	answer->status = err;
	memcpy(answer->id, c->id, sizeof(answer->id));
	drop_coming(c);
}

static struct coming *find_coming(struct relay_downlink *dl, const char *id)
{
	for (int i = 0; i < AT_ONCE; i++)
		if (!strcmp(dl->coming[i].id, id))
			return &dl->coming[i];
	return NULL;
}

/* A free place; if there is none, that of the oldest, which the cloud then sends again later. */
static struct coming *new_coming(struct relay_downlink *dl)
{
	struct coming *c = &dl->coming[0];

	for (int i = 0; i < AT_ONCE; i++) {
		if (!dl->coming[i].id[0])
			return &dl->coming[i];
		if (dl->coming[i].age < c->age)
			c = &dl->coming[i];
	}
	drop_coming(c);
	return c;
}

int relay_downlink_summary(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			   uint32_t length, struct relay_answer *answer)
{
	struct sluice_wire_fields f;
	const uint8_t *json;
	struct coming *c;
	uint32_t size;
	char id[33];
	int err;

	if (sluice_wire_fields_get(&f, payload, length, 1ull << SLUICE_TAG_MEDIA) ||
	    sluice_wire_get_text(&f, SLUICE_TAG_ID, id, sizeof(id)) || !sluice_wire_id_ok(id) ||
	    sluice_wire_get_bytes(&f, SLUICE_TAG_JSON, &json, &size))
		return -EPROTO;
	c = find_coming(dl, id);
	if (c)
		drop_coming(c); /* begun anew */
	c = new_coming(dl);
	memcpy(c->id, id, sizeof(c->id));
	c->age = ++dl->ages;
	if (read_json(c, camera, json, size) || read_media(c, payload, length)) {
		drop_coming(c);
		return -EPROTO;
	}
	err = make_part(dl, c, json, size);
	if (!err)
		err = finish_empty(c);
	settle(dl, c, err, answer);
	return 0;
}

/* ---- PART ---- */

static int open_media(struct coming *c, struct media *m)
{
	c->file_fd = openat(c->fd, m->info.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (c->file_fd < 0)
		return -errno;
	m->sha = EVP_MD_CTX_new();
	return m->sha && EVP_DigestInit_ex(m->sha, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

static int close_media(struct coming *c, struct media *m)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	int err = fsync(c->file_fd) ? -errno : 0;

	close_fd(&c->file_fd);
	if (err)
		return err;
	if (EVP_DigestFinal_ex(m->sha, digest, NULL) != 1 || memcmp(digest, m->info.sha256, 32))
		return -EILSEQ;
	c->complete++;
	c->file++;
	return finish_empty(c);
}

static int write_part(struct coming *c, struct media *m, const struct sluice_wire_part_info *p)
{
	const uint8_t *data = p->data;
	size_t left = p->size;
	int err = m->have ? 0 : open_media(c, m);

	while (left && !err) {
		ssize_t n = write(c->file_fd, data, left);

		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n > 0) {
			data += n;
			left -= (size_t)n;
		}
	}
	if (!err && EVP_DigestUpdate(m->sha, p->data, p->size) != 1)
		err = -ENOMEM;
	m->have += p->size;
	return !err && m->have == m->info.size ? close_media(c, m) : err;
}

int relay_downlink_part(struct relay_downlink *dl, const uint8_t *payload, uint32_t length,
			struct relay_answer *answer)
{
	struct sluice_wire_part_info p;
	struct coming *c;
	struct media *m;

	if (sluice_wire_part_get(payload, length, &p))
		return -EPROTO;
	c = find_coming(dl, p.id);
	if (!c)
		return 0; /* of one that was there already, or was given up */
	m = &c->media[p.index < c->count ? p.index : 0];
	if (p.index != c->file || p.offset != m->have || p.size > m->info.size - m->have)
		return -EPROTO;
	settle(dl, c, write_part(c, m, &p), answer);
	return 0;
}

/* ---- EVENT ---- */

int relay_downlink_event(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			 uint32_t length, bool print)
{
	struct sluice_wire_fields f;
	const uint8_t *json;
	uint32_t size;
	json_t *o;
	char *line;

	if (sluice_wire_fields_get(&f, payload, length, 0) ||
	    sluice_wire_get_bytes(&f, SLUICE_TAG_JSON, &json, &size))
		return -EPROTO;
	o = json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		return -EPROTO;
	}
	sluice_info("%s: an event has started", camera ? camera : "camera");
	/* printed anew, so that it is one line whatever the cloud sent */
	line = print ? json_dumps(o, JSON_COMPACT) : NULL;
	if (line) {
		printf("{\"event\":%s}\n", line);
		fflush(stdout);
	}
	free(line);
	json_decref(o);
	return 0;
}
