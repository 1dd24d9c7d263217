/* SPDX-License-Identifier: MIT */
/*
 * facets.h - what a summary can be found by, taken from its JSON (docs/api.md) when it is added to
 * the index, whatever data base stands behind it.
 */
#ifndef SLUICE_FACETS_H
#define SLUICE_FACETS_H

#include <stddef.h>
#include <stdint.h>

#define SLUICE_TAG_MAX	   64 /* bytes of a tag, NUL included; longer ones are not kept */
#define SLUICE_TAGS_MAX	   32 /* of a summary; the rest are not kept */
#define SLUICE_WORDS_MAX   1024
#define SLUICE_REGION_SIDE 16 /* a region is 16 x 16 cells of the picture, whatever its size */

/* Bit x of word y / 4, counted from 16 * (y % 4): row y from the top, column x from the left. */
struct sluice_region {
	uint64_t word[SLUICE_REGION_SIDE * SLUICE_REGION_SIDE / 64];
};

/* Marks the cells that a box touches; x, y, w, h in pixels of a picture of width x height. What
 * lies outside is cut off; an empty box or picture marks nothing. */
void sluice_region_add(struct sluice_region *r, double x, double y, double w, double h,
		       double width, double height);

struct sluice_facets {
	char tags[SLUICE_TAGS_MAX][SLUICE_TAG_MAX]; /* "class:person-like", each once */
	size_t tag_count;
	char words[SLUICE_WORDS_MAX]; /* title and text, ASCII letters in lower case */
	struct sluice_region region;  /* where tracks were */
	char kind[SLUICE_TAG_MAX];
	char event[33]; /* of kind event: which event it is a part of */
	int continued;	/* and that event goes on */
	int confidence; /* thousandths */
	int nuisance;	/* 1: rain, headlights, shadows, ... and nothing else */
};

/* Fills f, zeroed by the caller, but for tags that are there already. What is missing or of another
 * shape is left empty. */
void sluice_facets_read(const char *json, struct sluice_facets *f);

/* Adds "KIND:VALUE" unless it is there, too long, or one too many. */
void sluice_facets_tag(struct sluice_facets *f, const char *kind, const char *value);

/* ASCII letters of in to lower case; out holds size bytes, cut to fit, behind a whole letter. */
void sluice_facets_lower(const char *in, char *out, size_t size);

/*
 * Where a page ended, as text for the next request: a letter, 16 hex digits of the time, the id.
 * Nobody else need understand it.
 */
#define SLUICE_CURSOR_MAX 64

void sluice_cursor_write(uint64_t start_ns, const char *id, char out[SLUICE_CURSOR_MAX]);

/* -EINVAL: not one of ours. id: 33 bytes. */
int sluice_cursor_read(const char *text, uint64_t *start_ns, char *id);

#endif
