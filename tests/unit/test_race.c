// SPDX-License-Identifier: MIT
/*
 * Happy eyeballs on a clock and a network that are made up here (the io's seam): which address is
 * begun when, who wins, and that nothing that was begun stays open. Times are exact, because they
 * are the test's own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"
#include "lib/race.h"

#define MS	1000000ull
#define HOSTS	24
#define NEVER	UINT32_MAX
#define PENDING 64

/* What the made-up network does with a connection to the n-th address. */
struct host {
	uint32_t after_ms; /* NEVER: black hole */
	int result;
	/* what was seen */
	uint64_t begun_ms;
	int begun, fd;
};

static struct host host[HOSTS];

static struct {
	uint64_t now;
	struct {
		struct sluice_io_request *r;
		uint64_t at;
		int result;
	} pending[PENDING];
	unsigned int count;
	struct sluice_io_request *poll; /* the loop's own wake-up, which never comes */
	bool unpoll;
} net;

static int net_open(void **ctx, const struct sluice_io_config *c, char *why, size_t size)
{
	net.now = 1000000000;
	net.count = 0;
	net.poll = NULL;
	net.unpoll = false;
	return 0;
}

static void net_close(void *ctx)
{
}

static uint64_t net_now(void *ctx)
{
	return net.now;
}

/* The last byte of either family's address is the number of the host. */
static struct host *host_of(const struct sockaddr *a)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;

	return &host[a->sa_family == AF_INET ? ntohl(v4->sin_addr.s_addr) & 255
					     : v6->sin6_addr.s6_addr[15]];
}

static void net_submit(void *ctx, struct sluice_io_request *r)
{
	struct host *h;

	if (r->op == SLUICE_IO_POLL) {
		net.poll = r;
		return;
	}
	CHECK(r->op == SLUICE_IO_CONNECT && net.count < PENDING);
	h = host_of(r->addr);
	h->begun++;
	h->begun_ms = (net.now - 1000000000) / MS;
	h->fd = r->fd;
	net.pending[net.count].r = r;
	net.pending[net.count].result = h->result;
	net.pending[net.count++].at =
		h->after_ms == NEVER ? UINT64_MAX : net.now + h->after_ms * MS;
}

static void net_cancel(void *ctx, struct sluice_io_request *r)
{
	net.unpoll |= r == net.poll;
	for (unsigned int i = 0; i < net.count; i++) {
		if (net.pending[i].r != r)
			continue;
		/* one that is finished already answers as such: the race must close it */
		if (net.pending[i].at > net.now)
			net.pending[i].result = -ECANCELED;
		net.pending[i].at = net.now;
	}
}

static int net_wait(void *ctx, uint64_t until)
{
	unsigned int n = net.count;

	for (unsigned int i = 0; i < n; i++)
		if (net.pending[i].at < until)
			until = net.pending[i].at;
	if (until > net.now && until != UINT64_MAX)
		net.now = until;
	for (unsigned int i = 0; i < n;) {
		struct sluice_io_request *r = net.pending[i].r;
		int result = net.pending[i].result;

		if (net.pending[i].at > net.now) {
			i++;
			continue;
		}
		net.pending[i] = net.pending[--net.count];
		n--;
		r->done(r, result, NULL, false);
	}
	if (net.unpoll) {
		net.unpoll = false;
		net.poll->done(net.poll, -ECANCELED, NULL, false);
	}
	return 0;
}

static const struct sluice_io_backend backend = { net_open,   net_close,  net_now,
						  net_submit, net_cancel, net_wait };
static struct sluice_io *io;

static struct {
	int told, fd;
	uint64_t at_ms;
	char address[96];
} end;

static void on_end(void *arg, int fd, const char *address)
{
	end.told++;
	end.fd = fd;
	end.at_ms = (net.now - 1000000000) / MS;
	snprintf(end.address, sizeof(end.address), "%s", address);
}

/* "6446": families in the resolver's order. */
static struct addrinfo *make_addresses(const char *families)
{
	static struct addrinfo info[HOSTS];
	static struct sockaddr_storage addr[HOSTS];
	size_t n = strlen(families);

	memset(info, 0, sizeof(info));
	memset(addr, 0, sizeof(addr));
	for (size_t i = 0; i < n; i++) {
		struct sockaddr_in *v4 = (void *)&addr[i];
		struct sockaddr_in6 *v6 = (void *)&addr[i];

		if (families[i] == '4') {
			v4->sin_family = AF_INET;
			v4->sin_port = htons(443);
			v4->sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)i);
		} else {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons(443);
			v6->sin6_addr.s6_addr[0] = 0x20;
			v6->sin6_addr.s6_addr[15] = (uint8_t)i;
		}
		info[i].ai_family = addr[i].ss_family;
		info[i].ai_addr = (void *)&addr[i];
		info[i].ai_addrlen = families[i] == '4' ? sizeof(*v4) : sizeof(*v6);
		info[i].ai_next = i + 1 < n ? &info[i + 1] : NULL;
	}
	return info;
}

static bool is_open(int fd)
{
	struct stat st;

	return !fstat(fd, &st);
}

