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

static struct netlink_range_validation arena_range = {
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
			NL_SET_ERR_MSG_FMT_MOD(extack, "out of range; %s", sluice_setting_infos[i].range);
	}
	return rc;
}
