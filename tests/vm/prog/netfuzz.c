// SPDX-License-Identifier: MIT
/*
 * netfuzz.c - hostile netlink requests to the family "sluice", beside a camera that streams.
 *
 *	netfuzz policy               print what the kernel says that each command takes
 *	netfuzz walk NODE            every command x every attribute x everything that can be wrong
 *	netfuzz random NODE SEED N   N requests of random attributes, and of random bits
 *	netfuzz may                  all without CAP_NET_ADMIN: as uid 1000, in user namespaces
 *
 * NODE: a camera that may be attached and detached meanwhile; what happens to be a valid ATTACH is
 * undone at once. Camera 0 is never detached. Oracle: a request that breaks the kernel's own policy
 * is refused; each refusal has one of the documented errors and a text; only those have none that
 * the generic netlink core makes before it knows the command (EOPNOTSUPP, EPERM) or the message is
 * shorter than its headers. No answer at all is right only for a message that names no length or
 * asks nothing. Every request is followed by a valid one, whose answer ends the wait.
 *
 * Prints counts; exit 1 and the request if something was wrong.
 */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_ANSWER 1
#define FREE	  15 /* an index that no camera has */

static struct nl nl;
static struct policy policy;
static int node = -1;
static unsigned int sent, accepted, refused, wrong;

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return below ? seed % below : seed;
}

static void complain(const struct nlmsghdr *h, int rc, const char *why)
{
	const unsigned char *p = (const unsigned char *)h;

	if (wrong++ > 20)
		return;
	printf("wrong: %s: %s, text '%s', request", why,
	       rc < 0 ? strerrorname_np(-rc) : (rc ? "no answer" : "accepted"), nl.error);
	for (uint32_t i = 0; i < h->nlmsg_len && i < 96; i++)
		printf("%s%02x", i % 4 ? "" : " ", p[i]);
	printf("\n");
}

static uint32_t answered_index; /* camera in the newest answer */

static void note_camera(const struct genlmsghdr *g, const struct nlattr *a, size_t len, void *arg)
{
	(void)g;
	(void)arg;
	nl_for(a, len)
	{
		if (nl_type(a) == SLUICE_ATTR_CAMERA)
			memcpy(&answered_index, nl_data(a), sizeof(answered_index));
	}
}

/* Error texts of a message that came back are read by nl.c; so is the end of a dump. */
static int run_plain(struct nlmsghdr *h)
{
	return nl_run(&nl, h, note_camera, NULL);
}

static void detach(uint32_t index)
{
	struct nlmsghdr *h = nl_begin(&nl, SLUICE_CMD_DETACH, 0);

	nl_put_u32(h, SLUICE_ATTR_CAMERA, index);
	if (run_plain(h))
		complain(h, -1, "what was attached cannot be detached");
}

/*
 * Send len bytes at h; a ping behind it says when to stop waiting. Returns 0, a negative errno, or
 * NO_ANSWER.
 */
static int ask(const struct nlmsghdr *h, size_t len)
{
	static char ping_bytes[NLMSG_HDRLEN + GENL_HDRLEN], in[65536];
	struct nlmsghdr *ping = (struct nlmsghdr *)ping_bytes;
	int rc = NO_ANSWER;
	char text[sizeof(nl.error)] = "";

	memset(ping_bytes, 0, sizeof(ping_bytes));
	ping->nlmsg_len = sizeof(ping_bytes);
	ping->nlmsg_type = GENL_ID_CTRL;
	ping->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ping->nlmsg_seq = 0xfffffff0;
	((struct genlmsghdr *)NLMSG_DATA(ping))->cmd = CTRL_CMD_GETFAMILY;
	sent++;
	nl.error[0] = '\0';
	if (send(nl.fd, h, len, 0) < 0 || send(nl.fd, ping, ping->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(nl.fd, in, sizeof(in), 0);

		if (got < 0)
			return -errno;
		for (struct nlmsghdr *m = (struct nlmsghdr *)in; NLMSG_OK(m, (size_t)got);
		     m = NLMSG_NEXT(m, got)) {
			if (m->nlmsg_seq == ping->nlmsg_seq && m->nlmsg_type == NLMSG_ERROR) {
				memcpy(nl.error, text, sizeof(text));
				return rc;
			}
			if (m->nlmsg_type == NLMSG_DONE && rc == NO_ANSWER)
				rc = 0;
			if (m->nlmsg_type == NLMSG_ERROR && rc == NO_ANSWER) {
				rc = nl_ack(&nl, m);
				memcpy(text, nl.error, sizeof(text));
			}
			if (m->nlmsg_type == nl.family)
				note_camera(NULL,
					    (struct nlattr *)((char *)NLMSG_DATA(m) + GENL_HDRLEN),
					    m->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, NULL);
		}
	}
}

static bool known_error(int rc)
{
	static const int known[] = { EINVAL, ERANGE, EOPNOTSUPP, ENODEV,   EBADF, ENOTTY,
				     EEXIST, ESTALE, EACCES,	 EMSGSIZE, EBUSY, EPERM };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (rc == -known[i])
			return true;
	}
	return false;
}

