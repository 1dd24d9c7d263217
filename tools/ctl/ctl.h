/* SPDX-License-Identifier: MIT */
/* ctl.h - what the subcommands of sluicectl share. */
#ifndef SLUICE_CTL_H
#define SLUICE_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Exit codes. */
enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl {
	const char *command;
	bool json;
	bool colour; /* stdout is a terminal and NO_COLOR is not set */
};

/* A subcommand: argv[0] is its name; options that all share are gone already. Returns an exit code.
 */
struct ctl_command {
	const char *name, *arguments, *what;
	const char *more; /* options, for COMMAND --help; NULL: none */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

int ctl_show(struct ctl *ctl, int argc, char **argv);
int ctl_attach(struct ctl *ctl, int argc, char **argv);
int ctl_detach(struct ctl *ctl, int argc, char **argv);
int ctl_set(struct ctl *ctl, int argc, char **argv);
int ctl_mask(struct ctl *ctl, int argc, char **argv);
int ctl_stats(struct ctl *ctl, int argc, char **argv);
int ctl_watch(struct ctl *ctl, int argc, char **argv);
int ctl_snapshot(struct ctl *ctl, int argc, char **argv);
int ctl_enrol(struct ctl *ctl, int argc, char **argv);
int ctl_retune(struct ctl *ctl, int argc, char **argv);
int ctl_summaries(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);

/* One line of JSON on stdout; the reference is taken over. */
void ctl_print_json(json_t *json);

/* "sluicectl COMMAND: text" on stderr; returns code. */
int ctl_error(const struct ctl *ctl, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Set by SIGINT and SIGTERM; long commands end cleanly when it is. */
extern volatile int ctl_stopped;

/* Whole decimal number within limits. Returns false and leaves *out alone otherwise. */
bool ctl_number(const char *text, int64_t least, int64_t most, int64_t *out);

#endif
