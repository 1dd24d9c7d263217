/* SPDX-License-Identifier: MIT */
/*
 * http_state.h - what the files of one connection share: http.c (the connection), http_request.c,
 * http_uplink.c, http_answer.c. Nobody else includes it. All in the thread of the loop.
 */
#ifndef SLUICE_HTTP_STATE_H
#define SLUICE_HTTP_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "cloud/api.h"
#include "cloud/api_call.h"
#include "cloud/conf.h"
#include "cloud/session.h"

struct client {
	struct client *next, *prev;
	struct client *half_next, *half_prev; /* of the loop's half-open ones */
	int half;
	struct sluice_loop *loop;
	const struct sluice_listener *listener;
	struct sluice_door_place place;
	struct sluice_conn *conn;
	struct sluice_http *http; /* NULL once the session has it */
	struct sluice_session *session;
	struct sluice_io_timer deadline;
	uint8_t *body;
	size_t body_size;
	/* what is being sent */
	uint8_t *out;
	size_t out_size, out_sent;
	struct sluice_pull *pull;   /* NULL: none */
	int64_t pull_left;	    /* bytes, -1: not known */
	struct sluice_later *later; /* the answer is awaited; NULL: it is not */
	int head;		    /* of HEAD: no body */
	int closing;		    /* after what is being sent */
	int begun;		    /* the first byte of a request has come */
	uint64_t asked_ns; /* monotonic; the time of the answer is told from then; 0: not */
};

struct sluice_later {
	struct client *client; /* NULL: it has gone */
	uint64_t asked_ns;     /* of a request at the desk; 0: of another */
	int known;	       /* it has been shown who asks */
};

/* From now, instead of the one before. */
void http_set_deadline(struct client *c, uint64_t ms);
const struct sluice_cloud_conf *http_conf(const struct client *c);
uint64_t http_now(void); /* monotonic, ns */

/* http_answer.c */

int http_is_answering(const struct client *c);
/* Takes r's body. */
void http_send(struct client *c, struct sluice_response *r);
void http_problem(struct client *c, int status, const char *detail);
/* The connection takes more. */
void http_pump(struct client *c);
void http_drop_pull(struct client *c);

/* http_uplink.c */

/* The certificate that is the client's: its own, or the one that a proxy forwards. 0, or the status
 * to answer with and a sentence in *why. */
int http_find_peer(struct client *c, struct sluice_tls_peer *peer, const char **why);
/* Where the client is, for people: the last word of a proxy's X-Forwarded-For, which is its own. */
const char *http_find_address(const struct client *c);
/* A request for the uplink: it is answered, and c->session set if it is one; or it is at the desk.
 */
void http_upgrade(struct client *c);

/* http_request.c */

/* Returns the bytes taken; stops at the upgrade. Bytes may be used up before the message is. */
size_t http_feed(struct client *c, const uint8_t *data, size_t size);

#endif
