// SPDX-License-Identifier: MIT
/* nl.c - see nl.h. Raw sockets, so that the programs can be static. */
#include "nl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NETLINK_EXT_ACK
#define NETLINK_EXT_ACK 11
#endif

const struct nlattr *nl_next(const struct nlattr *a, size_t *len)
{
	size_t step = NLA_ALIGN(a->nla_len);

	if (a->nla_len < NLA_HDRLEN || step > *len)
		step = *len;
	*len -= step;
	return (const struct nlattr *)((const char *)a + step);
}

struct nlmsghdr *nl_begin(struct nl *nl, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *h = (struct nlmsghdr *)nl->buf;
	struct genlmsghdr *g = NLMSG_DATA(h);

	memset(nl->buf, 0, sizeof(*h) + sizeof(*g));
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*g));
	h->nlmsg_type = nl->family;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++nl->seq;
	g->cmd = cmd;
	g->version = 1;
	return h;
}

void nl_put(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)a + NLA_HDRLEN, data, len);
	memset((char *)a + a->nla_len, 0, NLA_ALIGN(a->nla_len) - a->nla_len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(a->nla_len);
}

void nl_put_u32(struct nlmsghdr *h, uint16_t type, uint32_t v)
{
	nl_put(h, type, &v, sizeof(v));
}

struct nlattr *nl_nest(struct nlmsghdr *h, uint16_t type)
{
	struct nlattr *a = (struct nlattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	nl_put(h, type | NLA_F_NESTED, "", 0);
	return a;
}

void nl_nest_end(struct nlmsghdr *h, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)h + h->nlmsg_len - (char *)nest);
}

int nl_ack(struct nl *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = sizeof(*e);
	const struct nlattr *a;
	size_t len;

	nl->error[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return e->error;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	a = (const struct nlattr *)((const char *)e + skip);
	len = h->nlmsg_len - NLMSG_HDRLEN - skip;
	nl_for(a, len)
	{
		if (nl_type(a) == NLMSGERR_ATTR_MSG)
			snprintf(nl->error, sizeof(nl->error), "%.*s", (int)nl_len(a),
				 (const char *)nl_data(a));
	}
	return e->error;
}

int nl_run(struct nl *nl, struct nlmsghdr *h, nl_answer *answer, void *arg)
{
	static char in[65536];
	uint32_t seq = h->nlmsg_seq;
	ssize_t got;

	if (send(nl->fd, h, h->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		got = recv(nl->fd, in, sizeof(in), 0);
		if (got < 0)
			return -errno;
		for (struct nlmsghdr *m = (struct nlmsghdr *)in; NLMSG_OK(m, (size_t)got);
		     m = NLMSG_NEXT(m, got)) {
			if (m->nlmsg_seq != seq)
				continue;
			if (m->nlmsg_type == NLMSG_ERROR)
				return nl_ack(nl, m);
			if (m->nlmsg_type == NLMSG_DONE)
				return 0;
			if (answer)
				answer(NLMSG_DATA(m),
				       (struct nlattr *)((char *)NLMSG_DATA(m) + GENL_HDRLEN),
				       m->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, arg);
		}
	}
}

struct lookup {
	struct nl *nl;
	const char *group;
};

static void read_group(struct lookup *l, const struct nlattr *a, size_t len)
{
	const char *name = "";
	uint32_t id = 0;

	nl_for(a, len)
	{
		if (nl_type(a) == CTRL_ATTR_MCAST_GRP_NAME)
			name = nl_data(a);
		if (nl_type(a) == CTRL_ATTR_MCAST_GRP_ID)
			memcpy(&id, nl_data(a), sizeof(id));
	}
	if (!strcmp(name, l->group))
		l->nl->group = id;
}

static void read_family(const struct genlmsghdr *g, const struct nlattr *a, size_t len, void *arg)
{
	struct lookup *l = arg;

	(void)g;
	nl_for(a, len)
	{
		if (nl_type(a) == CTRL_ATTR_FAMILY_ID)
			memcpy(&l->nl->family, nl_data(a), sizeof(l->nl->family));
		if (nl_type(a) == CTRL_ATTR_MCAST_GROUPS) {
			const struct nlattr *b = nl_data(a);
			size_t left = nl_len(a);

			nl_for(b, left) read_group(l, nl_data(b), nl_len(b));
		}
	}
}

int nl_open(struct nl *nl, const char *family, const char *group)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct lookup l = { nl, group };
	struct nlmsghdr *h;
	int one = 1;

	memset(nl, 0, sizeof(*nl));
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0 || bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	nl->family = GENL_ID_CTRL;
	h = nl_begin(nl, CTRL_CMD_GETFAMILY, 0);
	nl_put(h, CTRL_ATTR_FAMILY_NAME, family, strlen(family) + 1);
	return nl_run(nl, h, read_family, &l);
}
