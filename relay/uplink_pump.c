// SPDX-License-Identifier: MIT
/*
 * While the link is up, pump() lets live and back-fill share it by their weights, as long as the
 * connection has room: who has had less is next, live first. Who has nothing to say saves nothing
 * up. The cameras take turns, one message each; back-fill goes in the spool's order. A frame that
 * has been encoded and finds no credit waits, and with it all others, since credit is for the whole
 * link; the frame is not encoded again. A frame that the budget does not allow now waits too, but
 * alone: another camera's may matter more, and spill.c looks whether one behind it does.
 */
#include "relay/uplink.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static struct sluice_log_limit frame_limit = { .burst = 5, .interval_ms = 60000 };

static void on_budget(void *arg)
{
	relay_uplink_pump(arg);
}

/* True: a frame of that class may not go now; pump() is called again when it may. */
static bool over_budget(struct relay_uplink *u, enum relay_class class)
{
	uint64_t now = sluice_io_now(u->conf.io);

	if (!u->conf.budget || relay_budget_allows(u->conf.budget, now, class))
		return false;
	if (!u->budget.set)
		sluice_io_timer_in(u->conf.io, &u->budget,
				   relay_budget_wait(u->conf.budget, now, class) / 1000000 + 1,
				   on_budget, u);
	return true;
}

static void spend(struct relay_uplink *u, size_t payload)
{
	if (u->conf.budget)
		relay_budget_spent(u->conf.budget, sluice_io_now(u->conf.io),
				   payload + sizeof(struct sluice_wire_header));
}

/* Raw frames are compressed more while the link or the budget is short. */
static void choose_quality(struct relay_uplink *u)
{
	unsigned int fill = 0, f;

	if (!u->conf.budget)
		return;
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		f = u->conf.camera[i].attached ? relay_camera_fill(&u->conf.camera[i]) : 0;
		fill = f > fill ? f : fill;
	}
	relay_encoder_quality(u->conf.maker.encoder,
			      relay_budget_quality(u->conf.budget, sluice_io_now(u->conf.io),
						   fill));
}

/* The frame of t. 1 if it was dealt with, 0 if the link must wait. */
static int pump_frame(struct relay_uplink *u, struct relay_camera *c, struct relay_todo *t)
{
	const struct sluice_ring_desc *d = &t->desc;
	int err = 0;

	if (u->payload_of && (u->payload_of != c || u->payload_index != c->cursor))
		return 0; /* another one waits for credit */
	c->over_budget = !u->payload_of && over_budget(u, relay_budget_class(&c->newest, d));
	if (c->over_budget)
		return 0;
	if (!u->payload_of)
		choose_quality(u);
	if (!u->payload_of)
		err = relay_payload_make(&u->payload, &u->conf.maker, &c->ring, d,
					 &c->region[SLUICE_LANE_LIVE], SLUICE_LANE_LIVE);
	if (!err && u->payload.size > u->frame_max)
		err = -EMSGSIZE;
	if (err) {
		sluice_log_limited(&frame_limit, SLUICE_LOG_WARNING,
				   "%s: frame %" PRIu64 " (%ux%u, %u bytes) cannot be sent: %s",
				   c->name, (uint64_t)d->sequence, d->width, d->height, d->size,
				   err == -EMSGSIZE ? "larger than the cloud accepts"
						    : strerror(-err));
		u->payload_of = NULL;
		relay_camera_refuse(c, t);
		return 1;
	}
	err = relay_send_frame(u, c->slot, d->sequence, u->payload.iov, u->payload.count);
	u->payload_of = err == -ENOSPC ? c : NULL;
	u->payload_index = c->cursor;
	if (!err) {
		spend(u, u->payload.size);
		relay_budget_event_sent(&c->newest, d);
		relay_camera_sent(c, t);
	}
	return !err;
}

/* One message of one camera. 1 if it was dealt with. */
static int pump_camera(struct relay_uplink *u, struct relay_camera *c)
{
	struct relay_todo t;
	int err = 0;

	relay_camera_next(c, &t);
	switch (t.step) {
	case RELAY_NOTHING:
		return 0;
	case RELAY_SEND_FRAME:
		return pump_frame(u, c, &t);
	case RELAY_SEND_OPEN:
		err = relay_send_open(u, c, t.epoch);
		break;
	case RELAY_SEND_STATS:
		err = relay_send_ledger(u, c, t.epoch, false);
		break;
	case RELAY_SEND_CLOSE:
		relay_camera_look(c);
		err = relay_send_ledger(u, c, t.epoch, true);
		break;
	}
	if (!err)
		relay_camera_sent(c, &t);
	return !err;
}

/* One live message. 1 if there was one. */
static int pump_live(struct relay_uplink *u)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		struct relay_camera *c = &u->conf.camera[u->turn];

		u->turn = (u->turn + 1) % SLUICE_WIRE_SLOTS;
		if (c->attached && pump_camera(u, c))
			return 1;
	}
	return 0;
}

/* One message of back-fill. 1 if there was one. */
static int pump_backfill(struct relay_uplink *u)
{
	struct relay_lane_todo t;
	struct iovec payload;
	int err = 0;

	relay_lanes_next(u->conf.lanes, &t);
	switch (t.step) {
	case RELAY_SEND_OPEN:
		err = relay_send_run_open(u, &t);
		break;
	case RELAY_SEND_CLOSE:
		err = relay_send_run_close(u, &t);
		break;
	case RELAY_SEND_FRAME:
		if (u->payload_of)
			return 0; /* a live frame waits for credit */
		if (t.frame.size > u->frame_max)
			return !relay_spool_refuse(u->conf.lanes->spool);
		if (!relay_spool_may_take(u->conf.lanes->spool) ||
		    over_budget(u, RELAY_CLASS_BACKFILL))
			return 0;
		payload = (struct iovec){ (void *)t.frame.payload, t.frame.size };
		err = relay_send_frame(u, SLUICE_WIRE_SLOTS + 1 + t.lane, t.frame.sequence,
				       &payload, 1);
		break;
	default:
		return 0;
	}
	if (!err && t.step == RELAY_SEND_FRAME)
		spend(u, t.frame.size);
	if (!err)
		relay_lanes_sent(u->conf.lanes, &t);
	return !err;
}

void relay_uplink_pump(struct relay_uplink *u)
{
	int (*const pump[2])(struct relay_uplink * u) = { pump_live, pump_backfill };

	while (u->state == RELAY_LINK_UP && sluice_conn_room(u->conn)) {
		unsigned int first = u->share[1] < u->share[0], other = !first;

		if (pump[first](u))
			continue;
		if (!pump[other](u))
			return;
		if (u->share[first] < u->share[other])
			u->share[first] = u->share[other];
	}
}