/* Send it; must: it has to be refused; coarse: by the core, before our code could give a text. */
static void probe(struct nlmsghdr *h, bool must, bool coarse, const char *why)
{
	const struct genlmsghdr *g = NLMSG_DATA(h);
	int rc = ask(h, h->nlmsg_len);

	accepted += !rc;
	refused += rc < 0;
	if (must && rc >= 0)
		complain(h, rc, why);
	if (rc == NO_ANSWER && !must)
		complain(h, rc, "no answer");
	if (rc < 0 && !known_error(rc))
		complain(h, rc, "undocumented error");
	if (rc < 0 && !coarse && !nl.error[0])
		complain(h, rc, "refused without a text");
	if (!rc && g->cmd == SLUICE_CMD_ATTACH && answered_index)
		detach(answered_index);
}

/* What makes the request valid apart from attribute but (0: nothing is left out). */
static void put_base(struct nlmsghdr *h, uint8_t cmd, uint16_t but)
{
	bool named = cmd != SLUICE_CMD_ATTACH;

	if (named && but != SLUICE_ATTR_CAMERA)
		nl_put_u32(h, SLUICE_ATTR_CAMERA, cmd == SLUICE_CMD_DETACH ? FREE : 0);
	if (cmd == SLUICE_CMD_ATTACH && but != SLUICE_ATTR_FD)
		nl_put_u32(h, SLUICE_ATTR_FD, (uint32_t)node);
	if (cmd == SLUICE_CMD_ATTACH && but != SLUICE_ATTR_MODE)
		nl_put_u32(h, SLUICE_ATTR_MODE, SLUICE_MODE_TAP);
	if (cmd == SLUICE_CMD_SET && but != SLUICE_ATTR_SETTINGS) {
		struct nlattr *nest = nl_nest(h, SLUICE_ATTR_SETTINGS);

		nl_put_u32(h, SLUICE_SETTING_POSTROLL_MS, 5000);
		nl_nest_end(h, nest);
	}
	if (cmd == SLUICE_CMD_MASK && but != SLUICE_ATTR_THRESHOLDS)
		nl_put(h, SLUICE_ATTR_THRESHOLDS, "", 0);
}

static struct nlmsghdr *begin(uint8_t cmd, uint16_t but)
{
	struct nlmsghdr *h = nl_begin(&nl, cmd, 0);

	put_base(h, cmd, but);
	return h;
}

static struct nlattr *last_attr(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	nl_put(h, type, data, len);
	return a;
}

