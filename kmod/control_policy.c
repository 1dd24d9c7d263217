// SPDX-License-Identifier: GPL-2.0
/*
 * control_policy.c - which attributes each netlink command takes, and how settings are read.
 *
 * Strict validation: unknown attributes, attributes that a command does not list, wrong lengths and
 * unterminated strings are refused by the netlink core before our code runs.
 */
#include "compat.h"
#include "control.h"

#define SETTING(name) [SLUICE_SETTING_##name] = { .type = NLA_U32 }

/* VERSION is in answers only, so it is not here. */
static const struct nla_policy settings_policy[SLUICE_SETTING_MAX + 1] = {
	SETTING(PRESET),      SETTING(FLOOR),	   SETTING(K),		 SETTING(MASS),
	SETTING(STRONG),      SETTING(CONFIRM_MS), SETTING(WARMUP_MS),	 SETTING(SCENE_PCT),
	SETTING(ROW_BANDS),   SETTING(RATE_MFPS),  SETTING(PREROLL_MS),	 SETTING(POSTROLL_MS),
	SETTING(KEEPALIVE_MS), SETTING(AUDIT_MS),  SETTING(STALL_MS),
};

static const struct netlink_range_validation arena_range = {
	.min = 1 << 20,
	.max = SLUICE_RING_ARENA_MAX,
};

#define WHICH_CAMERA                                                                               \
	[SLUICE_ATTR_CAMERA] = NLA_POLICY_MAX(NLA_U32, SLUICE_CAMERA_MAX - 1),                     \
	[SLUICE_ATTR_NAME] = { .type = NLA_NUL_STRING, .len = SLUICE_CAMERA_NAME_SIZE - 1 }
#define SETTINGS [SLUICE_ATTR_SETTINGS] = NLA_POLICY_NESTED(settings_policy)
#define MASKS                                                                                      \
	[SLUICE_ATTR_PRIVACY] = { .type = NLA_BINARY, .len = SLUICE_CELLS_MAX / 8 },               \
	[SLUICE_ATTR_THRESHOLDS] = { .type = NLA_BINARY, .len = U16_MAX - NLA_HDRLEN }

const struct nla_policy sluice_policy_get[SLUICE_ATTR_MAX + 1] = {
	WHICH_CAMERA,
};

const struct nla_policy sluice_policy_camera[SLUICE_ATTR_MAX + 1] = {
	WHICH_CAMERA,
};

const struct nla_policy sluice_policy_attach[SLUICE_ATTR_MAX + 1] = {
	[SLUICE_ATTR_NAME] = { .type = NLA_NUL_STRING, .len = SLUICE_CAMERA_NAME_SIZE - 1 },
	[SLUICE_ATTR_MODE] = NLA_POLICY_RANGE(NLA_U32, SLUICE_MODE_TAP, SLUICE_MODE_CAPTURE),
	[SLUICE_ATTR_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[SLUICE_ATTR_ARENA] = NLA_POLICY_FULL_RANGE(NLA_U64, &arena_range),
	SETTINGS,
	MASKS,
};

const struct nla_policy sluice_policy_set[SLUICE_ATTR_MAX + 1] = {
	WHICH_CAMERA,
	[SLUICE_ATTR_IF_VERSION] = { .type = NLA_U32 },
	SETTINGS,
};

const struct nla_policy sluice_policy_mask[SLUICE_ATTR_MAX + 1] = {
	WHICH_CAMERA,
	[SLUICE_ATTR_IF_VERSION] = { .type = NLA_U32 },
	MASKS,
};

/* The preset comes first: single values beside it change it. */
static int take_preset(struct sluice_settings *s, const struct nlattr *a)
{
	u32 preset;

	if (!a)
		return 0;
	preset = nla_get_u32(a);
	if (preset > SLUICE_PRESET_HIGH)
		return -EINVAL;
	sluice_gate_preset(&s->gate, preset);
	s->preset = preset;
	return 0;
}

int sluice_control_settings(struct sluice_settings *s, const struct nlattr *nest,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[SLUICE_SETTING_MAX + 1];
	const struct {
		u32 id;
		u32 *value;
		bool gate;
	} field[] = {
		{ SLUICE_SETTING_FLOOR, &s->gate.floor, true },
		{ SLUICE_SETTING_K, &s->gate.k, true },
		{ SLUICE_SETTING_MASS, &s->gate.mass, true },
		{ SLUICE_SETTING_STRONG, &s->gate.strong, true },
		{ SLUICE_SETTING_CONFIRM_MS, &s->gate.confirm_ms, true },
		{ SLUICE_SETTING_WARMUP_MS, &s->gate.warmup_ms, true },
		{ SLUICE_SETTING_SCENE_PCT, &s->gate.scene_pct, true },
		{ SLUICE_SETTING_ROW_BANDS, &s->gate.row_bands, true },
		{ SLUICE_SETTING_RATE_MFPS, &s->rate_mfps, false },
		{ SLUICE_SETTING_PREROLL_MS, &s->preroll_ms, false },
		{ SLUICE_SETTING_POSTROLL_MS, &s->postroll_ms, false },
		{ SLUICE_SETTING_KEEPALIVE_MS, &s->keepalive_ms, false },
		{ SLUICE_SETTING_AUDIT_MS, &s->audit_ms, false },
		{ SLUICE_SETTING_STALL_MS, &s->stall_ms, false },
	};
	const char *wrong;
	int rc;
	u32 i;

	rc = nla_parse_nested(tb, SLUICE_SETTING_MAX, nest, settings_policy, extack);
	if (rc)
		return rc;
	rc = take_preset(s, tb[SLUICE_SETTING_PRESET]);
	if (rc) {
		NL_SET_ERR_MSG_FMT(extack, "preset is 0 (low), 1 (medium) or 2 (high)");
		return rc;
	}
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		if (!tb[field[i].id])
			continue;
		*field[i].value = nla_get_u32(tb[field[i].id]);
		if (field[i].gate)
			s->preset = ~0u;
	}
	wrong = sluice_settings_check(s);
	if (!wrong)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "out of range: %s", wrong);
	return -EINVAL;
}
