/* SPDX-License-Identifier: MIT */
/*
 * http1.h - a strict subset of HTTP/1.1, incremental, bounded, without allocation or input/output.
 *
 * Requests: CRLF line ends only; request line <= 4096, head <= 16384 bytes and 64 fields; GET,
 * HEAD, POST, DELETE, PUT; origin-form targets only; exactly one Host; at most one Content-Length,
 * digits only; any Transfer-Encoding is 501; no line folding; no bytes < 0x20 or 0x7f in a value
 * but tab; no space before the colon; body <= body_max. Whatever breaks a rule is answered with
 * p->status and the connection closed: there is no recovery, so nothing can be smuggled. One
 * request at a time (no pipelining): bytes after a complete request are an error.
 *
 * Responses (the client's side): the same rules; 1xx other than 101 are skipped; a body is
 * delimited by Content-Length or the end of the connection.
 */
#ifndef SLUICE_LIB_HTTP1_H
#define SLUICE_LIB_HTTP1_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_HTTP_LINE_MAX 4096
#define SLUICE_HTTP_HEAD_MAX 16384 /* with the first line */
#define SLUICE_HTTP_FIELDS   64
#define SLUICE_HTTP_BODY_MAX 65536 /* default of body_max */

enum sluice_http_method {
	SLUICE_HTTP_NONE,
	SLUICE_HTTP_GET,
	SLUICE_HTTP_HEAD,
	SLUICE_HTTP_POST,
	SLUICE_HTTP_PUT,
	SLUICE_HTTP_DELETE,
};

/* What feed() found. */
enum sluice_http_step {
	SLUICE_HTTP_MORE,    /* all bytes used, more are needed */
	SLUICE_HTTP_STARTED, /* the head is complete: look at it, then feed the rest */
	SLUICE_HTTP_BODY,    /* body and body_size hold a piece of the body */
	SLUICE_HTTP_DONE,    /* the message is complete; begin() before the next */
};

struct sluice_http_field {
	const char *name;  /* lower case, NUL-terminated */
	const char *value; /* without surrounding blanks, NUL-terminated */
};

/* The fields up to `head` may be read by the user after STARTED, until begin(). */
struct sluice_http {
	enum sluice_http_method method; /* request */
	const char *target;		/* request: path and query as sent, "/v1/x?y=1" */
	int status;			/* response: its status; request in error: what to answer */
	const char *why;		/* in error: a sentence, static */
	uint64_t content_length;	/* 0 if absent */
	bool has_length;
	bool keep_alive; /* the peer keeps the connection open */
	bool upgrade;	 /* Connection: upgrade and an Upgrade field are there */
	unsigned int field_count;
	struct sluice_http_field field[SLUICE_HTTP_FIELDS];
	const uint8_t *body; /* of BODY: a piece of the bytes fed */
	size_t body_size;
	/* private */
	bool response;
	uint32_t body_max;
	bool line_done;
	uint32_t state;
	uint64_t body_left;
	uint32_t used;
	char head[SLUICE_HTTP_HEAD_MAX + 1];
};

/* Once, and before each further message. body_max 0: SLUICE_HTTP_BODY_MAX. */
void sluice_http_begin_request(struct sluice_http *p, uint32_t body_max);
void sluice_http_begin_response(struct sluice_http *p, uint32_t body_max);

/*
 * Look at bytes; *used of them were taken (call again with the rest). Returns a step, or -EBADMSG
 * (p->status, p->why) after which the connection must be closed. After an upgrade (101) the bytes
 * beyond the head are not taken.
 */
int sluice_http_feed(struct sluice_http *p, const uint8_t *data, size_t size, size_t *used);

/* The connection ended: 0 if the message was complete (or a response delimited by it), -EBADMSG. */
int sluice_http_end(struct sluice_http *p);

/* Value of the first field of that (lower-case) name, or NULL. */
const char *sluice_http_field(const struct sluice_http *p, const char *name);

/* True if the comma-separated value holds the token, case-insensitively. value may be NULL. */
bool sluice_http_token(const char *value, const char *token);

/* Path of the target, percent-decoded: -EINVAL for bad escapes, NUL, "..", "//"; -ENAMETOOLONG. */
int sluice_http_path(const struct sluice_http *p, char *path, size_t size);

/* A parameter of the query, decoded (+ is a space). 0, -ENOENT, -EINVAL, -ENAMETOOLONG. */
int sluice_http_query(const struct sluice_http *p, const char *name, char *value, size_t size);

/* ---- writing: into memory of the caller, which must check .overflow (or finish()) ---- */

struct sluice_http_writer {
	char *buf;
	size_t size;
	size_t used;
	bool overflow; /* too small, or a value with CR, LF or NUL */
};

/* "HTTP/1.1 404 Not Found" or "GET /x HTTP/1.1". */
void sluice_http_write_status(struct sluice_http_writer *w, int status);
void sluice_http_write_request(struct sluice_http_writer *w, const char *method,
			       const char *target);
void sluice_http_write_field(struct sluice_http_writer *w, const char *name, const char *format,
			     ...) __attribute__((format(printf, 3, 4)));
/* The empty line. Returns the bytes of the head, or -ENOBUFS. */
long sluice_http_write_end(struct sluice_http_writer *w);

/* "Not Found"; "Unknown" for codes that Sluice does not send. */
const char *sluice_http_reason(int status);

#endif
