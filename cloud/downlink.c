// SPDX-License-Identifier: MIT
/*
 * downlink.c - summaries to the device, in order, each once per connection.
 *
 * A parcel waits until the connection has room, then SUMMARY and its PARTs go out; room ends at
 * SLUICE_HIGH_WATER, so an ACK waits behind at most that much media. Until SUMMARY_ACK the parcel
 * is remembered, so that it is not sent twice; a new connection begins with everything that the
 * index knows as not acknowledged. DONE stands in the same queue: what it follows has been sent.
 *
 * A device whose link broke tells in HELLO how far it has got with a summary (PARTIAL): its first
 * PART then begins there, once; a place that is not in that summary counts as none. A summary that
 * the device could not keep waits a minute and comes again, from its start; at once if it was gone
 * on with and did not have its SHA-256 in the end.
 *
 * Media that is missing or changed on disk: the summary is not sent and said to be damaged; the
 * others go on. Media, or a row of the index, that cannot be read now: it waits a minute as well.
 * From a remote store a file is brought by the reader's thread, and a row of a data base of another
 * machine by the desk (downlink_ask.c); meanwhile nothing else is sent down to this device.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_state.h"
#include "cloud/downlink_state.h"
#include "lib/log.h"
#include "lib/sha256.h"

#define MEDIA_MAX (64u << 20) /* bytes of one file */

unsigned int sluice_downlink_retry_s = 60;

static void add_parcel(struct sluice_session *ss, const struct sluice_parcel *from)
{
	struct sluice_parcel *p = malloc(sizeof(*p));

	if (!p) {
		sluice_session_goaway(ss, SLUICE_CODE_STORAGE, "out of memory", 5000);
		return;
	}
	*p = *from;
	p->next = NULL;
	if (ss->queue)
		ss->queue_last->next = p;
	else
		ss->queue = p;
	ss->queue_last = p;
}

static int list_has(const struct sluice_parcel *p, const char *id)
{
	for (; p; p = p->next)
		if (!p->done && !strcmp(p->id, id))
			return 1;
	return 0;
}

static void queue_summary(struct sluice_session *ss, const struct sluice_camera *c, const char *id)
{
	struct sluice_parcel p = { .camera = c };

	if ((ss->sending.parcel && list_has(ss->sending.parcel, id)) || list_has(ss->queue, id) ||
	    list_has(ss->unacked, id) || list_has(ss->failed, id))
		return;
	memcpy(p.id, id, sizeof(p.id));
	add_parcel(ss, &p);
}

void sluice_downlink_summary(struct sluice_session *ss, const struct sluice_camera *c,
			     const char *id)
{
	uint32_t slot = sluice_session_slot(ss, c);

	if (!slot || !ss->slot[slot].opened)
		return; /* queued from the index when the camera is opened */
	queue_summary(ss, c, id);
	sluice_downlink_pump(ss);
}

static int list_has_done(const struct sluice_parcel *p, const struct sluice_camera *c,
			 const struct sluice_done *d)
{
	for (; p; p = p->next)
		if (p->done && p->camera == c && p->epoch == d->epoch && p->lane == d->lane &&
		    p->range_first == d->range_first && p->range_last == d->range_last)
			return 1;
	return 0;
}

void downlink_queue_done(struct sluice_session *ss, const struct sluice_camera *c,
			 const struct sluice_done *d)
{
	struct sluice_parcel p = { .camera = c,
				   .done = 1,
				   .epoch = d->epoch,
				   .lane = d->lane,
				   .range_first = d->range_first,
				   .range_last = d->range_last };
	uint32_t slot = sluice_session_lane(ss, c, d->lane);

	if (!slot)
		return;
	if (list_has_done(ss->queue, c, d))
		return;
	ss->slot[slot].done = ss->slot[slot].closed && ss->slot[slot].epoch == d->epoch;
	add_parcel(ss, &p);
}

void sluice_downlink_done(struct sluice_session *ss, const struct sluice_camera *c,
			  const struct sluice_done *d)
{
	uint32_t slot = sluice_session_lane(ss, c, d->lane);

	if (!slot)
		return;
	if (ss->loop->server->bus->shared) {
		downlink_ask_slot(ss, slot, 0, d); /* behind what was told and not heard */
		return;
	}
	downlink_queue_done(ss, c, d);
	sluice_downlink_pump(ss);
}

static uint64_t begin_of(const char *id)
{
	char text[17];

	snprintf(text, sizeof(text), "%s", id);
	return strtoull(text, NULL, 16);
}

