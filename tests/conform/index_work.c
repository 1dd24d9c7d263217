// SPDX-License-Identifier: MIT
/* index_work.c - the cases of the index about what runs beside: retention, jobs, many writers. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "cloud/media.h"
#include "tests/conform/index_case.h"
#include "tests/unit/check.h"

/* ---- retention ---- */

static uint64_t oldest(struct sluice_index *ix, enum sluice_index_class class, uint64_t before_ns)
{
	struct sluice_index_segment s = { 0 };
	int err = ix->ops->segment_oldest(ix, class, before_ns, &s);

	CHECK(!err || err == -ENOENT);
	return err ? 0 : s.id;
}

static void gone_is(struct sluice_index *ix, const char *want)
{
	char path[192] = "";
	int err = ix->ops->gone(ix, path);

	CHECK(want ? !err && !strcmp(path, want) : err == -ENOENT);
	if (!err)
		CHECK(!ix->ops->gone_done(ix, path));
}

static void case_segments_leave(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_segment quiet = index_segment(ix, C0, 1, 0, 5, SLUICE_REASON_AUDIT);
	struct sluice_index_segment moved = index_segment(ix, C0, 2, DAY, 5, SLUICE_REASON_MOTION);
	struct sluice_index_segment rain =
		index_segment(ix, C1, 3, 2 * DAY, 5, SLUICE_REASON_MOTION);
	const uint64_t never = INT64_MAX;
	struct index_list l = { 0 };
	uint64_t bytes = 0, count;

	CHECK(!index_summary(ix, C1, 1, T0 + 2 * DAY, "{\"kind\":\"event\",\"nuisance\":true}"));
	CHECK(!index_summary(ix, C0, 2, T0 + DAY, "{\"kind\":\"event\"}"));
	CHECK(oldest(ix, SLUICE_CLASS_QUIET, never) == quiet.id);
	CHECK(!oldest(ix, SLUICE_CLASS_QUIET, quiet.last_utc_ns));
	CHECK(oldest(ix, SLUICE_CLASS_QUIET, quiet.last_utc_ns + 1) == quiet.id);
	CHECK(oldest(ix, SLUICE_CLASS_MOTION, never) == moved.id);
	CHECK(oldest(ix, SLUICE_CLASS_NUISANCE, never) == rain.id);
	CHECK(!oldest(ix, SLUICE_CLASS_NUISANCE, T0 + 2 * DAY));
	/* a pinned event keeps what it has a part in */
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(2), "me", NULL, 1));
	CHECK(oldest(ix, SLUICE_CLASS_MOTION, never) == rain.id);
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(2), NULL, NULL, 1));
	CHECK(!ix->ops->bytes(ix, &bytes) && bytes == 3 * (64 + 5000) + 2 * (1ull << 40) + 203);
	/* bit by bit; half a one is the first of any class */
	CHECK(ix->ops->segment_drop(ix, &moved, 3) == 1);
	CHECK(!ix->ops->frames_count(ix, &count) && count == 12);
	CHECK(oldest(ix, SLUICE_CLASS_QUIET, 0) == moved.id);
	gone_is(ix, NULL);
	CHECK(ix->ops->segment_drop(ix, &moved, 3) == 0);
	CHECK(!ix->ops->frames_count(ix, &count) && count == 10);
	CHECK(!ix->ops->frames(ix, index_camera[C0].id, 1, -1, never, 0, index_list_frame, &l));
	CHECK(index_list_is(&l, "1/0 1/1 1/2 1/3 1/4"));
	CHECK(!oldest(ix, SLUICE_CLASS_MOTION, T0 + 2 * DAY));
	gone_is(ix, moved.path);
	gone_is(ix, NULL);
	sluice_index_close(ix);
}

