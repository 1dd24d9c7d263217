/* SPDX-License-Identifier: MIT */
/*
 * fake_cloud.h - the cloud's side of the protocol for tests, in the same event loop, over real TLS.
 * It stores frames when it is told to, forgets on a cut what it had not stored (as a crash would),
 * checks order and content, and can misbehave in the ways listed below.
 */
#ifndef SLUICE_TEST_FAKE_CLOUD_H
#define SLUICE_TEST_FAKE_CLOUD_H

#include "lib/conn.h"
#include "lib/http1.h"
#include "lib/wire.h"

#define FAKE_EPOCHS 4
#define FAKE_FRAMES 1024

enum fake_fault {
	FAKE_GOOD,
	FAKE_GARBAGE,	/* random bytes after WELCOME */
	FAKE_VERSION,	/* WELCOME in a header of another version */
	FAKE_OVERSIZED, /* a header that announces 1 GiB */
	FAKE_BAD_CRC,	/* a payload that does not match */
	FAKE_EARLY,	/* ACK instead of WELCOME */
	FAKE_BAD_ACK,	/* STORED of what was never sent */
	FAKE_GOAWAY,	/* goaway_code after WELCOME */
	FAKE_CRITICAL,	/* an unknown critical message */
	FAKE_UNKNOWN,	/* an unknown message that may be skipped; then all is well */
};

struct fake_epoch {
	uint64_t epoch;
	uint64_t durable; /* all sequences below are stored */
	uint32_t stored;  /* frames */
	bool closed;
	/* received and not yet durable, in order */
	uint64_t waiting[FAKE_FRAMES];
	uint32_t waiting_count;
};

struct fake_cloud {
	struct sluice_io *io;
	struct sluice_tls_ctx *tls;
	struct sluice_io_listener *listener;
	char port[8];
	/* script */
	enum fake_fault fault;
	int http_status; /* 0: 101 */
	uint32_t goaway_code, goaway_retry_ms;
	bool mute;	      /* PINGs are not answered */
	uint32_t payload_max; /* 0: the protocol's */
	uint64_t window;      /* credit; 0: 1 MiB */
	uint32_t store_ms;    /* how long a frame waits for the disk */
	uint64_t cut_after;   /* bytes of this link; 0: never */
	uint64_t reject;      /* this sequence is rejected; UINT64_MAX: none */
	bool no_done;
	bool plain; /* answers what is no TLS */
	/* checks a frame's picture against what was published */
	bool (*good)(uint64_t epoch, uint64_t sequence, const uint8_t *picture, uint32_t size);
	/* the link */
	int plain_fd; /* of the newest such connection; 0: none */
	struct sluice_conn *conn;
	struct sluice_http http;
	bool upgraded, greeted, ending;
	struct sluice_wire_decoder decoder;
	uint64_t sent_ns; /* when something was sent last */
	uint64_t link_bytes, received, granted, released;
	uint64_t open_epoch;
	bool opened;
	uint64_t last_sequence;
	struct sluice_io_timer store;
	/* what it knows */
	struct fake_epoch epoch[FAKE_EPOCHS];
	unsigned int epochs;
	struct sluice_wire_ledger ledger;
	/* counters */
	unsigned int links, hellos, opens, frames, duplicates, stats, closes, byes, pongs,
		acks_status0;
	unsigned int wrong; /* broken rules of the device */
	char what[128];	    /* the last of them */
};

void fake_cloud_open(struct fake_cloud *f, struct sluice_io *io);
void fake_cloud_close(struct fake_cloud *f);
/* Forget all epochs and counters; the script is as after open. The link is cut. */
void fake_cloud_reset(struct fake_cloud *f);
void fake_cloud_send(struct fake_cloud *f, uint8_t type, uint32_t slot, const void *payload,
		     size_t size);
void fake_cloud_cut(struct fake_cloud *f);
/* Frames that are durable, of all epochs. */
uint32_t fake_cloud_stored(const struct fake_cloud *f);

#endif
