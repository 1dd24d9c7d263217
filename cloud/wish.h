/* SPDX-License-Identifier: MIT */
/*
 * wish.h - settings that an operator wants, as JSON: {"settings":{NAME:VALUE,...},"map":MAP}, both
 * may be absent. Names and units are those of `sluicectl set`, MAP is that of docs/protocol.md 7.
 * No input or output.
 */
#ifndef SLUICE_WISH_H
#define SLUICE_WISH_H

#include <jansson.h>
#include <stddef.h>

#define SLUICE_WISH_ID 33 /* with its NUL */

/* NULL, or what is wrong with it, static: for people. Whether a value is within limits is the
 * device's to say. */
const char *sluice_wish_check(const json_t *wish);

/*
 * One over the other, later ones win, key by key; NULLs are passed over. A preset takes the single
 * values of the gate below it away, and one of these takes away a preset below it: together they
 * would mean nothing. A new reference.
 */
json_t *sluice_wish_merge(const json_t *const *layer, size_t count);

/* Nothing is wanted. */
int sluice_wish_empty(const json_t *wish);

/* The name of a map: "none" for null, else 32 hex digits of what it is. */
void sluice_wish_map_id(const json_t *map, char id[SLUICE_WISH_ID]);
/* The same of any JSON. */
void sluice_wish_id(const json_t *json, char id[SLUICE_WISH_ID]);

/*
 * Where the settings in force differ: {NAME:{"desired":V,"actual":V|null},...}, "map" with the
 * names of the maps. actual: {"settings":{...},"map":ID}, as SETTINGS tells them. A new reference.
 */
json_t *sluice_wish_drift(const json_t *wish, const json_t *actual);

#endif
