// SPDX-License-Identifier: MIT
/*
 * tuner.c - see tuner.h.
 *
 * What was counted under another version of the device's settings says nothing of those in force:
 * rows of the version that the device reports count, and after a change those of the days since, if
 * it is another one than before it. While the device has not reported, or has a map
 * that was not set from here, or people want a map, the camera is left alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/tuner.h"
#include "cloud/tuning.h"
#include "cloud/wish.h"
#include "lib/log.h"

#define DAY_NS	    86400000000000ull
#define DAY_S	    86400u
#define HELD_NS	    (14 * DAY_NS)
#define HISTORY_MAX 16
#define SELF	    "retune"

static const char *const modes[] = { "off", "propose", "apply" };

int sluice_retune_mode_of(const char *word)
{
	int i;

	for (i = 0; word && i < 3; i++)
		if (!strcmp(word, modes[i]))
			return i;
	return -1;
}

const char *sluice_retune_mode_name(enum sluice_retune_mode mode)
{
	return modes[mode];
}

/* ---- a camera, as it stands ---- */

struct standing {
	const struct sluice_camera *camera;
	json_t *doc;	   /* owned; an empty one if there is none */
	int64_t version;   /* of it; 0: there is none */
	json_t *report;	   /* owned; NULL: there is none */
	json_t *people;	   /* owned; what people want */
	uint32_t settings; /* version in force */
};

static uint64_t ns_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void let_go(struct standing *s)
{
	json_decref(s->doc);
	json_decref(s->report);
	json_decref(s->people);
}

static int read_standing(const struct sluice_tuner *t, const struct sluice_camera *c,
			 struct standing *s)
{
	int err;

	*s = (struct standing){ .camera = c };
	err = sluice_fleet_get(t->fleet, SLUICE_FLEET_RETUNE, c->tenant, c->hex, &s->doc);
	if (err == -ENOENT)
		s->doc = json_object();
	if (err && err != -ENOENT)
		return err;
	s->version = json_integer_value(json_object_get(s->doc, "version"));
	err = sluice_fleet_get(t->fleet, SLUICE_FLEET_REPORT, c->tenant, c->hex, &s->report);
	s->settings = (uint32_t)ns_of(s->report, "version");
	s->people = sluice_fleet_people_wish(t->fleet, c);
	if (s->doc && s->people && (!err || err == -ENOENT))
		return 0;
	let_go(s);
	return -ENOMEM;
}

static enum sluice_retune_mode mode_of(const struct sluice_tuner *t, const struct standing *s)
{
	int own = sluice_retune_mode_of(json_string_value(json_object_get(s->doc, "mode")));

	return own >= 0 ? (enum sluice_retune_mode)own : t->c->mode;
}

/* Is the device's map the one that is wanted from here? What is wrong if not. */
static const char *look_at_map(const struct standing *s)
{
	const char *now = text_of(s->report, "map");
	char id[SLUICE_WISH_ID] = "none";
	json_t *layer;

	if (sluice_tuning_wish(s->doc, &layer))
		return "it is not known what was applied: out of memory";
	if (layer)
		sluice_wish_map_id(json_object_get(layer, "map"), id);
	json_decref(layer);
	if (!strcmp(now, id))
		return NULL;
	return strcmp(now, "none") ? "a map was set at the device"
				   : "the device has not taken on the map that was applied last";
}

static const char *left_alone(const struct sluice_tuner *t, const struct standing *s)
{
	if (mode_of(t, s) == SLUICE_RETUNE_OFF)
		return "retuning is off";
	if (!s->report)
		return "the device has not told its settings";
	if (json_object_get(s->people, "map"))
		return "a map is wanted by people, of the camera or of a group";
	return look_at_map(s);
}

/* What the gate is set to, as far as it is of concern here. */
static int present_tuning(const struct standing *s, const struct sluice_tiles *g,
			  struct sluice_tuning *now)
{
	const char *preset = text_of(json_object_get(s->report, "settings"), "preset");
	const json_t *applied = json_object_get(s->doc, "applied");
	struct sluice_tuning was;

