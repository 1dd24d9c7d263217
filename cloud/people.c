// SPDX-License-Identifier: MIT
/* people.c - see people.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cloud/indexconf.h"
#include "cloud/people.h"
#include "cloud/people_pg.h"
#include "lib/log.h"

#define PATH_SIZE 4400

static int is_there(const char *data, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", data, name);
	return access(path, F_OK) == 0;
}

int sluice_people_elsewhere(const char *data)
{
	return is_there(data, "people.elsewhere");
}

int sluice_people_left(const char *data)
{
	return !sluice_people_elsewhere(data) && is_there(data, "auth.db");
}

int sluice_people_check(const char *data)
{
	int elsewhere = sluice_people_elsewhere(data);

	if (sluice_indexconf_pg() && sluice_people_left(data)) {
		sluice_error(
			"users and devices of %s are in auth.db and fleet.db, and [index] says "
			"postgresql; bring them there: sluice-cloud migrate-index --config FILE",
			data);
		return -EREMOTE;
	}
	if (!sluice_indexconf_pg() && elsewhere) {
		sluice_error("users and devices of %s lie in PostgreSQL: say --config FILE, of a "
			     "file whose [index] says where",
			     data);
		return -EREMOTE;
	}
	return 0;
}

int sluice_people_mark(const char *data)
{
	char path[PATH_SIZE];
	int fd;

	if (!sluice_indexconf_pg())
		return 0;
	snprintf(path, sizeof(path), "%s/people.elsewhere", data);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int told(int err, const char *why)
{
	if (err)
		sluice_error("cannot use users and devices in PostgreSQL: %s", why);
	return err;
}

int sluice_people_auth(const char *data, struct sluice_auth **out)
{
	const struct sluice_pg_config *c = sluice_indexconf_pg();
	char path[PATH_SIZE], why[SLUICE_PG_WHY];
	int err = sluice_people_check(data);

	*out = NULL;
	if (err)
		return err;
	if (c)
		return told(sluice_auth_pg_open(c, out, why), why);
	snprintf(path, sizeof(path), "%s/auth.db", data);
	err = sluice_auth_open(path, out);
	if (err)
		sluice_error("cannot use %s: %s; make it with: sluice-cloud init --data %s", path,
			     strerror(-err), data);
	return err;
}

int sluice_people_fleet(const char *data, struct sluice_fleet **out)
{
	const struct sluice_pg_config *c = sluice_indexconf_pg();
	char path[PATH_SIZE], why[SLUICE_PG_WHY];
	int err = sluice_people_check(data);

	*out = NULL;
	if (err)
		return err;
	if (c)
		return told(sluice_fleet_pg_open(c, out, why), why);
	snprintf(path, sizeof(path), "%s/fleet.db", data);
	err = sluice_fleet_open(path, out);
	if (err)
		sluice_error("cannot use %s: %s; put the one of the last backup in its place", path,
			     strerror(-err));
	return err;
}
