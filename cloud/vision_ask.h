/* SPDX-License-Identifier: MIT */
/*
 * vision_ask.h - what a vision model is asked: the body of a chat completion's request, made of an
 * event's summary and some of its key frames. No input or output.
 */
#ifndef SLUICE_VISION_ASK_H
#define SLUICE_VISION_ASK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/vision_answer.h"

/* How the endpoint is told that the answer is JSON; in the order of the words in conf.c. */
enum sluice_vision_format {
	SLUICE_VISION_JSON_SCHEMA,
	SLUICE_VISION_JSON_OBJECT,
	SLUICE_VISION_PLAIN, /* only by the words of the question */
};

struct sluice_vision_picture {
	const uint8_t *jpeg;
	size_t size;
	char file[48]; /* of the summary: "key-1.jpg" */
	uint64_t sequence;
	double t_s;
};

struct sluice_vision_question {
	const char *model;
	unsigned int language; /* of the answer: 0 English, 1 Chinese */
	unsigned int format;   /* enum sluice_vision_format */
	unsigned int tokens;   /* of the answer, at most */
	const json_t *summary; /* the event's, docs/api.md */
	const struct sluice_vision_picture *picture;
	uint32_t pictures; /* 1..SLUICE_VISION_PICTURES */
};

/* Malloc'd JSON, or NULL: out of memory. */
char *sluice_vision_ask(const struct sluice_vision_question *q);

/*
 * The key frames of a summary that are to be shown, most of them best views, by time: their places
 * in "keyframes" into at. Returns how many, at most most.
 */
uint32_t sluice_vision_choose(const json_t *summary, uint32_t most,
			      uint32_t at[SLUICE_VISION_PICTURES]);

#endif
