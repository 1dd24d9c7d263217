// SPDX-License-Identifier: MIT
/*
 * test_region.c - what the relay leaves out, the cloud puts back: pictures of every shape are sent
 * as base and region, rebuilt, and compared block by block with what the camera delivered. Where
 * something moved the coefficients are the camera's; elsewhere they are the base's, and differ from
 * the camera's by less than the bound. Then the rules for a new base, and hostile heads.
 */
#include <errno.h>
#include <string.h>
#include "cloud/canvas.h"
#include "cloud/rebuild.h"
#include "lib/coefs.h"
#include "lib/wire_region.h"
#include "relay/region.h"
#include "tests/unit/check.h"
#include "tests/unit/jpeg_make.h"

#define BOUND 4 /* grey levels, of means */

#define SHAPE(W, H, N, SH, SV, Q, ...)                                                    \
	{                                                                                 \
		.width = W, .height = H, .components = N, .h = SH, .v = SV, .quality = Q, \
		__VA_ARGS__                                                               \
	}

struct scene {
	struct jpeg_shape shape;
	uint8_t *pixel;
	struct sluice_ring_desc d;
	uint8_t cells[8192];
};

static const struct relay_region_config on = { .on = true, .key_ms = 10000 };

static void scene_open(struct scene *s, const struct jpeg_shape *shape)
{
	memset(s, 0, sizeof(*s));
	s->shape = *shape;
	s->pixel = malloc((size_t)shape->width * shape->height * shape->components);
	for (size_t i = 0; i < (size_t)shape->width * shape->height * shape->components; i++)
		s->pixel[i] = (uint8_t)(60 + i / 7 % 100 + random_below(30));
	s->d = (struct sluice_ring_desc){ .epoch = 1,
					  .sequence = 10,
					  .time_ns = 1000000000,
					  .reason = SLUICE_REASON_MOTION,
					  .event = 1,
					  .width = (uint16_t)shape->width,
					  .height = (uint16_t)shape->height,
					  .grid_w = (uint16_t)((shape->width + 7) / 8),
					  .grid_h = (uint16_t)((shape->height + 7) / 8) };
	s->d.cells_size = ((uint32_t)s->d.grid_w * s->d.grid_h + 7) / 8;
}

/* Something of w x h pixels with a texture of its own is at x, y. told: the gate's cells say so. */
static void scene_move(struct scene *s, uint32_t x, uint32_t y, uint32_t w, uint32_t h, bool told)
{
	uint32_t n = s->shape.components;

	memset(s->cells, 0, sizeof(s->cells));
	for (uint32_t j = y; j < y + h && j < s->shape.height; j++)
		for (uint32_t i = x; i < x + w && i < s->shape.width; i++) {
			for (uint32_t k = 0; k < n; k++)
				s->pixel[((size_t)j * s->shape.width + i) * n + k] =
					(uint8_t)(180 + (i * 5 + j * 3 + k * 7) % 70);
			if (told)
				s->cells[(j / 8 * s->d.grid_w + i / 8) / 8] |=
					(uint8_t)(1u << (j / 8 * s->d.grid_w + i / 8) % 8);
		}
	s->d.sequence += 3;
	s->d.time_ns += 100000000;
}

struct sent {
	uint8_t *jpeg; /* the camera's */
	size_t size;
	uint8_t *bytes; /* what goes out: head, mask, JPEG, or the JPEG alone */
	size_t bytes_size;
	bool part;
};

static void send(struct relay_region *r, struct scene *s, uint32_t lane, struct sent *out)
{
	struct relay_picture p = { 0 };

	out->jpeg = jpeg_from_pixels(&s->shape, s->pixel, &out->size);
	/* in three pieces, as with inserted tables */
	p.iov[0] = (struct iovec){ out->jpeg, 2 };
	p.iov[1] = (struct iovec){ out->jpeg + 2, out->size / 2 };
	p.iov[2] = (struct iovec){ out->jpeg + 2 + out->size / 2, out->size - 2 - out->size / 2 };
	p.count = 3;
	p.size = out->size;
	relay_region_make(r, &on, lane, &s->d, s->cells, &p);
	out->part = p.head.iov_len;
	out->bytes_size = p.head.iov_len + p.size;
	out->bytes = malloc(out->bytes_size);
	if (out->part)
		memcpy(out->bytes, p.head.iov_base, p.head.iov_len);
	for (size_t at = p.head.iov_len, i = 0; i < p.count; at += p.iov[i++].iov_len)
		memcpy(out->bytes + at, p.iov[i].iov_base, p.iov[i].iov_len);
}

