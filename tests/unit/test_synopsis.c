// SPDX-License-Identifier: MIT
/*
 * The synopsis of made-up periods: all that fits is shown, what does not is listed with its reason,
 * nothing is out of order by more than asked, little is covered twice, the same period gives the
 * same plan; a bright thing is found in the decoded video where the map says it is, and nowhere
 * else. A packed period that was changed at any place is refused or makes no harm.
 */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <string.h>
#include <turbojpeg.h>
#include <unistd.h>

#include "check.h"
#include "cloud/synopsis.h"

#define W    320
#define H    240
#define UTC0 1700000000000000000ll
#define SIDE 40

/* Event n: a thing crosses from left to right in 10 s at height y, n * gap seconds from the start.
 */
static json_t *make_event(int n, double gap, int y, double seconds)
{
	json_t *boxes = json_array(), *o;
	char id[33], start[24], end[24];
	double from = n * gap;

	for (int i = 0; i <= seconds * 5; i++)
		json_array_append_new(boxes, json_pack("[fiiii]", from + i / 5.0,
						       (int)(i * (W - SIDE) / (seconds * 5)), y,
						       SIDE, SIDE));
	snprintf(id, sizeof(id), "%032x", n + 1);
	snprintf(start, sizeof(start), "%lld", UTC0 + (long long)(from * 1e9));
	snprintf(end, sizeof(end), "%lld", UTC0 + (long long)((from + seconds) * 1e9));
	o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:i,s:i,s:s,s:[{s:i,s:s,s:o}]}", "kind",
		      "event", "id", id, "event", id, "epoch", "7", "start_ns", start, "end_ns",
		      end, "start_s", from, "width", W, "height", H, "title", "One object",
		      "tracks", "id", 1, "class", "unknown", "boxes", boxes);
	if (!o)
		exit(1);
	return o;
}

/* count things, frames at 5 a second whenever one is there. y_step: how far apart their ways are.
 */
static struct sluice_period *make_period(int count, double gap, double seconds, int y_step)
{
	struct sluice_period *p =
		sluice_period_open("door", UTC0, UTC0 + (int64_t)((count * gap + 20) * 1e9));
	uint64_t sequence = 0;

	for (int n = 0; n < count; n++) {
		json_t *e = make_event(n, gap, n * y_step % (H - SIDE), seconds);

		CHECK(!sluice_period_event(p, e));
		json_decref(e);
	}
	for (double t = 0; t < count * gap + 20; t += 0.2) {
		int64_t at = UTC0 + (int64_t)(t * 1e9);
		struct sluice_period_frame f = { 7, sequence++, at };

		if (sluice_period_wants(p, at))
			CHECK(!sluice_period_frame(p, &f));
	}
	return p;
}

static void check_order(const struct sluice_synopsis *s, double order_s)
{
	for (uint32_t i = 0; i < s->tubes.tube_count; i++)
		for (uint32_t k = 0; k < s->tubes.tube_count; k++)
			if (!s->tube[i].why && !s->tube[k].why &&
			    s->tubes.tubes[i].start_ns < s->tubes.tubes[k].start_ns)
				CHECK((double)s->tube[i].at - s->tube[k].at <= order_s * 10 + 0.5);
}

static void test_fits(void)
{
	struct sluice_period *p = make_period(30, 100, 10, 50);
	struct sluice_synopsis s, again;

	CHECK(!sluice_synopsis_plan(p, &s));
	CHECK(s.shown == 30 && s.pictures > 0 && s.pictures <= 600);
	CHECK(s.overlap <= 0.05);
	check_order(&s, p->order_s);
	CHECK(!sluice_synopsis_plan(p, &again));
	CHECK(again.pictures == s.pictures && !memcmp(again.tube, s.tube, 30 * sizeof(*s.tube)));
	sluice_synopsis_free(&again);
	sluice_synopsis_free(&s);
	p->order_s = 0;
	CHECK(!sluice_synopsis_plan(p, &s));
	CHECK(!s.reversals && s.disorder_s == 0);
	check_order(&s, 0);
	sluice_synopsis_free(&s);
	sluice_period_free(p);
}

/* Two a minute are not stretched to the asked length, and are as fast as life. */
static void test_short(void)
{
	struct sluice_period *p = make_period(2, 60, 10, 0);
	struct sluice_synopsis s;

	CHECK(!sluice_synopsis_plan(p, &s));
	CHECK(s.shown == 2 && s.factor < 1.01 && s.pictures >= 100 && s.pictures <= 210);
	sluice_synopsis_free(&s);
	sluice_period_free(p);
}

