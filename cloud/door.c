// SPDX-License-Identifier: MIT
/*
 * door.c - a table of fixed size: SETS sets of WAYS addresses. An address that holds a connection
 * has its entry as long; one that holds none is forgotten when its set needs the place (oldest
 * first), and with it how quickly it came. The set is chosen by a keyed hash, so that nobody can
 * fill one on purpose; a set that is full of addresses with connections refuses a further one.
 *
 * Rate: a token bucket, kept as the time at which it would be empty.
 */
#include "cloud/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SETS 2048
#define WAYS 8
#define S_NS 1000000000ull

struct entry {
	uint8_t key[16];
	uint32_t connections;
	uint64_t full_ns; /* when the bucket is full again */
	uint64_t seen_ns; /* 0: free */
};

struct sluice_door {
	struct sluice_door_limits limits;
	pthread_mutex_t lock;
	uint64_t secret[2];
	struct entry entry[SETS][WAYS];
};

struct sluice_door *sluice_door_open(const struct sluice_door_limits *l)
{
	struct sluice_door *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->limits = *l;
	pthread_mutex_init(&d->lock, NULL);
	if (getrandom(d->secret, sizeof(d->secret), 0) != sizeof(d->secret)) {
		sluice_door_close(d);
		return NULL;
	}
	return d;
}

void sluice_door_close(struct sluice_door *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Two rounds of multiply and fold (as wyhash does), keyed. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static struct entry *set_of(struct sluice_door *d, const uint8_t key[16])
{
	uint64_t w[2];

	memcpy(w, key, sizeof(w));
	return d->entry[fold(fold(w[0] ^ d->secret[0], w[1] ^ d->secret[1]) ^ d->secret[1],
			     0x9e3779b97f4a7c15ull) %
			SETS];
}

/* IPv4 in IPv6 counts as IPv4. False: another family. */
static bool make_key(const struct sockaddr *from, uint8_t key[16])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	memset(key, 0, 16);
	if (from->sa_family == AF_INET) {
		key[0] = 4;
		memcpy(key + 1, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		key[0] = 4;
		memcpy(key + 1, v6->sin6_addr.s6_addr + 12, 4);
	} else if (from->sa_family == AF_INET6) {
		key[0] = 6;
		memcpy(key + 1, v6->sin6_addr.s6_addr, 8);
	} else {
		return false;
	}
	return true;
}

/* The address's entry, or one that may be used for it; NULL: all of the set are in use. */
static struct entry *get_entry(struct sluice_door *d, const uint8_t key[16])
{
	struct entry *set = set_of(d, key), *best = NULL;

	for (int i = 0; i < WAYS; i++) {
		struct entry *e = &set[i];

		if (e->seen_ns && !memcmp(e->key, key, 16))
			return e;
		if (!e->connections && (!best || e->seen_ns < best->seen_ns))
			best = e;
	}
	if (best) {
		memset(best, 0, sizeof(*best));
		memcpy(best->key, key, 16);
	}
	return best;
}

/* Takes a token, if there is one. */
static bool take_token(const struct sluice_door_limits *l, struct entry *e, uint64_t now)
{
	uint64_t each = S_NS / l->rate;

	if (e->full_ns < now)
		e->full_ns = now;
	if (e->full_ns - now > (l->burst - 1) * each)
		return false;
	e->full_ns += each;
	return true;
}

enum sluice_refusal sluice_door_enter(struct sluice_door *d, const struct sockaddr *from,
				      uint64_t now, struct sluice_door_place *place)
{
	enum sluice_refusal r = SLUICE_WELCOME;
	struct entry *e;

	place->held = false;
	if (!make_key(from, place->key))
		return r;
	pthread_mutex_lock(&d->lock);
	e = get_entry(d, place->key);
	if (!e || e->connections >= d->limits.per_address)
		r = SLUICE_REFUSED_ADDRESS;
	else if (!take_token(&d->limits, e, now))
		r = SLUICE_REFUSED_RATE;
	else
		e->connections++;
	if (e)
		e->seen_ns = now ? now : 1;
	pthread_mutex_unlock(&d->lock);
	place->held = r == SLUICE_WELCOME;
	return r;
}

void sluice_door_leave(struct sluice_door *d, struct sluice_door_place *place)
{
	struct entry *set;

	if (!place->held)
		return;
	place->held = false;
	pthread_mutex_lock(&d->lock);
	set = set_of(d, place->key);
	for (int i = 0; i < WAYS; i++)
		if (set[i].connections && !memcmp(set[i].key, place->key, 16)) {
			set[i].connections--;
			break;
		}
	pthread_mutex_unlock(&d->lock);
}

/* ---- prefixes ---- */

static int read_prefix(const char *word, struct sluice_prefixes *p)
{
	char address[48];
	const char *slash = strchr(word, '/');
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	int family = memchr(word, ':', n) ? AF_INET6 : AF_INET;
	unsigned int most = family == AF_INET6 ? 128 : 32;
	unsigned long bits = most;
	char *end;

	if (n >= sizeof(address) || p->count == SLUICE_PREFIXES_MAX)
		return -EINVAL;
	memcpy(address, word, n);
	address[n] = 0;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		bits = strtoul(slash + 1, &end, 10);
		if (*end || bits > most)
			return -EINVAL;
	}
	if (inet_pton(family, address, p->of[p->count].address) != 1)
		return -EINVAL;
	p->of[p->count].family = family;
	p->of[p->count++].bits = (unsigned int)bits;
	return 0;
}

int sluice_prefixes_read(const char *text, struct sluice_prefixes *p, char bad[48])
{
	char word[48];
	size_t n;

	memset(p, 0, sizeof(*p));
	for (text += strspn(text, " ,\t"); *text; text += n, text += strspn(text, " ,\t")) {
		n = strcspn(text, " ,\t");
		snprintf(bad, 48, "%.*s", (int)(n < 47 ? n : 47), text);
		if (n >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, n);
		word[n] = 0;
		if (read_prefix(word, p))
			return -EINVAL;
	}
	return 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

bool sluice_prefixes_hold(const struct sluice_prefixes *p, const struct sockaddr *a)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
	const uint8_t *address =
		a->sa_family == AF_INET6
			? v6->sin6_addr.s6_addr
			: (const uint8_t *)&((const struct sockaddr_in *)a)->sin_addr;
	int family = a->sa_family;

	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		family = AF_INET;
		address += 12;
	}
	for (unsigned int i = 0; i < p->count; i++)
		if (p->of[i].family == family &&
		    same_bits(p->of[i].address, address, p->of[i].bits))
			return true;
	return false;
}
