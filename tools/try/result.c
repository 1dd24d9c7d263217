// SPDX-License-Identifier: MIT
/* result.c - the files in OUT. Links are never followed when something is removed. */
#include "tools/try/result.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static bool is_kind(const json_t *o, const char *want)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));

	return kind && !strcmp(kind, want);
}

/* Calls fn for each summary.json below root that is of that kind, until it returns other than 0. */
static int each_summary(const char *root, const char *kind,
			int (*fn)(void *ctx, const char *path, const json_t *o), void *ctx)
{
	char *paths[] = { (char *)root, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
	int rc = fts ? 0 : -errno;
	FTSENT *e;

	while (!rc && fts && (e = fts_read(fts))) {
		json_t *o;

		if (e->fts_info != FTS_F || strcmp(e->fts_name, "summary.json") != 0)
			continue;
		o = json_load_file(e->fts_path, 0, NULL);
		if (is_kind(o, kind))
			rc = fn(ctx, e->fts_path, o);
		json_decref(o);
	}
	if (fts)
		fts_close(fts);
	return rc;
}

struct start {
	uint64_t utc_ns;
	char *dir;
};

/* path: DIR/ID/summary.json */
static void parent_of(const char *path, int levels, char *dir)
{
	snprintf(dir, 4096, "%s", path);
	while (levels--)
		if (strrchr(dir, '/'))
			*strrchr(dir, '/') = 0;
}

static int take_start(void *ctx, const char *path, const json_t *o)
{
	const char *ns = json_string_value(json_object_get(o, "start_ns"));
	double s = json_number_value(json_object_get(o, "start_s"));
	struct start *start = ctx;

	if (!ns || s < 0 || s > 1e9)
		return 0;
	start->utc_ns = strtoull(ns, NULL, 10) - (uint64_t)(s * 1e9);
	parent_of(path, 2, start->dir);
	return 1;
}

int result_stream_start(const char *out, uint64_t *utc_ns, char *dir)
{
	struct start start = { .dir = dir };
	char root[4096];
	int rc;

	snprintf(root, sizeof(root), "%s/summaries", out);
	rc = each_summary(root, "event", take_start, &start);
	*utc_ns = start.utc_ns;
	return rc == 1 ? 0 : rc ? rc : -ENOENT;
}

/* Files of a directory of the store, linked: the store keeps them. As all else in OUT they are for
 * who may read it. */
static int link_files(const char *from, const char *to)
{
	char old[4096], new[4096];
	struct dirent *e;
	DIR *d = opendir(from);
	int err = d ? 0 : -errno;

	if (!err && mkdir(to, 0755))
		err = -errno;
	while (!err && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(old, sizeof(old), "%s/%s", from, e->d_name) >= (int)sizeof(old) ||
		    snprintf(new, sizeof(new), "%s/%s", to, e->d_name) >= (int)sizeof(new))
			err = -ENAMETOOLONG;
		else if (link(old, new) || chmod(new, 0644))
			err = -errno;
	}
	if (d)
		closedir(d);
	return err;
}

static int take_period(void *ctx, const char *path, const json_t *o)
{
	char from[4096], to[4096];
	const char *name;
	int err;

	(void)o;
	parent_of(path, 1, from);
	name = strrchr(from, '/');
	if (!name || snprintf(to, sizeof(to), "%s%s", (const char *)ctx, name) >= (int)sizeof(to))
		return -ENAMETOOLONG;
	err = link_files(from, to);
	return err ? err : 1;
}

int result_take_period(const char *media, const char *dir)
{
	int rc = each_summary(media, "period", take_period, (void *)dir);

	return rc == 1 ? 0 : rc ? rc : -ENOENT;
}

static int add_path(void *ctx, const char *path, const json_t *o)
{
	(void)o;
	return json_array_append_new(ctx, json_string(path));
}

/* Digests and the period belong to them, and are not counted beside them. */
json_t *result_list_summaries(const char *out)
{
	json_t *list = json_array();
	char root[4096];

	snprintf(root, sizeof(root), "%s/summaries", out);
	each_summary(root, "event", add_path, list);
	return list;
}
