// SPDX-License-Identifier: MIT
/*
 * cmd_init.c - sluice-cloud init: the data directory.
 *
 * There is no default password: the first administrator's token is random, printed once on standard
 * output and kept as a hash. Stored frames survive --force; devices do not.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/index.h"
#include "lib/log.h"

#define NAMES_MAX 32

static int make_dir(const char *data, const char *below)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s%s", data, below ? "/" : "", below ? below : "");
	if (!mkdir(path, 0700) || (errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode)))
		return 0;
	sluice_error("cannot make directory %s: %s", path, strerror(errno));
	return -errno;
}

/* -EEXIST if there is an authority already. */
static int check_dir(const char *data, int force)
{
	static const char *const stale[] = { "auth.db", "auth.db-wal", "auth.db-shm" };
	char path[4096];
	struct stat st;
	size_t i;

	if (stat(data, &st) < 0 || st.st_mode & 077) {
		sluice_error("others may enter %s; say: chmod 700 %s", data, data);
		return -EACCES;
	}
	snprintf(path, sizeof(path), "%s/ca.key", data);
	if (access(path, F_OK))
		return 0;
	if (!force) {
		sluice_error(
			"%s is in use already; --force makes a new authority, and every device "
			"must be enrolled again",
			data);
		return -EEXIST;
	}
	for (i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", data, stale[i]);
		unlink(path);
	}
	return 0;
}

/* The first tenant, and a token that may do everything in it. */
static int make_people(struct sluice_auth *auth, char *secret)
{
	const struct sluice_actor by = { .who = "local" };
	int err = sluice_auth_tenant_add(auth, &by, SLUICE_TENANT);

	return err ? err
		   : sluice_auth_apitoken_add(auth, &by, SLUICE_TENANT, "init", SLUICE_ADMIN,
					      SLUICE_SCOPE_ALL, NULL, 0, secret);
}

/* Where the authority comes from; both NULL: from here. */
struct origin {
	const char *root;      /* where the offline root is or will be */
	const char *authority; /* the directory of another node, whose people are ours */
};

static int make_authority(const char *data, const struct origin *from)
{
	if (from->authority)
		return sluice_ca_share(data, from->authority);
	return from->root ? sluice_ca_create_below(data, from->root) : sluice_ca_create(data);
}

static int make_identity(const char *data, const struct origin *from, const char *const *names,
			 size_t count, char *secret)
{
	struct sluice_auth *auth = NULL;
	struct sluice_index *ix = NULL;
	struct sluice_ca *ca = NULL;
	const char *bad = NULL;
	char path[4096];
	int err;

	err = make_authority(data, from);
	if (err && (from->root || from->authority)) {
		sluice_error("cannot use the %s in %s: %s", from->root ? "root" : "authority",
			     from->root ? from->root : from->authority,
			     err == -EACCES ? "others may read its key" : strerror(-err));
		return err;
	}
	if (!err)
		err = sluice_ca_open(data, &ca);
	if (!err)
		err = sluice_ca_server(ca, data, names, count, &bad);
	sluice_ca_close(ca);
	if (err == -EINVAL && bad) {
		sluice_error("'%s' is neither a host name nor an address", bad);
		return err;
	}
	snprintf(path, sizeof(path), "%s/auth.db", data);
	if (!err && !from->authority)
		err = sluice_auth_open(path, &auth);
	if (!err && auth)
		err = make_people(auth, secret);
	sluice_auth_close(auth);
	snprintf(path, sizeof(path), "%s/index.db", data);
	if (!err && !from->authority)
		err = sluice_index_sqlite_open(path, &ix);
	sluice_index_close(ix);
	if (err)
		sluice_error("cannot fill %s: %s", data, strerror(-err));
	return err;
}

int sluice_cmd_init(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "name", required_argument, NULL, 'n' },
		{ "force", no_argument, NULL, 'f' },
		{ "offline-root", required_argument, NULL, 'r' },
		{ "authority", required_argument, NULL, 'a' },
		{ 0 },
	};
	const char *data = NULL, *root = NULL, *names[NAMES_MAX];
	struct origin from = { NULL, NULL };
	char secret[SLUICE_SECRET_MAX];
	size_t count = 0;
	int o, force = 0;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			data = optarg;
		else if (o == 'r')
			root = optarg;
		else if (o == 'a')
			from.authority = optarg;
		else if (o == 'n' && !sluice_ca_host_valid(optarg))
			return sluice_cmd_usage(
				"init", "'%s' is neither a host name nor an address", optarg);
		else if (o == 'n' && count < NAMES_MAX)
			names[count++] = optarg;
		else if (o == 'f')
			force = 1;
		else
			return o == 'n' ? sluice_cmd_usage("init", "more than %d names", NAMES_MAX)
					: 2;
	}
	if (!data || optind != argc)
		return sluice_cmd_usage("init", data ? "too many words" : "--data DIR is missing");
	if (root && from.authority)
		return sluice_cmd_usage("init",
					"--offline-root and --authority exclude each other");
	from.root = root;
	umask(077);
	if (make_dir(data, NULL) || check_dir(data, force) || make_dir(data, "segments") ||
	    make_dir(data, "media") || (root && make_dir(root, NULL)) ||
	    make_identity(data, &from, names, count, secret))
		return 1;
	if (root)
		fprintf(stderr,
			"%s/root.key is needed again only to make another node; take it to where "
			"nobody "
			"finds it\n",
			root);
	if (from.authority) {
		fprintf(stderr,
			"%s is ready for a node that shares the PostgreSQL of %s; its server.crt "
			"is its own\n",
			data, from.authority);
		return 0;
	}
	fprintf(stderr, "%s is ready. The administrator's token, shown only now:\n", data);
	printf("%s\n", secret);
	return 0;
}
