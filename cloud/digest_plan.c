// SPDX-License-Identifier: MIT
/*
 * digest_plan.c - what is kept of an event for its digest, and which frame the video shows when.
 * Time in which nothing passed the gate is taken out; what is left is shown faster if it is long.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cloud/digest.h"
#include "cloud/starved.h"

#define GAP_S	  0.5 /* a longer gap is shown as this */
#define BOXES_MAX 65536

static uint32_t boxes_of(const struct sluice_event_log *e)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < e->track_count; i++)
		n += e->tracks[i].path_count;
	return n < BOXES_MAX ? n : BOXES_MAX;
}

static void copy_boxes(struct sluice_digest_plan *p, const struct sluice_event_log *e,
		       uint32_t room, uint32_t scale)
{
	for (uint32_t i = 0; i < e->track_count; i++)
		for (uint32_t k = 0; k < e->tracks[i].path_count && p->box_count < room; k++) {
			const struct sluice_box *b = &e->tracks[i].path[k];

			p->boxes[p->box_count++] =
				(struct sluice_digest_box){ .t_s = b->t_s,
							    .track = i,
							    .x = lroundf(b->x * scale),
							    .y = lroundf(b->y * scale),
							    .w = lroundf(b->w * scale),
							    .h = lroundf(b->h * scale) };
		}
}

struct sluice_digest_plan *sluice_digest_plan(const struct sluice_event_log *e,
					      const struct sluice_keyframe *keys,
					      uint32_t key_count, uint32_t scale)
{
	struct sluice_digest_plan *p = calloc(1, sizeof(*p));
	uint32_t boxes = boxes_of(e);

	if (!p) {
		sluice_starved++;
		return NULL;
	}
	p->frames = calloc(e->moment_count + 1, sizeof(*p->frames));
	p->boxes = calloc(boxes + 1, sizeof(*p->boxes));
	sluice_starved += !p->frames || !p->boxes;
	if (p->frames && p->boxes) {
		copy_boxes(p, e, boxes, scale);
		for (uint32_t i = 0; i < e->moment_count; i++) {
			const struct sluice_moment *m = &e->moments[i];

			if (m->t_s >= e->part_start_s && m->t_s <= e->end_s)
				p->frames[p->frame_count++] =
					(struct sluice_digest_frame){ m->sequence, m->t_s };
		}
	}
	if (!p->frame_count) {
		sluice_digest_plan_free(p);
		return NULL;
	}
	p->start_s = e->part_start_s;
	p->end_s = e->end_s;
	for (uint32_t i = 0; i < key_count && i < SLUICE_KEYFRAMES_MAX; i++)
		p->keys[p->key_count++] =
			(struct sluice_digest_frame){ keys[i].sequence, keys[i].t_s };
	return p;
}

void sluice_digest_plan_free(struct sluice_digest_plan *p)
{
	if (!p)
		return;
	free(p->frames);
	free(p->boxes);
	free(p->heat);
	free(p);
}

static double step(const struct sluice_digest_frame *frames, uint32_t i)
{
	double dt = frames[i].t_s - frames[i - 1].t_s;

	return dt < 0 ? 0 : dt < GAP_S ? dt : GAP_S;
}

void sluice_digest_line(const struct sluice_digest_frame *frames, uint32_t count, double seconds,
			struct sluice_digest_line *line)
{
	line->active_s = 0;
	for (uint32_t i = 1; i < count; i++)
		line->active_s += step(frames, i);
	line->factor = fmax(1, line->active_s / (seconds - 1.0 / SLUICE_DIGEST_FPS));
	line->count = (uint32_t)(line->active_s / line->factor * SLUICE_DIGEST_FPS + 1e-6) + 1;
}

uint32_t sluice_digest_shown(const struct sluice_digest_frame *frames, uint32_t count,
			     const struct sluice_digest_line *line, uint32_t k, uint32_t *at,
			     double *at_s)
{
	double s = k * line->factor / SLUICE_DIGEST_FPS;

	while (*at + 1 < count && *at_s + step(frames, *at + 1) <= s + 1e-6) {
		++*at;
		*at_s += step(frames, *at);
	}
	return *at;
}

void sluice_digest_clock(uint64_t utc_ns, char text[32])
{
	time_t s = utc_ns / 1000000000;
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text + n, 32 - n, ".%u UTC", (unsigned int)(utc_ns / 100000000 % 10));
}
