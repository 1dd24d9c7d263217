// SPDX-License-Identifier: MIT
/*
 * devices.c - what the cloud node bears: load, memory of idle links, handshakes, cost of a byte.
 * Each figure is of the cloud's own process, which runs beside the devices on the same machine.
 */
#include "tests/bench/devices.h"
#include "tests/bench/usage.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char usage[] =
	"usage: devices [OPTION]... [PART]...   (default: load idle shake ingest)\n"
	"  load    all devices connected, each sends a frame of --bytes every second\n"
	"  idle    memory of the cloud for each link that only has heartbeats\n"
	"  shake   mutual handshakes, full and resumed, for a second of the cloud's CPU\n"
	"  ingest  bytes for a second of CPU of loops and writer, against a bare TLS sink\n"
	"  steady  frames at --rate for a second of CPU of loops and writer\n"
	"  feed    all cameras open; after a line on standard input each sends --frames frames\n"
	"  prepare only makes --dir with the devices; no cloud runs\n"
	"  --cloud FILE     the program (default: build/bin/sluice-cloud)\n"
	"  --devices N      (default 1000)    --seconds N  of each part (default 20)\n"
	"  --bytes N        of a frame's picture, at the most (default 20480)\n"
	"  --size WxH       of the picture (default 320x240)   --rate N  frames in 10 s (default "
	"10)\n"
	"  --reel FILE      frames of build/tests/reel in place of a still picture\n"
	"  --dir DIR        new, for devices and data; with --port of a cloud that runs there "
	"already\n"
	"  --port P --pid N that cloud, for parts steady and feed    --epoch N  (default 1)\n"
	"  --beside NAME=N  CPU of that process and its children as well, in part steady\n"
	"  --partitions N   those devices of which each of N partitions has the same number\n"
	"  --json           one object a line instead of text\n"
	"  --help\n"
	"exit code: 0; 1: an error, or a device was refused, or a frame was lost; 2: usage\n";

static void tell(const struct devices_options *o, const char *part, const char *name, double value,
		 const char *unit)
{
	if (o->json)
		printf("{\"part\":\"%s\",\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", part,
		       name, value, unit);
	else
		printf("%-7s %-28s %12.3f %s\n", part, name, value, unit);
	fflush(stdout);
}

static int tell_errors(const struct devices_options *o, const char *part,
		       const struct fleet_result *r)
{
	tell(o, part, "errors", r->errors, "");
	if (r->errors)
		fprintf(stderr, "devices: %s: first error: %s\n", part, r->error);
	return r->errors ? 1 : 0;
}

static int part_load(const struct cloud_process *c, const struct devices_options *o)
{
	struct fleet *f = fleet_open(c, o);
	struct fleet_result r;
	struct cloud_usage before, after;
	int err;

	if (!f)
		return 1;
	if (fleet_connect(f, true, 120)) {
		fleet_result(f, &r);
		fprintf(stderr, "devices: load: %u of %u devices are connected, %u cameras open\n",
			r.welcomed, o->devices, r.opened);
		tell_errors(o, "load", &r);
		fleet_close(f);
		return 1;
	}
	cloud_process_usage(c, &before);
	fleet_send(f, o->seconds, false);
	cloud_process_usage(c, &after);
	fleet_result(f, &r);
	tell(o, "load", "devices", o->devices, "");
	tell(o, "load", "frames sent", (double)r.sent, "");
	tell(o, "load", "frames stored", (double)r.stored, "");
	tell(o, "load", "frame bytes", r.sent ? (double)r.sent_bytes / (double)r.sent : 0, "B");
	tell(o, "load", "STORED p50", r.p50_ms, "ms");
	tell(o, "load", "STORED p99", r.p99_ms, "ms");
	tell(o, "load", "STORED max", r.max_ms, "ms");
	tell(o, "load", "STORED p99, first frames", r.p99_first_ms, "ms");
	tell(o, "load", "STORED p99, later frames", r.p99_later_ms, "ms");
	tell(o, "load", "cloud CPU", after.cpu - before.cpu, "s");
	tell(o, "load", "cloud CPU, loops and writer", after.ingest_cpu - before.ingest_cpu, "s");
	tell(o, "load", "cloud RSS", (double)after.rss / 1048576.0, "MiB");
	err = tell_errors(o, "load", &r);
	fleet_close(f);
	return err;
}

static int part_idle(const struct cloud_process *c, const struct devices_options *o)
{
	struct cloud_usage before, after;
	struct fleet_result r;
	struct fleet *f = fleet_open(c, o);
	int err;

	if (!f)
		return 1;
	cloud_process_usage(c, &before);
	err = fleet_connect(f, false, 120);
	fleet_rest(f, 20); /* longer than the interval of heartbeats */
	cloud_process_usage(c, &after);
	fleet_result(f, &r);
	tell(o, "idle", "links", r.welcomed, "");
	tell(o, "idle", "RSS of a link",
	     r.welcomed ? ((double)after.rss - (double)before.rss) / r.welcomed / 1024.0 : 0,
	     "KiB");
	err |= tell_errors(o, "idle", &r);
	fleet_close(f);
	return err ? 1 : 0;
}

