// SPDX-License-Identifier: MIT
/*
 * The back end on io_uring: deferred task work, one issuer, multishot poll, accept and receive, and
 * one ring of provided buffers for all receives. A buffer goes back to the kernel as soon as the
 * callback that borrowed its bytes has returned, so few are enough.
 *
 * The submission queue is flushed once a turn. If it is full it is flushed at once; if even then
 * the kernel takes nothing (no memory just now), requests and cancels wait in a list for the next
 * turn, so submitting cannot fail.
 *
 * A system call filter does not see what is asked through a ring. So the ring is made disabled, is
 * restricted to the operations that are listed here, for ever, and is enabled then: whoever gets
 * hold of the process cannot use it for more (no sockets of other kinds, no other ring's messages,
 * no driver's commands). A new operation must be added to the list, or it fails with EACCES.
 */
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_GROUP 0

/* All that submit() makes, and the file operations that stand beside it in open(2)'s family. */
static const uint8_t allowed[] = {
	IORING_OP_NOP,	IORING_OP_POLL_ADD, IORING_OP_ACCEPT, IORING_OP_CONNECT,
	IORING_OP_RECV, IORING_OP_SENDMSG,  IORING_OP_SEND,   IORING_OP_ASYNC_CANCEL,
	IORING_OP_READ, IORING_OP_WRITE,    IORING_OP_FSYNC,  IORING_OP_OPENAT,
};

/* sluice_io_request.state */
#define STATE_IDLE     0u
#define STATE_KERNEL   1u /* the kernel has it */
#define STATE_WAITING  2u /* in the list, not yet submitted */
#define STATE_WITHDRAW 3u /* in the list, cancelled before it was submitted */
#define STATE_CANCEL   4u /* the kernel has it, and the list wants to cancel it */

struct uring {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	size_t buffers_size;
	uint8_t *bytes;
	uint32_t count, each;
	struct sluice_io_request *waiting, **waiting_end;
};

