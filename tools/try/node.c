// SPDX-License-Identifier: MIT
/*
 * node.c - the private cloud: one process with everything in a directory. The clip as one period is
 * done by its store once it has ended.
 */
#include "tools/try/result.h"
#include "tools/try/try.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int start_one(struct try *t)
{
	char *data = strdup(try_path(t, "cloud"));
	char *port_file = strdup(try_path(t, "port"));
	char *init[] = { "sluice-cloud", "init", "--data", data, NULL };
	char *token[] = { "sluice-cloud", "token", "--data", data, "--device", "try", NULL };
	char *run[] = { "sluice-cloud", "run",	       "--data",  data,	       "--listen",
			"127.0.0.1:0",	"--port-file", port_file, "--digests", NULL };
	struct child *cloud = &t->cloud[TRY_CLOUD];
	int ret = -1;

	if (data && port_file && !try_run(t, TRY_START_S, "cloud.log", NULL, init) &&
	    !try_run(t, TRY_START_S, "cloud.log", "token", token) &&
	    !try_await_line(t, NULL, TRY_START_S, "token", t->token, sizeof(t->token))) {
		if (child_start(cloud, t->bin, NULL, try_path(t, "cloud.log"), run))
			ret = try_failed(t, cloud);
		else
			ret = try_await_line(t, cloud, TRY_START_S, "port", t->port,
					     sizeof(t->port));
	}
	free(data);
	free(port_file);
	return ret;
}

int node_start(struct try *t)
{
	return t->distributed ? roles_start(t) : start_one(t);
}

const struct child *node_ended(struct try *t)
{
	for (int i = 0; i < TRY_CLOUDS; i++)
		if (t->cloud[i].pid && !child_running(&t->cloud[i]))
			return &t->cloud[i];
	return NULL;
}

static int sum_up_one(struct try *t, const char *from, const char *to, const char *synopsis,
		      const char *dir)
{
	char *data = strdup(try_path(t, "cloud"));
	char *start[] = { "sluice-cloud", "jobs",      "start",		 "--data",     data,
			  "--camera",	  TRY_CAMERA,  "--from",	 (char *)from, "--to",
			  (char *)to,	  "--seconds", (char *)synopsis, NULL };
	char *run[] = { "sluice-cloud", "jobs", "run", "--data", data, NULL };
	int ret;

	child_stop(&t->cloud[TRY_CLOUD]);
	ret = data ? try_run(t, TRY_START_S, "jobs.log", "job", start) : -1;
	if (!ret)
		ret = try_run(t, TRY_PERIOD_S, "jobs.log", NULL, run);
	if (!ret && (ret = result_take_period(try_path(t, "cloud/media"), dir)))
		fprintf(stderr, "sluice-try: the summary of the whole clip is missing: %s\n",
			strerror(-ret));
	free(data);
	return ret ? -1 : 0;
}

int node_sum_up(struct try *t, const char *from, const char *to, const char *synopsis,
		const char *dir)
{
	return t->distributed ? roles_sum_up(t, from, to, synopsis, dir)
			      : sum_up_one(t, from, to, synopsis, dir);
}

void node_stop(struct try *t)
{
	for (int i = 0; i < TRY_CLOUDS; i++)
		child_stop(&t->cloud[i]);
}
