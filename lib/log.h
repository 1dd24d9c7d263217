/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines for people and machines on stderr. Only programs log; the libraries return errors.
 *
 * Text: "sluice-relay: warning: cloud not reachable: ..."; JSON: {"time","program","level","text"}.
 * Where standard error is the journal's (JOURNAL_STREAM names it), a line of text begins with its
 * priority, "<4>", as sd-daemon(3) has it, and has no program's name, which the journal adds.
 * These four fields are in every line, in this order, and no others. A line that repeats itself is
 * withheld after the third within 30 s and counted instead. A line is written by one write(2), so
 * threads do not mix theirs. A line longer than SLUICE_LOG_LINE is cut.
 */
#ifndef SLUICE_LIB_LOG_H
#define SLUICE_LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define SLUICE_LOG_LINE 2048

enum sluice_log_level {
	SLUICE_LOG_ERROR,
	SLUICE_LOG_WARNING,
	SLUICE_LOG_INFO,
	SLUICE_LOG_DEBUG,
};

/* Before the first line; program is borrowed for ever. Lines above max are not written. */
void sluice_log_setup(const char *program, enum sluice_log_level max, bool json);

/* Another level from now on. */
void sluice_log_level(enum sluice_log_level max);

/* True if a line of this level would be written. */
bool sluice_log_on(enum sluice_log_level level);

void sluice_log(enum sluice_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* At most `burst` lines per `interval_ms` from one place; the next line tells how many were
 * withheld. Initialise as { .burst = 5, .interval_ms = 10000 }. One thread per limit. */
struct sluice_log_limit {
	uint32_t burst;
	uint32_t interval_ms;
	uint64_t window_ns; /* start of the present window */
	uint32_t used;
	uint32_t withheld;
};

void sluice_log_limited(struct sluice_log_limit *limit, enum sluice_log_level level,
			const char *format, ...) __attribute__((format(printf, 3, 4)));

#define sluice_error(...)   sluice_log(SLUICE_LOG_ERROR, __VA_ARGS__)
#define sluice_warning(...) sluice_log(SLUICE_LOG_WARNING, __VA_ARGS__)
#define sluice_info(...)    sluice_log(SLUICE_LOG_INFO, __VA_ARGS__)
#define sluice_debug(...)   sluice_log(SLUICE_LOG_DEBUG, __VA_ARGS__)

#endif
