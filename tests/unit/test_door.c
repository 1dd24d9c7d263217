// SPDX-License-Identifier: MIT
/* test_door.c - limits of an address, on both sides of each; prefixes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "cloud/door.h"
#include "tests/unit/check.h"

#define S 1000000000ull

static const struct sockaddr *make(struct sockaddr_storage *a, const char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		a->ss_family = AF_INET;
	} else {
		CHECK(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1);
		a->ss_family = AF_INET6;
	}
	return (const struct sockaddr *)a;
}

static enum sluice_refusal enter(struct sluice_door *d, const char *from, uint64_t now,
				 struct sluice_door_place *place)
{
	struct sockaddr_storage a;

	return sluice_door_enter(d, make(&a, from), now, place);
}

static void test_connections(void)
{
	const struct sluice_door_limits l = { .per_address = 2, .rate = 1000, .burst = 1000 };
	struct sluice_door *d = sluice_door_open(&l);
	struct sluice_door_place p[6];

	CHECK(enter(d, "192.0.2.1", S, &p[0]) == SLUICE_WELCOME && p[0].held);
	CHECK(enter(d, "::ffff:192.0.2.1", S, &p[1]) == SLUICE_WELCOME);
	CHECK(enter(d, "192.0.2.1", S, &p[2]) == SLUICE_REFUSED_ADDRESS && !p[2].held);
	CHECK(enter(d, "192.0.2.2", S, &p[3]) == SLUICE_WELCOME);
	sluice_door_leave(d, &p[2]); /* holds nothing */
	CHECK(enter(d, "192.0.2.1", S, &p[2]) == SLUICE_REFUSED_ADDRESS);
	sluice_door_leave(d, &p[1]);
	sluice_door_leave(d, &p[1]);
	CHECK(enter(d, "192.0.2.1", S, &p[2]) == SLUICE_WELCOME);
	/* one network of IPv6 is one address */
	CHECK(enter(d, "2001:db8::1", S, &p[4]) == SLUICE_WELCOME);
	CHECK(enter(d, "2001:db8::2", S, &p[5]) == SLUICE_WELCOME);
	CHECK(enter(d, "2001:db8::3", S, &p[1]) == SLUICE_REFUSED_ADDRESS);
	CHECK(enter(d, "2001:db8:0:1::3", S, &p[1]) == SLUICE_WELCOME);
	sluice_door_close(d);
}

static void test_rate(void)
{
	const struct sluice_door_limits l = { .per_address = 100, .rate = 10, .burst = 3 };
	struct sluice_door *d = sluice_door_open(&l);
	struct sluice_door_place p;
	int i;

	for (i = 0; i < 3; i++)
		CHECK(enter(d, "192.0.2.1", 5 * S, &p) == SLUICE_WELCOME);
	CHECK(enter(d, "192.0.2.1", 5 * S, &p) == SLUICE_REFUSED_RATE);
	CHECK(enter(d, "192.0.2.2", 5 * S, &p) == SLUICE_WELCOME);
	CHECK(enter(d, "192.0.2.1", 5 * S + S / 10 - 1, &p) == SLUICE_REFUSED_RATE);
	CHECK(enter(d, "192.0.2.1", 5 * S + S / 10, &p) == SLUICE_WELCOME);
	CHECK(enter(d, "192.0.2.1", 5 * S + S / 10, &p) == SLUICE_REFUSED_RATE);
	for (i = 0; i < 3; i++)
		CHECK(enter(d, "192.0.2.1", 100 * S, &p) == SLUICE_WELCOME);
	CHECK(enter(d, "192.0.2.1", 100 * S, &p) == SLUICE_REFUSED_RATE);
	sluice_door_close(d);
}

/* More addresses than the table has places: those that hold a connection are not forgotten. */
static void test_many(void)
{
	const struct sluice_door_limits l = { .per_address = 1, .rate = 10, .burst = 3 };
	struct sluice_door *d = sluice_door_open(&l);
	struct sluice_door_place first, p;
	char text[32];
	int i;

	CHECK(enter(d, "192.0.2.1", S, &first) == SLUICE_WELCOME);
	for (i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		CHECK(enter(d, text, S + (uint64_t)i, &p) == SLUICE_WELCOME);
		sluice_door_leave(d, &p);
	}
	CHECK(enter(d, "192.0.2.1", 2 * S, &p) == SLUICE_REFUSED_ADDRESS);
	sluice_door_close(d);
}

static void test_prefixes(void)
{
	struct sluice_prefixes p;
	struct sockaddr_storage a;
	char bad[48];

	CHECK(!sluice_prefixes_read("10.1.0.0/16, 192.0.2.7 2001:db8::/33  ::1", &p, bad));
	CHECK(p.count == 4);
	CHECK(sluice_prefixes_hold(&p, make(&a, "10.1.255.255")));
	CHECK(!sluice_prefixes_hold(&p, make(&a, "10.2.0.0")));
	CHECK(sluice_prefixes_hold(&p, make(&a, "::ffff:192.0.2.7")));
	CHECK(!sluice_prefixes_hold(&p, make(&a, "192.0.2.6")));
	CHECK(sluice_prefixes_hold(&p, make(&a, "2001:db8:7fff::1")));
	CHECK(!sluice_prefixes_hold(&p, make(&a, "2001:db8:8000::1")));
	CHECK(sluice_prefixes_hold(&p, make(&a, "::1")) &&
	      !sluice_prefixes_hold(&p, make(&a, "::2")));
	CHECK(!sluice_prefixes_read("0.0.0.0/0", &p, bad));
	CHECK(sluice_prefixes_hold(&p, make(&a, "203.0.113.9")));
	CHECK(!sluice_prefixes_hold(&p, make(&a, "::1")));
	CHECK(sluice_prefixes_read("10.0.0.0/33", &p, bad) && !strcmp(bad, "10.0.0.0/33"));
	CHECK(sluice_prefixes_read("10.0.0", &p, bad) && sluice_prefixes_read("::1/", &p, bad));
	CHECK(sluice_prefixes_read("10.0.0.1/8x", &p, bad) && !sluice_prefixes_read("", &p, bad));
}

int main(void)
{
	test_connections();
	test_rate();
	test_many();
	test_prefixes();
	return check_result();
}
