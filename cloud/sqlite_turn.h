/* SPDX-License-Identifier: MIT */
/*
 * sqlite_turn.h - who of this process writes to a data base next: first come, first served.
 *
 * SQLite has one writer at a time, and whoever waits for it looks every now and then whether it is
 * free. A thread that writes all the time, as the one that stores frames does under load, lets go
 * for some microseconds only; the others then never find it free and give up after their time.
 */
#ifndef SLUICE_SQLITE_TURN_H
#define SLUICE_SQLITE_TURN_H

#define SLUICE_TURN_MS 5000 /* that a thread waits at most */

struct sluice_turn;

/* The turn of the data base at path, shared by all that get it; NULL: out of memory. */
struct sluice_turn *sluice_turn_get(const char *path);
/* NULL-safe. */
void sluice_turn_put(struct sluice_turn *t);

/* Waits until all that came before are done. 0, or -EBUSY after SLUICE_TURN_MS. */
int sluice_turn_take(struct sluice_turn *t);
void sluice_turn_pass(struct sluice_turn *t);

#endif
