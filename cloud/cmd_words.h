/* SPDX-License-Identifier: MIT */
/*
 * cmd_words.h - options of the commands that work on a store: which one, whose, and its keys. What
 * the line leaves out comes from cloud.conf, so that the operator of a sealed store need not know
 * by heart where its key is.
 */
#ifndef SLUICE_CMD_WORDS_H
#define SLUICE_CMD_WORDS_H

#include "cloud/conf.h"
#include "cloud/index.h"
#include "cloud/keyconf.h"
#include "cloud/media.h"
#include "cloud/seal.h"

struct sluice_cmd_words {
	const char *data, *tenant, *config, *out;
	const char *orphans_age; /* of --remove-orphans */
	int json, repair, orphans, check;
	struct sluice_keyring ring; /* to be cleared */
	struct sluice_cloud_conf conf;
	int conf_is_its; /* the file speaks of this data directory */
};

/*
 * allowed: letters of d (--data), t (--tenant), k (the four of KEYS, and --config), j (--json), r
 * (--repair), o (--output), O and R (--orphans, --remove-orphans), n (--check); from..to: how many
 * other words. 0, or the exit code + 1 after a message. w is to be freed if it is 0.
 */
int sluice_cmd_words(int argc, char **argv, const char *allowed, int from, int to,
		     struct sluice_cmd_words *w);
/* The second half of it, for a command that reads its own options into w and keys: data directory,
 * file and keys. 0, or the exit code after a message; w is to be freed in any case. */
int sluice_cmd_words_rest(struct sluice_cmd_words *w, struct sluice_keyconf *keys,
			  const char *command);
/*
 * Of a command on users and devices: *data is that of the file, if it was not said, and where they
 * lie is what the file says ([index]). 0, or the exit code after a message. Once in a process.
 */
int sluice_cmd_place(const char **data, const char *config, const char *command);
void sluice_cmd_words_free(struct sluice_cmd_words *w);

/* The node's own lock on a data directory, held for as long as the descriptor is open. -1: told;
 * hint: what to do if a node holds it. */
int sluice_cmd_lock(const char *data, const char *hint);

/* The files of summaries, by [media] of the file if it is of this data directory; NULL: told. */
struct sluice_media *sluice_cmd_media(const struct sluice_cmd_words *w);

/* The index of a data directory; NULL: it has told why not. */
struct sluice_index *sluice_cmd_index(const char *data);

#endif
