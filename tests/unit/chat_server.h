/* SPDX-License-Identifier: MIT */
/*
 * chat_server.h - a server on loopback that speaks the chat-completions API with pictures, and
 * misbehaves as it is told. A request that is not as the API wants it is answered with 400 and an
 * error object, whatever the manner.
 *
 * ok				a completion with the JSON that was asked for
 * markup			the same, with markup and quotes in the words
 * plain-words, fenced, extra, missing, long, control, bidi, threat, evidence, double
 *				a completion whose words are not what was asked for
 * nousage			ok, without usage
 * refusal, filter, length, tool, nochoice, nocontent
 *				a completion that is none of use
 * sse, junk			a stream of events, under its own type or under application/json
 * html, gzip, deep, empty	not JSON, or not as it is said to be
 * huge, huge-length		10 MiB; or a Content-Length of 10 GiB
 * drip, silent			a byte now and then; nothing at all: until the client goes
 * half, reset, garbage		half of an answer, a reset, no HTTP
 * to-host, to-file, to-self	a redirection
 * later			429 with Retry-After: 1
 * NNN				that status with an error object
 */
#ifndef SLUICE_TEST_CHAT_SERVER_H
#define SLUICE_TEST_CHAT_SERVER_H

#include <openssl/ssl.h>

struct chat_server {
	const char *const *manner; /* of each request; those beyond the list get the last one */
	unsigned int manners;
	const char *log; /* directory for the bodies that came, as 0, 1, ...; NULL: none */
	SSL_CTX *tls;	 /* NULL: plain */
	int fd;
	unsigned int port;
	unsigned int requests, refused; /* refused: with 400, since they were not as they must be */
	int elsewhere;			/* somebody followed a redirection */
};

/* Listens on a free port. Exits on failure. */
void chat_server_listen(struct chat_server *s);
/* Serves one connection after the other until the socket is shut down. */
void chat_server_serve(struct chat_server *s);

#endif
