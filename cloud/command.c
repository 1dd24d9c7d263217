// SPDX-License-Identifier: MIT
/*
 * A command is durable as "sent" before it goes to the device's loop, so that a cloud that dies in
 * between tells later that there was no answer, rather than nothing. It is never sent twice: who
 * asked decides whether to ask again.
 *
 * Asked for at a process that the device is not connected to, it waits in the fleet that the
 * processes share, for half a second on average, until the one that holds the link sees it there.
 * That one marks it as taken in its memory before it sends it, and in the data base soon after; so
 * it goes down once, whatever is read from there again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cloud/api_state.h"
#include "cloud/command.h"
#include "cloud/nodes.h"
#include "cloud/stream.h"
#include "lib/log.h"

#define RESULT_MAX (256u << 10)
#define DEADLINE_S 10
#define GRACE_NS   2000000000ull /* for the way there and back */
#define ASK_MAX	   960		 /* bytes of what is sent */
#define SEC_NS	   1000000000ull

/* On its way to the device's loop. */
struct errand {
	struct sluice_server *server;
	char tenant[SLUICE_NAME_MAX], request[33];
	char text[];
};

/* Told to those who watch. */
static void tell_command(struct sluice_server *s, const char *tenant, const char *request,
			 const json_t *doc)
{
	json_t *o =
		json_pack("{s:s,s:O,s:O,s:O*,s:O}", "request", request, "device",
			  json_object_get(doc, "device"), "command",
			  json_object_get(doc, "command"), "camera", json_object_get(doc, "camera"),
			  "state", json_object_get(doc, "state"));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text && s->api)
		sluice_stream_tell(s->api->stream, tenant, NULL, "command", text);
	free(text);
	json_decref(o);
}

static void end_command(struct sluice_server *s, const char *tenant, const char *request,
			const char *state, const char *reason, json_t *result)
{
	struct sluice_fleet *f = s->fleet;
	const char *was;
	json_t *doc;
	int err = sluice_fleet_get(f, SLUICE_FLEET_COMMAND, tenant, request, &doc);

	if (err == -ENOMEM) /* it stays as it was; its deadline comes */
		sluice_warning("what became of command %s cannot be kept: %s", request,
			       strerror(-err));
	was = json_string_value(json_object_get(doc, "state"));
	if (!was || (strcmp(was, "sent") && strcmp(was, "no_answer"))) {
		json_decref(doc);
		json_decref(result);
		return;
	}
	if (strcmp(was, "sent"))
		json_object_set_new(doc, "late", json_true());
	json_object_set_new(doc, "state", json_string(state));
	json_object_del(doc, "reason");
	json_object_del(doc, "ask");
	if (reason)
		json_object_set_new(doc, "reason", json_string(reason));
	json_object_set_new(doc, "answered_ns", json_integer((json_int_t)sluice_utc_now()));
	if (result)
		json_object_set_new(doc, "result", result);
	tell_command(s, tenant, request, doc);
	sluice_fleet_put(f, SLUICE_FLEET_COMMAND, tenant, request, doc, NULL);
}

static void send_text(struct sluice_session *ss, const char *text)
{
	_Alignas(8) uint8_t buf[ASK_MAX + 64];
	struct sluice_wire_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_wire_put_text(&w, SLUICE_TAG_JSON, text);
	sluice_session_fields(ss, SLUICE_MSG_COMMAND, 0, &w);
}

static void send_command(struct sluice_session *ss, void *arg)
{
	struct errand *e = arg;

	if (ss && ss->conn) {
		send_text(ss, e->text);
	} else {
		end_command(e->server, e->tenant, e->request, "failed",
			    "the device left before it could be asked", NULL);
	}
	free(e);
}

/* Asked for at another process. Whoever finds no session any more leaves it to its deadline: the
 * device may be on its way to a third one. */
static void take_command(struct sluice_session *ss, void *arg)
{
	struct errand *e = arg;
	struct sluice_fleet *f = e->server->fleet;
	json_t *doc = NULL;
	const json_t *ask = NULL;
	const char *state;

	if (ss && ss->conn)
		sluice_fleet_get(f, SLUICE_FLEET_COMMAND, e->tenant, e->request, &doc);
	state = json_string_value(json_object_get(doc, "state"));
	ask = json_incref(json_object_get(doc, "ask"));
	json_object_del(doc, "ask");
	if (state && !strcmp(state, "sent") && json_is_string(ask) &&
	    json_string_length(ask) <= ASK_MAX &&
	    !sluice_fleet_put(f, SLUICE_FLEET_COMMAND, e->tenant, e->request, json_incref(doc),
			      NULL))
		send_text(ss, json_string_value(ask));
	json_decref((json_t *)ask);
	json_decref(doc);
	free(e);
}

