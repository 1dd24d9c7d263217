// SPDX-License-Identifier: MIT
/*
 * netdump.c - dumps of a list of cameras that changes under them.
 *
 *	netdump NODE SECONDS
 * At least six cameras are attached; NODE is one that is not. A dump comes in pieces. Left
 * alone it is not marked as interrupted; with an attach between two pieces it is. Then dumps race
 * against attach and detach for SECONDS: each ends, names no camera twice, and the interrupted ones
 * are counted. Exit 1 if one of these does not hold.
 */
#include "nl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sluice/control.h>

#define PIECE 8192 /* holds a few cameras */

static struct nl dumper, changer;
static int node;

struct dump {
	unsigned int cameras, pieces;
	uint32_t seen; /* indices, a bit each */
	bool done, interrupted, twice;
};

static void read_piece(struct dump *d)
{
	static char in[PIECE];
	ssize_t got = recv(dumper.fd, in, sizeof(in), MSG_TRUNC);

	d->pieces++;
	if (got < 0 || got > PIECE) {
		printf("wrong: piece of %zd bytes\n", got);
		d->done = true;
		return;
	}
	for (struct nlmsghdr *m = (struct nlmsghdr *)in; NLMSG_OK(m, (size_t)got);
	     m = NLMSG_NEXT(m, got)) {
		const struct nlattr *a = (struct nlattr *)((char *)NLMSG_DATA(m) + GENL_HDRLEN);
		size_t len = m->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
		uint32_t index;

		d->interrupted |= !!(m->nlmsg_flags & NLM_F_DUMP_INTR);
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR) {
			d->done = true;
			return;
		}
		nl_for(a, len)
		{
			if (nl_type(a) != SLUICE_ATTR_CAMERA)
				continue;
			memcpy(&index, nl_data(a), sizeof(index));
			d->twice |= !!(d->seen & 1u << index);
			d->seen |= 1u << index;
			d->cameras++;
		}
	}
}

static void begin_dump(struct dump *d)
{
	struct nlmsghdr *h = nl_begin(&dumper, SLUICE_CMD_GET, NLM_F_DUMP);

	memset(d, 0, sizeof(*d));
	if (send(dumper.fd, h, h->nlmsg_len, 0) < 0)
		d->done = true;
	else
		read_piece(d);
}

static int change(bool attach)
{
	struct nlmsghdr *h = nl_begin(&changer, attach ? SLUICE_CMD_ATTACH : SLUICE_CMD_DETACH, 0);

	if (attach) {
		nl_put_u32(h, SLUICE_ATTR_FD, (uint32_t)node);
		nl_put_u32(h, SLUICE_ATTR_MODE, SLUICE_MODE_TAP);
		nl_put(h, SLUICE_ATTR_NAME, "fickle", 7);
	} else {
		nl_put(h, SLUICE_ATTR_NAME, "fickle", 7);
	}
	return nl_run(&changer, h, NULL, NULL);
}

/* A dump with n changes after its first piece. */
static int one_dump(int changes, bool want)
{
	struct dump d;

	begin_dump(&d);
	if (d.done)
		return printf("wrong: %u cameras come in one piece\n", d.cameras);
	for (int i = 0; i < changes; i++) {
		if (change(!(i & 1)))
			return printf("wrong: change %d: %s\n", i, changer.error);
	}
	while (!d.done)
		read_piece(&d);
	printf("dump of %u cameras in %u pieces, %d changes: %sinterrupted\n", d.cameras, d.pieces,
	       changes, d.interrupted ? "" : "not ");
	return d.interrupted == want && !d.twice ? 0 : printf("wrong: that one\n");
}

static int race(unsigned int seconds)
{
	unsigned int dumps = 0, interrupted = 0, bad = 0;
	time_t end = time(NULL) + (time_t)seconds;
	pid_t child = fork();

	if (!child) {
		/* Sockets of its own: a process that shares one would get the other's answers. */
		if (nl_open(&changer, SLUICE_GENL_NAME, SLUICE_GENL_GROUP))
			_exit(1);
		while (time(NULL) < end) {
			if (change(true) || change(false))
				_exit(1);
		}
		_exit(0);
	}
	while (time(NULL) < end) {
		struct dump d;

		begin_dump(&d);
		while (!d.done)
			read_piece(&d);
		dumps++;
		interrupted += d.interrupted;
		bad += d.twice || d.cameras < 6;
	}
	printf("%u dumps, %u interrupted, %u wrong\n", dumps, interrupted, bad);
	if (waitpid(child, &node, 0) != child || node || !dumps || !interrupted)
		return printf("wrong: no race (child %d)\n", node);
	return (int)bad;
}

/* The kernel makes its pieces as large as any that this socket ever asked for: this one is new. */
static int open_dumper(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };

	dumper.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	dumper.family = changer.family;
	return dumper.fd < 0 ? -1 : bind(dumper.fd, (struct sockaddr *)&addr, sizeof(addr));
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: netdump NODE SECONDS\n");
		return 2;
	}
	node = open(argv[1], O_RDWR | O_NONBLOCK);
	if (node < 0 || nl_open(&changer, SLUICE_GENL_NAME, SLUICE_GENL_GROUP) || open_dumper()) {
		printf("cannot begin: %s\n", strerror(errno));
		return 1;
	}
	return one_dump(0, false) || one_dump(2, true) || one_dump(1, true) || change(false) ||
	       race((unsigned int)strtoul(argv[2], NULL, 10));
}
