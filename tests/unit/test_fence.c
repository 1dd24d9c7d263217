// SPDX-License-Identifier: MIT
/*
 * test_fence.c - a process that was frozen comes to when its successor has long written: nothing of
 * what it puts then is what anybody reads, in the index, in media, after a rebuild, or in the rows
 * of jobs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/jobs.h"
#include "cloud/mediaconf.h"
#include "cloud/recover.h"
#include "cloud/retain.h"
#include "cloud/shelf.h"
#include "lib/log.h"
#include "tests/unit/check.h"
#include "tests/unit/tmp_dir.h"

#define ID "0123456789abcdef0123456789abcdef"

static char data[64];
static struct sluice_camera camera;
static struct sluice_bus bus = { .partitions = 1, .shared = true };
static const struct sluice_whose all = { "default", NULL };

/* ---- one of several processes ---- */

struct process {
	struct sluice_lease lease;
	atomic_int lost;
	struct sluice_fence fence;
	struct sluice_shelf shelf;
};

static void process_open(struct process *p, uint64_t token, struct sluice_media *media)
{
	*p = (struct process){ .lease = { 0, token } };
	p->fence = (struct sluice_fence){ &bus, &p->lease, &p->lost };
	p->shelf = (struct sluice_shelf){ .data = data, .media = media, .fence = &p->fence };
	CHECK(!sluice_index_open(data, &p->shelf.index));
}

static void process_close(struct process *p)
{
	sluice_index_close(p->shelf.index);
}

/* A summary that says who made it. */
static int put(struct process *p, const char *who)
{
	char json[160];
	const struct sluice_summary_media key = { "key-1.jpg", (const uint8_t *)who, strlen(who) };
	const struct sluice_summary sum = { .id = ID,
					    .epoch = 1,
					    .start_utc_ns = 5,
					    .end_utc_ns = 9,
					    .json = json,
					    .media = &key,
					    .media_count = 1 };

	snprintf(json, sizeof(json),
		 "{\"id\":\"" ID "\",\"kind\":\"event\",\"by\":\"%s\",\"epoch\":\"1\","
		 "\"start_ns\":\"5\",\"end_ns\":\"9\"}",
		 who);
	return sluice_shelf_put(&p->shelf, &camera, &sum);
}

/* ---- media whose caller is frozen within put() ---- */

static struct sluice_media *real;
static struct process *successor; /* writes the same meanwhile; NULL: nobody is frozen */
static int freeze_before;

static void wake(void)
{
	struct process *p = successor;

	successor = NULL;
	if (p)
		CHECK(put(p, "successor") == 0);
}

static int frozen_put(struct sluice_media *m, const struct sluice_camera *c, const char *id,
		      const struct sluice_media_file *files, size_t count)
{
	int err;

	if (freeze_before)
		wake();
	err = real->ops->put(real, c, id, files, count);
	if (!freeze_before)
		wake();
	return err;
}

static struct sluice_media_ops frozen_ops;
static struct sluice_media frozen = { .ops = &frozen_ops };

/* ---- what there is ---- */

struct seen {
	char by[16], key[16];
	uint64_t token;
	struct sluice_media *media;
};

static int see(void *ctx, const struct sluice_camera *c, const struct sluice_index_summary *s)
{
	char place[SLUICE_MEDIA_PLACE], *by = strstr(s->json, "\"by\":\"");
	struct seen *seen = ctx;
	uint8_t *bytes;
	size_t size;

	seen->token = s->token;
	if (by)
		sscanf(by, "\"by\":\"%15[a-z]", seen->by);
	sluice_media_place(place, s->id, s->token);
	CHECK(s->media_count == 1);
	CHECK(!real->ops->get(real, c, place, "key-1.jpg", 100, &bytes, &size));
	CHECK(size == s->media[0].size && size < sizeof(seen->key));
	memcpy(seen->key, bytes, size);
	free(bytes);
	return 0;
}

static void check_seen(struct sluice_index *ix, const char *who, uint64_t token)
{
	struct seen seen = { .media = real };

	CHECK(!ix->ops->summary_find(ix, &all, ID, see, &seen));
	CHECK(!strcmp(seen.by, who) && !strcmp(seen.key, who) && seen.token == token);
}

static int count_place(void *ctx, const char *tenant, const uint8_t id[16], const char *place)
{
	++*(unsigned int *)ctx;
	return 0;
}

static unsigned int places(void)
{
	unsigned int n = 0;

	CHECK(!real->ops->each(real, count_place, &n));
	return n;
}

