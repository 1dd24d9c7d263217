// SPDX-License-Identifier: MIT
/*
 * test_reanalyse.c - stored frames through the analysis once more: the same events as live, also if
 * it is broken off again and again and goes on from its notes, and if other streams have the same
 * times, for a moment or for many pages of frames; other settings change what is found; where
 * nothing is stored it says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/compare.h"
#include "cloud/reanalyse.h"
#include "tests/unit/check.h"
#include "tests/unit/jpeg_make.h"
#include "tests/unit/store_rig.h"

#define S      1000000000ull
#define T0     (1700000000 * S)
#define LENGTH 1200 /* s: a quiet picture each second, five while something walks */
#define WALKS  4
#define WALK_S 8
#define LATER  3 /* pictures of the next stream, told as of a time in the second walk */
#define FRAMES (LENGTH + WALKS * WALK_S * 4 + LATER)
#define BESIDE 12 /* minutes of two streams of the same times; one walks in each but the first */
#define W      160
#define H      120

static const int walk_at[WALKS] = { 60, 330, 700, 1100 };

static struct store_rig rig;
static struct sluice_shelf shelf;

/* A noisy picture, with a box x pixels from the left if x >= 0. */
static uint8_t *draw(int x, int contrast, size_t *size)
{
	static const struct jpeg_shape shape = {
		.width = W, .height = H, .components = 1, .h = 1, .v = 1, .quality = 85
	};
	static uint8_t px[W * H];

	for (int i = 0; i < W * H; i++)
		px[i] = (uint8_t)(100 + (i % W) / 8 + (int)random_below(3));
	for (int y = 40; y < 90 && x >= 0; y++)
		for (int k = x; k < x + 20 && k < W; k++)
			px[y * W + k] = (uint8_t)(px[y * W + k] + contrast + (y & 4) + (k & 4));
	return jpeg_from_pixels(&shape, px, size);
}

static void store_frame(struct sluice_store *s, uint64_t epoch, uint64_t sequence, uint64_t at_ns,
			int x, int contrast)
{
	size_t size;
	uint8_t *jpeg = draw(x, contrast, &size);
	struct sluice_item *item = calloc(1, sizeof(*item) + size);
	uint64_t resume;
	int err;

	if (!jpeg || !item)
		exit(1);
	item->camera = &rig.camera;
	item->epoch = epoch;
	item->sequence = sequence;
	item->range_last = INT64_MAX;
	item->time_ns = 7 * S + at_ns;
	item->utc_ns = T0 + at_ns;
	item->reason = x < 0 ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_MOTION;
	item->width = W;
	item->height = H;
	item->jpeg_size = (uint32_t)size;
	memcpy(item->data, jpeg, size);
	err = sequence ? 0 : sluice_store_epoch(s, item, &resume);
	CHECK(!err && !sluice_store_frame(s, item));
	free(item);
	free(jpeg);
}

/* The last walk is fainter than the others. The clock was set back before the next stream. */
static void fill(void)
{
	struct sluice_store *s;
	uint64_t sequence = 0;

	store_rig_begin(&rig, 0);
	CHECK(!sluice_store_open(rig.data, &rig.ring, &s) && !sluice_store_begin(s));
	for (int t = 0; t < LENGTH; t++) {
		int walk = 0;

		while (walk < WALKS && (t < walk_at[walk] || t >= walk_at[walk] + WALK_S))
			walk++;
		if (walk == WALKS)
			store_frame(s, STORE_RIG_EPOCH, sequence++, t * S, -1, 0);
		for (int i = 0; i < 5 && walk < WALKS; i++)
			store_frame(s, STORE_RIG_EPOCH, sequence++, t * S + i * S / 5,
				    (t - walk_at[walk]) * 18 + i * 18 / 5,
				    walk == WALKS - 1 ? 9 : 60);
	}
	for (uint64_t i = 0; i < LATER; i++)
		store_frame(s, STORE_RIG_EPOCH + 1, i, (walk_at[1] + 2 + i * 2) * S + S / 3, -1, 0);
	CHECK(!sluice_store_sync(s) && !sluice_store_commit(s));
	sluice_store_close(s);
}

