// SPDX-License-Identifier: MIT
/*
 * s3_call.c - one request to the store, by a libcurl handle that keeps its connection.
 *
 * libcurl signs (CURLOPT_AWS_SIGV4). What it signs are the headers given here, so none of them is
 * empty, the query comes sorted, and the hash of the body is given: it would sign another one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloud/s3_state.h"

#define CONNECT_MS 5000
#define STALLS	   3 /* without a byte for this part of the time that a call has: given up */

static const char nothing_sha256[] =
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

uint64_t sluice_s3_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* ---- what libcurl calls ---- */

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
	struct sluice_s3_call *c = ctx;

	sluice_s3_header(&c->head, line, n * one);
	return n * one;
}

static int grow(struct sluice_s3_call *c, size_t n)
{
	size_t room = c->room ? c->room : 4096;
	uint8_t *data;

	while (room < c->size + n + 1)
		room *= 2;
	if (room == c->room)
		return 0;
	data = realloc(c->data, room);
	if (!data)
		return -ENOMEM;
	c->data = data;
	c->room = room;
	return 0;
}

/* Bytes of the wanted part; what a store that knows no ranges sends around it is passed over. */
static size_t take_part(struct sluice_s3_call *c, const char *bytes, size_t n)
{
	uint64_t at = (c->head.status == 206 ? c->head.from : 0) + c->seen;
	uint64_t next = c->part + c->size;
	size_t skip, take;

	if (c->head.status == 206 && !c->head.has_range)
		return 0;
	c->seen += n;
	if (at > next)
		return 0; /* what was asked for is missing before it */
	skip = next - at < n ? (size_t)(next - at) : n;
	take = n - skip;
	if (take > c->part_size - c->size)
		take = c->part_size - c->size;
	if (!take)
		return n;
	if (grow(c, take))
		return 0;
	memcpy(c->data + c->size, bytes + skip, take);
	c->size += take;
	return n;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct sluice_s3_call *c = ctx;

	n *= one;
	if (c->head.status / 100 != 2) {
		size_t room = sizeof(c->text) - 1 - c->text_size;
		size_t part = n < room ? n : room;

		memcpy(c->text + c->text_size, bytes, part);
		c->text_size += part;
		c->text[c->text_size] = 0;
		return n;
	}
	if (c->part_size)
		return take_part(c, bytes, n);
	if (c->from && c->head.status == 200)
		c->size = c->from = 0; /* it does not know ranges: all of it comes */
	if (c->from && (!c->head.has_range || c->head.from != c->from))
		return 0;
	if (c->size + n > c->max) {
		c->too_big = true;
		return 0;
	}
	if (grow(c, n))
		return 0;
	memcpy(c->data + c->size, bytes, n);
	c->size += n;
	return n;
}

static size_t on_send(char *out, size_t one, size_t n, void *ctx)
{
	struct sluice_s3_call *c = ctx;
	size_t left = c->body_size - c->sent;

	n *= one;
	n = n < left ? n : left;
	if (n)
		memcpy(out, c->body + c->sent, n);
	c->sent += n;
	return n;
}

/* A kept connection that had died is replaced by a new one: from the beginning. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct sluice_s3_call *c = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > c->body_size)
		return CURL_SEEKFUNC_FAIL;
	c->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- handles ---- */

static CURL *take_handle(struct sluice_s3 *s)
{
	CURL *h = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->idles)
		h = s->idle[--s->idles];
	pthread_mutex_unlock(&s->lock);
	if (h)
		curl_easy_reset(h); /* its connections stay */
	return h ? h : curl_easy_init();
}

static void give_handle(struct sluice_s3 *s, CURL *h)
{
	pthread_mutex_lock(&s->lock);
	if (s->idles < SLUICE_S3_HANDLES) {
		s->idle[s->idles++] = h;
		h = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	if (h)
		curl_easy_cleanup(h);
}

/* ---- the request ---- */

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	struct curl_slist *more;
	char line[256];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	more = curl_slist_append(*list, line);
	if (!more)
		return -ENOMEM;
	*list = more;
	return 0;
}

