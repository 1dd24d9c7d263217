/* SPDX-License-Identifier: MIT */
/*
 * uplink.h - the link to the cloud: one connection, kept alive for ever, on which all cameras take
 * turns. docs/protocol.md tells the messages. uplink.c owns the link's life, uplink_take.c what is
 * heard, uplink_pump.c whose turn it is, uplink_send.c what is said.
 */
#ifndef RELAY_UPLINK_H
#define RELAY_UPLINK_H

#include "lib/conn.h"
#include "lib/http1.h"
#include "lib/wire.h"
#include "relay/boot.h"
#include "relay/clouds.h"
#include "relay/downlink.h"
#include "relay/drain.h"
#include "relay/lane.h"
#include "relay/payload.h"
#include "relay/commands.h"
#include "relay/settings.h"

#define RELAY_BUILD "sluice-relay 0.1"

enum relay_link {
	RELAY_LINK_DOWN,    /* waiting for the next try */
	RELAY_LINK_CONNECT, /* address, TCP, TLS */
	RELAY_LINK_UPGRADE, /* GET sent */
	RELAY_LINK_GREET,   /* HELLO sent */
	RELAY_LINK_UP,	    /* WELCOME came */
	RELAY_LINK_CLOSING, /* BYE sent or the link broken off */
};

struct relay_uplink_config {
	struct sluice_io *io;
	struct sluice_tls_ctx *tls;
	const char *host, *port;     /* borrowed */
	struct relay_clouds *clouds; /* borrowed; NULL: host and port, no proxy */
	struct relay_camera *camera; /* SLUICE_WIRE_SLOTS of them */
	struct relay_lanes *lanes;   /* back-fill */
	struct relay_payload_maker maker;
	struct relay_budget *budget; /* NULL: no limits */
	struct relay_downlink *downlink;
	struct relay_settings *settings; /* NULL: CONFIG is passed over */
	struct relay_commands *commands; /* NULL: COMMAND is passed over, HELLO names none */
	const char *features, *allows;	 /* words for HELLO; NULL: none */
	bool probe;  /* only ask whether the cloud takes us; greeting would replace a relay that
		      * is at work */
	bool events; /* EVENTs as lines on stdout */
	uint32_t retry_first_ms; /* back-off; 0: 500 */
	uint32_t retry_max_ms;	 /* 0: 60000 */
	uint32_t reach_max_ms;	 /* the same while there is no TLS connection; 0: 3000 */
	uint32_t heartbeat_ms;	 /* 0: SLUICE_WIRE_HEARTBEAT_MS */
	uint32_t stale_ms;	 /* silence that ends the link; 0: SLUICE_WIRE_STALE_MS */
	unsigned int
		weight[2]; /* bytes of live and of back-fill when both have something; 0: 4:1 */
	/* WELCOME came, or a try failed: text for people; permanent: trying again will not help
	 * before somebody repairs it. May be NULL. */
	void (*told)(void *arg, bool up, bool permanent, const char *why);
	/* something was released or done: look whether all is finished. May be NULL. */
	void (*progress)(void *arg);
	void *arg;
};

struct relay_uplink {
	struct relay_uplink_config conf;
	enum relay_link state;
	struct sluice_conn *conn;
	struct sluice_http http;
	struct sluice_wire_decoder decoder;
	struct sluice_io_timer retry, ping, budget;
	unsigned int failures; /* in a row */
	uint64_t up_since_ns;
	uint64_t hold_ms; /* the cloud asked not to come back before that */
	uint64_t sent_messages;
	uint64_t credit, credit_used; /* FRAME payload bytes, absolute */
	uint32_t frame_max;
	unsigned int turn;	    /* whose camera is next */
	bool stopping, unreachable; /* the last try found nobody */
	char text[320];		    /* why the link was broken off */
	bool permanent;
	/* a frame that is encoded and waits for credit */
	struct relay_payload payload;
	struct relay_camera *payload_of; /* NULL: none */
	uint64_t payload_index;
	/* how much each lane has had, in bytes by its weight: the lesser is next */
	uint64_t share[2];
	/* counters */
	uint64_t links, bytes_sent;
	uint64_t tries, resumed; /* connections begun; links whose handshake was resumed */
};

/* Starts connecting. u is the caller's memory. */
void relay_uplink_start(struct relay_uplink *u, const struct relay_uplink_config *c);

/* Something is in a ring, or a camera came: send what can be sent. */
void relay_uplink_pump(struct relay_uplink *u);

/* A camera came or its ring goes: what it said on this link starts anew. Before detaching too. */
void relay_uplink_camera_changed(struct relay_uplink *u, struct relay_camera *c);

/* BYE, and no more tries. relay_uplink_stopped() is true once the connection is gone. */
void relay_uplink_stop(struct relay_uplink *u);
bool relay_uplink_stopped(const struct relay_uplink *u);
/* After stopped(), or to cut it off before the io is closed. */
void relay_uplink_free(struct relay_uplink *u);

/* ---- uplink_take.c ---- */

/* SUMMARY_ACK, if the link is up. See relay/downlink.h. */
void relay_uplink_acknowledge(struct relay_uplink *u, const char *id, int status);
/*
 * CONFIG_RESULT, COMMAND_RESULT or SETTINGS: a message that is one JSON object. 0, or -ENOTCONN:
 * the link is not up, or -EMSGSIZE.
 */
int relay_uplink_json(struct relay_uplink *u, uint8_t type, uint32_t slot, const char *json);
/* Read nothing, or read again. */
void relay_uplink_hold(struct relay_uplink *u, bool hold);

/* A message of the cloud. 0, or -errno: it breaks the protocol. */
int relay_take_message(struct relay_uplink *u, const struct sluice_wire_message *m);

/* ---- for it, in uplink.c ---- */

/* End the link; the first reason is told. permanent: see told(). */
void relay_uplink_break(struct relay_uplink *u, bool permanent, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void relay_uplink_welcomed(struct relay_uplink *u, const char *node, uint64_t session);

/* ---- uplink_send.c; 0 or -errno of the connection ---- */

int relay_send_fields(struct relay_uplink *u, uint8_t type, uint32_t slot,
		      const struct sluice_wire_writer *w);
int relay_send_message(struct relay_uplink *u, uint8_t type, uint32_t slot, const void *payload,
		       size_t size);
int relay_send_hello(struct relay_uplink *u);
int relay_send_open(struct relay_uplink *u, struct relay_camera *c, const struct relay_epoch *e);
int relay_send_ledger(struct relay_uplink *u, struct relay_camera *c, const struct relay_epoch *e,
		      bool close);
int relay_send_run_open(struct relay_uplink *u, const struct relay_lane_todo *t);
int relay_send_run_close(struct relay_uplink *u, const struct relay_lane_todo *t);
int relay_send_bye(struct relay_uplink *u, const char *text);
/* A FRAME; -ENOSPC: no credit. */
int relay_send_frame(struct relay_uplink *u, uint32_t slot, uint64_t sequence,
		     const struct iovec *payload, unsigned int count);

#endif
