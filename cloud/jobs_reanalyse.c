// SPDX-License-Identifier: MIT
/*
 * jobs_reanalyse.c - the job "reanalyse": what is stored of a time of one camera is analysed with
 * other settings, and compared with what was told live, or with another such analysis. The result
 * is a summary of its own, of kind "analysis"; no event is changed, and the device gets nothing of
 * it.
 *
 * What has been found so far is noted in the job's row, at moments in which no event goes on and
 * not too often: a job that a killed node was at goes on from there. The summary's id follows from
 * the job's, so it is stored once, in however many lives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/analysis_report.h"
#include "cloud/background.h"
#include "cloud/fleet.h"
#include "cloud/jobs_state.h"
#include "cloud/reanalyse.h"
#include "cloud/zones.h"
#include "lib/sha256.h"
#include "lib/wire.h"

#define FILE_MAX (64u << 20)
#define NOTE_NS	 10000000000ull /* notes are written so often at most */
#define PAGE	 1000
#define JOIN_MAX 300 /* s */
#define PART_MIN 30  /* s */
#define PART_MAX 3600

static const struct {
	const char *name;
	enum sluice_background_kind kind;
} models[] = {
	{ "mean", SLUICE_BACKGROUND_MEAN },
	{ "mixture", SLUICE_BACKGROUND_MIXTURE },
	{ "sigma-delta", SLUICE_BACKGROUND_DELTA },
	{ "median", SLUICE_BACKGROUND_MEDIAN },
};

#define MODELS (sizeof(models) / sizeof(models[0]))

/* ---- settings ---- */

static const char *check_model(const json_t *v)
{
	const char *text = json_string_value(v);

	for (size_t i = 0; text && i < MODELS; i++)
		if (!strcmp(text, models[i].name))
			return NULL;
	return "model must be mean, mixture, sigma-delta or median";
}

static const char *check_sensitivity(const json_t *v)
{
	double times = json_number_value(v);

	return times * 1000 >= SLUICE_SENSITIVITY_MIN && times * 1000 <= SLUICE_SENSITIVITY_MAX
		       ? NULL
		       : "sensitivity must be a number from 0.5 to 4; 1 is the usual";
}

static const char *check_scale(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return n == 1 || n == 2 || n == 4 || n == 8 ? NULL
						    : "scale must be 1, 2, 4 or 8 (1/scale of the "
						      "picture is looked at)";
}

static const char *check_join(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return n >= 1 && n <= JOIN_MAX ? NULL : "join_s must be a number from 1 to 300";
}

static const char *check_part(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return n >= PART_MIN && n <= PART_MAX ? NULL
					      : "event_max_s must be a number from 30 to 3600";
}

static const char *check_against(const json_t *v)
{
	return json_is_string(v) && sluice_wire_id_ok(json_string_value(v))
		       ? NULL
		       : "against must be the id of a summary of kind analysis";
}

static const char *check_detector(const json_t *v)
{
	return json_is_boolean(v) ? NULL
				  : "detector must be true or false (false: classes are guessed)";
}

