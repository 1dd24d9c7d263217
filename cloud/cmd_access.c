// SPDX-License-Identifier: MIT
/* cmd_access.c - sluice-cloud tenant, apitoken, audit, crl. They work while the server runs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <openssl/crypto.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "lib/log.h"

#define DAY_NS	  86400000000000ull
#define DAYS_MAX  3650
#define LINES_MAX 100000

struct access_command {
	const char *data, *tenant, *verb, *name;
	enum sluice_role role;
	unsigned int scopes;
	long days, limit;
	int json;
};

/* "read,media": bits; 0: one of them is none. */
static unsigned int read_scopes(char *list)
{
	unsigned int scopes = 0, scope;
	char *save, *word;

	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		scope = sluice_scope_find(word);
		if (!scope)
			return 0;
		scopes |= scope;
	}
	return scopes;
}

static long read_number(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > max ? -1 : n;
}

/* 0, or 2 after a message. */
static int parse(int argc, char **argv, struct access_command *a)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "tenant", required_argument, NULL, 't' },
		{ "role", required_argument, NULL, 'r' },
		{ "scopes", required_argument, NULL, 's' },
		{ "days", required_argument, NULL, 'y' },
		{ "limit", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "config", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *config = NULL;
	int o;

	*a = (struct access_command){ .tenant = SLUICE_TENANT,
				      .scopes = SLUICE_SCOPE_READ | SLUICE_SCOPE_MEDIA,
				      .limit = 100 };
	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			a->data = optarg;
		else if (o == 't')
			a->tenant = optarg;
		else if (o == 'r')
			a->role = sluice_role_find(optarg);
		else if (o == 's')
			a->scopes = read_scopes(optarg);
		else if (o == 'y')
			a->days = read_number(optarg, DAYS_MAX);
		else if (o == 'l')
			a->limit = read_number(optarg, LINES_MAX);
		else if (o == 'j')
			a->json = 1;
		else if (o == 'c')
			config = optarg;
		else
			return 2;
		if (o == 'r' && !a->role)
			return sluice_cmd_usage(argv[0], "--role is viewer, operator or admin");
	}
	if (!a->scopes || a->days < 0 || a->limit < 0)
		return sluice_cmd_usage(
			argv[0],
			"--scopes is a list of read, media, settings, enrol, admin; "
			"--days 1..%d, --limit 1..%d",
			DAYS_MAX, LINES_MAX);
	o = sluice_cmd_place(&a->data, config, argv[0]);
	if (o)
		return o;
	if (optind < argc)
		a->verb = argv[optind++];
	if (optind < argc)
		a->name = argv[optind++];
	return optind == argc ? 0 : sluice_cmd_usage(argv[0], "unexpected word '%s'", argv[optind]);
}

static int is_verb(const struct access_command *a, const char *verb, int named)
{
	return a->verb && !strcmp(a->verb, verb) && !a->name == !named;
}

static int tell(const struct access_command *a, int err)
{
	if (err == -ENOENT)
		sluice_error("there is no '%s' in tenant %s, or no such tenant",
			     a->name ? a->name : "", a->tenant);
	else if (err == -EEXIST)
		sluice_error("there is a '%s' already", a->name);
	else if (err == -EINVAL)
		sluice_error("'%s' is no name: 1 to 31 letters, digits, dots, hyphens, underscores",
			     a->name);
	else if (err)
		sluice_error("cannot do that: %s", strerror(-err));
	return err ? 1 : 0;
}

static int print_tenant(void *ctx, const struct sluice_auth_tenant *t)
{
	char created[32];

	sluice_rfc3339(t->created_ns, created);
	printf("%-31s  %-24s  %5lld  %7lld\n", t->name, created, (long long)t->users,
	       (long long)t->devices);
	return 0;
}

int sluice_cmd_tenant(int argc, char **argv)
{
	struct access_command a;
	struct sluice_auth *auth;
	int err = parse(argc, argv, &a);

	if (err)
		return err;
	if (!is_verb(&a, "add", 1) && !is_verb(&a, "list", 0))
		return sluice_cmd_usage("tenant", "add NAME, or list");
	auth = sluice_cmd_auth(a.data);
	if (!auth)
		return 1;
	if (a.name) {
		err = sluice_auth_tenant_add(auth, &sluice_cmd_actor, a.name);
	} else {
		printf("%-31s  %-24s  %5s  %7s\n", "TENANT", "MADE", "USERS", "DEVICES");
		err = sluice_auth_tenants(auth, print_tenant, NULL);
	}
	sluice_auth_close(auth);
	return tell(&a, err);
}

