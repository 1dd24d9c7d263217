// SPDX-License-Identifier: MIT
/* fields.c - see fields.h. Settings are typed in units that people use: seconds, percent, frames/s.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmod/frame.h"
#include "lib/reason.h"
#include "lib/setting.h"
#include "tools/ctl/fields.h"

#define FIELDS SLUICE_SETTING_NAMES

void field_help(FILE *to)
{
	for (size_t i = 0; i < FIELDS; i++)
		fprintf(to, "  %-10s %s\n", sluice_setting_names[i].name,
			sluice_setting_names[i].what);
}

static int unknown_field(const struct ctl *ctl, const char *text)
{
	ctl_error(ctl, 0, "no setting in '%s'; the settings are NAME=VALUE of:", text);
	field_help(stderr);
	return -EINVAL;
}

/* In the units that people type; the module has the last word. */
static int check_range(const struct ctl *ctl, const struct sluice_setting_name *f, uint32_t value)
{
	const struct sluice_setting_info *i = &sluice_setting_infos[f->setting];

	if ((value >= i->least && value <= i->most) || (i->zero && !value))
		return 0;
	ctl_error(ctl, 0, "%s is %s%g to %g: %s", f->name, i->zero ? "0, or " : "",
		  i->least / f->unit, i->most / f->unit, f->what);
	return -EINVAL;
}

int field_parse(const struct ctl *ctl, const char *text, int *setting, uint32_t *value)
{
	const char *eq = strchr(text, '=');
	const struct sluice_setting_name *f =
		eq ? sluice_setting_find(text, (size_t)(eq - text)) : NULL;

	if (!f)
		return unknown_field(ctl, text);
	*setting = f->setting;
	if (!sluice_setting_parse(f, eq + 1, value)) {
		ctl_error(ctl, 0, "'%s' is not a value for %s: %s", eq + 1, f->name, f->what);
		return -EINVAL;
	}
	return f->setting == SLUICE_SETTING_PRESET ? 0 : check_range(ctl, f, *value);
}

int field_put_all(const struct ctl *ctl, struct nl_msg *m, int argc, char **argv)
{
	struct nlattr *nest;
	int err = 0;

	if (!argc)
		return 0;
	nest = nla_nest_start(m, SLUICE_ATTR_SETTINGS | NLA_F_NESTED);
	if (!nest)
		return -EMSGSIZE;
	for (int i = 0; i < argc && !err; i++) {
		uint32_t value;
		int setting;

		err = field_parse(ctl, argv[i], &setting, &value);
		if (!err && nla_put_u32(m, setting, value))
			err = -EMSGSIZE;
	}
	nla_nest_end(m, nest);
	return err;
}

json_t *field_settings_json(const struct genl_camera *c)
{
	json_t *o = json_object();
	uint32_t p = c->setting[SLUICE_SETTING_PRESET];

	json_object_set_new(o, "version", json_integer(c->setting[SLUICE_SETTING_VERSION]));
	json_object_set_new(o, "preset", p < 3 ? json_string(sluice_preset_names[p]) : json_null());
	for (size_t i = 1; i < FIELDS; i++)
		if (c->has_setting[sluice_setting_names[i].setting])
			json_object_set_new(o, sluice_setting_names[i].name,
					    json_real(c->setting[sluice_setting_names[i].setting] /
						      sluice_setting_names[i].unit));
	return o;
}

void field_settings_print(const struct genl_camera *c)
{
	uint32_t p = c->setting[SLUICE_SETTING_PRESET];

	printf("  settings version %u, preset %s\n", c->setting[SLUICE_SETTING_VERSION],
	       p < 3 ? sluice_preset_names[p] : "none (single values)");
	for (size_t i = 1; i < FIELDS; i++)
		if (c->has_setting[sluice_setting_names[i].setting])
			printf("    %-10s %-8g %s\n", sluice_setting_names[i].name,
			       c->setting[sluice_setting_names[i].setting] /
				       sluice_setting_names[i].unit,
			       sluice_setting_names[i].what);
}

const char *field_mode(uint32_t mode)
{
	return mode == SLUICE_MODE_TAP ? "tap" : mode == SLUICE_MODE_CAPTURE ? "capture" : "?";
}

const char *field_state(uint32_t state, char *out, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {
		{ SLUICE_STATE_STREAMING, "streaming" }, { SLUICE_STATE_OPEN, "open" },
		{ SLUICE_STATE_WARMUP, "warm-up" },	 { SLUICE_STATE_STALLED, "stalled" },
		{ SLUICE_STATE_GONE, "gone" },		 { SLUICE_STATE_ENDED, "ended" },
		{ SLUICE_STATE_COVERED, "covered" },	 { SLUICE_STATE_DEFOCUSED, "defocused" },
		{ SLUICE_STATE_TURNED, "turned" },
	};
	size_t n = 0;

	snprintf(out, size, "idle");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (state & bits[i].bit && n < size)
			n += snprintf(out + n, size - n, "%s%s", n ? " " : "", bits[i].name);
	return out;
}

const char *field_fourcc(uint32_t fourcc, char out[5])
{
	for (int i = 0; i < 4; i++) {
		char ch = fourcc >> (8 * i) & 0x7f;

		out[i] = ch >= ' ' && ch < 127 ? ch : '-';
	}
	out[4] = 0;
	return out;
}

void field_sums(const struct genl_camera *c, struct field_sums *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < SLUICE_REASON_COUNT; i++) {
		if (sluice_reason_passes(i))
			s->passed += c->count[i];
		else if (i >= SLUICE_REASON_OVERRUN)
			s->lost += c->count[i];
		else
			s->dropped += c->count[i];
	}
}

json_t *field_ledger_json(const struct genl_camera *c)
{
	json_t *o = json_object(), *by[3] = { json_object(), json_object(), json_object() };
	char epoch[24];

	for (unsigned int i = 1; i < SLUICE_REASON_COUNT; i++) {
		int k = sluice_reason_passes(i) ? 0 : i >= SLUICE_REASON_OVERRUN ? 2 : 1;
		const char *name = sluice_reason_name(i);

		if (name && c->count[i])
			json_object_set_new(by[k], name, json_integer(c->count[i]));
	}
	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)c->epoch);
	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "epoch", json_string(epoch));
	json_object_set_new(o, "delivered", json_integer(c->delivered));
	json_object_set_new(o, "pending", json_integer(c->pending));
	json_object_set_new(o, "passed", by[0]);
	json_object_set_new(o, "dropped", by[1]);
	json_object_set_new(o, "lost", by[2]);
	json_object_set_new(o, "bytes_seen", json_integer(c->bytes_seen));
	json_object_set_new(o, "bytes_passed", json_integer(c->bytes_passed));
	return o;
}
