// SPDX-License-Identifier: MIT
/* cmd_interrupt.c - ctrl-C ends a long command between two files, not within one. */
#include <signal.h>
#include <stddef.h>

#include "cloud/cmd.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void sluice_cmd_catch_interrupt(void)
{
	const struct sigaction interrupt = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &interrupt, NULL);
}

int sluice_cmd_interrupted(void *ctx)
{
	(void)ctx;
	return interrupted;
}
