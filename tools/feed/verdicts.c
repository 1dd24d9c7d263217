// SPDX-License-Identifier: MIT
/*
 * verdicts.c - what the gate made of the clip.
 *
 * Verdicts come in any order (a frame of the pre-roll waits for its own); a window of the frames
 * that are still open puts the lines into the frames' order. Events are stretches of frames with
 * motion, as the gate saw them: rolls do not count, and what is closer than 2 s is one.
 */
#include "tools/feed/feed.h"
#include "lib/clip.h"
#include "lib/reason.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define JOIN_S 2.0

static double since_first(const struct feed_verdicts *v, uint64_t time_ns)
{
	return (double)(int64_t)(time_ns - v->first_ns) / 1e9;
}

void feed_verdicts_frame(struct feed_verdicts *v, uint64_t time_ns)
{
	struct feed_verdict *f = &v->window[v->handed % FEED_VERDICTS];

	if (!v->handed)
		v->first_ns = time_ns;
	f->time_ns = time_ns;
	f->reason = 0;
	f->score = 0;
	v->handed++;
}

void feed_verdicts_motion(struct feed_verdicts *v)
{
	double t = since_first(v, v->window[(v->handed - 1) % FEED_VERDICTS].time_ns);
	struct feed_span *last = v->event_count ? &v->events[v->event_count - 1] : NULL;

	if (last && t - last->end < JOIN_S) {
		last->end = t > last->end ? t : last->end;
		return;
	}
	if (v->event_count == v->event_room) {
		size_t room = v->event_room ? v->event_room * 2 : 16;
		struct feed_span *more = realloc(v->events, room * sizeof(*more));

		if (!more) {
			fputs("sluice-feed: out of memory\n", stderr);
			exit(1);
		}
		v->events = more;
		v->event_room = room;
	}
	v->events[v->event_count++] = (struct feed_span){ t, t };
}

void feed_verdicts_settle(struct feed_verdicts *v, uint64_t sequence, uint32_t score,
			  enum sluice_reason reason)
{
	struct feed_verdict *f = &v->window[sequence % FEED_VERDICTS];

	f->reason = (uint8_t)reason;
	f->score = score;
	for (; v->printed < v->handed; v->printed++) {
		f = &v->window[v->printed % FEED_VERDICTS];
		if (!f->reason)
			return;
		if (v->lines)
			printf("{\"n\":%" PRIu64
			       ",\"t\":%.6f,\"pass\":%s,\"reason\":\"%s\",\"score\":%u}\n",
			       v->printed, since_first(v, f->time_ns),
			       sluice_reason_passes(f->reason) ? "true" : "false",
			       sluice_reason_name(f->reason), f->score);
	}
}

static double length_s(const struct feed_verdicts *v)
{
	return v->handed ? since_first(v, v->window[(v->handed - 1) % FEED_VERDICTS].time_ns) : 0;
}

static void print_class(const struct sluice_ledger *l, enum sluice_reason_class class,
			const char *name)
{
	const char *comma = "";
	unsigned int i;

	printf(",\"%s\":{", name);
	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		if (l->count[i] && sluice_reason_class(i) == class) {
			printf("%s\"%s\":%" PRIu64, comma, sluice_reason_name(i),
			       (uint64_t)l->count[i]);
			comma = ",";
		}
	printf("}");
}

static void print_json(const struct feed_verdicts *v, const struct feed_options *o,
		       const struct sluice_picture *p, const struct sluice_ledger *l,
		       uint64_t epoch, uint64_t damaged)
{
	const char *format = sluice_clip_format_name(p->fourcc);
	size_t i;

	printf("{\"summary\":{\"camera\":\"%s\",\"epoch\":\"%" PRIu64 "\"", o->name, epoch);
	printf(",\"frames\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"seconds\":%.3f",
	       (uint64_t)l->delivered, sluice_reason_sum(l->count, SLUICE_PASSED), length_s(v));
	printf(",\"format\":\"%s\",\"width\":%u,\"height\":%u,\"grid\":[%u,%u]",
	       format ? format : "?", p->width, p->height, p->grid_w, p->grid_h);
	print_class(l, SLUICE_PASSED, "passed_by");
	print_class(l, SLUICE_DROPPED, "dropped_by");
	print_class(l, SLUICE_LOST, "lost_by");
	printf(",\"pending\":%" PRIu64, (uint64_t)l->pending);
	printf(",\"bytes_seen\":%" PRIu64 ",\"bytes_passed\":%" PRIu64
	       ",\"damaged_packets\":%" PRIu64,
	       (uint64_t)l->bytes_seen, (uint64_t)l->bytes_passed, damaged);
	printf(",\"us_per_frame\":%.1f,\"events\":[",
	       v->handed ? (double)v->busy_ns / 1e3 / (double)v->handed : 0);
	for (i = 0; i < v->event_count; i++)
		printf("%s{\"start\":%.3f,\"end\":%.3f}", i ? "," : "", v->events[i].start,
		       v->events[i].end);
	printf("]}}\n");
}

static void print_people(const struct feed_verdicts *v, const struct feed_options *o,
			 const struct sluice_picture *p, const struct sluice_ledger *l)
{
	uint64_t passed = sluice_reason_sum(l->count, SLUICE_PASSED);
	unsigned int i;
	size_t k;

	printf("%s: %" PRIu64 " frames of %ux%u in %.1f s, %" PRIu64 " passed (%.1f %%)\n", o->clip,
	       (uint64_t)l->delivered, p->width, p->height, length_s(v), passed,
	       l->delivered ? 100.0 * (double)passed / (double)l->delivered : 0.0);
	for (i = 0; i < SLUICE_REASON_COUNT; i++)
		if (l->count[i])
			printf("  %-8s %-13s %8" PRIu64 "  %s\n",
			       sluice_reason_passes(i)	  ? "passed"
			       : i < SLUICE_REASON_MOTION ? "dropped"
							  : "lost",
			       sluice_reason_name(i), (uint64_t)l->count[i], sluice_reason_text(i));
	for (k = 0; k < v->event_count; k++)
		printf("  motion from %.2f s to %.2f s\n", v->events[k].start, v->events[k].end);
	if (!v->event_count)
		printf("  no motion\n");
}

void feed_verdicts_summary(const struct feed_verdicts *v, const struct feed_options *o,
			   const struct sluice_picture *p, const struct sluice_ledger *l,
			   uint64_t epoch, uint64_t damaged)
{
	if (o->json)
		print_json(v, o, p, l, epoch, damaged);
	else
		print_people(v, o, p, l);
	fflush(stdout);
}

void feed_verdicts_free(struct feed_verdicts *v)
{
	free(v->events);
	v->events = NULL;
	v->event_count = v->event_room = 0;
}
