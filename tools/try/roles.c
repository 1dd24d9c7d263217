// SPDX-License-Identifier: MIT
/*
 * roles.c - the private cloud as a user has it who has outgrown one machine: processes of role
 * ingest, worker and api on three brokers, PostgreSQL and a bucket, which tools/backends starts
 * below OUT/.work. The clip as one period is a job that the worker does; its files are asked for by
 * HTTPS, for the node has none of them on its disk.
 */
#include "tools/try/fetch.h"
#include "tools/try/try.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BACKENDS_S 180 /* for all engines to come up */

/* Of a path that is kept for as long as the program runs. */
struct kept {
	char tool[TRY_PATH], dir[TRY_PATH], data[TRY_PATH];
	char provision[TRY_PATH], ingest[TRY_PATH];
};

static struct kept kept;

static int start_backends(struct try *t)
{
	char *argv[] = { kept.tool, "--data", kept.data, kept.dir, NULL };
	struct child *c = &t->cloud[TRY_BACKENDS];
	char line[64];
	int n;

	n = snprintf(kept.tool, sizeof(kept.tool), "%s/../../tools/backends", t->bin);
	if (n >= (int)sizeof(kept.tool) || access(kept.tool, X_OK)) {
		fprintf(stderr,
			"sluice-try: the distributed back ends are started by tools/backends of "
			"the source tree, and %s is not there: run build/bin/sluice-try of the "
			"tree\n",
			kept.tool);
		return -1;
	}
	try_tell(t, "starting three brokers, PostgreSQL and a bucket");
	c->has_own = true;
	if (child_start(c, t->bin, NULL, try_path(t, "backends.log"), argv))
		return try_failed(t, c);
	c->name = "tools/backends";
	return try_await_line(t, c, BACKENDS_S, "backends/ready", line, sizeof(line));
}

/* A process of a role; which: of enum. Its port goes to port. */
static int start_role(struct try *t, int which, char *role, char *port, int size)
{
	char config[TRY_PATH], file[TRY_PATH], name[32], log[32];
	char *argv[] = { "sluice-cloud", "run",	   "--config",	config,	    "--role",
			 role,		 "--node", role,	"--listen", "127.0.0.1:0",
			 "--port-file",	 file,	   "--digests", NULL };
	struct child *c = &t->cloud[which];

	snprintf(config, sizeof(config), "%.4000s/%s.conf", kept.dir, role);
	snprintf(name, sizeof(name), "port.%s", role);
	snprintf(log, sizeof(log), "%s.log", role);
	snprintf(file, sizeof(file), "%s", try_path(t, name));
	if (child_start(c, t->bin, NULL, try_path(t, log), argv))
		return try_failed(t, c);
	return try_await_line(t, c, TRY_START_S, name, port, size);
}

/* Users and devices of the new data directory go to PostgreSQL, where every process sees them. */
static int provision(struct try *t)
{
	char *init[] = { "sluice-cloud", "init", "--data", kept.data, NULL };
	char *make[] = { "sluice-cloud", "provision", "--config", kept.provision,
			 "--size",	 "128",	      NULL };
	char *move[] = { "sluice-cloud", "migrate-index", "--config", kept.provision, NULL };
	char *token[] = {
		"sluice-cloud", "token", "--config", kept.ingest, "--device", "try", NULL
	};

	if (try_run(t, TRY_START_S, "cloud.log", "admin", init) ||
	    try_run(t, BACKENDS_S, "provision.log", NULL, make) ||
	    try_run(t, BACKENDS_S, "provision.log", NULL, move) ||
	    try_run(t, TRY_START_S, "cloud.log", "token", token))
		return -1;
	return try_await_line(t, NULL, TRY_START_S, "token", t->token, sizeof(t->token));
}

int roles_start(struct try *t)
{
	char port[8];

	snprintf(kept.dir, sizeof(kept.dir), "%s", try_path(t, "backends"));
	snprintf(kept.data, sizeof(kept.data), "%s", try_path(t, "cloud"));
	snprintf(kept.provision, sizeof(kept.provision), "%s",
		 try_path(t, "backends/provision.conf"));
	snprintf(kept.ingest, sizeof(kept.ingest), "%s", try_path(t, "backends/ingest.conf"));
	if (start_backends(t) || provision(t))
		return -1;
	try_tell(t, "they answer; streams, tables and bucket are made");
	if (start_role(t, TRY_WORKER, "worker", port, sizeof(port)) ||
	    start_role(t, TRY_API, "api", port, sizeof(port)))
		return -1;
	return start_role(t, TRY_CLOUD, "ingest", t->port, sizeof(t->port));
}

