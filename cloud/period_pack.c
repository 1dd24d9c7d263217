// SPDX-License-Identifier: MIT
/* period_pack.c - a period as one piece of memory, for the child that works on it. The arrays lie
 * behind the struct: events, tubes, boxes, frames. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/period.h"

static void sizes_of(const struct sluice_period *p, size_t size[4])
{
	size[0] = p->event_count * sizeof(*p->events);
	size[1] = p->tube_count * sizeof(*p->tubes);
	size[2] = p->box_count * sizeof(*p->boxes);
	size[3] = p->frame_count * sizeof(*p->frames);
}

int sluice_period_pack(const struct sluice_period *p, uint8_t **data, size_t *size)
{
	const void *const from[4] = { p->events, p->tubes, p->boxes, p->frames };
	struct sluice_period flat = *p;
	size_t part[4];
	uint8_t *to;

	sizes_of(p, part);
	*size = sizeof(flat) + part[0] + part[1] + part[2] + part[3];
	if (*size > SLUICE_PERIOD_PACKED_MAX)
		return -E2BIG;
	to = *data = malloc(*size);
	if (!to)
		return -ENOMEM;
	flat.events = NULL;
	flat.tubes = NULL;
	flat.boxes = NULL;
	flat.frames = NULL;
	memcpy(to, &flat, sizeof(flat));
	to += sizeof(flat);
	for (int i = 0; i < 4; i++) {
		if (part[i])
			memcpy(to, from[i], part[i]);
		to += part[i];
	}
	return 0;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool counts_ok(const struct sluice_period *p)
{
	return p->event_count <= SLUICE_PERIOD_EVENTS_MAX &&
	       p->tube_count <= SLUICE_PERIOD_TUBES_MAX &&
	       p->box_count <= SLUICE_PERIOD_BOXES_MAX &&
	       p->frame_count <= SLUICE_PERIOD_FRAMES_MAX && p->width <= 65535 &&
	       p->height <= 65535 && p->from_ns >= 0 && p->to_ns > p->from_ns &&
	       isfinite(p->seconds) && p->seconds >= 1 && p->seconds <= 600 &&
	       isfinite(p->order_s) && p->order_s >= 0 && p->order_s <= 600 &&
	       is_text(p->camera, sizeof(p->camera)) && is_text(p->language, sizeof(p->language)) &&
	       is_text(p->id, sizeof(p->id)) && is_text(p->span, sizeof(p->span));
}

static bool rows_ok(const struct sluice_period *p)
{
	for (uint32_t i = 0; i < p->event_count; i++) {
		const struct sluice_period_event *e = &p->events[i];

		if (!is_text(e->event, sizeof(e->event)) || !is_text(e->summary, 33) ||
		    !is_text(e->title, sizeof(e->title)) || e->key_count > SLUICE_PERIOD_KEYS ||
		    e->end_ns < e->start_ns || e->threat > 2 || !isfinite(e->confidence))
			return false;
	}
	for (uint32_t i = 0; i < p->tube_count; i++) {
		const struct sluice_period_tube *t = &p->tubes[i];

		if (t->event >= p->event_count || !t->count || t->first > p->box_count ||
		    t->count > p->box_count - t->first || !is_text(t->class, sizeof(t->class)))
			return false;
		for (uint32_t k = 1; k < t->count; k++)
			if (p->boxes[t->first + k].at_ns <= p->boxes[t->first + k - 1].at_ns)
				return false;
	}
	for (uint32_t i = 0; i < p->box_count; i++)
		if (p->boxes[i].w <= 0 || p->boxes[i].h <= 0)
			return false;
	for (uint32_t i = 1; i < p->frame_count; i++)
		if (p->frames[i].at_ns < p->frames[i - 1].at_ns)
			return false;
	return true;
}

static void *copy_of(const uint8_t **data, size_t size)
{
	void *to = malloc(size + 1);

	if (to)
		memcpy(to, *data, size);
	*data += size;
	return to;
}

static int fill(struct sluice_period *p, const uint8_t *data, size_t size)
{
	size_t part[4];

	if (!counts_ok(p))
		return -EBADMSG;
	sizes_of(p, part);
	if (part[0] + part[1] + part[2] + part[3] != size)
		return -EBADMSG;
	p->events = copy_of(&data, part[0]);
	p->tubes = copy_of(&data, part[1]);
	p->boxes = copy_of(&data, part[2]);
	p->frames = copy_of(&data, part[3]);
	if (!p->events || !p->tubes || !p->boxes || !p->frames)
		return -ENOMEM;
	p->event_room = p->event_count;
	p->tube_room = p->tube_count;
	p->box_room = p->box_count;
	p->frame_room = p->frame_count;
	return rows_ok(p) ? 0 : -EBADMSG;
}

int sluice_period_unpack(const uint8_t *data, size_t size, struct sluice_period **out)
{
	struct sluice_period *p;
	int err;

	*out = NULL;
	if (size < sizeof(*p) || size > SLUICE_PERIOD_PACKED_MAX)
		return -EBADMSG;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	memcpy(p, data, sizeof(*p));
	p->events = NULL;
	p->tubes = NULL;
	p->boxes = NULL;
	p->frames = NULL;
	err = fill(p, data + sizeof(*p), size - sizeof(*p));
	if (err)
		sluice_period_free(p);
	else
		*out = p;
	return err;
}
