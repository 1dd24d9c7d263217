// SPDX-License-Identifier: MIT
/* test_box.c - what the master believes of what a child says: nothing that does not fit. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/box.h"
#include "cloud/detector.h"
#include "tests/unit/check.h"

static uint8_t message[4096] __attribute__((aligned(8)));

static int parse_summary(const char *id, const char *json, const char *file, uint64_t epoch,
			 uint64_t file_size)
{
	const struct sluice_box_speaker who = { .subject = 4, .camera = "door", .epoch = 8 };
	struct sluice_box_summary *b = (void *)message;
	struct sluice_box_header h = { SLUICE_BOX_SUMMARY, 4, 0 };
	struct sluice_box_reply r;

	memset(message, 0, sizeof(message));
	snprintf(b->id, sizeof(b->id), "%s", id);
	b->epoch = epoch;
	b->end_utc_ns = 5;
	b->json_size = (uint32_t)strlen(json);
	b->media_count = 1;
	snprintf(b->media[0].name, sizeof(b->media[0].name), "%s", file);
	b->media[0].size = file_size;
	memcpy(b + 1, json, b->json_size + 1);
	h.size = sizeof(*b) + b->json_size + 1 + 3;
	return sluice_box_parse(&h, message, &who, &r);
}

#define ID   "00112233445566778899aabbccddeeff"
#define JSON "{\"id\":\"" ID "\",\"camera\":\"door\"}"

static void test_parser(void)
{
	CHECK(!parse_summary(ID, JSON, "key-1.jpg", 8, 3));
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, 4) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, 2) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 8, UINT64_MAX) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "key-1.jpg", 9, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "../key", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, ".key", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON, "summary.json", 8, 3) == -EBADMSG);
	CHECK(parse_summary("00", JSON, "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, "{\"id\":\"" ID "\",\"camera\":\"yard\"}", "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, "{\"camera\":\"door\"}", "a", 8, 3) == -EBADMSG);
	CHECK(parse_summary(ID, JSON "x", "a", 8, 3) == -EBADMSG);
}

static int parse_look(uint32_t count, uint32_t w, uint32_t h, size_t bytes, int digest)
{
	const struct sluice_box_speaker who = { .subject = 4, .camera = "door", .digest = digest };
	struct sluice_box_look *l = (void *)message;
	struct sluice_box_header h0 = { SLUICE_BOX_LOOK, 4, sizeof(*l) + bytes };
	struct sluice_box_reply r;
	int err;

	memset(message, 0, sizeof(message));
	l->count = count;
	for (uint32_t i = 0; i < count && i < SLUICE_DETECTOR_PICTURES; i++) {
		l->picture[i].w = w;
		l->picture[i].h = h;
	}
	err = sluice_box_parse(&h0, message, &who, &r);
	if (!err)
		CHECK(r.look_count == count &&
		      (!count || (r.look[count - 1].width == w &&
				  r.look[count - 1].data + (size_t)w * h * 3 ==
					  message + sizeof(*l) + bytes)));
	return err;
}

/* Pictures for the detector: as many bytes as they say, and of sizes that there are. */
static void test_looks(void)
{
	CHECK(!parse_look(0, 0, 0, 0, 0));
	CHECK(!parse_look(2, 8, 4, 192, 0));
	CHECK(!parse_look(SLUICE_DETECTOR_PICTURES, 2, 2, 192, 0));
	CHECK(parse_look(SLUICE_DETECTOR_PICTURES + 1, 2, 2, 204, 0) == -EBADMSG);
	CHECK(parse_look(2, 8, 4, 191, 0) == -EBADMSG);
	CHECK(parse_look(2, 8, 4, 193, 0) == -EBADMSG);
	CHECK(parse_look(1, 0, 4, 0, 0) == -EBADMSG);
	CHECK(parse_look(1, SLUICE_DETECTOR_SIDE_MAX + 1, 1, 300, 0) == -EBADMSG);
	CHECK(parse_look(1, UINT32_MAX, UINT32_MAX, 3, 0) == -EBADMSG);
	CHECK(parse_look(1, 8, 4, 96, 1) == -EBADMSG); /* who makes a digest does not ask */
}

int main(void)
{
	test_parser();
	test_looks();
	return check_result();
}
