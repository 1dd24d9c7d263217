/* SPDX-License-Identifier: MIT */
/*
 * conf.h - settings files: "[section]", "key = value", comments from # or ; at a line's start.
 *
 * Read the file, get every key the program knows, then finish(), which names the first key that
 * nobody asked for. The first error of all calls is kept with its line number in error(), so a
 * program checks once, at the end. Values may be in double quotes (\" and \\ inside). Bounds: file
 * 1 MiB, 4096 lines' worth of keys; a key twice in one section is an error unless it is read by
 * sluice_conf_next().
 */
#ifndef SLUICE_LIB_CONF_H
#define SLUICE_LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_conf;

/* Returns NULL and -errno in *err: the file's own error, -EINVAL for its syntax (text in why), or
 * -ENOMEM. */
struct sluice_conf *sluice_conf_open(const char *path, int *err, char *why, size_t why_size);

/* The same from memory; name stands for the path in messages. */
struct sluice_conf *sluice_conf_parse(const char *name, const char *text, size_t size, int *err,
				      char *why, size_t why_size);

/* NULL-safe. Strings that were returned die with it. */
void sluice_conf_close(struct sluice_conf *c);

/* section "" is what stands before the first [section]. All return fallback if the key is absent or
 * wrong (then the error is kept). c may be NULL: everything is fallback. */
const char *sluice_conf_text(struct sluice_conf *c, const char *section, const char *key,
			     const char *fallback);
int64_t sluice_conf_int(struct sluice_conf *c, const char *section, const char *key,
			int64_t fallback, int64_t min, int64_t max);
/* yes/no, true/false, on/off, 1/0 */
bool sluice_conf_bool(struct sluice_conf *c, const char *section, const char *key, bool fallback);
/* bytes: digits and K, M, G, T (powers of 1024) */
uint64_t sluice_conf_size(struct sluice_conf *c, const char *section, const char *key,
			  uint64_t fallback, uint64_t min, uint64_t max);
/* milliseconds: digits and ms, s, m, h, d; without a unit: seconds */
uint64_t sluice_conf_ms(struct sluice_conf *c, const char *section, const char *key,
			uint64_t fallback, uint64_t min, uint64_t max);

/* The values of a key that may stand several times, in order: start with *at = 0; NULL at the end.
 */
const char *sluice_conf_next(struct sluice_conf *c, const char *section, const char *key,
			     size_t *at);

/* Is the key there? Does not count as asking for it. */
bool sluice_conf_has(const struct sluice_conf *c, const char *section, const char *key);

/* The key has this value from now on, whatever the file says; where it comes from ("--listen", the
 * name of a variable) stands in messages instead of file and line. All is copied. -ENOMEM. */
int sluice_conf_set(struct sluice_conf *c, const char *where, const char *section, const char *key,
		    const char *value);

/* The names of the sections in order of first appearance, "" left out; NULL at the end. */
const char *sluice_conf_section(struct sluice_conf *c, size_t index);

/* 0, or -EINVAL if any getter met an error or a key was never asked for; see error(), which names
 * the key that was asked for and is most like it. */
int sluice_conf_finish(struct sluice_conf *c);

/* "relay.conf:12: unknown key 'clod' in [relay]"; "" if there is no error. */
const char *sluice_conf_error(const struct sluice_conf *c);

#endif
