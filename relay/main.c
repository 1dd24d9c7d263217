// SPDX-License-Identifier: MIT
/*
 * main.c - start and stop of sluice-relay, and what the parts tell each other.
 *
 * Memory: a fixed table of cameras, two encoders, one connection whose queue is bounded, the
 * buffers of the spool; frames stay in the rings, or go to the disk. End: BYE, the connection
 * closes (5 s at most), rings are given back with what was not STORED, the ledger is written.
 */
#include "lib/log.h"
#include "relay/conf.h"
#include "relay/ledger.h"
#include "relay/spill.h"
#include "relay/uplink.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS	      1000
#define LEDGER_TICKS  3
#define MISSING_TICKS 30 /* --once: a source must have come by then */
#define EXPIRY_WARN_S (14 * 86400)

struct relay {
	struct relay_conf conf;
	struct sluice_io *io;
	struct sluice_tls_ctx *tls;
	struct relay_encoder *encoder;
	struct relay_downlink *downlink;
	struct relay_sources *sources;
	struct relay_spool *spool; /* NULL: there is none */
	struct relay_spill spill;
	struct relay_budget budget;
	struct relay_lanes lanes;
	struct relay_uplink uplink;
	struct relay_camera camera[SLUICE_WIRE_SLOTS];
	struct sluice_io_timer tick;
	char ledger[PATH_MAX + 16], spool_dir[PATH_MAX + 16], boot_id[RELAY_SPOOL_BOOT];
	unsigned int ticks;
	struct timespec certificate_time;
	int exit_code;
	bool stopping, ledger_failed;
	char trouble[320]; /* the last one that was told: once is enough */
};

static void stop(struct relay *r, int exit_code)
{
	if (r->stopping) {
		sluice_io_stop(r->io);
		return;
	}
	r->stopping = true;
	r->exit_code = exit_code;
	relay_uplink_stop(&r->uplink);
	if (relay_uplink_stopped(&r->uplink))
		sluice_io_stop(r->io);
}

static void write_ledger(struct relay *r)
{
	int err = relay_ledger_write(r->ledger, r->camera, SLUICE_WIRE_SLOTS, r->spool);

	if (err && !r->ledger_failed)
		sluice_error("cannot write %s: %s", r->ledger, strerror(-err));
	r->ledger_failed = err;
}

/* Certificate and key from their files; r->tls stays what it was on error. */
static int open_tls(struct relay *r)
{
	struct sluice_tls_ctx *tls;
	struct sluice_tls_config c = { .cert = r->conf.cert, .key = r->conf.key, .ca = r->conf.ca };
	char why[512];
	int64_t left;
	int err;

	tls = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	if (!tls) {
		sluice_error("%s%s", why,
			     err == -EACCES ? "" : "; enrol this device (sluicectl enrol)");
		return err;
	}
	sluice_tls_ctx_close(r->tls);
	r->tls = tls;
	left = sluice_tls_ctx_expiry(r->tls) - (int64_t)time(NULL);
	if (left < EXPIRY_WARN_S)
		sluice_warning("the certificate %s %s%" PRId64
			       " days%s; renew it (sluicectl enrol)",
			       r->conf.cert, left < 0 ? "has expired " : "expires in ",
			       (left < 0 ? -left : left) / 86400, left < 0 ? " ago" : "");
	return 0;
}

/* True once after the certificate's file was written anew. */
static bool certificate_changed(struct relay *r)
{
	struct timespec before = r->certificate_time;
	struct stat st;

	if (stat(r->conf.cert, &st))
		return false;
	r->certificate_time = st.st_mtim;
	return before.tv_sec != st.st_mtim.tv_sec || before.tv_nsec != st.st_mtim.tv_nsec;
}

/* ---- what the parts tell ---- */

