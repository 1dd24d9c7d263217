// SPDX-License-Identifier: GPL-2.0
/*
 * flow.c - the way of a camera's frames from its source to the ring, under the camera's lock.
 *
 * A source gives the stream's format, then each frame or the word that one was lost. The path
 * (frame.c) counts, decides, copies and publishes; its callbacks become tracepoints, wake-ups and
 * events here. Context: tasks only, the copy takes its time; the lock is never taken in a probe.
 *
 * Another format in mid-stream ends the path (what waits in the pre-roll is settled, the epoch is
 * over) and makes a new one. A format that Sluice does not know, fields that alternate, or MJPEG
 * while a privacy mask is set: the stream is refused, event REFUSED names the format, frames are
 * neither counted nor looked at until the format is a known one again; the ring stays readable.
 * No memory for a new path: its frames are counted as LATE.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "camera.h"
#include "compat.h"
#include "trace.h"
#include "tune.h"

static void on_verdict(void *ctx, u64 epoch, u64 sequence, u64 time_ns, u32 score,
		       enum sluice_reason reason)
{
	struct sluice_camera *cam = ctx;

	cam->flow.epoch = max(cam->flow.epoch, epoch);
	trace_sluice_verdict(cam->index, epoch, sequence, time_ns, score, reason);
	if (reason >= SLUICE_REASON_OVERRUN)
		trace_sluice_lost(cam->index, epoch, sequence, reason);
}

static void on_published(void *ctx, const struct sluice_ring_desc *d, bool wake)
{
	struct sluice_camera *cam = ctx;

	trace_sluice_commit(cam->index, d, wake);
	sluice_latency_publish(&cam->latency, d);
	if (!wake)
		return;
	/* wq_has_sleeper() has the barrier that pairs with the one in poll. */
	if (wq_has_sleeper(&cam->readers))
		wake_up_interruptible_poll(&cam->readers, EPOLLIN | EPOLLRDNORM);
}

void sluice_flow_event(struct sluice_camera *cam, enum sluice_event event, u64 time_ns)
{
	const struct sluice_flow *flow = &cam->flow;
	struct sluice_event_note n = {
		.time_ns = time_ns,
		.epoch = flow->epoch,
		.camera = cam->index,
		.event = event,
		.format = flow->refused ? flow->refused : flow->picture.fourcc,
	};

	if (!flow->audible)
		return;
	strscpy(n.name, cam->name, sizeof(n.name));
	sluice_event_post(&n);
}

static void on_note(void *ctx, enum sluice_frame_note note, u64 time_ns)
{
	static const u8 event[] = {
		[SLUICE_NOTE_OPEN] = SLUICE_EVENT_MOTION_START,
		[SLUICE_NOTE_CLOSE] = SLUICE_EVENT_MOTION_END,
		[SLUICE_NOTE_SCENE] = SLUICE_EVENT_SCENE_CHANGE,
		[SLUICE_NOTE_OVERRUN] = SLUICE_EVENT_OVERRUN,
		[SLUICE_NOTE_COVERED] = SLUICE_EVENT_COVERED,
		[SLUICE_NOTE_DEFOCUSED] = SLUICE_EVENT_DEFOCUSED,
		[SLUICE_NOTE_TURNED] = SLUICE_EVENT_TURNED,
		[SLUICE_NOTE_CLEAR] = SLUICE_EVENT_CLEAR,
	};

	sluice_flow_event(ctx, event[note], time_ns);
}

static const struct sluice_frame_ops flow_ops = {
	.verdict = on_verdict,
	.published = on_published,
	.note = on_note,
};

/* Set and clear state bits, in kernel memory and in the control page. */
static void change_state(struct sluice_camera *cam, u32 set, u32 clear)
{
	struct sluice_flow *flow = &cam->flow;

	WRITE_ONCE(flow->state, (flow->state & ~clear) | set);
	if (flow->path)
		sluice_path_mirror(flow->path, set, clear);
}

