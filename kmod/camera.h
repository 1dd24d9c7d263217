/* SPDX-License-Identifier: GPL-2.0 */
/*
 * camera.h - one attached camera: who it is, its ring, its frame path, its source of frames.
 *
 * References: the table holds one from attach to detach, every open file of the device node one,
 * every netlink request in progress one. The source (tap or capture) and the watch work hold none:
 * they are stopped before the table's reference goes.
 */
#ifndef SLUICE_CAMERA_H
#define SLUICE_CAMERA_H

#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <sluice/control.h>
#include "event.h"
#include "frame.h"
#include "latency.h"
#include "store.h"
#include "video.h"

#define SLUICE_ARENA_DEFAULT (32u << 20)

/* What an attach asks for. The pointers are the caller's and are copied. */
struct sluice_attach {
	struct file *user; /* open video node */
	u32 mode;	   /* enum sluice_mode */
	const char *name;  /* NULL: "camN" */
	u64 arena;
	struct sluice_settings settings;
	const u8 *privacy; /* NULL: none */
	u32 privacy_size;
	const u8 *thresholds; /* NULL: none */
	u32 thresholds_size;
};

/* The frame path of a camera and all that decides about frames. Owned by the camera's lock. */
struct sluice_flow {
	struct sluice_settings settings;
	struct sluice_format format; /* as the driver says; picture is what the path was made for */
	struct sluice_picture picture;
	struct sluice_ledger ledger;
	struct sluice_path *path;
	void *path_mem;
	u8 *privacy;	 /* bitmap for the picture's grid, or NULL */
	u8 *thresholds;	 /* a byte a cell of it, or NULL */
	u32 interval_us; /* nominal; 0: not known */
	u32 refused;	 /* fourcc of a stream that was refused; 0: none */
	u32 state;	 /* SLUICE_STATE_*, without those of the path */
	u64 epoch;	 /* of the newest verdict */
	u64 last_ns;	 /* CLOCK_MONOTONIC of the last frame or start */
	u32 last_sequence;
	bool audible; /* events are announced: from the end of attach on */
};

struct sluice_camera;

/* A source of frames. All are called in task context, without the camera's lock. */
struct sluice_source_ops {
	/* Begin; cam->video is open and the flow ready. Fails with an extack text. */
	int (*start)(struct sluice_camera *cam, struct file *user, struct netlink_ext_ack *extack);
	/* End: when it returns no context uses the camera any more. Harmless when not started. */
	void (*stop)(struct sluice_camera *cam);
	/* Frames are expected now. */
	bool (*streaming)(struct sluice_camera *cam);
};

extern const struct sluice_source_ops sluice_tap_source;
extern const struct sluice_source_ops sluice_capture_source;

struct sluice_camera {
	struct kref kref;
	u32 index; /* N of /dev/sluiceN */
	u32 mode;
	u32 video_number; /* N of /dev/videoN */
	dev_t node_id;	  /* of /dev/videoN */
	char name[SLUICE_CAMERA_NAME_SIZE];
	char node[16];
	bool live; /* may be found; under the table's lock */

	struct sluice_video video;
	const struct sluice_source_ops *ops;
	struct mutex source_lock; /* from attach to the end: start, stop, watch are one at a time */
	void *source;		  /* the source's own state; NULL: not started, or ended */
	bool failed;		  /* the source met an error that ends it; WRITE_ONCE */
	struct delayed_work watch; /* stalls, idle streams, failed sources */

	struct sluice_store store;
	wait_queue_head_t readers; /* poll() */
	struct miscdevice misc;

	struct mutex lock; /* below: flow, latency, reader */
	struct sluice_flow flow;
	struct sluice_latency latency;
	bool reader; /* the write side of the ring is taken */

	struct dentry *debugfs;
};

/* camera.c: lifecycle and table */

/*
 * Attach a camera. Returns it with a reference for the caller, or an ERR_PTR with an extack text:
 * -ENOTTY no capture node, -EACCES, -EOPNOTSUPP format or driver unknown, -EBUSY streamed by
 * somebody else, -EEXIST attached already or name taken, -ENFILE 16 attached, -EINVAL, -ENOMEM.
 */
struct sluice_camera *sluice_camera_attach(const struct sluice_attach *a,
					   struct netlink_ext_ack *extack);

/* Detach a camera. Returns 0, or -ENODEV if somebody else was faster. The caller keeps his ref. */
int sluice_camera_detach(struct sluice_camera *cam);

/* The camera with that index, with a reference; NULL if there is none. */
struct sluice_camera *sluice_camera_get(u32 index);
/* The same by name. */
struct sluice_camera *sluice_camera_find(const char *name);
void sluice_camera_put(struct sluice_camera *cam);

/* Changes whenever a camera comes or goes: netlink dumps tell their reader. */
u32 sluice_camera_generation(void);

/* The source cannot go on (unplugged, driver error): the watch work ends it. Any context. */
void sluice_camera_fail(struct sluice_camera *cam);

/* Detach all. After it no work, probe or thread of ours exists. */
void sluice_camera_exit(void);

/* flow.c: frames, formats, settings */

int sluice_flow_init(struct sluice_camera *cam, const struct sluice_attach *a,
		     const struct sluice_format *format, struct netlink_ext_ack *extack);
void sluice_flow_exit(struct sluice_camera *cam);

/*
 * The format that the stream has now; cheap if it has not changed. Returns 0, or -EOPNOTSUPP: the
 * stream is refused and its frames must not be given (event REFUSED was posted once).
 */
int sluice_flow_format(struct sluice_camera *cam, const struct sluice_format *format);

/* Post REFUSED: the stream's memory cannot be read. */
void sluice_flow_refuse(struct sluice_camera *cam);

/* One frame, or one that was lost (reason LATE). Takes the camera's lock; may sleep. */
void sluice_flow_frame(struct sluice_camera *cam, struct sluice_frame *f);
void sluice_flow_lost(struct sluice_camera *cam, u32 driver_sequence, enum sluice_reason reason);

/* Streams begin and end; a new one is a new epoch. */
void sluice_flow_start(struct sluice_camera *cam);
void sluice_flow_stop(struct sluice_camera *cam, u32 state);

/* Look for a stall. Called twice a second. */
void sluice_flow_watch(struct sluice_camera *cam);

/*
 * change is called under the lock with a copy of the settings; it edits and checks them, or fails
 * and nothing changes. if_version: -ESTALE unless it is NULL or the version in force.
 */
int sluice_flow_settings(struct sluice_camera *cam, const u32 *if_version,
			 int (*change)(struct sluice_settings *s, void *arg), void *arg,
			 struct netlink_ext_ack *extack);

/* New masks; NULL leaves one as it is, an empty one clears it. */
int sluice_flow_masks(struct sluice_camera *cam, const u32 *if_version,
		      const struct sluice_attach *a, struct netlink_ext_ack *extack);

void sluice_flow_snapshot(struct sluice_camera *cam);

/* Printable form of a fourcc. */
void sluice_flow_fourcc(u32 fourcc, char text[5]);

/* Post an event of this camera. The camera's lock is held. */
void sluice_flow_event(struct sluice_camera *cam, enum sluice_event event, u64 time_ns);

/* chardev.c */
int sluice_chardev_add(struct sluice_camera *cam);
void sluice_chardev_remove(struct sluice_camera *cam);

/* control.c */
int sluice_control_init(void);
void sluice_control_exit(void);

/* tap.c: after the last tap, waits until no probe or task work is left in the module's text. */
void sluice_tap_exit(void);

#endif