static void drop(struct sent *s)
{
	free(s->jpeg);
	free(s->bytes);
}

static struct sluice_coefs *read_coefs(const uint8_t *jpeg, size_t size, const struct scene *s)
{
	struct sluice_coefs *c = sluice_coefs_open(8 << 20);
	struct iovec iov = { (void *)jpeg, size };

	CHECK(c && !sluice_coefs_read(c, &iov, 1, s->shape.width, s->shape.height));
	return c;
}

static bool counts(const struct sluice_wire_region_info *r, uint32_t column, uint32_t row)
{
	uint32_t x = r->x / r->mcu_w, y = r->y / r->mcu_h;

	return column >= x && row >= y && column - x < r->columns && row - y < r->rows &&
	       sluice_wire_region_has(r, (row - y) * r->columns + column - x);
}

/* Every block of the rebuilt frame is the camera's or the base's, and the latter only where both
 * are alike. Returns how many blocks of luma
 * count. */
static uint32_t compare(struct scene *s, const struct sent *base, const struct sent *now,
			const struct sluice_wire_region_info *r, const uint8_t *jpeg, size_t size)
{
	struct sluice_coefs *was = read_coefs(base->jpeg, base->size, s);
	struct sluice_coefs *is = read_coefs(now->jpeg, now->size, s);
	struct sluice_coefs *made = read_coefs(jpeg, size, s);
	const struct sluice_coefs_shape *t = sluice_coefs_shape(made);
	uint32_t count = 0, wrong = 0, stale = 0;

	CHECK(sluice_coefs_alike(made, is) && sluice_coefs_alike(made, was));
	for (uint32_t k = 0; k < t->components; k++)
		for (uint32_t y = 0; y < t->rows * t->v[k]; y++)
			for (uint32_t x = 0; x < t->columns * t->h[k]; x++) {
				bool new = counts(r, x / t->h[k], y / t->v[k]);
				int16_t *m = sluice_coefs_row(made, k, y)[x];
				int16_t *i = sluice_coefs_row(is, k, y)[x];
				int16_t *w = sluice_coefs_row(was, k, y)[x];

				/* blocks that only fill up an MCU mean nothing */
				if (x * t->mcu_w >= t->width * t->h[k] ||
				    y * t->mcu_h >= t->height * t->v[k])
					continue;
				count += !k && new;
				wrong += memcmp(m, new ? i : w, 64 * sizeof(*m)) != 0;
				stale += !new &&abs(i[0] - w[0]) * sluice_coefs_steps(is, k)[0] >=
					 8 * BOUND;
			}
	CHECK(!wrong);
	CHECK(!stale);
	sluice_coefs_close(was);
	sluice_coefs_close(is);
	sluice_coefs_close(made);
	return count;
}

/* A full frame goes out with other Huffman codes at most. */
static void check_same(const struct scene *s, const struct sent *full)
{
	struct sluice_coefs *was = read_coefs(full->jpeg, full->size, s);
	struct sluice_coefs *is = read_coefs(full->bytes, full->bytes_size, s);
	const struct sluice_coefs_shape *t = sluice_coefs_shape(is);

	CHECK(sluice_coefs_alike(was, is));
	for (uint32_t k = 0; k < t->components; k++)
		for (uint32_t y = 0; y * t->mcu_h < t->height * t->v[k]; y++)
			for (uint32_t x = 0; x * t->mcu_w < t->width * t->h[k]; x++)
				CHECK(!memcmp(sluice_coefs_row(was, k, y)[x],
					      sluice_coefs_row(is, k, y)[x], 128));
	sluice_coefs_close(was);
	sluice_coefs_close(is);
}

static uint8_t *no_fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	return NULL;
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct sent *base = ctx;
	uint8_t *copy = malloc(base->size);

	memcpy(copy, base->jpeg, base->size);
	*size = base->size;
	return copy;
}

