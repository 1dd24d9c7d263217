/* SPDX-License-Identifier: MIT */
/* downlink.h - what the cloud sends back, onto the device's disk. */
#ifndef RELAY_DOWNLINK_H
#define RELAY_DOWNLINK_H

#include "relay/landing.h"
#include "relay/retention.h"
#include "relay/sinks.h"

struct relay_downlink;

struct relay_downlink_config {
	const char *state; /* directory under which summaries/CAMERA/YYYY-MM-DD/ID/ are made */
	/* NULL: everything is done within the calls, as tests want it; else on a thread of its own.
	 * Only after sluice_io_signals(). */
	struct sluice_io *io;
	const struct relay_retention *retention; /* NULL: nothing is ever removed */
	struct relay_sinks *sinks;		 /* may be NULL */
	/* SUMMARY_ACK is to be sent: 0 on disk, else -errno */
	void (*answer)(void *arg, const char *id, int status);
	/* a summary is complete; may be NULL */
	void (*announce)(void *arg, const char *path, const char *id, const char *camera);
	/* the disk does not keep up: do not read the connection, until it is told again with false.
	 * May be NULL */
	void (*hold)(void *arg, bool hold);
	void *arg;
};

/* NULL and -errno in *err if the directory cannot be made or written. */
struct relay_downlink *relay_downlink_open(const struct relay_downlink_config *c, int *err);
/* NULL-safe. Before the io is closed. What is not complete stays, to be gone on with. */
void relay_downlink_close(struct relay_downlink *dl);

/* For HELLO: the places up to which summaries are here. What the cloud then sends may begin there.
 */
void relay_downlink_offer(struct relay_downlink *dl, struct sluice_wire_writer *w);

/* Payloads of SUMMARY, PART, EVENT. camera: name of the message's slot, or NULL. 0, or -EPROTO: the
 * message is malformed and the link must be closed. */
int relay_downlink_summary(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			   uint32_t length);
int relay_downlink_part(struct relay_downlink *dl, const uint8_t *payload, uint32_t length);
int relay_downlink_event(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			 uint32_t length, bool print);

/* Nothing is on its way to the disk. */
bool relay_downlink_idle(const struct relay_downlink *dl);

/* The link is gone: what is not complete is kept and offered on the next one. */
void relay_downlink_link_lost(struct relay_downlink *dl);

#endif
