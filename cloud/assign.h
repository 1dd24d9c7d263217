/* SPDX-License-Identifier: MIT */
/* assign.h - least-cost assignment of rows to columns. */
#ifndef SLUICE_ASSIGN_H
#define SLUICE_ASSIGN_H

#include <stdint.h>

#define SLUICE_ASSIGN_MAX 64

/*
 * cost[rows][SLUICE_ASSIGN_MAX], rows, cols <= SLUICE_ASSIGN_MAX, all costs finite. col_of[row]
 * becomes the column of each row or -1 (more rows than columns). Total cost is least. Time O(n^3).
 * Source: H. W. Kuhn, "The Hungarian method for the assignment problem", 1955, in the shortest
 * augmenting path form with potentials (Jonker, Volgenant 1987).
 */
void sluice_assign(const float cost[][SLUICE_ASSIGN_MAX], uint32_t rows, uint32_t cols,
		   int *col_of);

#endif
