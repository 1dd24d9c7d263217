// SPDX-License-Identifier: MIT
/*
 * test_crew.c - a crew whose lease another process has had meanwhile: what it writes is refused and
 * counted, it drops what it has, claims anew, and in the end every camera has its summary, once.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud/crew.h"
#include "tests/unit/check.h"
#include "worker_rig.h"

static void test_share(void)
{
	CHECK(sluice_crew_share(16, 0) == 16 && sluice_crew_share(16, 1) == 16);
	CHECK(sluice_crew_share(16, 2) == 8 && sluice_crew_share(16, 3) == 6);
	CHECK(sluice_crew_share(2, 5) == 1);
}

/* As the next holder would, under a token that the crew comes to with its second claim. */
static void take_over(void *ctx)
{
	const struct worker_rig *rig = ctx;
	struct sluice_index *ix;
	uint64_t token, refused;

	CHECK(!sluice_index_open(rig->data, &ix));
	/* the crew has raised it before it read anything */
	CHECK(!ix->ops->fence(ix, 0, &token, &refused) && token == 1 && !refused);
	CHECK(!ix->ops->begin_fenced(ix, 0, 2));
	CHECK(!ix->ops->commit(ix));
	sluice_index_close(ix);
}

static void test_refused(int sandboxed)
{
	struct worker_rig rig;
	struct worker_life life;
	struct worker_left left;
	struct sluice_index *ix;
	uint64_t token, refused;

	worker_rig_begin(&rig);
	worker_rig_make(&rig);
	rig.live = rig.crew = 1;
	rig.sandboxed = sandboxed;
	worker_rig_live(&rig, &life, 1, take_over, NULL, &rig);
	CHECK(!life.err && !life.aside);
	CHECK(strstr(life.log, "the lease of partition 0 is lost"));
	CHECK(!sluice_index_open(rig.data, &ix));
	CHECK(!ix->ops->fence(ix, 0, &token, &refused) && token == 2 && refused > 0);
	sluice_index_close(ix);
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++) {
		worker_rig_look(&rig, i, &left);
		CHECK(left.summaries == 1 && !left.open);
		CHECK(life.told[i].summaries == 1 && life.told[i].done == 1);
		CHECK(!life.told[i].early);
		free(left.json);
	}
	if (check_failures)
		fprintf(stderr, "it said: %s\n", life.log);
	worker_rig_remove(&rig);
	worker_rig_end(&rig);
}

/* The lease was had from a process that counted as dead and was not: it has taken and acked what
 * was stored since the start. That is read once its time is over. */
static void test_doubt(void)
{
	struct worker_rig rig;
	struct worker_life life;

	worker_rig_begin(&rig);
	worker_rig_make(&rig);
	rig.live = rig.crew = rig.stolen = 1;
	worker_rig_live(&rig, &life, 0, NULL, NULL, NULL);
	CHECK(!life.err);
	for (unsigned int i = 0; i < WORKER_RIG_CAMERAS; i++)
		CHECK(life.told[i].events == 1 && !life.told[i].summaries);
	if (check_failures)
		fprintf(stderr, "it said: %s\n", life.log);
	worker_rig_remove(&rig);
	worker_rig_end(&rig);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], SLUICE_SANDBOX_WORD))
		return sluice_sandbox_child(argc - 1, argv + 1);
	sluice_log_setup("test_crew", SLUICE_LOG_INFO, false);
	test_share();
	test_refused(0);
	test_refused(1);
	test_doubt();
	return check_result();
}
