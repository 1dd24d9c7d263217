// SPDX-License-Identifier: MIT
/*
 * test_spread.c - when links go elsewhere, and how many: only where another process is alive and
 * has room, not for a little, never all at once, and not for ever.
 */
#include <string.h>

#include "cloud/spread.h"
#include "tests/unit/check.h"

#define MANY 4

static struct sluice_spread s;
static struct sluice_spread_node node[MANY];

static void begin(unsigned int first, unsigned int second)
{
	memset(&s, 0, sizeof(s));
	memset(node, 0, sizeof(node));
	for (int i = 0; i < MANY; i++)
		node[i].room = 10000;
	node[0].links = first;
	node[1].links = second;
}

/* The first of count processes; what it sends away comes to the second. */
static unsigned int step(size_t count)
{
	unsigned int n = sluice_spread_step(&s, &node[0], node + 1, count - 1);

	node[0].links -= n;
	node[1].links += n;
	return n;
}

static unsigned int steps(size_t count, unsigned int n, unsigned int *most)
{
	unsigned int sum = 0;

	*most = 0;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int went = step(count);

		sum += went;
		*most = went > *most ? went : *most;
	}
	return sum;
}

static void test_alone(void)
{
	unsigned int most;

	begin(1000, 0);
	CHECK(!steps(1, 100, &most));
	/* others that take nobody */
	node[1].room = 0;
	CHECK(!steps(2, 100, &most));
}

static void test_spread(void)
{
	unsigned int most, n;

	begin(1000, 0);
	CHECK(!steps(2, SLUICE_SPREAD_QUIET, &most)); /* it has only just come */
	n = steps(2, 120, &most);
	CHECK(n > 450 && n <= 500 && most == 11);
	CHECK(!steps(2, 100, &most)); /* and then it is left alone */
	/* what is a little above the share stays */
	begin(110, 90);
	CHECK(!steps(2, 200, &most));
	begin(3, 0);
	CHECK(!steps(2, 200, &most));
	/* a few go one at a time */
	begin(12, 0);
	CHECK(steps(2, 200, &most) == 5 && most == 1);
	/* no process sends more than its bound, however many it has */
	begin(1000000, 0);
	node[1].room = 1000000;
	steps(2, 100, &most);
	CHECK(most == SLUICE_SPREAD_STEP);
}

static void test_room(void)
{
	unsigned int most;

	begin(1000, 0);
	node[1].room = 3;
	steps(2, SLUICE_SPREAD_QUIET, &most);
	CHECK(step(2) == 3);
	node[1].room = 0;
	CHECK(!steps(2, 100, &most));
	node[1].room = 100;
	CHECK(!steps(2, SLUICE_SPREAD_QUIET, &most) && step(2) == 11);
}

/* One that comes or goes: nothing moves for a while. */
static void test_quiet(void)
{
	unsigned int most;

	begin(1000, 0);
	CHECK(steps(2, SLUICE_SPREAD_QUIET + 5, &most) == 55);
	CHECK(!steps(3, SLUICE_SPREAD_QUIET, &most) && steps(3, 5, &most) > 0);
	CHECK(!steps(2, SLUICE_SPREAD_QUIET, &most) && steps(2, 5, &most) > 0);
}

/* A load balancer sends every other one back: it ends all the same. */
static void test_back(void)
{
	unsigned int n, went = 0;

	begin(1000, 0);
	for (int i = 0; i < 400; i++) {
		n = step(2) / 2;
		went += n;
		node[0].links += n;
		node[1].links -= n;
	}
	CHECK(node[0].links < 530 && went < 500 && !step(2));
}

/* All of them decide, each for itself: no link goes to and fro. */
static void test_all(void)
{
	struct sluice_spread each[MANY] = { { 0 } };
	unsigned int went = 0, late = 0;

	begin(4000, 0);
	for (int i = 0; i < 400; i++) {
		for (int k = 0; k < MANY; k++) {
			struct sluice_spread_node others[MANY];
			unsigned int n;
			size_t count = 0, least = k ? 0 : 1;

			for (size_t o = 0; o < MANY; o++) {
				if (o == (size_t)k)
					continue;
				others[count++] = node[o];
				least = node[o].links < node[least].links ? o : least;
			}
			n = sluice_spread_step(&each[k], &node[k], others, count);
			node[k].links -= n;
			node[least].links += n;
			went += n;
			late += i > 300 ? n : 0;
		}
	}
	for (int k = 0; k < MANY; k++)
		CHECK(node[k].links > 900 && node[k].links < 1100);
	CHECK(went < 3100 && !late);
}

int main(void)
{
	test_alone();
	test_spread();
	test_room();
	test_quiet();
	test_back();
	test_all();
	return check_result();
}