static void case_summaries_leave(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_filter any = { .limit = 9 }, kind = { .limit = 9, .kind = "event" };
	struct index_list l = { 0 };
	char id[33], path[192], place[SLUICE_MEDIA_PLACE], next[SLUICE_CURSOR_MAX];
	struct sluice_camera c;
	unsigned int i;

	for (i = 1; i <= 3; i++)
		CHECK(!index_summary(ix, C0, i, T0 + i, "{\"kind\":\"event\"}"));
	CHECK(!ix->ops->summary_pin(ix, &index_all, index_id(1), "me", NULL, 1));
	CHECK(ix->ops->summary_oldest(ix, T0 + 2, id, &c) == -ENOENT);
	CHECK(!ix->ops->summary_oldest(ix, T0 + 3, id, &c) && !strcmp(id, index_id(2)));
	CHECK(!strcmp(c.hex, index_camera[C0].hex) && !strcmp(c.tenant, "t"));
	CHECK(!ix->ops->summary_drop(ix, &c, id));
	snprintf(path, sizeof(path), "media/t/%s/%s", c.hex,
		 sluice_media_place(place, id, 2ull << 40));
	gone_is(ix, path);
	CHECK(!ix->ops->summaries_find(ix, &index_all, &any, index_list_summary, &l, next));
	CHECK(index_list_is(&l, "3 1!"));
	memset(&l, 0, sizeof(l));
	CHECK(!ix->ops->summaries_find(ix, &index_all, &kind, index_list_summary, &l, next));
	CHECK(index_list_is(&l, "3 1!"));
	/* a pin outlives its summary, and holds when that is added again */
	CHECK(!ix->ops->summary_drop(ix, &index_camera[C0], index_id(1)));
	CHECK(!index_summary(ix, C0, 1, T0 + 1, "{\"kind\":\"event\"}"));
	memset(&l, 0, sizeof(l));
	CHECK(!ix->ops->summaries(ix, &index_all, NULL, 9, index_list_summary, &l));
	CHECK(index_list_is(&l, "3 1"));
	CHECK(!ix->ops->summary_oldest(ix, T0 + 9, id, &c) && !strcmp(id, index_id(3)));
	sluice_index_close(ix);
}

/* ---- jobs ---- */

static int add_job(struct sluice_index *ix, int c, unsigned int number, uint64_t made_ns)
{
	struct sluice_index_job j = { .kind = "period",
				      .by = "user:anna",
				      .from_ns = T0,
				      .to_ns = T0 + S,
				      .made_ns = made_ns,
				      .settings = "{\"seconds\":30}" };

	memcpy(j.id, index_id(number), sizeof(j.id));
	memcpy(j.camera, index_camera[c].id, sizeof(j.camera));
	return ix->ops->job_add(ix, &j);
}

static int on_job(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	CHECK(!memcmp(c->id, j->camera, 16) && !strcmp(j->kind, "period"));
	CHECK(!strcmp(j->by, "user:anna") && !strcmp(j->settings, "{\"seconds\":30}"));
	return index_list_add(ctx, "%lu:%d%s.%d.%d%s%s", strtoul(j->id, NULL, 16), (int)j->state,
			      j->cancel ? "!" : "", j->tries, j->per_mille, j->result, j->error);
}

static void jobs_are(struct sluice_index *ix, const struct sluice_whose *who,
		     struct sluice_index_job_filter f, const char *words)
{
	struct index_list l = { 0 };

	f.limit = f.limit ? f.limit : 20;
	CHECK(!ix->ops->jobs(ix, who, &f, on_job, &l));
	CHECK(index_list_is(&l, words));
}

static int end_job(struct sluice_index *ix, unsigned int number, enum sluice_job_state state,
		   const char *result, const char *error)
{
	struct sluice_index_job j = {
		.state = state, .ended_ns = T0 + number, .result = result, .error = error
	};

	memcpy(j.id, index_id(number), sizeof(j.id));
	return ix->ops->job_end(ix, &j);
}

