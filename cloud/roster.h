/* SPDX-License-Identifier: MIT */
/*
 * roster.h - which device is connected, and in which loop: the way from any thread to a session.
 * A device is in it while it has a link; of those that have said HELLO the newest is the one that
 * counts.
 */
#ifndef SLUICE_CLOUD_ROSTER_H
#define SLUICE_CLOUD_ROSTER_H

#include <stdint.h>

#include "cloud/camera.h"
#include "lib/wire.h"

struct sluice_roster;
struct sluice_server;
struct sluice_session;

struct sluice_roster *sluice_roster_open(void); /* NULL: out of memory */
void sluice_roster_close(struct sluice_roster *r);

/* A link begins. -EUSERS: the device has `most` already; -ENOMEM. */
int sluice_roster_arrive(struct sluice_roster *r, const char *tenant, const char *device,
			 unsigned int most);
/* It is gone. */
void sluice_roster_depart(struct sluice_roster *r, const char *tenant, const char *device);

/* A session of a link that has arrived has said HELLO. Returns the one that it replaces, 0: none.
 */
uint64_t sluice_roster_enter(struct sluice_roster *r, const char *tenant, const char *device,
			     uint64_t session);
/* It is ending; nothing happens if another has replaced it. */
void sluice_roster_leave(struct sluice_roster *r, const char *tenant, const char *device,
			 uint64_t session);
/* It has the camera open in that live slot (1..16). */
void sluice_roster_open_camera(struct sluice_roster *r, uint64_t session,
			       const struct sluice_camera *c, uint32_t slot);

/* The session of a device, 0: not connected. */
uint64_t sluice_roster_find(struct sluice_roster *r, const char *tenant, const char *device);
/* 1: its device is connected and has it open. */
int sluice_roster_has_camera(struct sluice_roster *r, const struct sluice_camera *c);
/* Devices that are connected and have said HELLO. */
unsigned int sluice_roster_count(struct sluice_roster *r);

/* What others are told of a device. */
struct sluice_roster_seen {
	uint64_t since_ns; /* when its link said HELLO, UTC; 0: it is not connected */
	unsigned int count;
	char camera[SLUICE_WIRE_SLOTS][SLUICE_NAME_MAX]; /* that it has open */
};
typedef void (*sluice_roster_seen_fn)(void *ctx, const char *tenant, const char *device,
				      const struct sluice_roster_seen *seen);

void sluice_roster_see(struct sluice_roster *r, const char *tenant, const char *device,
		       struct sluice_roster_seen *seen);
/* Those of a part that are connected, under the lock: fn does not come back here. */
#define SLUICE_ROSTER_PARTS 1024
void sluice_roster_part(struct sluice_roster *r, unsigned int part, sluice_roster_seen_fn fn,
			void *ctx);
/* fn hears that something has changed of a device, in the thread that has changed it, until it is
 * taken away (NULL); then none is under way any more. */
typedef void (*sluice_roster_changed_fn)(void *ctx, const char *tenant, const char *device);
void sluice_roster_watch(struct sluice_roster *r, sluice_roster_changed_fn fn, void *ctx);

/* What is asked of a session; NULL: it left before it could be asked. */
typedef void (*sluice_roster_fn)(struct sluice_session *ss, void *arg);

/* fn in the thread of the session's loop, in order of the calls; arg is fn's. Any thread while the
 * loops are there. 0, -ENOTCONN or -ENOMEM: fn does not come. */
int sluice_roster_call(struct sluice_server *s, const char *tenant, const char *device,
		       sluice_roster_fn fn, void *arg);
/* The same for a session that is known. */
int sluice_roster_call_session(struct sluice_server *s, uint64_t session, sluice_roster_fn fn,
			       void *arg);

#endif
