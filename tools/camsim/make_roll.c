// SPDX-License-Identifier: MIT
/*
 * Clip to roll: read, decode, scale, encode, at the clip's own times or resampled to a fixed rate.
 *
 * JPEGs are made as USB cameras make them: 4:2:2, quality 80, full range. YUYV is limited range, as
 * UVC says. The packets of an MJPEG clip of the wanted size are passed on unchanged. A packet that
 * cannot be decoded is skipped and told at the end; a clip without a single frame is an error, and
 * the unfinished file is removed.
 */
#include "tools/camsim/make_roll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <turbojpeg.h>

#define QUALITY 80

struct maker {
	const struct options *o;
	AVFormatContext *in;
	AVCodecContext *decoder; /* NULL: packets are passed on */
	AVStream *stream;
	AVPacket *packet;
	AVFrame *frame, *scaled;
	struct SwsContext *sws;
	tjhandle jpeg;
	unsigned char *jpeg_data;
	unsigned long jpeg_size;
	uint8_t *yuyv;
	enum roll_format format;
	uint32_t width, height;
	struct roll_writer writer;
	bool writing;
	int64_t first_ns; /* the clip's time of its first frame */
	uint64_t last_ns;
	uint64_t seen, skipped;
	/* resampling (--fps): the frame that holds until the next one's time */
	uint8_t *held;
	uint32_t held_size, held_room;
	uint64_t out_count;
	bool done; /* --max-seconds reached */
};

static int fail(const char *what, int error)
{
	char text[AV_ERROR_MAX_STRING_SIZE];

	if (error)
		fprintf(stderr, "sluice-camsim: %s: %s\n", what,
			av_make_error_string(text, sizeof(text), error));
	else
		fprintf(stderr, "sluice-camsim: %s\n", what);
	return -1;
}