static void case_jobs(struct conform_index *rig)
{
	const struct sluice_index_job_filter any = { 0 }, queued = { .states = 1 },
					     done = { .states = 1u << SLUICE_JOB_DONE };
	struct sluice_index *ix = index_begin(rig);
	struct sluice_whose one = index_granted(C1);
	char id[33];
	int stop = 9;

	CHECK(ix->ops->job_take(ix, 1, id) == -ENOENT);
	CHECK(!add_job(ix, C0, 1, T0 + 1) && !add_job(ix, C1, 2, T0) && !add_job(ix, ALIEN, 3, T0));
	CHECK(add_job(ix, C1, 1, T0) == 1); /* nothing changed */
	jobs_are(ix, NULL, any, "1:0.0.0 2:0.0.0 3:0.0.0");
	jobs_are(ix, &index_all, any, "1:0.0.0 2:0.0.0");
	jobs_are(ix, &one, any, "2:0.0.0");
	jobs_are(ix, &index_nobody, any, "");
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .limit = 1 }, "1:0.0.0");
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .camera = "c1" }, "2:0.0.0");
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .camera = index_camera[C0].hex },
		 "1:0.0.0");
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .id = index_id(3) }, "");
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .kind = "other" }, "");
	/* the oldest, then by id; each once */
	CHECK(!ix->ops->job_take(ix, 1, id) && !strcmp(id, index_id(2)));
	CHECK(!ix->ops->job_progress(ix, id, 250, &stop) && !stop);
	CHECK(!ix->ops->job_note(ix, id, "{\"at\":1}"));
	CHECK(ix->ops->job_note(ix, index_id(1), "{}") == -ENOENT);
	CHECK(!ix->ops->job_take(ix, 1, id) && !strcmp(id, index_id(3)));
	jobs_are(ix, NULL, queued, "1:0.0.0");
	jobs_are(ix, &index_all, any, "1:0.0.0 2:1.1.250{\"at\":1}");
	CHECK(!end_job(ix, 2, SLUICE_JOB_DONE, "{}", NULL));
	CHECK(end_job(ix, 2, SLUICE_JOB_FAILED, NULL, "no") == -ENOENT);
	jobs_are(ix, &index_all, done, "2:2.1.1000{}");
	/* broken off: as if it had not begun */
	CHECK(!end_job(ix, 3, SLUICE_JOB_QUEUED, NULL, NULL));
	jobs_are(ix, &index_alien, any, "3:0.0.0");
	/* cancelled while it waits, while it runs, when it is over, by whom it is not */
	CHECK(ix->ops->job_cancel(ix, &one, index_id(1), T0) == -ENOENT);
	CHECK(ix->ops->job_cancel(ix, &index_alien, index_id(1), T0) == -ENOENT);
	CHECK(ix->ops->job_cancel(ix, &index_all, index_id(2), T0) == -EALREADY);
	CHECK(!ix->ops->job_cancel(ix, &index_all, index_id(1), T0));
	jobs_are(ix, &index_all, (struct sluice_index_job_filter){ .id = index_id(1) }, "1:4.0.0");
	CHECK(!ix->ops->job_take(ix, 1, id) && !strcmp(id, index_id(3)));
	CHECK(!ix->ops->job_cancel(ix, &index_alien, index_id(3), T0));
	CHECK(!ix->ops->job_progress(ix, id, 500, &stop) && stop);
	jobs_are(ix, &index_alien, any, "3:1!.1.500");
	CHECK(!end_job(ix, 3, SLUICE_JOB_QUEUED, NULL, NULL));
	jobs_are(ix, &index_alien, any, "3:4.1.0");
	CHECK(!ix->ops->jobs_drop(ix, T0 + 3));
	jobs_are(ix, NULL, any, "3:4.1.0");
	sluice_index_close(ix);
}

/* Lives that end in a job. */
static void case_jobs_again(struct conform_index *rig)
{
	const struct sluice_index_job_filter any = { 0 };
	struct sluice_index *ix = index_begin(rig);
	char id[33];
	int i;

	CHECK(!add_job(ix, C0, 1, T0));
	CHECK(ix->ops->jobs_again(ix, T0) == 0);
	CHECK(ix->ops->job_note(ix, index_id(1), "n") == -ENOENT);
	for (i = 1; i < SLUICE_JOB_TRIES; i++) {
		CHECK(!ix->ops->job_take(ix, 1, id) &&
		      !ix->ops->job_note(ix, id, i == 1 ? "m" : "n"));
		CHECK(ix->ops->jobs_again(ix, T0) == 1);
		jobs_are(ix, NULL, (struct sluice_index_job_filter){ .states = 1 },
			 i == 1 ? "1:0.1.0m" : "1:0.2.0n");
	}
	CHECK(!ix->ops->job_take(ix, 1, id) && ix->ops->jobs_again(ix, T0) == 1);
	jobs_are(ix, NULL, any, "1:3.3.0nthe node ended each time that it was at it");
	CHECK(!add_job(ix, C0, 2, T0) && !ix->ops->job_take(ix, 1, id) &&
	      !ix->ops->job_cancel(ix, &index_all, id, T0) && ix->ops->jobs_again(ix, T0) == 1);
	jobs_are(ix, NULL, (struct sluice_index_job_filter){ .id = index_id(2) }, "2:4.1.0");
	sluice_index_close(ix);
}

