// SPDX-License-Identifier: MIT
/*
 * cmd_words.c - see cmd_words.h.
 *
 * Data directory: --data, or that of the file. Keys: options, or [encryption] of the file if it is
 * named, or is the machine's and of the same data directory, or of variables.
 */
#include "cloud/cmd_words.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/indexconf.h"
#include "cloud/mediaconf.h"
#include "lib/log.h"

static const struct option options[] = {
	{ "data", required_argument, NULL, 'd' },
	{ "tenant", required_argument, NULL, 't' },
	{ "config", required_argument, NULL, 'f' },
	{ "key-file", required_argument, NULL, 'k' },
	{ "key-command", required_argument, NULL, 'c' },
	{ "old-key-file", required_argument, NULL, 'K' },
	{ "old-key-command", required_argument, NULL, 'C' },
	{ "json", no_argument, NULL, 'j' },
	{ "repair", no_argument, NULL, 'r' },
	{ "orphans", no_argument, NULL, 'O' },
	{ "remove-orphans", required_argument, NULL, 'R' },
	{ "check", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ 0 },
};

/* The variable that an option with a value fills. */
static const char **text_of(struct sluice_cmd_words *w, struct sluice_keyconf *keys, int o)
{
	switch (o) {
	case 'd':
		return &w->data;
	case 't':
		return &w->tenant;
	case 'f':
		return &w->config;
	case 'k':
		return &keys->file;
	case 'c':
		return &keys->command;
	case 'K':
		return &keys->old_file;
	case 'C':
		return &keys->old_command;
	case 'o':
		return &w->out;
	case 'R':
		return &w->orphans_age;
	}
	return NULL;
}

static int read_options(int argc, char **argv, const char *allowed, struct sluice_cmd_words *w,
			struct sluice_keyconf *keys)
{
	int o;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		const char **text = text_of(w, keys, o);

		if (o == '?')
			return 2;
		if (!strchr(allowed, strchr("fcKC", o) ? 'k' : o))
			return sluice_cmd_usage(argv[0], "unknown option '%s'", argv[optind - 1]);
		if (text)
			*text = optarg;
		else if (o == 'j')
			w->json = 1;
		else if (o == 'O')
			w->orphans = 1;
		else if (o == 'n')
			w->check = 1;
		else
			w->repair = 1;
	}
	return 0;
}

static int is_same(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* 0 or 1. A file of the machine that cannot be used is no fault of who has said it all. */
static int read_conf(struct sluice_cmd_words *w, struct sluice_keyconf *keys)
{
	struct sluice_cloud_conf *c = &w->conf;
	const int said = keys->file || keys->command || keys->old_file || keys->old_command;
	char why[400];

	if (sluice_cloud_conf_read(c, w->config, NULL, 0, why, sizeof(why))) {
		if (!w->config && w->data)
			return 0;
		sluice_error("%s", why);
		return 1;
	}
	if (!w->data && c->server.data[0])
		w->data = c->server.data;
	w->conf_is_its =
		w->data && (w->config || !c->server.data[0] || is_same(c->server.data, w->data));
	if (said || !w->conf_is_its)
		return 0;
	*keys = (struct sluice_keyconf){ c->encryption.key_file, c->encryption.key_command,
					 c->encryption.old_key_file,
					 c->encryption.old_key_command };
	return 0;
}

int sluice_cmd_words_rest(struct sluice_cmd_words *w, struct sluice_keyconf *keys,
			  const char *command)
{
	int code = read_conf(w, keys);
	char why[SLUICE_PG_WHY];

	if (!code && !w->data)
		code = sluice_cmd_usage(command, "--data DIR is missing, or --config FILE");
	if (!code && w->conf_is_its && sluice_indexconf_use(&w->conf, why)) {
		sluice_error("%s", why);
		code = 1;
	}
	if (!code && sluice_keyconf_read(keys, &w->ring))
		code = 1;
	return code;
}

int sluice_cmd_place(const char **data, const char *config, const char *command)
{
	struct sluice_cmd_words w = { .data = *data, .config = config };
	struct sluice_keyconf keys = { .file = "" }; /* none is needed */
	static char place[4096];
	char why[SLUICE_PG_WHY];
	int code = read_conf(&w, &keys);

	if (!code && !w.data)
		code = sluice_cmd_usage(command, "--data DIR is missing, or --config FILE");
	if (!code && w.conf_is_its && sluice_indexconf_use(&w.conf, why)) {
		sluice_error("%s", why);
		code = 1;
	}
	if (!code)
		snprintf(place, sizeof(place), "%s", w.data);
	*data = place;
	sluice_cmd_words_free(&w);
	return code;
}

int sluice_cmd_words(int argc, char **argv, const char *allowed, int from, int to,
		     struct sluice_cmd_words *w)
{
	struct sluice_keyconf keys = { 0 };
	int code, others;

	memset(w, 0, sizeof(*w));
	w->tenant = SLUICE_TENANT;
	code = read_options(argc, argv, allowed, w, &keys);
	others = argc - optind;
	if (!code && (others < from || others > to))
		code = sluice_cmd_usage(argv[0],
					others > to ? "too many words" : "a word is missing");
	if (!code)
		code = sluice_cmd_words_rest(w, &keys, argv[0]);
	if (code)
		sluice_cmd_words_free(w);
	return code ? code + 1 : 0;
}

void sluice_cmd_words_free(struct sluice_cmd_words *w)
{
	sluice_keyring_clear(&w->ring);
	sluice_cloud_conf_free(&w->conf);
}

int sluice_cmd_lock(const char *data, const char *hint)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", data);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		sluice_error("cannot open %s: %s", path, strerror(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		sluice_error("%s is in use; %s", data, hint);
		close(fd);
		fd = -1;
	}
	return fd;
}

struct sluice_media *sluice_cmd_media(const struct sluice_cmd_words *w)
{
	struct sluice_media *m;
	char why[SLUICE_S3_WHY];

	if (sluice_mediaconf_open(w->conf_is_its ? &w->conf : NULL, w->data, &w->ring, &m, why))
		sluice_error("%s", why);
	return m;
}

struct sluice_index *sluice_cmd_index(const char *data)
{
	struct sluice_index *ix;

	sluice_index_open(data, &ix);
	return ix;
}
