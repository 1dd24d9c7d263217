// SPDX-License-Identifier: MIT
/* chat_server.c - see chat_server.h. */
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/chat_server.h"

#define REQUEST_MAX (4u << 20)
#define SIDE_MAX    512
#define PICTURES    4

struct client {
	int fd;
	SSL *ssl;
};

static char request[REQUEST_MAX + 1];

static ssize_t hear(const struct client *c, char *out, size_t size)
{
	return c->ssl ? SSL_read(c->ssl, out, (int)size) : recv(c->fd, out, size, 0);
}

/* Was it sent? */
static int say(const struct client *c, const char *text, size_t n)
{
	if (c->ssl)
		return SSL_write(c->ssl, text, (int)n) == (int)n;
	return send(c->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* ---- is the request one of the API's? ---- */

static int value_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place; the size, -1: it is not base64. */
static long unbase64(char *text)
{
	size_t n = strlen(text), at = 0;

	if (!n || n % 4)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		unsigned int v = 0, have = 0;

		for (size_t k = 0; k < 4; k++) {
			int digit = value_of(text[i + k]);

			if (digit < 0 && !(text[i + k] == '=' && i + 4 == n && k > 1))
				return -1;
			have += digit >= 0;
			v = v << 6 | (digit < 0 ? 0 : (unsigned int)digit);
		}
		for (unsigned int k = 0; k + 1 < have; k++)
			text[at++] = (char)(v >> (16 - 8 * k));
	}
	return (long)at;
}

/* A JPEG whose sides are small enough. */
static const char *picture_wrong(const char *url)
{
	static const char head[] = "data:image/jpeg;base64,";
	const char *wrong = "no JPEG";
	unsigned char *p;
	char *text;
	long n;

	if (!url || strncmp(url, head, sizeof(head) - 1) != 0)
		return "no data: URL of a JPEG";
	text = strdup(url + sizeof(head) - 1);
	n = text ? unbase64(text) : -1;
	p = (unsigned char *)text;
	for (long i = 2; n > 4 && p[0] == 0xff && p[1] == 0xd8 && i + 9 < n && p[i] == 0xff;
	     i += 2 + p[i + 2] * 256 + p[i + 3]) {
		if (p[i + 1] < 0xc0 || p[i + 1] > 0xc2)
			continue;
		wrong = p[i + 5] * 256 + p[i + 6] > SIDE_MAX || p[i + 7] * 256 + p[i + 8] > SIDE_MAX
				? "a picture is too large"
				: NULL;
		break;
	}
	free(text);
	return wrong;
}

static const char *content_wrong(const json_t *content)
{
	const json_t *part;
	int texts = 0, pictures = 0;
	size_t i;

	json_array_foreach (content, i, part) {
		const char *type = json_string_value(json_object_get(part, "type"));
		const char *wrong = NULL;

		if (type && !strcmp(type, "text") && json_is_string(json_object_get(part, "text")))
			texts++;
		else if (type && !strcmp(type, "image_url") && ++pictures)
			wrong = picture_wrong(json_string_value(
				json_object_get(json_object_get(part, "image_url"), "url")));
		else
			wrong = "a part of another type";
		if (wrong)
			return wrong;
	}
	return texts != 1 || !pictures || pictures > PICTURES ? "not one text and 1 to 4 pictures"
							      : NULL;
}

static const char *format_wrong(const json_t *o)
{
	const json_t *format = json_object_get(o, "response_format");
	const char *type = json_string_value(json_object_get(format, "type"));
	const json_t *schema = json_object_get(format, "json_schema");

	if (!format)
		return NULL;
	if (!type || (strcmp(type, "json_object") != 0 && strcmp(type, "json_schema") != 0))
		return "response_format is none";
	if (!strcmp(type, "json_schema") &&
	    (!json_is_string(json_object_get(schema, "name")) ||
	     !json_is_true(json_object_get(schema, "strict")) ||
	     json_array_size(json_object_get(json_object_get(schema, "schema"), "required")) !=
		     json_object_size(
			     json_object_get(json_object_get(schema, "schema"), "properties"))))
		return "json_schema is none";
	return NULL;
}

static const char *body_wrong(const char *body)
{
	json_t *o = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const json_t *messages = json_object_get(o, "messages");
	const json_t *system = json_array_get(messages, 0), *user = json_array_get(messages, 1);
	const char *role = json_string_value(json_object_get(system, "role"));
	const char *wrong = NULL;

	if (!json_string_length(json_object_get(o, "model")))
		wrong = "no model";
	else if (!json_is_integer(json_object_get(o, "max_tokens")) ||
		 json_is_true(json_object_get(o, "stream")))
		wrong = "no max_tokens, or a stream";
	else if (json_array_size(messages) != 2 || !role || strcmp(role, "system") != 0 ||
		 !json_is_string(json_object_get(system, "content")))
		wrong = "not a message of the system and one of the user";
	else
		wrong = content_wrong(json_object_get(user, "content"));
	if (!wrong)
		wrong = format_wrong(o);
	json_decref(o);
	return wrong;
}

static const char *request_wrong(const char *body)
{
	if (strncmp(request, "POST /v1/chat/completions HTTP/1.1\r\n", 36) != 0)
		return "not POST /v1/chat/completions";
	if (!strcasestr(request, "\r\ncontent-type: application/json\r\n"))
		return "no JSON";
	return body_wrong(body);
}

/* ---- answers ---- */

static void say_body(const struct client *c, const char *status, const char *type, const char *more,
		     const char *body)
{
	char head[400];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n",
			 status, type, more, strlen(body));

	if (say(c, head, (size_t)n))
		say(c, body, strlen(body));
}

