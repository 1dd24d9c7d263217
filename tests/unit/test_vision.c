// SPDX-License-Identifier: MIT
/*
 * test_vision.c - a vision endpoint that does all that endpoints do: each gives a text, or none and
 * its own reason. What it may cost, and which addresses are asked at all.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cloud/vision_ask.h"
#include "cloud/vision_budget.h"
#include "cloud/vision_call.h"
#include "tests/unit/certs.h"
#include "tests/unit/chat_server.h"
#include "tests/unit/check.h"
#include "tests/unit/jpeg_make.h"

#define TIMEOUT_MS 600

static uint8_t *picture;
static size_t picture_size;

/* ---- the answer ---- */

static enum sluice_vision_failure read_words(const char *content, struct sluice_vision_answer *a)
{
	json_t *o = json_pack("{s:[{s:{s:s},s:s}]}", "choices", "message", "content", content,
			      "finish_reason", "stop");
	char *text = json_dumps(o, 0), why[256];
	enum sluice_vision_failure f =
		sluice_vision_answer_read(text, strlen(text), 2, a, why, sizeof(why));

	CHECK((f == SLUICE_VISION_OK) == !why[0]);
	free(text);
	json_decref(o);
	return f;
}

/* The usual answer with the value of one member replaced; "": the member is not there. */
static enum sluice_vision_failure read_with(const char *member, const char *value)
{
	static const char *const usual[][2] = {
		{ "title", "\"A\"" },	 { "text", "\"B.\"" },	  { "scene", "\"C.\"" },
		{ "confidence", "0.5" }, { "threat_level", "0" }, { "concerns", "[]" },
		{ "evidence", "[1]" },
	};
	struct sluice_vision_answer a;
	char text[8192] = "{";

	for (size_t i = 0; i < 7; i++) {
		const char *v = strcmp(member, usual[i][0]) ? usual[i][1] : value;

		if (*v)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"%s\":%s",
				 text[1] ? "," : "", usual[i][0], v);
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "}");
	return read_words(text, &a);
}

static void test_members(void)
{
	static const char *const wrong[][2] = {
		{ "title", "" },
		{ "title", "null" },
		{ "title", "\"\"" },
		{ "title", "\" \\u3000\"" },
		{ "title", "\"a\\nb\"" },
		{ "title", "\"a\\u0000b\"" },
		{ "title", "\"\\u009b1m\"" },
		{ "title", "\"\\u2066x\"" },
		{ "title", "\"\\u2028x\"" },
		{ "title", "\"\\ufeffx\"" },
		{ "title", "\"\\uDB40\\uDC41x\"" },
		{ "title", "\"\\ue000\"" },
		{ "title", "\"\\ud800\"" },
		{ "text", "5" },
		{ "scene", "[\"C\"]" },
		{ "confidence", "1.01" },
		{ "confidence", "-0.1" },
		{ "confidence", "\"0.5\"" },
		{ "confidence", "1e400" },
		{ "threat_level", "3" },
		{ "threat_level", "-1" },
		{ "threat_level", "1.0" },
		{ "threat_level", "\"1\"" },
		{ "threat_level", "99999999999999999999" },
		{ "concerns", "null" },
		{ "concerns", "[\"\"]" },
		{ "concerns", "[7]" },
		{ "concerns", "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]" },
		{ "concerns", "[\"\\u202d\"]" },
		{ "evidence", "[]" },
		{ "evidence", "[0]" },
		{ "evidence", "[3]" },
		{ "evidence", "[1,1]" },
		{ "evidence", "[1,2,1]" },
		{ "evidence", "[1.0]" },
		{ "evidence", "\"1\"" },
	};
	char longest[SLUICE_VISION_TITLE * 3 + 8];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_with(wrong[i][0], wrong[i][1]) != SLUICE_VISION_INVALID) {
			fprintf(stderr, "%s: %s is taken\n", wrong[i][0], wrong[i][1]);
			CHECK(0);
		}
	CHECK(read_with("confidence", "1") == SLUICE_VISION_OK);
	CHECK(read_with("evidence", "[2,1]") == SLUICE_VISION_OK);
	/* letters count, not bytes: exactly as many as there may be, and one more */
	longest[0] = '"';
	for (size_t i = 0; i < SLUICE_VISION_TITLE; i++)
		memcpy(longest + 1 + 3 * i, "\xe9\x97\xa8", 3);
	memcpy(longest + 1 + 3 * SLUICE_VISION_TITLE, "\"", 2);
	CHECK(read_with("title", longest) == SLUICE_VISION_OK);
	memcpy(longest + 1 + 3 * SLUICE_VISION_TITLE, "x\"", 3);
	CHECK(read_with("title", longest) == SLUICE_VISION_INVALID);
}

