// SPDX-License-Identifier: MIT
/*
 * fuzz_box.c - what a child that decodes says, as if somebody had taken it over. The first byte
 * chooses the kind of message and whether a digest (bit 7) or a period (bit 6) is being made, the
 * rest is the message. What is believed must lie within it, be about this camera and epoch, and
 * name files that may be written. A period as it is given to a child is the other way round: what
 * the child takes for one must be whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/box.h"
#include "cloud/period.h"

#define EPOCH 7

enum { DIGEST = 128, PERIOD = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned int sum; /* of all bytes that are believed to be there */

static void touch(const void *at, size_t size)
{
	const uint8_t *p = at;

	while (size--)
		sum += *p++;
}

static void check_event(const struct sluice_box_reply *r)
{
	if (strlen(r->id) != 32)
		abort();
	touch(r->json, strlen(r->json));
}

static void check_summary(const struct sluice_box_reply *r)
{
	const struct sluice_summary *s = &r->summary;
	size_t i;

	if (strlen(s->id) != 32 || s->epoch != EPOCH || s->start_utc_ns > s->end_utc_ns ||
	    s->media_count > SLUICE_BOX_MEDIA || strlen(s->json) > SLUICE_BOX_JSON_MAX)
		abort();
	for (i = 0; i < s->media_count; i++) {
		const struct sluice_summary_media *m = &s->media[i];

		if (!memchr(m->name, 0, sizeof(m->name)) || !*m->name || *m->name == '.' ||
		    strchr(m->name, '/') || !strcmp(m->name, "summary.json"))
			abort();
		touch(m->data, m->size);
	}
}

/* A plan that is believed is worked with: all of it is there, and packs to what it came from. */
static void check_plan(const struct sluice_digest_plan *p, size_t size)
{
	uint8_t *again;
	size_t n;

	if (p->epoch != EPOCH || !memchr(p->camera, 0, sizeof(p->camera)))
		abort();
	if (sluice_box_plan_pack(p, &again, &n) || n != size)
		abort();
	touch(again, n);
	free(again);
}

/* The child works with all of it, by number; its owner packs it to what it came from. */
static void check_period(const uint8_t *data, size_t size)
{
	struct sluice_period *p;
	uint8_t *again;
	size_t n;

	if (sluice_period_unpack(data, size, &p))
		return;
	if (strlen(p->camera) >= sizeof(p->camera) || strlen(p->id) > 32 || p->to_ns <= p->from_ns)
		abort();
	for (uint32_t i = 0; i < p->tube_count; i++) {
		const struct sluice_period_tube *t = &p->tubes[i];

		touch(&p->events[t->event], sizeof(p->events[0]));
		touch(&p->boxes[t->first], t->count * sizeof(p->boxes[0]));
	}
	if (sluice_period_pack(p, &again, &n) || n != size)
		abort();
	touch(again, n);
	free(again);
	sluice_period_free(p);
}

/* What is believed is kept as bytes, and read again. */
static void check_tally(const struct sluice_tally *t)
{
	static uint8_t flat[SLUICE_TALLY_BYTES], again[SLUICE_TALLY_BYTES];
	static struct sluice_tally read;
	size_t n = sluice_tally_pack(t, flat);

	if (n > sizeof(flat) || sluice_tally_unpack(flat, n, &read) ||
	    sluice_tally_pack(&read, again) != n || memcmp(flat, again, n) != 0)
		abort();
}

/* Those bytes, as a disk has them after a crash. */
static void check_kept(const uint8_t *data, size_t size)
{
	static struct sluice_tally t;

	if (!sluice_tally_unpack(data, size, &t))
		check_tally(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = {
		SLUICE_BOX_EVENT,    SLUICE_BOX_SUMMARY, SLUICE_BOX_PLAN,
		SLUICE_BOX_FETCH,    SLUICE_BOX_DONE,	 SLUICE_BOX_READY,
		SLUICE_BOX_PROGRESS, SLUICE_BOX_PERIOD,	 SLUICE_BOX_TALLY
	};
	struct sluice_box_speaker who = { .subject = 4, .camera = "door", .epoch = EPOCH };
	struct sluice_box_header h = { .subject = 4 };
	struct sluice_box_reply r;
	uint8_t *message;

	if (!size || size > 1 << 20)
		return 0;
	h.type = types[(data[0] & 63) % (sizeof(types) / sizeof(types[0]))];
	h.size = size - 1;
	who.digest = !!(data[0] & DIGEST);
	who.period = !!(data[0] & PERIOD);
	message = malloc(size); /* of exactly that size, so that a byte behind it is seen */
	if (!message)
		return 0;
	memcpy(message, data + 1, size - 1);
	if (h.type == SLUICE_BOX_PERIOD)
		check_period(message, size - 1);
	if (h.type == SLUICE_BOX_TALLY)
		check_kept(message, size - 1);
	if (!sluice_box_parse(&h, message, &who, &r)) {
		if (r.type == SLUICE_BOX_EVENT)
			check_event(&r);
		else if (r.type == SLUICE_BOX_TALLY)
			check_tally(r.tally);
		else if (r.type == SLUICE_BOX_SUMMARY)
			check_summary(&r);
		else if (r.type == SLUICE_BOX_PLAN)
			check_plan(r.plan, h.size);
		else if (r.type == SLUICE_BOX_FETCH && r.fetch.epoch != EPOCH && !who.period)
			abort();
		else if (r.type == SLUICE_BOX_PROGRESS &&
			 (!who.period || r.per_mille < 0 || r.per_mille > 1000))
			abort();
		else if (r.type == SLUICE_BOX_PERIOD) /* no child asks for one */
			abort();
		if ((who.digest || who.period) &&
		    (r.type == SLUICE_BOX_EVENT || r.type == SLUICE_BOX_PLAN))
			abort();
	}
	sluice_digest_plan_free(r.plan);
	free(message);
	return 0;
}
