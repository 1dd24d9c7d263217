// SPDX-License-Identifier: MIT
/*
 * Three things have to move: the loop (it looks once a second), the frames that a streaming camera
 * delivers (the gate counts them in the ring's page, so a dead driver and a dead gate are both
 * seen), and what is stored, as long as something waits. A camera that nobody streams is idle and
 * well. A link that is down is no fault by itself: it becomes one when frames wait for it.
 */
#include "relay/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MS ((uint64_t)1000000)

void relay_pulse_take(struct relay_pulse *p, const struct relay_camera *c)
{
	uint32_t over = SLUICE_STATE_GONE | SLUICE_STATE_ENDED;

	memset(p, 0, sizeof(*p));
	if (!c->attached)
		return;
	memcpy(p->name, c->name, sizeof(p->name));
	p->streaming = (c->now.state & SLUICE_STATE_STREAMING) && !(c->now.state & over);
	p->delivered = c->now.delivered;
	p->settled = c->stored + c->rejected + c->spooled + c->paused;
	p->waiting = relay_ring_head(&c->ring) - c->tail;
}

void relay_health_look(struct relay_health *h, uint64_t now_ns, const struct relay_pulse *pulse,
		       unsigned int count)
{
	h->looked_ns = now_ns;
	for (unsigned int i = 0; i < count && i < SLUICE_WIRE_SLOTS; i++) {
		const struct relay_pulse *p = &pulse[i], *was = &h->camera[i].pulse;
		bool other = strcmp(p->name, was->name);

		if (other || !p->streaming || !was->streaming || p->delivered != was->delivered)
			h->camera[i].delivered_ns = now_ns;
		if (other || !p->waiting || !was->waiting || p->settled != was->settled)
			h->camera[i].settled_ns = now_ns;
		h->camera[i].pulse = *p;
	}
}

void relay_health_spool(struct relay_health *h, uint64_t now_ns, uint64_t waiting, uint64_t settled)
{
	if (!waiting || !h->spool.waiting || settled != h->spool.settled)
		h->spool.settled_ns = now_ns;
	h->spool.waiting = waiting;
	h->spool.settled = settled;
}

__attribute__((format(printf, 4, 5))) static void add(char *text, size_t size, size_t *used,
						      const char *format, ...)
{
	va_list ap;
	int n;

	if (*used + 1 >= size)
		return;
	va_start(ap, format);
	n = vsnprintf(text + *used, size - *used, format, ap);
	va_end(ap);
	if (n > 0)
		*used += (size_t)n < size - *used ? (size_t)n : size - *used - 1;
}

bool relay_health_good(const struct relay_health *h, uint64_t now_ns, char *text, size_t size)
{
	unsigned int cameras = 0, idle = 0;
	size_t used = 0;

	text[0] = 0;
	if (!h->looked_ns || now_ns - h->looked_ns > RELAY_HEALTH_LOOP_MS * MS)
		add(text, size, &used, "the loop stands still\n");
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		const struct relay_pulse *p = &h->camera[i].pulse;
		uint64_t frames = now_ns - h->camera[i].delivered_ns;
		uint64_t stored = now_ns - h->camera[i].settled_ns;

		if (!p->name[0])
			continue;
		cameras++;
		idle += !p->streaming;
		if (p->streaming && frames > RELAY_HEALTH_FRAMES_MS * MS)
			add(text, size, &used, "%s: no frame for %" PRIu64 " s\n", p->name,
			    frames / (1000 * MS));
		if (p->waiting && stored > RELAY_HEALTH_STORED_MS * MS)
			add(text, size, &used,
			    "%s: %" PRIu64 " frames wait, none was stored for %" PRIu64 " s%s%s\n",
			    p->name, p->waiting, stored / (1000 * MS), h->trouble[0] ? "; " : "",
			    h->trouble);
	}
	if (h->spool.waiting && now_ns - h->spool.settled_ns > RELAY_HEALTH_STORED_MS * MS)
		add(text, size, &used,
		    "the spool: %" PRIu64 " frames wait, none was stored for %" PRIu64 " s%s%s\n",
		    h->spool.waiting, (now_ns - h->spool.settled_ns) / (1000 * MS),
		    h->trouble[0] ? "; " : "", h->trouble);
	if (!cameras)
		add(text, size, &used, "no camera is attached\n");
	if (text[0])
		return false;
	add(text, size, &used, "ok: %u cameras, %u of them idle%s%s\n", cameras, idle,
	    h->trouble[0] ? "; " : "", h->trouble);
	return true;
}