static void test_answer(void)
{
	struct sluice_vision_answer a;
	char why[64];

	CHECK(read_words("{\"title\":\"<b>\\\"T\\\"\",\"text\":\"\xe9\x97\xa8\xe5\x8f\xa3\","
			 "\"scene\":\"S\","
			 "\"confidence\":0.25,\"threat_level\":2,\"concerns\":[\"c1\",\"c2\"],"
			 "\"evidence\":[2]}",
			 &a) == SLUICE_VISION_OK);
	CHECK(!strcmp(a.title, "<b>\"T\"") && !strcmp(a.text, "\xe9\x97\xa8\xe5\x8f\xa3"));
	CHECK(a.confidence == 0.25 && a.threat == 2 && a.concern_count == 2 && a.evidence == 2);
	CHECK(!strcmp(a.concern[1], "c2") && !a.metered);
	CHECK(read_words("{", &a) == SLUICE_VISION_INVALID);
	CHECK(read_words("[]", &a) == SLUICE_VISION_INVALID);
	CHECK(sluice_vision_answer_read("", 0, 1, &a, why, sizeof(why)) == SLUICE_VISION_MALFORMED);
	static const char broken[] = "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":"
				     "{\"content\":\"{\\\"title\\\":\\\"\xc3\x28\\\"}\"}}]}";
	CHECK(sluice_vision_answer_read(broken, strlen(broken), 1, &a, why, sizeof(why)) ==
	      SLUICE_VISION_MALFORMED);
	/* tokens of what is of no use were spent, too; nonsense is not believed */
	static const char spent[] = "{\"choices\":[{\"finish_reason\":\"length\"}],\"usage\":"
				    "{\"prompt_tokens\":7,\"completion_tokens\":9}}";
	static const char absurd[] = "{\"choices\":[{\"finish_reason\":\"length\"}],\"usage\":"
				     "{\"prompt_tokens\":-7,\"completion_tokens\":9e18}}";
	CHECK(sluice_vision_answer_read(spent, strlen(spent), 1, &a, why, sizeof(why)) ==
	      SLUICE_VISION_TRUNCATED);
	CHECK(a.metered && a.tokens_in == 7 && a.tokens_out == 9);
	CHECK(sluice_vision_answer_read(absurd, strlen(absurd), 1, &a, why, sizeof(why)) ==
	      SLUICE_VISION_TRUNCATED);
	CHECK(!a.metered);
}

/* ---- the call ---- */

static char *ask(unsigned int format)
{
	json_t *summary =
		json_loads("{\"camera\":\"door\",\"title\":\"One object\",\"tracks\":[{\"id\":1,"
			   "\"class\":\"person-like\",\"boxes\":[[0,1,2,3,4]]}]}",
			   0, NULL);
	const struct sluice_vision_picture p[2] = {
		{ .jpeg = picture, .size = picture_size, .file = "key-1.jpg", .t_s = 1 },
		{ .jpeg = picture, .size = picture_size - 1, .file = "key-2.jpg", .t_s = 2.5 },
	};
	const struct sluice_vision_question q = { .model = "test-1",
						  .format = format,
						  .tokens = 400,
						  .summary = summary,
						  .picture = p,
						  .pictures = 2 };
	char *text = sluice_vision_ask(&q);

	CHECK(text && !strstr(text, "boxes"));
	json_decref(summary);
	return text;
}

static void *serve(void *arg)
{
	chat_server_serve(arg);
	return NULL;
}

