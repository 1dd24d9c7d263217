// SPDX-License-Identifier: MIT
/*
 * grids.c - grids by the plainest possible code (it also serves as an oracle for kmod/luma.c), clip
 * reading through libav, and the gate run over a list of grids.
 */
#include "grids.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

const char *const grid_kind_name[GRID_KINDS] = { "raw", "q90", "q80", "q70" };

u32 grid_block(u32 width)
{
	return width >= 480 ? 8 : width >= 240 ? 4 : 2;
}

void grid_of_luma(u16 *cell, const u8 *luma, u32 stride, u32 width, u32 height, u32 block)
{
	for (u32 y = 0; y < height; y += block) {
		for (u32 x = 0; x < width; x += block) {
			u32 h = min(block, height - y), w = min(block, width - x), sum = 0;

			for (u32 v = 0; v < h; v++)
				for (u32 u = 0; u < w; u++)
					sum += luma[(size_t)(y + v) * stride + x + u];
			*cell++ = sum * 256 / (w * h);
		}
	}
}

void grid_quantise(u16 *cell, size_t n, enum grid_kind kind)
{
	static const int step_of[GRID_KINDS] = { 0, 3, 6, 10 }; /* the usual luma table, entry 0 */
	int step = step_of[kind];

	for (size_t i = 0; step && i < n; i++) {
		double dc = (cell[i] / 256.0 - 128) * 8;
		int level = (int)lrint(dc / step);

		cell[i] = clamp_t(int, 32768 + 32 * level * step, 0, 65535);
	}
}

/* An open decoder; half-built it may be closed. */
struct reader {
	AVFormatContext *format;
	AVCodecContext *codec;
	struct SwsContext *scale;
	AVFrame *frame;
	AVPacket *packet;
	int stream;
};

static void reader_close(struct reader *r)
{
	sws_freeContext(r->scale);
	av_packet_free(&r->packet);
	av_frame_free(&r->frame);
	avcodec_free_context(&r->codec);
	avformat_close_input(&r->format);
}

