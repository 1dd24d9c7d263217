// SPDX-License-Identifier: MIT
/*
 * main.c - sluice-try: what would Sluice make of this footage?
 *
 * A private cloud, relay and feed on this machine, for one clip: its own authority, its own data in
 * OUT/.work, a loopback port that is free. In order: the feed (a clip that cannot be decoded ends
 * it at once), the cloud, enrolment, the relay, which exits when everything has been stored,
 * analysed and told. Then the cloud is ended, and its store sums up the whole clip as one period
 * (sluice-cloud jobs). Summaries, ledger and report are put into OUT.
 *
 * With SLUICE_BACKEND=distributed the same on the engines of a cloud of several processes
 * (roles.c).
 *
 * Any program that fails ends the run with that program's last words; its log stays in OUT/.work.
 * Whatever happens, no child is left behind.
 */
#include "tools/try/result.h"
#include "tools/try/try.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DONE_S 300 /* for the relay, after the feed has ended */

static const char help[] =
	"usage: sluice-try [OPTION]... CLIP OUT\n"
	"What would Sluice make of this footage? Runs gate, relay and a private cloud on this "
	"machine\n"
	"and leaves OUT/summaries/TRY_CAMERA/DATE/ID/summary.json, OUT/ledger.json and "
	"OUT/report.html.\n"
	"\n"
	"  --preset P        sensitivity: low, medium (default) or high\n"
	"  --set NAME=VALUE  one setting of the gate (sluice-feed --set list names them)\n"
	"  --format F        camera format to pretend (see sluice-feed --help)\n"
	"  --size WxH        scale the pictures\n"
	"  --seconds S       only the first S seconds\n"
	"  --region          between full frames of an event send only what changed\n"
	"  --json            print one JSON object about the result\n"
	"  --keep            keep OUT/.work: logs, the cloud's data, the device's\n"
	"  --help            this text\n"
	"\n"
	"With SLUICE_BACKEND=distributed in the environment the cloud is processes of role ingest, "
	"worker and "
	"api\n"
	"on three NATS brokers, PostgreSQL and a bucket, started for this run (make "
	"try-distributed).\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong use. Results of an earlier run in OUT are "
	"replaced.\n";

volatile int try_stop;

static void on_signal(int sig)
{
	try_stop = 1;
}

static int start_feed(struct try *t)
{
	struct timespec pause = { 0, 20000000 };
	char *argv[TRY_FEED_ARGS + 8] = {
		"sluice-feed", "--json", "--socket", t->socket, "--name", TRY_CAMERA,
	};
	int n = 6;
	int i, tries;

	for (i = 0; i < t->feed_arg_count; i++)
		argv[n++] = t->feed_args[i];
	argv[n++] = (char *)t->clip;
	argv[n] = NULL;
	if (child_start(&t->feed, t->bin, try_path(t, "feed.json"), try_path(t, "feed.log"), argv))
		return try_failed(t, &t->feed);
	for (tries = TRY_START_S * 50; tries && !try_stop; tries--) {
		if (!access(t->socket, F_OK))
			return 0;
		if (!child_running(&t->feed))
			break;
		nanosleep(&pause, NULL);
	}
	return try_failed(t, &t->feed);
}

static int enrol(struct try *t, const char *url)
{
	char *device = strdup(try_path(t, "device"));
	char *argv[] = { "sluicectl", "enrol", (char *)url, "--token",
			 t->token,    "--dir", device,	    NULL };
	int ret = -1;

	if (device && !mkdir(device, 0700))
		ret = try_run(t, TRY_START_S, "enrol.log", NULL, argv);
	free(device);
	return ret;
}

/* Its settings are all on the command line: a relay.conf of this machine is not for this run. */
static int start_relay(struct try *t, const char *url)
{
	static const char *const names[] = { "relay.conf", "device/device.crt", "device/device.key",
					     "device/ca.crt", "relay" };
	static char path[5][TRY_PATH];
	char *argv[] = { "sluice-relay", "--config", path[0], "--cloud", (char *)url,
			 "--cert",	 path[1],    "--key", path[2],	 "--ca",
			 path[3],	 "--state",  path[4], "--feed",	 t->socket,
			 "--once",	 "--spool",  "0",     NULL };
	size_t i;
	int fd;

	for (i = 0; i < 5; i++)
		snprintf(path[i], TRY_PATH, "%s", try_path(t, names[i]));
	fd = open(path[0], O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || (t->region && dprintf(fd, "[relay]\nregion = on\n") < 0) || close(fd) ||
	    mkdir(path[4], 0700)) {
		fprintf(stderr, "sluice-try: cannot write to %s: %s\n", t->work, strerror(errno));
		return -1;
	}
	if (child_start(&t->relay, t->bin, NULL, try_path(t, "relay.log"), argv))
		return try_failed(t, &t->relay);
	return 0;
}

