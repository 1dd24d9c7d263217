// SPDX-License-Identifier: MIT
/*
 * s3_list.c - the keys under a prefix, a page at a time (ListObjectsV2). What a page says is read
 * before fn sees any of it, so fn may change what is listed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/s3_state.h"

#define TOKEN	 1024
#define PAGE_MAX (4u << 20)

static void write_query(const struct sluice_s3 *s, const char *prefix, const char *token, char *out,
			size_t size)
{
	char escaped[3 * TOKEN + 1], where[3 * SLUICE_S3_KEY + 1];

	sluice_s3_escape(token, escaped);
	sluice_s3_escape(prefix, where);
	snprintf(out, size, "%s%s%slist-type=2&max-keys=%u&prefix=%s",
		 token[0] ? "continuation-token=" : "", escaped, token[0] ? "&" : "", s->c.page,
		 where);
}

/* An answer is one that says whether there is more. */
static int judge_page(struct sluice_s3_call *c)
{
	char word[8];
	size_t at = 0;

	if (c->data)
		c->data[c->size] = 0; /* there is room */
	if (c->data && strlen((char *)c->data) == c->size &&
	    !sluice_s3_tag((char *)c->data, &at, "IsTruncated", word, sizeof(word)))
		return 0;
	c->size = 0;
	return -EAGAIN;
}

static int each_key(const char *xml, const char *prefix,
		    int (*fn)(void *ctx, const char *key, uint64_t size), void *ctx)
{
	char object[2048], key[SLUICE_S3_KEY], size[32];
	size_t at = 0, in;
	int rc = 0;

	while (!rc && !sluice_s3_tag(xml, &at, "Contents", object, sizeof(object))) {
		in = 0;
		if (sluice_s3_tag(object, &in, "Key", key, sizeof(key)) ||
		    strncmp(key, prefix, strlen(prefix)) != 0)
			continue;
		in = 0;
		if (!sluice_s3_tag(object, &in, "Size", size, sizeof(size)))
			rc = fn(ctx, key, strtoull(size, NULL, 10));
	}
	return rc;
}

/* The token of the next page, "" if there is none. */
static int read_token(const char *xml, char *token)
{
	char word[8] = "", next[TOKEN];
	size_t at = 0;

	sluice_s3_tag(xml, &at, "IsTruncated", word, sizeof(word));
	if (strcmp(word, "true") != 0) {
		token[0] = 0;
		return 0;
	}
	at = 0;
	if (sluice_s3_tag(xml, &at, "NextContinuationToken", next, sizeof(next)) ||
	    strlen(next) + 1 >= sizeof(next) || !strcmp(next, token))
		return -EIO;
	snprintf(token, TOKEN, "%s", next);
	return 0;
}

int sluice_s3_list(struct sluice_s3 *s, const char *prefix,
		   int (*fn)(void *ctx, const char *key, uint64_t size), void *ctx, char *why)
{
	char token[TOKEN] = "", query[3 * TOKEN + 3 * SLUICE_S3_KEY + 128];
	int err;

	why[0] = 0;
	if (strlen(prefix) >= SLUICE_S3_KEY)
		return -EINVAL;
	do {
		struct sluice_s3_call c = { .method = "GET", .query = query, .max = PAGE_MAX };

		write_query(s, prefix, token, query, sizeof(query));
		err = sluice_s3_insist(s, &c, judge_page, why);
		if (!err)
			err = read_token((char *)c.data, token);
		if (err == -EIO && !why[0])
			snprintf(why, SLUICE_S3_WHY, "%s lists bucket '%s' without an end",
				 s->c.endpoint, s->c.bucket);
		if (!err)
			err = each_key((char *)c.data, prefix, fn, ctx);
		free(c.data);
	} while (!err && token[0]);
	return err;
}
