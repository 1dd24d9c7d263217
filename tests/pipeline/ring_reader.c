// SPDX-License-Identifier: MIT
/*
 * usage: ring_reader SOCKET [--slow MS] [--stop-after N] [--hold] [--hostile] [--records FILE]
 *
 * Takes sluice-feed's ring (lib/feed.h) and reads it as a relay would, checking every record and
 * the control page. Prints one line at the end, of name=value words. Exit 0 if all held, 1 if not,
 * 3 if the feed had another reader.
 *
 *	--slow MS       wait before each record is released
 *	--stop-after N  leave after N records, as a reader that dies does
 *	--hold          release nothing until the end of the stream
 *	--hostile       write nonsense into the reader's words now and then, and leave
 *	--records FILE  append "sequence reason" of each released record
 */
#include "lib/feed.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TRIES 500 /* 20 ms each */

struct reader {
	int sock, memfd, wakefd;
	struct sluice_ring_ctrl *ctrl;
	const struct sluice_ring_desc *desc;
	const uint8_t *arena;
	uint32_t desc_count;
	uint64_t arena_bytes, tail, records, bytes;
	uint64_t epoch, next_sequence;
	uint64_t told; /* dropped and lost, as the records tell */
	FILE *log;
	int failures;
};

#define HOLDS(r, cond)                                                              \
	do {                                                                        \
		if (!(cond) && ++(r)->failures < 10)                                \
			fprintf(stderr, "ring_reader: does not hold: %s\n", #cond); \
	} while (0)

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int connect_feed(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int i, fd;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	for (i = 0; i < CONNECT_TRIES; i++) {
		fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (!connect(fd, (void *)&a, sizeof(a)))
			return fd;
		close(fd);
		sleep_ms(20);
	}
	fprintf(stderr, "ring_reader: nobody listens at %s\n", path);
	exit(1);
}

/* Returns the hello's status. */
static uint32_t take_ring(struct reader *r)
{
	struct sluice_feed_hello hello;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SLUICE_FEED_FDS * sizeof(int))];
	} control;
	struct iovec iov = { &hello, sizeof(hello) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fds[SLUICE_FEED_FDS];

	if (recvmsg(r->sock, &m, 0) != sizeof(hello) || hello.magic != SLUICE_FEED_MAGIC ||
	    hello.version != SLUICE_FEED_VERSION) {
		fputs("ring_reader: no hello\n", stderr);
		exit(1);
	}
	if (hello.status)
		return hello.status;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_len != CMSG_LEN(sizeof(fds))) {
		fputs("ring_reader: no descriptors\n", stderr);
		exit(1);
	}
	memcpy(fds, CMSG_DATA(c), sizeof(fds));
	r->memfd = fds[0];
	r->wakefd = fds[1];
	r->ctrl = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->memfd,
		       SLUICE_RING_MAP_CTRL);
	HOLDS(r, r->ctrl->magic == SLUICE_RING_MAGIC && r->ctrl->version == SLUICE_RING_VERSION);
	HOLDS(r, r->ctrl->arena_bytes + SLUICE_RING_MAP_ARENA == hello.size);
	HOLDS(r, !strcmp(r->ctrl->name, hello.name));
	r->desc_count = r->ctrl->desc_count;
	r->arena_bytes = r->ctrl->arena_bytes;
	r->tail = r->ctrl->tail;
	r->desc = mmap(NULL, r->desc_count * sizeof(*r->desc), PROT_READ, MAP_SHARED, r->memfd,
		       SLUICE_RING_MAP_DESC);
	r->arena =
		mmap(NULL, r->arena_bytes, PROT_READ, MAP_SHARED, r->memfd, SLUICE_RING_MAP_ARENA);
	if (r->desc == MAP_FAILED || r->arena == MAP_FAILED) {
		perror("ring_reader: mmap");
		exit(1);
	}
	return 0;
}

static void check_record(struct reader *r, const struct sluice_ring_desc *d)
{
	uint64_t sum = 0;
	uint32_t i;

	HOLDS(r, sluice_reason_passes(d->reason));
	HOLDS(r, d->offset + d->size <= r->arena_bytes && d->size > 0);
	HOLDS(r, d->cells + d->cells_size <= r->arena_bytes);
	HOLDS(r, d->cells_size == (d->grid_w * d->grid_h + 7u) / 8);
	if (d->epoch != r->epoch)
		r->next_sequence = 0;
	r->epoch = d->epoch;
	HOLDS(r, d->sequence >= r->next_sequence);
	r->next_sequence = d->sequence + 1;
	for (i = 0; i < d->cells_size; i++)
		sum += r->arena[d->cells + i] != 0;
	if (d->reason == SLUICE_REASON_MOTION)
		HOLDS(r, sum > 0 && d->event > 0);
	if (d->format == ('M' | 'J' << 8 | 'P' << 16 | 'G' << 24))
		HOLDS(r, r->arena[d->offset] == 0xff && r->arena[d->offset + 1] == 0xd8);
	r->told += d->dropped + d->lost;
	r->records++;
	r->bytes += d->size;
	if (r->log)
		fprintf(r->log, "%" PRIu64 " %u\n", (uint64_t)d->sequence, d->reason);
}