static const struct {
	const char *name;
	const char *(*check)(const json_t *v);
} settings[] = {
	{ "model", check_model },	{ "sensitivity", check_sensitivity },
	{ "scale", check_scale },	{ "join_s", check_join },
	{ "event_max_s", check_part },	{ "against", check_against },
	{ "detector", check_detector },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

int job_reanalyse_check(const json_t *wanted, char *why, size_t size)
{
	const char *key, *wrong;
	json_t *v;

	json_object_foreach ((json_t *)wanted, key, v) {
		size_t i = 0;

		while (i < SETTINGS && strcmp(key, settings[i].name) != 0)
			i++;
		wrong = i < SETTINGS ? settings[i].check(v) : NULL;
		if (i == SETTINGS)
			snprintf(why, size,
				 "an analysis has no setting '%.40s'; it has model, sensitivity, "
				 "scale, join_s, event_max_s, detector and against",
				 key);
		else if (wrong)
			snprintf(why, size, "%s", wrong);
		if (i == SETTINGS || wrong)
			return -EINVAL;
	}
	return 0;
}

/* As the workers', but for what the job says. Who is asked what tracks are; -EINVAL with why: it is
 * wanted, and there is none. */
static int set_detector(const struct job_work *w, struct sluice_reanalysis *r, char *why,
			size_t size)
{
	const json_t *wanted = json_object_get(w->settings, "detector");

	r->detector = json_is_false(wanted) ? NULL : w->c->detector;
	if (!json_is_true(wanted) || r->detector)
		return 0;
	snprintf(why, size,
		 "this node has no detector: name one in [detector] of cloud.conf, or leave the "
		 "setting out");
	return -EINVAL;
}

/* As the workers', but for what the job says. Zones are those of now. -ENOMEM. */
static int set_config(const struct job_work *w, struct sluice_analysis_config *c)
{
	const json_t *s = w->settings;
	const char *model = json_string_value(json_object_get(s, "model"));
	json_int_t join = json_integer_value(json_object_get(s, "join_s"));
	json_int_t part = json_integer_value(json_object_get(s, "event_max_s"));

	*c = (struct sluice_analysis_config){
		.join_ms = join ? (uint32_t)join * 1000 : 10000,
		.event_max_ms = part ? (uint32_t)part * 1000 : 300000,
		.keyframes_max = 12,
		.language = "en",
		.sensitivity =
			(uint32_t)(json_number_value(json_object_get(s, "sensitivity")) * 1000 +
				   0.5),
		.scale = (uint32_t)json_integer_value(json_object_get(s, "scale")),
	};
	for (size_t i = 0; model && i < MODELS; i++)
		if (!strcmp(model, models[i].name))
			c->background = models[i].kind;
	return w->c->fleet ? sluice_fleet_zones(w->c->fleet, w->camera->tenant, w->camera->hex, c)
			   : 0;
}

/* ---- the first analysis ---- */

static int take_event(void *ctx, const struct sluice_camera *c,
		      const struct sluice_index_summary *s)
{
	json_t *o = json_loads(s->json, 0, NULL);
	int err = sluice_told_add(ctx, o);

	(void)c;
	json_decref(o);
	return err == -ENOMEM ? err : 0; /* what is none is left out */
}

/* What was told live, also of what went on behind the time. */
static int load_told(struct job_work *w, struct sluice_told_list *l)
{
	const struct sluice_whose who = { w->camera->tenant, NULL };
	struct sluice_index *ix = w->shelf.index;
	char cursor[SLUICE_CURSOR_MAX] = "", next[SLUICE_CURSOR_MAX] = "";
	struct sluice_index_filter f = { .camera = w->camera->hex,
					 .kind = "event",
					 .from_ns = w->job.from_ns,
					 .to_ns = w->job.to_ns + SLUICE_REANALYSE_AFTER_NS,
					 .limit = PAGE };
	int err;

	do {
		err = ix->ops->summaries_find(ix, &who, &f, take_event, l, next);
		memcpy(cursor, next, sizeof(cursor));
		f.after = cursor;
	} while (!err && *cursor && !atomic_load(w->stop));
	return err;
}

static int add_events(const json_t *events, struct sluice_told_list *l)
{
	json_t *o;
	size_t i;
	int err;

	json_array_foreach (events, i, o) {
		err = sluice_told_add(l, o);
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

/* Another analysis, of this camera. */
static int load_analysis(struct job_work *w, const char *id, struct sluice_told_list *l)
{
	struct sluice_media *m = w->shelf.media;
	char place[SLUICE_MEDIA_PLACE];
	uint8_t owner[16], *data = NULL;
	uint64_t token = 0;
	size_t size;
	json_t *o;
	int err = w->shelf.index->ops->summary_owner(w->shelf.index, id, owner, &token);

	if (!err && memcmp(owner, w->camera->id, sizeof(owner)) != 0)
		err = -ENOENT;
	if (!err)
		err = m->ops->get(m, w->camera, sluice_media_place(place, id, token),
				  SLUICE_ANALYSIS_FILE, FILE_MAX, &data, &size);
	if (err == -ENOENT) {
		snprintf(w->why, sizeof(w->why), "there is no analysis %s of this camera", id);
		return err;
	}
	if (err)
		return err;
	o = json_loadb((const char *)data, size, 0, NULL);
	err = o ? add_events(json_object_get(o, "events"), l) : -EBADMSG;
	json_decref(o);
	free(data);
	return err;
}

/* ---- the job ---- */

struct again {
	struct job_work *w;
	struct sluice_reanalysis r;
	uint64_t noted_ns;
};

static int progress(void *ctx, int per_mille)
{
	struct again *a = ctx;

	return job_progress(a->w, per_mille);
}

static uint64_t number_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? strtoull(text, NULL, 10) : 0;
}

static json_t *notes_of(const struct sluice_reanalysis *r)
{
	char upto[24], epoch[24];

	snprintf(upto, sizeof(upto), "%llu", (unsigned long long)r->upto_ns);
	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)r->epoch);
	return json_pack("{s:s,s:s,s:b,s:I,s:I,s:O}", "upto_ns", upto, "epoch", epoch, "has_epoch",
			 r->has_epoch, "frames", (json_int_t)r->frames, "unread",
			 (json_int_t)r->unread, "events", r->events);
}

/* What an earlier life has found; damaged notes are none. */
static void take_notes(struct again *a)
{
	struct sluice_reanalysis *r = &a->r;
	json_t *notes = a->w->notes, *events = json_object_get(notes, "events");

	if (!json_is_array(events) || !number_of(notes, "upto_ns"))
		return;
	json_decref(r->events);
	r->events = json_incref(events);
	r->upto_ns = number_of(notes, "upto_ns");
	r->epoch = number_of(notes, "epoch");
	r->has_epoch = json_is_true(json_object_get(notes, "has_epoch"));
	r->frames = (uint64_t)json_integer_value(json_object_get(notes, "frames"));
	r->unread = (uint64_t)json_integer_value(json_object_get(notes, "unread"));
}

