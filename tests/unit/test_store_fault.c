// SPDX-License-Identifier: MIT
/*
 * test_store_fault.c - the N-th allocation, or the N-th call that changes the disk, fails, in the
 * store, the index (SQLite's own calls too), media and retention. Whatever fails: nothing dies,
 * nothing leaks, and what was said to be stored is there afterwards, byte for byte.
 *
 * This program's malloc, write, fsync, ... stand before libc's for every library in it.
 *
 * usage: test_store_fault [PLACES], at most so many of each kind, spread evenly
 */
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cloud/media.h"
#include "cloud/recover.h"
#include "cloud/retain.h"
#include "cloud/shelf.h"
#include "cloud/store.h"
#include "tests/unit/check.h"
#include "tests/unit/keys.h"

#define FRAMES 6

/* ---- calls that fail ---- */

enum kind { NOTHING, MEMORY, DISK };

static enum kind kind;
static unsigned long calls, fail_at;
static long live; /* blocks of memory */
static int fault_errno;

static int must_fail(enum kind k)
{
	return k == kind && ++calls == fail_at;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
	void *p = must_fail(MEMORY) ? NULL : __libc_malloc(size);

	live += p != NULL;
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = must_fail(MEMORY) ? NULL : __libc_calloc(n, size);

	live += p != NULL;
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p = must_fail(MEMORY) ? NULL : __libc_realloc(old, size);

	live += p && !old;
	live -= old && !p && !size;
	return p;
}

void free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}

#define FAULTY(type, name, parameters, arguments)                  \
	type name parameters;                                      \
	type name parameters                                       \
	{                                                          \
		static type(*real) parameters;                     \
		enum kind keep = kind;                             \
		if (must_fail(DISK)) {                             \
			errno = fault_errno;                       \
			return -1;                                 \
		}                                                  \
		kind = NOTHING;                                    \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		kind = keep;                                       \
		return real arguments;                             \
	}

FAULTY(ssize_t, write, (int fd, const void *buf, size_t size), (fd, buf, size))
FAULTY(ssize_t, pwrite64, (int fd, const void *buf, size_t size, off64_t at), (fd, buf, size, at))
FAULTY(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, fdatasync, (int fd), (fd))
FAULTY(int, syncfs, (int fd), (fd))
FAULTY(int, ftruncate64, (int fd, off64_t size), (fd, size))
FAULTY(int, ftruncate, (int fd, off_t size), (fd, size))
FAULTY(int, renameat, (int a, const char *p, int b, const char *q), (a, p, b, q))
FAULTY(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))

/* ---- what is done ---- */

static char data[64];
static struct sluice_camera camera;
static struct sluice_keyring ring;
static const struct sluice_whose who = { "t", NULL };
static const char id[] = "00112233445566778899aabbccddeeff";

