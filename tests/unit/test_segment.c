// SPDX-License-Identifier: MIT
/*
 * test_segment.c - a crash at every byte of a segment's last record, damage at every byte of a
 * record, disk full, and the walk from the directory back to the camera.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/segment.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"

#define RECORDS 5

static const struct sluice_keyring *keys; /* all of it is done with and without */
static char dir[64] = "/tmp/test_segment.XXXXXX";
static char path[128];
static uint8_t bytes[RECORDS][4096];

/* Sizes on every side of the padding: bitmap and picture of 0..8 bytes beyond a multiple of 8. */
static void make_frame(unsigned int i, struct sluice_segment_frame *f)
{
	unsigned int j;

	for (j = 0; j < sizeof(bytes[i]); j++)
		bytes[i][j] = (uint8_t)random_below(256);
	*f = (struct sluice_segment_frame){
		.epoch = 7,
		.sequence = 10 * i,
		.time_ns = 1000 + i,
		.utc_ns = 1700000000000000000ull + i,
		.width = 640,
		.height = 480,
		.grid_w = 80,
		.grid_h = 60,
		.reason = 8,
		.flags = (uint16_t)i,
		.score = 99 + i,
		.event = i,
		.settings = 3,
		.cells = i % 3 ? bytes[i] : NULL,
		.cells_size = i % 3 ? i : 0,
		.jpeg = bytes[i] + 64,
		.jpeg_size = 100 + i,
	};
}

struct seen {
	unsigned int count;
	struct sluice_segment_frame expect[RECORDS];
	uint64_t offset[RECORDS];
	uint32_t length[RECORDS];
	int wrong;
};

static int same_frame(const struct sluice_segment_frame *a, const struct sluice_segment_frame *b)
{
	return a->epoch == b->epoch && a->sequence == b->sequence && a->time_ns == b->time_ns &&
	       a->utc_ns == b->utc_ns && a->width == b->width && a->height == b->height &&
	       a->grid_w == b->grid_w && a->grid_h == b->grid_h && a->reason == b->reason &&
	       a->flags == b->flags && a->score == b->score && a->event == b->event &&
	       a->settings == b->settings && a->cells_size == b->cells_size &&
	       a->jpeg_size == b->jpeg_size && !memcmp(a->jpeg, b->jpeg, a->jpeg_size) &&
	       (!a->cells_size || !memcmp(a->cells, b->cells, a->cells_size));
}

static int on_record(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		     uint32_t length)
{
	struct seen *s = ctx;

	if (s->count >= RECORDS || !same_frame(f, &s->expect[s->count]) ||
	    offset != s->offset[s->count] || length != s->length[s->count])
		s->wrong++;
	s->count++;
	return 0;
}

/* Where the first record lies. */
static uint64_t begin(void)
{
	return sizeof(struct sluice_segment_header) + (keys ? 2 * sizeof(struct sluice_lock) : 0);
}

static void write_segment(struct seen *s)
{
	struct sluice_segment_info info = { .created_ns = 5, .epoch = 7, .sequence = 0 };
	struct sluice_segment *seg;
	unsigned int i;

	memset(info.camera, 0xab, sizeof(info.camera));
	unlink(path);
	CHECK(!sluice_segment_create(path, &info, keys, &seg));
	if (!seg)
		exit(1);
	for (i = 0; i < RECORDS; i++) {
		make_frame(i, &s->expect[i]);
		CHECK(!sluice_segment_append(seg, &s->expect[i], &s->offset[i], &s->length[i]));
	}
	CHECK(!sluice_segment_sync(seg));
	CHECK(sluice_segment_size(seg) == s->offset[RECORDS - 1] + s->length[RECORDS - 1]);
	sluice_segment_close(seg);
	CHECK(sluice_segment_create(path, &info, keys, &seg) == -EEXIST);
}

