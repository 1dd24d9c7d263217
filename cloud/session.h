/* SPDX-License-Identifier: MIT */
/* session.h - one device's uplink: what session.c, uplink.c and downlink.c share. */
#ifndef SLUICE_SESSION_H
#define SLUICE_SESSION_H

#include "cloud/bucket.h"
#include "cloud/server.h"
#include "lib/wire.h"

struct sluice_slot {
	const struct sluice_camera *camera; /* NULL: not open */
	uint64_t epoch;
	uint32_t lane; /* enum sluice_wire_lane */
	uint64_t range_first, range_last;
	int opened;	   /* OPENED was sent */
	int closed;	   /* CLOSE came */
	int done;	   /* DONE was queued after it */
	int64_t last_seen; /* highest sequence that came since OPEN; -1: none */
	uint16_t width, height;
	struct sluice_wire_clock clock;
};

#define SLUICE_ITEMS_MAX   4096 /* of one session in the queue */
#define SLUICE_UNACKED_MAX 64	/* summaries that were sent to it */

/* Something to deliver in order: a summary, or DONE. */
struct sluice_parcel {
	struct sluice_parcel *next;
	const struct sluice_camera *camera;
	int done; /* DONE of epoch, or of a run of it; else the summary id */
	uint64_t epoch;
	uint32_t lane;
	uint64_t range_first, range_last;
	char id[33];
	int resumed;	 /* it was begun where the device said that it has got to */
	uint64_t due_ns; /* failed on the device: tried again then */
};

/* The summary being sent. */
struct sluice_sending {
	struct sluice_parcel *parcel;	/* NULL: none */
	char place[SLUICE_MEDIA_PLACE]; /* of its files */
	struct sluice_index_media media[SLUICE_SUMMARY_MEDIA_MAX];
	size_t media_count, at;	    /* at: which file */
	struct sluice_ask *ask;	    /* brings the row; NULL: it is here */
	struct sluice_fetch *fetch; /* brings it from a remote store; NULL: none */
	uint8_t *data;		    /* of that file, NULL: not loaded */
	size_t size, offset;
};

struct sluice_session {
	struct sluice_session *next, *prev; /* all of the loop */
	struct sluice_session *next_id;
	struct sluice_loop *loop;
	struct sluice_conn *conn; /* NULL once it is ending */
	uint64_t id;
	struct sluice_session_request who;
	struct sluice_wire_decoder decoder;
	int greeted;
	struct sluice_wire_clock clock;
	struct sluice_slot slot[SLUICE_WIRE_SLOTS_ALL + 1]; /* by number; 0 unused */
	uint64_t sent;					    /* messages */
	/* credit: absolute counts of FRAME payload bytes */
	uint64_t received, released, granted;
	uint32_t items;	     /* of this session that are in the queue */
	int paused, starved; /* not read from; without credit */
	struct sluice_bucket frames, bytes, control;
	uint64_t message_ns;		  /* when the message that is arriving began, 0: none is */
	struct sluice_io_timer heartbeat; /* before HELLO: its deadline */
	/* desire.c */
	int features;	    /* it tells its settings */
	uint64_t desire_ns; /* when what is due was looked at last */
	int desire_again;   /* something could not be looked at for want of memory */
	/* downlink */
	struct sluice_parcel *queue, *queue_last; /* not yet sent */
	struct sluice_parcel *unacked;		  /* sent, newest first */
	unsigned int unacked_count;
	unsigned int asks;		    /* of slots, that are under way */
	uint64_t acked[SLUICE_UNACKED_MAX]; /* the last ones, by the begin of their ids */
	unsigned int acked_at;
	uint64_t looked_ns;	      /* sluice_downlink_look() was done last */
	struct sluice_parcel *failed; /* that the device could not keep; tried again later */
	struct sluice_sending sending;
	struct sluice_wire_partial partial[SLUICE_WIRE_PARTIALS]; /* of HELLO */
	unsigned int partial_count;
};

/* Sends one message; parts are the payload. Ends the connection if it does not take it. */
void sluice_session_send(struct sluice_session *ss, uint8_t type, uint32_t slot,
			 const struct iovec *part, unsigned int parts);

/* The same for fields that were written without error. */
void sluice_session_fields(struct sluice_session *ss, uint8_t type, uint32_t slot,
			   const struct sluice_wire_writer *w);
/* Bytes that a device may have under way now; 0: nothing can be taken. */
uint32_t sluice_session_window(struct sluice_server *s);
/* More credit, if there is a reason and room. */
void sluice_session_grant(struct sluice_session *ss);
/* The connection is ending; its close() still comes, to the client, which ends the session. */
void sluice_session_leave(struct sluice_session *ss);

/* By its number, in its loop. */
struct sluice_session *sluice_session_find(struct sluice_loop *l, uint64_t id);
/* The loop that a session of that number is or was in. */
struct sluice_loop *sluice_session_loop(struct sluice_server *s, uint64_t id);
/* Number of the camera's open slot, 0: none; its live one if it has both. */
uint32_t sluice_session_slot(const struct sluice_session *ss, const struct sluice_camera *c);
/* Of that lane. */
uint32_t sluice_session_lane(const struct sluice_session *ss, const struct sluice_camera *c,
			     uint32_t lane);
/* Nothing is read from it for a while. */
void sluice_session_hold(struct sluice_session *ss, enum sluice_counter why);
void sluice_session_told(struct sluice_session *ss, const struct sluice_told *t);

/* downlink.c */

/* What is stored and not yet on the device is queued. */
void sluice_downlink_resend(struct sluice_session *ss, uint32_t slot);
void sluice_downlink_summary(struct sluice_session *ss, const struct sluice_camera *c,
			     const char *id);
void sluice_downlink_done(struct sluice_session *ss, const struct sluice_camera *c,
			  const struct sluice_done *d);
/* Sends as much as there is room for. */
void sluice_downlink_pump(struct sluice_session *ss);
/* SUMMARY_ACK: the camera of that summary, NULL if none of that id was sent. status: what it says.
 */
const struct sluice_camera *sluice_downlink_acked(struct sluice_session *ss, const char *id,
						  uint32_t status);
/* HELLO's PARTIALs: from where summaries may be gone on with. What makes no sense is left out. */
void sluice_downlink_partial(struct sluice_session *ss, const uint8_t *hello, uint32_t length);
/* Every now and then: what had failed comes again. */
void sluice_downlink_retry(struct sluice_session *ss);
/* Every now and then, where others tell: what they have told and was not heard. */
void sluice_downlink_look(struct sluice_session *ss, uint64_t now_ns);
/* Seconds that what could not be kept, or be had, waits. Less only for tests. */
extern unsigned int sluice_downlink_retry_s;
void sluice_downlink_clear(struct sluice_session *ss);

#endif
