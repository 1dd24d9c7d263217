// SPDX-License-Identifier: MIT
/*
 * test_sandbox.c - children that decode, each alone: what they may not do, what they die of, and
 * that the next one works; and what is put aside of a sealed store. This program is its own child
 * (argv[1]), with frames that kill planted in it (plants.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/quarantine.h"
#include "cloud/rekey.h"
#include "cloud/sandbox.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"
#include "tests/unit/plants.h"

#define MOTION 8

struct told {
	int events, summaries;
	struct sluice_summary last;
	uint64_t first;
};

static void on_event(void *ctx, const char *id, const char *json)
{
	struct told *t = ctx;

	t->events++;
	CHECK(strlen(id) == 32 && strstr(json, id));
}

static void on_summary(void *ctx, const struct sluice_summary *s)
{
	struct told *t = ctx;

	t->summaries++;
	CHECK(s->media_count == 2 && s->media[1].size == 100000 && s->media[1].data[3] == 21);
	CHECK(s->media[0].size == 5 && !memcmp(s->media[0].data, "bytes", 5));
	CHECK(strstr(s->json, "\"camera\":\"door\"") != NULL);
}

static uint8_t *on_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	*size = 5;
	return (uint8_t *)strdup("bytes");
}

static const struct sluice_analysis_ops ops = { .event = on_event,
						.summary = on_summary,
						.fetch = on_fetch };
static const struct sluice_analysis_config config = { .camera = "door", .language = "en" };
static const struct sluice_sandbox_config limits = { 128 << 20, 5000 };
static const atomic_int never;

static int give(struct sluice_analyst *a, uint64_t epoch, uint64_t sequence)
{
	uint8_t jpeg[300], cells[1] = { 1 };
	const struct sluice_stored_frame f = { .epoch = epoch,
					       .sequence = sequence,
					       .reason = MOTION,
					       .width = 64,
					       .height = 48,
					       .grid_w = 8,
					       .grid_h = 1,
					       .cells = cells,
					       .jpeg = jpeg,
					       .jpeg_size = sizeof(jpeg) };

	memset(jpeg, (int)sequence, sizeof(jpeg));
	return sluice_analyst_frame(a, &f);
}

static void test_batches(void)
{
	struct sluice_sandbox *b = sluice_sandbox_open(&limits, "a test", 0, &never);
	struct told t[2] = { { 0 } };
	struct sluice_analyst *a[2];

	for (int i = 0; i < 2; i++) {
		a[i] = sluice_analyst_open(b, &config, &ops, &t[i]);
		CHECK(!sluice_analyst_epoch(a[i], 7 + (uint64_t)i, 0, 0));
	}
	for (uint64_t n = 0; n < 100; n++)
		for (int i = 0; i < 2; i++)
			CHECK(!give(a[i], 7 + (uint64_t)i, n)); /* each ends the other's batch */
	CHECK(!sluice_analyst_sync(a[0]));
	CHECK(t[0].events == 1 && t[0].summaries == 0);
	CHECK(!sluice_analyst_flush(a[0]) && !sluice_analyst_flush(a[1]));
	CHECK(t[0].summaries == 1 && t[1].summaries == 1);
	CHECK(!sluice_analyst_reset(a[0]) && !sluice_analyst_epoch(a[0], 9, 0, 0));
	CHECK(!give(a[0], 9, 0) && !sluice_analyst_flush(a[0]));
	CHECK(t[0].summaries == 2);
	CHECK(!sluice_analyst_epoch(a[0], SORTER, 0, 0) && !give(a[0], SORTER, 0));
	CHECK(!sluice_analyst_flush(a[0]) && t[0].summaries == 3);
	sluice_analyst_close(a[0]);
	sluice_analyst_close(a[1]);
	sluice_sandbox_close(b);
}

