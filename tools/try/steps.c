// SPDX-License-Identifier: MIT
/* steps.c - programs that run to their end, lines that are waited for, and what is told. */
#include "tools/try/try.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void try_tell(const struct try *t, const char *format, ...)
{
	struct timespec now;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(stderr, "[%3ld s] ", (long)(now.tv_sec - t->began.tv_sec));
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

const char *try_path(const struct try *t, const char *name)
{
	static char paths[4][TRY_PATH];
	static int at;

	at = (at + 1) % 4;
	snprintf(paths[at], sizeof(paths[at]), "%s/%s", t->work, name);
	return paths[at];
}

int try_failed(const struct try *t, const struct child *c)
{
	char words[1024];

	(void)t;
	child_last_words(c, words, sizeof(words));
	if (try_stop)
		fputs("sluice-try: stopped\n", stderr);
	else if (words[0])
		fprintf(stderr, "sluice-try: %s failed: %s\n", c->name, words);
	else
		fprintf(stderr, "sluice-try: %s failed (exit %d); see %s\n", c->name, c->status,
			c->log);
	return -1;
}

int try_run(struct try *t, unsigned int seconds, const char *log, const char *out,
	    char *const argv[])
{
	if (child_start(&t->tool, t->bin, out ? try_path(t, out) : NULL, try_path(t, log), argv) ||
	    child_wait(&t->tool, &try_stop, seconds) != 0)
		return try_failed(t, &t->tool);
	return 0;
}

int try_await_line(struct try *t, struct child *from, unsigned int seconds, const char *name,
		   char *line, int size)
{
	struct timespec pause = { 0, 20000000 };
	unsigned int tries = seconds * 50;
	char path[TRY_PATH];
	FILE *f;

	snprintf(path, sizeof(path), "%s", try_path(t, name));
	while (tries-- && !try_stop) {
		f = fopen(path, "r");
		line[0] = 0;
		if (f && !fgets(line, size, f))
			line[0] = 0;
		if (f)
			fclose(f);
		if (strchr(line, '\n')) {
			line[strcspn(line, "\r\n")] = 0;
			return 0;
		}
		if (from && !child_running(from))
			break;
		nanosleep(&pause, NULL);
	}
	return from ? try_failed(t, from) : -1;
}
