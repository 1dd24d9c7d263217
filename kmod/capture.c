// SPDX-License-Identifier: GPL-2.0
/*
 * capture.c - the source that streams a camera itself, in a kernel thread.
 *
 * The thread waits on the queue's done_wq, dequeues without blocking, gives the frame to the flow
 * and queues the buffer again: the very path of a process with MMAP buffers, with the driver's
 * rules and power management. An unplug releases the buffers at any time: see give_frame().
 *
 * While we stream, others get -EBUSY from REQBUFS and S_FMT, so the format cannot change. Buffers
 * with the error flag are counted and queued again. When dequeuing or queuing fails (unplugged, or
 * the driver's queue is in error), the thread calls sluice_camera_fail() and parks until it is
 * stopped; the watch work does the rest. STREAMOFF and REQBUFS(0) may then fail: the driver has
 * released the queue by itself, because we own it. A camera that delivers nothing is a stall, seen
 * by the watch work; the thread just waits on.
 *
 * Contexts: start and stop in the attaching or detaching task or the watch work; the rest in the
 * thread. kthread_stop() always ends it, as it never blocks inside the driver.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include "camera.h"
#include "compat.h"

#define CAPTURE_BUFFERS 8

struct capture {
	struct sluice_camera *cam;
	struct task_struct *thread;
	u32 count; /* buffers */
};

/* A glance without locks; dequeuing finds out. */
static bool capture_waits(struct vb2_queue *q)
{
	return list_empty_careful(&q->done_list) && vb2_is_streaming(q) && !q->error;
}

/*
 * The driver that is unplugged frees the buffers of the queue we own, dequeued or not, under the
 * queue's lock: so the copy is made under it, and only of a buffer that is still there. One that is
 * not counts as LATE.
 */
static void give_frame(struct capture *c, u32 index, struct sluice_frame *f)
{
	struct sluice_video *v = &c->cam->video;
	struct mutex *lock = v->queue->lock ? v->queue->lock : v->vdev->lock;
	struct vb2_buffer *vb;

	if (lock)
		mutex_lock(lock);
	vb = vb2_get_buffer(v->queue, index);
	if (vb && vb->state == VB2_BUF_STATE_DEQUEUED)
		sluice_video_planes(vb, f);
	sluice_flow_frame(c->cam, f);
	if (lock)
		mutex_unlock(lock);
}

/* One buffer from the driver to the flow and back. Returns 0, -EAGAIN, or what ended the stream. */
static int take_buffer(struct capture *c)
{
	struct sluice_video *v = &c->cam->video;
	struct sluice_frame f = {};
	struct v4l2_buffer b;
	int rc = sluice_video_dequeue(v, &b);

	if (rc)
		return rc;
	if (b.index >= c->count)
		return -EIO;
	f.driver_sequence = b.sequence;
	f.error = b.flags & V4L2_BUF_FLAG_ERROR;
	f.done_ns = sluice_latency_done(c->cam, b.index);
	f.time_ns =
		(u64)b.timestamp.tv_sec * NSEC_PER_SEC + (u64)b.timestamp.tv_usec * NSEC_PER_USEC;
	if (f.time_ns || !f.error)
		f.time_ns = sluice_video_time(v->queue, f.time_ns);
	give_frame(c, b.index, &f);
	return sluice_video_queue(v, b.index);
}

static int run_capture(void *arg)
{
	struct capture *c = arg;
	struct vb2_queue *q = c->cam->video.queue;
	int rc = 0;

	while (!kthread_should_stop()) {
		wait_event_interruptible_timeout(q->done_wq,
						 kthread_should_stop() || !capture_waits(q), HZ);
		if (kthread_should_stop())
			break;
		rc = take_buffer(c);
		if (rc && rc != -EAGAIN && rc != -ERESTARTSYS && rc != -EINTR)
			break;
	}
	if (!kthread_should_stop()) {
		pr_notice("sluice: %s: the stream ended (error %d)\n", c->cam->name, rc);
		sluice_camera_fail(c->cam);
	}
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

/* Ask for buffers, map them for ourselves, queue them. */
static int prepare_buffers(struct capture *c, struct netlink_ext_ack *extack)
{
	struct sluice_video *v = &c->cam->video;
	u32 count = CAPTURE_BUFFERS, i;
	struct vb2_buffer *vb;
	int rc;

	rc = sluice_video_request_buffers(v, v->file, &count);
	if (rc) {
		NL_SET_ERR_MSG_MOD(extack, "the camera gives no buffers: somebody else streams it");
		return rc;
	}
	c->count = min_t(u32, count, VIDEO_MAX_FRAME);
	for (i = 0; i < c->count; i++) {
		vb = vb2_get_buffer(v->queue, i);
		if (!vb || !vb2_plane_vaddr(vb, 0)) {
			NL_SET_ERR_MSG_MOD(extack,
					   "no kernel mapping of MMAP buffers: use sluice-feed");
			return -EOPNOTSUPP;
		}
		rc = sluice_video_queue(v, i);
		if (rc) {
			NL_SET_ERR_MSG_MOD(extack, "the camera does not take buffers");
			return rc;
		}
	}
	return 0;
}

static int start_stream(struct capture *c, struct file *user, struct netlink_ext_ack *extack)
{
	struct sluice_video *v = &c->cam->video;
	u32 none = 0;
	int rc;

	/* Some drivers keep a privilege with the file that has set the format: let it drop it. */
	rc = sluice_video_request_buffers(v, user, &none);
	if (!rc)
		rc = sluice_video_learn_queue(v);
	if (rc) {
		NL_SET_ERR_MSG_MOD(
			extack,
			"the camera is busy: stop the application that streams it, or use tap");
		return rc;
	}
	rc = prepare_buffers(c, extack);
	if (rc)
		return rc;
	rc = sluice_video_stream(v, true);
	if (rc)
		NL_SET_ERR_MSG_MOD(extack, "the camera does not start to stream");
	return rc;
}

/* Fails only when the camera is gone; then there is nothing left to stop. */
static void stop_stream(struct sluice_video *v)
{
	u32 none = 0;

	if (!v->queue)
		return;
	sluice_video_stream(v, false);
	sluice_video_request_buffers(v, v->file, &none);
}

static void stop_capture(struct sluice_camera *cam)
{
	struct capture *c = cam->source;

	if (!c)
		return;
	if (c->thread)
		kthread_stop(c->thread);
	stop_stream(&cam->video);
	cam->source = NULL;
	kfree(c);
}

static int start_capture(struct sluice_camera *cam, struct file *user,
			 struct netlink_ext_ack *extack)
{
	struct capture *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int rc;

	if (!c)
		return -ENOMEM;
	c->cam = cam;
	cam->source = c;
	rc = start_stream(c, user, extack);
	if (rc)
		goto fail;
	sluice_flow_start(cam);
	c->thread = kthread_run(run_capture, c, "sluice/%u", cam->index);
	if (!IS_ERR(c->thread))
		return 0;
	rc = PTR_ERR(c->thread);
	c->thread = NULL;
fail:
	stop_capture(cam);
	return rc;
}

static bool capture_streams(struct sluice_camera *cam)
{
	return true;
}

const struct sluice_source_ops sluice_capture_source = {
	.start = start_capture,
	.stop = stop_capture,
	.streaming = capture_streams,
};
