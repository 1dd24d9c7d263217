// SPDX-License-Identifier: MIT
/* assign.c - see assign.h. Rows are added one by one; each finds a shortest augmenting path. */
#include <float.h>
#include <stdbool.h>
#include <string.h>

#include "cloud/assign.h"

#define N (SLUICE_ASSIGN_MAX + 1)

/* Square it: missing rows or columns cost nothing, which leaves the surplus unassigned. */
static float cost_at(const float cost[][SLUICE_ASSIGN_MAX], uint32_t rows, uint32_t cols,
		     uint32_t i, uint32_t j)
{
	return i <= rows && j <= cols ? cost[i - 1][j - 1] : 0;
}

/* Adds row i to the matching row_at[] (by column); potentials u, v keep reduced costs non-negative.
 */
static void augment(const float cost[][SLUICE_ASSIGN_MAX], uint32_t rows, uint32_t cols, uint32_t n,
		    uint32_t i, float *u, float *v, uint32_t *row_at)
{
	float least[N];
	uint32_t way[N] = { 0 }, j0 = 0;
	bool used[N] = { false };

	for (uint32_t j = 0; j <= n; j++)
		least[j] = FLT_MAX;
	row_at[0] = i;
	do {
		uint32_t i0 = row_at[j0], j1 = 0;
		float delta = FLT_MAX;

		used[j0] = true;
		for (uint32_t j = 1; j <= n; j++) {
			float c;

			if (used[j])
				continue;
			c = cost_at(cost, rows, cols, i0, j) - u[i0] - v[j];
			if (c < least[j]) {
				least[j] = c;
				way[j] = j0;
			}
			if (least[j] < delta) {
				delta = least[j];
				j1 = j;
			}
		}
		for (uint32_t j = 0; j <= n; j++) {
			if (used[j]) {
				u[row_at[j]] += delta;
				v[j] -= delta;
			} else {
				least[j] -= delta;
			}
		}
		j0 = j1;
	} while (row_at[j0]);
	while (j0) {
		row_at[j0] = row_at[way[j0]];
		j0 = way[j0];
	}
}

void sluice_assign(const float cost[][SLUICE_ASSIGN_MAX], uint32_t rows, uint32_t cols, int *col_of)
{
	float u[N] = { 0 }, v[N] = { 0 };
	uint32_t row_at[N] = { 0 }, n = rows > cols ? rows : cols;

	for (uint32_t i = 0; i < rows; i++)
		col_of[i] = -1;
	for (uint32_t i = 1; i <= n; i++)
		augment(cost, rows, cols, n, i, u, v, row_at);
	for (uint32_t j = 1; j <= cols; j++)
		if (row_at[j] && row_at[j] <= rows)
			col_of[row_at[j] - 1] = (int)j - 1;
}
