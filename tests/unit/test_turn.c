// SPDX-License-Identifier: MIT
/*
 * test_turn.c - whoever writes to the index now and then gets in although another thread writes
 * without a pause, as the one that stores frames does under load; and a data base that cannot be
 * read is no reason to call a credential wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/index.h"
#include "cloud/sqlite.h"
#include "cloud/sqlite_turn.h"
#include "tests/unit/check.h"

#define WRITES 50

static char path[64];
static struct sluice_camera camera;
static atomic_int stop;
static atomic_uint groups;

static struct sluice_index *open_index(void)
{
	struct sluice_index *ix = NULL;

	CHECK(!sluice_index_sqlite_open(path, &ix));
	return ix;
}

/* A group every 2 ms, and between two of them nothing. */
static void *write_groups(void *arg)
{
	struct sluice_index *ix = open_index();

	(void)arg;
	while (ix && !atomic_load(&stop)) {
		CHECK(!ix->ops->begin(ix));
		CHECK(!ix->ops->camera_seen(ix, camera.id, atomic_load(&groups), 0, 0));
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		CHECK(!ix->ops->commit(ix));
		atomic_fetch_add(&groups, 1);
	}
	sluice_index_close(ix);
	return NULL;
}

static void test_fair(void)
{
	struct sluice_index *ix = open_index();
	unsigned int i, worst = 0;
	pthread_t thread;

	if (!ix)
		return;
	CHECK(!ix->ops->camera_add(ix, &camera));
	CHECK(!pthread_create(&thread, NULL, write_groups, NULL));
	while (atomic_load(&groups) < 3)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	for (i = 0; i < WRITES; i++) {
		unsigned int before = atomic_load(&groups), passed;

		if (i & 1) {
			CHECK(!ix->ops->begin(ix));
			CHECK(!ix->ops->camera_seen(ix, camera.id, i, 0, 0));
			CHECK(!ix->ops->commit(ix));
		} else { /* a statement that writes by itself */
			CHECK(!ix->ops->camera_seen(ix, camera.id, i, 0, 0));
		}
		passed = atomic_load(&groups) - before;
		worst = passed > worst ? passed : worst;
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	/* the one that was under way, and one that ended while we looked */
	printf("groups that went before: %u at most\n", worst);
	CHECK(worst <= 2);
	sluice_index_close(ix);
}

/* A transaction that fails, or is left open, does not keep the turn. */
static void test_passed(void)
{
	struct sluice_index *a = open_index(), *b = open_index();

	if (a && b) {
		CHECK(!a->ops->begin(a));
		a->ops->rollback(a);
		a->ops->rollback(a);
		CHECK(!b->ops->begin(b) && !b->ops->commit(b));
		CHECK(!a->ops->begin(a));
	}
	sluice_index_close(a);
	if (b)
		CHECK(!b->ops->begin(b) && !b->ops->commit(b));
	sluice_index_close(b);
}

static void test_errno(void)
{
	static const char *const sql[] = { "INSERT INTO t VALUES (?)" };
	static const struct sluice_sqlite_step steps[] = { { "CREATE TABLE t (a)", NULL } };
	struct sluice_sqlite s;
	char other[80];

	snprintf(other, sizeof(other), "%s-2", path);
	CHECK(!sluice_sqlite_open(&s, other, steps, 1, sql, 1));
	CHECK(!sluice_sqlite_run(sluice_sqlite_bind(&s, 0, "d", 1)));
	CHECK(!sluice_sqlite_exec(&s, "PRAGMA query_only = 1"));
	/* SQLITE_READONLY is -EACCES at opening, and never an answer to a question */
	CHECK(sluice_sqlite_errno(SQLITE_READONLY) == -EACCES);
	CHECK(sluice_sqlite_run(sluice_sqlite_bind(&s, 0, "d", 1)) == -EIO);
	sluice_sqlite_close(&s);
	unlink(other);
}

int main(void)
{
	char dir[] = "/tmp/test_turn.XXXXXX", command[64];

	CHECK(!sluice_camera_init(&camera, "t", "d", "c"));
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/index.db", dir);
	test_fair();
	test_passed();
	test_errno();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	CHECK(!system(command));
	return check_result();
}
