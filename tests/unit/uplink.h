/* SPDX-License-Identifier: MIT */
/*
 * uplink.h - the device's end for tests: a blocking TLS client that speaks the uplink protocol,
 * right or wrong as the test wants.
 */
#ifndef SLUICE_TEST_UPLINK_H
#define SLUICE_TEST_UPLINK_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "lib/wire.h"
#include "tests/unit/cloud_child.h"

struct uplink {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	struct sluice_wire_decoder decoder;
	uint8_t in[65536];
	size_t at, have;
	/* the last message received */
	struct sluice_wire_message m;
	uint8_t *payload;
	struct sluice_wire_fields f;
	uint64_t credit; /* as last told */
	uint64_t stored; /* highest STORED of slot 1, + 1 */
};

/* TLS only; who: device whose certificate is shown, NULL: none. 0 or -1. */
int uplink_dial(struct uplink *u, const struct cloud *c, const char *who);
/* Sends raw text, reads until the other side closes or `room` is full; length. */
int uplink_http(struct uplink *u, const char *request, char *answer, int room);
/* The upgrade; the HTTP status. */
int uplink_upgrade(struct uplink *u);
/* dial, upgrade, HELLO, WELCOME; 0. */
int uplink_open(struct uplink *u, const struct cloud *c, const char *who);
void uplink_close(struct uplink *u);

void uplink_raw(struct uplink *u, const void *data, size_t size);
void uplink_send(struct uplink *u, uint8_t type, uint16_t flags, uint32_t slot, uint64_t sequence,
		 const void *payload, size_t size);
void uplink_hello(struct uplink *u);
/* HELLO that tells places in summaries; from dial to WELCOME, 0. */
int uplink_open_partial(struct uplink *u, const struct cloud *c, const char *who,
			const struct sluice_wire_partial *p, unsigned int count);
void uplink_camera(struct uplink *u, uint32_t slot, const char *name, uint64_t epoch);
/* A picture of 64x48 whose bytes follow from epoch and sequence; reason; size >= 200. */
void uplink_frame(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		  size_t size);
/* The same with another picture size in the JPEG's header. */
void uplink_frame_wh(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t sequence, int reason,
		     size_t size, int width, int height);
void uplink_stats(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns, int open);
void uplink_end(struct uplink *u, uint32_t slot, uint64_t epoch, uint64_t now_ns);
void uplink_ack(struct uplink *u, const char *id);
void uplink_ack_status(struct uplink *u, const char *id, uint32_t status);

/* The bytes that uplink_frame() sends. */
void uplink_picture(uint8_t *out, size_t size, uint64_t epoch, uint64_t sequence, int width,
		    int height);

/* Next message into u->m; its type, 0 at the end of the connection or after `seconds`. */
int uplink_next(struct uplink *u, int seconds);
/* Skips to the next message of that type; 1, or 0 if it does not come. */
int uplink_expect(struct uplink *u, int type, int seconds);
/* GOAWAY with that code, then the end of the connection. */
int uplink_expect_goaway(struct uplink *u, uint32_t code);

#endif
