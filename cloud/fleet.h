/* SPDX-License-Identifier: MIT */
/*
 * fleet.h - what operators want of devices, and what devices tell of themselves: DATA/fleet.db, or
 * tables in PostgreSQL that nodes share (people.h), each of which sees what the others do after a
 * second or two. It cannot be made again from the segments, so rebuild-index leaves it alone and a
 * backup copies it.
 *
 * JSON objects by kind, tenant and name. Those that people ask for are durable before put()
 * returns, which waits for the data base; those that devices tell are written every now and then:
 * they come again. Any thread; a loop of a shared fleet puts only what devices tell.
 */
#ifndef SLUICE_FLEET_H
#define SLUICE_FLEET_H

#include <jansson.h>
#include <stdint.h>

#include "cloud/camera.h"

enum sluice_fleet_kind {
	SLUICE_FLEET_GROUP,   /* by its name: {"version","by","at_ns","enforce","devices":[],
			       * "cameras":[],"settings","map"} */
	SLUICE_FLEET_DESIRED, /* by the camera's id: {"version","by","at_ns","settings","map"} */
	SLUICE_FLEET_COMMAND, /* by its request: command.h */
	SLUICE_FLEET_REPORT,  /* by the camera's id: SETTINGS, and device, camera, session, at_ns */
	SLUICE_FLEET_STATE,   /* by the camera's id: plan.h */
	SLUICE_FLEET_DEVICE,  /* by its name: {"build","features","allows","seen_ns"} */
	SLUICE_FLEET_ZONES, /* by the camera's id: {"version","by","at_ns"} and zones.h; people's */
	SLUICE_FLEET_RETUNE, /* by the camera's id: tuner.h */
	SLUICE_FLEET_ASKED,  /* by the camera's id: settings.h */
	SLUICE_FLEET_KINDS
};

#define SLUICE_GROUPS_MAX  256	/* of a tenant */
#define SLUICE_MEMBERS_MAX 4096 /* of a group */

struct sluice_fleet;

/* -errno; what is read was written here, and is checked as if it were not. */
int sluice_fleet_open(const char *path, struct sluice_fleet **out);
void sluice_fleet_close(struct sluice_fleet *f); /* NULL-safe; writes what is not written */

/* *out: a copy, the caller's; NULL unless 0. -ENOENT: there is none; -ENOMEM: that is not known. */
int sluice_fleet_get(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t **out);

/*
 * doc takes the place of the old one; the reference is the fleet's. if_version NULL: whatever is
 * there; 0: only if there is none (-EEXIST); else only over that version (-ESTALE). "version" is
 * set to one more than the old one's. -ENOSPC: too many; or what failed, and the old one stays.
 */
int sluice_fleet_put(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		     const char *name, json_t *doc, const int64_t *if_version);
int sluice_fleet_remove(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
			const char *name, const int64_t *if_version);

/* All of a tenant (NULL: of all), in no order; doc is borrowed, and no other call may be made from
 * fn. Non-zero ends it and is returned. */
int sluice_fleet_each(struct sluice_fleet *f, enum sluice_fleet_kind kind, const char *tenant,
		      int (*fn)(void *ctx, const char *tenant, const char *name, json_t *doc),
		      void *ctx);

struct sluice_analysis_config;

/* The zones and lines of a camera into *c, whose own they replace; there may be none. -ENOMEM: they
 * are not known, and *c is as it was. */
int sluice_fleet_zones(struct sluice_fleet *f, const char *tenant, const char *camera,
		       struct sluice_analysis_config *c);

/* A number that grows with each change of zones: who has looked at them sees that they are others.
 */
uint64_t sluice_fleet_zones_turn(const struct sluice_fleet *f);

/* Told in the fleet's own thread; they must not call the fleet, and all is borrowed. */
struct sluice_fleet_watcher {
	/* Another node has changed what is wanted of cameras of that device. */
	void (*wished)(void *ctx, const char *tenant, const char *device);
	/* Another node has made a command, or given it another state. */
	void (*commanded)(void *ctx, const char *tenant, const char *request, const json_t *doc);
	/* Another node has asked settings of a camera, or been told what became of that. */
	void (*asked)(void *ctx, const char *tenant, const char *camera, const json_t *doc);
};

/* w is told from now on, and stays the caller's; NULL: no more, and nothing is under way. */
void sluice_fleet_watch(struct sluice_fleet *f, const struct sluice_fleet_watcher *w, void *ctx);

/* Writes what devices told since. Every few seconds, of one loop; a fleet that is shared does it by
 * itself. */
void sluice_fleet_flush(struct sluice_fleet *f);

/*
 * What is wanted of a camera: what retuning has applied (tuner.h), over it the group of its device,
 * over it the group of the camera, over it its own; with "versions". from: names of the groups, a
 * new array, unless NULL; *enforce: any of them says so. A new reference, NULL: out of memory (a
 * layer is never left out for it).
 */
json_t *sluice_fleet_wish(struct sluice_fleet *f, const struct sluice_camera *c, json_t **from,
			  int *enforce);

/* The same without what retuning has applied. */
json_t *sluice_fleet_people_wish(struct sluice_fleet *f, const struct sluice_camera *c);

/* The group that has it: a copy of it in *out, its name in name[SLUICE_NAME_MAX]. member: a
 * device's name, or a camera's id. As sluice_fleet_get(). */
int sluice_fleet_group_of(struct sluice_fleet *f, const char *tenant, const char *key,
			  const char *member, char *name, json_t **out);

#endif
