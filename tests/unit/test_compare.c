// SPDX-License-Identifier: MIT
/*
 * test_compare.c - which events of two analyses are the same: by hand at the bounds, in parts, and
 * against a slow search over random ones.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloud/compare.h"
#include "tests/unit/check.h"

#define S 1000000000ll
#define N 60

static void add(struct sluice_told_list *l, int number, double from_s, double to_s,
		const char *class, int peak, int part_of)
{
	char id[33], event[33], start[24], end[24];
	json_t *o;

	snprintf(id, sizeof(id), "%032d", number);
	snprintf(event, sizeof(event), "%032d", part_of ? part_of : number);
	snprintf(start, sizeof(start), "%lld", (long long)(from_s * 1000) * (S / 1000));
	snprintf(end, sizeof(end), "%lld", (long long)(to_s * 1000) * (S / 1000));
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:i,s:[{s:s}]}", "kind", "event", "id", id,
		      "event", event, "start_ns", start, "end_ns", end, "continued", part_of != 0,
		      "nuisance", !strcmp(class, "unknown"), "peak_objects", peak, "tracks",
		      "class", class);
	CHECK(o && !sluice_told_add(l, o));
	json_decref(o);
}

static json_t *compare(const struct sluice_told_list *a, const struct sluice_told_list *b,
		       uint32_t most)
{
	uint32_t other[4 * N];
	json_t *o;

	CHECK(!sluice_compare(a, b, other));
	o = sluice_compare_json(a, b, other, most);
	CHECK(o);
	return o;
}

static int count(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static void test_bounds(void)
{
	struct sluice_told_list a = { 0 }, b = { 0 };
	json_t *o, *pair;

	add(&a, 1, 100, 110, "person-like", 1, 0);
	add(&a, 2, 200, 210, "person-like", 1, 0); /* 3 of 10 s in common: just the same */
	add(&b, 3, 207, 210, "vehicle-like", 2, 0);
	add(&a, 4, 300, 310, "person-like", 1, 0); /* 2.9: just not */
	add(&b, 5, 307.1, 310, "person-like", 1, 0);
	add(&b, 6, 100.5, 111, "person-like", 1, 0);
	add(&a, 7, 400, 400, "unknown", 0, 0); /* moments */
	add(&b, 8, 400, 400, "unknown", 0, 0);
	add(&a, 9, 500, 510, "person-like", 1, 0); /* outside of the time */
	add(&b, 10, 99, 99.5, "person-like", 1, 0);
	sluice_told_within(&a, 100 * S, 500 * S);
	sluice_told_within(&b, 100 * S, 500 * S);
	CHECK(a.count == 4 && b.count == 4 && b.event[0].start_ns == 100500 * S / 1000);
	o = compare(&a, &b, 10);
	CHECK(count(o, "matched_count") == 3);
	CHECK(count(o, "only_first_count") == 1 && count(o, "only_second_count") == 1);
	pair = json_array_get(json_object_get(o, "matched"), 0);
	CHECK(json_number_value(json_object_get(pair, "start_s")) == 0.5);
	CHECK(json_number_value(json_object_get(pair, "end_s")) == 1);
	CHECK(json_is_true(json_object_get(pair, "same_class")));
	pair = json_array_get(json_object_get(o, "matched"), 1);
	CHECK(count(pair, "peak_objects") == 1 && count(pair, "tracks") == 0);
	CHECK(json_is_false(json_object_get(pair, "same_class")));
	pair = json_object_get(o, "differences");
	CHECK(count(pair, "same_class") == 2 && count(pair, "same_nuisance") == 3);
	CHECK(json_number_value(json_object_get(pair, "start_s_most")) == 7);
	CHECK(json_number_value(json_object_get(pair, "start_s_median")) == 0.5);
	json_decref(o);
	o = compare(&a, &b, 1); /* lists end, counts do not */
	CHECK(json_array_size(json_object_get(o, "matched")) == 1);
	CHECK(count(o, "matched_count") == 3);
	json_decref(o);
	sluice_told_clear(&a);
	sluice_told_clear(&b);
}

