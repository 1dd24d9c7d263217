// SPDX-License-Identifier: MIT
/*
 * The webhook: POST of {"version":1,"type":"summary","path":...,"summary":{...}} for each summary,
 * one after the other.
 *
 *	X-Sluice-Delivery: ID			the same when it comes again
 *	X-Sluice-Signature: sha256=HEX		HMAC-SHA256 of the body with the secret, if there is
 *one
 *
 * 2xx: done. 4xx but 408, 425 and 429: given up, and said. All else (no connection, time out, 5xx,
 * redirects without end) is tried again after a random time of up to 1 s, 2 s, 4 s ... 10 min, or
 * when Retry-After says (an hour at most); the others come first then. Redirects keep the method,
 * and lead to the same scheme only. Of an answer ANSWER_MAX bytes are read; the rest does not
 * matter, its status counts.
 */
#include "lib/log.h"
#include "relay/sink.h"
#include "relay/tree.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ANSWER_MAX	(64u << 10)
#define REDIRECTS_MAX	3
#define RETRY_AFTER_MAX 3600000ull

struct webhook {
	const struct relay_webhook_conf *conf;
	struct relay_outbox *box;
	CURL *curl;
	char *secret;
	size_t answer; /* bytes read of the present one */
	unsigned int failures;
	char error[CURL_ERROR_SIZE];
};

static size_t on_answer(char *data, size_t one, size_t size, void *arg)
{
	struct webhook *w = arg;

	w->answer += size;
	return w->answer > ANSWER_MAX ? 0 : size;
}

static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct webhook *w = arg;

	return relay_outbox_ending(w->box);
}

static bool setup(struct webhook *w)
{
	const struct relay_webhook_conf *c = w->conf;
	bool tls = !strncmp(c->url, "https:", 6);
	CURL *h = curl_easy_init();

	w->curl = h;
	if (!h)
		return false;
	curl_easy_setopt(h, CURLOPT_URL, c->url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "sluice-relay");
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(h, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, w->error);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, w);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, w);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	if (c->ca)
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
	return true;
}

/* The body; the caller frees it. NULL: the summary cannot be read (any more). */
static char *make_body(struct webhook *w, const struct relay_notice *n)
{
	char path[PATH_MAX], file[PATH_MAX], *text;
	json_t *o, *all;

	relay_outbox_path(w->box, n, "", path, sizeof(path));
	relay_outbox_path(w->box, n, "summary.json", file, sizeof(file));
	o = json_load_file(file, 0, NULL);
	all = o ? json_pack("{s:i,s:s,s:s,s:o}", "version", 1, "type", "summary", "path", path,
			    "summary", o)
		: NULL;
	text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return text;
}

static struct curl_slist *make_headers(struct webhook *w, const struct relay_notice *n,
				       const char *body)
{
	struct curl_slist *l = curl_slist_append(NULL, "Content-Type: application/json");
	char line[160];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	int at;

	snprintf(line, sizeof(line), "X-Sluice-Delivery: %s", n->id);
	l = curl_slist_append(l, line);
	l = curl_slist_append(l, "Expect:"); /* no round trip for small bodies */
	if (w->secret && HMAC(EVP_sha256(), w->secret, (int)strlen(w->secret),
			      (const uint8_t *)body, strlen(body), mac, &size)) {
		at = snprintf(line, sizeof(line), "X-Sluice-Signature: sha256=");
		for (unsigned int i = 0; i < size; i++)
			at += snprintf(line + at, sizeof(line) - (size_t)at, "%02x", mac[i]);
		l = curl_slist_append(l, line);
	}
	return l;
}

/* Until when to rest; a failure in a row doubles it. */
static uint64_t rest_ms(struct webhook *w, uint64_t asked_ms)
{
	uint64_t cap = w->conf->retry_first_ms;
	uint32_t r = 0;

	for (unsigned int i = 0; i < w->failures && cap < w->conf->retry_max_ms; i++)
		cap *= 2;
	if (cap > w->conf->retry_max_ms)
		cap = w->conf->retry_max_ms;
	w->failures++;
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 1u << 31;
	cap = cap / 2 + (cap / 2 * r >> 32);
	if (asked_ms > RETRY_AFTER_MAX)
		asked_ms = RETRY_AFTER_MAX;
	return asked_ms > cap ? asked_ms : cap;
}

/* One try. 0: it is done with; else milliseconds to rest. */
static uint64_t post(struct webhook *w, const struct relay_notice *n, const char *body)
{
	struct curl_slist *headers = make_headers(w, n, body);
	curl_off_t after = 0;
	long status = 0;
	uint64_t rest;
	CURLcode rc;

	w->answer = 0;
	w->error[0] = 0;
	curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, body);
	rc = curl_easy_perform(w->curl);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &after);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && w->answer > ANSWER_MAX))
		status = 0;
	if (status / 100 == 2) {
		w->failures = 0;
		return 0;
	}
	if (status / 100 == 4 && status != 408 && status != 425 && status != 429) {
		sluice_error("webhook: summary %s is given up: the server answers %ld; is the "
			     "address right?",
			     n->id, status);
		w->failures = 0;
		return 0;
	}
	rest = rest_ms(w, status && after > 0 ? (uint64_t)after * 1000 : 0);
	if (!relay_outbox_ending(w->box) && status)
		sluice_warning("webhook: summary %s: the server answers %ld; again in %.1f s",
			       n->id, status, (double)rest / 1e3);
	else if (!relay_outbox_ending(w->box))
		sluice_warning("webhook: summary %s: %s; again in %.1f s", n->id,
			       w->error[0] ? w->error : curl_easy_strerror(rc), (double)rest / 1e3);
	return rest;
}

static void rest(struct webhook *w, uint64_t ms)
{
	uint64_t until = relay_sink_now() + ms * 1000000, now;

	while (!relay_outbox_ending(w->box) && (now = relay_sink_now()) < until)
		relay_outbox_wait(w->box, (int)((until - now) / 1000000) + 1);
}

void relay_sink_webhook(const struct relay_sinks_config *c, struct relay_outbox *box)
{
	struct webhook w = { .conf = &c->webhook, .box = box };
	struct relay_notice n;
	int err = 0;

	if (c->webhook.secret_file)
		w.secret = relay_sink_secret(c->webhook.secret_file, &err);
	if (err || !setup(&w)) {
		sluice_error("webhook: %s; nothing is sent",
			     err ? strerror(-err) : "out of memory");
		goto out;
	}
	while (!relay_outbox_ending(box)) {
		char *body;
		uint64_t ms;

		if (!relay_outbox_take(box, &n)) {
			relay_outbox_wait(box, -1);
			continue;
		}
		body = make_body(&w, &n);
		if (!body)
			sluice_error("webhook: summary %s cannot be read", n.id);
		ms = body ? post(&w, &n, body) : 0;
		free(body);
		if (ms) {
			relay_outbox_again(box, &n);
			rest(&w, ms);
		} else {
			relay_outbox_done(box, &n);
		}
	}
out:
	curl_easy_cleanup(w.curl);
	free(w.secret);
}
