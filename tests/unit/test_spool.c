// SPDX-License-Identifier: MIT
/*
 * The spool: what was settled is there after any end, in order and once, whatever byte is missing
 * or changed, whichever request of the disk fails; what goes is counted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"
#include "disk_fault.h"
#include "lib/log.h"
#include "relay/spool.h"

#define FRAMES_MAX 4096
#define BOOT	   "00000000-0000-4000-8000-000000000001"

static struct sluice_io *io;
static struct relay_spool *spool;
static char dir[64];
static int settled, settled_err;
static uint64_t bytes_max;
static uint32_t segment_bytes, mark_ms;
static const char *boot = BOOT;
static struct sluice_wire_clock wall = { 1000, 1700000000000000000ull, 7 };

static void on_settled(void *arg, int err)
{
	settled++;
	settled_err = err;
}

static void clock_now(struct sluice_wire_clock *c)
{
	*c = wall;
}

static void open_spool(void)
{
	struct relay_spool_config c = { .io = io,
					.dir = dir,
					.bytes_max = bytes_max,
					.segment_bytes = segment_bytes,
					.commit_ms = 1,
					.mark_ms = mark_ms,
					.retry_ms = 1,
					.boot = boot,
					.clock = clock_now,
					.settled = on_settled };
	int err;

	spool = relay_spool_open(&c, &err);
	if (!spool) {
		printf("cannot open the spool: %s\n", strerror(-err));
		exit(1);
	}
}

/* kill: as if the process had died: nothing is marked. */
static void close_spool(bool kill)
{
	char mark[80], kept[80];

	snprintf(mark, sizeof(mark), "%s/mark.json", dir);
	snprintf(kept, sizeof(kept), "%s/kept.json", dir);
	if (kill && !access(mark, F_OK))
		rename(mark, kept);
	relay_spool_stop(spool);
	if (kill) {
		unlink(mark);
		if (!access(kept, F_OK))
			rename(kept, mark);
	}
	for (int i = 0; i < 5; i++)
		sluice_io_turn(io, 0);
	relay_spool_close(spool);
	spool = NULL;
}

/* Files whose bytes are durable. */
static ino_t safe[64];
static unsigned int safe_count;

int fdatasync(int fd)
{
	struct stat st;

	if (safe_count < 64 && !fstat(fd, &st))
		safe[safe_count++] = st.st_ino;
	return (int)syscall(SYS_fdatasync, fd);
}

/* What a power failure makes of the mark. */
static void tear_mark(void)
{
	struct stat st;
	char mark[80];
	unsigned int i = 0;

	snprintf(mark, sizeof(mark), "%s/mark.json", dir);
	CHECK(!stat(mark, &st));
	while (i < safe_count && safe[i] != st.st_ino)
		i++;
	if (i == safe_count)
		CHECK(!truncate(mark, st.st_size / 2));
}

