/* SPDX-License-Identifier: MIT */
/*
 * starved.h - was memory wanting while something was made of which nothing may be missing?
 *
 * An analysis has many small allocations, and jansson passes over a value that there was no memory
 * for: what comes out looks whole and is not. So each that fails is counted, and whoever tells or
 * stores the result looks at the number before and after: if it has grown, the result is thrown
 * away and made again.
 */
#ifndef SLUICE_STARVED_H
#define SLUICE_STARVED_H

/* Allocations that failed in this thread. */
extern _Thread_local unsigned long sluice_starved;

/* Those of jansson are counted from now on. Before the first use of it in the process. */
void sluice_starved_watch_json(void);

#endif