static void test_too_much(void)
{
	struct sluice_period *p = make_period(600, 15, 10, 7);
	struct sluice_synopsis s;
	uint32_t left = 0;

	p->seconds = 10;
	CHECK(!sluice_synopsis_plan(p, &s));
	for (uint32_t i = 0; i < 600; i++)
		left += s.tube[i].why == SLUICE_LEFT_NO_ROOM || s.tube[i].why == SLUICE_LEFT_ORDER;
	CHECK(s.shown && left && s.shown + left == 600);
	CHECK(s.pictures == 100 && s.overlap <= 0.05 && s.factor > 7.9);
	check_order(&s, p->order_s);
	sluice_synopsis_free(&s);
	p->frame_count = 0;
	CHECK(!sluice_synopsis_plan(p, &s));
	CHECK(!s.shown && !s.pictures && s.tube[0].why == SLUICE_LEFT_NO_FRAMES);
	sluice_synopsis_free(&s);
	sluice_period_free(p);
}

/* Two who walk together are moved together. */
static void test_together(void)
{
	struct sluice_period *p = sluice_period_open("door", UTC0, UTC0 + 100000000000ll);
	json_t *e = make_event(0, 0, 100, 10), *tracks = json_object_get(e, "tracks");
	json_t *other = json_deep_copy(json_array_get(tracks, 0));
	struct sluice_synopsis s;

	json_object_set_new(other, "id", json_integer(2));
	json_array_append_new(tracks, other);
	CHECK(!sluice_period_event(p, e));
	for (int i = 0; i < 50; i++)
		sluice_period_frame(p, &(struct sluice_period_frame){ 7, (uint64_t)i,
								      UTC0 + i * 200000000ll });
	CHECK(!sluice_synopsis_plan(p, &s));
	CHECK(s.tubes.unit_count == 1 && s.shown == 2 && s.tube[0].at == s.tube[1].at);
	CHECK(s.overlap == 0); /* it was so in life */
	sluice_synopsis_free(&s);
	json_decref(e);
	sluice_period_free(p);
}

/* ---- pictures ---- */

struct camera {
	const struct sluice_period *p;
	int gone; /* nothing can be read */
};

/* Stripes, and where a tube's box is at that time a white square. */
static uint8_t *fetch(void *ctx, uint64_t epoch, uint64_t sequence, size_t *size)
{
	const struct camera *c = ctx;
	static uint8_t rgb[W * H * 3];
	tjhandle tj = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long bytes = 0;
	uint8_t *copy;
	double t = sequence / 5.0;

	CHECK(epoch == 7);
	if (c->gone)
		return NULL;
	for (int i = 0; i < W * H; i++)
		memset(rgb + 3 * i, 50 + i % W / 16 % 2 * 30, 3);
	for (uint32_t i = 0; i < c->p->box_count; i++) {
		const struct sluice_period_box *b = &c->p->boxes[i];

		if (llabs(b->at_ns - UTC0 - (int64_t)(t * 1e9)) < 1000000)
			for (int y = b->y; y < b->y + b->h; y++)
				memset(rgb + 3 * (y * W + b->x), 255, 3 * (size_t)b->w);
	}
	if (tjCompress2(tj, rgb, W, 0, H, TJPF_RGB, &out, &bytes, TJSAMP_420, 90, 0))
		exit(1);
	copy = malloc(bytes);
	memcpy(copy, out, bytes);
	*size = bytes;
	tjFree(out);
	tjDestroy(tj);
	return copy;
}

struct lit {
	int inside, of_inside, outside, of_outside;
};

static void look(struct lit *l, const AVFrame *f, const struct sluice_synopsis *s, uint32_t k)
{
	static uint8_t owner[W * H];

	memset(owner, 0, sizeof(owner));
	for (uint32_t i = s->first[k]; i < s->first[k + 1]; i++) {
		const struct sluice_synopsis_shot *b = &s->shots[i];

		for (int y = b->y - 14; y < b->y + b->h + 4; y++) /* its time stands above it */
			for (int x = b->x - 8; x < b->x + b->w + 8; x++) {
				int in = y >= b->y + 4 && y < b->y + b->h - 4 && x >= b->x + 4 &&
					 x < b->x + b->w - 4;

				if (x >= 0 && y >= 0 && x < W && y < H && owner[y * W + x] < 2)
					owner[y * W + x] = (uint8_t)(in ? 2 : 1);
			}
	}
	for (int i = 0; i < W * H; i++) {
		int bright = f->data[0][i / W * f->linesize[0] + i % W] > 180;

		l->inside += owner[i] == 2 && bright;
		l->of_inside += owner[i] == 2;
		l->outside += owner[i] == 0 && bright;
		l->of_outside += owner[i] == 0;
	}
}

