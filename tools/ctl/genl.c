// SPDX-License-Identifier: MIT
/*
 * genl.c - generic netlink through libnl. The kernel's extack text is what the user reads: it is
 * the one place that knows why it refused.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/ctl/genl.h"

#define GENL_MESSAGE_MAX (80u << 10) /* a threshold map is one attribute: below 64 KiB */
#define DUMP_TRIES	 10

struct genl {
	struct ctl *ctl;
	struct nl_sock *sock;
	int family;
	int error; /* of the request under way */
	bool done;
	void (*each)(void *arg, const struct genl_camera *c);
	void *arg;
	char text[256]; /* extack */
};

static const char *hint(int err)
{
	switch (err) {
	case EPERM:
		return "; run it as root or give it CAP_NET_ADMIN";
	case ENODEV:
		return "; 'sluicectl show' lists the cameras";
	case ESTALE:
		return "; look at them again ('sluicectl show CAMERA')";
	default:
		return "";
	}
}

struct genl *genl_open(struct ctl *ctl)
{
	struct genl *g = calloc(1, sizeof(*g));
	int on = 1, err;

	if (!g)
		return NULL;
	g->ctl = ctl;
	g->sock = nl_socket_alloc();
	if (!g->sock) {
		free(g);
		return NULL;
	}
	err = genl_connect(g->sock);
	if (err) {
		ctl_error(ctl, 0, "cannot open a generic netlink socket: %s", nl_geterror(err));
		genl_close(g);
		return NULL;
	}
	setsockopt(nl_socket_get_fd(g->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(g->sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	g->family = genl_ctrl_resolve(g->sock, SLUICE_GENL_NAME);
	if (g->family < 0) {
		ctl_error(ctl, 0,
			  "the module is not loaded: run 'modprobe sluice' or 'insmod sluice.ko'");
		genl_close(g);
		return NULL;
	}
	return g;
}

void genl_close(struct genl *g)
{
	if (!g)
		return;
	nl_socket_free(g->sock);
	free(g);
}

struct nl_msg *genl_request(struct genl *g, uint8_t cmd, int flags)
{
	struct nl_msg *m = nlmsg_alloc_size(GENL_MESSAGE_MAX);

	if (m && !genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, g->family, 0, flags, cmd,
			      SLUICE_GENL_VERSION)) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

int genl_put_camera(struct nl_msg *m, const char *text)
{
	int64_t index;

	if (ctl_number(text, 0, SLUICE_CAMERA_MAX - 1, &index))
		return nla_put_u32(m, SLUICE_ATTR_CAMERA, index) ? -EMSGSIZE : 0;
	if (!*text || strlen(text) >= SLUICE_CAMERA_NAME_SIZE)
		return -EINVAL;
	return nla_put_string(m, SLUICE_ATTR_NAME, text) ? -EMSGSIZE : 0;
}

static uint32_t u32_of(struct nlattr **a, int i)
{
	return a[i] && nla_len(a[i]) >= 4 ? nla_get_u32(a[i]) : 0;
}

static uint64_t u64_of(struct nlattr **a, int i)
{
	return a[i] && nla_len(a[i]) >= 8 ? nla_get_u64(a[i]) : 0;
}

static void text_of(struct nlattr **a, int i, char *out, size_t size)
{
	if (a[i])
		nla_strlcpy(out, a[i], size);
	for (char *p = out; *p; p++) /* the name of a USB camera is a stranger's text */
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
}

static void parse_ledger(struct nlattr *nest, struct genl_camera *c)
{
	struct nlattr *a[SLUICE_LEDGER_MAX + 1];

	if (!nest || nla_parse_nested(a, SLUICE_LEDGER_MAX, nest, NULL))
		return;
	c->delivered = u64_of(a, SLUICE_LEDGER_DELIVERED);
	c->pending = u64_of(a, SLUICE_LEDGER_PENDING);
	c->bytes_seen = u64_of(a, SLUICE_LEDGER_BYTES_SEEN);
	c->bytes_passed = u64_of(a, SLUICE_LEDGER_BYTES_PASSED);
	if (a[SLUICE_LEDGER_COUNTS])
		nla_memcpy(c->count, a[SLUICE_LEDGER_COUNTS], sizeof(c->count));
}

static void parse_settings(struct nlattr *nest, struct genl_camera *c)
{
	struct nlattr *a[SLUICE_SETTING_MAX + 1];

	if (!nest || nla_parse_nested(a, SLUICE_SETTING_MAX, nest, NULL))
		return;
	for (int i = 1; i <= SLUICE_SETTING_MAX; i++) {
		c->has_setting[i] = a[i];
		c->setting[i] = u32_of(a, i);
	}
}

static void parse_latency(struct nlattr *nest, struct genl_camera *c)
{
	struct nlattr *a[SLUICE_LATENCY_MAX + 1];

	if (!nest || nla_parse_nested(a, SLUICE_LATENCY_MAX, nest, NULL))
		return;
	for (int i = SLUICE_LATENCY_COMMIT; i <= SLUICE_LATENCY_MAX; i++)
		if (a[i])
			nla_memcpy(&c->latency[i], a[i], sizeof(c->latency[i]));
}

static void parse_camera(struct nlattr **a, struct genl_camera *c)
{
	memset(c, 0, sizeof(*c));
	c->index = u32_of(a, SLUICE_ATTR_CAMERA);
	c->mode = u32_of(a, SLUICE_ATTR_MODE);
	c->state = u32_of(a, SLUICE_ATTR_STATE);
	c->video = u32_of(a, SLUICE_ATTR_VIDEO);
	c->format = u32_of(a, SLUICE_ATTR_FORMAT);
	c->width = u32_of(a, SLUICE_ATTR_WIDTH);
	c->height = u32_of(a, SLUICE_ATTR_HEIGHT);
	c->grid_w = u32_of(a, SLUICE_ATTR_GRID_W);
	c->grid_h = u32_of(a, SLUICE_ATTR_GRID_H);
	c->epoch = u64_of(a, SLUICE_ATTR_EPOCH);
	c->arena = u64_of(a, SLUICE_ATTR_ARENA);
	c->reader = a[SLUICE_ATTR_READER] && nla_get_u8(a[SLUICE_ATTR_READER]);
	text_of(a, SLUICE_ATTR_NAME, c->name, sizeof(c->name));
	text_of(a, SLUICE_ATTR_CARD, c->card, sizeof(c->card));
	parse_settings(a[SLUICE_ATTR_SETTINGS], c);
	parse_ledger(a[SLUICE_ATTR_LEDGER], c);
	parse_latency(a[SLUICE_ATTR_LATENCY], c);
}

static int on_valid(struct nl_msg *m, void *arg)
{
	struct nlattr *a[SLUICE_ATTR_MAX + 1];
	struct genl *g = arg;
	struct genl_camera c;

	if (genlmsg_parse(nlmsg_hdr(m), 0, a, SLUICE_ATTR_MAX, NULL) || !g->each)
		return NL_OK;
	parse_camera(a, &c);
	g->each(g->arg, &c);
	return NL_OK;
}

static int on_finish(struct nl_msg *m, void *arg)
{
	struct genl *g = arg;

	g->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *nla, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *h = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct genl *g = arg;
	int skip = sizeof(*e), left;
	struct nlattr *a;

	g->error = e->error;
	g->done = true;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	left = (int)h->nlmsg_len - NLMSG_HDRLEN - skip;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || left <= 0)
		return NL_STOP;
	nla_for_each_attr(a, (struct nlattr *)((char *)e + skip), left,
			  left) if (nla_type(a) == NLMSGERR_ATTR_MSG)
		nla_strlcpy(g->text, a, sizeof(g->text));
	return NL_STOP;
}

static int exchange(struct genl *g, struct nl_msg *m)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err;

	g->error = 0;
	g->done = false;
	g->text[0] = 0;
	if (!cb || !m) {
		nlmsg_free(m);
		return -ENOMEM;
	}
	err = nl_send_auto(g->sock, m);
	nlmsg_free(m);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, g);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, g);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_finish, g);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, g);
	while (err >= 0 && !g->done)
		err = nl_recvmsgs(g->sock, cb);
	nl_cb_put(cb);
	if (g->error) {
		ctl_error(g->ctl, 0, "%s%s", g->text[0] ? g->text : strerror(-g->error),
			  hint(-g->error));
		return g->error;
	}
	if (err == -NLE_DUMP_INTR)
		return -EAGAIN;
	if (err < 0) {
		ctl_error(g->ctl, 0, "netlink: %s", nl_geterror(err));
		return -EIO;
	}
	return 0;
}

