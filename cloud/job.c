// SPDX-License-Identifier: MIT
/*
 * job.c - one job: what may be asked, what people read of it, and how it is done: its row is
 * loaded, its kind runs, how far it is and how it ended are written under the fence that it was
 * taken with. Refused there, it is dropped. A row that cannot be written (disk full) is tried
 * again.
 */
#include "cloud/jobs_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cloud/api_call.h"

#define TELL_NS	   500000000ull /* progress is written so often at most */
#define BUSY_TRIES 60		/* seconds that the end of a job is tried to be noted */

struct sluice_jobs_counts sluice_jobs_counts;

static const struct {
	const char *name;
	int (*run)(struct job_work *w);
	int (*check)(const json_t *settings, char *why, size_t size);
} kinds[] = {
	{ "period", job_period, job_period_check },
	{ "reanalyse", job_reanalyse, job_reanalyse_check },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- for people, and asked by them ---- */

const char *sluice_job_state_name(enum sluice_job_state state)
{
	static const char *const names[] = { "queued", "running", "done", "failed", "cancelled" };

	return (unsigned int)state < 5 ? names[state] : "unknown";
}

json_t *sluice_job_json(const struct sluice_camera *c, const struct sluice_index_job *j)
{
	json_t *settings = json_loads(j->settings, 0, NULL), *o;
	/* before its end it has notes there (job_note()), which are its own */
	bool has = j->state == SLUICE_JOB_DONE && j->result && *j->result;
	json_t *result = has ? json_loads(j->result, 0, NULL) : NULL;
	char from[24], to[24];

	snprintf(from, sizeof(from), "%llu", (unsigned long long)j->from_ns);
	snprintf(to, sizeof(to), "%llu", (unsigned long long)j->to_ns);
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:b,s:i,s:s}", "id", j->id, "kind", j->kind,
		      "camera", c->name, "camera_id", c->hex, "device", c->device, "state",
		      sluice_job_state_name(j->state), "progress", j->per_mille / 1000.0, "ending",
		      j->cancel, "tries", j->tries, "by", j->by);
	json_object_set_new(o, "from", sluice_time_json(j->from_ns));
	json_object_set_new(o, "to", sluice_time_json(j->to_ns));
	json_object_set_new(o, "from_ns", json_string(from));
	json_object_set_new(o, "to_ns", json_string(to));
	json_object_set_new(o, "made", sluice_time_json(j->made_ns));
	json_object_set_new(o, "began", sluice_time_json(j->began_ns));
	json_object_set_new(o, "ended", sluice_time_json(j->ended_ns));
	json_object_set_new(o, "settings", settings ? settings : json_object());
	json_object_set_new(o, "result", result ? result : json_null());
	json_object_set_new(o, "error",
			    j->error && *j->error ? json_string(j->error) : json_null());
	return o;
}

int sluice_job_ask(struct sluice_index_job *j, const char *kind, const json_t *settings,
		   uint64_t from_ns, uint64_t to_ns, char **text, char *why, size_t size)
{
	uint8_t raw[16];
	size_t i = 0;

	*text = NULL;
	snprintf(why, size, "out of memory");
	while (i < KINDS && (!kind || strcmp(kind, kinds[i].name) != 0))
		i++;
	if (i == KINDS) {
		snprintf(why, size, "kind must be period or reanalyse");
		return -EINVAL;
	}
	if (from_ns >= to_ns || to_ns > INT64_MAX / 2 || to_ns - from_ns > SLUICE_JOBS_SPAN_MAX) {
		snprintf(why, size, "from must lie before to, by 32 days at most");
		return -EINVAL;
	}
	if (settings && (!json_is_object(settings) || kinds[i].check(settings, why, size))) {
		if (!json_is_object(settings))
			snprintf(why, size, "settings must be an object");
		return -EINVAL;
	}
	*text = settings ? json_dumps(settings, JSON_COMPACT) : strdup("{}");
	if (!*text || getentropy(raw, sizeof(raw)))
		return -ENOMEM;
	*j = (struct sluice_index_job){
		.from_ns = from_ns, .to_ns = to_ns, .made_ns = sluice_utc_now(), .settings = *text
	};
	sluice_hex(raw, sizeof(raw), j->id);
	snprintf(j->kind, sizeof(j->kind), "%s", kind);
	return 0;
}

