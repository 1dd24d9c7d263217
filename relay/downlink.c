// SPDX-License-Identifier: MIT
/*
 * A summary comes as SUMMARY (its JSON and a list of files) and PARTs. Here, in the loop's thread,
 * the messages are looked at and their order is kept; what touches the disk are jobs for the desk:
 * begin, part, leave (landing.c). When the last byte is there and durable, the cloud is told; a
 * crash at any point leads to the summary being sent again, and an id that is there already is
 * acknowledged at once.
 *
 * A disk that is full or a checksum that does not match ends that summary alone, with its errno in
 * the acknowledgement; the cloud tries it again later.
 *
 * A link that breaks leaves partial summaries. HELLO of the next one offers how far they are
 * durable, and the cloud goes on from there or begins at zero; any other place breaks the protocol.
 *
 * Jobs hold at most HOLD_BYTES or so: above it the connection is not read until half is written.
 */
#include "relay/downlink.h"
#include "lib/log.h"
#include "relay/desk.h"
#include "relay/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE	   2		/* summaries that come at the same time */
#define HOLD_BYTES (2u << 20)	/* that wait for the disk */
#define SWEEP_MS   (600 * 1000) /* retention is looked after */

/* One that is coming, as the messages tell. The landing is the desk's; it is freed by LEAVE. */
struct coming {
	struct relay_landing *landing; /* NULL: free */
	uint32_t index;		       /* what the next PART must be */
	uint64_t have;
	bool started;
	uint64_t age;
};

struct relay_downlink {
	struct relay_downlink_config conf;
	struct relay_store store;
	struct relay_desk *desk;
	char *path;
	struct coming coming[AT_ONCE];
	uint64_t ages;
	/* what was offered on this link, and what will be on the next */
	struct sluice_wire_partial offered[SLUICE_WIRE_PARTIALS], next[SLUICE_WIRE_PARTIALS];
	unsigned int offered_count, next_count;
	struct sluice_io_timer sweep;
	bool holding, closing;
};

/* ---- jobs ---- */

enum what { BEGIN, PART, LEAVE, SWEEP };

struct disk_job {
	struct relay_job job;
	struct relay_downlink *dl;
	enum what what;
	struct relay_landing *landing;
	uint32_t index;
	uint64_t offset;
	/* found by run() for done() */
	bool over;
	int err;
	struct sluice_wire_partial safe;
	size_t size;
	uint8_t data[];
};

static void run_job(struct relay_job *job)
{
	struct disk_job *j = (struct disk_job *)job;
	struct relay_landing *l = j->landing;
	bool was_over = l && (l->err || l->complete);

	switch (j->what) {
	case BEGIN:
		relay_landing_begin(&j->dl->store, l);
		break;
	case PART:
		relay_landing_part(&j->dl->store, l, j->index, j->offset, j->data, j->size);
		break;
	case LEAVE:
		relay_landing_leave(l);
		break;
	case SWEEP:
		relay_retention_sweep(j->dl->conf.retention, &j->dl->store, j->dl->conf.sinks);
		break;
	}
	if (!l)
		return;
	j->over = !was_over && (l->err || l->complete);
	j->err = l->err;
	j->safe = l->safe;
	if (j->over && l->complete) /* even if its name may not be durable yet */
		relay_sinks_announce(j->dl->conf.sinks, l->id, l->day);
}

static struct coming *find_coming(struct relay_downlink *dl, const char *id)
{
	for (int i = 0; i < AT_ONCE; i++)
		if (dl->coming[i].landing && !strcmp(dl->coming[i].landing->id, id))
			return &dl->coming[i];
	return NULL;
}

/* Remember how far a summary is durable; no place: forget it. */
static void note_safe(struct relay_downlink *dl, const char *id,
		      const struct sluice_wire_partial *safe)
{
	unsigned int i;

	for (i = 0; i < dl->next_count && strcmp(dl->next[i].id, id); i++)
		;
	if (!safe || (!safe->index && !safe->offset)) {
		if (i < dl->next_count)
			dl->next[i] = dl->next[--dl->next_count];
		return;
	}
	if (i == SLUICE_WIRE_PARTIALS)
		i = SLUICE_WIRE_PARTIALS - 1; /* the rest is begun anew */
	dl->next[i] = *safe;
	if (i == dl->next_count)
		dl->next_count++;
}

static void put_job(struct relay_downlink *dl, enum what what, struct relay_landing *l,
		    const struct sluice_wire_part_info *p);

static void leave(struct relay_downlink *dl, struct coming *c)
{
	struct relay_landing *l = c->landing;

	memset(c, 0, sizeof(*c));
	put_job(dl, LEAVE, l, NULL);
}

