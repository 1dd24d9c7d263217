/* SPDX-License-Identifier: MIT */
/*
 * gate.h - what a camera's gate can be asked for: the module's by generic netlink, a feed's at its
 * control socket. The calls may wait and are made on the desk's thread; why gets a sentence when
 * they fail.
 */
#ifndef RELAY_GATE_H
#define RELAY_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sluice/control.h>

#define RELAY_FEED_PATH 128

struct relay_gate {
	char camera[SLUICE_CAMERA_NAME_SIZE];
	char feed[RELAY_FEED_PATH]; /* the socket of its feed; "": it is the module's */
};

struct relay_setting {
	int setting; /* enum sluice_setting */
	uint32_t value;
};

struct relay_gate_state {
	uint32_t setting[SLUICE_SETTING_MAX + 1]; /* VERSION too */
	uint32_t width, height, grid_w, grid_h;	  /* 0: no picture yet */
	bool map_told;				  /* the gate tells which map it has */
	uint32_t map_crc; /* CRC-32C of the threshold map in force; 0: none */
};

/* if_version: only if the settings have this version still, else -ESTALE; NULL: whichever. */
struct relay_gate_ops {
	int (*read)(const struct relay_gate *g, struct relay_gate_state *s, char *why, size_t size);
	/* All or none. The version they have then in *version. */
	int (*set)(const struct relay_gate *g, const uint32_t *if_version,
		   const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		   size_t size);
	/* A threshold byte a cell; cells 0: the map goes. */
	int (*map)(const struct relay_gate *g, const uint32_t *if_version, const uint8_t *map,
		   size_t cells, uint32_t *version, char *why, size_t size);
	int (*snapshot)(const struct relay_gate *g, char *why, size_t size);
};

extern const struct relay_gate_ops relay_gate_kernel; /* gate_kernel.c */
extern const struct relay_gate_ops relay_gate_feed;   /* gate_feed.c */
extern const struct relay_gate_ops relay_gate_any;    /* the one or the other, by feed */

#endif
