// SPDX-License-Identifier: MIT
/*
 * CONFIG is {"request":"...","if_version":N,"settings":{NAME:VALUE,...}}, names and units those of
 * sluicectl, or {...,"map":MAP,"map_id":"..."} (gate_map.h); if_version may be absent. It is taken
 * whole or not at all: a name that the section [settings] of our file does not have, a value
 * outside of its bounds, any other key, and the whole is refused. Settings and a map do not come in
 * one CONFIG: the gate has two calls for them, and half of it could be in force. Privacy masks have
 * no name here: what the device hides, the cloud cannot show. The gate's own limits and versions
 * come after that.
 *
 * The answer is {"request":"...","applied":true,"version":N} or {...,"applied":false,"code":WORD,
 * "reason":TEXT}; code: "version" (if_version is not it), "busy", "policy" (our file), "gate", or
 * "form". At most WAITING_MAX are under way; more are refused.
 */
#include "relay/settings.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "lib/setting.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 16
#define REQUEST_MAX 64

struct relay_settings {
	struct relay_settings_config conf;
	unsigned int waiting;
};

struct settings_job {
	struct relay_job job;
	struct relay_settings *settings;
	uint32_t slot;
	const struct relay_camera *camera;
	struct relay_gate gate;
	char request[REQUEST_MAX + 1];
	bool conditional;
	uint32_t if_version;
	struct relay_setting list[SLUICE_SETTING_NAMES];
	size_t count;
	json_t *map; /* NULL: settings */
	char map_id[RELAY_MAP_ID + 1];
	uint32_t map_crc;
	int err;
	bool asked; /* the gate was */
	uint32_t version;
	char why[256];
};

/* ---- the local file ---- */

static bool read_bound(const struct sluice_setting_name *n, const char *text, struct relay_bound *b)
{
	const char *dots = strstr(text, "..");
	char low[32];

	if (!dots || (size_t)(dots - text) >= sizeof(low))
		return false;
	snprintf(low, sizeof(low), "%.*s", (int)(dots - text), text);
	b->allowed = sluice_setting_parse(n, low, &b->least) &&
		     sluice_setting_parse(n, dots + 2, &b->most) && b->least <= b->most;
	return b->allowed;
}

/* Factors of zones, 1/16. */
static bool read_factors(const char *text, struct relay_map_bounds *b)
{
	static const struct sluice_setting_name factor = { "zones", 0, 16, "" };
	struct relay_bound bound;

	if (!read_bound(&factor, text, &bound) || bound.least < 1 || bound.most > 255)
		return false;
	*b = (struct relay_map_bounds){ true, bound.least, bound.most, b->ignore_pct };
	return true;
}

int relay_settings_conf(struct relay_settings_conf *c, struct sluice_conf *conf, char *why,
			size_t why_size)
{
	const char *zones;

	memset(c, 0, sizeof(*c));
	zones = sluice_conf_text(conf, "settings", "zones", NULL);
	c->map.ignore_pct = (uint32_t)sluice_conf_int(conf, "settings", "ignore", 0, 0, 100);
	if (zones && !read_factors(zones, &c->map)) {
		snprintf(why, why_size,
			 "[settings] zones is LOW..HIGH, not '%s': how many times the threshold, "
			 "0.0625..15.9",
			 zones);
		return -EINVAL;
	}
	c->any = zones != NULL;
	for (size_t i = 0; i < SLUICE_SETTING_NAMES; i++) {
		const struct sluice_setting_name *n = &sluice_setting_names[i];
		const char *text = sluice_conf_text(conf, "settings", n->name, NULL);

		if (!text)
			continue;
		if (!read_bound(n, text, &c->bound[n->setting])) {
			snprintf(why, why_size, "[settings] %s is LOW..HIGH, not '%s': %s", n->name,
				 text, n->what);
			return -EINVAL;
		}
		c->any = true;
	}
	return 0;
}

/* ---- what the cloud asks for ---- */

static void refuse(struct settings_job *j, int err, const char *format, const char *what)
{
	if (j->err)
		return;
	j->err = err;
	snprintf(j->why, sizeof(j->why), format, what);
}

