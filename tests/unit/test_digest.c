// SPDX-License-Identifier: MIT
/*
 * Digests of drawn events: the video is decoded again, and what its clock says in each picture is
 * read by comparing with the letters. Gaps are gone, long events fit, both ends are shown, frames
 * that are missing or damaged are counted, the same event gives the same bytes, and the heat map is
 * hot where it moved.
 */
#include <errno.h>
#include <jansson.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <unistd.h>

#include "cloud/decode.h"
#include "cloud/digest.h"

#define UTC0 1700000000000000000ull
#define CHECK(c)                                                               \
	do {                                                                   \
		if (!(c)) {                                                    \
			printf("%s:%d: not so: %s\n", __func__, __LINE__, #c); \
			failed = 1;                                            \
		}                                                              \
	} while (0)

static int failed;

/* What the camera sees: sequence n has a bright box at x = n % 60 * 8 on stripes. */
struct camera {
	uint32_t w, h;
	int grey;
	uint64_t missing, damaged; /* sequences from here on, three of each; 0: none */
	int stop_after;		   /* pictures; 0: never */
};

static uint8_t *encode(const struct camera *c, uint64_t n, size_t *size)
{
	static uint8_t rgb[1600 * 1200 * 3];
	tjhandle tj = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long bytes = 0;
	uint8_t *copy;

	for (uint32_t y = 0; y < c->h; y++)
		for (uint32_t x = 0; x < c->w; x++) {
			uint8_t *p = rgb + ((size_t)y * c->w + x) * 3;
			uint32_t left = n % 60 * 8;
			int box = x >= left && x < left + 40 && y >= c->h / 2 && y < c->h / 2 + 60;

			p[0] = box ? 250 : 60 + x / 16 % 2 * 40;
			p[1] = box ? 240 : 90;
			p[2] = box ? 30 : 120 + y / 16 % 2 * 30;
		}
	CHECK(!tjCompress2(tj, rgb, c->w, 0, c->h, TJPF_RGB, &out, &bytes,
			   c->grey ? TJSAMP_GRAY : TJSAMP_420, 85, 0));
	copy = malloc(bytes);
	memcpy(copy, out, bytes);
	*size = bytes;
	tjFree(out);
	tjDestroy(tj);
	return copy;
}

static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t n, size_t *size)
{
	struct camera *c = ctx;
	uint8_t *jpeg;

	CHECK(epoch == 5);
	if (c->missing && n >= c->missing && n < c->missing + 3)
		return NULL;
	jpeg = encode(c, n, size);
	if (c->damaged && n >= c->damaged && n < c->damaged + 3)
		*size /= 2;
	return jpeg;
}

static int stopped(void *ctx)
{
	struct camera *c = ctx;

	return c->stop_after && !--c->stop_after;
}

/* Frames at the given times a second, from 0 to first and from second to end. */
static struct sluice_digest_plan *make_plan(const struct camera *c, double fps, double first,
					    double second, double end)
{
	static struct sluice_event_log e;
	struct sluice_keyframe keys[3];
	struct sluice_box path[2] = { { 0.5, 10, 20, 30, 40 }, { 0.6, 12, 20, 30, 40 } };
	struct sluice_digest_plan *p;

	memset(&e, 0, sizeof(e));
	e.end_s = end;
	for (int i = 0; i / fps <= end + 1e-9; i++)
		if (i / fps <= first + 1e-9 || i / fps >= second - 1e-9)
			e.moments[e.moment_count++] =
				(struct sluice_moment){ .sequence = i, .t_s = i / fps };
	for (int i = 0; i < 3; i++) {
		const struct sluice_moment *m = &e.moments[(size_t)i * (e.moment_count - 1) / 2];

		keys[i] = (struct sluice_keyframe){ .sequence = m->sequence, .t_s = m->t_s };
	}
	e.tracks[0] = (struct sluice_track){ .path = path, .path_count = 2 };
	e.track_count = 1;
	p = sluice_digest_plan(&e, keys, 3, 4);
	if (!p)
		exit(1);
	CHECK(p->box_count == 2 && p->boxes[1].x == 48 && p->boxes[1].h == 160);
	p->epoch = 5;
	p->first_utc_ns = UTC0;
	p->width = c->w;
	p->height = c->h;
	memset(p->summary, 'a', 32);
	memset(p->event, 'b', 32);
	snprintf(p->title, sizeof(p->title), "Something");
	snprintf(p->camera, sizeof(p->camera), "door");
	p->heat_w = 160;
	p->heat_h = 120;
	p->heat = calloc(160 * 120, sizeof(*p->heat));
	for (int y = 60; y < 70; y++)
		for (int x = 20; x < 40; x++)
			p->heat[y * 160 + x] = x < 30 ? 10 : 100;
	return p;
}