static void empty_dir(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

/* Path of the only segment of that class. */
static const char *segment_path(char class)
{
	static char path[400];
	DIR *d = opendir(dir);
	struct dirent *e;

	path[0] = 0;
	while (d && (e = readdir(d)))
		if (strlen(e->d_name) == 22 && e->d_name[17] == class)
			snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
	if (d)
		closedir(d);
	return path;
}

/* The bytes of a frame follow from its names. */
static uint32_t make_bytes(const char *camera, uint64_t sequence, uint8_t *out, uint32_t base)
{
	uint32_t size = base + (uint32_t)(sequence * 7 % 13);

	for (uint32_t i = 0; i < size; i++)
		out[i] = (uint8_t)(camera[0] + sequence * 5 + i * 3);
	return size;
}

static int add(const char *camera, uint64_t epoch, uint64_t sequence, uint16_t reason,
	       uint32_t event, uint32_t base, bool joined)
{
	static uint8_t bytes[70000];
	struct sluice_ring_desc d = { .epoch = epoch,
				      .sequence = sequence,
				      .time_ns = 1000 + sequence,
				      .reason = reason,
				      .event = event,
				      .width = 64,
				      .height = 48,
				      .format = 1 };
	struct relay_payload p = { .count = 2 };
	uint32_t size = make_bytes(camera, sequence, bytes, base);

	p.iov[0] = (struct iovec){ bytes, 3 };
	p.iov[1] = (struct iovec){ bytes + 3, size - 3 };
	p.size = size;
	return relay_spool_add(spool, camera, &d, 1000, &p, joined);
}

/* Until what was added is settled. */
static void settle(void)
{
	int before = settled;

	relay_spool_flush(spool);
	for (int i = 0; i < 2000 && settled == before; i++)
		sluice_io_turn(io, 5);
	CHECK(settled == before + 1);
}

/* The next frame; 0: there is none. */
static int next(struct relay_spool_frame *f)
{
	int got = 0;

	for (int i = 0; i < 2000; i++) {
		got = relay_spool_peek(spool, f);
		if (got != -EAGAIN)
			break;
		sluice_io_turn(io, 5);
	}
	return got;
}

static bool is_good(const struct relay_spool_frame *f, uint32_t base)
{
	static uint8_t bytes[70000];
	uint32_t size =
		make_bytes(relay_spool_camera(spool, f->run->camera), f->sequence, bytes, base);

	return size == f->size && !memcmp(bytes, f->payload, size) &&
	       f->time_ns == 1000 + f->sequence && f->run->first <= f->sequence &&
	       f->sequence <= f->run->last;
}

static uint64_t evicted_of(const char *camera)
{
	const struct relay_spool_counts *c = relay_spool_counts(spool, camera);
	uint64_t sum = 0;

	for (int i = 0; c && i < SLUICE_REASON_COUNT; i++)
		sum += c->evicted[i];
	return sum;
}

/* ---- the usual ---- */

static void test_usual(void)
{
	const struct relay_spool_counts *a, *b;
	struct relay_spool_frame f;
	unsigned int camera;

	open_spool();
	CHECK(next(&f) == 0);
	for (uint64_t i = 0; i < 10; i++) {
		CHECK(!add("a", 5, 2 * i, i == 3 ? SLUICE_REASON_AUDIT : SLUICE_REASON_MOTION, 1,
			   500, i > 0));
		CHECK(!add("b", 9, i, SLUICE_REASON_KEEPALIVE, 0, 400, i > 0));
	}
	CHECK(next(&f) == 0 && !relay_spool_left(spool)); /* not before it is settled */
	settle();
	CHECK(!settled_err && relay_spool_left(spool) == 20);
	CHECK(relay_spool_has(spool, "a", 5, 18) && relay_spool_has(spool, "a", 5, 3));
	CHECK(!relay_spool_has(spool, "a", 5, 19) && !relay_spool_has(spool, "b", 5, 3));
	for (uint64_t i = 0; i < 10; i++) {
		CHECK(next(&f) == 1 && f.sequence == 2 * i && is_good(&f, 500));
		CHECK(f.run->epoch == 5 && f.run->first == 0 && f.run->last == 18);
		camera = f.run->camera;
		CHECK(!relay_spool_taken(spool));
		CHECK(next(&f) == 1 && f.sequence == i && is_good(&f, 400));
		CHECK(!relay_spool_taken(spool));
		if (i == 4) { /* acknowledged while others are under way */
			relay_spool_stored(spool, camera, 5, 5);
			CHECK(relay_spool_counts(spool, "a")->stored == 3);
		}
	}
	CHECK(next(&f) == 0);
	CHECK(relay_spool_rejected(spool, camera, 5, 7) == -EPROTO);
	CHECK(!relay_spool_rejected(spool, camera, 5, 8));
	CHECK(relay_spool_counts(spool, "a")->rejected == 0); /* 6 is before it */
	relay_spool_stored(spool, camera, 5, 18);
	relay_spool_stored(spool, camera == 0, 9, 9);
	a = relay_spool_counts(spool, "a");
	b = relay_spool_counts(spool, "b");
	CHECK(a->stored == 9 && a->rejected == 1 && !a->left && b->stored == 10 && !b->left);
	/* the run goes on where frames do */
	CHECK(!add("a", 5, 40, SLUICE_REASON_MOTION, 1, 500, true));
	settle();
	CHECK(next(&f) == 1 && f.sequence == 40 && f.run->first == 0 && f.run->last == 40);
	relay_spool_end_run(spool, "a");
	CHECK(!add("a", 5, 50, SLUICE_REASON_MOTION, 1, 500, true));
	settle();
	CHECK(!relay_spool_skip(spool));
	CHECK(next(&f) == 1 && f.sequence == 50 && f.run->first == 50);
	close_spool(false);
	open_spool();
	CHECK(relay_spool_left(spool) == 1 && next(&f) == 1 && f.sequence == 50);
	CHECK(!relay_spool_refuse(spool) && next(&f) == 0);
	CHECK(relay_spool_counts(spool, "a")->rejected == 2);
	close_spool(false);
	open_spool();
	CHECK(!relay_spool_runs(spool) && !relay_spool_bytes(spool));
	CHECK(relay_spool_counts(spool, "a")->stored == 10);
	close_spool(false);
	empty_dir();
}

/* The link breaks: what was taken comes again, what was resolved does not. */
static void test_rewind(void)
{
	struct relay_spool_frame f;
	unsigned int camera[2] = { 0 };

	open_spool();
	for (uint64_t i = 0; i < 20; i++) {
		CHECK(!add("a", 1, i, i % 5 ? SLUICE_REASON_MOTION : SLUICE_REASON_AUDIT, 1, 3000,
			   i > 0));
		CHECK(!add("b", 1, i, SLUICE_REASON_MOTION, 1, 3000, i > 0));
	}
	settle();
	for (int i = 0; i < 30; i++) {
		CHECK(next(&f) == 1 && f.sequence == (uint64_t)i / 2);
		camera[i % 2] = f.run->camera;
		CHECK(!relay_spool_taken(spool));
	}
	relay_spool_stored(spool, camera[1], 1, 12); /* of b more than of a */
	relay_spool_stored(spool, camera[0], 1, 4);
	CHECK(!relay_spool_rejected(spool, camera[0], 1, 6)); /* not final: 5 is open */
	relay_spool_rewind(spool);
	for (uint64_t i = 5; i < 20; i++) {
		CHECK(next(&f) == 1 && f.run->camera == camera[0] && f.sequence == i);
		CHECK(is_good(&f, 3000) && !relay_spool_taken(spool));
		if (i < 13)
			continue;
		CHECK(next(&f) == 1 && f.run->camera == camera[1] && f.sequence == i);
		CHECK(!relay_spool_taken(spool));
	}
	CHECK(next(&f) == 0);
	/* killed: the mark is old or none, so some come again, none is missing */
	close_spool(true);
	open_spool();
	CHECK(next(&f) == 1 && f.sequence == 20 - relay_spool_counts(spool, "a")->left);
	CHECK(!strcmp(relay_spool_camera(spool, f.run->camera), "a") && f.sequence <= 5);
	close_spool(false);
	empty_dir();
}

/* ---- damage ---- */

static uint8_t image[1 << 16];
static size_t image_size;

/* Eight frames in four batches, in one segment. */
static void make_image(void)
{
	struct stat st;
	int fd;

	open_spool();
	for (uint64_t i = 0; i < 8; i++) {
		CHECK(!add("a", 3, i, SLUICE_REASON_MOTION, 1, 20, i > 0));
		if (i % 2)
			settle();
	}
	close_spool(true);
	fd = open(segment_path('m'), O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st) && st.st_size < (off_t)sizeof(image));
	image_size = (size_t)read(fd, image, sizeof(image));
	CHECK(image_size == (size_t)st.st_size);
	close(fd);
}

