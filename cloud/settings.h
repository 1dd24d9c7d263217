/* SPDX-License-Identifier: MIT */
/*
 * settings.h - settings asked of a device once, and what it answered. Any loop's thread.
 *
 * The last request for a camera is in the fleet by the camera's id: {"request","state","asked_ns",
 * "version","reason"}; state: "asked", then "applied" or "refused". "unanswered": it is refused
 * because no answer came in time; one that comes later is taken all the same. Where the device is
 * connected to another process it has "ask" as well, what is to be sent, until that process, which
 * sees it in the fleet that they share, takes it and sends it.
 */
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
 * -ENOTCONN: its device is connected to no process, or has it not open; -ENOMEM; -EMSGSIZE.
 */
int sluice_settings_ask(struct sluice_server *s, const char *tenant, const char *camera,
			json_t *body, char out[33]);

/* The last request for a camera as {"request","state","version","reason"}; a new reference, NULL:
 * there is none. */
json_t *sluice_settings_last(const struct sluice_server *s, const struct sluice_camera *c);

/* CONFIG_RESULT of a device. -EINVAL: malformed; one that was not asked for is passed over. */
int sluice_settings_result(struct sluice_server *s, const struct sluice_camera *c,
			   const uint8_t *json, uint32_t size);

/* Another process has asked, or been answered: it goes to the device if that is connected here, and
 * its end to those who watch here. In the fleet's thread. */
void sluice_settings_changed(struct sluice_server *s, const char *tenant, const char *camera,
			     const json_t *doc);

/* Every second or so, of one loop: those that nobody has answered in time. */
void sluice_settings_watch(struct sluice_server *s);

#endif
