// SPDX-License-Identifier: MIT
/*
 * session.c - the life of one device's uplink, and what the cloud says on it; what the device says
 * is in uplink.c, summaries in downlink.c. sluice/wire.h is the contract.
 *
 * The connection has a verified certificate that names tenant and device; nothing that the device
 * says about itself is believed beyond that. The same device connecting again replaces its older
 * session: the link it believes in is the newest one.
 *
 * Credit: granted = released + window, released when the bus has the chunk; the window shrinks as
 * the queue fills. While too much waits, or nothing can be stored, nothing is granted; the watch
 * grants again when that is over.
 *
 * A device that sends faster than [limits] allows, or more control messages, is not read from until
 * its bucket has filled again: TCP holds it, nothing is lost. One that begins a message and lets it
 * trickle is sent away, as is one that does not say HELLO.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_state.h"
#include "cloud/badge.h"
#include "cloud/conf.h"
#include "cloud/desire.h"
#include "cloud/session.h"
#include "lib/crc32c.h"
#include "lib/log.h"

#define SLOW_S	     30
#define ELSEWHERE_MS 500 /* with a time to stay away a device tries its other addresses first */

/* ---- sending ---- */

/* Its cameras are out of sight, unless a newer link of the device has them. */
static void tell_leaving(struct sluice_session *ss)
{
	const struct sluice_session_request *who = &ss->who;
	int i;

	if (sluice_roster_find(ss->loop->server->roster, who->tenant, who->device) != ss->id)
		return;
	for (i = 1; i <= SLUICE_WIRE_SLOTS; i++)
		if (ss->slot[i].camera)
			sluice_stream_camera(ss->loop->server->api->stream, ss->slot[i].camera,
					     "offline");
}

/* The connection is ending; its close() still comes, to the client, which ends the session. */
void sluice_session_leave(struct sluice_session *ss)
{
	if (ss->conn && ss->greeted)
		tell_leaving(ss);
	ss->conn = NULL;
	sluice_io_timer_cancel(ss->loop->io, &ss->heartbeat);
	if (ss->greeted)
		sluice_roster_leave(ss->loop->server->roster, ss->who.tenant, ss->who.device,
				    ss->id);
}

void sluice_session_send(struct sluice_session *ss, uint8_t type, uint32_t slot,
			 const struct iovec *part, unsigned int parts)
{
	struct sluice_wire_message m = { .type = type, .slot = slot, .sequence = ss->sent++ };
	struct sluice_wire_header header;
	struct iovec iov[4] = { { &header, sizeof(header) } };
	uint32_t crc = 0;
	unsigned int i;

	if (!ss->conn || parts > 3)
		return;
	for (i = 0; i < parts; i++) {
		crc = sluice_crc32c(crc, part[i].iov_base, part[i].iov_len);
		m.length += (uint32_t)part[i].iov_len;
		iov[i + 1] = part[i];
	}
	sluice_wire_header_put(&header, &m, crc);
	if (sluice_conn_send(ss->conn, iov, parts + 1) == -ENOBUFS) {
		sluice_conn_abort(ss->conn, "the device does not read what it is sent");
		sluice_session_leave(ss);
	}
}

void sluice_session_fields(struct sluice_session *ss, uint8_t type, uint32_t slot,
			   const struct sluice_wire_writer *w)
{
	struct iovec part = { w->buf, w->used };

	if (!w->err)
		sluice_session_send(ss, type, slot, &part, 1);
}

void sluice_session_goaway(struct sluice_session *ss, uint32_t code, const char *text,
			   uint32_t retry_ms)
{
	_Alignas(8) uint8_t buf[512];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	if (!ss->conn)
		return;
	sluice_debug("device %s: goaway %u: %s", ss->who.device, code, text);
	if (code <= SLUICE_N_GOAWAY_LAST - SLUICE_N_GOAWAY)
		sluice_count(&ss->loop->server->counters, SLUICE_N_GOAWAY + code, 1);
	sluice_wire_put_u32(&w, SLUICE_TAG_CODE, code);
	sluice_wire_put_text(&w, SLUICE_TAG_TEXT, text);
	sluice_wire_put_u32(&w, SLUICE_TAG_RETRY_MS, retry_ms);
	sluice_session_fields(ss, SLUICE_MSG_GOAWAY, 0, &w);
	if (ss->conn)
		sluice_conn_shutdown(ss->conn);
	sluice_session_leave(ss);
}

/*
 * The fuller the queue, the less each device gets, but never less than one frame: of nobody more is
 * promised than can be kept, and a large frame need not wait for ever. Nothing at all while the
 * queue is full, or the store cannot take anything.
 */
uint32_t sluice_session_window(struct sluice_server *s)
{
	uint64_t window = s->c.conf->limits.credit, share;
	size_t fill = sluice_server_fill(s);
	unsigned int devices = sluice_roster_count(s->roster);

	if (fill > SLUICE_FILL_GRANT || sluice_ingest_error(s->ingest))
		return 0;
	window -= window * fill / SLUICE_FILL_GRANT;
	share = SLUICE_UNDER_WAY / (devices ? devices : 1);
	if (window > share)
		window = share;
	if (window < SLUICE_FRAME_MAX)
		window = SLUICE_FRAME_MAX;
	if (window > s->c.conf->limits.credit)
		window = s->c.conf->limits.credit;
	return (uint32_t)window;
}

