// SPDX-License-Identifier: MIT
/* cmd_admin.c - token, devices, revoke. They work while the server runs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "cloud/indexconf.h"
#include "cloud/people.h"
#include "lib/log.h"

const struct sluice_actor sluice_cmd_actor = { .who = "local" };

struct sluice_auth *sluice_cmd_auth(const char *data)
{
	struct sluice_auth *auth = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/auth.db", data);
	if (!sluice_indexconf_pg() && !sluice_people_elsewhere(data) && access(path, F_OK))
		sluice_error("cannot use %s: %s; make it with: sluice-cloud init --data %s", path,
			     strerror(errno), data);
	else
		sluice_people_auth(data, &auth);
	return auth;
}

/* The tenant that commands of this process are about. */
static const char *tenant = SLUICE_TENANT;

/* --data DIR, --config FILE, --tenant NAME and at most one further word. 0, or the exit code + 1.
 */
static int parse_data(int argc, char **argv, const char **data, const char **word)
{
	static const struct option options[] = { { "data", required_argument, NULL, 'd' },
						 { "tenant", required_argument, NULL, 't' },
						 { "config", required_argument, NULL, 'c' },
						 { 0 } };
	const char *config = NULL;
	int o, code;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			*data = optarg;
		else if (o == 't')
			tenant = optarg;
		else if (o == 'c')
			config = optarg;
		else
			return 3;
	}
	code = sluice_cmd_place(data, config, argv[0]);
	if (code)
		return 1 + code;
	if (word && optind < argc)
		*word = argv[optind++];
	if (optind != argc)
		return 1 + sluice_cmd_usage(argv[0], "unexpected word '%s'", argv[optind]);
	return 0;
}

int sluice_cmd_token(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "device", required_argument, NULL, 'n' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "url", required_argument, NULL, 'u' },
		{ "tenant", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *config = NULL, *data = NULL, *device = NULL, *url = "https://THIS-HOST:PORT";
	char secret[SLUICE_SECRET_MAX], *end;
	unsigned long minutes = 15;
	struct sluice_auth *auth;
	struct sluice_ca *ca;
	int o, err;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd') {
			data = optarg;
		} else if (o == 'n') {
			device = optarg;
		} else if (o == 'u') {
			url = optarg;
		} else if (o == 't') {
			tenant = optarg;
		} else if (o == 'c') {
			config = optarg;
		} else if (o == 'm') {
			minutes = strtoul(optarg, &end, 10);
			if (*end || !minutes || minutes > 1440)
				return sluice_cmd_usage("token", "--minutes wants 1 to 1440");
		} else {
			return 2;
		}
	}
	if (!device || optind != argc)
		return sluice_cmd_usage("token", "--data DIR and --device NAME are needed");
	if (!sluice_name_valid(device))
		return sluice_cmd_usage("token",
					"a device's name is 1 to 31 letters, digits, dots, "
					"hyphens, underscores, and begins with no dot");
	err = sluice_cmd_place(&data, config, "token");
	if (err)
		return err;
	err = sluice_ca_open(data, &ca);
	if (err) {
		sluice_error("cannot use %s/ca.key: %s; make it with: sluice-cloud init --data %s",
			     data, strerror(-err), data);
		return 1;
	}
	auth = sluice_cmd_auth(data);
	err = auth ? sluice_auth_token_add(auth, &sluice_cmd_actor, tenant, device,
					   (unsigned int)minutes, secret)
		   : -EIO;
	if (!err) {
		printf("%s.%s\n", secret, sluice_ca_pin(ca));
		fprintf(stderr,
			"Within %lu minutes, on the device:\n  sluicectl enrol %s --token %s.%s\n",
			minutes, url, secret, sluice_ca_pin(ca));
	} else if (auth) {
		sluice_error("cannot store the token for tenant %s: %s", tenant,
			     err == -ENOENT ? "there is no such tenant" : strerror(-err));
	}
	sluice_auth_close(auth);
	sluice_ca_close(ca);
	return err ? 1 : 0;
}

static int print_device(void *ctx, const struct sluice_auth_device *d)
{
	char enrolled[32], until[32];

	(void)ctx;
	sluice_rfc3339(d->enrolled_ns, enrolled);
	sluice_rfc3339((uint64_t)d->not_after * 1000000000u, until);
	printf("%-31s  %s  %s  %s\n", d->device, enrolled, until, d->revoked ? "revoked" : "good");
	return 0;
}

int sluice_cmd_devices(int argc, char **argv)
{
	const char *data = NULL;
	struct sluice_auth *auth;
	int err = parse_data(argc, argv, &data, NULL);

	if (err)
		return err - 1;
	auth = sluice_cmd_auth(data);
	if (!auth)
		return 1;
	printf("%-31s  %-24s  %-24s  %s\n", "DEVICE", "ENROLLED", "CERTIFICATE ENDS", "STATE");
	err = sluice_auth_devices(auth, tenant, print_device, NULL);
	if (err)
		sluice_error("cannot read the devices: %s", strerror(-err));
	sluice_auth_close(auth);
	return err ? 1 : 0;
}

int sluice_cmd_revoke(int argc, char **argv)
{
	const char *data = NULL, *device = NULL;
	struct sluice_auth *auth;
	int err = parse_data(argc, argv, &data, &device);

	if (err)
		return err - 1;
	if (!device)
		return sluice_cmd_usage("revoke", "which device?");
	auth = sluice_cmd_auth(data);
	if (!auth)
		return 1;
	err = sluice_auth_revoke(auth, &sluice_cmd_actor, tenant, device);
	if (err == -ENOENT)
		sluice_error("no device '%s'; see: sluice-cloud devices --data %s", device, data);
	else if (err)
		sluice_error("cannot revoke: %s", strerror(-err));
	sluice_auth_close(auth);
	return err ? 1 : 0;
}
