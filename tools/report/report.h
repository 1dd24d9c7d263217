/* SPDX-License-Identifier: MIT */
/*
 * report.h - one self-contained HTML page about what came back: timeline, events with key frames
 * and boxes, ledger, and the bytes saved against sending every frame. No script, nothing loaded
 * from elsewhere; all text from summaries is escaped.
 */
#ifndef TOOLS_REPORT_REPORT_H
#define TOOLS_REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_EVENTS_MAX 1000	       /* summaries shown; more are counted and named */
#define REPORT_JSON_MAX	  (8u << 20)   /* bytes of one summary.json */
#define REPORT_IMAGE_MAX  (8u << 20)   /* bytes of one key frame */
#define REPORT_EMBED_MAX  (128u << 20) /* bytes of all; beyond that files are linked */

/* One summary.json and the directory it lies in. */
struct report_event {
	json_t *json;
	char *dir; /* relative to the report's directory */
	double start_s, end_s;
};

/* A line of the head of the page, such as "Clip" and "vtest.avi". */
struct report_fact {
	const char *name, *value;
};

struct report {
	const char *dir;
	const char *title;
	const struct report_fact *facts;
	size_t fact_count;
	double seconds; /* length of the stream; 0: up to the last event's end */

	json_t *ledger;		     /* NULL: there was no ledger.json */
	struct report_event *events; /* by start */
	size_t event_count, left_out;
	struct report_event *visions; /* of kind "vision", likewise */
	size_t vision_count;
	struct report_event *digests; /* of kind "digest": shown with the event they are of */
	size_t digest_count;
	struct report_event *periods; /* of kind "period": shown first */
	size_t period_count;
	size_t embedded; /* bytes of key frames in the page so far */
};

/*
 * Reads DIR/summaries/CAMERA/DATE/ID/summary.json and DIR/ledger.json and writes DIR/report.html
 * (under another name first). The caller fills dir, title, facts and seconds and zeroes the rest.
 * Returns 0, -ENOMEM, -EINVAL (a file is not what docs/api.md says), or another negative errno;
 * then why has a text for people.
 */
int report_write(struct report *r, char *why, size_t why_size);

/* The three steps of report_write(): read, write the page, free what was read (NULL-safe parts). */
int report_load(struct report *r, char *why, size_t why_size);
int report_save(struct report *r, char *why, size_t why_size);
void report_free(struct report *r);

/* A few lines for people about a loaded report. */
void report_overview(const struct report *r, FILE *f);
/*
 * Is it what a whole run leaves: at least one summary with text, tracks and key frames that are
 * pictures, and a ledger that adds up with nothing lost? Returns 0, or 1 and says in f what lacks.
 */
int report_expect(const struct report *r, FILE *f);

/* What follows is shared by the parts of the report. */

/* Text with <, >, &, " and ' made harmless; NULL prints nothing. */
void html_text(FILE *f, const char *text);
void html_base64(FILE *f, const unsigned char *bytes, size_t size);
/* 12.3 MB and so on. */
void html_bytes(FILE *f, double bytes);
/* m:ss.s since the stream's first frame. */
void html_clock(FILE *f, double seconds);

/* Width and height of a JPEG. Returns false if it has none. */
bool jpeg_size(const unsigned char *bytes, size_t size, unsigned int *width, unsigned int *height);

/* A key frame's bytes, to be freed; NULL if name is no plain file name or cannot be read. */
unsigned char *report_load_image(const struct report *r, const struct report_event *e,
				 const char *name, size_t *size);

void report_timeline(struct report *r, FILE *f);
void report_ledger(struct report *r, FILE *f);
void report_event_card(struct report *r, FILE *f, const struct report_event *e);
/* The summary of a whole time. */
void report_period(struct report *r, FILE *f, const struct report_event *p);
/* The file that the JSON names under key, as a figure: nothing if it names none. */
void report_file(struct report *r, FILE *f, const struct report_event *d, const char *key,
		 const char *type, const char *caption);
/* Video, storyboard and heat map of the event, if it has a digest. */
void report_digest(struct report *r, FILE *f, const struct report_event *e);

/* Values of a JSON object with a default for what is missing or of another type. */
const char *json_text(const json_t *o, const char *key);
double json_number(const json_t *o, const char *key, double otherwise);

#endif
