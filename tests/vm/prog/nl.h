/* SPDX-License-Identifier: MIT */
/* nl.h - just enough generic netlink for the guest's test programs: one request, its answers. */
#ifndef TEST_NL_H
#define TEST_NL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct nl {
	int fd;
	uint32_t seq;
	uint16_t family;
	uint32_t group; /* of the events */
	char buf[65536];
	char error[256]; /* extack text of the last refusal */
};

/* Open a socket and look the family up. Returns 0 or a negative errno. */
int nl_open(struct nl *nl, const char *family, const char *group);

/* Begin a request in nl->buf; attributes follow. */
struct nlmsghdr *nl_begin(struct nl *nl, uint8_t cmd, uint16_t flags);
void nl_put(struct nlmsghdr *h, uint16_t type, const void *data, size_t len);
void nl_put_u32(struct nlmsghdr *h, uint16_t type, uint32_t v);
struct nlattr *nl_nest(struct nlmsghdr *h, uint16_t type);
void nl_nest_end(struct nlmsghdr *h, struct nlattr *nest);

/* Called for each answer with its attributes. */
typedef void nl_answer(const struct genlmsghdr *g, const struct nlattr *first, size_t len,
		       void *arg);

/* Send what was begun, hand every answer over, return 0 or the kernel's negative errno. */
int nl_run(struct nl *nl, struct nlmsghdr *h, nl_answer *answer, void *arg);

/* The errno of an acknowledgement, 0 or negative; its text goes to nl->error. */
int nl_ack(struct nl *nl, const struct nlmsghdr *h);

/* Walk attributes. */
const struct nlattr *nl_next(const struct nlattr *a, size_t *len);
#define nl_data(a)     ((const void *)((const char *)(a) + NLA_HDRLEN))
#define nl_len(a)      ((size_t)(a)->nla_len - NLA_HDRLEN)
#define nl_type(a)     ((a)->nla_type & NLA_TYPE_MASK)
#define nl_for(a, len) for (; (len) >= sizeof(*(a)); (a) = nl_next(a, &(len)))

#endif
