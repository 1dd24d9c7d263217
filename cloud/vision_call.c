// SPDX-License-Identifier: MIT
/*
 * vision_call.c - see vision_call.h.
 *
 * Certificates are always verified. A redirection is an error, not a way: the key and the pictures
 * go to the host that the operator named and to no other. What the endpoint says in its errors is
 * not repeated: it may be anything, and may have the key in it.
 */
#include "cloud/vision_call.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS 10000

struct call {
	const struct sluice_vision_endpoint *e;
	CURL *h;
	char *body;
	size_t size;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

/* ---- addresses ---- */

static bool is_loopback(const char *host)
{
	unsigned int a, b, c, d;
	char end;

	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (sscanf(host, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &end) == 4 && a == 127 &&
		b < 256 && c < 256 && d < 256);
}

static const char *url_wrong(CURLU *u, bool plain)
{
	char *scheme = NULL, *host = NULL, *part = NULL;
	const char *wrong = NULL;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0))
		wrong = "[vision] url is no address; write https://HOST/v1/chat/completions";
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		wrong = "[vision] url must begin with https://";
	else if (curl_url_get(u, CURLUPART_HOST, &host, 0))
		wrong = "[vision] url names no host; write https://HOST/v1/chat/completions";
	else if (!curl_url_get(u, CURLUPART_USER, &part, 0) ||
		 !curl_url_get(u, CURLUPART_FRAGMENT, &part, 0))
		wrong = "[vision] url has a user or a fragment in it; the key goes into the file "
			"that [vision] key_file names";
	else if (!strcmp(scheme, "http") && !plain && !is_loopback(host))
		wrong = "[vision] url is http, which anybody on the way can read; use https, or "
			"say "
			"[vision] plain_http = yes if the network is your own";
	curl_free(scheme);
	curl_free(host);
	curl_free(part);
	return wrong;
}

int sluice_vision_url_check(const char *url, bool plain, char *why, size_t why_size)
{
	CURLU *u = curl_url();
	const char *wrong;

	if (!u) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	wrong = curl_url_set(u, CURLUPART_URL, url, 0)
			? "[vision] url is no address; write https://HOST/v1/chat/completions"
			: url_wrong(u, plain);
	curl_url_cleanup(u);
	if (wrong)
		snprintf(why, why_size, "%s", wrong);
	return wrong ? -EINVAL : 0;
}

/* ---- what libcurl calls ---- */

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct call *c = ctx;

	n *= one;
	if (c->size + n > SLUICE_VISION_BODY) {
		c->too_large = true;
		return 0;
	}
	memcpy(c->body + c->size, bytes, n);
	c->size += n;
	return n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
	const struct call *c = ctx;

	(void)a;
	(void)b;
	(void)d;
	(void)e;
	return c->e->stopping && atomic_load(c->e->stopping);
}

/* ---- the request ---- */

static void set_options(struct call *c, const char *question, struct curl_slist *headers)
{
	const struct sluice_vision_endpoint *e = c->e;
	bool plain = !strncasecmp(e->url, "http:", 5);
	CURL *h = c->h;

	curl_easy_setopt(h, CURLOPT_URL, e->url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
	if (plain) /* a proxy would see all of it */
		curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	if (e->ca && e->ca[0]) {
		curl_easy_setopt(h, CURLOPT_CAINFO, e->ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, question);
	curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(question));
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)e->timeout_ms);
}

static struct curl_slist *make_headers(const char *key)
{
	static const char *const plain[] = { "Content-Type: application/json",
					     "Accept: application/json", "Expect:", NULL };
	struct curl_slist *list = NULL, *more;
	char line[512];

	for (size_t i = 0; plain[i]; i++) {
		more = curl_slist_append(list, plain[i]);
		if (!more)
			goto starved;
		list = more;
	}
	if (!key || !key[0])
		return list;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", key);
	more = curl_slist_append(list, line);
	explicit_bzero(line, sizeof(line));
	if (more)
		return more;
starved:
	curl_slist_free_all(list);
	return NULL;
}

/* ---- what came of it ---- */

static void fail(struct sluice_vision_reply *r, enum sluice_vision_failure f, const char *why,
		 const char *detail)
{
	r->failure = f;
	snprintf(r->why, sizeof(r->why), "%s%s%.300s", why, *detail ? ": " : "", detail);
}

