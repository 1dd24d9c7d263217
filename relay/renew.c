// SPDX-License-Identifier: MIT
/*
 * A certificate is renewed when two thirds of its life are over, a little later on some devices
 * than on others, so that a fleet that was enrolled in one morning does not come back in one
 * morning. The clock is looked at every minute instead of being waited for: it may step, and the
 * machine may sleep.
 *
 *	idle -> connect -> POST /v1/renew -> answer -> files replaced -> idle
 *
 * The request goes over a second connection with the present certificate, made by lib/conn and
 * lib/http1 like the link itself: same address, same proxy, same certificates, no thread and no
 * second TLS library's idea of them, which libcurl would bring. The link in use is not touched; it
 * ends some day, and the next one shows the new certificate (sessions of the old one are forgotten
 * with its TLS context, or a resumed link would still show the old one).
 *
 * A failed attempt changes nothing and is repeated after a minute, two, four ... an hour (less for
 * certificates that live only for hours), with half of it left to chance. It is a warning; when a
 * tenth of the life is left it is an error. A certificate that has ended cannot renew itself: the
 * device must be enrolled anew, and that is said.
 */
#include "relay/renew.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define CHECK_MS    60000
#define RETRY_S	    60
#define RETRY_MAX_S 3600
#define ANSWER_MAX  65536
#define TIMEOUT_MS  20000
#define PATH	    "/v1/renew"

static struct sluice_log_limit expired_limit = { .burst = 1, .interval_ms = 3600000 };

static uint64_t random_below(uint64_t n)
{
	uint64_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
		return n / 2;
	return n ? v % n : 0;
}

static int64_t life(const struct relay_renew *r)
{
	return r->end - r->begin;
}

/* ---- ending an attempt ---- */

__attribute__((format(printf, 3, 4))) static void end_attempt(struct relay_renew *r, int err,
							      const char *format, ...)
{
	int64_t cap = life(r) / 60 < RETRY_S ? life(r) / 60 : RETRY_S;
	int64_t max = life(r) / 12 < RETRY_MAX_S ? life(r) / 12 : RETRY_MAX_S;
	char text[400];
	va_list ap;

	if (r->ended)
		return;
	r->ended = true;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	free(r->csr);
	r->csr = NULL;
	if (err) {
		int64_t left = r->end - (int64_t)time(NULL);

		for (unsigned int i = 0; i < r->failures && cap < max; i++)
			cap *= 2;
		if (cap > max)
			cap = max;
		if (cap < 1)
			cap = 1;
		if (r->failures < 30)
			r->failures++;
		r->failed++;
		r->next_try_ns = sluice_io_now(r->conf.io) + (uint64_t)cap * 500000000u +
				 random_below((uint64_t)cap * 500000000u);
		sluice_log(left < life(r) / 10 ? SLUICE_LOG_ERROR : SLUICE_LOG_WARNING,
			   "the certificate could not be renewed: %s; it ends in %" PRId64
			   " %s; trying again",
			   text, left < 2 * 86400 ? left / 60 : left / 86400,
			   left < 2 * 86400 ? "minutes" : "days");
	} else {
		r->failures = 0;
		r->renewals++;
	}
	if (r->conn)
		sluice_conn_shutdown(r->conn);
	if (r->conf.told)
		r->conf.told(r->conf.arg, err, text);
}

/* ---- the answer ---- */

/* What the cloud says when it refuses. */
static void take_refusal(struct relay_renew *r)
{
	json_t *o = json_loadb(r->body ? r->body : "", r->body_size, 0, NULL);
	const char *detail = json_string_value(json_object_get(o, "detail"));

	end_attempt(r, -EACCES, "the cloud answers %d %s%s%.200s", r->http->status,
		    sluice_http_reason(r->http->status), detail ? ": " : "", detail ? detail : "");
	json_decref(o);
}

static void take_answer(struct relay_renew *r)
{
	char why[320] = "";
	const char *pem;
	json_t *o;
	int err;

	r->answered = true;
	if (r->http->status != 200) {
		take_refusal(r);
		return;
	}
	o = json_loadb(r->body ? r->body : "", r->body_size, 0, NULL);
	pem = json_string_value(json_object_get(o, "certificate"));
	err = pem ? relay_identity_install(&r->conf.id, pem, 0, why, sizeof(why)) : -EBADMSG;
	if (err) {
		end_attempt(r, err, "%s", pem ? why : "the cloud's answer has no certificate");
	} else {
		sluice_info("the certificate was renewed; the link goes on, the next one shows it");
		end_attempt(r, 0, "renewed");
		r->conf.renewed(r->conf.arg);
	}
	json_decref(o);
}

static int add_body(struct relay_renew *r)
{
	size_t n = r->http->body_size;
	char *more = n <= ANSWER_MAX - r->body_size ? realloc(r->body, r->body_size + n) : NULL;

	if (!more)
		return -ENOMEM;
	memcpy(more + r->body_size, r->http->body, n);
	r->body = more;
	r->body_size += n;
	return 0;
}

