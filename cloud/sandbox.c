// SPDX-License-Identifier: MIT
/*
 * sandbox.c - the life of a child, and the channel to it.
 *
 * Start: posix_spawn of this very binary (/proc/self/exe) with an empty environment and nothing
 * open but three descriptors: the channel (3), the area of frames (4) and the page of progress (5).
 * The area is sealed before it is handed over: its size stays, and nobody but the master, which
 * mapped it before, can ever write to it. The child gives up its rights (cage.c) and says READY.
 *
 * End: the channel closes, by whatever the child died of; or it has made no progress for the
 * deadline, or says what it may not say, and is killed. Progress is another step at work, or a
 * whole message; messages are counted, so neither can be drawn out for ever. A child that does not
 * even become ready is started again after a pause that grows from 0.2 s to 30 s.
 */
#include "cloud/sandbox_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/child.h"
#include "cloud/period.h"

#define REST_MS_MAX 30000
#define SLICE_MS    200	 /* how often a wait looks whether the node is stopping */
#define STOP_MS	    3000 /* a child that is at work then has so long */

struct sluice_sandbox_counts sluice_sandbox_counts;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* ---- life ---- */

/* The child is no more, or will be at once; what is known of its end is kept. */
static void bury(struct sluice_sandbox *b, const char *why)
{
	int status = 0;

	if (!b->pid)
		return;
	if (why)
		kill(b->pid, SIGKILL);
	close(b->fd);
	b->fd = -1;
	/* it has closed the channel, or is killed: if it does not end by itself it is made to */
	for (int i = 0; !why && waitpid(b->pid, &status, WNOHANG) == 0; i++) {
		if (i == 50) {
			why = "it closed its channel";
			kill(b->pid, SIGKILL);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	if (why)
		while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
			;
	b->pid = 0;
	sluice_room_end(&b->room,
			!why && WIFEXITED(status) && WEXITSTATUS(status) == SLUICE_SANDBOX_STARVED,
			now_ms());
	b->killed = !why && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	b->at = b->progress ? atomic_load(&b->progress->at) : 0;
	if (why)
		snprintf(b->death, sizeof(b->death), "%s", why);
	else if (WIFSIGNALED(status))
		snprintf(b->death, sizeof(b->death), "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == SLUICE_SANDBOX_STARVED)
		snprintf(b->death, sizeof(b->death), "it was out of memory ([sandbox] memory)");
	else
		snprintf(b->death, sizeof(b->death), "it ended with code %d", WEXITSTATUS(status));
	atomic_fetch_add(&sluice_sandbox_counts.died, 1);
}

static void unmap(struct sluice_sandbox *b)
{
	if (b->area)
		munmap(b->area, SLUICE_BOX_AREA);
	if (b->progress)
		munmap(b->progress, 4096);
	b->area = NULL;
	b->progress = NULL;
}

static int spawn(struct sluice_sandbox *b, int channel, int area, int progress)
{
	char parent[16], memory[24], nice[8];
	char *const argv[] = { "sluice-cloud", SLUICE_SANDBOX_WORD, parent, memory, nice, NULL };
	const int fds[] = { channel, area, progress };

	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)b->c->memory);
	snprintf(nice, sizeof(nice), "%d", b->nice);
	return sluice_child_spawn(&b->pid, argv, fds, 3);
}

static int start(struct sluice_sandbox *b)
{
	int ours = -1, childs = -1, area, progress = -1, err;

	unmap(b);
	area = sluice_child_memory("sluice-frames", SLUICE_BOX_AREA, F_SEAL_FUTURE_WRITE,
				   (void **)&b->area);
	err = area < 0 ? area : 0;
	if (!err) {
		progress = sluice_child_memory("sluice-progress", 4096, 0, (void **)&b->progress);
		err = progress < 0 ? progress : 0;
	}
	if (!err)
		err = sluice_child_channel(&ours, &childs);
	if (!err)
		err = spawn(b, childs, area, progress);
	if (!err) {
		b->fd = ours;
		ours = -1;
		b->child++;
		b->subject = 0;
		b->owner = NULL;
		b->steps = 0;
		b->used = 0;
		atomic_fetch_add(&sluice_sandbox_counts.started, 1);
	}
	if (ours >= 0)
		close(ours);
	if (childs >= 0)
		close(childs);
	if (progress >= 0)
		close(progress);
	if (area >= 0)
		close(area);
	return err;
}

/* ---- the channel ---- */

struct wait {
	uint64_t until_ms, stop_ms; /* stop_ms: when the node began to stop; 0: it does not */
	uint32_t at;		    /* the step that was at work when it began */
};

static void begin_wait(struct sluice_sandbox *b, struct wait *w)
{
	*w = (struct wait){ .until_ms = now_ms() + b->c->deadline_ms,
			    .at = atomic_load(&b->progress->at) };
}

/* Another step at work is progress; they only grow, and there are few. */
static void look_at_progress(struct sluice_sandbox *b, struct wait *w)
{
	uint32_t at = atomic_load(&b->progress->at);

	if (at <= w->at || at >= SLUICE_BOX_STEPS)
		return;
	w->at = at;
	w->until_ms = now_ms() + b->c->deadline_ms;
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
		now = now_ms();
		if (atomic_load(b->stopping) && !w->stop_ms)
			w->stop_ms = now + STOP_MS;
		if (now >= w->until_ms) {
			atomic_fetch_add(&sluice_sandbox_counts.hung, 1);
			bury(b, "it hung");
			return -EPIPE;
		}
		if (w->stop_ms && now >= w->stop_ms) {
			bury(b, "the node is stopping");
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
			bury(b, NULL);
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
			bury(b, NULL);
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
	bury(b, "it said what it may not say");
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
			bury(b, "out of memory for its answer");
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
		bury(b, "out of memory for its answer");
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
	bury(b, "it is not wanted any more");
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

/* ---- start, with patience ---- */

static int is_ready(struct sluice_sandbox *b)
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

/* 0; -ECANCELED: the node is stopping. */
static int rest(struct sluice_sandbox *b)
{
	uint64_t until = now_ms() + b->rest_ms;

	while (now_ms() < until) {
		if (atomic_load(b->stopping))
			return -ECANCELED;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	b->rest_ms = b->rest_ms ? 2 * b->rest_ms : 200;
	if (b->rest_ms > REST_MS_MAX)
		b->rest_ms = REST_MS_MAX;
	return 0;
}

void sandbox_ease(struct sluice_sandbox *b)
{
	sluice_room_ease(&b->room, now_ms());
}

int sandbox_ensure(struct sluice_sandbox *b)
{
	while (!b->pid) {
		int err = rest(b);

		if (err)
			return err;
		err = start(b);
		if (!err && is_ready(b))
			break;
		sluice_log_limited(&b->limit, SLUICE_LOG_ERROR,
				   "cannot start a child for %s: %s; trying again", b->what,
				   err ? strerror(-err) : b->death);
	}
	b->rest_ms = 0;
	return 0;
}

struct sluice_sandbox *sluice_sandbox_open(const struct sluice_sandbox_config *c, const char *what,
					   int nice, const atomic_int *stopping)
{
	struct sluice_sandbox *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->c = c;
	b->what = what;
	b->nice = nice;
	b->stopping = stopping;
	b->fd = -1;
	b->room.memory = c->memory;
	b->limit = (struct sluice_log_limit){ .burst = 3, .interval_ms = 30000 };
	return b;
}

void sluice_sandbox_close(struct sluice_sandbox *b)
{
	if (!b)
		return;
	bury(b, "the node is stopping");
	unmap(b);
	free(b->reply);
	free(b);
}

const char *sluice_sandbox_death(const struct sluice_sandbox *b)
{
	return b->death;
}

bool sluice_sandbox_lives(const struct sluice_sandbox *b)
{
	return b->pid != 0;
}

uint32_t sluice_sandbox_number(const struct sluice_sandbox *b)
{
	return b->child;
}

bool sluice_sandbox_killed(const struct sluice_sandbox *b)
{
	return b->killed;
}

int sluice_sandbox_digest(struct sluice_sandbox *b, const struct sluice_digest_plan *plan,
			  const struct sluice_analysis_ops *ops, void *ctx)
{
	const struct sluice_box_speaker who = { .camera = plan->camera,
						.epoch = plan->epoch,
						.digest = 1 };
	/* the video, and three sheets that take some of its frames once more */
	uint64_t messages = 8ull * plan->frame_count + 1024;
	struct sluice_box_done done;
	uint8_t *flat;
	size_t size;
	int err = sluice_box_plan_pack(plan, &flat, &size);

	if (err)
		return err;
	err = sandbox_ensure(b);
	if (!err)
		err = sandbox_send(b, SLUICE_BOX_DIGEST, 0, flat, size, NULL, 0);
	free(flat);
	if (!err)
		err = sandbox_serve(b, &who, messages, ops, ctx, &done);
	if (err == -EPIPE && atomic_load(b->stopping))
		err = -ECANCELED;
	return err ? err : done.err;
}

int sluice_sandbox_period(struct sluice_sandbox *b, const struct sluice_period *p,
			  const struct sluice_analysis_ops *ops,
			  int (*progress)(void *ctx, int per_mille), void *ctx)
{
	const struct sluice_box_speaker who = { .camera = p->camera,
						.epoch = p->epoch,
						.period = 1 };
	/* each picture needs some frames, and some of them more than once */
	uint64_t messages = 32ull * p->frame_count + 64ull * p->box_count + 100000;
	struct sluice_box_done done;
	uint8_t *flat;
	size_t size;
	int err = sluice_period_pack(p, &flat, &size);

	if (err)
		return err;
	err = sandbox_ensure(b);
	if (!err)
		err = sandbox_send(b, SLUICE_BOX_PERIOD, 0, flat, size, NULL, 0);
	free(flat);
	b->told = progress;
	b->unwanted = false;
	if (!err)
		err = sandbox_serve(b, &who, messages, ops, ctx, &done);
	b->told = NULL;
	if (err == -EPIPE && (b->unwanted || atomic_load(b->stopping)))
		err = -ECANCELED;
	return err ? err : done.err;
}
