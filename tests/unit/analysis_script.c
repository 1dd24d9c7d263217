// SPDX-License-Identifier: MIT
/*
 * analysis_script.c - a double of the analysis for tests of everything around it: an event begins
 * with the first MOTION frame and ends when the clock says that the gate is closed, or at flush.
 * Its summary has that frame's JPEG, fetched, and 100000 known bytes. Ids are made of camera, epoch
 * and sequence, so that the same frames tell the same event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/ring.h>

#include "cloud/analysis.h"
#include "cloud/camera.h"
#include "lib/sha256.h"

#define BLOB 100000

struct sluice_analysis {
	struct sluice_analysis_config c;
	const struct sluice_analysis_ops *ops;
	void *ctx;
	uint64_t epoch, first, last;
	int open;
	char id[33];
	uint8_t blob[BLOB];
};

struct sluice_analysis *sluice_analysis_open(const struct sluice_analysis_config *c,
					     const struct sluice_analysis_ops *ops, void *ctx)
{
	struct sluice_analysis *a = calloc(1, sizeof(*a));
	size_t i;

	if (!a)
		return NULL;
	a->c = *c;
	a->ops = ops;
	a->ctx = ctx;
	for (i = 0; i < BLOB; i++)
		a->blob[i] = (uint8_t)(i * 7);
	return a;
}

void sluice_analysis_epoch(struct sluice_analysis *a, uint64_t epoch, uint64_t first_ns,
			   uint64_t first_utc_ns)
{
	(void)first_ns;
	(void)first_utc_ns;
	a->epoch = epoch;
	a->open = 0;
}

int sluice_analysis_frame(struct sluice_analysis *a, const struct sluice_stored_frame *f)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[128];
	int n;

	a->last = f->sequence;
	if (a->open || f->reason != SLUICE_REASON_MOTION)
		return 0;
	n = snprintf(text, sizeof(text), "%s %llu %llu", a->c.camera, (unsigned long long)f->epoch,
		     (unsigned long long)f->sequence);
	sluice_sha256(text, (size_t)n, digest);
	sluice_hex(digest, 16, a->id);
	a->open = 1;
	a->first = f->sequence;
	snprintf(text, sizeof(text), "{\"version\":1,\"id\":\"%s\",\"camera\":\"%s\"}", a->id,
		 a->c.camera);
	a->ops->event(a->ctx, a->id, text);
	return 0;
}

static void end_event(struct sluice_analysis *a)
{
	struct sluice_summary_media media[2] = {
		{ .name = "key-1.jpg" }, { .name = "blob.bin", .data = a->blob, .size = BLOB }
	};
	struct sluice_summary s = { .epoch = a->epoch, .media = media, .media_count = 2 };
	uint8_t *jpeg;
	char json[256];

	if (!a->open)
		return;
	a->open = 0;
	jpeg = a->ops->fetch(a->ctx, a->epoch, a->first, &media[0].size);
	if (!jpeg)
		abort(); /* a stored frame that cannot be read again: the test is over */
	media[0].data = jpeg;
	snprintf(json, sizeof(json),
		 "{\"version\":1,\"id\":\"%s\",\"camera\":\"%s\",\"epoch\":\"%llu\",\"first\":%llu,"
		 "\"last\":%llu}",
		 a->id, a->c.camera, (unsigned long long)a->epoch, (unsigned long long)a->first,
		 (unsigned long long)a->last);
	memcpy(s.id, a->id, sizeof(s.id));
	s.json = json;
	a->ops->summary(a->ctx, &s);
	free(jpeg);
}

void sluice_analysis_clock(struct sluice_analysis *a, uint64_t now_ns, int gate_open,
			   uint64_t delivered, const uint64_t counts[32])
{
	(void)now_ns;
	(void)delivered;
	(void)counts;
	if (!gate_open)
		end_event(a);
}

void sluice_analysis_zones(struct sluice_analysis *a, const struct sluice_analysis_config *c)
{
	(void)a;
	(void)c;
}

void sluice_analysis_flush(struct sluice_analysis *a)
{
	end_event(a);
}

void sluice_analysis_close(struct sluice_analysis *a)
{
	free(a);
}
