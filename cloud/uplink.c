// SPDX-License-Identifier: MIT
/*
 * uplink.c - what a device says. Every message is checked here and becomes an item for the writer;
 * what the writer makes durable comes back to session.c.
 *
 * Broken rules end the link with GOAWAY and the code that says which; the device keeps what was not
 * STORED. A frame that is no JPEG of the announced size is REJECTed alone (or, if the device itself
 * calls it CORRUPT, stored with a mark and never decoded). Control messages are bounded by their
 * number in the queue; beyond it nothing is read for a while.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/conf.h"
#include "cloud/jpeg_head.h"
#include "cloud/segment.h"
#include "cloud/api_state.h"
#include "cloud/session.h"
#include "cloud/command.h"
#include "cloud/desire.h"
#include "cloud/settings.h"
#include "lib/log.h"
#include "lib/wire_region.h"

#define NUMBER_MAX  ((uint64_t)INT64_MAX)
#define TIME_MIN_NS 946684800000000000ull  /* 2000 */
#define TIME_MAX_NS 7258118400000000000ull /* 2200 */

static void break_off(struct sluice_session *ss, const char *text)
{
	sluice_session_goaway(ss, SLUICE_CODE_PROTOCOL, text, 0);
}

static void send_reject(struct sluice_session *ss, uint32_t slot, uint64_t sequence)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_count(&ss->loop->server->counters, SLUICE_N_REJECTED, 1);
	sluice_wire_put_u64(&w, SLUICE_TAG_EPOCH, ss->slot[slot].epoch);
	sluice_wire_put_u64(&w, SLUICE_TAG_SEQUENCE, sequence);
	sluice_wire_put_u32(&w, SLUICE_TAG_CODE, SLUICE_CODE_BAD_FRAME);
	sluice_wire_put_text(&w, SLUICE_TAG_TEXT, "not a baseline JPEG of the announced size");
	sluice_session_fields(ss, SLUICE_MSG_REJECT, slot, &w);
}

/* ---- items ---- */

static struct sluice_item *make_item(struct sluice_session *ss, enum sluice_item_kind kind,
				     uint32_t slot, size_t data)
{
	struct sluice_item *item = malloc(sizeof(*item) + data);

	if (!item) {
		sluice_session_goaway(ss, SLUICE_CODE_STORAGE, "out of memory", 5000);
		return NULL;
	}
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	item->session = ss->id;
	item->slot = slot;
	item->camera = ss->slot[slot].camera;
	item->epoch = ss->slot[slot].epoch;
	item->lane = ss->slot[slot].lane;
	item->range_first = ss->slot[slot].range_first;
	item->range_last = ss->slot[slot].range_last;
	return item;
}

/* Hands it to the writer; a session with too much in the queue is not read from for a while. */
static void put_item(struct sluice_session *ss, struct sluice_item *item)
{
	int frame = item->kind == SLUICE_ITEM_FRAME;

	ss->items++;
	sluice_ingest_put(ss->loop->server->ingest, item); /* no longer ours */
	if (ss->items >= SLUICE_ITEMS_MAX ||
	    (frame && sluice_server_fill(ss->loop->server) > SLUICE_FILL_PAUSE))
		sluice_session_hold(ss, SLUICE_N_HELD_FILL);
}

/* UTC of a device's monotonic time; what makes no sense becomes now. */
static uint64_t map_time(const struct sluice_wire_clock *c, uint64_t time_ns)
{
	uint64_t utc = c->realtime + (time_ns - c->monotonic);

	return utc >= TIME_MIN_NS && utc <= TIME_MAX_NS ? utc : sluice_utc_now();
}

/* ---- messages ---- */

static void on_heartbeat(void *arg)
{
	struct sluice_session *ss = arg;

	sluice_session_send(ss, SLUICE_MSG_PING, 0, NULL, 0);
	if (!ss->conn)
		return;
	sluice_io_timer_in(ss->loop->io, &ss->heartbeat, SLUICE_WIRE_HEARTBEAT_MS, on_heartbeat,
			   ss);
}

static void replace_session(struct sluice_session *old, void *arg)
{
	if (old)
		sluice_session_goaway(old, SLUICE_CODE_REPLACED,
				      "the same device has connected again", 0);
}

