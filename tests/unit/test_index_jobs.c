// SPDX-License-Identifier: MIT
/*
 * test_index_jobs.c - the table of jobs: who takes one has it alone; what ran in a process that was
 * killed, at whatever point, is queued again by the next one, some times; cancelled is cancelled;
 * nobody sees the jobs of another tenant or of a camera that was not granted.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud/index.h"
#include "tests/unit/check.h"

#define S 1000000000ull

static char path[64];
static struct sluice_camera camera[3]; /* the last one is another tenant's */
static const struct sluice_whose all = { "default", NULL };

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;

	if (sluice_index_sqlite_open(path, &ix))
		exit(1);
	return ix;
}

static int add(struct sluice_index *ix, int number, int c, uint64_t made_s)
{
	struct sluice_index_job j = { .kind = "period",
				      .by = "node",
				      .from_ns = 5 * S,
				      .to_ns = 9 * S,
				      .made_ns = made_s * S,
				      .settings = "{\"seconds\":30}" };

	snprintf(j.id, sizeof(j.id), "%032d", number);
	memcpy(j.camera, camera[c].id, 16);
	return ix->ops->job_add(ix, &j);
}

struct seen {
	unsigned int count;
	struct sluice_index_job last;
	char settings[64], result[64], error[64], names[256];
};

static int see(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	struct seen *s = ctx;

	s->count++;
	s->last = *j;
	snprintf(s->settings, sizeof(s->settings), "%s", j->settings);
	snprintf(s->result, sizeof(s->result), "%s", j->result);
	snprintf(s->error, sizeof(s->error), "%s", j->error);
	strncat(s->names, j->id + 31, 1);
	CHECK(!memcmp(c->id, j->camera, 16));
	return 0;
}

static struct seen look(struct sluice_index *ix, const struct sluice_whose *who,
			const struct sluice_index_job_filter *f)
{
	struct seen s = { 0 };

	CHECK(!ix->ops->jobs(ix, who, f, see, &s));
	return s;
}

static struct seen find(struct sluice_index *ix, int number)
{
	char id[33];
	const struct sluice_index_job_filter f = { .id = id, .limit = 2 };

	snprintf(id, sizeof(id), "%032d", number);
	return look(ix, NULL, &f);
}

static int end(struct sluice_index *ix, int number, enum sluice_job_state state, const char *result,
	       const char *error)
{
	struct sluice_index_job j = {
		.state = state, .ended_ns = 99 * S, .result = result, .error = error
	};

	snprintf(j.id, sizeof(j.id), "%032d", number);
	return ix->ops->job_end(ix, &j);
}

static int cancel(struct sluice_index *ix, const struct sluice_whose *who, int number)
{
	char id[33];

	snprintf(id, sizeof(id), "%032d", number);
	return ix->ops->job_cancel(ix, who, id, 77 * S);
}

/* The oldest first, each once; then its result is there. */
static void test_way(void)
{
	struct sluice_index *ix = open_index();
	char id[33];
	int stop;

	CHECK(ix->ops->job_take(ix, S, id) == -ENOENT);
	CHECK(!add(ix, 2, 0, 20) && !add(ix, 1, 1, 10));
	CHECK(add(ix, 1, 0, 5) == 1 && find(ix, 1).last.made_ns == 10 * S);
	CHECK(!ix->ops->job_take(ix, 30 * S, id) && id[31] == '1');
	CHECK(!ix->ops->job_take(ix, 31 * S, id) && id[31] == '2');
	CHECK(ix->ops->job_take(ix, 32 * S, id) == -ENOENT);
	CHECK(find(ix, 2).last.state == SLUICE_JOB_RUNNING && find(ix, 2).last.tries == 1);
	CHECK(!ix->ops->job_progress(ix, id, 400, &stop) && !stop);
	CHECK(find(ix, 2).last.per_mille == 400 && find(ix, 2).last.began_ns == 31 * S);
	CHECK(!strcmp(find(ix, 2).settings, "{\"seconds\":30}"));
	CHECK(!end(ix, 2, SLUICE_JOB_DONE, "{\"summary\":\"x\"}", NULL));
	CHECK(find(ix, 2).last.per_mille == 1000 && find(ix, 2).last.ended_ns == 99 * S);
	CHECK(!strcmp(find(ix, 2).result, "{\"summary\":\"x\"}"));
	/* what has ended has ended */
	CHECK(end(ix, 2, SLUICE_JOB_FAILED, NULL, "no") == -ENOENT);
	CHECK(!ix->ops->job_progress(ix, id, 500, &stop) && stop);
	CHECK(find(ix, 2).last.per_mille == 1000);
	CHECK(!end(ix, 1, SLUICE_JOB_FAILED, NULL, "no frames"));
	CHECK(!strcmp(find(ix, 1).error, "no frames"));
	CHECK(!ix->ops->jobs_drop(ix, 99 * S) && find(ix, 1).count == 1);
	CHECK(!ix->ops->jobs_drop(ix, 100 * S) && find(ix, 1).count == 0);
	CHECK(find(ix, 2).count == 0);
	sluice_index_close(ix);
}

