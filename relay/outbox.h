/* SPDX-License-Identifier: MIT */
/* outbox.h - what one sink has still to announce: state/outbox/SINK/ID, durable. */
#ifndef RELAY_OUTBOX_H
#define RELAY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

struct relay_outbox;

/* A summary that is to be announced. */
struct relay_notice {
	char id[33];
	char day[64];	 /* "CAMERA/YYYY-MM-DD" */
	char camera[32]; /* of it */
};

/* What an earlier run has left is there to be taken. NULL and -errno. */
struct relay_outbox *relay_outbox_open(const char *state, const char *sink, int *err);
void relay_outbox_close(struct relay_outbox *o); /* NULL-safe */

/* Any thread. */
int relay_outbox_stage(struct relay_outbox *o, const char *id, const char *day);
void relay_outbox_ready(struct relay_outbox *o, const char *id, const char *day);
bool relay_outbox_waiting(struct relay_outbox *o, const char *id);
/* The sink's thread shall look up: there is something, or it shall end. */
void relay_outbox_wake(struct relay_outbox *o);
void relay_outbox_end(struct relay_outbox *o);
bool relay_outbox_ending(struct relay_outbox *o);

/* The sink's thread. fd becomes readable by ready(), wake() and end(); quiet() makes it unreadable.
 */
int relay_outbox_fd(struct relay_outbox *o);
void relay_outbox_quiet(struct relay_outbox *o);
bool relay_outbox_take(struct relay_outbox *o, struct relay_notice *n);
/* Later again, behind the others. */
void relay_outbox_again(struct relay_outbox *o, const struct relay_notice *n);
/* It was announced, or given up. */
void relay_outbox_done(struct relay_outbox *o, const struct relay_notice *n);
/* Path of a file of the summary's directory; file "": the directory. */
void relay_outbox_path(const struct relay_outbox *o, const struct relay_notice *n, const char *file,
		       char *out, size_t size);
/* Wait until the fd is readable, at most timeout_ms (-1: for ever). */
void relay_outbox_wait(struct relay_outbox *o, int timeout_ms);

#endif
