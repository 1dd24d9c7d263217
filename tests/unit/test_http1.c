// SPDX-License-Identifier: MIT
/* The HTTP subset: what is accepted is accepted however it is cut, everything else has its status.
 */
#include <errno.h>
#include <string.h>
#include "check.h"
#include "lib/http1.h"

static struct sluice_http http;
static char body[70000];
static size_t body_size;

/* Feed in pieces of at most `most`. Returns the last step, bytes left over in *rest. */
static int feed_text(const char *text, size_t size, size_t most, size_t *rest)
{
	const uint8_t *p = (const uint8_t *)text;
	int step = SLUICE_HTTP_MORE;

	body_size = 0;
	while (1) {
		size_t n = size < most ? size : most, used;

		step = sluice_http_feed(&http, p, n, &used);
		CHECK(used <= n);
		if (step == SLUICE_HTTP_BODY) {
			CHECK(body_size + http.body_size <= sizeof(body));
			memcpy(body + body_size, http.body, http.body_size);
			body_size += http.body_size;
		}
		p += used;
		size -= used;
		*rest = size;
		if (step < 0 || step == SLUICE_HTTP_DONE || (step == SLUICE_HTTP_MORE && !size))
			return step;
	}
}

static int request(const char *text, size_t most)
{
	size_t rest;

	sluice_http_begin_request(&http, 0);
	return feed_text(text, strlen(text), most, &rest);
}

#define HOST "Host: a\r\n"

static void test_good(void)
{
	const char *text = "POST /v1/x%2fy?a=1&b=c%20d+e&flag HTTP/1.1\r\nHOST: box.local:8443\r\n"
			   "Content-Length: 5\r\nX-Empty:\r\nX-Tab: \ta b\t \r\n\r\nhello";
	char buf[64];

	for (size_t most = 1; most < 200; most++) {
		CHECK(request(text, most) == SLUICE_HTTP_DONE);
		CHECK(http.method == SLUICE_HTTP_POST && http.content_length == 5);
		CHECK(body_size == 5 && !memcmp(body, "hello", 5));
		CHECK(!strcmp(sluice_http_field(&http, "host"), "box.local:8443"));
		CHECK(!strcmp(sluice_http_field(&http, "x-empty"), ""));
		CHECK(!strcmp(sluice_http_field(&http, "x-tab"), "a b"));
		CHECK(!sluice_http_field(&http, "x-none"));
		CHECK(http.keep_alive && !http.upgrade);
	}
	CHECK(!sluice_http_path(&http, buf, sizeof(buf)) && !strcmp(buf, "/v1/x/y"));
	CHECK(sluice_http_path(&http, buf, 7) == -ENAMETOOLONG);
	CHECK(!sluice_http_query(&http, "b", buf, sizeof(buf)) && !strcmp(buf, "c d e"));
	CHECK(!sluice_http_query(&http, "flag", buf, sizeof(buf)) && !*buf);
	CHECK(sluice_http_query(&http, "c", buf, sizeof(buf)) == -ENOENT);
	CHECK(request("GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\n"
		      "Upgrade: sluice/1\r\n\r\n",
		      999) == SLUICE_HTTP_DONE);
	CHECK(http.upgrade);
	CHECK(request("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 999) ==
	      SLUICE_HTTP_DONE);
	CHECK(!http.keep_alive);
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
		{ "GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n", 400 },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\n" HOST "\r\n", 505 },
		{ "GET / HTTP/2\r\n" HOST "\r\n", 505 },
		{ "GET /\r\n" HOST "\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 400 },
		{ "GET http://a/ HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /#x HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /\x80 HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "G(T / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST " folded: a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501 },
		{ "GET / HTTP/1.1\r\n" HOST "transfer-encoding: identity\r\n\r\n", 501 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		  400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 9999999999999999999\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", 417 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n",
		  400 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t most = 1; most < 500; most = most * 7 + 1) {
			int step = request(cases[i].text, most);

			CHECK(step == -EBADMSG && http.status == cases[i].status && http.why);
			if (step != -EBADMSG || http.status != cases[i].status)
				fprintf(stderr, "case %zu: step %d status %d\n", i, step,
					http.status);
		}
}

static void test_bounds(void)
{
	static char text[20000];
	size_t rest, n;

	/* first line: the limit counts its line end */
	for (int extra = 0; extra < 2; extra++) {
		size_t fill = SLUICE_HTTP_LINE_MAX - strlen("GET / HTTP/1.1\r\n") + (size_t)extra;

		n = (size_t)snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\n" HOST "\r\n",
				     (int)fill, 0);
		sluice_http_begin_request(&http, 0);
		CHECK(feed_text(text, n, 9999, &rest) == (extra ? -EBADMSG : SLUICE_HTTP_DONE));
		CHECK(!extra || http.status == 414);
	}
	/* the whole head */
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "X: %0*d\r\n\r\n", 17000,
			     0);
	sluice_http_begin_request(&http, 0);
	CHECK(feed_text(text, n, 9999, &rest) == -EBADMSG && http.status == 431);
	for (int fields = SLUICE_HTTP_FIELDS - 1; fields <= SLUICE_HTTP_FIELDS; fields++) {
		n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST);
		for (int i = 0; i < fields; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "X: a\r\n");
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\r\n");
		sluice_http_begin_request(&http, 0);
		CHECK(feed_text(text, n, 9999, &rest) ==
		      (fields == SLUICE_HTTP_FIELDS ? -EBADMSG : SLUICE_HTTP_DONE));
	}
	CHECK(http.status == 431);
	/* no pipelining */
	sluice_http_begin_request(&http, 0);
	n = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "\r\nGET");
	CHECK(feed_text(text, n, 9999, &rest) == SLUICE_HTTP_DONE && rest == 3);
	CHECK(sluice_http_feed(&http, (const uint8_t *)"GET", 3, &rest) == -EBADMSG);
	/* NUL */
	sluice_http_begin_request(&http, 0);
	CHECK(feed_text("GET /\0 HTTP/1.1\r\n" HOST "\r\n", 30, 99, &rest) == -EBADMSG);
}