void sluice_session_grant(struct sluice_session *ss)
{
	_Alignas(8) uint8_t buf[32];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_server *s = ss->loop->server;
	uint32_t window = sluice_session_window(s);
	uint64_t credit = ss->released + window;

	if (!ss->greeted)
		return;
	if (!window && !ss->starved && ss->granted - ss->received < SLUICE_FRAME_MAX) {
		ss->starved = 1;
		sluice_count(&s->counters, SLUICE_N_CREDIT_STALLED, 1);
	}
	if (!window || credit < ss->granted + window / 4)
		return;
	ss->starved = 0;
	ss->granted = credit;
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, credit);
	sluice_session_fields(ss, SLUICE_MSG_CREDIT, 0, &w);
}

void sluice_session_hold(struct sluice_session *ss, enum sluice_counter why)
{
	if (ss->paused || !ss->conn)
		return;
	ss->paused = 1;
	sluice_conn_pause(ss->conn, true);
	sluice_count(&ss->loop->server->counters, why, 1);
}

static void send_stored(struct sluice_session *ss, const struct sluice_told *t)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, t->epoch);
	sluice_wire_put_u32(&w, SLUICE_TAG_STAGE, SLUICE_STAGE_STORED);
	sluice_wire_put_u64(&w, SLUICE_TAG_CUMULATIVE, t->value);
	sluice_session_fields(ss, SLUICE_MSG_ACK, t->slot, &w);
}

static void send_opened(struct sluice_session *ss, const struct sluice_told *t)
{
	_Alignas(8) uint8_t buf[64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_slot *slot = &ss->slot[t->slot];

	if (slot->epoch != t->epoch)
		return; /* opened anew meanwhile; its own answer follows */
	slot->opened = 1;
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, t->epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_RESUME, t->value);
	sluice_session_fields(ss, SLUICE_MSG_OPENED, t->slot, &w);
	sluice_downlink_resend(ss, t->slot);
}

void sluice_session_told(struct sluice_session *ss, const struct sluice_told *t)
{
	if (!ss->conn && t->kind != SLUICE_TOLD_RELEASED)
		return;
	switch (t->kind) {
	case SLUICE_TOLD_OPENED:
		send_opened(ss, t);
		break;
	case SLUICE_TOLD_STORED:
		send_stored(ss, t);
		break;
	case SLUICE_TOLD_RELEASED:
		ss->released += t->bytes;
		ss->items -= t->items;
		if (ss->conn)
			sluice_session_grant(ss);
		break;
	case SLUICE_TOLD_FAILED:
		if (t->err == -EDQUOT)
			sluice_session_goaway(ss, SLUICE_CODE_LIMIT, "too many camera names",
					      60000);
		else
			sluice_session_goaway(ss, SLUICE_CODE_STORAGE, "cannot store now", 5000);
		break;
	}
}

/* ---- life ---- */

static void on_no_hello(void *arg)
{
	sluice_session_goaway(arg, SLUICE_CODE_PROTOCOL, "no HELLO in time", 1000);
}

/* The lowest bits of a session's number are its loop's. */
struct sluice_loop *sluice_session_loop(struct sluice_server *s, uint64_t id)
{
	return &s->loops[id % SLUICE_LOOPS_MAX % s->loop_count];
}

static struct sluice_session **id_bucket(struct sluice_loop *l, uint64_t id)
{
	return &l->by_id[id / SLUICE_LOOPS_MAX % SLUICE_SESSION_BUCKETS];
}

struct sluice_session *sluice_session_find(struct sluice_loop *l, uint64_t id)
{
	struct sluice_session *ss = *id_bucket(l, id);

	while (ss && ss->id != id)
		ss = ss->next_id;
	return ss;
}

struct sluice_session *sluice_session_open(struct sluice_loop *l, struct sluice_conn *conn,
					   const struct sluice_session_request *r, int *err)
{
	struct sluice_server *s = l->server;
	struct sluice_session *ss = calloc(1, sizeof(*ss)), **bucket;

	*err = ss ? sluice_roster_arrive(s->roster, r->tenant, r->device,
					 s->c.conf->limits.connections_per_device)
		  : -ENOMEM;
	if (*err) {
		free(ss);
		return NULL;
	}
	sluice_count(&s->counters, SLUICE_N_LINKS, 1);
	ss->loop = l;
	ss->conn = conn;
	ss->who = *r;
	ss->id = ++l->session_last * SLUICE_LOOPS_MAX + l->number;
	sluice_wire_decoder_init(&ss->decoder, SLUICE_FRAME_MAX);
	ss->next = l->sessions;
	if (ss->next)
		ss->next->prev = ss;
	l->sessions = ss;
	bucket = id_bucket(l, ss->id);
	ss->next_id = *bucket;
	*bucket = ss;
	sluice_conn_idle(conn, SLUICE_WIRE_STALE_MS);
	sluice_io_timer_in(l->io, &ss->heartbeat, s->c.conf->limits.request_ms, on_no_hello, ss);
	return ss;
}

