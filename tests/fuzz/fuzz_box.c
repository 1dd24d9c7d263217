// SPDX-License-Identifier: MIT
/*
 * fuzz_box.c - what a child that decodes says, as if somebody had taken it over. The first byte
 * chooses the kind of message and whether a digest is being made, the rest is the message. What is
 * believed must lie within it, be about this camera and epoch, and name files that may be written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/box.h"

#define EPOCH 7

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { SLUICE_BOX_EVENT, SLUICE_BOX_SUMMARY, SLUICE_BOX_PLAN,
					  SLUICE_BOX_FETCH, SLUICE_BOX_DONE,	SLUICE_BOX_READY };
	struct sluice_box_speaker who = { .subject = 4, .camera = "door", .epoch = EPOCH };
	struct sluice_box_header h = { .subject = 4 };
	struct sluice_box_reply r;
	uint8_t *message;

	if (!size || size > 1 << 20)
		return 0;
	h.type = types[(data[0] & 127) % 6];
	h.size = size - 1;
	who.digest = data[0] >> 7;
	message = malloc(size); /* of exactly that size, so that a byte behind it is seen */
	if (!message)
		return 0;
	memcpy(message, data + 1, size - 1);
	if (!sluice_box_parse(&h, message, &who, &r)) {
		if (r.type == SLUICE_BOX_EVENT)
			check_event(&r);
		else if (r.type == SLUICE_BOX_SUMMARY)
			check_summary(&r);
		else if (r.type == SLUICE_BOX_PLAN)
			check_plan(r.plan, h.size);
		else if (r.type == SLUICE_BOX_FETCH && r.fetch.epoch != EPOCH)
			abort();
		if (who.digest && (r.type == SLUICE_BOX_EVENT || r.type == SLUICE_BOX_PLAN))
			abort();
	}
	sluice_digest_plan_free(r.plan);
	free(message);
	return 0;
}
