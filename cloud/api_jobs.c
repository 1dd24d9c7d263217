// SPDX-License-Identifier: MIT
/*
 * api_jobs.c - long work over what is stored (jobs.h): asked for, looked at, ended. A job is its
 * tenant's, and seen by all who may see its camera.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_call.h"
#include "cloud/jobs.h"
#include "lib/wire.h"

#define LISTED	   100
#define LISTED_MAX 1000

/* ---- read ---- */

static int add_job(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	return json_array_append_new(ctx, sluice_job_json(c, j)) ? -ENOMEM : 0;
}

/* The state of that name as a bit; 0: there is none. */
static unsigned int state_of(const char *name)
{
	for (unsigned int i = 0; i <= SLUICE_JOB_CANCELLED; i++)
		if (!strcmp(name, sluice_job_state_name((enum sluice_job_state)i)))
			return 1u << i;
	return 0;
}

/* A word of the query or NULL; *bad: it is malformed. */
static const char *word_of(struct sluice_call *c, const char *name, char out[40], int *bad)
{
	int err = sluice_http_query(c->request, name, out, 40);

	*bad |= err && err != -ENOENT;
	return err ? NULL : out;
}

static void list_jobs(struct sluice_call *c)
{
	char camera[40], kind[40], state[40];
	int bad = 0, err;
	const char *wanted = word_of(c, "state", state, &bad);
	int64_t limit = sluice_call_number(c, "limit", LISTED, 1, LISTED_MAX);
	const struct sluice_index_job_filter f = { .camera = word_of(c, "camera", camera, &bad),
						   .kind = word_of(c, "kind", kind, &bad),
						   .states = wanted ? state_of(wanted) : 0,
						   .limit = (unsigned int)limit };
	json_t *list;

	if (bad || limit < 0 || (wanted && !f.states)) {
		sluice_answer_problem(c, 400,
				      "limit is 1..1000, state queued, running, done, failed or "
				      "cancelled, camera a name or an id");
		return;
	}
	list = json_array();
	err = c->index->ops->jobs(c->index, &c->whose, &f, add_job, list);
	if (err) {
		json_decref(list);
		sluice_answer_error(c, err);
		return;
	}
	sluice_answer_json(c, 200, json_pack("{s:o}", "jobs", list));
}

/* The row of that id as it is told, or NULL after an answer. */
static json_t *find_job(struct sluice_call *c, const char *id)
{
	const struct sluice_index_job_filter f = { .id = id, .limit = 1 };
	json_t *list = json_array(), *one;
	int err = sluice_wire_id_ok(id)
			  ? c->index->ops->jobs(c->index, &c->whose, &f, add_job, list)
			  : -ENOENT;

	if (!err && !json_array_size(list))
		err = -ENOENT;
	if (err)
		sluice_answer_error(c, err);
	one = err ? NULL : json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

static void get_job(struct sluice_call *c)
{
	json_t *one = find_job(c, c->part[0]);

	if (one)
		sluice_answer_json(c, 200, one);
}

/* ---- change ---- */

static int count_job(void *ctx, const struct sluice_camera *c, const struct sluice_index_job *j)
{
	(void)c;
	(void)j;
	++*(unsigned int *)ctx;
	return 0;
}

/* Are there so many queued that one more waits for days? */
static int too_many(struct sluice_call *c)
{
	const struct sluice_whose all = { c->who.tenant, NULL };
	const struct sluice_index_job_filter f = { .states = 1u << SLUICE_JOB_QUEUED,
						   .limit = SLUICE_JOBS_WAITING_MAX };
	unsigned int count = 0;
	int err = c->index->ops->jobs(c->index, &all, &f, count_job, &count);

	if (err) {
		sluice_answer_error(c, err);
	} else if (count == SLUICE_JOBS_WAITING_MAX) {
		sluice_answer_problem(c, 503, "too many jobs are queued; try again later");
		c->out->retry_s = 600;
		err = -EBUSY;
	}
	return err;
}

static uint64_t ns_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20
		       ? strtoull(text, NULL, 10)
		       : 0;
}

static int body_ok(const json_t *body)
{
	static const char *const known[] = { "camera", "kind", "from_ns", "to_ns", "settings" };
	size_t found = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		found += json_object_get(body, known[i]) != NULL;
	return found == json_object_size(body) && ns_of(body, "from_ns") && ns_of(body, "to_ns") &&
	       json_is_string(json_object_get(body, "camera"));
}

static int make_job(struct sluice_call *c, const json_t *body, struct sluice_index_job *j,
		    char **text)
{
	const struct sluice_actor actor = sluice_call_actor(c);
	char why[200];
	int err;

	if (!body_ok(body)) {
		sluice_answer_problem(c, 400,
				      "the body has camera (its id), kind, from_ns and to_ns (UTC "
				      "nanoseconds, as text), and settings");
		return -EINVAL;
	}
	err = sluice_job_ask(j, json_string_value(json_object_get(body, "kind")),
			     json_object_get(body, "settings"), ns_of(body, "from_ns"),
			     ns_of(body, "to_ns"), text, why, sizeof(why));
	if (err == -EINVAL)
		sluice_answer_problem(c, 400, why);
	else if (err)
		sluice_answer_error(c, err);
	if (!err)
		err = sluice_call_camera(c, json_string_value(json_object_get(body, "camera")),
					 j->camera);
	if (!err)
		snprintf(j->by, sizeof(j->by), "%s", actor.who);
	return err;
}

static void start_job(struct sluice_call *c)
{
	json_t *body = sluice_call_object(c), *one;
	struct sluice_index_job j;
	char *text = NULL;
	int err;

	if (!body)
		return;
	err = make_job(c, body, &j, &text);
	if (!err)
		err = too_many(c);
	if (!err)
		err = sluice_call_audit(c, c->who.tenant, "job.add", j.id, SLUICE_OK);
	if (!err) {
		err = c->index->ops->job_add(c->index, &j);
		if (err)
			sluice_answer_error(c, err);
	}
	if (!err) {
		sluice_jobs_poke(c->server->jobs);
		one = find_job(c, j.id);
		if (one)
			sluice_answer_json(c, 202, one);
	}
	free(text);
	json_decref(body);
}

static void cancel_job(struct sluice_call *c)
{
	json_t *one = find_job(c, c->part[0]);
	int err;

	if (!one)
		return;
	json_decref(one);
	if (sluice_call_audit(c, c->who.tenant, "job.cancel", c->part[0], SLUICE_OK))
		return;
	err = c->index->ops->job_cancel(c->index, &c->whose, c->part[0], sluice_utc_now());
	sluice_jobs_poke(c->server->jobs);
	if (err && err != -EALREADY)
		sluice_answer_error(c, err);
	else
		sluice_answer_nothing(c);
}

const struct sluice_route sluice_api_jobs[] = {
	{ SLUICE_HTTP_GET, "/v1/jobs", SLUICE_VIEWER, SLUICE_SCOPE_READ, list_jobs, "listJobs" },
	{ SLUICE_HTTP_POST, "/v1/jobs", SLUICE_OPERATOR, SLUICE_SCOPE_MEDIA, start_job,
	  "startJob" },
	{ SLUICE_HTTP_GET, "/v1/jobs/{job}", SLUICE_VIEWER, SLUICE_SCOPE_READ, get_job, "getJob" },
	{ SLUICE_HTTP_DELETE, "/v1/jobs/{job}", SLUICE_OPERATOR, SLUICE_SCOPE_MEDIA, cancel_job,
	  "cancelJob" },
	{ 0 },
};
