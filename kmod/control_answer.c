// SPDX-License-Identifier: GPL-2.0
/* control_answer.c - a camera as netlink attributes: identity, state, settings, ledger. */
#include "compat.h"
#include "control.h"

static int put_settings(struct sk_buff *skb, const struct sluice_settings *s)
{
	struct nlattr *nest = nla_nest_start(skb, SLUICE_ATTR_SETTINGS);
	u32 i;

	if (!nest || nla_put_u32(skb, SLUICE_SETTING_VERSION, s->version))
		return -EMSGSIZE;
	for (i = SLUICE_SETTING_PRESET; i <= SLUICE_SETTING_MAX; i++) {
		const u32 *value = (const void *)s + sluice_setting_infos[i].offset;

		if (sluice_setting_infos[i].name && nla_put_u32(skb, i, *value))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, SLUICE_LEDGER_PAD);
}

static int put_ledger(struct sk_buff *skb, const struct sluice_ledger *l)
{
	struct nlattr *nest = nla_nest_start(skb, SLUICE_ATTR_LEDGER);

	if (!nest || put_u64(skb, SLUICE_LEDGER_DELIVERED, l->delivered) ||
	    put_u64(skb, SLUICE_LEDGER_PENDING, l->pending) ||
	    put_u64(skb, SLUICE_LEDGER_BYTES_SEEN, l->bytes_seen) ||
	    put_u64(skb, SLUICE_LEDGER_BYTES_PASSED, l->bytes_passed) ||
	    nla_put_64bit(skb, SLUICE_LEDGER_COUNTS, sizeof(l->count), l->count, SLUICE_LEDGER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_latency(struct sk_buff *skb, const struct sluice_latency *l)
{
	struct nlattr *nest = nla_nest_start(skb, SLUICE_ATTR_LATENCY);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = SLUICE_LATENCY_COMMIT; i <= SLUICE_LATENCY_MAX; i++) {
		if (nla_put_64bit(skb, i, sizeof(l->of[i]), &l->of[i], SLUICE_LATENCY_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static u32 camera_state(const struct sluice_camera *cam)
{
	const u32 gate = SLUICE_STATE_OPEN | SLUICE_STATE_WARMUP | SLUICE_STATE_COVERED |
			 SLUICE_STATE_DEFOCUSED | SLUICE_STATE_TURNED;

	return cam->flow.state | (sluice_path_state(cam->flow.path) & gate);
}

static int put_camera(struct sk_buff *skb, const struct sluice_camera *cam)
{
	const struct sluice_flow *flow = &cam->flow;
	const struct sluice_picture *p = &flow->picture;
	u32 format = flow->refused ? flow->refused : p->fourcc;

	if (nla_put_u32(skb, SLUICE_ATTR_CAMERA, cam->index) ||
	    nla_put_string(skb, SLUICE_ATTR_NAME, cam->name) ||
	    nla_put_u32(skb, SLUICE_ATTR_MODE, cam->mode) ||
	    nla_put_u64_64bit(skb, SLUICE_ATTR_ARENA, cam->store.bytes, SLUICE_ATTR_PAD) ||
	    nla_put_u32(skb, SLUICE_ATTR_STATE, camera_state(cam)) ||
	    nla_put_string(skb, SLUICE_ATTR_CARD, cam->video.card) ||
	    nla_put_u32(skb, SLUICE_ATTR_VIDEO, cam->video_number) ||
	    nla_put_u32(skb, SLUICE_ATTR_FORMAT, format) ||
	    nla_put_u32(skb, SLUICE_ATTR_WIDTH, p->width) ||
	    nla_put_u32(skb, SLUICE_ATTR_HEIGHT, p->height) ||
	    nla_put_u64_64bit(skb, SLUICE_ATTR_EPOCH, flow->epoch, SLUICE_ATTR_PAD) ||
	    put_settings(skb, &flow->settings) || nla_put_u32(skb, SLUICE_ATTR_GRID_W, p->grid_w) ||
	    nla_put_u32(skb, SLUICE_ATTR_GRID_H, p->grid_h) || put_ledger(skb, &flow->ledger) ||
	    nla_put_u8(skb, SLUICE_ATTR_READER, cam->reader) || put_latency(skb, &cam->latency))
		return -EMSGSIZE;
	return 0;
}

int sluice_control_answer(struct sk_buff *skb, struct sluice_camera *cam)
{
	int rc;

	mutex_lock(&cam->lock);
	rc = put_camera(skb, cam);
	mutex_unlock(&cam->lock);
	return rc;
}
