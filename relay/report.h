/* SPDX-License-Identifier: MIT */
/*
 * report.h - SETTINGS to the cloud: which settings each camera's gate has now, and their version,
 * on each new link and whenever they change, whoever changed them.
 */
#ifndef RELAY_REPORT_H
#define RELAY_REPORT_H

#include "relay/gate.h"
#include "relay/memo.h"

struct relay_report_config {
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	struct relay_desk *desk;     /* borrowed; closed before this goes */
	struct relay_memos *memos;
	const struct relay_gate_ops *ops;
	/* the socket of the camera's feed into feed[RELAY_FEED_PATH] */
	void (*find)(void *arg, const char *camera, char *feed);
	/* 0, or -errno: it is told again later */
	int (*send)(void *arg, uint32_t slot, const char *json);
	void *arg;
};

struct relay_report {
	struct relay_report_config conf;
	struct relay_reported {
		bool told, paused, asking;
		uint32_t version;
		char gate[RELAY_GATE_ID];
		uint64_t again_ns; /* it failed: not before */
	} camera[SLUICE_WIRE_SLOTS];
};

void relay_report_init(struct relay_report *r, const struct relay_report_config *c);
/* A new link knows nothing. */
void relay_report_link(struct relay_report *r);
/* Often: asks the gates whose version has changed; what they answer is sent. */
void relay_report_look(struct relay_report *r, uint64_t now_ns);

#endif
