// SPDX-License-Identifier: MIT
/*
 * loop.c - start and stop of the event loops, and which of them takes a connection.
 *
 * One listener and connections handed over, not a listener each (SO_REUSEPORT): the kernel spreads
 * by a hash and so unevenly where there are few devices; a second server on the same port would
 * go unnoticed; and who is refused is decided in one place, before anything is paid for.
 *
 * An io belongs to the thread that opened it, so each thread opens and closes its own. It ends in
 * two steps: run() returns when the server stops and the last connection is gone; the io stays
 * until close(), because the writer and the workers post to it until they have ended.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/badge.h"
#include "cloud/command.h"
#include "cloud/people.h"
#include "cloud/server.h"
#include "cloud/session.h"
#include "cloud/settings.h"
#include "lib/log.h"

#define WATCH_MS 250

enum { STATE_NONE, STATE_STARTING, STATE_RUNNING, STATE_ENDED, STATE_LEAVE };

static int read_deny_version(struct sluice_loop *l, int64_t *version)
{
	int err = 0;

	if (l->server->badges)
		*version = sluice_badges_turn(l->server->badges);
	else
		err = sluice_auth_deny_version(l->auth, version);
	if (err)
		sluice_error("cannot read who is denied: %s", strerror(-err));
	return err;
}

static void on_watch(void *arg)
{
	struct sluice_loop *l = arg;
	int64_t version = l->deny_version;
	int changed = 0;

	if (++l->watch_turn % 4 == 0) {
		changed = !read_deny_version(l, &version) && version != l->deny_version;
		l->deny_version = version;
	}
	sluice_session_watch(l, changed);
	if (!l->number && l->watch_turn % 4 == 0 && atomic_load(&l->server->started))
		sluice_server_watch(l->server);
	if (!l->number && l->watch_turn % 4 == 1) {
		sluice_commands_watch(l->server);
		sluice_settings_watch(l->server);
		sluice_fleet_flush(l->server->fleet);
	}
	sluice_io_timer_in(l->io, &l->watch, WATCH_MS, on_watch, l);
}

static int open_loop(struct sluice_loop *l)
{
	struct sluice_server *s = l->server;
	char why[256];
	int err = s->badges ? 0 : sluice_people_auth(s->c.data, &l->auth);

	if (!err)
		err = read_deny_version(l, &l->deny_version);
	if (err)
		return err;
	err = sluice_index_open(s->c.data, &l->index);
	if (err)
		return err;
	l->tls = s->tls;
	l->io = sluice_io_open(NULL, &err, why, sizeof(why));
	if (!l->io) {
		sluice_error("%s", why);
		return err;
	}
	sluice_io_timer_in(l->io, &l->watch, WATCH_MS, on_watch, l);
	return 0;
}

static void close_loop(struct sluice_loop *l)
{
	if (l->io)
		sluice_io_timer_cancel(l->io, &l->watch);
	sluice_io_close(l->io); /* runs what was posted; sessions that are left end here */
	l->io = NULL;
	sluice_index_close(l->index);
	l->index = NULL;
	sluice_auth_close(l->auth);
	l->auth = NULL;
}

static void set_state(struct sluice_loop *l, int state)
{
	pthread_mutex_lock(&l->server->loops_lock);
	l->state = state;
	pthread_cond_broadcast(&l->server->loops_changed);
	pthread_mutex_unlock(&l->server->loops_lock);
}

static void wait_while(struct sluice_loop *l, int state)
{
	pthread_mutex_lock(&l->server->loops_lock);
	while (l->state == state)
		pthread_cond_wait(&l->server->loops_changed, &l->server->loops_lock);
	pthread_mutex_unlock(&l->server->loops_lock);
}

/* A loop has failed: the others end too, and the program tells it. */
static void stop_server(void *arg)
{
	sluice_server_stop(arg);
}