/* NULL: no memory, and it waits for its deadline. */
static struct errand *new_errand(struct sluice_server *s, const char *tenant, const char *request,
				 const char *text)
{
	struct errand *e = calloc(1, sizeof(*e) + strlen(text) + 1);

	if (!e)
		return NULL;
	e->server = s;
	snprintf(e->tenant, sizeof(e->tenant), "%s", tenant);
	snprintf(e->request, sizeof(e->request), "%s", request);
	memcpy(e->text, text, strlen(text));
	return e;
}

void sluice_command_changed(struct sluice_server *s, const char *tenant, const char *request,
			    const json_t *doc)
{
	const char *state = json_string_value(json_object_get(doc, "state"));
	const char *device = json_string_value(json_object_get(doc, "device"));
	struct errand *e;

	if (!state || !device)
		return;
	if (strcmp(state, "sent")) {
		tell_command(s, tenant, request, doc);
		return;
	}
	if (!json_object_get(doc, "ask") || !sluice_roster_find(s->roster, tenant, device))
		return;
	e = new_errand(s, tenant, request, "");
	if (e && sluice_roster_call(s, tenant, device, take_command, e))
		free(e);
}

/* ---- the newest SLUICE_COMMANDS_MAX ---- */

struct oldest {
	unsigned int count;
	int64_t asked_ns;
	char request[33];
};

static int find_oldest(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct oldest *o = ctx;
	int64_t asked = json_integer_value(json_object_get(doc, "asked_ns"));

	if (!o->count++ || asked < o->asked_ns) {
		o->asked_ns = asked;
		snprintf(o->request, sizeof(o->request), "%.32s", name);
	}
	return 0;
}

static void make_room(struct sluice_fleet *f, const char *tenant)
{
	struct oldest o;

	do {
		o = (struct oldest){ 0 };
		sluice_fleet_each(f, SLUICE_FLEET_COMMAND, tenant, find_oldest, &o);
	} while (o.count >= SLUICE_COMMANDS_MAX &&
		 !sluice_fleet_remove(f, SLUICE_FLEET_COMMAND, tenant, o.request, NULL));
}

/* ---- asking ---- */

static int has_word(const json_t *list, const char *word)
{
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)list, i, v)
		if (!strcmp(json_string_value(v) ? json_string_value(v) : "", word))
			return 1;
	return 0;
}

static const char *check_args(const json_t *args)
{
	static const char *const camera[] = { "snapshot", "pause", "resume" };
	static const char *const words[] = { "snapshot", "pause", "resume", "logs", "describe" };
	const char *command = json_string_value(json_object_get(args, "command")), *key;
	const json_t *deadline = json_object_get(args, "deadline_s");
	size_t i, known = 0, of_camera = 0;
	json_t *v;

	for (i = 0; command && i < sizeof(words) / sizeof(words[0]); i++)
		known |= !strcmp(words[i], command);
	for (i = 0; command && i < sizeof(camera) / sizeof(camera[0]); i++)
		of_camera |= !strcmp(camera[i], command);
	if (!known)
		return "command is snapshot, pause, resume, logs or describe";
	if (of_camera != json_is_string(json_object_get(args, "camera")))
		return "camera is the name of one of the device's cameras for snapshot, pause and "
		       "resume, and absent for the others";
	if (deadline && (!json_is_integer(deadline) || json_integer_value(deadline) < 1 ||
			 json_integer_value(deadline) > 600))
		return "deadline_s is 1..600";
	json_object_foreach ((json_t *)args, key, v)
		if (strcmp(key, "command") && strcmp(key, "camera") && strcmp(key, "deadline_s") &&
		    (strcmp(command, "logs") || (strcmp(key, "lines") && strcmp(key, "level"))))
			return "an unknown key; there are command, camera, deadline_s, and for "
			       "logs "
			       "lines and level";
	if (json_string_length(json_object_get(args, "camera")) >= SLUICE_NAME_MAX ||
	    json_string_length(json_object_get(args, "level")) > 16)
		return "a name is too long";
	return NULL;
}

/* 0; -EOPNOTSUPP: it does not; -ENOMEM. */
static int knows(struct sluice_fleet *f, const char *tenant, const char *device,
		 const char *command)
{
	json_t *d;
	int err = sluice_fleet_get(f, SLUICE_FLEET_DEVICE, tenant, device, &d);
	int yes = has_word(json_object_get(d, "features"), command);

	json_decref(d);
	return yes ? 0 : err == -ENOMEM ? err : -EOPNOTSUPP;
}

static struct errand *make_errand(struct sluice_server *s, const char *tenant, const char *request,
				  const char *by, const json_t *args, int64_t deadline_s)
{
	json_t *o = json_deep_copy(args);
	struct errand *e = NULL;
	char *text;

	json_object_del(o, "deadline_s");
	json_object_set_new(o, "deadline_ms", json_integer(deadline_s * 1000));
	json_object_set_new(o, "request", json_string(request));
	json_object_set_new(o, "by", json_string(by));
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		e = new_errand(s, tenant, request, text);
	free(text);
	json_decref(o);
	return e;
}

