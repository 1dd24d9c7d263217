// SPDX-License-Identifier: MIT
/*
 * move_s3.c - see move_s3.h. Broken off at each of its requests a move is gone on with; what is
 * there twice is put once; what is changed on either side is told.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/depot_s3.h"
#include "cloud/media_move.h"
#include "cloud/media_s3.h"
#include "cloud/recover.h"
#include "tests/conform/bad_proxy.h"
#include "tests/conform/move_s3.h"
#include "tests/unit/check.h"
#include "tests/unit/store_rig.h"

#define PREFIX "moved"

static struct store_rig rig;
static struct sluice_shelf here;

static void fill_here(void)
{
	struct sluice_recovered r;
	struct sluice_store *s;

	store_rig_begin(&rig, 4);
	CHECK(!sluice_store_open(rig.data, &rig.ring, &s) && store_rig_group(&rig, s, 0));
	sluice_store_close(s);
	CHECK(!sluice_store_open(rig.data, &rig.ring, &s) &&
	      store_rig_group(&rig, s, STORE_RIG_GROUP));
	sluice_store_close(s);
	CHECK(!store_rig_shelf(&rig, rig.data, &here) && store_rig_summary(&rig, &here));
	CHECK(!sluice_recover(rig.data, here.index, 0, &r));
}

static struct sluice_media *open_there(const struct sluice_s3_config *s3)
{
	const struct sluice_media_s3_config c = { .s3 = *s3, .prefix = PREFIX, .keys = &rig.ring };
	char why[SLUICE_S3_WHY];
	struct sluice_media *m;

	if (sluice_media_s3_open(&c, &m, why) ||
	    sluice_depot_s3_open(sluice_media_s3_client(m), PREFIX, &m->depot))
		exit(1);
	return m;
}

static int move(struct sluice_media *to, int check, struct sluice_media_moved *r)
{
	const struct sluice_media_move_config c = {
		.data = rig.data, .ix = here.index, .from = here.media, .to = to, .check = check
	};

	return sluice_media_move(&c, r);
}

/* Everything is read from the bucket. */
static void check_there(struct sluice_media *to)
{
	struct sluice_shelf there = { .data = rig.data, .index = here.index, .media = to };
	struct sluice_check k;

	for (uint64_t i = 0; i < STORE_RIG_FRAMES; i++)
		CHECK(!store_rig_frame(&rig, &there, i));
	CHECK(!sluice_check(rig.data, here.index, to, NULL, NULL, &k));
	CHECK(k.frames == STORE_RIG_FRAMES && !k.missing_frame && !k.missing_row &&
	      k.segments == 2 && k.summaries == 1 && !k.bad_media && !k.orphans && !k.locked);
}

static int remove_one(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct sluice_depot *d = ctx;

	(void)c;
	return d->ops->remove(d, path);
}

static void empty(struct sluice_media *to)
{
	CHECK(!to->depot->ops->each(to->depot, remove_one, to->depot));
	CHECK(!to->ops->remove(to, &rig.camera, store_rig_id));
}

/* One object gets other bytes. */
static int spoil(void *ctx, const struct sluice_camera *c, const char *path)
{
	struct sluice_depot *d = ctx;
	const struct sluice_depot_put put = { path, (const uint8_t *)"other", 5 };

	(void)c;
	CHECK(!d->ops->put(d, &put, 1));
	return 1;
}

void conform_move(const struct sluice_s3_config *s3)
{
	struct sluice_media *to;
	struct sluice_media_moved r;
	unsigned int requests, at;

	fill_here();
	to = open_there(s3);
	/* nothing is there */
	CHECK(!move(to, 1, &r) && r.differ == 3 && !r.copied && r.first[0]);
	bad_proxy_fail(0, 0, 0);
	CHECK(!move(to, 0, &r));
	requests = bad_proxy_fail(0, 0, 0);
	CHECK(r.segments == 2 && r.summaries == 1 && r.copied == 3 && !r.differ && !r.lost &&
	      !r.open);
	check_there(to);
	CHECK(!move(to, 0, &r) && !r.copied && !r.differ && r.segments == 2);
	CHECK(!move(to, 1, &r) && !r.differ && r.segments == 2 && r.summaries == 1);
	/* other bytes there */
	CHECK(to->depot->ops->each(to->depot, spoil, to->depot) == 1);
	CHECK(!move(to, 1, &r) && r.differ == 1 && !strncmp(r.first, "segments/", 9));
	CHECK(!move(to, 0, &r) && r.copied == 1 && !r.differ);
	check_there(to);
	/* broken off, some way in, and gone on with */
	for (at = 1; at <= requests; at += 4) {
		empty(to);
		bad_proxy_fail(BAD_PROXY_500, at, 1);
		CHECK(move(to, 0, &r) < 0);
		bad_proxy_fail(0, 0, 0);
		CHECK(!move(to, 0, &r) && !r.differ && !r.lost);
	}
	check_there(to);
	empty(to);
	sluice_media_close(to);
	store_rig_close(&here);
	store_rig_remove(rig.data);
}
