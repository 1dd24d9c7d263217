// SPDX-License-Identifier: MIT
/*
 * webm.c - see webm.h. libavcodec's wrapper of libvpx, real time at its fastest: the digest is one
 * of many things that this machine does. Only encoders and the muxer are used here: what comes
 * from cameras is decoded by libjpeg alone (decode.c).
 */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/webm.h"

struct sluice_webm {
	AVCodecContext *codec;
	AVFormatContext *file;
	AVPacket *packet;
	AVFrame *frame;
	AVIOContext *memory; /* what file writes to; freed with its buffer */
	int headed;
};

static int errno_of(int err)
{
	return err == AVERROR(ENOMEM) ? -ENOMEM : -EIO;
}

static int open_codec(struct sluice_webm *v, const AVCodec *vp9, uint32_t w, uint32_t h,
		      uint32_t fps, uint32_t bits)
{
	AVCodecContext *c = v->codec = avcodec_alloc_context3(vp9);

	if (!c)
		return -ENOMEM;
	c->width = (int)w;
	c->height = (int)h;
	c->time_base = (AVRational){ 1, (int)fps };
	c->framerate = (AVRational){ (int)fps, 1 };
	c->pix_fmt = AV_PIX_FMT_YUV420P;
	c->color_range = AVCOL_RANGE_JPEG;
	c->colorspace = AVCOL_SPC_BT470BG;
	c->thread_count = 1;
	c->gop_size = 5 * (int)fps;
	c->bit_rate = bits;
	c->flags = AV_CODEC_FLAG_GLOBAL_HEADER;
	av_opt_set(c->priv_data, "deadline", "realtime", 0);
	av_opt_set_int(c->priv_data, "cpu-used", 8, 0);
	av_opt_set_int(c->priv_data, "lag-in-frames", 0, 0);
	av_opt_set_int(c->priv_data, "crf", 32, 0);
	return avcodec_open2(c, vp9, NULL) < 0 ? -EIO : 0;
}

static int open_file(struct sluice_webm *v)
{
	AVStream *s;
	int err;

	if (avformat_alloc_output_context2(&v->file, NULL, "webm", NULL) < 0)
		return -ENOMEM;
	v->file->flags |= AVFMT_FLAG_BITEXACT; /* no random ids: twice the same is the same */
	s = avformat_new_stream(v->file, NULL);
	if (!s || avcodec_parameters_from_context(s->codecpar, v->codec) < 0)
		return -ENOMEM;
	s->time_base = v->codec->time_base;
	s->avg_frame_rate = v->codec->framerate;
	if (avio_open_dyn_buf(&v->memory) < 0)
		return -ENOMEM;
	v->file->pb = v->memory;
	err = avformat_write_header(v->file, NULL);
	v->headed = err >= 0;
	return err < 0 ? errno_of(err) : 0;
}

int sluice_webm_open(uint32_t w, uint32_t h, uint32_t fps, uint32_t bits, struct sluice_webm **out)
{
	const AVCodec *vp9 = avcodec_find_encoder_by_name("libvpx-vp9");
	struct sluice_webm *v;
	int err;

	*out = NULL;
	if (!vp9)
		return -ENOSYS;
	av_log_set_level(AV_LOG_ERROR); /* the encoder greets every file */
	if (w & 1 || h & 1 || !w || !h || !fps)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	err = open_codec(v, vp9, w, h, fps, bits);
	if (!err)
		err = open_file(v);
	v->packet = av_packet_alloc();
	v->frame = av_frame_alloc();
	if (!err && (!v->packet || !v->frame))
		err = -ENOMEM;
	if (!err) {
		v->frame->format = AV_PIX_FMT_YUV420P;
		v->frame->width = (int)w;
		v->frame->height = (int)h;
		v->frame->color_range = AVCOL_RANGE_JPEG;
		v->frame->colorspace = AVCOL_SPC_BT470BG;
		err = av_frame_get_buffer(v->frame, 0) < 0 ? -ENOMEM : 0;
	}
	if (err) {
		sluice_webm_close(v);
		return err;
	}
	v->frame->pts = 0;
	*out = v;
	return 0;
}

/* A picture, or NULL: no more follow. What comes out goes into the file. */
static int encode(struct sluice_webm *v, const AVFrame *frame)
{
	int err = avcodec_send_frame(v->codec, frame);

	while (err >= 0) {
		err = avcodec_receive_packet(v->codec, v->packet);
		if (err == AVERROR(EAGAIN) || err == AVERROR_EOF)
			return avio_tell(v->memory) > SLUICE_WEBM_BYTES_MAX ? -EFBIG : 0;
		if (err < 0)
			break;
		v->packet->stream_index = 0;
		if (!v->packet->duration)
			v->packet->duration = 1;
		av_packet_rescale_ts(v->packet, v->codec->time_base,
				     v->file->streams[0]->time_base);
		err = av_write_frame(v->file, v->packet);
		av_packet_unref(v->packet);
	}
	return errno_of(err);
}

int sluice_webm_picture(struct sluice_webm *v, const struct sluice_picture *p)
{
	AVFrame *f = v->frame;
	int err;

	if ((int)p->w != f->width || (int)p->h != f->height)
		return -EINVAL;
	if (av_frame_make_writable(f) < 0)
		return -ENOMEM;
	for (int i = 0; i < 3; i++) {
		uint32_t w = p->w >> !!i, h = p->h >> !!i;

		for (uint32_t y = 0; y < h; y++)
			memcpy(f->data[i] + (ptrdiff_t)y * f->linesize[i],
			       p->plane[i] + (size_t)y * w, w);
	}
	err = encode(v, f);
	f->pts++;
	return err;
}

int sluice_webm_finish(struct sluice_webm *v, uint8_t **data, size_t *size)
{
	int err = encode(v, NULL), n;
	uint8_t *bytes = NULL;

	*data = NULL;
	if (!err && av_write_trailer(v->file) < 0)
		err = -EIO;
	v->headed = 0;
	n = avio_close_dyn_buf(v->memory, &bytes);
	v->memory = NULL;
	v->file->pb = NULL;
	if (!err && (n <= 0 || (unsigned int)n > SLUICE_WEBM_BYTES_MAX))
		err = n <= 0 ? -EIO : -EFBIG;
	if (!err) {
		*data = malloc(n);
		err = *data ? 0 : -ENOMEM;
	}
	if (!err) {
		memcpy(*data, bytes, n);
		*size = n;
	}
	av_free(bytes);
	return err;
}

void sluice_webm_close(struct sluice_webm *v)
{
	uint8_t *bytes = NULL;

	if (!v)
		return;
	if (v->headed)
		av_write_trailer(v->file); /* frees what the muxer holds */
	if (v->memory) {
		avio_close_dyn_buf(v->memory, &bytes);
		av_free(bytes);
	}
	if (v->file)
		v->file->pb = NULL;
	avformat_free_context(v->file);
	avcodec_free_context(&v->codec);
	av_packet_free(&v->packet);
	av_frame_free(&v->frame);
	free(v);
}
