// SPDX-License-Identifier: MIT
/*
 * listen.c - listeners, and who is let in from them. All of it is before the first byte: an address
 * that is not a proxy's where only proxies come, a node that is full, an address that has enough or
 * comes too often. What is refused is closed without a word; /metrics counts it by its reason.
 *
 * On a listener for proxies the proxy's own address is not held against the limits: many clients
 * come from there. Those of a PROXY head are, once it was read (http.c).
 */
#include "cloud/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cloud/conf.h"
#include "cloud/server.h"
#include "lib/log.h"

#define OTHER_FILES 256 /* data bases, segments being read, ... */

static enum sluice_refusal judge(struct sluice_server *s, struct sluice_arrival *a)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);

	if (sluice_loops_clients(s) >= s->connections_max)
		return SLUICE_REFUSED_TOTAL;
	if (getpeername(a->fd, (struct sockaddr *)&from, &len))
		return SLUICE_WELCOME; /* it is gone again, as will be seen */
	if (a->listener->kind != SLUICE_LISTEN_DIRECT)
		return sluice_prefixes_hold(&s->proxies, (struct sockaddr *)&from)
			       ? SLUICE_WELCOME
			       : SLUICE_REFUSED_PROXY;
	return sluice_door_enter(s->door, (struct sockaddr *)&from, sluice_io_now(s->loops[0].io),
				 &a->place);
}

static void on_accept(void *arg, int fd)
{
	struct sluice_listener *l = arg;
	struct sluice_server *s = l->server;
	struct sluice_arrival a = { .fd = fd, .listener = l };
	enum sluice_refusal r;

	if (s->stopping) {
		close(fd);
		return;
	}
	r = judge(s, &a);
	if (r) {
		sluice_count_refusal(&s->counters, r);
		close(fd);
		return;
	}
	sluice_count(&s->counters, SLUICE_N_ACCEPTED, 1);
	sluice_loops_take(s, &a);
}

int sluice_listen_address(const char *text, struct sockaddr_storage *addr, socklen_t *len)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':');
	struct addrinfo *found;
	char host[256];
	size_t n;

	if (!colon || !colon[1])
		return -EINVAL;
	n = (size_t)(colon - text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = 0;
	if (getaddrinfo(n ? host : NULL, colon + 1, &hints, &found))
		return -EINVAL;
	memcpy(addr, found->ai_addr, found->ai_addrlen);
	*len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* Whole or not at all: whoever waits for the file reads a whole number. */
static int write_port(const char *file, const char *kind, uint16_t port)
{
	char path[4096], part[4200];
	FILE *f;
	int bad;

	if (!file)
		return 0;
	snprintf(path, sizeof(path), "%s%s", file, kind);
	snprintf(part, sizeof(part), "%s.part", path);
	f = fopen(part, "we");
	bad = !f || fprintf(f, "%u\n", port) < 0;
	if (f)
		bad |= fclose(f);
	if (!bad && !rename(part, path))
		return 0;
	sluice_error("cannot write %s: %s", path, strerror(errno));
	return errno ? -errno : -EIO;
}

static int start_listener(struct sluice_server *s, enum sluice_listen_kind kind, const char *at)
{
	static const char *const ends[] = { "", ".proxied", ".terminated" };
	struct sluice_listener *l = &s->listener[kind];
	struct sockaddr_storage addr;
	socklen_t len;
	int err = sluice_listen_address(at, &addr, &len);

	l->server = s;
	l->kind = kind;
	if (err) {
		sluice_error("'%s' is not ADDRESS:PORT", at);
		return err;
	}
	l->io = sluice_io_listen(s->loops[0].io, (struct sockaddr *)&addr, len, on_accept, l, &err);
	if (!l->io) {
		sluice_error("cannot listen on %s: %s", at, strerror(-err));
		return err;
	}
	l->port = sluice_io_listener_port(l->io);
	return write_port(s->c.port_file, ends[kind], l->port);
}

/* The certificates that proxies may show, and no others. */
static int open_terminated(struct sluice_server *s)
{
	char cert[4096], key[4096], why[512];
	const struct sluice_tls_config c = { .server = true,
					     .cert = cert,
					     .key = key,
					     .ca = s->c.conf->proxy.certificate,
					     .pinned = true };
	struct sluice_listener *l = &s->listener[SLUICE_LISTEN_TERMINATED];
	int err;

	snprintf(cert, sizeof(cert), "%s/server.crt", s->c.data);
	snprintf(key, sizeof(key), "%s/server.key", s->c.data);
	l->tls = sluice_tls_ctx_open(&c, &err, why, sizeof(why));
	if (!l->tls)
		sluice_error("%s", why);
	return l->tls ? 0 : err;
}

static int check_proxy(struct sluice_server *s)
{
	const struct sluice_cloud_conf *c = s->c.conf;
	char bad[48];

	if (sluice_prefixes_read(c->proxy.from, &s->proxies, bad)) {
		sluice_error("[proxy] from: '%s' is not ADDRESS or ADDRESS/BITS", bad);
		return -EINVAL;
	}
	if ((c->proxy.listen[0] || c->proxy.terminated[0]) && !s->proxies.count) {
		sluice_error("[proxy] from is missing: the addresses that proxies come from");
		return -EINVAL;
	}
	if (c->proxy.terminated[0] && !c->proxy.certificate[0]) {
		sluice_error("[proxy] certificate is missing: the file with the proxies' own");
		return -EINVAL;
	}
	return 0;
}

/* As many connections as was said, or as there are descriptors for. */
static unsigned int count_connections(unsigned int wanted)
{
	struct rlimit r;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur == RLIM_INFINITY)
		return wanted;
	most = r.rlim_cur > 2 * OTHER_FILES ? (r.rlim_cur - OTHER_FILES) / 2 : r.rlim_cur / 4;
	if (most >= wanted)
		return wanted;
	sluice_warning("at most %llu connections (of %u in [limits]): the limit of open files is "
		       "%llu",
		       (unsigned long long)most, wanted, (unsigned long long)r.rlim_cur);
	return (unsigned int)most;
}

int sluice_listen_open(struct sluice_server *s)
{
	const struct sluice_cloud_conf *c = s->c.conf;
	const struct sluice_door_limits limits = { c->limits.connections_per_address,
						   c->limits.rate, c->limits.burst };
	int err = check_proxy(s);

	if (err)
		return err;
	s->connections_max = count_connections(c->limits.connections);
	s->door = sluice_door_open(&limits);
	if (!s->door)
		return -ENOMEM;
	if (c->proxy.listen[0])
		err = start_listener(s, SLUICE_LISTEN_PROXIED, c->proxy.listen);
	if (!err && c->proxy.terminated[0]) {
		err = open_terminated(s);
		if (!err)
			err = start_listener(s, SLUICE_LISTEN_TERMINATED, c->proxy.terminated);
	}
	if (!err)
		err = start_listener(s, SLUICE_LISTEN_DIRECT, s->c.listen);
	if (!err)
		s->port = s->listener[SLUICE_LISTEN_DIRECT].port;
	return err;
}

void sluice_listen_stop(struct sluice_server *s)
{
	int i;

	for (i = 0; i < SLUICE_LISTENERS; i++) {
		sluice_io_unlisten(s->listener[i].io);
		s->listener[i].io = NULL;
	}
}

void sluice_listen_close(struct sluice_server *s)
{
	int i;

	for (i = 0; i < SLUICE_LISTENERS; i++)
		sluice_tls_ctx_close(s->listener[i].tls);
}
