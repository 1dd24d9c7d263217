// SPDX-License-Identifier: MIT
/*
 * uplink.c - what a device says. Every message is checked here, or in uplink_camera.c if it is
 * about a camera, and becomes an item for the writer; what the writer makes durable comes back to
 * session.c.
 *
 * Broken rules end the link with GOAWAY and the code that says which; the device keeps what was not
 * STORED.
 */
#include <errno.h>
#include <string.h>

#include "cloud/conf.h"
#include "cloud/uplink_state.h"
#include "cloud/command.h"
#include "cloud/desire.h"
#include "cloud/settings.h"
#include "lib/log.h"

void uplink_break_off(struct sluice_session *ss, const char *text)
{
	sluice_session_goaway(ss, SLUICE_CODE_PROTOCOL, text, 0);
}

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
		uplink_break_off(ss, ss->greeted ? "a second HELLO" : "HELLO misses a field");
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

static void take_summary_ack(struct sluice_session *ss, const struct sluice_wire_fields *f)
{
	const struct sluice_camera *camera;
	struct sluice_item *item;
	uint32_t status;
	char id[33];

	if (sluice_wire_get_text(f, SLUICE_TAG_ID, id, sizeof(id)) ||
	    sluice_wire_get_u32(f, SLUICE_TAG_STATUS, &status) || !sluice_wire_id_ok(id)) {
		uplink_break_off(ss, "SUMMARY_ACK misses a field");
		return;
	}
	camera = sluice_downlink_acked(ss, id, status);
	if (!camera)
		return; /* told twice; harmless */
	if (status) {
		sluice_warning("device %s could not keep summary %s: %s", ss->who.device, id,
			       strerror((int)(status & 0xfff)));
	} else {
		item = uplink_item(ss, SLUICE_ITEM_ACK, 0, 0);
		if (!item)
			return;
		item->camera = camera;
		memcpy(item->id, id, sizeof(item->id));
		uplink_put(ss, item);
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
		uplink_break_off(ss, "CONFIG_RESULT is malformed");
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
		uplink_break_off(ss, "SETTINGS is malformed");
}

static void take_command_result(struct sluice_session *ss, const struct sluice_wire_fields *f)
{
	const uint8_t *json;
	uint32_t size;

	if (sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size) ||
	    sluice_command_result(ss, json, size))
		uplink_break_off(ss, "COMMAND_RESULT is malformed");
}

static void take_control(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct sluice_wire_fields f;

	uint64_t repeated = m->type == SLUICE_MSG_HELLO ? 1ull << SLUICE_TAG_PARTIAL : 0;

	if (sluice_wire_fields_get(&f, m->payload, m->length, repeated)) {
		uplink_break_off(ss, "malformed fields");
		return;
	}
	switch (m->type) {
	case SLUICE_MSG_HELLO:
		take_hello(ss, &f);
		if (ss->greeted && ss->conn)
			sluice_downlink_partial(ss, m->payload, m->length);
		break;
	case SLUICE_MSG_OPEN:
		uplink_take_open(ss, m->slot, &f);
		break;
	case SLUICE_MSG_STATS:
	case SLUICE_MSG_CLOSE:
		uplink_take_ledger(ss, m, &f);
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
		uplink_break_off(ss, "PING is longer than 1024 bytes");
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
			uplink_break_off(ss, "a critical message of unknown type");
		return;
	}
	if (!ss->greeted && m->type != SLUICE_MSG_HELLO) {
		uplink_break_off(ss, "the first message must be HELLO");
		return;
	}
	if (m->type >= SLUICE_MSG_WELCOME) {
		uplink_break_off(ss, "a message that only the cloud sends");
		return;
	}
	if ((of_slot && (!m->slot || !ss->slot[m->slot].camera)) ||
	    (m->type == SLUICE_MSG_OPEN && !m->slot)) {
		uplink_break_off(ss, "a message for a slot that is not open");
		return;
	}
	if (m->type == SLUICE_MSG_FRAME)
		uplink_take_frame(ss, m);
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
