// SPDX-License-Identifier: MIT
/*
 * summaries.c - what came back: DIR/CAMERA/YYYY-MM-DD/ID/summary.json (include/sluice/layout.h). A
 * directory whose name begins with a dot is still being written and is passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tools/ctl/ctl.h"

#define PATH_SIZE 600
#define LIST_MAX  100000

struct entry {
	char path[PATH_SIZE];
	char start[40], id[40];
};

struct list {
	struct entry *at;
	size_t count, room;
};

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Text that came over the network, for a terminal: control characters are not passed on. */
static void put_text(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < ' ' || *s == 127 ? '?' : *s);
}

static void add(struct list *l, const char *path)
{
	char file[PATH_SIZE + 16];
	struct entry *e;
	json_t *o;

	snprintf(file, sizeof(file), "%s/summary.json", path);
	o = json_load_file(file, 0, NULL);
	if (!o || l->count == LIST_MAX) {
		json_decref(o);
		return;
	}
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct entry *at = realloc(l->at, room * sizeof(*at));

		if (!at) {
			json_decref(o);
			return;
		}
		l->at = at;
		l->room = room;
	}
	e = &l->at[l->count++];
	snprintf(e->path, sizeof(e->path), "%s", path);
	snprintf(e->start, sizeof(e->start), "%s", text_of(o, "start"));
	snprintf(e->id, sizeof(e->id), "%s", text_of(o, "id"));
	json_decref(o);
}

/* Walk depth levels of directories below path; the last level is a summary. */
static void walk(struct list *l, const char *path, int depth)
{
	struct dirent **names;
	int n;

	if (!depth) {
		add(l, path);
		return;
	}
	n = scandir(path, &names, no_dots, alphasort);
	for (int i = 0; i < n; i++) {
		char below[PATH_SIZE];

		if (snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name) <
		    (int)sizeof(below))
			walk(l, below, depth - 1);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static int by_start(const void *p, const void *q)
{
	const struct entry *a = p, *b = q;
	int c = strcmp(a->start, b->start);

	return c ? c : strcmp(a->id, b->id);
}

static json_t *load(const struct entry *e)
{
	char file[PATH_SIZE + 16];

	snprintf(file, sizeof(file), "%s/summary.json", e->path);
	return json_load_file(file, 0, NULL);
}

static void print_line(const struct ctl *ctl, const struct entry *e)
{
	json_t *o = load(e);

	if (!o)
		return;
	if (ctl->json) {
		json_object_set_new(o, "path", json_string(e->path));
		json_dumpf(o, stdout, JSON_COMPACT);
	} else {
		printf("%.8s  %-24s %7.1f s  %2zu tracks %2zu pictures  ", e->id, e->start,
		       json_number_value(json_object_get(o, "end_s")) -
			       json_number_value(json_object_get(o, "start_s")),
		       json_array_size(json_object_get(o, "tracks")),
		       json_array_size(json_object_get(o, "keyframes")));
		put_text(text_of(o, "title"));
	}
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

static int show(const struct ctl *ctl, const struct list *l, const char *id)
{
	const struct entry *e = NULL;
	const json_t *k;
	json_t *o;
	size_t i;

	for (i = 0; i < l->count; i++) {
		if (strncmp(l->at[i].id, id, strlen(id)))
			continue;
		if (e)
			return ctl_error(ctl, CTL_FAILED, "more than one summary begins with '%s'",
					 id);
		e = &l->at[i];
	}
	o = e ? load(e) : NULL;
	if (!o)
		return ctl_error(ctl, CTL_FAILED,
				 "no summary '%s'; 'sluicectl summaries' lists them", id);
	if (ctl->json) {
		json_object_set_new(o, "path", json_string(e->path));
		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		put_text(text_of(o, "title"));
		printf("\n%s to %s, camera %s\n", text_of(o, "start"), text_of(o, "end"),
		       text_of(o, "camera"));
		put_text(text_of(o, "text"));
		printf("\nconfidence %.2f, at most %lld at once\n",
		       json_number_value(json_object_get(o, "confidence")),
		       (long long)json_integer_value(json_object_get(o, "peak_objects")));
		json_array_foreach (json_object_get(o, "keyframes"), i, k) {
			printf("  %8.2f s  %s/", json_number_value(json_object_get(k, "t_s")),
			       e->path);
			put_text(text_of(k, "file"));
			printf("  ");
			put_text(text_of(k, "why"));
			putchar('\n');
		}
	}
	json_decref(o);
	return CTL_OK;
}

/* Print what is new since the last look, until interrupted. */
static int follow(const struct ctl *ctl, const char *dir, struct list *seen)
{
	while (!ctl_stopped) {
		struct list now = { 0 };

		sleep(1); /* the period of looking; a signal ends it early */
		walk(&now, dir, 3);
		for (size_t i = 0; i < now.count; i++) {
			bool known = false;

			for (size_t k = 0; k < seen->count && !known; k++)
				known = !strcmp(seen->at[k].path, now.at[i].path);
			if (!known)
				print_line(ctl, &now.at[i]);
		}
		free(seen->at);
		*seen = now;
	}
	return CTL_OK;
}

int ctl_summaries(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "dir", 1, NULL, 'd' }, { 0 } };
	const char *dir = "/var/lib/sluice/summaries", *what;
	struct list l = { 0 };
	int c, rc = CTL_OK;

	optind = 1;
	while ((c = getopt_long(argc, argv, "d:", options, NULL)) != -1) {
		if (c != 'd')
			return CTL_USAGE;
		dir = optarg;
	}
	what = optind < argc ? argv[optind] : "list";
	if (access(dir, R_OK | X_OK))
		return ctl_error(
			ctl, CTL_FAILED, "cannot read %s: %s%s", dir, strerror(errno),
			errno == ENOENT
				? "; nothing has come back yet, or it lies elsewhere (--dir)"
				: "");
	walk(&l, dir, 3);
	if (l.count)
		qsort(l.at, l.count, sizeof(*l.at), by_start);
	if (!strcmp(what, "show") && optind + 2 == argc) {
		rc = show(ctl, &l, argv[optind + 1]);
	} else if (!strcmp(what, "follow") && optind + 1 == argc) {
		rc = follow(ctl, dir, &l);
	} else if (!strcmp(what, "list") && optind + 1 >= argc) {
		for (size_t i = 0; i < l.count; i++)
			print_line(ctl, &l.at[i]);
		if (!l.count && !ctl->json)
			printf("no summaries in %s yet\n", dir);
	} else {
		rc = ctl_error(ctl, CTL_USAGE,
			       "usage: sluicectl summaries [list | show ID | follow] [--dir DIR]");
	}
	free(l.at);
	return rc;
}