static uint32_t watch(const uint8_t *data, size_t size, const struct sluice_synopsis *s,
		      struct lit *l)
{
	char path[] = "/tmp/sluice-synopsis-XXXXXX";
	int fd = mkstemp(path), stream;
	AVFormatContext *in = NULL;
	const AVCodec *codec;
	AVCodecContext *c = NULL;
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();
	uint32_t n = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) ||
	    avformat_open_input(&in, path, NULL, NULL) < 0)
		exit(1);
	stream = av_find_best_stream(in, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
	c = avcodec_alloc_context3(codec);
	if (stream < 0 || avcodec_parameters_to_context(c, in->streams[stream]->codecpar) < 0 ||
	    avcodec_open2(c, codec, NULL) < 0)
		exit(1);
	while (av_read_frame(in, packet) >= 0) {
		avcodec_send_packet(c, packet);
		av_packet_unref(packet);
		while (avcodec_receive_frame(c, frame) >= 0)
			if (n < s->pictures)
				look(l, frame, s, n++);
			else
				n++;
	}
	unlink(path);
	av_frame_free(&frame);
	av_packet_free(&packet);
	avcodec_free_context(&c);
	avformat_close_input(&in);
	return n;
}

static void test_video(void)
{
	struct sluice_period *p = make_period(6, 30, 6, 45);
	struct camera camera = { .p = p };
	const struct sluice_synopsis_options o = { .fetch = fetch, .ctx = &camera };
	struct sluice_synopsis s;
	struct lit l = { 0 };
	uint32_t w = 0, h = 0;
	uint8_t *data = NULL;
	size_t size = 0;
	char *map;
	json_t *m;
	int err;

	p->seconds = 10;
	CHECK(!sluice_synopsis_plan(p, &s) && s.shown == 6);
	err = sluice_synopsis_draw(&s, &o, &w, &h, &data, &size);
	if (err == -ENOSYS) {
		puts("no VP9 encoder here: the video is not looked at");
	} else {
		CHECK(!err && w == W && h == H && s.shown == 6);
		CHECK(watch(data, size, &s, &l) == s.pictures);
		CHECK(l.of_inside > 1000 && l.inside > 0.9 * l.of_inside);
		CHECK(l.outside < 0.002 * l.of_outside);
	}
	map = sluice_synopsis_map(&s, W, H);
	m = map ? json_loads(map, 0, NULL) : NULL;
	CHECK(json_array_size(json_object_get(m, "tubes")) == 6);
	json_decref(m);
	free(map);
	free(data);
	sluice_synopsis_free(&s);
	CHECK(!sluice_synopsis_plan(p, &s));
	camera.gone = 1;
	CHECK(sluice_synopsis_draw(&s, &o, &w, &h, &data, &size) < 0);
	sluice_synopsis_free(&s);
	sluice_period_free(p);
}

/* ---- what a child is given ---- */

static void test_pack(void)
{
	struct sluice_period *p = make_period(4, 20, 4, 50), *q;
	struct sluice_synopsis s;
	uint8_t *data, *copy;
	size_t size;

	CHECK(!sluice_period_pack(p, &data, &size));
	CHECK(!sluice_period_unpack(data, size, &q) && q->box_count == p->box_count &&
	      q->frame_count == p->frame_count && !memcmp(q->boxes, p->boxes, 16));
	sluice_period_free(q);
	CHECK(sluice_period_unpack(data, size - 1, &q) && !q);
	CHECK(sluice_period_unpack(data, 10, &q) && !q);
	copy = malloc(size);
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, data, size);
		copy[random_below((uint32_t)(i % 2 ? size : sizeof(*p)))] ^= (uint8_t)(1 << i % 8);
		if (!sluice_period_unpack(copy, size, &q) && i % 16 == 0) {
			CHECK(!sluice_synopsis_plan(q, &s));
			sluice_synopsis_free(&s);
		}
		sluice_period_free(q);
		q = NULL;
	}
	free(copy);
	free(data);
	sluice_period_free(p);
}

/* What is no event, or not like one. */
static void test_events(void)
{
	static const char *const bad[] = { "{}", "{\"kind\":\"digest\"}", "[]",
					   "{\"kind\":\"event\",\"epoch\":\"1\"}" };
	struct sluice_period *p = sluice_period_open("door", UTC0, UTC0 + 1000000000);
	json_t *e = make_event(0, 0, 10, 2), *o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o = json_loads(bad[i], 0, NULL);
		CHECK(sluice_period_event(p, o) == -EINVAL);
		json_decref(o);
	}
	CHECK(!p->event_count);
	json_object_set_new(e, "nuisance", json_true());
	CHECK(!sluice_period_event(p, e) && p->event_count == 1 && !p->tube_count);
	json_object_set_new(e, "nuisance", json_false());
	json_object_set_new(e, "width", json_integer(W * 2));
	CHECK(!sluice_period_event(p, e) && !p->tube_count && p->tubes_untold == 1);
	json_decref(e);
	sluice_period_free(p);
}

int main(int argc, char **argv)
{
	random_seed(seed_of(argc, argv));
	test_fits();
	test_short();
	test_too_much();
	test_together();
	test_video();
	test_pack();
	test_events();
	return check_result();
}
