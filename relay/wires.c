// SPDX-License-Identifier: MIT
/* wires.c - what the parts of the relay tell each other, all from the loop. */
#include "relay/wires.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "relay/describe.h"
#include "relay/ledger.h"

#define LEDGER_TICKS  3
#define MISSING_TICKS 30 /* --once: a source must have come by then */

void relay_stop(struct relay *r, int exit_code)
{
	if (r->stopping) {
		sluice_io_stop(r->io);
		return;
	}
	r->stopping = true;
	r->exit_code = exit_code;
	relay_service_stopping(&r->service);
	if (r->conf.renew) { /* there was no link */
		sluice_io_stop(r->io);
		return;
	}
	relay_uplink_stop(&r->uplink);
	if (relay_uplink_stopped(&r->uplink))
		sluice_io_stop(r->io);
}

void relay_write_ledger(struct relay *r)
{
	int err = relay_ledger_write(r->ledger, r->camera, SLUICE_WIRE_SLOTS, r->spool);

	if (err && !r->ledger_failed)
		sluice_error("cannot write %s: %s", r->ledger, strerror(-err));
	r->ledger_failed = err;
}

void relay_set_allows(struct relay *r, uint32_t commands)
{
	size_t n;

	relay_commands_words(commands, r->allows, sizeof(r->allows));
	n = strlen(r->allows);
	snprintf(r->allows + n, sizeof(r->allows) - n, "%s%s",
		 r->conf.settings.any ? (n ? " settings" : "settings") : "",
		 r->conf.settings.map.allowed ? " map" : "");
}

void relay_on_reload(void *arg, const struct relay_conf *now)
{
	struct relay *r = arg;

	relay_encoder_quality(r->encoder, now->quality);
	relay_encoder_quality(r->spill.maker.encoder, now->quality);
	relay_budget_change(&r->budget, &now->budget);
	memcpy(r->uplink.conf.weight, now->weight, sizeof(now->weight));
	r->spill.after_ms = now->spool_after;
	r->uplink.conf.events = now->events;
	relay_commands_allow(r->commands, now->commands);
	relay_set_allows(r, now->commands);
}

/* ---- what the parts tell ---- */

static void on_told(void *arg, bool up, bool permanent, const char *why)
{
	struct relay *r = arg;

	relay_spill_link(&r->spill, up);
	relay_service_told(&r->service, up, why);
	if (up) {
		r->trouble[0] = 0;
		relay_report_link(&r->report);
		relay_commands_linked(r->commands);
		if (r->conf.check) {
			printf("sluice-relay: the settings are good and the cloud answers\n");
			relay_stop(r, 0);
		}
		return;
	}
	if (strncmp(why, r->trouble, sizeof(r->trouble) - 1))
		sluice_log(permanent ? SLUICE_LOG_ERROR : SLUICE_LOG_WARNING, "%s%s", why,
			   r->conf.check || (r->conf.once && permanent) ? "" : "; trying again");
	snprintf(r->trouble, sizeof(r->trouble), "%s", why);
	if (r->conf.check || (r->conf.once && permanent))
		relay_stop(r, 1);
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
	relay_report_look(&r->report, sluice_io_now(r->io));
	if (r->conf.once && relay_sources_ended(r->sources) && relay_downlink_idle(r->downlink))
		relay_stop(r, 0);
}

static void on_changed(void *arg, struct relay_camera *c)
{
	struct relay *r = arg;

	if (c->attached)
		relay_memo_attached(&r->memos, c);
	relay_commands_look(r->commands, c);
	relay_spill_attached(&r->spill, c);
	relay_uplink_camera_changed(&r->uplink, c);
	if (c->attached)
		relay_sinks_camera(r->sinks, c->name);
}

static void on_answer(void *arg, const char *id, int status)
{
	struct relay *r = arg;

	relay_uplink_acknowledge(&r->uplink, id, status);
	on_progress(r);
}