/* The index may have been asked before it knew that this one is acknowledged. */
void downlink_queue(struct sluice_session *ss, const struct sluice_camera *c, const char *id)
{
	uint64_t begin = begin_of(id);

	for (unsigned int i = 0; i < SLUICE_UNACKED_MAX; i++)
		if (ss->acked[i] == begin)
			return;
	queue_summary(ss, c, id);
}

void sluice_downlink_resend(struct sluice_session *ss, uint32_t slot)
{
	downlink_ask_slot(ss, slot, 0, NULL);
}

/* ---- what was told and not heard ---- */

#define LOOK_NS 15000000000ull

/* The bus carries news that nobody keeps, and the desk may not have answered; the index has what
 * they were of. */
void sluice_downlink_look(struct sluice_session *ss, uint64_t now_ns)
{
	const struct sluice_server *s = ss->loop->server;

	if ((!s->bus->shared && !s->api->desk) || now_ns < ss->looked_ns + LOOK_NS || ss->asks)
		return;
	ss->looked_ns = now_ns;
	for (uint32_t i = 1; i <= SLUICE_WIRE_SLOTS_ALL && ss->conn; i++)
		if (ss->slot[i].camera && ss->slot[i].opened)
			downlink_ask_slot(ss, i, 1, NULL);
}

/* ---- going on with one ---- */

void sluice_downlink_partial(struct sluice_session *ss, const uint8_t *hello, uint32_t length)
{
	struct sluice_wire_field f;
	uint32_t at = 0;

	while (sluice_wire_field_next(hello, length, &at, &f) > 0 &&
	       ss->partial_count < SLUICE_WIRE_PARTIALS)
		if (!sluice_wire_partial_get(&f, &ss->partial[ss->partial_count]))
			ss->partial_count++;
}

/* Where to begin: the device's place, if this summary has it; it is used once. */
static void choose_start(struct sluice_session *ss)
{
	struct sluice_sending *s = &ss->sending;
	unsigned int i;

	for (i = 0; i < ss->partial_count && strcmp(ss->partial[i].id, s->parcel->id); i++)
		;
	if (i == ss->partial_count)
		return;
	if (ss->partial[i].index < s->media_count &&
	    ss->partial[i].offset < s->media[ss->partial[i].index].size) {
		s->at = ss->partial[i].index;
		s->offset = ss->partial[i].offset;
		s->parcel->resumed = 1;
		sluice_info("summary %s goes on at %u/%" PRIu64, s->parcel->id,
			    ss->partial[i].index, ss->partial[i].offset);
	}
	ss->partial[i] = ss->partial[--ss->partial_count];
}

/* The device could not keep it, or (status 0) it cannot be had now. */
static void put_aside(struct sluice_session *ss, struct sluice_parcel *p, uint32_t status)
{
	bool again = p->resumed && status == EILSEQ;

	p->resumed = 0;
	if (again) {
		add_parcel(ss, p);
		free(p);
		return;
	}
	p->due_ns = sluice_io_now(ss->loop->io) + sluice_downlink_retry_s * 1000000000ull;
	p->next = ss->failed;
	ss->failed = p;
}

void sluice_downlink_retry(struct sluice_session *ss)
{
	struct sluice_parcel **at = &ss->failed, *p;
	uint64_t now = sluice_io_now(ss->loop->io);

	while ((p = *at)) {
		if (p->due_ns > now) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (ss->conn)
			queue_summary(ss, p->camera, p->id);
		free(p);
	}
	sluice_downlink_pump(ss);
}

/* ---- sending one summary ---- */

static void end_sending(struct sluice_session *ss, int sent)
{
	struct sluice_sending *s = &ss->sending;

	if (sent) {
		s->parcel->next = ss->unacked;
		ss->unacked = s->parcel;
		ss->unacked_count++;
	} else {
		free(s->parcel);
	}
	free(s->data);
	memset(s, 0, sizeof(*s));
}

