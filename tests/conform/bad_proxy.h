/* SPDX-License-Identifier: MIT */
/*
 * bad_proxy.h - stands before an HTTP server on loopback and does to chosen requests what networks
 * and servers in trouble do. One for a process; each connection carries one request.
 */
#ifndef SLUICE_CONFORM_BAD_PROXY_H
#define SLUICE_CONFORM_BAD_PROXY_H

enum bad_proxy_way {
	BAD_PROXY_500,	     /* not passed on */
	BAD_PROXY_SLOW_DOWN, /* 503 of S3, not passed on */
	BAD_PROXY_CUT,	     /* not passed on, no answer */
	BAD_PROXY_UNSAID,    /* done, and the answer lost */
	BAD_PROXY_SHORT,     /* half of the answer */
	BAD_PROXY_CHANGED,   /* a byte of the body is another one */
	BAD_PROXY_ETAG,	     /* the ETag is another one */
	BAD_PROXY_SILENT,    /* nothing, until the client goes */
	BAD_PROXY_BROKEN,    /* half of it is passed on, then nothing more, to either side */
	BAD_PROXY_SLOW,	     /* done, and the answer comes two seconds late */
	BAD_PROXY_WAYS
};

/* Listens before the server at that port; the port of its own, or exits. */
unsigned int bad_proxy_start(unsigned int port);

/* See struct conform_media. */
unsigned int bad_proxy_fail(unsigned int way, unsigned int at, int stays);

/* From now on number every, 2 every, ... of the requests; 0: none. Returns how many were treated
 * badly since the last time. */
unsigned int bad_proxy_every(unsigned int way, unsigned int every);

#endif
