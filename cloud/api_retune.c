// SPDX-License-Identifier: MIT
/*
 * api_retune.c - what is proposed for the gate of a camera, and what becomes of it.
 *
 * If-Match may be sent with each change: what was read is then what it holds for.
 */
#include <errno.h>
#include <string.h>

#include "cloud/api_fleet.h"
#include "cloud/desire.h"
#include "cloud/tuner.h"
#include "lib/log.h"

static struct sluice_tuner tuner_of(const struct sluice_call *c)
{
	return (struct sluice_tuner){ c->server->fleet, c->index, &c->server->retune };
}

/* If-Match, if it was sent: *if_version, else NULL. 0, or -EINVAL after a 400. */
static int take_match(struct sluice_call *c, int64_t *version, const int64_t **if_version)
{
	int err = sluice_call_match(c, version, if_version);

	if (!err && !*version)
		*if_version = NULL;
	return err;
}

static void answer(struct sluice_call *c, const struct sluice_camera *camera)
{
	const struct sluice_tuner t = tuner_of(c);

	sluice_answer_document(c, 200, sluice_tuner_json(&t, camera));
}

static void get_retune(struct sluice_call *c)
{
	struct sluice_camera camera;

	if (!sluice_fleet_find_camera(c, c->part[0], &camera))
		answer(c, &camera);
}

static void end_change(struct sluice_call *c, const struct sluice_camera *camera, int err,
		       const char *nothing)
{
	const struct sluice_tuner t = tuner_of(c);
	const char *left = err == -EPERM ? sluice_tuner_left(&t, camera) : NULL;

	if (err == -EPERM)
		sluice_answer_problem(c, 409, left ? left : "it was left alone; try again");
	else if (err == -ENOENT)
		sluice_answer_problem(c, 409, nothing);
	else if (err)
		sluice_answer_put(c, err);
	else
		answer(c, camera);
}

static void put_retune(struct sluice_call *c)
{
	const struct sluice_tuner t = tuner_of(c);
	struct sluice_camera camera;
	const int64_t *if_version;
	const char *word;
	json_t *body, *mode;
	int64_t version;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    take_match(c, &version, &if_version))
		return;
	body = sluice_call_object(c);
	if (!body)
		return;
	mode = json_object_get(body, "mode");
	word = json_string_value(mode);
	if (!mode || json_object_size(body) != 1 ||
	    (!json_is_null(mode) && sluice_retune_mode_of(word) < 0)) {
		sluice_answer_problem(c, 400,
				      "the body is {\"mode\":M}, M being off, propose, apply, or "
				      "null for that of the node");
	} else if (!sluice_call_audit(c, c->who.tenant, "retune.mode", camera.hex, SLUICE_OK)) {
		err = sluice_tuner_mode(&t, &camera, word, if_version);
		end_change(c, &camera, err, NULL);
	}
	json_decref(body);
}

static void post_look(struct sluice_call *c)
{
	const struct sluice_tuner t = tuner_of(c);
	struct sluice_camera camera;
	int rc;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    sluice_call_audit(c, c->who.tenant, "retune.look", camera.hex, SLUICE_OK))
		return;
	rc = sluice_tuner_look(&t, &camera, sluice_utc_now(), 1);
	if (rc == 1)
		sluice_desire_changed(c->server, camera.tenant, camera.device);
	end_change(c, &camera, rc < 0 ? rc : 0, "there is nothing");
}

typedef int change_now(const struct sluice_tuner *t, const struct sluice_camera *camera,
		       const char *by, const int64_t *if_version, uint64_t now_ns);

static void post_change(struct sluice_call *c, const char *action, change_now *change,
			const char *nothing)
{
	const struct sluice_tuner t = tuner_of(c);
	struct sluice_camera camera;
	const int64_t *if_version;
	int64_t version;
	int err;

	if (sluice_fleet_find_camera(c, c->part[0], &camera) ||
	    take_match(c, &version, &if_version) ||
	    sluice_call_audit(c, c->who.tenant, action, camera.hex, SLUICE_OK))
		return;
	err = change(&t, &camera, c->who.name, if_version, sluice_utc_now());
	if (!err)
		sluice_desire_changed(c->server, camera.tenant, camera.device);
	end_change(c, &camera, err, nothing);
}

static void post_apply(struct sluice_call *c)
{
	post_change(c, "retune.apply", sluice_tuner_apply,
		    "nothing is proposed; POST look asks for it");
}

static void post_back(struct sluice_call *c)
{
	post_change(c, "retune.back", sluice_tuner_back, "nothing was applied that could go back");
}

const struct sluice_route sluice_api_retune[] = {
	{ SLUICE_HTTP_GET, "/v1/cameras/{camera}/retune", SLUICE_VIEWER, SLUICE_SCOPE_READ,
	  get_retune, "getRetune" },
	{ SLUICE_HTTP_PUT, "/v1/cameras/{camera}/retune", SLUICE_OPERATOR, SLUICE_SCOPE_SETTINGS,
	  put_retune, "putRetune" },
	{ SLUICE_HTTP_POST, "/v1/cameras/{camera}/retune/look", SLUICE_OPERATOR,
	  SLUICE_SCOPE_SETTINGS, post_look, "lookRetune" },
	{ SLUICE_HTTP_POST, "/v1/cameras/{camera}/retune/apply", SLUICE_OPERATOR,
	  SLUICE_SCOPE_SETTINGS, post_apply, "applyRetune" },
	{ SLUICE_HTTP_POST, "/v1/cameras/{camera}/retune/rollback", SLUICE_OPERATOR,
	  SLUICE_SCOPE_SETTINGS, post_back, "rollbackRetune" },
	{ 0 },
};