static void test_paths(void)
{
	static const char *const bad[] = { "/a/../b", "/..", "/%2e%2e/x", "/a//b",  "/%00",
					   "/%zz",    "/%2", "/./a",	  "/a%5cb", "/%0a" };
	char text[128], path[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", bad[i]);
		CHECK(request(text, 99) == SLUICE_HTTP_DONE);
		CHECK(sluice_http_path(&http, path, sizeof(path)) == -EINVAL);
	}
	CHECK(request("GET /a..b/.c/ HTTP/1.1\r\n" HOST "\r\n", 99) == SLUICE_HTTP_DONE);
	CHECK(!sluice_http_path(&http, path, sizeof(path)) && !strcmp(path, "/a..b/.c/"));
}

static int response(const char *text, size_t most, size_t *rest)
{
	sluice_http_begin_response(&http, 100);
	return feed_text(text, strlen(text), most, rest);
}

static void test_responses(void)
{
	size_t rest;

	for (size_t most = 1; most < 150; most++) {
		CHECK(response("HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n"
			       "Connection: Upgrade\r\nUpgrade: sluice/1\r\n\r\nbinary",
			       most, &rest) == SLUICE_HTTP_DONE);
		CHECK(http.status == 101 && http.upgrade && rest == 6);
		CHECK(response("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", most,
			       &rest) == SLUICE_HTTP_DONE);
		CHECK(http.status == 403 && body_size == 2);
		CHECK(response("HTTP/1.1 200 OK\r\n\r\nto the end", most, &rest) ==
		      SLUICE_HTTP_MORE);
		CHECK(!sluice_http_end(&http) && body_size == 10);
	}
	CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", 99, &rest) ==
	      SLUICE_HTTP_MORE);
	CHECK(sluice_http_end(&http) == -EBADMSG);
	CHECK(response("SSH-2.0-x\r\n\r\n", 99, &rest) == -EBADMSG);
	CHECK(response("HTTP/1.1 20 OK\r\n\r\n", 99, &rest) == -EBADMSG);
	CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", 99, &rest) == -EBADMSG);
	CHECK(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 99, &rest) ==
	      -EBADMSG);
}

static void test_writer(void)
{
	char buf[128];
	struct sluice_http_writer w = { .buf = buf, .size = sizeof(buf) };

	sluice_http_write_status(&w, 404);
	sluice_http_write_field(&w, "Content-Length", "%d", 3);
	CHECK(sluice_http_write_end(&w) == (long)strlen(buf));
	CHECK(!strcmp(buf, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n"));
	w = (struct sluice_http_writer){ .buf = buf, .size = sizeof(buf) };
	sluice_http_write_request(&w, "GET", "/x");
	sluice_http_write_field(&w, "X", "%s", "a\r\nEvil: 1");
	CHECK(sluice_http_write_end(&w) == -ENOBUFS);
	for (size_t size = 1; size < 46; size++) {
		w = (struct sluice_http_writer){ .buf = buf, .size = size };
		sluice_http_write_status(&w, 404);
		sluice_http_write_field(&w, "Content-Length", "%d", 3);
		CHECK(sluice_http_write_end(&w) == -ENOBUFS);
	}
	CHECK(sluice_http_token("a, Upgrade ,b", "upgrade"));
	CHECK(!sluice_http_token("xupgrade, upgradex", "upgrade") && !sluice_http_token(NULL, "a"));
}

int main(void)
{
	test_good();
	test_bad();
	test_bounds();
	test_paths();
	test_responses();
	test_writer();
	return check_result();
}