/* One call to a server of that manner, over http or (tls) https. */
static void call(const char *manner, SSL_CTX *tls, const char *ca, unsigned int format,
		 struct sluice_vision_answer *a, struct sluice_vision_reply *r)
{
	struct chat_server s = { .manner = &manner, .manners = 1, .tls = tls };
	char url[64], *question = ask(format);
	struct sluice_vision_endpoint e = {
		.url = url, .key = "sk-secret", .ca = ca, .timeout_ms = TIMEOUT_MS
	};
	pthread_t thread;

	chat_server_listen(&s);
	pthread_create(&thread, NULL, serve, &s);
	snprintf(url, sizeof(url), "http%s://127.0.0.1:%u/v1/chat/completions", tls ? "s" : "",
		 s.port);
	sluice_vision_call(&e, question, 2, a, r);
	shutdown(s.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(s.fd);
	CHECK(!s.refused && !s.elsewhere);
	free(question);
}

static void test_manners(void)
{
	static const struct {
		const char *manner;
		enum sluice_vision_failure failure;
	} cases[] = {
		{ "ok", SLUICE_VISION_OK },
		{ "markup", SLUICE_VISION_OK },
		{ "nousage", SLUICE_VISION_OK },
		{ "plain-words", SLUICE_VISION_INVALID },
		{ "fenced", SLUICE_VISION_INVALID },
		{ "extra", SLUICE_VISION_INVALID },
		{ "missing", SLUICE_VISION_INVALID },
		{ "long", SLUICE_VISION_INVALID },
		{ "control", SLUICE_VISION_INVALID },
		{ "bidi", SLUICE_VISION_INVALID },
		{ "threat", SLUICE_VISION_INVALID },
		{ "evidence", SLUICE_VISION_INVALID },
		{ "double", SLUICE_VISION_INVALID },
		{ "refusal", SLUICE_VISION_REFUSED },
		{ "filter", SLUICE_VISION_REFUSED },
		{ "length", SLUICE_VISION_TRUNCATED },
		{ "tool", SLUICE_VISION_MALFORMED },
		{ "nochoice", SLUICE_VISION_MALFORMED },
		{ "nocontent", SLUICE_VISION_MALFORMED },
		{ "sse", SLUICE_VISION_TYPE },
		{ "html", SLUICE_VISION_TYPE },
		{ "junk", SLUICE_VISION_MALFORMED },
		{ "gzip", SLUICE_VISION_MALFORMED },
		{ "deep", SLUICE_VISION_MALFORMED },
		{ "empty", SLUICE_VISION_MALFORMED },
		{ "huge", SLUICE_VISION_LARGE },
		{ "huge-length", SLUICE_VISION_LARGE },
		{ "drip", SLUICE_VISION_TIMEOUT },
		{ "silent", SLUICE_VISION_TIMEOUT },
		{ "half", SLUICE_VISION_CONNECT },
		{ "reset", SLUICE_VISION_CONNECT },
		{ "garbage", SLUICE_VISION_CONNECT },
		{ "to-host", SLUICE_VISION_REDIRECT },
		{ "to-file", SLUICE_VISION_REDIRECT },
		{ "to-self", SLUICE_VISION_REDIRECT },
		{ "later", SLUICE_VISION_RATE },
		{ "401", SLUICE_VISION_KEY },
		{ "403", SLUICE_VISION_KEY },
		{ "404", SLUICE_VISION_STATUS },
		{ "500", SLUICE_VISION_STATUS },
		{ "204", SLUICE_VISION_STATUS },
	};
	struct sluice_vision_answer a;
	struct sluice_vision_reply r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call(cases[i].manner, NULL, NULL, (unsigned int)i % 3, &a, &r);
		if (r.failure != cases[i].failure) {
			fprintf(stderr, "%s: %s (%s)\n", cases[i].manner,
				sluice_vision_failures[r.failure], r.why);
			CHECK(0);
		}
		/* each says why, in words that do not have the key in them */
		CHECK((r.failure == SLUICE_VISION_OK) == !r.why[0] && !strstr(r.why, "secret"));
		CHECK(r.sent);
		CHECK(r.after_s == (!strcmp(cases[i].manner, "later") ? 1 : 0));
		CHECK(r.failure != SLUICE_VISION_OK || !strcmp(a.text, "Somebody walks up."));
		CHECK(r.failure != SLUICE_VISION_OK ||
		      a.metered == (strcmp(cases[i].manner, "nousage") != 0));
		CHECK(r.failure == SLUICE_VISION_OK || r.failure == SLUICE_VISION_INVALID ||
		      !a.title[0]);
	}
}