	if (json_object_get(json_object_get(s->people, "settings"), "preset"))
		preset = ""; /* theirs */
	if (sluice_tuning_begin(now, g->grid_w, g->grid_h, sluice_retune_preset_of(preset)))
		return -EINVAL;
	if (!sluice_tuning_read(json_object_get(applied, "tuning"), &was) &&
	    sluice_tiles_same(&was.tiles, g))
		memcpy(now->factor, was.factor, sizeof(now->factor));
	return 0;
}

/* ---- what was counted ---- */

struct sum {
	uint32_t settings;
	uint32_t first_day, last_day;
	struct sluice_tally total;
};

static int add_row(void *ctx, const struct sluice_index_tally *row)
{
	struct sluice_tally t;
	struct sum *s = ctx;

	if (row->settings != s->settings || sluice_tally_unpack(row->counts, row->size, &t))
		return 0;
	if (!s->first_day)
		s->first_day = row->day;
	s->last_day = row->day;
	sluice_tally_add(&s->total, &t);
	return 0;
}

/* Under the settings in force. */
static int count(const struct sluice_tuner *t, const struct standing *s, uint32_t from_day,
		 struct sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->settings = s->settings;
	return t->index->ops->tallies(t->index, s->camera->id, from_day, add_row, sum);
}

static int count_present(const struct sluice_tuner *t, const struct standing *s, uint64_t now_ns,
			 struct sum *sum)
{
	uint32_t today = (uint32_t)(now_ns / DAY_NS);

	return count(t, s, today > t->c->days ? today - t->c->days : 0, sum);
}

static json_t *counts_json(const struct sum *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "days",
			 (json_int_t)(s->first_day ? s->last_day - s->first_day + 1 : 0),
			 "openings", (json_int_t)s->total.openings, "nothing",
			 (json_int_t)s->total.nothing, "samples", (json_int_t)s->total.samples,
			 "missed", (json_int_t)s->total.missed);
}

/* ---- changes of the document ---- */

/* 0 or -ENOMEM. */
static int note(json_t *doc, uint64_t now_ns, const char *by, const char *what, const json_t *why,
		const json_t *tuning)
{
	json_t *list = json_object_get(doc, "history");
	json_t *e = json_pack("{s:I,s:s,s:s,s:O*,s:O*}", "at_ns", (json_int_t)now_ns, "by", by,
			      "what", what, "why", why, "tuning", tuning);

	if (!list) {
		list = json_array();
		if (!list || json_object_set_new(doc, "history", list)) {
			json_decref(e);
			return -ENOMEM;
		}
	}
	if (!e || json_array_insert_new(list, 0, e))
		return -ENOMEM;
	while (json_array_size(list) > HISTORY_MAX)
		json_array_remove(list, HISTORY_MAX);
	return 0;
}

/* The document takes the place of the one that was read, if it is still there. */
static int put_back(const struct sluice_tuner *t, struct standing *s)
{
	int err = sluice_fleet_put(t->fleet, SLUICE_FLEET_RETUNE, s->camera->tenant, s->camera->hex,
				   json_incref(s->doc), &s->version);

	return err == -EEXIST ? -ESTALE : err;
}

static void say(const struct standing *s, const char *what, const char *why)
{
	sluice_info("camera %s of device %s: %s: %s", s->camera->name, s->camera->device, what,
		    why);
}

/* The present tuning, to which "from" goes back. */
static json_t *from_json(const struct standing *s, const struct sluice_tuning *now, int preset)
{
	const json_t *applied = json_object_get(s->doc, "applied");
	json_t *tuning = sluice_tuning_json(now);

	preset |= json_is_true(json_object_get(applied, "preset"));
	return tuning ? json_pack("{s:o,s:b}", "tuning", tuning, "preset", preset) : NULL;
}

