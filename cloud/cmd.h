/* SPDX-License-Identifier: MIT */
/* cmd.h - the subcommands of sluice-cloud: argv as from the shell, argv[0] is the subcommand.
 * Return the exit code: 0, 1 failed, 2 wrong use. */
#ifndef SLUICE_CMD_H
#define SLUICE_CMD_H

#include <stdbool.h>

int sluice_cmd_init(int argc, char **argv);
int sluice_cmd_run(int argc, char **argv);
int sluice_cmd_token(int argc, char **argv);
int sluice_cmd_devices(int argc, char **argv);
int sluice_cmd_revoke(int argc, char **argv);
int sluice_cmd_fsck(int argc, char **argv);
int sluice_cmd_rebuild(int argc, char **argv);
int sluice_cmd_export(int argc, char **argv);
int sluice_cmd_backup(int argc, char **argv);
int sluice_cmd_restore(int argc, char **argv);
int sluice_cmd_rekey(int argc, char **argv);
int sluice_cmd_user(int argc, char **argv);
int sluice_cmd_tenant(int argc, char **argv);
int sluice_cmd_apitoken(int argc, char **argv);
int sluice_cmd_audit(int argc, char **argv);
int sluice_cmd_crl(int argc, char **argv);
int sluice_cmd_routes(int argc, char **argv);

int sluice_cmd_quarantine(int argc, char **argv);
int sluice_cmd_jobs(int argc, char **argv);
int sluice_cmd_status(int argc, char **argv);
int sluice_cmd_provision(int argc, char **argv);
int sluice_cmd_move(int argc, char **argv);
int sluice_cmd_move_media(int argc, char **argv);

struct sluice_cloud_conf;

/* run --check: what would be used, and whether it can be. Returns the exit code. */
int sluice_cmd_check(const struct sluice_cloud_conf *c, bool json);

struct option;
struct sluice_actor;
struct sluice_auth;

/* auth.db of a data directory; NULL: it has told why not. */
struct sluice_auth *sluice_cmd_auth(const char *data);

/* Who sits at the node. */
extern const struct sluice_actor sluice_cmd_actor;

/* getopt_long with `+`-order, an error already told: returns the option, -1 at the end, '?'. */
int sluice_cmd_option(int argc, char **argv, const struct option *options);

/* From here on SIGINT does not end the program: long work asks whether it came, and breaks off. */
void sluice_cmd_catch_interrupt(void);
int sluice_cmd_interrupted(void *ctx);

/* "sluice-cloud NAME: TEXT; see sluice-cloud --help" on stderr; returns 2. */
int sluice_cmd_usage(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
