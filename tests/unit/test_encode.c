// SPDX-License-Identifier: MIT
/*
 * Every format to a JPEG and back: the decoded picture must be the drawn one, whatever the width;
 * and pictures that do not fit together are refused without reading beyond their bytes (the picture
 * ends at an unreadable page).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <jpeglib.h>
#include "check.h"
#include "relay/encode.h"

#define FOURCC(s) \
	((uint32_t)(s)[0] | (uint32_t)(s)[1] << 8 | (uint32_t)(s)[2] << 16 | (uint32_t)(s)[3] << 24)

static struct relay_encoder *encoder;

/* What is drawn: smooth, different in each plane. */
static uint8_t draw_y(uint32_t x, uint32_t y)
{
	return (uint8_t)(30 + (x * 3 + y * 2) % 190);
}

static uint8_t draw_u(uint32_t x, uint32_t y)
{
	return (uint8_t)(60 + x / 4 + y / 8);
}

static uint8_t draw_v(uint32_t x, uint32_t y)
{
	return (uint8_t)(200 - x / 4 - y / 8);
}

/* Bytes that end where an unreadable page begins. */
static uint8_t *guarded(size_t size, void **map, size_t *map_size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
	uint8_t *p = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	mprotect(p + whole, page, PROT_NONE);
	*map = p;
	*map_size = whole + page;
	return p + whole - size;
}

struct drawing {
	struct sluice_ring_desc d;
	uint8_t *bytes;
	void *map;
	size_t map_size;
};

static void put_pixel(uint8_t *b, const char *fmt, uint32_t stride, uint32_t h, uint32_t x,
		      uint32_t y)
{
	size_t at = (size_t)stride * y;
	uint8_t Y = draw_y(x, y), U = draw_u(x, y), V = draw_v(x, y);

	if (!strcmp(fmt, "YUYV") || !strcmp(fmt, "UYVY")) {
		int swap = fmt[0] == 'U';

		b[at + 2 * x + (swap ? 1 : 0)] = Y;
		b[at + 2 * x + (swap ? 0 : 1)] = x & 1 ? draw_v(x - 1, y) : U;
	} else if (!strcmp(fmt, "RGB3") || !strcmp(fmt, "BGR3")) {
		b[at + 3 * x + (fmt[0] == 'B' ? 2 : 0)] = Y;
		b[at + 3 * x + 1] = U;
		b[at + 3 * x + (fmt[0] == 'B' ? 0 : 2)] = V;
	} else {
		b[at + x] = Y;
		if (!strcmp(fmt, "GREY") || x & 1 || y & 1)
			return;
		if (!strcmp(fmt, "YU12")) {
			uint8_t *u = b + (size_t)stride * h + (size_t)stride / 2 * (y / 2);

			u[x / 2] = U;
			u[(size_t)stride / 2 * ((h + 1) / 2) + x / 2] = V;
		} else {
			uint8_t *c = b + (size_t)stride * h + (size_t)stride * (y / 2) + x;

			c[0] = fmt[3] == '2' ? U : V;
			c[1] = fmt[3] == '2' ? V : U;
		}
	}
}

static void draw(struct drawing *g, const char *fmt, uint32_t w, uint32_t h, uint32_t extra)
{
	uint32_t step = strstr("YUYV UYVY", fmt) ? 2 : strstr("RGB3 BGR3", fmt) ? 3 : 1;
	uint32_t stride = w * step + extra;
	size_t size = (size_t)stride * h;

	if (strstr("NV12 NV21 YU12", fmt))
		size += (size_t)stride * ((h + 1) / 2);
	memset(g, 0, sizeof(*g));
	g->bytes = guarded(size, &g->map, &g->map_size);
	g->d = (struct sluice_ring_desc){ .format = FOURCC(fmt),
					  .size = (uint32_t)size,
					  .width = (uint16_t)w,
					  .height = (uint16_t)h,
					  .stride = stride };
	for (uint32_t y = 0; y < h; y++)
		for (uint32_t x = 0; x < w; x++)
			put_pixel(g->bytes, fmt, stride, h, x, y);
}

static void undraw(struct drawing *g)
{
	munmap(g->map, g->map_size);
}

/* A decoded picture, 3 components of full size. */
struct decoded {
	uint32_t w, h;
	int components;
	uint8_t *pixels;
};

