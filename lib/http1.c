// SPDX-License-Identifier: MIT
/*
 * The head is gathered up to its empty line and then read in one pass, so that no rule depends on
 * how the bytes were cut. While it is gathered only line ends and lengths are checked. What does
 * not fit a rule sets status and why; the parser then stays in error.
 */
#include "lib/http1.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state {
	STATE_HEAD,
	STATE_BODY,
	STATE_UNTIL_END, /* response without a length */
	STATE_DONE,
	STATE_TAIL, /* DONE was told */
	STATE_ERROR,
};

static int fail(struct sluice_http *p, int status, const char *why)
{
	p->status = status;
	p->why = why;
	p->state = STATE_ERROR;
	return -EBADMSG;
}

static void begin(struct sluice_http *p, bool response, uint32_t body_max)
{
	memset(p, 0, offsetof(struct sluice_http, head));
	p->response = response;
	p->body_max = body_max ? body_max : SLUICE_HTTP_BODY_MAX;
	p->keep_alive = true;
}

void sluice_http_begin_request(struct sluice_http *p, uint32_t body_max)
{
	begin(p, false, body_max);
}

void sluice_http_begin_response(struct sluice_http *p, uint32_t body_max)
{
	begin(p, true, body_max);
}

static bool is_tchar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int parse_method(struct sluice_http *p, const char *name)
{
	static const char *const names[] = {
		[SLUICE_HTTP_GET] = "GET",	 [SLUICE_HTTP_HEAD] = "HEAD",
		[SLUICE_HTTP_POST] = "POST",	 [SLUICE_HTTP_PUT] = "PUT",
		[SLUICE_HTTP_DELETE] = "DELETE",
	};

	if (!*name)
		return fail(p, 400, "no method");
	for (const char *s = name; *s; s++)
		if (!is_tchar((unsigned char)*s))
			return fail(p, 400, "bad method");
	for (unsigned int i = SLUICE_HTTP_GET; i <= SLUICE_HTTP_DELETE; i++)
		if (!strcmp(name, names[i]))
			p->method = i;
	return p->method ? 0 : fail(p, 501, "method not supported");
}

/* "GET /path?query HTTP/1.1" */
static int parse_request_line(struct sluice_http *p, char *line)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strchr(version + 1, ' '))
		return fail(p, 400, "bad request line");
	*target++ = 0;
	*version++ = 0;
	if (strcmp(version, "HTTP/1.1"))
		return strncmp(version, "HTTP/", 5) ? fail(p, 400, "bad request line")
						    : fail(p, 505, "only HTTP/1.1 is spoken here");
	if (*target != '/')
		return fail(p, 400, "only paths are accepted as target");
	for (const char *s = target; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f || *s == '#')
			return fail(p, 400, "bad byte in the target");
	p->target = target;
	return parse_method(p, line);
}

/* "HTTP/1.1 101 Switching Protocols" */
static int parse_status_line(struct sluice_http *p, const char *line)
{
	const char *s = line + 9;

	if ((strncmp(line, "HTTP/1.1 ", 9) && strncmp(line, "HTTP/1.0 ", 9)) ||
	    strspn(s, "0123456789") != 3 || (s[3] && s[3] != ' '))
		return fail(p, 502, "not an HTTP response");
	p->status = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	if (p->status < 100)
		return fail(p, 502, "bad status");
	if (line[7] == '0')
		p->keep_alive = false;
	return 0;
}

static int parse_field_line(struct sluice_http *p, char *line)
{
	char *colon = strchr(line, ':');
	char *end;

	if (*line == ' ' || *line == '\t')
		return fail(p, 400, "folded header line");
	if (!colon || colon == line)
		return fail(p, 400, "bad header line");
	*colon = 0;
	for (char *s = line; *s; s++) {
		if (!is_tchar((unsigned char)*s))
			return fail(p, 400, "bad byte in a header name");
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
	}
	for (const unsigned char *s = (unsigned char *)colon + 1; *s; s++)
		if ((*s < 0x20 && *s != '\t') || *s == 0x7f)
			return fail(p, 400, "bad byte in a header value");
	if (p->field_count == SLUICE_HTTP_FIELDS)
		return fail(p, 431, "too many header fields");
	colon++;
	colon += strspn(colon, " \t");
	end = colon + strlen(colon);
	while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	p->field[p->field_count].name = line;
	p->field[p->field_count++].value = colon;
	return 0;
}

static int parse_length(struct sluice_http *p, const char *value)
{
	size_t n = strlen(value);

	if (p->has_length)
		return fail(p, 400, "Content-Length given twice");
	if (!n || n > 18 || strspn(value, "0123456789") != n)
		return fail(p, 400, "bad Content-Length");
	p->has_length = true;
	for (; *value; value++)
		p->content_length = p->content_length * 10 + (uint64_t)(*value - '0');
	return 0;
}

static bool host_ok(const char *value)
{
	size_t n = strlen(value);

	return n && n < 256 &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			     ".-_:[]") == n;
}

