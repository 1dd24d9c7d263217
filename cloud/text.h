/* SPDX-License-Identifier: MIT */
/*
 * text.h - words for an event, by templates, in English and in Chinese: nothing is said that was
 * not measured, and what is not known is said to be unknown.
 */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <stdint.h>

#include "cloud/concerns.h"

#define SLUICE_TEXT_TITLE 96
#define SLUICE_TEXT_BODY  400
#define SLUICE_TEXT_SCENE 700

struct sluice_text {
	char title[SLUICE_TEXT_TITLE];
	char body[SLUICE_TEXT_BODY];   /* at most two sentences */
	char scene[SLUICE_TEXT_SCENE]; /* where and when, and what is not known */
	float confidence;	       /* that something really happened, 0..1 */
};

/* What the words are made of. */
struct sluice_text_facts {
	const struct sluice_event_log *e;
	const char *camera; /* the name for people */
	uint32_t w, h;	    /* the analysed picture */
	const struct sluice_scale *scale;
	uint64_t lost; /* frames of the event that were lost */
};

void sluice_text_event(const struct sluice_text_facts *f, enum sluice_text_language language,
		       struct sluice_text *out);

/* "en", "zh" */
extern const char *const sluice_text_language[SLUICE_TEXT_LANGUAGES];

/* "person-like object", "似人目标": of a class of track_facts.h. */
const char *sluice_text_noun(const char *class, enum sluice_text_language language);

#endif
