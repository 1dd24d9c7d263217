// SPDX-License-Identifier: MIT
/*
 * api_web.c - the dashboard's files. They hold no data, so that they are given to anybody; what the
 * page then asks for needs a credential like any other request.
 *
 * "/" must be asked for anew each time and is answered 304 while it stays the same. Everything else
 * lies below the hash of all files (web.h) and never changes: what is asked for below another hash
 * belongs to another version and is 404, never a file that does not fit the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/api_call.h"
#include "cloud/web.h"

/* Only what comes from here, no inline script or style, no frame around it, no form that leaves. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	"media-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
	"form-action 'none'";

static void answer_file(struct sluice_call *c, const char *name, const char *cache)
{
	const struct sluice_web_file *f = NULL;
	const char *known = sluice_http_field(c->request, "if-none-match");
	struct sluice_response *out = c->out;
	size_t i;

	for (i = 0; i < sluice_web_file_count; i++)
		if (!strcmp(sluice_web_files[i].name, name))
			f = &sluice_web_files[i];
	if (!f) {
		sluice_answer_error(c, -ENOENT);
		return;
	}
	snprintf(out->etag, sizeof(out->etag), "\"%s\"", sluice_web_hash);
	out->cache = cache;
	out->security = policy;
	if (known && strstr(known, out->etag)) {
		out->status = 304;
		return;
	}
	out->body = malloc(f->size);
	if (!out->body) {
		sluice_answer_error(c, -ENOMEM);
		return;
	}
	memcpy(out->body, f->bytes, f->size);
	out->size = f->size;
	out->type = f->type;
	out->status = 200;
}

static void get_index(struct sluice_call *c)
{
	answer_file(c, "index.html", "no-cache");
}

static void get_asset(struct sluice_call *c)
{
	if (strcmp(c->part[0], sluice_web_hash) != 0 || !strcmp(c->part[1], "index.html"))
		sluice_answer_error(c, -ENOENT);
	else
		answer_file(c, c->part[1], "public, max-age=31536000, immutable");
}

const struct sluice_route sluice_api_web[] = {
	{ SLUICE_HTTP_GET, "/", SLUICE_ANYBODY, SLUICE_AT_LOOP, get_index, "getDashboard" },
	{ SLUICE_HTTP_GET, "/assets/{hash}/{file}", SLUICE_ANYBODY, SLUICE_AT_LOOP, get_asset,
	  "getAsset" },
	{ 0 },
};
