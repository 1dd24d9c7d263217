// SPDX-License-Identifier: MIT
/* cmd_user.c - sluice-cloud user: people who sign in. Works while the server runs. A password never
 * stands in a command line, where every process of the machine could read it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "cloud/auth.h"
#include "cloud/cmd.h"
#include "cloud/cmd_words.h"
#include "lib/log.h"

struct user_command {
	struct sluice_auth *auth;
	const char *tenant, *name;
	enum sluice_role role;
};

/* A line from the terminal, unseen, or from standard input. */
static int read_line(const char *prompt, char *out, size_t size)
{
	struct termios old, quiet;
	int tty = !tcgetattr(STDIN_FILENO, &old), ok;

	if (tty) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s: ", prompt);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	ok = fgets(out, (int)size, stdin) != NULL;
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (!ok)
		return -EINVAL;
	out[strcspn(out, "\r\n")] = 0;
	return 0;
}

static int read_hash(char hash[SLUICE_PASSWORD_HASH])
{
	char password[SLUICE_PASSWORD_MAX + 3], again[SLUICE_PASSWORD_MAX + 3];
	int err = read_line("Password", password, sizeof(password));

	if (!err && isatty(STDIN_FILENO)) {
		err = read_line("Once more", again, sizeof(again));
		if (!err && strcmp(password, again)) {
			sluice_error("the two are not the same");
			err = -EAGAIN;
		}
		OPENSSL_cleanse(again, sizeof(again));
	}
	if (!err && sluice_password_check(password)) {
		sluice_error("a password has %d to %d bytes and no control characters",
			     SLUICE_PASSWORD_MIN, SLUICE_PASSWORD_MAX);
		err = -EAGAIN;
	}
	if (err == -EINVAL)
		sluice_error("no password came");
	if (!err) {
		err = sluice_password_hash(password, hash);
		if (err)
			sluice_error("cannot hash the password: %s", strerror(-err));
	}
	OPENSSL_cleanse(password, sizeof(password));
	return err ? -EAGAIN : 0; /* told already */
}

static int run_add(struct user_command *u)
{
	char hash[SLUICE_PASSWORD_HASH];
	int err = read_hash(hash);

	return err ? err
		   : sluice_auth_user_add(u->auth, &sluice_cmd_actor, u->tenant, u->name, u->role,
					  hash, NULL);
}

static int change(struct user_command *u, const struct sluice_auth_change *c)
{
	return sluice_auth_user_change(u->auth, &sluice_cmd_actor, u->tenant, u->name, c);
}

static int run_passwd(struct user_command *u)
{
	char hash[SLUICE_PASSWORD_HASH];
	int err = read_hash(hash);

	return err ? err : change(u, &(struct sluice_auth_change){ .hash = hash });
}

static int run_role(struct user_command *u)
{
	return change(u, &(struct sluice_auth_change){ .role = u->role });
}

static int run_disable(struct user_command *u)
{
	return change(u, &(struct sluice_auth_change){ .disable = 1 });
}

static int run_enable(struct user_command *u)
{
	return change(u, &(struct sluice_auth_change){ .disable = -1 });
}

static int run_drop(struct user_command *u)
{
	return sluice_auth_user_drop(u->auth, &sluice_cmd_actor, u->tenant, u->name);
}

static int print_user(void *ctx, const struct sluice_auth_user *u)
{
	char login[32] = "never";

	if (u->login_ns)
		sluice_rfc3339(u->login_ns, login);
	printf("%-31s  %-8s  %-8s  %-4s  %-11s  %s\n", u->name, sluice_role_name(u->role),
	       u->disabled ? "locked" : "good", u->totp ? "yes" : "no",
	       u->restricted ? "some" : "all", login);
	return 0;
}

static int run_list(struct user_command *u)
{
	printf("%-31s  %-8s  %-8s  %-4s  %-11s  %s\n", "USER", "ROLE", "STATE", "TOTP", "CAMERAS",
	       "LAST SIGN-IN");
	return sluice_auth_users(u->auth, u->tenant, print_user, NULL);
}

static const struct {
	const char *name;
	int needs_name, needs_role;
	int (*run)(struct user_command *u);
} verbs[] = {
	{ "add", 1, 1, run_add },	{ "passwd", 1, 0, run_passwd },
	{ "role", 1, 1, run_role },	{ "disable", 1, 0, run_disable },
	{ "enable", 1, 0, run_enable }, { "drop", 1, 0, run_drop },
	{ "list", 0, 0, run_list },
};

static void tell(const struct user_command *u, int err)
{
	if (err == -ENOENT)
		sluice_error("no user '%s', or no tenant '%s'", u->name ? u->name : "", u->tenant);
	else if (err == -EEXIST)
		sluice_error("there is a user '%s' already", u->name);
	else if (err == -EINVAL)
		sluice_error(
			"'%s' is no name: 1 to 31 letters, digits, dots, hyphens, underscores; or "
			"an administrator was to be restricted to cameras",
			u->name);
	else if (err != -EAGAIN)
		sluice_error("cannot do that: %s", strerror(-err));
}

int sluice_cmd_user(int argc, char **argv)
{
	static const struct option options[] = { { "data", required_argument, NULL, 'd' },
						 { "tenant", required_argument, NULL, 't' },
						 { "role", required_argument, NULL, 'r' },
						 { "config", required_argument, NULL, 'c' },
						 { 0 } };
	struct user_command u = { .tenant = SLUICE_TENANT };
	const char *data = NULL, *config = NULL;
	size_t i;
	int o, err;

	while ((o = sluice_cmd_option(argc, argv, options)) != -1) {
		if (o == 'd')
			data = optarg;
		else if (o == 't')
			u.tenant = optarg;
		else if (o == 'c')
			config = optarg;
		else if (o == 'r')
			u.role = sluice_role_find(optarg);
		if (o == '?')
			return 2;
		if (o == 'r' && !u.role)
			return sluice_cmd_usage("user", "--role is viewer, operator or admin");
	}
	for (i = 0; optind < argc && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[optind], verbs[i].name))
			break;
	if (optind >= argc || i == sizeof(verbs) / sizeof(verbs[0]))
		return sluice_cmd_usage("user",
					"one of add, passwd, role, disable, enable, drop, list");
	optind++;
	if (verbs[i].needs_name && optind < argc)
		u.name = argv[optind++];
	if (optind != argc || (verbs[i].needs_name && !u.name) || (verbs[i].needs_role && !u.role))
		return sluice_cmd_usage("user", "%s wants --data DIR%s%s", verbs[i].name,
					verbs[i].needs_name ? ", a NAME" : "",
					verbs[i].needs_role ? " and --role ROLE" : "");
	err = sluice_cmd_place(&data, config, "user");
	if (err)
		return err;
	u.auth = sluice_cmd_auth(data);
	if (!u.auth)
		return 1;
	err = verbs[i].run(&u);
	if (err)
		tell(&u, err);
	sluice_auth_close(u.auth);
	return err ? 1 : 0;
}