int genl_send(struct genl *g, struct nl_msg *m,
	      void (*each)(void *arg, const struct genl_camera *c), void *arg)
{
	g->each = each;
	g->arg = arg;
	return exchange(g, m);
}

struct camera_list {
	struct genl_camera *camera;
	unsigned int count;
};

static void add_camera(void *arg, const struct genl_camera *c)
{
	struct camera_list *l = arg;

	if (l->count < SLUICE_CAMERA_MAX)
		l->camera[l->count++] = *c;
}

int genl_dump(struct genl *g, void (*each)(void *arg, const struct genl_camera *c), void *arg)
{
	struct camera_list l = { calloc(SLUICE_CAMERA_MAX, sizeof(*l.camera)), 0 };
	int err = l.camera ? -EAGAIN : -ENOMEM;

	for (int i = 0; i < DUMP_TRIES && err == -EAGAIN; i++) {
		l.count = 0;
		err = genl_send(g, genl_request(g, SLUICE_CMD_GET, NLM_F_DUMP), add_camera, &l);
	}
	for (unsigned int i = 0; i < l.count && !err; i++)
		each(arg, &l.camera[i]);
	if (err == -EAGAIN)
		ctl_error(g->ctl, 0, "cameras come and go all the time; try once more");
	free(l.camera);
	return err;
}