static void tell(struct job_work *w)
{
	json_t *o;
	char *text;

	if (!w->c->told)
		return;
	o = sluice_job_json(w->camera, &w->job);
	json_object_del(o, "result"); /* it may be large; whoever wants it asks */
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		w->c->told(w->c->ctx, w->camera, text);
	free(text);
	json_decref(o);
}

/* ---- a job at work ---- */

int job_progress(struct job_work *w, int per_mille)
{
	struct sluice_index *ix = w->shelf.index;
	uint64_t now = sluice_utc_now();
	int cancel = 0, err;

	if (atomic_load(w->stop))
		return 1;
	if (now - w->told_ns < TELL_NS && now >= w->told_ns)
		return 0;
	w->told_ns = now;
	/* that it cannot be written is no reason to end; it is tried again */
	err = sluice_fence_begin(w->fence, ix);
	if (!err)
		err = sluice_fence_end(w->fence, ix,
				       ix->ops->job_progress(ix, w->job.id, per_mille, &cancel));
	if (err)
		return err == -ESTALE;
	if (cancel)
		atomic_store(w->stop, 1);
	if (per_mille != w->told) {
		w->told = w->job.per_mille = per_mille;
		tell(w);
	}
	return cancel;
}

void job_note(struct job_work *w, json_t *notes)
{
	char *text = notes ? json_dumps(notes, JSON_COMPACT) : NULL;
	struct sluice_index *ix = w->shelf.index;
	int err = text ? sluice_fence_begin(w->fence, ix) : 0;

	if (!err && text)
		err = sluice_fence_end(w->fence, ix, ix->ops->job_note(ix, w->job.id, text));
	if (err && err != -ESTALE)
		sluice_log_limited(w->limit, SLUICE_LOG_WARNING,
				   "cannot note how far job %s is: %s", w->job.id, strerror(-err));
	free(text);
	if (!notes)
		return;
	json_decref(w->notes);
	w->notes = notes;
}

int job_stopped(void *ctx)
{
	struct job_work *w = ctx;

	return atomic_load(w->stop);
}

struct copy {
	struct job_work *w;
	struct sluice_camera camera;
};

static int take_row(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	struct copy *to = ctx;

	to->camera = *c;
	to->w->job = *j;
	to->w->settings = json_loads(j->settings, 0, NULL);
	to->w->notes = j->result && *j->result ? json_loads(j->result, 0, NULL) : NULL;
	return 0;
}

/* The row as it is now, its camera, and what it wants. */
static int load_job(struct job_work *w, const char *id)
{
	const struct sluice_index_job_filter f = { .id = id, .limit = 1 };
	struct copy copy = { .w = w };
	int err;

	w->camera = NULL;
	w->settings = w->result = w->notes = NULL;
	w->why[0] = 0;
	w->told = -1;
	w->told_ns = 0;
	err = w->shelf.index->ops->jobs(w->shelf.index, NULL, &f, take_row, &copy);
	if (!err && !copy.camera.hex[0])
		err = -ENOENT;
	if (!err)
		err = sluice_cameras_get(w->c->cameras, copy.camera.tenant, copy.camera.device,
					 copy.camera.name, &w->camera);
	w->job.settings = "{}";
	w->job.result = w->job.error = "";
	return err;
}

