/* SPDX-License-Identifier: MIT */
/*
 * memo.h - what was asked of a camera and must outlive this process: that it is paused, and which
 * threshold map the cloud gave it. A file a camera in STATE/control.
 */
#ifndef RELAY_MEMO_H
#define RELAY_MEMO_H

#include "relay/desk.h"
#include "relay/drain.h"

#define RELAY_MEMOS   64
#define RELAY_GATE_ID 64
#define RELAY_MAP_ID  64

struct relay_memo {
	char camera[SLUICE_CAMERA_NAME_SIZE]; /* "": free */
	char gate[RELAY_GATE_ID];	      /* the ring that the numbers are of */
	bool paused;
	uint64_t paused_ns; /* UTC, when */
	struct relay_pause pause[RELAY_PAUSES];
	unsigned int pauses;
	char map[RELAY_MAP_ID + 1]; /* the cloud's name for the map; "": it gave none */
	uint32_t map_version, map_crc;
};

struct relay_memos {
	char dir[4096];
	char boot[64];
	struct relay_desk *desk;
	struct relay_memo memo[RELAY_MEMOS];
};

/* Reads what is there; what is damaged is told and passed over. desk: writes the files. */
void relay_memos_open(struct relay_memos *m, const char *state, struct relay_desk *desk);

/* That camera's, made if it is new; NULL: there are RELAY_MEMOS others. */
struct relay_memo *relay_memo_get(struct relay_memos *m, const char *camera);

/* Names the gate: its ring, and the boot in which that was made. "": there is no ring. */
void relay_memo_gate(const struct relay_memos *m, const struct relay_camera *c,
		     char out[RELAY_GATE_ID]);

/* A ring was attached: it is paused if it was, and where it was. */
void relay_memo_attached(struct relay_memos *m, struct relay_camera *c);

/*
 * Write the camera's memo with its pauses as they are now; done(arg, 0 or -errno) when it is
 * durable, in the loop's thread. done may be NULL. -ENOMEM: it will not be called.
 */
int relay_memo_save(struct relay_memos *m, const struct relay_camera *c,
		    void (*done)(void *arg, int err), void *arg);

#endif
