// SPDX-License-Identifier: MIT
/*
 * Requests wait in a small table of their process until they are due; wait() never waits, it
 * answers what is due at the world's present moment and notes when the process wants to be woken.
 * Whoever drives the world turns both processes until nothing moves, then lets time pass to the
 * next thing that is due.
 *
 * Connections are pairs of byte queues with a delay, a rate and 64 KiB of room each. Descriptors
 * are real (sockets that are never connected), so that they are unique; close and shutdown are
 * wrapped by the linker and end the simulated ones.
 */
#include "sim.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIPE_ROOM  (64u << 10)
#define CHUNK_MAX  16384u
#define WALL_ZERO  1790000000000000000ll
#define CLOCK_BASE (100 * SIM_S) /* a machine's clock when it starts to run our program */

struct sim_world sim;

int __real_close(int fd);
int __real_shutdown(int fd, int how);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_close(int fd);
int __wrap_shutdown(int fd, int how);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __wrap_getrandom(void *buf, size_t size, unsigned int flags);

/* ---- memory ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool no_memory(void)
{
	if (!sim.at_work || ++sim.allocations != sim.fail_allocation)
		return false;
	sim.faulted = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return no_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return no_memory() ? NULL : __real_realloc(p, size);
}

/* ---- pipes ---- */

static void clear_pipe(struct sim_pipe *p)
{
	while (p->first) {
		struct sim_bytes *b = p->first;

		p->first = b->next;
		free(b);
	}
	p->end = &p->first;
	p->queued = 0;
}

static void push_bytes(struct sim_pipe *p, struct sim_bytes *b)
{
	uint64_t from = p->busy > sim.now ? p->busy : sim.now;

	if (sim.weather.rate)
		from += b->size * SIM_S / sim.weather.rate;
	p->busy = from;
	b->due = from + sim.weather.delay_ns;
	b->next = NULL;
	*p->end = b;
	p->end = &b->next;
	p->queued += b->size;
	p->bytes += b->size;
}

static void push_end(struct sim_pipe *p)
{
	struct sim_bytes *b = __real_calloc(1, sizeof(*b));

	if (!b)
		abort();
	if (!p->ended)
		push_bytes(p, b);
	else
		free(b);
	p->ended = true;
}

/* The connection of a descriptor, and which end of it. */
static struct sim_conn *find_conn(int fd, int *end)
{
	for (int i = 0; i < SIM_CONNS; i++)
		for (*end = 0; *end < 2; ++*end)
			if (sim.conn[i].used && sim.conn[i].fd[*end] == fd)
				return &sim.conn[i];
	return NULL;
}

static void free_conn(struct sim_conn *c)
{
	clear_pipe(&c->pipe[0]);
	clear_pipe(&c->pipe[1]);
	c->used = false;
}

static int new_conn(int fd)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *c = &sim.conn[i];

		if (c->used)
			continue;
		memset(c, 0, sizeof(*c));
		c->used = true;
		c->pipe[0].end = &c->pipe[0].first;
		c->pipe[1].end = &c->pipe[1].first;
		c->fd[0] = fd;
		c->fd[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		return c->fd[1];
	}
	abort();
}

/* ---- the network's weather ---- */

void sim_net_cut(void)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *c = &sim.conn[i];

		if (!c->used || c->reset)
			continue;
		sim.cuts++;
		c->reset = true;
		/* what is before the cut may still be read, on either side */
		for (int d = 0; d < 2; d++)
			if (random_below(2))
				clear_pipe(&c->pipe[d]);
			else if (c->pipe[d].first && c->pipe[d].first->size > 1)
				c->pipe[d].first->size =
					1 + random_below((uint32_t)c->pipe[d].first->size - 1);
	}
}

void sim_net_dark(void)
{
	for (int i = 0; i < SIM_CONNS; i++)
		sim.conn[i].dark = true;
}

