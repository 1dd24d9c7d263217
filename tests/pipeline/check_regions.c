// SPDX-License-Identifier: MIT
/*
 * check_regions FILE.seg... - every region of the segments is rebuilt on its base, as the cloud
 * would. Prints "FULL REGIONS BYTES" (frames, frames, bytes of pictures); exit 1 if a base is
 * missing or does not fit, or the picture that results is not whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sluice/wire.h>

#include "cloud/jpeg_head.h"
#include "cloud/rebuild.h"
#include "cloud/segment.h"
#include "lib/wire_region.h"

#define FULL_MAX 4096

struct full {
	uint64_t epoch, sequence;
	uint8_t *jpeg;
	size_t size;
};

struct check {
	struct sluice_rebuild *rebuild;
	struct full full[FULL_MAX];
	unsigned int fulls, regions, bad;
	uint64_t bytes;
	int second; /* bases are known: rebuild */
};

static void keep_full(struct check *c, const struct sluice_segment_frame *f)
{
	struct full *n = &c->full[c->fulls];

	if (c->fulls == FULL_MAX)
		return;
	*n = (struct full){ f->epoch, f->sequence, malloc(f->jpeg_size), f->jpeg_size };
	memcpy(n->jpeg, f->jpeg, f->jpeg_size);
	c->fulls++;
}

static int rebuild(struct check *c, const struct sluice_segment_frame *f)
{
	struct sluice_wire_region_info r;
	const uint8_t *jpeg;
	uint16_t w, h;
	size_t size;

	if (sluice_wire_region_get(f->jpeg, f->jpeg_size, f->width, f->height, &r))
		return -1;
	for (unsigned int i = 0; i < c->fulls; i++) {
		const struct full *b = &c->full[i];

		if (b->epoch != f->epoch || b->sequence != r.base)
			continue;
		return sluice_rebuild_frame(c->rebuild, b->jpeg, b->size, f->width, f->height, &r,
					    &jpeg, &size) ||
		       sluice_jpeg_head(jpeg, size, &w, &h) || w != f->width || h != f->height;
	}
	return -1;
}

static int on_frame(void *ctx, const struct sluice_segment_frame *f, uint64_t offset,
		    uint32_t length)
{
	struct check *c = ctx;
	int region = f->flags & SLUICE_WIRE_REGION;

	if (!c->second) {
		c->bytes += f->jpeg_size;
		if (!region)
			keep_full(c, f);
	} else if (region) {
		c->regions++;
		if (rebuild(c, f)) {
			fprintf(stderr, "frame %llu cannot be rebuilt\n",
				(unsigned long long)f->sequence);
			c->bad++;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct check c;
	struct sluice_segment_info info;
	uint64_t end, size;

	c.rebuild = sluice_rebuild_open();
	for (c.second = 0; c.rebuild && c.second < 2; c.second++)
		for (int i = 1; i < argc; i++)
			if (sluice_segment_scan(argv[i], NULL, &info, on_frame, &c, &end, &size))
				return 1;
	printf("%u %u %llu\n", c.fulls, c.regions, (unsigned long long)c.bytes);
	return c.bad || !c.fulls;
}
