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

/* The box of every qualified blob, as far as there is room. */
static void box_blobs(struct sluice_gate *g, struct gate_traces *now)
{
	u32 i;

	now->count = 0;
	for (i = 0; i < g->runs; i++) {
		struct gate_run *r = &g->run[i], *root = &g->run[r->root];
		struct gate_trace *t;

		if (root == r) { /* roots come before their other runs */
			r->trace = 0;
			if (!run_qualifies(g, r) || now->count == GATE_TRACES)
				continue;
			r->trace = ++now->count;
			t = &now->at[r->trace - 1];
			*t = (struct gate_trace){ .x0 = r->x0,
						  .x1 = r->x1,
						  .y0 = r->y,
						  .y1 = r->y + 1,
						  .mass = r->mass };
		} else if (root->trace) {
			t = &now->at[root->trace - 1];
			t->x0 = min_t(s16, t->x0, r->x0);
			t->x1 = max_t(s16, t->x1, r->x1);
			t->y1 = max_t(s16, t->y1, r->y + 1);
		}
	}
}

/*
 * Is t what was at p one frame before? Like mass, not too far; if p moved before, then on by about
 * as much. Returns the distance from where it was expected in half cells, or GATE_JUMP * 2.
 */
static u32 match_trace(const struct gate_trace *t, const struct gate_trace *p)
{
	s32 dx = t->x0 + t->x1 - p->x0 - p->x1, dy = t->y0 + t->y1 - p->y0 - p->y1;
	u32 jump = max(gate_abs(dx), gate_abs(dy)), off;

	if (jump > GATE_JUMP || t->mass > 4 * p->mass || p->mass > 4 * t->mass)
		return GATE_JUMP * 2;
	if (!p->steps)
		return jump;
	off = max(gate_abs(dx - p->dx), gate_abs(dy - p->dy));
	return off <= 2 + jump / 4 ? off : GATE_JUMP * 2;
}

/* Goes on with the traces of the frame before; true if one has shown a way of its own. */
static bool follow_traces(struct sluice_gate *g, struct gate_traces *now,
			  const struct gate_traces *before)
{
	const u32 confirm = g->config.confirm_ms / GATE_AGE_MS;
	bool moves = false;
	u32 i, k;

	for (i = 0; i < now->count; i++) {
		struct gate_trace *t = &now->at[i];
		const struct gate_trace *p = NULL;
		u32 best = GATE_JUMP * 2, d;

		for (k = 0; k < before->count; k++) {
			d = match_trace(t, &before->at[k]);
			if (d < best) {
				best = d;
				p = &before->at[k];
			}
		}
		if (!p)
			continue;
		t->dx = t->x0 + t->x1 - p->x0 - p->x1;
		t->dy = t->y0 + t->y1 - p->y0 - p->y1;
		t->age = min_t(u32, p->age + g->age_step, 60000);
		t->steps = min_t(u32, p->steps + 1, 60000);
		moves |= t->steps >= 2 && t->age >= confirm &&
			 max(gate_abs(t->dx), gate_abs(t->dy)) >= 2;
	}
	return moves;
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
	g->turn ^= 1;
	box_blobs(g, &g->trace[g->turn]);
	moves = follow_traces(g, &g->trace[g->turn], &g->trace[g->turn ^ 1]);
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
