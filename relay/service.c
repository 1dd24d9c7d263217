// SPDX-License-Identifier: MIT
/*
 * Start: the sockets and files that need rights are open; then the metrics' port, the renewal's
 * timer, the system call filter, and READY=1. Whether the cloud answers is no part of being ready:
 * the relay's work during an outage is to keep frames.
 *
 * Once a second, after the loop has done its other work, the tick looks at the counters and pings
 * the watchdog: a loop that hangs in a callback, on a disk or in a driver does not come here, and
 * systemd ends it. Bad health does not withhold the ping: a restart cures neither a cloud that is
 * away nor a camera that is unplugged.
 *
 * SIGHUP: the settings are read anew, whole. If anything is wrong with them the old ones stay in
 * force, all of them. What can be changed is changed (reload_*), and what cannot is named.
 */
#include "relay/service.h"
#include "lib/log.h"
#include "relay/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MS 1000000ull

void relay_service_begin(struct relay_service *s)
{
	memset(s, 0, sizeof(*s));
	sluice_notify_open(&s->notify);
}

int relay_service_hook(struct relay_service *s, void (*fn)(void *arg, const struct relay_conf *now),
		       void *arg)
{
	if (s->hooks == RELAY_SERVICE_HOOKS)
		return -ENOSPC;
	s->hook[s->hooks++] = (struct relay_reload_hook){ .fn = fn, .arg = arg };
	return 0;
}

/* ---- the certificate ---- */

/* When the certificate's file was written; 0: it cannot be seen. */
static int64_t cert_time(const struct relay_service *s)
{
	struct stat st;

	if (stat(s->conf.conf->cert, &st))
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* The files are other ones now: the next link is made with them. */
static void reopen_tls(struct relay_service *s)
{
	struct sluice_tls_ctx *tls;

	s->cert_time = cert_time(s);
	if (!s->conf.reopen_tls(s->conf.arg, &tls))
		relay_renew_tls(&s->renew, tls);
}

/* Renewed by hand or enrolled anew. Otherwise the TLS context stays: it holds the sessions. */
static void look_at_cert(struct relay_service *s)
{
	int64_t now = cert_time(s);

	if (!now || now == s->cert_time)
		return;
	sluice_info("the certificate's file is another one; the next link shows it");
	reopen_tls(s);
}

static void on_renewed(void *arg)
{
	reopen_tls(arg);
}

static void on_renew_told(void *arg, int err, const char *why)
{
	struct relay_service *s = arg;

	if (s->conf.conf->renew && s->conf.renew_ended)
		s->conf.renew_ended(s->conf.arg, err);
}

/* ---- start ---- */

static uint64_t get_reloads(void *arg)
{
	struct relay_service *s = arg;

	return s->reloads;
}

static int start_metrics(struct relay_service *s)
{
	struct relay_metrics_config c = { .io = s->conf.io,
					  .address = s->conf.conf->metrics,
					  .camera = s->conf.camera,
					  .uplink = s->conf.uplink,
					  .renew = &s->renew,
					  .health = &s->health,
					  .reloads = get_reloads,
					  .arg = s };
	int err;

	if (s->conf.conf->renew || s->conf.conf->check)
		c.address = NULL; /* a relay at work has it */
	s->metrics = relay_metrics_open(&c, &err);
	if (!s->metrics)
		sluice_error("cannot serve metrics on %s: %s", c.address ? c.address : "nothing",
			     strerror(-err));
	return err;
}

int relay_service_start(struct relay_service *s, const struct relay_service_config *c,
			struct sluice_tls_ctx *tls)
{
	struct relay_renew_config renew = {
		.io = c->io,
		.clouds = &c->conf->clouds,
		.id = { .cert = c->conf->cert, .key = c->conf->key, .ca = c->conf->ca },
		.renewed = on_renewed,
		.told = on_renew_told,
		.arg = s
	};
	char why[160];
	int err;

	s->conf = *c;
	s->cert_time = cert_time(s);
	err = start_metrics(s);
	if (err)
		return err;
	relay_renew_start(&s->renew, &renew, c->conf->check ? NULL : tls);
	s->started = true;
	if (c->conf->seccomp) {
		err = relay_seccomp_apply(c->conf->starts_programs, why, sizeof(why));
		if (err == -ENOSYS)
			sluice_warning("%s; going on without", why);
		else if (err)
			sluice_error("%s; to go on without it: seccomp = no", why);
		if (err && err != -ENOSYS)
			return err;
	}
	sluice_notify(&s->notify, "READY=1");
	return c->conf->renew ? relay_renew_now(&s->renew) : 0;
}

int relay_service_metric(struct relay_service *s, const struct relay_metric *m)
{
	return s->metrics ? relay_metrics_add(s->metrics, m) : -ENOSPC;
}

void relay_service_spool(struct relay_service *s,
			 void (*fn)(void *arg, uint64_t *waiting, uint64_t *settled), void *arg)
{
	s->spool = fn;
	s->spool_arg = arg;
}

/* ---- every second ---- */

static void tell_status(struct relay_service *s)
{
	const struct relay_uplink *u = s->conf.uplink;
	unsigned int cameras = 0;
	uint64_t waiting = 0;
	char text[320];

	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		cameras += s->health.camera[i].pulse.name[0] != 0;
		waiting += s->health.camera[i].pulse.waiting;
	}
	snprintf(text, sizeof(text), "%s; %u cameras, %" PRIu64 " frames wait",
		 u->state == RELAY_LINK_UP ? "linked"
		 : s->health.trouble[0]	   ? s->health.trouble
					   : "connecting",
		 cameras, waiting);
	sluice_notify_status(&s->notify, text);
}