/* What the analysis sees of the part is what it would see of the rebuilt frame. */
static void check_gray(const struct scene *s, const struct sent *base, const struct sent *now,
		       const uint8_t *jpeg, size_t size, bool has_base)
{
	struct sluice_analysis_ops ops = { .fetch = has_base ? no_fetch : fetch };
	struct sluice_canvas *canvas = sluice_canvas_open(0);
	struct sluice_decoder *decoder = sluice_decoder_open();
	struct sluice_stored_frame f = { .epoch = 1,
					 .sequence = 10,
					 .reason = SLUICE_REASON_MOTION,
					 .width = s->d.width,
					 .height = s->d.height,
					 .jpeg = base->jpeg,
					 .jpeg_size = base->size };
	struct sluice_gray a, b;

	if (has_base)
		CHECK(!sluice_canvas_frame(canvas, &f, &ops, NULL, &a));
	f.sequence = s->d.sequence;
	f.flags = SLUICE_WIRE_REGION;
	f.jpeg = now->bytes;
	f.jpeg_size = now->bytes_size;
	CHECK(!sluice_canvas_frame(canvas, &f, &ops, (void *)base, &a));
	CHECK(!sluice_decode_gray(decoder, jpeg, size, s->d.width, s->d.height, &b));
	CHECK(a.w == b.w && a.h == b.h && a.scale == b.scale);
	CHECK(!memcmp(a.px, b.px, (size_t)a.w * a.h));
	f.epoch = 2; /* of another epoch, and nobody has the base */
	ops.fetch = no_fetch;
	CHECK(sluice_canvas_frame(canvas, &f, &ops, NULL, &a) == -EBADMSG);
	sluice_canvas_close(canvas);
	sluice_decoder_close(decoder);
}

static void test_shape(const struct jpeg_shape *shape)
{
	struct sluice_rebuild *rebuild = sluice_rebuild_open();
	struct sluice_wire_region_info info;
	struct relay_region r = { 0 };
	struct scene s;
	struct sent base, now;
	const uint8_t *jpeg;
	uint32_t blocks;
	size_t size;

	scene_open(&s, shape);
	send(&r, &s, 0, &base);
	CHECK(!base.part && base.bytes_size <= base.size);
	check_same(&s, &base);
	for (int i = 0; i < 6; i++) {
		bool told = i % 2;

		/* near the lower right corner too */
		scene_move(&s, i * shape->width / 6, i * shape->height / 6, shape->width / 8,
			   shape->height / 8, told);
		send(&r, &s, 0, &now);
		CHECK(now.part);
		if (!now.part)
			break;
		CHECK(!sluice_wire_region_get(now.bytes, now.bytes_size, s.d.width, s.d.height,
					      &info));
		CHECK(info.base == 10 && now.bytes_size < base.size * 3 / 4);
		CHECK(!sluice_rebuild_frame(rebuild, base.jpeg, base.size, s.d.width, s.d.height,
					    &info, &jpeg, &size));
		blocks = compare(&s, &base, &now, &info, jpeg, size);
		CHECK(blocks * 64 >= shape->width / 8 * shape->height / 8);
		check_gray(&s, &base, &now, jpeg, size, i & 2);
		drop(&now);
	}
	CHECK(r.full == 1 && r.parts == 6);
	drop(&base);
	free(s.pixel);
	relay_region_exit(&r);
	sluice_rebuild_close(rebuild);
}