static int make_headers(const struct sluice_s3_call *c, struct curl_slist **list)
{
	int err = add_header(list, "x-amz-content-sha256", c->body ? c->sha256 : nothing_sha256);

	if (!err && c->key && c->body)
		err = add_header(list, "x-amz-meta-sha256", c->sha256);
	if (!err && c->match[0]) {
		char quoted[84];

		snprintf(quoted, sizeof(quoted), "\"%s\"", c->match);
		err = add_header(list, "If-Match", quoted);
	}
	return err;
}

static void set_method(CURL *h, struct sluice_s3_call *c)
{
	char range[48];

	if (!strcmp(c->method, "PUT")) {
		curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_size);
		curl_easy_setopt(h, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(h, CURLOPT_READDATA, c);
		curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(h, CURLOPT_SEEKDATA, c);
	} else if (!strcmp(c->method, "HEAD")) {
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	} else if (!strcmp(c->method, "DELETE")) {
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, "DELETE");
	} else if (c->part_size) {
		snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)(c->part + c->from),
			 (unsigned long long)(c->part + c->part_size - 1));
		curl_easy_setopt(h, CURLOPT_RANGE, range);
	} else if (c->from) { /* libcurl keeps a copy */
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)c->from);
		curl_easy_setopt(h, CURLOPT_RANGE, range);
	}
}

static void set_options(const struct sluice_s3 *s, CURL *h, struct sluice_s3_call *c,
			const char *url, struct curl_slist *headers)
{
	uint64_t now = sluice_s3_now();
	uint64_t left = c->deadline > now ? (c->deadline - now) / 1000000 : 0;
	long stall_s = (long)(s->c.timeout_ms / 1000 / STALLS);

	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->c.ca) {
		curl_easy_setopt(h, CURLOPT_CAINFO, s->c.ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(h, CURLOPT_AWS_SIGV4, s->sigv4);
	curl_easy_setopt(h, CURLOPT_USERNAME, s->c.id);
	curl_easy_setopt(h, CURLOPT_PASSWORD, s->c.secret);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, stall_s > 0 ? stall_s : 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, left ? (long)left : 1L);
	set_method(h, c);
}

static void count(struct sluice_s3 *s, const struct sluice_s3_call *c)
{
	atomic_fetch_add(!strcmp(c->method, "PUT")	? &s->stats.puts
			 : !strcmp(c->method, "DELETE") ? &s->stats.deletes
			 : c->query			? &s->stats.lists
							: &s->stats.gets,
			 1);
	atomic_fetch_add(&s->stats.sent, c->sent);
	atomic_fetch_add(&s->stats.received, c->part_size ? c->seen : c->size - c->from);
}

static int errno_of(const struct sluice_s3_call *c)
{
	if (c->too_big)
		return -EFBIG;
	switch (c->code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return -EHOSTUNREACH;
	default:
		return -EIO;
	}
}

int sluice_s3_begin(struct sluice_s3 *s, struct sluice_s3_call *c)
{
	char url[1024 + 3 * SLUICE_S3_KEY];

	c->headers = NULL;
	c->handle = take_handle(s);
	if (!c->handle)
		return -ENOMEM;
	memset(&c->head, 0, sizeof(c->head));
	c->error[0] = c->text[0] = 0;
	c->text_size = c->sent = 0;
	c->seen = 0;
	snprintf(url, sizeof(url), "%s/%s%s%s%s%s", s->c.endpoint, s->c.bucket, c->key ? "/" : "",
		 c->key ? c->key : "", c->query ? "?" : "", c->query ? c->query : "");
	if (make_headers(c, &c->headers)) {
		curl_slist_free_all(c->headers);
		give_handle(s, c->handle);
		return -ENOMEM;
	}
	set_options(s, c->handle, c, url, c->headers);
	return 0;
}

int sluice_s3_end(struct sluice_s3 *s, struct sluice_s3_call *c)
{
	count(s, c);
	curl_slist_free_all(c->headers);
	give_handle(s, c->handle);
	c->headers = NULL;
	c->handle = NULL;
	return errno_of(c);
}

int sluice_s3_request(struct sluice_s3 *s, struct sluice_s3_call *c)
{
	int err = sluice_s3_begin(s, c);

	if (err)
		return err;
	c->code = curl_easy_perform(c->handle);
	return sluice_s3_end(s, c);
}