static void test_nobody(void)
{
	const char *manner = "ok";
	struct chat_server s = { .manner = &manner, .manners = 1 };
	struct sluice_vision_endpoint e = { .timeout_ms = TIMEOUT_MS };
	struct sluice_vision_answer a;
	struct sluice_vision_reply r;
	atomic_int stopping = 1;
	char url[64];

	chat_server_listen(&s);
	close(s.fd);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/chat/completions", s.port);
	e.url = url;
	sluice_vision_call(&e, "{}", 1, &a, &r);
	CHECK(r.failure == SLUICE_VISION_CONNECT && !r.sent && !r.status);
	e.stopping = &stopping;
	sluice_vision_call(&e, "{}", 1, &a, &r);
	CHECK(r.failure == SLUICE_VISION_CONNECT && !r.sent);
}

static void test_tls(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	struct sluice_vision_answer a;
	struct sluice_vision_reply r;

	certs_make_usual();
	CHECK(SSL_CTX_use_certificate_chain_file(tls, certs_path("server", "crt")) == 1 &&
	      SSL_CTX_use_PrivateKey_file(tls, certs_path("server", "key"), SSL_FILETYPE_PEM) == 1);
	call("ok", tls, certs_path("ca", "crt"), 0, &a, &r);
	CHECK(r.failure == SLUICE_VISION_OK);
	/* of another authority, of none that the system knows, and plain where TLS is wanted */
	call("ok", tls, certs_path("other", "crt"), 0, &a, &r);
	CHECK(r.failure == SLUICE_VISION_TLS && !r.sent);
	call("ok", tls, "", 0, &a, &r);
	CHECK(r.failure == SLUICE_VISION_TLS && !r.sent);
	call("ok", tls, "/nowhere/ca.crt", 0, &a, &r);
	CHECK(r.failure == SLUICE_VISION_TLS && !r.sent);
	SSL_CTX_free(tls);
	certs_remove();
}

/* ---- addresses ---- */

static void test_urls(void)
{
	static const struct {
		const char *url;
		int plain, ok;
	} cases[] = {
		{ "https://api.example.org/v1/chat/completions", 0, 1 },
		{ "https://10.0.0.7:8443/v1/chat/completions?v=1", 0, 1 },
		{ "http://127.0.0.1:11434/v1/chat/completions", 0, 1 },
		{ "http://localhost:8080/v1", 0, 1 },
		{ "http://[::1]:8080/v1", 0, 1 },
		{ "http://10.0.0.7/v1", 1, 1 },
		{ "http://10.0.0.7/v1", 0, 0 },
		{ "http://127.0.0.1.example.org/v1", 0, 0 },
		{ "http://localhost.example.org/v1", 0, 0 },
		{ "https://user:sk@example.org/v1", 0, 0 },
		{ "https://example.org/v1#x", 0, 0 },
		{ "file:///etc/passwd", 1, 0 },
		{ "ftp://127.0.0.1/v1", 1, 0 },
		{ "example.org/v1", 0, 0 },
		{ "", 0, 0 },
	};
	char why[SLUICE_VISION_WHY];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = sluice_vision_url_check(cases[i].url, cases[i].plain, why, sizeof(why));

		if ((err == 0) != cases[i].ok) {
			fprintf(stderr, "%s: %s\n", cases[i].url, err ? why : "is taken");
			CHECK(0);
		}
	}
}

/* ---- money ---- */

