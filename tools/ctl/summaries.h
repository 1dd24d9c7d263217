/* SPDX-License-Identifier: MIT */
/* summaries.h - the summaries of this device, as the files of `sluicectl summaries` share them. */
#ifndef SLUICE_CTL_SUMMARIES_H
#define SLUICE_CTL_SUMMARIES_H

#include "tools/ctl/ctl.h"

#define SUMMARY_PATH 600

struct summary_entry {
	char path[SUMMARY_PATH];
	char start[40], id[40], camera[40];
};

struct summary_list {
	struct summary_entry *at;
	size_t count, room;
};

/* What is looked for. */
struct summary_filter {
	const char *dir;
	const char *camera; /* NULL: all */
	char since[40];	    /* RFC 3339 or a beginning of it; "": all */
};

/* All of them, newest first; free(list->at). */
void summaries_collect(const struct summary_filter *f, struct summary_list *list);

/* One directory; false: it is none, or not looked for. */
bool summary_read(const struct summary_filter *f, const char *path, struct summary_entry *out);

/* Its JSON; NULL: it is gone. */
json_t *summary_load(const struct summary_entry *e);

/* One line. */
void summary_print(const struct ctl *ctl, const struct summary_entry *e);

/* A string of the object, "" if there is none. */
const char *summary_text(const json_t *o, const char *key);

/* Text that came over the network, for a terminal: control characters are not passed on. */
void summary_put(const char *text);

/* The only one whose id begins with id; prints why not. */
const struct summary_entry *summary_find(const struct ctl *ctl, const struct summary_list *list,
					 const char *id);

int summary_show(const struct ctl *ctl, const struct summary_entry *e);
/* In a file manager where there is a screen; else prints the path. */
int summary_open(const struct ctl *ctl, const struct summary_entry *e);
/* Print each that comes, until interrupted. */
int summaries_follow(const struct ctl *ctl, const struct summary_filter *f);

#endif