static int print_apitoken(void *ctx, const struct sluice_who *w)
{
	char expires[32] = "never", used[32] = "never";
	unsigned int bit;

	if (w->expires_ns)
		sluice_rfc3339(w->expires_ns, expires);
	if (w->used_ns)
		sluice_rfc3339(w->used_ns, used);
	printf("%-31s  %-8s  %-24s  %-24s ", w->name, sluice_role_name(w->role), expires, used);
	for (bit = 1; bit <= SLUICE_SCOPE_ALL; bit <<= 1)
		if (w->scopes & bit)
			printf(" %s", sluice_scope_name(bit));
	putchar('\n');
	return 0;
}

static int add_apitoken(struct sluice_auth *auth, const struct access_command *a)
{
	char secret[SLUICE_SECRET_MAX];
	uint64_t until = a->days ? sluice_utc_now() + (uint64_t)a->days * DAY_NS : 0;
	int err = sluice_auth_apitoken_add(auth, &sluice_cmd_actor, a->tenant, a->name, a->role,
					   a->scopes, NULL, until, secret);

	if (!err)
		printf("%s\n", secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}

int sluice_cmd_apitoken(int argc, char **argv)
{
	struct access_command a;
	struct sluice_auth *auth;
	int err = parse(argc, argv, &a);

	if (err)
		return err;
	if (!is_verb(&a, "add", 1) && !is_verb(&a, "revoke", 1) && !is_verb(&a, "list", 0))
		return sluice_cmd_usage("apitoken", "add NAME --role ROLE, revoke NAME, or list");
	if (is_verb(&a, "add", 1) && !a.role)
		return sluice_cmd_usage("apitoken", "add wants --role viewer, operator or admin");
	auth = sluice_cmd_auth(a.data);
	if (!auth)
		return 1;
	if (is_verb(&a, "add", 1)) {
		err = add_apitoken(auth, &a);
	} else if (a.name) {
		err = sluice_auth_apitoken_drop(auth, &sluice_cmd_actor, a.tenant, a.name);
	} else {
		printf("%-31s  %-8s  %-24s  %-24s  %s\n", "TOKEN", "ROLE", "EXPIRES", "LAST USED",
		       "SCOPES");
		err = sluice_auth_apitokens(auth, a.tenant, print_apitoken, NULL);
	}
	sluice_auth_close(auth);
	return tell(&a, err);
}

static int print_line(void *ctx, const struct sluice_audit *l)
{
	static const char *const results[] = { "ok", "failed", "denied" };
	const struct access_command *a = ctx;
	char time[32];
	json_t *json;

	sluice_rfc3339(l->time_ns, time);
	if (!a->json) {
		printf("%s  %-24s  %-24s  %-14s  %-6s  %s\n", time, l->who, l->address, l->action,
		       results[l->result <= SLUICE_DENIED ? l->result : SLUICE_FAILED], l->what);
		return 0;
	}
	json = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)l->id, "time", time,
			 "who", l->who, "address", l->address, "action", l->action, "what", l->what,
			 "result", results[l->result <= SLUICE_DENIED ? l->result : SLUICE_FAILED]);
	if (json) {
		json_dumpf(json, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(json);
	return json ? 0 : -ENOMEM;
}

int sluice_cmd_audit(int argc, char **argv)
{
	struct access_command a;
	struct sluice_auth *auth;
	int err = parse(argc, argv, &a);

	if (err)
		return err;
	if (a.verb)
		return sluice_cmd_usage("audit", "unexpected word '%s'", a.verb);
	auth = sluice_cmd_auth(a.data);
	if (!auth)
		return 1;
	err = sluice_auth_audits(auth, a.tenant, NULL, NULL, INT64_MAX, (unsigned int)a.limit,
				 print_line, &a);
	sluice_auth_close(auth);
	return tell(&a, err);
}

int sluice_cmd_crl(int argc, char **argv)
{
	struct access_command a;
	struct sluice_auth *auth;
	struct sluice_ca *ca = NULL;
	char *pem = NULL;
	int err = parse(argc, argv, &a);

	if (err)
		return err;
	if (a.verb)
		return sluice_cmd_usage("crl", "unexpected word '%s'", a.verb);
	auth = sluice_cmd_auth(a.data);
	if (!auth)
		return 1;
	err = sluice_ca_open(a.data, &ca);
	if (!err)
		err = sluice_auth_crl(auth, ca, &pem);
	if (!err)
		fputs(pem, stdout);
	free(pem);
	sluice_ca_close(ca);
	sluice_auth_close(auth);
	return tell(&a, err);
}
