/* SPDX-License-Identifier: MIT */
/* gate_rows.h - grid and gate on YUYV frames, for groups that compare others with it. */
#ifndef TESTS_BENCH_GATE_ROWS_H
#define TESTS_BENCH_GATE_ROWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gate_job;

/*
 * count frames of width x height YUYV, which stay the caller's; the gate has seen them twice and is
 * past its warm-up. Aborts when memory is short.
 */
struct gate_job *gate_job_open(const uint8_t *yuyv, unsigned int width, unsigned int height,
			       unsigned int count);
void gate_job_close(struct gate_job *j);

/* bench_frame: the grid of frame i and the gate's decision on it. context: a struct gate_job. */
uint64_t gate_job_whole(void *context, unsigned int i);

/* bench_frame: the decision alone, on the grid made before. */
uint64_t gate_job_gate(void *context, unsigned int i);

#ifdef __cplusplus
}
#endif

#endif
