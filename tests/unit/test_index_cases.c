// SPDX-License-Identifier: MIT
/*
 * test_index_cases.c - the index in a SQLite file does what every index must (tests/conform), also
 * when a call that touches the disk fails, whichever it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/conform/index.h"
#include "tests/unit/check.h"
#include "tests/unit/nth_fault.h"

static char dir[] = "/tmp/test_index_cases.XXXXXX", path[64];

static void rig_clear(struct conform_index *rig)
{
	static const char *const behind[] = { "", "-wal", "-shm" };
	char name[80];
	size_t i;

	(void)rig;
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, behind[i]);
		if (unlink(name) && errno != ENOENT)
			exit(1);
	}
}

static struct sluice_index *rig_open(struct conform_index *rig)
{
	struct sluice_index *ix;

	(void)rig;
	if (sluice_index_sqlite_open(path, &ix))
		exit(1);
	return ix;
}

static unsigned int rig_fail(struct conform_index *rig, unsigned int way, unsigned int at)
{
	unsigned int calls = (unsigned int)nth_end();

	(void)rig;
	nth_fault.err = way ? ENOSPC : EIO;
	if (at)
		nth_begin(NTH_DISK, at);
	return calls;
}

int main(void)
{
	struct conform_index rig = {
		.name = "sqlite", .clear = rig_clear, .open = rig_open, .fail = rig_fail, .ways = 2
	};

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/index.db", dir);
	conform_index(&rig);
	conform_index_faults(&rig);
	rig_clear(&rig);
	rmdir(dir);
	return check_result();
}