/* ---- many writers ---- */

#define WRITERS	  3
#define SUMMARIES 20
#define JOBS	  20

struct writer {
	struct conform_index *rig;
	pthread_t thread;
	unsigned int added, known, took, wrong, number;
};

/* The same summaries in another order, and jobs that nobody else may get. */
static void *write_much(void *arg)
{
	struct writer *w = arg;
	struct sluice_index *ix = w->rig->open(w->rig);
	unsigned int i;
	char id[33];
	int err;

	for (i = 0; i < SUMMARIES; i++) {
		unsigned int n = 1 + (w->number & 1 ? i : SUMMARIES - 1 - i);

		err = index_summary(ix, C0, n, T0 + n, "{\"kind\":\"event\"}");
		w->added += !err;
		w->known += err == 1;
		w->wrong += err < 0;
	}
	while (!(err = ix->ops->job_take(ix, 1, id))) {
		w->took++;
		w->wrong += end_job(ix, (unsigned int)strtoul(id, NULL, 16), SLUICE_JOB_DONE, NULL,
				    NULL) != 0;
	}
	w->wrong += err != -ENOENT;
	sluice_index_close(ix);
	return NULL;
}

static void case_writers(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct sluice_index_filter any = { .limit = 100, .kind = "event" };
	struct writer w[WRITERS] = { 0 }, sum = { 0 };
	struct index_list l = { 0 };
	char next[SLUICE_CURSOR_MAX];
	unsigned int i;

	for (i = 1; i <= JOBS; i++)
		CHECK(!add_job(ix, C0, i, T0));
	for (i = 0; i < WRITERS; i++) {
		w[i].rig = rig;
		w[i].number = i;
		if (pthread_create(&w[i].thread, NULL, write_much, &w[i]))
			exit(1);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(w[i].thread, NULL);
		sum.added += w[i].added;
		sum.known += w[i].known;
		sum.took += w[i].took;
		sum.wrong += w[i].wrong;
	}
	CHECK(!sum.wrong && sum.took == JOBS);
	CHECK(sum.added == SUMMARIES && sum.known == SUMMARIES * (WRITERS - 1));
	CHECK(!ix->ops->summaries_find(ix, &index_all, &any, index_list_summary, &l, next));
	CHECK(l.count == SUMMARIES);
	sluice_index_close(ix);
}

/* ---- what gates did ---- */

static int list_tally(void *ctx, const struct sluice_index_tally *t)
{
	return index_list_add(ctx, "%u/%u/%u/%.*s", t->day, t->settings, t->lane, (int)t->size,
			      (const char *)t->counts);
}

static void put_tally(struct sluice_index *ix, int c, uint32_t day, uint32_t settings,
		      uint32_t lane, const char *text)
{
	struct sluice_index_tally t = {
		.day = day, .settings = settings, .lane = lane, .counts = text, .size = strlen(text)
	};

	memcpy(t.camera, index_camera[c].id, sizeof(t.camera));
	CHECK(!ix->ops->tally_put(ix, &t));
}

static int tallies_are(struct sluice_index *ix, int c, uint32_t from, const char *words)
{
	struct index_list l = { 0 };

	CHECK(!ix->ops->tallies(ix, index_camera[c].id, from, list_tally, &l));
	return index_list_is(&l, words);
}