static bool read_value(const struct sluice_setting_name *n, const json_t *v, uint32_t *value)
{
	double x = json_number_value(v);

	if (n->setting == SLUICE_SETTING_PRESET)
		return json_is_string(v) && sluice_setting_parse(n, json_string_value(v), value);
	if (!json_is_number(v) || !(x >= 0) || x * n->unit > 4e9)
		return false;
	*value = (uint32_t)llround(x * n->unit);
	return true;
}

static void read_setting(struct settings_job *j, const char *name, const json_t *v)
{
	const struct sluice_setting_name *n = sluice_setting_find(name, strlen(name));
	const struct relay_bound *b = n ? &j->settings->conf.conf.bound[n->setting] : NULL;
	uint32_t value;

	if (!n)
		refuse(j, -EINVAL, "there is no setting '%.40s'", name);
	else if (!b->allowed)
		refuse(j, -EPERM, "this device does not let the cloud set %s", name);
	else if (!read_value(n, v, &value))
		refuse(j, -EINVAL, "that is no value for %s", name);
	else if (value < b->least || value > b->most)
		refuse(j, -ERANGE, "%s is outside of what this device allows", name);
	else
		j->list[j->count++] = (struct relay_setting){ n->setting, value };
}

static void read_request(struct settings_job *j, json_t *o)
{
	json_t *settings = json_object_get(o, "settings"), *v;
	const char *key, *request = json_string_value(json_object_get(o, "request"));

	if (request && strlen(request) <= REQUEST_MAX)
		snprintf(j->request, sizeof(j->request), "%s", request);
	json_object_foreach (o, key, v) {
		if (!strcmp(key, "if_version")) {
			j->conditional = json_is_integer(v) && json_integer_value(v) >= 0 &&
					 json_integer_value(v) <= UINT32_MAX;
			j->if_version = (uint32_t)json_integer_value(v);
			if (!j->conditional)
				refuse(j, -EINVAL, "%s is not a version", key);
		} else if (!strcmp(key, "map")) {
			j->map = json_incref(v);
		} else if (!strcmp(key, "map_id")) {
			snprintf(j->map_id, sizeof(j->map_id), "%s",
				 json_string_length(v) <= RELAY_MAP_ID && json_string_value(v)
					 ? json_string_value(v)
					 : "");
		} else if (!strcmp(key, "privacy") || !strcmp(key, "mask")) {
			refuse(j, -EPERM, "%s: masks are changed on the device alone", key);
		} else if (strcmp(key, "settings") && strcmp(key, "request")) {
			refuse(j, -EINVAL, "unknown key '%.40s'", key);
		}
	}
	if (!j->request[0])
		refuse(j, -EINVAL, "%s is missing", "request");
	if (j->map && settings)
		refuse(j, -EINVAL, "%s", "settings and a map come one after the other");
	if (!j->map && (!json_is_object(settings) || !json_object_size(settings)))
		refuse(j, -EINVAL, "%s is missing", "settings");
	json_object_foreach (settings, key, v)
		read_setting(j, key, v);
}

static void apply_map(struct settings_job *j, const struct relay_settings_config *c,
		      const uint32_t *if_version)
{
	struct relay_gate_state state;
	uint8_t *cells = NULL;
	size_t count = 0;

	j->err = c->ops->read(&j->gate, &state, j->why, sizeof(j->why));
	if (j->err)
		return;
	j->asked = false;
	j->err = relay_map_make(j->map, &state, &c->conf.map, &cells, &count, j->why,
				sizeof(j->why));
	if (j->err)
		return;
	j->asked = true;
	j->map_crc = count ? sluice_crc32c(0, cells, count) : 0;
	j->err = c->ops->map(&j->gate, if_version, cells, count, &j->version, j->why,
			     sizeof(j->why));
	free(cells);
}

