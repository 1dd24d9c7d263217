/* SPDX-License-Identifier: MIT */
/* conf_state.h - what conf.c and conf_parse.c share. Nobody else includes it. */
#ifndef SLUICE_LIB_CONF_STATE_H
#define SLUICE_LIB_CONF_STATE_H

#include <stdarg.h>

#include "lib/conf.h"

#define KNOWN_MAX 256u /* keys remembered for hints; more are read just as well */

struct conf_entry {
	const char *section, *key, *value;
	uint32_t line;
	bool asked;
	char *own; /* of sluice_conf_set(): where it comes from, then the three texts; or NULL */
};

/* A key that a getter asked for. */
struct conf_known {
	char section[32], key[32];
};

struct sluice_conf {
	char *name;
	char *text;
	size_t size;
	struct conf_entry *entry;
	size_t count;
	struct conf_known *known; /* KNOWN_MAX of them, or NULL */
	size_t known_count;
	char error[256];
};

/* One more, all zeros; NULL: out of memory. Valid until the next one. */
struct conf_entry *conf_add(struct sluice_conf *c);
/* The first error is kept; where: file and line. */
__attribute__((format(printf, 3, 0))) void conf_error_at(struct sluice_conf *c, const char *where,
							 const char *format, va_list ap);

#endif