static void on_told(void *arg, bool up, bool permanent, const char *why)
{
	struct relay *r = arg;

	relay_spill_link(&r->spill, up);
	if (up) {
		r->trouble[0] = 0;
		if (r->conf.check) {
			printf("sluice-relay: the settings are good and the cloud answers\n");
			stop(r, 0);
		}
		return;
	}
	if (strncmp(why, r->trouble, sizeof(r->trouble) - 1))
		sluice_log(permanent ? SLUICE_LOG_ERROR : SLUICE_LOG_WARNING, "%s%s", why,
			   r->conf.check || (r->conf.once && permanent) ? "" : "; trying again");
	snprintf(r->trouble, sizeof(r->trouble), "%s", why);
	/* the device may have been enrolled anew meanwhile */
	if (permanent && !r->stopping && certificate_changed(r) && !open_tls(r))
		r->uplink.conf.tls = r->tls;
	if (r->conf.check || (r->conf.once && permanent))
		stop(r, 1);
}

static void on_progress(void *arg)
{
	struct relay *r = arg;

	if (r->stopping) {
		if (relay_uplink_stopped(&r->uplink))
			sluice_io_stop(r->io);
		return;
	}
	if (!r->sources)
		return;
	relay_lanes_hold(&r->lanes);
	relay_sources_tick(r->sources);
	if (r->conf.once && relay_sources_ended(r->sources))
		stop(r, 0);
}

static void on_changed(void *arg, struct relay_camera *c)
{
	struct relay *r = arg;

	relay_spill_attached(&r->spill, c);
	relay_uplink_camera_changed(&r->uplink, c);
}

static void on_ready(void *arg, struct relay_camera *c)
{
	struct relay *r = arg;

	relay_spill_pump(&r->spill);
	relay_uplink_pump(&r->uplink);
}

/* A batch is on the disk, or could not be put there. */
static void on_settled(void *arg, int err)
{
	struct relay *r = arg;

	relay_spill_settled(&r->spill, err);
	relay_spill_pump(&r->spill);
	relay_uplink_pump(&r->uplink);
}

static void on_spool_ready(void *arg)
{
	struct relay *r = arg;

	relay_uplink_pump(&r->uplink);
}

static void on_summary(void *arg, const char *path, const char *id, const char *camera)
{
	struct relay *r = arg;

	sluice_info("%s: summary %s", camera, path);
	if (r->conf.events) {
		printf("{\"summary\":{\"id\":\"%s\",\"camera\":\"%s\",\"path\":\"", id, camera);
		for (const char *p = path; *p; p++)
			printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
		printf("\"}}\n");
		fflush(stdout);
	}
}

static void on_signal(void *arg, int signal)
{
	sluice_info("ending (%s)", strsignal(signal));
	stop(arg, 0);
}

static void on_tick(void *arg)
{
	struct relay *r = arg;
	const char *missing;

	sluice_io_timer_in(r->io, &r->tick, TICK_MS, on_tick, r);
	r->ticks++;
	if (r->stopping)
		return;
	on_progress(r);
	relay_spill_pump(&r->spill);
	relay_uplink_pump(&r->uplink);
	if (r->ticks % LEDGER_TICKS == 0)
		write_ledger(r);
	missing = r->sources && r->conf.once && r->ticks == MISSING_TICKS
			  ? relay_sources_missing(r->sources)
			  : NULL;
	if (missing) {
		sluice_error("%s has not come in %u s", missing, MISSING_TICKS);
		stop(r, 1);
	}
}

/* ---- start and stop ---- */

