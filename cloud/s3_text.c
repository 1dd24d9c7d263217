// SPDX-License-Identifier: MIT
/* s3_text.c - see s3_text.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>

#include "cloud/s3_text.h"

#define SKEW_S 300 /* S3 allows 15 minutes; nobody means to be off by 5 */

/* ---- headers ---- */

/* The value if the line is that header; its length in *n. */
static const char *value_of(const char *line, size_t size, const char *name, size_t *n)
{
	size_t at = strlen(name);

	if (size <= at || line[at] != ':' || strncasecmp(line, name, at) != 0)
		return NULL;
	for (at++; at < size && (line[at] == ' ' || line[at] == '\t'); at++)
		;
	while (size > at && strchr(" \t\r\n", line[size - 1]))
		size--;
	*n = size - at;
	return line + at;
}

/* Copied if it fits; else "". */
static void copy_value(char *out, size_t size, const char *value, size_t n)
{
	if (n >= size)
		n = 0;
	memcpy(out, value, n);
	out[n] = 0;
}

static void read_range(struct sluice_s3_head *h, const char *text)
{
	unsigned long long from, to, total;

	h->has_range = sscanf(text, "bytes %llu-%llu/%llu", &from, &to, &total) == 3;
	if (h->has_range) {
		h->from = from;
		h->total = total;
	}
}

void sluice_s3_header(struct sluice_s3_head *h, const char *line, size_t size)
{
	char text[128];
	const char *v;
	size_t n;

	if (size > 9 && !strncmp(line, "HTTP/", 5)) {
		memset(h, 0, sizeof(*h));
		copy_value(text, sizeof(text), line, size < 32 ? size : 32);
		v = strchr(text, ' ');
		h->status = v ? (int)strtol(v, NULL, 10) : 0;
	} else if ((v = value_of(line, size, "ETag", &n))) {
		if (n >= 2 && v[0] == '"' && v[n - 1] == '"')
			v++, n -= 2;
		copy_value(h->etag, sizeof(h->etag), v, n);
	} else if ((v = value_of(line, size, "x-amz-meta-sha256", &n))) {
		copy_value(h->sha256, sizeof(h->sha256), v, n);
	} else if ((v = value_of(line, size, "x-amz-bucket-region", &n))) {
		copy_value(h->region, sizeof(h->region), v, n);
	} else if ((v = value_of(line, size, "x-amz-server-side-encryption", &n))) {
		h->other_etag |= n >= 7 && !strncasecmp(v, "aws:kms", 7);
	} else if (value_of(line, size, "x-amz-server-side-encryption-customer-algorithm", &n)) {
		h->other_etag = true;
	} else if ((v = value_of(line, size, "Content-Length", &n))) {
		copy_value(text, sizeof(text), v, n);
		h->has_length = n > 0;
		h->length = strtoull(text, NULL, 10);
	} else if ((v = value_of(line, size, "Content-Range", &n))) {
		copy_value(text, sizeof(text), v, n);
		read_range(h, text);
	} else if ((v = value_of(line, size, "Retry-After", &n))) {
		copy_value(text, sizeof(text), v, n);
		h->after_s = (unsigned int)strtoul(text, NULL, 10);
	} else if ((v = value_of(line, size, "Date", &n))) {
		copy_value(text, sizeof(text), v, n);
		h->date = curl_getdate(text, NULL);
		if (h->date < 0)
			h->date = 0;
	}
}

/* ---- XML ---- */

static size_t undo_entity(const char *text, char *c)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = { { "&amp;", '&' },
			 { "&lt;", '<' },
			 { "&gt;", '>' },
			 { "&quot;", '"' },
			 { "&apos;", '\'' } };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (!strncmp(text, entities[i].name, strlen(entities[i].name))) {
			*c = entities[i].c;
			return strlen(entities[i].name);
		}
	*c = *text;
	return 1;
}

int sluice_s3_tag(const char *xml, size_t *at, const char *tag, char *out, size_t size)
{
	char open[64], close[64];
	const char *from, *to;
	size_t n = 0;

	snprintf(open, sizeof(open), "<%s>", tag);
	snprintf(close, sizeof(close), "</%s>", tag);
	from = strstr(xml + *at, open);
	to = from ? strstr(from, close) : NULL;
	if (!to)
		return -1;
	*at = (size_t)(to - xml) + strlen(close);
	for (from += strlen(open); from < to && n + 1 < size; n++)
		from += undo_entity(from, &out[n]);
	out[n] = 0;
	return 0;
}

