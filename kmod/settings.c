// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * settings.c - the settings of one camera: defaults, limits, names. One table serves the netlink
 * family, sluice-feed and the relay, so that a limit is written down once.
 */
#include "frame.h"

#define RANGE(path, text, low, high, zero_too)                                                \
	{                                                                                     \
		.name = text, .range = text ": " zero_too #low ".." #high,                    \
		.offset = offsetof(struct sluice_settings, path), .least = low, .most = high, \
		.zero = sizeof(zero_too) > 1,                                                 \
	}
#define SETTING(member, low, high)	   RANGE(member, #member, low, high, "")
#define SETTING_OR_ZERO(member, low, high) RANGE(member, #member, low, high, "0, ")
#define GATE_SETTING(member, low, high)	   RANGE(gate.member, #member, low, high, "")

const struct sluice_setting_info sluice_setting_infos[SLUICE_SETTING_MAX + 1] = {
	[SLUICE_SETTING_PRESET] = { .name = "preset",
				    .range = "preset: 0 low, 1 medium, 2 high",
				    .offset = offsetof(struct sluice_settings, preset),
				    .most = SLUICE_PRESET_HIGH },
	[SLUICE_SETTING_FLOOR] = GATE_SETTING(floor, 256, 16384),
	[SLUICE_SETTING_K] = GATE_SETTING(k, 16, 1024),
	[SLUICE_SETTING_MASS] = GATE_SETTING(mass, 16, 4096),
	[SLUICE_SETTING_STRONG] = GATE_SETTING(strong, 64, 65535),
	[SLUICE_SETTING_CONFIRM_MS] = GATE_SETTING(confirm_ms, 0, 1000),
	[SLUICE_SETTING_WARMUP_MS] = GATE_SETTING(warmup_ms, 200, 60000),
	[SLUICE_SETTING_SCENE_PCT] = GATE_SETTING(scene_pct, 10, 100),
	[SLUICE_SETTING_ROW_BANDS] = GATE_SETTING(row_bands, 0, 1),
	[SLUICE_SETTING_RATE_MFPS] = SETTING(rate_mfps, 0, 240000),
	[SLUICE_SETTING_PREROLL_MS] = SETTING(preroll_ms, 0, 30000),
	[SLUICE_SETTING_POSTROLL_MS] = SETTING(postroll_ms, 0, 60000),
	[SLUICE_SETTING_KEEPALIVE_MS] = SETTING_OR_ZERO(keepalive_ms, 1000, 3600000),
	[SLUICE_SETTING_AUDIT_MS] = SETTING_OR_ZERO(audit_ms, 1000, 86400000),
	[SLUICE_SETTING_STALL_MS] = SETTING(stall_ms, 1000, 600000),
	[SLUICE_SETTING_TAMPER] = SETTING(tamper, 0, 1),
};

void sluice_settings_default(struct sluice_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->version = 1;
	s->preset = SLUICE_PRESET_MEDIUM;
	sluice_gate_preset(&s->gate, SLUICE_PRESET_MEDIUM);
	s->rate_mfps = 5000;
	s->preroll_ms = 5000;
	s->postroll_ms = 5000;
	s->keepalive_ms = 60000;
	s->audit_ms = 60000;
	s->stall_ms = 10000;
	s->tamper = 1;
}

static bool value_fits(const struct sluice_setting_info *info, u32 value)
{
	return (info->zero && !value) || (value >= info->least && value <= info->most);
}

static u32 *setting_word(struct sluice_settings *s, const struct sluice_setting_info *info)
{
	return (u32 *)((u8 *)s + info->offset);
}

const char *sluice_settings_check(const struct sluice_settings *s)
{
	u32 i;

	for (i = 0; i <= SLUICE_SETTING_MAX; i++) {
		const struct sluice_setting_info *info = &sluice_setting_infos[i];
		const u32 *word = (const u32 *)((const u8 *)s + info->offset);

		if (!info->name || (i == SLUICE_SETTING_PRESET && *word == ~0u))
			continue;
		if (!value_fits(info, *word))
			return info->range;
	}
	return NULL;
}

int sluice_settings_set(struct sluice_settings *s, u32 setting, u32 value)
{
	const struct sluice_setting_info *info;

	if (setting > SLUICE_SETTING_MAX || !sluice_setting_infos[setting].name)
		return -EINVAL;
	info = &sluice_setting_infos[setting];
	if (!value_fits(info, value))
		return -ERANGE;
	*setting_word(s, info) = value;
	if (setting == SLUICE_SETTING_PRESET)
		sluice_gate_preset(&s->gate, value);
	else if (setting <= SLUICE_SETTING_ROW_BANDS)
		s->preset = ~0u;
	return 0;
}
