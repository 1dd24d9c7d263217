// SPDX-License-Identifier: GPL-2.0
/*
 * video.c - one V4L2 capture node, driven through vdev->ioctl_ops on a file of our own.
 *
 * A process hands over an open file: that proves its rights to the camera. We open the same node
 * once more and use only the new file, so that the process, which still has its own, cannot stop or
 * free what we stream from. The driver sees one more user with its usual rules: who streams owns
 * the queue, everybody else gets -EBUSY.
 *
 * Each operation is called with the locks that the V4L2 core would take (v4l2_ioctl_get_lock), on
 * zeroed structures, and only while the node is registered. All of this may sleep: task context
 * only. The file pins the node, its queue and the driver's module; after an unplug the owner has to
 * close it, or the driver could never be removed.
 *
 * Queue: vdev->queue where the driver sets it. uvcvideo before 7.x does not: there one buffer is
 * asked for, queued with a probe on vb2_qbuf that looks for our own task, and given back. That
 * needs an idle camera; tap.c knows what to do when it is busy.
 */
#include <linux/major.h>
#include <linux/sched.h>
#include <media/media-device.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-vmalloc.h>
#include <trace/events/vb2.h>
#include "compat.h"
#include "video.h"

/* Lock of the node for one operation; returns what to unlock or NULL, or an error. */
static struct mutex *lock_node(struct sluice_video *v, bool buffers)
{
	struct video_device *vdev = v->vdev;
	struct mutex *lock = vdev->lock;

	if (buffers && vdev->queue && vdev->queue->lock)
		lock = vdev->queue->lock;
	if (lock)
		mutex_lock(lock);
	if (video_is_registered(vdev))
		return lock;
	if (lock)
		mutex_unlock(lock);
	return ERR_PTR(-ENODEV);
}

static void unlock_node(struct mutex *lock)
{
	if (lock)
		mutex_unlock(lock);
}

/* Call ops->vidioc_NAME(file, its private data, arg) under the right lock. */
#define CALL(v, file_, buffers, name, arg)                                                  \
	({                                                                                  \
		const struct v4l2_ioctl_ops *_ops = (v)->vdev->ioctl_ops;                   \
		struct file *_file = (file_);                                               \
		struct mutex *_lock;                                                        \
		int _rc = -ENOTTY;                                                          \
		if (_ops && _ops->vidioc_##name) {                                          \
			_lock = lock_node(v, buffers);                                      \
			_rc = PTR_ERR_OR_ZERO(_lock);                                       \
			if (!_rc) {                                                         \
				_rc = _ops->vidioc_##name(_file, _file->private_data, arg); \
				unlock_node(_lock);                                         \
			}                                                                   \
		}                                                                           \
		_rc;                                                                        \
	})