static int open_clip(struct maker *m)
{
	const char *clip = m->o->rolls[0];
	const AVCodec *codec;
	AVCodecParameters *par;
	bool pass;
	int r = avformat_open_input(&m->in, clip, NULL, NULL);

	if (!r)
		r = avformat_find_stream_info(m->in, NULL);
	if (r >= 0)
		r = av_find_best_stream(m->in, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
	if (r < 0)
		return fail(clip, r);
	m->stream = m->in->streams[r];
	par = m->stream->codecpar;
	m->format = m->o->format ? m->o->format : ROLL_MJPEG;
	m->width = m->o->width ? m->o->width : (uint32_t)par->width & ~1u;
	m->height = m->o->height ? m->o->height : (uint32_t)par->height & ~1u;
	if (!m->width || !m->height || m->width > ROLL_SIDE_MAX || m->height > ROLL_SIDE_MAX)
		return fail("picture size of the clip is out of range", 0);
	pass = par->codec_id == AV_CODEC_ID_MJPEG && m->format == ROLL_MJPEG &&
	       m->width == (uint32_t)par->width && m->height == (uint32_t)par->height;
	m->packet = av_packet_alloc();
	m->frame = av_frame_alloc();
	m->scaled = av_frame_alloc();
	if (!m->packet || !m->frame || !m->scaled)
		return fail(clip, AVERROR(ENOMEM));
	if (pass)
		return 0;
	m->decoder = avcodec_alloc_context3(codec);
	if (!m->decoder)
		return fail(clip, AVERROR(ENOMEM));
	r = avcodec_parameters_to_context(m->decoder, par);
	m->decoder->thread_count = 2;
	if (!r)
		r = avcodec_open2(m->decoder, codec, NULL);
	return r ? fail(clip, r) : 0;
}

static int open_encoder(struct maker *m)
{
	if (!m->decoder)
		return 0;
	m->scaled->width = m->width;
	m->scaled->height = m->height;
	m->scaled->format = m->format == ROLL_MJPEG ? AV_PIX_FMT_YUV422P : AV_PIX_FMT_YUYV422;
	m->yuyv = malloc((size_t)m->width * m->height * 2);
	if (!m->yuyv || av_frame_get_buffer(m->scaled, 64))
		return fail("cannot hold a picture", AVERROR(ENOMEM));
	m->jpeg = tjInitCompress();
	if (!m->jpeg)
		return fail("cannot start the JPEG encoder", 0);
	return 0;
}

static int write_frame(struct maker *m, uint64_t pts_ns, const void *data, uint32_t size)
{
	int r = roll_writer_add(&m->writer, pts_ns, data, size);

	return r ? fail(m->o->make_roll, AVERROR(-r)) : 0;
}

/* Writes what is due before @until_ns at the fixed rate, out of the frame that is held. */
static int write_held(struct maker *m, uint64_t until_ns)
{
	for (;;) {
		uint64_t at = m->out_count * 1000000000000ull / m->o->fps_milli;

		if (at >= until_ns)
			return 0;
		if (write_frame(m, at, m->held, m->held_size))
			return -1;
		m->out_count++;
	}
}

/* A finished frame and its time in the clip. */
static int put_frame(struct maker *m, int64_t clip_ns, const void *data, uint32_t size)
{
	uint64_t pts;

	if (!m->seen++)
		m->first_ns = clip_ns;
	pts = clip_ns > m->first_ns ? clip_ns - m->first_ns : 0;
	if (pts < m->last_ns)
		pts = m->last_ns;
	if (m->o->max_ns && pts >= m->o->max_ns) {
		m->seen--;
		m->done = true;
		return 0;
	}
	m->last_ns = pts;
	if (!m->o->fps_milli)
		return write_frame(m, pts, data, size);
	if (write_held(m, pts))
		return -1;
	if (m->held_room < size) {
		uint8_t *more = realloc(m->held, size);

		if (!more)
			return fail("out of memory", 0);
		m->held = more;
		m->held_room = size;
	}
	memcpy(m->held, data, size);
	m->held_size = size;
	return 0;
}

static int64_t clip_time_ns(const struct maker *m, int64_t pts)
{
	AVRational rate = m->stream->avg_frame_rate;

	if (pts != AV_NOPTS_VALUE)
		return av_rescale_q(pts, m->stream->time_base, (AVRational){ 1, 1000000000 });
	if (rate.num <= 0 || rate.den <= 0)
		rate = (AVRational){ 30, 1 };
	return av_rescale_q(m->seen, av_inv_q(rate), (AVRational){ 1, 1000000000 });
}

/* The "J" formats are full range by name; swscale wants the plain name and the range. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format, bool *full)
{
	switch (format) {
	case AV_PIX_FMT_YUVJ420P:
		*full = true;
		return AV_PIX_FMT_YUV420P;
	case AV_PIX_FMT_YUVJ422P:
		*full = true;
		return AV_PIX_FMT_YUV422P;
	case AV_PIX_FMT_YUVJ444P:
		*full = true;
		return AV_PIX_FMT_YUV444P;
	default:
		return format;
	}
}

static int scale_frame(struct maker *m)
{
	const int *matrix = sws_getCoefficients(SWS_CS_ITU601);
	const AVFrame *f = m->frame;
	bool full = f->color_range == AVCOL_RANGE_JPEG;
	enum AVPixelFormat from = plain_format(f->format, &full);
	struct SwsContext *old = m->sws;

	m->sws = sws_getCachedContext(old, f->width, f->height, from, m->width, m->height,
				      m->scaled->format, SWS_BICUBIC | SWS_ACCURATE_RND, NULL, NULL,
				      NULL);
	if (!m->sws)
		return fail("cannot convert this pixel format", 0);
	if (m->sws != old)
		sws_setColorspaceDetails(m->sws, matrix, full, matrix, m->format == ROLL_MJPEG, 0,
					 1 << 16, 1 << 16);
	if (sws_scale(m->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height,
		      m->scaled->data, m->scaled->linesize) != (int)m->height)
		return fail("cannot scale the clip", 0);
	return 0;
}

static int encode_frame(struct maker *m)
{
	const unsigned char *planes[3] = { m->scaled->data[0], m->scaled->data[1],
					   m->scaled->data[2] };
	int64_t at = clip_time_ns(m, m->frame->best_effort_timestamp);

	if (scale_frame(m))
		return -1;
	if (m->format == ROLL_YUYV) {
		int stride = m->width * 2;

		av_image_copy_plane(m->yuyv, stride, m->scaled->data[0], m->scaled->linesize[0],
				    stride, m->height);
		return put_frame(m, at, m->yuyv, stride * m->height);
	}
	if (tjCompressFromYUVPlanes(m->jpeg, planes, m->width, m->scaled->linesize, m->height,
				    TJSAMP_422, &m->jpeg_data, &m->jpeg_size, QUALITY, 0))
		return fail(tjGetErrorStr2(m->jpeg), 0);
	return put_frame(m, at, m->jpeg_data, m->jpeg_size);
}

/* @packet NULL: the end; the decoder gives what it still holds. */
static int take_packet(struct maker *m, const AVPacket *packet)
{
	uint32_t width, height;
	int r;

	if (!m->decoder) {
		if (!packet)
			return 0;
		if (roll_jpeg_size(packet->data, packet->size, &width, &height) ||
		    width != m->width || height != m->height) {
			m->skipped++;
			return 0;
		}
		return put_frame(m, clip_time_ns(m, packet->pts), packet->data, packet->size);
	}
	r = avcodec_send_packet(m->decoder, packet);
	if (r < 0 && r != AVERROR_EOF)
		m->skipped++;
	while (!m->done) {
		r = avcodec_receive_frame(m->decoder, m->frame);
		if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
			return 0;
		if (r < 0) {
			m->skipped++;
			return 0;
		}
		r = encode_frame(m);
		av_frame_unref(m->frame);
		if (r)
			return r;
	}
	return 0;
}

static int convert_clip(struct maker *m)
{
	int r = 0;

	while (!r && !m->done && av_read_frame(m->in, m->packet) >= 0) {
		if (m->packet->stream_index == m->stream->index)
			r = take_packet(m, m->packet);
		av_packet_unref(m->packet);
	}
	if (!r && !m->done)
		r = take_packet(m, NULL);
	if (!r && !m->seen)
		r = fail("no frame of the clip can be decoded", 0);
	if (!r && m->o->fps_milli) /* the last frame holds as long as those before did */
		r = write_held(m, m->last_ns + (m->seen > 1 ? m->last_ns / (m->seen - 1) : 1));
	return r;
}

static int finish_roll(struct maker *m)
{
	AVRational rate = m->stream->avg_frame_rate;
	uint32_t count = m->writer.header.frame_count;
	uint64_t interval = 33333333;
	int r;

	if (m->o->fps_milli)
		interval = 1000000000000ull / m->o->fps_milli;
	else if (count > 1 && m->last_ns)
		interval = m->last_ns / (count - 1);
	else if (rate.num > 0 && rate.den > 0)
		interval = av_rescale(1000000000, rate.den, rate.num);
	r = roll_writer_end(&m->writer, interval ? interval : 1, m->o->loop_pause_ns);
	if (r)
		return fail(m->o->make_roll, AVERROR(-r));
	m->writing = false;
	printf("%s: %s %ux%u, %u frames, %.3f frames/s, %.1f s%s\n", m->o->make_roll,
	       roll_format_name(m->format), m->width, m->height, count, 1e9 / interval,
	       (m->writer.pts_last_ns + interval) / 1e9, m->decoder ? "" : ", JPEGs unchanged");
	if (m->skipped)
		fprintf(stderr, "sluice-camsim: %llu packets of the clip could not be decoded\n",
			(unsigned long long)m->skipped);
	return 0;
}

static void free_maker(struct maker *m)
{
	roll_writer_drop(&m->writer);
	if (m->writing)
		unlink(m->o->make_roll);
	free(m->held);
	free(m->yuyv);
	tjFree(m->jpeg_data);
	if (m->jpeg)
		tjDestroy(m->jpeg);
	sws_freeContext(m->sws);
	av_frame_free(&m->scaled);
	av_frame_free(&m->frame);
	av_packet_free(&m->packet);
	avcodec_free_context(&m->decoder);
	avformat_close_input(&m->in);
}

int make_roll(const struct options *o)
{
	struct maker m = { .o = o };
	int r;

	av_log_set_level(AV_LOG_FATAL);
	r = open_clip(&m);
	if (!r)
		r = open_encoder(&m);
	if (!r) {
		r = roll_writer_begin(&m.writer, o->make_roll, m.format, m.width, m.height);
		m.writing = m.writer.file != NULL;
		if (r)
			r = fail(o->make_roll, AVERROR(-r));
	}
	if (!r)
		r = convert_clip(&m);
	if (!r)
		r = finish_roll(&m);
	free_maker(&m);
	return r ? 1 : 0;
}
