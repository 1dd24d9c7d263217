// SPDX-License-Identifier: GPL-2.0
/*
 * tap.c - the source that looks over the shoulder of an application: every buffer it dequeues from
 * its camera goes through the gate before the application gets it back.
 *
 * One probe on the tracepoint vb2_dqbuf serves all taps. In it (task context, preemption off on
 * some kernels: nothing sleeps) the queue is compared, and a small preallocated item is attached to
 * the calling task as task work. The work runs before the DQBUF call returns: it takes the queue's
 * lock, makes sure that the buffer is still dequeued and still the same, and copies it to the stage
 * (stage.c), in a context that may sleep, while nobody but the application's own other threads can
 * write to it; a thread gives the copy to the flow. The application pays one copy of each frame.
 *
 * Lost frames are counted as LATE, with the driver's number: no free item (16 tasks of one
 * application dequeue at once), a kernel thread dequeues, the buffer went back to the driver at
 * once (read() instead of mmap), or its memory is out of the kernel's reach (USERPTR and DMABUF are
 * read only where the driver uses vmalloc buffers, as uvcvideo does).
 *
 * Which queue: vdev->queue, or learnt from the idle camera (video.c). If the application streams
 * already and the driver (uvcvideo before 7.x) names no queue: a queue is taken for the camera's if
 * it is a streaming capture queue, lies right behind the video_device (both are parts of one struct
 * of the driver), has buffers of the format's size, and the task that dequeues has this very video
 * node open. If none shows within two seconds, the attach is refused.
 *
 * The format is asked for at every frame (it is cached in the driver): the application may change
 * it. The stream's end is seen by the watch work; unplugging likewise.
 *
 * End, in phases: out of the probe's table; tracepoint_synchronize_unregister(): no probe sees it;
 * wait for its task works; free. With the last tap the probe goes; sluice_tap_exit() waits until no
 * task is left in the module's text (synchronize_rcu_tasks).
 */
#include <linux/fdtable.h>
#include <linux/kdev_t.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <trace/events/vb2.h>
#include "camera.h"
#include "compat.h"
#include "stage.h"

#define TAP_ITEMS   16
#define TAP_LOST    64 /* numbers of lost frames that wait to be counted */
#define LEARN_MS    2000
/* The queue of a driver that embeds both begins this near behind its video_device, in bytes. */
#define NEAR_WINDOW 1024

struct tap_item {
	struct callback_head work;
	struct tap *tap;
	struct vb2_queue *queue;
	u64 timestamp;
	u32 index, sequence;
	bool error;
};

struct tap {
	struct sluice_camera *cam;
	struct sluice_stage *stage;
	struct vb2_queue *queue; /* NULL: still looking for it */
	atomic_t pending;	 /* works on their way; the tap lives while there are any */
	unsigned long busy;	 /* items in use, a bit each */
	struct tap_item item[TAP_ITEMS];

	raw_spinlock_t lost_lock;
	u32 lost[TAP_LOST], lost_count;

	u32 unreadable; /* enum vb2_memory of the stream if it cannot be read, and that was told */
};

static struct tap *taps[SLUICE_CAMERA_MAX]; /* read by the probe */
static DEFINE_MUTEX(taps_lock);
static unsigned int tap_count;
static DECLARE_WAIT_QUEUE_HEAD(taps_wait); /* a work ended, or a queue was learnt */

/* Probe context. */
static void note_lost(struct tap *t, u32 sequence)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&t->lost_lock, flags);
	if (t->lost_count < TAP_LOST)
		t->lost[t->lost_count++] = sequence;
	raw_spin_unlock_irqrestore(&t->lost_lock, flags);
}

/* Count what the probe could not; more than TAP_LOST show as a gap in the numbers (DRIVER). */
static void settle_lost(struct tap *t)
{
	u32 sequence[TAP_LOST], count, i;
	unsigned long flags;

	if (!READ_ONCE(t->lost_count))
		return;
	raw_spin_lock_irqsave(&t->lost_lock, flags);
	count = t->lost_count;
	memcpy(sequence, t->lost, count * sizeof(*sequence));
	t->lost_count = 0;
	raw_spin_unlock_irqrestore(&t->lost_lock, flags);
	for (i = 0; i < count; i++)
		sluice_flow_lost(t->cam, sequence[i], SLUICE_REASON_LATE);
}

/* Say once a stream that its memory cannot be read. */
static void tell_memory(struct tap *t, u32 memory)
{
	static const char *const name[] = {
		[VB2_MEMORY_MMAP] = "unsynchronised MMAP",
		[VB2_MEMORY_USERPTR] = "USERPTR",
		[VB2_MEMORY_DMABUF] = "DMABUF",
	};

	if (t->unreadable == memory)
		return;
	t->unreadable = memory;
	pr_notice("sluice: %s: %s buffers of this driver cannot be read, frames are LATE\n",
		  t->cam->name, memory < ARRAY_SIZE(name) && name[memory] ? name[memory] : "such");
	sluice_flow_refuse(t->cam);
}