void sluice_s3_escape(const char *text, char *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			*out++ = *text;
		else
			out += snprintf(out, 4, "%%%02X", (unsigned char)*text);
	}
	*out = 0;
}

/* ---- refusals ---- */

static int tell_clock(const struct sluice_s3_refusal *r, char *why, size_t size)
{
	long long off = (long long)(r->now - r->head->date);

	snprintf(why, size,
		 "the clock of this machine is %lld s %s that of %s, which therefore refuses its "
		 "requests; set the clock (NTP)",
		 off < 0 ? -off : off, off < 0 ? "behind" : "ahead of", r->endpoint);
	return -EPERM;
}

static int refuse_rights(const struct sluice_s3_refusal *r, const char *code, char *why,
			 size_t size)
{
	long long off = (long long)(r->now - r->head->date);

	if (r->head->date && (off > SKEW_S || off < -SKEW_S))
		return tell_clock(r, why, size);
	if (!strcmp(code, "InvalidAccessKeyId"))
		snprintf(why, size,
			 "%s does not know the access key; correct what [media] key_id_file holds",
			 r->endpoint);
	else if (!strcmp(code, "SignatureDoesNotMatch"))
		snprintf(why, size,
			 "%s refuses the signature: it does not know the access key in [media] "
			 "key_id_file, or its secret is not the one in secret_file",
			 r->endpoint);
	else
		snprintf(why, size,
			 "%s refuses %s in bucket '%s'%s%s: give the access key the right to read, "
			 "write, list and delete there, or correct key_id_file and secret_file",
			 r->endpoint, r->method, r->bucket, code[0] ? ": " : "", code);
	return -EPERM;
}

static bool is_elsewhere(const struct sluice_s3_refusal *r, const char *code)
{
	return r->head->status / 100 == 3 || !strcmp(code, "AuthorizationHeaderMalformed") ||
	       !strcmp(code, "PermanentRedirect") ||
	       !strcmp(code, "IllegalLocationConstraintException");
}

static int tell_region(const struct sluice_s3_refusal *r, char *why, size_t size)
{
	char region[64] = "";
	size_t at = 0;

	if (r->head->region[0])
		snprintf(region, sizeof(region), "%s", r->head->region);
	else
		sluice_s3_tag(r->xml, &at, "Region", region, sizeof(region));
	snprintf(why, size, "bucket '%s' is not in region '%s'; set [media] region%s%s%s",
		 r->bucket, r->region, region[0] ? " = " : " to its own", region,
		 r->head->status / 100 == 3 ? " and [media] endpoint to that region's address"
					    : "");
	return -EREMOTEIO;
}

static bool is_passing(int status, const char *code)
{
	return status >= 500 || status == 429 || status == 408 || !strcmp(code, "SlowDown") ||
	       !strcmp(code, "BadDigest") || !strcmp(code, "XAmzContentSHA256Mismatch") ||
	       !strcmp(code, "IncompleteBody") || !strcmp(code, "RequestTimeout") ||
	       !strcmp(code, "OperationAborted");
}

int sluice_s3_refused(const struct sluice_s3_refusal *r, char *why, size_t size)
{
	char code[64] = "", message[160] = "";
	int status = r->head->status;
	size_t at = 0;

	if (!sluice_s3_tag(r->xml, &at, "Code", code, sizeof(code)))
		at = 0;
	sluice_s3_tag(r->xml, &at, "Message", message, sizeof(message));
	if (!strcmp(code, "RequestTimeTooSkewed") && r->head->date)
		return tell_clock(r, why, size);
	if (status == 404 && strcmp(code, "NoSuchBucket") != 0) {
		why[0] = 0;
		return -ENOENT;
	}
	if (status == 404) {
		snprintf(why, size,
			 "%s has no bucket '%s'; make it with sluice-cloud provision, or correct "
			 "[media] bucket",
			 r->endpoint, r->bucket);
		return -ENODEV;
	}
	if (is_elsewhere(r, code))
		return tell_region(r, why, size);
	if (status == 401 || (status == 403 && !is_passing(0, code)))
		return refuse_rights(r, code, why, size);
	snprintf(why, size, "%s answers %s with %d %s%s%s", r->endpoint, r->method, status, code,
		 message[0] ? ": " : "", message);
	return is_passing(status, code) ? -EAGAIN : -EREMOTEIO;
}
