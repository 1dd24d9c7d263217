/* SPDX-License-Identifier: MIT */
/*
 * feed.h - how sluice-feed hands its ring to a reader.
 *
 * The feed listens on a Unix socket of type SOCK_SEQPACKET. A reader connects and receives one
 * message: struct sluice_feed_hello, and with it (SCM_RIGHTS) two descriptors if status is 0.
 *
 * The first is a memfd, mapped like /dev/sluiceN: SLUICE_RING_MAP_CTRL, _DESC and _ARENA are file
 * offsets. It is sealed against growing and shrinking. Map the control page read-write, the rest
 * read-only.
 *
 * The second is an eventfd (non-blocking), readable when there is something to look at: head has
 * passed the wake mark, or a bit of the state has changed. Read it, then look at head and state.
 *
 * Nothing else is sent in either direction; the connection's end is the reader's end. Unread
 * records stay for the next reader. One reader at a time: another one gets status EBUSY and no
 * descriptors. At the end of its source the feed sets SLUICE_STATE_ENDED, and it exits once its
 * reader has released every record (tail == head) or has gone.
 */
#ifndef SLUICE_LIB_FEED_H
#define SLUICE_LIB_FEED_H

#include <sluice/ring.h>

#define SLUICE_FEED_MAGIC   0x44454653u /* "SFED" */
#define SLUICE_FEED_VERSION 1u
#define SLUICE_FEED_FDS	    2

struct sluice_feed_hello {
	__u32 magic;
	__u32 version;
	__u32 status; /* 0, or a positive errno: no ring for you */
	__u32 reserved;
	__u64 size;			    /* bytes of the memfd */
	char name[SLUICE_CAMERA_NAME_SIZE]; /* of the camera */
};

_Static_assert(sizeof(struct sluice_feed_hello) == 56, "feed hello");

#endif
