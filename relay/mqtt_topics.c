// SPDX-License-Identifier: MIT
/*
 * Home Assistant finds a camera by retained messages below its discovery topic. All three entities
 * belong to one device, and all are unavailable while PREFIX/DEVICE/status is not "online". Motion
 * goes off by itself after OFF_DELAY_S, should the end of an event never come.
 */
#include "relay/mqtt_topics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFF_DELAY_S 400 /* an event is told at least every 300 s */
#define TITLE_MAX   250 /* a state is at most 255 characters */

/* Identifiers have letters, digits, _ and -. */
static void make_id(char *out, size_t size, const char *device, const char *camera)
{
	snprintf(out, size, "sluice_%s_%s", device, camera);
	for (char *p = out; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p))
			*p = '_';
}

struct entity {
	const char *component, *name, *object;
};

static const struct entity entities[RELAY_MQTT_ENTITIES] = {
	{ "binary_sensor", "Motion", "motion" },
	{ "sensor", "Last summary", "last" },
	{ "image", "Key frame", "keyframe" },
};

/* What only this kind of entity has. Takes nothing. */
static json_t *own_keys(int i, const char *base)
{
	char topic[200];

	snprintf(topic, sizeof(topic), "%s/%s", base, entities[i].object);
	if (i == 0)
		return json_pack("{s:s,s:s,s:s,s:s,s:i}", "state_topic", topic, "device_class",
				 "motion", "payload_on", "ON", "payload_off", "OFF", "off_delay",
				 OFF_DELAY_S);
	if (i == 1)
		return json_pack("{s:s,s:s,s:s,s:s}", "state_topic", topic, "value_template",
				 "{{ value_json.title }}", "json_attributes_topic", topic, "icon",
				 "mdi:cctv");
	return json_pack("{s:s,s:s}", "image_topic", topic, "content_type", "image/jpeg");
}

static char *make_entity(int i, const struct relay_mqtt_conf *c, const char *device,
			 const char *camera)
{
	char id[160], unique[200], base[160], status[160], *text;
	json_t *o;

	make_id(id, sizeof(id), device, camera);
	snprintf(unique, sizeof(unique), "%s_%s", id, entities[i].object);
	snprintf(base, sizeof(base), "%s/%s/%s", c->prefix, device, camera);
	snprintf(status, sizeof(status), "%s/%s/status", c->prefix, device);
	o = json_pack("{s:s,s:s,s:s,s:s,s:{s:[s],s:s,s:s,s:s}}", "name", entities[i].name,
		      "unique_id", unique, "object_id", unique, "availability_topic", status,
		      "device", "identifiers", id, "name", camera, "manufacturer", "Sluice",
		      "model", "camera gate");
	if (o) {
		json_t *own = own_keys(i, base);

		json_object_update(o, own);
		json_decref(own);
	}
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

int relay_mqtt_discovery(const struct relay_mqtt_conf *c, const char *device, const char *camera,
			 struct relay_mqtt_entity out[RELAY_MQTT_ENTITIES])
{
	char id[160];
	bool failed = false;

	make_id(id, sizeof(id), device, camera);
	for (int i = 0; i < RELAY_MQTT_ENTITIES; i++) {
		snprintf(out[i].topic, sizeof(out[i].topic), "%.60s/%s/%s/%s/config", c->discovery,
			 entities[i].component, id, entities[i].object);
		out[i].json = make_entity(i, c, device, camera);
		failed |= !out[i].json;
	}
	for (int i = 0; failed && i < RELAY_MQTT_ENTITIES; i++) {
		free(out[i].json);
		out[i].json = NULL;
	}
	return failed ? -ENOMEM : 0;
}

/* At most max bytes, not within a character. */
static json_t *short_text(const json_t *o, const char *key, size_t max)
{
	const char *s = json_string_value(json_object_get(o, key));
	size_t n = s ? strlen(s) : 0;

	if (n > max) {
		n = max;
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	return json_stringn(s ? s : "", n);
}

char *relay_mqtt_last(const json_t *summary)
{
	static const char *const kept[] = { "id",    "camera",	  "kind",	 "start",
					    "end",   "reason",	  "confidence",	 "peak_objects",
					    "event", "continued", "threat_level" };
	json_t *o = json_object();
	char *text;

	for (size_t i = 0; o && i < sizeof(kept) / sizeof(kept[0]); i++) {
		json_t *v = json_object_get(summary, kept[i]);

		if (v)
			json_object_set(o, kept[i], v);
	}
	if (o) {
		json_object_set_new(o, "title", short_text(summary, "title", TITLE_MAX));
		json_object_set_new(o, "text", short_text(summary, "text", 1000));
		json_object_set_new(o, "keyframes",
				    json_integer((json_int_t)json_array_size(
					    json_object_get(summary, "keyframes"))));
	}
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}
