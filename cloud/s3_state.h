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
	CURLM *many; /* idle, with its connections; NULL: none yet, or in use */
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
	uint64_t from;	   /* GET: bytes that an earlier try has left */
	uint64_t part;	   /* GET: not the whole, but from here on ... */
	size_t part_size;  /* ... so many bytes; 0: the whole */
	char match[80];	   /* only if the ETag is still this; "": any */
	size_t max;	   /* bytes of an answer's body */
	uint64_t deadline; /* monotonic, ns */
	/* while it is under way */
	CURL *handle;
	struct curl_slist *headers;
	/* the answer */
	CURLcode code;
	char error[CURL_ERROR_SIZE];
	bool too_big;
	uint8_t *data;
	size_t size, room;
	uint64_t seen; /* bytes of this try's body */
	struct sluice_s3_head head;
	char text[2048]; /* the body of a refusal */
	size_t text_size;
};

/* s3_call.c: one request, once. 0 if the store has answered, whatever it said; else
 * -EHOSTUNREACH, -ETIMEDOUT, -EIO (code says more), -EFBIG, -ENOMEM. */
int sluice_s3_request(struct sluice_s3 *s, struct sluice_s3_call *c);

/* The same in two halves, for many at once: the handle is ready to be run; then code says how that
 * went, and the handle is given back. begin: 0 or -ENOMEM. */
int sluice_s3_begin(struct sluice_s3 *s, struct sluice_s3_call *c);
int sluice_s3_end(struct sluice_s3 *s, struct sluice_s3_call *c);

/* s3.c: the request until it is answered as it should be, the store has refused it, or time is up.
 * judge (NULL: none) looks at a good answer: 0, or -EAGAIN: not as it was put, again. */
int sluice_s3_insist(struct sluice_s3 *s, struct sluice_s3_call *c,
		     int (*judge)(struct sluice_s3_call *c), char *why);

/* The pieces of it: what is kept of an earlier try; what a try came to (0; -EAGAIN with *final, the
 * error that it is if no further one succeeds; or an error that no further one changes); ms to wait
 * before the next one, the tries-th that is repeated, -1: its time would not be enough. */
void sluice_s3_begin_try(struct sluice_s3_call *c);
int sluice_s3_judge_try(struct sluice_s3 *s, struct sluice_s3_call *c, int err,
			int (*judge)(struct sluice_s3_call *c), int *final, char *why);
int sluice_s3_pause_ms(const struct sluice_s3_call *c, unsigned int tries);

/* A PUT: its hashes. -EFBIG, -EIO. And its judge: did the store get these bytes? */
int sluice_s3_ready_put(struct sluice_s3_call *c, const char *key, const uint8_t *data,
			size_t size);
int sluice_s3_judge_put(struct sluice_s3_call *c);

uint64_t sluice_s3_now(void); /* monotonic, ns */

#endif
