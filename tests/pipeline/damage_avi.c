// SPDX-License-Identifier: MIT
/*
 * usage: damage_avi IN.avi OUT.avi [FRAME:HOW]...
 *
 * Copies an AVI of MJPEG, with single frames damaged as a bad cable, a full buffer or an attacker
 * would. FRAME counts from 0. HOW:
 *
 *	cut    the second half is missing (the chunk is shorter; a JUNK chunk fills the gap)
 *	head   no SOI: the first bytes are zero
 *	table  a segment of the header claims to be longer than the frame
 *	ones   the entropy-coded data is all ones, which no Huffman code begins with
 *
 * The index is struck out, so that a reader goes by the chunks.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256u << 20)

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Offset of the marker's segment in the frame, 0 if there is none. */
static uint32_t find_marker(const uint8_t *jpeg, uint32_t size, uint8_t marker)
{
	uint32_t at = 2;

	while (at + 4 <= size && jpeg[at] == 0xff) {
		if (jpeg[at + 1] == marker)
			return at;
		at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
	}
	return 0;
}

/* chunk: its header of 8 bytes, then size bytes, then padding to an even number. */
static bool damage(uint8_t *chunk, uint32_t size, const char *how)
{
	uint8_t *jpeg = chunk + 8;
	uint32_t at, end = size + size % 2;

	if (size < 512)
		return false;
	if (!strcmp(how, "cut")) {
		at = size / 4 * 2;
		put32(chunk + 4, at);
		memcpy(jpeg + at, "JUNK", 4);
		put32(jpeg + at + 4, end - at - 8);
	} else if (!strcmp(how, "head")) {
		memset(jpeg, 0, 4);
	} else if (!strcmp(how, "table")) {
		at = find_marker(jpeg, size, 0xdb);
		if (!at)
			return false;
		jpeg[at + 2] = jpeg[at + 3] = 0xff;
	} else if (!strcmp(how, "ones")) {
		at = find_marker(jpeg, size, 0xda);
		if (!at)
			return false;
		for (at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]); at + 4 <= size; at += 2) {
			jpeg[at] = 0xff;
			jpeg[at + 1] = 0;
		}
	} else {
		return false;
	}
	return true;
}

/* Chunks from..to; lists are entered. *frame counts. */
static int walk(uint8_t *file, uint32_t from, uint32_t to, unsigned int *frame, int wishes,
		char **wish)
{
	int done = 0;

	while (from + 8 <= to) {
		uint8_t *chunk = file + from;
		uint32_t size = get32(chunk + 4), next = from + 8 + size + size % 2;

		if (size > to - from - 8)
			break;
		if (!memcmp(chunk, "LIST", 4)) {
			done += walk(file, from + 12, from + 8 + size, frame, wishes, wish);
		} else if (!memcmp(chunk, "idx1", 4)) {
			memcpy(chunk, "JUNK", 4);
		} else if (!memcmp(chunk + 2, "dc", 2)) {
			for (int i = 0; i < wishes; i++) {
				char *how;

				if (strtoul(wish[i], &how, 10) == *frame && *how == ':')
					done += damage(chunk, size, how + 1);
			}
			(*frame)++;
		}
		from = next;
	}
	return done;
}

int main(int argc, char **argv)
{
	FILE *in = argc > 3 ? fopen(argv[1], "rb") : NULL, *out = NULL;
	uint8_t *file = malloc(FILE_MAX);
	unsigned int frames = 0;
	size_t size = 0;
	int ret = 1, done;

	if (in && file)
		size = fread(file, 1, FILE_MAX, in);
	if (size < 12 || memcmp(file, "RIFF", 4) || memcmp(file + 8, "AVI ", 4)) {
		fputs("damage_avi: no AVI (usage: see the head of damage_avi.c)\n", stderr);
		goto out;
	}
	done = walk(file, 12, (uint32_t)size, &frames, argc - 3, argv + 3);
	out = fopen(argv[2], "wb");
	if (done != argc - 3)
		fprintf(stderr, "damage_avi: %d of %d damages done to %u frames\n", done, argc - 3,
			frames);
	else if (out && fwrite(file, 1, size, out) == size)
		ret = 0;
out:
	if (out && fclose(out))
		ret = 1;
	if (in)
		fclose(in);
	free(file);
	return ret;
}
