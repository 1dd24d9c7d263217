/* SPDX-License-Identifier: MIT */
/* settings.h - settings that the cloud asks for, to the gates, inside the bounds of the local
 * file. */
#ifndef RELAY_SETTINGS_H
#define RELAY_SETTINGS_H

#include "lib/conf.h"
#include "relay/desk.h"
#include "relay/gate_map.h"
#include "relay/memo.h"

/* What the cloud may set: least..most in the kernel's units; not allowed: nothing. */
struct relay_bound {
	bool allowed;
	uint32_t least, most;
};

struct relay_settings_conf {
	struct relay_bound bound[SLUICE_SETTING_MAX + 1];
	struct relay_map_bounds map;
	bool any;
};

/* The section [settings]: NAME = LOW..HIGH, zones = LOW..HIGH, ignore = PERCENT. 0, or -EINVAL with
 * text in why. */
int relay_settings_conf(struct relay_settings_conf *c, struct sluice_conf *conf, char *why,
			size_t why_size);

struct relay_settings;

struct relay_settings_config {
	struct relay_settings_conf conf;
	struct relay_desk *desk; /* borrowed; closed before this is */
	const struct relay_gate_ops *ops;
	struct relay_memos *memos; /* where the map's name is kept; NULL: nowhere */
	/* the socket of the camera's feed into feed[RELAY_FEED_PATH]; NULL: all are the module's */
	void (*find)(void *arg, const char *camera, char *feed);
	/* CONFIG_RESULT is to be sent: a JSON object */
	void (*result)(void *arg, uint32_t slot, const char *json);
	void *arg;
};

struct relay_settings *relay_settings_open(const struct relay_settings_config *c, int *err);
void relay_settings_close(struct relay_settings *s); /* NULL-safe */

/* JSON of a CONFIG for the camera of that slot (its name; "": none is there); result() follows. s
 * may be NULL: nothing is allowed, nothing is told. 0, or -EPROTO: it is no JSON object. */
int relay_settings_take(struct relay_settings *s, uint32_t slot, const struct relay_camera *c,
			const uint8_t *json, uint32_t size);

#endif
