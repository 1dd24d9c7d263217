// SPDX-License-Identifier: MIT
/* api_store.c - stored frames, exports and pins. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/api_state.h"
#include "cloud/exporter.h"
#include "cloud/shelf.h"
#include "lib/wire.h"

#define NOTE_MAX 500

static void get_export(struct sluice_call *c)
{
	static const char *const names[] = { "zip", "mp4", "manifest", "signature" };
	char format[SLUICE_NAME_MAX] = "zip";
	int err = sluice_call_name(c, "format", format);
	struct sluice_later *later;
	struct sluice_response busy = { 0 };
	unsigned int i;

	if (err && err != -ENOENT)
		return;
	for (i = 0; i < 4 && strcmp(format, names[i]) != 0; i++)
		;
	if (i == 4) {
		sluice_answer_problem(c, 400, "format is zip, mp4, manifest or signature");
		return;
	}
	if (!sluice_wire_id_ok(c->part[0])) {
		sluice_answer_problem(c, 404, NULL);
		return;
	}
	if (sluice_call_audit(c, c->who.tenant, "export", c->part[0], SLUICE_OK))
		return;
	later = sluice_http_later(c);
	if (!later) {
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	err = sluice_exporter_add(c->server->exporter, c->loop->io, later, &c->whose, c->part[0],
				  (enum sluice_export_format)i);
	if (!err)
		return;
	sluice_api_problem(&busy, 503, "other exports are being made; try again in a while");
	busy.retry_s = 10;
	sluice_http_answer(later, &busy);
}

/* ---- pins ---- */

/* The file of a pin may lie in a remote store, so the reader's thread puts it there. */
struct pin_job {
	struct sluice_job job;
	struct sluice_loop *loop;
	struct sluice_later *later;
	struct sluice_who who;
	struct sluice_whose whose;
	char address[64], id[33], note[NOTE_MAX + 1];
	int by, err; /* by: pin, by who; else unpin */
};

static struct pin_job *pin_of(struct sluice_job *j)
{
	return (void *)((char *)j - offsetof(struct pin_job, job));
}

static void run_pin(struct sluice_job *j)
{
	struct pin_job *p = pin_of(j);

	p->err = sluice_shelf_pin(&p->loop->server->api->shelf, &p->whose, p->id,
				  p->by ? p->who.name : NULL, p->note[0] ? p->note : NULL);
}

static void pin_done(struct sluice_job *j)
{
	struct pin_job *p = pin_of(j);
	struct sluice_response r = { 0 };
	struct sluice_call c = sluice_call_again(p->loop, &p->who, p->address, &r);

	snprintf(c.path, sizeof(c.path), "for %s", p->id);
	if (j->cancelled)
		sluice_answer_problem(&c, 503, "the server ends");
	else if (p->err)
		sluice_answer_error(&c, p->err);
	else if (!sluice_call_audit(&c, p->who.tenant, p->by ? "pin" : "unpin", p->id, SLUICE_OK))
		sluice_answer_nothing(&c);
	sluice_http_answer(p->later, &r);
	free(p);
}