/* Two streams whose times are the same, in which something walks in turn. */
static void fill_beside(void)
{
	struct sluice_store *s;
	uint64_t sequence[2] = { 0, 0 };

	CHECK(!sluice_store_open(rig.data, &rig.ring, &s) && !sluice_store_begin(s));
	for (uint64_t t = 0; t < BESIDE * 60; t++)
		for (uint64_t which = 0; which < 2; which++) {
			uint64_t in = t % 60 - (10 + 30 * which); /* s of its walk */
			bool walks = t >= 60 && in < WALK_S;

			for (uint64_t i = 0; i < (walks ? 5 : 1); i++)
				store_frame(s, STORE_RIG_EPOCH + 2 + which, sequence[which]++,
					    (2 * LENGTH + t) * S + i * S / 5 + which,
					    walks ? (int)(in * 18 + i * 18 / 5) : -1, 60);
		}
	CHECK(!sluice_store_sync(s) && !sluice_store_commit(s));
	sluice_store_close(s);
}

struct notes {
	struct sluice_reanalysis *r;
	int left; /* calls of progress until it is to end; -1: never */
	int last;
	unsigned int settled;
};

static int progress(void *ctx, int per_mille)
{
	struct notes *n = ctx;

	CHECK(per_mille >= 0 && per_mille <= 1000);
	n->last = per_mille;
	return n->left >= 0 && n->left-- == 0;
}

static void settled(void *ctx)
{
	struct notes *n = ctx;

	n->settled++;
}

static struct sluice_reanalysis wanted(struct notes *n, uint64_t from_s, uint64_t to_s)
{
	return (struct sluice_reanalysis){ .shelf = &shelf,
					   .camera = &rig.camera,
					   .config = { .join_ms = 10000,
						       .event_max_ms = 300000,
						       .keyframes_max = 12,
						       .language = "en" },
					   .from_ns = T0 + from_s * S,
					   .to_ns = T0 + to_s * S,
					   .progress = progress,
					   .settled = settled,
					   .ctx = n,
					   .events = json_array() };
}

static struct sluice_told_list told(const struct sluice_reanalysis *r)
{
	struct sluice_told_list l = { 0 };
	json_t *o;
	size_t i;

	json_array_foreach (r->events, i, o)
		CHECK(!sluice_told_add(&l, o));
	sluice_told_within(&l, (int64_t)r->from_ns, (int64_t)r->to_ns);
	return l;
}

static void test_whole(struct sluice_told_list *all)
{
	struct notes n = { .left = -1 };
	struct sluice_reanalysis r = wanted(&n, 0, LENGTH);
	char why[200] = "";

	CHECK(!sluice_reanalyse(&r, why, sizeof(why)));
	*all = told(&r);
	CHECK(all->count >= WALKS - 1 && all->count <= WALKS && n.settled >= 3 && n.last > 900);
	CHECK(r.frames == FRAMES && !r.unread && r.epoch == STORE_RIG_EPOCH);
	for (uint32_t i = 0; i < WALKS - 1 && i < all->count; i++) {
		int64_t off = all->event[i].start_ns - (int64_t)(T0 + walk_at[i] * S);

		CHECK(off > -(int64_t)S && off < (int64_t)(2 * S));
		CHECK(!all->event[i].nuisance && all->event[i].tracks >= 1);
	}
	json_decref(r.events);
}