static const struct sluice_summary_media *file_of(const struct sluice_digest *d, const char *name)
{
	for (size_t i = 0; i < d->summary.media_count; i++)
		if (!strcmp(d->media[i].name, name))
			return &d->media[i];
	return NULL;
}

/* The letter at x, y of a grey picture: the one with the fewest wrong points; '?': none is near. */
static char read_letter(const uint8_t *px, ptrdiff_t stride, uint32_t x, uint32_t y, uint32_t size)
{
	static const char letters[] = " 0123456789-:.UTCX";
	int least = 4;
	char best = '?';

	for (const char *l = letters; *l; l++) {
		const uint8_t *rows = sluice_letter_rows(*l);
		int wrong = 0;

		for (uint32_t i = 0; i < 35; i++) {
			uint32_t sum = 0;

			for (uint32_t k = 0; k < size * size; k++)
				sum += px[(ptrdiff_t)(y + (i / 5 + 1) * size + k / size) * stride +
					  x + (i % 5 + 1) * size - size / 2 + k % size];
			wrong += (sum > 128 * size * size) != !!(rows[i / 5] & 16 >> i % 5);
		}
		if (wrong < least) {
			least = wrong;
			best = *l;
		}
	}
	return best;
}

static void read_text(const uint8_t *px, ptrdiff_t stride, uint32_t x, uint32_t y, uint32_t size,
		      char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text[i] = read_letter(px, stride, x + i * SLUICE_LETTER_W * size, y, size);
	text[length] = 0;
}

/* ---- the video, decoded again ---- */

struct film {
	uint32_t count, w, h;
	double last_s;
	char clock[256][40];
	uint8_t box_luma; /* of the picture in the middle, where its box is drawn */
};

static void read_picture(struct film *f, const AVFrame *frame, double t_s)
{
	uint32_t size = frame->width >= 480 ? 2 : 1;

	f->w = frame->width;
	f->h = frame->height;
	if (f->count < 256)
		read_text(frame->data[0], frame->linesize[0], 0, 0, size, f->clock[f->count], 30);
	CHECK(!f->count || t_s > f->last_s);
	CHECK(t_s > f->count / 10.0 - 0.002 && t_s < f->count / 10.0 + 0.002);
	f->last_s = t_s;
	f->count++;
}

static void read_stream(struct film *f, AVFormatContext *in, AVCodecContext *c)
{
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();
	int more = 1;

	while (more) {
		more = av_read_frame(in, packet) >= 0;
		CHECK(avcodec_send_packet(c, more ? packet : NULL) >= 0);
		while (avcodec_receive_frame(c, frame) >= 0)
			read_picture(f, frame,
				     (double)frame->pts * av_q2d(in->streams[0]->time_base));
		av_packet_unref(packet);
	}
	av_packet_free(&packet);
	av_frame_free(&frame);
}

