/* SPDX-License-Identifier: MIT */
/* setting.h - the settings of a gate as people and JSON name them, in units that people use. */
#ifndef SLUICE_LIB_SETTING_H
#define SLUICE_LIB_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_setting_name {
	const char *name;
	int setting; /* enum sluice_setting */
	double unit; /* kernel value = typed value * unit */
	const char *what;
};

#define SLUICE_SETTING_NAMES 16
#define SLUICE_PRESETS	     3

extern const struct sluice_setting_name sluice_setting_names[SLUICE_SETTING_NAMES];
extern const char *const sluice_preset_names[SLUICE_PRESETS];

/* By the first size bytes of name; NULL: there is none. */
const struct sluice_setting_name *sluice_setting_find(const char *name, size_t size);

/* Typed text ("2.5", "medium") to the kernel's value; false: it is none. Limits are not looked at.
 */
bool sluice_setting_parse(const struct sluice_setting_name *n, const char *text, uint32_t *value);

#endif