/* ---- what the cloud asks for ---- */

static void on_config_result(void *arg, uint32_t slot, const char *json)
{
	struct relay *r = arg;

	relay_uplink_json(&r->uplink, SLUICE_MSG_CONFIG_RESULT, slot, json);
}

static int send_command_result(void *arg, const char *json)
{
	struct relay *r = arg;

	return relay_uplink_json(&r->uplink, SLUICE_MSG_COMMAND_RESULT, 0, json);
}

static int send_settings(void *arg, uint32_t slot, const char *json)
{
	struct relay *r = arg;

	return relay_uplink_json(&r->uplink, SLUICE_MSG_SETTINGS, slot, json);
}

static void find_feed(void *arg, const char *camera, char *feed)
{
	struct relay *r = arg;

	relay_sources_find(r->sources, camera, feed);
}

static json_t *describe(void *arg)
{
	struct relay *r = arg;

	return relay_describe_json(&(struct relay_describe){ .conf = &r->conf,
							     .camera = r->camera,
							     .spool = r->spool,
							     .started_ns = r->started_ns,
							     .now_ns = sluice_io_now(r->io) });
}

static void on_hold(void *arg, bool hold)
{
	struct relay *r = arg;

	relay_uplink_hold(&r->uplink, hold);
}

static void on_ready(void *arg, struct relay_camera *c)
{
	struct relay *r = arg;

	relay_camera_pass_paused(c);
	relay_commands_look(r->commands, c);
	relay_report_look(&r->report, sluice_io_now(r->io));
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

void relay_on_signal(void *arg, int signal)
{
	struct relay *r = arg;

	if (signal == SIGHUP) {
		relay_service_reload(&r->service);
		return;
	}
	sluice_info("ending (%s)", strsignal(signal));
	relay_stop(r, 0);
}

void relay_on_tick(void *arg)
{
	struct relay *r = arg;
	const char *missing;

	sluice_io_timer_in(r->io, &r->tick, RELAY_TICK_MS, relay_on_tick, r);
	r->ticks++;
	if (r->stopping)
		return;
	on_progress(r);
	relay_spill_pump(&r->spill);
	relay_uplink_pump(&r->uplink);
	if (r->ticks % LEDGER_TICKS == 0)
		relay_write_ledger(r);
	missing = r->sources && r->conf.once && r->ticks == MISSING_TICKS
			  ? relay_sources_missing(r->sources)
			  : NULL;
	if (missing) {
		sluice_error("%s has not come in %u s", missing, MISSING_TICKS);
		relay_stop(r, 1);
	}
	relay_service_tick(&r->service); /* last: it says that all of this was done */
}

/* ---- who is told ---- */

void relay_wire_uplink(struct relay *r, struct relay_uplink_config *c)
{
	c->told = on_told;
	c->progress = on_progress;
	c->arg = r;
}

void relay_wire_sources(struct relay *r, struct relay_sources_config *c)
{
	c->changed = on_changed;
	c->ready = on_ready;
	c->arg = r;
}

void relay_wire_spool(struct relay *r, struct relay_spool_config *c)
{
	c->settled = on_settled;
	c->ready = on_spool_ready;
	c->arg = r;
}

void relay_wire_downlink(struct relay *r, struct relay_downlink_config *c)
{
	c->answer = on_answer;
	c->announce = on_summary;
	c->hold = on_hold;
	c->arg = r;
}

void relay_wire_settings(struct relay *r, struct relay_settings_config *c)
{
	c->find = find_feed;
	c->result = on_config_result;
	c->arg = r;
}

void relay_wire_commands(struct relay *r, struct relay_commands_config *c)
{
	c->find = find_feed;
	c->describe = describe;
	c->send = send_command_result;
	c->arg = r;
}

void relay_wire_report(struct relay *r, struct relay_report_config *c)
{
	c->find = find_feed;
	c->send = send_settings;
	c->arg = r;
}