/* Replace the path by one for picture p. On failure the old one stays. */
static int make_path(struct sluice_camera *cam, const struct sluice_picture *p)
{
	struct sluice_flow *flow = &cam->flow;
	struct sluice_path_config config = {
		.picture = &flow->picture,
		.settings = &flow->settings,
		.ring = &cam->store.ring,
		.ledger = &flow->ledger,
		.ops = &flow_ops,
		.ctx = cam,
		.seed = get_random_u32(),
	};
	/* Not kmalloc: it would round up to a power of two. */
	void *mem = vzalloc(sluice_path_size(p));
	int rc;

	if (!mem)
		return -ENOMEM;
	rc = sluice_tune_scale(flow, p);
	if (rc) {
		vfree(mem);
		return rc;
	}
	if (flow->path)
		sluice_path_end(flow->path);
	vfree(flow->path_mem);
	flow->picture = *p;
	flow->path_mem = mem;
	config.epoch_floor = flow->epoch;
	flow->path = sluice_path_init(mem, &config);
	sluice_path_privacy(flow->path, flow->privacy);
	sluice_path_threshold_map(flow->path, flow->thresholds);
	WRITE_ONCE(cam->store.ring.ctrl->interval_us, flow->interval_us);
	sluice_path_mirror(flow->path, flow->state, 0);
	return 0;
}

void sluice_flow_fourcc(u32 fourcc, char text[5])
{
	int i;

	for (i = 0; i < 4; i++, fourcc >>= 8)
		text[i] = (fourcc & 0xff) > ' ' && (fourcc & 0xff) < 0x7f ? fourcc & 0xff : '.';
	text[4] = '\0';
}

/* Can frames of this format be let through? */
static int check_format(const struct sluice_flow *flow, const struct sluice_format *f,
			struct sluice_picture *p, struct netlink_ext_ack *extack)
{
	char name[5];
	int rc = sluice_picture_planes(p, f->fourcc, f->width, f->height, f->stride);

	sluice_flow_fourcc(f->fourcc, name);
	if (rc == -EOPNOTSUPP) {
		NL_SET_ERR_MSG_FMT_MOD(
			extack, "pixel format %s is not supported; set YUYV, MJPG, NV12 or GREY",
			name);
	} else if (rc) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s of %ux%u is outside of 16x16 to 4096x4096", name,
				       f->width, f->height);
	} else if (f->field == V4L2_FIELD_ALTERNATE) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "alternating fields are not supported");
		rc = -EOPNOTSUPP;
	} else if (flow->privacy && !p->stride) {
		NL_SET_ERR_MSG_FMT_MOD(
			extack, "a privacy mask needs a raw format, the camera is set to %s", name);
		rc = -EOPNOTSUPP;
	}
	return rc;
}

static bool same_format(const struct sluice_format *a, const struct sluice_format *b)
{
	return a->fourcc == b->fourcc && a->width == b->width && a->height == b->height &&
	       a->field == b->field && !memcmp(a->stride, b->stride, sizeof(a->stride));
}

int sluice_flow_init(struct sluice_camera *cam, const struct sluice_attach *a,
		     const struct sluice_format *format, struct netlink_ext_ack *extack)
{
	struct sluice_flow *flow = &cam->flow;
	struct sluice_picture p;
	int rc;

	mutex_lock(&cam->lock);
	flow->settings = a->settings;
	flow->settings.version = 1;
	flow->last_ns = ktime_get_ns();
	sluice_ledger_init(&flow->ledger);
	rc = check_format(flow, format, &flow->picture, extack);
	if (!rc)
		rc = sluice_tune_masks(flow, a, extack);
	/* Once more: now there may be a privacy mask. */
	if (!rc)
		rc = check_format(flow, format, &p, extack);
	if (!rc)
		rc = make_path(cam, &p);
	flow->format = *format;
	mutex_unlock(&cam->lock);
	return rc;
}

void sluice_flow_exit(struct sluice_camera *cam)
{
	struct sluice_flow *flow = &cam->flow;

	vfree(flow->path_mem);
	kvfree(flow->privacy);
	kvfree(flow->thresholds);
}