static void pin(struct sluice_call *c, int by, const char *note)
{
	struct pin_job *p;

	if (!sluice_wire_id_ok(c->part[0])) {
		sluice_answer_error(c, -ENOENT);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	p->job = (struct sluice_job){ .run = run_pin, .done = pin_done, .io = c->loop->io };
	p->loop = c->loop;
	p->who = c->who;
	p->whose.tenant = p->who.tenant;
	p->whose.cameras = p->who.restricted ? p->who.cameras : NULL;
	p->by = by;
	snprintf(p->address, sizeof(p->address), "%s", c->address);
	snprintf(p->id, sizeof(p->id), "%s", c->part[0]);
	snprintf(p->note, sizeof(p->note), "%s", note ? note : "");
	p->later = sluice_http_later(c);
	if (!p->later) {
		sluice_answer_error(c, -ENOMEM);
		free(p);
	} else if (sluice_slow_post(c->server->api->reader, &p->job)) {
		sluice_http_later_drop(p->later, c);
		sluice_answer_problem(c, 503, "too many files are asked for at once; try again");
		c->out->retry_s = 1;
		free(p);
	}
}

static void put_pin(struct sluice_call *c)
{
	json_t *json = c->size ? sluice_call_object(c) : json_object(), *note;

	if (!json)
		return;
	note = json_object_get(json, "note");
	if (note && (!json_is_string(note) || json_string_length(note) > NOTE_MAX))
		sluice_answer_problem(c, 400, "note is a text of at most 500 bytes");
	else
		pin(c, 1, json_string_value(note));
	json_decref(json);
}

static void drop_pin(struct sluice_call *c)
{
	pin(c, 0, NULL);
}

/* ---- frames ---- */

struct event {
	uint8_t camera[16];
	char hex[33];
	uint64_t epoch, start_ns, end_ns;
	int found, open;
};

static int take_event(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	struct event *e = ctx;

	memcpy(e->camera, c->id, sizeof(e->camera));
	memcpy(e->hex, c->hex, sizeof(e->hex));
	e->epoch = s->epoch;
	e->start_ns = s->start_utc_ns;
	e->end_ns = s->end_utc_ns;
	e->found = 1;
	return 0;
}

struct listing {
	json_t *list;
	uint64_t epoch;
	struct sluice_index_place at; /* of the last row */
	unsigned int rows;
};

static int list_frame(void *ctx, const struct sluice_index_frame *f)
{
	struct listing *l = ctx;
	char sequence[24], utc[24];

	l->rows++;
	l->at = sluice_index_place(f);
	if (f->epoch != l->epoch)
		return 0;
	snprintf(sequence, sizeof(sequence), "%llu", (unsigned long long)f->sequence);
	snprintf(utc, sizeof(utc), "%llu", (unsigned long long)f->utc_ns);
	return json_array_append_new(l->list, json_pack("{s:s,s:s,s:i}", "sequence", sequence,
							"utc_ns", utc, "reason", f->reason))
		       ? -ENOMEM
		       : 0;
}

/* An event as it is now: one that goes on has an end that is not there yet. */
static int find_event(struct sluice_call *c, struct event *e)
{
	struct sluice_index *ix = c->index;
	int err = sluice_wire_id_ok(c->part[0])
			  ? ix->ops->summary_find(ix, &c->whose, c->part[0], take_event, e)
			  : -ENOENT;

	if (err != -ENOENT || !sluice_wire_id_ok(c->part[0]))
		return err;
	err = ix->ops->events_open(ix, &c->whose, c->part[0], take_event, e);
	e->open = 1;
	e->end_ns = sluice_utc_now();
	return err ? err : e->found ? 0 : -ENOENT;
}

#define CURSOR_MAX 72

/* A cursor is a place among the camera's frames. */
static int read_cursor(struct sluice_call *c, uint64_t from_ns, struct sluice_index_place *at)
{
	char text[CURSOR_MAX];
	int err = sluice_http_query(c->request, "cursor", text, sizeof(text)), end = 0;
	uint64_t sequence;

	*at = sluice_index_before(from_ns);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (strspn(text, "0123456789.") != strlen(text) ||
	    sscanf(text, "%19" SCNu64 ".%19" SCNu64 ".%19" SCNu64 "%n", &at->utc_ns, &at->epoch,
		   &sequence, &end) != 3 ||
	    text[end] || at->utc_ns > INT64_MAX || at->epoch > INT64_MAX || sequence > INT64_MAX)
		return -EINVAL;
	at->sequence = (int64_t)sequence;
	if (at->utc_ns < from_ns)
		*at = sluice_index_before(from_ns);
	return 0;
}

/* Where the player finds pictures; a cursor goes on, also in an event that is not over. */
static void get_event_frames(struct sluice_call *c)
{
	struct sluice_index *ix = c->index;
	int64_t limit = sluice_call_number(c, "limit", 500, 1, SLUICE_FRAMES_MAX);
	struct listing l = { .list = json_array() };
	struct event e = { 0 };
	bool first;
	char epoch[24], next[CURSOR_MAX];
	int err = l.list ? 0 : -ENOMEM, bad = limit < 0;

	if (!err && !bad)
		err = find_event(c, &e);
	if (!err && !bad)
		bad = read_cursor(
			c,
			e.start_ns > SLUICE_EXPORT_ROLL_NS ? e.start_ns - SLUICE_EXPORT_ROLL_NS : 0,
			&l.at);
	if (bad) {
		json_decref(l.list);
		sluice_answer_problem(c, 400,
				      "limit is 1..5000, cursor the next of the page before");
		return;
	}
	first = l.at.sequence < 0;
	l.epoch = e.epoch;
	if (!err)
		err = ix->ops->frames_between(ix, &c->whose, e.camera, &l.at,
					      e.end_ns + SLUICE_EXPORT_ROLL_NS, (unsigned int)limit,
					      list_frame, &l);
	if (err) {
		json_decref(l.list);
		sluice_answer_error(c, err);
		return;
	}
	if (first && sluice_call_audit(c, c->who.tenant, "frames", c->part[0], SLUICE_OK)) {
		json_decref(l.list);
		return;
	}
	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)e.epoch);
	if (l.at.sequence < 0) /* nothing yet: it begins where it began */
		next[0] = 0;
	else
		snprintf(next, sizeof(next), "%" PRIu64 ".%" PRIu64 ".%" PRId64, l.at.utc_ns,
			 l.at.epoch, l.at.sequence);
	sluice_answer_json(c, 200,
			   json_pack("{s:s,s:s,s:b,s:o,s:s*}", "camera_id", e.hex, "epoch", epoch,
				     "open", e.open, "frames", l.list, "next",
				     next[0] && (l.rows == (unsigned int)limit || e.open) ? next
											  : NULL));
}

const struct sluice_route sluice_api_store[] = {
	{ SLUICE_HTTP_GET, "/v1/events/{event}/export", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  get_export, "exportEvent" },
	{ SLUICE_HTTP_GET, "/v1/events/{event}/frames", SLUICE_VIEWER, SLUICE_SCOPE_MEDIA,
	  get_event_frames, "listEventFrames" },
	{ SLUICE_HTTP_PUT, "/v1/events/{event}/pin", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  put_pin, "pinEvent" },
	{ SLUICE_HTTP_DELETE, "/v1/events/{event}/pin", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  drop_pin, "unpinEvent" },
	{ 0 },
};
