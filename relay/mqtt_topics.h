/* SPDX-License-Identifier: MIT */
/* mqtt_topics.h - what is said to a broker, as text. */
#ifndef RELAY_MQTT_TOPICS_H
#define RELAY_MQTT_TOPICS_H

#include "relay/sinks.h"

#include <jansson.h>

/* One entity of a camera in Home Assistant. */
struct relay_mqtt_entity {
	char topic[256];
	char *json; /* the caller frees it */
};

#define RELAY_MQTT_ENTITIES 3

/* Discovery of a camera: motion, last summary, key frame. 0 or -ENOMEM, then all are NULL. */
int relay_mqtt_discovery(const struct relay_mqtt_conf *c, const char *device, const char *camera,
			 struct relay_mqtt_entity out[RELAY_MQTT_ENTITIES]);

/* What is shown of a summary: id, title, text, times, short enough for Home Assistant. The caller
 * frees it; NULL: out of memory. */
char *relay_mqtt_last(const json_t *summary);

#endif