void sluice_session_drain(struct sluice_session *ss)
{
	sluice_downlink_pump(ss);
}

void sluice_session_close(struct sluice_session *ss, const char *why)
{
	struct sluice_session **at;

	if (!ss)
		return;
	sluice_info("device %s is gone: %s", ss->who.device, why);
	if (ss->greeted)
		sluice_desire_gone(ss);
	sluice_session_leave(ss);
	sluice_roster_depart(ss->loop->server->roster, ss->who.tenant, ss->who.device);
	for (at = id_bucket(ss->loop, ss->id); *at != ss;)
		at = &(*at)->next_id;
	*at = ss->next_id;
	if (ss->next)
		ss->next->prev = ss->prev;
	if (ss->prev)
		ss->prev->next = ss->next;
	else
		ss->loop->sessions = ss->next;
	sluice_wire_decoder_exit(&ss->decoder);
	sluice_downlink_clear(ss);
	free(ss);
}

uint32_t sluice_session_slot(const struct sluice_session *ss, const struct sluice_camera *c)
{
	uint32_t i;

	for (i = 1; i <= SLUICE_WIRE_SLOTS_ALL; i++)
		if (ss->slot[i].camera == c)
			return i;
	return 0;
}

uint32_t sluice_session_lane(const struct sluice_session *ss, const struct sluice_camera *c,
			     uint32_t lane)
{
	uint32_t i;

	for (i = 1; i <= SLUICE_WIRE_SLOTS_ALL; i++)
		if (ss->slot[i].camera == c && ss->slot[i].lane == lane)
			return i;
	return 0;
}

static bool is_in_debt(struct sluice_session *ss, uint64_t now)
{
	const struct sluice_cloud_conf *c = ss->loop->server->c.conf;
	bool frames = sluice_bucket_take(&ss->frames, c->limits.frames, 0, now);
	bool bytes = sluice_bucket_take(&ss->bytes, c->limits.bytes, 0, now);

	return sluice_bucket_take(&ss->control, c->limits.control, 0, now) || frames || bytes;
}

/* A message has SLOW_S and then a second for each KiB. */
static bool is_trickling(const struct sluice_session *ss, uint64_t now)
{
	uint64_t s = SLOW_S + ss->decoder.m.length / 1024;

	return ss->message_ns && !ss->paused && now > ss->message_ns + s * 1000000000u;
}

static void watch_one(struct sluice_session *ss, uint64_t now)
{
	sluice_session_grant(ss);
	if (ss->failed)
		sluice_downlink_retry(ss);
	sluice_desire_watch(ss);
	if (ss->greeted)
		sluice_downlink_look(ss, now);
	if (ss->conn && is_trickling(ss, now))
		sluice_session_goaway(ss, SLUICE_CODE_LIMIT, "a message came too slowly", 1000);
	if (ss->paused && ss->conn && ss->items < SLUICE_ITEMS_MAX / 2 && !is_in_debt(ss, now) &&
	    sluice_server_fill(ss->loop->server) <= SLUICE_FILL_GRANT) {
		ss->paused = 0;
		ss->message_ns = ss->message_ns ? now : 0;
		sluice_conn_pause(ss->conn, false);
	}
}

static int is_denied(struct sluice_loop *l, const struct sluice_session_request *who)
{
	struct sluice_badges *b = l->server->badges;

	return (b ? sluice_badges_check(b, who->tenant, who->device, who->serial)
		  : sluice_auth_allowed(l->auth, who->tenant, who->device, who->serial)) ==
	       -EKEYREVOKED;
}

/* As many as are to go, those that came first: one that was sent away and came back is not sent
 * away again at once. What this loop has not enough of is left to the next one. */
static void send_elsewhere(struct sluice_loop *l)
{
	unsigned int left = atomic_exchange(&l->server->leaving, 0);
	struct sluice_session *ss = l->sessions, *prev;

	while (left && ss && ss->next)
		ss = ss->next;
	for (; left && ss; ss = prev) {
		prev = ss->prev;
		if (!ss->conn || !ss->greeted)
			continue;
		sluice_session_goaway(ss, SLUICE_CODE_ELSEWHERE, "another node has more room",
				      ELSEWHERE_MS);
		left--;
	}
	if (left)
		atomic_fetch_add(&l->server->leaving, left);
}

void sluice_session_watch(struct sluice_loop *l, int check_deny)
{
	struct sluice_session *ss;
	uint64_t now = sluice_io_now(l->io);

	for (ss = l->sessions; ss; ss = ss->next) {
		if (!ss->conn)
			continue;
		if (check_deny && is_denied(l, &ss->who))
			sluice_session_goaway(ss, SLUICE_CODE_REVOKED,
					      "the device's certificate was revoked", 0);
		else
			watch_one(ss, now);
	}
	if (atomic_load(&l->server->leaving))
		send_elsewhere(l);
}
