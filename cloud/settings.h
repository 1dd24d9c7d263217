/* SPDX-License-Identifier: MIT */
/* settings.h - settings asked of a device, and what it answered. Any loop's thread. */
#ifndef SLUICE_SETTINGS_ASK_H
#define SLUICE_SETTINGS_ASK_H

#include <jansson.h>

#include "cloud/server.h"

struct sluice_settings;

struct sluice_settings *sluice_settings_open(void); /* NULL: out of memory */
void sluice_settings_close(struct sluice_settings *t);

/*
 * Ask for the camera of that id (hex): body is {"settings":{...},"if_version":N}, checked for shape
 * only; the device has the last word. 0 and the request's name in out; -EINVAL: the body's shape;
 * -ENOTCONN: its device is not connected, or has it not open; -ENOMEM; -EMSGSIZE.
 */
int sluice_settings_ask(struct sluice_server *s, const char *tenant, const char *camera,
			json_t *body, char out[33]);

/* The last request for a camera as {"request","state":"asked|applied|refused","version","reason"};
 * a new reference, NULL: none since this node began. */
json_t *sluice_settings_last(const struct sluice_server *s, const char *camera);

/* CONFIG_RESULT of a device. -EINVAL: malformed; one that was not asked for is passed over. */
int sluice_settings_result(struct sluice_server *s, const struct sluice_camera *c,
			   const uint8_t *json, uint32_t size);

#endif
