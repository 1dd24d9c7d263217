/* SPDX-License-Identifier: MIT */
/*
 * compare.h - two analyses of the same time of one camera: which events of one are which of the
 * other, and how those differ. No input or output.
 */
#ifndef SLUICE_COMPARE_H
#define SLUICE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define SLUICE_COMPARE_TIOU 0.3 /* least share of their time that two have in common to be one */
#define SLUICE_COMPARE_NONE UINT32_MAX

/* An event as a whole, of however many parts it was told. */
struct sluice_told {
	char event[33];
	char class[48]; /* of most of its tracks; "none": it has none */
	int64_t start_ns, end_ns;
	uint32_t tracks, peak;
	bool nuisance;
	bool begun;	 /* its first part is there */
	json_t *classes; /* how many tracks of each, by name; ours */
	json_t *summary; /* of its first part, or of the first that came; ours */
};

struct sluice_told_list {
	struct sluice_told *event;
	uint32_t count, room;
};

/* Adds a summary of kind "event". 0; -EBADMSG: it is none; -ENOMEM. */
int sluice_told_add(struct sluice_told_list *l, json_t *summary);
/* Those that began in [from, to) are left, in the order of their start. */
void sluice_told_within(struct sluice_told_list *l, int64_t from_ns, int64_t to_ns);
void sluice_told_clear(struct sluice_told_list *l);

/* Share of the time of either in which both were going on, 0..1. */
double sluice_told_tiou(const struct sluice_told *a, const struct sluice_told *b);

/*
 * Both in the order of their start. other[i] becomes the event of second that the i-th of first is,
 * or SLUICE_COMPARE_NONE: pairs with at least SLUICE_COMPARE_TIOU, the likest first, each event in
 * one pair at most. 0 or -ENOMEM.
 */
int sluice_compare(const struct sluice_told_list *first, const struct sluice_told_list *second,
		   uint32_t *other);

/*
 * The comparison as docs/api.md (analysis.json) has it, a new reference: counts, then the lists
 * matched, only_first and only_second, at most `most` entries in each. NULL: out of memory.
 */
json_t *sluice_compare_json(const struct sluice_told_list *first,
			    const struct sluice_told_list *second, const uint32_t *other,
			    uint32_t most);

#endif