static void read_film(const struct sluice_summary_media *m, struct film *f)
{
	char path[] = "/tmp/test_digest.XXXXXX";
	AVFormatContext *in = NULL;
	AVCodecContext *c;
	int fd = mkstemp(path);

	memset(f, 0, sizeof(*f));
	CHECK(m && fd >= 0 && write(fd, m->data, m->size) == (ssize_t)m->size);
	close(fd);
	if (!m || avformat_open_input(&in, path, NULL, NULL) < 0 ||
	    avformat_find_stream_info(in, NULL) < 0) {
		CHECK(!"the video can be opened");
		unlink(path);
		return;
	}
	unlink(path);
	CHECK(in->nb_streams == 1 && in->streams[0]->codecpar->codec_id == AV_CODEC_ID_VP9);
	CHECK(in->streams[0]->codecpar->color_range == AVCOL_RANGE_JPEG);
	c = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_VP9));
	avcodec_parameters_to_context(c, in->streams[0]->codecpar);
	c->thread_count = 1;
	CHECK(avcodec_open2(c, NULL, NULL) >= 0);
	read_stream(f, in, c);
	CHECK(in->duration > 0 && in->duration <= 20 * AV_TIME_BASE + 1000);
	avcodec_free_context(&c);
	avformat_close_input(&in);
}

/* ---- tests ---- */

static struct sluice_digest *digest(struct camera *c, const struct sluice_digest_plan *p, int boxes,
				    int want)
{
	struct sluice_digest_options o = {
		.seconds = 20, .boxes = boxes, .fetch = fetch, .stopped = stopped, .ctx = c
	};
	struct sluice_digest *d = NULL;
	int err = sluice_digest_make(p, &o, &d);

	if (err != want) {
		printf("sluice_digest_make: %d, wanted %d\n", err, want);
		failed = 1;
	}
	return d;
}

/* The clock of each picture must be that of a frame, grow, and begin and end with the event. */
static void check_clocks(const struct film *f, double first, double second, double end)
{
	char want[32];

	if (!f->count || f->count > 256)
		return;
	sluice_digest_clock(UTC0, want);
	CHECK(!strncmp(f->clock[0], want, strlen(want)));
	sluice_digest_clock(UTC0 + (uint64_t)(end * 1e9), want);
	CHECK(!strncmp(f->clock[f->count - 1], want, strlen(want)));
	for (uint32_t k = 0; k < f->count && k < 256; k++) {
		int found = 0;

		for (int i = 0; i / 10.0 <= end + 1e-9 && !found; i++) {
			if (i / 10.0 > first + 1e-9 && i / 10.0 < second - 1e-9)
				continue;
			sluice_digest_clock(UTC0 + (uint64_t)i * 100000000, want);
			found = !strncmp(f->clock[k], want, strlen(want));
		}
		if (!found || (k && strcmp(f->clock[k], f->clock[k - 1]) < 0)) {
			printf("picture %u says '%s'\n", k, f->clock[k]);
			failed = 1;
		}
	}
}

static void test_short(void)
{
	struct camera c = { .w = 640, .h = 480 };
	struct sluice_digest_plan *p = make_plan(&c, 10, 4, 10, 13);
	struct sluice_digest *d = digest(&c, p, 0, 0), *again = digest(&c, p, 0, 0);
	struct film f;
	json_t *o;

	if (d && again) {
		CHECK(d->summary.media_count == 4 && again->summary.media_count == 4);
		CHECK(!strcmp(d->json, again->json));
		for (size_t i = 0; i < d->summary.media_count; i++)
			CHECK(d->media[i].size == again->media[i].size &&
			      !memcmp(d->media[i].data, again->media[i].data, d->media[i].size));
		read_film(file_of(d, "digest.webm"), &f);
		/* 4 s, a gap shown as half a second, 3 s */
		CHECK(f.count == 76 && f.w == 640 && f.h == 480);
		if (f.count == 76)
			check_clocks(&f, 4, 10, 13);
		o = json_loads(d->json, 0, NULL);
		CHECK(json_number_value(json_object_get(o, "active_s")) == 7.5);
		CHECK(json_number_value(json_object_get(o, "factor")) == 1);
		CHECK(json_number_value(json_object_get(o, "video_s")) == 7.6);
		CHECK(!strcmp(json_string_value(json_object_get(o, "kind")), "digest"));
		CHECK(!strcmp(json_string_value(json_object_get(o, "of")), p->summary));
		CHECK(!strcmp(json_string_value(json_object_get(o, "id")), d->summary.id));
		json_decref(o);
	}
	sluice_digest_free(d);
	sluice_digest_free(again);
	sluice_digest_plan_free(p);
}

