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
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cloud/api_state.h"
#include "cloud/badge.h"
#include "cloud/command.h"
#include "cloud/conf.h"
#include "cloud/desire.h"
#include "cloud/detector.h"
#include "cloud/fleet.h"
#include "cloud/indexconf.h"
#include "cloud/mediaconf.h"
#include "cloud/people.h"
#include "cloud/recover.h"
#include "cloud/server.h"
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

/* Processes of one node each have a lock of their own, and a share in that of the data. */
static int lock_own(struct sluice_server *s)
{
	char path[4096];
	int err = 0;

	snprintf(path, sizeof(path), "%s/lock.%s", s->c.data, s->node);
	s->own_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->own_lock < 0) {
		err = -errno;
		sluice_error("cannot open %s: %s", path, strerror(-err));
	} else if (flock(s->own_lock, LOCK_EX | LOCK_NB) < 0) {
		err = -EBUSY;
		sluice_error("a process called %s runs on %s already: give each a name of its own "
			     "in [server] node",
			     s->node, s->c.data);
	}
	return err;
}

static int lock_data(struct sluice_server *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/lock", s->c.data);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		int err = -errno;

		sluice_error("cannot open %s: %s; make the data directory with: sluice-cloud init "
			     "--data %s",
			     path, strerror(-err), s->c.data);
		return err;
	}
	if (flock(s->lock, (s->c.open_bus ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		sluice_error("%s is in use by another sluice-cloud", s->c.data);
		return -EBUSY;
	}
	return s->c.open_bus ? lock_own(s) : 0;
}

/* Keys and data bases. */
static int open_identity(struct sluice_server *s)
{
	char cert[4096], key[4096], ca[4096], why[512];
	const struct sluice_tls_config tls = { .server = true, .cert = cert, .key = key, .ca = ca };
	int err;

	snprintf(cert, sizeof(cert), "%s/server.crt", s->c.data);
	snprintf(key, sizeof(key), "%s/server.key", s->c.data);
	snprintf(ca, sizeof(ca), "%s/ca.crt", s->c.data);
	err = sluice_ca_open(s->c.data, &s->ca);
	if (err) {
		sluice_error(
			"cannot use %s/ca.key and ca.crt: %s; run: sluice-cloud init --data %s",
			s->c.data, err == -EACCES ? "others may read the key" : strerror(-err),
			s->c.data);
		return err;
	}
	if (s->c.device_life_s)
		sluice_ca_device_life(s->ca, s->c.device_life_s);
	s->tls = sluice_tls_ctx_open(&tls, &err, why, sizeof(why));
	if (!s->tls)
		sluice_error("%s", why);
	return err;
}

/* What operators want of devices, and who they are, where others may change it. */
static int open_fleet(struct sluice_server *s)
{
	int err = sluice_people_fleet(s->c.data, &s->fleet);

	if (!err && sluice_indexconf_pg())
		err = sluice_badges_open(s->c.data, &s->badges);
	if (!err)
		err = sluice_people_mark(s->c.data);
	return err;
}

static int recover_store(struct sluice_server *s, struct sluice_index *ix)
{
	struct sluice_recovered r;
	int err;

	if (s->media->depot) /* each has its row, or nobody was told of it */
		return 0;
	err = sluice_recover(s->c.data, ix, 0, &r);
	if (err) {
		sluice_error("cannot recover %s: %s", s->c.data, strerror(-err));
		return err;
	}
	if (r.scanned)
		sluice_info("recovered %u segments: %llu frames added to the index, %llu bytes of "
			    "half-written records cut off",
			    r.scanned, (unsigned long long)r.added, (unsigned long long)r.cut);
	if (r.damaged)
		sluice_error("%u segments are damaged; run: sluice-cloud fsck --data %s", r.damaged,
			     s->c.data);
	return 0;
}

/* A bucket that cannot be used is told at once; one that cannot be reached may be there soon. */
static int open_media(struct sluice_server *s)
{
	char why[SLUICE_S3_WHY];
	int err = sluice_mediaconf_open(s->c.conf, s->c.data, s->c.keys, &s->media, why);

	if (!err)
		err = sluice_mediaconf_check(s->media, why);
	if (err && s->media && sluice_mediaconf_passes(err)) {
		sluice_warning("%s; %s wait until it answers", why,
			       s->media->depot ? "frames and summaries" : "summaries");
		return 0;
	}
	if (err)
		sluice_error("%s", why);
	return err;
}

static int open_store(struct sluice_server *s)
{
	struct sluice_index *ix;
	int err = open_media(s);

	if (!err)
		err = sluice_index_open(s->c.data, &ix);
	if (err)
		return err;
	err = sluice_indexconf_mark(s->c.data);
	if (!err)
		err = sluice_mediaconf_mark(s->media, s->c.data);
	if (err)
		sluice_error("cannot note in %s where its index and segments lie: %s", s->c.data,
			     strerror(-err));
	if (!err && sluice_server_ingests(s))
		err = sluice_retain_finish(s->c.data, ix,
					   s->media); /* or what was forgotten would come back */
	if (!err && sluice_server_ingests(s))
		err = recover_store(s, ix);
	sluice_index_close(ix);
	return err;
}

/* Of several processes the one that has the first partition is on duty: it alone lets go what is
 * to go, and does the jobs. Where there is one it always is. */
static const atomic_ullong *duty_of(const struct sluice_server *s)
{
	return s->bus->shared ? &s->on_duty : NULL;
}

/* What goes, and what is taken out. */
static int start_keeping(struct sluice_server *s)
{
	int err = 0;

	if (sluice_server_serves(s)) {
		s->exporter = sluice_exporter_open(s->c.data, s->media);
		s->exports = sluice_exports_open(s->c.data, s->media);
		err = s->exporter && s->exports ? 0 : -ENOMEM;
	}
	if (err || !sluice_server_works(s))
		return err;
	s->c.retain.data = s->c.data;
	s->c.retain.media = s->media;
	s->c.retain.duty = duty_of(s);
	err = sluice_retain_open(&s->c.retain, &s->retain);
	return err ? err : sluice_retain_start(s->retain);
}

static int start_jobs(struct sluice_server *s)
{
	const struct sluice_cloud_conf *conf = s->c.conf;
	const struct sluice_jobs_config c = {
		.data = s->c.data,
		.media = s->media,
		.cameras = s->cameras,
		.fleet = s->fleet,
		.sandbox = s->sandbox.memory ? &s->sandbox : NULL,
		.at_once = conf->jobs.at_once,
		.periods = { .hour = conf->periods.hour,
			     .day = conf->periods.day,
			     .wait_ns = conf->periods.wait_ms * 1000000,
			     .seconds = conf->periods.seconds,
			     .language = conf->periods.language ? "zh" : "en" },
		.h264 = *conf->digests.h264 ? conf->digests.h264 : NULL,
		.detector = s->detector,
		.keep_ns = conf->retention.summaries_ms * 1000000,
		.ops = &sluice_server_worker_ops,
		.told = sluice_server_tell_job,
		.ctx = s,
		.duty = duty_of(s),
		.bus = s->bus,
	};

	return sluice_jobs_open(&c, &s->jobs);
}

/* Before the workers: they tell it of events. */
static int start_vision(struct sluice_server *s)
{
	struct sluice_vision_config c = {
		.data = s->c.data,
		.media = s->media,
		.sandbox = s->sandbox.memory ? &s->sandbox : NULL,
		.ops = &sluice_server_worker_ops,
		.shared = s->bus->shared,
		.ctx = s,
	};
	char why[512];
	int err = sluice_vision_settings_read(s->c.conf, &c.settings, why, sizeof(why));

	if (!err)
		err = sluice_vision_open(&c, &s->vision);
	else if (err < 0)
		sluice_error("%s", why);
	explicit_bzero(&c.settings, sizeof(c.settings));
	return err < 0 ? err : 0;
}

static int open_bus(struct sluice_server *s)
{
	char why[SLUICE_SERVER_WHY] = "";
	int err;

	if (!s->c.open_bus)
		return sluice_bus_local_open(s->workers, SLUICE_BUS_MAX, &s->bus);
	err = s->c.open_bus(s->c.conf, s->node, s->cameras, &s->bus, why);
	if (err)
		sluice_error("cannot use the bus: %s", why);
	return err;
}

/* What is wrong with it is told; the node does without. */
static void start_detector(struct sluice_server *s)
{
	const struct sluice_detector_config c = sluice_detector_of(s->c.conf);

	if (c.plugin[0])
		sluice_detector_open(&c, &s->detector);
}

static void set_retune(struct sluice_server *s)
{
	const struct sluice_cloud_conf *c = s->c.conf;

	s->retune = (struct sluice_retune_config){
		.mode = (enum sluice_retune_mode)c->retune.mode,
		.every_ns = 86400000000000ull,
		.days = 7,
		.limits = sluice_retune_usual,
	};
	s->retune.limits.least = (uint8_t)(c->retune.least * SLUICE_FACTOR_ONE / 100);
	s->retune.limits.most = (uint8_t)(c->retune.most * SLUICE_FACTOR_ONE / 100);
}

static int start_threads(struct sluice_server *s)
{
	struct sluice_ingest_config in = { .data = s->c.data,
					   .depot = s->media->depot,
					   .whole_ms = (unsigned int)s->c.conf->media.group_ms,
					   .whole_bytes = s->c.conf->media.group_size,
					   .keys = s->c.keys,
					   .counters = &s->counters,
					   .tell = sluice_server_tell,
					   .ctx = s };
	struct sluice_worker_config wc = { .data = s->c.data,
					   .ops = &sluice_server_worker_ops,
					   .ctx = s };
	int err;

	set_retune(s);
	s->cameras = sluice_cameras_open();
	s->roster = sluice_roster_open();
	s->settings = sluice_settings_open();
	err = s->cameras && s->roster && s->settings ? open_bus(s) : -ENOMEM;
	if (!err && (sluice_server_ingests(s) || sluice_server_serves(s)))
		err = s->bus->ops->listen(s->bus, sluice_server_hear, s);
	if (err)
		return err;
	wc.bus = in.bus = s->bus;
	wc.cameras = s->cameras;
	wc.media = s->media;
	wc.fleet = s->fleet;
	wc.retune = &s->retune;
	if (sluice_server_works(s))
		start_detector(s);
	wc.detector = s->detector;
	wc.digests = s->c.digests;
	wc.h264 = *s->c.conf->digests.h264 ? s->c.conf->digests.h264 : NULL;
	err = sluice_server_works(s) ? start_vision(s) : 0;
	if (!err)
		err = sluice_quarantine_open(s->c.data, s->c.keys, &s->quarantine);
	wc.quarantine = s->quarantine;
	wc.sandbox = s->sandbox.memory ? &s->sandbox : NULL;
	if (!err && sluice_server_works(s))
		err = sluice_crew_open(&wc, &s->on_duty, &s->crew);
	if (!err && sluice_server_ingests(s))
		err = sluice_ingest_open(&in, &s->ingest);
	if (!err)
		err = start_keeping(s);
	if (!err && sluice_server_works(s))
		err = start_jobs(s);
	if (err)
		sluice_error("cannot start: %s", strerror(-err));
	atomic_store(&s->started, !err);
	return err;
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
		err = lock_data(s);
	if (!err)
		err = open_identity(s);
	if (!err)
		err = open_store(s);
	if (!err)
		err = open_fleet(s);
	if (!err)
		err = sluice_loops_open(s);
	if (!err)
		err = sluice_io_signals(s->loops[0].io, signals, 3, on_signal, s);
	if (!err)
		err = sluice_api_open(s->c.data, s->c.conf, s->media, &s->api);
	if (!err)
		err = start_threads(s);
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
