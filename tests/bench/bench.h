/* SPDX-License-Identifier: MIT */
/*
 * bench.h - rows of `make bench`. A group (one file, one function in the table of main.c) prepares
 * its frames and calls bench_pair() for every row: ours and the other side are timed in turns, in
 * one process, and the least time of each counts. Groups in C++ include this too.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench; /* rows so far */

/* One row of bench.json. Strings are copied. */
struct bench_row {
	const char *name;    /* short, unique, stable: others look it up */
	const char *what;    /* what was measured, on what input, what differs between the sides */
	const char *against; /* the other side */
	double aim;	     /* greatest ratio that is good enough; 0: none, the row informs */
};

/*
 * Handle frame number frame of the set. context is the group's. The result must depend on the work,
 * so that the compiler cannot drop it.
 */
typedef uint64_t bench_frame(void *context, unsigned int frame);

/*
 * Time ours and other on a set of frames (at most BENCH_FRAMES_MAX), the whole set by one side,
 * then by the other, for about a second. Every frame is timed by itself and its least time counts;
 * the row has the mean of these over the set, in microseconds. (The least time of a whole set would
 * be unfair on a busy machine: the slower side's turn outlasts a slice of the scheduler and is
 * never seen undisturbed, the faster side's is.)
 */
#define BENCH_FRAMES_MAX 64
void bench_pair(struct bench *b, const struct bench_row *row, bench_frame *ours, void *ours_context,
		bench_frame *other, void *other_context, unsigned int frames);

/* A row that the group has measured itself: two figures of that unit, less is better. */
void bench_figures(struct bench *b, const struct bench_row *row, const char *unit, double ours,
		   double other);

/* Say on the terminal and in bench.json ("left_out") why a group or row could not be measured. */
void bench_left_out(struct bench *b, const char *name, const char *reason);

/*
 * count frames of width x height, RGB, 3 bytes a pixel, cut from the clip that the runner has
 * found, one after another. Returns NULL (and has called bench_left_out for name) if there is no
 * clip or no ffmpeg. The caller frees. *source: which clip, static.
 */
uint8_t *bench_clip(struct bench *b, const char *name, unsigned int width, unsigned int height,
		    unsigned int count, const char **source);

/* One read pass over n bytes with the widest vectors there are; returns a sum of them. */
uint64_t bench_read_pass(const uint8_t *p, size_t n);

/* Groups, in the order of the table of main.c. */
void bench_luma(struct bench *b);
void bench_jpeg_dc(struct bench *b);
void bench_gate(struct bench *b);
void bench_opencv(struct bench *b);
void bench_uplink(struct bench *b);
void bench_wire(struct bench *b);
void bench_analysis(struct bench *b);

#ifdef __cplusplus
}
#endif

#endif
