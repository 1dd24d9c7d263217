// SPDX-License-Identifier: MIT
/* indexconf.c - see indexconf.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cloud/confline.h"
#include "cloud/indexconf.h"
#include "lib/log.h"

#define MARK "%s/index.elsewhere"

/* Of the process; read by all of its threads, changed by none. */
static struct sluice_pg_config config;
static char password[SLUICE_CONF_LINE], texts[7][512];
static int in_postgresql;

/* The file may be read anew, and what it said before is gone then. */
static const char *keep(int i, const char *text)
{
	snprintf(texts[i], sizeof(texts[i]), "%s", text);
	return texts[i];
}

static int use_postgresql(const struct sluice_cloud_conf *conf, char *why)
{
	static const char *const modes[] = { "",	"disable",   "allow",	   "prefer",
					     "require", "verify-ca", "verify-full" };
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(conf->index.sslmode, modes[i]))
			break;
	if (i == sizeof(modes) / sizeof(modes[0])) {
		snprintf(why, SLUICE_PG_WHY,
			 "[index] sslmode = %.60s: it is disable, prefer, require, verify-ca or "
			 "verify-full",
			 conf->index.sslmode);
		return -EINVAL;
	}
	config = (struct sluice_pg_config){
		.host = keep(0, conf->index.host),
		.database = keep(1, conf->index.database),
		.user = keep(2, conf->index.user),
		.password = password,
		.sslmode = modes[i],
		.ca = keep(3, conf->index.ca),
		.certificate = keep(4, conf->index.certificate),
		.key = keep(5, conf->index.key),
		.schema = keep(6, conf->index.schema),
		.port = conf->index.port,
		.timeout_ms = (unsigned int)conf->index.timeout_ms,
	};
	if (!conf->index.password_file[0])
		return 0;
	return sluice_conf_line("[index] password_file", conf->index.password_file, 1, password,
				why, SLUICE_PG_WHY);
}

int sluice_indexconf_use(const struct sluice_cloud_conf *conf, char *why)
{
	int err;

	sluice_indexconf_clear();
	why[0] = 0;
	if (conf->index.backend != SLUICE_INDEX_POSTGRESQL)
		return 0;
	err = use_postgresql(conf, why);
	in_postgresql = !err;
	return err;
}

const struct sluice_pg_config *sluice_indexconf_pg(void)
{
	return in_postgresql ? &config : NULL;
}

void sluice_indexconf_clear(void)
{
	explicit_bzero(password, sizeof(password));
	memset(&config, 0, sizeof(config));
	in_postgresql = 0;
}

int sluice_indexconf_elsewhere(const char *data)
{
	char path[4400];

	snprintf(path, sizeof(path), MARK, data);
	return access(path, F_OK) == 0;
}

int sluice_indexconf_mark(const char *data)
{
	char path[4400];
	int fd;

	if (!in_postgresql)
		return 0; /* open() says what to do if it is marked */
	snprintf(path, sizeof(path), MARK, data);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int sluice_index_open(const char *data, struct sluice_index **out)
{
	char path[4400], why[SLUICE_PG_WHY];
	int err;

	if (in_postgresql) {
		err = sluice_index_pg_open(&config, out, why);
		if (err)
			sluice_error("cannot use the index in PostgreSQL: %s", why);
		return err;
	}
	*out = NULL;
	if (sluice_indexconf_elsewhere(data)) {
		sluice_error("the index of %s lies in PostgreSQL: say --config FILE, of a file "
			     "whose [index] says where; to go back to index.db remove "
			     "%s/index.elsewhere and say: sluice-cloud rebuild-index",
			     data, data);
		return -EREMOTE;
	}
	snprintf(path, sizeof(path), "%s/index.db", data);
	err = sluice_index_sqlite_open(path, out);
	if (err)
		sluice_error("cannot use %s: %s; if it is damaged, move it away, then: "
			     "sluice-cloud rebuild-index --data %s",
			     path, strerror(-err), data);
	return err;
}
