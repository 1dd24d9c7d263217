// SPDX-License-Identifier: MIT
/*
 * clip.c - opens a video file, decodes it, hands out frames.
 *
 * Happy path: read packets of the best video stream, decode, convert (clip_convert.c). Where the
 * file holds JPEGs and JPEGs are wanted at their own size, the packets themselves are the frames
 * and nothing is decoded. Times are the stream's, less that of the first frame; a frame without a
 * time gets that of the frame before plus the nominal interval.
 *
 * A packet that does not decode is left out and counted. A file without a single frame that decodes
 * is refused when it is opened.
 */
#include "lib/clip.h"
#include "lib/clip_convert.h"
#include "kmod/luma.h"
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC_NS 1000000000ll

struct sluice_clip {
	char *path;
	AVFormatContext *file;
	AVCodecContext *decoder; /* NULL: packets are handed out as they are */
	AVStream *stream;
	AVPacket *packet;
	AVFrame *picture;
	struct sluice_convert convert;
	struct sluice_clip_frame frame;
	bool ready;    /* frame holds the first frame, not yet handed out */
	bool draining; /* the file has ended, the decoder may hold more */
	bool timed;    /* first_ns is known */
	int64_t first_ns, last_ns;
	int64_t interval_ns;
	uint64_t index, damaged;
	char why[256];
};

static const struct {
	const char *name;
	uint32_t fourcc;
} formats[] = {
	{ "yuyv", SLUICE_FMT_YUYV },   { "uyvy", SLUICE_FMT_UYVY },   { "nv12", SLUICE_FMT_NV12 },
	{ "nv21", SLUICE_FMT_NV21 },   { "yu12", SLUICE_FMT_YU12 },   { "grey", SLUICE_FMT_GREY },
	{ "rgb24", SLUICE_FMT_RGB24 }, { "bgr24", SLUICE_FMT_BGR24 }, { "mjpeg", SLUICE_FMT_MJPEG },
};

uint32_t sluice_clip_format_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name))
			return formats[i].fourcc;
	return 0;
}

const char *sluice_clip_format_name(uint32_t fourcc)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (formats[i].fourcc == fourcc)
			return formats[i].name;
	return NULL;
}

/* Keep a sentence about the file; err is libav's. Returns -EIO. */
static int clip_fail(struct sluice_clip *c, const char *what, int err)
{
	char text[AV_ERROR_MAX_STRING_SIZE] = "";

	if (err)
		av_strerror(err, text, sizeof(text));
	snprintf(c->why, sizeof(c->why), "%s: %s%s%s", c->path, what, err ? ": " : "", text);
	return -EIO;
}

static int64_t to_ns(const struct sluice_clip *c, int64_t time)
{
	return av_rescale_q(time, c->stream->time_base, (AVRational){ 1, SEC_NS });
}

static void stamp_frame(struct sluice_clip *c, int64_t pts)
{
	int64_t ns = pts != AV_NOPTS_VALUE ? to_ns(c, pts) : c->last_ns + c->interval_ns;

	if (!c->timed) {
		c->timed = true;
		c->first_ns = pts != AV_NOPTS_VALUE ? ns : 0;
		ns = c->first_ns;
	}
	c->last_ns = ns;
	c->frame.time_ns = ns > c->first_ns ? (uint64_t)(ns - c->first_ns) : 0;
	c->frame.index = c->index++;
}

/* 1: c->packet holds a packet of the stream; 0: the end; or negative. */
static int read_packet(struct sluice_clip *c)
{
	int ret;

	for (;;) {
		av_packet_unref(c->packet);
		ret = av_read_frame(c->file, c->packet);
		if (ret == AVERROR_EOF)
			return 0;
		if (ret < 0)
			return clip_fail(c, "cannot be read further", ret);
		if (c->packet->stream_index == c->stream->index)
			return 1;
	}
}

static int next_packet(struct sluice_clip *c)
{
	int ret = read_packet(c);

	if (ret <= 0)
		return ret;
	c->frame.data = c->packet->data;
	c->frame.len = (size_t)c->packet->size;
	stamp_frame(c, c->packet->pts != AV_NOPTS_VALUE ? c->packet->pts : c->packet->dts);
	return 1;
}

static int next_picture(struct sluice_clip *c)
{
	int ret;

	for (;;) {
		ret = avcodec_receive_frame(c->decoder, c->picture);
		if (ret >= 0)
			break;
		if (ret == AVERROR_EOF)
			return 0;
		if (ret != AVERROR(EAGAIN)) {
			c->damaged++;
			if (!c->draining)
				continue;
			return 0;
		}
		ret = read_packet(c);
		if (ret < 0)
			return ret;
		c->draining = !ret;
		if (avcodec_send_packet(c->decoder, ret ? c->packet : NULL) < 0)
			c->damaged++;
	}
	ret = sluice_convert_run(&c->convert, c->picture);
	if (ret) {
		clip_fail(c, c->convert.why[0] ? c->convert.why : "out of memory", 0);
		return ret;
	}
	c->frame.data = c->convert.bytes;
	c->frame.len = c->convert.len;
	stamp_frame(c, c->picture->best_effort_timestamp);
	return 1;
}

