// SPDX-License-Identifier: MIT
/*
 * ringattack.c - a reader that writes nonsense into every word that it can reach, while the camera
 * streams, from several threads.
 *
 *	ringattack NODE SECONDS SEED [arena]
 * Tails that go back, run ahead, jump by 2^63, or are right; wake marks of all sorts; flags, heads,
 * ledger and reserved words of the control page; with arena the frames as well, through the
 *writable map. In between the ring is polled, and closed and opened again. What must hold is for
 *others to see: netlink's ledger, the kernel's log, the next honest reader. Exit 1 if the ring
 *cannot be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sluice/ring.h>

#define THREADS 3

struct attack {
	struct sluice_ring_ctrl *ctrl;
	uint8_t *arena; /* NULL: not asked for */
	uint64_t arena_bytes;
	uint32_t seed;
	int stop;
	uint64_t writes;
};

static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static uint64_t nasty(uint32_t *seed, uint64_t head)
{
	switch (draw(seed) % 10) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << 63;
	case 3:
		return head + 1;
	case 4:
		return head - 1;
	case 5:
		return head + (1ull << 32);
	case 6:
		return (uint64_t)draw(seed) << 32 | draw(seed);
	case 7:
		return head - draw(seed) % 64;
	default:
		return head; /* all is released: the stream goes on */
	}
}

static void *spoil(void *arg)
{
	struct attack *a = arg;
	uint32_t seed = __atomic_add_fetch(&a->seed, 0x9e3779b9, __ATOMIC_RELAXED) | 1;

	while (!__atomic_load_n(&a->stop, __ATOMIC_RELAXED)) {
		struct sluice_ring_ctrl *c = a->ctrl;
		uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE);
		uint64_t *words = (uint64_t *)c;

		__atomic_store_n(&c->tail, nasty(&seed, head), __ATOMIC_RELEASE);
		__atomic_store_n(&c->wake_mark, nasty(&seed, head), __ATOMIC_SEQ_CST);
		if (!(draw(&seed) % 4))
			__atomic_store_n(&words[draw(&seed) % (sizeof(*c) / 8)], nasty(&seed, head),
					 __ATOMIC_RELAXED);
		if (a->arena)
			a->arena[draw(&seed) % a->arena_bytes] = (uint8_t)draw(&seed);
		__atomic_add_fetch(&a->writes, 3, __ATOMIC_RELAXED);
		if (!(draw(&seed) % 64))
			sched_yield();
	}
	return NULL;
}

/* One life of the reader. */
static int round_of(const char *node, uint32_t seed, int with_arena, uint64_t *writes)
{
	struct attack a = { .seed = seed };
	pthread_t thread[THREADS];
	int fd = open(node, O_RDWR), bad = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0) {
		printf("cannot open %s: %s\n", node, strerror(errno));
		return 1;
	}
	a.ctrl = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, SLUICE_RING_MAP_CTRL);
	if (a.ctrl == MAP_FAILED)
		return 1;
	a.arena_bytes = a.ctrl->arena_bytes;
	if (a.ctrl->magic != SLUICE_RING_MAGIC || a.ctrl->version != SLUICE_RING_VERSION ||
	    !a.arena_bytes || a.arena_bytes > SLUICE_RING_ARENA_MAX) {
		printf("the words of the reader before are still there\n");
		bad = 1;
	}
	if (with_arena && !bad) {
		a.arena = mmap(NULL, a.arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			       SLUICE_RING_MAP_ARENA);
		if (a.arena == MAP_FAILED) {
			printf("no writable arena: %s\n", strerror(errno));
			return 1;
		}
	}
	for (int i = 0; i < THREADS; i++)
		bad |= pthread_create(&thread[i], NULL, spoil, &a);
	for (int i = 0; i < 30; i++) {
		struct timespec t = { .tv_nsec = 30000000 };

		poll(&p, 1, 30);
		nanosleep(&t, NULL); /* poll may answer at once, always */
	}
	__atomic_store_n(&a.stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	*writes += a.writes;
	munmap(a.ctrl, 4096);
	if (a.arena)
		munmap(a.arena, a.arena_bytes);
	close(fd);
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t writes = 0;
	time_t end;
	uint32_t seed;
	int bad = 0, rounds = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: ringattack NODE SECONDS SEED [arena]\n");
		return 2;
	}
	end = time(NULL) + strtol(argv[2], NULL, 10);
	seed = (uint32_t)strtoul(argv[3], NULL, 10);
	while (!bad && time(NULL) < end)
		bad = round_of(argv[1], seed + (uint32_t)rounds++, argc > 4, &writes);
	printf("rounds=%d\nwrites=%llu\nwrong=%d\n", rounds, (unsigned long long)writes, bad);
	return bad;
}
