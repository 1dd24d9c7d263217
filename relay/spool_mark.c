// SPDX-License-Identifier: MIT
/*
 * spool_mark.c - DIR/mark.json: what the segments do not say. Written beside it and renamed. It may
 * be old: then frames are sent again that the cloud knows. After a power failure one that was not
 * synced may be empty; the last one that was synced stays as mark.old beside it, and knows of all
 * that has been removed since. Without either, counts begin anew.
 *
 * {"version":1, "next":N, "sure":N, "cameras":[{"name", "mark", "stored", "rejected", "damaged",
 *  "evicted":{reason:N}, "evicted_event":[epoch,event]}],
 *  "runs":[{...}]}: runs that the cloud knows of and has not called done, and those that were
 *  parted from others after a crash (spool_scan.c).
 */
#include "relay/spool_private.h"
#include "lib/log.h"
#include "lib/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#define RESERVE (64u << 10)

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

static json_t *pack_camera(const struct spool_camera *c)
{
	json_t *evicted = json_object();

	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++)
		if (c->counts.evicted[i])
			json_object_set_new(evicted, sluice_reason_name(i),
					    json_integer((json_int_t)c->counts.evicted[i]));
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:[I,I]}", "name", c->name, "mark",
			 (json_int_t)c->mark, "stored", (json_int_t)c->counts.stored, "rejected",
			 (json_int_t)c->counts.rejected, "damaged", (json_int_t)c->counts.damaged,
			 "evicted", evicted, "evicted_event", (json_int_t)c->evicted_epoch,
			 (json_int_t)c->evicted_event);
}

static json_t *pack_run(const struct relay_spool *s, const struct relay_run *r)
{
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:[I,I],s:I,s:I,s:i,s:i,s:I,s:[I,I,I],s:I,s:I,s:b}",
			 "camera", s->camera[r->camera].name, "boot", r->boot, "epoch",
			 (json_int_t)r->epoch, "first", (json_int_t)r->first, "last",
			 (json_int_t)r->last, "lasts", (json_int_t)r->durable_last[SPOOL_MOTION],
			 (json_int_t)r->durable_last[SPOOL_FILLER], "first_ns",
			 (json_int_t)r->first_ns, "now_ns", (json_int_t)r->now_ns, "width",
			 (int)r->width, "height", (int)r->height, "format", (json_int_t)r->format,
			 "clock", (json_int_t)r->clock.monotonic, (json_int_t)r->clock.realtime,
			 (json_int_t)r->clock.uncertainty, "name", (json_int_t)r->name, "from",
			 (json_int_t)r->from, "told", (int)r->told);
}

static json_t *pack(const struct relay_spool *s)
{
	json_t *cameras = json_array(), *runs = json_array();

	for (int i = 0; i < RELAY_SPOOL_CAMERAS; i++)
		if (s->camera[i].name[0])
			json_array_append_new(cameras, pack_camera(&s->camera[i]));
	for (const struct relay_run *r = s->runs; r; r = r->next)
		if (r->told || r->from)
			json_array_append_new(runs, pack_run(s, r));
	return json_pack("{s:i,s:I,s:I,s:o,s:o}", "version", 1, "next",
			 (json_int_t)(s->next_number - s->writer.count), "sure",
			 (json_int_t)s->sure, "cameras", cameras, "runs", runs);
}

