/* SPDX-License-Identifier: MIT */
/* result.h - what sluice-try leaves behind. */
#ifndef SLUICE_TRY_RESULT_H
#define SLUICE_TRY_RESULT_H

#include <jansson.h>
#include <stddef.h>

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

/* Paths of summary.json below out/summaries, in the order of their names; NULL: out of memory. */
json_t *result_list_summaries(const char *out);

#endif