/* Scans; expects that many records and the end behind them. */
static void expect_records(struct seen *s, unsigned int count)
{
	struct sluice_segment_info info;
	uint64_t end, size;

	s->count = 0;
	s->wrong = 0;
	CHECK(!sluice_segment_scan(path, keys, &info, on_record, s, &end, &size));
	CHECK(s->count == count);
	CHECK(!s->wrong);
	CHECK(end ==
	      (count == RECORDS ? s->offset[count - 1] + s->length[count - 1] : s->offset[count]));
	CHECK(info.created_ns == 5 && info.epoch == 7 && info.camera[15] == 0xab);
}

/* A crash leaves any prefix of the file: all whole records stay, and appending goes on. */
static void test_cut_everywhere(void)
{
	struct seen s = { 0 };
	uint64_t size, cut;

	write_segment(&s);
	size = s.offset[RECORDS - 1] + s.length[RECORDS - 1];
	for (cut = size; cut-- > begin();) {
		unsigned int whole = 0;

		CHECK(!truncate(path, (off_t)cut));
		while (whole < RECORDS && s.offset[whole] + s.length[whole] <= cut)
			whole++;
		expect_records(&s, whole);
	}
	for (; cut > 0; cut--) {
		struct sluice_segment_info info;
		uint64_t end, now;

		CHECK(!truncate(path, (off_t)cut));
		CHECK(sluice_segment_scan(path, keys, &info, NULL, NULL, &end, &now) ==
		      (cut < begin() ? -EBADMSG : 0));
	}
}

/* Any flipped byte of the last record is noticed, and so is one of the header. */
static void test_flip_everywhere(void)
{
	struct seen s = { 0 };
	struct sluice_segment_info info;
	uint64_t at, end, size;
	uint8_t byte;
	int fd;

	write_segment(&s);
	fd = open(path, O_RDWR);
	for (at = s.offset[RECORDS - 1]; at < s.offset[RECORDS - 1] + s.length[RECORDS - 1]; at++) {
		CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
		byte ^= 1u << random_below(8);
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
		expect_records(&s, RECORDS - 1);
		write_segment(&s);
		close(fd);
		fd = open(path, O_RDWR);
	}
	for (at = 0; at < sizeof(struct sluice_segment_header); at++) {
		CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
		byte ^= 0x10;
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
		CHECK(sluice_segment_scan(path, keys, &info, NULL, NULL, &end, &size) == -EBADMSG);
		byte ^= 0x10;
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
	}
	close(fd);
	expect_records(&s, RECORDS);
}

static void test_read(void)
{
	struct seen s = { 0 };
	struct sluice_segment_frame f;
	uint8_t *buf;
	unsigned int i;

	write_segment(&s);
	for (i = 0; i < RECORDS; i++) {
		CHECK(!sluice_segment_read(path, keys, s.offset[i], s.length[i], &f, &buf));
		CHECK(buf && same_frame(&f, &s.expect[i]));
		free(buf);
		CHECK(sluice_segment_read(path, keys, s.offset[i] + 8, s.length[i], &f, &buf) ==
		      -EBADMSG);
		CHECK(!buf);
	}
	CHECK(sluice_segment_read(path, keys, 1u << 20, 100, &f, &buf) == -EBADMSG);
}

/* A record that does not fit leaves the file as it was; the next smaller one goes in. */
static void test_full_disk(void)
{
	struct sluice_segment_info info = { .created_ns = 5, .epoch = 7 };
	struct sluice_segment_frame f;
	struct sluice_segment *seg;
	struct rlimit before, now;
	uint64_t offset, size;
	uint32_t length;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	unlink(path);
	CHECK(!sluice_segment_create(path, &info, keys, &seg));
	make_frame(4, &f);
	CHECK(!sluice_segment_append(seg, &f, &offset, &length));
	size = sluice_segment_size(seg);
	now = before;
	now.rlim_cur = size + 200;
	setrlimit(RLIMIT_FSIZE, &now);
	f.jpeg_size = 2000;
	CHECK(sluice_segment_append(seg, &f, &offset, &length) == -EFBIG);
	CHECK(sluice_segment_size(seg) == size);
	f.jpeg_size = 50;
	CHECK(!sluice_segment_append(seg, &f, &offset, &length));
	CHECK(offset == size);
	sluice_segment_rewind(seg, size);
	CHECK(sluice_segment_size(seg) == size);
	setrlimit(RLIMIT_FSIZE, &before);
	CHECK(!sluice_segment_append(seg, &f, &offset, &length));
	CHECK(offset == size);
	f.jpeg_size = SLUICE_RECORD_PAYLOAD_MAX + 1;
	CHECK(sluice_segment_append(seg, &f, &offset, &length) == -EINVAL);
	CHECK(!sluice_segment_sync(seg));
	sluice_segment_close(seg);
}

