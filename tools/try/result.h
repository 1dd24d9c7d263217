/* SPDX-License-Identifier: MIT */
/* result.h - what sluice-try leaves behind. */
#ifndef SLUICE_TRY_RESULT_H
#define SLUICE_TRY_RESULT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Take away what an earlier run left in out: summaries, ledger.json, report.html, .work. 0/-errno.
 */
int result_clear(const char *out);

/* Remove a directory and all in it. 0 or a negative errno; 0 if it is not there. */
int result_remove_tree(const char *path);

/* The {"summary":{...}} line at the end of sluice-feed's output, or NULL. */
json_t *result_read_summary(const char *path);

/*
 * Write out/ledger.json (docs/api.md) from the feed's summary, with sent and stored from the
 * relay's ledger file where there is one. 0, -EINVAL if the summary lacks something, or a negative
 * errno.
 */
int result_write_ledger(const char *out, const json_t *summary, const char *relay_ledger);

/*
 * When the stream's second 0 was, by any event below out/summaries, and the directory in which such
 * summaries lie (4096 bytes). 0; -ENOENT: there is no event.
 */
int result_stream_start(const char *out, uint64_t *utc_ns, char *dir);

/*
 * Moves the summary of a period that a cloud has stored below media into dir, under its own name.
 * 0; -ENOENT: there is none.
 */
int result_take_period(const char *media, const char *dir);

/* Paths of the events' summary.json below out/summaries, in the order of their names; NULL: out of
 * memory. */
json_t *result_list_summaries(const char *out);

#endif
