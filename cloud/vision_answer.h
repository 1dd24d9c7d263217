/* SPDX-License-Identifier: MIT */
/*
 * vision_answer.h - what a vision model said of an event, believed in nothing: the body of a
 * chat completion, and in it the JSON that was asked for. No input or output.
 *
 * The words are a stranger's. They are checked for length, and have no control characters and
 * nothing that turns the direction of what stands beside them, and are still to be escaped
 * wherever they are shown; nothing is ever done because of them.
 */
#ifndef SLUICE_VISION_ANSWER_H
#define SLUICE_VISION_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_VISION_PICTURES 4
#define SLUICE_VISION_CONCERNS 6
#define SLUICE_VISION_BODY     (256u << 10) /* bytes of a body, at most */
#define SLUICE_VISION_TITLE    120	    /* letters of each, at most */
#define SLUICE_VISION_TEXT     500
#define SLUICE_VISION_SCENE    800
#define SLUICE_VISION_CONCERN  240
#define SLUICE_VISION_UTF8(n)  (4 * (n) + 1)

/* Why a call gave no text; in the order of the words in sluice_vision_failures. */
enum sluice_vision_failure {
	SLUICE_VISION_OK,
	SLUICE_VISION_CONNECT,	 /* no connection, or it broke before an answer */
	SLUICE_VISION_TLS,	 /* the server did not show who it is */
	SLUICE_VISION_TIMEOUT,	 /* not whole in time */
	SLUICE_VISION_REDIRECT,	 /* it names another address: never followed */
	SLUICE_VISION_KEY,	 /* 401, 403 */
	SLUICE_VISION_RATE,	 /* 429 */
	SLUICE_VISION_STATUS,	 /* another status than 200 */
	SLUICE_VISION_TYPE,	 /* not application/json */
	SLUICE_VISION_LARGE,	 /* above SLUICE_VISION_BODY */
	SLUICE_VISION_MALFORMED, /* no chat completion */
	SLUICE_VISION_REFUSED,	 /* the model would not, or a filter took it */
	SLUICE_VISION_TRUNCATED, /* the model was cut off */
	SLUICE_VISION_INVALID,	 /* not the JSON that was asked for */
	SLUICE_VISION_FAILURES
};

extern const char *const sluice_vision_failures[SLUICE_VISION_FAILURES];

struct sluice_vision_answer {
	char title[SLUICE_VISION_UTF8(SLUICE_VISION_TITLE)];
	char text[SLUICE_VISION_UTF8(SLUICE_VISION_TEXT)];
	char scene[SLUICE_VISION_UTF8(SLUICE_VISION_SCENE)];
	char concern[SLUICE_VISION_CONCERNS][SLUICE_VISION_UTF8(SLUICE_VISION_CONCERN)];
	uint32_t concern_count;
	double confidence; /* 0..1 */
	uint32_t threat;   /* 0..2 */
	uint32_t evidence; /* bit i: picture i shows it; never 0 */
	bool metered;	   /* tokens are known */
	uint64_t tokens_in, tokens_out;
};

/*
 * body: size bytes; pictures: as many were sent, 1..SLUICE_VISION_PICTURES. Tokens are filled also
 * where the words are not to be used: they cost, too. Other than SLUICE_VISION_OK: why is a
 * sentence for people, of our own words alone.
 */
enum sluice_vision_failure sluice_vision_answer_read(const char *body, size_t size,
						     uint32_t pictures,
						     struct sluice_vision_answer *a, char *why,
						     size_t why_size);

#endif
