/* SPDX-License-Identifier: MIT */
/*
 * frame_rig.h - a frame path with a scripted gate, and a reader that checks every record. Byte 0 of
 * a frame is the state that the gate will report (high half: the kind of tampering), bytes 2..5 its
 * number, so that a record can be matched with what went in. After every frame the ledger is
 * checked against the control page and against the verdicts that were heard.
 */
#ifndef SLUICE_TEST_FRAME_RIG_H
#define SLUICE_TEST_FRAME_RIG_H

#include "kmod/frame.h"
#include "check.h"

#define WIDTH	16
#define HEIGHT	16
#define FULL	(WIDTH * HEIGHT)
#define CORRUPT 99 /* state byte of a JPEG that does not parse */
#define SEC	1000000000ull
#define MS	1000000ull
enum {
	W = SLUICE_GATE_WARMUP,
	Q = SLUICE_GATE_QUIET,
	C = SLUICE_GATE_QUALIFIED,
	M = SLUICE_GATE_MOTION,
	S = SLUICE_GATE_SCENE
};

#define FRAMES_MAX 20000

struct rig {
	struct sluice_path *path;
	struct sluice_ring ring;
	struct sluice_ring_ctrl *ctrl;
	struct sluice_ring_desc *desc;
	void *priv;
	uint8_t *arena;
	struct sluice_ledger ledger;
	struct sluice_settings settings;
	struct sluice_picture picture;
	uint8_t *last_frame;

	uint32_t handed, verdicts, driver_sequence;
	uint64_t epoch_of_records;
	uint64_t reader_tail, next_sequence;
	uint64_t records, record_dropped, record_lost;
	uint8_t verdict[FRAMES_MAX]; /* by sequence, of the last epoch */
	uint64_t verdict_epoch;
	uint32_t notes[16];
	struct sluice_ring_desc log[FRAMES_MAX];
	bool reading;
};

/* What the scripted gate was last told, and how often it was reset. */
extern uint32_t last_dt, gate_resets;

/* pages 0: without a ring. Settings: defaults, with rate, keep-alive and audit off. */
struct rig *rig_open(uint32_t fourcc, uint32_t pages, uint32_t descs);
/* 16x16 GREY, 16 MiB, 4096 records. */
struct rig *rig_raw(void);
void rig_close(struct rig *t);
/* t->settings take effect. */
void rig_apply(struct rig *t);
/* One frame of len bytes; number = its sequence in the running epoch. */
void rig_frame_len(struct rig *t, uint64_t time_ns, int state, uint32_t number, size_t len);
void rig_frame(struct rig *t, uint64_t time_ns, int state, uint32_t number);
/* Read and release what is published. */
void rig_read(struct rig *t);
/* What must hold after every call of the path. */
void rig_check(struct rig *t);
/* End the stream: nothing waits, nothing is reserved. */
void rig_end(struct rig *t);
uint64_t count_of(const struct rig *t, enum sluice_reason reason);

#endif
