// SPDX-License-Identifier: MIT
/*
 * COMMAND is {"request":"...","command":WORD,"camera":NAME,"deadline_ms":N,"by":WHO}, and for logs
 * "lines" and "level". Each request is answered once by COMMAND_RESULT {"request","state",...}:
 * "done" with what it found, "refused" (the section [commands] of our file, a word that we do not
 * know, no such camera), or "failed" (the gate could not do it, or not within deadline_ms of our
 * own clock). An answer that finds no link waits for the next one; after the deadline nobody waits
 * for it any more and it is dropped: the cloud has noted by then that there was none. A request
 * that is known already is passed over. What is asked and what became of it is in our log.
 *
 * snapshot: the gate is asked, and the next frame that it publishes for this reason is named by
 * epoch and sequence; it is sent or spooled as any other. pause and resume: drain_pause.c and
 * memo.c; answered once it is on the disk.
 */
#include "relay/commands.h"
#include "lib/log_ring.h"
#include "relay/uplink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX	16
#define REQUEST_MAX	64
#define DEADLINE_MS	10000
#define DEADLINE_MS_MAX 600000
#define LINES		200
#define LINES_MAX	2000
#define RECENT		32

const char *const relay_command_names[RELAY_COMMANDS] = { "describe", "snapshot", "pause", "resume",
							  "logs" };

struct command {
	struct relay_job job; /* of snapshot */
	struct command *next;
	struct relay_commands *all;
	struct sluice_io_timer deadline;
	enum relay_command what;
	char request[REQUEST_MAX + 1];
	struct relay_camera *camera;
	struct relay_gate gate;
	uint64_t mark; /* snapshot: records from this one on are looked at */
	bool on_desk;  /* a job has it: it is freed when that is done */
	bool looking;  /* the gate was asked, and its frame is waited for */
	bool over;     /* answered */
	char *answer;  /* that could not be sent yet */
	int err;
	char why[256];
};

struct relay_commands {
	struct relay_commands_config conf;
	struct command *list;
	unsigned int waiting;
	char recent[RECENT][REQUEST_MAX + 1];
	unsigned int recent_at;
};

/* ---- the local file ---- */

/* The bits of a word of n bytes; false: there is none such. */
static bool read_word(const char *word, size_t n, uint32_t *bits)
{
	static const struct {
		const char *word;
		uint32_t bits;
	} words[] = { { "all", (1u << RELAY_COMMANDS) - 1 },
		      { "none", 0 },
		      { "describe", 1u << RELAY_DESCRIBE },
		      { "snapshot", 1u << RELAY_SNAPSHOT },
		      { "pause", 1u << RELAY_PAUSE | 1u << RELAY_RESUME },
		      { "logs", 1u << RELAY_LOGS } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == n && !memcmp(words[i].word, word, n)) {
			*bits |= words[i].bits;
			return true;
		}
	return false;
}

int relay_commands_conf(uint32_t *allow, struct sluice_conf *conf, char *why, size_t why_size)
{
	const char *text = sluice_conf_text(conf, "commands", "allow", "describe, snapshot");

	*allow = 0;
	while (*text) {
		size_t n = strcspn(text, ", \t");

		if (n && !read_word(text, n, allow)) {
			snprintf(
				why, why_size,
				"[commands] allow has '%.*s'; there are describe, snapshot, pause, "
				"logs, all and none",
				(int)n, text);
			return -EINVAL;
		}
		text += n;
		text += strspn(text, ", \t");
	}
	return 0;
}

void relay_commands_words(uint32_t what, char *out, size_t size)
{
	size_t n = 0;

	out[0] = 0;
	for (int i = 0; i < RELAY_COMMANDS; i++)
		if (what & 1u << i && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "",
					      relay_command_names[i]);
}

/* ---- answers ---- */

