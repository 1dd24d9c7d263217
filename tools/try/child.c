// SPDX-License-Identifier: MIT
/* child.c - start, watch and end programs. Polls every 20 ms: nothing here is in a hurry. */
#include "tools/try/child.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS	   20
#define PATIENCE_S 5
#define OWN_S	   60 /* for one that has children to end */

static void run_program(const char *bin, int death, const char *out, const char *log,
			char *const argv[], pid_t parent)
{
	char path[4096];
	int in = open("/dev/null", O_RDONLY);
	int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int to = out ? open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644) : err;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, death);
	if (getppid() != parent || in < 0 || err < 0 || to < 0)
		_exit(127);
	dup2(in, 0);
	dup2(to, 1);
	dup2(err, 2);
	snprintf(path, sizeof(path), "%s%s%s", argv[0][0] == '/' ? "" : bin,
		 argv[0][0] == '/' ? "" : "/", argv[0]);
	execv(path, argv);
	dprintf(2, "%s: cannot be run: %s\n", path, strerror(errno));
	_exit(127);
}

int child_start(struct child *c, const char *bin, const char *out, const char *log,
		char *const argv[])
{
	pid_t parent = getpid();
	pid_t pid;

	snprintf(c->log, sizeof(c->log), "%s", log);
	c->name = argv[0];
	c->status = -1;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		run_program(bin, c->has_own ? SIGTERM : SIGKILL, out, log, argv, parent);
	c->pid = pid;
	return 0;
}

bool child_running(struct child *c)
{
	int status;

	if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return c->pid != 0;
	c->pid = 0;
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return false;
}

int child_wait(struct child *c, const volatile int *stop, unsigned int seconds)
{
	struct timespec pause = { 0, POLL_MS * 1000000l };
	unsigned long polls = seconds * 1000ul / POLL_MS;

	while (child_running(c) && !(stop && *stop)) {
		if (seconds && !polls--)
			break;
		nanosleep(&pause, NULL);
	}
	return c->pid ? -1 : c->status;
}

void child_stop(struct child *c)
{
	if (!child_running(c))
		return;
	kill(c->pid, SIGTERM);
	if (child_wait(c, NULL, c->has_own ? OWN_S : PATIENCE_S) >= 0)
		return;
	kill(c->pid, SIGKILL);
	child_wait(c, NULL, 0);
}

void child_last_words(const struct child *c, char *text, size_t size)
{
	FILE *f = fopen(c->log, "r");
	char line[1024];
	size_t n;

	text[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		n = strcspn(line, "\n");
		line[n] = 0;
		if (n)
			snprintf(text, size, "%s", line);
	}
	if (f)
		fclose(f);
}
