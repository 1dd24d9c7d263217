/* SPDX-License-Identifier: MIT */
/*
 * index_case.h - what the cases of the index share: cameras, and rows made from few numbers, so
 * that a row that is read can be compared with the one that was written.
 */
#ifndef SLUICE_CONFORM_INDEX_CASE_H
#define SLUICE_CONFORM_INDEX_CASE_H

#include "tests/conform/index.h"

#define T0  1700000000000000000ull
#define S   1000000000ull
#define DAY (86400ull * S)

enum { C0, C1, C2, ALIEN, CASE_CAMERAS }; /* C2: of another device; ALIEN: of another tenant */

extern struct sluice_camera index_camera[CASE_CAMERAS];
extern const struct sluice_whose index_all, index_alien, index_nobody;

/* What a person may see who was granted one camera of the first tenant. */
struct sluice_whose index_granted(int c);

struct sluice_index *index_begin(struct conform_index *rig); /* empty, with the cameras */

struct sluice_index_frame index_frame(int c, uint64_t epoch, uint64_t sequence, uint64_t segment);
/* A segment with count frames of one epoch, one a second from T0 + at; closed. */
struct sluice_index_segment index_segment(struct sluice_index *ix, int c, uint64_t epoch,
					  uint64_t at, unsigned int count, uint16_t reason);
/* Adds it; number gives its id. What summary_add says. */
int index_summary(struct sluice_index *ix, int c, unsigned int number, uint64_t start_ns,
		  const char *json);
const char *index_id(unsigned int number); /* valid until the next call of this thread */

/* Row functions; ctx is one of these. */
struct index_list {
	unsigned int count;
	unsigned int stop_at; /* ends the walk with 7 at that row; 0: never */
	char text[2048];      /* a word a row */
};

int index_list_summary(void *ctx, const struct sluice_camera *c,
		       const struct sluice_index_summary *s); /* number, "+" if acked, "!" pinned */
int index_list_frame(void *ctx, const struct sluice_index_frame *f); /* epoch/sequence */

__attribute__((format(printf, 2, 3))) int index_list_add(struct index_list *l, const char *fmt,
							 ...);
/* 1: these words; says what they are if not. */
int index_list_is(const struct index_list *l, const char *words);

/* index_people.c, index_work.c */
void index_cases_people(struct conform_index *rig);
void index_cases_work(struct conform_index *rig);

#endif
