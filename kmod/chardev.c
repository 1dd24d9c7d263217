// SPDX-License-Identifier: GPL-2.0
/*
 * chardev.c - the device node of a camera's ring, /dev/sluiceN.
 *
 * O_RDWR is the reader: one at a time (-EBUSY for the second), it alone may write the reader's
 * words in the control page. O_RDONLY is an observer: all maps read-only. When the reader goes,
 * whatever way, the ring keeps what he has not released: the next reader begins at the tail that
 * the gate knows, not at what the dead one left in the shared page.
 *
 * poll() says readable once head has passed the reader's wake mark, and POLLHUP after the camera
 * was detached (what is in the ring stays readable). An open file, and a map of the control page,
 * hold the camera and the module; rmmod then says -EBUSY. The node itself vanishes at detach.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include "camera.h"

/* misc_mtx is held: the camera cannot be deregistered meanwhile, so its reference is good. */
static int open_ring(struct inode *inode, struct file *file)
{
	struct sluice_camera *cam = container_of(file->private_data, struct sluice_camera, misc);
	int rc = 0;

	if (!(file->f_mode & FMODE_READ))
		return -EINVAL;
	if (file->f_mode & FMODE_WRITE) {
		mutex_lock(&cam->lock);
		if (cam->reader) {
			rc = -EBUSY;
		} else {
			cam->reader = true;
			sluice_ring_reset_reader(&cam->store.ring);
		}
		mutex_unlock(&cam->lock);
		if (rc)
			return rc;
	}
	kref_get(&cam->kref);
	file->private_data = cam;
	return nonseekable_open(inode, file);
}

/* No map of the control page is left either: it would hold the file. */
static int release_ring(struct inode *inode, struct file *file)
{
	struct sluice_camera *cam = file->private_data;

	if (file->f_mode & FMODE_WRITE) {
		mutex_lock(&cam->lock);
		/* Takes what the reader has released, then forgets his words. */
		sluice_ring_reset_reader(&cam->store.ring);
		cam->reader = false;
		mutex_unlock(&cam->lock);
	}
	sluice_camera_put(cam);
	return 0;
}

static int map_ring(struct file *file, struct vm_area_struct *vma)
{
	struct sluice_camera *cam = file->private_data;

	return sluice_store_mmap(&cam->store, vma, file->f_mode & FMODE_WRITE);
}

static __poll_t poll_ring(struct file *file, poll_table *wait)
{
	struct sluice_camera *cam = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &cam->readers, wait);
	/* Pairs with the barrier before the wake-up: either we see the record or it sees us. */
	smp_mb();
	if (sluice_ring_readable(&cam->store.ring))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(cam->flow.state) & SLUICE_STATE_ENDED)
		mask |= EPOLLHUP;
	return mask;
}

static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,
	.open = open_ring,
	.release = release_ring,
	.mmap = map_ring,
	.poll = poll_ring,
};

int sluice_chardev_add(struct sluice_camera *cam)
{
	snprintf(cam->node, sizeof(cam->node), "sluice%u", cam->index);
	cam->misc.minor = MISC_DYNAMIC_MINOR;
	cam->misc.name = cam->node;
	cam->misc.fops = &ring_fops;
	cam->misc.mode = 0660;
	return misc_register(&cam->misc);
}

void sluice_chardev_remove(struct sluice_camera *cam)
{
	misc_deregister(&cam->misc);
}
