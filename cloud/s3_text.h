/* SPDX-License-Identifier: MIT */
/*
 * s3_text.h - what an S3-compatible store says: headers of an answer, its XML, and what a refusal
 * means to an operator. Pure text; the XML is bounded, and read as a row of tags.
 */
#ifndef SLUICE_S3_TEXT_H
#define SLUICE_S3_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The headers that matter; all zero: none came. */
struct sluice_s3_head {
	int status;
	char etag[80];	 /* without its quotes */
	char sha256[65]; /* as it was put */
	char region[64]; /* of the bucket */
	bool has_length, has_range;
	bool other_etag;      /* encrypted by the store: its ETag is no MD5 */
	uint64_t length;      /* of the body */
	uint64_t from, total; /* of the range */
	unsigned int after_s; /* Retry-After */
	time_t date;	      /* the store's clock; 0: not said */
};

/* One line of a head, size bytes, not ended; the status line begins it anew. */
void sluice_s3_header(struct sluice_s3_head *h, const char *line, size_t size);

/* The next <tag>TEXT</tag> at or behind *at: its text, with the five entities undone, in out (cut
 * to size); *at goes behind it. 0, or -1: none. */
int sluice_s3_tag(const char *xml, size_t *at, const char *tag, char *out, size_t size);

/* As a value of a query; out holds 3 bytes for each of text and one more. */
void sluice_s3_escape(const char *text, char *out);

/* What a refusal is for. */
struct sluice_s3_refusal {
	const char *method, *endpoint, *bucket, *region; /* of the request */
	const struct sluice_s3_head *head;
	const char *xml; /* body; "" where there is none */
	time_t now;	 /* of this machine */
};

/* -errno as in s3.h; -EAGAIN: worth trying again. */
int sluice_s3_refused(const struct sluice_s3_refusal *r, char *why, size_t size);

#endif
