// SPDX-License-Identifier: MIT
/*
 * sandbox.c - the life of a child, and what it is asked for. The channel: sandbox_channel.c.
 *
 * Start: posix_spawn of this very binary (/proc/self/exe) with an empty environment and nothing
 * open but three descriptors: the channel (3), the area of frames (4) and the page of progress (5).
 * The area is sealed before it is handed over: its size stays, and nobody but the master, which
 * mapped it before, can ever write to it. The child gives up its rights (cage.c) and says READY.
 *
 * End: the channel closes, by whatever the child died of; or it has made no progress for the
 * deadline, or says what it may not say, and is killed. A child that does not even become ready is
 * started again after a pause that grows from 0.2 s to 30 s.
 */
#include "cloud/sandbox_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/child.h"
#include "cloud/period.h"

#define REST_MS_MAX 30000

struct sluice_sandbox_counts sluice_sandbox_counts;

/* ---- life ---- */

void sandbox_bury(struct sluice_sandbox *b, const char *why)
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
			sandbox_now_ms());
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

/* ---- start, with patience ---- */

/* 0; -ECANCELED: the node is stopping. */
static int rest(struct sluice_sandbox *b)
{
	uint64_t until = sandbox_now_ms() + b->rest_ms;

	while (sandbox_now_ms() < until) {
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
	sluice_room_ease(&b->room, sandbox_now_ms());
}

int sandbox_ensure(struct sluice_sandbox *b)
{
	while (!b->pid) {
		int err = rest(b);

		if (err)
			return err;
		err = start(b);
		if (!err && sandbox_is_ready(b))
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
	sandbox_bury(b, "the node is stopping");
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
