// SPDX-License-Identifier: MIT
/*
 * server.c - start and stop of a cloud node, in order and in reverse.
 *
 * Start: data directory locked, keys, recovery of segments that a crash left open, the first loop
 * (signals are blocked before any thread is made), bus, workers, writer, the other loops, and last
 * the listener: nobody is heard before what was stored is known. Stop: no new
 * connections, GOAWAY to the devices (at most [server] drain), the writer stores what it has, the
 * bus and the workers end, then the loops that they spoke to; what is stored and not analysed is
 * analysed after the next start.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cloud/api_state.h"
#include "cloud/badge.h"
#include "cloud/command.h"
#include "cloud/conf.h"
#include "cloud/desire.h"
#include "cloud/detector.h"
#include "cloud/fleet.h"
#include "cloud/server_state.h"
#include "cloud/service.h"
#include "cloud/settings.h"
#include "cloud/vision.h"
#include "lib/log.h"

#define STUCK_S 60 /* workers with something to do that finish nothing */

size_t sluice_server_fill(struct sluice_server *s)
{
	return sluice_ingest_fill(s->ingest) + s->bus->ops->fill(s->bus);
}

void sluice_server_watch(struct sluice_server *s)
{
	unsigned long long acked = s->bus->acked;

	if (s->c.service && s->c.service->server)
		sluice_service_tick(s->c.service);
	if (s->exports)
		sluice_exports_sweep(s->exports);

	if (acked == s->acked_seen && s->moved_ns && s->bus->ops->fill(s->bus))
		return;
	s->acked_seen = acked;
	s->moved_ns = sluice_io_now(s->loops[0].io);
}

unsigned int sluice_server_unready(struct sluice_server *s, uint64_t now_ns)
{
	unsigned int why = 0;

	if (sluice_ingest_error(s->ingest))
		why |= SLUICE_NOT_STORING;
	if (s->moved_ns && now_ns > s->moved_ns + STUCK_S * 1000000000ull)
		why |= SLUICE_NOT_WORKING;
	return s->stopping ? why | SLUICE_NOT_STAYING : why;
}

static void on_stop_late(void *arg)
{
	sluice_loops_each(arg, sluice_http_cut_all);
}

void sluice_server_stop(struct sluice_server *s)
{
	if (s->stopping) {
		sluice_loops_each(s, sluice_http_cut_all);
		return;
	}
	s->stopping = 1;
	if (s->c.service)
		sluice_service_stopping(s->c.service);
	sluice_listen_stop(s);
	sluice_io_timer_in(s->loops[0].io, &s->late, s->c.conf->server.drain_ms, on_stop_late, s);
	sluice_loops_each(s, sluice_http_end_all);
}

static void on_signal(void *arg, int signal)
{
	struct sluice_server *s = arg;

	if (signal == SIGHUP) {
		if (s->c.service)
			sluice_service_reload(s->c.service);
		return;
	}
	if (!s->stopping)
		sluice_info("%s: ending", signal == SIGINT ? "interrupted" : "asked to end");
	sluice_server_stop(s);
}

/* Every camera keeps a segment open. */
static void raise_limits(void)
{
	struct rlimit r;

	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static unsigned int count_cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : (unsigned int)n;
}

/* Each worker has a child; without children one thread is enough. */
static void set_up_workers(struct sluice_server *s)
{
	const struct sluice_cloud_conf *conf = s->c.conf;

	s->workers = 1;
	if (!conf || !conf->sandbox.enabled)
		return;
	s->sandbox.memory = conf->sandbox.memory;
	s->sandbox.deadline_ms = conf->sandbox.deadline_ms;
	s->workers = conf->sandbox.children ? conf->sandbox.children : count_cores();
	if (s->workers > SLUICE_WORKERS_MAX)
		s->workers = SLUICE_WORKERS_MAX;
}

static void set_up(struct sluice_server *s, const struct sluice_server_config *c)
{
	memset(s, 0, sizeof(*s));
	s->c = *c;
	s->lock = s->own_lock = -1;
	s->loop_count = s->c.conf->server.loops ? s->c.conf->server.loops : count_cores();
	if (s->loop_count > SLUICE_LOOPS_MAX)
		s->loop_count = SLUICE_LOOPS_MAX;
	set_up_workers(s);
	pthread_mutex_init(&s->loops_lock, NULL);
	pthread_cond_init(&s->loops_changed, NULL);
	if (gethostname(s->node, sizeof(s->node) - 1))
		snprintf(s->node, sizeof(s->node), "cloud");
	if (s->c.conf->server.node[0])
		snprintf(s->node, sizeof(s->node), "%s", s->c.conf->server.node);
}

