// SPDX-License-Identifier: MIT
/*
 * CONFIG to a device that is connected, and its CONFIG_RESULT. What was asked last for each camera
 * is remembered while this node runs, ASKS_MAX cameras at most (the one asked longest ago goes); it
 * is a convenience for who asked, the kernel of the device holds the truth.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cloud/session.h"
#include "cloud/settings.h"
#include "lib/log.h"

#define ASKS_MAX   1024
#define JSON_BYTES 4096

struct sluice_settings_asked {
	struct sluice_settings_asked *next; /* newest first */
	char camera[33], request[33];
	json_t *result; /* NULL: no answer yet */
};

static struct sluice_settings_asked *find_asked(const struct sluice_server *s, const char *camera)
{
	struct sluice_settings_asked *a = s->asked;

	while (a && strcmp(a->camera, camera))
		a = a->next;
	return a;
}

/* Forget what was asked for the camera, and what is beyond ASKS_MAX. */
static void forget(struct sluice_server *s, const char *camera)
{
	struct sluice_settings_asked **at = &s->asked, *a;
	unsigned int n = 0;

	while ((a = *at)) {
		if (!strcmp(a->camera, camera) || ++n >= ASKS_MAX) {
			*at = a->next;
			json_decref(a->result);
			free(a);
		} else {
			at = &a->next;
		}
	}
}

/* A live session that has the camera open, and its slot. */
static struct sluice_session *find_camera(struct sluice_server *s, const char *tenant,
					  const char *camera, uint32_t *slot)
{
	struct sluice_session *ss;

	for (ss = s->sessions; ss; ss = ss->next) {
		if (!ss->conn || !ss->greeted || strcmp(ss->who.tenant, tenant))
			continue;
		for (*slot = 1; *slot <= SLUICE_WIRE_SLOTS; ++*slot)
			if (ss->slot[*slot].camera && !strcmp(ss->slot[*slot].camera->hex, camera))
				return ss;
	}
	return NULL;
}

static int check_body(const json_t *body)
{
	const json_t *version = json_object_get(body, "if_version");
	size_t keys = 1 + (version != NULL);

	return json_is_object(json_object_get(body, "settings")) &&
			       json_object_size(body) == keys &&
			       (!version || json_is_integer(version))
		       ? 0
		       : -EINVAL;
}

static int send_config(struct sluice_session *ss, uint32_t slot, const char *text)
{
	uint8_t *buf = malloc(JSON_BYTES + 64);
	struct sluice_wire_writer w = { .buf = buf, .size = JSON_BYTES + 64 };

	if (!buf)
		return -ENOMEM;
	sluice_wire_put_bytes(&w, SLUICE_TAG_JSON, text, strlen(text));
	sluice_session_fields(ss, SLUICE_MSG_CONFIG, slot, &w);
	free(buf);
	return w.err ? -EMSGSIZE : 0;
}

int sluice_settings_ask(struct sluice_server *s, const char *tenant, const char *camera,
			json_t *body, char out[33])
{
	struct sluice_settings_asked *a;
	struct sluice_session *ss;
	uint8_t raw[16];
	uint32_t slot;
	char *text;
	int err = check_body(body);

	if (err)
		return err;
	ss = find_camera(s, tenant, camera, &slot);
	if (!ss)
		return -ENOTCONN;
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -ENOMEM;
	sluice_hex(raw, sizeof(raw), out);
	json_object_set_new(body, "request", json_string(out));
	text = json_dumps(body, JSON_COMPACT);
	a = calloc(1, sizeof(*a));
	err = !text || !a ? -ENOMEM : send_config(ss, slot, text);
	free(text);
	if (err) {
		free(a);
		return err;
	}
	forget(s, camera);
	snprintf(a->camera, sizeof(a->camera), "%s", camera);
	snprintf(a->request, sizeof(a->request), "%s", out);
	a->next = s->asked;
	s->asked = a;
	return 0;
}

json_t *sluice_settings_last(const struct sluice_server *s, const char *camera)
{
	const struct sluice_settings_asked *a = find_asked(s, camera);
	const json_t *r = a ? a->result : NULL;

	if (!a)
		return NULL;
	return json_pack("{s:s,s:s,s:O*,s:O*}", "request", a->request, "state",
			 !r					       ? "asked"
			 : json_is_true(json_object_get(r, "applied")) ? "applied"
								       : "refused",
			 "version", json_object_get(r, "version"), "reason",
			 json_object_get(r, "reason"));
}

int sluice_settings_result(struct sluice_server *s, const struct sluice_camera *c,
			   const uint8_t *json, uint32_t size)
{
	json_t *o = size > JSON_BYTES
			    ? NULL
			    : json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *request = json_string_value(json_object_get(o, "request"));
	const json_t *applied = json_object_get(o, "applied");
	struct sluice_settings_asked *a = find_asked(s, c->hex);

	if (!request || !json_is_boolean(applied)) {
		json_decref(o);
		return -EINVAL;
	}
	if (!a || a->result || strcmp(a->request, request)) {
		json_decref(o);
		return 0;
	}
	a->result = o;
	sluice_info("camera %s: settings are %s", c->name,
		    json_is_true(applied) ? "applied" : "refused by the device");
	return 0;
}

void sluice_settings_clear(struct sluice_server *s)
{
	struct sluice_settings_asked *a;

	while ((a = s->asked)) {
		s->asked = a->next;
		json_decref(a->result);
		free(a);
	}
}