int sluice_clip_next(struct sluice_clip *c, struct sluice_clip_frame *f)
{
	int ret = 1;

	if (!c->ready)
		ret = c->decoder ? next_picture(c) : next_packet(c);
	c->ready = false;
	if (ret > 0)
		*f = c->frame;
	return ret;
}

static int open_decoder(struct sluice_clip *c)
{
	const AVCodecParameters *par = c->stream->codecpar;
	const AVCodec *codec = avcodec_find_decoder(par->codec_id);
	int ret;

	if (!codec) {
		snprintf(c->why, sizeof(c->why), "%s: no decoder for %s video", c->path,
			 avcodec_get_name(par->codec_id));
		return -EOPNOTSUPP;
	}
	c->decoder = avcodec_alloc_context3(codec);
	if (!c->decoder)
		return clip_fail(c, "out of memory", 0);
	ret = avcodec_parameters_to_context(c->decoder, par);
	if (ret >= 0) {
		c->decoder->thread_count = 1; /* frames in order, one core */
		ret = avcodec_open2(c->decoder, codec, NULL);
	}
	if (ret < 0)
		return clip_fail(c, "cannot be decoded", ret);
	return 0;
}

static int open_stream(struct sluice_clip *c, const struct sluice_clip_options *o)
{
	const AVCodecParameters *par;
	AVRational rate;
	int ret;

	ret = avformat_open_input(&c->file, c->path, NULL, NULL);
	if (ret < 0)
		return clip_fail(c, "cannot be opened as a video", ret);
	ret = avformat_find_stream_info(c->file, NULL);
	if (ret < 0)
		return clip_fail(c, "cannot be read", ret);
	ret = av_find_best_stream(c->file, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
	if (ret < 0)
		return clip_fail(c, "holds no video", 0);
	c->stream = c->file->streams[ret];
	par = c->stream->codecpar;
	rate = av_guess_frame_rate(c->file, c->stream, NULL);
	if (rate.num > 0 && rate.den > 0)
		c->interval_ns = av_rescale(SEC_NS, rate.den, rate.num);

	c->convert.fourcc = o->fourcc;
	c->convert.width = o->width;
	c->convert.height = o->height;
	if (par->codec_id == AV_CODEC_ID_MJPEG && (!o->fourcc || o->fourcc == SLUICE_FMT_MJPEG) &&
	    !o->width) {
		c->convert.fourcc = SLUICE_FMT_MJPEG;
		c->convert.width = (uint32_t)par->width;
		c->convert.height = (uint32_t)par->height;
		return 0;
	}
	if (!o->fourcc)
		c->convert.fourcc = sluice_convert_native(par->format);
	return open_decoder(c);
}

struct sluice_clip *sluice_clip_open(const char *path, const struct sluice_clip_options *o,
				     char *why, size_t why_size)
{
	struct sluice_clip *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	if (c) {
		snprintf(c->why, sizeof(c->why), "%s: out of memory", path);
		c->path = strdup(path);
		c->packet = av_packet_alloc();
		c->picture = av_frame_alloc();
	}
	av_log_set_level(AV_LOG_QUIET);
	if (c && c->path && c->packet && c->picture)
		ret = open_stream(c, o);
	if (!ret) {
		ret = c->decoder ? next_picture(c) : next_packet(c);
		if (!ret)
			clip_fail(c, "holds no frame that can be decoded", 0);
		c->ready = ret > 0;
	}
	if (ret > 0)
		return c;
	snprintf(why, why_size, "%s", c ? c->why : "out of memory");
	sluice_clip_close(c);
	return NULL;
}

void sluice_clip_info(const struct sluice_clip *c, struct sluice_clip_info *info)
{
	memset(info, 0, sizeof(*info));
	info->fourcc = c->convert.fourcc;
	info->width = c->convert.width;
	info->height = c->convert.height;
	info->interval_ns = (uint64_t)c->interval_ns;
	if (c->stream->duration > 0)
		info->duration_ns = (uint64_t)to_ns(c, c->stream->duration);
	else if (c->file->duration > 0)
		info->duration_ns = (uint64_t)c->file->duration * (SEC_NS / AV_TIME_BASE);
	info->codec = avcodec_get_name(c->stream->codecpar->codec_id);
}

int sluice_clip_rewind(struct sluice_clip *c)
{
	int ret = avformat_seek_file(c->file, c->stream->index, INT64_MIN, 0, INT64_MAX, 0);

	if (ret < 0)
		ret = av_seek_frame(c->file, c->stream->index, 0, AVSEEK_FLAG_BYTE);
	if (ret < 0)
		return clip_fail(c, "cannot be played again", ret);
	if (c->decoder)
		avcodec_flush_buffers(c->decoder);
	c->draining = false;
	c->ready = false;
	c->timed = false;
	c->index = 0;
	return 0;
}

const char *sluice_clip_why(const struct sluice_clip *c)
{
	return c->why;
}

uint64_t sluice_clip_damaged(const struct sluice_clip *c)
{
	return c->damaged;
}

void sluice_clip_close(struct sluice_clip *c)
{
	if (!c)
		return;
	sluice_convert_free(&c->convert);
	avcodec_free_context(&c->decoder);
	avformat_close_input(&c->file);
	av_packet_free(&c->packet);
	av_frame_free(&c->picture);
	free(c->path);
	free(c);
}
