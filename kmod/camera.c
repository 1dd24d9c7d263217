// SPDX-License-Identifier: GPL-2.0
/*
 * camera.c - the table of cameras, and how one comes and goes.
 *
 * Attach: take a slot (index, name and video node are ours from here on, but nobody finds us) ->
 * open the node -> make flow and ring for the format that is set -> start the source -> make the
 * device node -> live. Each step undone in reverse on failure; nothing half-made is visible.
 *
 * Detach, in phases: out of the table (no request finds it; those in progress have references) ->
 * the watch work ends -> the source ends (no probe, task work or thread is left) -> the flow ends
 * (what waits in the pre-roll is settled, state ENDED, sleepers woken) -> the node vanishes -> the
 * table's reference goes. A reader that has the ring open keeps it, and the memory, until he
 * closes; his slot is free for another camera at once, and cameras and such left rings together are
 * at most SLUICE_CAMERA_MAX.
 *
 * The camera goes (unplugged, or its driver gives up): the watch work ends the source, closes the
 * video node, so that the driver can be removed, and leaves the camera attached in state GONE until
 * somebody detaches it. It never restarts by itself.
 *
 * Locks: slots_lock, then nothing; cam->source_lock, then a queue's lock, then cam->lock. Attach
 * and detach sleep long (USB) and hold neither the first nor the last meanwhile.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "camera.h"
#include "compat.h"
#include "debugfs.h"
#include "stage.h"

#define WATCH_MS  500
#define PATH_FREE (224u << 10) /* of a path that fits into the 256 KiB beside the ring */

static struct sluice_camera *slots[SLUICE_CAMERA_MAX];
static DEFINE_MUTEX(slots_lock);
static u32 generation;			  /* of slots, for dumps */
static atomic_t cameras = ATOMIC_INIT(0); /* with rings that only a reader keeps */

static void release_camera(struct kref *kref)
{
	struct sluice_camera *cam = container_of(kref, struct sluice_camera, kref);

	sluice_flow_exit(cam);
	sluice_store_exit(&cam->store);
	sluice_video_close(&cam->video);
	kfree(cam);
	atomic_dec(&cameras);
}

void sluice_camera_put(struct sluice_camera *cam)
{
	if (cam)
		kref_put(&cam->kref, release_camera);
}

struct sluice_camera *sluice_camera_get(u32 index)
{
	struct sluice_camera *cam = NULL;

	mutex_lock(&slots_lock);
	if (index < SLUICE_CAMERA_MAX && slots[index] && slots[index]->live) {
		cam = slots[index];
		kref_get(&cam->kref);
	}
	mutex_unlock(&slots_lock);
	return cam;
}

struct sluice_camera *sluice_camera_find(const char *name)
{
	struct sluice_camera *cam = NULL;
	u32 i;

	mutex_lock(&slots_lock);
	for (i = 0; i < SLUICE_CAMERA_MAX; i++) {
		if (slots[i] && slots[i]->live && !strcmp(slots[i]->name, name)) {
			cam = slots[i];
			kref_get(&cam->kref);
			break;
		}
	}
	mutex_unlock(&slots_lock);
	return cam;
}

u32 sluice_camera_generation(void)
{
	return READ_ONCE(generation);
}

/* Take a slot for cam, unless its node or name is taken. */
static int take_slot(struct sluice_camera *cam, const char *name, struct netlink_ext_ack *extack)
{
	const dev_t node = cam->video.vdev->dev.devt;
	u32 i, index = SLUICE_CAMERA_MAX;
	int rc = 0;

	mutex_lock(&slots_lock);
	for (i = SLUICE_CAMERA_MAX; i--;) {
		if (!slots[i])
			index = i;
	}
	if (index == SLUICE_CAMERA_MAX) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "%u cameras are attached, more are not possible",
				       SLUICE_CAMERA_MAX);
		rc = -ENFILE;
		goto unlock;
	}
	if (name)
		strscpy(cam->name, name, sizeof(cam->name));
	else
		snprintf(cam->name, sizeof(cam->name), "cam%u", index);
	for (i = 0; i < SLUICE_CAMERA_MAX; i++) {
		if (!slots[i])
			continue;
		if (slots[i]->node_id == node && !(slots[i]->flow.state & SLUICE_STATE_GONE)) {
			NL_SET_ERR_MSG_FMT_MOD(extack, "already attached as camera %u, %s", i,
					       slots[i]->name);
			rc = -EEXIST;
		} else if (!strcmp(slots[i]->name, cam->name)) {
			NL_SET_ERR_MSG_FMT_MOD(extack, "camera %u is called %s already", i,
					       cam->name);
			rc = -EEXIST;
		}
		if (rc)
			goto unlock;
	}
	cam->index = index;
	cam->node_id = node;
	slots[index] = cam;
