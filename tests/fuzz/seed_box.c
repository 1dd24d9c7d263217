// SPDX-License-Identifier: MIT
/* seed_box DIR - one good message of each kind, for fuzz_box: DIR/seed-0, seed-1, ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/box.h"
#include "cloud/period.h"

#define ID   "00112233445566778899aabbccddeeff"
#define JSON "{\"id\":\"" ID "\",\"camera\":\"door\"}"

static const char *dir;
static int number, bad;

static void write_seed(uint8_t kind, const void *head, size_t size, const void *more,
		       size_t more_size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/seed-%d", dir, number++);
	f = fopen(path, "wb");
	if (!f) {
		bad = 1;
		return;
	}
	bad |= fputc(kind, f) == EOF || fwrite(head, 1, size, f) != size ||
	       fwrite(more, 1, more_size, f) != more_size;
	bad |= fclose(f) != 0;
}

static void write_plan(void)
{
	static struct sluice_digest_frame frames[2];
	struct sluice_digest_plan p = {
		.epoch = 7, .frames = frames, .frame_count = 2, .width = 64, .height = 48
	};
	uint8_t *flat;
	size_t size;

	frames[1].t_s = 1;
	p.end_s = 2;
	snprintf(p.camera, sizeof(p.camera), "door");
	snprintf(p.event, sizeof(p.event), ID);
	snprintf(p.summary, sizeof(p.summary), ID);
	if (sluice_box_plan_pack(&p, &flat, &size)) {
		bad = 1;
		return;
	}
	write_seed(2, flat, size, "", 0);
	free(flat);
}

static void write_period(void)
{
	static struct sluice_period_event event = { .end_ns = 5, .confidence = 1 };
	static struct sluice_period_tube tube = { .count = 2, .class = "small" };
	static struct sluice_period_box boxes[2] = { { .at_ns = 1, .w = 4, .h = 4 },
						     { .at_ns = 2, .w = 4, .h = 4 } };
	static struct sluice_period_frame frames[2] = { { 7, 1, 1 }, { 7, 2, 2 } };
	struct sluice_period p = { .camera = "door",
				   .language = "en",
				   .id = ID,
				   .span = "hour",
				   .to_ns = 9,
				   .seconds = 60,
				   .width = 64,
				   .height = 48,
				   .events = &event,
				   .event_count = 1,
				   .tubes = &tube,
				   .tube_count = 1,
				   .boxes = boxes,
				   .box_count = 2,
				   .frames = frames,
				   .frame_count = 2 };
	uint8_t *flat;
	size_t size;

	if (sluice_period_pack(&p, &flat, &size)) {
		bad = 1;
		return;
	}
	write_seed(7, flat, size, "", 0);
	free(flat);
}

/* As the child sends it, and as it is kept. */
static void write_tally(void)
{
	static struct sluice_tally t;
	static uint8_t flat[SLUICE_TALLY_BYTES];

	bad |= sluice_tally_begin(&t, 80, 60) != 0;
	t.utc_ns = 5;
	t.openings = t.nothing = t.samples = 2;
	t.tile[7] = (struct sluice_tile){ .nothing = 2, .frames = 9 };
	write_seed(8, &t, sizeof(t), "", 0);
	write_seed(8, flat, sluice_tally_pack(&t, flat), "", 0);
}

int main(int argc, char **argv)
{
	static const char files[] = JSON "\0key";
	struct sluice_box_event event = { ID };
	struct sluice_box_summary summary = { ID, .epoch = 7, .end_utc_ns = 5,
					      .json_size = sizeof(JSON) - 1, .media_count = 1 };
	const struct sluice_box_fetch fetch = { 7, 1 };
	const struct sluice_box_passed passed = { .per_mille = 250 };
	const struct sluice_box_done done = { 0 };

	if (argc != 2)
		return 2;
	dir = argv[1];
	snprintf(summary.media[0].name, sizeof(summary.media[0].name), "key-1.jpg");
	summary.media[0].size = 3;
	write_seed(0, &event, sizeof(event), JSON, sizeof(JSON));
	write_seed(1, &summary, sizeof(summary), files, sizeof(files) - 1);
	write_seed(129, &summary, sizeof(summary), files, sizeof(files) - 1);
	write_plan();
	write_seed(3, &fetch, sizeof(fetch), "", 0);
	write_seed(4, &done, sizeof(done), "", 0);
	write_seed(64 + 6, &passed, sizeof(passed), "", 0);
	write_seed(64 + 1, &summary, sizeof(summary), files, sizeof(files) - 1);
	write_period();
	write_tally();
	return bad;
}