/* A row a day, version and lane, the newest of it; what is old or too many goes, of that camera. */
static void case_tallies(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct index_list l = { .stop_at = 1 };
	uint32_t i;

	CHECK(tallies_are(ix, C0, 0, ""));
	put_tally(ix, C0, 100, UINT32_MAX, 0, "a");
	put_tally(ix, C0, 100, 3, 1, "b");
	put_tally(ix, C0, 100, 3, 0, "c");
	put_tally(ix, C0, 101, 3, 0, "d");
	put_tally(ix, C0, 101, 3, 0, "ee");
	put_tally(ix, C1, 2, 3, 0, "f");
	CHECK(tallies_are(ix, C0, 0, "100/3/0/c 100/3/1/b 100/4294967295/0/a 101/3/0/ee"));
	CHECK(tallies_are(ix, C0, 101, "101/3/0/ee") && tallies_are(ix, C0, 102, ""));
	CHECK(ix->ops->tallies(ix, index_camera[C0].id, 0, list_tally, &l) == 7 && l.count == 1);
	put_tally(ix, C0, 101 + SLUICE_TALLY_DAYS, 3, 0, "g");
	CHECK(tallies_are(ix, C0, 0, "101/3/0/ee 131/3/0/g") && tallies_are(ix, C1, 0, "2/3/0/f"));
	/* a device that says another version each time */
	for (i = 0; i < SLUICE_TALLY_ROWS + 20; i++)
		put_tally(ix, C1, 3, i, 0, "x");
	memset(&l, 0, sizeof(l));
	CHECK(!ix->ops->tallies(ix, index_camera[C1].id, 0, list_tally, &l));
	CHECK(l.count == SLUICE_TALLY_ROWS && !strncmp(l.text, "3/20/0/x", 8));
	/* with the rest of a transaction, or not at all */
	CHECK(!ix->ops->begin(ix));
	put_tally(ix, C0, 131, 3, 0, "never");
	ix->ops->rollback(ix);
	CHECK(tallies_are(ix, C0, 131, "131/3/0/g"));
	sluice_index_close(ix);
}

/* ---- fences ---- */

#define ZOMBIES 3 /* groups that one would write */

/* One group with a frame: what begin_fenced said. */
static int write_fenced(struct sluice_index *ix, unsigned int partition, uint64_t token,
			uint64_t sequence)
{
	struct sluice_index_frame f = index_frame(C0, 5, sequence, 1);
	int err = ix->ops->begin_fenced(ix, partition, token);

	if (err)
		return err;
	CHECK(!ix->ops->frame_add(ix, &f) && !ix->ops->commit(ix));
	return 0;
}

static void fence_is(struct sluice_index *ix, unsigned int partition, uint64_t token,
		     uint64_t refused)
{
	uint64_t got = 0, times = 0;

	CHECK(!ix->ops->fence(ix, partition, &got, &times) && got == token && times == refused);
}

/* A worker that was frozen, and wakes up when another one has its partition. */
static void case_zombie(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig), *later = rig->open(rig);
	struct index_list l = { 0 };
	uint64_t token, refused;
	unsigned int i;

	CHECK(ix->ops->fence(ix, 3, &token, &refused) == -ENOENT);
	CHECK(!write_fenced(ix, 3, 7, 0) && !write_fenced(ix, 3, 7, 1));
	fence_is(later, 3, 7, 0);
	CHECK(!write_fenced(later, 3, INT64_MAX, 2));
	for (i = 0; i < ZOMBIES; i++)
		CHECK(write_fenced(ix, 3, 7, 10 + i) == -ESTALE);
	fence_is(ix, 3, INT64_MAX, ZOMBIES);
	/* nothing has begun: the same handle can begin, and what it does elsewhere counts */
	CHECK(!write_fenced(ix, 4, 7, 3));
	CHECK(!write_fenced(later, 3, INT64_MAX, 4));
	fence_is(ix, 4, 7, 0);
	/* what is rolled back has raised nothing */
	CHECK(!ix->ops->begin_fenced(ix, 4, 9));
	ix->ops->rollback(ix);
	fence_is(later, 4, 7, 0);
	CHECK(!ix->ops->frames(ix, index_camera[C0].id, 5, -1, INT64_MAX, 0, index_list_frame, &l));
	CHECK(index_list_is(&l, "5/0 5/1 5/2 5/3 5/4"));
	sluice_index_close(later);
	sluice_index_close(ix);
}

#define GROUPS 40

struct fenced {
	struct conform_index *rig;
	atomic_uint taken_over; /* the successor has committed */
	unsigned int late;	/* groups that came through afterwards */
	unsigned int refused, written;
};

static void *write_as_zombie(void *arg)
{
	struct fenced *f = arg;
	struct sluice_index *ix = f->rig->open(f->rig);
	unsigned int i;

	for (i = 0; i < GROUPS; i++) {
		unsigned int over = atomic_load(&f->taken_over);
		int err = write_fenced(ix, 1, 1, 1000 + i);

		CHECK(!err || err == -ESTALE);
		f->late += over && !err;
		f->refused += err == -ESTALE;
		f->written += !err;
	}
	sluice_index_close(ix);
	return NULL;
}

