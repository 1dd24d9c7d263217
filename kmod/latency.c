// SPDX-License-Identifier: GPL-2.0
/*
 * latency.c - histograms of how long a frame took on its way, four a camera.
 *
 *	COMMIT	 buffer done -> its record is visible. Only frames that pass when they come: one
 *that waited in the pre-roll was late on purpose.
 *	HANDLED	 buffer done -> verdict, or queued in the pre-roll; every frame
 *	WORK	 what the frame path took for it: grid, gate, copy
 *	TAP	 what the DQBUF of the tapped application took longer
 *
 * "Done" is the moment at which the driver gave the buffer back (tracepoint vb2_buf_done), not the
 * buffer's timestamp, which may be that of the frame's first line. The probe runs in any context,
 * hard interrupts included: it compares a pointer and stores a time, in static memory, and takes no
 * lock. A buffer is finished, dequeued and looked at before it can be finished again, so a word per
 * buffer is enough; buffers beyond the 64th have no time. A stale queue pointer is only ever
 * compared, and goes before the queue's memory does.
 *
 * Failure: a frame without a time is left out of COMMIT and HANDLED.
 */
#include <linux/tracepoint.h>
#include <media/videobuf2-core.h>
#include <trace/events/vb2.h>
#include "camera.h"
#include "compat.h"

#define BUFFERS 64

static struct {
	const struct vb2_queue *queue;
	u64 done_ns[BUFFERS];
} stamps[SLUICE_CAMERA_MAX];

static DEFINE_MUTEX(users_lock);
static unsigned int users;
static bool armed;

static void note_done(void *data, struct vb2_queue *q, struct vb2_buffer *vb)
{
	u32 i;

	if (vb->index >= BUFFERS)
		return;
	for (i = 0; i < SLUICE_CAMERA_MAX; i++) {
		if (READ_ONCE(stamps[i].queue) == q) {
			WRITE_ONCE(stamps[i].done_ns[vb->index], ktime_get_ns());
			return;
		}
	}
}

void sluice_latency_begin(struct sluice_camera *cam, const struct vb2_queue *queue)
{
	mutex_lock(&users_lock);
	if (!users++)
		armed = !register_trace_vb2_buf_done(note_done, NULL);
	memset(stamps[cam->index].done_ns, 0, sizeof(stamps[0].done_ns));
	WRITE_ONCE(stamps[cam->index].queue, queue);
	mutex_unlock(&users_lock);
}

/* Harmless if it has not begun: that camera has no queue here. */
void sluice_latency_end(struct sluice_camera *cam)
{
	mutex_lock(&users_lock);
	if (stamps[cam->index].queue) {
		WRITE_ONCE(stamps[cam->index].queue, NULL);
		if (!--users && armed)
			unregister_trace_vb2_buf_done(note_done, NULL);
	}
	mutex_unlock(&users_lock);
}

void sluice_latency_exit(void)
{
	tracepoint_synchronize_unregister();
}

u64 sluice_latency_done(const struct sluice_camera *cam, u32 index)
{
	return index < BUFFERS ? READ_ONCE(stamps[cam->index].done_ns[index]) : 0;
}

static void add(struct sluice_latency *l, enum sluice_latency_attr which, u64 since)
{
	struct sluice_latency_histogram *h = &l->of[which];
	u64 now = ktime_get_ns(), ns = now > since ? now - since : 0;

	h->bucket[ns ? min_t(u32, fls64(ns) - 1, SLUICE_LATENCY_BUCKETS - 1) : 0]++;
	h->sum_ns += ns;
}

void sluice_latency_init(struct sluice_latency *l)
{
	spin_lock_init(&l->tap_lock);
}

void sluice_latency_enter(struct sluice_latency *l, const struct sluice_frame *f, u64 begun_ns)
{
	l->done_ns = f->done_ns;
	l->begun_ns = begun_ns;
	l->time_ns = f->time_ns;
	l->driver_sequence = f->driver_sequence;
	l->in_hand = true;
}

void sluice_latency_publish(struct sluice_latency *l, const struct sluice_ring_desc *d)
{
	if (l->in_hand && l->done_ns && d->time_ns == l->time_ns &&
	    d->driver_sequence == l->driver_sequence)
		add(l, SLUICE_LATENCY_COMMIT, l->done_ns);
}

void sluice_latency_leave(struct sluice_latency *l)
{
	if (l->done_ns)
		add(l, SLUICE_LATENCY_HANDLED, l->done_ns);
	add(l, SLUICE_LATENCY_WORK, l->begun_ns);
	l->in_hand = false;
}

void sluice_latency_tapped(struct sluice_camera *cam, u64 begun_ns)
{
	spin_lock(&cam->latency.tap_lock);
	add(&cam->latency, SLUICE_LATENCY_TAP, begun_ns);
	spin_unlock(&cam->latency.tap_lock);
}
