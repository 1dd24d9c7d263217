/* SPDX-License-Identifier: MIT */
/* fields.h - names of settings, states and modes for people. */
#ifndef SLUICE_CTL_FIELDS_H
#define SLUICE_CTL_FIELDS_H

#include <stdio.h>

#include <jansson.h>

#include "tools/ctl/genl.h"

/* An argument NAME=VALUE, like preroll=3, to a setting. Prints why not and returns -EINVAL. */
int field_parse(const struct ctl *ctl, const char *text, int *setting, uint32_t *value);

/* All settings, a line each: two blanks, its name, what it means. */
void field_help(FILE *to);

/* Add all NAME=VALUE arguments as a SETTINGS nest; none adds nothing. Returns 0, -EINVAL or
 * -EMSGSIZE. */
int field_put_all(const struct ctl *ctl, struct nl_msg *m, int argc, char **argv);

/* The settings of a camera as a JSON object or as lines of text. */
json_t *field_settings_json(const struct genl_camera *c);
void field_settings_print(const struct genl_camera *c);

const char *field_mode(uint32_t mode);

/* Words for state bits, like "streaming open", into out. */
const char *field_state(uint32_t state, char *out, size_t size);

/* A fourcc as text. */
const char *field_fourcc(uint32_t fourcc, char out[5]);

/* The ledger by class of verdict. */
struct field_sums {
	uint64_t passed, dropped, lost;
};
void field_sums(const struct genl_camera *c, struct field_sums *s);

/* docs/api.md, one element of "cameras" of ledger.json. */
json_t *field_ledger_json(const struct genl_camera *c);

#endif