static void free_command(struct command *c)
{
	struct command **at = &c->all->list;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		c->all->waiting--;
	}
	if (c->all->conf.io)
		sluice_io_timer_cancel(c->all->conf.io, &c->deadline);
	free(c->answer);
	free(c);
}

/* The answer is sent, or never will be: the command is gone. False: it waits for a link. */
static bool deliver(struct command *c)
{
	const struct relay_commands_config *conf = &c->all->conf;
	int err = c->answer ? conf->send(conf->arg, c->answer) : -EMSGSIZE;

	if (err && err != -EMSGSIZE)
		return false;
	free_command(c);
	return true;
}

/* Takes the reference of found. True: the command is gone. */
static bool answer(struct command *c, const char *state, const char *reason, json_t *found)
{
	json_t *o = found ? found : json_object();
	bool done = !strcmp(state, "done");

	json_object_set_new(o, "request", json_string(c->request));
	json_object_set_new(o, "state", json_string(state));
	if (reason)
		json_object_set_new(o, "reason", json_string(reason));
	c->answer = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	c->over = true;
	sluice_log(done ? SLUICE_LOG_INFO : SLUICE_LOG_WARNING, "the cloud's request %s: %s%s%s",
		   c->request, state, reason ? ": " : "", reason ? reason : "");
	return !c->on_desk && deliver(c);
}

/* The desk is done with a command whose deadline was before. */
static void end_late(struct command *c)
{
	if (!deliver(c))
		free_command(c);
}

static void on_deadline(void *arg)
{
	struct command *c = arg;

	if (!c->over &&
	    answer(c, "failed",
		   c->looking ? "no frame came within the deadline; is the camera streaming?"
			      : "it was not done within the deadline",
		   NULL))
		return;
	if (!c->on_desk)
		free_command(c); /* nobody waits for the answer any more */
}

void relay_commands_linked(struct relay_commands *s)
{
	struct command *c, *next;

	for (c = s ? s->list : NULL; c; c = next) {
		next = c->next;
		if (c->over && !c->on_desk)
			deliver(c);
	}
}

/* ---- snapshot ---- */

/* The gate was asked: answers if the frame is there. */
static void look_for_frame(struct command *c)
{
	const struct relay_ring *ring = &c->camera->ring;
	uint64_t head = relay_ring_head(ring);
	struct sluice_ring_desc d;
	char epoch[24], sequence[24];

	c->looking = true;
	if (head - c->mark > ring->desc_count)
		c->mark = head; /* a head that cannot be */
	for (; c->mark < head; c->mark++) {
		if (relay_ring_record(ring, c->mark, &d) || d.reason != SLUICE_REASON_SNAPSHOT)
			continue;
		snprintf(epoch, sizeof(epoch), "%" PRIu64, (uint64_t)d.epoch);
		snprintf(sequence, sizeof(sequence), "%" PRIu64, (uint64_t)d.sequence);
		answer(c, "done", NULL,
		       json_pack("{s:s,s:s,s:s}", "camera", c->camera->name, "epoch", epoch,
				 "sequence", sequence));
		return;
	}
}

static void run_snapshot(struct relay_job *job)
{
	struct command *c = (struct command *)job;

	c->err = c->all->conf.ops->snapshot(&c->gate, c->why, sizeof(c->why));
}

static void done_snapshot(struct relay_job *job)
{
	struct command *c = (struct command *)job;

	c->on_desk = false;
	if (c->over)
		end_late(c);
	else if (c->err == -EPERM)
		answer(c, "failed",
		       "the relay may not ask the module; give it CAP_NET_ADMIN "
		       "(sluice-relay-settings.conf)",
		       NULL);
	else if (c->err)
		answer(c, "failed", c->why[0] ? c->why : strerror(-c->err), NULL);
	else
		look_for_frame(c);
}

static void start_snapshot(struct command *c)
{
	if (relay_camera_paused(c->camera)) {
		answer(c, "refused", "the camera is paused", NULL);
		return;
	}
	c->job = (struct relay_job){ .run = run_snapshot, .done = done_snapshot };
	c->mark = relay_ring_head(&c->camera->ring);
	c->on_desk = true;
	relay_desk_put(c->all->conf.desk, &c->job);
}