static void decode(const struct relay_picture *p, int rgb, struct decoded *out)
{
	struct jpeg_decompress_struct j;
	struct jpeg_error_mgr errors;
	uint8_t *bytes = malloc(p->size), *at = bytes;

	for (unsigned int i = 0; i < p->count; i++) {
		memcpy(at, p->iov[i].iov_base, p->iov[i].iov_len);
		at += p->iov[i].iov_len;
	}
	CHECK(at == bytes + p->size);
	j.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&j);
	jpeg_mem_src(&j, bytes, p->size);
	jpeg_read_header(&j, TRUE);
	out->components = j.num_components;
	j.out_color_space = j.num_components == 1 ? JCS_GRAYSCALE : rgb ? JCS_RGB : JCS_YCbCr;
	jpeg_start_decompress(&j);
	out->w = j.output_width;
	out->h = j.output_height;
	out->pixels = malloc((size_t)out->w * out->h * 3);
	while (j.output_scanline < out->h) {
		JSAMPROW line =
			out->pixels + (size_t)j.output_scanline * out->w * (size_t)out->components;

		jpeg_read_scanlines(&j, &line, 1);
	}
	jpeg_finish_decompress(&j);
	CHECK(errors.num_warnings == 0);
	jpeg_destroy_decompress(&j);
	free(bytes);
}

/* Largest difference of the mean over 8x8 squares that lie wholly inside: what JPEG keeps well. */
static int worst(const struct decoded *p, uint8_t (*plane)(uint32_t, uint32_t), int component)
{
	int most = 0;

	for (uint32_t y = 0; y + 8 <= p->h; y += 8)
		for (uint32_t x = 0; x + 8 <= p->w; x += 8) {
			int sum = 0;

			for (uint32_t i = 0; i < 64; i++) {
				uint32_t px = x + i % 8, py = y + i / 8;

				sum += p->pixels[((size_t)py * p->w + px) * (size_t)p->components +
						 (size_t)component];
				sum -= plane(px, py);
			}
			if (abs(sum) / 64 > most)
				most = abs(sum) / 64;
		}
	return most;
}

static void test_format(const char *fmt, uint32_t w, uint32_t h, uint32_t extra)
{
	int rgb = strstr("RGB3 BGR3", fmt) != NULL, grey = !strcmp(fmt, "GREY");
	struct relay_picture p;
	struct drawing g;
	struct decoded back;
	int y, u, v;

	draw(&g, fmt, w, h, extra);
	CHECK(!relay_encode(encoder, &g.d, g.bytes, &p));
	decode(&p, rgb, &back);
	CHECK(back.w == w && back.h == h && back.components == (grey ? 1 : 3));
	y = worst(&back, draw_y, 0);
	u = grey ? 0 : worst(&back, draw_u, 1);
	v = grey ? 0 : worst(&back, draw_v, 2);
	/* RGB loses colour by subsampling of our artificial colours */
	CHECK(y <= (rgb ? 40 : 3) && u <= (rgb ? 40 : 4) && v <= (rgb ? 40 : 4));
	if (y > 3 || u > 4 || v > 4)
		if (!rgb)
			fprintf(stderr, "%s %ux%u+%u: %d %d %d\n", fmt, w, h, extra, y, u, v);
	free(back.pixels);
	undraw(&g);
}

static void test_formats(void)
{
	static const char *const formats[] = { "YUYV", "UYVY", "NV12", "NV21",
					       "YU12", "GREY", "RGB3", "BGR3" };
	static const struct {
		uint32_t w, h, extra;
	} sizes[] = { { 64, 48, 0 },   { 64, 48, 32 }, { 66, 50, 0 }, { 18, 17, 6 },
		      { 320, 240, 0 }, { 16, 16, 0 },  { 30, 31, 2 } };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			test_format(formats[i], sizes[s].w, sizes[s].h, sizes[s].extra);
}