void sim_net_half_close(int direction)
{
	for (int i = 0; i < SIM_CONNS; i++)
		if (sim.conn[i].used)
			push_end(&sim.conn[i].pipe[direction]);
}

void sim_net_corrupt(int direction)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_bytes *b = sim.conn[i].used ? sim.conn[i].pipe[direction].first : NULL;

		if (!b || b->at >= b->size)
			continue;
		b->data[b->at + random_below((uint32_t)(b->size - b->at))] ^=
			(uint8_t)(1u << random_below(8));
		sim.conn[i].spoiled = true;
		sim.corrupted++;
	}
}

bool sim_net_spoiled(int fd)
{
	int end;
	const struct sim_conn *c = find_conn(fd, &end);

	return c && (c->spoiled || c->reset);
}

/* ---- requests ---- */

static uint64_t latency(const struct sluice_io_request *r)
{
	switch (r->op) {
	case SLUICE_IO_CONNECT:
		return sim.weather.refuse ? SIM_MS : 2 * sim.weather.delay_ns + SIM_MS;
	case SLUICE_IO_OPEN:
	case SLUICE_IO_READ:
	case SLUICE_IO_WRITE:
	case SLUICE_IO_SYNC:
		return random_below(1 + sim.disk_latency_ms * 1000) * 1000ull;
	default:
		return 0;
	}
}

static void sim_submit(void *ctx, struct sluice_io_request *r)
{
	struct sim_side *s = ctx;

	if (s->count == SIM_PENDING)
		abort();
	s->request[s->count] = r;
	s->cancelled[s->count] = s->dead;
	s->due[s->count++] = sim.now + latency(r);
	if (r->op == SLUICE_IO_ACCEPT)
		sim.accept = r;
}

static void sim_cancel(void *ctx, struct sluice_io_request *r)
{
	struct sim_side *s = ctx;

	for (unsigned int i = 0; i < s->count; i++)
		if (s->request[i] == r)
			s->cancelled[i] = true;
}

/* When request i can be answered. */
static uint64_t ready_at(const struct sim_side *s, unsigned int i)
{
	const struct sluice_io_request *r = s->request[i];
	const struct sim_conn *c;
	int end;

	if (s->cancelled[i])
		return 0;
	switch (r->op) {
	case SLUICE_IO_POLL:
	case SLUICE_IO_ACCEPT:
		return UINT64_MAX;
	case SLUICE_IO_RECV:
		c = find_conn(r->fd, &end);
		if (!c)
			return 0;
		if (c->dark)
			return UINT64_MAX;
		if (c->pipe[!end].first)
			return c->pipe[!end].first->due;
		return c->reset ? 0 : UINT64_MAX;
	case SLUICE_IO_SEND:
		c = find_conn(r->fd, &end);
		if (!c || c->reset)
			return 0;
		return c->pipe[end].queued < PIPE_ROOM ? 0 : UINT64_MAX;
	case SLUICE_IO_CONNECT:
		return sim.weather.lost && !sim.weather.refuse ? UINT64_MAX : s->due[i];
	default:
		return s->due[i];
	}
}

static int do_connect(struct sluice_io_request *r)
{
	int fd;

	if (sim.weather.refuse || !sim.accept)
		return -ECONNREFUSED;
	fd = new_conn(r->fd);
	sim.accept->done(sim.accept, fd, NULL, true);
	return 0;
}

static int do_send(struct sluice_io_request *r, size_t most)
{
	int end;
	struct sim_conn *c = find_conn(r->fd, &end);
	struct sim_pipe *p;
	struct sim_bytes *b;
	size_t room;

	if (!c || c->reset)
		return -ECONNRESET;
	p = &c->pipe[end];
	room = PIPE_ROOM - p->queued < most ? PIPE_ROOM - p->queued : most;
	b = malloc(sizeof(*b) + room);
	if (!b)
		abort();
	*b = (struct sim_bytes){ .size = 0 };
	for (size_t i = 0; i < r->msg.msg_iovlen && b->size < room; i++) {
		const struct iovec *v = &r->msg.msg_iov[i];
		size_t n = v->iov_len < room - b->size ? v->iov_len : room - b->size;

		memcpy(b->data + b->size, v->iov_base, n);
		b->size += n;
	}
	room = b->size;
	if (p->ended) /* into a direction that somebody has closed */
		free(b);
	else
		push_bytes(p, b);
	return (int)room;
}

