/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - what the ingest processes say of themselves, and what the others make of it: who is
 * connected where, and whether devices should go elsewhere. Where there is one process nobody says
 * anything, and roster.h knows all.
 */
#ifndef SLUICE_NODES_H
#define SLUICE_NODES_H

#include <stdbool.h>

#include "cloud/bus.h"
#include "cloud/camera.h"

struct sluice_nodes;
struct sluice_roster;

#define SLUICE_NODES_MAX	 64	    /* of others that are known at a time */
#define SLUICE_NODES_DEVICES_MAX (1u << 20) /* connected elsewhere */

/* How often each is heard of; one that is not heard of for as long is gone. Less only for tests. */
extern unsigned int sluice_nodes_beat_ms, sluice_nodes_life_ms;

struct sluice_nodes_config {
	struct sluice_bus *bus;	      /* borrowed, as all of this */
	struct sluice_roster *roster; /* of this process */
	struct sluice_cameras *cameras;
	const char *node; /* its name */
	bool says;	  /* this process takes devices */
	bool keeps;	  /* it wants to know who is connected elsewhere */
	/* Links more that this process would take; in a thread of nodes. With says. */
	unsigned int (*room)(void *ctx);
	/* So many links should go elsewhere. Likewise. */
	void (*move)(void *ctx, unsigned int links);
	/* A camera has come, or gone, at another process; in a thread of nodes or of the bus, under
	 * a lock: not back here. With keeps. */
	void (*seen)(void *ctx, const struct sluice_camera *c, bool online);
	void *ctx;
};

/* c is copied. *out NULL and 0: nobody has anything to say on this bus. Without the right to hear
 * or say anything the log says so, and this process knows of nobody. */
int sluice_nodes_open(const struct sluice_nodes_config *c, struct sluice_nodes **out);
/* Says that this process is gone. Before the bus's stop(). NULL-safe. */
void sluice_nodes_close(struct sluice_nodes *n);

/* What follows: any thread, NULL-safe (then nobody is anywhere). */

/* 1: connected to another process, whose name is in node (64 bytes) if that is not NULL. */
int sluice_nodes_device(struct sluice_nodes *n, const char *tenant, const char *device, char *node);
/* 1: and has the camera open. */
int sluice_nodes_camera(struct sluice_nodes *n, const struct sluice_camera *c);
/* Other processes that take devices, and devices that are connected to them. */
unsigned int sluice_nodes_count(struct sluice_nodes *n, unsigned int *devices);

#endif
