// SPDX-License-Identifier: MIT
/*
 * Rolls: what is written is read back; every damaged byte and every cut is refused; concatenated
 * JPEGs are split. And the clock that plays them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tools/camsim/play.h"
#include "tools/camsim/roll.h"

#define MS 1000000ull

static uint8_t jpeg[] = { 0xff, 0xd8, 0xff, 0xe0, 0,	4,    1, 2,    0xff, 0xc0, 0,
			  11,	8,    0x01, 0x68, 0x02, 0x80, 1, 1,    0x11, 0,	   0xff,
			  0xda, 0,    2,    5,	  0xff, 0,    7, 0xff, 0xd9, 0,	   0 };

static char path[] = "/tmp/test_camsim_roll.XXXXXX";
static char why[128];

static size_t read_back(uint8_t *data, size_t room)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(data, 1, room, f) : 0;

	if (f)
		fclose(f);
	return n;
}

static void write_roll(uint64_t pause_ns)
{
	struct roll_writer w;
	uint8_t frame[300];

	CHECK(!roll_writer_begin(&w, path, ROLL_YUYV, 12, 10));
	for (int i = 0; i < 3; i++) {
		memset(frame, i, sizeof(frame));
		CHECK(!roll_writer_add(&w, i * i * 100 * MS, frame, 240));
	}
	CHECK(roll_writer_add(&w, 399 * MS, frame, 240) == -EINVAL); /* backwards */
	CHECK(roll_writer_add(&w, 500 * MS, frame, 0) == -EFBIG);
	CHECK(!roll_writer_end(&w, 200 * MS, pause_ns));
}

static void test_round_trip(void)
{
	struct roll roll;

	write_roll(50 * MS);
	CHECK(!roll_open(&roll, path, why, sizeof(why)));
	CHECK(roll.format == ROLL_YUYV && roll.width == 12 && roll.height == 10);
	CHECK(roll.count == 3 && roll.size_max == 240 && roll.interval_ns == 200 * MS);
	CHECK(roll.pass_ns == (400 + 200 + 50) * MS);
	for (uint32_t i = 0; i < roll.count; i++) {
		CHECK(roll.frames[i].pts_ns == i * i * 100 * MS && roll.frames[i].size == 240);
		CHECK(roll.frames[i].data[0] == i && roll.frames[i].data[239] == i);
	}
	roll_close(&roll);
	CHECK(roll_open(&roll, "/nonexistent/roll", why, sizeof(why)) == -ENOENT);
}

static void test_damage(void)
{
	static uint8_t data[2048], copy[2048];
	struct roll roll;
	size_t size;

	write_roll(0);
	size = read_back(data, sizeof(data));
	CHECK(size == 64 + 3 * (16 + 240));
	for (size_t cut = 0; cut < size; cut++)
		CHECK(roll_parse(&roll, data, cut, why, sizeof(why)) == -EBADMSG);
	for (size_t at = 0; at < size; at++) {
		bool checked = at < 32 || at >= 48; /* not the times */
		bool pts = false;

		for (size_t i = 0, f = 64; i < 3; f += 16 + 240, i++)
			pts |= at >= f && at < f + 8;
		memcpy(copy, data, size);
		copy[at] ^= 0x80;
		if (checked && !pts)
			CHECK(roll_parse(&roll, copy, size, why, sizeof(why)) == -EBADMSG);
		else if (!roll_parse(&roll, copy, size, why, sizeof(why)))
			roll_close(&roll);
	}
	memset(data, 0, 64); /* as an interrupted writer leaves it */
	CHECK(roll_parse(&roll, data, size, why, sizeof(why)) == -EBADMSG);
}

