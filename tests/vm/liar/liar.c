// SPDX-License-Identifier: GPL-2.0
/*
 * liar.c - a camera driver that misbehaves as it is told, for tests of what the module makes of it.
 * 320x240 YUYV; every 32-bit word of a frame is its number in the order of filling.
 *
 * Writable parameters, each 0 for never, else in every N-th frame:
 *	gap	one of the driver's numbers is left out before it
 *	swap	it is given out after the one that follows it
 *	error	it has the error flag
 *	over	it is said to have three times the bytes of its buffer
 *	zero	it is said to be empty
 *	half	it is half of a picture
 * silent: as long as it is 1 no frame comes. period_ms: time from frame to frame. At load, memory:
 *0 vmalloc, 1 dma-sg.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <media/v4l2-device.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>

#define WIDTH  320
#define HEIGHT 240
#define BYTES  (WIDTH * HEIGHT * 2)

static unsigned int gap, swap, error, over, zero, half, silent, period_ms = 20, memory;
module_param(gap, uint, 0644);
module_param(swap, uint, 0644);
module_param(error, uint, 0644);
module_param(over, uint, 0644);
module_param(zero, uint, 0644);
module_param(half, uint, 0644);
module_param(silent, uint, 0644);
module_param(period_ms, uint, 0644);
module_param(memory, uint, 0444);

struct liar_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head list;
};

static struct liar {
	struct platform_device *pdev;
	struct v4l2_device v4l2;
	struct video_device vdev;
	struct vb2_queue queue;
	struct mutex lock;
	spinlock_t list_lock;
	struct list_head buffers;
	struct task_struct *thread;
	u32 number, sequence;
} liar;

static bool now_and_then(unsigned int every, u32 n)
{
	return every && n % every == every - 1;
}

static struct liar_buffer *next_buffer(void)
{
	struct liar_buffer *b;

	spin_lock(&liar.list_lock);
	b = list_first_entry_or_null(&liar.buffers, struct liar_buffer, list);
	if (b)
		list_del(&b->list);
	spin_unlock(&liar.list_lock);
	return b;
}

static void fill_buffer(struct liar_buffer *b)
{
	struct vb2_buffer *vb = &b->vb.vb2_buf;
	u32 n = liar.number++, *at = vb2_plane_vaddr(vb, 0);
	size_t i;

	if (now_and_then(gap, n))
		liar.sequence++;
	for (i = 0; at && i < BYTES / 4; i++)
		at[i] = n;
	b->vb.sequence = liar.sequence++;
	b->vb.field = V4L2_FIELD_NONE;
	vb->timestamp = ktime_get_ns();
	vb->planes[0].bytesused = now_and_then(over, n)	  ? 3 * BYTES
				  : now_and_then(zero, n) ? 0
				  : now_and_then(half, n) ? BYTES / 2
							  : BYTES;
}

static void give_out(struct liar_buffer *b, bool bad)
{
	vb2_buffer_done(&b->vb.vb2_buf, bad ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
}

static int run_camera(void *arg)
{
	struct liar_buffer *held = NULL;

	while (!kthread_should_stop()) {
		struct liar_buffer *b = silent ? NULL : next_buffer();
		u32 n = liar.number;

		if (b) {
			fill_buffer(b);
			if (!held && now_and_then(swap, n)) {
				held = b;
				continue;
			}
			give_out(b, now_and_then(error, n));
		}
		if (held && b)
			give_out(held, false);
		if (b)
			held = NULL;
		msleep(period_ms);
	}
	if (held)
		give_out(held, true);
	return 0;
}

static int setup_queue(struct vb2_queue *q, unsigned int *count, unsigned int *planes,
		       unsigned int sizes[], struct device *devs[])
{
	*planes = 1;
	sizes[0] = BYTES;
	return 0;
}

static void queue_buffer(struct vb2_buffer *vb)
{
	struct liar_buffer *b = container_of(to_vb2_v4l2_buffer(vb), struct liar_buffer, vb);

	spin_lock(&liar.list_lock);
	list_add_tail(&b->list, &liar.buffers);
	spin_unlock(&liar.list_lock);
}

static void return_buffers(enum vb2_buffer_state state)
{
	struct liar_buffer *b;

	while ((b = next_buffer()))
		vb2_buffer_done(&b->vb.vb2_buf, state);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	liar.number = 0;
	liar.sequence = 0;
	liar.thread = kthread_run(run_camera, NULL, "liar");
	if (!IS_ERR(liar.thread))
		return 0;
	return_buffers(VB2_BUF_STATE_QUEUED);
	return PTR_ERR(liar.thread);
}

static void stop_streaming(struct vb2_queue *q)
{
	kthread_stop(liar.thread);
	return_buffers(VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = setup_queue,
	.buf_queue = queue_buffer,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
#endif
};

static int tell_caps(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, "liar", sizeof(cap->driver));
	strscpy(cap->card, "liar", sizeof(cap->card));
	return 0;
}

static int list_formats(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	f->pixelformat = V4L2_PIX_FMT_YUYV;
	return f->index ? -EINVAL : 0;
}

static int tell_format(struct file *file, void *fh, struct v4l2_format *f)
{
	f->fmt.pix.width = WIDTH;
	f->fmt.pix.height = HEIGHT;
	f->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	f->fmt.pix.field = V4L2_FIELD_NONE;
	f->fmt.pix.bytesperline = WIDTH * 2;
	f->fmt.pix.sizeimage = BYTES;
	f->fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
	return 0;
}

static const struct v4l2_ioctl_ops ioctl_ops = {
	.vidioc_querycap = tell_caps,
	.vidioc_enum_fmt_vid_cap = list_formats,
	.vidioc_g_fmt_vid_cap = tell_format,
	.vidioc_s_fmt_vid_cap = tell_format,
	.vidioc_try_fmt_vid_cap = tell_format,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
};

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.mmap = vb2_fop_mmap,
	.poll = vb2_fop_poll,
	.unlocked_ioctl = video_ioctl2,
};

static int make_queue(struct vb2_queue *q)
{
	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	q->buf_struct_size = sizeof(struct liar_buffer);
	q->ops = &queue_ops;
	q->mem_ops = memory ? &vb2_dma_sg_memops : &vb2_vmalloc_memops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = &liar.lock;
	q->dev = &liar.pdev->dev;
	return vb2_queue_init(q);
}

static int __init liar_init(void)
{
	int rc;

	mutex_init(&liar.lock);
	spin_lock_init(&liar.list_lock);
	INIT_LIST_HEAD(&liar.buffers);
	liar.pdev = platform_device_register_simple("liar", -1, NULL, 0);
	if (IS_ERR(liar.pdev))
		return PTR_ERR(liar.pdev);
	rc = dma_coerce_mask_and_coherent(&liar.pdev->dev, DMA_BIT_MASK(64));
	if (rc)
		goto unplug;
	strscpy(liar.v4l2.name, "liar", sizeof(liar.v4l2.name));
	rc = v4l2_device_register(&liar.pdev->dev, &liar.v4l2);
	if (rc)
		goto unplug;
	rc = make_queue(&liar.queue);
	if (rc)
		goto unregister;
	strscpy(liar.vdev.name, "liar", sizeof(liar.vdev.name));
	liar.vdev.v4l2_dev = &liar.v4l2;
	liar.vdev.queue = &liar.queue;
	liar.vdev.lock = &liar.lock;
	liar.vdev.fops = &file_ops;
	liar.vdev.ioctl_ops = &ioctl_ops;
	liar.vdev.release = video_device_release_empty;
	liar.vdev.device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	rc = video_register_device(&liar.vdev, VFL_TYPE_VIDEO, -1);
	if (!rc)
		return 0;
unregister:
	v4l2_device_unregister(&liar.v4l2);
unplug:
	platform_device_unregister(liar.pdev);
	return rc;
}

static void __exit liar_exit(void)
{
	vb2_video_unregister_device(&liar.vdev);
	v4l2_device_unregister(&liar.v4l2);
	platform_device_unregister(liar.pdev);
}

module_init(liar_init);
module_exit(liar_exit);

MODULE_DESCRIPTION("A camera driver that misbehaves as it is told");
MODULE_LICENSE("GPL");