/* Wrong payload sizes of attribute type, which cmd takes as what says (type 0: not at all). */
static void walk_sizes(uint8_t cmd, uint16_t type, const struct policy_attr *what)
{
	static const uint32_t sizes[] = { 0,  1,  2,  3,  4,  5,   7,	 8,	9,
					  16, 31, 32, 33, 64, 600, 4800, 16384, 60000 };
	static char fill[3][60000];
	uint32_t size = policy_size(what->type);

	memset(fill[1], 0xff, sizeof(fill[1]));
	memset(fill[2], 'x', sizeof(fill[2]));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		bool must = !what->type || (size && size != sizes[i]) ||
			    sizes[i] > what->max_length + 1ull || sizes[i] < what->min_length;

		/* The name of camera 0 would be one for DETACH: it is not made of these. */
		for (int f = 0; f < 3; f++) {
			struct nlmsghdr *h = begin(cmd, type);

			if (cmd == SLUICE_CMD_DETACH && type == SLUICE_ATTR_CAMERA && sizes[i] == 4)
				continue;
			nl_put(h, type, fill[f], sizes[i]);
			probe(h, must, false, "size");
		}
	}
}

/* Values at and beyond the ends of the range. */
static void walk_values(uint8_t cmd, uint16_t type, const struct policy_attr *what)
{
	uint32_t size = policy_size(what->type);
	bool is_signed = what->type >= NL_ATTR_TYPE_S8 && what->type <= NL_ATTR_TYPE_S64;
	const uint64_t values[] = { 0,
				    1,
				    2,
				    what->min,
				    what->min - 1,
				    what->max,
				    what->max + 1,
				    0x7fffffff,
				    0x80000000,
				    0xffffffff,
				    1ull << 63,
				    ~0ull };

	if (!size)
		return;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint64_t v = size == 4 ? (uint32_t)values[i] : values[i];
		bool must = is_signed ? (int32_t)v < what->smin : v < what->min || v > what->max;
		struct nlmsghdr *h = begin(cmd, type);

		if (cmd == SLUICE_CMD_DETACH && type == SLUICE_ATTR_CAMERA && !v)
			continue;
		nl_put(h, type, &v, size);
		probe(h, must, false, "value");
	}
}

/* Flags, lengths that lie, twice the same, nests in nests. */
static void walk_shape(uint8_t cmd, uint16_t type, const struct policy_attr *what)
{
	uint32_t size = policy_size(what->type), one = FREE;
	bool nest = what->type == NL_ATTR_TYPE_NESTED;
	struct nlattr *a, *inner[24];
	struct nlmsghdr *h;

	for (int i = 0; i < 3; i++) {
		static const uint16_t flag[] = { NLA_F_NESTED, NLA_F_NET_BYTEORDER,
						 NLA_F_NESTED | NLA_F_NET_BYTEORDER };

		h = begin(cmd, type);
		nl_put(h, type | flag[i], &one, size ? size : 4);
		/* Flags are judged only where there is a policy; a nest wants its flag. */
		probe(h, !what->type || (nest && i == 1), false, "flags");
	}
	for (uint16_t lie = 0; lie < NLA_HDRLEN; lie++) {
		h = begin(cmd, type);
		a = last_attr(h, type, &one, 4);
		a->nla_len = lie;
		probe(h, true, false, "attribute shorter than its header");
	}
	for (uint16_t lie = 9; lie < 4000; lie = (uint16_t)(lie * 3)) {
		h = begin(cmd, type);
		a = last_attr(h, type, &one, 4);
		a->nla_len = lie;
		probe(h, true, false, "attribute longer than its message");
	}
	h = begin(cmd, type);
	nl_put(h, type, &one, size ? size : 4);
	nl_put(h, type, &one, size ? size : 4);
	probe(h, !what->type, false, "twice");
	h = begin(cmd, type);
	for (int i = 0; i < 24; i++)
		inner[i] = nl_nest(h, i ? SLUICE_SETTING_PRESET : type);
	for (int i = 24; i--;)
		nl_nest_end(h, inner[i]);
	probe(h, !what->type || nest || size, false, "nests in nests");
}