static void test_jpegs(void)
{
	static uint8_t data[sizeof(jpeg) * 3];
	struct roll roll;
	uint32_t w, h;

	CHECK(!roll_jpeg_size(jpeg, sizeof(jpeg), &w, &h) && w == 640 && h == 360);
	for (size_t cut = 0; cut < 17; cut++)
		CHECK(roll_jpeg_size(jpeg, cut, &w, &h) == -EBADMSG);
	for (int i = 0; i < 3; i++)
		memcpy(data + i * (sizeof(jpeg) - 2), jpeg, sizeof(jpeg) - 2);
	CHECK(!roll_parse(&roll, data, 3 * (sizeof(jpeg) - 2), why, sizeof(why)));
	CHECK(roll.format == ROLL_MJPEG && roll.count == 3 && roll.width == 640);
	for (uint32_t i = 0; i < roll.count; i++)
		CHECK(roll.frames[i].size == sizeof(jpeg) - 2 &&
		      !memcmp(roll.frames[i].data, jpeg, sizeof(jpeg) - 2));
	CHECK(roll.frames[2].pts_ns == 2 * 33333333ull);
	roll_close(&roll);
	CHECK(!roll_parse(&roll, jpeg, sizeof(jpeg), why, sizeof(why)) && roll.count == 1);
	roll_close(&roll);
	CHECK(roll_crc32(0, "123456789", 9) == 0xcbf43926);
	CHECK(roll_crc32(roll_crc32(0, "12345", 5), "6789", 4) == 0xcbf43926);
	CHECK(roll_crc32(0, "The quick brown fox jumps over the lazy dog", 43) == 0x414fa339);
}

static struct roll_frame frames[3] = { { 0, jpeg, 9, 0 },
				       { 100 * MS, jpeg, 9, 0 },
				       { 300 * MS, jpeg, 9, 0 } };
static const struct roll three = { .count = 3, .frames = frames, .pass_ns = 500 * MS };

static void test_clip_clock(void)
{
	struct play p = { .passes = 2 };

	play_start(&p, &three, false);
	CHECK(play_due_ns(&p) == PLAY_NEVER); /* nobody takes frames yet */
	play_run(&p, 7000 * MS);
	for (uint32_t i = 0; i < 6; i++) {
		static const uint64_t due[] = { 0, 100, 300, 500, 600, 800 };

		CHECK(play_due_ns(&p) == (7000 + due[i]) * MS);
		CHECK(play_take(&p, play_due_ns(&p)) == i % 3);
	}
	CHECK(p.ended && play_due_ns(&p) == PLAY_NEVER && !p.slips);
	play_start(&p, &three, true); /* over: from the start, resume or not */
	play_run(&p, 1);
	CHECK(play_due_ns(&p) == 1 && p.next == 0);
}

static void test_late_and_resume(void)
{
	struct play p = { .passes = 0 };

	play_start(&p, &three, false);
	play_run(&p, 0);
	play_take(&p, 0);
	CHECK(play_take(&p, 500 * MS) == 1 && !p.slips); /* late: not left out, caught up */
	CHECK(play_due_ns(&p) == 300 * MS);
	CHECK(play_take(&p, 5300 * MS) == 2 && p.slips == 1);
	CHECK(play_due_ns(&p) == 5500 * MS); /* the clip's pace from there */
	play_take(&p, 5500 * MS);
	play_start(&p, &three, true);
	play_run(&p, 9000 * MS);
	CHECK(play_due_ns(&p) == 9000 * MS && play_take(&p, 9000 * MS) == 1);
	play_start(&p, &three, false);
	play_run(&p, 9500 * MS);
	CHECK(play_take(&p, 9500 * MS) == 0);
	play_delay(&p, 9500 * MS, 1500 * MS);
	CHECK(play_due_ns(&p) == 11100 * MS);
}

static void test_rates_and_pause(void)
{
	struct play p = { .rate = PLAY_FIXED, .interval_ns = 10 * MS };

	play_start(&p, &three, false);
	play_run(&p, 100 * MS);
	for (int i = 0; i < 7; i++) {
		CHECK(play_due_ns(&p) == (100 + i * 10) * MS);
		play_take(&p, play_due_ns(&p));
	}
	play_pause(&p);
	CHECK(play_due_ns(&p) == PLAY_NEVER);
	play_step(&p);
	CHECK(play_due_ns(&p) == 0 && play_take(&p, 900 * MS) == 1);
	CHECK(play_due_ns(&p) == PLAY_NEVER);
	play_resume(&p, 1000 * MS);
	CHECK(play_due_ns(&p) == 1000 * MS && play_take(&p, 1000 * MS) == 2);
	CHECK(play_due_ns(&p) == 1010 * MS);
	p.rate = PLAY_MAX;
	CHECK(play_due_ns(&p) == 0);
	play_delay(&p, 2000 * MS, 50 * MS);
	CHECK(play_due_ns(&p) == 2050 * MS);
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0) {
		printf("cannot make a file in /tmp\n");
		return 1;
	}
	close(fd);
	test_round_trip();
	test_damage();
	test_jpegs();
	test_clip_clock();
	test_late_and_resume();
	test_rates_and_pause();
	unlink(path);
	return check_result();
}