static void put_image(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, image, size) == (ssize_t)size);
	close(fd);
}

/* Takes all there is; bit i: frame i came. In order, unchanged, none twice. */
static unsigned int take_all(void)
{
	struct relay_spool_frame f;
	unsigned int got = 0;
	int64_t last = -1;

	while (next(&f) == 1) {
		CHECK((int64_t)f.sequence > last && f.sequence < 8 && is_good(&f, 20));
		last = (int64_t)f.sequence;
		got |= 1u << f.sequence;
		CHECK(!relay_spool_taken(spool));
	}
	return got;
}

static bool settles(uint64_t sequence, uint16_t reason)
{
	const struct sluice_ring_desc d = { .epoch = 5, .sequence = sequence, .reason = reason };

	return relay_spool_settle(spool, "a", &d);
}

/* A crash between the syncs of the two classes: what the ring gives up for it is in the ledger,
 * even if the machine dies then. */
static void test_between_syncs(void)
{
	open_spool();
	for (uint64_t i = 0; i < 3; i++)
		CHECK(!add("a", 5, i, i == 1 ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_MOTION, 1,
			   20, i > 0));
	settle();
	close_spool(true);
	CHECK(!unlink(segment_path('f')));
	safe_count = 0;
	open_spool();
	CHECK(settles(0, SLUICE_REASON_MOTION) && settles(1, SLUICE_REASON_KEEPALIVE));
	CHECK(settles(2, SLUICE_REASON_MOTION) && !settles(3, SLUICE_REASON_MOTION));
	CHECK(relay_spool_counts(spool, "a")->evicted[SLUICE_REASON_KEEPALIVE] == 1);
	close_spool(true);
	tear_mark();
	open_spool();
	CHECK(relay_spool_counts(spool, "a")->evicted[SLUICE_REASON_KEEPALIVE] == 1);
	CHECK(relay_spool_left(spool) == 2);
	close_spool(false);
	empty_dir();
}

