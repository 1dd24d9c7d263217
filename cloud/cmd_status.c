// SPDX-License-Identifier: MIT
/*
 * cmd_status.c - sluice-cloud status: what a running node says of itself (DATA/control), or, if
 * none runs, what the files say. Of several processes each says it at DATA/control.NODE.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cloud/cmd.h"
#include "cloud/quarantine.h"
#include "cloud/service.h"
#include "lib/log.h"
#include "lib/tls.h"

#define WAIT_MS 5000

/* The answer at that socket; NULL: it gives none, *err says why. */
static json_t *ask(const char *data, const char *socket_name, int *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char *text = malloc(SLUICE_CONTROL_MAX);
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", data, socket_name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	json_t *o = NULL;
	size_t have = 0;
	ssize_t got = 1;

	*err = -ENAMETOOLONG;
	if (!text || fd < 0 || n < 0 || (size_t)n >= sizeof(a.sun_path))
		goto out;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		*err = -errno;
		goto out;
	}
	*err = -ETIMEDOUT;
	while (have < SLUICE_CONTROL_MAX && got > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, WAIT_MS) <= 0)
			goto out;
		got = recv(fd, text + have, SLUICE_CONTROL_MAX - have, 0);
		if (got > 0)
			have += (size_t)got;
	}
	o = json_loadb(text, have, 0, NULL);
	*err = o ? 0 : -EBADMSG;
out:
	if (fd >= 0)
		close(fd);
	free(text);
	return o;
}

static int count_one(void *ctx, const char *name, json_t *note)
{
	++*(unsigned int *)ctx;
	return 0;
}

/* What needs no running node. */
static int add_files(json_t *o, const char *data)
{
	char cert[4096], key[4096], why[512];
	const struct sluice_tls_config tls = { .server = true, .cert = cert, .key = key };
	unsigned int quarantined = 0;
	struct sluice_tls_ctx *ctx;
	struct statvfs fs;
	struct stat st;
	int err;

	if (stat(data, &st))
		return -errno;
	snprintf(cert, sizeof(cert), "%s/server.crt", data);
	snprintf(key, sizeof(key), "%s/server.key", data);
	ctx = sluice_tls_ctx_open(&tls, &err, why, sizeof(why));
	if (ctx)
		json_object_set_new(
			o, "certificate_days",
			json_integer((sluice_tls_ctx_expiry(ctx) - time(NULL)) / 86400));
	sluice_tls_ctx_close(ctx);
	if (!statvfs(data, &fs))
		json_object_set_new(o, "free_bytes",
				    json_integer((json_int_t)(fs.f_bavail * fs.f_frsize)));
	sluice_quarantine_each(data, count_one, &quarantined);
	json_object_set_new(o, "quarantined", json_integer(quarantined));
	return 0;
}

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print_node(const json_t *o)
{
	const json_t *b = json_object_get(o, "sandbox");

	printf("running: process %lld, port %lld, for %lld s%s\n", number(o, "pid"),
	       number(o, "port"), number(o, "up_s"),
	       json_is_true(json_object_get(o, "stopping")) ? "; ending" : "");
	printf("connections: %lld on %lld loops; %lld KiB wait to be stored and analysed\n",
	       number(o, "connections"), number(o, "loops"), number(o, "waiting_bytes") >> 10);
	printf("storing: %s; analysing: %s\n",
	       json_is_true(json_object_get(o, "storing")) ? "yes" : "NO, see the log",
	       json_is_true(json_object_get(o, "analysing")) ? "yes" : "NO, it hangs");
	if (number(o, "catching_up"))
		printf("%lld workers still analyse what was stored before the start\n",
		       number(o, "catching_up"));
	printf("children: %lld started, %lld died, %lld of them hung, %lld broke the rules\n",
	       number(b, "started"), number(b, "died"), number(b, "hung"), number(b, "refused"));
}

static void print_text(json_t *o, const char *data)
{
	json_t *nodes = json_object_get(o, "nodes"), *node;
	const char *name;

	if (nodes) {
		json_object_foreach (nodes, name, node) {
			printf("node %s\n", name);
			print_node(node);
		}
	} else if (json_is_true(json_object_get(o, "running"))) {
		print_node(o);
	} else {
		printf("no node runs on %s\n", data);
	}
	printf("disk: %lld MiB free; frames in quarantine: %lld\n", number(o, "free_bytes") >> 20,
	       number(o, "quarantined"));
	if (json_object_get(o, "certificate_days"))
		printf("certificate: good for %lld days\n", number(o, "certificate_days"));
	else
		puts("certificate: cannot be read; see: sluice-cloud run --check");
}

#define OF_NODE "control."

/* Those that answer, by name; NULL: none does. */
static json_t *ask_nodes(const char *data)
{
	json_t *nodes = json_object(), *one;
	DIR *dir = opendir(data);
	struct dirent *d;
	int err;

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, OF_NODE, strlen(OF_NODE)) != 0)
			continue;
		one = ask(data, d->d_name, &err);
		if (one)
			json_object_set_new(nodes, d->d_name + strlen(OF_NODE), one);
		else if (err != -ECONNREFUSED && err != -ENOENT)
			sluice_warning("%s/%s: %s", data, d->d_name, strerror(-err));
	}
	if (dir)
		closedir(dir);
	one = json_object_size(nodes) ? json_pack("{s:b,s:O}", "running", 1, "nodes", nodes) : NULL;
	json_decref(nodes);
	return one;
}

/* What runs there: that node, or the only one, or all of several. */
static json_t *ask_all(const char *data, const char *node)
{
	char name[128] = "control";
	json_t *all;
	int err;

	if (node)
		snprintf(name, sizeof(name), OF_NODE "%s", node);
	all = ask(data, name, &err);
	if (!all && err != -ENOENT && err != -ECONNREFUSED)
		sluice_warning("%s/%s: %s", data, name, strerror(-err));
	if (!all && !node)
		all = ask_nodes(data);
	return all ? all : json_pack("{s:b}", "running", 0);
}

int sluice_cmd_status(int argc, char **argv)
{
	static const struct option options[] = { { "data", required_argument, NULL, 'd' },
						 { "node", required_argument, NULL, 'n' },
						 { "json", no_argument, NULL, 'j' },
						 { 0 } };
	const char *data = NULL, *node = NULL;
	int o, json = 0, err;
	json_t *all;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			data = optarg;
		else if (o == 'n')
			node = optarg;
		else if (o == 'j')
			json = 1;
		else
			return 2;
	}
	if (!data || optind != argc)
		return sluice_cmd_usage(argv[0], data ? "too many words" : "--data DIR is missing");
	all = ask_all(data, node);
	err = add_files(all, data);
	if (err)
		sluice_error("%s: %s", data, strerror(-err));
	else if (json && !json_dumpf(all, stdout, JSON_INDENT(2)))
		putchar('\n');
	else if (!json)
		print_text(all, data);
	json_decref(all);
	return err ? 1 : 0;
}
