// SPDX-License-Identifier: MIT
/*
 * throttle.c - a fixed table of counters, found by a hash with a key of this process (strangers
 * choose the names). A bucket that must be given to another takes over its count: an attacker who
 * fills the table makes people wait, never the other way round. Each counter forgets one failure
 * every FORGET_S seconds.
 *
 * A user's own counter has more free tries than a pair's, and its wait is short: whoever guesses at
 * someone's password from many addresses must not be able to lock them out for hours.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "cloud/throttle.h"

#define BUCKETS	  4096 /* power of two */
#define FORGET_S  300
#define SECOND_NS 1000000000ull

enum kind { PAIR, ADDRESS, USER, KINDS };

/* An address has many people behind it, a user many addresses. */
#define ADDRESS_TIMES 5
#define USER_FREE     30
#define USER_MAX_S    30

struct rule {
	uint32_t free; /* failures without a wait */
	uint32_t max_s;
};

struct bucket {
	uint32_t failures;
	uint64_t since_ns; /* of the last failure, moved on as failures are forgotten */
	uint64_t until_ns; /* nothing may be tried before */
};

struct sluice_throttle {
	pthread_mutex_t lock;
	struct rule rule[KINDS];
	uint8_t key[16];
	struct bucket bucket[KINDS][BUCKETS];
};

struct sluice_throttle *sluice_throttle_open(uint32_t tries, uint32_t max_s)
{
	struct sluice_throttle *t = calloc(1, sizeof(*t));

	if (!t || RAND_bytes(t->key, sizeof(t->key)) != 1) {
		free(t);
		return NULL;
	}
	t->rule[PAIR] = (struct rule){ tries, max_s };
	t->rule[ADDRESS] = (struct rule){ ADDRESS_TIMES * tries, max_s };
	t->rule[USER] = (struct rule){ tries > USER_FREE ? tries : USER_FREE,
				       max_s < USER_MAX_S ? max_s : USER_MAX_S };
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void sluice_throttle_close(struct sluice_throttle *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* "192.0.2.1 port 443": the host. An IPv6 host counts as its /64, which one customer has. */
static size_t host_size(const char *address)
{
	size_t n = strcspn(address, " "), i, colons = 0;

	for (i = 0; i < n; i++)
		if (address[i] == ':' && ++colons == 4)
			return i;
	return n;
}

static struct bucket *find_bucket(struct sluice_throttle *t, enum kind kind, const char *user,
				  const char *address)
{
	uint8_t text[256], mac[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	size_t n = 0, part;

	memset(mac, 0, sizeof(mac));
	if (kind != ADDRESS) {
		part = strnlen(user, 100);
		memcpy(text, user, part);
		n += part;
	}
	text[n++] = 0;
	if (kind != USER) {
		part = host_size(address);
		if (part > 100)
			part = 100;
		memcpy(text + n, address, part);
		n += part;
	}
	HMAC(EVP_sha256(), t->key, sizeof(t->key), text, n, mac, &length);
	return &t->bucket[kind][(mac[0] | (unsigned int)mac[1] << 8) & (BUCKETS - 1)];
}

static void forget(struct bucket *b, uint64_t now_ns)
{
	uint64_t forgotten;

	if (now_ns <= b->since_ns)
		return;
	forgotten = (now_ns - b->since_ns) / (FORGET_S * SECOND_NS);
	if (forgotten > b->failures)
		forgotten = b->failures;
	b->failures -= (uint32_t)forgotten;
	b->since_ns = b->failures ? b->since_ns + forgotten * FORGET_S * SECOND_NS : now_ns;
}

/* 1, 2, 4 ... seconds, at most max_s, once the free ones are used up. */
static uint32_t wait_after(const struct rule *r, uint32_t failures)
{
	uint32_t over = failures > r->free ? failures - r->free : 0;
	uint32_t wait = !over ? 0 : over > 16 ? r->max_s : 1u << (over - 1);

	return wait > r->max_s ? r->max_s : wait;
}

uint32_t sluice_throttle_try(struct sluice_throttle *t, const char *user, const char *address,
			     uint64_t now_ns)
{
	struct bucket *b[KINDS];
	uint64_t until = 0;
	int k;

	pthread_mutex_lock(&t->lock);
	for (k = 0; k < KINDS; k++) {
		b[k] = find_bucket(t, k, user, address);
		forget(b[k], now_ns);
		if (b[k]->until_ns > until)
			until = b[k]->until_ns;
	}
	for (k = 0; k < KINDS && until <= now_ns; k++) {
		b[k]->failures++;
		b[k]->since_ns = now_ns;
		b[k]->until_ns = now_ns + wait_after(&t->rule[k], b[k]->failures) * SECOND_NS;
	}
	pthread_mutex_unlock(&t->lock);
	return until > now_ns ? (uint32_t)((until - now_ns + SECOND_NS - 1) / SECOND_NS) : 0;
}

static void take_back(struct sluice_throttle *t, const char *user, const char *address, int all)
{
	int k;

	pthread_mutex_lock(&t->lock);
	for (k = 0; k < KINDS; k++) {
		struct bucket *b = find_bucket(t, k, user, address);

		b->until_ns = 0;
		if (all && k == PAIR)
			b->failures = 0;
		else if (b->failures)
			b->failures--;
	}
	pthread_mutex_unlock(&t->lock);
}

void sluice_throttle_back(struct sluice_throttle *t, const char *user, const char *address)
{
	take_back(t, user, address, 0);
}

void sluice_throttle_good(struct sluice_throttle *t, const char *user, const char *address)
{
	take_back(t, user, address, 1);
}
