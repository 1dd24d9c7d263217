/* SPDX-License-Identifier: MIT */
/* server_state.h - the parts of a node's start, for server.c alone, which undoes them all. */
#ifndef SLUICE_SERVER_STATE_H
#define SLUICE_SERVER_STATE_H

#include "cloud/server.h"

/* server_data.c: the data directory is this process' own; keys, store and fleet are open. Prints
 * what is wrong. 0 or -errno. */
int server_data_open(struct sluice_server *s);
/* server_work.c: bus, workers, writer, retention and jobs, as far as the role has them. The API and
 * the loops are open. Prints what is wrong. 0 or -errno. */
int server_work_start(struct sluice_server *s);

#endif