static int reader_open(struct reader *r, const char *path)
{
	const AVCodec *codec;

	*r = (struct reader){ 0 };
	av_log_set_level(AV_LOG_ERROR);
	if (avformat_open_input(&r->format, path, NULL, NULL) < 0 ||
	    avformat_find_stream_info(r->format, NULL) < 0)
		return -1;
	r->stream = av_find_best_stream(r->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
	if (r->stream < 0)
		return -1;
	r->codec = avcodec_alloc_context3(codec);
	r->frame = av_frame_alloc();
	r->packet = av_packet_alloc();
	if (!r->codec || !r->frame || !r->packet)
		return -1;
	if (avcodec_parameters_to_context(r->codec, r->format->streams[r->stream]->codecpar) < 0)
		return -1;
	r->codec->thread_count = 1;
	return avcodec_open2(r->codec, codec, NULL) < 0 ? -1 : 0;
}

/* Next picture in r->frame: 1, end: 0, error: -1. */
static int reader_next(struct reader *r)
{
	int err;

	for (;;) {
		err = avcodec_receive_frame(r->codec, r->frame);
		if (!err)
			return 1;
		if (err == AVERROR_EOF)
			return 0;
		if (err != AVERROR(EAGAIN))
			return -1;
		do {
			av_packet_unref(r->packet);
			err = av_read_frame(r->format, r->packet);
		} while (err >= 0 && r->packet->stream_index != r->stream);
		if (avcodec_send_packet(r->codec, err < 0 ? NULL : r->packet) < 0)
			return -1;
	}
}

static bool planar_luma(enum AVPixelFormat f)
{
	return f == AV_PIX_FMT_YUV420P || f == AV_PIX_FMT_YUVJ420P || f == AV_PIX_FMT_YUV422P ||
	       f == AV_PIX_FMT_YUVJ422P || f == AV_PIX_FMT_YUV444P || f == AV_PIX_FMT_GRAY8;
}

/* Luma of the decoded picture; spare is a buffer for pictures that have no luma plane. */
static const u8 *reader_luma(struct reader *r, u8 *spare, u32 *stride)
{
	AVFrame *f = r->frame;
	int line = f->width;

	if (planar_luma(f->format)) {
		*stride = f->linesize[0];
		return f->data[0];
	}
	r->scale =
		sws_getCachedContext(r->scale, f->width, f->height, f->format, f->width, f->height,
				     AV_PIX_FMT_GRAY8, SWS_BILINEAR, NULL, NULL, NULL);
	if (!r->scale)
		return NULL;
	sws_scale(r->scale, (const u8 *const *)f->data, f->linesize, 0, f->height, &spare, &line);
	*stride = line;
	return spare;
}

static int grow(struct clip_grids *c, size_t *room)
{
	size_t n = (size_t)c->w * c->h;

	if (c->frames < *room)
		return 0;
	*room = *room ? *room * 2 : 256;
	c->cell = realloc(c->cell, *room * n * sizeof(*c->cell));
	c->t_s = realloc(c->t_s, *room * sizeof(*c->t_s));
	return c->cell && c->t_s ? 0 : -1;
}

static int read_frames(struct clip_grids *c, struct reader *r, enum grid_kind kind)
{
	u32 width = r->codec->width, height = r->codec->height, stride;
	u32 block = kind == GRID_RAW ? grid_block(width) : 8;
	double unit = av_q2d(r->format->streams[r->stream]->time_base), first = 0;
	u8 *spare = malloc((size_t)width * height + 64);
	size_t room = 0;
	int more = -1;

	c->width = width;
	c->height = height;
	c->w = (width + block - 1) / block;
	c->h = (height + block - 1) / block;
	while (spare && (more = reader_next(r)) > 0) {
		u16 *cell;
		const u8 *luma = reader_luma(r, spare, &stride);
		double t = r->frame->best_effort_timestamp * unit;

		if (!luma || r->frame->width != (int)width || grow(c, &room)) {
			more = -1;
			break;
		}
		cell = c->cell + c->frames * c->w * c->h;
		grid_of_luma(cell, luma, stride, width, height, block);
		grid_quantise(cell, (size_t)c->w * c->h, kind);
		first = c->frames ? first : t;
		c->t_s[c->frames++] = t - first;
	}
	free(spare);
	return more < 0 || !c->frames ? -1 : 0;
}

int clip_grids_read(struct clip_grids *c, const char *path, enum grid_kind kind)
{
	struct reader r;
	int err;

	*c = (struct clip_grids){ 0 };
	err = reader_open(&r, path);
	if (!err)
		err = read_frames(c, &r, kind);
	reader_close(&r);
	if (err) {
		fprintf(stderr, "%s: cannot be decoded\n", path);
		clip_grids_free(c);
	}
	return err;
}

int clip_picture(u8 *luma, const char *path, double t_s, u32 width, u32 height)
{
	struct reader r;
	int err = reader_open(&r, path), line = width;
	double unit = err ? 0 : av_q2d(r.format->streams[r.stream]->time_base);

	while (!err && (err = reader_next(&r) > 0 ? 0 : -1) == 0)
		if (r.frame->best_effort_timestamp * unit >= t_s)
			break;
	if (!err)
		r.scale = sws_getContext(r.frame->width, r.frame->height, r.frame->format, width,
					 height, AV_PIX_FMT_GRAY8, SWS_BILINEAR, NULL, NULL, NULL);
	if (!err && r.scale)
		sws_scale(r.scale, (const u8 *const *)r.frame->data, r.frame->linesize, 0,
			  r.frame->height, &luma, &line);
	err = err || !r.scale ? -1 : 0;
	reader_close(&r);
	if (err)
		fprintf(stderr, "%s: no picture at %g s\n", path, t_s);
	return err;
}

void clip_grids_free(struct clip_grids *c)
{
	free(c->cell);
	free(c->t_s);
	*c = (struct clip_grids){ 0 };
}

struct sluice_gate *gate_new(u32 w, u32 h)
{
	struct sluice_gate_config config;
	void *mem = malloc(sluice_gate_size(w, h));

	sluice_gate_preset(&config, SLUICE_PRESET_MEDIUM);
	if (!mem)
		abort();
	return sluice_gate_init(mem, w, h, &config);
}

struct decision gate_decide(struct sluice_gate *g, const u16 *cell, double t_s, double before_s)
{
	struct sluice_gate_result r;
	struct decision d = { .t_s = t_s };

	sluice_gate_frame(g, cell, (u32)lrint(t_s * 1000) - (u32)lrint(before_s * 1000), &r, NULL);
	d.motion = r.state == SLUICE_GATE_MOTION || r.state == SLUICE_GATE_SCENE;
	d.pass = d.motion || r.state == SLUICE_GATE_WARMUP;
	d.score = r.score;
	return d;
}

size_t clip_grids_decide(const struct clip_grids *c, double fps, struct decision *d)
{
	struct sluice_gate *g = gate_new(c->w, c->h);
	double due = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->frames; i++) {
		double t = c->t_s[i];

		if (fps > 0 && t + 1e-3 < due)
			continue;
		due = fps > 0 ? due + 1 / fps : 0;
		if (due + 1e-3 < t)
			due = t;
		d[n] = gate_decide(g, c->cell + i * c->w * c->h, t, n ? d[n - 1].t_s : t);
		n++;
	}
	free(g);
	return n;
}
