// SPDX-License-Identifier: MIT
/* cmd_move.c - migrate-index: the data bases of a data directory go to PostgreSQL. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/index_move.h"
#include "cloud/indexconf.h"
#include "cloud/people.h"
#include "lib/log.h"

/* Once a second, where somebody looks. */
static void show(void *ctx, const char *table, const char *verb, uint64_t done, uint64_t of)
{
	time_t *last = ctx, now = time(NULL);

	if (now == *last || !isatty(STDERR_FILENO))
		return;
	*last = now;
	fprintf(stderr, "\r\033[K%s: %llu of %llu rows %s", table, (unsigned long long)done,
		(unsigned long long)of, verb);
}

static void tell(void *ctx, const char *table, uint64_t rows, const char *sha256)
{
	(void)ctx;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	printf("%-12s %10llu rows, the same on both sides: sha256 %s\n", table,
	       (unsigned long long)rows, sha256);
	fflush(stdout);
}

static int has_file(const char *data, const char *name)
{
	char path[4400];

	snprintf(path, sizeof(path), "%s/%s", data, name);
	return access(path, F_OK) == 0;
}

/* What the file and the directory say must fit. 0, or it is told. */
static int check_words(const struct sluice_cmd_words *w)
{
	if (!sluice_indexconf_pg()) {
		sluice_error(
			"say --config FILE, of a file with [index] backend = postgresql: where "
			"the data bases of %s are to go",
			w->data);
		return -EINVAL;
	}
	if (!sluice_indexconf_elsewhere(w->data) || sluice_people_left(w->data))
		return 0;
	sluice_error("the data bases of %s lie in PostgreSQL already (%s/index.elsewhere and "
		     "people.elsewhere say so)",
		     w->data, w->data);
	return -EEXIST;
}

static int move_file(const struct sluice_cmd_words *w, const char *name, int what)
{
	char path[4400], why[SLUICE_PG_WHY];
	struct sluice_index_moved moved;
	time_t last = 0;
	const struct sluice_index_move_config c = { .path = path,
						    .what = what,
						    .pg = sluice_indexconf_pg(),
						    .progress = show,
						    .verified = tell,
						    .stopping = sluice_cmd_interrupted,
						    .ctx = &last };
	int err;

	snprintf(path, sizeof(path), "%s/%s", w->data, name);
	err = sluice_index_move(&c, &moved, why);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (err)
		sluice_error("%s", why);
	else
		printf("%llu rows, %llu of them copied now; %s is not used any more\n",
		       (unsigned long long)moved.rows, (unsigned long long)moved.copied, path);
	return err;
}

static int told(int err, const char *data)
{
	if (err)
		sluice_error("cannot note in %s where its data bases lie: %s", data,
			     strerror(-err));
	return err;
}

static int move(const struct sluice_cmd_words *w)
{
	int err = 0;

	if (!sluice_indexconf_elsewhere(w->data)) {
		err = move_file(w, "index.db", SLUICE_MOVE_INDEX);
		if (!err)
			err = told(sluice_indexconf_mark(w->data), w->data);
	}
	if (err || !sluice_people_left(w->data))
		return err;
	err = move_file(w, "auth.db", SLUICE_MOVE_AUTH);
	if (!err && has_file(w->data, "fleet.db"))
		err = move_file(w, "fleet.db", SLUICE_MOVE_FLEET);
	return err ? err : told(sluice_people_mark(w->data), w->data);
}

int sluice_cmd_move(int argc, char **argv)
{
	struct sluice_cmd_words w;
	int err = sluice_cmd_words(argc, argv, "dk", 0, 0, &w), lock = -1;

	if (err)
		return err - 1;
	umask(077);
	sluice_cmd_catch_interrupt();
	err = check_words(&w);
	if (!err) {
		lock = sluice_cmd_lock(w.data, "stop the server first");
		err = lock < 0 ? -EBUSY : move(&w);
	}
	if (lock >= 0)
		close(lock);
	sluice_indexconf_clear();
	sluice_cmd_words_free(&w);
	return err ? 1 : 0;
}