static size_t end_of(unsigned int frame)
{
	size_t at = 0;

	for (unsigned int i = 0; i <= frame; i++)
		at += relay_spool_record_size(20 + i * 7 % 13);
	return at;
}

static void test_truncated(void)
{
	char path[400];

	make_image();
	CHECK(end_of(7) == image_size);
	snprintf(path, sizeof(path), "%s", segment_path('m'));
	for (size_t size = 0; size <= image_size; size++) {
		unsigned int whole = 0;

		while (whole < 8 && end_of(whole) <= size)
			whole++;
		empty_dir();
		put_image(path, size);
		open_spool();
		CHECK(relay_spool_left(spool) == whole && take_all() == (1u << whole) - 1);
		/* and it goes on */
		if (size % 50 == 0) {
			CHECK(!add("a", 3, 100, SLUICE_REASON_MOTION, 1, 20, false));
			settle();
			CHECK(relay_spool_left(spool) == whole + 1);
		}
		close_spool(false);
	}
	empty_dir();
}

/* What changes costs the frame that it is in; behind the last sync, also those after it. */
static void test_flipped(void)
{
	unsigned int lost_others = 0;
	char path[400];

	make_image();
	snprintf(path, sizeof(path), "%s", segment_path('m'));
	for (size_t at = 0; at < image_size; at++) {
		unsigned int hit = 0, got, must;

		while (end_of(hit) <= at)
			hit++;
		empty_dir();
		image[at] ^= 1u << at % 8;
		put_image(path, image_size);
		image[at] ^= 1u << at % 8;
		open_spool();
		got = take_all();
		relay_spool_stored(spool, 0, 3, 7);
		CHECK(!relay_spool_left(spool));
		must = hit < 6 ? 0xffu & ~(1u << hit) : (1u << hit) - 1;
		CHECK((got & must) == must);
		lost_others += hit < 6 && (got | 1u << hit) != 0xff;
		/* nothing vanishes uncounted: it is damaged, or was cut off as never finished */
		if (hit < 6 && !(got & 1u << hit))
			CHECK(relay_spool_damaged(spool) +
				      relay_spool_counts(spool, "a")->damaged ==
			      1);
		close_spool(false);
	}
	CHECK(!lost_others);
	empty_dir();
}

