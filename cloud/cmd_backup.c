// SPDX-License-Identifier: MIT
/* cmd_backup.c - backup, which works while the server runs, and restore. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/backup.h"
#include "cloud/cmd.h"
#include "cloud/indexconf.h"
#include "lib/log.h"

/* Once a second, where somebody looks. */
static void show(void *ctx, uint64_t files, uint64_t of, uint64_t bytes)
{
	time_t *last = ctx, now = time(NULL);

	if (now == *last || !isatty(STDERR_FILENO))
		return;
	*last = now;
	fprintf(stderr, "\r%llu of about %llu files, %.1f MB", (unsigned long long)files,
		(unsigned long long)of, (double)bytes / 1e6);
}

static int tell(const char *verb, const struct sluice_backup_config *c,
		const struct sluice_backed_up *r, int err)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (err == -ENOTEMPTY)
		sluice_error("%s holds something else already", c->to);
	else if (err == -EBUSY)
		sluice_error("another backup of %s is running", c->from);
	else if (err == -EUCLEAN)
		sluice_error("%s is damaged: %s", c->from, r->bad[0] ? r->bad : "its manifest");
	else if (err == -ECANCELED)
		sluice_error("interrupted; say it again to go on");
	else if (err)
		sluice_error("cannot %s: %s%s%s", verb, r->bad, r->bad[0] ? ": " : "",
			     strerror(-err));
	if (!err && r->elsewhere)
		sluice_warning("the frames of %s lie in a bucket, and so may its summaries: they "
			       "are not in the copy; turn on versioning or replication there",
			       c->from);
	if (!err)
		printf("%llu files, %.1f MB: %llu copied, %llu linked, %llu removed\n",
		       (unsigned long long)r->files, (double)r->bytes / 1e6,
		       (unsigned long long)r->copied, (unsigned long long)r->linked,
		       (unsigned long long)r->removed);
	return err ? 1 : 0;
}

/* Reads options; 0, or the exit code + 1. */
static int parse(int argc, char **argv, const char **data, const char **other, int *link,
		 int *verify)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "to", required_argument, NULL, 't' },
		{ "from", required_argument, NULL, 'f' },
		{ "verify", required_argument, NULL, 'v' },
		{ "link", no_argument, NULL, 'l' },
		{ 0 },
	};
	const int backup = !strcmp(argv[0], "backup");
	int o;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			*data = optarg;
		else if (o == (backup ? 't' : 'f'))
			*other = optarg;
		else if (o == 'l' && backup)
			*link = 1;
		else if (o == 'v' && backup)
			*other = optarg, *verify = 1;
		else
			return o == '?' ? 3 : 1 + sluice_cmd_usage(argv[0], "unknown option");
	}
	if (optind != argc)
		return 1 + sluice_cmd_usage(argv[0], "too many words");
	if (!*other || (!*data && !*verify))
		return 1 + sluice_cmd_usage(argv[0], backup ? "--data DIR and --to COPY are needed"
							    : "--from COPY and --data DIR are "
							      "needed");
	return 0;
}

int sluice_cmd_backup(int argc, char **argv)
{
	const char *data = NULL, *other = NULL;
	struct sluice_backed_up r;
	time_t last = 0;
	struct sluice_backup_config c = { .progress = show,
					  .stopping = sluice_cmd_interrupted,
					  .ctx = &last };
	int verify = 0, err = parse(argc, argv, &data, &other, &c.link, &verify);

	if (err)
		return err - 1;
	umask(077);
	sluice_cmd_catch_interrupt();
	c.from = verify ? other : data;
	c.to = other;
	if (!verify && sluice_indexconf_elsewhere(data)) {
		sluice_error(
			"the index of %s lies in PostgreSQL, and a copy without it would be half a "
			"one: copy the directory while the node is stopped, and the data base by "
			"pg_dump (see docs/operations.md)",
			data);
		return 1;
	}
	err = verify ? sluice_backup_verify(&c, &r) : sluice_backup(&c, &r);
	return tell(verify ? "verify" : "back up", &c, &r, err);
}

int sluice_cmd_restore(int argc, char **argv)
{
	const char *data = NULL, *other = NULL;
	struct sluice_backed_up r;
	time_t last = 0;
	struct sluice_backup_config c = { .progress = show,
					  .stopping = sluice_cmd_interrupted,
					  .ctx = &last };
	int unused = 0, err = parse(argc, argv, &data, &other, &c.link, &unused);

	if (err)
		return err - 1;
	umask(077);
	sluice_cmd_catch_interrupt();
	c.from = other;
	c.to = data;
	err = tell("restore", &c, &r, sluice_restore(&c, &r));
	if (!err)
		printf("now: sluice-cloud fsck --data %s\n", data);
	return err;
}