/* A frame that stops half-way: its first half is there, the rest is black or green, no fault. */
static void test_short(void)
{
	struct relay_picture p;
	struct drawing g;
	struct decoded back;
	uint8_t *half;
	void *map;
	size_t map_size;

	draw(&g, "YUYV", 64, 48, 0);
	half = guarded(g.d.size / 2, &map, &map_size);
	memcpy(half, g.bytes, g.d.size / 2);
	g.d.size /= 2;
	CHECK(!relay_encode(encoder, &g.d, half, &p));
	decode(&p, 0, &back);
	back.h = 24;
	CHECK(worst(&back, draw_y, 0) <= 3);
	CHECK(back.pixels[(size_t)40 * 64 * 3] < 5);
	free(back.pixels);
	undraw(&g);
	munmap(map, map_size);
}

/* A camera's JPEG without tables: opens after ours have been put in, and is the same picture. */
static void test_dht(void)
{
	struct relay_picture p;
	struct drawing g;
	struct decoded back;
	uint8_t bare[65536];
	const uint8_t *from;
	size_t n = 2, at = 2;

	draw(&g, "YUYV", 64, 48, 0);
	CHECK(!relay_encode(encoder, &g.d, g.bytes, &p) && p.count == 1);
	from = p.iov[0].iov_base;
	memcpy(bare, from, 2);
	while (at + 4 < p.size) { /* leave out every DHT, up to the scan */
		size_t len = 2 + ((size_t)from[at + 2] << 8 | from[at + 3]);

		if (from[at + 1] == 0xda)
			len = p.size - at;
		if (from[at + 1] != 0xc4) {
			memcpy(bare + n, from + at, len);
			n += len;
		}
		at += len;
	}
	CHECK(n < p.size);
	g.d.format = FOURCC("MJPG");
	g.d.size = (uint32_t)n;
	g.d.flags = SLUICE_FRAME_NODHT;
	CHECK(!relay_encode(encoder, &g.d, bare, &p) && p.count == 2 && p.size > n + 400);
	decode(&p, 0, &back);
	CHECK(back.w == 64 && worst(&back, draw_y, 0) <= 3 && worst(&back, draw_u, 1) <= 4);
	free(back.pixels);
	/* not a JPEG at all: passed on as it is */
	memset(bare, 0x55, 100);
	g.d.size = 100;
	CHECK(!relay_encode(encoder, &g.d, bare, &p) && p.count == 1 && p.size == 100);
	CHECK(p.iov[0].iov_base == bare);
	undraw(&g);
}

static void test_refused(void)
{
	struct relay_encoder *small = relay_encoder_open(95, 3000);
	struct sluice_ring_desc d = {
		.format = FOURCC("YUYV"), .width = 64, .height = 48, .stride = 128, .size = 6144
	};
	uint8_t *noise = malloc(640 * 480 * 2);
	struct relay_picture p;

	for (size_t i = 0; i < 640 * 480 * 2; i++)
		noise[i] = (uint8_t)random_below(256);
	d.stride = 127;
	CHECK(relay_encode(encoder, &d, noise, &p) == -EINVAL);
	d.stride = 128;
	d.width = 63;
	CHECK(relay_encode(encoder, &d, noise, &p) == -EINVAL);
	d.width = 64;
	d.format = FOURCC("H264");
	CHECK(relay_encode(encoder, &d, noise, &p) == -EOPNOTSUPP);
	d = (struct sluice_ring_desc){ .format = FOURCC("YUYV"),
				       .width = 640,
				       .height = 480,
				       .stride = 1280,
				       .size = 640 * 480 * 2 };
	CHECK(relay_encode(small, &d, noise, &p) == -EMSGSIZE);
	d.format = FOURCC("MJPG");
	d.size = 3001;
	CHECK(relay_encode(small, &d, noise, &p) == -EMSGSIZE);
	d.size = 0;
	CHECK(relay_encode(small, &d, noise, &p) == -EINVAL);
	/* still good after a jump, and a buffer that has to grow */
	d.format = FOURCC("YUYV");
	d.size = 640 * 480 * 2;
	CHECK(relay_encode(small, &d, noise, &p) == -EMSGSIZE);
	CHECK(!relay_encode(encoder, &d, noise, &p) && p.size > 300000);
	free(noise);
	relay_encoder_close(small);
	relay_encoder_close(NULL);
}

int main(int argc, char **argv)
{
	random_seed(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	encoder = relay_encoder_open(90, 8u << 20);
	CHECK(encoder);
	test_formats();
	test_short();
	test_dht();
	test_refused();
	relay_encoder_close(encoder);
	return check_result();
}