/* ---- too much ---- */

static void test_full(void)
{
	const struct relay_spool_counts *c;
	uint64_t added = 0, got = 0;
	struct relay_spool_frame f;
	uint32_t first_event = 0;
	int err;

	bytes_max = 400000;
	segment_bytes = 40000;
	open_spool();
	/* an old audit frame, events of 12 frames, a few keep-alives between */
	for (uint64_t i = 0; i < 600; i++) {
		bool filler = i % 12 == 0;

		err = add("a", 1, i, filler ? SLUICE_REASON_KEEPALIVE : SLUICE_REASON_MOTION,
			  filler ? 0 : (uint32_t)(i / 12) + 1, 2000, i > 0);
		if (err == -EAGAIN) {
			settle();
			i--;
			continue;
		}
		CHECK(!err);
		added++;
		if (i % 7 == 0)
			settle();
	}
	settle();
	CHECK(relay_spool_state(spool) == RELAY_SPOOL_EVICTING);
	CHECK(relay_spool_bytes(spool) <= bytes_max);
	c = relay_spool_counts(spool, "a");
	CHECK(c->evicted[SLUICE_REASON_KEEPALIVE] && c->evicted[SLUICE_REASON_MOTION]);
	CHECK(added == 600 && c->left + evicted_of("a") == added);
	while (next(&f) == 1) {
		uint32_t event = (uint32_t)(f.sequence / 12) + 1;

		/* whole events: the first that is given out has its first frame */
		if (f.sequence % 12 && !first_event) {
			CHECK(f.sequence % 12 == 1);
			first_event = event;
		}
		CHECK(!relay_spool_skip(spool));
		got++;
	}
	CHECK(got == c->stored && !c->left && got + evicted_of("a") == added && got > 100);
	close_spool(false);
	open_spool(); /* what was given up is known for ever */
	c = relay_spool_counts(spool, "a");
	CHECK(got == c->stored && got + evicted_of("a") == added && !c->left);
	close_spool(false);
	bytes_max = segment_bytes = 0;
	empty_dir();
}

/* ---- every request of the disk fails once, and for some time ---- */

static uint64_t run_with_faults(void)
{
	uint64_t frames = 0;
	int err;

	segment_bytes = 6000;
	bytes_max = 1 << 20;
	mark_ms = 1; /* and what is empty goes as soon as it can */
	open_spool();
	while (frames < 30) {
		uint16_t reason = frames % 4 ? SLUICE_REASON_MOTION : SLUICE_REASON_AUDIT;
		uint64_t batch = frames;

		while (frames < batch + 3) {
			err = add("a", 1, frames, reason, 1, 1000, frames > 0);
			if (err)
				break;
			frames++;
		}
		if (frames == batch) { /* refused: it tries again by itself */
			CHECK(relay_spool_state(spool) > RELAY_SPOOL_EVICTING);
			if (disk_fault.stays && disk_fault.failed > 5)
				disk_fault.fail_at = 0; /* repaired */
			sluice_io_turn(io, 5);
			continue;
		}
		settle();
		if (settled_err)
			frames = batch; /* they are ours again */
	}
	CHECK(relay_spool_state(spool) <= RELAY_SPOOL_EVICTING);
	CHECK(relay_spool_left(spool) == frames);
	disk_fault.fail_at = 0;
	close_spool(true);
	return frames;
}

static void check_all(uint64_t frames)
{
	struct relay_spool_frame f;

	open_spool();
	CHECK(relay_spool_left(spool) == frames && !relay_spool_damaged(spool));
	for (uint64_t i = 0; i < frames; i++) {
		CHECK(next(&f) == 1 && f.sequence == i && is_good(&f, 1000));
		CHECK(!relay_spool_skip(spool));
	}
	CHECK(next(&f) == 0);
	close_spool(false);
	segment_bytes = bytes_max = 0;
	empty_dir();
}

