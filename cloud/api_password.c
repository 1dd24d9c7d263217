// SPDX-License-Identifier: MIT
/* api_password.c - passwords in the slow thread, on behalf of a request that waits. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/crypto.h>

#include "cloud/api.h"
#include "cloud/api_password.h"

int sluice_password_take(struct sluice_call *c, const json_t *json, int rules,
			 char out[SLUICE_PASSWORD_MAX + 1])
{
	const char *text = json_string_value(json);

	if (!text || strlen(text) > SLUICE_PASSWORD_MAX || (rules && sluice_password_check(text))) {
		sluice_answer_problem(
			c, 400,
			rules ? "a password has 12 to 128 bytes and no control characters"
			      : "password must be a string of at most 128 bytes");
		return -EINVAL;
	}
	snprintf(out, SLUICE_PASSWORD_MAX + 1, "%s", text);
	return 0;
}

static void run_job(struct sluice_job *j)
{
	struct sluice_password_job *p =
		(void *)((char *)j - offsetof(struct sluice_password_job, job));

	if (p->verify)
		p->err = sluice_password_verify(p->password, p->stored);
	if (!p->err && *p->fresh)
		p->err = sluice_password_hash(p->fresh, p->hash);
}

static void finish_with(struct sluice_password_job *p, struct sluice_auth *auth,
			struct sluice_index *index)
{
	struct sluice_call c = sluice_call_again(p->loop, &p->who, p->address, &p->response);

	c.auth = auth;
	c.index = index;
	snprintf(c.path, sizeof(c.path), "(password)");
	c.whose.tenant = c.who.tenant;
	c.whose.cameras = c.who.restricted ? c.who.cameras : NULL;
	if (p->err && p->err != -EACCES)
		sluice_answer_error(&c, p->err);
	else
		p->finish(&c, p);
}

/* In the loop. NULL: the response is there. */
static void answer(struct sluice_password_job *p, const char *problem)
{
	if (problem) {
		sluice_api_problem(&p->response, 503, problem);
		p->response.retry_s = 2;
	}
	sluice_http_answer(p->later, &p->response);
	sluice_password_drop(p);
}

static struct sluice_password_job *of_desk(struct sluice_desk_job *j)
{
	return (void *)((char *)j - offsetof(struct sluice_password_job, desk));
}

static void run_finish(struct sluice_desk_job *j)
{
	finish_with(of_desk(j), j->auth, j->index);
}

static void finish_done(struct sluice_desk_job *j)
{
	answer(of_desk(j), j->cancelled ? "the server ends" : NULL);
}

static void job_done(struct sluice_job *j)
{
	struct sluice_password_job *p =
		(void *)((char *)j - offsetof(struct sluice_password_job, job));
	struct sluice_desk *desk = p->loop->server->api->desk;

	if (j->cancelled) {
		answer(p, "the server ends");
	} else if (!desk) {
		finish_with(p, p->loop->auth, p->loop->index);
		answer(p, NULL);
	} else {
		p->desk = (struct sluice_desk_job){ .run = run_finish,
						    .done = finish_done,
						    .io = p->loop->io };
		if (sluice_desk_post(desk, &p->desk))
			answer(p, "too many requests wait for the data base; try again");
	}
}

void sluice_password_start(struct sluice_call *c, struct sluice_password_job *p)
{
	p->job = (struct sluice_job){ .run = run_job, .done = job_done, .io = c->loop->io };
	p->loop = c->loop;
	p->who = c->who;
	snprintf(p->address, sizeof(p->address), "%s", c->address);
	p->later = sluice_http_later(c);
	if (!p->later) {
		sluice_answer_error(c, -ENOMEM);
		sluice_password_drop(p);
	} else if (sluice_slow_post(c->server->api->slow, &p->job)) {
		sluice_http_later_drop(p->later, c);
		sluice_answer_problem(c, 503, "too many sign-ins at once; try again");
		c->out->retry_s = 2;
		sluice_password_drop(p);
	}
}

void sluice_password_drop(struct sluice_password_job *p)
{
	if (!p)
		return;
	OPENSSL_cleanse(p, sizeof(*p));
	free(p);
}

int sluice_call_is_token(struct sluice_call *c)
{
	if (!c->who.is_session)
		sluice_answer_problem(c, 400, "this is for people's sessions, not for API tokens");
	return !c->who.is_session;
}

/* The loop's own clock is the loop's alone. */
static uint64_t monotonic_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What is throttled. */
static void throttle_name(const char *tenant, const char *user, char out[80])
{
	snprintf(out, 80, "%s/%s", tenant, user);
}

int sluice_call_throttle(struct sluice_call *c, const char *tenant, const char *user)
{
	char name[80];
	uint32_t wait;

	throttle_name(tenant, user, name);
	wait = sluice_throttle_try(c->server->api->throttle, name, c->address, monotonic_now());
	if (!wait)
		return 0;
	sluice_answer_problem(c, 429, "too many tries; wait as Retry-After says");
	c->out->retry_s = wait;
	return -EBUSY;
}

void sluice_call_throttle_back(struct sluice_call *c, const char *tenant, const char *user,
			       int good)
{
	char name[80];

	throttle_name(tenant, user, name);
	if (good)
		sluice_throttle_good(c->server->api->throttle, name, c->address);
	else
		sluice_throttle_back(c->server->api->throttle, name, c->address);
}
