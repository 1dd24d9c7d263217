/* SPDX-License-Identifier: MIT */
/*
 * s3.h - one bucket of an S3-compatible store, by libcurl: requests signed with Signature Version
 * 4, path-style addresses, TLS by a given or the system's authorities.
 *
 * Any thread may call; each call blocks, for timeout_ms at most, tries included. What a store does
 * when it is in trouble (500, 503 SlowDown, no answer, a connection cut, a body that is short or
 * changed, a wrong ETag) is tried again, with growing pauses; what stays so is an error. Every
 * object bears the SHA-256 of its bytes, and what comes back is compared with it.
 *
 * Keys are made of [A-Za-z0-9._/-]. An object is whole or not there: the store sees to that.
 *
 * Errors of all: -ENOENT no such object; -ENODEV no such bucket; -EPERM refused (key, secret,
 * rights, clock); -EREMOTEIO refused for another reason; -EBUSY the store cannot at present;
 * -ETIMEDOUT, -EHOSTUNREACH, -EIO no answer, or none to be relied on; -EBADMSG what is stored is
 * not what was put; -ENOMEM. Then why (SLUICE_S3_WHY bytes) says what happened and what to do;
 * it is "" for -ENOENT.
 */
#ifndef SLUICE_S3_H
#define SLUICE_S3_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SLUICE_S3_WHY	 512
#define SLUICE_S3_KEY	 512	     /* bytes of a key, with its 0 */
#define SLUICE_S3_OBJECT (96u << 20) /* bytes of an object, at most */
#define SLUICE_S3_MANY	 16	     /* requests of put_all under way at once */

struct sluice_s3_config {
	const char *endpoint; /* "https://HOST[:PORT]"; http for tests and private networks */
	const char *region, *bucket;
	const char *ca;		 /* file of authorities; NULL or "": the system's */
	const char *id, *secret; /* the access key and its secret */
	unsigned int timeout_ms; /* of a call; 0: 30 s */
	unsigned int tries;	 /* of a call; 0: 6 */
	unsigned int page;	 /* keys of one answer of list; 0: 1000 */
};

/* Since it was opened; what a store asks money for. */
struct sluice_s3_stats {
	atomic_ullong puts, gets, lists, deletes; /* requests; heads are gets */
	atomic_ullong again;			  /* of these, not the first try */
	atomic_ullong failed;			  /* calls that gave up */
	atomic_ullong sent, received;		  /* bytes of bodies */
};

struct sluice_s3;

/* Copies the config. -EINVAL, -ENOMEM, with why. Nothing is asked of the store. */
int sluice_s3_open(const struct sluice_s3_config *c, struct sluice_s3 **out, char *why);
/* All other threads have left. NULL-safe. */
void sluice_s3_close(struct sluice_s3 *s);
const struct sluice_s3_stats *sluice_s3_stats(const struct sluice_s3 *s);

/* Is the bucket there, and may we? */
int sluice_s3_check(struct sluice_s3 *s, char *why);
/* 0: made; 1: it was there. */
int sluice_s3_make_bucket(struct sluice_s3 *s, char *why);

/* Durable when it returns 0. */
int sluice_s3_put(struct sluice_s3 *s, const char *key, const uint8_t *data, size_t size,
		  char *why);

struct sluice_s3_object {
	const char *key;
	const uint8_t *data;
	size_t size;
};

/* The same for several, SLUICE_S3_MANY at a time. 0: all are durable; else some may be. The first
 * that is given up ends it. */
int sluice_s3_put_all(struct sluice_s3 *s, const struct sluice_s3_object *o, size_t count,
		      char *why);
/* *data: malloc'd, with room for one byte more. -EFBIG: above max bytes. */
int sluice_s3_get(struct sluice_s3 *s, const char *key, size_t max, uint8_t **data, size_t *size,
		  char *why);
/* At most so many bytes from a place on; fewer: it ends there, also before it. Unlike those of a
 * whole object they are not compared with a hash, unless they are all of it. */
int sluice_s3_get_part(struct sluice_s3 *s, const char *key, uint64_t from, size_t most,
		       uint8_t **data, size_t *size, char *why);
/* What the store says of it: its size, and the hash that it was put with ("": by somebody else). */
int sluice_s3_head_sha256(struct sluice_s3 *s, const char *key, uint64_t *size, char sha256[65],
			  char *why);
int sluice_s3_exists(struct sluice_s3 *s, const char *key, char *why);
/* One that is not there: 0. */
int sluice_s3_delete(struct sluice_s3 *s, const char *key, char *why);
/* Keys that begin with prefix, in order of their bytes; non-zero of fn ends the walk and is
 * returned. fn may call the store. */
int sluice_s3_list(struct sluice_s3 *s, const char *prefix,
		   int (*fn)(void *ctx, const char *key, uint64_t size), void *ctx, char *why);

#endif