static int put_file(const char *path, const char *text, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, size) != (ssize_t)size)
		err = errno ? -errno : -EIO;
	if (!err && sync && fdatasync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* Zeros, not a hole: the room must be taken. */
static void make_reserve(struct relay_spool *s)
{
	static const char zeros[RESERVE];
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/reserve", s->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	s->reserved = write(fd, zeros, RESERVE) == RESERVE && !fdatasync(fd);
	close(fd);
	if (!s->reserved)
		unlink(path);
}

static int put_mark(struct relay_spool *s, const char *path, const char *text, bool sync)
{
	int err = put_file(path, text, sync);
	char reserve[PATH_MAX];

	if (err == -ENOSPC) {
		snprintf(reserve, sizeof(reserve), "%s/reserve", s->dir);
		if (unlink(reserve))
			return err;
		s->reserved = false;
		err = put_file(path, text, sync);
	}
	return err;
}

/*
 * The new mark is what a power failure leaves. Else both it and the removal of segments might be
 * taken back, and frames that were given up would come again behind others that the cloud has.
 */
static int sync_dir(const struct relay_spool *s)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int spool_mark_write(struct relay_spool *s, bool sync)
{
	char path[PATH_MAX], temp[PATH_MAX], old[PATH_MAX];
	json_t *json = pack(s);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int err = text ? 0 : -ENOMEM;

	snprintf(path, sizeof(path), "%s/mark.json", s->dir);
	snprintf(temp, sizeof(temp), "%s/mark.tmp", s->dir);
	snprintf(old, sizeof(old), "%s/mark.old", s->dir);
	errno = 0;
	sync |= !s->mark_safe; /* what was found at the start may be the only one that is durable */
	if (!err)
		err = put_mark(s, temp, text, sync);
	if (!err && !sync && s->mark_synced && rename(path, old))
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (!err)
		s->mark_synced = sync; /* its bytes, whatever becomes of its name */
	s->mark_safe |= !err && sync;
	if (!err && sync)
		err = sync_dir(s);
	s->parted &= err || !sync;
	s->dirty = err;
	free(text);
	json_decref(json);
	return err;
}

static void on_mark(void *arg)
{
	struct relay_spool *s = arg;

	spool_sweep(s, true);
	if (!s->reserved && s->state <= RELAY_SPOOL_EVICTING)
		make_reserve(s);
	if (s->dirty && spool_mark_write(s, false))
		spool_mark_soon(s);
}

void spool_mark_soon(struct relay_spool *s)
{
	s->dirty = true;
	if (!s->mark.set && !s->stopped)
		sluice_io_timer_in(s->conf.io, &s->mark, s->conf.mark_ms, on_mark, s);
}

/* ---- reading ---- */

static void read_camera(struct relay_spool *s, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	json_t *evicted = json_object_get(o, "evicted"), *event, *value;
	struct spool_camera *c;
	const char *key;
	int n = -1;

	if (name && name[0] && strlen(name) < sizeof(c->name))
		n = spool_camera_get(s, name);
	if (n < 0)
		return;
	c = &s->camera[n];
	c->mark = number(o, "mark");
	if (c->mark >= s->next_number)
		s->next_number = c->mark + 1;
	c->counts.stored = number(o, "stored");
	c->counts.rejected = number(o, "rejected");
	c->counts.damaged = number(o, "damaged");
	json_object_foreach (evicted, key, value) {
		enum sluice_reason reason = sluice_reason_find(key);

		if (reason != SLUICE_REASON_NONE && json_integer_value(value) > 0)
			c->counts.evicted[reason] = (uint64_t)json_integer_value(value);
	}
	event = json_object_get(o, "evicted_event");
	c->evicted_epoch = (uint64_t)json_integer_value(json_array_get(event, 0));
	c->evicted_event = (uint32_t)json_integer_value(json_array_get(event, 1));
}

static void read_run(struct relay_spool *s, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "camera"));
	const char *boot = json_string_value(json_object_get(o, "boot"));
	json_t *clock = json_object_get(o, "clock");
	struct relay_spool_record r = { .epoch = number(o, "epoch"),
					.run = number(o, "first"),
					.first_ns = number(o, "first_ns"),
					.time_ns = number(o, "now_ns"),
					.width = (uint16_t)number(o, "width"),
					.height = (uint16_t)number(o, "height"),
					.format = (uint32_t)number(o, "format") };
	int n = name ? spool_camera_find(s, name) : -1;
	struct relay_run *run;

	if (n < 0 || !boot || strlen(boot) >= sizeof(r.boot) || !r.width || !r.height ||
	    number(o, "last") < r.run || spool_run_find(s, (unsigned int)n, r.epoch, r.run))
		return;
	memcpy(r.boot, boot, strlen(boot));
	r.clock.monotonic = (uint64_t)json_integer_value(json_array_get(clock, 0));
	r.clock.realtime = (uint64_t)json_integer_value(json_array_get(clock, 1));
	r.clock.uncertainty = (uint64_t)json_integer_value(json_array_get(clock, 2));
	run = spool_run_add(s, (unsigned int)n, &r);
	if (!run)
		return;
	run->last = run->staged_last = number(o, "last");
	for (size_t i = 0; i < SPOOL_CLASSES; i++)
		run->durable_last[i] = (uint64_t)json_integer_value(
			json_array_get(json_object_get(o, "lasts"), i));
	run->durable = true;
	/* those of older versions were all told, and whole */
	run->told = !json_is_false(json_object_get(o, "told"));
	run->from = number(o, "from");
	run->name = run->from ? number(o, "name") : run->first;
}

static json_t *load(const struct relay_spool *s, const char *name)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (access(path, F_OK))
		return NULL;
	json = json_load_file(path, 0, &error);
	if (!json)
		sluice_warning("%s: %s; frames may be sent again", path, error.text);
	return json;
}

void spool_mark_read(struct relay_spool *s)
{
	json_t *json = load(s, "mark.json"), *item;
	size_t i;

	if (!json)
		json = load(s, "mark.old");
	if (number(json, "next") > s->next_number)
		s->next_number = number(json, "next");
	s->sure = number(json, "sure");
	json_array_foreach (json_object_get(json, "cameras"), i, item)
		read_camera(s, item);
	json_array_foreach (json_object_get(json, "runs"), i, item)
		read_run(s, item);
	json_decref(json);
}
