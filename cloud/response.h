/* SPDX-License-Identifier: MIT */
/*
 * response.h - what a request is answered with. A body is in memory, or is pulled: made piece by
 * piece as the connection takes it, so that nothing large is held and a stream can go on for hours.
 */
#ifndef SLUICE_RESPONSE_H
#define SLUICE_RESPONSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sluice_call;
struct sluice_pull;
struct client;

struct sluice_pull_ops {
	/*
	 * At most size bytes into buf: how many; 0: it is complete; -EAGAIN: nothing now, whoever
	 * makes the bytes calls sluice_http_push() when there are some; any other error ends the
	 * connection.
	 */
	ssize_t (*pull)(struct sluice_pull *p, uint8_t *buf, size_t size);
	/* The connection needs it no more, for whatever reason; called once. */
	void (*close)(struct sluice_pull *p);
};

/* Embedded in what makes the bytes. */
struct sluice_pull {
	const struct sluice_pull_ops *ops;
	struct client *client; /* while it is being sent; for sluice_http_push() */
};

struct sluice_response {
	int status;
	const char *type;	 /* Content-Type, static */
	const char *cache;	 /* Cache-Control, static; NULL: no-store */
	const char *disposition; /* Content-Disposition, static; NULL: none */
	const char *security;	 /* Content-Security-Policy, static; NULL: default-src 'none' */
	char allow[32];		 /* Allow; "": none */
	char etag[72];		 /* with its quotes; "": none */
	char range[72];		 /* Content-Range; "": none */
	char frame_time[32];	 /* X-Frame-Time; "": none */
	char cookie[192];	 /* Set-Cookie; "": none */
	uint32_t retry_s;	 /* Retry-After; 0: none */
	int ranges;		 /* with Accept-Ranges: bytes */
	int authenticate;	 /* with WWW-Authenticate */
	int later;		 /* by sluice_http_later(): nothing is sent now */
	uint8_t *body;		 /* malloc'd, the connection's from then on; NULL if size is 0 */
	size_t size;
	struct sluice_pull *pull; /* instead of body; the connection's from then on */
	int64_t length;		  /* of what is pulled; -1: until it ends, with the connection */
};

/* Frees a response that is not sent after all. */
void sluice_response_drop(struct sluice_response *r);

/* ---- http_answer.c; all in the thread of the connection's loop ---- */

/* Keeps a request waiting. */
struct sluice_later;

/* The call is answered later; c->out must be left alone. NULL: out of memory, answer now. */
struct sluice_later *sluice_http_later(struct sluice_call *c);

/* It is answered now after all. */
void sluice_http_later_drop(struct sluice_later *l, struct sluice_call *c);

/* Answers and ends it; if the peer has gone meanwhile the response is dropped. */
void sluice_http_answer(struct sluice_later *l, struct sluice_response *r);

/* There are bytes to pull again. The pull may be closed before this returns. */
void sluice_http_push(struct client *c);

#endif