void relay_commands_look(struct relay_commands *s, const struct relay_camera *camera)
{
	struct command *c, *next;

	for (c = s ? s->list : NULL; c; c = next) {
		next = c->next;
		if (!c->looking || c->over || c->camera != camera)
			continue;
		if (!camera->attached)
			answer(c, "failed", "the camera went", NULL);
		else
			look_for_frame(c);
	}
}

/* ---- pause and resume ---- */

static void on_saved(void *arg, int err)
{
	struct command *c = arg;

	c->on_desk = false;
	if (c->over)
		end_late(c);
	else if (err)
		answer(c, "failed",
		       "it is in force, but a restart of the relay will end it: its state cannot "
		       "be "
		       "written",
		       NULL);
	else
		answer(c, "done", NULL,
		       json_pack("{s:s,s:b}", "camera", c->camera->name, "paused",
				 relay_camera_paused(c->camera)));
}

static void start_pause(struct command *c)
{
	int err = c->what == RELAY_PAUSE ? relay_camera_pause(c->camera)
					 : relay_camera_resume(c->camera);

	if (err) {
		answer(c, "failed",
		       "frames from before earlier pauses wait for the link; try again later",
		       NULL);
		return;
	}
	c->on_desk = true;
	err = relay_memo_save(c->all->conf.memos, c->camera, on_saved, c);
	if (err)
		on_saved(c, err);
}

/* ---- logs ---- */

struct gather {
	json_t *list;
	size_t bytes;
};

static void add_line(void *arg, enum sluice_log_level level, uint64_t utc_ns, const char *text)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct gather *g = arg;
	char time[24];

	snprintf(time, sizeof(time), "%" PRIu64, utc_ns);
	g->bytes += strlen(text) * 2 + 64; /* as JSON, escaped */
	json_array_append_new(g->list, json_pack("{s:s,s:s,s:s}", "time_ns", time, "level",
						 names[level], "text", text));
	while (g->bytes > SLUICE_WIRE_LOG_MAX) {
		const char *first =
			json_string_value(json_object_get(json_array_get(g->list, 0), "text"));

		g->bytes -= strlen(first ? first : "") * 2 + 64;
		json_array_remove(g->list, 0);
	}
}

static void start_logs(struct command *c, const json_t *o)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	json_t *lines = json_object_get(o, "lines");
	const char *word = json_string_value(json_object_get(o, "level"));
	json_int_t count = lines ? json_integer_value(lines) : LINES;
	struct gather g = { json_array(), 0 };
	int level = SLUICE_LOG_INFO;
	size_t found;

	if (word)
		for (level = 0; level < 4 && strcmp(names[level], word);)
			level++;
	if (count < 1 || count > LINES_MAX || level == 4) {
		json_decref(g.list);
		answer(c, "refused", "lines is 1..2000, level error, warning, info or debug", NULL);
		return;
	}
	found = sluice_log_ring_walk((enum sluice_log_level)level, (size_t)count, add_line, &g);
	answer(c, "done", NULL,
	       json_pack("{s:I,s:o}", "left_out", (json_int_t)(found - json_array_size(g.list)),
			 "lines", g.list));
}

/* ---- requests ---- */

static bool is_recent(struct relay_commands *s, const char *request)
{
	for (unsigned int i = 0; i < RECENT; i++)
		if (!strcmp(s->recent[i], request))
			return true;
	snprintf(s->recent[s->recent_at++ % RECENT], REQUEST_MAX + 1, "%s", request);
	return false;
}

static struct relay_camera *find_camera(struct relay_commands *s, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "camera"));

	for (unsigned int i = 0; name && name[0] && i < SLUICE_WIRE_SLOTS; i++)
		if (s->conf.camera[i].attached && !strcmp(s->conf.camera[i].name, name))
			return &s->conf.camera[i];
	return NULL;
}