static int run_kind(struct job_work *w)
{
	size_t i = 0;

	while (i < KINDS && strcmp(w->job.kind, kinds[i].name) != 0)
		i++;
	if (i == KINDS) {
		snprintf(w->why, sizeof(w->why), "this node does not know such jobs");
		return -EOPNOTSUPP;
	}
	if (!json_is_object(w->settings)) {
		snprintf(w->why, sizeof(w->why), "its settings are damaged");
		return -EBADMSG;
	}
	return kinds[i].run(w);
}

static void set_end(struct job_work *w, int err, int stopping)
{
	struct sluice_index_job *j = &w->job;

	j->ended_ns = sluice_utc_now();
	j->state = SLUICE_JOB_DONE;
	j->per_mille = err ? j->per_mille : 1000;
	if (err == -ECANCELED)
		j->state = stopping ? SLUICE_JOB_QUEUED : SLUICE_JOB_CANCELLED;
	else if (err)
		j->state = SLUICE_JOB_FAILED;
	if (j->state == SLUICE_JOB_FAILED && !w->why[0])
		snprintf(w->why, sizeof(w->why), "%s", strerror(-err));
	j->error = j->state == SLUICE_JOB_FAILED ? w->why : "";
}

static void count_end(enum sluice_job_state state)
{
	if (state == SLUICE_JOB_DONE)
		atomic_fetch_add(&sluice_jobs_counts.done, 1);
	else if (state == SLUICE_JOB_FAILED)
		atomic_fetch_add(&sluice_jobs_counts.failed, 1);
	else if (state == SLUICE_JOB_CANCELLED)
		atomic_fetch_add(&sluice_jobs_counts.cancelled, 1);
}

static int write_end(struct job_work *w)
{
	struct sluice_index *ix = w->shelf.index;
	int err = sluice_fence_begin(w->fence, ix);

	return err ? err : sluice_fence_end(w->fence, ix, ix->ops->job_end(ix, &w->job));
}

/* A row that cannot be written stays running; the next start finds it so. */
static void end_job(struct job_work *w, int err)
{
	char *result = NULL;
	int ours = atomic_load(w->on);

	set_end(w, err, atomic_load(w->stopping));
	if (w->job.state == SLUICE_JOB_DONE && w->result)
		result = json_dumps(w->result, JSON_COMPACT);
	if (w->job.state == SLUICE_JOB_QUEUED && w->notes)
		result = json_dumps(w->notes, JSON_COMPACT);
	w->job.result = result ? result : "";
	err = ours ? 0 : -ESTALE; /* the lease is gone, and its row with it */
	for (int i = 0; i < BUSY_TRIES && ours; i++) {
		err = write_end(w);
		if (!err || err == -ENOENT || err == -ESTALE || atomic_load(w->stopping))
			break;
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	if (err == -ESTALE)
		sluice_log_limited(w->limit, SLUICE_LOG_WARNING,
				   "job %s is another process's now: what was done of it here is "
				   "dropped",
				   w->job.id);
	else if (err && err != -ENOENT)
		sluice_log_limited(w->limit, SLUICE_LOG_ERROR,
				   "cannot note that job %s has ended: %s", w->job.id,
				   strerror(-err));
	else if (w->job.state == SLUICE_JOB_FAILED)
		sluice_log_limited(w->limit, SLUICE_LOG_WARNING, "job %s (%s of camera %s): %s",
				   w->job.id, w->job.kind, w->camera ? w->camera->name : "?",
				   w->why);
	if (err != -ESTALE)
		count_end(w->job.state);
	if (w->camera && err != -ESTALE)
		tell(w);
	free(result);
	json_decref(w->settings);
	json_decref(w->notes);
	json_decref(w->result);
}

void job_run(struct job_work *w, const char *id)
{
	int err;

	atomic_fetch_add(&sluice_jobs_counts.running, 1);
	err = load_job(w, id);
	memcpy(w->job.id, id, sizeof(w->job.id));
	if (!err) {
		tell(w);
		err = run_kind(w);
	}
	end_job(w, err);
	atomic_fetch_sub(&sluice_jobs_counts.running, 1);
}