static void take_frame(struct tap *t, const struct tap_item *item,
		       const struct sluice_format *format)
{
	struct vb2_queue *q = item->queue;
	struct sluice_frame f = {
		.driver_sequence = item->sequence,
		.error = item->error,
		.time_ns = item->timestamp,
		.done_ns = sluice_latency_done(t->cam, item->index),
	};
	struct vb2_buffer *vb;

	if (f.time_ns || !f.error)
		f.time_ns = sluice_video_time(q, f.time_ns);
	sluice_stage_begin(t->stage);
	mutex_lock(q->lock);
	vb = vb2_get_buffer(q, item->index);
	if (vb && vb->state == VB2_BUF_STATE_DEQUEUED && vb->timestamp == item->timestamp) {
		sluice_video_planes(vb, &f);
		if (f.data)
			t->unreadable = 0;
		else
			tell_memory(t, vb->memory);
	}
	sluice_stage_copy(t->stage, format, &f);
	mutex_unlock(q->lock);
	sluice_stage_end(t->stage);
}

static int is_our_node(const void *arg, struct file *file, unsigned int fd)
{
	const struct file *ours = arg;

	return S_ISCHR(file_inode(file)->i_mode) && file->f_op == ours->f_op &&
	       file_inode(file)->i_rdev == file_inode(ours)->i_rdev;
}

/* The last checks on a queue that looks like ours; then it is ours, for good. */
static void accept_queue(struct tap *t, const struct tap_item *item)
{
	struct sluice_video *v = &t->cam->video;
	struct sluice_format format;
	struct vb2_buffer *vb;
	bool fits;

	if (!current->files || !iterate_fd(current->files, 0, is_our_node, v->file))
		return;
	if (sluice_video_format(v, &format) || !item->queue->lock)
		return;
	mutex_lock(item->queue->lock);
	vb = vb2_get_buffer(item->queue, item->index);
	fits = vb && vb2_plane_size(vb, 0) >= format.size;
	mutex_unlock(item->queue->lock);
	if (!fits)
		return;
	v->queue = item->queue;
	/* Pairs with the acquire in the probe: v->queue is set before works read it. */
	smp_store_release(&t->queue, item->queue);
	wake_up_all(&taps_wait);
}

/* Before the system call returns to the application. May sleep. */
static void tap_work(struct callback_head *work)
{
	struct tap_item *item = container_of(work, struct tap_item, work);
	struct tap *t = item->tap;
	struct sluice_format format;
	u64 begun_ns = ktime_get_ns();
	int rc;

	if (!READ_ONCE(t->queue)) {
		accept_queue(t, item);
	} else {
		rc = sluice_video_format(&t->cam->video, &format);
		if (!rc)
			take_frame(t, item, &format);
		else
			sluice_flow_lost(t->cam, item->sequence, SLUICE_REASON_LATE);
		settle_lost(t);
		sluice_latency_tapped(t->cam, begun_ns);
	}
	clear_bit_unlock(item - t->item, &t->busy);
	/* From here on the tap may be gone; the wait queue is not part of it. */
	if (atomic_dec_and_test(&t->pending))
		wake_up_all(&taps_wait);
}

static struct tap_item *take_item(struct tap *t)
{
	int i;

	for (i = 0; i < TAP_ITEMS; i++) {
		if (!test_and_set_bit_lock(i, &t->busy))
			return &t->item[i];
	}
	return NULL;
}

/* Could q be the queue of a camera whose driver does not say? Probe context: q is alive. */
static bool looks_like_ours(const struct tap *t, const struct vb2_queue *q)
{
	unsigned long end = (unsigned long)(t->cam->video.vdev + 1);
	unsigned long at = (unsigned long)q;

	return at >= end && at < end + NEAR_WINDOW && q->type == t->cam->video.type &&
	       !q->is_output && q->streaming && !q->fileio;
}