static void test_budget(void)
{
	static const char *const bad[] = { "",		".5",  "1.",	      "1,5", "-1",
					   "0.1234567", "1e3", "12345678901", "1 " };
	struct sluice_vision_limits l = { .hour_calls = 2, .day_calls = 3, .day_money = 1000 };
	char dir[] = "/tmp/sluice-vision-XXXXXX", path[64];
	struct sluice_vision_budget b;
	int64_t now = 1000 * 86400 + 30;
	uint64_t m;
	FILE *f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(sluice_vision_money(bad[i], &m) == -EINVAL);
	CHECK(!sluice_vision_money("0.15", &m) && m == 150000);
	CHECK(!sluice_vision_money("12", &m) && m == 12000000);
	l.price_in = 150000;
	l.price_out = 600000;
	CHECK(sluice_vision_cost(&l, 1000000, 500000) == 450000);
	CHECK(sluice_vision_cost(&l, 1, 0) == 1); /* never for nothing */
	if (!mkdtemp(dir))
		exit(1);
	CHECK(!sluice_vision_budget_open(&b, dir, &l, now));
	CHECK(!sluice_vision_budget_take(&b, now, 600));
	CHECK(sluice_vision_budget_take(&b, now, 600) == -EDQUOT); /* money */
	CHECK(!sluice_vision_budget_settle(&b, 600, 100));
	CHECK(!sluice_vision_budget_take(&b, now, 600));
	CHECK(sluice_vision_budget_take(&b, now, 0) == -EDQUOT); /* of this hour */
	/* another life knows what this one has spent */
	CHECK(!sluice_vision_budget_open(&b, dir, &l, now));
	CHECK(b.hour_calls == 2 && b.day_calls == 2 && b.day_money == 700);
	CHECK(!sluice_vision_budget_take(&b, now + 3600, 0));
	CHECK(sluice_vision_budget_take(&b, now + 7200, 0) == -EDQUOT); /* of this day */
	/* a clock put back gives nothing back; the next day does */
	CHECK(sluice_vision_budget_take(&b, now - 86400, 0) == -EDQUOT);
	CHECK(!sluice_vision_budget_take(&b, now + 86400, 1000));
	/* where nobody knows, all of it is spent, until tomorrow */
	snprintf(path, sizeof(path), "%s/%s", dir, SLUICE_VISION_BUDGET_FILE);
	f = fopen(path, "w");
	if (!f || fputs("1 2 junk", f) < 0 || fclose(f))
		exit(1);
	CHECK(sluice_vision_budget_open(&b, dir, &l, now) == -EUCLEAN);
	CHECK(sluice_vision_budget_take(&b, now, 0) == -EDQUOT);
	CHECK(!sluice_vision_budget_take(&b, now + 86400, 0));
	unlink(path);
	/* what cannot be written down is not spent */
	rmdir(dir);
	CHECK(sluice_vision_budget_take(&b, now + 86400, 0) == -ENOENT && b.day_calls == 1);
}

/* ---- which pictures ---- */

static void test_choose(void)
{
	json_t *o = json_loads(
		"{\"keyframes\":[{\"why\":\"burst\"},{\"why\":\"best view\"},{\"why\":\"peak\"},"
		"{\"why\":\"best view\"},{}]}",
		0, NULL);
	uint32_t at[SLUICE_VISION_PICTURES];

	CHECK(sluice_vision_choose(o, 2, at) == 2 && at[0] == 1 && at[1] == 3);
	CHECK(sluice_vision_choose(o, 3, at) == 3 && at[0] == 0 && at[1] == 1 && at[2] == 3);
	CHECK(sluice_vision_choose(o, 9, at) == 4 && at[3] == 3);
	json_decref(o);
	CHECK(!sluice_vision_choose(NULL, 4, at));
}

int main(int argc, char **argv)
{
	static const struct jpeg_shape shape = {
		.width = 160, .height = 120, .components = 3, .h = 2, .v = 2, .quality = 80
	};

	(void)argc;
	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	picture = jpeg_make(&shape, 1, 20, &picture_size);
	test_members();
	test_answer();
	test_manners();
	test_nobody();
	test_tls();
	test_urls();
	test_budget();
	test_choose();
	free(picture);
	return check_result();
}