/* The proposal becomes what is applied. 0 or -errno; the document is to be put. */
static int apply_proposal(const struct sluice_tuner *t, struct standing *s, const char *by,
			  uint64_t now_ns)
{
	json_t *p = json_object_get(s->doc, "proposal"), *from, *applied;
	struct sluice_tuning tuning, now;
	int preset = json_is_true(json_object_get(p, "preset")), err;
	struct sum *sum;

	if (!p || sluice_tuning_read(json_object_get(p, "tuning"), &tuning))
		return -ENOENT;
	if (present_tuning(s, &tuning.tiles, &now))
		return -EINVAL;
	sum = malloc(sizeof(*sum));
	err = sum ? count_present(t, s, now_ns, sum) : -ENOMEM;
	from = err ? NULL : from_json(s, &now, preset);
	applied = from ? json_pack("{s:I,s:s,s:O,s:O,s:b,s:I,s:[I,I],s:o}", "at_ns",
				   (json_int_t)now_ns, "by", by, "tuning",
				   json_object_get(p, "tuning"), "why", json_object_get(p, "why"),
				   "preset", json_is_true(json_object_get(from, "preset")),
				   "settings", (json_int_t)s->settings, "misses",
				   (json_int_t)sum->total.samples, (json_int_t)sum->total.missed,
				   "from", from)
		       : NULL;
	free(sum);
	if (!applied)
		return err ? err : -ENOMEM;
	say(s, "the gate is retuned", text_of(p, "why"));
	err = note(s->doc, now_ns, by, "applied", json_object_get(p, "why"),
		   json_object_get(p, "tuning"));
	json_object_del(s->doc, "proposal");
	if (json_object_set_new(s->doc, "applied", applied))
		err = -ENOMEM;
	return err;
}

static int go_back(struct standing *s, const char *by, const char *why, uint64_t now_ns)
{
	json_t *applied = json_object_get(s->doc, "applied"), *text = json_string(why), *now;
	json_t *from = json_object_get(applied, "from");
	int err;

	if (!from) {
		json_decref(text);
		return -ENOENT;
	}
	now = json_pack("{s:I,s:s,s:O,s:O,s:O,s:I}", "at_ns", (json_int_t)now_ns, "by", by, "why",
			text, "tuning", json_object_get(from, "tuning"), "preset",
			json_object_get(from, "preset"), "settings", (json_int_t)s->settings);
	err = now ? note(s->doc, now_ns, by, "rolled_back", text, json_object_get(from, "tuning"))
		  : -ENOMEM;
	json_decref(text);
	json_object_del(s->doc, "proposal");
	if (json_object_set_new(s->doc, "held_ns", json_integer((json_int_t)(now_ns + HELD_NS))) ||
	    json_object_set_new(s->doc, "applied", now))
		err = -ENOMEM;
	if (!err)
		say(s, "the gate goes back to what it was", why);
	return err;
}

/* ---- by itself ---- */

/* 1: too much was missed since the change, and it has gone back. */
static int watch(const struct sluice_tuner *t, struct standing *s, uint64_t now_ns)
{
	const json_t *applied = json_object_get(s->doc, "applied");
	struct sluice_misses before = { 0, 0 }, after;
	const json_t *misses = json_object_get(applied, "misses");
	struct sum *sum;
	char why[200];
	int rc;

	if (!json_object_get(applied, "from") || s->settings == ns_of(applied, "settings"))
		return 0;
	sum = malloc(sizeof(*sum));
	rc = sum ? count(t, s, (uint32_t)(ns_of(applied, "at_ns") / DAY_NS), sum) : -ENOMEM;
	after = rc ? before : (struct sluice_misses){ sum->total.samples, sum->total.missed };
	free(sum);
	if (rc)
		return rc;
	before = (struct sluice_misses){ (uint32_t)json_integer_value(json_array_get(misses, 0)),
					 (uint32_t)json_integer_value(json_array_get(misses, 1)) };
	if (!sluice_retune_worse(&before, &after))
		return 0;
	snprintf(why, sizeof(why),
		 "In %u of %u frames of the closed gate there was something that it did not see; "
		 "before the change it was %u of %u.",
		 after.missed, after.samples, before.missed, before.samples);
	rc = go_back(s, SELF, why, now_ns);
	if (!rc)
		rc = put_back(t, s);
	return rc ? rc : 1;
}

static int is_due(const struct sluice_tuner *t, const struct standing *s, uint64_t now_ns)
{
	uint64_t last = ns_of(json_object_get(s->doc, "proposal"), "at_ns");
	uint64_t applied = ns_of(json_object_get(s->doc, "applied"), "at_ns");

	last = applied > last ? applied : last;
	return now_ns >= last + t->c->every_ns;
}

