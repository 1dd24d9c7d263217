// SPDX-License-Identifier: GPL-2.0
/*
 * tune.c - what people change while a camera is attached: settings, masks, snapshots.
 *
 * A change is made on a copy, checked as a whole, and then taken over: it happens entirely or not
 * at all. Each one makes the version greater by one; a change that names the version it was made
 * for fails with -ESTALE if somebody else was faster. Context: tasks, under the camera's lock.
 */
#include <linux/slab.h>
#include "compat.h"
#include "tune.h"

static u32 cell_count(const struct sluice_picture *p)
{
	return (u32)p->grid_w * p->grid_h;
}

/* Old cells first..last that lie under new cell i, when a side of from cells becomes one of to. */
static void covered(u32 i, u32 from, u32 to, u32 rim, u32 *first, u32 *last)
{
	u32 a = i * from / to, b = ((i + 1) * from - 1) / to;

	*first = a > rim ? a - rim : 0;
	*last = min(b + rim, from - 1);
}

static bool any_masked(const u8 *bits, const struct sluice_picture *p, u32 x0, u32 x1, u32 y0,
		       u32 y1)
{
	u32 x, y, i;

	for (y = y0; y <= y1; y++) {
		for (x = x0; x <= x1; x++) {
			i = y * p->grid_w + x;
			if (bits[i / 8] >> (i % 8) & 1)
				return true;
		}
	}
	return false;
}

static u8 *scale_privacy(const u8 *bits, const struct sluice_picture *from,
			 const struct sluice_picture *to)
{
	u8 *out = kvzalloc(DIV_ROUND_UP(cell_count(to), 8), GFP_KERNEL);
	u32 x, y, x0, x1, y0, y1, i;

	if (!out)
		return NULL;
	for (y = 0; y < to->grid_h; y++) {
		covered(y, from->grid_h, to->grid_h, 1, &y0, &y1);
		for (x = 0; x < to->grid_w; x++) {
			covered(x, from->grid_w, to->grid_w, 1, &x0, &x1);
			i = y * to->grid_w + x;
			if (any_masked(bits, from, x0, x1, y0, y1))
				out[i / 8] |= 1 << (i % 8);
		}
	}
	return out;
}

static u8 *scale_thresholds(const u8 *map, const struct sluice_picture *from,
			    const struct sluice_picture *to)
{
	u8 *out = kvmalloc(cell_count(to), GFP_KERNEL);
	u32 x, y, x0, x1, y0, y1;

	if (!out)
		return NULL;
	for (y = 0; y < to->grid_h; y++) {
		covered(y, from->grid_h, to->grid_h, 0, &y0, &y1);
		for (x = 0; x < to->grid_w; x++) {
			covered(x, from->grid_w, to->grid_w, 0, &x0, &x1);
			out[y * to->grid_w + x] = map[y0 * from->grid_w + x0];
		}
	}
	return out;
}

int sluice_tune_scale(struct sluice_flow *flow, const struct sluice_picture *p)
{
	const struct sluice_picture *old = &flow->picture;
	u8 *privacy = NULL, *thresholds = NULL;

	if (old->grid_w == p->grid_w && old->grid_h == p->grid_h)
		return 0;
	if (flow->privacy) {
		privacy = scale_privacy(flow->privacy, old, p);
		if (!privacy)
			return -ENOMEM;
	}
	if (flow->thresholds) {
		thresholds = scale_thresholds(flow->thresholds, old, p);
		if (!thresholds) {
			kvfree(privacy);
			return -ENOMEM;
		}
	}
	kvfree(flow->privacy);
	kvfree(flow->thresholds);
	flow->privacy = privacy;
	flow->thresholds = thresholds;
	return 0;
}

/* Copy a mask of exactly want bytes; an empty one is no mask. */
static int copy_mask(u8 **to, const u8 *from, u32 size, u32 want, const char *what,
		     struct netlink_ext_ack *extack)
{
	*to = NULL;
	if (!from || !size)
		return 0;
	if (size != want) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s: %u bytes given, this camera's grid needs %u",
				       what, size, want);
		return -EINVAL;
	}
	*to = kvmalloc(size, GFP_KERNEL);
	if (!*to)
		return -ENOMEM;
	memcpy(*to, from, size);
	return 0;
}

int sluice_tune_masks(struct sluice_flow *flow, const struct sluice_attach *a,
		      struct netlink_ext_ack *extack)
{
	u32 cells = cell_count(&flow->picture);
	u8 *privacy, *thresholds;
	int rc;

	if (a->privacy && a->privacy_size && !flow->picture.stride) {
		NL_SET_ERR_MSG_FMT_MOD(extack,
				       "a privacy mask needs a raw format: set YUYV, for example");
		return -EOPNOTSUPP;
	}
	rc = copy_mask(&privacy, a->privacy, a->privacy_size, DIV_ROUND_UP(cells, 8),
		       "privacy mask", extack);
	if (rc)
		return rc;
	rc = copy_mask(&thresholds, a->thresholds, a->thresholds_size, cells, "threshold map",
		       extack);
	if (rc) {
		kvfree(privacy);
		return rc;
	}
	if (a->privacy) {
		kvfree(flow->privacy);
		flow->privacy = privacy;
	}
	if (a->thresholds) {
		kvfree(flow->thresholds);
		flow->thresholds = thresholds;
	}
	return 0;
}

static int check_version(const struct sluice_flow *flow, const u32 *if_version,
			 struct netlink_ext_ack *extack)
{
	if (!if_version || *if_version == flow->settings.version)
		return 0;
	NL_SET_ERR_MSG_FMT_MOD(extack, "the settings have version %u by now",
			       flow->settings.version);
	return -ESTALE;
}

int sluice_flow_settings(struct sluice_camera *cam, const u32 *if_version,
			 int (*change)(struct sluice_settings *s, void *arg), void *arg,
			 struct netlink_ext_ack *extack)
{
	struct sluice_flow *flow = &cam->flow;
	struct sluice_settings s;
	int rc;

	mutex_lock(&cam->lock);
	s = flow->settings;
	rc = check_version(flow, if_version, extack);
	if (!rc)
		rc = change(&s, arg);
	if (!rc) {
		s.version++;
		flow->settings = s;
		sluice_path_settings(flow->path, &s);
		sluice_path_mirror(flow->path, 0, 0);
		sluice_flow_event(cam, SLUICE_EVENT_SETTINGS, ktime_get_ns());
	}
	mutex_unlock(&cam->lock);
	return rc;
}

int sluice_flow_masks(struct sluice_camera *cam, const u32 *if_version,
		      const struct sluice_attach *a, struct netlink_ext_ack *extack)
{
	struct sluice_flow *flow = &cam->flow;
	int rc;

	mutex_lock(&cam->lock);
	rc = check_version(flow, if_version, extack);
	if (!rc)
		rc = sluice_tune_masks(flow, a, extack);
	if (!rc) {
		if (a->privacy)
			sluice_path_privacy(flow->path, flow->privacy);
		if (a->thresholds)
			sluice_path_threshold_map(flow->path, flow->thresholds);
		flow->settings.version++;
		sluice_path_settings(flow->path, &flow->settings);
		sluice_path_mirror(flow->path, 0, 0);
		sluice_flow_event(cam, SLUICE_EVENT_SETTINGS, ktime_get_ns());
	}
	mutex_unlock(&cam->lock);
	return rc;
}

void sluice_flow_snapshot(struct sluice_camera *cam)
{
	mutex_lock(&cam->lock);
	sluice_path_snapshot(cam->flow.path);
	mutex_unlock(&cam->lock);
}
