// SPDX-License-Identifier: MIT
/*
 * test_luma_simd.c - the vector tables against the scalar one: every layout, random counts of
 * lines and cells, strides and offsets, pixels that begin and end flush with the memory around
 * them (the next page is not there), sums that start from something. The seed is printed; give one
 * as the argument to see a failure again.
 */
#include "kmod/luma.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS 4000
#define ROOM   (1 << 19)

static const char *const layout_name[] = { "grey", "yuyv", "uyvy", "rgb" };
static u32 seed;

static u32 roll(u32 n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* ROOM bytes between two pages that fault. */
static u8 *guarded_room(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	u8 *p = mmap(NULL, ROOM + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + page, ROOM, PROT_READ | PROT_WRITE)) {
		perror("test_luma_simd: mmap");
		exit(1);
	}
	return p + page;
}

static int check_round(const struct sluice_luma_ops *ops, u8 *room)
{
	static u16 want[3 * 512 + 8], got[3 * 512 + 8];
	u32 layout = roll(SLUICE_LUMA_LAYOUTS), block = roll(3) ? 8 : roll(2) ? 4 : 2;
	u32 step = layout == SLUICE_LUMA_RGB ? 3 : layout == SLUICE_LUMA_GREY ? 1 : 2;
	u32 cells = roll(4) ? roll(100) : roll(513), rows = 1 + roll(block);
	u32 bytes = cells * block * step, stride = bytes + roll(2) * roll(300);
	u32 values = roll(8); /* now and then all of the largest */
	u8 *last = room + ROOM - bytes, *line;
	u32 shift = roll(2) ? 0 : block == 8 ? 2 : block == 4 ? 4 : 6;
	u32 most = 255 * (block * block - block * rows) << shift; /* what other lines left */

	if (stride * (rows - 1) + bytes > ROOM || (roll(2) && bytes))
		stride = bytes;
	line = roll(2) ? room + roll(64) : last - stride * (rows - 1);
	if (line + stride * (rows - 1) > last)
		line = room;
	for (u32 i = 0; i < stride * (rows - 1) + bytes; i++)
		line[i] = values ? roll(256) : 255;
	for (u32 i = 0; i < 3 * 512 + 8; i++) {
		want[i] = most ? roll(most) : 0;
		got[i] = want[i];
	}
	(block == 8 ? sluice_luma_scalar.row : sluice_luma_scalar.narrow)[layout](
		line, stride, rows, cells, block, shift, want);
	(block == 8 ? ops->row : ops->narrow)[layout](line, stride, rows, cells, block, shift, got);
	if (!memcmp(want, got, sizeof(want)))
		return 0;
	printf("%s %s: rows %u cells %u block %u stride %u differ from scalar\n", ops->name,
	       layout_name[layout], rows, cells, block, stride);
	return 1;
}

int main(int argc, char **argv)
{
	const struct sluice_luma_ops *const *table = sluice_luma_tables();
	u32 first = argc > 1 ? strtoul(argv[1], NULL, 0) : (u32)getpid();
	u8 *room = guarded_room();
	int bad = 0;

	if (*table == &sluice_luma_scalar) {
		printf("this CPU has no vector table\n");
		return 77;
	}
	for (; *table && *table != &sluice_luma_scalar; table++) {
		seed = first;
		for (u32 i = 0; i < ROUNDS && bad < 5; i++)
			bad += check_round(*table, room);
		printf("%s: %d rounds\n", (*table)->name, ROUNDS);
	}
	if (bad)
		printf("seed %u\n", first);
	return bad ? 1 : 0;
}