int sluice_command_ask(struct sluice_server *s, const char *tenant, const char *device,
		       const char *by, const json_t *args, char request[33], const char **why)
{
	const char *command = json_string_value(json_object_get(args, "command"));
	json_t *deadline = json_object_get(args, "deadline_s");
	int64_t seconds = deadline ? json_integer_value(deadline) : DEADLINE_S;
	uint64_t now = sluice_utc_now();
	struct errand *e;
	uint8_t raw[16];
	int err, here;

	*why = check_args(args);
	if (*why)
		return -EINVAL;
	here = sluice_roster_find(s->roster, tenant, device) != 0;
	if (!here && !sluice_nodes_device(s->nodes, tenant, device, NULL))
		return -ENOTCONN;
	err = knows(s->fleet, tenant, device, command);
	if (err)
		return err;
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -EIO;
	sluice_hex(raw, sizeof(raw), request);
	make_room(s->fleet, tenant);
	e = make_errand(s, tenant, request, by, args, seconds);
	if (!e)
		return -ENOMEM;
	if (strlen(e->text) > ASK_MAX) {
		*why = "the command is too long to be sent";
		free(e);
		return -EINVAL;
	}
	err = sluice_fleet_put(s->fleet, SLUICE_FLEET_COMMAND, tenant, request,
			       json_pack("{s:s,s:s,s:O*,s:s,s:I,s:I,s:s,s:s*}", "device", device,
					 "command", command, "camera",
					 json_object_get(args, "camera"), "by", by, "asked_ns",
					 (json_int_t)now, "deadline_ns",
					 (json_int_t)(now + (uint64_t)seconds * SEC_NS + GRACE_NS),
					 "state", "sent", "ask", here ? NULL : e->text),
			       NULL);
	if (err || !here) {
		free(e);
		return err;
	}
	if (sluice_roster_call(s, tenant, device, send_command, e)) {
		end_command(s, tenant, request, "failed",
			    "the device left before it could be asked", NULL);
		free(e);
	}
	return 0;
}

/* ---- answers ---- */

int sluice_command_result(struct sluice_session *ss, const uint8_t *json, uint32_t size)
{
	struct sluice_fleet *f = ss->loop->server->fleet;
	json_t *o = size > RESULT_MAX
			    ? NULL
			    : json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *request = json_string_value(json_object_get(o, "request"));
	const char *state = json_string_value(json_object_get(o, "state"));
	const char *reason = json_string_value(json_object_get(o, "reason"));
	json_t *doc;

	if (!request || strlen(request) != 32 || !state ||
	    (strcmp(state, "done") && strcmp(state, "refused") && strcmp(state, "failed"))) {
		json_decref(o);
		return -EINVAL;
	}
	if (sluice_fleet_get(f, SLUICE_FLEET_COMMAND, ss->who.tenant, request, &doc) == -ENOMEM)
		sluice_warning("device %s: the answer to command %s cannot be kept: %s",
			       ss->who.device, request, strerror(ENOMEM));
	if (doc && !strcmp(json_string_value(json_object_get(doc, "device")), ss->who.device)) {
		json_t *result = json_deep_copy(o);

		json_object_del(result, "request");
		json_object_del(result, "state");
		json_object_del(result, "reason");
		sluice_info("device %s: %s is %s%s%.200s", ss->who.device,
			    json_string_value(json_object_get(doc, "command")), state,
			    reason ? ": " : "", reason ? reason : "");
		end_command(ss->loop->server, ss->who.tenant, request, state, reason, result);
	}
	json_decref(doc);
	json_decref(o);
	return 0;
}

/* ---- deadlines ---- */

struct late {
	uint64_t now_ns;
	char tenant[SLUICE_NAME_MAX], request[33];
	bool taken; /* by the process that the device is connected to */
};

static int find_late(void *ctx, const char *tenant, const char *name, json_t *doc)
{
	struct late *l = ctx;
	const char *state = json_string_value(json_object_get(doc, "state"));

	if (!state || strcmp(state, "sent") ||
	    l->now_ns < (uint64_t)json_integer_value(json_object_get(doc, "deadline_ns")))
		return 0;
	snprintf(l->tenant, sizeof(l->tenant), "%s", tenant);
	snprintf(l->request, sizeof(l->request), "%.32s", name);
	l->taken = !json_object_get(doc, "ask");
	return 1;
}

void sluice_commands_watch(struct sluice_server *s)
{
	struct late l = { .now_ns = sluice_utc_now() };
	int most = SLUICE_COMMANDS_MAX;

	while (most-- && sluice_fleet_each(s->fleet, SLUICE_FLEET_COMMAND, NULL, find_late, &l))
		end_command(s, l.tenant, l.request, "no_answer",
			    l.taken ? "the device did not answer within the deadline"
				    : "the device left before it could be asked",
			    NULL);
}