static uint64_t uring_now(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void give_buffer(struct uring *u, uint16_t id)
{
	io_uring_buf_ring_add(u->buffers, u->bytes + (size_t)id * u->each, u->each, id,
			      io_uring_buf_ring_mask(u->count), 0);
	io_uring_buf_ring_advance(u->buffers, 1);
}

static int open_ring(struct uring *u, uint32_t entries, char *why, size_t why_size)
{
	struct io_uring_params p = { .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE |
					      IORING_SETUP_SINGLE_ISSUER |
					      IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
				     .cq_entries = entries < 128 ? 1024 : entries * 8 };
	int err = io_uring_queue_init_params(entries, &u->ring, &p);

	if (err == -ENOSYS || err == -EINVAL)
		snprintf(why, why_size, "this kernel has no io_uring as of Linux 6.1 (%s)",
			 strerror(-err));
	else if (err == -EPERM)
		snprintf(why, why_size,
			 "io_uring is forbidden here; see sysctl kernel.io_uring_disabled or the "
			 "container's system call filter");
	else if (err)
		snprintf(why, why_size, "io_uring: %s", strerror(-err));
	return err == -EINVAL ? -ENOSYS : err;
}

static int open_buffers(struct uring *u, char *why, size_t why_size)
{
	struct io_uring_buf_reg reg;
	int err;

	u->buffers_size = u->count * sizeof(struct io_uring_buf);
	u->buffers = mmap(NULL, u->buffers_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u->bytes = malloc((size_t)u->count * u->each);
	if (u->buffers == MAP_FAILED || !u->bytes) {
		snprintf(why, why_size, "no memory for receive buffers");
		return -ENOMEM;
	}
	memset(&reg, 0, sizeof(reg));
	reg.ring_addr = (uintptr_t)u->buffers;
	reg.ring_entries = u->count;
	reg.bgid = BUFFER_GROUP;
	err = io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (err) {
		snprintf(why, why_size, "io_uring: cannot register receive buffers: %s",
			 strerror(-err));
		return err;
	}
	io_uring_buf_ring_init(u->buffers);
	for (uint32_t i = 0; i < u->count; i++)
		give_buffer(u, (uint16_t)i);
	return 0;
}

/* Nothing but these operations, also with flags; and nothing can be registered any more. */
static int restrict_ring(struct uring *u, char *why, size_t why_size)
{
	struct io_uring_restriction r[sizeof(allowed) + 1];
	unsigned int n = 0;
	int err = 0;

	memset(r, 0, sizeof(r));
	for (; n < sizeof(allowed); n++) {
		r[n].opcode = IORING_RESTRICTION_SQE_OP;
		r[n].sqe_op = allowed[n];
	}
	r[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	r[n++].sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_IO_LINK | IOSQE_ASYNC;
	/* Debian's liburing declares functions for these two and does not export them */
	if (syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, r, n) ||
	    syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0))
		err = -errno;
	if (err)
		snprintf(why, why_size, "io_uring: cannot restrict the ring: %s", strerror(-err));
	return err;
}

static void close_buffers(struct uring *u)
{
	if (u->buffers != MAP_FAILED)
		munmap(u->buffers, u->buffers_size);
	free(u->bytes);
}

static int uring_open(void **ctx, const struct sluice_io_config *c, char *why, size_t why_size)
{
	struct uring *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->waiting_end = &u->waiting;
	u->count = c->buffers ? c->buffers : 32;
	u->each = c->buffer_bytes ? c->buffer_bytes : 16384;
	err = -EINVAL;
	if (u->count > 32768 || (u->count & (u->count - 1)))
		goto free_u;
	err = open_ring(u, c->entries ? c->entries : 256, why, why_size);
	if (err)
		goto free_u;
	err = open_buffers(u, why, why_size);
	if (err)
		goto close_ring;
	err = restrict_ring(u, why, why_size);
	if (err)
		goto close_ring;
	*ctx = u;
	return 0;
close_ring:
	io_uring_queue_exit(&u->ring);
	close_buffers(u);
free_u:
	free(u);
	return err;
}

static void uring_close(void *ctx)
{
	struct uring *u = ctx;

	io_uring_queue_exit(&u->ring);
	close_buffers(u);
	free(u);
}

static struct io_uring_sqe *get_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe)
		return sqe;
	io_uring_submit(&u->ring);
	return io_uring_get_sqe(&u->ring);
}

static void prepare(struct io_uring_sqe *sqe, struct sluice_io_request *r)
{
	switch (r->op) {
	case SLUICE_IO_POLL:
		io_uring_prep_poll_multishot(sqe, r->fd, r->events);
		break;
	case SLUICE_IO_ACCEPT:
		io_uring_prep_multishot_accept(sqe, r->fd, NULL, NULL, SOCK_CLOEXEC);
		break;
	case SLUICE_IO_CONNECT:
		io_uring_prep_connect(sqe, r->fd, r->addr, r->addr_len);
		break;
	case SLUICE_IO_RECV:
		io_uring_prep_recv_multishot(sqe, r->fd, NULL, 0, 0);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = BUFFER_GROUP;
		break;
	case SLUICE_IO_SEND:
		io_uring_prep_sendmsg(sqe, r->fd, &r->msg, MSG_NOSIGNAL | MSG_WAITALL);
		break;
	case SLUICE_IO_OPEN:
		io_uring_prep_openat(sqe, AT_FDCWD, r->path, r->flags | O_CLOEXEC, r->mode);
		break;
	case SLUICE_IO_READ:
		io_uring_prep_read(sqe, r->fd, r->bytes, r->size, r->offset);
		break;
	case SLUICE_IO_WRITE:
		io_uring_prep_write(sqe, r->fd, r->bytes, r->size, r->offset);
		break;
	case SLUICE_IO_SYNC:
		io_uring_prep_fsync(sqe, r->fd, 0); /* of directories too, so not only data */
		break;
	}
	io_uring_sqe_set_data(sqe, r);
}

static void put_waiting(struct uring *u, struct sluice_io_request *r, uint32_t state)
{
	r->state = state;
	r->next = NULL;
	*u->waiting_end = r;
	u->waiting_end = &r->next;
}

