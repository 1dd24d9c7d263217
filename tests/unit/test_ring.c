// SPDX-License-Identifier: MIT
/*
 * The ring against a model that keeps one byte a page, with a fair reader and with a hostile one
 * that writes anything into the words it may write.
 */
#include <stdlib.h>
#include <string.h>
#include "kmod/ring.h"
#include "check.h"

#define PAGES	 150u /* no multiple of 64 */
#define DESCS	 32u
#define HELD_MAX 64u

struct model {
	struct sluice_ring r;
	struct sluice_ring_ctrl *ctrl;
	struct sluice_ring_desc desc[DESCS];
	void *priv;
	uint8_t *arena;
	uint8_t owned[PAGES];
	struct sluice_ring_span held[HELD_MAX]; /* reserved, not yet published */
	uint32_t held_count;
	struct sluice_ring_span published[DESCS];
	uint64_t head, tail;
};

static void model_open(struct model *m)
{
	memset(m, 0, sizeof(*m));
	m->ctrl = aligned_alloc(4096, 4096);
	memset(m->ctrl, 0, 4096);
	m->arena = calloc(PAGES, 4096);
	m->priv = calloc(1, sluice_ring_private_size(DESCS, PAGES * 4096));
	sluice_ring_init(&m->r, m->priv, m->ctrl, m->desc, DESCS, m->arena, PAGES * 4096ull,
			 "a-name-that-is-longer-than-the-field-is", 77);
}

static void model_close(struct model *m)
{
	free(m->ctrl);
	free(m->arena);
	free(m->priv);
}

static uint32_t longest_free_run(const struct model *m)
{
	uint32_t best = 0;
	uint32_t run = 0;
	uint32_t i;

	for (i = 0; i < PAGES; i++) {
		run = m->owned[i] ? 0 : run + 1;
		best = run > best ? run : best;
	}
	return best;
}

static void set_owned(struct model *m, const struct sluice_ring_span *s, uint8_t v)
{
	uint32_t i;

	CHECK(s->pages && s->page + s->pages <= PAGES);
	for (i = s->page; i < s->page + s->pages; i++) {
		CHECK(m->owned[i] != v);
		m->owned[i] = v;
	}
}

static void model_follow_tail(struct model *m)
{
	for (; m->tail < m->r.tail; m->tail++)
		set_owned(m, &m->published[m->tail % DESCS], 0);
}

static void step_reserve(struct model *m)
{
	size_t bytes = random_below(4) ? random_below(9 * 4096) : random_below(60 * 4096);
	uint32_t pages = bytes ? (bytes + 4095) / 4096 : 1;
	struct sluice_ring_span s;
	int ret;

	if (m->held_count == HELD_MAX)
		return;
	ret = sluice_ring_reserve(&m->r, bytes, &s);
	model_follow_tail(m);
	if (ret) {
		CHECK(ret == -ENOSPC);
		CHECK(longest_free_run(m) < pages || m->head - m->tail + m->held_count >= DESCS);
		CHECK(!s.pages);
		return;
	}
	CHECK(s.pages == pages);
	CHECK(m->head - m->tail + m->held_count < DESCS);
	set_owned(m, &s, 1);
	m->held[m->held_count++] = s;
}

static struct sluice_ring_span *pick_held(struct model *m, struct sluice_ring_span *copy)
{
	uint32_t i = random_below(m->held_count);

	*copy = m->held[i];
	m->held[i] = m->held[--m->held_count];
	return copy;
}

static void step_publish(struct model *m)
{
	struct sluice_ring_desc d = { .cells = 16, .cells_size = 8, .sequence = m->head };
	struct sluice_ring_span s;
	uint64_t mark = m->ctrl->wake_mark;
	bool wake;

	if (!m->held_count)
		return;
	m->published[m->head % DESCS] = *pick_held(m, &s);
	d.size = s.page;
	wake = sluice_ring_publish(&m->r, &s, &d);
	CHECK(!s.pages);
	m->head++;
	CHECK(m->r.head == m->head && m->ctrl->head == m->head);
	CHECK(wake == (m->head > mark));
	CHECK(m->desc[(m->head - 1) % DESCS].sequence == m->head - 1);
	CHECK(m->desc[(m->head - 1) % DESCS].offset ==
	      m->desc[(m->head - 1) % DESCS].size * 4096ull);
	CHECK(m->desc[(m->head - 1) % DESCS].cells == m->desc[(m->head - 1) % DESCS].offset + 16);
}

static void step_discard(struct model *m)
{
	struct sluice_ring_span s;

	if (!m->held_count)
		return;
	set_owned(m, pick_held(m, &s), 0);
	sluice_ring_discard(&m->r, &s);
	CHECK(!s.pages);
	sluice_ring_discard(&m->r, &s); /* empty: nothing happens */
}

