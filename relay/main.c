// SPDX-License-Identifier: MIT
/*
 * main.c - start and stop of sluice-relay. What the parts tell each other: wires.c.
 *
 * Memory: a fixed table of cameras, two encoders, one connection whose queue is bounded, the
 * buffers of the spool; frames stay in the rings, or go to the disk. End: BYE, the connection
 * closes (5 s at most), rings are given back with what was not STORED, the ledger is written.
 */
#include "lib/log_ring.h"
#include "relay/identity.h"
#include "relay/spool_facts.h"
#include "relay/wires.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPIRY_WARN_S (14 * 86400)

/* Words for HELLO: what can be asked of this relay at all. */
#define FEATURES "describe snapshot pause resume logs settings map report"

/* Certificate and key from their files; r->tls stays what it was on error. */
static int open_tls(struct relay *r)
{
	struct sluice_tls_ctx *tls;
	struct sluice_tls_config c = { .cert = r->conf.cert, .key = r->conf.key, .ca = r->conf.ca };
	char why[512];
	const struct relay_identity id = { r->conf.cert, r->conf.key, r->conf.ca };
	int64_t left, life;
	int err;

	if (relay_identity_recover(&id) == 1)
		sluice_info("a renewal of the certificate that was interrupted is finished");
	tls = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	if (!tls) {
		sluice_error("%s%s", why,
			     err == -EACCES ? "" : "; enrol this device (sluicectl enrol)");
		return err;
	}
	sluice_tls_ctx_close(r->tls);
	r->tls = tls;
	left = sluice_tls_ctx_expiry(r->tls) - (int64_t)time(NULL);
	life = sluice_tls_ctx_expiry(r->tls) - sluice_tls_ctx_begin(r->tls);
	if (left < 0)
		sluice_warning("the certificate %s has expired %" PRId64
			       " days ago; enrol this device again (sluicectl enrol)",
			       r->conf.cert, -left / 86400);
	else if (left < EXPIRY_WARN_S && left < life / 6)
		sluice_warning("the certificate %s expires in %" PRId64
			       " days; it should have been renewed before: sluice-relay --renew "
			       "tells why not",
			       r->conf.cert, left / 86400);
	return 0;
}

static int reopen_tls(void *arg, struct sluice_tls_ctx **tls)
{
	struct relay *r = arg;
	int err = open_tls(r);

	*tls = r->tls;
	if (!err)
		r->uplink.conf.tls = r->tls;
	return err;
}

static void on_renew_ended(void *arg, int err)
{
	relay_stop(arg, err ? 1 : 0);
}

static int open_spool(struct relay *r)
{
	struct relay_spool_config c = { .io = r->io,
					.dir = r->spool_dir,
					.bytes_max = r->conf.spool_bytes,
					.boot = r->boot_id };
	int err;

	relay_wire_spool(r, &c);
	relay_boot_id(r->boot_id, sizeof(r->boot_id));
	snprintf(r->spool_dir, sizeof(r->spool_dir), "%s/spool", r->conf.state);
	r->spool = relay_spool_open(&c, &err);
	if (!r->spool)
		sluice_error("cannot use the spool in %s: %s; repair it, or give --spool 0",
			     r->spool_dir, strerror(-err));
	return err;
}

/* What the cloud may ask for: settings, commands. */
static int open_asked(struct relay *r)
{
	struct relay_settings_config s = { .conf = r->conf.settings,
					   .ops = &relay_gate_any,
					   .memos = &r->memos };
	struct relay_commands_config c = { .allow = r->conf.commands,
					   .io = r->io,
					   .camera = r->camera,
					   .memos = &r->memos,
					   .ops = &relay_gate_any };
	struct relay_report_config report = { .camera = r->camera,
					      .memos = &r->memos,
					      .ops = &relay_gate_any };
	int err;

	relay_wire_settings(r, &s);
	relay_wire_commands(r, &c);
	relay_wire_report(r, &report);
	r->desk = relay_desk_open(r->io, &err);
	if (r->desk) {
		relay_memos_open(&r->memos, r->conf.state, r->desk);
		s.desk = c.desk = report.desk = r->desk;
		relay_report_init(&r->report, &report);
		r->settings = relay_settings_open(&s, &err);
		r->commands = relay_commands_open(&c);
	}
	if (r->settings && r->commands)
		return 0;
	sluice_error("cannot start: %s", err ? strerror(-err) : "out of memory");
	return err ? err : -ENOMEM;
}

