/* SPDX-License-Identifier: MIT */
/*
 * people.h - where the data bases of auth.h and fleet.h lie: auth.db and fleet.db of the data
 * directory, or tables beside those of the index in PostgreSQL, as sluice_indexconf_use() was told.
 * There several nodes share them. A directory whose people lie there has a file people.elsewhere,
 * so that nobody is let in by a file that has been left behind.
 */
#ifndef SLUICE_PEOPLE_H
#define SLUICE_PEOPLE_H

#include "cloud/auth.h"
#include "cloud/fleet.h"

/* Each says what is wrong and what to do; -errno. */
int sluice_people_auth(const char *data, struct sluice_auth **out);
int sluice_people_fleet(const char *data, struct sluice_fleet **out);

/* Does what [index] says fit what the directory has? 0, or an error after it has been told. */
int sluice_people_check(const char *data);
/* Notes in the directory where they lie. 0 or -errno. */
int sluice_people_mark(const char *data);
/* 1: the directory has an auth.db that has not been brought to PostgreSQL. */
int sluice_people_left(const char *data);
/* 1: in PostgreSQL, as the directory says. */
int sluice_people_elsewhere(const char *data);

#endif
