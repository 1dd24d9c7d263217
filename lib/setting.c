// SPDX-License-Identifier: MIT
/* See setting.h. Limits are those of kmod/settings.c. */
#include "lib/setting.h"

#include <math.h>
#include <sluice/control.h>
#include <stdlib.h>
#include <string.h>

const struct sluice_setting_name sluice_setting_names[SLUICE_SETTING_NAMES] = {
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

const char *const sluice_preset_names[SLUICE_PRESETS] = { "low", "medium", "high" };

const struct sluice_setting_name *sluice_setting_find(const char *name, size_t size)
{
	for (size_t i = 0; i < SLUICE_SETTING_NAMES; i++)
		if (strlen(sluice_setting_names[i].name) == size &&
		    !memcmp(sluice_setting_names[i].name, name, size))
			return &sluice_setting_names[i];
	return NULL;
}

bool sluice_setting_parse(const struct sluice_setting_name *n, const char *text, uint32_t *value)
{
	char *end;
	double v;

	if (n->setting == SLUICE_SETTING_PRESET) {
		for (uint32_t i = 0; i < SLUICE_PRESETS; i++)
			if (!strcmp(text, sluice_preset_names[i])) {
				*value = i;
				return true;
			}
		return false;
	}
	v = strtod(text, &end);
	if (end == text || *end || !(v >= 0) || v * n->unit > 4e9)
		return false;
	*value = (uint32_t)llround(v * n->unit);
	return true;
}
