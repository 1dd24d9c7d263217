// SPDX-License-Identifier: MIT
/*
 * api_media.c - a file is read by the reader's thread and answered by the loop that has the
 * connection, with the ETag that is its SHA-256, whole or the one range that was asked for. Who
 * read what goes to the audit log first: if it cannot, nothing is given.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_media.h"
#include "cloud/range.h"
#include "lib/sha256.h"

static struct sluice_media_job *job_of(struct sluice_job *j)
{
	return (void *)((char *)j - offsetof(struct sluice_media_job, job));
}

static void run_job(struct sluice_job *j)
{
	struct sluice_media_job *m = job_of(j);
	static const uint8_t none[32];

	m->err = m->read(m, m->loop->server->api);
	if (!m->err && !memcmp(m->sha256, none, sizeof(none)))
		sluice_sha256(m->body, m->size, m->sha256);
}

/* The body as the request wants it: 200, 206, 304 or 416. */
static void give_body(struct sluice_call *c, struct sluice_media_job *m)
{
	struct sluice_response *r = c->out;
	uint64_t first = 0, last = 0;
	char hex[65];
	int part;

	sluice_hex(m->sha256, sizeof(m->sha256), hex);
	snprintf(r->etag, sizeof(r->etag), "\"%s\"", hex);
	r->cache = m->cache;
	r->ranges = 1;
	if (m->frame_ns)
		sluice_rfc3339(m->frame_ns, r->frame_time);
	if (sluice_etag_listed(m->if_none_match, r->etag)) {
		r->status = 304;
		return;
	}
	part = *m->if_range && strcmp(m->if_range, r->etag)
		       ? -ENOENT
		       : sluice_range_parse(*m->range ? m->range : NULL, m->size, &first, &last);
	if (part == -ERANGE) {
		sluice_answer_problem(c, 416, "there is nothing at that place");
		snprintf(r->range, sizeof(r->range), "bytes */%zu", m->size);
		return;
	}
	r->type = m->type;
	r->status = part ? 200 : 206;
	r->body = m->body;
	r->size = m->size;
	m->body = NULL;
	if (part)
		return;
	snprintf(r->range, sizeof(r->range), "bytes %llu-%llu/%zu", (unsigned long long)first,
		 (unsigned long long)last, m->size);
	r->size = (size_t)(last - first + 1);
	memmove(r->body, r->body + first, r->size);
}

static void job_done(struct sluice_job *j)
{
	struct sluice_media_job *m = job_of(j);
	struct sluice_response r = { 0 };
	struct sluice_call c = {
		.server = m->loop->server,
		.loop = m->loop,
		.auth = m->loop->auth,
		.index = m->loop->index,
		.address = m->address,
		.who = m->who,
		.out = &r,
	};

	snprintf(c.path, sizeof(c.path), "for %s", m->what);
	if (j->cancelled)
		sluice_answer_problem(&c, 503, "the server ends");
	else if (m->err)
		sluice_answer_error(&c, m->err);
	else if (!sluice_call_audit(&c, m->who.tenant, m->action, m->what, SLUICE_OK))
		give_body(&c, m);
	sluice_http_answer(m->later, &r);
	sluice_media_drop(m);
}

static void copy_field(struct sluice_call *c, const char *name, char *out, size_t size)
{
	const char *value = sluice_http_field(c->request, name);

	if (value && strlen(value) < size)
		memcpy(out, value, strlen(value) + 1);
}

void sluice_media_start(struct sluice_call *c, struct sluice_media_job *m)
{
	m->job = (struct sluice_job){ .run = run_job, .done = job_done, .io = c->loop->io };
	m->loop = c->loop;
	m->who = c->who;
	m->whose.tenant = m->who.tenant;
	m->whose.cameras = m->who.restricted ? m->who.cameras : NULL;
	snprintf(m->address, sizeof(m->address), "%s", c->address);
	copy_field(c, "range", m->range, sizeof(m->range));
	copy_field(c, "if-range", m->if_range, sizeof(m->if_range));
	copy_field(c, "if-none-match", m->if_none_match, sizeof(m->if_none_match));
	if (c->request->method == SLUICE_HTTP_HEAD)
		m->range[0] = 0; /* a range means something for GET alone */
	m->later = sluice_http_later(c);
	if (!m->later) {
		sluice_answer_error(c, -ENOMEM);
		sluice_media_drop(m);
	} else if (sluice_slow_post(c->server->api->reader, &m->job)) {
		sluice_http_later_drop(m->later, c);
		sluice_answer_problem(c, 503, "too many files are asked for at once; try again");
		c->out->retry_s = 1;
		sluice_media_drop(m);
	}
}

void sluice_media_drop(struct sluice_media_job *m)
{
	if (!m)
		return;
	free(m->body);
	free(m);
}
