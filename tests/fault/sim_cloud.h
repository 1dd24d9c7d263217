/* SPDX-License-Identifier: MIT */
/*
 * sim_cloud.h - what was published, and a cloud that stores it. The cloud speaks the protocol
 * without TLS, with both lanes; what it has not made durable is gone when it is restarted.
 */
#ifndef SLUICE_TEST_SIM_CLOUD_H
#define SLUICE_TEST_SIM_CLOUD_H

#include "lib/conn.h"
#include "lib/http1.h"
#include "lib/wire.h"

#define SIM_CAMERAS 2
#define SIM_FRAMES  40000

/* Every frame that the gate let through, and what became of it. */
struct sim_frame {
	uint64_t epoch, sequence, time_ns;
	uint32_t event;
	uint16_t reason;
	bool waiting, durable; /* at the cloud */
	bool rejected;	       /* the cloud has said so */
	bool ring_lost;	       /* was in the ring when its memory was lost */
};

struct sim_camera {
	char name[16];
	struct sim_frame frame[SIM_FRAMES];
	unsigned int frames;
};

extern struct sim_camera sim_camera[SIM_CAMERAS];

/* NULL: none of that name. */
struct sim_frame *sim_frame_find(struct sim_camera *c, uint64_t epoch, uint64_t sequence);
uint32_t sim_frame_make(uint64_t epoch, uint64_t sequence, uint8_t *out);

struct sim_link;

struct sim_cloud {
	struct sluice_io *io;
	struct sluice_io_listener *listener;
	char port[8];
	struct sim_link *link;
	/* script */
	uint32_t store_ms; /* until a frame is durable */
	uint32_t late_ms;  /* and until that is said */
	bool twice;	   /* STORED is said twice, and old ones again */
	bool no_done;	   /* DONE is withheld */
	uint32_t reject;   /* one frame in so many is rejected; 0: none */
	uint64_t window;
	/* counters */
	uint64_t links, frames, duplicates, lies, wrong;
	char what[160];
};

extern struct sim_cloud sim_cloud;

void sim_cloud_open(struct sluice_io *io);
void sim_cloud_close(void);
/* The process dies: its links are cut, and what was not durable is gone. */
void sim_cloud_crash(void);
/* STORED for frames that the device has not sent. */
void sim_cloud_lie(void);

#endif