/* ---- the whole clip ---- */

static int tell_missing(const char *why)
{
	fprintf(stderr, "sluice-try: the summary of the whole clip is missing: %s\n", why);
	return -1;
}

/* Until the worker has done it; id: 64 bytes, of the summary. 0 or -1. */
static int await_job(struct try *t, struct fetch *f, const char *job, char *id)
{
	struct timespec pause = { 0, 250000000 };
	const char *state, *summary;
	char path[128];
	int left = TRY_PERIOD_S * 4, done = 0;

	snprintf(path, sizeof(path), "/v1/jobs/%.80s", job);
	while (!done && left-- && !try_stop) {
		const struct child *ended = node_ended(t);
		json_t *o = ended ? NULL : fetch_json(f, path);

		if (!o)
			return ended ? try_failed(t, ended) : tell_missing(f->why);
		state = json_string_value(json_object_get(o, "state"));
		summary =
			json_string_value(json_object_get(json_object_get(o, "result"), "summary"));
		if (!state || !strcmp(state, "failed") || !strcmp(state, "cancelled")) {
			const char *error = json_string_value(json_object_get(o, "error"));

			tell_missing(error ? error : "the job failed; see OUT/.work/worker.log");
			left = 0;
		} else if (!strcmp(state, "done") && summary) {
			snprintf(id, 64, "%s", summary);
			done = 1;
		} else {
			nanosleep(&pause, NULL);
		}
		json_decref(o);
	}
	return done ? 0 : -1;
}

static int save_file(struct fetch *f, const char *id, const char *name, const char *dir)
{
	char path[256], to[TRY_PATH];

	if (!name || strchr(name, '/') || name[0] == '.')
		return tell_missing("a file's name is none");
	snprintf(path, sizeof(path), "/v1/summaries/%s/%.100s", id, name);
	if (snprintf(to, sizeof(to), "%s/%s/%s", dir, id, name) >= (int)sizeof(to))
		return tell_missing(strerror(ENAMETOOLONG));
	return fetch_file(f, path, to) ? tell_missing(f->why) : 0;
}

static int take_period(struct fetch *f, const char *id, const char *dir)
{
	json_t *page = fetch_json(f, "/v1/summaries?kind=period"), *one, *file;
	char to[TRY_PATH];
	size_t i, j;
	int err = -1;

	if (!page)
		return tell_missing(f->why);
	if (snprintf(to, sizeof(to), "%s/%s", dir, id) >= (int)sizeof(to) || mkdir(to, 0755)) {
		tell_missing(strerror(errno));
	} else {
		json_array_foreach (json_object_get(page, "summaries"), i, one) {
			const char *its = json_string_value(json_object_get(one, "id"));

			if (!its || strcmp(its, id))
				continue;
			err = 0;
			json_array_foreach (json_object_get(one, "files"), j, file)
				err = err ? err : save_file(f, id, json_string_value(file), dir);
		}
		if (err)
			tell_missing(id);
	}
	json_decref(page);
	return err;
}

int roles_sum_up(struct try *t, const char *from, const char *to, const char *synopsis,
		 const char *dir)
{
	char *start[] = { "sluice-cloud", "jobs",      "start",		 "--config",   kept.ingest,
			  "--camera",	  TRY_CAMERA,  "--from",	 (char *)from, "--to",
			  (char *)to,	  "--seconds", (char *)synopsis, NULL };
	char job[96], id[64];
	struct fetch f = { 0 };

	snprintf(f.ca, sizeof(f.ca), "%.4000s/ca.crt", kept.data);
	if (try_run(t, TRY_START_S, "jobs.log", "job", start) ||
	    try_await_line(t, NULL, TRY_START_S, "job", job, sizeof(job)) ||
	    try_await_line(t, NULL, TRY_START_S, "port.api", f.port, sizeof(f.port)) ||
	    try_await_line(t, NULL, TRY_START_S, "admin", f.token, sizeof(f.token)))
		return -1;
	return await_job(t, &f, job, id) || take_period(&f, id, dir) ? -1 : 0;
}