/* Each life goes on from a copy of the notes of the one before. */
static void test_resumed(const struct sluice_told_list *all)
{
	struct notes n = { .left = -1 };
	struct sluice_reanalysis r = wanted(&n, 0, LENGTH);
	char why[200];
	unsigned int lives = 0;
	int err;

	do {
		char *text = json_dumps(r.events, 0);

		json_decref(r.events);
		r.events = json_loads(text, 0, NULL);
		free(text);
		n.left = 20;
		err = sluice_reanalyse(&r, why, sizeof(why));
	} while (err == -ECANCELED && ++lives < 50);
	CHECK(!err && lives >= 2);
	if (!err) {
		struct sluice_told_list l = told(&r);

		CHECK(l.count == all->count);
		CHECK(r.frames == FRAMES);
		for (uint32_t i = 0; i < l.count && i < all->count; i++)
			CHECK(sluice_told_tiou(&l.event[i], &all->event[i]) > 0.9 &&
			      l.event[i].tracks == all->event[i].tracks);
		sluice_told_clear(&l);
	}
	json_decref(r.events);
}

static uint32_t count_with(uint32_t sensitivity, uint32_t scale, uint64_t from_s, uint64_t to_s)
{
	struct notes n = { .left = -1 };
	struct sluice_reanalysis r = wanted(&n, from_s, to_s);
	struct sluice_told_list l;
	uint32_t found = 0;
	char why[200];

	r.config.sensitivity = sensitivity;
	r.config.scale = scale;
	CHECK(!sluice_reanalyse(&r, why, sizeof(why)));
	l = told(&r);
	for (uint32_t i = 0; i < l.count; i++)
		found += !l.event[i].nuisance;
	sluice_told_clear(&l);
	json_decref(r.events);
	return found;
}

/* The faint walk is one for who looks closely alone. */
static void test_settings(void)
{
	CHECK(count_with(500, 0, 1000, LENGTH) == 0);
	CHECK(count_with(2500, 0, 1000, LENGTH) == 1);
	CHECK(count_with(0, 2, 300, 600) == 1);
	/* what began before the time is none of it, what goes on behind it is whole */
	CHECK(count_with(0, 0, 335, 400) == 0 && count_with(0, 0, 320, 333) == 1);
}

/* Each event of either is found once, whole, wherever a page of frames ends; also in pieces. */
static void test_beside(int left)
{
	struct notes n = { .left = left };
	struct sluice_reanalysis r = wanted(&n, 2 * LENGTH, 2 * LENGTH + BESIDE * 60);
	struct sluice_told_list l;
	unsigned int lives = 0;
	char why[200];
	int err;

	while ((err = sluice_reanalyse(&r, why, sizeof(why))) == -ECANCELED && ++lives < 50)
		n.left = left;
	CHECK(!err && r.frames == 2 * (BESIDE * 60 + (BESIDE - 1) * WALK_S * 4) && !r.unread);
	CHECK(left < 0 || lives >= 1);
	l = told(&r);
	CHECK(l.count == 2 * (BESIDE - 1));
	for (uint32_t i = 0; i < l.count; i++) {
		int64_t lasts = l.event[i].end_ns - l.event[i].start_ns;

		CHECK(l.event[i].tracks == 1 && lasts > 6 * (int64_t)S && lasts < 10 * (int64_t)S);
	}
	sluice_told_clear(&l);
	json_decref(r.events);
}

static void test_nothing(void)
{
	struct notes n = { .left = -1 };
	struct sluice_reanalysis r = wanted(&n, LENGTH + 10, LENGTH + 20);
	char why[200];

	CHECK(sluice_reanalyse(&r, why, sizeof(why)) == -ENODATA);
	CHECK(strstr(why, "no frame is stored"));
	json_decref(r.events);
}

int main(void)
{
	struct sluice_told_list all = { 0 };

	fill();
	fill_beside();
	CHECK(!store_rig_shelf(&rig, rig.data, &shelf));
	shelf.rebuild = sluice_rebuild_open();
	test_whole(&all);
	test_resumed(&all);
	test_settings();
	test_beside(-1);
	test_beside(60);
	test_nothing();
	sluice_told_clear(&all);
	sluice_rebuild_close(shelf.rebuild);
	store_rig_close(&shelf);
	store_rig_remove(rig.data);
	return check_result();
}
