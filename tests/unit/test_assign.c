// SPDX-License-Identifier: MIT
/* The assignment against all permutations, on random small costs. */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/assign.h"

static float cost[SLUICE_ASSIGN_MAX][SLUICE_ASSIGN_MAX];
static int bad;

static float best(unsigned int row, unsigned int rows, unsigned int cols, unsigned int used)
{
	float least = 1e9f;

	if (row == rows)
		return 0;
	for (unsigned int c = 0; c < cols; c++) {
		float v;

		if (used >> c & 1)
			continue;
		v = cost[row][c] + best(row + 1, rows, cols, used | 1u << c);
		least = v < least ? v : least;
	}
	return least;
}

static void random_rounds(void)
{
	unsigned int seed = 7;

	for (int round = 0; round < 400; round++) {
		unsigned int rows = 1 + rand_r(&seed) % 6, cols = rows + rand_r(&seed) % 3,
			     used = 0;
		int col_of[SLUICE_ASSIGN_MAX];
		float sum = 0, want;

		for (unsigned int i = 0; i < rows; i++)
			for (unsigned int j = 0; j < cols; j++)
				cost[i][j] = (rand_r(&seed) % 1000) / 100.0f;
		want = best(0, rows, cols, 0);
		sluice_assign(cost, rows, cols, col_of);
		for (unsigned int i = 0; i < rows; i++) {
			if (col_of[i] < 0 || (used >> col_of[i] & 1)) {
				bad++;
				continue;
			}
			used |= 1u << col_of[i];
			sum += cost[i][col_of[i]];
		}
		if (sum > want + 1e-3f || sum < want - 1e-3f) {
			printf("round %d: %ux%u cost %f, least is %f\n", round, rows, cols, sum,
			       want);
			bad++;
		}
	}
}

/* More rows than columns: every column is used once, by the cheapest rows; the surplus gets -1. */
static void surplus(void)
{
	int col_of[SLUICE_ASSIGN_MAX], left = 0;

	for (int i = 0; i < 5; i++)
		for (int j = 0; j < 2; j++)
			cost[i][j] = 10 - i;
	sluice_assign(cost, 5, 2, col_of);
	for (int i = 0; i < 5; i++)
		left += col_of[i] < 0;
	if (left != 3 || col_of[4] < 0 || col_of[3] < 0) {
		printf("surplus rows: %d left over, or the cheapest not chosen\n", left);
		bad++;
	}
}

int main(void)
{
	random_rounds();
	surplus();
	return bad != 0;
}
