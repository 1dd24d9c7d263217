// SPDX-License-Identifier: GPL-2.0
/*
 * ring_test.c - the arithmetic of the ring: runs of pages, wrap, full, every order of publish and
 * discard, and a reader that writes anything into the words it may write. A model with one byte a
 * page says what must be.
 */
#include <kunit/test.h>
#include "../ring.h"

#define PAGES 150u /* no multiple of 64 */
#define DESCS 32u

struct model {
	struct sluice_ring r;
	struct sluice_ring_ctrl *ctrl;
	struct sluice_ring_desc *desc;
	u8 owned[PAGES];
	struct sluice_ring_span held[DESCS], published[DESCS];
	u32 held_count, seed;
	u64 head, tail;
};

/* The arena is never touched by ring.c: addresses into it will do. */
static int model_open(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	void *priv;

	if (!m)
		return -ENOMEM;
	m->ctrl = kunit_kzalloc(test, sizeof(*m->ctrl), GFP_KERNEL);
	m->desc = kunit_kcalloc(test, DESCS, sizeof(*m->desc), GFP_KERNEL);
	priv = kunit_kzalloc(test, sluice_ring_private_size(DESCS, PAGES * 4096), GFP_KERNEL);
	if (!m->ctrl || !m->desc || !priv)
		return -ENOMEM;
	sluice_ring_init(&m->r, priv, m->ctrl, m->desc, DESCS, (void *)PAGE_SIZE, PAGES * 4096ull,
			 "a-name-that-is-longer-than-the-field-is", 77);
	m->seed = 1;
	test->priv = m;
	return 0;
}

static u32 below(struct model *m, u32 n)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return (m->seed >> 8) % n;
}

static u32 longest_free_run(const struct model *m)
{
	u32 best = 0, run = 0;

	for (u32 i = 0; i < PAGES; i++) {
		run = m->owned[i] ? 0 : run + 1;
		best = max(best, run);
	}
	return best;
}

static void set_owned(struct kunit *test, struct model *m, const struct sluice_ring_span *s, u8 v)
{
	KUNIT_ASSERT_TRUE(test, s->pages && s->page + s->pages <= PAGES);
	for (u32 i = s->page; i < s->page + s->pages; i++) {
		KUNIT_EXPECT_NE(test, m->owned[i], v);
		m->owned[i] = v;
	}
}

static void follow_tail(struct kunit *test, struct model *m)
{
	for (; m->tail < m->r.tail; m->tail++)
		set_owned(test, m, &m->published[m->tail % DESCS], 0);
}

static void step_reserve(struct kunit *test, struct model *m)
{
	size_t bytes = below(m, below(m, 4) ? 9 * 4096 : 60 * 4096);
	u32 pages = bytes ? DIV_ROUND_UP(bytes, 4096) : 1;
	struct sluice_ring_span s;

	if (m->held_count == DESCS)
		return;
	if (sluice_ring_reserve(&m->r, bytes, &s)) {
		follow_tail(test, m);
		KUNIT_EXPECT_TRUE(test, longest_free_run(m) < pages ||
						m->head - m->tail + m->held_count >= DESCS);
		KUNIT_EXPECT_EQ(test, s.pages, 0u);
		return;
	}
	follow_tail(test, m);
	KUNIT_EXPECT_EQ(test, s.pages, pages);
	KUNIT_EXPECT_LT(test, m->head - m->tail + m->held_count, (u64)DESCS);
	set_owned(test, m, &s, 1);
	m->held[m->held_count++] = s;
}

static struct sluice_ring_span take_held(struct model *m)
{
	u32 i = below(m, m->held_count);
	struct sluice_ring_span s = m->held[i];

	m->held[i] = m->held[--m->held_count];
	return s;
}

static void step_publish(struct kunit *test, struct model *m)
{
	struct sluice_ring_desc d = { .cells = 16, .cells_size = 8, .sequence = m->head };
	u64 mark = m->ctrl->wake_mark;
	struct sluice_ring_span s;
	const struct sluice_ring_desc *out = &m->desc[m->head % DESCS];
	u32 page;

	if (!m->held_count)
		return;
	s = take_held(m);
	page = s.page;
	m->published[m->head % DESCS] = s;
	m->head++;
	KUNIT_EXPECT_EQ(test, sluice_ring_publish(&m->r, &s, &d), m->head > mark);
	KUNIT_EXPECT_EQ(test, m->ctrl->head, m->head);
	KUNIT_EXPECT_EQ(test, out->sequence, m->head - 1);
	KUNIT_EXPECT_EQ(test, out->offset, page * 4096ull);
	KUNIT_EXPECT_EQ(test, out->cells, out->offset + 16);
	KUNIT_EXPECT_EQ(test, s.pages, 0u);
}

static void step_discard(struct kunit *test, struct model *m)
{
	struct sluice_ring_span s;

	if (!m->held_count)
		return;
	s = take_held(m);
	set_owned(test, m, &s, 0);
	sluice_ring_discard(&m->r, &s);
	sluice_ring_discard(&m->r, &s); /* empty by now: nothing happens */
}

