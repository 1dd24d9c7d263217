// SPDX-License-Identifier: MIT
/*
 * Messages from the cloud. One that breaks the protocol ends the link; nothing that the cloud says
 * is believed beyond what relay_camera_*() and relay_downlink_*() can check.
 */
#include "relay/uplink.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACED_MS 30000 /* another relay has our certificate: do not fight over the link */
#define PING_MAX    1024

static struct sluice_log_limit reject_limit = { .burst = 5, .interval_ms = 60000 };

static int take_welcome(struct relay_uplink *u, const struct sluice_wire_fields *f)
{
	char node[64] = "";
	uint64_t session = 0;

	if (u->state != RELAY_LINK_GREET || sluice_wire_get_u64(f, SLUICE_TAG_CREDIT, &u->credit) ||
	    sluice_wire_get_u32(f, SLUICE_TAG_PAYLOAD_MAX, &u->frame_max))
		return -EPROTO;
	sluice_wire_get_text(f, SLUICE_TAG_NODE, node, sizeof(node));
	sluice_wire_get_u64(f, SLUICE_TAG_SESSION, &session);
	if (u->frame_max > SLUICE_WIRE_PAYLOAD_MAX)
		u->frame_max = SLUICE_WIRE_PAYLOAD_MAX;
	relay_uplink_welcomed(u, node, session);
	return 0;
}

static int take_goaway(struct relay_uplink *u, const struct sluice_wire_fields *f)
{
	static const char *const codes[] = { "ok",	"shutdown", "version",	"protocol",
					     "revoked", "limit",    "too big",	"bad frame",
					     "storage", "replaced", "elsewhere" };
	uint32_t code = 0, retry = 0;
	char text[160] = "";
	bool permanent;

	if (sluice_wire_get_u32(f, SLUICE_TAG_CODE, &code))
		return -EPROTO;
	sluice_wire_get_u32(f, SLUICE_TAG_RETRY_MS, &retry);
	sluice_wire_get_text(f, SLUICE_TAG_TEXT, text, sizeof(text));
	permanent = code == SLUICE_CODE_VERSION || code == SLUICE_CODE_REVOKED;
	u->hold_ms = retry < 3600000 ? retry : 3600000;
	if (code == SLUICE_CODE_REPLACED && u->hold_ms < REPLACED_MS)
		u->hold_ms = REPLACED_MS;
	relay_uplink_break(
		u, permanent, "the cloud ended the link (%s): %s%s",
		code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "unknown code", text,
		code == SLUICE_CODE_REVOKED    ? "; enrol this device again"
		: code == SLUICE_CODE_REPLACED ? "; does another relay use this certificate?"
		: code == SLUICE_CODE_VERSION  ? "; update relay or cloud so that they match"
					       : "");
	return 0;
}

static int take_reject(struct relay_camera *c, const struct sluice_wire_fields *f)
{
	uint64_t epoch, sequence;
	uint32_t code = 0;
	char text[160] = "";

	if (sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_SEQUENCE, &sequence) ||
	    sluice_wire_get_u32(f, SLUICE_TAG_CODE, &code))
		return -EPROTO;
	sluice_wire_get_text(f, SLUICE_TAG_TEXT, text, sizeof(text));
	sluice_log_limited(&reject_limit, SLUICE_LOG_WARNING,
			   "%s: the cloud rejected frame %" PRIu64 ": %s (code %u)", c->name,
			   sequence, text, code);
	return relay_camera_rejected(c, epoch, sequence);
}

static int take_ack(struct relay_camera *c, const struct sluice_wire_fields *f)
{
	uint64_t epoch, cumulative;
	uint32_t stage;

	if (sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch) ||
	    sluice_wire_get_u32(f, SLUICE_TAG_STAGE, &stage) ||
	    sluice_wire_get_u64(f, SLUICE_TAG_CUMULATIVE, &cumulative))
		return -EPROTO;
	return stage == SLUICE_STAGE_STORED ? relay_camera_stored(c, epoch, cumulative) : 0;
}

/* Messages about a run of back-fill. */
static int take_lane(struct relay_uplink *u, const struct sluice_wire_message *m,
		     const struct sluice_wire_fields *f)
{
	unsigned int lane = m->slot - SLUICE_WIRE_SLOTS - 1;
	uint64_t epoch, value, last;
	uint32_t stage;

	if (sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch))
		return -EPROTO;
	switch (m->type) {
	case SLUICE_MSG_OPENED:
		if (sluice_wire_get_u64(f, SLUICE_TAG_RESUME, &value))
			return -EPROTO;
		return relay_lanes_opened(u->conf.lanes, lane, epoch, value);
	case SLUICE_MSG_ACK:
		if (sluice_wire_get_u32(f, SLUICE_TAG_STAGE, &stage) ||
		    sluice_wire_get_u64(f, SLUICE_TAG_CUMULATIVE, &value))
			return -EPROTO;
		return stage == SLUICE_STAGE_STORED
			       ? relay_lanes_stored(u->conf.lanes, lane, epoch, value)
			       : 0;
	case SLUICE_MSG_REJECT:
		if (sluice_wire_get_u64(f, SLUICE_TAG_SEQUENCE, &value))
			return -EPROTO;
		sluice_log_limited(&reject_limit, SLUICE_LOG_WARNING,
				   "the cloud rejected frame %" PRIu64 " of the back-fill", value);
		return relay_lanes_rejected(u->conf.lanes, lane, epoch, value);
	case SLUICE_MSG_DONE:
		if (sluice_wire_get_range(f, &value, &last))
			return -EPROTO;
		return relay_lanes_done(u->conf.lanes, lane, epoch, value);
	default:
		return -EPROTO;
	}
}