/* Answers a receive. */
static void do_recv(struct sim_side *s, unsigned int i, struct sluice_io_request *r)
{
	uint8_t chunk[CHUNK_MAX];
	int end;
	struct sim_conn *c = find_conn(r->fd, &end);
	struct sim_bytes *b = c ? c->pipe[!end].first : NULL;
	size_t n = b ? b->size - b->at : 0;

	if (n > CHUNK_MAX)
		n = CHUNK_MAX;
	if (!b || !n) {
		if (b) {
			c->pipe[!end].first = b->next;
			if (!b->next)
				c->pipe[!end].end = &c->pipe[!end].first;
			free(b);
		}
		s->count--;
		memmove(&s->request[i], &s->request[i + 1], (s->count - i) * sizeof(s->request[0]));
		memmove(&s->due[i], &s->due[i + 1], (s->count - i) * sizeof(s->due[0]));
		memmove(&s->cancelled[i], &s->cancelled[i + 1], s->count - i);
		r->done(r, b ? 0 : -ECONNRESET, NULL, false);
		return;
	}
	memcpy(chunk, b->data + b->at, n);
	b->at += n;
	c->pipe[!end].queued -= n;
	if (b->at == b->size) {
		c->pipe[!end].first = b->next;
		if (!b->next)
			c->pipe[!end].end = &c->pipe[!end].first;
		free(b);
	}
	r->done(r, (int)n, chunk, true);
}

/* What goes wrong with the N-th answer; 0: nothing that it could. */
static int fault_of(const struct sluice_io_request *r)
{
	static const int disk[] = { -EIO, -ENOSPC, -EINTR, -EROFS };
	int end;
	struct sim_conn *c = find_conn(r->fd, &end);

	switch (r->op) {
	case SLUICE_IO_CONNECT:
		return sim.fault_at % 2 ? -ECONNREFUSED : -ETIMEDOUT;
	case SLUICE_IO_RECV:
	case SLUICE_IO_SEND:
		if (r->op == SLUICE_IO_SEND && sim.fault_at % 2)
			return 1; /* short */
		if (c)
			c->reset = true;
		return -ECONNRESET;
	case SLUICE_IO_READ:
	case SLUICE_IO_WRITE:
		if (sim.fault_at % 5 == 4)
			return 1; /* short */
		return disk[sim.fault_at % 4];
	default:
		return disk[sim.fault_at % 4];
	}
}

static int do_request(struct sluice_io_request *r, int fault)
{
	switch (r->op) {
	case SLUICE_IO_CONNECT:
		return fault ? fault : do_connect(r);
	case SLUICE_IO_SEND:
		return fault < 0 ? fault : do_send(r, fault ? 1 : SIZE_MAX);
	default:
		return fault < 0 ? fault : sim_disk_do(r, fault ? 1 : 0);
	}
}

static void take_out(struct sim_side *s, unsigned int i)
{
	s->count--;
	for (; i < s->count; i++) {
		s->request[i] = s->request[i + 1];
		s->due[i] = s->due[i + 1];
		s->cancelled[i] = s->cancelled[i + 1];
	}
}