static int check_node(const struct video_device *vdev, struct netlink_ext_ack *extack)
{
	const struct v4l2_ioctl_ops *ops = vdev->ioctl_ops;
	u32 caps = vdev->device_caps;

	if (vdev->vfl_type != VFL_TYPE_VIDEO || vdev->vfl_dir != VFL_DIR_RX) {
		NL_SET_ERR_MSG_MOD(extack, "not a capture device");
		return -ENOTTY;
	}
	if (!(caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
		NL_SET_ERR_MSG_MOD(extack, "not a capture device");
		return -ENOTTY;
	}
	if (!(caps & V4L2_CAP_STREAMING) || !ops || !ops->vidioc_reqbufs || !ops->vidioc_qbuf ||
	    !ops->vidioc_dqbuf || !ops->vidioc_streamon || !ops->vidioc_streamoff) {
		NL_SET_ERR_MSG_MOD(extack, "the driver of this camera does not stream buffers");
		return -EOPNOTSUPP;
	}
	return 0;
}

int sluice_video_open(struct sluice_video *v, struct file *user, bool write,
		      struct netlink_ext_ack *extack)
{
	struct inode *inode = file_inode(user);
	struct v4l2_capability cap = {};
	struct file *file;
	int rc;

	if (!S_ISCHR(inode->i_mode) || imajor(inode) != VIDEO_MAJOR || !video_devdata(user)) {
		NL_SET_ERR_MSG_MOD(extack, "not a video node");
		return -ENOTTY;
	}
	if (!(user->f_mode & FMODE_READ) || (write && !(user->f_mode & FMODE_WRITE))) {
		NL_SET_ERR_MSG_MOD(extack,
				   "no permission: open the video node for reading and writing");
		return -EACCES;
	}
	rc = check_node(video_devdata(user), extack);
	if (rc)
		return rc;
	/* With no more rights than the file that was handed over. */
	file = dentry_open(&user->f_path,
			   (user->f_mode & FMODE_WRITE ? O_RDWR : O_RDONLY) | O_NONBLOCK,
			   current_cred());
	if (IS_ERR(file)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the driver does not let the camera be opened once more");
		return PTR_ERR(file);
	}
	v->file = file;
	v->vdev = video_devdata(file);
	v->queue = v->vdev->queue;
	v->type = v->vdev->device_caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE
			  ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
			  : V4L2_BUF_TYPE_VIDEO_CAPTURE;
	strscpy(v->card, v->vdev->name, sizeof(v->card));
	if (!CALL(v, file, false, querycap, &cap))
		strscpy(v->card, cap.card, sizeof(v->card));
	if (video_is_registered(v->vdev))
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the camera is gone");
	sluice_video_close(v);
	return -ENODEV;
}

void sluice_video_close(struct sluice_video *v)
{
	if (v->file)
		fput(v->file);
	v->file = NULL;
	v->vdev = NULL;
	v->queue = NULL;
}

bool sluice_video_alive(const struct sluice_video *v)
{
	return v->vdev && video_is_registered(v->vdev);
}

/* Of a multi-planar queue; a format with more planes than any known one has is left to its name. */
static void take_format_mplane(struct sluice_format *format,
			       const struct v4l2_pix_format_mplane *pix)
{
	u32 i;

	format->fourcc = pix->pixelformat;
	format->width = pix->width;
	format->height = pix->height;
	format->field = pix->field;
	format->size = pix->plane_fmt[0].sizeimage;
	for (i = 0; i < pix->num_planes && i < ARRAY_SIZE(format->stride); i++)
		format->stride[i] = pix->plane_fmt[i].bytesperline;
}

int sluice_video_format(struct sluice_video *v, struct sluice_format *format)
{
	struct v4l2_format f = { .type = v->type };
	int rc;

	memset(format, 0, sizeof(*format));
	if (v->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
		rc = CALL(v, v->file, false, g_fmt_vid_cap_mplane, &f);
		if (!rc)
			take_format_mplane(format, &f.fmt.pix_mp);
		return rc;
	}
	rc = CALL(v, v->file, false, g_fmt_vid_cap, &f);
	format->fourcc = f.fmt.pix.pixelformat;
	format->width = f.fmt.pix.width;
	format->height = f.fmt.pix.height;
	format->field = f.fmt.pix.field;
	format->size = f.fmt.pix.sizeimage;
	format->stride[0] = f.fmt.pix.bytesperline;
	return rc;
}

u32 sluice_video_interval_us(struct sluice_video *v)
{
	struct v4l2_streamparm parm = { .type = v->type };
	const struct v4l2_fract *t = &parm.parm.capture.timeperframe;

	if (CALL(v, v->file, false, g_parm, &parm) || !t->denominator)
		return 0;
	return min_t(u64, div_u64((u64)t->numerator * USEC_PER_SEC, t->denominator), U32_MAX);
}

int sluice_video_request_buffers(struct sluice_video *v, struct file *file, u32 *count)
{
	struct v4l2_requestbuffers rb = {
		.count = *count,
		.type = v->type,
		.memory = V4L2_MEMORY_MMAP,
	};
	int rc;

	if (test_bit(V4L2_FL_USES_V4L2_FH, &v->vdev->flags)) {
		struct v4l2_fh *fh = file->private_data;

		rc = v4l2_prio_check(v->vdev->prio, fh->prio);
		if (rc)
			return rc;
	}
	rc = CALL(v, file, true, reqbufs, &rb);
	*count = rb.count;
	return rc;
}

/* A multi-planar buffer comes with an array of planes. */
static void hand_planes(const struct sluice_video *v, struct v4l2_buffer *b,
			struct v4l2_plane *planes)
{
	if (v->type != V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE)
		return;
	b->m.planes = planes;
	b->length = VIDEO_MAX_PLANES;
}

int sluice_video_queue(struct sluice_video *v, u32 index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {};
	struct v4l2_buffer b = {
		.index = index,
		.type = v->type,
		.memory = V4L2_MEMORY_MMAP,
	};

	hand_planes(v, &b, planes);
	return CALL(v, v->file, true, qbuf, &b);
}

int sluice_video_dequeue(struct sluice_video *v, struct v4l2_buffer *b)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = {};
	int rc;

	memset(b, 0, sizeof(*b));
	b->type = v->type;
	b->memory = V4L2_MEMORY_MMAP;
	hand_planes(v, b, planes);
	rc = CALL(v, v->file, true, dqbuf, b);
	b->m.planes = NULL; /* who wants to know asks the buffer: sluice_video_planes() */
	return rc;
}

