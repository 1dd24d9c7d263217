/* SPDX-License-Identifier: MIT */
/* api_fleet.h - what the routes of devices, groups and desired settings share. */
#ifndef SLUICE_API_FLEET_H
#define SLUICE_API_FLEET_H

#include "cloud/api_call.h"
#include "cloud/fleet.h"

/* The camera of that id if the caller may see it; else -errno after a 404 (or 500). */
int sluice_fleet_find_camera(struct sluice_call *c, const char *id, struct sluice_camera *camera);

/*
 * If-Match: "N" and If-None-Match: * for sluice_fleet_put(). *if_version: where to put it, NULL: no
 * condition was given. 0, or -EINVAL after a 400.
 */
int sluice_call_match(struct sluice_call *c, int64_t *version, const int64_t **if_version);

/* What a failed put() or remove() means: 404, 409, 412, 507 or as sluice_answer_error(). */
void sluice_answer_put(struct sluice_call *c, int err);

/* 200 or 201 with the document and its version as ETag. Takes the reference. */
void sluice_answer_document(struct sluice_call *c, int status, json_t *json);

/* The link and the settings of a camera: "desired" and the rest, see docs/api.md. A new reference;
 * NULL: out of memory. */
json_t *sluice_fleet_camera_json(struct sluice_call *c, const struct sluice_camera *camera);

/* The cameras that the caller may see, as arrays by their device's name. A new reference; NULL:
 * what they are cannot be read. */
json_t *sluice_fleet_cameras_json(struct sluice_call *c);

/* Adds what the fleet knows of a device to its row of the list. cameras: as made above, NULL is an
 * error too. 0, -ENOMEM. */
int sluice_fleet_device_json(struct sluice_call *c, const char *device, const json_t *cameras,
			     json_t *row);

/* Removes from a JSON body the keys settings and map into a new document, checked. NULL after a
 * 400; keys: how many others there are, at most. */
json_t *sluice_call_wish(struct sluice_call *c, const json_t *body, const char *const *also,
			 size_t also_count);

/* RFC 3339 of an integer of ns; null for 0. A new reference. */
json_t *sluice_fleet_time(const json_t *ns);

#endif