static void on_data(void *arg, const uint8_t *data, size_t size)
{
	struct relay_renew *r = arg;
	int step = SLUICE_HTTP_STARTED;
	size_t used;

	while (!r->ended && step != SLUICE_HTTP_MORE) {
		step = sluice_http_feed(r->http, data, size, &used);
		data += used;
		size -= used;
		if (step < 0)
			end_attempt(r, -EBADMSG, "the cloud's answer: %s", r->http->why);
		else if (step == SLUICE_HTTP_BODY && add_body(r))
			end_attempt(r, -ENOMEM, "the cloud's answer is too long");
		else if (step == SLUICE_HTTP_DONE)
			take_answer(r);
	}
}

/* ---- the request ---- */

static void on_open(void *arg)
{
	struct relay_renew *r = arg;
	const struct sluice_place *at = relay_clouds_place(r->conf.clouds);
	bool v6 = strchr(at->host, ':');
	json_t *o = json_pack("{s:s}", "csr", r->csr);
	char *body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char head[1024];
	struct sluice_http_writer w = { .buf = head, .size = sizeof(head) };
	struct iovec iov[2] = { { head, 0 }, { body, body ? strlen(body) : 0 } };
	long n;

	json_decref(o);
	sluice_http_write_request(&w, "POST", PATH);
	sluice_http_write_field(&w, "Host", "%s%s%s:%s", v6 ? "[" : "", at->host, v6 ? "]" : "",
				at->port);
	sluice_http_write_field(&w, "Content-Type", "application/json");
	sluice_http_write_field(&w, "Content-Length", "%zu", iov[1].iov_len);
	sluice_http_write_field(&w, "Connection", "close");
	n = sluice_http_write_end(&w);
	iov[0].iov_len = n > 0 ? (size_t)n : 0;
	if (!body || n < 0 || sluice_conn_send(r->conn, iov, 2))
		end_attempt(r, -ENOMEM, "cannot send the request");
	free(body);
}

static void on_close(void *arg, enum sluice_conn_end end, const char *why)
{
	struct relay_renew *r = arg;

	r->conn = NULL;
	end_attempt(r, -EIO, "%s", why);
	free(r->body);
	free(r->http);
	r->body = NULL;
	r->http = NULL;
	r->body_size = 0;
}

int relay_renew_now(struct relay_renew *r)
{
	static const struct sluice_conn_ops ops = { on_open, on_data, NULL, on_close };
	const struct sluice_place *at = relay_clouds_place(r->conf.clouds);
	struct sluice_conn_config c = { .io = r->conf.io,
					.tls = r->tls,
					.ops = &ops,
					.handshake_ms = TIMEOUT_MS,
					.idle_ms = TIMEOUT_MS,
					.proxy = relay_clouds_via(r->conf.clouds) };
	char why[320] = "out of memory";
	int err;

	if (r->conn || !r->tls)
		return -EBUSY;
	r->ended = r->answered = false;
	err = relay_identity_request(&r->conf.id, &r->csr, why, sizeof(why));
	if (!err)
		r->http = calloc(1, sizeof(*r->http));
	if (r->http) {
		sluice_http_begin_response(r->http, ANSWER_MAX);
		r->conn = sluice_conn_connect(&c, at->host, at->port, r);
	}
	if (!r->conn) {
		free(r->http);
		r->http = NULL;
		end_attempt(r, err ? err : -ENOMEM, "%s", why);
	}
	return 0;
}

/* ---- when ---- */

static void on_check(void *arg)
{
	struct relay_renew *r = arg;
	int64_t now = (int64_t)time(NULL), pause_ms = life(r) * 1000 / 60;

	if (pause_ms < 500)
		pause_ms = 500;
	if (pause_ms > CHECK_MS || !r->tls)
		pause_ms = CHECK_MS;
	sluice_io_timer_in(r->conf.io, &r->check, (uint64_t)pause_ms, on_check, r);
	if (!r->tls || r->conn || now < r->due)
		return;
	if (now >= r->end)
		sluice_log_limited(&expired_limit, SLUICE_LOG_ERROR,
				   "the certificate %s has ended; enrol this device again "
				   "(sluicectl enrol), unless this machine's clock is wrong",
				   r->conf.id.cert);
	else if (sluice_io_now(r->conf.io) >= r->next_try_ns)
		relay_renew_now(r);
}

void relay_renew_tls(struct relay_renew *r, struct sluice_tls_ctx *tls)
{
	r->tls = tls;
	r->begin = tls ? sluice_tls_ctx_begin(tls) : 0;
	r->end = tls ? sluice_tls_ctx_expiry(tls) : 0;
	r->due = r->begin + life(r) / 3 * 2 + (int64_t)random_below((uint64_t)life(r) / 30 + 1);
	if (r->conf.io)
		sluice_io_timer_in(r->conf.io, &r->check, 0, on_check, r);
}

void relay_renew_start(struct relay_renew *r, const struct relay_renew_config *c,
		       struct sluice_tls_ctx *tls)
{
	memset(r, 0, sizeof(*r));
	r->conf = *c;
	relay_renew_tls(r, tls);
}

void relay_renew_stop(struct relay_renew *r)
{
	if (!r->conf.io)
		return;
	sluice_io_timer_cancel(r->conf.io, &r->check);
	r->ended = true;
	free(r->csr);
	r->csr = NULL;
	if (r->conn)
		sluice_conn_abort(r->conn, "the relay stops");
}
