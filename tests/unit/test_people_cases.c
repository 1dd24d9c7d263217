// SPDX-License-Identifier: MIT
/* test_people_cases.c - auth.db and fleet.db do what tests/conform/people.h wants of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/conform/people.h"
#include "tests/unit/check.h"

static char dir[] = "/tmp/test_people_cases.XXXXXX", path[2][80];

static void rig_clear(struct conform_people *rig)
{
	static const char *const behind[] = { "", "-wal", "-shm" };
	char name[100];
	int i;

	(void)rig;
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "%s%s", path[i / 3], behind[i % 3]);
		if (unlink(name) && errno != ENOENT)
			exit(1);
	}
}

static struct sluice_auth *rig_auth(struct conform_people *rig)
{
	struct sluice_auth *auth;

	(void)rig;
	if (sluice_auth_open(path[0], &auth))
		exit(1);
	return auth;
}

static struct sluice_fleet *rig_fleet(struct conform_people *rig)
{
	struct sluice_fleet *fleet;

	(void)rig;
	if (sluice_fleet_open(path[1], &fleet))
		exit(1);
	return fleet;
}

int main(void)
{
	struct conform_people rig = { .clear = rig_clear, .auth = rig_auth, .fleet = rig_fleet };

	if (!mkdtemp(dir))
		return 1;
	snprintf(path[0], sizeof(path[0]), "%s/auth.db", dir);
	snprintf(path[1], sizeof(path[1]), "%s/fleet.db", dir);
	conform_people(&rig);
	rig_clear(&rig);
	rmdir(dir);
	return check_result();
}