/* Runs a race to its end; every socket but the winner's must be closed then. */
static void run(const char *families)
{
	char why[64];
	int err;

	memset(&end, 0, sizeof(end));
	io = sluice_io_open(&(struct sluice_io_config){ .backend = &backend }, &err, why,
			    sizeof(why));
	CHECK(io && sluice_race_start(io, make_addresses(families), on_end, NULL));
	CHECK(!end.told);
	for (int i = 0; i < 200 && !end.told; i++)
		sluice_io_turn(io, 100);
	for (int i = 0; i < 4; i++)
		sluice_io_turn(io, 0);
	CHECK(end.told == 1);
	CHECK(net.count == 0);
	for (size_t i = 0; i < strlen(families); i++)
		if (host[i].begun && host[i].fd != end.fd)
			CHECK(!is_open(host[i].fd));
	if (end.fd >= 0) {
		CHECK(is_open(end.fd));
		close(end.fd);
	}
	sluice_io_close(io);
}

static void set(unsigned int i, uint32_t after_ms, int result)
{
	host[i] = (struct host){ .after_ms = after_ms, .result = result, .fd = -1 };
}

static void set_all(uint32_t after_ms, int result)
{
	for (unsigned int i = 0; i < HOSTS; i++)
		set(i, after_ms, result);
}

/* The first one answers before the second is due: nobody else is bothered. */
static void test_first_wins(void)
{
	set_all(10, 0);
	set(0, 249, 0);
	run("64");
	CHECK(end.fd >= 0 && end.at_ms == 249 && host[0].begun == 1 && !host[1].begun);
	CHECK(!strcmp(end.address, "2000:: port 443"));
}

/* One millisecond slower, and the other family wins; the slow one is not waited for. */
static void test_stagger(void)
{
	set_all(NEVER, 0);
	set(0, 400, 0);
	set(1, 30, 0);
	run("64");
	CHECK(host[1].begun_ms == 250 && end.at_ms == 280);
	CHECK(!strcmp(end.address, "192.0.2.1 port 443"));
	/* the slow one goes on and may still win */
	set_all(NEVER, 0);
	set(0, 300, 0);
	set(1, 60, 0);
	run("64");
	CHECK(host[1].begun_ms == 250 && end.at_ms == 300);
	CHECK(!strcmp(end.address, "2000:: port 443"));
	/* both in the same turn: one wins, the other is closed (run() looks) */
	set_all(NEVER, 0);
	set(0, 300, 0);
	set(1, 50, 0);
	run("64");
	CHECK(end.fd >= 0 && end.at_ms == 300);
}

/* By turns, however the resolver sorted them; the first one's family first. */
static void test_interleaved(void)
{
	set_all(NEVER, 0);
	set(5, 1, 0);
	run("666644");
	CHECK(host[0].begun_ms == 0 && host[4].begun_ms == 250 && host[1].begun_ms == 500);
	CHECK(host[5].begun_ms == 750 && end.at_ms == 751 && !host[2].begun && !host[3].begun);
	set_all(NEVER, 0);
	set(3, 1, 0);
	run("4446");
	CHECK(host[0].begun_ms == 0 && host[3].begun_ms == 250 && end.at_ms == 251);
}

/* What is refused lets the next begin at once. */
static void test_failures(void)
{
	set_all(5, -ECONNREFUSED);
	set(2, 1, 0);
	run("646");
	CHECK(host[1].begun_ms == 5 && host[2].begun_ms == 10 && end.at_ms == 11 && end.fd >= 0);
	set_all(5, -ECONNREFUSED);
	set(3, 7, -ENETUNREACH);
	run("6464");
	CHECK(end.fd == -ENETUNREACH && end.at_ms == 22);
	/* a black hole is still running when the others have failed: it has its chance */
	set_all(5, -ECONNREFUSED);
	set(0, 900, 0);
	run("64");
	CHECK(end.fd >= 0 && end.at_ms == 900);
}

/* No more than SLUICE_RACE_MAX, whatever a resolver says. */
static void test_bound(void)
{
	int begun = 0;

	set_all(1, -ECONNREFUSED);
	run("666666666666666666666666");
	for (unsigned int i = 0; i < HOSTS; i++)
		begun += host[i].begun;
	CHECK(begun == SLUICE_RACE_MAX && end.fd == -ECONNREFUSED);
}

/* Given up half-way: nobody is told, nothing stays open. */
static void test_cancel(void)
{
	struct sluice_race *r;
	char why[64];
	int err;

	set_all(NEVER, 0);
	memset(&end, 0, sizeof(end));
	io = sluice_io_open(&(struct sluice_io_config){ .backend = &backend }, &err, why,
			    sizeof(why));
	r = sluice_race_start(io, make_addresses("6464"), on_end, NULL);
	while (!host[2].begun)
		sluice_io_turn(io, 100);
	CHECK(!strcmp(sluice_race_address(r), "2000::2 port 443"));
	sluice_race_cancel(r);
	for (int i = 0; i < 4; i++)
		sluice_io_turn(io, 0);
	CHECK(!end.told && !net.count && host[3].begun == 0);
	for (int i = 0; i < 3; i++)
		CHECK(!is_open(host[i].fd));
	sluice_io_close(io);
}

int main(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0) {
		printf("this kernel has no IPv6\n");
		return 77;
	}
	close(fd);
	test_first_wins();
	test_stagger();
	test_interleaved();
	test_failures();
	test_bound();
	test_cancel();
	return check_result();
}