static void test_faults(void)
{
	static const int errs[] = { -ENOSPC, -EROFS, -EIO };
	unsigned long requests;

	disk_fault.fail_at = 0;
	disk_fault.count = 0;
	check_all(run_with_faults());
	requests = disk_fault.count;
	CHECK(requests > 30);
	for (unsigned long n = 1; n <= requests; n++)
		for (int stays = 0; stays < 2; stays++) {
			disk_fault = (struct disk_fault){ .fail_at = n,
							  .err = errs[(n + stays) % 3],
							  .stays = stays };
			check_all(run_with_faults());
		}
}

/* A reader's request fails once: it is made again. */
static void test_read_fault(void)
{
	struct relay_spool_frame f;
	uint64_t got = 0;

	segment_bytes = 6000;
	bytes_max = 1 << 20;
	open_spool();
	for (uint64_t i = 0; i < 30; i++) {
		CHECK(!add("a", 1, i, SLUICE_REASON_MOTION, 1, 1000, i > 0));
		if (i % 3 == 2)
			settle();
	}
	disk_fault = (struct disk_fault){ .fail_at = 2, .err = -EIO };
	while (next(&f) == 1) {
		CHECK(!relay_spool_skip(spool));
		got++;
	}
	relay_spool_stored(spool, 0, 1, 0); /* sweeps */
	CHECK(got == 30 && !relay_spool_counts(spool, "a")->damaged && !relay_spool_left(spool));
	close_spool(false);
	segment_bytes = bytes_max = 0;
	empty_dir();
}

/* ---- time ---- */

/* After 2038, with a clock that was set late; and in the boot after that. */
static void test_clock(void)
{
	const uint64_t year_2040 = 2208988800000000000ull;
	struct relay_spool_frame f;
	struct sluice_wire_clock c;

	wall = (struct sluice_wire_clock){ 5000, 12345, 7 }; /* 1970 */
	open_spool();
	CHECK(!add("a", 1, 0, SLUICE_REASON_MOTION, 1, 20, false));
	settle();
	relay_spool_end_run(spool, "a");
	wall = (struct sluice_wire_clock){ 9000, year_2040, 7 }; /* set */
	CHECK(!add("a", 1, 1, SLUICE_REASON_MOTION, 1, 20, true));
	settle();
	close_spool(false);
	boot = "00000000-0000-4000-8000-000000000002";
	wall = (struct sluice_wire_clock){ 100, year_2040 + 1000000000, 7 };
	open_spool();
	CHECK(next(&f) == 1 && f.sequence == 0);
	relay_spool_run_clock(spool, f.run, &c);
	CHECK(c.monotonic == 9000 && c.realtime == year_2040);
	CHECK(!relay_spool_skip(spool));
	CHECK(!add("a", 2, 0, SLUICE_REASON_MOTION, 1, 20, true));
	settle();
	CHECK(next(&f) == 1 && f.sequence == 1 && !relay_spool_skip(spool));
	CHECK(next(&f) == 1 && f.run->epoch == 2);
	relay_spool_run_clock(spool, f.run, &c);
	CHECK(c.monotonic == 100 && c.realtime == wall.realtime);
	close_spool(false);
	empty_dir();
}

int main(int argc, char **argv)
{
	struct sluice_io_config config = { .backend = &disk_fault_backend };
	char why[256];
	int err;

	random_seed(seed_of(argc, argv));
	sluice_log_setup("test_spool", SLUICE_LOG_ERROR + 1, false);
	io = sluice_io_open(&config, &err, why, sizeof(why));
	if (!io) {
		printf("%s\n", why);
		return err == -ENOSYS || err == -EPERM ? 77 : 1;
	}
	/* thousands of syncs: in memory where that is possible */
	snprintf(dir, sizeof(dir), "%s/test_spool.%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	test_usual();
	test_rewind();
	test_between_syncs();
	test_truncated();
	test_flipped();
	test_full();
	test_faults();
	test_read_fault();
	test_clock();
	empty_dir();
	rmdir(dir);
	sluice_io_close(io);
	return check_result();
}
