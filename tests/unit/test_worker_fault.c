// SPDX-License-Identifier: MIT
/*
 * test_worker_fault.c - the N-th allocation, the N-th call that touches the disk, or the N-th that
 * starts a child or speaks with it fails while a worker analyses the frames of two cameras; and the
 * N-th allocation of the child itself. It fails once. Whatever it is: nothing dies but a child,
 * nothing leaks, the log says something, and of each camera there is in the end the one summary
 * that there is without a fault, byte for byte, with its key frames; it is told (perhaps once more,
 * under its id), then DONE, once.
 *
 * Where a child has room for one of the two cameras the other one is parked, and done when the
 * first one's epoch has ended; no child dies of it, and the same comes out.
 *
 * A frame at which memory is wanting in every child is put aside with its bytes, and the rest is
 * told.
 *
 * usage: test_worker_fault [PLACES], at most so many of each kind, spread evenly; SLUICE_SEED
 * decides which of them
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cloud/starved.h"
#include "lib/log.h"
#include "tests/unit/check.h"
#include "tests/unit/nth_fault.h"
#include "tests/unit/worker_rig.h"

#define BAD 9 /* the frame at which every child wants for memory, if asked for */

static struct worker_rig rig;
static int settled;			   /* the process has allocated what it keeps */
static char *expected[WORKER_RIG_CAMERAS]; /* the summaries, as they are without a fault */

/* What a child is told by the page that it shares with this test. */
struct plan {
	unsigned long fail_at; /* taken by the first child; 0: none */
	unsigned long calls;
	int starve; /* at BAD, in every child */
};
static struct plan *plan;

/* ---- in the child ---- */

void sluice_sandbox_plant(const struct sluice_stored_frame *f)
{
	if (!plan || !plan->starve || f->sequence != BAD)
		return;
	nth_fault.onward = 1; /* libjpeg asks for less when it is refused once */
	nth_begin(NTH_MEMORY, 1);
}

static struct plan *share_plan(pid_t owner, int flags)
{
	char path[64];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "/tmp/test_worker_fault.%d", (int)owner);
	fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (fd < 0 || (flags && ftruncate(fd, sizeof(*plan)))) {
		perror(path);
		exit(1);
	}
	p = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static int child_main(int argc, char **argv)
{
	unsigned long at;

	plan = share_plan(getppid(), 0);
	at = plan->fail_at;
	plan->fail_at = 0;
	if (at) {
		nth_fault.shown = &plan->calls;
		nth_begin(NTH_MEMORY, at);
	}
	return sluice_sandbox_child(argc, argv);
}

/* ---- one fault ---- */

struct fault {
	enum nth_kind kind; /* NTH_NOTHING: in the child */
	unsigned long at, calls;
};

static void begin_fault(void *ctx)
{
	struct fault *f = ctx;

	if (f->kind == NTH_NOTHING)
		plan->fail_at = f->at;
	else
		nth_begin(f->kind, f->at);
}

static void end_fault(void *ctx)
{
	struct fault *f = ctx;

	f->calls = nth_end();
	if (f->kind == NTH_NOTHING)
		f->calls = plan->calls;
	plan->fail_at = 0;
}

static void check_camera(unsigned int i)
{
	struct worker_left left;

	worker_rig_look(&rig, i, &left);
	CHECK(left.summaries == 1 && !left.open);
	if (!expected[i]) {
		expected[i] = left.json;
		CHECK(left.json && strstr(left.json, "\"nuisance\":false"));
		CHECK(left.json && strstr(left.json, "\"keyframes\":[{"));
		return;
	}
	CHECK(left.json && !strcmp(left.json, expected[i]));
	if (left.json && strcmp(left.json, expected[i]) != 0)
		fprintf(stderr, "%s\n%s\n", left.json, expected[i]);
	free(left.json);
}

/* What was not done in the first life is done in another one. */
static void check_life(const struct worker_life *l)
{
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++)
		CHECK(l->told[i].summaries >= 1 && l->told[i].done == 1 && !l->told[i].early);
	CHECK(!l->aside && !l->quarantined);
	CHECK(!settled || l->left <= 0);
}

static void run_once(struct fault *f)
{
	struct worker_life l;
	struct worker_left left;
	int failures = check_failures, open = 0;

	worker_rig_make(&rig);
	worker_rig_live(&rig, &l, 1, begin_fault, end_fault, f);
	if (l.err) {
		CHECK(f->at && l.left <= 0);
		worker_rig_live(&rig, &l, 1, NULL, NULL, NULL);
	} else if (l.deaths > (unsigned long)rig.sandboxed) {
		CHECK(strstr(l.log, "error") || strstr(l.log, "warning"));
	}
	CHECK(!l.err);
	check_life(&l);
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++) {
		worker_rig_look(&rig, i, &left);
		open += left.open;
		free(left.json);
	}
	if (open) { /* done and told, but that could not be noted */
		CHECK(strstr(l.log, "cannot note the progress"));
		worker_rig_live(&rig, &l, 0, NULL, NULL, NULL);
		CHECK(!l.err && l.left <= 0);
		worker_rig_live(&rig, &l, 1, NULL, NULL, NULL);
		CHECK(!l.err && l.left <= 0);
	}
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++)
		check_camera(i);
	worker_rig_remove(&rig);
	if (check_failures > failures)
		fprintf(stderr, "kind %d, errno %d, place %lu of %lu; it said:\n%s\n", f->kind,
			nth_fault.err, f->at, f->calls, l.log);
}

