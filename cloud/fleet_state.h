/* SPDX-License-Identifier: MIT */
/* fleet_state.h - what fleet.c, fleet_db.c and fleet_others.c share: documents in memory, and how
 * they are kept. */
#ifndef SLUICE_FLEET_STATE_H
#define SLUICE_FLEET_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cloud/db.h"
#include "cloud/fleet.h"

#define SLUICE_FLEET_KEY (2 * SLUICE_NAME_MAX + 64)

struct sluice_fleet {
	pthread_mutex_t writing; /* has the data base; taken before lock, never with it */
	struct sluice_db *db;
	int shared; /* with other nodes: a thread of its own writes and looks */

	pthread_mutex_t lock; /* of what is in memory; nothing waits for a data base with it */
	json_t *docs[SLUICE_FLEET_KINDS];
	json_t *dirty[SLUICE_FLEET_KINDS]; /* keys of those that are to be written */
	_Atomic uint64_t zones_turn;

	/* shared alone */
	pthread_t thread;
	pthread_cond_t end;
	int running, stop;  /* stop: under lock */
	int64_t turn;	    /* changes up to this one are in memory; under writing */
	uint64_t read_ns;   /* when that was last so; monotonic */
	uint64_t purged_ns; /* likewise */
	const struct sluice_fleet_watcher *watcher; /* under writing */
	void *watcher_ctx;
	/* what other nodes have changed; the thread's */
	json_t *others; /* [tenant, device] of wishes */
	json_t *asked;	/* [kind, tenant, name, document] of commands and of settings asked once */
	int away;	/* told that the data base is */
};

char *sluice_fleet_key(const char *tenant, const char *name, char key[SLUICE_FLEET_KEY]);
/* "TENANT/NAME" taken apart; the name is in key. */
const char *sluice_fleet_split(const char *key, char tenant[SLUICE_NAME_MAX]);
/* May it go over what is there? 0, -EEXIST, -ESTALE. */
int sluice_fleet_check(const json_t *old, const int64_t *if_version);
int64_t sluice_fleet_version(const json_t *doc);
/* Gives a document of a kind that has versions the next one. 0, -ENOMEM. */
int sluice_fleet_number(enum sluice_fleet_kind kind, json_t *doc, const json_t *old);
/* Who has looked at a kind sees that there is something else. */
void sluice_fleet_turned(struct sluice_fleet *f, int kind);

/* ---- fleet_db.c ---- */

/* Statements; from SLUICE_TURN on: shared ones only. */
enum sluice_fleet_statement {
	SLUICE_DOC_PUT,
	SLUICE_DOC_REMOVE,
	SLUICE_DOC_ALL,
	SLUICE_TURN,
	SLUICE_TURN_NEXT,
	SLUICE_DOC_FIND,
	SLUICE_DOC_COUNT,
	SLUICE_DOC_SINCE,
	SLUICE_DOC_PURGE,
	SLUICE_FLEET_STATEMENTS
};

/* Makes the struct, its documents empty; takes d. NULL: out of memory, d stays the caller's. */
struct sluice_fleet *sluice_fleet_new(struct sluice_db *d, int shared);
void sluice_fleet_free(struct sluice_fleet *f);
/* A row's document, a new reference, and its key. 0; -ENOENT: it was removed; -EBADMSG: damaged, to
 * be passed over; -ENOMEM. */
int sluice_fleet_row(struct sluice_rows *r, int *kind, char key[SLUICE_FLEET_KEY], json_t **doc);
/* All documents, into memory. */
int sluice_fleet_read(struct sluice_fleet *f);

/* Each durable when it returns; writing is held. Of a fleet that is not shared. */
int sluice_fleet_write(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		       const char *name, const json_t *doc);
int sluice_fleet_erase(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		       const char *name);
/* Of a shared one: over what the data base has, if that is if_version; doc NULL: it is removed. */
int sluice_fleet_change(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			const char *name, json_t *doc, const int64_t *if_version);
/* What devices told; takes writing. */
void sluice_fleet_write_dirty(struct sluice_fleet *f);

extern const char *const sluice_fleet_shared_sql[];
extern const int sluice_fleet_shared_count;

/* ---- fleet_others.c ---- */

/* Over one connection to the tables that sluice_people_pg_provision() makes; takes d. */
int sluice_fleet_start(struct sluice_db *d, struct sluice_fleet **out);

#endif
