// SPDX-License-Identifier: MIT
/*
 * The hook: a program that is run once for each summary with
 *	PROGRAM DIRECTORY ID CAMERA KIND
 * and SLUICE_PATH, SLUICE_ID, SLUICE_CAMERA, SLUICE_KIND, SLUICE_TITLE, SLUICE_START, SLUICE_END
 * in its environment, which else has only PATH, HOME, LANG and TZ of the relay's. No shell, no
 * inherited descriptors, a session of its own; standard input is empty, what it writes goes to the
 * log (LINES_MAX lines). After the time limit its whole session's group gets SIGTERM and, GRACE_MS
 * later, SIGKILL. How it ends is logged; it is not run again for that, but it is when the relay
 * died or stopped while it ran.
 */
#include "lib/log.h"
#include "relay/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARALLEL_MAX 16
#define LINES_MAX    50
#define LINE_BYTES   256
#define GRACE_MS     5000
#define STOP_MS	     1500 /* the relay ends: so long is waited after SIGTERM */

struct run {
	pid_t pid; /* 0: free */
	int pidfd, out;
	struct relay_notice notice;
	uint64_t kill_ns; /* next signal */
	bool termed;
	unsigned int lines;
	char line[LINE_BYTES];
	size_t used;
};

struct hook {
	const struct relay_hook_conf *conf;
	struct relay_outbox *box;
	struct run run[PARALLEL_MAX];
	unsigned int parallel;
};

/* ---- starting one ---- */

static char *variable(const char *name, const char *value)
{
	char *s = NULL;

	return asprintf(&s, "%s=%s", name, value ? value : "") < 0 ? NULL : s;
}

#define VARIABLES 12

static void make_environment(const struct relay_notice *n, const char *path, const json_t *o,
			     char *env[VARIABLES])
{
	static const char *const kept[] = { "PATH", "HOME", "LANG", "TZ" };
	static const char *const told[][2] = { { "SLUICE_KIND", "kind" },
					       { "SLUICE_TITLE", "title" },
					       { "SLUICE_START", "start" },
					       { "SLUICE_END", "end" } };
	unsigned int count = 0;

	for (size_t i = 0; i < 4; i++)
		if (getenv(kept[i]))
			env[count++] = variable(kept[i], getenv(kept[i]));
	env[count++] = variable("SLUICE_PATH", path);
	env[count++] = variable("SLUICE_ID", n->id);
	env[count++] = variable("SLUICE_CAMERA", n->camera);
	for (size_t i = 0; i < 4; i++)
		env[count++] =
			variable(told[i][0], json_string_value(json_object_get(o, told[i][1])));
}

/* The program itself; 0 or an errno. */
static int spawn(struct hook *h, struct run *r, char *const argv[], char *const env[], int out)
{
	short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, flags);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&actions);
	err = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 2);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (!err)
		err = posix_spawn(&r->pid, h->conf->program, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return err;
}

static void start(struct hook *h, struct run *r)
{
	const struct relay_notice *n = &r->notice;
	char path[PATH_MAX], file[PATH_MAX], *env[VARIABLES] = { NULL };
	const char *kind;
	int pipes[2], err;
	json_t *o;

	relay_outbox_path(h->box, n, "", path, sizeof(path));
	relay_outbox_path(h->box, n, "summary.json", file, sizeof(file));
	o = json_load_file(file, 0, NULL);
	kind = json_string_value(json_object_get(o, "kind"));
	make_environment(n, path, o, env);
	err = pipe2(pipes, O_CLOEXEC) ? errno : 0;
	if (!err) {
		char *const argv[] = {
			(char *)h->conf->program,	 path, (char *)n->id, (char *)n->camera,
			(char *)(kind ? kind : "event"), NULL
		};

		err = spawn(h, r, argv, env, pipes[1]);
		close(pipes[1]);
		fcntl(pipes[0], F_SETFL, O_NONBLOCK);
		r->out = pipes[0];
		if (err)
			close(pipes[0]);
	}
	json_decref(o);
	for (int i = 0; i < VARIABLES; i++)
		free(env[i]);
	if (err) {
		sluice_error("hook %s cannot be run for summary %s: %s", h->conf->program, n->id,
			     strerror(err));
		r->pid = 0;
		relay_outbox_done(h->box, n);
		return;
	}
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	r->kill_ns = relay_sink_now() + h->conf->timeout_ms * 1000000;
	r->termed = false;
	r->lines = 0;
	r->used = 0;
}

/* ---- while it runs ---- */

static void log_line(struct run *r)
{
	r->line[r->used] = 0;
	if (r->used && r->lines++ < LINES_MAX) {
		for (size_t i = 0; i < r->used; i++)
			if ((unsigned char)r->line[i] < ' ')
				r->line[i] = ' ';
		sluice_info("hook[%d]: %s%s", (int)r->pid, r->line,
			    r->lines == LINES_MAX ? " (and no more of its lines)" : "");
	}
	r->used = 0;
}

