/* SPDX-License-Identifier: MIT */
/*
 * sinks.h - who is told about summaries: a hook program, an MQTT broker, a webhook. Each has a
 * thread and an outbox on disk, so that none of them delays another or the link, and a crash loses
 * no announcement: each is made at least once.
 */
#ifndef RELAY_SINKS_H
#define RELAY_SINKS_H

#include "lib/conf.h"

#include <stdbool.h>
#include <stdint.h>

struct relay_hook_conf {
	const char *program; /* NULL: no hook */
	uint64_t timeout_ms;
	unsigned int parallel;
};

struct relay_mqtt_conf {
	const char *host; /* NULL: no broker */
	int port;
	bool tls;
	const char *ca, *certificate, *key; /* files; ca NULL: the system's */
	const char *user, *password_file;
	const char *device;    /* how this box is called in topics; NULL: its host name */
	const char *prefix;    /* of topics: "sluice" */
	const char *discovery; /* of Home Assistant's: "homeassistant"; "": none */
};

struct relay_webhook_conf {
	const char *url;	 /* NULL: none */
	const char *secret_file; /* signs what is sent; NULL: unsigned */
	const char *ca;		 /* NULL: the system's */
	uint64_t timeout_ms, retry_first_ms, retry_max_ms;
};

struct relay_sinks_config {
	const char *state; /* outbox/ and summaries/ lie there */
	struct relay_hook_conf hook;
	struct relay_mqtt_conf mqtt;
	struct relay_webhook_conf webhook;
};

/* The sections [hook], [mqtt] and [webhook]. Strings are those of conf. */
void relay_sinks_conf(struct relay_sinks_config *c, struct sluice_conf *conf);

/* What is wrong with the settings, or NULL. */
const char *relay_sinks_check(const struct relay_sinks_config *c);

struct relay_sinks;

/* Starts threads: after signals are blocked. c and its strings stay the caller's and must stay.
 * NULL and -errno in *err, text in why. */
struct relay_sinks *relay_sinks_open(const struct relay_sinks_config *c, int *err, char *why,
				     unsigned int why_size);
/* Ends what is under way, in a few seconds; what is not announced stays in the outbox. NULL-safe.
 */
void relay_sinks_close(struct relay_sinks *s);

/* All below: any thread; s may be NULL. */

/* Note durably that this summary is to be announced; before it gets its name. 0 or -errno. */
int relay_sinks_stage(struct relay_sinks *s, const char *id, const char *day);
/* It has its name. */
void relay_sinks_announce(struct relay_sinks *s, const char *id, const char *day);
/* Is somebody still to be told? */
bool relay_sinks_waiting(struct relay_sinks *s, const char *id);
/* An event has started; told if somebody listens now. json: one line. */
void relay_sinks_event(struct relay_sinks *s, const char *camera, const char *json);
/* A camera is there. */
void relay_sinks_camera(struct relay_sinks *s, const char *camera);

#endif
