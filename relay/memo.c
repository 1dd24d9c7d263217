// SPDX-License-Identifier: MIT
/*
 * A memo is a small JSON file, written beside, synced and renamed: the old or the new one is there,
 * whenever the machine stops. A pause counts from the moment it is asked for; the cloud hears of it
 * once it is durable, so that what it was told survives a restart.
 *
 * Pauses are numbers of records of one ring. A ring that was made anew has none of them: a camera
 * that is paused then is so from the new ring's first record.
 */
#include "relay/memo.h"
#include "lib/log.h"
#include "relay/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX 4096

struct save_job {
	struct relay_job job;
	const struct relay_memos *memos;
	struct relay_memo memo;
	void (*done)(void *arg, int err);
	void *arg;
	int err;
};

/* ---- reading ---- */

static void copy_text(char *to, size_t size, const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	snprintf(to, size, "%s", text && strlen(text) < size ? text : "");
}

static uint64_t read_u64(const json_t *v)
{
	const char *text = json_string_value(v);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void read_memo(struct relay_memo *memo, const json_t *o)
{
	json_t *list = json_object_get(o, "pauses"), *p;
	size_t i;

	copy_text(memo->gate, sizeof(memo->gate), o, "gate");
	copy_text(memo->map, sizeof(memo->map), o, "map");
	memo->paused = json_is_true(json_object_get(o, "paused"));
	memo->paused_ns = read_u64(json_object_get(o, "paused_ns"));
	memo->map_version = (uint32_t)json_integer_value(json_object_get(o, "map_version"));
	memo->map_crc = (uint32_t)json_integer_value(json_object_get(o, "map_crc"));
	memo->pauses = 0;
	json_array_foreach (list, i, p)
		if (i < RELAY_PAUSES)
			memo->pause[memo->pauses++] =
				(struct relay_pause){ read_u64(json_array_get(p, 0)),
						      read_u64(json_array_get(p, 1)) };
}

static void read_file(struct relay_memos *m, const char *name)
{
	size_t length = strlen(name);
	char path[sizeof(m->dir) + 300], camera[SLUICE_CAMERA_NAME_SIZE];
	struct relay_memo *memo;
	json_error_t why;
	struct stat st;
	json_t *o;

	if (length <= 5 || strcmp(name + length - 5, ".json") || length - 5 >= sizeof(camera))
		return;
	snprintf(camera, sizeof(camera), "%.*s", (int)(length - 5), name);
	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	o = stat(path, &st) || st.st_size > FILE_MAX ? NULL : json_load_file(path, 0, &why);
	memo = json_is_object(o) ? relay_memo_get(m, camera) : NULL;
	if (memo)
		read_memo(memo, o);
	else
		sluice_warning("%s cannot be read; the camera is not paused by it", path);
	json_decref(o);
}

void relay_memos_open(struct relay_memos *m, const char *state, struct relay_desk *desk)
{
	struct dirent *e;
	DIR *d;

	memset(m, 0, sizeof(*m));
	m->desk = desk;
	relay_boot_id(m->boot, sizeof(m->boot));
	snprintf(m->dir, sizeof(m->dir), "%s/control", state);
	d = opendir(m->dir);
	while (d && (e = readdir(d)))
		read_file(m, e->d_name);
	if (d)
		closedir(d);
}

/* ---- the table ---- */

struct relay_memo *relay_memo_get(struct relay_memos *m, const char *camera)
{
	struct relay_memo *place = NULL;

	for (unsigned int i = 0; i < RELAY_MEMOS; i++) {
		if (!strcmp(m->memo[i].camera, camera))
			return &m->memo[i];
		if (!m->memo[i].camera[0] && !place)
			place = &m->memo[i];
	}
	if (place)
		snprintf(place->camera, sizeof(place->camera), "%s", camera);
	return place;
}

void relay_memo_gate(const struct relay_memos *m, const struct relay_camera *c,
		     char out[RELAY_GATE_ID])
{
	out[0] = 0;
	if (c->attached)
		snprintf(out, RELAY_GATE_ID, "%.8s-%" PRIx64, m->boot,
			 (uint64_t)c->ring.ctrl->boot_time_ns);
}

void relay_memo_attached(struct relay_memos *m, struct relay_camera *c)
{
	struct relay_memo *memo = relay_memo_get(m, c->name);
	char gate[RELAY_GATE_ID];

	if (!memo)
		return;
	relay_memo_gate(m, c, gate);
	if (!strcmp(gate, memo->gate)) {
		memcpy(c->pause, memo->pause, sizeof(c->pause));
		c->pauses = memo->pauses;
	} else if (memo->paused) {
		c->pause[0] = (struct relay_pause){ 0, UINT64_MAX };
		c->pauses = 1;
	}
	if (memo->paused)
		sluice_info("%s: paused by request: its frames are dropped", c->name);
	relay_camera_pass_paused(c);
}

/* ---- writing ---- */

static json_t *memo_json(const struct relay_memo *memo)
{
	json_t *list = json_array(), *o;
	char first[24], last[24];

	for (unsigned int i = 0; i < memo->pauses; i++) {
		snprintf(first, sizeof(first), "%" PRIu64, memo->pause[i].first);
		snprintf(last, sizeof(last), "%" PRIu64, memo->pause[i].last);
		json_array_append_new(list, json_pack("[s,s]", first, last));
	}
	snprintf(first, sizeof(first), "%" PRIu64, memo->paused_ns);
	o = json_pack("{s:s,s:b,s:s,s:o,s:s,s:I,s:I}", "gate", memo->gate, "paused", memo->paused,
		      "paused_ns", first, "pauses", list, "map", memo->map, "map_version",
		      (json_int_t)memo->map_version, "map_crc", (json_int_t)memo->map_crc);
	return o;
}

static int write_all(int fd, const char *text)
{
	size_t size = strlen(text);
	int err = 0;

	if (write(fd, text, size) != (ssize_t)size || fsync(fd))
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

static int write_memo(const struct relay_memos *m, const struct relay_memo *memo)
{
	char path[sizeof(m->dir) + 64], part[sizeof(path) + 8];
	json_t *o = memo_json(memo);
	char *text = json_dumps(o, JSON_COMPACT);
	int fd, err = text ? 0 : -ENOMEM;

	snprintf(path, sizeof(path), "%s/%s.json", m->dir, memo->camera);
	snprintf(part, sizeof(part), "%s.part", path);
	if (!err && mkdir(m->dir, 0750) && errno != EEXIST)
		err = -errno;
	if (!err) {
		errno = 0;
		fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
		err = fd < 0 ? -errno : write_all(fd, text);
		if (!err && rename(part, path))
			err = -errno;
		if (!err)
			err = sync_dir(m->dir);
	}
	free(text);
	json_decref(o);
	return err;
}

static void run_save(struct relay_job *job)
{
	struct save_job *j = (struct save_job *)job;

	j->err = write_memo(j->memos, &j->memo);
}

static void done_save(struct relay_job *job)
{
	struct save_job *j = (struct save_job *)job;

	if (j->err)
		sluice_error("%s: cannot write %s: %s", j->memo.camera, j->memos->dir,
			     strerror(-j->err));
	if (j->done)
		j->done(j->arg, j->err);
	free(j);
}

int relay_memo_save(struct relay_memos *m, const struct relay_camera *c,
		    void (*done)(void *arg, int err), void *arg)
{
	struct relay_memo *memo = relay_memo_get(m, c->name);
	struct save_job *j = memo ? calloc(1, sizeof(*j)) : NULL;
	struct timespec now;

	if (!j)
		return -ENOMEM;
	clock_gettime(CLOCK_REALTIME, &now);
	relay_memo_gate(m, c, memo->gate);
	if (relay_camera_paused(c) && !memo->paused)
		memo->paused_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	memo->paused = relay_camera_paused(c);
	memcpy(memo->pause, c->pause, sizeof(memo->pause));
	memo->pauses = c->pauses;
	*j = (struct save_job){ .job = { .run = run_save, .done = done_save },
				.memos = m,
				.memo = *memo,
				.done = done,
				.arg = arg };
	relay_desk_put(m->desk, &j->job);
	return 0;
}