static int count_frame(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		       uint32_t length)
{
	(void)offset;
	(void)length;
	CHECK(!f->jpeg && !f->cells && f->epoch == 7);
	++*(unsigned int *)ctx;
	return 0;
}

/* Finds the bytes in the file. */
static int file_has(const uint8_t *what, size_t size)
{
	static uint8_t file[1 << 16];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(file, 1, sizeof(file), f) : 0;

	if (f)
		fclose(f);
	return memmem(file, n, what, size) != NULL;
}

/* Sealed: nothing to be seen, walked without a key, opened by the right one alone, and a record or
 * a lock of another segment does not fit. Keys is the ring that write_segment() seals with. */
static void test_keys(void)
{
	struct sluice_keyring other, both;
	struct sluice_segment_info info;
	struct sluice_segment_frame f;
	struct seen s = { 0 };
	uint64_t end, size;
	uint8_t *buf, one[2][160], record[4096];
	unsigned int n = 0;
	int fd, i;

	make_ring(&other, 9, 0);
	make_ring(&both, 9, 1);
	for (i = 0; i < 2; i++) {
		write_segment(&s);
		CHECK(!file_has(s.expect[3].jpeg, 40));
		fd = open(path, O_RDWR);
		CHECK(pread(fd, one[i], 160, 64) == 160);
		if (!i)
			CHECK(pread(fd, record, s.length[1], (off_t)s.offset[1]) ==
			      (ssize_t)s.length[1]);
		close(fd);
	}
	CHECK(!sluice_segment_scan(path, NULL, &info, count_frame, &n, &end, &size));
	CHECK(n == RECORDS && end == size && info.sealed);
	CHECK(sluice_segment_scan(path, &other, &info, NULL, NULL, &end, &size) == -ENOKEY);
	CHECK(sluice_segment_read(path, NULL, s.offset[1], s.length[1], &f, &buf) == -ENOKEY);
	CHECK(sluice_segment_read(path, &other, s.offset[1], s.length[1], &f, &buf) == -ENOKEY);
	CHECK(!sluice_segment_read(path, &both, s.offset[1], s.length[1], &f, &buf));
	free(buf);
	/* the same record of an earlier segment, whose CRCs are right */
	fd = open(path, O_RDWR);
	CHECK(pwrite(fd, record, s.length[1], (off_t)s.offset[1]) == (ssize_t)s.length[1]);
	CHECK(sluice_segment_read(path, keys, s.offset[1], s.length[1], &f, &buf) == -EBADMSG);
	/* another segment's lock */
	CHECK(pwrite(fd, one[0], 160, 64) == 160);
	CHECK(memcmp(one[0], one[1], 160) != 0);
	CHECK(sluice_segment_read(path, keys, s.offset[2], s.length[2], &f, &buf) == -EBADMSG);
	memset(one[1], 0, 160);
	CHECK(pwrite(fd, one[1], 160, 64) == 160);
	CHECK(sluice_segment_read(path, keys, s.offset[2], s.length[2], &f, &buf) == -EBADMSG);
	close(fd);
}

int main(int argc, char **argv)
{
	int i;

	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/a.seg", dir);
	for (i = 0; i < 2; i++) {
		test_cut_everywhere();
		test_flip_everywhere();
		test_read();
		test_full_disk();
		keys = make_keys(1);
	}
	test_keys();
	unlink(path);
	rmdir(dir);
	return check_result();
}