struct done {
	int stored[FRAMES]; /* committed */
	int summary, dropped;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void fill(uint8_t *out, size_t size, uint64_t sequence)
{
	size_t i;

	for (i = 0; i < size; i++)
		out[i] = (uint8_t)(sequence * 31 + i);
}

/* One group of three frames from first on; 1 if it is committed. */
static int store_group(struct sluice_store *s, uint64_t first)
{
	struct sluice_item *item;
	uint64_t i, resume;
	int err = sluice_store_begin(s);

	if (err)
		return 0;
	for (i = first; i < first + 3 && !err; i++) {
		item = __libc_calloc(1, sizeof(*item) + 500);
		item->camera = &camera;
		item->epoch = 5;
		item->sequence = i;
		item->range_last = INT64_MAX;
		item->time_ns = 1000 + i;
		item->utc_ns = 1700000000000000000ull + i;
		item->reason = SLUICE_REASON_MOTION;
		item->width = item->height = 64;
		item->jpeg_size = 500;
		fill(item->data, 500, i);
		if (i == first)
			err = sluice_store_epoch(s, item, &resume);
		if (!err)
			err = sluice_store_frame(s, item);
		__libc_free(item);
	}
	if (!err)
		err = sluice_store_sync(s);
	if (!err)
		err = sluice_store_commit(s);
	if (err)
		sluice_store_abort(s);
	return !err;
}

static void put_summary(struct sluice_shelf *shelf, struct done *d)
{
	static const uint8_t key[] = "key frame";
	const struct sluice_summary_media media = { "key-1.jpg", key, sizeof(key) };
	struct sluice_summary sum = { .epoch = 5,
				      .start_utc_ns = 1700000000000000000ull,
				      .end_utc_ns = 1700000000000000005ull,
				      .json = "{\"kind\":\"event\",\"epoch\":\"5\","
					      "\"start_ns\":\"1700000000000000000\","
					      "\"end_ns\":\"1700000000000000005\"}",
				      .media = &media,
				      .media_count = 1 };

	memcpy(sum.id, id, sizeof(sum.id));
	d->summary = sluice_shelf_put(shelf, &camera, &sum) >= 0;
}

static uint64_t far(void)
{
	return 1800000000000000000ull;
}

static void use_store(struct done *d, int forget)
{
	struct sluice_retain_config keep = { .data = data, .events_s = 1, .utc_now = far };
	struct sluice_shelf shelf = { .data = data };
	struct sluice_retain *retain = NULL;
	struct sluice_store *s = NULL;
	char path[128];
	int i;

	if (!sluice_store_open(data, &ring, &s)) {
		for (i = 0; i < FRAMES; i += 3)
			d->stored[i] = d->stored[i + 1] = d->stored[i + 2] = store_group(s, i);
	}
	sluice_store_close(s);
	snprintf(path, sizeof(path), "%s/index.db", data);
	sluice_index_sqlite_open(path, &shelf.index);
	snprintf(path, sizeof(path), "%s/media", data);
	sluice_media_dir_open(path, &ring, &shelf.media);
	if (shelf.index && shelf.media)
		put_summary(&shelf, d);
	sluice_index_close(shelf.index);
	keep.media = shelf.media;
	if (forget && keep.media && !sluice_retain_open(&keep, &retain)) {
		for (i = 0; i < 8 && sluice_retain_step(retain) > 0; i++)
			;
		d->dropped = 1;
	}
	sluice_retain_close(retain);
	sluice_media_close(shelf.media);
}

/* ---- what must be true afterwards ---- */

static void check_frames(struct sluice_index *ix, const struct sluice_shelf *shelf,
			 const struct done *d)
{
	struct sluice_segment_frame f;
	uint8_t expect[500], *buf;
	uint64_t i;

	(void)ix;
	for (i = 0; i < FRAMES && !d->dropped; i++) {
		int err = sluice_shelf_record(shelf, &camera, 5, i, &f, &buf);

		if (d->stored[i])
			CHECK(!err);
		if (err)
			continue;
		fill(expect, sizeof(expect), i);
		CHECK(f.jpeg_size == 500 && !memcmp(f.jpeg, expect, 500));
		free(buf);
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
	struct sluice_shelf shelf = { .data = data };
	struct sluice_recovered r;
	struct sluice_check k;
	char path[128];
	int n = 0;

	snprintf(path, sizeof(path), "%s/index.db", data);
	CHECK(!sluice_index_sqlite_open(path, &shelf.index));
	snprintf(path, sizeof(path), "%s/media", data);
	CHECK(!sluice_media_dir_open(path, &ring, &shelf.media));
	if (!shelf.index || !shelf.media)
		return;
	CHECK(!sluice_retain_finish(data, shelf.index, shelf.media));
	CHECK(!sluice_recover(data, shelf.index, 0, &r));
	CHECK(!r.damaged);
	check_frames(shelf.index, &shelf, d);
	/* one whose camera is not there can be asked for by nobody */
	if (d->summary && (d->stored[0] || d->stored[3]))
		CHECK(!shelf.index->ops->summary_find(shelf.index, &who, id, count_summary, &n) &&
		      n == 1);
	CHECK(!sluice_check(data, shelf.index, shelf.media, &k));
	CHECK(!k.missing_frame && !k.bad_media && !k.bad_header);
	sluice_media_close(shelf.media);
	sluice_index_close(shelf.index);
}

static void begin_data(void)
{
	char path[128];

	snprintf(data, sizeof(data), "%s/test_store_fault.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(data))
		exit(1);
	snprintf(path, sizeof(path), "%s/segments", data);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/media", data);
	mkdir(path, 0700);
}

static long run_once(enum kind k, unsigned long at, int forget, unsigned long *total)
{
	struct done d = { 0 };
	long before;

	begin_data();
	before = live;
	fail_at = at;
	calls = 0;
	kind = k;
	use_store(&d, forget);
	kind = NOTHING;
	*total = calls;
	before = live - before;
	check_store(&d);
	nftw(data, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (!at)
		CHECK(d.stored[0] && d.stored[FRAMES - 1] && d.summary);
	return before;
}

static void test_kind(enum kind k, const char *name, unsigned long places)
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

	CHECK(!sluice_camera_init(&camera, "t", "d", "c"));
	make_ring(&ring, 3, 0);
	fault_errno = EIO;
	test_kind(DISK, "disk, EIO", places);
	fault_errno = ENOSPC;
	test_kind(DISK, "disk, ENOSPC", places);
	test_kind(MEMORY, "memory", places);
	return check_result();
}