static json_t *proposal_json(const struct sluice_proposal *p, const struct sluice_tuning *now,
			     const struct sum *sum, uint64_t now_ns)
{
	json_t *tuning = sluice_tuning_json(&p->tuning), *counts = counts_json(sum);

	if (tuning && counts)
		return json_pack("{s:I,s:o,s:s,s:I,s:I,s:b,s:o}", "at_ns", (json_int_t)now_ns,
				 "tuning", tuning, "why", p->why, "raised", (json_int_t)p->raised,
				 "lowered", (json_int_t)p->lowered, "preset",
				 p->tuning.preset != now->preset, "counts", counts);
	json_decref(tuning);
	json_decref(counts);
	return NULL;
}

/* 1: something is proposed, or is not any more: the document is to be put. */
static int propose(const struct sluice_tuner *t, struct standing *s, struct sum *sum,
		   struct sluice_proposal *p, uint64_t now_ns)
{
	struct sluice_retune_limits limits = t->c->limits;
	uint32_t today = (uint32_t)(now_ns / DAY_NS);
	struct sluice_tuning now;
	uint64_t seconds = 0;
	json_t *o;
	int rc = count_present(t, s, now_ns, sum);

	if (rc || !sum->first_day || present_tuning(s, &sum->total.tiles, &now))
		return rc;
	if (now_ns < ns_of(s->doc, "held_ns"))
		limits.hours = UINT32_MAX; /* nothing rises */
	if (today > sum->first_day)
		seconds = (uint64_t)(today - sum->first_day) * DAY_S;
	rc = sluice_retune_propose(&sum->total, seconds, &now, &limits, p);
	if (rc < 0)
		return rc;
	if (!rc)
		return !json_object_del(s->doc, "proposal");
	o = proposal_json(p, &now, sum, now_ns);
	if (!o || json_object_set_new(s->doc, "proposal", o))
		return -ENOMEM;
	say(s, "another tuning of the gate is proposed", p->why);
	rc = note(s->doc, now_ns, SELF, "proposed", json_object_get(o, "why"), NULL);
	return rc ? rc : 1;
}

/* What is due of a camera that is not left alone. */
static int look(const struct sluice_tuner *t, struct standing *s, uint64_t now_ns, int asked)
{
	int rc = watch(t, s, now_ns), apply = mode_of(t, s) == SLUICE_RETUNE_APPLY;
	struct sluice_proposal *p;
	struct sum *sum;

	if (rc || (!asked && !is_due(t, s, now_ns)))
		return rc;
	p = malloc(sizeof(*p));
	sum = malloc(sizeof(*sum));
	rc = p && sum ? propose(t, s, sum, p, now_ns) : -ENOMEM;
	free(p);
	free(sum);
	apply &= rc == 1 && json_object_get(s->doc, "proposal");
	if (apply)
		rc = apply_proposal(t, s, SELF, now_ns);
	else if (rc == 1)
		rc = 0;
	else
		return rc;
	if (!rc)
		rc = put_back(t, s);
	return rc ? rc : apply;
}

int sluice_tuner_look(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      uint64_t now_ns, int asked)
{
	struct standing s;
	int rc = read_standing(t, camera, &s);

	if (rc)
		return rc;
	if (!left_alone(t, &s))
		rc = look(t, &s, now_ns, asked);
	let_go(&s);
	return rc == -ESTALE ? 0 : rc;
}

/* ---- by people ---- */

/* 0, or an error after which s is gone. */
static int read_for(const struct sluice_tuner *t, const struct sluice_camera *camera,
		    const int64_t *if_version, struct standing *s)
{
	int err = read_standing(t, camera, s);

	if (err || !if_version || *if_version == s->version)
		return err;
	let_go(s);
	return -ESTALE;
}

int sluice_tuner_apply(const struct sluice_tuner *t, const struct sluice_camera *camera,
		       const char *by, const int64_t *if_version, uint64_t now_ns)
{
	struct standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	if (!json_object_get(s.doc, "proposal"))
		err = -ENOENT;
	else if (left_alone(t, &s))
		err = -EPERM;
	if (!err)
		err = apply_proposal(t, &s, by, now_ns);
	if (!err)
		err = put_back(t, &s);
	let_go(&s);
	return err;
}