void relay_service_tick(struct relay_service *s)
{
	struct relay_pulse pulse[SLUICE_WIRE_SLOTS];
	uint64_t now, waiting = 0, settled = 0;

	if (!s->started)
		return;
	now = sluice_io_now(s->conf.io);
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		relay_pulse_take(&pulse[i], &s->conf.camera[i]);
	relay_health_look(&s->health, now, pulse, SLUICE_WIRE_SLOTS);
	if (s->spool) {
		s->spool(s->spool_arg, &waiting, &settled);
		relay_health_spool(&s->health, now, waiting, settled);
	}
	tell_status(s);
	look_at_cert(s);
	if (s->notify.watchdog_ms && now - s->pinged_ns + 1000 * MS > s->notify.watchdog_ms * MS) {
		s->pinged_ns = now;
		sluice_notify(&s->notify, "WATCHDOG=1");
	}
}

void relay_service_told(struct relay_service *s, bool up, const char *why)
{
	snprintf(s->health.trouble, sizeof(s->health.trouble), "%s", up ? "" : why);
}

/* ---- reading the settings anew ---- */

static void needs_restart(const char *what)
{
	sluice_warning("the settings have another %s; restart the relay for that", what);
}

static bool lists_differ(const char *const *a, size_t n, const char *const *b, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (strcmp(a[i], b[i]))
			return true;
	return n != m;
}

static bool texts_differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

/* Sinks have threads and outboxes of their own, which are made at the start. */
static bool sinks_differ(const struct relay_sinks_config *a, const struct relay_sinks_config *b)
{
	return texts_differ(a->hook.program, b->hook.program) ||
	       a->hook.timeout_ms != b->hook.timeout_ms || a->hook.parallel != b->hook.parallel ||
	       texts_differ(a->mqtt.host, b->mqtt.host) || a->mqtt.port != b->mqtt.port ||
	       a->mqtt.tls != b->mqtt.tls || texts_differ(a->mqtt.ca, b->mqtt.ca) ||
	       texts_differ(a->mqtt.certificate, b->mqtt.certificate) ||
	       texts_differ(a->mqtt.key, b->mqtt.key) || texts_differ(a->mqtt.user, b->mqtt.user) ||
	       texts_differ(a->mqtt.password_file, b->mqtt.password_file) ||
	       texts_differ(a->mqtt.device, b->mqtt.device) ||
	       texts_differ(a->mqtt.prefix, b->mqtt.prefix) ||
	       texts_differ(a->mqtt.discovery, b->mqtt.discovery) ||
	       texts_differ(a->webhook.url, b->webhook.url) ||
	       texts_differ(a->webhook.secret_file, b->webhook.secret_file) ||
	       texts_differ(a->webhook.ca, b->webhook.ca) ||
	       a->webhook.timeout_ms != b->webhook.timeout_ms;
}

