// SPDX-License-Identifier: MIT
/*
 * What a SUMMARY says. Names come from the cloud and become paths: the id is 32 hex digits, the
 * camera's name and the files' names have their strict alphabets, the date is made from digits.
 * What does not fit is refused.
 */
#include "relay/landing.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool camera_ok(const char *name)
{
	size_t n = strlen(name);

	return n && n < SLUICE_CAMERA_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       n;
}

/* "2026-01-31T..." to its date. */
static bool copy_date(char date[11], const char *start)
{
	if (strlen(start) < 11 || start[10] != 'T')
		return false;
	for (int i = 0; i < 10; i++) {
		bool dash = i == 4 || i == 7;

		if (dash ? start[i] != '-' : start[i] < '0' || start[i] > '9')
			return false;
		date[i] = start[i];
	}
	date[10] = 0;
	return true;
}

/* Camera and date of a summary's JSON, which must be an object with this id. 0 or -EPROTO. */
static int read_json(struct relay_landing *l, const char *camera)
{
	json_t *o = json_loadb((const char *)l->json, l->json_size, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(o, "id"));
	const char *start = json_string_value(json_object_get(o, "start"));
	const char *name = json_string_value(json_object_get(o, "camera"));
	char date[11];
	int err = -EPROTO;

	if (!camera)
		camera = name;
	if (id && start && camera && !strcmp(id, l->id) && camera_ok(camera) &&
	    copy_date(date, start)) {
		snprintf(l->camera, sizeof(l->camera), "%s", camera);
		snprintf(l->day, sizeof(l->day), "%s/%s", l->camera, date);
		err = 0;
	}
	json_decref(o);
	return err;
}

/* The list of files. 0 or -EPROTO. */
static int read_media(struct relay_landing *l)
{
	struct sluice_wire_field field;
	uint64_t total = 0;
	uint32_t at = 0;

	while (sluice_wire_field_next(l->payload, l->payload_size, &at, &field) > 0) {
		struct sluice_wire_media_info *m = &l->media[l->count];

		if (field.tag != SLUICE_TAG_MEDIA)
			continue;
		if (l->count == RELAY_MEDIA_COUNT_MAX || sluice_wire_media_get(&field, m) ||
		    m->index != l->count || !strcmp(m->name, "summary.json"))
			return -EPROTO;
		for (uint32_t i = 0; i < l->count; i++)
			if (!strcmp(l->media[i].name, m->name))
				return -EPROTO;
		if (m->size > RELAY_MEDIA_BYTES_MAX - total)
			return -EPROTO;
		total += m->size;
		l->count++;
	}
	return 0;
}

int relay_landing_read(struct relay_landing *l, const char *camera, const uint8_t *payload,
		       uint32_t length)
{
	struct sluice_wire_fields f;

	l->payload = malloc(length + 1u);
	if (!l->payload)
		return -ENOMEM;
	memcpy(l->payload, payload, length);
	l->payload_size = length;
	if (sluice_wire_fields_get(&f, l->payload, length, 1ull << SLUICE_TAG_MEDIA) ||
	    sluice_wire_get_text(&f, SLUICE_TAG_ID, l->id, sizeof(l->id)) ||
	    !sluice_wire_id_ok(l->id) ||
	    sluice_wire_get_bytes(&f, SLUICE_TAG_JSON, &l->json, &l->json_size) ||
	    read_json(l, camera) || read_media(l))
		return -EPROTO;
	return 0;
}
