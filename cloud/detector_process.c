// SPDX-License-Identifier: MIT
/*
 * detector_process.c - see detector_process.h. The process is this very binary again, started as
 * the sandbox's children are, with the channel (3) and the area (4).
 *
 * All that it says is bounded and looked at before it is used; a message that may not come, or does
 * not fit its own counts, ends it. Loading may take LOAD_MS: models are large, disks slow.
 */
#include "cloud/detector_process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cloud/child.h"

#define LOAD_MS	 120000
#define SLICE_MS 200 /* how often a wait looks whether the node is stopping */

uint64_t detector_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* ---- what is there before it lives ---- */

static int read_text(struct sluice_detector_process *p)
{
	const char *path = p->c.config;
	struct stat st;
	ssize_t n = 0;
	int fd, err = 0;

	p->text = calloc(SLUICE_DETECTOR_CONFIG_MAX, 1);
	if (!p->text)
		return -ENOMEM;
	p->text_size = 1;
	if (!path[0])
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size >= SLUICE_DETECTOR_CONFIG_MAX)
		err = -EFBIG;
	else
		n = read(fd, p->text, SLUICE_DETECTOR_CONFIG_MAX - 1);
	if (n < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (!err)
		p->text_size = strnlen(p->text, (size_t)n) + 1;
	if (err == -EFBIG)
		snprintf(p->death, sizeof(p->death),
			 "[detector] config %s is no text below %u bytes", path,
			 SLUICE_DETECTOR_CONFIG_MAX);
	else if (err)
		snprintf(p->death, sizeof(p->death), "[detector] config %s: %s", path,
			 strerror(-err));
	return err;
}

int detector_process_init(struct sluice_detector_process *p, const struct sluice_detector_config *c,
			  const atomic_int *stopping)
{
	char path[4096];
	int err;

	memset(p, 0, sizeof(*p));
	p->c = *c;
	p->stopping = stopping;
	p->fd = p->area_fd = -1;
	if (c->plugin[0] != '/' || (c->config[0] && c->config[0] != '/')) {
		snprintf(p->death, sizeof(p->death),
			 "[detector] plugin and config must be absolute paths");
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "%s", c->config[0] ? c->config : c->plugin);
	snprintf(p->folder, sizeof(p->folder), "%s", dirname(path));
	err = read_text(p);
	if (err)
		return err;
	p->area_fd = sluice_child_memory("sluice-pictures", SLUICE_DETECTOR_AREA,
					 F_SEAL_FUTURE_WRITE, (void **)&p->area);
	if (p->area_fd < 0)
		snprintf(p->death, sizeof(p->death), "no memory for pictures: %s",
			 strerror(-p->area_fd));
	return p->area_fd < 0 ? p->area_fd : 0;
}

void detector_process_exit(struct sluice_detector_process *p)
{
	detector_process_bury(p, "the node is stopping");
	if (p->area) {
		munmap(p->area, SLUICE_DETECTOR_AREA);
		close(p->area_fd);
	}
	p->area = NULL;
	free(p->text);
	free(p->classes);
	p->text = NULL;
	p->classes = NULL;
}

/* ---- its end ---- */