/* Messages about a camera. */
static int take_camera(struct relay_uplink *u, const struct sluice_wire_message *m,
		       const struct sluice_wire_fields *f)
{
	struct relay_camera *c;
	uint64_t epoch, resume;
	int err = -EPROTO;

	if (!m->slot)
		return -EPROTO;
	if (m->slot > SLUICE_WIRE_SLOTS)
		return take_lane(u, m, f);
	c = &u->conf.camera[m->slot - 1];
	switch (m->type) {
	case SLUICE_MSG_OPENED:
		err = sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch);
		if (!err)
			err = sluice_wire_get_u64(f, SLUICE_TAG_RESUME, &resume);
		if (!err)
			err = relay_camera_opened(c, epoch, resume);
		break;
	case SLUICE_MSG_ACK:
		err = take_ack(c, f);
		break;
	case SLUICE_MSG_REJECT:
		err = take_reject(c, f);
		break;
	case SLUICE_MSG_DONE:
		err = sluice_wire_get_u64(f, SLUICE_TAG_EPOCH, &epoch);
		if (!err)
			err = relay_camera_done(c, epoch);
		break;
	}
	/* told about a camera that has just gone: no fault of the cloud */
	return err && !c->attached ? 0 : err;
}

void relay_uplink_acknowledge(struct relay_uplink *u, const char *id, int status)
{
	_Alignas(8) uint8_t buf[128];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	if (u->state != RELAY_LINK_UP)
		return; /* it comes again, and is there already */
	sluice_wire_put_text(&w, SLUICE_TAG_ID, id);
	sluice_wire_put_u32(&w, SLUICE_TAG_STATUS, (uint32_t)-status);
	relay_send_fields(u, SLUICE_MSG_SUMMARY_ACK, 0, &w);
}

void relay_uplink_hold(struct relay_uplink *u, bool hold)
{
	if (u->conn)
		sluice_conn_pause(u->conn, hold);
}

static int take_down(struct relay_uplink *u, const struct sluice_wire_message *m)
{
	const struct relay_camera *c =
		m->slot ? &u->conf.camera[(m->slot - 1) % SLUICE_WIRE_SLOTS] : NULL;
	const char *name = c && c->name[0] ? c->name : NULL;

	if (m->type == SLUICE_MSG_SUMMARY)
		return relay_downlink_summary(u->conf.downlink, name, m->payload, m->length);
	if (m->type == SLUICE_MSG_PART)
		return relay_downlink_part(u->conf.downlink, m->payload, m->length);
	return relay_downlink_event(u->conf.downlink, name, m->payload, m->length, u->conf.events);
}

static int take_config(struct relay_uplink *u, uint32_t slot, const struct sluice_wire_fields *f)
{
	const struct relay_camera *c =
		slot && slot <= SLUICE_WIRE_SLOTS ? &u->conf.camera[slot - 1] : NULL;
	const uint8_t *json;
	uint32_t size;

	if (!c || sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size))
		return -EPROTO;
	return relay_settings_take(u->conf.settings, slot, c, json, size);
}

static int take_command(struct relay_uplink *u, const struct sluice_wire_fields *f)
{
	const uint8_t *json;
	uint32_t size;

	if (sluice_wire_get_bytes(f, SLUICE_TAG_JSON, &json, &size))
		return -EPROTO;
	return relay_commands_take(u->conf.commands, json, size);
}

int relay_uplink_json(struct relay_uplink *u, uint8_t type, uint32_t slot, const char *json)
{
	size_t size = strlen(json);
	struct sluice_wire_writer w = { .size = size + 16 };
	int err;

	if (u->state != RELAY_LINK_UP)
		return -ENOTCONN;
	w.buf = w.size <= SLUICE_WIRE_CONTROL_MAX ? malloc(w.size) : NULL;
	if (!w.buf)
		return -EMSGSIZE;
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, json, size);
	err = relay_send_fields(u, type, slot, &w);
	free(w.buf);
	return err;
}

static int take_control(struct relay_uplink *u, const struct sluice_wire_message *m)
{
	struct sluice_wire_fields f;

	if (sluice_wire_fields_get(&f, m->payload, m->length, 0))
		return -EPROTO;
	switch (m->type) {
	case SLUICE_MSG_WELCOME:
		return take_welcome(u, &f);
	case SLUICE_MSG_GOAWAY:
		return take_goaway(u, &f);
	case SLUICE_MSG_CREDIT:
		/* absolute, so an old one can only say less */
		return sluice_wire_get_u64(&f, SLUICE_TAG_CREDIT, &u->credit);
	case SLUICE_MSG_CONFIG:
		return take_config(u, m->slot, &f);
	case SLUICE_MSG_COMMAND:
		return m->slot ? -EPROTO : take_command(u, &f);
	default:
		return take_camera(u, m, &f);
	}
}

int relay_take_message(struct relay_uplink *u, const struct sluice_wire_message *m)
{
	if (!sluice_wire_type_known(m->type))
		return m->flags & SLUICE_WIRE_CRITICAL ? -EPROTO : 0;
	if (u->state == RELAY_LINK_GREET && m->type != SLUICE_MSG_WELCOME &&
	    m->type != SLUICE_MSG_GOAWAY)
		return -EPROTO;
	switch (m->type) {
	case SLUICE_MSG_PING:
		if (m->length > PING_MAX)
			return -EPROTO;
		relay_send_message(u, SLUICE_MSG_PONG, 0, m->payload, m->length);
		return 0;
	case SLUICE_MSG_PONG:
		return 0;
	case SLUICE_MSG_SUMMARY:
	case SLUICE_MSG_PART:
	case SLUICE_MSG_EVENT:
		return take_down(u, m);
	default:
		return m->type < SLUICE_MSG_WELCOME ? -EPROTO : take_control(u, m);
	}
}
