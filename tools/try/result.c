// SPDX-License-Identifier: MIT
/* result.c - the files in OUT. Links are never followed when something is removed. */
#include "tools/try/result.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1u << 20)

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int result_remove_tree(const char *path)
{
	if (access(path, F_OK))
		return 0;
	return nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
}

int result_clear(const char *out)
{
	static const char *const names[] = { "summaries", "ledger.json", "report.html", ".work" };
	char path[4096];
	size_t i;
	int ret;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", out, names[i]);
		ret = result_remove_tree(path);
		if (ret)
			return ret;
	}
	return 0;
}

json_t *result_read_summary(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	json_t *whole = NULL;
	json_t *summary;

	while (f && getline(&line, &room, f) > 0 && room < LINE_MAX_BYTES) {
		json_decref(whole);
		whole = json_loads(line, 0, NULL);
	}
	if (f)
		fclose(f);
	free(line);
	summary = json_incref(json_object_get(whole, "summary"));
	json_decref(whole);
	return summary;
}

/* The frames that the relay has sent and the cloud has stored. */
static void add_uplink(json_t *camera, const char *relay_ledger)
{
	json_t *root = json_load_file(relay_ledger, 0, NULL);
	json_t *first = json_array_get(json_object_get(root, "cameras"), 0);
	static const char *const keys[] = { "sent", "stored" };
	size_t i;

	for (i = 0; i < 2; i++) {
		json_t *v = json_object_get(first, keys[i]);

		if (json_is_integer(v))
			json_object_set(camera, keys[i], v);
	}
	json_decref(root);
}

int result_write_ledger(const char *out, const json_t *summary, const char *relay_ledger)
{
	static const char *const pairs[][2] = {
		{ "camera", "name" },
		{ "epoch", "epoch" },
		{ "frames", "delivered" },
		{ "pending", "pending" },
		{ "passed_by", "passed" },
		{ "dropped_by", "dropped" },
		{ "lost_by", "lost" },
		{ "bytes_seen", "bytes_seen" },
		{ "bytes_passed", "bytes_passed" },
	};
	json_t *camera = json_object();
	json_t *root;
	char path[4096];
	size_t i;
	int ret = 0;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (json_object_set(camera, pairs[i][1], json_object_get(summary, pairs[i][0])))
			ret = -EINVAL;
	add_uplink(camera, relay_ledger);
	root = json_pack("{s:i,s:[o]}", "version", 1, "cameras", camera);
	if (!root)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/ledger.json", out);
	if (!ret && json_dump_file(root, path, JSON_INDENT(1)))
		ret = -EIO;
	json_decref(root);
	return ret;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A digest belongs to the summary of an event, and is not counted beside it. */
static bool is_digest(const char *path)
{
	json_t *o = json_load_file(path, 0, NULL);
	const char *kind = json_string_value(json_object_get(o, "kind"));
	bool yes = kind && !strcmp(kind, "digest");

	json_decref(o);
	return yes;
}

json_t *result_list_summaries(const char *out)
{
	char root[4096];
	char *paths[] = { root, NULL };
	json_t *list = json_array();
	FTS *fts;
	FTSENT *e;

	snprintf(root, sizeof(root), "%s/summaries", out);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
	while (fts && (e = fts_read(fts)))
		if (e->fts_info == FTS_F && !strcmp(e->fts_name, "summary.json") &&
		    !is_digest(e->fts_path))
			json_array_append_new(list, json_string(e->fts_path));
	if (fts)
		fts_close(fts);
	return list;
}
