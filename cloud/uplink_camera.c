// SPDX-License-Identifier: MIT
/*
 * uplink_camera.c - what a device says of a camera: OPEN, FRAME, STATS, CLOSE, each an item for the
 * writer.
 *
 * A frame that is no JPEG of the announced size is REJECTed alone (or, if the device itself calls
 * it CORRUPT, stored with a mark and never decoded). Control messages are bounded by their number
 * in the queue; beyond it nothing is read for a while.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_state.h"
#include "cloud/conf.h"
#include "cloud/jpeg_head.h"
#include "cloud/segment.h"
#include "cloud/uplink_state.h"
#include "lib/wire_region.h"

#define NUMBER_MAX  ((uint64_t)INT64_MAX)
#define TIME_MIN_NS 946684800000000000ull  /* 2000 */
#define TIME_MAX_NS 7258118400000000000ull /* 2200 */

struct sluice_item *uplink_item(struct sluice_session *ss, enum sluice_item_kind kind,
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

void uplink_put(struct sluice_session *ss, struct sluice_item *item)
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

void uplink_take_open(struct sluice_session *ss, uint32_t number,
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
	item = uplink_item(ss, SLUICE_ITEM_OPEN, number, 0);
	if (!item)
		return;
	item->time_ns = first_ns;
	item->utc_ns = map_time(&ss->slot[number].clock, first_ns);
	item->width = ss->slot[number].width;
	item->height = ss->slot[number].height;
	uplink_put(ss, item);
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

void uplink_take_frame(struct sluice_session *ss, const struct sluice_wire_message *m)
{
	struct sluice_slot *slot = &ss->slot[m->slot];
	struct sluice_wire_frame_info f;
	struct sluice_item *item;
	const char *why = check_frame(ss, m, &f);
	int bad;

	if (why) {
		uplink_break_off(ss, why);
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
	item = uplink_item(ss, SLUICE_ITEM_FRAME, m->slot, f.cells_size + f.picture_size);
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
	uplink_put(ss, item);
}

void uplink_take_ledger(struct sluice_session *ss, const struct sluice_wire_message *m,
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
		uplink_break_off(ss, close ? "CLOSE misses a field" : "STATS misses a field");
		return;
	}
	if (epoch != slot->epoch || now_ns > NUMBER_MAX || (!close && slot->closed)) {
		uplink_break_off(ss, close ? "CLOSE of an epoch that is not open"
					   : "STATS of an epoch that is not open");
		return;
	}
	sluice_wire_get_bytes(f, SLUICE_TAG_LEDGER, &raw, &size);
	item = uplink_item(ss, close ? SLUICE_ITEM_CLOSE : SLUICE_ITEM_STATS, m->slot, size);
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
	uplink_put(ss, item);
}