static void take_hello(struct sluice_session *ss, const struct sluice_wire_fields *f)
{
	_Alignas(8) uint8_t buf[256];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };
	struct sluice_server *s = ss->loop->server;
	uint64_t old;
	char boot[64] = "", build[64] = "";
	char features[SLUICE_WIRE_FEATURES_MAX + 1] = "", allows[SLUICE_WIRE_FEATURES_MAX + 1] = "";

	if (ss->greeted || sluice_wire_get_text(f, SLUICE_TAG_BOOT_ID, boot, sizeof(boot)) ||
	    sluice_wire_get_text(f, SLUICE_TAG_BUILD, build, sizeof(build)) ||
	    sluice_wire_get_text(f, SLUICE_TAG_FEATURES, features, sizeof(features)) == -EBADMSG ||
	    sluice_wire_get_text(f, SLUICE_TAG_ALLOWS, allows, sizeof(allows)) == -EBADMSG ||
	    sluice_wire_get_clock(f, &ss->clock)) {
		break_off(ss, ss->greeted ? "a second HELLO" : "HELLO misses a field");
		return;
	}
	old = sluice_roster_enter(s->roster, ss->who.tenant, ss->who.device, ss->id);
	if (old)
		sluice_roster_call_session(s, old, replace_session, NULL);
	ss->greeted = 1;
	ss->granted = sluice_session_window(s);
	sluice_wire_put_u64(&w, SLUICE_TAG_SESSION, ss->id);
	sluice_wire_put_text(&w, SLUICE_TAG_NODE, s->node);
	sluice_wire_put_u64(&w, SLUICE_TAG_CREDIT, ss->granted);
	sluice_wire_put_u32(&w, SLUICE_TAG_PAYLOAD_MAX, SLUICE_FRAME_MAX);
	sluice_wire_put_u32(&w, SLUICE_TAG_HEARTBEAT_MS, SLUICE_WIRE_HEARTBEAT_MS);
	sluice_session_fields(ss, SLUICE_MSG_WELCOME, 0, &w);
	sluice_io_timer_in(ss->loop->io, &ss->heartbeat, SLUICE_WIRE_HEARTBEAT_MS, on_heartbeat,
			   ss);
	sluice_info("device %s is connected from %s (%s)", ss->who.device, ss->who.address, build);
	sluice_desire_hello(ss, build, features, allows);
}

/* LANE and RANGE, which must fit the slot's number; 0, or the reason why not. */
static const char *read_lane(struct sluice_slot *slot, uint32_t number,
			     const struct sluice_wire_fields *f)
{
	int err;

	if (sluice_wire_get_u32(f, SLUICE_TAG_LANE, &slot->lane) == -EBADMSG ||
	    slot->lane != (number > SLUICE_WIRE_SLOTS ? SLUICE_LANE_BACKFILL : SLUICE_LANE_LIVE))
		return "OPEN has a lane that does not fit its slot";
	slot->range_last = NUMBER_MAX;
	err = sluice_wire_get_range(f, &slot->range_first, &slot->range_last);
	if (err == -EBADMSG || (err && slot->lane) || slot->range_first > NUMBER_MAX)
		return "OPEN has no range, or one that makes no sense";
	if (slot->range_last > NUMBER_MAX)
		slot->range_last = NUMBER_MAX;
	return NULL;
}

/* Checks OPEN's fields and fills the slot; 0, or the reason why not. */
static const char *fill_slot(struct sluice_session *ss, uint32_t number,
			     const struct sluice_wire_fields *f, uint64_t *first_ns, uint32_t *code)
{
	struct sluice_slot slot = { .last_seen = -1, .clock = ss->clock };
	uint32_t width, height, i, open = 0;
	char name[SLUICE_NAME_MAX];
	const char *why;
	int err;

	if (sluice_wire_get_text(f, SLUICE_TAG_NAME, name, sizeof(name)) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &slot.epoch) ||
	    sluice_wire_get_size(f, &width, &height) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_FIRST_NS, first_ns))
		return "OPEN misses a field";
	if (sluice_wire_get_clock(f, &slot.clock) == -EBADMSG)
		return "OPEN has a malformed clock";
	if (slot.epoch > NUMBER_MAX || *first_ns > NUMBER_MAX || !width || !height ||
	    width > 16384 || height > 16384)
		return "OPEN has a number out of range";
	why = read_lane(&slot, number, f);
	if (why)
		return why;
	slot.width = (uint16_t)width;
	slot.height = (uint16_t)height;
	err = sluice_cameras_get(ss->loop->server->cameras, ss->who.tenant, ss->who.device, name,
				 &slot.camera);
	if (err == -EINVAL)
		return "a camera's name is 1 to 31 letters, digits, dots, hyphens, underscores";
	if (err) {
		*code = SLUICE_CODE_LIMIT;
		return "too many camera names";
	}
	for (i = 1; i <= SLUICE_WIRE_SLOTS_ALL; i++) {
		if (i == number || !ss->slot[i].camera || ss->slot[i].lane != slot.lane)
			continue;
		if (ss->slot[i].camera == slot.camera)
			return "the camera is open in another slot";
		open++;
	}
	if (open >= ss->loop->server->c.conf->limits.cameras) {
		*code = SLUICE_CODE_LIMIT;
		return "too many cameras are open";
	}
	ss->slot[number] = slot;
	sluice_roster_open_camera(ss->loop->server->roster, ss->id, slot.camera, number);
	if (slot.lane == SLUICE_LANE_LIVE)
		sluice_stream_camera(ss->loop->server->api->stream, slot.camera, "live");
	return NULL;
}