/* The row: says SUMMARY and notes which files follow. */
static int say_summary(struct sluice_session *ss, const struct sluice_index_summary *row)
{
	struct sluice_sending *s = &ss->sending;
	struct sluice_wire_writer w = { .size = SLUICE_WIRE_CONTROL_MAX };
	struct iovec part;
	size_t i;

	w.buf = malloc(w.size);
	if (!w.buf)
		return -ENOMEM;
	sluice_wire_put_text(&w, SLUICE_TAG_ID, row->id);
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, row->json, strlen(row->json));
	for (i = 0; i < row->media_count; i++)
		sluice_wire_put_media(&w, (uint32_t)i, row->media[i].size, row->media[i].sha256,
				      row->media[i].name);
	if (!w.err) {
		memcpy(s->media, row->media, row->media_count * sizeof(s->media[0]));
		s->media_count = row->media_count;
		sluice_media_place(s->place, row->id, row->token);
		part = (struct iovec){ w.buf, w.used };
		sluice_session_send(ss, SLUICE_MSG_SUMMARY,
				    sluice_session_slot(ss, s->parcel->camera), &part, 1);
	}
	free(w.buf);
	return w.err ? -EMSGSIZE : 0;
}

/* One that is too long, or has been forgotten, does not come; any other waits. */
void downlink_begin(struct sluice_session *ss, const struct sluice_index_summary *row, int err)
{
	struct sluice_parcel *p = ss->sending.parcel;

	if (row)
		err = say_summary(ss, row);
	if (!err) {
		choose_start(ss);
		return;
	}
	if (err != -ECANCELED)
		sluice_error("summary %s of camera %s cannot be sent: %s", p->id, p->camera->name,
			     err == -EMSGSIZE ? "too long for one message" : strerror(-err));
	if (err != -ECANCELED && err != -EMSGSIZE && err != -ENOENT) {
		put_aside(ss, p, 0);
		ss->sending.parcel = NULL;
	}
	end_sending(ss, 0);
}

/* A file into memory, compared with what SUMMARY said. */
static int load_file(struct sluice_media *media, const struct sluice_camera *c, const char *place,
		     const struct sluice_index_media *m, uint8_t **data, size_t *size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int err = media->ops->get(media, c, place, m->name, MEDIA_MAX, data, size);

	if (err)
		return err;
	sluice_sha256(*data, *size, digest);
	return *size == m->size && !memcmp(digest, m->sha256, sizeof(digest)) ? 0 : -EUCLEAN;
}

/* ---- from a remote store ---- */

/* In the reader's thread, of a session that may end meanwhile: it then forgets the fetch, which
 * frees itself when it is done. */
struct sluice_fetch {
	struct sluice_job job;
	struct sluice_loop *loop;
	uint64_t session;
	const struct sluice_camera *camera;
	char place[SLUICE_MEDIA_PLACE];
	struct sluice_index_media file;
	int err;
	uint8_t *data;
	size_t size;
};

static struct sluice_fetch *fetch_of(struct sluice_job *j)
{
	return (void *)((char *)j - offsetof(struct sluice_fetch, job));
}

static void run_fetch(struct sluice_job *j)
{
	struct sluice_fetch *f = fetch_of(j);

	f->err = load_file(f->loop->server->media, f->camera, f->place, &f->file, &f->data,
			   &f->size);
}

static void fail_media(struct sluice_session *ss, int err);

static void fetch_done(struct sluice_job *j)
{
	struct sluice_fetch *f = fetch_of(j);
	struct sluice_session *ss = sluice_session_find(f->loop, f->session);

	if (ss && ss->sending.fetch == f) {
		ss->sending.fetch = NULL;
		if (j->cancelled || f->err) {
			fail_media(ss, j->cancelled ? -ECANCELED : f->err);
		} else {
			ss->sending.data = f->data;
			ss->sending.size = f->size;
			f->data = NULL;
		}
		sluice_downlink_pump(ss);
	}
	free(f->data);
	free(f);
}

static int start_fetch(struct sluice_session *ss)
{
	struct sluice_sending *s = &ss->sending;
	struct sluice_fetch *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->job = (struct sluice_job){ .run = run_fetch, .done = fetch_done, .io = ss->loop->io };
	f->loop = ss->loop;
	f->session = ss->id;
	f->camera = s->parcel->camera;
	memcpy(f->place, s->place, sizeof(f->place));
	f->file = s->media[s->at];
	err = sluice_slow_post(ss->loop->server->api->reader, &f->job);
	if (err) {
		free(f);
		return err;
	}
	s->fetch = f;
	return 0;
}

/* The present file: 0, also if it is under way (fetch). */
static int load_media(struct sluice_session *ss)
{
	struct sluice_sending *s = &ss->sending;
	struct sluice_media *media = ss->loop->server->media;

	if (media->remote)
		return start_fetch(ss);
	return load_file(media, s->parcel->camera, s->place, &s->media[s->at], &s->data, &s->size);
}

/* What is damaged stays so, and comes again when the device connects again; the rest before that.
 */
