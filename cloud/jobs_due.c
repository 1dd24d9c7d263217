// SPDX-License-Identifier: MIT
/*
 * jobs_due.c - which hours and days are to be told: those of the last day, or days, in which a
 * camera had an event that is no nuisance. Hours are those of UTC; a day is one of the node's own
 * time zone, 23 or 25 hours long where the clock is changed. A job's id follows from camera and
 * period: it is added once, however often anybody looks, and also when it has long been done.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cloud/jobs.h"
#include "lib/sha256.h"

#define HOUR_NS	  3600000000000ull
#define SECOND_NS 1000000000ull
#define HOURS	  25 /* looked back; a node that was off for longer leaves them out */
#define DAYS	  2

struct due {
	struct sluice_index *ix;
	const struct sluice_jobs_periods *p;
	const char *span;
	uint64_t from_ns, to_ns, now_ns;
	/* collected first: nothing is added within a walk */
	uint8_t camera[256][16];
	unsigned int cameras;
	int added;
};

static int take_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t w,
		       uint32_t h, const void *ledger, size_t ledger_size)
{
	struct due *d = ctx;

	(void)seen_utc_ns;
	(void)w;
	(void)h;
	(void)ledger;
	(void)ledger_size;
	memcpy(d->camera[d->cameras++], c->id, 16);
	return d->cameras == 256; /* of more, the others come with the next look */
}

static int add_job(struct due *d, const uint8_t camera[16])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct sluice_index_job j = { .kind = "period",
				      .by = "node",
				      .from_ns = d->from_ns,
				      .to_ns = d->to_ns,
				      .made_ns = d->now_ns };
	char text[160], hex[33], settings[96];
	int n, rc;

	sluice_hex(camera, 16, hex);
	n = snprintf(text, sizeof(text), "sluice job 1\n%s\n%s\n%llu", hex, d->span,
		     (unsigned long long)d->from_ns);
	sluice_sha256(text, (size_t)n, hash);
	sluice_hex(hash, 16, j.id);
	memcpy(j.camera, camera, 16);
	snprintf(settings, sizeof(settings), "{\"span\":\"%s\",\"seconds\":%u,\"language\":\"%s\"}",
		 d->span, d->p->seconds, d->p->language);
	j.settings = settings;
	rc = d->ix->ops->job_add(d->ix, &j);
	d->added += rc == 0;
	return rc < 0 ? rc : 0;
}

static int add_span(struct due *d)
{
	int err;

	d->cameras = 0;
	err = d->ix->ops->cameras_busy(d->ix, d->from_ns, d->to_ns, take_camera, d);
	for (unsigned int i = 0; i < d->cameras && err >= 0; i++)
		err = add_job(d, d->camera[i]);
	return err < 0 ? err : 0;
}

static int add_hours(struct due *d, uint64_t until_ns)
{
	uint64_t last = until_ns / HOUR_NS * HOUR_NS;
	int err = 0;

	d->span = "hour";
	for (unsigned int i = HOURS; i-- > 0 && !err;) {
		if (last < (i + 1) * HOUR_NS)
			continue;
		d->from_ns = last - (i + 1) * HOUR_NS;
		d->to_ns = d->from_ns + HOUR_NS;
		err = add_span(d);
	}
	return err;
}

/* Midnight of the node's time zone, so many days before the one that ns lies in. */
static uint64_t midnight(uint64_t ns, int days_before)
{
	time_t at = (time_t)(ns / SECOND_NS);
	struct tm tm;

	localtime_r(&at, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday -= days_before;
	tm.tm_isdst = -1;
	at = mktime(&tm);
	return at < 0 ? 0 : (uint64_t)at * SECOND_NS;
}

static int add_days(struct due *d, uint64_t until_ns)
{
	int err = 0;

	d->span = "day";
	for (int i = DAYS; i-- > 0 && !err;) {
		d->from_ns = midnight(until_ns, i + 1);
		d->to_ns = midnight(until_ns, i);
		if (d->from_ns < d->to_ns)
			err = add_span(d);
	}
	return err;
}

int sluice_jobs_due(struct sluice_index *ix, const struct sluice_jobs_periods *p, uint64_t now_ns)
{
	struct due d = { .ix = ix, .p = p, .now_ns = now_ns };
	uint64_t until = now_ns > p->wait_ns ? now_ns - p->wait_ns : 0;
	int err = 0;

	if (p->hour)
		err = add_hours(&d, until);
	if (p->day && !err)
		err = add_days(&d, until);
	return err ? err : d.added;
}
