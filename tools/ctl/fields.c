// SPDX-License-Identifier: MIT
/* fields.c - see fields.h. Settings are typed in units that people use: seconds, percent, frames/s.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmod/frame.h"
#include "lib/reason.h"
#include "tools/ctl/fields.h"

struct field {
	const char *name;
	int setting;
	double unit; /* kernel value = typed value * unit */
	const char *what;
};

static const struct field fields[] = {
	{ "preset", SLUICE_SETTING_PRESET, 1, "low, medium or high sensitivity" },
	{ "floor", SLUICE_SETTING_FLOOR, 256, "least threshold in grey levels" },
	{ "k", SLUICE_SETTING_K, 16, "threshold in mean absolute deviations" },
	{ "mass", SLUICE_SETTING_MASS, 1, "blob weight that counts, 1/16 of the threshold" },
	{ "strong", SLUICE_SETTING_STRONG, 1, "blob weight that needs two frames only" },
	{ "confirm", SLUICE_SETTING_CONFIRM_MS, 1000, "seconds until motion is believed" },
	{ "warmup", SLUICE_SETTING_WARMUP_MS, 1000, "seconds of learning at the start" },
	{ "scene", SLUICE_SETTING_SCENE_PCT, 1, "percent of cells that make a scene change" },
	{ "bands", SLUICE_SETTING_ROW_BANDS, 1, "1: compensate rolling flicker" },
	{ "rate", SLUICE_SETTING_RATE_MFPS, 1000,
	  "frames a second passed on during motion; 0: all" },
	{ "preroll", SLUICE_SETTING_PREROLL_MS, 1000, "seconds before motion" },
	{ "postroll", SLUICE_SETTING_POSTROLL_MS, 1000, "seconds after motion" },
	{ "keepalive", SLUICE_SETTING_KEEPALIVE_MS, 1000,
	  "seconds between frames when nothing moves; 0: none" },
	{ "audit", SLUICE_SETTING_AUDIT_MS, 1000,
	  "mean seconds between audited quiet frames; 0: none" },
	{ "stall", SLUICE_SETTING_STALL_MS, 1000, "seconds without frames that are a stall" },
	{ "tamper", SLUICE_SETTING_TAMPER, 1, "1: tell when covered, defocused or turned" },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static const char *const presets[] = { "low", "medium", "high" };

void field_help(FILE *to)
{
	for (size_t i = 0; i < FIELDS; i++)
		fprintf(to, "  %-10s %s\n", fields[i].name, fields[i].what);
}

static int unknown_field(const struct ctl *ctl, const char *text)
{
	ctl_error(ctl, 0, "no setting in '%s'; the settings are NAME=VALUE of:", text);
	field_help(stderr);
	return -EINVAL;
}

/* In the units that people type; the module has the last word. */
static int check_range(const struct ctl *ctl, const struct field *f, uint32_t value)
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
	const struct field *f = NULL;
	char *end;
	double v;

	for (size_t i = 0; eq && i < FIELDS; i++)
		if (strlen(fields[i].name) == (size_t)(eq - text) &&
		    !strncmp(fields[i].name, text, eq - text))
			f = &fields[i];
	if (!f)
		return unknown_field(ctl, text);
	*setting = f->setting;
	for (uint32_t i = 0; f->setting == SLUICE_SETTING_PRESET && i < 3; i++)
		if (!strcmp(eq + 1, presets[i])) {
			*value = i;
			return 0;
		}
	v = strtod(eq + 1, &end);
	if (f->setting == SLUICE_SETTING_PRESET || end == eq + 1 || *end || !(v >= 0) ||
	    v * f->unit > 4e9) {
		ctl_error(ctl, 0, "'%s' is not a value for %s: %s", eq + 1, f->name, f->what);
		return -EINVAL;
	}
	*value = (uint32_t)llround(v * f->unit);
	return check_range(ctl, f, *value);
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
	json_object_set_new(o, "preset", p < 3 ? json_string(presets[p]) : json_null());
	for (size_t i = 1; i < FIELDS; i++)
		if (c->has_setting[fields[i].setting])
			json_object_set_new(
				o, fields[i].name,
				json_real(c->setting[fields[i].setting] / fields[i].unit));
	return o;
}

void field_settings_print(const struct genl_camera *c)
{
	uint32_t p = c->setting[SLUICE_SETTING_PRESET];

	printf("  settings version %u, preset %s\n", c->setting[SLUICE_SETTING_VERSION],
	       p < 3 ? presets[p] : "none (single values)");
	for (size_t i = 1; i < FIELDS; i++)
		if (c->has_setting[fields[i].setting])
			printf("    %-10s %-8g %s\n", fields[i].name,
			       c->setting[fields[i].setting] / fields[i].unit, fields[i].what);
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