static void read_output(struct run *r)
{
	char buf[1024];
	ssize_t n;

	while (r->out >= 0 && (n = read(r->out, buf, sizeof(buf))) != 0) {
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return; /* nothing more now */
		}
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n' || r->used == LINE_BYTES - 1)
				log_line(r);
			if (buf[i] != '\n')
				r->line[r->used++] = buf[i];
		}
	}
	if (r->out >= 0)
		close(r->out);
	r->out = -1;
}

static void tell_end(const struct hook *h, const struct run *r, int status)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		sluice_debug("hook %s for summary %s: exit code 0", h->conf->program, r->notice.id);
	else if (WIFEXITED(status))
		sluice_warning("hook %s for summary %s: exit code %d", h->conf->program,
			       r->notice.id, WEXITSTATUS(status));
	else
		sluice_warning("hook %s for summary %s: ended by signal %d%s", h->conf->program,
			       r->notice.id, WTERMSIG(status),
			       r->termed ? " after its time limit" : "");
}

/* Has it ended? Then its place is free. */
static void reap(struct hook *h, struct run *r)
{
	int status;

	if (waitpid(r->pid, &status, WNOHANG) != r->pid)
		return;
	kill(-r->pid, SIGKILL); /* what it left behind in its group */
	read_output(r);
	log_line(r);
	tell_end(h, r, status);
	if (r->out >= 0)
		close(r->out);
	if (r->pidfd >= 0)
		close(r->pidfd);
	r->pid = 0;
	relay_outbox_done(h->box, &r->notice);
}

static void check_time(struct run *r, uint64_t now)
{
	if (now < r->kill_ns)
		return;
	kill(-r->pid, r->termed ? SIGKILL : SIGTERM);
	r->termed = true;
	r->kill_ns = now + GRACE_MS * 1000000ull;
}

/* Wait for output, an end, a time limit, or the outbox. */
static void wait_all(struct hook *h)
{
	struct pollfd p[1 + 2 * PARALLEL_MAX] = { { .fd = relay_outbox_fd(h->box),
						    .events = POLLIN } };
	uint64_t now = relay_sink_now(), next = UINT64_MAX;
	unsigned int count = 1;

	for (unsigned int i = 0; i < h->parallel; i++) {
		const struct run *r = &h->run[i];

		if (!r->pid)
			continue;
		p[count++] = (struct pollfd){ .fd = r->out, .events = POLLIN };
		p[count++] = (struct pollfd){ .fd = r->pidfd, .events = POLLIN };
		next = r->kill_ns < next ? r->kill_ns : next;
		if (r->pidfd < 0 && next > now + 100000000) /* then look often */
			next = now + 100000000;
	}
	poll(p, count,
	     next == UINT64_MAX ? -1
	     : next <= now	? 0
				: (int)((next - now) / 1000000) + 1);
	relay_outbox_quiet(h->box);
}

static void end_all(struct hook *h)
{
	uint64_t until = relay_sink_now() + STOP_MS * 1000000ull;
	bool left = true;

	for (unsigned int i = 0; i < h->parallel; i++)
		if (h->run[i].pid)
			kill(-h->run[i].pid, SIGTERM);
	while (left && relay_sink_now() < until) {
		left = false;
		for (unsigned int i = 0; i < h->parallel; i++) {
			if (h->run[i].pid)
				reap(h, &h->run[i]);
			left |= h->run[i].pid != 0;
		}
		if (left)
			poll(NULL, 0, 20);
	}
	for (unsigned int i = 0; i < h->parallel; i++) {
		if (!h->run[i].pid)
			continue;
		kill(-h->run[i].pid, SIGKILL);
		waitpid(h->run[i].pid, NULL, 0);
		close(h->run[i].out);
		close(h->run[i].pidfd);
	}
}

void relay_sink_hook(const struct relay_sinks_config *c, struct relay_outbox *box)
{
	struct hook h = { .conf = &c->hook, .box = box, .parallel = c->hook.parallel };

	if (h.parallel > PARALLEL_MAX)
		h.parallel = PARALLEL_MAX;
	while (!relay_outbox_ending(box)) {
		for (unsigned int i = 0; i < h.parallel; i++)
			if (!h.run[i].pid && relay_outbox_take(box, &h.run[i].notice))
				start(&h, &h.run[i]);
		wait_all(&h);
		for (unsigned int i = 0; i < h.parallel; i++) {
			if (!h.run[i].pid)
				continue;
			read_output(&h.run[i]);
			check_time(&h.run[i], relay_sink_now());
			reap(&h, &h.run[i]);
		}
	}
	end_all(&h);
}
