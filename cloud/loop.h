/* SPDX-License-Identifier: MIT */
/*
 * loop.h - one event loop of the node, in a thread of its own. Connections are accepted by loop 0
 * and handed to the loop that has fewest; there they stay. What is in struct sluice_loop is touched
 * by its thread alone, but for what is said to be atomic; other threads reach it by
 * sluice_io_post().
 */
#ifndef SLUICE_CLOUD_LOOP_H
#define SLUICE_CLOUD_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "cloud/auth.h"
#include "cloud/index.h"
#include "lib/io.h"
#include "lib/tls.h"

#define SLUICE_LOOPS_MAX       64
#define SLUICE_SESSION_BUCKETS 256

struct client;
struct sluice_arrival;
struct sluice_server;
struct sluice_session;

struct sluice_loop {
	struct sluice_server *server;
	unsigned int number; /* 0: the main thread's */
	struct sluice_io *io;
	struct sluice_tls_ctx *tls; /* of connections to come; one context for all loops, so that
				     * any of them resumes a session */
	struct sluice_auth *auth;   /* this thread's own handles; NULL: the desk's are asked */
	struct sluice_index *index;
	struct client *clients;
	struct client *half_first, *half_last; /* without a handshake, the oldest first */
	unsigned int half_count;
	atomic_uint client_count; /* those on their way here included */
	struct sluice_session *sessions;
	struct sluice_session *by_id[SLUICE_SESSION_BUCKETS];
	uint64_t session_last;
	int64_t deny_version;
	struct sluice_io_timer watch; /* deny-list, starved sessions */
	unsigned int watch_turn;
	/* of loops.c, under the server's lock */
	pthread_t thread;
	int state, err;
};

/* Loop 0 is opened in the calling thread, which goes on to run it. Prints what is wrong; -errno. */
int sluice_loops_open(struct sluice_server *s);
/* The others start and wait for connections. As above; close() undoes a part, too. */
int sluice_loops_start(struct sluice_server *s);
/* Loop 0, until it is told to end; the others run on until close(). 0 or -errno. */
int sluice_loops_run(struct sluice_server *s);
/* fn(loop) in the thread of each; those that cannot be told are passed over. Loop 0's thread. */
void sluice_loops_each(struct sluice_server *s, void (*fn)(void *loop));
/* The loop's last connection is gone, or there was none: it may end if the server does. */
void sluice_loop_idle(struct sluice_loop *l);
/* Nobody posts to them any more: they run what was posted, end what is open, and are gone. */
void sluice_loops_close(struct sluice_server *s);

/* An accepted connection goes to the loop with fewest. Loop 0's thread. */
void sluice_loops_take(struct sluice_server *s, const struct sluice_arrival *a);
/* Connections of all loops. */
unsigned int sluice_loops_clients(struct sluice_server *s);

#endif
