/* SPDX-License-Identifier: MIT */
/*
 * sim_device.h - the relay as relay/main.c puts it together, without its sources and without TLS,
 * over the simulated world; and the gates that it reads from. It can die at any moment.
 */
#ifndef SLUICE_TEST_SIM_DEVICE_H
#define SLUICE_TEST_SIM_DEVICE_H

#include "tests/unit/ringmake.h"
#include "sim_cloud.h"
#include "relay/spill.h"
#include "relay/uplink.h"

struct sim_gate {
	struct ringmake make;
	struct relay_camera *camera; /* NULL: not attached */
	uint64_t epoch, sequence;
	uint64_t seen_tail; /* what the relay has freed, as far as it was looked at */
	uint64_t given_up;  /* frames of the spool's that are in the ledger as lost, then */
	unsigned int first; /* index of the ring's record 0 among the camera's frames */
	unsigned int burst; /* frames of the event that are still to come */
	uint64_t next_ns;
	uint64_t full; /* frames that found no room */
};

struct sim_device {
	bool running;
	struct sluice_io *io;
	struct relay_encoder *encoder, *spill_encoder;
	struct relay_downlink *downlink;
	struct relay_spool *spool;
	struct relay_spill spill;
	struct relay_lanes lanes;
	struct relay_uplink uplink;
	struct relay_camera camera[SLUICE_WIRE_SLOTS];
	struct sluice_io_timer tick;
	char boot[RELAY_SPOOL_BOOT];
	unsigned int boots, starts;
	/* what it was told, for the script */
	uint64_t ups, downs, settled, settle_errors;
	/* frames that were freed and are neither durable nor in the spool */
	uint64_t freed_early;
};

extern struct sim_device sim_device;
extern struct sim_gate sim_gate[SIM_CAMERAS];
extern char sim_dir[128];
extern uint64_t sim_spool_bytes;

void sim_gates_open(void);
void sim_gates_close(void);
/* Frames that are due. */
void sim_gates_run(void);
/* No more frames come. */
void sim_gates_end(void);

/* 0, or -errno: it could not start (and has said why). */
int sim_device_start(void);
/* As a person stops it. */
void sim_device_stop(void);
/* kill -9; power: and its memory, rings included, and what the disk had not yet. */
void sim_device_kill(bool power);
/* Looks at what was freed since the last time. */
void sim_device_watch(void);
bool sim_device_finished(void);

/* ---- sim_run.c ---- */

/* Both processes, until nothing moves at this moment. */
void sim_settle(void);
void sim_run_to(uint64_t end);
/* Nothing goes wrong any more. */
void sim_calm(void);
/* A new world, the device not yet started; and its end. */
void sim_open(void);
void sim_close_world(void);
/* The gates end, and all that can be sent is sent. */
void sim_finish(void);
/* Frame by frame; CHECK()s. */
void sim_compare(int camera);
void sim_empty_dir(const char *path, bool keep);

#endif