static int open_spool(struct relay *r)
{
	struct relay_spool_config c = { .io = r->io,
					.dir = r->spool_dir,
					.bytes_max = r->conf.spool_bytes,
					.boot = r->boot_id,
					.settled = on_settled,
					.ready = on_spool_ready,
					.arg = r };
	int err;

	relay_boot_id(r->boot_id, sizeof(r->boot_id));
	snprintf(r->spool_dir, sizeof(r->spool_dir), "%s/spool", r->conf.state);
	r->spool = relay_spool_open(&c, &err);
	if (!r->spool)
		sluice_error("cannot use the spool in %s: %s; repair it, or give --spool 0",
			     r->spool_dir, strerror(-err));
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
	err = sluice_io_signals(r->io, (int[]){ SIGTERM, SIGINT }, 2, on_signal, r);
	if (err) {
		sluice_error("signals: %s", strerror(-err));
		return err;
	}
	certificate_changed(r);
	err = open_tls(r);
	if (err)
		return err;
	r->downlink = relay_downlink_open(r->conf.state, on_summary, r, &err);
	if (!r->downlink) {
		sluice_error("cannot use the directory %s: %s; make it for this user, or give "
			     "--state",
			     r->conf.state, strerror(-err));
		return err;
	}
	r->encoder = relay_encoder_open(r->conf.quality, SLUICE_WIRE_PAYLOAD_MAX);
	r->spill.maker.region = r->conf.region;
	r->spill.maker.encoder = relay_encoder_open(r->conf.quality, SLUICE_WIRE_PAYLOAD_MAX);
	if (!r->encoder || !r->spill.maker.encoder) {
		sluice_error("out of memory");
		return -ENOMEM;
	}
	return r->conf.spool_bytes && !r->conf.check ? open_spool(r) : 0;
}

static int start(struct relay *r)
{
	struct relay_uplink_config up = { .io = r->io,
					  .tls = r->tls,
					  .host = r->conf.host,
					  .port = r->conf.port,
					  .camera = r->camera,
					  .lanes = &r->lanes,
					  .weight = { r->conf.weight[0], r->conf.weight[1] },
					  .budget = &r->budget,
					  .maker = { .encoder = r->encoder,
						     .region = r->conf.region },
					  .downlink = r->downlink,
					  .probe = r->conf.check,
					  .events = r->conf.events,
					  .told = on_told,
					  .progress = on_progress,
					  .arg = r };
	struct relay_sources_config src = { .io = r->io,
					    .camera = r->camera,
					    .devices = r->conf.device,
					    .device_count = r->conf.devices,
					    .feeds = r->conf.feed,
					    .feed_count = r->conf.feeds,
					    .scan = !r->conf.devices && !r->conf.feeds,
					    .changed = on_changed,
					    .ready = on_ready,
					    .arg = r };
	int err;

	r->lanes = (struct relay_lanes){ .spool = r->spool, .camera = r->camera };
	r->spill.io = r->io;
	r->spill.camera = r->camera;
	r->spill.spool = r->spool;
	r->spill.budget = &r->budget;
	relay_budget_init(&r->budget, &r->conf.budget, sluice_io_now(r->io));
	r->spill.after_ms = r->conf.spool_after;
	r->spill.down_ns = sluice_io_now(r->io);
	relay_lanes_hold(&r->lanes);
	relay_uplink_start(&r->uplink, &up);
	if (!r->conf.check) {
		r->sources = relay_sources_open(&src, &err);
		if (!r->sources) {
			sluice_error("cannot watch for rings: %s", strerror(-err));
			return err;
		}
	}
	sluice_io_timer_in(r->io, &r->tick, TICK_MS, on_tick, r);
	return 0;
}

static void close_parts(struct relay *r)
{
	if (r->sources)
		write_ledger(r);
	if (r->io)
		sluice_io_timer_cancel(r->io, &r->tick);
	relay_spool_stop(r->spool);
	relay_sources_close(r->sources);
	relay_uplink_free(&r->uplink);
	sluice_io_close(r->io);
	relay_spool_close(r->spool);
	relay_encoder_close(r->spill.maker.encoder);
	relay_encoder_close(r->encoder);
	relay_downlink_close(r->downlink);
	sluice_tls_ctx_close(r->tls);
	relay_conf_free(&r->conf);
}

int main(int argc, char **argv)
{
	static struct relay r;
	int exit_code = 1, err;

	if (relay_conf_read(&r.conf, argc, argv, &exit_code))
		return exit_code;
	signal(SIGPIPE, SIG_IGN);
	sluice_log_setup("sluice-relay", r.conf.verbose ? SLUICE_LOG_DEBUG : SLUICE_LOG_INFO,
			 r.conf.json);
	snprintf(r.ledger, sizeof(r.ledger), "%s/ledger.json", r.conf.state);
	r.exit_code = 1;
	if (!open_parts(&r) && !start(&r)) {
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