static void say_json(const struct client *c, json_t *o)
{
	char *text = json_dumps(o, 0);

	say_body(c, "200 OK", "application/json; charset=utf-8", "", text);
	free(text);
	json_decref(o);
}

/* NULL: no member of that name. */
static void say_completion(const struct client *c, const char *content, const char *refusal,
			   const char *finish, int usage)
{
	json_t *message = json_pack("{s:s,s:s?,s:s?}", "role", "assistant", "content", content,
				    "refusal", refusal);
	json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:[{s:i,s:o,s:s}]}", "id", "chatcmpl-1", "object",
			      "chat.completion", "created", 1700000000, "model", "test-1",
			      "choices", "index", 0, "message", message, "finish_reason", finish);

	if (usage)
		json_object_set_new(o, "usage",
				    json_pack("{s:i,s:i,s:i}", "prompt_tokens", 1200,
					      "completion_tokens", 80, "total_tokens", 1280));
	say_json(c, o);
}

#define REST                                                                             \
	"\"scene\":\"A paved yard in daylight.\",\"confidence\":0.8,\"threat_level\":1," \
	"\"concerns\":[\"Somebody stands at the door.\"],\"evidence\":[1]"
#define OK	     "{\"title\":\"A person at the door\",\"text\":\"Somebody walks up.\"," REST "}"
#define TITLE(words) "{\"title\":\"" words "\",\"text\":\"Somebody walks up.\"," REST "}"

/* Manners that are a completion's content alone. */
static const struct {
	const char *manner, *content;
} contents[] = {
	{ "ok", OK },
	{ "markup", TITLE("<img src=x onerror=alert(1)> & \\\"quoted\\\"") },
	{ "plain-words", "I see a person at the door." },
	{ "fenced", "```json\n" OK "\n```" },
	{ "extra", "{\"run\":\"rm\"," REST ",\"title\":\"A\",\"text\":\"B.\"}" },
	{ "missing", "{\"title\":\"A\"," REST "}" },
	{ "control", TITLE("\\u001b[2J\\u0007 gone") },
	{ "bidi", TITLE("\\u202Etxt.exe") },
	{ "threat",
	  "{\"title\":\"A\",\"text\":\"B.\",\"scene\":\"C\",\"confidence\":0.8,\"threat_level\":3,"
	  "\"concerns\":[],\"evidence\":[1]}" },
	{ "evidence",
	  "{\"title\":\"A\",\"text\":\"B.\",\"scene\":\"C\",\"confidence\":0.8,\"threat_level\":0,"
	  "\"concerns\":[],\"evidence\":[9]}" },
	{ "double",
	  "{\"title\":\"A\",\"title\":\"A2\",\"text\":\"B.\",\"scene\":\"C\",\"confidence\":0.8,"
	  "\"threat_level\":0,\"concerns\":[],\"evidence\":[1]}" },
};