void detector_process_bury(struct sluice_detector_process *p, const char *why)
{
	int status = 0;

	if (!p->pid)
		return;
	if (why)
		kill(p->pid, SIGKILL);
	close(p->fd);
	p->fd = -1;
	for (int i = 0; !why && waitpid(p->pid, &status, WNOHANG) == 0; i++) {
		if (i == 50) {
			why = "it closed its channel";
			kill(p->pid, SIGKILL);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	if (why)
		while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
			;
	p->pid = 0;
	if (why)
		snprintf(p->death, sizeof(p->death), "%s", why);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(p->death, sizeof(p->death),
			 "signal %d: it made a system call that is not allowed once it is open",
			 SIGSYS);
	else if (WIFSIGNALED(status))
		snprintf(p->death, sizeof(p->death), "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(p->death, sizeof(p->death), "it ended with code %d", WEXITSTATUS(status));
	atomic_fetch_add(&sluice_detector_counts.died, 1);
}

static int refuse(struct sluice_detector_process *p)
{
	atomic_fetch_add(&sluice_detector_counts.refused, 1);
	detector_process_bury(p, "it said what it may not say");
	return -EBADMSG;
}

/* ---- the channel ---- */

static int await(struct sluice_detector_process *p, short events, uint64_t until_ms)
{
	for (;;) {
		struct pollfd f = { .fd = p->fd, .events = events };
		uint64_t now = detector_now_ms();

		if (atomic_load(p->stopping)) {
			detector_process_bury(p, "the node is stopping");
			return -ECANCELED;
		}
		if (now >= until_ms) {
			atomic_fetch_add(&sluice_detector_counts.hung, 1);
			detector_process_bury(p, "it hung");
			return -ETIMEDOUT;
		}
		if (poll(&f, 1, until_ms - now < SLICE_MS ? (int)(until_ms - now) : SLICE_MS) > 0)
			return 0;
	}
}

static int write_all(struct sluice_detector_process *p, const void *data, size_t size,
		     uint64_t until_ms)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t n = send(p->fd, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		int err = 0;

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			err = await(p, POLLOUT, until_ms);
		} else if (errno != EINTR) {
			detector_process_bury(p, NULL);
			err = -EPIPE;
		}
		if (err)
			return err;
	}
	return 0;
}

static int read_all(struct sluice_detector_process *p, void *data, size_t size, uint64_t until_ms)
{
	uint8_t *at = data;

	while (size) {
		ssize_t n = recv(p->fd, at, size, MSG_DONTWAIT);
		int err = 0;

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			err = await(p, POLLIN, until_ms);
		} else if (n == 0 || errno != EINTR) {
			detector_process_bury(p, NULL);
			err = -EPIPE;
		}
		if (err)
			return err;
	}
	return 0;
}

static int tell(struct sluice_detector_process *p, uint32_t type, const void *data, size_t size,
		uint64_t until_ms)
{
	const struct sluice_detector_header h = { type, (uint32_t)size };
	int err = write_all(p, &h, sizeof(h), until_ms);

	return err ? err : write_all(p, data, size, until_ms);
}

static int hear(struct sluice_detector_process *p, struct sluice_detector_header *h,
		uint64_t until_ms)
{
	int err = read_all(p, h, sizeof(*h), until_ms);

	if (!err && h->size > sizeof(p->reply))
		return refuse(p);
	return err ? err : read_all(p, p->reply, h->size, until_ms);
}

/* ---- its start ---- */

int sluice_detector_name_ok(const char *name, int class)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ ";
	size_t n = strnlen(name, SLUICE_DETECTOR_NAME_MAX);

	for (size_t i = 0; i < n; i++)
		if (!memchr(letters, name[i], class ? sizeof(letters) - 1 : 39))
			return 0;
	return n && n < SLUICE_DETECTOR_NAME_MAX && name[0] != ' ' && name[n - 1] != ' ';
}

static int spawn(struct sluice_detector_process *p)
{
	char parent[16], memory[24];
	char *const argv[] = { "sluice-cloud",
			       SLUICE_DETECTOR_WORD,
			       parent,
			       memory,
			       (char *)p->c.plugin,
			       p->folder,
			       NULL };
	int childs, fds[2], err = sluice_child_channel(&p->fd, &childs);

	if (err)
		return err;
	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)p->c.memory);
	fds[0] = childs;
	fds[1] = p->area_fd;
	err = sluice_child_spawn(&p->pid, argv, fds, 2);
	close(childs);
	if (err) {
		close(p->fd);
		p->fd = -1;
		return err;
	}
	atomic_fetch_add(&sluice_detector_counts.started, 1);
	return 0;
}

/* What it says of itself may be said by anybody. */
static int take_ready(struct sluice_detector_process *p, const struct sluice_detector_header *h)
{
	const struct sluice_detector_ready *r = (const void *)p->reply;
	const char(*names)[SLUICE_DETECTOR_NAME_MAX] = (const void *)(r + 1);

	if (h->size < sizeof(*r) || !r->class_count || r->class_count > SLUICE_DETECTOR_CLASS_MAX ||
	    h->size != sizeof(*r) + r->class_count * sizeof(*names) || !r->batch_max ||
	    r->batch_max > SLUICE_DETECTOR_BATCH_MAX || r->side < 32 ||
	    r->side > SLUICE_DETECTOR_SIDE_MAX || !sluice_detector_name_ok(r->name, 0))
		return refuse(p);
	for (uint32_t i = 0; i < r->class_count; i++)
		if (!sluice_detector_name_ok(names[i], 1))
			return refuse(p);
	free(p->classes);
	p->classes = malloc(r->class_count * sizeof(*names));
	if (!p->classes) {
		detector_process_bury(p, "no memory for the names of its classes");
		return -EPIPE;
	}
	memcpy(p->classes, names, r->class_count * sizeof(*names));
	p->ready = *r;
	return 0;
}

