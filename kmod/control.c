// SPDX-License-Identifier: GPL-2.0
/*
 * control.c - the generic netlink family "sluice": requests of people and programs.
 *
 * Commands that change something, and the event group, need CAP_NET_ADMIN; GET is for everybody. A
 * request names its camera by index or name, and both must match if both are given. Requests run in
 * parallel (attach can take seconds on USB); the camera's lock keeps them apart. A dump tells its
 * reader when cameras came or went meanwhile (NLM_F_DUMP_INTR).
 *
 * Failure: an errno and an extack text that says what to do; nothing has changed then.
 */
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/module.h>
#include "compat.h"
#include "control.h"

#ifdef COMPAT_NEEDS_EXTACK_BUFFER
/* The answer is built before the next request of the same sender, so a few buffers do. */
char *sluice_extack_buffer(void)
{
	static char buffer[32][COMPAT_EXTACK_SIZE];
	static atomic_t next;

	return buffer[(u32)atomic_inc_return(&next) % ARRAY_SIZE(buffer)];
}
#endif

/* The camera that the request names, with a reference, or an ERR_PTR. */
static struct sluice_camera *named_camera(struct genl_info *info)
{
	struct nlattr *index = info->attrs[SLUICE_ATTR_CAMERA];
	struct nlattr *name = info->attrs[SLUICE_ATTR_NAME];
	struct sluice_camera *cam;

	if (!index && !name) {
		NL_SET_ERR_MSG_MOD(info->extack, "name a camera");
		return ERR_PTR(-EINVAL);
	}
	cam = index ? sluice_camera_get(nla_get_u32(index)) : sluice_camera_find(nla_data(name));
	if (cam && name && strcmp(cam->name, nla_data(name))) {
		sluice_camera_put(cam);
		cam = NULL;
	}
	if (cam)
		return cam;
	NL_SET_ERR_MSG_MOD(info->extack, "no such camera is attached");
	return ERR_PTR(-ENODEV);
}

