// SPDX-License-Identifier: MIT
/*
 * luma.c - grid of raw frames against one read pass over the same bytes (the plainest loop that
 * sums every byte, with the widest vectors the CPU has) and against memcpy of them.
 *
 * 16 frames in turn: 640x480 YUYV is 10 MB of them, beyond any level-2 cache, so that both sides
 * read from where a camera's frame lies, the last-level cache or memory; larger pictures, memory.
 * Lines of NV12 other than luma are read by neither side.
 */
#include "bench.h"
#include "kmod/luma.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAMES 16

struct job {
	struct sluice_picture picture;
	const struct sluice_luma_ops *table;
	uint8_t *frames, *copy;
	u16 *cell;
	size_t luma_bytes;
};

static uint64_t grid_frame(void *context, unsigned int i)
{
	struct job *j = context;
	size_t size = j->picture.size_min;

	sluice_luma = j->table;
	if (sluice_luma_grid(&j->picture, j->frames + i * size, size, j->cell))
		abort();
	return j->cell[i];
}

#if defined(__x86_64__)
typedef long long v4q __attribute__((vector_size(32)));
typedef char v32 __attribute__((vector_size(32)));
typedef v32 v32_any __attribute__((aligned(1), may_alias));
typedef long long v2q __attribute__((vector_size(16)));
typedef char v16 __attribute__((vector_size(16)));
typedef v16 v16_any __attribute__((aligned(1), may_alias));

__attribute__((target("avx2"))) static uint64_t read_avx2(const uint8_t *p, size_t n)
{
	v4q a[4] = {};

	for (size_t i = 0; i + 128 <= n; i += 128) {
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++)
			a[k] += (v4q)__builtin_ia32_psadbw256(*(const v32_any *)(p + i + 32 * k),
							      (v32){});
	}
	a[0] += a[1] + a[2] + a[3];
	return a[0][0] + a[0][1] + a[0][2] + a[0][3];
}

static uint64_t read_plain(const uint8_t *p, size_t n)
{
	v2q a[4] = {};

	for (size_t i = 0; i + 64 <= n; i += 64) {
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++)
			a[k] += (v2q)__builtin_ia32_psadbw128(*(const v16_any *)(p + i + 16 * k),
							      (v16){});
	}
	a[0] += a[1] + a[2] + a[3];
	return a[0][0] + a[0][1];
}

uint64_t bench_read_pass(const uint8_t *p, size_t n)
{
	return __builtin_cpu_supports("avx2") ? read_avx2(p, n) : read_plain(p, n);
}
#else
uint64_t bench_read_pass(const uint8_t *p, size_t n)
{
	uint64_t sum[4] = { 0 }, w[4];

	for (size_t i = 0; i + 32 <= n; i += 32) {
		memcpy(w, p + i, 32);
		for (int k = 0; k < 4; k++)
			sum[k] += w[k];
	}
	return sum[0] + sum[1] + sum[2] + sum[3];
}
#endif

static uint64_t read_one(void *context, unsigned int i)
{
	struct job *j = context;

	return bench_read_pass(j->frames + (size_t)i * j->picture.size_min, j->luma_bytes);
}

/* Into one buffer that stays: the cheapest copy there is. */
static uint64_t copy_one(void *context, unsigned int i)
{
	struct job *j = context;

	memcpy(j->copy, j->frames + (size_t)i * j->picture.size_min, j->luma_bytes);
	return j->copy[i * 64];
}

static void bench_table(struct bench *b, struct job *j, const char *format, double aim)
{
	char name[96], what[256];
	struct bench_row row = { .name = name, .what = what };

	snprintf(what, sizeof(what), "luma grid of %ux%u %s, %s table, %d frames in turn",
		 j->picture.width, j->picture.height, format, j->table->name, FRAMES);
	snprintf(name, sizeof(name), "grid_%s_%ux%u_%s", format, j->picture.width,
		 j->picture.height, j->table->name);
	row.against = "one read pass over the same bytes";
	row.aim = aim;
	bench_pair(b, &row, grid_frame, j, read_one, j, FRAMES);
	snprintf(name, sizeof(name), "grid_%s_%ux%u_%s_memcpy", format, j->picture.width,
		 j->picture.height, j->table->name);
	row.against = "memcpy of the same bytes";
	row.aim = 0;
	bench_pair(b, &row, grid_frame, j, copy_one, j, FRAMES);
}

static void bench_format(struct bench *b, u32 fourcc, const char *format, u32 w, u32 h,
			 const double *aim)
{
	const struct sluice_luma_ops *const *table = sluice_luma_tables();
	struct job j = { 0 };
	size_t size;

	if (sluice_picture_init(&j.picture, fourcc, w, h, 0))
		abort();
	size = j.picture.size_min;
	j.luma_bytes = (size_t)j.picture.stride * h;
	j.frames = aligned_alloc(4096, (FRAMES * size + 4095) / 4096 * 4096);
	j.copy = malloc(size);
	j.cell = malloc(sizeof(*j.cell) * j.picture.grid_w * j.picture.grid_h);
	if (!j.frames || !j.copy || !j.cell)
		abort();
	for (size_t i = 0; i < FRAMES * size; i++)
		j.frames[i] = i * 2654435761u >> 24;
	for (; *table; table++) {
		j.table = *table;
		bench_table(b, &j, format,
			    !aim			      ? 0
			    : !strcmp((*table)->name, "avx2") ? aim[0]
			    : !strcmp((*table)->name, "sse2") ? aim[1]
							      : aim[2]);
	}
	free(j.frames);
	free(j.copy);
	free(j.cell);
}

void bench_luma(struct bench *b)
{
	static const double aim[] = { 1.3, 1.6, 2.5 };

	bench_format(b, SLUICE_FMT_YUYV, "yuyv", 640, 480, aim);
	bench_format(b, SLUICE_FMT_NV12, "nv12", 640, 480, aim);
	bench_format(b, SLUICE_FMT_YUYV, "yuyv", 1920, 1080, aim);
	bench_format(b, SLUICE_FMT_NV12, "nv12", 1920, 1080, aim);
}