/* Each plant ends the child as it should, at that frame, and the next child works. */
static void test_plants(void)
{
	struct sluice_sandbox *b = sluice_sandbox_open(&limits, "a test", 0, &never);

	for (size_t i = 0; i < PLANTS; i++) {
		struct told t = { 0 };
		struct sluice_analyst *a = sluice_analyst_open(b, &config, &ops, &t);
		const struct sluice_stored_frame *f;
		int err = sluice_analyst_epoch(a, KILLER + i, 0, 0);

		for (uint64_t n = 0; n < 6 && !err; n++)
			err = give(a, KILLER + i, n);
		if (!err)
			err = sluice_analyst_sync(a);
		CHECK(err == -EPIPE && sluice_analyst_lost(a) && sluice_analyst_died(a));
		if (!strstr(sluice_sandbox_death(b), plant[i].death)) {
			fprintf(stderr, "%s: %s\n", plant[i].name, sluice_sandbox_death(b));
			CHECK(!"it died of what was planted");
		}
		f = sluice_analyst_suspect(a);
		CHECK(f && f->sequence == BAD && f->jpeg_size == 300 && f->jpeg[299] == BAD);
		CHECK(f && f->cells && f->cells[0] == 1);
		CHECK(!sluice_analyst_reset(a) && !sluice_analyst_epoch(a, 5, 0, 0));
		CHECK(!give(a, 5, 1) && !sluice_analyst_flush(a) && t.summaries == 1);
		sluice_analyst_close(a);
	}
	sluice_sandbox_close(b);
}

/* ---- sealed ---- */

static int take_name(void *ctx, const char *name, json_t *note)
{
	snprintf(ctx, SLUICE_QUARANTINE_NAME, "%s", name);
	return 0;
}

/* 1: the file holds these bytes as they are. */
static int holds(const char *path, const uint8_t *bytes, size_t size)
{
	static uint8_t all[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(all, 1, sizeof(all), f) : 0;

	CHECK(n > 0);
	if (f)
		fclose(f);
	return memmem(all, n, bytes, size) != NULL;
}

/* What is in quarantine of a sealed store is sealed, found again, and goes with a new master key.
 */
static void test_sealed_quarantine(void)
{
	char data[] = "/tmp/test_sandbox.XXXXXX", name[SLUICE_QUARANTINE_NAME], path[256];
	struct sluice_keyring ring[3];
	struct sluice_quarantine *q;
	struct sluice_rekeyed done;
	struct sluice_camera camera;
	uint8_t jpeg[500], *bytes;
	struct sluice_stored_frame f = { .epoch = 5, .sequence = 6 }, back;

	CHECK(!sluice_camera_init(&camera, "t", "d", "c") && mkdtemp(data));
	make_ring(&ring[0], 3, 0);
	make_ring(&ring[1], 7, 0);
	make_ring(&ring[2], 7, 3);
	for (size_t i = 0; i < sizeof(jpeg); i++)
		jpeg[i] = (uint8_t)(i * i * 31 >> 3);
	f.jpeg = jpeg;
	f.jpeg_size = sizeof(jpeg);
	CHECK(!sluice_quarantine_open(data, &ring[0], &q));
	CHECK(!sluice_quarantine_add(q, &camera, &f, "it hung"));
	sluice_quarantine_close(q);
	CHECK(!sluice_quarantine_each(data, take_name, name));
	snprintf(path, sizeof(path), "%s/quarantine/%s.bin", data, name);
	CHECK(!holds(path, jpeg + 300, 100));
	CHECK(sluice_quarantine_frame(data, NULL, name, &back, &bytes) == -ENOKEY && !bytes);
	CHECK(sluice_quarantine_frame(data, &ring[1], name, &back, &bytes) == -ENOKEY);
	CHECK(!sluice_rekey(data, &ring[2], &done) && done.files == 1 && done.changed == 1);
	CHECK(sluice_quarantine_frame(data, &ring[0], name, &back, &bytes) == -ENOKEY);
	CHECK(!sluice_quarantine_frame(data, &ring[1], name, &back, &bytes));
	CHECK(back.jpeg_size == sizeof(jpeg) && !memcmp(back.jpeg, jpeg, sizeof(jpeg)));
	free(bytes);
	CHECK(!sluice_quarantine_drop(data, name));
	snprintf(path, sizeof(path), "%s/quarantine", data);
	CHECK(!rmdir(path) && !rmdir(data));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], SLUICE_SANDBOX_WORD))
		return sluice_sandbox_child(argc - 1, argv + 1);
	test_sealed_quarantine();
	test_batches();
	test_plants();
	return check_result();
}
