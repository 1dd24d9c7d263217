// SPDX-License-Identifier: MIT
/* test_s3_text.c - what an S3 store says, read; and what an operator is told of a refusal. */
#include <errno.h>
#include <string.h>

#include "cloud/s3_text.h"
#include "tests/unit/check.h"

static void line(struct sluice_s3_head *h, const char *text)
{
	sluice_s3_header(h, text, strlen(text));
}

static void test_headers(void)
{
	struct sluice_s3_head h = { 0 };
	char longest[300];

	line(&h, "HTTP/1.1 100 Continue\r\n");
	line(&h, "HTTP/1.1 206 Partial Content\r\n");
	line(&h, "etag:  \"d41d8cd98f00b204e9800998ecf8427e\"\r\n");
	line(&h, "Content-Length: 77\r\n");
	line(&h, "Content-Range: bytes 10-86/87\r\n");
	line(&h, "X-Amz-Meta-Sha256: abc\r\n");
	line(&h, "Retry-After: 3\r\n");
	line(&h, "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n");
	line(&h, "Content-Lengthy: 1\r\n");
	CHECK(h.status == 206 && !strcmp(h.etag, "d41d8cd98f00b204e9800998ecf8427e"));
	CHECK(h.has_length && h.length == 77 && h.has_range && h.from == 10 && h.total == 87);
	CHECK(!strcmp(h.sha256, "abc") && h.after_s == 3 && h.date == 784887151 && !h.other_etag);
	line(&h, "x-amz-server-side-encryption: aws:kms\r\n");
	CHECK(h.other_etag);
	/* what is too long, or no number, is as if it had not come */
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "ETag: ", 6);
	sluice_s3_header(&h, longest, sizeof(longest));
	CHECK(!h.etag[0]);
	line(&h, "Content-Range: bytes */87\r\n");
	CHECK(!h.has_range);
	line(&h, "HTTP/1.1 500 No\r\n");
	CHECK(h.status == 500 && !h.has_length && !h.other_etag);
	line(&h, "");
	line(&h, "\r\n");
}

static void test_xml(void)
{
	static const char xml[] = "<a><k>1 &lt;&amp;&gt; 2</k><k>long text</k><k></k><k>open";
	char out[12], escaped[64];
	size_t at = 0;

	CHECK(!sluice_s3_tag(xml, &at, "k", out, sizeof(out)) && !strcmp(out, "1 <&> 2"));
	CHECK(!sluice_s3_tag(xml, &at, "k", out, 5) && !strcmp(out, "long"));
	CHECK(!sluice_s3_tag(xml, &at, "k", out, sizeof(out)) && !out[0]);
	CHECK(sluice_s3_tag(xml, &at, "k", out, sizeof(out)));
	sluice_s3_escape("a/b=c+~ \xc3", escaped);
	CHECK(!strcmp(escaped, "a%2Fb%3Dc%2B~%20%C3"));
}

/* The refusal is err, and says these words. */
static void refusal(int status, const char *code, time_t off, int err, const char *words)
{
	struct sluice_s3_head h = { .status = status, .date = 1700000000 };
	char xml[300], why[512] = "";
	struct sluice_s3_refusal r = { "PUT", "https://store", "b", "here", &h,
				       xml,   1700000000 + off };
	int got;

	snprintf(xml, sizeof(xml), "<Error><Code>%s</Code><Message>m</Message>%s</Error>", code,
		 status == 400 ? "<Region>there</Region>" : "");
	if (status == 301)
		snprintf(h.region, sizeof(h.region), "there");
	got = sluice_s3_refused(&r, why, sizeof(why));
	if (got != err || !strstr(why, words))
		fprintf(stderr, "%d %s: %d, '%s'\n", status, code, got, why);
	CHECK(got == err && strstr(why, words));
}

int main(void)
{
	test_headers();
	test_xml();
	refusal(403, "RequestTimeTooSkewed", -1000, -EPERM, "1000 s behind that of https://store");
	refusal(403, "AccessDenied", 400, -EPERM, "400 s ahead of that of");
	refusal(403, "AccessDenied", 0, -EPERM, "the right to read, write, list and delete");
	refusal(403, "InvalidAccessKeyId", 0, -EPERM, "key_id_file");
	refusal(403, "SignatureDoesNotMatch", 0, -EPERM, "secret_file");
	refusal(401, "", 0, -EPERM, "refuses PUT in bucket 'b'");
	refusal(301, "PermanentRedirect", 0, -EREMOTEIO, "region = there and [media] endpoint");
	refusal(400, "AuthorizationHeaderMalformed", 0, -EREMOTEIO, "region = there");
	refusal(404, "NoSuchBucket", 0, -ENODEV, "no bucket 'b'");
	refusal(404, "NoSuchKey", 0, -ENOENT, "");
	refusal(400, "MalformedXML", 0, -EREMOTEIO, "answers PUT with 400 MalformedXML: m");
	refusal(400, "BadDigest", 0, -EAGAIN, "BadDigest");
	refusal(503, "SlowDown", 0, -EAGAIN, "SlowDown");
	refusal(500, "", 0, -EAGAIN, "500");
	refusal(507, "", 0, -EAGAIN, "507");
	refusal(429, "", 0, -EAGAIN, "429");
	return check_result();
}
