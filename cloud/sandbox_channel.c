// SPDX-License-Identifier: MIT
/*
 * sandbox_channel.c - the channel to a child: what it is sent, what it says, how long it is waited
 * for.
 *
 * It is killed when it has made no progress for the deadline, or says what it may not say. Progress
 * is another step at work, or a whole message; messages are counted, so neither can be drawn out
 * for ever. All calls that fail with -EPIPE leave no child.
 */
#include "cloud/sandbox_state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SLICE_MS 200  /* how often a wait looks whether the node is stopping */
#define STOP_MS	 3000 /* a child that is at work then has so long */

struct wait {
	uint64_t until_ms, stop_ms; /* stop_ms: when the node began to stop; 0: it does not */
	uint32_t at;		    /* the step that was at work when it began */
};

static void begin_wait(struct sluice_sandbox *b, struct wait *w)
{
	*w = (struct wait){ .until_ms = sandbox_now_ms() + b->c->deadline_ms,
			    .at = atomic_load(&b->progress->at) };
}

/* Another step at work is progress; they only grow, and there are few. */
static void look_at_progress(struct sluice_sandbox *b, struct wait *w)
{
	uint32_t at = atomic_load(&b->progress->at);

	if (at <= w->at || at >= SLUICE_BOX_STEPS)
		return;
	w->at = at;
	w->until_ms = sandbox_now_ms() + b->c->deadline_ms;
}

/* Until the channel is ready: 0; else the child is killed and -EPIPE. */
static int await(struct sluice_sandbox *b, short events, struct wait *w)
{
	for (;;) {
		struct pollfd p = { .fd = b->fd, .events = events };
		uint64_t now;

		if (poll(&p, 1, SLICE_MS) > 0)
			return 0;
		look_at_progress(b, w);
		now = sandbox_now_ms();
		if (atomic_load(b->stopping) && !w->stop_ms)
			w->stop_ms = now + STOP_MS;
		if (now >= w->until_ms) {
			atomic_fetch_add(&sluice_sandbox_counts.hung, 1);
			sandbox_bury(b, "it hung");
			return -EPIPE;
		}
		if (w->stop_ms && now >= w->stop_ms) {
			sandbox_bury(b, "the node is stopping");
			return -EPIPE;
		}
	}
}

static int write_all(struct sluice_sandbox *b, const void *data, size_t size, struct wait *w)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = send(b->fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (await(b, POLLOUT, w))
				return -EPIPE;
		} else if (errno != EINTR) {
			sandbox_bury(b, NULL);
			return -EPIPE;
		}
	}
	return 0;
}

static int read_all(struct sluice_sandbox *b, void *data, size_t size, struct wait *w)
{
	uint8_t *p = data;

	while (size) {
		ssize_t n = recv(b->fd, p, size, MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			if (await(b, POLLIN, w))
				return -EPIPE;
		} else if (n == 0 || errno != EINTR) {
			sandbox_bury(b, NULL);
			return -EPIPE;
		}
	}
	return 0;
}

int sandbox_send(struct sluice_sandbox *b, uint32_t type, uint32_t subject, const void *part,
		 size_t size, const void *more, size_t more_size)
{
	const struct sluice_box_header h = { .type = type,
					     .subject = subject,
					     .size = size + more_size };
	struct wait w;
	int err;

	begin_wait(b, &w);
	err = write_all(b, &h, sizeof(h), &w);
	if (!err)
		err = write_all(b, part, size, &w);
	if (!err && more_size)
		err = write_all(b, more, more_size, &w);
	return err;
}

static int refuse(struct sluice_sandbox *b)
{
	atomic_fetch_add(&sluice_sandbox_counts.refused, 1);
	sandbox_bury(b, "it said what it may not say");
	return -EPIPE;
}

/* A whole message into b->reply. */
static int receive(struct sluice_sandbox *b, struct sluice_box_header *h,
		   const struct sluice_box_speaker *who)
{
	struct wait w;
	uint8_t *more;

	begin_wait(b, &w);
	if (read_all(b, h, sizeof(*h), &w))
		return -EPIPE;
	if (!sluice_box_header_ok(h, who))
		return refuse(b);
	if (h->size > b->reply_room) {
		more = realloc(b->reply, h->size);
		if (!more) {
			sandbox_bury(b, "out of memory for its answer");
			return -EPIPE;
		}
		b->reply = more;
		b->reply_room = h->size;
	}
	return read_all(b, b->reply, h->size, &w);
}

