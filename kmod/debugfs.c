// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - /sys/kernel/debug/sluice/N/{camera,ledger,settings,latency}, one folder per attached
 * camera, mode 0400. Lines of "name value"; each file has a fixed number of them at most, and every
 * value was taken under one hold of the camera's lock, so that the ledger adds up in every reading.
 *
 * For people: the contract for programs is netlink. Names never go away without need, but files may
 * get more lines.
 *
 * Life: the files go before their camera does; debugfs waits for readers in progress, and a file
 * that was opened earlier then reads as -EIO.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "camera.h"
#include "debugfs.h"

static struct dentry *top;

static const char *const reasons[SLUICE_REASON_COUNT] = {
	[SLUICE_REASON_QUIET] = "quiet",
	[SLUICE_REASON_UNCONFIRMED] = "unconfirmed",
	[SLUICE_REASON_RATE] = "rate",
	[SLUICE_REASON_MOTION] = "motion",
	[SLUICE_REASON_PREROLL] = "preroll",
	[SLUICE_REASON_POSTROLL] = "postroll",
	[SLUICE_REASON_KEEPALIVE] = "keepalive",
	[SLUICE_REASON_AUDIT] = "audit",
	[SLUICE_REASON_SCENE_CHANGE] = "scene_change",
	[SLUICE_REASON_WARMUP] = "warmup",
	[SLUICE_REASON_SNAPSHOT] = "snapshot",
	[SLUICE_REASON_CORRUPT] = "corrupt",
	[SLUICE_REASON_TAMPER] = "tamper",
	[SLUICE_REASON_OVERRUN] = "overrun",
	[SLUICE_REASON_LATE] = "late",
	[SLUICE_REASON_DRIVER] = "driver",
	[SLUICE_REASON_ERRORFLAG] = "errorflag",
};

static const char *const latencies[SLUICE_LATENCY_MAX + 1] = {
	[SLUICE_LATENCY_COMMIT] = "commit",
	[SLUICE_LATENCY_HANDLED] = "handled",
	[SLUICE_LATENCY_WORK] = "work",
	[SLUICE_LATENCY_TAP] = "tap",
};

static int camera_show(struct seq_file *s, void *unused)
{
	struct sluice_camera *cam = s->private;
	const struct sluice_flow *flow = &cam->flow;
	char fourcc[5];

	mutex_lock(&cam->lock);
	sluice_flow_fourcc(flow->picture.fourcc, fourcc);
	seq_printf(s, "name %s\ncard %s\nmode %s\nvideo %u\n", cam->name, cam->video.card,
		   cam->mode == SLUICE_MODE_TAP ? "tap" : "capture", cam->video_number);
	seq_printf(s, "format %s\nwidth %u\nheight %u\nstride %u\ngrid %ux%u\n", fourcc,
		   flow->picture.width, flow->picture.height, flow->picture.stride,
		   flow->picture.grid_w, flow->picture.grid_h);
	seq_printf(s, "state 0x%x\nepoch %llu\ninterval_us %u\nrefused 0x%x\n", flow->state,
		   flow->epoch, flow->interval_us, flow->refused);
	seq_printf(s, "privacy %d\nthresholds %d\nreader %d\n", !!flow->privacy, !!flow->thresholds,
		   cam->reader);
	seq_printf(s, "ring_bytes %llu\nring_pages %u\nring_pages_used %u\nring_records %u\n",
		   cam->store.bytes, cam->store.ring.page_count, cam->store.ring.pages_used,
		   cam->store.ring.desc_count);
	seq_printf(s, "ring_head %llu\nring_tail %llu\nring_bad_tail %llu\n", cam->store.ring.head,
		   cam->store.ring.tail, cam->store.ring.bad_tail);
	mutex_unlock(&cam->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(camera);

static int ledger_show(struct seq_file *s, void *unused)
{
	struct sluice_camera *cam = s->private;
	const struct sluice_ledger *l = &cam->flow.ledger;
	u32 i;

	mutex_lock(&cam->lock);
	seq_printf(s, "delivered %llu\npending %llu\n", l->delivered, l->pending);
	for (i = 0; i < SLUICE_REASON_COUNT; i++) {
		if (reasons[i])
			seq_printf(s, "%s %llu\n", reasons[i], l->count[i]);
		else if (l->count[i])
			seq_printf(s, "reason%u %llu\n", i, l->count[i]);
	}
	seq_printf(s, "bytes_seen %llu\nbytes_passed %llu\n", l->bytes_seen, l->bytes_passed);
	mutex_unlock(&cam->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ledger);

static int settings_show(struct seq_file *s, void *unused)
{
	struct sluice_camera *cam = s->private;
	struct sluice_settings now;
	u32 i;

	mutex_lock(&cam->lock);
	now = cam->flow.settings;
	mutex_unlock(&cam->lock);
	seq_printf(s, "version %u\n", now.version);
	for (i = 0; i <= SLUICE_SETTING_MAX; i++) {
		const struct sluice_setting_info *info = &sluice_setting_infos[i];

		if (info->name)
			seq_printf(s, "%s %u\n", info->name, *(u32 *)((u8 *)&now + info->offset));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(settings);

/* Empty buckets are left out: "commit 65536 12" are 12 records that took 65536 ns to 131071 ns. */
static int latency_show(struct seq_file *s, void *unused)
{
	struct sluice_camera *cam = s->private;
	u32 which, i;

	mutex_lock(&cam->lock);
	for (which = 0; which <= SLUICE_LATENCY_MAX; which++) {
		const struct sluice_latency_histogram *h = &cam->latency.of[which];

		if (!latencies[which])
			continue;
		seq_printf(s, "%s sum %llu\n", latencies[which], h->sum_ns);
		for (i = 0; i < SLUICE_LATENCY_BUCKETS; i++) {
			if (h->bucket[i])
				seq_printf(s, "%s %lu %llu\n", latencies[which], i ? 1ul << i : 0,
					   h->bucket[i]);
		}
	}
	mutex_unlock(&cam->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

void sluice_debugfs_init(void)
{
	top = debugfs_create_dir("sluice", NULL);
}

void sluice_debugfs_exit(void)
{
	debugfs_remove_recursive(top);
}

void sluice_debugfs_add(struct sluice_camera *cam)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", cam->index);
	cam->debugfs = debugfs_create_dir(number, top);
	debugfs_create_file("camera", 0400, cam->debugfs, cam, &camera_fops);
	debugfs_create_file("ledger", 0400, cam->debugfs, cam, &ledger_fops);
	debugfs_create_file("settings", 0400, cam->debugfs, cam, &settings_fops);
	debugfs_create_file("latency", 0400, cam->debugfs, cam, &latency_fops);
}

void sluice_debugfs_remove(struct sluice_camera *cam)
{
	debugfs_remove_recursive(cam->debugfs);
	cam->debugfs = NULL;
}
