// SPDX-License-Identifier: MIT
/*
 * s3.c - calls on the store: each is a request that is tried until it is answered as it should be,
 * the store has refused it, or its time is up.
 *
 * A pause before a further try is 100 ms, doubled each time, 5 s at most, of which a random half is
 * taken off, so that those who were turned away together do not come back together; Retry-After
 * is heeded up to 5 s. A body that broke off is gone on with where it ended, if the object is
 * still the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>
#include <openssl/evp.h>

#include "cloud/s3_state.h"

#define TIMEOUT_MS   30000
#define TRIES	     6
#define PAUSE_MS     100
#define PAUSE_MAX_MS 5000

/* ---- open and close ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int is_made_of(const char *text, const char *letters, size_t least, size_t most)
{
	size_t n = strlen(text);

	return n >= least && n <= most && strspn(text, letters) == n;
}

static int check_config(const struct sluice_s3_config *c, char *why)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	const char *host = !c->endpoint				  ? NULL
			   : !strncmp(c->endpoint, "https://", 8) ? c->endpoint + 8
			   : !strncmp(c->endpoint, "http://", 7)  ? c->endpoint + 7
								  : NULL;

	if (!host || !*host || strlen(host) > 255 || strpbrk(host, "/?#@ "))
		snprintf(why, SLUICE_S3_WHY,
			 "the address of the store must be https://HOST or https://HOST:PORT, "
			 "without a path; not '%.100s'",
			 c->endpoint ? c->endpoint : "");
	else if (!c->bucket || !is_made_of(c->bucket, names, 3, 63))
		snprintf(why, SLUICE_S3_WHY,
			 "'%.100s' is no name of a bucket: 3 to 63 of a-z, 0-9, '.' and '-'",
			 c->bucket ? c->bucket : "");
	else if (!c->region || !is_made_of(c->region, names, 1, 63))
		snprintf(why, SLUICE_S3_WHY, "'%.100s' is no name of a region",
			 c->region ? c->region : "");
	else if (!c->id || !*c->id || !c->secret || !*c->secret)
		snprintf(why, SLUICE_S3_WHY, "an access key and its secret are needed");
	else
		return 0;
	return -EINVAL;
}

int sluice_s3_open(const struct sluice_s3_config *c, struct sluice_s3 **out, char *why)
{
	struct sluice_s3 *s;
	int err = check_config(c, why);

	*out = NULL;
	if (err)
		return err;
	pthread_once(&once, init_curl);
	snprintf(why, SLUICE_S3_WHY, "out of memory");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->c = *c;
	s->c.endpoint = strdup(c->endpoint);
	s->c.region = strdup(c->region);
	s->c.bucket = strdup(c->bucket);
	s->c.ca = c->ca && *c->ca ? strdup(c->ca) : NULL;
	s->c.id = strdup(c->id);
	s->c.secret = strdup(c->secret);
	if (!s->c.timeout_ms)
		s->c.timeout_ms = TIMEOUT_MS;
	if (!s->c.tries)
		s->c.tries = TRIES;
	if (!s->c.page)
		s->c.page = 1000;
	snprintf(s->sigv4, sizeof(s->sigv4), "aws:amz:%s:s3", c->region);
	if (!s->c.endpoint || !s->c.region || !s->c.bucket || !s->c.id || !s->c.secret ||
	    (c->ca && *c->ca && !s->c.ca)) {
		sluice_s3_close(s);
		return -ENOMEM;
	}
	why[0] = 0;
	*out = s;
	return 0;
}

void sluice_s3_close(struct sluice_s3 *s)
{
	if (!s)
		return;
	while (s->idles)
		curl_easy_cleanup(s->idle[--s->idles]);
	if (s->many)
		curl_multi_cleanup(s->many);
	if (s->c.secret)
		explicit_bzero((char *)s->c.secret, strlen(s->c.secret));
	free((char *)s->c.endpoint);
	free((char *)s->c.region);
	free((char *)s->c.bucket);
	free((char *)s->c.ca);
	free((char *)s->c.id);
	free((char *)s->c.secret);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const struct sluice_s3_stats *sluice_s3_stats(const struct sluice_s3 *s)
{
	return &s->stats;
}

/* ---- trying ---- */

static void tell_transport(const struct sluice_s3 *s, const struct sluice_s3_call *c, char *why)
{
	const char *said = c->error[0] ? c->error : curl_easy_strerror(c->code);

	if (c->code == CURLE_PEER_FAILED_VERIFICATION)
		snprintf(why, SLUICE_S3_WHY,
			 "%s does not prove who it is (%s); put its authority into [media] ca",
			 s->c.endpoint, said);
	else if (c->code == CURLE_SSL_CACERT_BADFILE)
		snprintf(why, SLUICE_S3_WHY, "cannot use [media] ca: %s", said);
	else
		snprintf(why, SLUICE_S3_WHY, "no good answer of %s: %s", s->c.endpoint, said);
}