/* What comes back: sinks, then what they announce. */
static int open_return(struct relay *r)
{
	struct relay_downlink_config c = { .state = r->conf.state,
					   .io = r->io,
					   .retention = &r->conf.retention };
	const char *wrong = relay_sinks_check(&r->conf.sinks);
	char why[256];
	int err;

	if (wrong) {
		sluice_error("%s", wrong);
		return -EINVAL;
	}
	if (!r->conf.check) {
		r->sinks = relay_sinks_open(&r->conf.sinks, &err, why, sizeof(why));
		if (!r->sinks) {
			sluice_error("%s", why);
			return err;
		}
	}
	c.sinks = r->sinks;
	relay_wire_downlink(r, &c);
	r->downlink = relay_downlink_open(&c, &err);
	if (!r->downlink)
		sluice_error("cannot use the directory %s: %s; make it for this user, or give "
			     "--state",
			     r->conf.state, strerror(-err));
	return err;
}

static int open_parts(struct relay *r)
{
	char why[256];
	int err;

	r->io = sluice_io_open(&(struct sluice_io_config){ .entries = 64, .buffers = 16 }, &err,
			       why, sizeof(why));
	if (!r->io) {
		sluice_error("%s", why);
		return err;
	}
	err = sluice_io_signals(r->io, (int[]){ SIGTERM, SIGINT, SIGHUP }, 3, relay_on_signal, r);
	if (err) {
		sluice_error("signals: %s", strerror(-err));
		return err;
	}
	err = open_tls(r);
	if (err)
		return err;
	if (!r->conf.renew) {
		err = open_return(r);
		if (!err)
			err = open_asked(r);
		if (err)
			return err;
	}
	r->encoder = relay_encoder_open(r->conf.quality, SLUICE_WIRE_PAYLOAD_MAX);
	r->spill.maker.region = r->conf.region;
	r->spill.maker.encoder = relay_encoder_open(r->conf.quality, SLUICE_WIRE_PAYLOAD_MAX);
	if (!r->encoder || !r->spill.maker.encoder) {
		sluice_error("out of memory");
		return -ENOMEM;
	}
	return r->conf.spool_bytes && !r->conf.check && !r->conf.renew ? open_spool(r) : 0;
}

