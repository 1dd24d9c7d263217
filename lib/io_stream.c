// SPDX-License-Identifier: MIT
/*
 * Streams: one multishot receive and at most one send under way. A send that the kernel takes only
 * in part goes on where it stopped; the owner hears of it once, when all of it has been taken.
 */
#include "lib/io_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sluice_io_stream {
	struct io_object object;
	struct sluice_io_request recv, send;
	const struct sluice_io_stream_ops *ops;
	void *arg;
	int fd;
	bool receiving, paused, ended, sending, finish;
	struct iovec iov[SLUICE_IO_VECTORS];
};

static void receive(struct sluice_io_stream *s)
{
	if (s->receiving || s->paused || s->ended || s->object.closed)
		return;
	s->receiving = true;
	sluice_io_object_submit(&s->object, &s->recv);
}

static void recv_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_stream *s = io_container(r, struct sluice_io_stream, recv);
	bool again =
		result == -ENOBUFS || result == -ECANCELED || result == -EINTR || result == -EAGAIN;

	if (!more)
		s->receiving = false;
	if (!s->object.closed && result > 0) {
		s->ops->data(s->arg, data, (size_t)result);
	} else if (!s->object.closed && !again && !s->ended) {
		s->ended = true;
		s->ops->end(s->arg, result);
	}
	if (more)
		return;
	receive(s);
	sluice_io_object_answered(&s->object);
}

/* Drop n bytes from the front of what is being sent; true if nothing is left. */
static bool advance(struct msghdr *msg, size_t n)
{
	while (msg->msg_iovlen && n >= msg->msg_iov->iov_len) {
		n -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (!msg->msg_iovlen)
		return true;
	msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
	msg->msg_iov->iov_len -= n;
	return false;
}

static void send_done(struct sluice_io_request *r, int result, const uint8_t *data, bool more)
{
	struct sluice_io_stream *s = io_container(r, struct sluice_io_stream, send);
	bool retry = result == -EINTR || result == -EAGAIN;
	bool left = retry || (result > 0 && !advance(&r->msg, (size_t)result));

	if (left && !s->object.closed) {
		sluice_io_object_submit(&s->object, r);
	} else {
		s->sending = false;
		if (s->finish)
			shutdown(s->fd, SHUT_WR);
		if (!s->object.closed)
			s->ops->sent(s->arg, result < 0 ? result : 0);
	}
	sluice_io_object_answered(&s->object);
}

static void stream_release(struct io_object *o)
{
	struct sluice_io_stream *s = io_container(o, struct sluice_io_stream, object);

	close(s->fd);
	s->ops->closed(s->arg);
	free(s);
}

static void stream_stop(struct io_object *o)
{
	sluice_io_stream_close(io_container(o, struct sluice_io_stream, object));
}

struct sluice_io_stream *sluice_io_stream_open(struct sluice_io *io, int fd,
					       const struct sluice_io_stream_ops *ops, void *arg)
{
	struct sluice_io_stream *s = calloc(1, sizeof(*s));
	int flags = fcntl(fd, F_GETFL);

	if (!s)
		return NULL;
	/* io_uring answers EAGAIN instead of waiting if the file itself is non-blocking */
	if (flags >= 0 && (flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	s->fd = fd;
	s->ops = ops;
	s->arg = arg;
	s->object.stop = stream_stop;
	s->object.release = stream_release;
	s->recv.op = SLUICE_IO_RECV;
	s->recv.fd = fd;
	s->recv.done = recv_done;
	s->send.op = SLUICE_IO_SEND;
	s->send.fd = fd;
	s->send.done = send_done;
	sluice_io_object_add(io, &s->object);
	receive(s);
	return s;
}

int sluice_io_stream_send(struct sluice_io_stream *s, const struct iovec *iov, unsigned int count)
{
	if (s->object.closed || s->finish)
		return -ENOTCONN;
	if (s->sending)
		return -EBUSY;
	if (!count || count > SLUICE_IO_VECTORS)
		return -EINVAL;
	memcpy(s->iov, iov, count * sizeof(*iov));
	memset(&s->send.msg, 0, sizeof(s->send.msg));
	s->send.msg.msg_iov = s->iov;
	s->send.msg.msg_iovlen = count;
	s->sending = true;
	sluice_io_object_submit(&s->object, &s->send);
	return 0;
}

void sluice_io_stream_pause(struct sluice_io_stream *s, bool pause)
{
	if (s->object.closed || s->paused == pause)
		return;
	s->paused = pause;
	if (pause && s->receiving)
		s->object.io->backend->cancel(s->object.io->ctx, &s->recv);
	else if (!pause)
		receive(s);
}

void sluice_io_stream_finish(struct sluice_io_stream *s)
{
	if (s->object.closed || s->finish)
		return;
	s->finish = true;
	if (!s->sending)
		shutdown(s->fd, SHUT_WR);
}

void sluice_io_stream_close(struct sluice_io_stream *s)
{
	if (!s || s->object.closed)
		return;
	if (s->receiving)
		s->object.io->backend->cancel(s->object.io->ctx, &s->recv);
	if (s->sending)
		s->object.io->backend->cancel(s->object.io->ctx, &s->send);
	/* a request that cancelling came too late for ends by this */
	shutdown(s->fd, SHUT_RDWR);
	sluice_io_object_close(&s->object);
}

int sluice_io_stream_fd(const struct sluice_io_stream *s)
{
	return s->fd;
}
