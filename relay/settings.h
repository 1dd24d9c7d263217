/* SPDX-License-Identifier: MIT */
/* settings.h - settings that the cloud asks for, to the kernel, inside the bounds of the local
 * file. */
#ifndef RELAY_SETTINGS_H
#define RELAY_SETTINGS_H

#include "lib/conf.h"
#include "lib/io.h"

#include <sluice/control.h>

/* What the cloud may set: least..most in the kernel's units; not allowed: nothing. */
struct relay_bound {
	bool allowed;
	uint32_t least, most;
};

struct relay_settings_conf {
	struct relay_bound bound[SLUICE_SETTING_MAX + 1];
	bool any;
};

/* The section [settings]: NAME = LOW..HIGH. 0, or -EINVAL with text in why. */
int relay_settings_conf(struct relay_settings_conf *c, struct sluice_conf *conf, char *why,
			size_t why_size);

struct relay_setting {
	int setting;
	uint32_t value;
};

/*
 * Set them all or none on the camera of that name, if its settings still have the version
 * *if_version (NULL: whichever). May wait. 0 and the version they have now, or -errno and text.
 */
struct relay_settings_ops {
	int (*apply)(void *arg, const char *camera, const uint32_t *if_version,
		     const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		     size_t why_size);
};

/* The kernel's gates, by generic netlink; arg is not used. */
extern const struct relay_settings_ops relay_settings_kernel;

struct relay_settings;

struct relay_settings_config {
	struct relay_settings_conf conf;
	struct sluice_io *io; /* NULL: everything is done within the calls (tests) */
	const struct relay_settings_ops *ops;
	void *ops_arg;
	/* CONFIG_RESULT is to be sent: a JSON object */
	void (*result)(void *arg, uint32_t slot, const char *json);
	void *arg;
};

struct relay_settings *relay_settings_open(const struct relay_settings_config *c, int *err);
void relay_settings_close(struct relay_settings *s); /* NULL-safe; before the io is closed */

/* JSON of a CONFIG for the camera of that slot; result() follows. s may be NULL: nothing is
 * allowed, nothing is told. 0, or -EPROTO: it is no JSON object. */
int relay_settings_take(struct relay_settings *s, uint32_t slot, const char *camera,
			const uint8_t *json, uint32_t size);

#endif