/* The settings: each number, wrong in each way, inside the right nest. */
static void walk_settings(uint8_t cmd)
{
	static const uint32_t sizes[] = { 0, 1, 3, 5, 8, 400 };
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	static const char fill[400];

	for (uint16_t id = 0; id <= SLUICE_SETTING_MAX + 2; id++) {
		bool unknown = id <= SLUICE_SETTING_VERSION || id > SLUICE_SETTING_MAX;

		for (size_t i = 0; i < 6 + 5 + 2; i++) {
			struct nlmsghdr *h = begin(cmd, SLUICE_ATTR_SETTINGS);
			struct nlattr *nest = nl_nest(h, SLUICE_ATTR_SETTINGS), *a;
			bool must = unknown || i < 6;

			if (i < 6) {
				nl_put(h, id, fill, sizes[i]);
			} else if (i < 11) {
				nl_put_u32(h, id, values[i - 6]);
				must |= values[i - 6] > 86400000;
			} else {
				a = last_attr(h, id, fill, 4);
				a->nla_len = i == 11 ? 3 : 77;
				must = true;
			}
			nl_nest_end(h, nest);
			probe(h, must, false, "setting");
		}
	}
}

/* Headers: version, reserved words, flags, lengths; commands that do not exist. */
static void walk_headers(void)
{
	for (int cmd = 0; cmd < 256; cmd++) {
		bool known = cmd >= SLUICE_CMD_GET && cmd <= SLUICE_CMD_SNAPSHOT;
		struct nlmsghdr *h;

		if (!known) {
			h = nl_begin(&nl, (uint8_t)cmd, 0);
			probe(h, true, true, "no such command");
			continue;
		}
		for (int version = 0; version < 256; version += 51) {
			h = begin((uint8_t)cmd, 0);
			((struct genlmsghdr *)NLMSG_DATA(h))->version = (uint8_t)version;
			probe(h, false, false, "version");
		}
		h = begin((uint8_t)cmd, 0);
		((struct genlmsghdr *)NLMSG_DATA(h))->reserved = 7;
		probe(h, true, true, "reserved word");
		h = begin((uint8_t)cmd, 0);
		h->nlmsg_flags |= NLM_F_DUMP;
		probe(h, true, true, "dump");
		h = nl_begin(&nl, (uint8_t)cmd, 0);
		probe(h, true, false, "nothing in it");
		for (uint32_t len = 0; len < NLMSG_LENGTH(GENL_HDRLEN); len++) {
			h = nl_begin(&nl, (uint8_t)cmd, 0);
			h->nlmsg_len = len;
			sent++;
			/* Shorter than a header: dropped; shorter than ours: EINVAL. */
			if (ask(h, NLMSG_LENGTH(GENL_HDRLEN)) == 0)
				complain(h, 0, "message shorter than its headers");
		}
		h = begin((uint8_t)cmd, 0);
		h->nlmsg_len += 4000;
		if (ask(h, h->nlmsg_len - 4000) == 0)
			complain(h, 0, "message longer than what was sent");
	}
}

static void walk(void)
{
	static const struct policy_attr none = { .max_length = UINT32_MAX, .nested = -1 };

	for (uint8_t cmd = SLUICE_CMD_GET; cmd <= SLUICE_CMD_SNAPSHOT; cmd++) {
		for (uint16_t type = 0; type <= SLUICE_ATTR_MAX + 3; type++) {
			const struct policy_attr *what = &none;

			if (type < ATTRS && policy.of[policy.doit[cmd]][type].type)
				what = &policy.of[policy.doit[cmd]][type];
			walk_sizes(cmd, type, what);
			walk_values(cmd, type, what);
			walk_shape(cmd, type, what);
		}
		if (cmd == SLUICE_CMD_ATTACH || cmd == SLUICE_CMD_SET)
			walk_settings(cmd);
	}
	walk_headers();
}

static void put_random(struct nlmsghdr *h, int depth)
{
	static unsigned char bytes[6000];
	uint16_t type = (uint16_t)draw(SLUICE_ATTR_MAX + 4);
	uint32_t len = draw(4) ? 4 : draw(8) ? draw(40) : draw(sizeof(bytes));

	if (!draw(3))
		type = SLUICE_ATTR_SETTINGS;
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = draw(3) ? 0 : (unsigned char)draw(256);
	if (depth < 6 && !draw(4)) {
		struct nlattr *nest = nl_nest(h, type);

		for (uint32_t n = draw(5); n--;)
			put_random(h, depth + 1);
		nl_nest_end(h, nest);
		return;
	}
	nl_put(h, type | (draw(8) ? 0 : (uint16_t)(draw(4) << 14)), bytes, len);
}