static int part_shake(const struct cloud_process *c, const struct devices_options *o)
{
	double rate[2], bare;
	int resumed;

	for (resumed = 0; resumed < 2; resumed++) {
		struct cloud_usage before, after;
		uint64_t count;

		cloud_process_usage(c, &before);
		count = devices_shake(c, resumed, o->seconds / 2 + 1);
		cloud_process_usage(c, &after);
		if (!count || after.cpu <= before.cpu) {
			fprintf(stderr, "devices: shake: a handshake failed\n");
			return 1;
		}
		rate[resumed] = (double)count / (after.cpu - before.cpu);
		tell(o, "shake", resumed ? "resumed" : "full", rate[resumed], "per CPU second");
	}
	tell(o, "shake", "resumed over full", rate[1] / rate[0], "");
	bare = devices_bare(c, o->seconds / 4 + 1);
	tell(o, "shake", "full, OpenSSL alone", bare, "per CPU second");
	tell(o, "shake", "full over OpenSSL alone", bare > 0 ? rate[0] / bare : 0, "");
	return bare > 0 ? 0 : 1;
}

static int part_ingest(const struct cloud_process *c, const struct devices_options *all)
{
	struct devices_options o = *all;
	struct cloud_usage before, after;
	struct fleet_result r;
	struct fleet *f;
	double sink, ours, other;
	int err;

	o.devices = o.devices < 8 ? o.devices : 8;
	f = fleet_open(c, &o);
	if (!f || fleet_connect(f, true, 60)) {
		fleet_close(f);
		return 1;
	}
	cloud_process_usage(c, &before);
	fleet_send(f, o.seconds, true);
	cloud_process_usage(c, &after);
	fleet_result(f, &r);
	fleet_close(f);
	sink = devices_sink(c, r.sent_bytes);
	ours = (double)r.sent_bytes / 1e6 / (after.ingest_cpu - before.ingest_cpu);
	other = sink > 0 ? (double)r.sent_bytes / 1e6 / sink : 0;
	tell(&o, "ingest", "bytes", (double)r.sent_bytes / 1e6, "MB");
	tell(&o, "ingest", "loops and writer", ours, "MB per CPU second");
	tell(&o, "ingest", "whole process", (double)r.sent_bytes / 1e6 / (after.cpu - before.cpu),
	     "MB per CPU second");
	tell(&o, "ingest", "bare TLS sink", other, "MB per CPU second");
	tell(&o, "ingest", "loops and writer over sink", other > 0 ? ours / other : 0, "");
	err = tell_errors(&o, "ingest", &r);
	return err || sink <= 0 ? 1 : 0;
}

static int part_steady(const struct cloud_process *c, const struct devices_options *o)
{
	double beside[BESIDE_MAX];
	struct cloud_usage before, after;
	struct fleet_result r;
	struct fleet *f = fleet_open(c, o);
	unsigned int i;
	int err;

	if (!f || fleet_connect(f, true, 60)) {
		fleet_close(f);
		return 1;
	}
	cloud_process_usage(c, &before);
	for (i = 0; i < o->beside_count; i++)
		beside[i] = usage_tree(o->beside[i].pid);
	fleet_send(f, o->seconds, false);
	cloud_process_usage(c, &after);
	fleet_result(f, &r);
	fleet_close(f);
	tell(o, "steady", "frames stored", (double)r.stored, "");
	tell(o, "steady", "frame bytes", r.sent ? (double)r.sent_bytes / (double)r.sent : 0, "B");
	tell(o, "steady", "STORED p99", r.p99_ms, "ms");
	tell(o, "steady", "loops and writer", after.ingest_cpu - before.ingest_cpu, "s");
	tell(o, "steady", "whole process", after.cpu - before.cpu, "s");
	for (i = 0; i < o->beside_count; i++)
		tell(o, "steady", o->beside[i].name, usage_tree(o->beside[i].pid) - beside[i], "s");
	err = tell_errors(o, "steady", &r);
	return err;
}

/* Heartbeats are answered until a line comes on standard input; false: it ended. */
static bool wait_line(struct fleet *f)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[16];

	while (!poll(&in, 1, 0))
		fleet_rest(f, 1);
	return fgets(line, sizeof(line), stdin);
}

