// SPDX-License-Identifier: MIT
/*
 * Targets taken apart and heads written. A decoded path is refused rather than cleaned: no ".."
 * and no empty parts, so that nobody behind it has to think of them.
 */
#include "lib/http1.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode [s, end) into out. Bytes below 0x20 are refused, decoded or not. */
static int percent_decode(const char *s, const char *end, bool plus, char *out, size_t size)
{
	size_t n = 0;

	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '%') {
			int hi = end - s > 2 ? hex_digit(s[1]) : -1;
			int lo = end - s > 2 ? hex_digit(s[2]) : -1;

			if (hi < 0 || lo < 0)
				return -EINVAL;
			c = (unsigned char)(hi << 4 | lo);
			s += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
		if (n + 1 >= size)
			return -ENAMETOOLONG;
		out[n++] = (char)c;
	}
	if (!size)
		return -ENAMETOOLONG;
	out[n] = 0;
	return 0;
}

int sluice_http_path(const struct sluice_http *p, char *path, size_t size)
{
	const char *end;
	int err;

	if (!p->target)
		return -EINVAL;
	end = p->target + strcspn(p->target, "?");
	err = percent_decode(p->target, end, false, path, size);
	if (err)
		return err;
	for (const char *s = path; s; s = strchr(s + 1, '/')) {
		const char *part = s + 1;
		size_t n = strcspn(part, "/");

		if ((!n && part[0] == '/') || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.') || memchr(part, '\\', n))
			return -EINVAL;
	}
	return 0;
}

int sluice_http_query(const struct sluice_http *p, const char *name, char *value, size_t size)
{
	const char *s = p->target ? strchr(p->target, '?') : NULL;
	size_t n = strlen(name);

	while (s) {
		const char *end;

		s++;
		end = s + strcspn(s, "&");
		if (!strncmp(s, name, n) && (s[n] == '=' || s + n == end)) {
			s += s[n] == '=' ? n + 1 : n;
			return percent_decode(s, end, true, value, size);
		}
		s = *end ? end : NULL;
	}
	return -ENOENT;
}

__attribute__((format(printf, 2, 0))) static void write_va(struct sluice_http_writer *w,
							   const char *format, va_list ap)
{
	char *at = w->buf + w->used;
	int n;

	if (w->overflow)
		return;
	n = vsnprintf(at, w->size - w->used, format, ap);
	if (n < 0 || (size_t)n >= w->size - w->used)
		w->overflow = true;
	else if (strpbrk(at, "\r\n"))
		w->overflow = true;
	else
		w->used += (size_t)n;
}

__attribute__((format(printf, 2, 3))) static void write_text(struct sluice_http_writer *w,
							     const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_va(w, format, ap);
	va_end(ap);
}

static void write_line_end(struct sluice_http_writer *w)
{
	if (w->overflow || w->size - w->used < 3) {
		w->overflow = true;
		return;
	}
	memcpy(w->buf + w->used, "\r\n", 3);
	w->used += 2;
}

void sluice_http_write_status(struct sluice_http_writer *w, int status)
{
	write_text(w, "HTTP/1.1 %d %s", status, sluice_http_reason(status));
	write_line_end(w);
}

void sluice_http_write_request(struct sluice_http_writer *w, const char *method, const char *target)
{
	write_text(w, "%s %s HTTP/1.1", method, target);
	write_line_end(w);
}

void sluice_http_write_field(struct sluice_http_writer *w, const char *name, const char *format,
			     ...)
{
	va_list ap;

	write_text(w, "%s: ", name);
	va_start(ap, format);
	write_va(w, format, ap);
	va_end(ap);
	write_line_end(w);
}

long sluice_http_write_end(struct sluice_http_writer *w)
{
	write_line_end(w);
	return w->overflow ? -ENOBUFS : (long)w->used;
}

const char *sluice_http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "Unknown";
}
