// SPDX-License-Identifier: MIT
/*
 * Of the settings only what is named here goes out: addresses without user and password, numbers,
 * and whether a sink is there, never where its secrets lie. Paths stay at home, too.
 */
#include "relay/describe.h"
#include "lib/setting.h"
#include "relay/commands.h"
#include "relay/uplink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *camera_json(const struct relay_camera *c)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{ SLUICE_STATE_STREAMING, "streaming" }, { SLUICE_STATE_OPEN, "open" },
		{ SLUICE_STATE_WARMUP, "warmup" },	 { SLUICE_STATE_STALLED, "stalled" },
		{ SLUICE_STATE_GONE, "gone" },		 { SLUICE_STATE_ENDED, "ended" },
		{ SLUICE_STATE_COVERED, "covered" },	 { SLUICE_STATE_DEFOCUSED, "defocused" },
		{ SLUICE_STATE_TURNED, "turned" }
	};
	const struct relay_snapshot *s = &c->now;
	json_t *state = json_array();
	char epoch[24];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (s->state & words[i].bit)
			json_array_append_new(state, json_string(words[i].word));
	snprintf(epoch, sizeof(epoch), "%" PRIu64, s->epoch);
	return json_pack("{s:s,s:b,s:b,s:o,s:s,s:i,s:i,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "name",
			 c->name, "attached", c->attached, "paused", relay_camera_paused(c),
			 "state", state, "epoch", epoch, "width", s->width, "height", s->height,
			 "settings_version", (json_int_t)s->settings, "delivered",
			 number(s->delivered), "sent", number(c->sent), "stored", number(c->stored),
			 "rejected", number(c->rejected), "spooled", number(c->spooled),
			 "dropped_while_paused", number(c->paused));
}

static json_t *cameras_json(const struct relay_describe *d)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		if (d->camera[i].name[0])
			json_array_append_new(list, camera_json(&d->camera[i]));
	return list;
}

static json_t *spool_json(const struct relay_describe *d)
{
	if (!d->spool)
		return json_pack("{s:s}", "state", "off");
	return json_pack("{s:s,s:o,s:o,s:o}", "state",
			 relay_spool_state_name(relay_spool_state(d->spool)), "bytes",
			 number(relay_spool_bytes(d->spool)), "bytes_max",
			 number(d->conf->spool_bytes), "waiting",
			 number(relay_spool_left(d->spool)));
}

static json_t *disk_json(const struct relay_describe *d)
{
	struct statvfs v;

	if (statvfs(d->conf->state, &v))
		return json_null();
	return json_pack("{s:o,s:o}", "bytes", number((uint64_t)v.f_blocks * v.f_frsize), "free",
			 number((uint64_t)v.f_bavail * v.f_frsize));
}

/* What the cloud may do here. */
static json_t *bounds_json(const struct relay_conf *c)
{
	json_t *o = json_object();
	char text[64];

	for (size_t i = 0; i < SLUICE_SETTING_NAMES; i++) {
		const struct sluice_setting_name *n = &sluice_setting_names[i];
		const struct relay_bound *b = &c->settings.bound[n->setting];

		if (!b->allowed)
			continue;
		if (n->setting == SLUICE_SETTING_PRESET)
			snprintf(text, sizeof(text), "%s..%s", sluice_preset_names[b->least],
				 sluice_preset_names[b->most]);
		else
			snprintf(text, sizeof(text), "%g..%g", b->least / n->unit,
				 b->most / n->unit);
		json_object_set_new(o, n->name, json_string(text));
	}
	if (c->settings.map.allowed) {
		snprintf(text, sizeof(text), "%g..%g", c->settings.map.least / 16.0,
			 c->settings.map.most / 16.0);
		json_object_set_new(o, "zones", json_string(text));
		json_object_set_new(o, "ignore", json_integer(c->settings.map.ignore_pct));
	}
	return o;
}

static json_t *conf_json(const struct relay_conf *c)
{
	json_t *clouds = json_array();
	char text[300], words[64];

	for (unsigned int i = 0; i < c->clouds.count; i++) {
		snprintf(text, sizeof(text), "%s port %s", c->clouds.at[i].host,
			 c->clouds.at[i].port);
		json_array_append_new(clouds, json_string(text));
	}
	relay_commands_words(c->commands, words, sizeof(words));
	return json_pack("{s:o,s:b,s:i,s:b,s:o,s:o,s:b,s:b,s:b,s:b,s:b,s:s,s:o}", "clouds", clouds,
			 "proxy", c->clouds.proxied, "quality", (int)c->quality, "region",
			 c->region.on, "budget_rate", number(c->budget.rate), "budget_day",
			 number(c->budget.day), "hook", c->sinks.hook.program != NULL, "mqtt",
			 c->sinks.mqtt.host != NULL, "webhook", c->sinks.webhook.url != NULL,
			 "metrics", c->metrics != NULL, "seccomp", c->seccomp, "commands", words,
			 "settings", bounds_json(c));
}

json_t *relay_describe_json(const struct relay_describe *d)
{
	struct utsname u = { 0 };
	struct rusage usage = { 0 };

	uname(&u);
	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "build", RELAY_BUILD,
			 "system", u.sysname, "kernel", u.release, "machine", u.machine, "uptime_s",
			 number((d->now_ns - d->started_ns) / 1000000000u), "memory_max_bytes",
			 number((uint64_t)usage.ru_maxrss * 1024), "cameras", cameras_json(d),
			 "spool", spool_json(d), "disk", disk_json(d), "settings",
			 conf_json(d->conf));
}