/* Both write at the same time: not one group of the earlier holder's behind one of the later's. */
static void case_take_over(struct conform_index *rig)
{
	struct sluice_index *ix = index_begin(rig);
	struct fenced f = { .rig = rig };
	uint64_t count = 0;
	pthread_t thread;
	unsigned int i;

	if (pthread_create(&thread, NULL, write_as_zombie, &f))
		exit(1);
	while (ix->ops->fence(ix, 1, &count, &count)) /* it has begun */
		sched_yield();
	for (i = 0; i < GROUPS; i++) {
		CHECK(!write_fenced(ix, 1, 2, i));
		atomic_store(&f.taken_over, 1);
	}
	pthread_join(thread, NULL);
	CHECK(!f.late && f.written && f.written + f.refused == GROUPS);
	fence_is(ix, 1, 2, f.refused);
	CHECK(!ix->ops->frames_count(ix, &count) && count == GROUPS + f.written);
	sluice_index_close(ix);
}

void index_cases_work(struct conform_index *rig)
{
	case_tallies(rig);
	case_zombie(rig);
	case_take_over(rig);
	case_segments_leave(rig);
	case_summaries_leave(rig);
	case_jobs(rig);
	case_jobs_again(rig);
	case_writers(rig);
}

/* ---- faults ---- */

/* What the writer of the store does, and a summary, as one group. */
static int write_group(struct sluice_index *ix)
{
	struct sluice_index_segment s = { .created_ns = T0, .path = "segments/x/1.seg" };
	int err = ix->ops->begin(ix);
	unsigned int i;

	if (err)
		return err;
	memcpy(s.camera, index_camera[C0].id, sizeof(s.camera));
	err = ix->ops->segment_add(ix, &s);
	for (i = 0; !err && i < 3; i++) {
		struct sluice_index_frame f = index_frame(C0, 5, i, s.id);

		err = ix->ops->frame_add(ix, &f);
	}
	if (!err)
		err = index_summary(ix, C0, 1, T0, "{\"kind\":\"event\"}");
	if (!err)
		err = ix->ops->commit(ix);
	if (err)
		ix->ops->rollback(ix);
	return err;
}

/* 3: the group is there; 0: nothing of it. Seen through a handle that nothing happened to. */
static unsigned int group_there(struct conform_index *rig)
{
	struct sluice_index *ix = rig->open(rig);
	struct sluice_index_segment s;
	struct index_list l = { 0 };
	uint8_t owner[16];
	unsigned int frames;
	int whole;

	CHECK(!ix->ops->frames(ix, index_camera[C0].id, 5, -1, INT64_MAX, 0, index_list_frame, &l));
	frames = l.count;
	whole = frames != 0;
	CHECK(!frames || frames == 3);
	CHECK((ix->ops->segment_find(ix, "segments/x/1.seg", &s) == 0) == whole);
	CHECK((ix->ops->summary_owner(ix, index_id(1), owner, NULL) == 0) == whole);
	sluice_index_close(ix);
	return frames;
}

/*
 * Whichever call fails: the group is there or it is not, as commit said, and the same handle goes
 * on afterwards.
 */
void conform_index_faults(struct conform_index *rig)
{
	unsigned int way, at, calls, failed = 0; /* calls: that there were */

	for (way = 0; way < rig->ways; way++) {
		for (at = 1;; at++) {
			struct sluice_index *ix = index_begin(rig);
			unsigned int there;
			int err;

			rig->fail(rig, way, at);
			err = write_group(ix);
			calls = rig->fail(rig, way, 0);
			failed += err != 0;
			there = group_there(rig);
			CHECK(err ? !there || rig->unsure : there == 3);
			if (!there)
				CHECK(!write_group(ix));
			CHECK(group_there(rig) == 3);
			sluice_index_close(ix);
			if (calls < at) /* there are no more */
				break;
		}
		CHECK(at > 2); /* something could fail */
	}
	printf("%s: %u groups failed\n", rig->name, failed);
	CHECK(failed);
}