unlock:
	mutex_unlock(&slots_lock);
	return rc;
}

static void leave_slot(struct sluice_camera *cam)
{
	mutex_lock(&slots_lock);
	slots[cam->index] = NULL;
	WRITE_ONCE(generation, generation + 1);
	mutex_unlock(&slots_lock);
}

/*
 * The source cannot go on. The camera stays attached, without a video node, in state GONE. The
 * source's lock is held.
 */
static void end_source(struct sluice_camera *cam)
{
	cam->ops->stop(cam);
	sluice_latency_end(cam);
	sluice_flow_stop(cam, SLUICE_STATE_GONE);
	sluice_video_close(&cam->video);
	pr_info("sluice: %s: the camera is gone\n", cam->name);
}

/* Returns false when there is nothing more to watch. */
static bool watch_source(struct sluice_camera *cam)
{
	bool was, is;

	if (READ_ONCE(cam->failed) || !sluice_video_alive(&cam->video)) {
		end_source(cam);
		return false;
	}
	is = cam->ops->streaming(cam);
	was = READ_ONCE(cam->flow.state) & SLUICE_STATE_STREAMING;
	if (is && !was)
		sluice_flow_start(cam);
	if (!is && was)
		sluice_flow_stop(cam, 0);
	sluice_flow_watch(cam);
	return true;
}

static void watch_camera(struct work_struct *work)
{
	struct sluice_camera *cam =
		container_of(to_delayed_work(work), struct sluice_camera, watch);
	bool again = false;

	mutex_lock(&cam->source_lock);
	if (cam->source)
		again = watch_source(cam);
	mutex_unlock(&cam->source_lock);
	if (again)
		queue_delayed_work(system_long_wq, &cam->watch, msecs_to_jiffies(WATCH_MS));
}

void sluice_camera_fail(struct sluice_camera *cam)
{
	WRITE_ONCE(cam->failed, true);
	/* Before it is live the watch has not begun: it will see the flag at its first turn. */
	if (READ_ONCE(cam->live))
		mod_delayed_work(system_long_wq, &cam->watch, 0);
}

static struct sluice_camera *create_camera(u32 mode, struct netlink_ext_ack *extack)
{
	struct sluice_camera *cam;

	if (atomic_inc_return(&cameras) > SLUICE_CAMERA_MAX) {
		NL_SET_ERR_MSG_FMT_MOD(
			extack, "%u cameras and rings with a reader exist, more are not possible",
			SLUICE_CAMERA_MAX);
		atomic_dec(&cameras);
		return ERR_PTR(-ENFILE);
	}
	cam = kzalloc(sizeof(*cam), GFP_KERNEL);
	if (!cam) {
		atomic_dec(&cameras);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&cam->kref);
	mutex_init(&cam->lock);
	mutex_init(&cam->source_lock);
	sluice_latency_init(&cam->latency);
	init_waitqueue_head(&cam->readers);
	INIT_DELAYED_WORK(&cam->watch, watch_camera);
	cam->mode = mode;
	cam->ops = mode == SLUICE_MODE_TAP ? &sluice_tap_source : &sluice_capture_source;
	return cam;
}

/*
 * What a camera costs is its arena and at most 256 KiB. A grid of 160x90 and more needs a larger
 * path than that allows; the rest of it is taken out of the arena, and so are the two frames on the
 * stage of a tap, if they are less than an eighth of it. Small rings of taps, and a tapped stream
 * that becomes larger later, go beyond.
 */
static u64 beside_ring(const struct sluice_format *f, const struct sluice_attach *a)
{
	struct sluice_picture p;
	u64 stage = a->mode == SLUICE_MODE_TAP ? (u64)f->size * SLUICE_STAGE_FRAMES : 0;
	size_t path;

	if (stage > a->arena / 8)
		stage = 0;
	if (sluice_picture_planes(&p, f->fourcc, f->width, f->height, f->stride))
		return 0;
	path = sluice_path_size(&p);
	return stage + (path > PATH_FREE ? path - PATH_FREE : 0);
}

