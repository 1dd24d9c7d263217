// SPDX-License-Identifier: MIT
/*
 * summaries_follow.c - inotify on DIR, its cameras and their days. A summary gets its name by a
 * rename when it is complete, so that one event is one summary. A directory that is new is read
 * once it is watched, since something may have come in between; what both ways find is printed
 * once.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "tools/ctl/summaries.h"

#define WATCHES_MAX 8192
#define RECENT	    64

struct watch {
	int wd, depth; /* 0: DIR, 1: a camera, 2: a day */
	char *path;
};

struct follow {
	const struct ctl *ctl;
	const struct summary_filter *filter;
	int fd;
	struct watch *watch;
	size_t count;
	char recent[RECENT][40]; /* ids that were printed last */
	unsigned int turn;
};

static void print_new(struct follow *f, const char *path)
{
	struct summary_entry e;

	if (!summary_read(f->filter, path, &e))
		return;
	for (int i = 0; i < RECENT; i++)
		if (!strcmp(f->recent[i], e.id))
			return;
	snprintf(f->recent[f->turn++ % RECENT], sizeof(f->recent[0]), "%s", e.id);
	summary_print(f->ctl, &e);
}

static void add_watch(struct follow *f, const char *path, int depth, bool print);

/* What lies in a directory that is watched now. */
static void read_dir(struct follow *f, const char *path, int depth, bool print)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char below[SUMMARY_PATH];

		if (e->d_name[0] == '.' ||
		    snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= (int)sizeof(below))
			continue;
		if (depth < 2)
			add_watch(f, below, depth + 1, print);
		else if (print)
			print_new(f, below);
	}
	if (d)
		closedir(d);
}

static void add_watch(struct follow *f, const char *path, int depth, bool print)
{
	struct watch *more;
	int wd;

	if (f->count == WATCHES_MAX)
		return;
	more = realloc(f->watch, (f->count + 1) * sizeof(*more));
	if (!more)
		return;
	f->watch = more;
	wd = inotify_add_watch(f->fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	if (wd < 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (f->watch[i].wd == wd)
			return;
	f->watch[f->count] = (struct watch){ wd, depth, strdup(path) };
	if (!f->watch[f->count].path)
		return;
	f->count++;
	read_dir(f, path, depth, print);
}

static void drop_watch(struct follow *f, int wd)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->watch[i].wd == wd) {
			free(f->watch[i].path);
			f->watch[i] = f->watch[--f->count];
			return;
		}
}

static void take_event(struct follow *f, const struct inotify_event *e)
{
	const struct watch *w = NULL;
	char path[SUMMARY_PATH];
	int depth;

	if (e->mask & IN_Q_OVERFLOW)
		ctl_error(f->ctl, 0, "more came than could be followed; some are missing here");
	if (e->mask & IN_IGNORED)
		drop_watch(f, e->wd);
	for (size_t i = 0; i < f->count && !w; i++)
		if (f->watch[i].wd == e->wd)
			w = &f->watch[i];
	if (!w || !e->len || e->name[0] == '.' ||
	    snprintf(path, sizeof(path), "%s/%s", w->path, e->name) >= (int)sizeof(path))
		return;
	depth = w->depth;
	if (depth < 2)
		add_watch(f, path, depth + 1, true);
	else
		print_new(f, path);
}

int summaries_follow(const struct ctl *ctl, const struct summary_filter *filter)
{
	struct follow f = { .ctl = ctl, .filter = filter };
	struct pollfd p = { .events = POLLIN };
	_Alignas(struct inotify_event) char buf[8192];

	f.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f.fd < 0)
		return ctl_error(ctl, CTL_FAILED, "inotify: %s", strerror(errno));
	p.fd = f.fd;
	add_watch(&f, filter->dir, 0, false);
	while (!ctl_stopped) {
		ssize_t n;

		/* A signal that came just before poll() is seen a second later. */
		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = read(f.fd, buf, sizeof(buf));
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);

			take_event(&f, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	for (size_t i = 0; i < f.count; i++)
		free(f.watch[i].path);
	free(f.watch);
	close(f.fd);
	return CTL_OK;
}