static void step_reader(struct model *m, bool hostile)
{
	uint64_t was = m->r.tail;
	uint64_t bad = m->r.bad_tail;
	uint64_t tail = was + random_below((uint32_t)(m->head - was) + 1);
	bool fair;

	if (hostile) {
		switch (random_below(6)) {
		case 0:
			tail = was - 1 - random_below(5);
			break;
		case 1:
			tail = m->head + 1 + random_below(3);
			break;
		case 2:
			tail = (uint64_t)random_below(~0u) << 32 | random_below(~0u);
			break;
		case 3:
			tail = random_below(2) ? 0 : ~0ull;
			break;
		}
		m->ctrl->wake_mark = random_below(2) ? ~0ull : random_below(~0u);
		m->ctrl->head = random_below(~0u);
		m->ctrl->desc_count = random_below(~0u);
		m->ctrl->bad_tail = random_below(~0u);
	}
	fair = tail >= was && tail <= m->head;
	m->ctrl->tail = tail;
	sluice_ring_reclaim(&m->r);
	CHECK(m->r.tail == (fair ? tail : was));
	CHECK(m->r.bad_tail == bad + !fair);
	model_follow_tail(m);
	if (hostile && !random_below(4)) {
		sluice_ring_reset_reader(&m->r);
		model_follow_tail(m);
		CHECK(m->ctrl->tail == m->tail && m->ctrl->head == m->head);
		CHECK(m->ctrl->desc_count == DESCS);
		CHECK(sluice_ring_readable(&m->r) == (m->head > m->tail));
	}
}

static void test_random(uint64_t seed, bool hostile)
{
	struct model m;
	uint32_t i, page;

	random_seed(seed);
	model_open(&m);
	for (i = 0; i < 3000; i++) {
		uint32_t used = 0;

		switch (random_below(8)) {
		case 0 ... 2:
			step_reserve(&m);
			break;
		case 3 ... 4:
			step_publish(&m);
			break;
		case 5:
			step_discard(&m);
			break;
		default:
			step_reader(&m, hostile);
		}
		for (page = 0; page < PAGES; page++)
			used += m.owned[page];
		CHECK(m.r.pages_used == used);
		CHECK(m.r.reserved == m.held_count);
		CHECK(m.r.tail <= m.r.head && m.r.head - m.r.tail <= DESCS);
	}
	model_close(&m);
}

static void test_sizes(void)
{
	CHECK(sluice_ring_private_size(0, 4096) == 0);
	CHECK(sluice_ring_private_size(3, 4096) == 0);
	CHECK(sluice_ring_private_size(1, 4096) > 0);
	CHECK(sluice_ring_private_size(SLUICE_RING_DESC_MAX, SLUICE_RING_ARENA_MAX) > 0);
	CHECK(sluice_ring_private_size(SLUICE_RING_DESC_MAX * 2, 4096) == 0);
	CHECK(sluice_ring_private_size(1, 0) == 0);
	CHECK(sluice_ring_private_size(1, 4095) == 0);
	CHECK(sluice_ring_private_size(1, 4097) == 0);
	CHECK(sluice_ring_private_size(1, SLUICE_RING_ARENA_MAX + 4096ull) == 0);
}

static void test_edges(void)
{
	struct sluice_ring_span s, t;
	struct model m;

	model_open(&m);
	CHECK(m.ctrl->magic == SLUICE_RING_MAGIC && m.ctrl->version == SLUICE_RING_VERSION);
	CHECK(strlen(m.ctrl->name) == sizeof(m.ctrl->name) - 1);
	CHECK(m.ctrl->boot_time_ns == 77 && m.ctrl->arena_bytes == PAGES * 4096ull);
	CHECK(!sluice_ring_readable(&m.r));
	CHECK(sluice_ring_reserve(&m.r, PAGES * 4096ull + 1, &s) == -ENOSPC);
	CHECK(sluice_ring_reserve(&m.r, SIZE_MAX, &s) == -ENOSPC);
	CHECK(sluice_ring_reserve(&m.r, PAGES * 4096ull, &s) == 0); /* all of it */
	CHECK(sluice_ring_reserve(&m.r, 0, &t) == -ENOSPC);
	sluice_ring_discard(&m.r, &s);
	CHECK(sluice_ring_reserve(&m.r, 0, &s) == 0 && s.pages == 1);
	sluice_ring_discard(&m.r, &s);
	model_close(&m);
}

int main(int argc, char **argv)
{
	uint64_t seed = seed_of(argc, argv);
	uint64_t i;

	test_sizes();
	test_edges();
	for (i = 0; i < 40; i++) {
		test_random(seed + i, false);
		test_random(seed + i, true);
	}
	return check_result();
}
