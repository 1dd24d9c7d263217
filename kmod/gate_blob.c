// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * gate_blob.c - which of the low and high cells make something that moves.
 *
 * Runs of cells are joined to 8-connected blobs by union-find. A blob qualifies by the mass of its
 * active cells (changed of late) if one of them is high; it is motion once enough of the mass
 * follows on a qualified blob of earlier frames, cell by cell. So a flash of one frame never is.
 *
 * The number of runs is bounded (runs_max). A frame with more of them is one in which everything
 * flickers: the rest joins the last blob. That errs towards passing the frame.
 */
#include "gate_state.h"

static u32 find_root(struct gate_run *run, u32 i)
{
	while (run[i].root != i) { /* indices only fall: ends */
		run[i].root = run[run[i].root].root;
		i = run[i].root;
	}
	return i;
}

static void join_runs(struct gate_run *run, u32 a, u32 b)
{
	a = find_root(run, a);
	b = find_root(run, b);
	if (a < b)
		run[b].root = a;
	else
		run[a].root = b;
}

/* Sums of cells x0 <= x < x1 into run; q of each becomes its age + 1. */
static void weigh_run(struct sluice_gate *g, struct gate_run *run, u32 x0, u32 x1)
{
	const u32 confirm = g->config.confirm_ms / GATE_AGE_MS;
	u32 at = run->y * g->pitch, cell = run->y * g->w, x, before, age, m;

	for (x = x0; x < x1; x++) {
		u8 q = g->q[at + x];

		before = g->aged ? gate_max9(g->age + at + x, g->pitch) : 0;
		age = before ? min_t(u32, before - 1 + g->age_step, 254) : 0;
		g->q[at + x] = age + 1;
		if (g->cage[cell + x] >= GATE_HOLD)
			continue;
		m = min_t(u32, q, 64);
		run->mass += m;
		run->high |= q >= GATE_HIGH;
		if (before)
			run->preceded += m;
		if (age < confirm)
			continue;
		run->confirmed += m;
		if (before > 1)
			run->settled += m;
	}
}

/* Runs of row y, joined to those of the row above, which are run[above..g->runs). */
static void scan_row(struct sluice_gate *g, u32 y, u32 above)
{
	const u8 *q = g->q + y * g->pitch;
	struct gate_run *run = g->run;
	u32 left = g->row_low[y], first = g->runs, x = 0, x0, over = above;

	while (left) {
		while (!q[x])
			x++;
		for (x0 = x; x < g->w && q[x]; x++)
			left--;
		if (g->runs == g->runs_max) {
			struct gate_run last = run[g->runs - 1];

			last.y = y;
			weigh_run(g, &last, x0, x);
			last.y = run[g->runs - 1].y;
			run[g->runs - 1] = last;
			continue;
		}
		run[g->runs] = (struct gate_run){ .y = y, .x0 = x0, .x1 = x, .root = g->runs };
		weigh_run(g, &run[g->runs], x0, x);
		while (over < first && run[over].x1 < x0)
			over++;
		while (over < first && run[over].x0 <= x) {
			join_runs(run, over, g->runs);
			if (run[over].x1 > x)
				break; /* may touch the next run too */
			over++;
		}
		g->runs++;
	}
}

/* Sum each blob into its root, and let every root point at itself, every other run at its root. */
static void sum_blobs(struct sluice_gate *g)
{
	u32 i, root;

	for (i = 0; i < g->runs; i++) {
		struct gate_run *r = &g->run[i];

		root = find_root(g->run, i);
		r->root = root;
		if (root == i)
			continue;
		g->run[root].mass += r->mass;
		g->run[root].confirmed += r->confirmed;
		g->run[root].settled += r->settled;
		g->run[root].preceded += r->preceded;
		g->run[root].high |= r->high;
	}
}

static bool run_qualifies(const struct sluice_gate *g, const struct gate_run *r)
{
	return r->high && r->mass >= g->config.mass;
}

static bool run_moves(const struct sluice_gate *g, const struct gate_run *r)
{
	return 2 * r->settled >= r->mass || r->confirmed >= 2 * g->config.mass ||
	       (r->mass >= g->config.strong && 2 * r->preceded >= r->mass);
}

/* Cells of a qualified blob: age for the next frame, bitmap for the reader. */
static void mark_run(struct sluice_gate *g, const struct gate_run *r, u8 *bits)
{
	u32 at = r->y * g->pitch, cell = r->y * g->w, x;

	memcpy(g->age + at + r->x0, g->q + at + r->x0, r->x1 - r->x0);
	if (!bits)
		return;
	for (x = cell + r->x0; x < cell + r->x1; x++)
		bits[x / 8] |= 1u << (x % 8);
}

void gate_blob_judge(struct sluice_gate *g, struct sluice_gate_result *r, u8 *bits)
{
	u32 y, i, above = 0, last = 0, first, best = 0;
	bool moves = false;

	g->runs = 0;
	for (y = 0; y < g->h; y++) {
		if (!g->row_low[y])
			continue;
		first = g->runs;
		scan_row(g, y, last + 1 == y ? above : first);
		above = first;
		last = y;
	}
	sum_blobs(g);
	if (g->aged)
		memset(g->age - g->pitch - 1, 0, g->padded);
	g->aged = false;
	for (i = 0; i < g->runs; i++) {
		const struct gate_run *root = &g->run[g->run[i].root];

		if (root->high)
			best = max(best, root->mass);
		if (!run_qualifies(g, root))
			continue;
		g->aged = true;
		mark_run(g, &g->run[i], bits);
		r->cells += g->run[i].x1 - g->run[i].x0;
		if (root != &g->run[i])
			continue;
		r->blobs++;
		moves |= run_moves(g, root);
	}
	r->score = min_t(u32, best * 64 / max_t(u32, g->config.mass, 1), 65535);
	if (r->blobs)
		r->state = moves ? SLUICE_GATE_MOTION : SLUICE_GATE_QUALIFIED;
}