static void test_long(void)
{
	struct camera c = { .w = 1280, .h = 720, .missing = 100, .damaged = 200 };
	struct sluice_digest_plan *p = make_plan(&c, 10, 50, 50, 50);
	struct sluice_digest *d = digest(&c, p, 1, 0);
	struct film f;
	json_t *o;

	if (d) {
		read_film(file_of(d, "digest.webm"), &f);
		CHECK(f.count == 200 && f.w == 640 && f.h == 360);
		if (f.count == 200)
			check_clocks(&f, 50, 50, 50);
		CHECK(!strcmp(f.clock[0] + 25, " X2.5"));
		o = json_loads(d->json, 0, NULL);
		/* of three frames each, those that would have been shown: one in 2.5 */
		CHECK(json_integer_value(json_object_get(o, "frames_missing")) >= 2 &&
		      json_integer_value(json_object_get(o, "frames_missing")) <= 4);
		json_decref(o);
	}
	sluice_digest_free(d);
	sluice_digest_plan_free(p);
}

/* Width and height of a JPEG, by its frame header. */
static int is_size(const struct sluice_summary_media *m, int w, int h)
{
	const uint8_t *p = m ? m->data : NULL;
	size_t i = 2;

	while (p && i + 9 < m->size && p[i] == 0xff && (p[i + 1] < 0xc0 || p[i + 1] > 0xc2))
		i += 2u + p[i + 2] * 256u + p[i + 3];
	return p && i + 9 < m->size && p[i + 5] * 256 + p[i + 6] == h &&
	       p[i + 7] * 256 + p[i + 8] == w;
}

/* Key frames alone: as large as the largest part of 1, 2, 4, 8 that is allowed, or not at all. */
static void test_small(void)
{
	struct camera large = { .w = 1599, .h = 1199 };
	struct sluice_digest_plan *p = make_plan(&large, 10, 0.5, 1, 0.5);
	struct sluice_digest *d;

	CHECK(p->key_count > 0);
	p->small = 512;
	d = digest(&large, p, 1, 0);
	CHECK(d && d->summary.media_count == (p->key_count < 4 ? p->key_count : 4));
	CHECK(d && !strcmp(d->summary.id, p->summary) &&
	      is_size(file_of(d, "small-1.jpg"), 400, 300));
	CHECK(d && !file_of(d, "digest.webm"));
	sluice_digest_free(d);
	p->small = 199; /* an eighth is 200 */
	digest(&large, p, 1, -ENODATA);
	sluice_digest_plan_free(p);
}

/* Sizes that are odd, small or too large, grey cameras, nothing to show, stopped. */
static void test_odd(void)
{
	struct camera small = { .w = 321, .h = 243, .grey = 1 }, large = { .w = 1599, .h = 1199 };
	struct camera gone = { .w = 320, .h = 240, .missing = 1 };
	struct camera halt = { .w = 320, .h = 240, .stop_after = 5 };
	struct sluice_digest_plan *p = make_plan(&small, 10, 1, 1, 1);
	struct sluice_digest *d = digest(&small, p, 1, 0);
	struct film f;

	if (d) {
		read_film(file_of(d, "digest.webm"), &f);
		CHECK(f.count == 11 && f.w == 322 && f.h == 244);
		check_clocks(&f, 1, 1, 1);
	}
	sluice_digest_free(d);
	sluice_digest_plan_free(p);
	p = make_plan(&large, 10, 0.5, 1, 0.5);
	d = digest(&large, p, 1, 0);
	if (d) {
		read_film(file_of(d, "digest.webm"), &f);
		CHECK(f.count == 6 && f.w == 400 && f.h == 300);
	}
	sluice_digest_free(d);
	sluice_digest_plan_free(p);
	p = make_plan(&gone, 10, 0.2, 1, 0.2);
	for (uint32_t i = 0; i < p->frame_count; i++)
		p->frames[i].sequence = 1;
	for (uint32_t i = 0; i < p->key_count; i++)
		p->keys[i].sequence = 1;
	CHECK(!digest(&gone, p, 1, -ENODATA));
	sluice_digest_plan_free(p);
	p = make_plan(&halt, 10, 4, 4, 4);
	CHECK(!digest(&halt, p, 1, -ECANCELED));
	sluice_digest_plan_free(p);
}