static void answer(struct sim_side *s, unsigned int i)
{
	struct sluice_io_request *r = s->request[i];
	bool at_work = sim.at_work;
	int fault = 0, result;

	if (s->cancelled[i]) {
		if (r == sim.accept)
			sim.accept = NULL;
		take_out(s, i);
		r->done(r, -ECANCELED, NULL, false);
		return;
	}
	if (s == &sim.device && ++sim.answers == sim.fault_at) {
		fault = fault_of(r);
		sim.faulted = true;
		snprintf(sim.fault_what, sizeof(sim.fault_what), "request %d gets %d", (int)r->op,
			 fault);
	}
	if (r->op == SLUICE_IO_RECV && !fault) {
		do_recv(s, i, r);
		return;
	}
	take_out(s, i);
	sim.at_work = false; /* not the device's memory */
	result = r->op == SLUICE_IO_RECV ? fault : do_request(r, fault);
	sim.at_work = at_work;
	r->done(r, result, NULL, false);
}

static int sim_wait(void *ctx, uint64_t until)
{
	struct sim_side *s = ctx;

	s->until = until == UINT64_MAX ? UINT64_MAX : until + s->zero_ns;
	if (!until)
		s->until = sim.now;
	for (unsigned int i = 0; i < s->count;) {
		if (ready_at(s, i) > sim.now) {
			i++;
			continue;
		}
		if (s == &sim.device && sim.die_at && sim.answers + 1 >= sim.die_at) {
			sim.died = true; /* the rest of this turn does nothing */
			return 0;
		}
		s->worked = true;
		answer(s, i);
		i = 0;
	}
	return 0;
}

static uint64_t next_of(const struct sim_side *s)
{
	uint64_t next = s->until;

	for (unsigned int i = 0; i < s->count; i++)
		if (ready_at(s, i) < next)
			next = ready_at(s, i);
	return next;
}

uint64_t sim_next(void)
{
	uint64_t a = next_of(&sim.device), b = next_of(&sim.cloud);

	return a < b ? a : b;
}

static int sim_open(void **ctx, const struct sluice_io_config *c, char *why, size_t why_size)
{
	*ctx = c->backend_arg;
	return 0;
}

static void sim_close(void *ctx)
{
	((struct sim_side *)ctx)->count = 0;
}

static uint64_t sim_now(void *ctx)
{
	return sim.now - ((struct sim_side *)ctx)->zero_ns;
}

const struct sluice_io_backend sim_backend = {
	.open = sim_open,
	.close = sim_close,
	.now = sim_now,
	.submit = sim_submit,
	.cancel = sim_cancel,
	.wait = sim_wait,
};

void sim_reset(void)
{
	for (int i = 0; i < SIM_CONNS; i++)
		if (sim.conn[i].used)
			free_conn(&sim.conn[i]);
	memset(&sim, 0, sizeof(sim));
	sim.now = CLOCK_BASE;
	sim_disk_reset();
}

/* ---- what is asked of the system without the table ---- */

int __wrap_close(int fd)
{
	int end;
	struct sim_conn *c = find_conn(fd, &end);

	sim_disk_closed(fd);
	if (c) {
		/* a process that dies with its machine says nothing */
		if (!c->dark)
			push_end(&c->pipe[end]);
		c->fd[end] = -1;
		if (c->fd[!end] < 0)
			free_conn(c);
	}
	return __real_close(fd);
}

int __wrap_shutdown(int fd, int how)
{
	int end;
	struct sim_conn *c = find_conn(fd, &end);

	if (!c)
		return __real_shutdown(fd, how);
	if (how != SHUT_RD && !c->dark)
		push_end(&c->pipe[end]);
	return 0;
}

/* The device's clocks; the cloud's are not asked. */
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t ns = sim.now - sim.device.zero_ns;

	if (id == CLOCK_REALTIME)
		ns = (uint64_t)(WALL_ZERO + (int64_t)sim.now + sim.wall_step_ns);
	else if (id != CLOCK_MONOTONIC && id != CLOCK_BOOTTIME)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = (time_t)(ns / SIM_S);
	ts->tv_nsec = (long)(ns % SIM_S);
	return 0;
}

ssize_t __wrap_getrandom(void *buf, size_t size, unsigned int flags)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)buf)[i] = (uint8_t)random_below(256);
	return (ssize_t)size;
}