/* The likest of two that could be it; the other one stays alone. */
static void test_likest(void)
{
	struct sluice_told_list a = { 0 }, b = { 0 };
	uint32_t other[2];

	add(&a, 1, 0, 10, "small", 1, 0);
	add(&a, 2, 4, 15, "small", 1, 0);
	add(&b, 3, 3, 14, "small", 1, 0);
	CHECK(!sluice_compare(&a, &b, other));
	CHECK(other[0] == SLUICE_COMPARE_NONE && other[1] == 0);
	sluice_told_clear(&a);
	sluice_told_clear(&b);
}

/* Cut into parts here and not there, it is the same; parts without their beginning are none. */
static void test_parts(void)
{
	struct sluice_told_list a = { 0 }, b = { 0 };
	json_t *o, *none = json_object();

	add(&a, 1, 1000, 1300, "person-like", 1, 0);
	add(&a, 2, 1300, 1600, "vehicle-like", 3, 1);
	add(&a, 3, 1600, 1700, "vehicle-like", 1, 1);
	add(&a, 4, 900, 1100, "person-like", 1, 99);
	add(&b, 5, 1001, 1702, "vehicle-like", 3, 0);
	CHECK(sluice_told_add(&a, none) == -EBADMSG);
	sluice_told_within(&a, 0, 2000 * S);
	sluice_told_within(&b, 0, 2000 * S);
	CHECK(a.count == 1 && a.event[0].tracks == 3 && a.event[0].peak == 3);
	CHECK(!strcmp(a.event[0].class, "vehicle-like") && a.event[0].end_ns == 1700 * S);
	o = compare(&a, &b, 10);
	CHECK(count(o, "matched_count") == 1);
	CHECK(count(json_array_get(json_object_get(o, "matched"), 0), "tracks") == -2);
	json_decref(o);
	json_decref(none);
	sluice_told_clear(&a);
	sluice_told_clear(&b);
}

/* Greedy, by looking at everything each time. */
static uint32_t slow(const struct sluice_told_list *a, const struct sluice_told_list *b,
		     uint32_t *other)
{
	uint8_t taken[N] = { 0 };
	uint32_t pairs = 0;

	for (uint32_t i = 0; i < a->count; i++)
		other[i] = SLUICE_COMPARE_NONE;
	for (;;) {
		double most = -1;
		uint32_t x = 0, y = 0;

		for (uint32_t i = 0; i < a->count; i++)
			for (uint32_t k = 0; k < b->count; k++) {
				double t = sluice_told_tiou(&a->event[i], &b->event[k]);

				if (other[i] == SLUICE_COMPARE_NONE && !taken[k] && t > most) {
					most = t;
					x = i;
					y = k;
				}
			}
		if (most < SLUICE_COMPARE_TIOU)
			return pairs;
		other[x] = y;
		taken[y] = 1;
		pairs++;
	}
}

static void test_random(void)
{
	uint32_t fast[N], want[N];
	uint32_t pairs = 0;

	for (int round = 0; round < 50; round++) {
		struct sluice_told_list a = { 0 }, b = { 0 };

		for (int i = 0; i < N; i++) {
			double at = random_below(600), for_s = 1 + random_below(20);

			add(&a, 1 + i, at, at + for_s, "small", 1, 0);
			at = at + random_below(8);
			add(&b, 101 + i, at, at + 1 + random_below(20), "small", 1, 0);
		}
		sluice_told_within(&a, 0, 1000 * S);
		sluice_told_within(&b, 0, 1000 * S);
		CHECK(!sluice_compare(&a, &b, fast));
		pairs += slow(&a, &b, want);
		CHECK(!memcmp(fast, want, sizeof(fast)));
		sluice_told_clear(&a);
		sluice_told_clear(&b);
	}
	CHECK(pairs > 50 * N / 4); /* else it has shown little */
}

int main(void)
{
	test_bounds();
	test_likest();
	test_parts();
	test_random();
	return check_result();
}