static void test_sheets(void)
{
	struct camera c = { .w = 640, .h = 480 };
	struct sluice_digest_plan *p = make_plan(&c, 10, 2, 2, 2);
	struct sluice_digest *d = digest(&c, p, 0, 0);
	const struct sluice_summary_media *m = d ? file_of(d, "storyboard.jpg") : NULL;
	struct sluice_decoder *decoder = sluice_decoder_open();
	struct sluice_picture sheet = { 0 };
	char got[40], want[32];

	/* three pictures of 320x240 in two columns, 4 pixels apart */
	CHECK(m && !sluice_decode_picture(decoder, m->data, m->size, 652, 492, 2048, &sheet));
	for (int i = 0; i < 3 && sheet.w; i++) {
		sluice_digest_clock(UTC0 + (uint64_t)(p->keys[i].t_s * 1e9), want);
		read_text(sheet.plane[0], sheet.w, 4 + i % 2 * 324, 4 + i / 2 * 244, 1, got,
			  strlen(want));
		CHECK(!strcmp(got, want));
	}
	m = d ? file_of(d, "thumb.jpg") : NULL;
	CHECK(m && !sluice_decode_picture(decoder, m->data, m->size, 160, 120, 2048, &sheet));
	sluice_picture_free(&sheet);
	sluice_decoder_close(decoder);
	sluice_digest_free(d);
	sluice_digest_plan_free(p);
}

static void test_heat(void)
{
	struct camera c = { .w = 640, .h = 480 };
	struct sluice_digest_plan *p = make_plan(&c, 10, 0.2, 1, 0.2);
	struct sluice_digest *d = digest(&c, p, 0, 0);
	const struct sluice_summary_media *m = d ? file_of(d, "heat.png") : NULL;
	AVCodecContext *png = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_PNG));
	AVPacket *packet = av_packet_alloc();
	AVFrame *f = av_frame_alloc();

	if (m && !av_new_packet(packet, (int)m->size) && avcodec_open2(png, NULL, NULL) >= 0) {
		memcpy(packet->data, m->data, m->size);
		CHECK(avcodec_send_packet(png, packet) >= 0 && avcodec_receive_frame(png, f) >= 0);
	}
	CHECK(f->width == 320 && f->height == 240);
	if (f->width == 320) {
		const uint8_t *row = f->data[0] + (ptrdiff_t)130 * f->linesize[0];
		const uint8_t *cold = row + 3 * 200, *warm = row + 3 * 50, *hot = row + 3 * 70;

		CHECK(cold[0] == cold[1] && cold[1] == cold[2]);
		CHECK(warm[0] >= 128 && warm[0] > 2 * warm[1]);
		CHECK(hot[0] == 255 && hot[1] > 190 && hot[2] < 64);
	}
	av_frame_free(&f);
	av_packet_free(&packet);
	avcodec_free_context(&png);
	sluice_digest_free(d);
	p->heat[0] = 0;
	sluice_digest_plan_free(p);
}

int main(void)
{
	av_log_set_level(AV_LOG_ERROR);
	if (!avcodec_find_encoder_by_name("libvpx-vp9")) {
		puts("this libavcodec has no VP9 encoder");
		return 77;
	}
	test_short();
	test_long();
	test_odd();
	test_small();
	test_sheets();
	test_heat();
	return failed;
}
