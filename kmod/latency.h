/* SPDX-License-Identifier: GPL-2.0 */
/* latency.h - how long frames take: from the driver's "buffer done" to our verdict and record. */
#ifndef SLUICE_LATENCY_H
#define SLUICE_LATENCY_H

#include <linux/spinlock.h>
#include <sluice/control.h>
#include "frame.h"

struct sluice_camera;
struct vb2_queue;

/* Owned by the camera's lock, but for TAP. Histograms are indexed by enum sluice_latency_attr. */
struct sluice_latency {
	struct sluice_latency_histogram of[SLUICE_LATENCY_MAX + 1];
	/* the frame in hand; done_ns 0: not known */
	u64 done_ns, begun_ns, time_ns;
	u32 driver_sequence;
	bool in_hand;

	spinlock_t tap_lock; /* writers of TAP; who reads it may see a count without its sum */
};

void sluice_latency_init(struct sluice_latency *l);

/*
 * Note when the queue of this camera finishes its buffers, from now on until end. Without the
 * kernel's vb2_buf_done tracepoint the histograms that need it stay empty. May sleep.
 */
void sluice_latency_begin(struct sluice_camera *cam, const struct vb2_queue *queue);
void sluice_latency_end(struct sluice_camera *cam);

/* When the driver finished the buffer that it now gave us; CLOCK_MONOTONIC ns, 0: not known. */
u64 sluice_latency_done(const struct sluice_camera *cam, u32 index);

/* Around the path's work on a frame, and for each record published in between. Lock held. */
void sluice_latency_enter(struct sluice_latency *l, const struct sluice_frame *f, u64 begun_ns);
void sluice_latency_publish(struct sluice_latency *l, const struct sluice_ring_desc *d);
void sluice_latency_leave(struct sluice_latency *l);

/*
 * A tapped DQBUF took longer by the time since begun_ns. Does not take the camera's lock, which is
 * held while the frame is looked at: the application would wait for that.
 */
void sluice_latency_tapped(struct sluice_camera *cam, u64 begun_ns);

/* Wait until no probe is left in the module's text. */
void sluice_latency_exit(void);

#endif