/* DETACH is never drawn: it could hit camera 0. */
static void random_requests(uint32_t count)
{
	static const uint8_t cmds[] = { SLUICE_CMD_GET, SLUICE_CMD_ATTACH, SLUICE_CMD_SET,
					SLUICE_CMD_MASK, SLUICE_CMD_SNAPSHOT };

	while (count--) {
		uint8_t cmd = cmds[draw(sizeof(cmds))];
		struct nlmsghdr *h = begin(cmd, draw(2) ? 0 : (uint16_t)draw(SLUICE_ATTR_MAX));

		if (draw(3)) {
			for (uint32_t n = draw(4); n--;)
				put_random(h, 0);
		} else if (h->nlmsg_len > NLMSG_LENGTH(GENL_HDRLEN)) {
			uint32_t first = NLMSG_LENGTH(GENL_HDRLEN);

			for (uint32_t n = 1 + draw(8); n--;)
				nl.buf[first + draw(h->nlmsg_len - first)] ^= (char)(1 << draw(8));
		}
		probe(h, false, false, "random");
	}
}

static void must_be_refused(const char *who, int want)
{
	for (uint8_t cmd = SLUICE_CMD_ATTACH; cmd <= SLUICE_CMD_SNAPSHOT; cmd++) {
		struct nlmsghdr *h = begin(cmd, 0);
		int rc = run_plain(h);

		if (rc != want)
			complain(h, rc, who);
	}
	if (!setsockopt(nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl.group, sizeof(nl.group)))
		complain(nl_begin(&nl, 0, 0), 0, "joined the group");
}

/* $who in a child of its own; returns its count of wrong things. */
static int in_child(void (*what)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		what();
		fflush(stdout);
		_exit(wrong != 0);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

static void as_user(void)
{
	if (setuid(1000) || nl_open(&nl, SLUICE_GENL_NAME, SLUICE_GENL_GROUP))
		_exit(9);
	must_be_refused("as uid 1000", -EPERM);
	if (run_plain(nl_begin(&nl, SLUICE_CMD_GET, NLM_F_DUMP)))
		complain((struct nlmsghdr *)nl.buf, -1, "anybody may look");
}

/* All capabilities, but in a user namespace of its own. */
static void as_namespace_root(void)
{
	if (setuid(1000) || unshare(CLONE_NEWUSER) ||
	    nl_open(&nl, SLUICE_GENL_NAME, SLUICE_GENL_GROUP))
		_exit(9);
	must_be_refused("root of a user namespace", -EPERM);
}

/* In a network namespace of its own the family does not exist. */
static void as_network_root(void)
{
	int rc;

	if (setuid(1000) || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		_exit(9);
	rc = nl_open(&nl, SLUICE_GENL_NAME, SLUICE_GENL_GROUP);
	if (rc != -ENOENT)
		complain((struct nlmsghdr *)nl.buf, rc, "the family exists in a network namespace");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "may"))
		return in_child(as_user) | in_child(as_namespace_root) | in_child(as_network_root);
	if (nl_open(&nl, SLUICE_GENL_NAME, SLUICE_GENL_GROUP) || policy_read(&nl, &policy)) {
		printf("no family, or no policy: is the module loaded?\n");
		return 1;
	}
	if (argc > 2)
		node = open(argv[2], O_RDWR | O_NONBLOCK);
	if (!strcmp(what, "policy")) {
		policy_print(&policy);
		return 0;
	} else if (!strcmp(what, "walk") && node >= 0) {
		walk();
	} else if (!strcmp(what, "random") && node >= 0 && argc == 5) {
		seed = (uint32_t)strtoul(argv[3], NULL, 10) | 1;
		random_requests((uint32_t)strtoul(argv[4], NULL, 10));
	} else {
		fprintf(stderr, "usage: netfuzz policy | may | walk NODE | random NODE SEED N\n");
		return 2;
	}
	printf("sent=%u\naccepted=%u\nrefused=%u\nwrong=%u\n", sent, accepted, refused, wrong);
	return wrong != 0;
}