/* A sentence that somebody else has written. */
static void take_words(struct sluice_detector_process *p, const char why[SLUICE_DETECTOR_WHY])
{
	size_t n = strnlen(why, SLUICE_DETECTOR_WHY - 1);

	for (size_t i = 0; i < n; i++)
		p->death[i] = why[i] >= ' ' && why[i] < 127 ? why[i] : '?';
	p->death[n] = 0;
}

int detector_process_start(struct sluice_detector_process *p)
{
	uint64_t until = detector_now_ms() + LOAD_MS;
	struct sluice_detector_header h;
	char why[SLUICE_DETECTOR_WHY];
	int err = spawn(p);

	if (err) {
		snprintf(p->death, sizeof(p->death), "cannot start a process: %s", strerror(-err));
		return -EPIPE;
	}
	err = tell(p, SLUICE_DETECTOR_CONFIG, p->text, p->text_size, until);
	if (!err)
		err = hear(p, &h, until);
	if (err)
		return err;
	if (h.type == SLUICE_DETECTOR_READY)
		return take_ready(p, &h);
	if (h.type != SLUICE_DETECTOR_FAILED || h.size != sizeof(why))
		return refuse(p);
	memcpy(why, p->reply, sizeof(why));
	detector_process_bury(p, NULL);
	take_words(p, why);
	return -ENOEXEC;
}

/* ---- its work ---- */

/* Do the boxes fit the pictures that it was given? */
static bool found_ok(const struct sluice_detector_process *p, size_t size,
		     const struct sluice_detector_look *l, uint32_t next)
{
	const struct sluice_detector_found *f = (const void *)p->reply;
	const struct sluice_detector_box *b = (const void *)(f + 1);
	size_t n = 0, k = 0;

	if (size < sizeof(*f) || f->first != next || !f->count || f->count > l->count - next)
		return false;
	for (uint32_t i = 0; i < f->count; i++) {
		if (f->boxes[i] > SLUICE_DETECTOR_BOX_MAX)
			return false;
		n += f->boxes[i];
	}
	if (size != sizeof(*f) + n * sizeof(*b))
		return false;
	for (uint32_t i = 0; i < f->count; i++)
		for (uint32_t j = 0; j < f->boxes[i]; j++, k++)
			if (!(b[k].x >= 0 && b[k].y >= 0 && b[k].w > 0 && b[k].h > 0 &&
			      b[k].x + b[k].w <= (float)l->picture[next + i].w + 0.5f &&
			      b[k].y + b[k].h <= (float)l->picture[next + i].h + 0.5f &&
			      b[k].score >= 0 && b[k].score <= 1 &&
			      b[k].class < p->ready.class_count))
				return false;
	return true;
}

int detector_process_look(struct sluice_detector_process *p, const struct sluice_detector_look *l,
			  uint64_t hang_ms, int *err,
			  void (*found)(void *ctx, const struct sluice_detector_found *f,
					const struct sluice_detector_box *box),
			  void *ctx)
{
	uint64_t until = detector_now_ms() + hang_ms;
	struct sluice_detector_header h;
	uint32_t next = 0;
	int dead = tell(p, SLUICE_DETECTOR_LOOK, l, sizeof(*l), until);

	while (!dead) {
		const struct sluice_detector_found *f = (const void *)p->reply;
		const struct sluice_detector_done *done = (const void *)p->reply;

		dead = hear(p, &h, until);
		if (dead)
			break;
		if (h.type == SLUICE_DETECTOR_DONE && h.size == sizeof(*done)) {
			*err = done->err;
			take_words(p, done->why);
			break;
		}
		if (h.type != SLUICE_DETECTOR_FOUND || !found_ok(p, h.size, l, next))
			return refuse(p);
		found(ctx, f, (const void *)(f + 1));
		next += f->count;
	}
	return dead;
}
