/* SPDX-License-Identifier: MIT */
/* commands.h - COMMAND of the cloud: what may be asked of this device, and how it is answered. */
#ifndef RELAY_COMMANDS_H
#define RELAY_COMMANDS_H

#include "lib/conf.h"
#include "relay/desk.h"
#include "relay/gate.h"
#include "relay/memo.h"

#include <jansson.h>

enum relay_command {
	RELAY_DESCRIBE, /* what this device is and how it does */
	RELAY_SNAPSHOT, /* a camera: a frame now */
	RELAY_PAUSE,	/* a camera: what its gate lets through is dropped */
	RELAY_RESUME,	/* allowed where pause is */
	RELAY_LOGS,	/* the newest lines of this program's log */
	RELAY_COMMANDS
};

/* The words of COMMAND, in the order of the enum. */
extern const char *const relay_command_names[RELAY_COMMANDS];

/*
 * [commands] allow = WORD, WORD...: describe, snapshot, pause, logs; all, none. Default: describe,
 * snapshot. Bits by enum relay_command. 0, or -EINVAL and why.
 */
int relay_commands_conf(uint32_t *allow, struct sluice_conf *conf, char *why, size_t why_size);

/* Words for HELLO, with blanks between; what: bits. */
void relay_commands_words(uint32_t what, char *out, size_t size);

struct relay_commands;

struct relay_commands_config {
	uint32_t allow;
	struct sluice_io *io;	     /* NULL: no deadlines (tests) */
	struct relay_desk *desk;     /* borrowed; closed before this is */
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	struct relay_memos *memos;
	const struct relay_gate_ops *ops;
	/* the socket of the camera's feed into feed[RELAY_FEED_PATH]; NULL: all are the module's */
	void (*find)(void *arg, const char *camera, char *feed);
	json_t *(*describe)(void *arg); /* a new reference; NULL: out of memory */
	/* COMMAND_RESULT; 0, -EMSGSIZE, or -errno: keep it until linked() */
	int (*send)(void *arg, const char *json);
	void *arg;
};

/* NULL: out of memory. */
struct relay_commands *relay_commands_open(const struct relay_commands_config *c);
void relay_commands_close(struct relay_commands *s); /* NULL-safe */

/* JSON of a COMMAND. c may be NULL: nothing is told. 0, or -EPROTO: it is no JSON object. */
int relay_commands_take(struct relay_commands *s, const uint8_t *json, uint32_t size);
/* Something is in that camera's ring: is it the frame that was asked for? */
void relay_commands_look(struct relay_commands *s, const struct relay_camera *c);
/* The link is up again: answers that could not be sent are. */
void relay_commands_linked(struct relay_commands *s);
/* After a reload: what is allowed from now on. */
void relay_commands_allow(struct relay_commands *s, uint32_t allow);

#endif