int sluice_video_stream(struct sluice_video *v, bool on)
{
	struct v4l2_device *dev = v->vdev->v4l2_dev;
	struct mutex *requests = NULL;
	int rc;

	/* As the core does: not while a media request is being queued. */
	if (v4l2_device_supports_requests(dev))
		requests = &dev->mdev->req_queue_mutex;
	if (requests)
		mutex_lock(requests);
	if (on)
		rc = CALL(v, v->file, true, streamon, v->type);
	else
		rc = CALL(v, v->file, true, streamoff, v->type);
	if (requests)
		mutex_unlock(requests);
	return rc;
}

struct learner {
	struct task_struct *task;
	struct vb2_queue *queue;
};

/* Probe of vb2_qbuf. Context: task, possibly without preemption; only compares and stores. */
static void learn_queue(void *data, struct vb2_queue *q, struct vb2_buffer *vb)
{
	struct learner *l = data;

	if (current == l->task)
		l->queue = q;
}

int sluice_video_learn_queue(struct sluice_video *v)
{
	struct learner l = { .task = current };
	u32 count = 1, none = 0;
	int rc;

	if (v->queue)
		return 0;
	rc = sluice_video_request_buffers(v, v->file, &count);
	if (rc)
		return rc;
	rc = register_trace_vb2_qbuf(learn_queue, &l);
	if (!rc) {
		rc = sluice_video_queue(v, 0);
		unregister_trace_vb2_qbuf(learn_queue, &l);
		tracepoint_synchronize_unregister();
	}
	sluice_video_request_buffers(v, v->file, &none);
	if (rc)
		return rc;
	if (!l.queue || l.queue->type != v->type)
		return -EOPNOTSUPP;
	v->queue = l.queue;
	return 0;
}

/* Does the CPU see what the driver wrote, without anybody else's help? */
static bool memory_readable(const struct vb2_buffer *vb)
{
	/* The driver's CPU wrote it, through this very mapping. */
	if (vb->vb2_queue->mem_ops == &vb2_vmalloc_memops)
		return true;
	/*
	 * A device wrote it. Memory of the queue's own was synchronised when the buffer was done,
	 * unless the application has asked to leave that out. USERPTR pages have no mapping here,
	 * and a DMABUF belongs to an exporter, who would have to be asked, as the application does.
	 */
	return vb->memory == VB2_MEMORY_MMAP && !vb->skip_cache_sync_on_finish;
}

/* Bytes of plane i; returns NULL if it has no mapping. */
static const void *read_plane(struct vb2_buffer *vb, u32 i, size_t *len)
{
	const u8 *at = vb2_plane_vaddr(vb, i);
	size_t used = min(vb2_get_plane_payload(vb, i), vb2_plane_size(vb, i));
	size_t offset = min_t(size_t, vb->planes[i].data_offset, used);

	*len = used - offset;
	return at ? at + offset : NULL;
}

void sluice_video_planes(struct vb2_buffer *vb, struct sluice_frame *f)
{
	u32 i;

	f->data = NULL;
	if (!memory_readable(vb))
		return;
	f->data = read_plane(vb, 0, &f->len);
	for (i = 1; f->data && i < vb->num_planes && i <= ARRAY_SIZE(f->chroma); i++) {
		f->chroma[i - 1] = read_plane(vb, i, &f->chroma_len[i - 1]);
		if (!f->chroma[i - 1])
			f->data = NULL;
	}
}

u64 sluice_video_time(const struct vb2_queue *q, u64 timestamp)
{
	u32 clock = q->timestamp_flags & V4L2_BUF_FLAG_TIMESTAMP_MASK;
	u64 now = ktime_get_ns();

	if (clock != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC || !timestamp ||
	    timestamp > now + NSEC_PER_SEC || timestamp + 60 * NSEC_PER_SEC < now)
		return now;
	return timestamp;
}