/* What the fields mean for the connection and the body. */
static int read_fields(struct sluice_http *p)
{
	unsigned int hosts = 0;
	bool upgrade = false, connection_upgrade = false;

	for (unsigned int i = 0; i < p->field_count; i++) {
		const char *name = p->field[i].name, *value = p->field[i].value;

		if (!strcmp(name, "transfer-encoding"))
			return fail(p, 501, "Transfer-Encoding is not supported");
		if (!strcmp(name, "content-length") && parse_length(p, value))
			return -EBADMSG;
		if (!strcmp(name, "expect") && !p->response)
			return fail(p, 417, "Expect is not supported");
		if (!strcmp(name, "host") && !p->response) {
			if (++hosts > 1 || !host_ok(value))
				return fail(p, 400, "bad Host");
		}
		if (!strcmp(name, "upgrade"))
			upgrade = true;
		if (!strcmp(name, "connection")) {
			if (sluice_http_token(value, "close"))
				p->keep_alive = false;
			if (sluice_http_token(value, "upgrade"))
				connection_upgrade = true;
		}
	}
	if (!p->response && hosts != 1)
		return fail(p, 400, "no Host");
	p->upgrade = upgrade && connection_upgrade;
	if (p->content_length > p->body_max)
		return fail(p, 413, "body too large");
	if (!p->response && p->upgrade && p->content_length)
		return fail(p, 400, "upgrade with a body");
	return 0;
}

static void choose_body(struct sluice_http *p)
{
	bool none = p->response && (p->status == 101 || p->status == 204 || p->status == 304);

	p->body_left = none ? 0 : p->content_length;
	if (p->response && !none && !p->has_length) {
		p->state = STATE_UNTIL_END;
		p->body_left = p->body_max;
	} else {
		p->state = p->body_left ? STATE_BODY : STATE_DONE;
	}
}

/* The whole head is in p->head, ends with CRLF CRLF. */
static int parse_head(struct sluice_http *p)
{
	char *line = p->head;
	bool first = true;

	p->head[p->used - 2] = 0;
	while (*line) {
		char *end = strstr(line, "\r\n");
		int err;

		*end = 0;
		if (!first)
			err = parse_field_line(p, line);
		else
			err = p->response ? parse_status_line(p, line)
					  : parse_request_line(p, line);
		if (err)
			return err;
		first = false;
		line = end + 2;
	}
	if (read_fields(p))
		return -EBADMSG;
	if (p->response && p->status < 200 && p->status != 101) {
		begin(p, true, p->body_max);
		return SLUICE_HTTP_MORE;
	}
	choose_body(p);
	return SLUICE_HTTP_STARTED;
}

static bool head_complete(const struct sluice_http *p)
{
	return p->used >= 4 && !memcmp(p->head + p->used - 4, "\r\n\r\n", 4);
}

static int take_head(struct sluice_http *p, const uint8_t *data, size_t size, size_t *used)
{
	while (*used < size) {
		char c = (char)data[(*used)++];
		char before = p->used ? p->head[p->used - 1] : 0;
		int step;

		if (!c || (c == '\n') != (before == '\r'))
			return fail(p, 400, "bad line end or NUL in the head");
		if (p->used == SLUICE_HTTP_HEAD_MAX)
			return fail(p, 431, "head too large");
		p->head[p->used++] = c;
		if (c == '\n' && p->used == 2)
			return fail(p, 400, "empty first line");
		if (!p->line_done && p->used > SLUICE_HTTP_LINE_MAX)
			return fail(p, p->response ? 502 : 414, "first line too long");
		if (c == '\n')
			p->line_done = true;
		if (!head_complete(p))
			continue;
		step = parse_head(p);
		if (step)
			return step;
	}
	return SLUICE_HTTP_MORE;
}

int sluice_http_feed(struct sluice_http *p, const uint8_t *data, size_t size, size_t *used)
{
	size_t n;

	*used = 0;
	switch (p->state) {
	case STATE_HEAD:
		return take_head(p, data, size, used);
	case STATE_BODY:
	case STATE_UNTIL_END:
		if (!size)
			return SLUICE_HTTP_MORE;
		n = size < p->body_left ? size : (size_t)p->body_left;
		if (!n)
			return fail(p, 502, "response too large");
		p->body = data;
		p->body_size = n;
		p->body_left -= n;
		*used = n;
		if (p->state == STATE_BODY && !p->body_left)
			p->state = STATE_DONE;
		return SLUICE_HTTP_BODY;
	case STATE_DONE:
		p->state = STATE_TAIL;
		return SLUICE_HTTP_DONE;
	case STATE_TAIL:
		if (!size)
			return SLUICE_HTTP_MORE;
		return fail(p, 400, "bytes after the end of the message");
	default:
		return -EBADMSG;
	}
}

int sluice_http_end(struct sluice_http *p)
{
	if (p->state == STATE_UNTIL_END || p->state == STATE_DONE || p->state == STATE_TAIL)
		return 0;
	if (p->state == STATE_HEAD && !p->used)
		return 0;
	return p->state == STATE_ERROR ? -EBADMSG : fail(p, 400, "the connection ended too early");
}

const char *sluice_http_field(const struct sluice_http *p, const char *name)
{
	for (unsigned int i = 0; i < p->field_count; i++)
		if (!strcmp(p->field[i].name, name))
			return p->field[i].value;
	return NULL;
}

bool sluice_http_token(const char *value, const char *token)
{
	size_t n = strlen(token);

	while (value && *value) {
		const char *comma;
		size_t len;

		value += strspn(value, " \t,");
		comma = strchr(value, ',');
		len = comma ? (size_t)(comma - value) : strlen(value);
		while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		if (len == n && !strncasecmp(value, token, n))
			return true;
		value = comma;
	}
	return false;
}