static void test_shapes(void)
{
	static const struct jpeg_shape shapes[] = {
		SHAPE(320, 240, 3, 2, 2, 80, ),
		SHAPE(640, 360, 3, 2, 1, 85, ),
		SHAPE(330, 250, 3, 2, 2, 75, ),
		SHAPE(335, 241, 3, 2, 1, 90, .restart = 4),
		SHAPE(320, 240, 3, 1, 1, 80, ),
		SHAPE(321, 243, 3, 1, 2, 80, .no_tables = true),
		SHAPE(325, 239, 1, 1, 1, 80, ),
		SHAPE(325, 239, 1, 2, 2, 80, ),
		SHAPE(352, 288, 3, 2, 2, 80, .optimise = true, .apart = true),
		SHAPE(324, 250, 3, 1, 1, 80, .rgb = true),
		SHAPE(648, 250, 3, 4, 1, 80, .restart = 7, .no_tables = true),
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		test_shape(&shapes[i]);
}

/* One frame more; must it be full? */
static void expect(struct relay_region *r, struct scene *s, uint32_t lane, bool part, int line)
{
	struct sent now;

	scene_move(s, random_below(200), random_below(180), 24, 24, true);
	send(r, s, lane, &now);
	if (now.part != part)
		fprintf(stderr, "line %d:\n", line);
	CHECK(now.part == part);
	drop(&now);
}

#define FULL(lane) expect(&r, &s, lane, false, __LINE__)
#define PART(lane) expect(&r, &s, lane, true, __LINE__)

static void test_rules(void)
{
	const struct jpeg_shape shape = SHAPE(320, 240, 3, 2, 2, 80, );
	struct relay_region r = { 0 };
	struct scene s;

	scene_open(&s, &shape);
	FULL(0), PART(0), PART(0);
	s.d.event++;
	FULL(0), PART(0);
	s.d.epoch++;
	FULL(0), PART(0);
	FULL(1), PART(1); /* another lane, and back */
	FULL(0), PART(0);
	s.d.time_ns += 9800000000ull;
	FULL(0), PART(0); /* the base has become too old */
	s.shape.quality = 79;
	FULL(0), PART(0);
	s.shape.v = 1;
	FULL(0), PART(0);
	s.d.sequence -= 6; /* it comes again */
	FULL(0), PART(0);
	relay_region_reset(&r);
	FULL(0), PART(0);
	s.d.reason = SLUICE_REASON_KEEPALIVE; /* never a base, never a part */
	FULL(0);
	s.d.reason = SLUICE_REASON_POSTROLL;
	PART(0);
	s.d.event = 0;
	FULL(0), FULL(0);
	s.d.event = 1;
	s.shape.progressive = true; /* not ours to cut */
	FULL(0), FULL(0);
	s.shape.progressive = false;
	FULL(0), PART(0);
	for (size_t i = 0; i < 320 * 240 * 3; i++) /* the light goes on: more than 60 % differs */
		s.pixel[i] = (uint8_t)(s.pixel[i] > 235 ? 255 : s.pixel[i] + 20);
	FULL(0), PART(0);
	free(s.pixel);
	relay_region_exit(&r);
}

/* A cut or damaged picture is sent as it came, and nothing is built on it. */
static void test_damage(void)
{
	const struct jpeg_shape shape = SHAPE(320, 240, 3, 2, 2, 80, );
	struct relay_region r = { 0 };
	struct scene s;
	struct sent full;

	scene_open(&s, &shape);
	for (int i = 0; i < 300; i++) {
		struct relay_picture p = { .count = 1 };
		size_t at;

		scene_move(&s, random_below(200), random_below(180), 24, 24, true);
		full.jpeg = jpeg_from_pixels(&s.shape, s.pixel, &full.size);
		at = random_below((uint32_t)full.size);
		if (i % 3)
			full.jpeg[at] ^= (uint8_t)(1 + random_below(255));
		else
			full.size = at;
		p.iov[0] = (struct iovec){ full.jpeg, full.size };
		p.size = full.size;
		relay_region_make(&r, &on, 0, &s.d, s.cells, &p);
		CHECK(p.count == 1);
		CHECK(i % 3 || full.size > 10000 || !p.head.iov_len);
		free(full.jpeg);
	}
	free(s.pixel);
	relay_region_exit(&r);
}

static void test_heads(void)
{
	const uint32_t size = sizeof(struct sluice_wire_region) + 8 + 4;
	struct sluice_wire_region good = { .x = 16,
					   .y = 32,
					   .w = 48,
					   .h = 40,
					   .base = 7,
					   .mcu_w = 16,
					   .mcu_h = 16,
					   .mask_size = 2 };
	struct sluice_wire_region_info r;
	uint8_t bytes[64] = { 0 };

#define TRY(want, change)                                                         \
	do {                                                                      \
		struct sluice_wire_region h = good;                               \
		change;                                                           \
		memcpy(bytes, &h, sizeof(h));                                     \
		CHECK(sluice_wire_region_get(bytes, size, 64, 72, &r) == (want)); \
	} while (0)
	bytes[24] = 0xff;
	bytes[25] = 0x01;
	TRY(0, );
	CHECK(r.columns == 3 && r.rows == 3 && r.mask == bytes + 24 && r.jpeg == bytes + 32 &&
	      r.jpeg_size == 4);
	TRY(-EBADMSG, h.x = 8);
	TRY(-EBADMSG, h.y = 33);
	TRY(-EBADMSG, h.x = 32);
	TRY(-EBADMSG, h.x = 0xfff0);
	TRY(-EBADMSG, h.w = 0);
	TRY(-EBADMSG, h.w = 40);
	TRY(-EBADMSG, h.h = 32 + 1);
	TRY(-EBADMSG, h.h = 48);
	TRY(-EBADMSG, h.mcu_w = 0);
	TRY(-EBADMSG, h.mcu_w = 24);
	TRY(-EBADMSG, h.reserved = 1);
	TRY(-EBADMSG, h.mask_size = 1);
	TRY(-EBADMSG, h.mask_size = 3);
	TRY(-EBADMSG, h.mask_size = 0xffffffff);
	TRY(0, h.mask_size = 0);
	CHECK(!r.mask && r.jpeg == bytes + 24);
	bytes[25] = 0x03; /* a bit beyond the last MCU */
	TRY(-EBADMSG, );
	bytes[25] = 0x01;
	bytes[26] = 1; /* padding */
	TRY(-EBADMSG, );
	bytes[26] = 0;
	memcpy(bytes, &good, sizeof(good));
	for (uint32_t n = 0; n <= 32; n++)
		CHECK(sluice_wire_region_get(bytes, n, 64, 72, &r) == -EBADMSG);
	CHECK(!sluice_wire_region_get(bytes, 33, 64, 72, &r));
}

/* Pairs that do not belong together are refused. */
static void test_strangers(void)
{
	const struct jpeg_shape a = SHAPE(320, 240, 3, 2, 2, 80, );
	const struct jpeg_shape others[] = { SHAPE(320, 240, 3, 2, 2, 70, ),
					     SHAPE(320, 240, 3, 2, 1, 80, ),
					     SHAPE(320, 240, 1, 1, 1, 80, ),
					     SHAPE(336, 240, 3, 2, 2, 80, ),
					     SHAPE(320, 240, 3, 2, 2, 80, .progressive = true) };
	struct sluice_rebuild *rebuild = sluice_rebuild_open();
	struct sluice_wire_region_info info;
	struct relay_region r = { 0 };
	struct scene s;
	struct sent base, now;
	const uint8_t *jpeg;
	size_t size;

	scene_open(&s, &a);
	send(&r, &s, 0, &base);
	scene_move(&s, 100, 100, 50, 50, true);
	send(&r, &s, 0, &now);
	CHECK(now.part && !sluice_wire_region_get(now.bytes, now.bytes_size, 320, 240, &info));
	CHECK(!sluice_rebuild_frame(rebuild, base.jpeg, base.size, 320, 240, &info, &jpeg, &size));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		size_t n;
		uint8_t *other = jpeg_make(&others[i], 1, 20, &n);

		CHECK(sluice_rebuild_frame(rebuild, other, n, 320, 240, &info, &jpeg, &size) < 0);
		free(other);
	}
	CHECK(sluice_rebuild_frame(rebuild, base.jpeg, base.size / 2, 320, 240, &info, &jpeg,
				   &size) == -EBADMSG);
	info.w -= 16;
	CHECK(sluice_rebuild_frame(rebuild, base.jpeg, base.size, 320, 240, &info, &jpeg, &size) ==
	      -EBADMSG);
	info.w += 16;
	CHECK(!sluice_rebuild_frame(rebuild, base.jpeg, base.size, 320, 240, &info, &jpeg, &size));
	drop(&base);
	drop(&now);
	free(s.pixel);
	relay_region_exit(&r);
	sluice_rebuild_close(rebuild);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_shapes();
	test_rules();
	test_damage();
	test_heads();
	test_strangers();
	return check_result();
}
