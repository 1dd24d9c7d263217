// SPDX-License-Identifier: MIT
/* plants.c - see plants.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cloud/sandbox.h"
#include "tests/unit/plants.h"

static void do_segv(void)
{
	static volatile uintptr_t nowhere; /* a constant would be found at build time */

	*(volatile int *)nowhere = 1;
}

static void do_abort(void)
{
	abort();
}

static void do_hang(void)
{
	for (volatile int i = 0;; i++)
		;
}

static void do_open(void)
{
	open("/etc/passwd", O_RDONLY);
}

static void do_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_exec(void)
{
	char *const none[] = { NULL };

	execve("/bin/true", none, none);
}

static void do_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void do_kill_master(void)
{
	kill(getppid(), SIGKILL);
}

static void do_fork(void)
{
	if (!fork())
		_exit(0);
}

/* Asks for more than a child may have; hardly touches it, so that a slow machine does not hang. */
static void do_bomb(void)
{
	for (int n = 0; n < 512; n++) {
		char *p = malloc(8 << 20);

		if (!p)
			abort();
		*(volatile char *)p = 1;
	}
	_exit(9);
}

const struct plant plant[PLANTS] = {
	{ "segv", do_segv, "signal 11" },	 { "abort", do_abort, "signal 6" },
	{ "hang", do_hang, "it hung" },		 { "open", do_open, "signal 31" },
	{ "socket", do_socket, "signal 31" },	 { "execve", do_exec, "signal 31" },
	{ "ptrace", do_ptrace, "signal 31" },	 { "fork", do_fork, "signal 31" },
	{ "kill", do_kill_master, "signal 31" }, { "bomb", do_bomb, "signal 6" },
};

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What work needs, and some C libraries ask the system about the first time: a sort of much. */
static void do_sort(void)
{
	static int much[2000];

	for (int i = 0; i < 2000; i++)
		much[i] = i * 7919 % 2000;
	qsort(much, 2000, sizeof(much[0]), by_value);
	for (int i = 0; i < 2000; i++)
		if (much[i] != i)
			abort();
}

void sluice_sandbox_plant(const struct sluice_stored_frame *f)
{
	if (f->epoch >= KILLER && f->epoch < KILLER + PLANTS && f->sequence == BAD)
		plant[f->epoch - KILLER].run();
	if (f->epoch == SORTER)
		do_sort();
}
