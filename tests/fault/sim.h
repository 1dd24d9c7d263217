/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a world in one process for the relay: its clock, its network and its disk are simulated
 * below struct sluice_io_backend; what the relay asks of the system directly (close, shutdown,
 * rename, the clocks ...) is wrapped by the linker. Everything follows from one seed.
 *
 *	sim_io.c     clock, connections, requests; a fault at the N-th answer
 *	sim_disk.c   files: real ones in memory, and what of them a power failure takes away
 *	sim_cloud.c  a cloud that has only what it made durable, and lies when it is told to
 *	test_sim.c   weather, crashes, the gate; and the comparison, frame by frame
 */
#ifndef SLUICE_TEST_SIM_H
#define SLUICE_TEST_SIM_H

#include "lib/io.h"

#define SIM_MS	    1000000ull
#define SIM_S	    1000000000ull
#define SIM_PENDING 128
#define SIM_CONNS   32

/* One process. Its clock is that of the world, less the moment at which its machine was started. */
struct sim_side {
	struct sluice_io_request *request[SIM_PENDING];
	uint64_t due[SIM_PENDING];
	bool cancelled[SIM_PENDING];
	unsigned int count;
	uint64_t until;	  /* of its next timer, in the world's time */
	uint64_t zero_ns; /* the world's time when its clock was 0 */
	bool worked;	  /* something was answered in this turn */
	bool dead;	  /* it was killed: nothing that it does has an effect */
};

struct sim_bytes {
	struct sim_bytes *next;
	uint64_t due;
	size_t size, at; /* size 0: the end */
	uint8_t data[];
};

struct sim_pipe {
	struct sim_bytes *first, **end;
	size_t queued;
	uint64_t busy;	/* the link is taken until then */
	uint64_t bytes; /* ever */
	bool ended;
};

/* pipe 0: from the device to the cloud. */
struct sim_conn {
	int fd[2]; /* device's, cloud's; -1: closed */
	bool used, reset, dark;
	bool spoiled; /* bytes were changed: whoever complains is right */
	struct sim_pipe pipe[2];
};

/* The link, of all connections. */
struct sim_weather {
	uint64_t delay_ns, rate; /* bytes/s, 0: no limit */
	bool refuse;		 /* nobody answers: connections are refused */
	bool lost;		 /* nor that: no answer at all */
};

enum sim_disk_state { SIM_DISK_GOOD, SIM_DISK_FULL, SIM_DISK_READ_ONLY, SIM_DISK_BROKEN };

struct sim_world {
	uint64_t now;
	int64_t wall_step_ns; /* added to real time */
	struct sim_side device, cloud;
	struct sim_conn conn[SIM_CONNS];
	struct sim_weather weather;
	struct sluice_io_request *accept;
	enum sim_disk_state disk;
	uint32_t disk_latency_ms;
	/* the device's so-many-th answer is a fault */
	uint64_t answers, fault_at;
	bool faulted;
	char fault_what[64];
	uint64_t cuts, corrupted;
	/* the device's so-many-th allocation fails; counted while it is at work */
	bool at_work;
	uint64_t allocations, fail_allocation;
	/* it dies at that answer, before it has heard of it */
	uint64_t die_at;
	bool died;
};

extern struct sim_world sim;
extern const struct sluice_io_backend sim_backend; /* backend_arg: struct sim_side */

void sim_reset(void);
/* When something is due that is not there yet; UINT64_MAX: nothing. */
uint64_t sim_next(void);

/* All connections: reset now (a random part of what is under way still arrives); go dark: nothing
 * arrives, nobody is told; one direction ends; a bit is changed. */
void sim_net_cut(void);
void sim_net_dark(void);
void sim_net_half_close(int direction);
void sim_net_corrupt(int direction);
/* Is the connection of this descriptor one whose bytes were changed? */
bool sim_net_spoiled(int fd);

/* sim_disk.c; the back end calls the first three */
int sim_disk_do(struct sluice_io_request *r, unsigned int fault);
void sim_disk_closed(int fd);
/* A write that was under way when the process was killed: some of it. */
void sim_disk_half(struct sluice_io_request *r);
/* The power fails: what was not synced is there, or not, or half. */
void sim_disk_power(void);
void sim_disk_reset(void);

#endif