/* Each kind of call once, for what lives as long as the process. */
static void settle(void)
{
	settled = 0;
	run_once(&(struct fault){ .kind = NTH_MEMORY });
	run_once(&(struct fault){ .kind = NTH_DISK });
	if (rig.sandboxed)
		run_once(&(struct fault){ .kind = NTH_CHILD });
	settled = 1;
}

static void test_kind(enum nth_kind kind, const char *name, unsigned long places)
{
	struct fault f = { .kind = kind };
	unsigned long total, step, at, tried = 0;

	if (kind == NTH_NOTHING)
		f.at = ULONG_MAX; /* never, but counted */
	run_once(&f);
	total = f.calls;
	CHECK(total > 10 || (kind == NTH_DISK && rig.live));
	step = total / places + 1;
	for (at = 1 + random_below((uint32_t)step); at <= total; at += step, tried++) {
		f.at = at;
		run_once(&f);
	}
	printf("%s%s, %s: %lu of %lu places\n", name, rig.sandboxed ? "" : ", no child",
	       rig.live ? "live" : "read again", tried, total);
}

/* ---- memory that is always wanting at one frame ---- */

static int check_note(void *ctx, const char *name, json_t *note)
{
	struct sluice_stored_frame f;
	uint8_t *bytes = NULL;

	++*(unsigned int *)ctx;
	CHECK(json_string_value(json_object_get(note, "died_of")) != NULL);
	CHECK(!sluice_quarantine_frame(rig.data, &rig.ring, name, &f, &bytes));
	CHECK(f.sequence == BAD && f.jpeg_size == rig.frame[BAD].size);
	CHECK(bytes && !memcmp(bytes, rig.frame[BAD].jpeg, f.jpeg_size));
	free(bytes);
	return 0;
}

static void test_starved(void)
{
	struct worker_life l;
	struct worker_left left;
	unsigned int notes = 0;

	worker_rig_make(&rig);
	plan->starve = 1;
	worker_rig_live(&rig, &l, 1, NULL, NULL, NULL);
	plan->starve = 0;
	CHECK(!l.err && l.quarantined == WORKER_RIG_CAMERAS && l.deaths >= 4);
	CHECK(strstr(l.log, "out of memory") && strstr(l.log, "is put aside"));
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++) {
		CHECK(l.told[i].summaries == 1 && l.told[i].done == 1);
		worker_rig_look(&rig, i, &left);
		CHECK(left.summaries == 1 && !left.open);
		free(left.json);
	}
	CHECK(!sluice_quarantine_each(rig.data, check_note, &notes));
	CHECK(notes == WORKER_RIG_CAMERAS);
	worker_rig_remove(&rig);
}

/* ---- room for one camera only ---- */

#define ROOM_FOR_ONE (4ull << 20)

static void test_room(void)
{
	const uint64_t memory = rig.limits.memory;
	struct worker_life l;
	int failures = check_failures;

	rig.limits.memory = ROOM_FOR_ONE;
	worker_rig_make(&rig);
	worker_rig_live(&rig, &l, 1, NULL, NULL, NULL);
	CHECK(!l.err);
	check_life(&l);
	CHECK(l.deaths == 1); /* its end with the worker's */
	CHECK(l.later > 0 && l.later <= WORKER_RIG_FRAMES);
	CHECK(strstr(l.log, "is not analysed: no room") && strstr(l.log, "is analysed again"));
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++)
		check_camera(i);
	worker_rig_remove(&rig);
	rig.limits.memory = memory;
	if (check_failures > failures)
		fprintf(stderr, "room for one, %s; it said:\n%s\n",
			rig.live ? "live" : "read again", l.log);
}

int main(int argc, char **argv)
{
	unsigned long places;
	char path[64];

	if (argc > 1 && !strcmp(argv[1], SLUICE_SANDBOX_WORD))
		return child_main(argc - 1, argv + 1);
	places = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	random_seed(seed_of(1, argv));
	sluice_log_setup("test_worker_fault", SLUICE_LOG_INFO, false);
	plan = share_plan(getpid(), O_CREAT | O_EXCL);
	sluice_starved_watch_json();
	worker_rig_begin(&rig);
	for (int i = 0; i < 4; i++) {
		rig.sandboxed = i < 2;
		rig.live = i % 2;
		if (!rig.live)
			settle();
		nth_fault.err = rig.live ? ENOSPC : EIO;
		test_kind(NTH_DISK, "disk", places);
		test_kind(NTH_MEMORY, "memory", places);
		if (!rig.sandboxed)
			continue;
		nth_fault.err = ECONNRESET;
		test_kind(NTH_CHILD, "child", places);
		test_kind(NTH_NOTHING, "memory of the child", places);
		test_starved();
		test_room();
	}
	for (int i = 0; i < WORKER_RIG_CAMERAS; i++)
		free(expected[i]);
	worker_rig_end(&rig);
	snprintf(path, sizeof(path), "/tmp/test_worker_fault.%d", (int)getpid());
	unlink(path);
	return check_result();
}
