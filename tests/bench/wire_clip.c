// SPDX-License-Identifier: MIT
/*
 * wire_clip.c - the gate core with default settings around a clip, the relay's code that makes
 * payloads, and the cloud's that puts them together again: everything but the connection.
 */
#include "wire.h"
#include "cloud/rebuild.h"
#include "lib/clip.h"
#include "lib/wire.h"
#include "lib/wire_region.h"
#include "relay/payload.h"
#include "tools/feed/feed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define YU12	 0x32315559u
#define ARENA	 (128ull << 20)
#define QUALITY	 80
#define INDEX_NS 1000000000ull /* frame i is at (i + 1) of these in the ring's own time ... */

struct player {
	struct wire_clip *out;
	struct feed_shm shm;
	struct feed_camera camera;
	struct feed_verdicts verdicts;
	struct relay_ring ring;
	struct relay_encoder *encoder;
	struct relay_region region;
	struct sluice_rebuild *rebuild;
	tjhandle jpeg;
	uint8_t *base, *sent, *whole, *part; /* JPEG of the base; a payload's; luma of both */
	size_t base_size;
	uint64_t base_sequence, at;
};

double wire_psnr(const struct wire_error *e)
{
	return e->pixels && e->sum > 0 ? 10 * log10(255.0 * 255.0 * (double)e->pixels / e->sum)
				       : 99;
}

void wire_compare(struct wire_error *e, const struct wire_clip *c, const uint8_t *a,
		  const uint8_t *b, const uint8_t *mask, bool want)
{
	uint32_t blocks = (c->width + 7) / 8;

	for (uint32_t y = 0; y < c->height; y++)
		for (uint32_t x = 0; x < c->width; x++) {
			int d = a[(size_t)y * c->width + x] - b[(size_t)y * c->width + x];

			if (mask && mask[y / 8 * blocks + x / 8] != want)
				continue;
			e->sum += (double)d * d;
			e->pixels++;
		}
}

static uint8_t *make_mask(const struct wire_clip *c, const struct sluice_wire_region_info *r)
{
	uint32_t wide = (c->width + 7) / 8, high = (c->height + 7) / 8;
	uint8_t *mask = calloc(wide, high);

	for (uint32_t y = 0; mask && y < high; y++)
		for (uint32_t x = 0; x < wide; x++) {
			uint32_t px = x * 8, py = y * 8;

			if (px < r->x || py < r->y || px >= r->x + r->w || py >= r->y + r->h)
				continue;
			mask[y * wide + x] = sluice_wire_region_has(
				r, (py - r->y) / r->mcu_h * r->columns + (px - r->x) / r->mcu_w);
		}
	return mask;
}

static int to_luma(struct player *p, const uint8_t *jpeg, size_t size, uint8_t *luma)
{
	return tjDecompress2(p->jpeg, jpeg, size, luma, (int)p->out->width, 0, (int)p->out->height,
			     TJPF_GRAY, TJFLAG_ACCURATEDCT);
}

/* full: the frame's whole JPEG; part: what goes out instead. source: luma as the camera saw it. */
static int measure_part(struct player *p, const struct sluice_ring_desc *d,
			const struct relay_picture *full, const struct relay_picture *part,
			const uint8_t *source, struct wire_frame *f)
{
	struct wire_clip *c = p->out;
	struct sluice_wire_region_info r;
	const uint8_t *jpeg;
	size_t size;

	memcpy(p->sent, part->head.iov_base, part->head.iov_len);
	memcpy(p->sent + part->head.iov_len, part->iov[0].iov_base, part->iov[0].iov_len);
	if (sluice_wire_region_get(p->sent, part->head.iov_len + part->size, c->width, c->height,
				   &r) ||
	    r.base != p->base_sequence ||
	    sluice_rebuild_frame(p->rebuild, p->base, p->base_size, c->width, c->height, &r, &jpeg,
				 &size) ||
	    to_luma(p, jpeg, size, p->part) ||
	    to_luma(p, full->iov[0].iov_base, full->iov[0].iov_len, p->whole))
		return -1;
	f->mask = make_mask(c, &r);
	wire_compare(&c->part, c, p->part, source, f->mask, true);
	wire_compare(&c->whole, c, p->whole, source, f->mask, true);
	wire_compare(&c->stale, c, p->part, source, f->mask, false);
	wire_compare(&c->around, c, p->whole, source, f->mask, false);
	c->parts++;
	return 0;
}