/* As a rebuild finds it, which asks no index. */
static void check_rebuilt(const char *who, uint64_t token)
{
	struct sluice_recovered r = { 0 };
	struct sluice_index *ix;
	uint64_t count = 0;
	char path[96];

	snprintf(path, sizeof(path), "%s/rebuilt.db", data);
	unlink(path);
	CHECK(!sluice_index_sqlite_open(path, &ix));
	CHECK(!ix->ops->camera_add(ix, &camera));
	CHECK(!sluice_rebuild(data, ix, real, &r, &count) && count == 1);
	check_seen(ix, who, token);
	sluice_index_close(ix);
}

static void test_frozen(int before)
{
	struct process old, new;
	uint64_t token, refused = 0, was = 0;
	struct sluice_retain_config c = {
		.data = data, .media = real, .events_s = 1, .summaries_s = 1
	};
	struct sluice_retain *retain;
	int rc;

	freeze_before = before;
	process_open(&old, before ? 5 : 15, &frozen);
	process_open(&new, before ? 7 : 17, real);
	old.shelf.index->ops->fence(old.shelf.index, 0, &token, &was);
	successor = &new;
	CHECK(put(&old, "zombie") == -ESTALE && atomic_load(&old.lost));
	check_seen(new.shelf.index, "successor", new.lease.token);
	CHECK(places() == 2);
	check_rebuilt("successor", new.lease.token);
	/* again, without a word of the lease: it is told now */
	CHECK(put(&old, "zombie") == 1 && put(&new, "again") == 1);
	CHECK(places() == 2);
	check_seen(new.shelf.index, "successor", new.lease.token);
	CHECK(!new.shelf.index->ops->fence(new.shelf.index, 0, &token, &refused));
	CHECK(token == new.lease.token &&refused == was + 1);
	/* what the zombie has left goes with the summary */
	CHECK(!sluice_retain_open(&c, &retain));
	while ((rc = sluice_retain_step(retain)) > 0)
		;
	CHECK(!rc);
	sluice_retain_close(retain);
	CHECK(places() == 0);
	process_close(&old);
	process_close(&new);
}

/* Whoever has the lease after one that has put files and died before the row. */
static void test_died(void)
{
	struct process dead, new;
	struct sluice_index *ix;

	freeze_before = 0;
	process_open(&dead, 25, real);
	process_open(&new, 27, real);
	CHECK(!sluice_index_open(data, &ix));
	CHECK(!ix->ops->begin_fenced(ix, 0, 24) && !ix->ops->commit(ix));
	{
		const struct sluice_media_file f = { "summary.json", (const uint8_t *)"{}", 2 };
		char place[SLUICE_MEDIA_PLACE];

		CHECK(!real->ops->put(real, &camera, sluice_media_place(place, ID, 25), &f, 1));
	}
	CHECK(put(&new, "new") == 0);
	check_seen(ix, "new", 27);
	check_rebuilt("new", 27);
	sluice_index_close(ix);
	process_close(&dead);
	process_close(&new);
}

static void test_place(void)
{
	static const uint64_t tokens[] = { 0, 1, 31, 32, 1ull << 40, INT64_MAX, UINT64_MAX };
	char place[SLUICE_MEDIA_PLACE], last[SLUICE_MEDIA_PLACE] = "", id[33];
	uint64_t token;

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		sluice_media_place(place, ID, tokens[i]);
		CHECK(sluice_media_name_valid(place) && strcmp(last, place) < 0);
		CHECK(!sluice_media_place_read(place, id, &token));
		CHECK(!strcmp(id, ID) && token == tokens[i]);
		snprintf(last, sizeof(last), "%s", place);
	}
	CHECK(!strcmp(sluice_media_place(place, ID, 0), ID));
	CHECK(sluice_media_place_read("", id, &token) == -EINVAL);
	CHECK(sluice_media_place_read(ID "x", id, &token) == -EINVAL);
	CHECK(sluice_media_place_read(ID ".0000000000000", id, &token) == -EINVAL);
	CHECK(sluice_media_place_read(ID ".000000000000z", id, &token) == -EINVAL);
	CHECK(sluice_media_place_read(ID "-0000000000001", id, &token) == -EINVAL);
}

/* ---- jobs ---- */

struct duty {
	atomic_ullong token;
	atomic_int running; /* told so often that a job runs */
	atomic_int failed;
	uint64_t raise; /* under this token another process writes when one runs; 0: none */
};