/* Ring and flow for the format that the camera has now. */
static int prepare_camera(struct sluice_camera *cam, const struct sluice_attach *a,
			  struct netlink_ext_ack *extack)
{
	struct sluice_format format;
	int rc = sluice_video_format(&cam->video, &format);

	if (rc) {
		NL_SET_ERR_MSG_MOD(extack, "the camera does not tell its format");
		return rc;
	}
	rc = sluice_store_init(&cam->store, a->arena, beside_ring(&format, a), cam->name);
	if (rc) {
		NL_SET_ERR_MSG_MOD(extack, "no memory for the ring, or its size is out of range");
		return rc;
	}
	/* Under a tap the application may change it at any time. */
	if (a->mode == SLUICE_MODE_CAPTURE)
		cam->flow.interval_us = sluice_video_interval_us(&cam->video);
	return sluice_flow_init(cam, a, &format, extack);
}

/* From now on requests find the camera and listeners hear of it. The caller's reference is new. */
static void publish_camera(struct sluice_camera *cam)
{
	mutex_lock(&cam->lock);
	cam->flow.audible = true;
	sluice_flow_event(cam, SLUICE_EVENT_ATTACHED, ktime_get_ns());
	mutex_unlock(&cam->lock);
	mutex_lock(&slots_lock);
	kref_get(&cam->kref);
	WRITE_ONCE(cam->live, true);
	WRITE_ONCE(generation, generation + 1);
	mutex_unlock(&slots_lock);
	queue_delayed_work(system_long_wq, &cam->watch, msecs_to_jiffies(WATCH_MS));
}

struct sluice_camera *sluice_camera_attach(const struct sluice_attach *a,
					   struct netlink_ext_ack *extack)
{
	struct sluice_camera *cam = create_camera(a->mode, extack);
	int rc;

	if (IS_ERR(cam))
		return cam;
	rc = sluice_video_open(&cam->video, a->user, a->mode == SLUICE_MODE_CAPTURE, extack);
	if (rc)
		goto put;
	cam->video_number = cam->video.vdev->num;
	rc = take_slot(cam, a->name, extack);
	if (rc)
		goto put;
	rc = prepare_camera(cam, a, extack);
	if (rc)
		goto leave;
	rc = cam->ops->start(cam, a->user, extack);
	if (rc)
		goto leave;
	rc = sluice_chardev_add(cam);
	if (rc) {
		NL_SET_ERR_MSG_MOD(extack, "the device node cannot be made");
		goto stop;
	}
	sluice_latency_begin(cam, cam->video.queue);
	sluice_debugfs_add(cam);
	publish_camera(cam);
	return cam;
stop:
	cam->ops->stop(cam);
leave:
	leave_slot(cam);
put:
	sluice_camera_put(cam);
	return ERR_PTR(rc);
}

int sluice_camera_detach(struct sluice_camera *cam)
{
	bool won;

	mutex_lock(&slots_lock);
	won = cam->live;
	WRITE_ONCE(cam->live, false);
	mutex_unlock(&slots_lock);
	if (!won)
		return -ENODEV;
	cancel_delayed_work_sync(&cam->watch);
	mutex_lock(&cam->source_lock);
	cam->ops->stop(cam);
	sluice_latency_end(cam);
	sluice_video_close(&cam->video);
	mutex_unlock(&cam->source_lock);
	/* The source may have failed in between, and so have asked for the watch once more. */
	cancel_delayed_work_sync(&cam->watch);
	sluice_flow_stop(cam, SLUICE_STATE_ENDED);
	mutex_lock(&cam->lock);
	sluice_flow_event(cam, SLUICE_EVENT_DETACHED, ktime_get_ns());
	mutex_unlock(&cam->lock);
	sluice_debugfs_remove(cam);
	sluice_chardev_remove(cam);
	leave_slot(cam);
	sluice_camera_put(cam);
	return 0;
}

void sluice_camera_exit(void)
{
	struct sluice_camera *cam;
	u32 i;

	/* No request is left that could attach, and no file is open, else we would not be here. */
	for (i = 0; i < SLUICE_CAMERA_MAX; i++) {
		cam = sluice_camera_get(i);
		if (cam)
			sluice_camera_detach(cam);
		sluice_camera_put(cam);
	}
}