static void fail_media(struct sluice_session *ss, int err)
{
	struct sluice_sending *s = &ss->sending;
	const int damaged = err == -EUCLEAN || err == -ENOENT || err == -EBADMSG || err == -EFBIG;

	if (err != -ECANCELED)
		sluice_error("summary %s of camera %s: file %s %s (%s)%s", s->parcel->id,
			     s->parcel->camera->name, s->media[s->at].name,
			     damaged ? "is damaged" : "cannot be read now", strerror(-err),
			     damaged ? "; run sluice-cloud fsck" : "; trying again");
	if (err != -ECANCELED && !damaged) {
		put_aside(ss, s->parcel, 0);
		s->parcel = NULL;
	}
	end_sending(ss, 0);
}

/* One PART, or the step to the next file. */
static void send_part(struct sluice_session *ss)
{
	struct sluice_sending *s = &ss->sending;
	struct sluice_wire_part head;
	struct iovec parts[2] = { { &head, sizeof(head) } };
	size_t n;
	int err;

	if (s->at == s->media_count) {
		end_sending(ss, 1);
		return;
	}
	err = s->data ? 0 : load_media(ss);
	if (err) {
		fail_media(ss, err);
		return;
	}
	if (s->fetch)
		return;
	n = s->size - s->offset; /* an offset was within the size that is the same */
	if (n > SLUICE_WIRE_PART_MAX)
		n = SLUICE_WIRE_PART_MAX;
	if (n) {
		sluice_wire_part_put(&head, s->parcel->id, (uint32_t)s->at, s->offset);
		parts[1] = (struct iovec){ s->data + s->offset, n };
		sluice_session_send(ss, SLUICE_MSG_PART, sluice_session_slot(ss, s->parcel->camera),
				    parts, 2);
		s->offset += n;
	}
	if (s->offset == s->size) {
		free(s->data);
		s->data = NULL;
		s->offset = 0;
		s->at++;
	}
}

static void send_done(struct sluice_session *ss, const struct sluice_parcel *p)
{
	_Alignas(8) uint8_t buf[64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	uint32_t slot = sluice_session_lane(ss, p->camera, p->lane);
	struct iovec part;

	if (!slot)
		return;
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, p->epoch);
	if (p->lane)
		sluice_wire_put_range(&w, p->range_first, p->range_last);
	part = (struct iovec){ buf, w.used };
	sluice_session_send(ss, SLUICE_MSG_DONE, slot, &part, 1);
}

void sluice_downlink_pump(struct sluice_session *ss)
{
	while (ss->conn && sluice_conn_room(ss->conn)) {
		struct sluice_parcel *p = ss->queue;

		if (ss->sending.fetch || ss->sending.ask)
			return; /* goes on when it is here */
		if (ss->sending.parcel) {
			send_part(ss);
			continue;
		}
		if (!p || (!p->done && ss->unacked_count >= SLUICE_UNACKED_MAX))
			return;
		ss->queue = p->next;
		p->next = NULL;
		if (p->done) {
			send_done(ss, p);
			free(p);
		} else if (sluice_session_slot(ss, p->camera)) {
			ss->sending.parcel = p;
			downlink_ask_summary(ss);
		} else {
			free(p); /* its slot has another camera now; sent when it is opened again */
		}
	}
}

const struct sluice_camera *sluice_downlink_acked(struct sluice_session *ss, const char *id,
						  uint32_t status)
{
	struct sluice_parcel **at, *p = ss->sending.parcel;

	if (p && !strcmp(p->id, id))
		end_sending(ss, 1); /* the device needs no more of it */
	for (at = &ss->unacked; (p = *at); at = &p->next) {
		if (!strcmp(p->id, id)) {
			const struct sluice_camera *c = p->camera;

			*at = p->next;
			ss->unacked_count--;
			if (status) {
				put_aside(ss, p, status);
			} else {
				ss->acked[ss->acked_at++ % SLUICE_UNACKED_MAX] = begin_of(id);
				free(p);
			}
			return c;
		}
	}
	return NULL;
}

static void free_list(struct sluice_parcel *p)
{
	while (p) {
		struct sluice_parcel *next = p->next;

		free(p);
		p = next;
	}
}

void sluice_downlink_clear(struct sluice_session *ss)
{
	if (ss->sending.parcel)
		end_sending(ss, 0);
	free_list(ss->queue);
	free_list(ss->unacked);
	free_list(ss->failed);
	ss->queue = ss->queue_last = ss->unacked = ss->failed = NULL;
}
