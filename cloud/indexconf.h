/* SPDX-License-Identifier: MIT */
/*
 * indexconf.h - which data base the index of a data directory lies in: [index] of cloud.conf.
 *
 * A process works on one data directory, so what its file says holds for all handles. A directory
 * whose index lies in PostgreSQL has a file index.elsewhere, so that no command that was not told
 * so makes an empty index.db beside it.
 */
#ifndef SLUICE_INDEXCONF_H
#define SLUICE_INDEXCONF_H

#include "cloud/conf.h"
#include "cloud/index.h"
#include "cloud/index_pg.h"

/*
 * From now on sluice_index_open() opens what conf says; before other threads are there. 0; or
 * -errno with a sentence in why (SLUICE_PG_WHY bytes): the password cannot be read. The data base
 * is not asked for anything.
 */
int sluice_indexconf_use(const struct sluice_cloud_conf *conf, char *why);

/* NULL: index.db of the data directory. */
const struct sluice_pg_config *sluice_indexconf_pg(void);

/* Notes in the data directory where its index lies, as sluice_indexconf_use() was told. */
int sluice_indexconf_mark(const char *data);
/* 1: in PostgreSQL, as the directory says. */
int sluice_indexconf_elsewhere(const char *data);

/* Forgets it all, the password too. */
void sluice_indexconf_clear(void);

#endif