static void *loop_main(void *arg)
{
	struct sluice_loop *l = arg;
	char name[16];

	snprintf(name, sizeof(name), "loop-%u", l->number);
	pthread_setname_np(pthread_self(), name);
	l->err = open_loop(l);
	if (l->err) {
		close_loop(l);
		set_state(l, STATE_ENDED);
		return NULL;
	}
	set_state(l, STATE_RUNNING);
	l->err = sluice_io_run(l->io);
	if (l->err) {
		sluice_error("event loop %u failed: %s", l->number, strerror(-l->err));
		sluice_io_post(l->server->loops[0].io, stop_server, l->server);
	}
	wait_while(l, STATE_RUNNING);
	close_loop(l);
	return NULL;
}

static int start_loop(struct sluice_loop *l)
{
	int err;

	l->state = STATE_STARTING;
	err = -pthread_create(&l->thread, NULL, loop_main, l);
	if (err) {
		l->state = STATE_NONE;
		return err;
	}
	wait_while(l, STATE_STARTING);
	return l->err;
}

int sluice_loops_open(struct sluice_server *s)
{
	unsigned int i;

	for (i = 0; i < s->loop_count; i++) {
		s->loops[i].server = s;
		s->loops[i].number = i;
	}
	return open_loop(&s->loops[0]);
}

int sluice_loops_start(struct sluice_server *s)
{
	unsigned int i;
	int err = 0;

	for (i = 1; i < s->loop_count && !err; i++)
		err = start_loop(&s->loops[i]);
	return err;
}

int sluice_loops_run(struct sluice_server *s)
{
	unsigned int i;
	int err = sluice_io_run(s->loops[0].io);

	for (i = 1; i < s->loop_count && !err; i++)
		err = s->loops[i].err;
	return err;
}

void sluice_loops_each(struct sluice_server *s, void (*fn)(void *loop))
{
	unsigned int i;

	for (i = 1; i < s->loop_count; i++)
		if (sluice_io_post(s->loops[i].io, fn, &s->loops[i]))
			sluice_error("out of memory: loop %u was not told", i);
	fn(&s->loops[0]);
}

void sluice_loop_idle(struct sluice_loop *l)
{
	if (l->server->stopping && !l->client_count)
		sluice_io_stop(l->io);
}

static void leave_loop(void *loop)
{
	struct sluice_loop *l = loop;

	sluice_io_stop(l->io);
}

void sluice_loops_close(struct sluice_server *s)
{
	unsigned int i;

	for (i = 1; i < s->loop_count; i++) {
		struct sluice_loop *l = &s->loops[i];

		if (l->state == STATE_NONE)
			continue;
		if (l->state == STATE_RUNNING) {
			/* where memory is short it is woken by its own end of the last connection
			 */
			while (sluice_io_post(l->io, leave_loop, l))
				usleep(10000);
			set_state(l, STATE_LEAVE);
		}
		pthread_join(l->thread, NULL);
		l->state = STATE_NONE;
	}
	if (s->loop_count)
		close_loop(&s->loops[0]);
}

/* ---- a connection ---- */

struct handing {
	struct sluice_loop *loop;
	struct sluice_arrival arrival;
};

static void take_handed(void *arg)
{
	struct handing *h = arg;

	sluice_http_accept(h->loop, &h->arrival);
	free(h);
}

unsigned int sluice_loops_clients(struct sluice_server *s)
{
	unsigned int i, all = 0;

	for (i = 0; i < s->loop_count; i++)
		all += s->loops[i].client_count;
	return all;
}

void sluice_loops_take(struct sluice_server *s, const struct sluice_arrival *a)
{
	struct sluice_loop *to = &s->loops[0];
	struct handing *h;
	unsigned int i;

	for (i = 1; i < s->loop_count; i++)
		if (s->loops[i].client_count < to->client_count)
			to = &s->loops[i];
	to->client_count++; /* sluice_http_accept() takes it over */
	if (!to->number) {
		sluice_http_accept(to, a);
		return;
	}
	h = malloc(sizeof(*h));
	if (h)
		*h = (struct handing){ to, *a };
	if (!h || sluice_io_post(to->io, take_handed, h)) {
		struct sluice_door_place place = a->place;

		free(h);
		close(a->fd);
		sluice_door_leave(s->door, &place);
		to->client_count--;
	}
}
