/* SPDX-License-Identifier: MIT */
/* s3_state.h - what the files of the S3 client share; nobody else includes it. */
#ifndef SLUICE_S3_STATE_H
#define SLUICE_S3_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <curl/curl.h>

#include "cloud/s3.h"
#include "cloud/s3_text.h"

#define SLUICE_S3_HANDLES 16 /* kept open; more are made when more threads call at once */

struct sluice_s3 {
	struct sluice_s3_config c; /* texts are ours */
	char sigv4[96];		   /* "aws:amz:REGION:s3" */
	struct sluice_s3_stats stats;
	pthread_mutex_t lock;
	/* under the lock: idle handles, each with its connection */
	CURL *idle[SLUICE_S3_HANDLES];
	unsigned int idles;
};

/* One request and its answer. The answer's body is the caller's to free. */
struct sluice_s3_call {
	const char *method; /* "GET", "HEAD", "PUT", "DELETE" */
	const char *key;    /* NULL: the bucket */
	const char *query;  /* sorted and encoded; NULL: none */
	const uint8_t *body;
	size_t body_size, sent;
	char sha256[65];   /* of the body */
	char md5[33];	   /* likewise */
	uint64_t from;	   /* GET: the first byte that is wanted */
	char match[80];	   /* only if the ETag is still this; "": any */
	size_t max;	   /* bytes of an answer's body */
	uint64_t deadline; /* monotonic, ns */
	/* the answer */
	CURLcode code;
	char error[CURL_ERROR_SIZE];
	bool too_big;
	uint8_t *data;
	size_t size, room;
	struct sluice_s3_head head;
	char text[2048]; /* the body of a refusal */
	size_t text_size;
};

/* s3_call.c: one request, once. 0 if the store has answered, whatever it said; else
 * -EHOSTUNREACH, -ETIMEDOUT, -EIO (code says more), -EFBIG, -ENOMEM. */
int sluice_s3_request(struct sluice_s3 *s, struct sluice_s3_call *c);

/* s3.c: the request until it is answered as it should be, the store has refused it, or time is up.
 * judge (NULL: none) looks at a good answer: 0, or -EAGAIN: not as it was put, again. */
int sluice_s3_insist(struct sluice_s3 *s, struct sluice_s3_call *c,
		     int (*judge)(struct sluice_s3_call *c), char *why);

uint64_t sluice_s3_now(void); /* monotonic, ns */

#endif