/* What was decided at the start, for good. */
static void name_fixed(const struct relay_conf *old, const struct relay_conf *now)
{
	if (strcmp(old->cert, now->cert) || strcmp(old->key, now->key) || strcmp(old->ca, now->ca))
		needs_restart("place of certificates");
	if (strcmp(old->state, now->state))
		needs_restart("state directory");
	if (lists_differ(old->feed, old->feeds, now->feed, now->feeds))
		needs_restart("list of feeds");
	if (lists_differ(old->device, old->devices, now->device, now->devices))
		needs_restart("list of devices");
	if (texts_differ(old->metrics, now->metrics))
		needs_restart("address of the metrics");
	if (sinks_differ(&old->sinks, &now->sinks))
		needs_restart("hook, mqtt or webhook");
	if (memcmp(&old->retention, &now->retention, sizeof(old->retention)))
		needs_restart("word on how long summaries are kept");
	if (memcmp(&old->settings, &now->settings, sizeof(old->settings)))
		needs_restart("bounds for settings from the cloud");
	if (old->seccomp != now->seccomp)
		needs_restart("word on seccomp");
}

static void reload_clouds(struct relay_service *s, const struct relay_conf *now)
{
	struct relay_clouds *c = &s->conf.conf->clouds;
	struct relay_uplink *u = s->conf.uplink;

	if (!relay_clouds_replace(c, &now->clouds) || !u->conn)
		return;
	if (u->state != RELAY_LINK_UP)
		c->tried = UINT_MAX; /* the try that ends now was none of the new round */
	relay_uplink_break(u, false, "the settings name another cloud or way there");
}

void relay_service_reload(struct relay_service *s)
{
	struct relay_conf *now, *before = s->loaded;
	char why[400] = "";

	if (!s->started)
		return;
	now = calloc(1, sizeof(*now));
	sluice_notify_reloading(&s->notify);
	if (!now || relay_conf_reread(now, s->conf.argc, s->conf.argv, why, sizeof(why))) {
		sluice_error("the new settings are refused, the old ones stay in force: %s",
			     now ? why : "out of memory");
		if (now)
			relay_conf_free(now);
		free(now);
		sluice_notify(&s->notify, "READY=1\nSTATUS=the new settings are refused");
		s->notify.status[0] = 0;
		return;
	}
	name_fixed(s->conf.conf, now);
	reload_clouds(s, now);
	s->conf.conf->quality = now->quality;
	s->conf.conf->events = now->events;
	s->conf.conf->commands = now->commands;
	look_at_cert(s);
	sluice_log_level((enum sluice_log_level)now->log);
	for (unsigned int i = 0; i < s->hooks; i++)
		s->hook[i].fn(s->hook[i].arg, now);
	s->loaded = now;
	if (before)
		relay_conf_free(before);
	free(before);
	s->reloads++;
	sluice_info("the settings were read anew");
	sluice_notify(&s->notify, "READY=1");
}

/* ---- stop ---- */

void relay_service_stopping(struct relay_service *s)
{
	sluice_notify(&s->notify, "STOPPING=1\nSTATUS=giving back what is not stored");
	if (s->started)
		relay_renew_stop(&s->renew);
}

void relay_service_close(struct relay_service *s)
{
	if (s->started)
		relay_renew_stop(&s->renew);
	relay_metrics_close(s->metrics);
}

void relay_service_free(struct relay_service *s)
{
	relay_metrics_free(s->metrics);
	s->metrics = NULL;
	if (s->loaded)
		relay_conf_free(s->loaded);
	free(s->loaded);
	s->loaded = NULL;
	sluice_notify_close(&s->notify);
}
