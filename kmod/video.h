/* SPDX-License-Identifier: GPL-2.0 */
/* video.h - one V4L2 capture node, driven from inside the kernel as a process would drive it. */
#ifndef SLUICE_VIDEO_H
#define SLUICE_VIDEO_H

#include <linux/fs.h>
#include <linux/netlink.h>
#include <media/v4l2-dev.h>
#include <media/videobuf2-v4l2.h>
#include "frame.h"

/* What a driver says of its pictures. */
struct sluice_format {
	u32 fourcc, width, height, field;
	u32 size;      /* bytes of the first plane's buffer */
	u32 stride[3]; /* bytes per line of each plane that has memory of its own, else 0 */
};

struct sluice_video {
	struct file *file;	   /* ours alone: no process can reach it */
	struct video_device *vdev; /* lives as long as file */
	struct vb2_queue *queue;   /* NULL until it is known; lives as long as file */
	u32 type;		   /* V4L2_BUF_TYPE_VIDEO_CAPTURE, or _MPLANE */
	char card[32];
};

/*
 * Open a second file of the node that a process has open as user. write: it must be open for
 * writing and the driver must let processes stream from it. Every refusal has an extack text.
 * Returns 0, -ENOTTY (no capture node), -EACCES, -EOPNOTSUPP, -ENODEV, or what open said.
 */
int sluice_video_open(struct sluice_video *v, struct file *user, bool write,
		      struct netlink_ext_ack *extack);

/* Let go of the node. Closed and half-open ones are fine. */
void sluice_video_close(struct sluice_video *v);

/* False once the camera was unplugged. Any context. */
bool sluice_video_alive(const struct sluice_video *v);

/* The format now set. Returns 0 or what the driver said. May sleep; no queue lock may be held. */
int sluice_video_format(struct sluice_video *v, struct sluice_format *format);

/* Nominal frame interval in us, 0 if the driver does not say. */
u32 sluice_video_interval_us(struct sluice_video *v);

/*
 * Find the node's queue, with a buffer asked for and given back if need be. Returns 0, -EBUSY
 * (somebody streams), or what the driver said.
 */
int sluice_video_learn_queue(struct sluice_video *v);

/* The buffer operations of V4L2, with MMAP buffers, on our file; locked as the V4L2 core would. */
int sluice_video_request_buffers(struct sluice_video *v, struct file *file, u32 *count);
int sluice_video_queue(struct sluice_video *v, u32 index);
int sluice_video_dequeue(struct sluice_video *v, struct v4l2_buffer *b);
int sluice_video_stream(struct sluice_video *v, bool on);

/*
 * Point f at the planes of a buffer that was dequeued; what it says of their lengths is not
 * believed. f->data is NULL if the kernel cannot read the memory, or not without disturbing who
 * shares it: only what the driver itself maps for the CPU (vmalloc buffers of any kind) and its own
 * MMAP buffers, if they were synchronised, are read. The queue's lock is held; may sleep.
 */
void sluice_video_planes(struct vb2_buffer *vb, struct sluice_frame *f);

/*
 * The time of a buffer on CLOCK_MONOTONIC: the driver's, if it is on that clock and within a
 * second ahead or a minute behind of now; else now.
 */
u64 sluice_video_time(const struct vb2_queue *q, u64 timestamp);

#endif