/* It is part of the names of files. */
static int check_node(const struct sluice_server *s)
{
	const char *node = s->c.conf->server.node;

	if (strlen(node) < sizeof(s->node) - 16 && node[0] != '.' && !strchr(node, '/'))
		return 0;
	sluice_error("[server] node = %.80s: a short name without / that does not begin with a dot",
		     node);
	return -EINVAL;
}

/* Links more that this node would take. */
static unsigned int room_here(void *ctx)
{
	struct sluice_server *s = ctx;
	unsigned int links = sluice_loops_clients(s);

	if (sluice_server_unready(s, sluice_io_now(s->loops[0].io)) || links >= s->connections_max)
		return 0;
	return s->connections_max - links;
}

static void move_links(void *ctx, unsigned int links)
{
	atomic_store(&((struct sluice_server *)ctx)->leaving, links);
}

/* For people who watch. */
static void see_elsewhere(void *ctx, const struct sluice_camera *c, bool online)
{
	struct sluice_server *s = ctx;

	if (!sluice_roster_has_camera(s->roster, c))
		sluice_stream_camera(s->api->stream, c, online ? "live" : "offline");
}

/* Who is connected to other processes, and whether some should go there. */
static int start_nodes(struct sluice_server *s)
{
	const struct sluice_nodes_config c = {
		.bus = s->bus,
		.roster = s->roster,
		.cameras = s->cameras,
		.node = s->node,
		.says = sluice_server_ingests(s),
		.keeps = sluice_server_serves(s),
		.room = room_here,
		.move = move_links,
		.seen = see_elsewhere,
		.ctx = s,
	};

	return sluice_nodes_open(&c, &s->nodes);
}

static void on_wished(void *ctx, const char *tenant, const char *device)
{
	sluice_desire_changed(ctx, tenant, device);
}

static void on_commanded(void *ctx, const char *tenant, const char *request, const json_t *doc)
{
	sluice_command_changed(ctx, tenant, request, doc);
}

static void on_asked(void *ctx, const char *tenant, const char *camera, const json_t *doc)
{
	sluice_settings_changed(ctx, tenant, camera, doc);
}

static const struct sluice_fleet_watcher watcher = { on_wished, on_commanded, on_asked };

int sluice_server_open(struct sluice_server *s, const struct sluice_server_config *c)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	int err;

	set_up(s, c);
	raise_limits();
	err = check_node(s);
	if (!err)
		err = server_data_open(s);
	if (!err)
		err = sluice_loops_open(s);
	if (!err)
		err = sluice_io_signals(s->loops[0].io, signals, 3, on_signal, s);
	if (!err)
		err = sluice_api_open(s->c.data, s->c.conf, s->media, &s->api);
	if (!err)
		err = server_work_start(s);
	if (!err)
		err = sluice_loops_start(s);
	if (!err)
		sluice_fleet_watch(s->fleet, &watcher, s);
	if (!err)
		err = sluice_listen_open(s);
	if (!err)
		err = start_nodes(s);
	if (!err && s->c.service)
		sluice_service_start(s->c.service, s);
	return err;
}

int sluice_server_run(struct sluice_server *s)
{
	return sluice_loops_run(s);
}

void sluice_server_close(struct sluice_server *s)
{
	s->stopping = 1;
	if (s->c.service)
		sluice_service_close(s->c.service);
	sluice_listen_stop(s);
	if (s->loops[0].io)
		sluice_io_timer_cancel(s->loops[0].io, &s->late);
	sluice_nodes_close(s->nodes);
	s->nodes = NULL;
	sluice_jobs_close(s->jobs);
	sluice_exporter_close(s->exporter);
	sluice_exports_close(s->exports);
	sluice_retain_close(s->retain);
	sluice_ingest_close(s->ingest);
	if (s->bus)
		s->bus->ops->stop(s->bus);
	sluice_crew_close(s->crew);
	sluice_vision_close(s->vision); /* the workers offered it events */
	sluice_detector_close(s->detector);
	sluice_quarantine_close(s->quarantine);
	if (s->fleet)
		sluice_fleet_watch(s->fleet, NULL, NULL);
	sluice_api_stop(s->api);
	sluice_loops_close(s);
	sluice_api_close(s->api);
	sluice_bus_close(s->bus);
	sluice_settings_close(s->settings);
	sluice_badges_close(s->badges);
	sluice_fleet_close(s->fleet);
	sluice_roster_close(s->roster);
	sluice_cameras_close(s->cameras);
	sluice_media_close(s->media);
	sluice_listen_close(s);
	sluice_door_close(s->door);
	sluice_tls_ctx_close(s->tls);
	sluice_ca_close(s->ca);
	pthread_cond_destroy(&s->loops_changed);
	pthread_mutex_destroy(&s->loops_lock);
	if (s->own_lock >= 0)
		close(s->own_lock);
	if (s->lock >= 0)
		close(s->lock);
}