static void take_open(struct sluice_session *ss, uint32_t number,
		      const struct sluice_wire_fields *f)
{
	struct sluice_item *item;
	uint64_t first_ns = 0;
	uint32_t code = SLUICE_CODE_PROTOCOL;
	const char *why = fill_slot(ss, number, f, &first_ns, &code);

	if (why) {
		sluice_session_goaway(ss, code, why, 0);
		return;
	}
	item = make_item(ss, SLUICE_ITEM_OPEN, number, 0);
	if (!item)
		return;
	item->time_ns = first_ns;
	item->utc_ns = map_time(&ss->slot[number].clock, first_ns);
	item->width = ss->slot[number].width;
	item->height = ss->slot[number].height;
	put_item(ss, item);
}

/* Is it the picture that was announced, or a part of it? */
static int check_picture(const struct sluice_slot *slot, uint64_t sequence,
			 const struct sluice_wire_frame_info *f)
{
	const uint8_t *jpeg = f->picture;
	uint16_t width, height, want_w = slot->width, want_h = slot->height;
	struct sluice_wire_region_info r;
	size_t size = f->picture_size;

	if (f->width != slot->width || f->height != slot->height)
		return 0;
	if (f->flags & SLUICE_WIRE_REGION) {
		/* whether the base is there and fits is seen when it is rebuilt */
		if (sluice_wire_region_get(jpeg, size, f->width, f->height, &r) ||
		    r.base >= sequence)
			return 0;
		jpeg = r.jpeg;
		size = r.jpeg_size;
		want_w = r.w;
		want_h = r.h;
	}
	return !sluice_jpeg_head(jpeg, size, &width, &height) && width == want_w &&
	       height == want_h;
}

static const char *check_frame(struct sluice_session *ss, const struct sluice_wire_message *m,
			       struct sluice_wire_frame_info *f)
{
	const struct sluice_slot *slot = &ss->slot[m->slot];

	if (slot->closed)
		return "FRAME after CLOSE";
	if (sluice_wire_frame_get(m->payload, m->length, f))
		return "a malformed FRAME";
	if (f->epoch != slot->epoch)
		return "FRAME of an epoch that is not open";
	if (m->sequence > NUMBER_MAX || f->time_ns > NUMBER_MAX ||
	    m->sequence < slot->range_first || m->sequence > slot->range_last)
		return "FRAME has a number out of range";
	if ((int64_t)m->sequence < slot->last_seen)
		return "FRAME out of order";
	return NULL;
}

static void take_frame(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct sluice_slot *slot = &ss->slot[m->slot];
	struct sluice_wire_frame_info f;
	struct sluice_item *item;
	const char *why = check_frame(ss, m, &f);
	int bad;

	if (why) {
		break_off(ss, why);
		return;
	}
	ss->received += m->length;
	if (ss->received > ss->granted) {
		sluice_session_goaway(ss, SLUICE_CODE_LIMIT, "more bytes than credit", 1000);
		return;
	}
	slot->last_seen = (int64_t)m->sequence;
	bad = !check_picture(slot, m->sequence, &f);
	if (bad && f.reason != SLUICE_REASON_CORRUPT) {
		send_reject(ss, m->slot, m->sequence);
		ss->released += m->length;
		sluice_session_grant(ss);
		return;
	}
	item = make_item(ss, SLUICE_ITEM_FRAME, m->slot, f.cells_size + f.picture_size);
	if (!item)
		return;
	item->charge = m->length;
	item->sequence = m->sequence;
	item->time_ns = f.time_ns;
	item->utc_ns = map_time(&slot->clock, f.time_ns);
	item->width = f.width;
	item->height = f.height;
	item->grid_w = f.grid_w;
	item->grid_h = f.grid_h;
	item->reason = f.reason;
	item->flags = (uint16_t)((f.flags & ~(SLUICE_RECORD_BAD | SLUICE_RECORD_BACKFILL)) |
				 (bad ? SLUICE_RECORD_BAD : 0) |
				 (slot->lane ? SLUICE_RECORD_BACKFILL : 0));
	item->score = f.score;
	item->event = f.event;
	item->settings = f.settings;
	item->cells_size = f.cells_size;
	item->jpeg_size = f.picture_size;
	if (f.cells_size)
		memcpy(item->data, f.cells, f.cells_size);
	memcpy(item->data + f.cells_size, f.picture, f.picture_size);
	put_item(ss, item);
}