void genl_copy_camera(void *arg, const struct genl_camera *c)
{
	*(struct genl_camera *)arg = *c;
}

int genl_camera(struct genl *g, const char *text, struct genl_camera *out)
{
	struct nl_msg *m = genl_request(g, SLUICE_CMD_GET, NLM_F_ACK);
	int err = m ? genl_put_camera(m, text) : -ENOMEM;

	if (err) {
		nlmsg_free(m);
		ctl_error(g->ctl, 0, "'%s' is not a camera: give a name or an index below %u", text,
			  SLUICE_CAMERA_MAX);
		return err;
	}
	memset(out, 0, sizeof(*out));
	return genl_send(g, m, genl_copy_camera, out);
}

struct event_sink {
	bool (*each)(void *arg, struct nlattr **attr);
	void *arg;
	bool more;
};

static int on_event(struct nl_msg *m, void *arg)
{
	struct nlattr *a[SLUICE_ATTR_MAX + 1];
	struct event_sink *s = arg;
	struct genlmsghdr *h = nlmsg_data(nlmsg_hdr(m));

	if (h->cmd != SLUICE_CMD_EVENT || genlmsg_parse(nlmsg_hdr(m), 0, a, SLUICE_ATTR_MAX, NULL))
		return NL_OK;
	s->more = s->each(s->arg, a);
	return s->more ? NL_OK : NL_STOP;
}

int genl_events(struct genl *g, bool (*each)(void *arg, struct nlattr **attr), void *arg)
{
	struct event_sink s = { each, arg, true };
	struct pollfd p = { .fd = nl_socket_get_fd(g->sock), .events = POLLIN };
	int group = genl_ctrl_resolve_grp(g->sock, SLUICE_GENL_NAME, SLUICE_GENL_GROUP), err;

	if (group < 0) {
		ctl_error(g->ctl, 0, "no event group: %s", nl_geterror(group));
		return -ENOENT;
	}
	err = nl_socket_add_membership(g->sock, group);
	if (err) {
		ctl_error(
			g->ctl, 0,
			"cannot join the event group: %s; run it as root or give it CAP_NET_ADMIN",
			nl_geterror(err));
		return -EPERM;
	}
	nl_socket_disable_seq_check(g->sock);
	nl_socket_modify_cb(g->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, &s);
	while (s.more && !ctl_stopped) {
		/* A signal that came just before poll() is seen a second later. */
		if (poll(&p, 1, 1000) <= 0)
			continue;
		err = nl_recvmsgs_default(g->sock);
		if (err == -NLE_NOMEM) {
			ctl_error(g->ctl, 0,
				  "events came faster than they were read; some are missing here");
			continue;
		}
		if (err < 0) {
			ctl_error(g->ctl, 0, "netlink: %s", nl_geterror(err));
			return -EIO;
		}
	}
	return 0;
}
