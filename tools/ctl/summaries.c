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
#include <time.h>
#include <unistd.h>

#include "tools/ctl/summaries.h"

#define LIST_MAX 100000

static const char usage[] = "usage: sluicectl summaries [list | show ID | open ID | follow] "
			    "[--camera NAME] [--since TIME] [--limit N] [--dir DIR]";

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

const char *summary_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

void summary_put(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < ' ' || *s == 127 ? '?' : *s);
}

json_t *summary_load(const struct summary_entry *e)
{
	char file[SUMMARY_PATH + 16];

	snprintf(file, sizeof(file), "%s/summary.json", e->path);
	return json_load_file(file, 0, NULL);
}

bool summary_read(const struct summary_filter *f, const char *path, struct summary_entry *out)
{
	json_t *o;
	bool wanted;

	snprintf(out->path, sizeof(out->path), "%s", path);
	o = summary_load(out);
	if (!o)
		return false;
	snprintf(out->start, sizeof(out->start), "%s", summary_text(o, "start"));
	snprintf(out->id, sizeof(out->id), "%s", summary_text(o, "id"));
	snprintf(out->camera, sizeof(out->camera), "%s", summary_text(o, "camera"));
	json_decref(o);
	wanted = !f->camera || !strcmp(f->camera, out->camera);
	return wanted && strncmp(out->start, f->since, strlen(f->since)) >= 0;
}

static void add(const struct summary_filter *f, struct summary_list *l, const char *path)
{
	struct summary_entry *at, e;

	if (l->count == LIST_MAX || !summary_read(f, path, &e))
		return;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;

		at = realloc(l->at, room * sizeof(*at));
		if (!at)
			return;
		l->at = at;
		l->room = room;
	}
	l->at[l->count++] = e;
}

/* Walk depth levels of directories below path; the last level is a summary. */
static void walk(const struct summary_filter *f, struct summary_list *l, const char *path,
		 int depth)
{
	struct dirent **names;
	int n;

	if (!depth) {
		add(f, l, path);
		return;
	}
	n = scandir(path, &names, no_dots, alphasort);
	for (int i = 0; i < n; i++) {
		char below[SUMMARY_PATH];

		if (snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name) <
		    (int)sizeof(below))
			walk(f, l, below, depth - 1);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static int newest_first(const void *p, const void *q)
{
	const struct summary_entry *a = p, *b = q;
	int c = strcmp(b->start, a->start);

	return c ? c : strcmp(a->id, b->id);
}

void summaries_collect(const struct summary_filter *f, struct summary_list *l)
{
	walk(f, l, f->dir, 3);
	if (l->count)
		qsort(l->at, l->count, sizeof(*l->at), newest_first);
}

void summary_print(const struct ctl *ctl, const struct summary_entry *e)
{
	json_t *o = summary_load(e);

	if (!o)
		return;
	if (ctl->json) {
		json_object_set_new(o, "path", json_string(e->path));
		json_dumpf(o, stdout, JSON_COMPACT);
	} else {
		printf("%s%.8s%s  %-24s ", ctl->colour ? "\033[33m" : "", e->id,
		       ctl->colour ? "\033[0m" : "", e->start);
		summary_put(e->camera);
		printf("  %.1f s  %zu tracks %zu pictures  ",
		       json_number_value(json_object_get(o, "end_s")) -
			       json_number_value(json_object_get(o, "start_s")),
		       json_array_size(json_object_get(o, "tracks")),
		       json_array_size(json_object_get(o, "keyframes")));
		summary_put(summary_text(o, "title"));
	}
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

const struct summary_entry *summary_find(const struct ctl *ctl, const struct summary_list *l,
					 const char *id)
{
	const struct summary_entry *e = NULL;

	for (size_t i = 0; i < l->count; i++) {
		if (strncmp(l->at[i].id, id, strlen(id)))
			continue;
		if (e) {
			ctl_error(ctl, 0, "more than one summary begins with '%s'; give more of it",
				  id);
			return NULL;
		}
		e = &l->at[i];
	}
	if (!e)
		ctl_error(ctl, 0, "no summary '%s'; 'sluicectl summaries' lists them", id);
	return e;
}

/* "2h", "3d" ago, or a beginning of RFC 3339 as it is. */
static bool read_since(const char *text, char out[40])
{
	char *unit;
	long n = strtol(text, &unit, 10);
	long scale = !strcmp(unit, "m")	  ? 60
		     : !strcmp(unit, "h") ? 3600
		     : !strcmp(unit, "d") ? 86400
					  : 0;
	time_t then;
	struct tm tm;

	if (unit > text && scale && n >= 0 && n < 1000000) {
		then = time(NULL) - n * scale;
		return gmtime_r(&then, &tm) && strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	}
	if (strlen(text) < 4 || strlen(text) >= 40 ||
	    strspn(text, "0123456789-:.TZ") != strlen(text) || strspn(text, "0123456789") < 4)
		return false;
	snprintf(out, 40, "%s", text);
	return true;
}

static int list_all(const struct ctl *ctl, const struct summary_filter *f,
		    const struct summary_list *l, int64_t limit)
{
	for (size_t i = 0; i < l->count && (int64_t)i < limit; i++)
		summary_print(ctl, &l->at[i]);
	if (!l->count && !ctl->json)
		printf("no summaries in %s%s\n", f->dir,
		       f->camera || f->since[0] ? " that are looked for" : " yet");
	return CTL_OK;
}

static int run(const struct ctl *ctl, const struct summary_filter *f, int64_t limit, int argc,
	       char **argv)
{
	const char *what = argc ? argv[0] : "list";
	bool one = argc == 2 && (!strcmp(what, "show") || !strcmp(what, "open"));
	const struct summary_entry *e;
	struct summary_list l = { 0 };
	int rc = CTL_FAILED;

	if (!one && (argc > 1 || (strcmp(what, "list") && strcmp(what, "follow"))))
		return ctl_error(ctl, CTL_USAGE, "%s", usage);
	if (access(f->dir, R_OK | X_OK))
		return ctl_error(ctl, CTL_FAILED, "cannot read %s: %s%s", f->dir, strerror(errno),
				 errno == ENOENT ? "; nothing has come back yet, or it lies "
						   "elsewhere (--dir)"
						 : "");
	if (!strcmp(what, "follow"))
		return summaries_follow(ctl, f);
	summaries_collect(f, &l);
	if (one) {
		e = summary_find(ctl, &l, argv[1]);
		if (e)
			rc = what[0] == 's' ? summary_show(ctl, e) : summary_open(ctl, e);
	} else {
		rc = list_all(ctl, f, &l, limit);
	}
	free(l.at);
	return rc;
}

int ctl_summaries(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "dir", 1, NULL, 'd' },
						 { "camera", 1, NULL, 'c' },
						 { "since", 1, NULL, 's' },
						 { "limit", 1, NULL, 'l' },
						 { 0 } };
	struct summary_filter f = { .dir = "/var/lib/sluice/summaries" };
	int64_t limit = INT64_MAX;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			f.dir = optarg;
		else if (c == 'c')
			f.camera = optarg;
		else if (c == 's' && !read_since(optarg, f.since))
			return ctl_error(ctl, CTL_USAGE,
					 "--since 30m, 2h, 3d, or a time like 2026-01-31T12:00");
		else if (c == 'l' && !ctl_number(optarg, 1, LIST_MAX, &limit))
			return ctl_error(ctl, CTL_USAGE, "--limit is 1 to %d", LIST_MAX);
		else if (c == '?')
			return CTL_USAGE;
	}
	return run(ctl, &f, limit, argc - optind, argv + optind);
}