/* For whoever wants stored chunks to be there before they are taken: opens, waits, sends. */
static int part_feed(const struct cloud_process *c, const struct devices_options *o)
{
	struct fleet_result r;
	struct fleet *f = fleet_open(c, o);
	int err;

	if (!f || fleet_connect(f, true, 60)) {
		fleet_close(f);
		return 1;
	}
	tell(o, "feed", "opened", o->devices, "");
	if (!wait_line(f)) {
		fleet_close(f);
		return 1;
	}
	fleet_feed(f, o->frames, o->seconds);
	fleet_result(f, &r);
	tell(o, "feed", "frames stored", (double)r.stored, "");
	err = tell_errors(o, "feed", &r);
	fleet_close(f);
	return err;
}

static const struct part {
	const char *name;
	int (*run)(const struct cloud_process *c, const struct devices_options *o);
	bool asked; /* only when it is named */
} parts[] = {
	{ "load", part_load, false },	 { "idle", part_idle, false },
	{ "shake", part_shake, false },	 { "ingest", part_ingest, false },
	{ "steady", part_steady, true }, { "feed", part_feed, true },
	{ "prepare", NULL, true },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* A cloud of its own for each part: none sees what another has left behind. */
static int run_part(const struct part *p, const struct devices_options *o)
{
	struct cloud_process c;
	int err;

	if (!p->run)
		return cloud_process_prepare(&c, o) ? 1 : 0;
	err = cloud_process_start(&c, o) ? 1 : p->run(&c, o);

	if (cloud_process_stop(&c) && !err) {
		fprintf(stderr, "devices: %s: the cloud did not end well\n", p->name);
		err = 1;
	}
	return err;
}

/* NAME=PID */
static int add_beside(struct devices_options *o, char *text)
{
	char *at = strchr(text, '=');

	if (!at || o->beside_count == BESIDE_MAX)
		return -1;
	*at = 0;
	o->beside[o->beside_count].name = text;
	o->beside[o->beside_count++].pid = (pid_t)strtol(at + 1, NULL, 10);
	return 0;
}

static int options_fit(const struct devices_options *o)
{
	return o->devices && o->devices <= DEVICES_MAX && o->seconds && o->seconds <= 3600 &&
	       o->bytes >= 1000 && o->bytes <= 1000000 && o->rate && o->rate <= 10000 &&
	       o->width >= 16 && o->width <= 4096 && o->height >= 16 && o->height <= 4096 &&
	       (!o->port || o->dir) && o->partitions <= PARTITIONS_MAX &&
	       (!o->partitions || o->devices % o->partitions == 0);
}

static int read_options(int argc, char **argv, struct devices_options *o)
{
	static const struct option options[] = {
		{ "cloud", required_argument, NULL, 'c' },
		{ "devices", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "size", required_argument, NULL, 'z' },
		{ "reel", required_argument, NULL, 'R' },
		{ "rate", required_argument, NULL, 'r' },
		{ "epoch", required_argument, NULL, 'e' },
		{ "frames", required_argument, NULL, 'f' },
		{ "partitions", required_argument, NULL, 'q' },
		{ "dir", required_argument, NULL, 'D' },
		{ "port", required_argument, NULL, 'p' },
		{ "pid", required_argument, NULL, 'P' },
		{ "beside", required_argument, NULL, 'B' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			o->cloud = optarg;
		else if (c == 'd')
			o->devices = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->seconds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'b')
			o->bytes = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'z' && sscanf(optarg, "%ux%u", &o->width, &o->height) == 2)
			;
		else if (c == 'R')
			o->reel = optarg;
		else if (c == 'r')
			o->rate = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'e')
			o->epoch = strtoull(optarg, NULL, 10);
		else if (c == 'f')
			o->frames = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'q')
			o->partitions = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'D')
			o->dir = optarg;
		else if (c == 'p')
			o->port = optarg;
		else if (c == 'P')
			o->pid = (pid_t)strtol(optarg, NULL, 10);
		else if (c == 'B' && !add_beside(o, optarg))
			;
		else if (c == 'j')
			o->json = true;
		else {
			fputs(usage, c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
	return options_fit(o) ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct devices_options o = { .cloud = "build/bin/sluice-cloud",
				     .devices = 1000,
				     .seconds = 20,
				     .bytes = 20480,
				     .rate = 10,
				     .width = 320,
				     .height = 240,
				     .epoch = 1,
				     .frames = 100 };
	struct rlimit r;
	int err = 0, i;
	size_t p;

	if (read_options(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	for (i = optind; i < argc; i++) {
		for (p = 0; p < PARTS && strcmp(argv[i], parts[p].name); p++)
			;
		if (p == PARTS) {
			fprintf(stderr, "devices: there is no part '%s'\n%s", argv[i], usage);
			return 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	for (p = 0; p < PARTS; p++) {
		int wanted = optind == argc && !parts[p].asked;

		for (i = optind; i < argc; i++)
			wanted |= !strcmp(argv[i], parts[p].name);
		if (wanted)
			err |= run_part(&parts[p], &o);
	}
	return err;
}