static void step_reader(struct kunit *test, struct model *m, bool hostile)
{
	u64 was = m->r.tail, bad = m->r.bad_tail;
	u64 tail = was + below(m, (u32)(m->head - was) + 1);
	bool fair;

	if (hostile) {
		const u64 lies[] = { was - 1, 0, ~0ull, m->head + 1, m->head + (1ull << 63), tail };

		tail = lies[below(m, ARRAY_SIZE(lies))];
		m->ctrl->wake_mark = below(m, 2) ? ~0ull : below(m, 1000);
		m->ctrl->head = below(m, ~0u);
		m->ctrl->desc_count = below(m, ~0u);
		m->ctrl->arena_bytes = below(m, ~0u);
	}
	fair = tail >= was && tail <= m->head;
	m->ctrl->tail = tail;
	sluice_ring_reclaim(&m->r);
	KUNIT_EXPECT_EQ(test, m->r.tail, fair ? tail : was);
	KUNIT_EXPECT_EQ(test, m->r.bad_tail, bad + !fair);
	follow_tail(test, m);
	if (hostile && !below(m, 4)) {
		sluice_ring_reset_reader(&m->r);
		follow_tail(test, m);
		KUNIT_EXPECT_EQ(test, m->ctrl->tail, m->tail);
		KUNIT_EXPECT_EQ(test, m->ctrl->head, m->head);
		KUNIT_EXPECT_EQ(test, m->ctrl->desc_count, DESCS);
		KUNIT_EXPECT_EQ(test, m->ctrl->arena_bytes, PAGES * 4096ull);
	}
}

static void run_model(struct kunit *test, bool hostile)
{
	struct model *m = test->priv;

	for (u32 i = 0; i < 6000; i++) {
		u32 used = 0, what = below(m, 8);

		if (what < 3)
			step_reserve(test, m);
		else if (what < 5)
			step_publish(test, m);
		else if (what == 5)
			step_discard(test, m);
		else
			step_reader(test, m, hostile);
		for (u32 page = 0; page < PAGES; page++)
			used += m->owned[page];
		KUNIT_ASSERT_EQ(test, m->r.pages_used, used);
		KUNIT_ASSERT_EQ(test, m->r.reserved, m->held_count);
		KUNIT_ASSERT_LE(test, m->r.head - m->r.tail, (u64)DESCS);
	}
	KUNIT_EXPECT_GT(test, m->head, 10ull * DESCS); /* went round many times */
}

static void ring_fair_reader(struct kunit *test)
{
	run_model(test, false);
}

static void ring_hostile_reader(struct kunit *test)
{
	struct model *m = test->priv;

	run_model(test, true);
	KUNIT_EXPECT_GT(test, m->r.bad_tail, 100ull);
}

static void ring_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(0, 4096), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(3, 4096), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(SLUICE_RING_DESC_MAX * 2, 4096), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(1, 0), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(1, 4095), (size_t)0);
	KUNIT_EXPECT_EQ(test, sluice_ring_private_size(1, SLUICE_RING_ARENA_MAX + 4096ull),
			(size_t)0);
	KUNIT_EXPECT_GT(test, sluice_ring_private_size(SLUICE_RING_DESC_MAX, SLUICE_RING_ARENA_MAX),
			(size_t)0);
}

/* One page at a time until nothing is left: the arena, then the records. */
static void ring_full(struct kunit *test)
{
	struct model *m = test->priv;
	struct sluice_ring_span all, s;

	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, PAGES * 4096ull + 1, &s), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, SIZE_MAX, &s), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, PAGES * 4096ull, &all), 0);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 0, &s), -ENOSPC);
	sluice_ring_discard(&m->r, &all);
	for (u32 i = 0; i < DESCS; i++)
		KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 1, &m->held[i]), 0);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 1, &s), -ENOSPC);
	for (u32 i = 0; i < DESCS; i++) {
		struct sluice_ring_desc d = { .sequence = i };

		sluice_ring_publish(&m->r, &m->held[i], &d);
	}
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 1, &s), -ENOSPC);
	KUNIT_EXPECT_TRUE(test, sluice_ring_readable(&m->r));
	m->ctrl->tail = 1; /* one record read: one is free */
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 1, &s), 0);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 1, &all), -ENOSPC);
}

/* A run never lies around the end of the arena. */
static void ring_run_does_not_wrap(struct kunit *test)
{
	struct model *m = test->priv;
	struct sluice_ring_span a, b, c;

	KUNIT_ASSERT_EQ(test, sluice_ring_reserve(&m->r, 100 * 4096, &a), 0);
	KUNIT_ASSERT_EQ(test, sluice_ring_reserve(&m->r, 20 * 4096, &b), 0);
	sluice_ring_discard(&m->r, &a);
	KUNIT_ASSERT_EQ(test, sluice_ring_reserve(&m->r, 40 * 4096, &c), 0);
	KUNIT_EXPECT_EQ(test, c.page, 0u); /* 30 are free behind b, then it starts anew */
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 61 * 4096, &a), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sluice_ring_reserve(&m->r, 60 * 4096, &a), 0);
}

static void ring_constants(struct kunit *test)
{
	struct model *m = test->priv;

	KUNIT_EXPECT_EQ(test, m->ctrl->magic, SLUICE_RING_MAGIC);
	KUNIT_EXPECT_EQ(test, m->ctrl->version, SLUICE_RING_VERSION);
	KUNIT_EXPECT_EQ(test, strnlen(m->ctrl->name, 32), (size_t)31);
	KUNIT_EXPECT_EQ(test, m->ctrl->boot_time_ns, 77ull);
	KUNIT_EXPECT_FALSE(test, sluice_ring_readable(&m->r));
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_sizes),
	KUNIT_CASE(ring_constants),
	KUNIT_CASE(ring_full),
	KUNIT_CASE(ring_run_does_not_wrap),
	KUNIT_CASE(ring_fair_reader),
	KUNIT_CASE(ring_hostile_reader),
	{},
};

static struct kunit_suite ring_suite = {
	.name = "sluice_ring",
	.init = model_open,
	.test_cases = ring_cases,
};
kunit_test_suite(ring_suite);