/* The ledger words as they stood together (seqlock). */
static void read_ledger(struct reader *r, struct sluice_ring_ctrl *copy)
{
	uint32_t before, after;

	do {
		before = __atomic_load_n(&r->ctrl->changed, __ATOMIC_ACQUIRE);
		memcpy(copy, r->ctrl, sizeof(*copy));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&r->ctrl->changed, __ATOMIC_RELAXED);
	} while (before != after || before & 1);
}

static uint64_t sum_counts(const struct sluice_ring_ctrl *c, unsigned int from, unsigned int to)
{
	uint64_t sum = 0;

	for (; from < to; from++)
		sum += c->count[from];
	return sum;
}

static void check_ledger(struct reader *r, struct sluice_ring_ctrl *c)
{
	read_ledger(r, c);
	HOLDS(r, c->delivered == c->pending + sum_counts(c, 0, SLUICE_REASON_COUNT));
}

static void be_hostile(struct reader *r)
{
	static const uint64_t nonsense[] = { ~0ull, 0, 1ull << 63, 12345678, ~0ull << 32 };
	size_t i;

	for (i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		r->ctrl->tail = nonsense[i];
		r->ctrl->wake_mark = nonsense[i];
		r->ctrl->head = nonsense[i];
		r->ctrl->desc_count = 3;
		sleep_ms(60);
	}
}

static bool wait_for_more(struct reader *r)
{
	struct pollfd p[2] = { { r->wakefd, POLLIN, 0 }, { r->sock, POLLIN, 0 } };
	uint64_t count;

	__atomic_store_n(&r->ctrl->wake_mark, r->tail, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&r->ctrl->head, __ATOMIC_ACQUIRE) != r->tail)
		return true;
	poll(p, 2, 5000);
	if (!p[0].revents && !p[1].revents) {
		fputs("ring_reader: nobody woke me for 5 s\n", stderr);
		exit(1);
	}
	if (p[0].revents && read(r->wakefd, &count, sizeof(count)) < 0)
		return true;
	return !p[1].revents; /* false: the feed has gone */
}

int main(int argc, char **argv)
{
	struct reader r = { 0 };
	uint64_t stop_after = ~0ull;
	struct sluice_ring_ctrl c;
	bool hold = false;
	bool hostile = false;
	long slow = 0;
	uint64_t released;
	int i;

	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--hold"))
			hold = true;
		else if (!strcmp(argv[i], "--hostile"))
			hostile = true;
		else if (!strcmp(argv[i], "--slow") && i + 1 < argc)
			slow = atol(argv[++i]);
		else if (!strcmp(argv[i], "--stop-after") && i + 1 < argc)
			stop_after = (uint64_t)atol(argv[++i]);
		else if (!strcmp(argv[i], "--records") && i + 1 < argc)
			r.log = fopen(argv[++i], "a");
		else
			argc = 0;
	}
	if (argc < 2) {
		fputs("usage: see the head of ring_reader.c\n", stderr);
		exit(2);
	}
	r.sock = connect_feed(argv[1]);
	if (take_ring(&r) == EBUSY)
		return 3;
	released = r.tail;
	while (r.records < stop_after) {
		uint32_t state = __atomic_load_n(&r.ctrl->state, __ATOMIC_ACQUIRE);
		uint64_t head = __atomic_load_n(&r.ctrl->head, __ATOMIC_ACQUIRE);

		if (head == r.tail) {
			if (state & SLUICE_STATE_ENDED)
				break;
			if (!wait_for_more(&r))
				break;
			continue;
		}
		check_record(&r, &r.desc[r.tail & (r.desc_count - 1)]);
		check_ledger(&r, &c);
		if (slow)
			sleep_ms(slow);
		r.tail++;
		if (!hold)
			__atomic_store_n(&r.ctrl->tail, released = r.tail, __ATOMIC_RELEASE);
	}
	if (hostile)
		be_hostile(&r);
	check_ledger(&r, &c);
	printf("records=%" PRIu64 " bytes=%" PRIu64 " told=%" PRIu64 " delivered=%" PRIu64
	       " pending=%" PRIu64 " dropped=%" PRIu64 " passed=%" PRIu64 " lost=%" PRIu64
	       " bytes_passed=%" PRIu64 " bad_tail=%" PRIu64 " state=%u\n",
	       r.records, r.bytes, r.told, (uint64_t)c.delivered, (uint64_t)c.pending,
	       sum_counts(&c, 0, SLUICE_REASON_MOTION),
	       sum_counts(&c, SLUICE_REASON_MOTION, SLUICE_REASON_OVERRUN),
	       sum_counts(&c, SLUICE_REASON_OVERRUN, SLUICE_REASON_COUNT), (uint64_t)c.bytes_passed,
	       (uint64_t)c.bad_tail, c.state);
	if (hold && !hostile)
		__atomic_store_n(&r.ctrl->tail, r.tail, __ATOMIC_RELEASE);
	if (r.log)
		fclose(r.log);
	return r.failures ? 1 : 0;
}