static int reply_camera(struct genl_info *info, struct sluice_camera *cam, u8 cmd)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return -ENOMEM;
	head = genlmsg_put_reply(skb, info, &sluice_family, 0, cmd);
	if (!head || sluice_control_answer(skb, cam)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

static int get_camera(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_camera *cam = named_camera(info);
	int rc;

	if (IS_ERR(cam))
		return PTR_ERR(cam);
	rc = reply_camera(info, cam, SLUICE_CMD_GET);
	sluice_camera_put(cam);
	return rc;
}

static int dump_camera(struct sk_buff *skb, struct netlink_callback *cb, struct sluice_camera *cam)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &sluice_family, NLM_F_MULTI, SLUICE_CMD_GET);

	if (!head)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, head);
	if (sluice_control_answer(skb, cam)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* Attributes would look as if they chose among the cameras. 6.1 has no place for the text here. */
static int start_dump(struct netlink_callback *cb)
{
	if (cb->nlh->nlmsg_len <= NLMSG_LENGTH(GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG_MOD(cb->extack, "a dump takes no attributes: it has all cameras");
	return -EINVAL;
}

/* args[0]: the next index. */
static int dump_cameras(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sluice_camera *cam;
	int rc;

	cb->seq = sluice_camera_generation() + 1;
	for (; cb->args[0] < SLUICE_CAMERA_MAX; cb->args[0]++) {
		cam = sluice_camera_get(cb->args[0]);
		if (!cam)
			continue;
		rc = dump_camera(skb, cb, cam);
		sluice_camera_put(cam);
		if (rc)
			break;
	}
	return skb->len;
}

static bool name_ok(const char *name)
{
	const char *c;

	for (c = name; *c; c++) {
		if (!isalnum(*c) && *c != '_' && *c != '-')
			return false;
	}
	return c > name;
}

static void take_masks(struct sluice_attach *a, struct nlattr **attrs)
{
	if (attrs[SLUICE_ATTR_PRIVACY]) {
		a->privacy = nla_data(attrs[SLUICE_ATTR_PRIVACY]);
		a->privacy_size = nla_len(attrs[SLUICE_ATTR_PRIVACY]);
	}
	if (attrs[SLUICE_ATTR_THRESHOLDS]) {
		a->thresholds = nla_data(attrs[SLUICE_ATTR_THRESHOLDS]);
		a->thresholds_size = nla_len(attrs[SLUICE_ATTR_THRESHOLDS]);
	}
}

static int read_attach(struct sluice_attach *a, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;

	if (!attrs[SLUICE_ATTR_FD] || !attrs[SLUICE_ATTR_MODE]) {
		NL_SET_ERR_MSG_MOD(info->extack, "attach needs an open video node and a mode");
		return -EINVAL;
	}
	a->mode = nla_get_u32(attrs[SLUICE_ATTR_MODE]);
	a->arena = SLUICE_ARENA_DEFAULT;
	if (attrs[SLUICE_ATTR_ARENA])
		a->arena = nla_get_u64(attrs[SLUICE_ATTR_ARENA]);
	if (attrs[SLUICE_ATTR_NAME]) {
		a->name = nla_data(attrs[SLUICE_ATTR_NAME]);
		if (!name_ok(a->name)) {
			NL_SET_ERR_MSG_MOD(info->extack,
					   "a camera's name has letters, digits, - and _ only");
			return -EINVAL;
		}
	}
	take_masks(a, attrs);
	sluice_settings_default(&a->settings);
	if (attrs[SLUICE_ATTR_SETTINGS])
		return sluice_control_settings(&a->settings, attrs[SLUICE_ATTR_SETTINGS],
					       info->extack);
	return 0;
}

static int attach_camera(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_attach a = {};
	struct sluice_camera *cam;
	int rc = read_attach(&a, info);

	if (rc)
		return rc;
	/* The request runs in the context of its sender: his table of files is ours. */
	a.user = fget(nla_get_s32(info->attrs[SLUICE_ATTR_FD]));
	if (!a.user) {
		NL_SET_ERR_MSG_MOD(info->extack, "the file descriptor is not open");
		return -EBADF;
	}
	cam = sluice_camera_attach(&a, info->extack);
	fput(a.user);
	if (IS_ERR(cam))
		return PTR_ERR(cam);
	rc = reply_camera(info, cam, SLUICE_CMD_ATTACH);
	sluice_camera_put(cam);
	return rc;
}

static int detach_camera(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_camera *cam = named_camera(info);
	int rc;

	if (IS_ERR(cam))
		return PTR_ERR(cam);
	rc = sluice_camera_detach(cam);
	sluice_camera_put(cam);
	return rc;
}

static int change_settings(struct sluice_settings *s, void *arg)
{
	struct genl_info *info = arg;

	return sluice_control_settings(s, info->attrs[SLUICE_ATTR_SETTINGS], info->extack);
}

static const u32 *wanted_version(struct genl_info *info, u32 *version)
{
	if (!info->attrs[SLUICE_ATTR_IF_VERSION])
		return NULL;
	*version = nla_get_u32(info->attrs[SLUICE_ATTR_IF_VERSION]);
	return version;
}

static int set_settings(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_camera *cam;
	u32 version;
	int rc;

	if (!info->attrs[SLUICE_ATTR_SETTINGS] || !nla_len(info->attrs[SLUICE_ATTR_SETTINGS])) {
		NL_SET_ERR_MSG_MOD(info->extack, "no settings given");
		return -EINVAL;
	}
	cam = named_camera(info);
	if (IS_ERR(cam))
		return PTR_ERR(cam);
	rc = sluice_flow_settings(cam, wanted_version(info, &version), change_settings, info,
				  info->extack);
	if (!rc)
		rc = reply_camera(info, cam, SLUICE_CMD_SET);
	sluice_camera_put(cam);
	return rc;
}

static int set_masks(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_attach a = {};
	struct sluice_camera *cam;
	u32 version;
	int rc;

	take_masks(&a, info->attrs);
	if (!a.privacy && !a.thresholds) {
		NL_SET_ERR_MSG_MOD(info->extack, "no mask given");
		return -EINVAL;
	}
	cam = named_camera(info);
	if (IS_ERR(cam))
		return PTR_ERR(cam);
	rc = sluice_flow_masks(cam, wanted_version(info, &version), &a, info->extack);
	if (!rc)
		rc = reply_camera(info, cam, SLUICE_CMD_MASK);
	sluice_camera_put(cam);
	return rc;
}

static int ask_snapshot(struct sk_buff *skb, struct genl_info *info)
{
	struct sluice_camera *cam = named_camera(info);

	if (IS_ERR(cam))
		return PTR_ERR(cam);
	sluice_flow_snapshot(cam);
	sluice_camera_put(cam);
	return 0;
}

static const struct genl_ops ops[] = {
	{
		.cmd = SLUICE_CMD_GET,
		.policy = sluice_policy_camera,
		.maxattr = SLUICE_ATTR_MAX,
		.doit = get_camera,
		.start = start_dump,
		.dumpit = dump_cameras,
	},
	{
		.cmd = SLUICE_CMD_ATTACH,
		.policy = sluice_policy_attach,
		.maxattr = SLUICE_ATTR_MAX,
		.flags = GENL_ADMIN_PERM,
		.doit = attach_camera,
	},
	{
		.cmd = SLUICE_CMD_DETACH,
		.policy = sluice_policy_camera,
		.maxattr = SLUICE_ATTR_MAX,
		.flags = GENL_ADMIN_PERM,
		.doit = detach_camera,
	},
	{
		.cmd = SLUICE_CMD_SET,
		.policy = sluice_policy_set,
		.maxattr = SLUICE_ATTR_MAX,
		.flags = GENL_ADMIN_PERM,
		.doit = set_settings,
	},
	{
		.cmd = SLUICE_CMD_MASK,
		.policy = sluice_policy_mask,
		.maxattr = SLUICE_ATTR_MAX,
		.flags = GENL_ADMIN_PERM,
		.doit = set_masks,
	},
	{
		.cmd = SLUICE_CMD_SNAPSHOT,
		.policy = sluice_policy_camera,
		.maxattr = SLUICE_ATTR_MAX,
		.flags = GENL_ADMIN_PERM,
		.doit = ask_snapshot,
	},
};

static const struct genl_multicast_group groups[] = {
	{ .name = SLUICE_GENL_GROUP, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family sluice_family = {
	.name = SLUICE_GENL_NAME,
	.version = SLUICE_GENL_VERSION,
	.maxattr = SLUICE_ATTR_MAX,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = SLUICE_CMD_GET,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

void sluice_control_notify(const struct sluice_event_note *n)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &sluice_family, 0, SLUICE_CMD_EVENT);
	if (!head || nla_put_u32(skb, SLUICE_ATTR_CAMERA, n->camera) ||
	    nla_put_string(skb, SLUICE_ATTR_NAME, n->name) ||
	    nla_put_u32(skb, SLUICE_ATTR_EVENT, n->event) ||
	    nla_put_u64_64bit(skb, SLUICE_ATTR_TIME, n->time_ns, SLUICE_ATTR_PAD) ||
	    nla_put_u32(skb, SLUICE_ATTR_FORMAT, n->format) ||
	    nla_put_u64_64bit(skb, SLUICE_ATTR_EPOCH, n->epoch, SLUICE_ATTR_PAD)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	/* -ESRCH: nobody listens. */
	genlmsg_multicast(&sluice_family, skb, 0, 0, GFP_KERNEL);
}

int sluice_control_init(void)
{
	return genl_register_family(&sluice_family);
}

void sluice_control_exit(void)
{
	genl_unregister_family(&sluice_family);
}