/* STATS and CLOSE. */
static void take_ledger(struct sluice_session *ss, const struct sluice_wire_message *m,
			const struct sluice_wire_fields *f)
{
	struct sluice_slot *slot = &ss->slot[m->slot];
	int close = m->type == SLUICE_MSG_CLOSE;
	struct sluice_wire_ledger ledger = { 0 };
	int no_ledger = slot->lane && close ? -ENOENT : 0; /* that is for the live lane to tell */
	uint64_t epoch, now_ns;
	uint32_t state = 0, size = 0;
	struct sluice_item *item;
	const uint8_t *raw = NULL;

	if (sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_NOW_NS, &now_ns) ||
	    sluice_wire_get_ledger(f, &ledger) != no_ledger || (slot->lane && !close) ||
	    (!close && sluice_wire_get_u32(f, SLUICE_TAG_STATE, &state)) ||
	    sluice_wire_get_clock(f, &slot->clock) == -EBADMSG) {
		break_off(ss, close ? "CLOSE misses a field" : "STATS misses a field");
		return;
	}
	if (epoch != slot->epoch || now_ns > NUMBER_MAX || (!close && slot->closed)) {
		break_off(ss, close ? "CLOSE of an epoch that is not open"
				    : "STATS of an epoch that is not open");
		return;
	}
	sluice_wire_get_bytes(f, SLUICE_TAG_LEDGER, &raw, &size);
	item = make_item(ss, close ? SLUICE_ITEM_CLOSE : SLUICE_ITEM_STATS, m->slot, size);
	if (!item)
		return;
	item->time_ns = now_ns;
	item->utc_ns = map_time(&slot->clock, now_ns);
	item->state = state;
	item->delivered = ledger.delivered;
	item->ledger_size = size;
	if (size)
		memcpy(item->data, raw, size);
	slot->closed = close;
	slot->done = 0;
	put_item(ss, item);
}

static void take_summary_ack(struct sluice_session *ss, const struct sluice_wire_fields *f)
{
	const struct sluice_camera *camera;
	struct sluice_item *item;
	uint32_t status;
	char id[33];

	if (sluice_wire_get_text(f, SLUICE_TAG_ID, id, sizeof(id)) ||
	    sluice_wire_get_u32(f, SLUICE_TAG_STATUS, &status) || !sluice_wire_id_ok(id)) {
		break_off(ss, "SUMMARY_ACK misses a field");
		return;
	}
	camera = sluice_downlink_acked(ss, id, status);
	if (!camera)
		return; /* told twice; harmless */
	if (status) {
		sluice_warning("device %s could not keep summary %s: %s", ss->who.device, id,
			       strerror((int)(status & 0xfff)));
	} else {
		item = make_item(ss, SLUICE_ITEM_ACK, 0, 0);
		if (!item)
			return;
		item->camera = camera;
		memcpy(item->id, id, sizeof(item->id));
		put_item(ss, item);
	}
	sluice_downlink_pump(ss);
}

static void take_config_result(struct sluice_session *ss, uint32_t slot,
			       const struct sluice_wire_fields *f)
{
	const uint8_t *json;
	uint32_t size;

	if (sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size) ||
	    sluice_settings_result(ss->loop->server, ss->slot[slot].camera, json, size))
		break_off(ss, "CONFIG_RESULT is malformed");
	else
		sluice_desire_result(ss, slot, json, size);
}

static void take_settings(struct sluice_session *ss, uint32_t slot,
			  const struct sluice_wire_fields *f)
{
	const uint8_t *json;
	uint32_t size;

	if (sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size) ||
	    sluice_desire_report(ss, slot, json, size))
		break_off(ss, "SETTINGS is malformed");
}

static void take_command_result(struct sluice_session *ss, const struct sluice_wire_fields *f)
{
	const uint8_t *json;
	uint32_t size;

	if (sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size) ||
	    sluice_command_result(ss, json, size))
		break_off(ss, "COMMAND_RESULT is malformed");
}