/* Probe of vb2_dqbuf. The queue's lock is held; must not sleep, may not count on preemption. */
static void tap_probe(void *data, struct vb2_queue *q, struct vb2_buffer *vb)
{
	struct tap *t = NULL;
	struct vb2_queue *own;
	struct tap_item *item;
	int i;

	for (i = 0; i < SLUICE_CAMERA_MAX && !t; i++) {
		t = READ_ONCE(taps[i]);
		if (!t)
			continue;
		own = smp_load_acquire(&t->queue); /* pairs with the release that sets it */
		if (own ? own != q : !looks_like_ours(t, q))
			t = NULL;
	}
	if (!t)
		return;
	/* The table entry goes before its tap, and its remover waits for this probe. */
	item = current->flags & PF_KTHREAD ? NULL : take_item(t);
	if (!item) {
		note_lost(t, to_vb2_v4l2_buffer(vb)->sequence);
		return;
	}
	item->tap = t;
	item->queue = q;
	item->index = vb->index;
	item->timestamp = vb->timestamp;
	item->sequence = to_vb2_v4l2_buffer(vb)->sequence;
	item->error = vb->state == VB2_BUF_STATE_ERROR;
	init_task_work(&item->work, tap_work);
	atomic_inc(&t->pending);
	if (!task_work_add(current, &item->work, TWA_RESUME))
		return;
	/* The task is exiting. */
	note_lost(t, item->sequence);
	clear_bit_unlock(item - t->item, &t->busy);
	if (atomic_dec_and_test(&t->pending))
		wake_up_all(&taps_wait);
}

/* The probe sees t from here on. */
static int add_tap(struct tap *t)
{
	int rc = 0;

	mutex_lock(&taps_lock);
	if (!tap_count)
		rc = register_trace_vb2_dqbuf(tap_probe, NULL);
	if (!rc) {
		tap_count++;
		WRITE_ONCE(taps[t->cam->index], t);
	}
	mutex_unlock(&taps_lock);
	return rc;
}

/* When it returns no probe sees t, and no work of it is left. */
static void remove_tap(struct tap *t)
{
	mutex_lock(&taps_lock);
	WRITE_ONCE(taps[t->cam->index], NULL);
	if (!--tap_count)
		unregister_trace_vb2_dqbuf(tap_probe, NULL);
	mutex_unlock(&taps_lock);
	tracepoint_synchronize_unregister();
	wait_event(taps_wait, !atomic_read(&t->pending));
}

static void stop_tap(struct sluice_camera *cam)
{
	struct tap *t = cam->source;

	if (!t)
		return;
	remove_tap(t);
	sluice_stage_free(t->stage);
	settle_lost(t);
	cam->source = NULL;
	kfree(t);
}

/* The queue, from the driver, from an idle camera, or from what the application does. */
static int find_queue(struct tap *t, struct netlink_ext_ack *extack)
{
	struct sluice_video *v = &t->cam->video;
	int rc = sluice_video_learn_queue(v);

	if (!rc && v->queue->lock) {
		/* Pairs with the acquire in the probe. */
		smp_store_release(&t->queue, v->queue);
		return 0;
	}
	if (!rc) {
		NL_SET_ERR_MSG_MOD(extack, "the driver's queue has no lock: it cannot be tapped");
		return -EOPNOTSUPP;
	}
	if (rc != -EBUSY) {
		NL_SET_ERR_MSG_MOD(extack, "the camera's buffer queue cannot be found");
		return rc;
	}
	rc = wait_event_interruptible_timeout(taps_wait, READ_ONCE(t->queue),
					      msecs_to_jiffies(LEARN_MS));
	if (rc > 0)
		return 0;
	if (!rc)
		NL_SET_ERR_MSG_MOD(
			extack,
			"the camera is streaming already: attach before the application starts");
	return rc ? rc : -EBUSY;
}

static int start_tap(struct sluice_camera *cam, struct file *user, struct netlink_ext_ack *extack)
{
	struct tap *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int rc;

	if (!t)
		return -ENOMEM;
	t->cam = cam;
	raw_spin_lock_init(&t->lost_lock);
	t->stage = sluice_stage_create(cam, cam->flow.format.size);
	if (!t->stage) {
		kfree(t);
		NL_SET_ERR_MSG_MOD(extack, "no memory for two frames of the tapped camera");
		return -ENOMEM;
	}
	rc = add_tap(t);
	if (rc) {
		sluice_stage_free(t->stage);
		kfree(t);
		NL_SET_ERR_MSG_MOD(extack, "the kernel's vb2_dqbuf tracepoint cannot be used");
		return rc;
	}
	cam->source = t;
	rc = find_queue(t, extack);
	if (rc)
		stop_tap(cam);
	return rc;
}

/* The application has switched its camera on. */
static bool tap_streams(struct sluice_camera *cam)
{
	struct tap *t = cam->source;

	bool streams = vb2_is_streaming(t->queue);

	settle_lost(t);
	/* The stream's end comes behind its last frame. */
	if (!streams)
		sluice_stage_flush(t->stage);
	return streams;
}

const struct sluice_source_ops sluice_tap_source = {
	.start = start_tap,
	.stop = stop_tap,
	.streaming = tap_streams,
};

void sluice_tap_exit(void)
{
	synchronize_rcu_tasks();
}