static void run_apply(struct relay_job *job)
{
	struct settings_job *j = (struct settings_job *)job;
	const struct relay_settings_config *c = &j->settings->conf;
	const uint32_t *if_version = j->conditional ? &j->if_version : NULL;

	if (j->err)
		return;
	snprintf(j->why, sizeof(j->why), "the kernel refuses");
	j->asked = true;
	if (j->map)
		apply_map(j, c, if_version);
	else
		j->err = c->ops->set(&j->gate, if_version, j->list, j->count, &j->version, j->why,
				     sizeof(j->why));
}

/* A map of the cloud's stays known by its name while nobody else changes the gate. */
static void note_map(const struct settings_job *j)
{
	struct relay_memos *memos = j->settings->conf.memos;
	struct relay_memo *memo = memos ? relay_memo_get(memos, j->gate.camera) : NULL;
	char gate[RELAY_GATE_ID];

	if (!memo || !j->camera->attached)
		return;
	relay_memo_gate(memos, j->camera, gate);
	if (j->map) {
		snprintf(memo->map, sizeof(memo->map), "%s", j->map_id);
		memo->map_crc = j->map_crc;
	} else if (strcmp(gate, memo->gate) || !j->conditional ||
		   memo->map_version != j->if_version) {
		return;
	}
	memo->map_version = j->version;
	relay_memo_save(memos, j->camera, NULL, NULL);
}

static const char *code_of(const struct settings_job *j)
{
	if (j->err == -ESTALE)
		return "version";
	if (j->err == -EBUSY || j->err == -EAGAIN || j->err == -ENODEV)
		return "busy";
	if (j->asked)
		return "gate";
	return j->err == -EPERM || j->err == -ERANGE ? "policy" : "form";
}

static void done_apply(struct relay_job *job)
{
	struct settings_job *j = (struct settings_job *)job;
	struct relay_settings *s = j->settings;
	json_t *o = j->err ? json_pack("{s:s,s:b,s:s,s:s}", "request", j->request, "applied", 0,
				       "code", code_of(j), "reason", j->why)
			   : json_pack("{s:s,s:b,s:I}", "request", j->request, "applied", 1,
				       "version", (json_int_t)j->version);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	s->waiting--;
	if (j->err)
		sluice_warning("%s: settings from the cloud are refused: %s", j->gate.camera,
			       j->why);
	else
		sluice_info("%s: settings from the cloud are applied, version %u", j->gate.camera,
			    j->version);
	if (!j->err)
		note_map(j);
	if (text)
		s->conf.result(s->conf.arg, j->slot, text);
	free(text);
	json_decref(o);
	json_decref(j->map);
	free(j);
}

int relay_settings_take(struct relay_settings *s, uint32_t slot, const struct relay_camera *c,
			const uint8_t *json, uint32_t size)
{
	json_t *o = json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	struct settings_job *j = NULL;

	if (!json_is_object(o)) {
		json_decref(o);
		return -EPROTO;
	}
	if (s)
		j = calloc(1, sizeof(*j));
	if (j) {
		j->job.run = run_apply;
		j->job.done = done_apply;
		j->settings = s;
		j->slot = slot;
		j->camera = c;
		snprintf(j->gate.camera, sizeof(j->gate.camera), "%s", c ? c->name : "");
		if (s->conf.find)
			s->conf.find(s->conf.arg, j->gate.camera, j->gate.feed);
		read_request(j, o);
		if (!j->gate.camera[0])
			refuse(j, -ENODEV, "%s", "that camera is not here");
		if (s->waiting++ >= WAITING_MAX)
			refuse(j, -EBUSY, "%s", "too many at a time");
		if (!s->conf.conf.any)
			refuse(j, -EPERM, "%s", "this device does not let the cloud set anything");
		relay_desk_put(s->conf.desk, &j->job);
	}
	json_decref(o);
	return 0;
}

/* ---- open and close ---- */

struct relay_settings *relay_settings_open(const struct relay_settings_config *c, int *err)
{
	struct relay_settings *s = calloc(1, sizeof(*s));

	*err = s ? 0 : -ENOMEM;
	if (s)
		s->conf = *c;
	return s;
}

void relay_settings_close(struct relay_settings *s)
{
	free(s);
}
