// SPDX-License-Identifier: MIT
/*
 * The ring's control page has the version of the settings in force; when it is another one than was
 * told, the gate is asked for all of them (on the desk, it may wait), and they go up as one JSON
 * object. A gate that cannot be asked now is asked again after AGAIN_NS. A camera is told of once
 * its slot has been opened on this link.
 *
 * {"gate":NAME,"version":N,"settings":{NAME:VALUE,...},"map":ID,"paused":BOOL}: names and units of
 * sluicectl. gate names the ring: settings begin anew with it. map: the name that the cloud gave to
 * the map in force, "none", or "unknown": somebody here may have changed it.
 */
#include "relay/report.h"
#include "lib/log.h"
#include "lib/setting.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS 5000000000ull

static struct sluice_log_limit fail_limit = { .burst = 2, .interval_ms = 600000 };

struct report_job {
	struct relay_job job;
	struct relay_report *report;
	unsigned int at;  /* which camera */
	uint32_t version; /* of the ring, when it was asked */
	uint64_t now_ns;
	struct relay_gate gate;
	struct relay_gate_state state;
	int err;
	char why[256];
};

void relay_report_init(struct relay_report *r, const struct relay_report_config *c)
{
	memset(r, 0, sizeof(*r));
	r->conf = *c;
}

void relay_report_link(struct relay_report *r)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++)
		r->camera[i].told = false;
}

static json_t *setting_json(const struct sluice_setting_name *n, uint32_t value)
{
	if (n->setting == SLUICE_SETTING_PRESET)
		return json_string(value < SLUICE_PRESETS ? sluice_preset_names[value] : "custom");
	return n->unit == 1 ? json_integer(value) : json_real(value / n->unit);
}

static json_t *settings_json(const struct relay_gate_state *s)
{
	json_t *o = json_object();

	for (size_t i = 0; i < SLUICE_SETTING_NAMES; i++)
		json_object_set_new(o, sluice_setting_names[i].name,
				    setting_json(&sluice_setting_names[i],
						 s->setting[sluice_setting_names[i].setting]));
	return o;
}

/* The name of the map in force. A gate that tells its map's sum is believed; else the map is the
 * cloud's as long as the version is the one that our own change made. */
static const char *map_name(const struct relay_memo *memo, const char *gate,
			    const struct relay_gate_state *s)
{
	bool ours = memo && !strcmp(memo->gate, gate) && memo->map[0];

	if (s->map_told && !s->map_crc)
		return "none";
	if (s->map_told)
		return ours && memo->map_crc == s->map_crc ? memo->map : "unknown";
	if (ours && memo->map_version == s->setting[SLUICE_SETTING_VERSION])
		return memo->map_crc ? memo->map : "none";
	return s->setting[SLUICE_SETTING_VERSION] <= 1 ? "none" : "unknown";
}

static void send_report(struct report_job *j)
{
	struct relay_report *r = j->report;
	const struct relay_camera *c = &r->conf.camera[j->at];
	struct relay_reported *told = &r->camera[j->at];
	const struct relay_memo *memo = relay_memo_get(r->conf.memos, c->name);
	char gate[RELAY_GATE_ID];
	char *text;
	json_t *o;

	relay_memo_gate(r->conf.memos, c, gate);
	o = json_pack("{s:s,s:I,s:o,s:s,s:b}", "gate", gate, "version",
		      (json_int_t)j->state.setting[SLUICE_SETTING_VERSION], "settings",
		      settings_json(&j->state), "map", map_name(memo, gate, &j->state), "paused",
		      relay_camera_paused(c));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text && !r->conf.send(r->conf.arg, c->slot, text)) {
		told->told = true;
		told->again_ns = 0;
		told->version = j->version;
		told->paused = relay_camera_paused(c);
		memcpy(told->gate, gate, sizeof(told->gate));
	}
	free(text);
	json_decref(o);
}

static void run_report(struct relay_job *job)
{
	struct report_job *j = (struct report_job *)job;

	j->err = j->report->conf.ops->read(&j->gate, &j->state, j->why, sizeof(j->why));
}

static void done_report(struct relay_job *job)
{
	struct report_job *j = (struct report_job *)job;
	const struct relay_camera *c = &j->report->conf.camera[j->at];
	struct relay_reported *told = &j->report->camera[j->at];

	told->asking = false;
	told->again_ns = j->now_ns + AGAIN_NS;
	if (j->err)
		sluice_log_limited(&fail_limit, SLUICE_LOG_WARNING,
				   "%s: the cloud is not told of its settings: %s", j->gate.camera,
				   j->why[0] ? j->why : strerror(-j->err));
	else if (c->attached && c->linked && !strcmp(c->name, j->gate.camera))
		send_report(j);
	free(j);
}

/* Its slot was opened on this link. */
static bool is_open(const struct relay_camera *c)
{
	for (unsigned int i = 0; c->attached && c->linked && i < c->epochs; i++)
		if (c->epoch[i].phase != RELAY_NEW)
			return true;
	return false;
}

static bool is_news(const struct relay_report *r, unsigned int i)
{
	const struct relay_camera *c = &r->conf.camera[i];
	const struct relay_reported *told = &r->camera[i];
	char gate[RELAY_GATE_ID];

	if (!told->told || told->version != c->now.settings ||
	    told->paused != relay_camera_paused(c))
		return true;
	relay_memo_gate(r->conf.memos, c, gate);
	return strcmp(gate, told->gate) != 0;
}

void relay_report_look(struct relay_report *r, uint64_t now_ns)
{
	for (unsigned int i = 0; i < SLUICE_WIRE_SLOTS; i++) {
		const struct relay_camera *c = &r->conf.camera[i];
		struct relay_reported *told = &r->camera[i];
		struct report_job *j;

		if (told->asking || now_ns < told->again_ns || !is_open(c) || !is_news(r, i))
			continue;
		j = calloc(1, sizeof(*j));
		if (!j)
			return;
		told->asking = true;
		*j = (struct report_job){ .job = { .run = run_report, .done = done_report },
					  .report = r,
					  .at = i,
					  .version = c->now.settings,
					  .now_ns = now_ns };
		snprintf(j->gate.camera, sizeof(j->gate.camera), "%s", c->name);
		if (r->conf.find)
			r->conf.find(r->conf.arg, j->gate.camera, j->gate.feed);
		relay_desk_put(r->conf.desk, &j->job);
	}
}
