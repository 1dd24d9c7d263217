// SPDX-License-Identifier: MIT
/*
 * server_work.c - what works in a node, beside its loops: the bus, the workers and what they need
 * (detector, vision, quarantine), the writer, retention, exports and jobs. In an order in which
 * nobody calls what is not there yet; server.c stops them.
 */
#include <errno.h>
#include <string.h>

#include "cloud/api_state.h"
#include "cloud/conf.h"
#include "cloud/detector.h"
#include "cloud/fleet.h"
#include "cloud/server_state.h"
#include "cloud/settings.h"
#include "cloud/vision.h"
#include "lib/log.h"

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

int server_work_start(struct sluice_server *s)
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
