// SPDX-License-Identifier: MIT
/*
 * tuner.c - what is proposed for a camera's gate, what is applied of it, and how it goes back; see
 * tuner.h. tuner_state.c knows how it stands.
 *
 * Counts of the settings in force alone are looked at, so a change is judged by what came after it,
 * and the next one waits for counts of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/tuner_state.h"
#include "cloud/tuning.h"
#include "lib/log.h"

#define DAY_S	    86400u
#define HELD_NS	    (14 * TUNER_DAY_NS)
#define HISTORY_MAX 16
#define SELF	    "retune"

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
static int put_back(const struct sluice_tuner *t, struct tuner_standing *s)
{
	int err = sluice_fleet_put(t->fleet, SLUICE_FLEET_RETUNE, s->camera->tenant, s->camera->hex,
				   json_incref(s->doc), &s->version);

	return err == -EEXIST ? -ESTALE : err;
}

static void say(const struct tuner_standing *s, const char *what, const char *why)
{
	sluice_info("camera %s of device %s: %s: %s", s->camera->name, s->camera->device, what,
		    why);
}

/* The present tuning, to which "from" goes back. */
static json_t *from_json(const struct tuner_standing *s, const struct sluice_tuning *now,
			 int preset)
{
	const json_t *applied = json_object_get(s->doc, "applied");
	json_t *tuning = sluice_tuning_json(now);

	preset |= json_is_true(json_object_get(applied, "preset"));
	return tuning ? json_pack("{s:o,s:b}", "tuning", tuning, "preset", preset) : NULL;
}

/* The proposal becomes what is applied. 0 or -errno; the document is to be put. */
static int apply_proposal(const struct sluice_tuner *t, struct tuner_standing *s, const char *by,
			  uint64_t now_ns)
{
	json_t *p = json_object_get(s->doc, "proposal"), *from, *applied;
	struct sluice_tuning tuning, now;
	int preset = json_is_true(json_object_get(p, "preset")), err;
	struct tuner_sum *sum;

	if (!p || sluice_tuning_read(json_object_get(p, "tuning"), &tuning))
		return -ENOENT;
	if (tuner_present(s, &tuning.tiles, &now))
		return -EINVAL;
	sum = malloc(sizeof(*sum));
	err = sum ? tuner_count_present(t, s, now_ns, sum) : -ENOMEM;
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
	say(s, "the gate is retuned", tuner_text(p, "why"));
	err = note(s->doc, now_ns, by, "applied", json_object_get(p, "why"),
		   json_object_get(p, "tuning"));
	json_object_del(s->doc, "proposal");
	if (json_object_set_new(s->doc, "applied", applied))
		err = -ENOMEM;
	return err;
}

static int go_back(struct tuner_standing *s, const char *by, const char *why, uint64_t now_ns)
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
static int watch(const struct sluice_tuner *t, struct tuner_standing *s, uint64_t now_ns)
{
	const json_t *applied = json_object_get(s->doc, "applied");
	struct sluice_misses before = { 0, 0 }, after;
	const json_t *misses = json_object_get(applied, "misses");
	struct tuner_sum *sum;
	char why[200];
	int rc;

	if (!json_object_get(applied, "from") || s->settings == tuner_ns(applied, "settings"))
		return 0;
	sum = malloc(sizeof(*sum));
	rc = sum ? tuner_count(t, s, (uint32_t)(tuner_ns(applied, "at_ns") / TUNER_DAY_NS), sum)
		 : -ENOMEM;
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

static int is_due(const struct sluice_tuner *t, const struct tuner_standing *s, uint64_t now_ns)
{
	uint64_t last = tuner_ns(json_object_get(s->doc, "proposal"), "at_ns");
	uint64_t applied = tuner_ns(json_object_get(s->doc, "applied"), "at_ns");

	last = applied > last ? applied : last;
	return now_ns >= last + t->c->every_ns;
}

static json_t *proposal_json(const struct sluice_proposal *p, const struct sluice_tuning *now,
			     const struct tuner_sum *sum, uint64_t now_ns)
{
	json_t *tuning = sluice_tuning_json(&p->tuning), *counts = tuner_counts_json(sum);

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
static int propose(const struct sluice_tuner *t, struct tuner_standing *s, struct tuner_sum *sum,
		   struct sluice_proposal *p, uint64_t now_ns)
{
	struct sluice_retune_limits limits = t->c->limits;
	uint32_t today = (uint32_t)(now_ns / TUNER_DAY_NS);
	struct sluice_tuning now;
	uint64_t seconds = 0;
	json_t *o;
	int rc = tuner_count_present(t, s, now_ns, sum);

	if (rc || !sum->first_day || tuner_present(s, &sum->total.tiles, &now))
		return rc;
	if (now_ns < tuner_ns(s->doc, "held_ns"))
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
static int look(const struct sluice_tuner *t, struct tuner_standing *s, uint64_t now_ns, int asked)
{
	int rc = watch(t, s, now_ns), apply = tuner_mode_of(t, s) == SLUICE_RETUNE_APPLY;
	struct sluice_proposal *p;
	struct tuner_sum *sum;

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
	struct tuner_standing s;
	int rc = tuner_read(t, camera, &s);

	if (rc)
		return rc;
	if (!tuner_left_alone(t, &s))
		rc = look(t, &s, now_ns, asked);
	tuner_let_go(&s);
	return rc == -ESTALE ? 0 : rc;
}

/* ---- by people ---- */

/* 0, or an error after which s is gone. */
static int read_for(const struct sluice_tuner *t, const struct sluice_camera *camera,
		    const int64_t *if_version, struct tuner_standing *s)
{
	int err = tuner_read(t, camera, s);

	if (err || !if_version || *if_version == s->version)
		return err;
	tuner_let_go(s);
	return -ESTALE;
}

int sluice_tuner_apply(const struct sluice_tuner *t, const struct sluice_camera *camera,
		       const char *by, const int64_t *if_version, uint64_t now_ns)
{
	struct tuner_standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	if (!json_object_get(s.doc, "proposal"))
		err = -ENOENT;
	else if (tuner_left_alone(t, &s))
		err = -EPERM;
	if (!err)
		err = apply_proposal(t, &s, by, now_ns);
	if (!err)
		err = put_back(t, &s);
	tuner_let_go(&s);
	return err;
}

int sluice_tuner_back(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *by, const int64_t *if_version, uint64_t now_ns)
{
	struct tuner_standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	err = go_back(&s, by, "Asked for.", now_ns);
	if (!err)
		err = put_back(t, &s);
	tuner_let_go(&s);
	return err;
}

int sluice_tuner_mode(const struct sluice_tuner *t, const struct sluice_camera *camera,
		      const char *mode, const int64_t *if_version)
{
	struct tuner_standing s;
	int err = read_for(t, camera, if_version, &s);

	if (err)
		return err;
	if (!mode)
		json_object_del(s.doc, "mode");
	else if (json_object_set_new(s.doc, "mode", json_string(mode)))
		err = -ENOMEM;
	if (!err)
		err = put_back(t, &s);
	tuner_let_go(&s);
	return err;
}

const char *sluice_tuner_left(const struct sluice_tuner *t, const struct sluice_camera *camera)
{
	struct tuner_standing s;
	const char *why;

	if (tuner_read(t, camera, &s))
		return "it is not known how it stands: out of memory";
	why = tuner_left_alone(t, &s);
	tuner_let_go(&s);
	return why;
}