int sluice_s3_judge_try(struct sluice_s3 *s, struct sluice_s3_call *c, int err,
			int (*judge)(struct sluice_s3_call *c), int *final, char *why)
{
	const struct sluice_s3_refusal r = { c->method, s->c.endpoint, s->c.bucket, s->c.region,
					     &c->head,	c->text,       time(NULL) };

	if (err) {
		*final = err;
		tell_transport(s, c, why);
		return err == -EFBIG || err == -ENOMEM || c->code == CURLE_SSL_CACERT_BADFILE ||
				       c->code == CURLE_PEER_FAILED_VERIFICATION
			       ? err
			       : -EAGAIN;
	}
	if (c->head.status / 100 == 2) {
		*final = c->body ? -EIO : -EBADMSG;
		snprintf(why, SLUICE_S3_WHY, "%s answers %s of %s with other bytes than were put",
			 s->c.endpoint, c->method, c->key ? c->key : s->c.bucket);
		return judge ? judge(c) : 0;
	}
	*final = -EBUSY;
	if (c->part_size && c->head.status == 416 && !c->from)
		return 0; /* it ends before */
	err = sluice_s3_refused(&r, why, SLUICE_S3_WHY);
	if (c->from && (c->head.status == 412 || c->head.status == 416)) {
		c->size = 0; /* changed meanwhile */
		return -EAGAIN;
	}
	return err;
}

int sluice_s3_pause_ms(const struct sluice_s3_call *c, unsigned int tries)
{
	uint64_t ms = tries > 6 ? PAUSE_MAX_MS : (uint64_t)PAUSE_MS << (tries - 1);
	uint64_t after = c->head.after_s * 1000ull;
	uint16_t random = 0;

	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	ms -= ms / 2 * random / 65536;
	if (after > ms)
		ms = after < PAUSE_MAX_MS ? after : PAUSE_MAX_MS;
	return sluice_s3_now() + ms * 1000000 >= c->deadline ? -1 : (int)ms;
}

/* 0, or -ETIMEDOUT: the time of the call would not be enough. */
static int pause_before(const struct sluice_s3_call *c, unsigned int tries)
{
	int ms = sluice_s3_pause_ms(c, tries);
	struct timespec t;

	if (ms < 0)
		return -ETIMEDOUT;
	t.tv_sec = (time_t)(ms / 1000);
	t.tv_nsec = (long)(ms % 1000 * 1000000);
	while (nanosleep(&t, &t) && errno == EINTR)
		;
	return 0;
}

/* What came until it broke off is kept, if it can be told that the rest belongs to it. */
void sluice_s3_begin_try(struct sluice_s3_call *c)
{
	if (!c->size || !c->head.etag[0] || c->head.status / 100 != 2) {
		c->size = 0;
		c->from = 0;
		c->match[0] = 0;
		return;
	}
	c->from = c->size;
	memcpy(c->match, c->head.etag, sizeof(c->match));
}

int sluice_s3_insist(struct sluice_s3 *s, struct sluice_s3_call *c,
		     int (*judge)(struct sluice_s3_call *c), char *why)
{
	unsigned int tries = 0;
	int err, final;

	why[0] = 0;
	c->deadline = sluice_s3_now() + s->c.timeout_ms * 1000000ull;
	for (;;) {
		sluice_s3_begin_try(c);
		err = sluice_s3_request(s, c);
		err = sluice_s3_judge_try(s, c, err, judge, &final, why);
		if (!err)
			why[0] = 0;
		if (err != -EAGAIN)
			break;
		if (++tries >= s->c.tries || pause_before(c, tries)) {
			err = final;
			break;
		}
		atomic_fetch_add(&s->stats.again, 1);
	}
	if (err && err != -ENOENT)
		atomic_fetch_add(&s->stats.failed, 1);
	return err;
}

/* ---- objects ---- */