static void tell_over(struct relay_downlink *dl, const struct disk_job *j)
{
	const struct relay_landing *l = j->landing;
	int err = j->err == -EEXIST ? 0 : j->err;
	char path[PATH_MAX];

	if (err)
		sluice_error("summary %s cannot be kept: %s", l->id,
			     err == -EILSEQ ? "a file is not what was announced (SHA-256)"
					    : strerror(-err));
	if (!j->err && dl->conf.announce && !dl->closing) {
		snprintf(path, sizeof(path), "%s/%s/%s", dl->path, l->day, l->id);
		dl->conf.announce(dl->conf.arg, path, l->id, l->camera);
	}
	if (!dl->closing)
		dl->conf.answer(dl->conf.arg, l->id, err);
}

static void done_job(struct relay_job *job)
{
	struct disk_job *j = (struct disk_job *)job;
	struct relay_downlink *dl = j->dl;
	struct relay_landing *l = j->landing;
	struct coming *c;
	bool last;

	if (dl->holding && relay_desk_bytes(dl->desk) < HOLD_BYTES / 2) {
		dl->holding = false;
		if (!dl->closing)
			dl->conf.hold(dl->conf.arg, false);
	}
	if (l) {
		note_safe(dl, l->id, j->err || j->over ? NULL : &j->safe);
		c = find_coming(dl, l->id);
		last = j->over && c && c->landing == l;
		if (last)
			memset(c, 0, sizeof(*c));
		if (j->over)
			tell_over(dl, j);
		if (last)
			put_job(dl, LEAVE, l, NULL);
		else if (j->what == LEAVE)
			relay_landing_free(l);
	}
	free(j);
}

static void put_job(struct relay_downlink *dl, enum what what, struct relay_landing *l,
		    const struct sluice_wire_part_info *p)
{
	size_t size = p ? p->size : 0;
	struct disk_job *j = calloc(1, sizeof(*j) + size);

	if (!j) {
		/* The landing stays behind with its directory; the cloud sends it again. */
		sluice_error("out of memory");
		return;
	}
	j->job.run = run_job;
	j->job.done = done_job;
	j->job.bytes = sizeof(*j) + size;
	j->dl = dl;
	j->what = what;
	j->landing = l;
	if (p) {
		j->index = p->index;
		j->offset = p->offset;
		j->size = size;
		memcpy(j->data, p->data, size);
	}
	relay_desk_put(dl->desk, &j->job);
	if (!dl->holding && dl->conf.hold && relay_desk_bytes(dl->desk) > HOLD_BYTES) {
		dl->holding = true;
		dl->conf.hold(dl->conf.arg, true);
	}
}

/* ---- open and close ---- */

static void on_sweep(void *arg)
{
	struct relay_downlink *dl = arg;

	put_job(dl, SWEEP, NULL, NULL);
	sluice_io_timer_in(dl->conf.io, &dl->sweep, SWEEP_MS, on_sweep, dl);
}

static int stage(void *arg, const char *id, const char *day)
{
	struct relay_downlink *dl = arg;

	return relay_sinks_stage(dl->conf.sinks, id, day);
}

/* From the desk's thread. */
static void make_room(void *arg)
{
	struct relay_downlink *dl = arg;

	relay_retention_sweep(dl->conf.retention, &dl->store, dl->conf.sinks);
}

static int open_store(struct relay_downlink *dl)
{
	const struct relay_retention *r = dl->conf.retention;
	int fd = relay_tree_open(AT_FDCWD, dl->conf.state);
	int err = fd < 0 ? -errno : 0;

	dl->store = (struct relay_store){ .fd = -1, .path = dl->path, .stage = stage, .arg = dl };
	if (r) {
		dl->store.free_bytes = r->free_bytes;
		dl->store.partial_s = (unsigned int)(r->partial_ms / 1000);
		dl->store.make_room = make_room;
	}
	if (err)
		return err;
	dl->store.fd = relay_tree_open(fd, "summaries");
	if (dl->store.fd < 0 || faccessat(dl->store.fd, ".", W_OK, AT_EACCESS))
		err = -errno;
	close(fd);
	return err;
}

struct relay_downlink *relay_downlink_open(const struct relay_downlink_config *c, int *err)
{
	struct relay_downlink *dl = calloc(1, sizeof(*dl));
	size_t size = strlen(c->state) + sizeof("/summaries");

	*err = -ENOMEM;
	if (!dl)
		return NULL;
	dl->conf = *c;
	dl->store.fd = -1;
	dl->path = malloc(size);
	if (!dl->path)
		goto fail;
	snprintf(dl->path, size, "%s/summaries", c->state);
	*err = open_store(dl);
	if (*err)
		goto fail;
	dl->next_count = relay_landing_scan(&dl->store, dl->next, SLUICE_WIRE_PARTIALS);
	dl->desk = relay_desk_open(c->io, err);
	if (!dl->desk)
		goto fail;
	if (c->io && c->retention)
		on_sweep(dl);
	return dl;
fail:
	relay_downlink_close(dl);
	return NULL;
}