static void start(struct command *c, const json_t *o, const char *word)
{
	struct relay_commands *s = c->all;
	char why[160];

	if (c->what == RELAY_COMMANDS) {
		snprintf(why, sizeof(why), "this device knows no command '%.32s'",
			 word ? word : "");
		answer(c, "refused", why, NULL);
		return;
	}
	if (!(s->conf.allow & 1u << c->what)) {
		snprintf(why, sizeof(why),
			 "this device does not let the cloud ask for %s ([commands] allow)", word);
		answer(c, "refused", why, NULL);
		return;
	}
	if (c->what == RELAY_DESCRIBE) {
		json_t *d = s->conf.describe(s->conf.arg);

		answer(c, d ? "done" : "failed", d ? NULL : "out of memory",
		       d ? json_pack("{s:o}", "device", d) : NULL);
		return;
	}
	if (c->what == RELAY_LOGS) {
		start_logs(c, o);
		return;
	}
	c->camera = find_camera(s, o);
	if (!c->camera) {
		answer(c, "refused", "that camera is not attached here", NULL);
		return;
	}
	snprintf(c->gate.camera, sizeof(c->gate.camera), "%s", c->camera->name);
	if (s->conf.find)
		s->conf.find(s->conf.arg, c->gate.camera, c->gate.feed);
	if (c->what == RELAY_SNAPSHOT)
		start_snapshot(c);
	else
		start_pause(c);
}

static void begin(struct relay_commands *s, const json_t *o, const char *request)
{
	const char *word = json_string_value(json_object_get(o, "command"));
	const char *by = json_string_value(json_object_get(o, "by"));
	const char *camera = json_string_value(json_object_get(o, "camera"));
	json_t *ms = json_object_get(o, "deadline_ms");
	json_int_t deadline = ms ? json_integer_value(ms) : DEADLINE_MS;
	struct command *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	sluice_info("the cloud's request %s: %.32s%s%.31s, asked by %.64s", request,
		    word ? word : "?", camera ? " of " : "", camera ? camera : "",
		    by ? by : "somebody");
	c->all = s;
	c->next = s->list;
	s->list = c;
	s->waiting++;
	snprintf(c->request, sizeof(c->request), "%s", request);
	while (c->what < RELAY_COMMANDS && (!word || strcmp(relay_command_names[c->what], word)))
		c->what++;
	if (deadline < 1 || deadline > DEADLINE_MS_MAX)
		deadline = DEADLINE_MS;
	if (s->conf.io)
		sluice_io_timer_in(s->conf.io, &c->deadline, (uint64_t)deadline, on_deadline, c);
	if (s->waiting > WAITING_MAX)
		answer(c, "failed", "too many requests at a time", NULL);
	else
		start(c, o, word);
}

int relay_commands_take(struct relay_commands *s, const uint8_t *json, uint32_t size)
{
	json_t *o = json_loadb((const char *)json, size, JSON_REJECT_DUPLICATES, NULL);
	const char *request = json_string_value(json_object_get(o, "request"));

	if (!json_is_object(o) || !request || !request[0] || strlen(request) > REQUEST_MAX) {
		json_decref(o);
		return -EPROTO;
	}
	if (s && !is_recent(s, request))
		begin(s, o, request);
	json_decref(o);
	return 0;
}

void relay_commands_allow(struct relay_commands *s, uint32_t allow)
{
	if (s)
		s->conf.allow = allow;
}

/* ---- open and close ---- */

struct relay_commands *relay_commands_open(const struct relay_commands_config *c)
{
	struct relay_commands *s = calloc(1, sizeof(*s));

	if (s)
		s->conf = *c;
	return s;
}

void relay_commands_close(struct relay_commands *s)
{
	while (s && s->list)
		free_command(s->list);
	free(s);
}