static int say_content(const struct client *c, const char *manner)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (!strcmp(manner, contents[i].manner)) {
			say_completion(c, contents[i].content, NULL, "stop", 1);
			return 1;
		}
	return 0;
}

static void say_long(const struct client *c)
{
	static char text[8192], words[4001];

	memset(words, 'x', sizeof(words) - 1);
	snprintf(text, sizeof(text), "{\"title\":\"%s\",\"text\":\"B.\"," REST "}", words);
	say_completion(c, text, NULL, "stop", 1);
}

static void say_many(const struct client *c, const char *head, size_t bytes, char what)
{
	static char buf[65536];

	memset(buf, what, sizeof(buf));
	if (!say(c, head, strlen(head)))
		return;
	for (size_t i = 0; i < bytes; i += sizeof(buf))
		if (!say(c, buf, sizeof(buf)))
			return;
}

static int is_gone(const struct client *c, int ms)
{
	struct pollfd p = { c->fd, POLLIN, 0 };
	char byte;

	return poll(&p, 1, ms) > 0 && recv(c->fd, &byte, 1, MSG_PEEK) <= 0;
}

static void drip(const struct client *c)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "Content-Length: 100000\r\n\r\n{";

	if (!say(c, head, sizeof(head) - 1))
		return;
	while (!is_gone(c, 50) && say(c, " ", 1))
		;
}

static int say_broken(const struct client *c, const char *manner)
{
	static const char json_head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
	struct linger l = { .l_onoff = 1 };
	char head[200];

	if (!strcmp(manner, "huge") || !strcmp(manner, "deep")) {
		snprintf(head, sizeof(head), "%sConnection: close\r\n\r\n", json_head);
		say_many(c, head, *manner == 'h' ? 10u << 20 : 128u << 10,
			 *manner == 'h' ? ' ' : '[');
	} else if (!strcmp(manner, "huge-length")) {
		snprintf(head, sizeof(head), "%sContent-Length: 10737418240\r\n\r\n", json_head);
		say_many(c, head, 10u << 20, ' ');
	} else if (!strcmp(manner, "half")) {
		snprintf(head, sizeof(head), "%sContent-Length: 900\r\n\r\n{\"choices\":[",
			 json_head);
		say(c, head, strlen(head));
	} else if (!strcmp(manner, "garbage")) {
		say(c, "\x16\x03\x01 what?\r\n\r\n", 12);
	} else if (!strcmp(manner, "reset")) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	} else if (!strcmp(manner, "drip")) {
		drip(c);
	} else if (!strcmp(manner, "silent")) {
		while (!is_gone(c, 100))
			;
	} else {
		return 0;
	}
	return 1;
}

static int say_useless(const struct client *c, const char *manner)
{
	static const char stream[] = "data: {\"choices\":[{\"delta\":{\"content\":\"{\"}}]}\n\n"
				     "data: [DONE]\n\n";

	if (!strcmp(manner, "refusal"))
		say_completion(c, NULL, "I can't help with that.", "stop", 1);
	else if (!strcmp(manner, "filter"))
		say_completion(c, "", NULL, "content_filter", 1);
	else if (!strcmp(manner, "length"))
		say_completion(c, "{\"title\":\"A pers", NULL, "length", 1);
	else if (!strcmp(manner, "tool"))
		say_completion(c, OK, NULL, "tool_calls", 1);
	else if (!strcmp(manner, "nousage"))
		say_completion(c, OK, NULL, "stop", 0);
	else if (!strcmp(manner, "nocontent"))
		say_completion(c, NULL, NULL, "stop", 1);
	else if (!strcmp(manner, "long"))
		say_long(c);
	else if (!strcmp(manner, "nochoice"))
		say_json(c, json_pack("{s:s,s:[]}", "object", "chat.completion", "choices"));
	else if (!strcmp(manner, "empty"))
		say_body(c, "200 OK", "application/json", "", "");
	else if (!strcmp(manner, "sse"))
		say_body(c, "200 OK", "text/event-stream", "", stream);
	else if (!strcmp(manner, "junk"))
		say_body(c, "200 OK", "application/json", "", stream);
	else if (!strcmp(manner, "html"))
		say_body(c, "200 OK", "text/html", "", "<h1>Sign in</h1>");
	else if (!strcmp(manner, "gzip"))
		say_body(c, "200 OK", "application/json", "Content-Encoding: gzip\r\n",
			 "\x1f\x8b\x08 not that");
	else
		return 0;
	return 1;
}