static int answer_fetch(struct sluice_sandbox *b, const struct sluice_box_speaker *who,
			const struct sluice_box_fetch *f, const struct sluice_analysis_ops *ops,
			void *ctx)
{
	struct sluice_box_fetched found = { 0 };
	size_t size = 0;
	uint8_t *jpeg = ops->fetch ? ops->fetch(ctx, f->epoch, f->sequence, &size) : NULL;
	int err;

	if (size > SLUICE_BOX_FETCH_MAX) {
		free(jpeg);
		jpeg = NULL;
	}
	found.found = jpeg != NULL;
	err = sandbox_send(b, SLUICE_BOX_FETCHED, who->subject, &found, sizeof(found), jpeg,
			   jpeg ? size : 0);
	free(jpeg);
	return err;
}

/* What is in the child's pictures; who asks waits for the deadline of [detector] at most. */
static int answer_look(struct sluice_sandbox *b, const struct sluice_box_speaker *who,
		       const struct sluice_box_reply *r, const struct sluice_analysis_ops *ops,
		       void *ctx)
{
	struct sluice_box_seen *seen = calloc(1, sizeof(*seen));
	int err;

	if (!seen) {
		sandbox_bury(b, "out of memory for its answer");
		return -EPIPE;
	}
	seen->err = -EAGAIN;
	if (ops->look && r->look_count)
		seen->err = ops->look(ctx, r->look, r->look_count, &seen->answer);
	else if (ops->look)
		seen->side = ops->look_side(ctx);
	err = sandbox_send(b, SLUICE_BOX_SEEN, who->subject, seen, sizeof(*seen), NULL, 0);
	free(seen);
	return err;
}

/* The place where work that takes minutes can be broken off while it speaks all the time. */
static int hear_progress(struct sluice_sandbox *b, int per_mille, void *ctx)
{
	b->unwanted = (b->told && b->told(ctx, per_mille)) || atomic_load(b->stopping);
	if (!b->unwanted)
		return 0;
	sandbox_bury(b, "it is not wanted any more");
	return -EPIPE;
}

static int dispatch(struct sluice_sandbox *b, const struct sluice_box_speaker *who,
		    struct sluice_box_reply *r, const struct sluice_analysis_ops *ops, void *ctx)
{
	switch (r->type) {
	case SLUICE_BOX_EVENT:
		if (ops->event)
			ops->event(ctx, r->id, r->json);
		return 0;
	case SLUICE_BOX_SUMMARY:
		ops->summary(ctx, &r->summary);
		return 0;
	case SLUICE_BOX_TALLY:
		if (ops->tally)
			ops->tally(ctx, r->tally);
		return 0;
	case SLUICE_BOX_LOOK:
		return answer_look(b, who, r, ops, ctx);
	case SLUICE_BOX_PROGRESS:
		return hear_progress(b, r->per_mille, ctx);
	case SLUICE_BOX_PLAN:
		if (ops->digest)
			ops->digest(ctx, r->plan);
		else
			sluice_digest_plan_free(r->plan);
		return 0;
	default:
		return answer_fetch(b, who, &r->fetch, ops, ctx);
	}
}

int sandbox_serve(struct sluice_sandbox *b, const struct sluice_box_speaker *who,
		  uint64_t messages_max, const struct sluice_analysis_ops *ops, void *ctx,
		  struct sluice_box_done *done)
{
	struct sluice_box_header h;
	struct sluice_box_reply r;
	int err;

	while (messages_max--) {
		err = receive(b, &h, who);
		if (err)
			return err;
		err = sluice_box_parse(&h, b->reply, who, &r);
		if (err)
			return refuse(b);
		if (r.type == SLUICE_BOX_DONE) {
			*done = r.done;
			return 0;
		}
		err = dispatch(b, who, &r, ops, ctx);
		if (err)
			return err;
	}
	return refuse(b);
}

int sandbox_is_ready(struct sluice_sandbox *b)
{
	struct sluice_box_header h;
	struct wait w;

	begin_wait(b, &w);
	if (read_all(b, &h, sizeof(h), &w))
		return 0;
	if (h.type == SLUICE_BOX_READY && !h.size)
		return 1;
	refuse(b);
	return 0;
}