/* Until the feed has been emptied and the relay has heard that all is done. */
static int await_end(struct try *t)
{
	struct timespec pause = { 0, 50000000 };
	bool fed = false;
	int left = DONE_S * 20;
	const struct child *ended;

	while (!try_stop && child_running(&t->relay)) {
		ended = node_ended(t);
		if (ended)
			return try_failed(t, ended);
		if (!fed && !child_running(&t->feed)) {
			if (t->feed.status)
				return try_failed(t, &t->feed);
			fed = true;
			try_tell(t,
				 "the clip is through the gate, and what passed is with the relay");
		}
		if (fed && !left--) {
			fprintf(stderr, "sluice-try: the relay is not done after %d s; see %s\n",
				DONE_S, t->relay.log);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	if (try_stop || t->relay.status)
		return try_failed(t, &t->relay);
	return child_wait(&t->feed, &try_stop, TRY_START_S) ? try_failed(t, &t->feed) : 0;
}

static int write_report(struct try *t, const json_t *summary)
{
	char seconds[32], clip_fact[TRY_PATH + 8], frames_fact[96];
	char *argv[] = { "sluice-report", "--title", "What Sluice makes of this clip",
			 "--seconds",	  seconds,   "--fact",
			 clip_fact,	  "--fact",  frames_fact,
			 t->out,	  NULL };
	const char *slash = strrchr(t->clip, '/');

	snprintf(seconds, sizeof(seconds), "%.3f",
		 json_number_value(json_object_get(summary, "seconds")));
	snprintf(clip_fact, sizeof(clip_fact), "Clip=%s", slash ? slash + 1 : t->clip);
	snprintf(frames_fact, sizeof(frames_fact), "Frames=%lld of %lldx%lld, %s",
		 (long long)json_integer_value(json_object_get(summary, "frames")),
		 (long long)json_integer_value(json_object_get(summary, "width")),
		 (long long)json_integer_value(json_object_get(summary, "height")),
		 json_string_value(json_object_get(summary, "format")));
	return try_run(t, TRY_START_S, "report.log", NULL, argv);
}

/*
 * The clip as one period, by the cloud. Its synopsis is a quarter as long as the clip, from 10 s to
 * a minute. A clip without an event has none. 0 or -1.
 */
static int sum_up(struct try *t, double seconds)
{
	char from[24], to[24], synopsis[24], dir[TRY_PATH];
	uint64_t utc_ns;
	int ret = result_stream_start(t->out, &utc_ns, dir);

	if (ret)
		return ret == -ENOENT ? 0 : -1;
	snprintf(from, sizeof(from), "%llu", (unsigned long long)(utc_ns - 1000000000));
	snprintf(to, sizeof(to), "%llu",
		 (unsigned long long)(utc_ns + (uint64_t)((seconds + 1) * 1e9)));
	snprintf(synopsis, sizeof(synopsis), "%.0f", fmin(fmax(seconds / 4, 10), 60));
	return node_sum_up(t, from, to, synopsis, dir);
}

static void print_result(const struct try *t, json_t *summaries)
{
	json_t *o = json_pack("{s:O,s:s+,s:s+}", "summaries", summaries, "ledger", t->out,
			      "/ledger.json", "report", t->out, "/report.html");

	if (o && t->json) {
		json_dumpf(o, stdout, 0);
		putchar('\n');
	} else if (o) {
		printf("%s/report.html\n", t->out);
	}
	json_decref(o);
}

static int collect(struct try *t)
{
	char to[TRY_PATH];
	json_t *summary = result_read_summary(try_path(t, "feed.json"));
	json_t *list = NULL;
	int ret;

	if (!summary) {
		fprintf(stderr, "sluice-try: sluice-feed left no summary; see %s\n", t->feed.log);
		return -1;
	}
	snprintf(to, sizeof(to), "%s/summaries", t->out);
	/* a clip without an event leaves no directory */
	if (rename(try_path(t, "relay/summaries"), to) && errno == ENOENT)
		mkdir(to, 0755);
	if (sum_up(t, json_number_value(json_object_get(summary, "seconds")))) {
		json_decref(summary);
		return -1;
	}
	ret = result_write_ledger(t->out, summary, try_path(t, "relay/ledger.json"));
	if (ret)
		fprintf(stderr, "sluice-try: cannot write %s/ledger.json: %s\n", t->out,
			strerror(-ret));
	else
		ret = write_report(t, summary);
	if (!ret) {
		list = result_list_summaries(t->out);
		try_tell(t, "%zu event %s", json_array_size(list),
			 json_array_size(list) == 1 ? "summary" : "summaries");
		print_result(t, list);
	}
	json_decref(list);
	json_decref(summary);
	return ret;
}

static int try_clip(struct try *t)
{
	char url[64];

	if (start_feed(t))
		return -1;
	try_tell(t, "playing %s", t->clip);
	if (node_start(t))
		return -1;
	snprintf(url, sizeof(url), "https://127.0.0.1:%s", t->port);
	try_tell(t, "a private cloud listens on 127.0.0.1 port %s", t->port);
	if (enrol(t, url))
		return -1;
	if (start_relay(t, url))
		return -1;
	try_tell(t, "enrolled; the relay is at work");
	if (await_end(t))
		return -1;
	try_tell(t, "everything is stored, analysed and told");
	return collect(t);
}

static int wrong(const char *what)
{
	fprintf(stderr, "sluice-try: %s (see --help)\n", what);
	return 2;
}

/* 0: go on; 1: help was printed; 2: wrong use. */
static int parse(struct try *t, int argc, char **argv)
{
	static const struct option options[] = {
		{ "preset", required_argument, NULL, 'p' },
		{ "set", required_argument, NULL, 's' },
		{ "format", required_argument, NULL, 'f' },
		{ "size", required_argument, NULL, 'z' },
		{ "seconds", required_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "keep", no_argument, NULL, 'k' },
		{ "region", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static char names[5][16] = { "--preset", "--set", "--format", "--size", "--seconds" };
	const char *known = "psfze";
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'j') {
			t->json = true;
		} else if (o == 'k') {
			t->keep = true;
		} else if (o == 'r') {
			t->region = true;
		} else if (o == 'h') {
			fputs(help, stdout);
			return 1;
		} else if (strchr(known, o)) {
			if (t->feed_arg_count + 2 > TRY_FEED_ARGS)
				return wrong("too many options");
			t->feed_args[t->feed_arg_count++] = names[strchr(known, o) - known];
			t->feed_args[t->feed_arg_count++] = optarg;
		} else {
			return wrong("wrong use");
		}
	}
	if (optind + 2 != argc)
		return wrong("give CLIP and OUT");
	t->clip = argv[optind];
	if (strlen(argv[optind + 1]) > 1000)
		return wrong("OUT is too long");
	snprintf(t->out, sizeof(t->out), "%s", argv[optind + 1]);
	return 0;
}

/* What the environment says about the cloud. 0, or 2 for wrong use. */
static int read_backend(struct try *t)
{
	const char *word = getenv("SLUICE_BACKEND");

	if (!word || !*word || !strcmp(word, "embedded"))
		return 0;
	if (strcmp(word, "distributed"))
		return wrong("SLUICE_BACKEND is neither embedded nor distributed");
	t->distributed = true;
	return 0;
}

/* Make OUT and OUT/.work, and make both absolute. 0 or -1. */
static int make_work(struct try *t)
{
	char self[TRY_PATH], full[TRY_PATH];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int ret = 0;

	if (n < 0)
		n = 0;
	self[n] = 0;
	snprintf(t->bin, sizeof(t->bin), "%s", dirname(self));
	if ((mkdir(t->out, 0755) && errno != EEXIST) || !realpath(t->out, full))
		ret = -errno;
	else if (strlen(full) > 3000)
		ret = -ENAMETOOLONG;
	if (!ret) {
		snprintf(t->out, sizeof(t->out), "%s", full);
		ret = result_clear(t->out);
	}
	snprintf(t->work, sizeof(t->work), "%s/.work", t->out);
	snprintf(t->door, sizeof(t->door), "/tmp/sluice-try-XXXXXX");
	if (!ret && (mkdir(t->work, 0700) || !mkdtemp(t->door)))
		ret = -errno;
	snprintf(t->socket, sizeof(t->socket), "%s/feed", t->door);
	if (ret)
		fprintf(stderr, "sluice-try: cannot use %s: %s\n", t->out, strerror(-ret));
	return ret ? -1 : 0;
}

int main(int argc, char **argv)
{
	static struct try t;
	struct sigaction sa = { .sa_handler = on_signal };
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &t.began);
	ret = parse(&t, argc, argv);
	if (!ret)
		ret = read_backend(&t);
	if (ret)
		return ret == 1 ? 0 : 2;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	if (make_work(&t))
		return 1;
	ret = try_clip(&t);
	child_stop(&t.tool);
	child_stop(&t.relay);
	child_stop(&t.feed);
	node_stop(&t);
	unlink(t.socket);
	rmdir(t.door);
	if (!ret && !t.keep)
		result_remove_tree(t.work);
	return ret ? 1 : 0;
}
