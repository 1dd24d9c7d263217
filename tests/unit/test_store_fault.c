// SPDX-License-Identifier: MIT
/*
 * test_store_fault.c - the N-th allocation, or the N-th call that changes the disk, fails, in the
 * store, the index (SQLite's own calls too), media and retention. Whatever fails: nothing dies,
 * nothing leaks, and what was said to be stored is there afterwards, byte for byte. The same with
 * segments that are put whole (depot.h), at fewer places.
 *
 * usage: test_store_fault [PLACES], at most so many of each kind, spread evenly
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <openssl/err.h>

#include "cloud/recover.h"
#include "cloud/retain.h"
#include "tests/unit/check.h"
#include "tests/unit/nth_fault.h"
#include "tests/unit/store_rig.h"

#define FRAMES STORE_RIG_FRAMES

static struct store_rig rig;
static struct sluice_depot depot; /* of the rig's segments */
static int whole;
static const struct sluice_whose who = { "t", NULL };

struct done {
	int stored[FRAMES]; /* committed */
	int summary, dropped;
};

/* ---- what is done ---- */

static uint64_t far(void)
{
	return 1800000000000000000ull;
}

static void use_store(struct done *d, int forget)
{
	struct sluice_retain_config keep = { .data = rig.data, .events_s = 1, .utc_now = far };
	struct sluice_retain *retain = NULL;
	struct sluice_shelf shelf;
	struct sluice_store *s = NULL;
	int i, err;

	sluice_depot_dir(&depot, rig.data);
	depot.whole = whole;
	if (!sluice_store_open_in(rig.data, &depot, &rig.ring, &s)) {
		for (i = 0; i < FRAMES; i += STORE_RIG_GROUP)
			d->stored[i] = d->stored[i + 1] = d->stored[i + 2] =
				store_rig_group(&rig, s, i);
	}
	sluice_store_close(s);
	err = store_rig_shelf(&rig, rig.data, &shelf);
	if (!err) {
		shelf.media->depot = &depot;
		d->summary = store_rig_summary(&rig, &shelf);
		keep.media = shelf.media;
	}
	if (!err && forget && !sluice_retain_open(&keep, &retain)) {
		for (i = 0; i < 8 && sluice_retain_step(retain) > 0; i++)
			;
		d->dropped = 1;
	}
	sluice_retain_close(retain);
	if (!err)
		store_rig_close(&shelf);
}

/* ---- what must be true afterwards ---- */

static void check_frames(const struct sluice_shelf *shelf, const struct done *d)
{
	uint64_t i;

	for (i = 0; i < FRAMES && !d->dropped; i++) {
		int err = store_rig_frame(&rig, shelf, i);

		CHECK(d->stored[i] ? !err : err != -EUCLEAN);
	}
}

static int count_summary(void *ctx, const struct sluice_camera *c,
			 const struct sluice_index_summary *s)
{
	(void)c;
	CHECK(s->media_count == 1);
	++*(int *)ctx;
	return 0;
}

/* A new life: recovery, then all that was promised, then fsck. */
static void check_store(const struct done *d)
{
	struct sluice_shelf shelf;
	struct sluice_recovered r;
	struct sluice_check k;
	int n = 0, err = store_rig_shelf(&rig, rig.data, &shelf);

	CHECK(!err);
	if (err)
		return;
	shelf.media->depot = &depot;
	CHECK(!sluice_retain_finish(rig.data, shelf.index, shelf.media));
	CHECK(whole || !sluice_recover(rig.data, shelf.index, 0, &r));
	CHECK(whole || !r.damaged);
	check_frames(&shelf, d);
	/* one whose camera is not there can be asked for by nobody */
	if (d->summary && (d->stored[0] || d->stored[3]))
		CHECK(!shelf.index->ops->summary_find(shelf.index, &who, store_rig_id,
						      count_summary, &n) &&
		      n == 1);
	CHECK(!sluice_check(rig.data, shelf.index, shelf.media, NULL, NULL, &k));
	CHECK(!k.missing_frame && !k.bad_media && !k.bad_header && !(whole && k.bad_tail));
	store_rig_close(&shelf);
}

static long run_once(enum nth_kind k, unsigned long at, int forget, unsigned long *total)
{
	struct done d = { 0 };
	long before;

	store_rig_begin(&rig, 3);
	before = nth_fault.live;
	nth_begin(k, at);
	use_store(&d, forget);
	*total = nth_end();
	ERR_clear_error(); /* OpenSSL's words of it are no leak */
	before = nth_fault.live - before;
	check_store(&d);
	store_rig_remove(rig.data);
	if (!at)
		CHECK(d.stored[0] && d.stored[FRAMES - 1] && d.summary);
	return before;
}

/* What was said before the end is in memory that outlives it. */
struct told {
	struct done done;
	int forget;
};

static void use_told(void *arg)
{
	struct told *t = arg;

	use_store(&t->done, t->forget);
}

static void test_kills(unsigned long places)
{
	struct told *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long total, at, step, tried;
	int forget;

	CHECK(t != MAP_FAILED);
	for (forget = 0; forget < 2 && t != MAP_FAILED; forget++) {
		run_once(NTH_DISK, 0, forget, &total);
		step = total / places + 1;
		for (tried = 0, at = 1; at <= total; at += step, tried++) {
			memset(t, 0, sizeof(*t));
			t->forget = forget;
			store_rig_begin(&rig, 3);
			CHECK(nth_killed(at, use_told, t));
			/* it may have been at it */
			t->done.dropped = forget;
			check_store(&t->done);
			store_rig_remove(rig.data);
		}
		printf("killed at %lu of %lu places%s\n", tried, total,
		       forget ? ", with retention" : "");
	}
	munmap(t, sizeof(*t));
}

static void test_kind(enum nth_kind k, const char *name, unsigned long places)
{
	unsigned long total, at, step, ignored;
	int forget;

	for (forget = 0; forget < 2; forget++) {
		run_once(k, 0, forget, &total); /* warms up what lives as long as the process */
		CHECK(!run_once(k, 0, forget, &total));
		step = total / places + 1;
		for (at = 1; at <= total; at += step) {
			long left = run_once(k, at, forget, &ignored);

			if (left)
				fprintf(stderr, "%s %lu: %ld blocks are left\n", name, at, left);
			CHECK(left <= 0);
		}
		printf("%s: %lu places, every %lu tried%s\n", name, total, step,
		       forget ? ", with retention" : "");
	}
}

int main(int argc, char **argv)
{
	unsigned long places = argc > 1 ? strtoul(argv[1], NULL, 0) : 40;

	nth_fault.err = EIO;
	test_kind(NTH_DISK, "disk, EIO", places);
	nth_fault.err = ENOSPC;
	test_kind(NTH_DISK, "disk, ENOSPC", places);
	test_kind(NTH_MEMORY, "memory", places);
	test_kills(places);
	whole = 1;
	test_kind(NTH_DISK, "whole segments: disk, ENOSPC", places / 4);
	test_kind(NTH_MEMORY, "whole segments: memory", places / 4);
	test_kills(places / 4);
	return check_result();
}