static int start(struct relay *r, struct relay_service_config *service)
{
	struct relay_uplink_config up = { .io = r->io,
					  .tls = r->tls,
					  .clouds = &r->conf.clouds,
					  .camera = r->camera,
					  .lanes = &r->lanes,
					  .weight = { r->conf.weight[0], r->conf.weight[1] },
					  .budget = &r->budget,
					  .maker = { .encoder = r->encoder,
						     .region = r->conf.region },
					  .downlink = r->downlink,
					  .settings = r->settings,
					  .commands = r->commands,
					  .features = FEATURES,
					  .allows = r->allows,
					  .probe = r->conf.check,
					  .events = r->conf.events };
	struct relay_sources_config src = { .io = r->io,
					    .camera = r->camera,
					    .devices = r->conf.device,
					    .device_count = r->conf.devices,
					    .feeds = r->conf.feed,
					    .feed_count = r->conf.feeds,
					    .scan = !r->conf.devices && !r->conf.feeds };
	int err;

	relay_wire_uplink(r, &up);
	relay_wire_sources(r, &src);
	r->started_ns = sluice_io_now(r->io);
	relay_set_allows(r, r->conf.commands);
	r->lanes = (struct relay_lanes){ .spool = r->spool, .camera = r->camera };
	r->spill.io = r->io;
	r->spill.camera = r->camera;
	r->spill.spool = r->spool;
	r->spill.budget = &r->budget;
	relay_budget_init(&r->budget, &r->conf.budget, sluice_io_now(r->io));
	r->spill.after_ms = r->conf.spool_after;
	r->spill.down_ns = sluice_io_now(r->io);
	relay_lanes_hold(&r->lanes);
	if (!r->conf.renew)
		relay_uplink_start(&r->uplink, &up);
	if (!r->conf.check && !r->conf.renew) {
		r->sources = relay_sources_open(&src, &err);
		if (!r->sources) {
			sluice_error("cannot watch for rings: %s", strerror(-err));
			return err;
		}
	}
	sluice_io_timer_in(r->io, &r->tick, RELAY_TICK_MS, relay_on_tick, r);
	relay_service_hook(&r->service, relay_on_reload, r);
	service->io = r->io;
	err = relay_service_start(&r->service, service, r->tls);
	if (!err && r->spool)
		relay_spool_facts(&r->service, r->spool);
	return err;
}

static void close_parts(struct relay *r)
{
	if (r->sources)
		relay_write_ledger(r);
	if (r->io)
		sluice_io_timer_cancel(r->io, &r->tick);
	relay_service_close(&r->service);
	relay_spool_stop(r->spool);
	relay_desk_close(r->desk); /* what was asked for is done; there is no link to tell it */
	relay_sources_close(r->sources);
	relay_uplink_free(&r->uplink);
	relay_commands_close(r->commands);
	relay_settings_close(r->settings);
	relay_downlink_close(r->downlink);
	r->uplink.conf.downlink = NULL; /* a link that is cut off now has nothing to tell it */
	sluice_io_close(r->io);
	relay_spool_close(r->spool);
	relay_encoder_close(r->spill.maker.encoder);
	relay_service_free(&r->service);
	relay_sinks_close(r->sinks);
	relay_encoder_close(r->encoder);
	sluice_tls_ctx_close(r->tls);
	relay_conf_free(&r->conf);
}

/* --check=config: nothing is asked of anybody. */
static int check_config(struct relay *r)
{
	const char *wrong = relay_sinks_check(&r->conf.sinks);
	int err = open_tls(r);

	if (wrong)
		sluice_error("%s", wrong);
	err = err || wrong;
	if (!err)
		printf("sluice-relay: the settings are good\n");
	sluice_tls_ctx_close(r->tls);
	relay_conf_free(&r->conf);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct relay r;
	struct relay_service_config service = { .conf = &r.conf,
						.argc = argc,
						.argv = argv,
						.camera = r.camera,
						.uplink = &r.uplink,
						.reopen_tls = reopen_tls,
						.renew_ended = on_renew_ended,
						.arg = &r };
	int exit_code = 1, err;

	relay_service_begin(&r.service);
	if (relay_conf_read(&r.conf, argc, argv, &exit_code))
		return exit_code;
	signal(SIGPIPE, SIG_IGN);
	sluice_log_setup("sluice-relay", (enum sluice_log_level)r.conf.log, r.conf.json);
	sluice_log_ring_start(); /* without memory for it there are no logs to ask for */
	snprintf(r.ledger, sizeof(r.ledger), "%s/ledger.json", r.conf.state);
	r.exit_code = 1;
	if (r.conf.check_config)
		return check_config(&r);
	if (!open_parts(&r) && !start(&r, &service)) {
		err = sluice_io_run(r.io);
		if (err) {
			sluice_error("the event loop failed: %s", strerror(-err));
			r.exit_code = 1;
		}
	}
	exit_code = r.exit_code;
	close_parts(&r);
	return exit_code;
}