bool relay_downlink_idle(const struct relay_downlink *dl)
{
	for (int i = 0; i < AT_ONCE; i++)
		if (dl->coming[i].landing)
			return false;
	return true;
}

void relay_downlink_link_lost(struct relay_downlink *dl)
{
	for (int i = 0; dl && i < AT_ONCE; i++)
		if (dl->coming[i].landing)
			leave(dl, &dl->coming[i]);
	if (dl) {
		dl->offered_count = 0;
		dl->holding = false; /* the next connection is read until it, too, is too fast */
	}
}

void relay_downlink_close(struct relay_downlink *dl)
{
	if (!dl)
		return;
	dl->closing = true;
	if (dl->conf.io)
		sluice_io_timer_cancel(dl->conf.io, &dl->sweep);
	relay_downlink_link_lost(dl);
	relay_desk_close(dl->desk);
	if (dl->store.fd >= 0)
		close(dl->store.fd);
	free(dl->path);
	free(dl);
}

void relay_downlink_offer(struct relay_downlink *dl, struct sluice_wire_writer *w)
{
	memcpy(dl->offered, dl->next, sizeof(dl->offered));
	dl->offered_count = dl->next_count;
	for (unsigned int i = 0; i < dl->offered_count; i++) {
		sluice_debug("summary %s is here up to byte %" PRIu64 " of file %u",
			     dl->offered[i].id, dl->offered[i].offset, dl->offered[i].index);
		sluice_wire_put_partial(w, &dl->offered[i]);
	}
}

/* ---- SUMMARY ---- */

/* A free place; if there is none, that of the oldest, which the cloud then sends again later. */
static struct coming *new_coming(struct relay_downlink *dl)
{
	struct coming *c = &dl->coming[0];

	for (int i = 0; i < AT_ONCE; i++) {
		if (!dl->coming[i].landing)
			return &dl->coming[i];
		if (dl->coming[i].age < c->age)
			c = &dl->coming[i];
	}
	leave(dl, c);
	return c;
}

static void pass_empty(struct coming *c)
{
	while (c->index < c->landing->count && !c->landing->media[c->index].size)
		c->index++;
}

int relay_downlink_summary(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			   uint32_t length)
{
	struct relay_landing *l = relay_landing_new();
	struct coming *c;
	int err = l ? relay_landing_read(l, camera, payload, length) : -ENOMEM;

	if (err) {
		relay_landing_free(l);
		return -EPROTO;
	}
	c = find_coming(dl, l->id);
	if (c)
		leave(dl, c); /* begun anew */
	c = new_coming(dl);
	c->landing = l;
	c->age = ++dl->ages;
	pass_empty(c);
	put_job(dl, BEGIN, l, NULL);
	return 0;
}

/* ---- PART ---- */

/* The first PART of a summary may stand where this link's HELLO offered to go on. */
static bool was_offered(struct relay_downlink *dl, const struct sluice_wire_part_info *p)
{
	for (unsigned int i = 0; i < dl->offered_count; i++)
		if (!strcmp(dl->offered[i].id, p->id))
			return dl->offered[i].index == p->index &&
			       dl->offered[i].offset == p->offset;
	return false;
}

int relay_downlink_part(struct relay_downlink *dl, const uint8_t *payload, uint32_t length)
{
	struct sluice_wire_part_info p;
	struct coming *c;
	uint64_t size;

	if (sluice_wire_part_get(payload, length, &p))
		return -EPROTO;
	c = find_coming(dl, p.id);
	if (!c)
		return 0; /* of one that was there already, or was given up */
	if (!c->started && was_offered(dl, &p)) {
		c->index = p.index;
		c->have = p.offset;
	}
	c->started = true;
	if (p.index >= c->landing->count || p.index != c->index || p.offset != c->have)
		return -EPROTO;
	size = c->landing->media[p.index].size;
	if (c->have > size || p.size > size - c->have)
		return -EPROTO;
	c->have += p.size;
	if (c->have == size) {
		c->index++;
		c->have = 0;
		pass_empty(c);
	}
	put_job(dl, PART, c->landing, &p);
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
	line = json_dumps(o, JSON_COMPACT);
	if (line && print) {
		printf("{\"event\":%s}\n", line);
		fflush(stdout);
	}
	if (line && camera)
		relay_sinks_event(dl->conf.sinks, camera, line);
	free(line);
	json_decref(o);
	return 0;
}
