// SPDX-License-Identifier: GPL-2.0
/*
 * control_policy.c - which attributes each netlink command takes, and how settings are read.
 *
 * Strict validation: unknown attributes, attributes that a command does not list, wrong lengths and
 * unterminated strings are refused by the netlink core before our code runs.
 */
#include "compat.h"
#include "control.h"

/* VERSION is in answers only, so it is not here. */
static const struct nla_policy settings_policy[SLUICE_SETTING_MAX + 1] = {
	[SLUICE_SETTING_PRESET] = { .type = NLA_U32 },
	[SLUICE_SETTING_FLOOR] = { .type = NLA_U32 },
	[SLUICE_SETTING_K] = { .type = NLA_U32 },
	[SLUICE_SETTING_MASS] = { .type = NLA_U32 },
	[SLUICE_SETTING_STRONG] = { .type = NLA_U32 },
	[SLUICE_SETTING_CONFIRM_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_WARMUP_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_SCENE_PCT] = { .type = NLA_U32 },
	[SLUICE_SETTING_ROW_BANDS] = { .type = NLA_U32 },
	[SLUICE_SETTING_RATE_MFPS] = { .type = NLA_U32 },
	[SLUICE_SETTING_PREROLL_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_POSTROLL_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_KEEPALIVE_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_AUDIT_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_STALL_MS] = { .type = NLA_U32 },
	[SLUICE_SETTING_TAMPER] = { .type = NLA_U32 },
};

static struct netlink_range_validation arena_range = {
	.min = 1 << 20,
	.max = SLUICE_RING_ARENA_MAX,
};

#define NAME_POLICY                                                        \
	{                                                                  \
		.type = NLA_NUL_STRING, .len = SLUICE_CAMERA_NAME_SIZE - 1 \
	}
#define PRIVACY_POLICY                                          \
	{                                                       \
		.type = NLA_BINARY, .len = SLUICE_CELLS_MAX / 8 \
	}
#define THRESHOLDS_POLICY                                       \
	{                                                       \
		.type = NLA_BINARY, .len = U16_MAX - NLA_HDRLEN \
	}

const struct nla_policy sluice_policy_camera[SLUICE_ATTR_MAX + 1] = {
	[SLUICE_ATTR_CAMERA] = NLA_POLICY_MAX(NLA_U32, SLUICE_CAMERA_MAX - 1),
	[SLUICE_ATTR_NAME] = NAME_POLICY,
};

const struct nla_policy sluice_policy_attach[SLUICE_ATTR_MAX + 1] = {
	[SLUICE_ATTR_NAME] = NAME_POLICY,
	[SLUICE_ATTR_MODE] = NLA_POLICY_RANGE(NLA_U32, SLUICE_MODE_TAP, SLUICE_MODE_CAPTURE),
	[SLUICE_ATTR_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[SLUICE_ATTR_ARENA] = NLA_POLICY_FULL_RANGE(NLA_U64, &arena_range),
	[SLUICE_ATTR_SETTINGS] = NLA_POLICY_NESTED(settings_policy),
	[SLUICE_ATTR_PRIVACY] = PRIVACY_POLICY,
	[SLUICE_ATTR_THRESHOLDS] = THRESHOLDS_POLICY,
};

const struct nla_policy sluice_policy_set[SLUICE_ATTR_MAX + 1] = {
	[SLUICE_ATTR_CAMERA] = NLA_POLICY_MAX(NLA_U32, SLUICE_CAMERA_MAX - 1),
	[SLUICE_ATTR_NAME] = NAME_POLICY,
	[SLUICE_ATTR_IF_VERSION] = { .type = NLA_U32 },
	[SLUICE_ATTR_SETTINGS] = NLA_POLICY_NESTED(settings_policy),
};

const struct nla_policy sluice_policy_mask[SLUICE_ATTR_MAX + 1] = {
	[SLUICE_ATTR_CAMERA] = NLA_POLICY_MAX(NLA_U32, SLUICE_CAMERA_MAX - 1),
	[SLUICE_ATTR_NAME] = NAME_POLICY,
	[SLUICE_ATTR_IF_VERSION] = { .type = NLA_U32 },
	[SLUICE_ATTR_PRIVACY] = PRIVACY_POLICY,
	[SLUICE_ATTR_THRESHOLDS] = THRESHOLDS_POLICY,
};

int sluice_control_settings(struct sluice_settings *s, const struct nlattr *nest,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[SLUICE_SETTING_MAX + 1];
	u32 i;
	int rc;

	rc = nla_parse_nested(tb, SLUICE_SETTING_MAX, nest, settings_policy, extack);
	/* In the order of their numbers: the preset first, single values beside it change it. */
	for (i = SLUICE_SETTING_PRESET; !rc && i <= SLUICE_SETTING_MAX; i++) {
		if (!tb[i])
			continue;
		rc = sluice_settings_set(s, i, nla_get_u32(tb[i]));
		if (rc)
			NL_SET_ERR_MSG_FMT_MOD(extack, "out of range; %s",
					       sluice_setting_infos[i].range);
	}
	return rc;
}
