/* SPDX-License-Identifier: MIT */
/*
 * child.h - the programs that sluice-try runs. Each is in a process group of its own, so that ^C
 * reaches only sluice-try, which ends them in order; the kernel ends them should it die itself.
 */
#ifndef SLUICE_TRY_CHILD_H
#define SLUICE_TRY_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
	const char *name; /* of the program, beside sluice-try */
	pid_t pid;	  /* 0: not running */
	int status;	  /* exit code, 128 + signal, or -1 while it runs */
	bool has_own;	  /* set by the caller: it has children, and ends them at SIGTERM */
	char log[4096];	  /* its stderr */
};

/*
 * Start bin/argv[0], or argv[0] if that is a path, with stdout to out (a path; NULL: the log) and
 * stderr to log. Returns 0 or a negative errno; a program that is not there exits with 127 and says
 * so in its log.
 */
int child_start(struct child *c, const char *bin, const char *out, const char *log,
		char *const argv[]);

/* True if it is still running; else status is set. */
bool child_running(struct child *c);

/* Wait for its end or until *stop is set or seconds have passed (0: no limit). Returns its status,
 * or -1 if it runs on. */
int child_wait(struct child *c, const volatile int *stop, unsigned int seconds);

/* SIGTERM, 5 s of patience (60 s if it has children), SIGKILL. Nothing to do if it is not running.
 */
void child_stop(struct child *c);

/* The last line of its log that is not empty, without colours; "" if there is none. */
void child_last_words(const struct child *c, char *text, size_t size);

#endif