static void settled(void *ctx)
{
	struct again *a = ctx;
	uint64_t now = sluice_utc_now();

	if (now - a->noted_ns < NOTE_NS && now >= a->noted_ns)
		return;
	a->noted_ns = now;
	job_note(a->w, notes_of(&a->r));
}

/* The node stops: the row that is queued again has what there is. */
static void keep_notes(struct again *a)
{
	if (a->r.upto_ns)
		job_note(a->w, notes_of(&a->r));
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	struct job_work *w = ctx;

	return sluice_shelf_jpeg(&w->shelf, w->camera, epoch, sequence, size);
}

static int store(struct again *a, const char *id, const char *against,
		 const struct sluice_told_list *first, const struct sluice_told_list *second)
{
	struct job_work *w = a->w;
	const struct sluice_analysis_facts f = {
		.id = id,
		.camera = w->camera->name,
		.job = w->job.id,
		.against = against,
		.epoch = a->r.epoch,
		.from_ns = w->job.from_ns,
		.to_ns = w->job.to_ns,
		.frames = a->r.frames,
		.unread = a->r.unread,
		.settings = w->settings,
		.events = a->r.events,
		.first = first,
		.second = second,
		.fetch = fetch,
		.ctx = w,
	};
	struct sluice_analysis_report report;
	int err = sluice_analysis_report(&f, &report);

	if (!err && atomic_load(w->stop))
		err = -ECANCELED;
	if (!err)
		err = sluice_shelf_insist(&w->shelf, w->camera, &report.summary, "analysis",
					  w->stop, w->limit);
	if (!err)
		w->result = json_incref(report.result);
	sluice_analysis_report_free(&report);
	return err;
}

static int run(struct again *a, const char *id)
{
	struct job_work *w = a->w;
	const char *against = json_string_value(json_object_get(w->settings, "against"));
	struct sluice_told_list first = { 0 }, second = { 0 };
	int err = against ? load_analysis(w, against, &first) : load_told(w, &first);

	if (!err)
		err = sluice_reanalyse(&a->r, w->why, sizeof(w->why));
	if (err == -ECANCELED)
		keep_notes(a);
	if (!err)
		err = add_events(a->r.events, &second);
	if (!err) {
		sluice_told_within(&first, (int64_t)w->job.from_ns, (int64_t)w->job.to_ns);
		sluice_told_within(&second, (int64_t)w->job.from_ns, (int64_t)w->job.to_ns);
		err = store(a, id, against, &first, &second);
	}
	sluice_told_clear(&first);
	sluice_told_clear(&second);
	return err;
}

/* The result of an earlier life that ended between summary and row. */
static int take_stored(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s)
{
	struct job_work *w = ctx;
	json_t *o = json_loads(s->json, 0, NULL), *n = json_object_get(o, "comparison");

	(void)c;
	w->result = json_pack("{s:s,s:O*,s:O*,s:O*,s:O*}", "summary", s->id, "events",
			      json_object_get(json_object_get(n, "second"), "events"), "matched",
			      json_object_get(n, "matched_count"), "only_first",
			      json_object_get(n, "only_first_count"), "only_second",
			      json_object_get(n, "only_second_count"));
	json_decref(o);
	return 0;
}

static void make_id(const struct job_work *w, char id[33])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[128];
	int n = snprintf(text, sizeof(text), "sluice analysis 1\n%s\n%s", w->camera->hex,
			 w->job.id);

	sluice_sha256(text, (size_t)n, hash);
	sluice_hex(hash, 16, id);
}

int job_reanalyse(struct job_work *w)
{
	const struct sluice_whose who = { w->camera->tenant, NULL };
	struct again a = {
		.w = w,
		.r = { .shelf = &w->shelf,
		       .camera = w->camera,
		       .sandbox = w->sandbox,
		       .from_ns = w->job.from_ns,
		       .to_ns = w->job.to_ns,
		       .progress = progress,
		       .settled = settled,
		       .ctx = &a,
		       .events = json_array() },
		.noted_ns = sluice_utc_now(),
	};
	char id[33];
	int err;

	make_id(w, id);
	if (!w->shelf.index->ops->summary_find(w->shelf.index, &who, id, take_stored, w) &&
	    w->result) {
		json_decref(a.r.events);
		return 0;
	}
	err = set_config(w, &a.r.config);
	if (!err)
		err = set_detector(w, &a.r, w->why, sizeof(w->why));
	take_notes(&a);
	if (!err)
		err = a.r.events ? run(&a, id) : -ENOMEM;
	json_decref(a.r.events);
	return err;
}