static void say_elsewhere(const struct chat_server *s, const struct client *c, const char *manner)
{
	char more[160];

	if (!strcmp(manner, "to-file"))
		snprintf(more, sizeof(more), "Location: file:///etc/passwd\r\n");
	else if (!strcmp(manner, "to-host"))
		snprintf(more, sizeof(more), "Location: http://localhost:%u/elsewhere\r\n",
			 s->port);
	else
		snprintf(more, sizeof(more), "Location: /elsewhere\r\n");
	say_body(c, "307 Temporary Redirect", "application/json", more, "{}");
}

static void say_status(const struct client *c, const char *manner)
{
	char status[64];
	int later = !strcmp(manner, "later");

	snprintf(status, sizeof(status), "%s%s", later ? "429" : manner,
		 later ? " Too Many Requests" : " No");
	say_body(c, status, "application/json", later ? "Retry-After: 1\r\n" : "",
		 "{\"error\":{\"message\":\"no, key sk-secret\",\"type\":\"t\",\"code\":null}}");
}

/* ---- connections ---- */

/* A whole request; where its body begins, NULL: none came. */
static const char *read_request(const struct client *c)
{
	size_t used = 0, need = 0, head = 0;
	ssize_t n;

	while (used < REQUEST_MAX && (n = hear(c, request + used, REQUEST_MAX - used)) > 0) {
		char *end, *length;

		used += (size_t)n;
		request[used] = 0;
		end = need ? NULL : strstr(request, "\r\n\r\n");
		if (end) {
			length = strcasestr(request, "\r\ncontent-length:");
			head = (size_t)(end + 4 - request);
			need = head + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
		}
		if (need && used >= need)
			return request + head;
	}
	return NULL;
}

static void keep(const struct chat_server *s, const char *body)
{
	char path[4096];
	FILE *f;

	if (!s->log)
		return;
	snprintf(path, sizeof(path), "%s/%u", s->log, s->requests);
	f = fopen(path, "w");
	if (!f || fputs(body, f) < 0 || fclose(f))
		exit(1);
}

static void serve_one(struct chat_server *s, const struct client *c)
{
	const char *body = read_request(c), *wrong, *manner;
	char text[200];

	if (!body)
		return;
	if (strstr(request, "/elsewhere"))
		s->elsewhere = 1;
	manner = s->manner[s->requests < s->manners ? s->requests : s->manners - 1];
	keep(s, body);
	s->requests++;
	wrong = request_wrong(body);
	if (wrong) {
		s->refused++;
		fprintf(stderr, "chat_server: a request is wrong: %s\n", wrong);
		snprintf(text, sizeof(text), "{\"error\":{\"message\":\"%s\"}}", wrong);
		say_body(c, "400 Bad Request", "application/json", "", text);
	} else if (say_content(c, manner) || say_useless(c, manner) || say_broken(c, manner)) {
		return;
	} else if (!strncmp(manner, "to-", 3)) {
		say_elsewhere(s, c, manner);
	} else {
		say_status(c, manner);
	}
}

void chat_server_listen(struct chat_server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->fd, (struct sockaddr *)&at, len) || listen(s->fd, 16) ||
	    getsockname(s->fd, (struct sockaddr *)&at, &len)) {
		perror("chat_server");
		exit(1);
	}
	s->port = ntohs(at.sin_port);
}

void chat_server_serve(struct chat_server *s)
{
	for (;;) {
		struct client c = { .fd = accept(s->fd, NULL, NULL) };

		if (c.fd < 0)
			return;
		if (s->tls) {
			c.ssl = SSL_new(s->tls);
			SSL_set_fd(c.ssl, c.fd);
		}
		if (!c.ssl || SSL_accept(c.ssl) == 1)
			serve_one(s, &c);
		if (c.ssl)
			SSL_shutdown(c.ssl);
		SSL_free(c.ssl);
		close(c.fd);
	}
}