int sluice_tuner_back(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *by, const int64_t *if_version, uint64_t now_ns)
{
	struct standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	err = go_back(&s, by, "Asked for.", now_ns);
	if (!err)
		err = put_back(t, &s);
	let_go(&s);
	return err;
}

int sluice_tuner_mode(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *mode, const int64_t *if_version)
{
	struct standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	if (!mode)
		json_object_del(s.doc, "mode");
	else if (json_object_set_new(s.doc, "mode", json_string(mode)))
		err = -ENOMEM;
	if (!err)
		err = put_back(t, &s);
	let_go(&s);
	return err;
}

const char *sluice_tuner_left(const struct sluice_tuner *t, const struct sluice_camera *camera)
{
	struct standing s;
	const char *why;

	if (read_standing(t, camera, &s))
		return "it is not known how it stands: out of memory";
	why = left_alone(t, &s);
	let_go(&s);
	return why;
}

/* ---- for people ---- */

/* A copy of an object of the document with times as text, and the map in place of the tuning. */
static json_t *shown(const json_t *o)
{
	json_t *out = json_deep_copy(o), *map;
	struct sluice_tuning t;
	char at[32];

	if (!out)
		return json_null();
	sluice_rfc3339(ns_of(out, "at_ns"), at);
	json_object_del(out, "at_ns");
	json_object_set_new(out, "at", json_string(at));
	if (!sluice_tuning_read(json_object_get(out, "tuning"), &t)) {
		map = sluice_tuning_map_json(&t);
		json_object_set_new(out, "map", map ? map : json_null());
		if (!json_is_false(json_object_get(out, "preset")))
			json_object_set_new(out, "preset",
					    json_string(sluice_retune_preset_name(t.preset)));
	}
	if (!json_is_string(json_object_get(out, "preset")))
		json_object_set_new(out, "preset", json_null());
	if (json_object_get(out, "by")) /* applied */
		json_object_set_new(out, "can_go_back",
				    json_boolean(json_object_get(out, "from") != NULL));
	json_object_del(out, "from");
	json_object_del(out, "tuning");
	json_object_del(out, "settings");
	json_object_del(out, "misses");
	return out;
}

static json_t *history_json(const json_t *list)
{
	json_t *out = json_array(), *e;
	size_t i;

	json_array_foreach (list, i, e) {
		json_t *o = json_deep_copy(e);
		char at[32];

		sluice_rfc3339(ns_of(e, "at_ns"), at);
		json_object_del(o, "at_ns");
		json_object_del(o, "tuning");
		json_object_set_new(o, "at", json_string(at));
		json_array_append_new(out, o);
	}
	return out;
}

static json_t *standing_json(const struct sluice_tuner *t, const struct standing *s)
{
	const json_t *p = json_object_get(s->doc, "proposal"),
		     *a = json_object_get(s->doc, "applied");
	const char *left = left_alone(t, s);
	struct sum *sum = malloc(sizeof(*sum));
	json_t *counts = NULL, *mode = json_object_get(s->doc, "mode");

	if (sum && !count_present(t, s, sluice_utc_now(), sum))
		counts = counts_json(sum);
	free(sum);
	if (!counts)
		return NULL;
	return json_pack("{s:I,s:O?,s:s,s:o,s:o,s:o,s:o,s:o}", "version", s->version, "mode", mode,
			 "effective_mode", modes[mode_of(t, s)], "left_alone",
			 left ? json_string(left) : json_null(), "counts", counts, "proposal",
			 p ? shown(p) : json_null(), "applied", a ? shown(a) : json_null(),
			 "history", history_json(json_object_get(s->doc, "history")));
}

json_t *sluice_tuner_json(const struct sluice_tuner *t, const struct sluice_camera *camera)
{
	struct standing s;
	json_t *o;

	if (read_standing(t, camera, &s))
		return NULL;
	o = standing_json(t, &s);
	let_go(&s);
	return o;
}