static void raise_fence(uint64_t token)
{
	struct sluice_index *ix;

	CHECK(!sluice_index_open(data, &ix));
	CHECK(!ix->ops->begin_fenced(ix, 0, token) && !ix->ops->commit(ix));
	sluice_index_close(ix);
}

static void on_told(void *ctx, const struct sluice_camera *c, const char *json)
{
	struct duty *d = ctx;

	if (strstr(json, "\"running\"")) {
		if (d->raise)
			raise_fence(d->raise);
		d->raise = 0;
		atomic_fetch_add(&d->running, 1);
	}
	if (strstr(json, "\"failed\""))
		atomic_fetch_add(&d->failed, 1);
}

static int see_job(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	*(struct sluice_index_job *)ctx = *j;
	return 0;
}

static struct sluice_index_job job_now(struct sluice_index *ix)
{
	const struct sluice_index_job_filter f = { .limit = 1 };
	struct sluice_index_job j = { .kind = "" };

	CHECK(!ix->ops->jobs(ix, NULL, &f, see_job, &j));
	return j;
}

/* Of partition 0, until more writes than before were refused. */
static int is_refused(struct sluice_index *ix, uint64_t than)
{
	uint64_t token, refused = 0;

	ix->ops->fence(ix, 0, &token, &refused);
	return refused > than;
}

#define WAIT_FOR(what)                                        \
	for (int tries = 0; !(what) && tries < 6000; tries++) \
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL)

static void test_jobs(void)
{
	struct sluice_index_job j = { .id = ID, .kind = "period", .by = "node", .settings = "{}" };
	struct duty d = { .raise = 35 };
	struct sluice_cameras *cameras = sluice_cameras_open();
	const struct sluice_jobs_config c = { .data = data,
					      .media = real,
					      .cameras = cameras,
					      .at_once = 1,
					      .told = on_told,
					      .ctx = &d,
					      .duty = &d.token,
					      .bus = &bus };
	struct sluice_jobs *jobs;
	struct sluice_index *ix;
	uint64_t token, refused = 0;

	CHECK(!sluice_index_open(data, &ix));
	memcpy(j.camera, camera.id, sizeof(j.camera));
	j.from_ns = 1;
	j.to_ns = 1000000000;
	CHECK(!ix->ops->job_add(ix, &j));
	raise_fence(33);
	ix->ops->fence(ix, 0, &token, &refused);
	/* on duty under a lease that another has had after: it takes nothing */
	atomic_store(&d.token, 31);
	CHECK(!sluice_jobs_open(&c, &jobs));
	WAIT_FOR(is_refused(ix, refused));
	CHECK(is_refused(ix, refused) && job_now(ix).state == SLUICE_JOB_QUEUED && !d.running);
	/* the lease is lost while a job runs: its end is not written */
	ix->ops->fence(ix, 0, &token, &refused);
	atomic_store(&d.token, 34);
	sluice_jobs_poke(jobs);
	WAIT_FOR(d.running && is_refused(ix, refused));
	CHECK(d.running == 1 && is_refused(ix, refused));
	CHECK(job_now(ix).state == SLUICE_JOB_RUNNING && job_now(ix).tries == 1 && !d.failed);
	/* on duty again: it is found, and done */
	atomic_store(&d.token, 36);
	sluice_jobs_poke(jobs);
	WAIT_FOR(d.failed);
	CHECK(d.running == 2 && d.failed == 1);
	CHECK(job_now(ix).state == SLUICE_JOB_FAILED && job_now(ix).tries == 2);
	sluice_jobs_close(jobs);
	sluice_index_close(ix);
	sluice_cameras_close(cameras);
}

int main(void)
{
	struct sluice_index *ix;
	char path[96];

	sluice_log_setup("test_fence", SLUICE_LOG_ERROR, false);
	snprintf(data, sizeof(data), "/tmp/test_fence.%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/media", data);
	CHECK(!mkdir(data, 0700) && !mkdir(path, 0700));
	CHECK(!sluice_media_dir_open(path, NULL, &real));
	snprintf(path, sizeof(path), "%s/segments", data);
	CHECK(!mkdir(path, 0700));
	frozen_ops = *real->ops;
	frozen_ops.put = frozen_put;
	CHECK(!sluice_camera_init(&camera, "default", "box", "door"));
	CHECK(!sluice_index_open(data, &ix) && !ix->ops->camera_add(ix, &camera));
	sluice_index_close(ix);
	test_place();
	test_frozen(1);
	test_frozen(0);
	test_died();
	test_jobs();
	sluice_media_close(real);
	tmp_dir_remove(data);
	return check_result();
}