static int digest_hex(const EVP_MD *md, const uint8_t *data, size_t size, char *out)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0, i;

	if (!EVP_Digest(data, size, digest, &n, md, NULL))
		return -EIO;
	for (i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int is_md5(const char *etag)
{
	return strlen(etag) == 32 && strspn(etag, "0123456789abcdefABCDEF") == 32;
}

int sluice_s3_judge_put(struct sluice_s3_call *c)
{
	return c->head.other_etag || !is_md5(c->head.etag) || !strcasecmp(c->head.etag, c->md5)
		       ? 0
		       : -EAGAIN;
}

int sluice_s3_ready_put(struct sluice_s3_call *c, const char *key, const uint8_t *data, size_t size)
{
	static const uint8_t nothing;
	int err;

	*c = (struct sluice_s3_call){ .method = "PUT",
				      .key = key,
				      .body = data ? data : &nothing,
				      .body_size = size,
				      .max = 65536 };
	if (size > SLUICE_S3_OBJECT)
		return -EFBIG;
	err = digest_hex(EVP_sha256(), c->body, size, c->sha256);
	return err ? err : digest_hex(EVP_md5(), c->body, size, c->md5);
}

int sluice_s3_put(struct sluice_s3 *s, const char *key, const uint8_t *data, size_t size, char *why)
{
	struct sluice_s3_call c;
	int err = sluice_s3_ready_put(&c, key, data, size);

	why[0] = 0;
	if (!err)
		err = sluice_s3_insist(s, &c, sluice_s3_judge_put, why);
	free(c.data);
	return err;
}

/* Are these the bytes that were put? */
static int judge_get(struct sluice_s3_call *c)
{
	static const uint8_t nothing;
	const uint8_t *data = c->data ? c->data : &nothing;
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	const char *wanted = NULL;
	int err = 0;

	if (c->head.sha256[0]) {
		wanted = c->head.sha256;
		err = digest_hex(EVP_sha256(), data, c->size, hex);
	} else if (is_md5(c->head.etag) && !c->head.other_etag) {
		wanted = c->head.etag;
		err = digest_hex(EVP_md5(), data, c->size, hex);
	}
	if (err)
		return err;
	if (wanted && strcasecmp(wanted, hex) != 0) {
		c->size = 0;
		return -EAGAIN;
	}
	return 0;
}

/* What the call brought is the caller's, if err is 0; never NULL then. */
static int take_data(struct sluice_s3_call *c, int err, uint8_t **data, size_t *size)
{
	*data = NULL;
	*size = 0;
	if (!err && !c->data)
		c->data = malloc(1);
	if (!err && !c->data)
		err = -ENOMEM;
	if (err) {
		free(c->data);
		return err;
	}
	*data = c->data;
	*size = c->size;
	return 0;
}

int sluice_s3_get(struct sluice_s3 *s, const char *key, size_t max, uint8_t **data, size_t *size,
		  char *why)
{
	struct sluice_s3_call c = { .method = "GET", .key = key, .max = max };
	int err = sluice_s3_insist(s, &c, judge_get, why);

	return take_data(&c, err, data, size);
}

/* Of a part that is the whole the hash is known. */
static int judge_part(struct sluice_s3_call *c)
{
	uint64_t total = c->head.status == 206 ? c->head.total : c->seen;

	if (c->head.status == 206 && (c->head.from != c->part + c->from || c->size > c->part_size ||
				      (c->size < c->part_size && c->part + c->size != total))) {
		c->size = 0;
		return -EAGAIN;
	}
	return !c->part && c->size == total ? judge_get(c) : 0;
}

int sluice_s3_get_part(struct sluice_s3 *s, const char *key, uint64_t from, size_t most,
		       uint8_t **data, size_t *size, char *why)
{
	struct sluice_s3_call c = {
		.method = "GET", .key = key, .part = from, .part_size = most, .max = most
	};
	int err = sluice_s3_insist(s, &c, judge_part, why);

	return take_data(&c, err, data, size);
}

int sluice_s3_head_sha256(struct sluice_s3 *s, const char *key, uint64_t *size, char sha256[65],
			  char *why)
{
	struct sluice_s3_call c = { .method = "HEAD", .key = key };
	int err = sluice_s3_insist(s, &c, NULL, why);

	free(c.data);
	if (err)
		return err;
	*size = c.head.length;
	memcpy(sha256, c.head.sha256, 65);
	return 0;
}

int sluice_s3_exists(struct sluice_s3 *s, const char *key, char *why)
{
	struct sluice_s3_call c = { .method = "HEAD", .key = key };
	int err = sluice_s3_insist(s, &c, NULL, why);

	free(c.data);
	return err;
}

int sluice_s3_delete(struct sluice_s3 *s, const char *key, char *why)
{
	struct sluice_s3_call c = { .method = "DELETE", .key = key, .max = 65536 };
	int err = sluice_s3_insist(s, &c, NULL, why);

	free(c.data);
	return err == -ENOENT ? 0 : err;
}

/* ---- the bucket ---- */

int sluice_s3_check(struct sluice_s3 *s, char *why)
{
	struct sluice_s3_call c = { .method = "HEAD" };
	int err = sluice_s3_insist(s, &c, NULL, why);

	free(c.data);
	if (err != -ENOENT)
		return err;
	snprintf(why, SLUICE_S3_WHY,
		 "%s has no bucket '%s'; make it with sluice-cloud provision, or correct [media] "
		 "bucket",
		 s->c.endpoint, s->c.bucket);
	return -ENODEV;
}

int sluice_s3_make_bucket(struct sluice_s3 *s, char *why)
{
	struct sluice_s3_call c = { .method = "PUT", .max = 65536 };
	char body[256], again[SLUICE_S3_WHY];
	int err = sluice_s3_check(s, why), n;

	if (err != -ENODEV)
		return err ? err : 1;
	n = snprintf(body, sizeof(body),
		     "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		     "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
		     s->c.region);
	/* the first region of all must not be named */
	c.body_size = strcmp(s->c.region, "us-east-1") != 0 ? (size_t)n : 0;
	c.body = (uint8_t *)body;
	err = digest_hex(EVP_sha256(), c.body, c.body_size, c.sha256);
	if (!err)
		err = sluice_s3_insist(s, &c, NULL, why);
	free(c.data);
	/* an answer that was lost, or somebody else was faster */
	if (err && err != -EPERM && !sluice_s3_check(s, again))
		err = 0;
	return err;
}