/* There is no whole answer. */
static void explain_code(const struct call *c, CURLcode code, struct sluice_vision_reply *r)
{
	if (c->too_large)
		fail(r, SLUICE_VISION_LARGE, "the answer is larger than 256 KiB", "");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		fail(r, SLUICE_VISION_TIMEOUT,
		     "the answer was not whole in time; see [vision] timeout", "");
	else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
		 code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
		fail(r, SLUICE_VISION_TLS,
		     "the endpoint did not show who it is; if its authority is your own, name it "
		     "in "
		     "[vision] ca",
		     c->error);
	else if (code == CURLE_OUT_OF_MEMORY)
		fail(r, SLUICE_VISION_CONNECT, "out of memory", "");
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		fail(r, SLUICE_VISION_CONNECT, "the node is stopping", "");
	else
		fail(r, SLUICE_VISION_CONNECT, "no answer from [vision] url", c->error);
}

static bool is_json(const char *type)
{
	static const char want[] = "application/json";

	return type && !strncasecmp(type, want, sizeof(want) - 1) &&
	       strchr("; \t", type[sizeof(want) - 1]) != NULL;
}

static void explain_status(struct call *c, struct sluice_vision_reply *r)
{
	curl_off_t after = 0;
	char number[16];

	curl_easy_getinfo(c->h, CURLINFO_RETRY_AFTER, &after);
	r->after_s = after > SLUICE_VISION_AFTER ? SLUICE_VISION_AFTER
		     : after > 0		 ? (unsigned int)after
						 : 0;
	snprintf(number, sizeof(number), "%ld", r->status);
	if (r->status / 100 == 3)
		fail(r, SLUICE_VISION_REDIRECT,
		     "the endpoint sends us elsewhere, which is not followed; [vision] url must be "
		     "the address itself",
		     number);
	else if (r->status == 401 || r->status == 403)
		fail(r, SLUICE_VISION_KEY,
		     "the endpoint does not take the key; see the file that [vision] key_file "
		     "names",
		     number);
	else if (r->status == 429)
		fail(r, SLUICE_VISION_RATE,
		     "the endpoint says that it is asked too often, or that its account is empty",
		     number);
	else if (r->status == 404)
		fail(r, SLUICE_VISION_STATUS,
		     "the endpoint knows no such address or model; see [vision] url and model",
		     number);
	else
		fail(r, SLUICE_VISION_STATUS, "the endpoint answered with an error", number);
}

static void take_reply(struct call *c, CURLcode code, uint32_t pictures,
		       struct sluice_vision_answer *a, struct sluice_vision_reply *r)
{
	curl_off_t up = 0, took = 0;
	char *type = NULL;

	curl_easy_getinfo(c->h, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(c->h, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(c->h, CURLINFO_TOTAL_TIME_T, &took);
	curl_easy_getinfo(c->h, CURLINFO_CONTENT_TYPE, &type);
	r->sent = up > 0;
	r->took_s = (double)took * 1e-6;
	if (r->status && r->status != 200)
		explain_status(c, r);
	else if (code)
		explain_code(c, code, r);
	else if (!is_json(type))
		fail(r, SLUICE_VISION_TYPE, "the endpoint's answer is not application/json", "");
	else
		r->failure = sluice_vision_answer_read(c->body, c->size, pictures, a, r->why,
						       sizeof(r->why));
}

void sluice_vision_call(const struct sluice_vision_endpoint *e, const char *question,
			uint32_t pictures, struct sluice_vision_answer *a,
			struct sluice_vision_reply *r)
{
	struct curl_slist *headers = make_headers(e->key);
	struct call c = { .e = e, .h = curl_easy_init(), .body = malloc(SLUICE_VISION_BODY) };

	memset(r, 0, sizeof(*r));
	memset(a, 0, sizeof(*a));
	if (headers && c.h && c.body) {
		set_options(&c, question, headers);
		take_reply(&c, curl_easy_perform(c.h), pictures, a, r);
	} else {
		fail(r, SLUICE_VISION_CONNECT, "out of memory", "");
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(c.h);
	free(c.body);
}
