/* SPDX-License-Identifier: MIT */
/* sink.h - the threads of the sinks; see sinks.h. */
#ifndef RELAY_SINK_H
#define RELAY_SINK_H

#include "relay/outbox.h"
#include "relay/sinks.h"

/* Monotonic, ns. */
uint64_t relay_sink_now(void);

/* All of a file that holds one secret, without the newline at its end; the caller frees it. NULL
 * and -errno in *err. */
char *relay_sink_secret(const char *path, int *err);

/* Each runs until relay_outbox_ending(). */
void relay_sink_hook(const struct relay_sinks_config *c, struct relay_outbox *box);
void relay_sink_webhook(const struct relay_sinks_config *c, struct relay_outbox *box);

/* What the MQTT sink is told besides summaries. */
struct relay_mqtt_news {
	char camera[32];
	char *json; /* EVENT; NULL: the camera is there */
};

struct relay_sinks;
void relay_sink_mqtt(const struct relay_sinks_config *c, struct relay_outbox *box,
		     struct relay_sinks *s);
/* The next one, whose json the caller frees; false: none. */
bool relay_sinks_news(struct relay_sinks *s, struct relay_mqtt_news *out);

#endif
