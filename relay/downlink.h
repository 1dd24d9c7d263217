/* SPDX-License-Identifier: MIT */
/* downlink.h - what the cloud sends back, onto the device's disk. */
#ifndef RELAY_DOWNLINK_H
#define RELAY_DOWNLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_downlink;

/* What the cloud is to be told: SUMMARY_ACK of an id. */
struct relay_answer {
	bool answer;
	char id[33];
	int status; /* 0: on disk; else -errno */
};

/*
 * state: directory under which summaries/CAMERA/YYYY-MM-DD/ID/ are made. announce(arg, path, id):
 * one is complete. NULL and -errno in *err if the directory cannot be made or written.
 */
struct relay_downlink *relay_downlink_open(const char *state,
					   void (*announce)(void *arg, const char *path,
							    const char *id, const char *camera),
					   void *arg, int *err);
/* NULL-safe. What is not complete is removed. */
void relay_downlink_close(struct relay_downlink *dl);

/* Payloads of SUMMARY, PART, EVENT. camera: name of the message's slot, or NULL. 0, or -EPROTO: the
 * message is malformed and the link must be closed. */
int relay_downlink_summary(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			   uint32_t length, struct relay_answer *answer);
int relay_downlink_part(struct relay_downlink *dl, const uint8_t *payload, uint32_t length,
			struct relay_answer *answer);
int relay_downlink_event(struct relay_downlink *dl, const char *camera, const uint8_t *payload,
			 uint32_t length, bool print);

/* The link is gone: what is not complete will be sent again from its start. */
void relay_downlink_link_lost(struct relay_downlink *dl);

#endif