static int take_record(struct player *p, const struct sluice_ring_desc *d)
{
	const struct relay_region_config on = { .on = true, .key_ms = 10000 };
	const uint8_t *raw = relay_ring_bytes(&p->ring, d->offset);
	const uint8_t *cells = relay_ring_bytes(&p->ring, d->cells);
	struct relay_picture full, part;
	struct relay_payload payload;
	struct wire_clip *c = p->out;
	struct wire_frame f = { .index = d->driver_sequence };

	if (relay_encode(p->encoder, d, raw, &full))
		return -1;
	relay_payload_build(&payload, d, cells, &full);
	c->full += payload.size + sizeof(struct sluice_wire_header);
	part = full;
	relay_region_make(&p->region, &on, 0, d, cells, &part);
	relay_payload_build(&payload, d, cells, &part);
	c->region += payload.size + sizeof(struct sluice_wire_header);
	c->sent++;
	if (part.head.iov_len) {
		if (measure_part(p, d, &full, &part, raw, &f))
			return -1;
	} else {
		memcpy(p->base, full.iov[0].iov_base, full.iov[0].iov_len);
		p->base_size = full.iov[0].iov_len;
		p->base_sequence = d->sequence;
	}
	if (c->sent > c->frame_room) {
		c->frame_room = c->frame_room ? 2 * c->frame_room : 256;
		c->frame = realloc(c->frame, c->frame_room * sizeof(*c->frame));
	}
	c->frame[c->sent - 1] = f;
	return 0;
}

static int take_records(struct player *p)
{
	struct sluice_ring_desc d;

	for (; p->at < relay_ring_head(&p->ring); p->at++)
		if (relay_ring_record(&p->ring, p->at, &d) || take_record(p, &d))
			return -1;
	relay_ring_release(&p->ring, p->at);
	return 0;
}

static int open_player(struct player *p, const struct sluice_clip_info *i)
{
	struct feed_options o = { .fourcc = YU12 };
	size_t pixels = (size_t)i->width * i->height;
	char why[160];

	sluice_settings_default(&o.settings);
	p->camera.shm = &p->shm;
	p->camera.verdicts = &p->verdicts;
	p->encoder = relay_encoder_open(QUALITY, SLUICE_WIRE_PAYLOAD_MAX);
	p->rebuild = sluice_rebuild_open();
	p->jpeg = tjInitDecompress();
	p->base = malloc(SLUICE_WIRE_PAYLOAD_MAX);
	p->sent = malloc(SLUICE_WIRE_PAYLOAD_MAX);
	p->whole = malloc(pixels);
	p->part = malloc(pixels);
	if (!p->encoder || !p->rebuild || !p->jpeg || !p->base || !p->sent || !p->whole ||
	    !p->part || feed_shm_open(&p->shm, "bench", ARENA, 1) ||
	    feed_camera_open(&p->camera, &o, YU12, i->width, i->height))
		return -1;
	return relay_ring_map(&p->ring, p->shm.memfd, p->shm.size, why, sizeof(why));
}

static void close_player(struct player *p)
{
	relay_ring_unmap(&p->ring);
	feed_camera_close(&p->camera);
	feed_shm_close(&p->shm);
	feed_verdicts_free(&p->verdicts);
	relay_encoder_close(p->encoder);
	relay_region_exit(&p->region);
	sluice_rebuild_close(p->rebuild);
	if (p->jpeg)
		tjDestroy(p->jpeg);
	free(p->base);
	free(p->sent);
	free(p->whole);
	free(p->part);
}

static int play(struct player *p, struct sluice_clip *clip)
{
	struct wire_clip *c = p->out;
	struct sluice_clip_frame f;
	uint64_t last = 0;

	while (sluice_clip_next(clip, &f) > 0) {
		struct sluice_ring_desc d = { .size = (uint32_t)f.len,
					      .format = YU12,
					      .width = (uint16_t)c->width,
					      .height = (uint16_t)c->height };
		struct relay_picture every;
		uint64_t now = f.time_ns + INDEX_NS;

		now = now > last ? now : last + 1;
		last = now;
		if (relay_encode(p->encoder, &d, f.data, &every))
			return -1;
		c->every += every.size + sizeof(struct sluice_wire_frame) +
			    sizeof(struct sluice_wire_header);
		c->frames++;
		feed_camera_frame(&p->camera, f.data, f.len, now);
		if (take_records(p))
			return -1;
	}
	feed_camera_end(&p->camera);
	return take_records(p);
}

int wire_clip_run(struct wire_clip *c, const char *path, char *why, size_t why_size)
{
	struct sluice_clip_options o = { .fourcc = YU12 };
	struct sluice_clip *clip = sluice_clip_open(path, &o, why, why_size);
	struct player p = { .out = c };
	struct sluice_clip_info i;
	int err;

	if (!clip)
		return -1;
	sluice_clip_info(clip, &i);
	*c = (struct wire_clip){ .path = path,
				 .width = i.width,
				 .height = i.height,
				 .fps = i.interval_ns ? 1e9 / (double)i.interval_ns : 25 };
	snprintf(why, why_size, "%s: gate, relay and rebuild do not agree", path);
	err = open_player(&p, &i) ? -1 : play(&p, clip);
	close_player(&p);
	sluice_clip_close(clip);
	return err;
}

void wire_clip_free(struct wire_clip *c)
{
	for (uint64_t i = 0; i < c->sent; i++)
		free(c->frame[i].mask);
	free(c->frame);
	c->frame = NULL;
}
