// SPDX-License-Identifier: MIT
/*
 * gate_feed.c - a feed's gate, at its control socket (lib/feed.h). One connection for each request:
 * they are rare, and the feed may come and go. What it answers is looked at as what any stranger
 * says; a feed that is silent for ANSWER_MS is given up.
 */
#include "lib/feed.h"
#include "relay/gate.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 5000

static int connect_feed(const struct relay_gate *g)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = ANSWER_MS / 1000 };
	int fd, err;

	if (strlen(g->feed) + strlen(SLUICE_FEED_CONTROL) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s%s", g->feed, SLUICE_FEED_CONTROL);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* a connection waits while the backlog is full, a request while nobody takes it */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int exchange(int fd, const void *request, size_t size, struct sluice_feed_answer *a)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
		return errno ? -errno : -EIO;
	if (poll(&p, 1, ANSWER_MS) <= 0)
		return -ETIMEDOUT;
	n = recv(fd, a, sizeof(*a), 0);
	if (n < 0)
		return -errno;
	if (n != sizeof(*a) || a->magic != SLUICE_FEED_REQUEST_MAGIC)
		return -EPROTO;
	a->text[sizeof(a->text) - 1] = 0;
	return -(int)(a->status & 0xfff);
}

static int ask(const struct relay_gate *g, struct sluice_feed_request *r, const uint8_t *map,
	       size_t cells, struct sluice_feed_answer *a, char *why, size_t size)
{
	uint8_t *whole = malloc(sizeof(*r) + cells);
	int fd = whole ? connect_feed(g) : -ENOMEM, err = fd;

	memset(a, 0, sizeof(*a));
	if (fd >= 0) {
		r->magic = SLUICE_FEED_REQUEST_MAGIC;
		r->version = SLUICE_FEED_VERSION;
		memcpy(whole, r, sizeof(*r));
		if (cells)
			memcpy(whole + sizeof(*r), map, cells);
		err = exchange(fd, whole, sizeof(*r) + cells, a);
		close(fd);
	}
	free(whole);
	if (err && a->text[0])
		snprintf(why, size, "%s", a->text);
	else if (err)
		snprintf(why, size, "the feed cannot be asked: %s", strerror(-err));
	return err;
}

static void set_condition(struct sluice_feed_request *r, const uint32_t *if_version)
{
	r->conditional = if_version != NULL;
	r->if_version = if_version ? *if_version : 0;
}

static int read_feed(const struct relay_gate *g, struct relay_gate_state *s, char *why, size_t size)
{
	struct sluice_feed_request r = { .op = SLUICE_FEED_GET };
	struct sluice_feed_answer a;
	int err = ask(g, &r, NULL, 0, &a, why, size);

	if (err)
		return err;
	*s = (struct relay_gate_state){ .width = a.width,
					.height = a.height,
					.grid_w = a.grid_w,
					.grid_h = a.grid_h,
					.map_told = true,
					.map_crc = a.map_crc };
	memcpy(s->setting, a.setting, sizeof(s->setting));
	return 0;
}

static int set_feed(const struct relay_gate *g, const uint32_t *if_version,
		    const struct relay_setting *list, size_t count, uint32_t *version, char *why,
		    size_t size)
{
	struct sluice_feed_request r = { .op = SLUICE_FEED_SET };
	struct sluice_feed_answer a;
	int err;

	set_condition(&r, if_version);
	for (size_t i = 0; i < count; i++) {
		r.present |= 1u << list[i].setting;
		r.setting[list[i].setting] = list[i].value;
	}
	err = ask(g, &r, NULL, 0, &a, why, size);
	*version = a.setting[SLUICE_SETTING_VERSION];
	return err;
}

static int map_feed(const struct relay_gate *g, const uint32_t *if_version, const uint8_t *map,
		    size_t cells, uint32_t *version, char *why, size_t size)
{
	struct sluice_feed_request r = { .op = SLUICE_FEED_MAP };
	struct sluice_feed_answer a;
	int err;

	*version = 0;
	if (cells > SLUICE_FEED_MAP_MAX) {
		snprintf(why, size, "the picture has too many cells for a map");
		return -EMSGSIZE;
	}
	set_condition(&r, if_version);
	err = ask(g, &r, map, cells, &a, why, size);
	*version = a.setting[SLUICE_SETTING_VERSION];
	return err;
}

static int snapshot_feed(const struct relay_gate *g, char *why, size_t size)
{
	struct sluice_feed_request r = { .op = SLUICE_FEED_SNAPSHOT };
	struct sluice_feed_answer a;

	return ask(g, &r, NULL, 0, &a, why, size);
}

const struct relay_gate_ops relay_gate_feed = { read_feed, set_feed, map_feed, snapshot_feed };