static void take_control(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct sluice_wire_fields f;

	uint64_t repeated = m->type == SLUICE_MSG_HELLO ? 1ull << SLUICE_TAG_PARTIAL : 0;

	if (sluice_wire_fields_get(&f, m->payload, m->length, repeated)) {
		break_off(ss, "malformed fields");
		return;
	}
	switch (m->type) {
	case SLUICE_MSG_HELLO:
		take_hello(ss, &f);
		if (ss->greeted && ss->conn)
			sluice_downlink_partial(ss, m->payload, m->length);
		break;
	case SLUICE_MSG_OPEN:
		take_open(ss, m->slot, &f);
		break;
	case SLUICE_MSG_STATS:
	case SLUICE_MSG_CLOSE:
		take_ledger(ss, m, &f);
		break;
	case SLUICE_MSG_SUMMARY_ACK:
		take_summary_ack(ss, &f);
		break;
	case SLUICE_MSG_CONFIG_RESULT:
		take_config_result(ss, m->slot, &f);
		break;
	case SLUICE_MSG_SETTINGS:
		take_settings(ss, m->slot, &f);
		break;
	case SLUICE_MSG_COMMAND_RESULT:
		take_command_result(ss, &f);
		break;
	case SLUICE_MSG_BYE:
		sluice_conn_shutdown(ss->conn);
		sluice_session_leave(ss);
		break;
	}
}

static void take_ping(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct iovec part = { (void *)m->payload, m->length };

	if (m->length > 1024)
		break_off(ss, "PING is longer than 1024 bytes");
	else
		sluice_session_send(ss, SLUICE_MSG_PONG, 0, &part, m->length ? 1 : 0);
}

static void take_message(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	int of_slot = m->type == SLUICE_MSG_FRAME || m->type == SLUICE_MSG_STATS ||
		      m->type == SLUICE_MSG_CLOSE || m->type == SLUICE_MSG_CONFIG_RESULT ||
		      m->type == SLUICE_MSG_SETTINGS;

	if (!sluice_wire_type_known(m->type)) {
		if (m->flags & SLUICE_WIRE_CRITICAL)
			break_off(ss, "a critical message of unknown type");
		return;
	}
	if (!ss->greeted && m->type != SLUICE_MSG_HELLO) {
		break_off(ss, "the first message must be HELLO");
		return;
	}
	if (m->type >= SLUICE_MSG_WELCOME) {
		break_off(ss, "a message that only the cloud sends");
		return;
	}
	if ((of_slot && (!m->slot || !ss->slot[m->slot].camera)) ||
	    (m->type == SLUICE_MSG_OPEN && !m->slot)) {
		break_off(ss, "a message for a slot that is not open");
		return;
	}
	if (m->type == SLUICE_MSG_FRAME)
		take_frame(ss, m);
	else if (m->type == SLUICE_MSG_PING)
		take_ping(ss, m);
	else if (m->type != SLUICE_MSG_PONG)
		take_control(ss, m);
}

/* What each message costs its device; OPEN and CLOSE each make the writer sync. */
static void charge(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct sluice_server *s = ss->loop->server;
	const struct sluice_cloud_conf *c = s->c.conf;
	uint64_t now = sluice_io_now(ss->loop->io);
	bool debt;

	if (m->type == SLUICE_MSG_FRAME) {
		debt = sluice_bucket_take(&ss->frames, c->limits.frames, 1, now);
		debt |= sluice_bucket_take(&ss->bytes, c->limits.bytes, m->length, now);
		sluice_count(&s->counters, SLUICE_N_FRAMES, 1);
		sluice_count(&s->counters, SLUICE_N_FRAME_BYTES, m->length);
	} else {
		int syncs = m->type == SLUICE_MSG_OPEN || m->type == SLUICE_MSG_CLOSE;

		debt = sluice_bucket_take(&ss->control, c->limits.control, syncs ? 4 : 1, now);
		sluice_count(&s->counters, SLUICE_N_CONTROL, 1);
	}
	if (debt)
		sluice_session_hold(ss, SLUICE_N_HELD_RATE);
}

void sluice_session_data(struct sluice_session *ss, const uint8_t *data, size_t size)
{
	struct sluice_wire_message m;
	size_t used;
	int r;

	while (size && ss->conn) {
		r = sluice_wire_feed(&ss->decoder, data, size, &used, &m);
		if (r < 0) {
			sluice_session_goaway(ss, sluice_wire_error_code(r),
					      sluice_wire_strerror(r), 0);
			return;
		}
		data += used;
		size -= used;
		if (r > 0) {
			ss->message_ns = 0;
			charge(ss, &m);
			take_message(ss, &m);
		} else if (!ss->message_ns) {
			ss->message_ns = sluice_io_now(ss->loop->io);
		}
	}
}