int sluice_flow_format(struct sluice_camera *cam, const struct sluice_format *format)
{
	struct sluice_flow *flow = &cam->flow;
	struct sluice_picture p;
	int rc = 0;

	mutex_lock(&cam->lock);
	if (same_format(format, &flow->format)) {
		rc = flow->refused ? -EOPNOTSUPP : 0;
		goto unlock;
	}
	rc = check_format(flow, format, &p, NULL);
	if (rc) {
		if (flow->state & SLUICE_STATE_STREAMING) {
			sluice_path_end(flow->path);
			change_state(cam, 0, SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED);
		}
		flow->format = *format;
		flow->refused = format->fourcc;
		sluice_flow_event(cam, SLUICE_EVENT_REFUSED, ktime_get_ns());
		rc = -EOPNOTSUPP;
		goto unlock;
	}
	rc = make_path(cam, &p);
	if (!rc) {
		flow->format = *format;
		flow->refused = 0;
	}
unlock:
	mutex_unlock(&cam->lock);
	return rc;
}

void sluice_flow_refuse(struct sluice_camera *cam)
{
	mutex_lock(&cam->lock);
	sluice_flow_event(cam, SLUICE_EVENT_REFUSED, ktime_get_ns());
	mutex_unlock(&cam->lock);
}

/* A frame has come: the stream runs. The lock is held. */
static void note_alive(struct sluice_camera *cam)
{
	struct sluice_flow *flow = &cam->flow;

	flow->last_ns = ktime_get_ns();
	if (flow->state & SLUICE_STATE_STALLED)
		sluice_flow_event(cam, SLUICE_EVENT_RESUMED, flow->last_ns);
	if ((flow->state & (SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED)) !=
	    SLUICE_STATE_STREAMING)
		change_state(cam, SLUICE_STATE_STREAMING, SLUICE_STATE_STALLED);
}

void sluice_flow_frame(struct sluice_camera *cam, struct sluice_frame *f)
{
	struct sluice_flow *flow = &cam->flow;

	mutex_lock(&cam->lock);
	note_alive(cam);
	/* Buffers of a cancelled transfer carry no number; the last one says "one more". */
	if (f->error && !f->time_ns)
		f->driver_sequence = flow->last_sequence;
	if (!f->time_ns)
		f->time_ns = flow->last_ns;
	flow->last_sequence = f->driver_sequence;
	sluice_latency_enter(&cam->latency, f, flow->last_ns);
	sluice_path_frame(flow->path, f, ktime_get_real_ns());
	sluice_latency_leave(&cam->latency);
	mutex_unlock(&cam->lock);
}

void sluice_flow_lost(struct sluice_camera *cam, u32 driver_sequence, enum sluice_reason reason)
{
	mutex_lock(&cam->lock);
	note_alive(cam);
	cam->flow.last_sequence = driver_sequence;
	sluice_path_lost(cam->flow.path, driver_sequence, reason);
	mutex_unlock(&cam->lock);
}

void sluice_flow_start(struct sluice_camera *cam)
{
	mutex_lock(&cam->lock);
	if (!(cam->flow.state & SLUICE_STATE_STREAMING) && !cam->flow.refused) {
		cam->flow.last_ns = ktime_get_ns();
		change_state(cam, SLUICE_STATE_STREAMING, 0);
	}
	mutex_unlock(&cam->lock);
}

void sluice_flow_stop(struct sluice_camera *cam, u32 state)
{
	struct sluice_flow *flow = &cam->flow;

	mutex_lock(&cam->lock);
	if (flow->path && (flow->state & SLUICE_STATE_STREAMING))
		sluice_path_end(flow->path);
	change_state(cam, state, SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED);
	if (state & SLUICE_STATE_GONE)
		sluice_flow_event(cam, SLUICE_EVENT_GONE, ktime_get_ns());
	mutex_unlock(&cam->lock);
	if (state)
		wake_up_interruptible_all(&cam->readers);
}

void sluice_flow_watch(struct sluice_camera *cam)
{
	struct sluice_flow *flow = &cam->flow;
	u64 now = ktime_get_ns();

	mutex_lock(&cam->lock);
	if ((flow->state & (SLUICE_STATE_STREAMING | SLUICE_STATE_STALLED)) ==
		    SLUICE_STATE_STREAMING &&
	    now > flow->last_ns + (u64)flow->settings.stall_ms * NSEC_PER_MSEC) {
		change_state(cam, SLUICE_STATE_STALLED, 0);
		sluice_flow_event(cam, SLUICE_EVENT_STALL, now);
	}
	mutex_unlock(&cam->lock);
}