static void take_waiting(struct uring *u, struct sluice_io_request *r)
{
	struct sluice_io_request **p = &u->waiting;

	while (*p && *p != r)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = r->next;
	if (u->waiting_end == &r->next)
		u->waiting_end = p;
	r->next = NULL;
}

static void uring_submit(void *ctx, struct sluice_io_request *r)
{
	struct uring *u = ctx;
	struct io_uring_sqe *sqe = u->waiting ? NULL : get_sqe(u);

	if (!sqe) {
		put_waiting(u, r, STATE_WAITING);
		return;
	}
	prepare(sqe, r);
	r->state = STATE_KERNEL;
}

static bool try_cancel(struct uring *u, struct sluice_io_request *r)
{
	struct io_uring_sqe *sqe = get_sqe(u);

	if (!sqe)
		return false;
	io_uring_prep_cancel(sqe, r, 0);
	io_uring_sqe_set_data(sqe, NULL);
	return true;
}

static void uring_cancel(void *ctx, struct sluice_io_request *r)
{
	struct uring *u = ctx;

	if (r->state == STATE_WAITING)
		r->state = STATE_WITHDRAW;
	else if (r->state == STATE_KERNEL && !try_cancel(u, r))
		put_waiting(u, r, STATE_CANCEL);
}

/* Give the list another chance. Returns how many requests were answered meanwhile. */
static unsigned int flush_waiting(struct uring *u)
{
	struct sluice_io_request *list = u->waiting;
	unsigned int answered = 0;

	u->waiting = NULL;
	u->waiting_end = &u->waiting;
	while (list) {
		struct sluice_io_request *r = list;
		uint32_t state = r->state;

		list = r->next;
		r->next = NULL;
		if (state == STATE_WITHDRAW) {
			r->state = STATE_IDLE;
			r->done(r, -ECANCELED, NULL, false);
			answered++;
		} else if (state == STATE_CANCEL) {
			r->state = STATE_KERNEL;
			uring_cancel(u, r);
		} else {
			uring_submit(u, r);
		}
	}
	return answered;
}

static void answer(struct uring *u, const struct io_uring_cqe *cqe)
{
	struct sluice_io_request *r = io_uring_cqe_get_data(cqe);
	bool more = cqe->flags & IORING_CQE_F_MORE;
	bool has_buffer = cqe->flags & IORING_CQE_F_BUFFER;
	uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

	if (!r)
		return; /* of a cancel */
	if (!more) {
		if (r->state == STATE_CANCEL)
			take_waiting(u, r);
		r->state = STATE_IDLE;
	}
	r->done(r, cqe->res, has_buffer ? u->bytes + (size_t)id * u->each : NULL, more);
	if (has_buffer)
		give_buffer(u, id);
}

static int uring_wait(void *ctx, uint64_t until_ns)
{
	struct uring *u = ctx;
	struct __kernel_timespec ts = { 0, 0 };
	struct io_uring_cqe *cqe;
	uint64_t now;
	unsigned int n;
	int err;

	if (flush_waiting(u) || u->waiting)
		until_ns = 0;
	now = until_ns && until_ns != UINT64_MAX ? uring_now(u) : 0;
	if (until_ns > now && until_ns != UINT64_MAX) {
		ts.tv_sec = (int64_t)((until_ns - now) / 1000000000u);
		ts.tv_nsec = (int64_t)((until_ns - now) % 1000000000u);
	}
	err = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1,
					       until_ns == UINT64_MAX ? NULL : &ts, NULL);
	if (err < 0 && err != -ETIME && err != -EINTR && err != -EAGAIN && err != -EBUSY)
		return err;
	/* only those that are ready now, so that timers are not starved */
	for (n = io_uring_cq_ready(&u->ring); n; n--) {
		struct io_uring_cqe copy;

		if (io_uring_peek_cqe(&u->ring, &cqe))
			break;
		copy = *cqe;
		io_uring_cqe_seen(&u->ring, cqe);
		answer(u, &copy);
	}
	return 0;
}

const struct sluice_io_backend sluice_io_uring = {
	.open = uring_open,
	.close = uring_close,
	.now = uring_now,
	.submit = uring_submit,
	.cancel = uring_cancel,
	.wait = uring_wait,
};