/* At each point of a job's way its process is killed. */
enum point { ADDED, TAKEN, WORKING, ENDED, POINTS };

static void run_until(enum point point, int fd)
{
	struct sluice_index *ix = open_index();
	char id[33] = "";
	int stop;

	if (find(ix, 3).count == 0)
		CHECK(!add(ix, 3, 0, 40));
	if (point >= TAKEN)
		CHECK(!ix->ops->job_take(ix, 50 * S, id));
	if (point >= WORKING)
		CHECK(!ix->ops->job_progress(ix, id, 300, &stop) && !stop);
	if (point >= ENDED)
		CHECK(!end(ix, 3, SLUICE_JOB_DONE, "{}", NULL));
	CHECK(write(fd, check_failures ? "n" : "y", 1) == 1);
	for (;;)
		pause();
}

static void kill_at(enum point point)
{
	int fd[2], status;
	char word = 0;
	pid_t pid;

	if (pipe(fd))
		exit(1);
	pid = fork();
	if (!pid)
		run_until(point, fd[1]);
	close(fd[1]);
	CHECK(read(fd[0], &word, 1) == 1 && word == 'y');
	close(fd[0]);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void test_killed(void)
{
	static const enum point order[] = { ADDED, TAKEN, WORKING };
	struct sluice_index *ix;

	for (int i = 0; i < 3; i++) {
		kill_at(order[i]);
		ix = open_index();
		CHECK(ix->ops->jobs_again(ix, 60 * S) == (order[i] != ADDED));
		CHECK(find(ix, 3).count == 1 && find(ix, 3).last.state == SLUICE_JOB_QUEUED);
		CHECK(find(ix, 3).last.tries == i);
		sluice_index_close(ix);
	}
	/* ended before it died: nothing is done again */
	kill_at(ENDED);
	ix = open_index();
	CHECK(ix->ops->jobs_again(ix, 60 * S) == 0);
	CHECK(find(ix, 3).last.state == SLUICE_JOB_DONE && find(ix, 3).last.tries == 3);
	CHECK(!ix->ops->jobs_drop(ix, 1000 * S));
	sluice_index_close(ix);
	/* it ends whoever is at it: not for ever */
	for (int i = 0; i < SLUICE_JOB_TRIES; i++) {
		kill_at(WORKING);
		ix = open_index();
		CHECK(ix->ops->jobs_again(ix, 60 * S) == 1);
		sluice_index_close(ix);
	}
	ix = open_index();
	CHECK(find(ix, 3).last.state == SLUICE_JOB_FAILED && find(ix, 3).error[0]);
	CHECK(find(ix, 3).last.ended_ns == 60 * S);
	CHECK(!ix->ops->jobs_drop(ix, 1000 * S));
	sluice_index_close(ix);
}

static void test_cancel(void)
{
	static const struct sluice_whose other = { "other", NULL }, none = { "default", "" };
	struct sluice_index *ix = open_index();
	char id[33];
	int stop;

	CHECK(!add(ix, 4, 0, 1) && !add(ix, 5, 0, 2));
	CHECK(cancel(ix, &other, 4) == -ENOENT && cancel(ix, &none, 4) == -ENOENT);
	CHECK(cancel(ix, &all, 6) == -ENOENT);
	CHECK(!cancel(ix, &all, 4) && cancel(ix, &all, 4) == -EALREADY);
	CHECK(find(ix, 4).last.state == SLUICE_JOB_CANCELLED &&
	      find(ix, 4).last.ended_ns == 77 * S);
	/* one that runs is asked, and ends when it hears */
	CHECK(!ix->ops->job_take(ix, 3 * S, id) && id[31] == '5');
	CHECK(!ix->ops->job_progress(ix, id, 1, &stop) && !stop);
	CHECK(!cancel(ix, &all, 5));
	CHECK(find(ix, 5).last.state == SLUICE_JOB_RUNNING && find(ix, 5).last.cancel);
	CHECK(!ix->ops->job_progress(ix, id, 2, &stop) && stop);
	CHECK(!end(ix, 5, SLUICE_JOB_CANCELLED, NULL, NULL));
	CHECK(find(ix, 5).last.state == SLUICE_JOB_CANCELLED && !find(ix, 5).last.cancel);
	/* a stop of the node does not count as a try, and does not forget the wish */
	CHECK(!add(ix, 6, 0, 3) && !ix->ops->job_take(ix, 3 * S, id));
	CHECK(!end(ix, 6, SLUICE_JOB_QUEUED, NULL, NULL));
	CHECK(find(ix, 6).last.state == SLUICE_JOB_QUEUED && find(ix, 6).last.tries == 0);
	CHECK(!ix->ops->job_take(ix, 3 * S, id) && !cancel(ix, &all, 6));
	CHECK(!end(ix, 6, SLUICE_JOB_QUEUED, NULL, NULL));
	CHECK(find(ix, 6).last.state == SLUICE_JOB_CANCELLED);
	/* nor does the death of the node */
	CHECK(!add(ix, 7, 0, 4) && !ix->ops->job_take(ix, 3 * S, id) && !cancel(ix, &all, 7));
	CHECK(ix->ops->jobs_again(ix, 8 * S) == 1);
	CHECK(find(ix, 7).last.state == SLUICE_JOB_CANCELLED && !find(ix, 7).error[0]);
	CHECK(!ix->ops->jobs_drop(ix, 1000 * S));
	sluice_index_close(ix);
}

static void test_whose(void)
{
	struct sluice_whose one = { "default", NULL }, other = { "other", NULL };
	struct sluice_index *ix = open_index();
	struct sluice_index_job_filter f = { .limit = 10 };
	char upper[33], id[33];

	for (int i = 0; i < 33; i++)
		upper[i] =
			(char)(camera[1].hex[i] >= 'a' ? camera[1].hex[i] - 32 : camera[1].hex[i]);
	one.cameras = upper;
	CHECK(!add(ix, 1, 0, 1) && !add(ix, 2, 1, 2) && !add(ix, 3, 2, 3));
	CHECK(!strcmp(look(ix, NULL, &f).names, "321"));
	CHECK(!strcmp(look(ix, &all, &f).names, "21"));
	CHECK(!strcmp(look(ix, &one, &f).names, "2"));
	CHECK(!strcmp(look(ix, &other, &f).names, "3"));
	f.camera = camera[0].hex;
	CHECK(!strcmp(look(ix, &all, &f).names, "1") && look(ix, &other, &f).count == 0);
	f.camera = "second";
	CHECK(!strcmp(look(ix, &all, &f).names, "2"));
	f.camera = NULL;
	CHECK(!ix->ops->job_take(ix, S, id));
	f.states = 1u << SLUICE_JOB_RUNNING | 1u << SLUICE_JOB_DONE;
	CHECK(!strcmp(look(ix, NULL, &f).names, "1"));
	f.states = 1u << SLUICE_JOB_QUEUED;
	f.limit = 1;
	CHECK(!strcmp(look(ix, NULL, &f).names, "3"));
	f.kind = "analysis";
	CHECK(look(ix, NULL, &f).count == 0);
	sluice_index_close(ix);
}

static int count_camera(void *ctx, const struct sluice_camera *c, uint64_t seen_utc_ns, uint32_t w,
			uint32_t h, const void *ledger, size_t ledger_size)
{
	CHECK(!strcmp(c->name, "first") && !ledger && !ledger_size);
	++*(int *)ctx;
	return 0;
}

static void test_busy(void)
{
	static const char *const json[] = { "{\"kind\":\"event\",\"nuisance\":false}",
					    "{\"kind\":\"event\",\"nuisance\":true}",
					    "{\"kind\":\"digest\"}" };
	struct sluice_index *ix = open_index();
	int n = 0;

	for (int i = 0; i < 3; i++) {
		struct sluice_index_summary s = { .start_utc_ns = (100 + 100 * (uint64_t)i) * S,
						  .end_utc_ns = (150 + 100 * (uint64_t)i) * S,
						  .json = json[i] };

		snprintf(s.id, sizeof(s.id), "%032d", i);
		memcpy(s.camera, camera[0].id, 16);
		CHECK(!ix->ops->summary_add(ix, &s));
	}
	CHECK(!ix->ops->cameras_busy(ix, 100 * S, 101 * S, count_camera, &n) && n == 1);
	CHECK(!ix->ops->cameras_busy(ix, 101 * S, 400 * S, count_camera, &n) && n == 1);
	CHECK(!ix->ops->cameras_busy(ix, 0, 100 * S, count_camera, &n) && n == 1);
	sluice_index_close(ix);
}

int main(int argc, char **argv)
{
	static const char *const names[3][3] = { { "default", "box", "first" },
						 { "default", "box", "second" },
						 { "other", "box", "first" } };
	struct sluice_index *ix;
	int fd;

	random_seed(seed_of(argc, argv));
	snprintf(path, sizeof(path), "/tmp/test_index_jobs.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	ix = open_index();
	for (int i = 0; i < 3; i++) {
		CHECK(!sluice_camera_init(&camera[i], names[i][0], names[i][1], names[i][2]));
		CHECK(!ix->ops->camera_add(ix, &camera[i]));
	}
	sluice_index_close(ix);
	test_way();
	test_killed();
	test_cancel();
	test_whose();
	test_busy();
	for (int i = 0; i < 3; i++) {
		static const char *const ends[3] = { "", "-wal", "-shm" };
		char file[80];

		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return check_result();
}
