// SPDX-License-Identifier: MIT
/*
 * CONFIG is {"request":"...","if_version":N,"settings":{NAME:VALUE,...}}, names and units those of
 * sluicectl; if_version may be absent. It is taken whole or not at all: a name that the section
 * [settings] of our file does not have, a value outside of its bounds, any other key, and the whole
 * is refused. Masks have no name here: what the device hides, the cloud cannot show. The kernel's
 * own limits and versions come after that.
 *
 * The answer is {"request":"...","applied":true,"version":N} or
 * {...,"applied":false,"reason":TEXT}. At most WAITING_MAX are under way; more are refused.
 */
#include "relay/settings.h"
#include "lib/log.h"
#include "lib/setting.h"
#include "relay/desk.h"

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
	struct relay_desk *desk; /* NULL: nothing is allowed */
	unsigned int waiting;
	bool closing;
};

struct settings_job {
	struct relay_job job;
	struct relay_settings *settings;
	uint32_t slot;
	char camera[SLUICE_CAMERA_NAME_SIZE];
	char request[REQUEST_MAX + 1];
	bool conditional;
	uint32_t if_version;
	struct relay_setting list[SLUICE_SETTING_NAMES];
	size_t count;
	int err;
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

int relay_settings_conf(struct relay_settings_conf *c, struct sluice_conf *conf, char *why,
			size_t why_size)
{
	memset(c, 0, sizeof(*c));
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
		} else if (!strcmp(key, "privacy") || !strcmp(key, "mask")) {
			refuse(j, -EPERM, "%s: masks are changed on the device alone", key);
		} else if (strcmp(key, "settings") && strcmp(key, "request")) {
			refuse(j, -EINVAL, "unknown key '%.40s'", key);
		}
	}
	if (!j->request[0])
		refuse(j, -EINVAL, "%s is missing", "request");
	if (!json_is_object(settings) || !json_object_size(settings))
		refuse(j, -EINVAL, "%s is missing", "settings");
	json_object_foreach (settings, key, v)
		read_setting(j, key, v);
}

static void run_apply(struct relay_job *job)
{
	struct settings_job *j = (struct settings_job *)job;
	const struct relay_settings_config *c = &j->settings->conf;

	if (j->err)
		return;
	snprintf(j->why, sizeof(j->why), "the kernel refuses");
	j->err = c->ops->apply(c->ops_arg, j->camera, j->conditional ? &j->if_version : NULL,
			       j->list, j->count, &j->version, j->why, sizeof(j->why));
}

static void done_apply(struct relay_job *job)
{
	struct settings_job *j = (struct settings_job *)job;
	struct relay_settings *s = j->settings;
	json_t *o = j->err ? json_pack("{s:s,s:b,s:s}", "request", j->request, "applied", 0,
				       "reason", j->why)
			   : json_pack("{s:s,s:b,s:I}", "request", j->request, "applied", 1,
				       "version", (json_int_t)j->version);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	s->waiting--;
	if (j->err)
		sluice_warning("%s: settings from the cloud are refused: %s", j->camera, j->why);
	else
		sluice_info("%s: settings from the cloud are applied, version %u", j->camera,
			    j->version);
	if (text && !s->closing)
		s->conf.result(s->conf.arg, j->slot, text);
	free(text);
	json_decref(o);
	free(j);
}

int relay_settings_take(struct relay_settings *s, uint32_t slot, const char *camera,
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
		snprintf(j->camera, sizeof(j->camera), "%s", camera ? camera : "");
		read_request(j, o);
		if (!camera || !camera[0])
			refuse(j, -ENODEV, "%s", "that camera is not here");
		if (s->waiting++ >= WAITING_MAX)
			refuse(j, -EBUSY, "%s", "too many at a time");
		if (s->desk) {
			relay_desk_put(s->desk, &j->job);
		} else {
			refuse(j, -EPERM, "%s", "this device does not let the cloud set anything");
			done_apply(&j->job);
		}
	}
	json_decref(o);
	return 0;
}

/* ---- open and close ---- */

struct relay_settings *relay_settings_open(const struct relay_settings_config *c, int *err)
{
	struct relay_settings *s = calloc(1, sizeof(*s));

	*err = s ? 0 : -ENOMEM;
	if (!s)
		return NULL;
	s->conf = *c;
	if (c->conf.any)
		s->desk = relay_desk_open(c->io, err);
	if (!*err)
		return s;
	free(s);
	return NULL;
}

void relay_settings_close(struct relay_settings *s)
{
	if (!s)
		return;
	s->closing = true;
	relay_desk_close(s->desk);
	free(s);
}
