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
 *
 * Its gate is asked at a second socket of the same type, the first one's path and
 * SLUICE_FEED_CONTROL: what generic netlink is to the module. A connection sends one struct
 * sluice_feed_request, with the bytes of a map behind it where it has one, and receives one struct
 * sluice_feed_answer; the feed closes it then. Who may write to the socket's file may ask.
 */
#ifndef SLUICE_LIB_FEED_H
#define SLUICE_LIB_FEED_H

#include <sluice/control.h>
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

#define SLUICE_FEED_CONTROL	  ".control"
#define SLUICE_FEED_REQUEST_MAGIC 0x51524653u /* "SFRQ" */
#define SLUICE_FEED_SETTINGS	  32u
#define SLUICE_FEED_MAP_MAX	  65536u /* cells; larger grids have no map */

enum sluice_feed_op {
	SLUICE_FEED_GET = 1,
	SLUICE_FEED_SET = 2,	  /* the settings whose bit is in present, all or none */
	SLUICE_FEED_MAP = 3,	  /* a threshold byte a cell (gate.h); none: the map goes */
	SLUICE_FEED_SNAPSHOT = 4, /* the next frame passes as SNAPSHOT */
};

struct sluice_feed_request {
	__u32 magic;
	__u32 version;	   /* SLUICE_FEED_VERSION */
	__u32 op;	   /* enum sluice_feed_op */
	__u32 conditional; /* 1: only if the settings have the version if_version, else ESTALE */
	__u32 if_version;
	__u32 present; /* bit = enum sluice_setting */
	__u32 setting[SLUICE_FEED_SETTINGS];
};

struct sluice_feed_answer {
	__u32 magic;
	__u32 status; /* 0, or a positive errno with text */
	__u32 width, height, grid_w, grid_h;
	__u32 map_crc; /* CRC-32C of the map in force; 0: there is none */
	__u32 reserved;
	__u32 setting[SLUICE_FEED_SETTINGS]; /* all of them, VERSION too; as they are now */
	char text[128];
};

_Static_assert(sizeof(struct sluice_feed_hello) == 56, "feed hello");
_Static_assert(sizeof(struct sluice_feed_request) == 152, "feed request");
_Static_assert(sizeof(struct sluice_feed_answer) == 288, "feed answer");
_Static_assert(SLUICE_SETTING_MAX < SLUICE_FEED_SETTINGS, "settings of a feed");

#endif
