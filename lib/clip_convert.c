// SPDX-License-Identifier: MIT
/*
 * clip_convert.c - a decoded picture to the bytes of a camera format.
 *
 * A picture that has the wanted layout and size is copied; everything else goes through swscale,
 * with the range of the luma left as it is (pictures that come as RGB get full range). GREY is the
 * luma plane itself wherever the decoder has one. JPEG is made by libjpeg-turbo, 4:2:0, quality 90,
 * when the clip's own packets cannot be used.
 */
#include "lib/clip_convert.h"
#include "kmod/luma.h"
#include <errno.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdio.h>
#include <stdlib.h>
#include <turbojpeg.h>

#define JPEG_QUALITY 90

static const struct {
	uint32_t fourcc;
	enum AVPixelFormat pix_fmt;
} layouts[] = {
	{ SLUICE_FMT_YU12, AV_PIX_FMT_YUV420P },  { SLUICE_FMT_YUYV, AV_PIX_FMT_YUYV422 },
	{ SLUICE_FMT_UYVY, AV_PIX_FMT_UYVY422 },  { SLUICE_FMT_NV12, AV_PIX_FMT_NV12 },
	{ SLUICE_FMT_NV21, AV_PIX_FMT_NV21 },	  { SLUICE_FMT_GREY, AV_PIX_FMT_GRAY8 },
	{ SLUICE_FMT_RGB24, AV_PIX_FMT_RGB24 },	  { SLUICE_FMT_BGR24, AV_PIX_FMT_BGR24 },
	{ SLUICE_FMT_MJPEG, AV_PIX_FMT_YUV420P },
};

static enum AVPixelFormat layout_of(uint32_t fourcc)
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (layouts[i].fourcc == fourcc)
			return layouts[i].pix_fmt;
	return AV_PIX_FMT_NONE;
}

uint32_t sluice_convert_native(int pix_fmt)
{
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (layouts[i].pix_fmt == pix_fmt)
			return layouts[i].fourcc;
	return SLUICE_FMT_YU12;
}

/* yuvj420p is yuv420p with another range, which stays as it is. */
static int plain_format(int pix_fmt)
{
	switch (pix_fmt) {
	case AV_PIX_FMT_YUVJ420P:
		return AV_PIX_FMT_YUV420P;
	case AV_PIX_FMT_YUVJ422P:
		return AV_PIX_FMT_YUV422P;
	case AV_PIX_FMT_YUVJ444P:
		return AV_PIX_FMT_YUV444P;
	case AV_PIX_FMT_YUVJ440P:
		return AV_PIX_FMT_YUV440P;
	default:
		return pix_fmt;
	}
}

/* True if plane 0 is 8-bit luma, one byte a pixel. */
static int has_luma_plane(int pix_fmt)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(pix_fmt);

	return d && !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) &&
	       d->comp[0].plane == 0 && d->comp[0].step == 1 && d->comp[0].depth == 8;
}

static uint8_t *grow(uint8_t **bytes, size_t *room, size_t len)
{
	uint8_t *more;

	if (*room >= len)
		return *bytes;
	more = realloc(*bytes, len);
	if (!more)
		return NULL;
	*bytes = more;
	*room = len;
	return more;
}

static int open_scaler(struct sluice_convert *v, const AVFrame *p, int from, int to)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(from);
	int rgb_in = d && d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
	int range = rgb_in || p->color_range == AVCOL_RANGE_JPEG;
	int same = p->width == (int)v->width && p->height == (int)v->height;
	const int *matrix = sws_getCoefficients(SWS_CS_ITU601);

	if (v->sws && v->sws_from == from && v->sws_width == p->width && v->sws_height == p->height)
		return 0;
	sws_freeContext(v->sws);
	v->sws = sws_getContext(p->width, p->height, from, (int)v->width, (int)v->height, to,
				(same ? SWS_POINT : SWS_AREA) | SWS_ACCURATE_RND, NULL, NULL, NULL);
	if (!v->sws) {
		snprintf(v->why, sizeof(v->why), "pictures of type %s cannot be converted",
			 d ? d->name : "?");
		return -EOPNOTSUPP;
	}
	sws_setColorspaceDetails(v->sws, matrix, range, matrix, range, 0, 1 << 16, 1 << 16);
	v->sws_from = from;
	v->sws_width = p->width;
	v->sws_height = p->height;
	return 0;
}

/* The picture in layout `to`, at v->width x v->height, into bytes (room for it). */
static int fill(struct sluice_convert *v, const AVFrame *p, int to, uint8_t *bytes)
{
	int from = plain_format(p->format);
	bool fits = p->width >= (int)v->width && p->height >= (int)v->height &&
		    p->width - v->width < 2 && p->height - v->height < 2;
	uint8_t *dst[4];
	int dst_line[4];
	int ret;

	av_image_fill_arrays(dst, dst_line, bytes, to, (int)v->width, (int)v->height, 1);
	if (fits && (from == to || (to == AV_PIX_FMT_GRAY8 && has_luma_plane(from)))) {
		const uint8_t *src[4] = { p->data[0], p->data[1], p->data[2], p->data[3] };

		av_image_copy(dst, dst_line, src, p->linesize, to, (int)v->width, (int)v->height);
		return 0;
	}
	ret = open_scaler(v, p, from, to);
	if (ret)
		return ret;
	ret = sws_scale(v->sws, (const uint8_t *const *)p->data, p->linesize, 0, p->height, dst,
			dst_line);
	return ret > 0 ? 0 : -EOPNOTSUPP;
}

static int encode(struct sluice_convert *v)
{
	unsigned long size = tjBufSize((int)v->width, (int)v->height, TJSAMP_420);
	unsigned char *to = grow(&v->bytes, &v->room, size);

	if (!v->jpeg)
		v->jpeg = tjInitCompress();
	if (!to || !v->jpeg)
		return -ENOMEM;
	if (tjCompressFromYUV(v->jpeg, v->planes, (int)v->width, 1, (int)v->height, TJSAMP_420, &to,
			      &size, JPEG_QUALITY, TJFLAG_NOREALLOC)) {
		snprintf(v->why, sizeof(v->why), "%s", tjGetErrorStr2(v->jpeg));
		return -EOPNOTSUPP;
	}
	v->len = size;
	return 0;
}

int sluice_convert_run(struct sluice_convert *v, const AVFrame *p)
{
	int to = layout_of(v->fourcc);
	int len, ret;

	if (!v->width || !v->height) {
		v->width = (uint32_t)p->width & ~1u;
		v->height = (uint32_t)p->height & ~1u;
	}
	len = av_image_get_buffer_size(to, (int)v->width, (int)v->height, 1);
	if (to == AV_PIX_FMT_NONE || len <= 0) {
		snprintf(v->why, sizeof(v->why), "no frames of %ux%u in this format", v->width,
			 v->height);
		return -EOPNOTSUPP;
	}
	if (v->fourcc == SLUICE_FMT_MJPEG) {
		if (!grow(&v->planes, &v->planes_room, (size_t)len))
			return -ENOMEM;
		ret = fill(v, p, to, v->planes);
		return ret ? ret : encode(v);
	}
	if (!grow(&v->bytes, &v->room, (size_t)len))
		return -ENOMEM;
	v->len = (size_t)len;
	return fill(v, p, to, v->bytes);
}

void sluice_convert_free(struct sluice_convert *v)
{
	sws_freeContext(v->sws);
	v->sws = NULL;
	if (v->jpeg)
		tjDestroy(v->jpeg);
	v->jpeg = NULL;
	free(v->bytes);
	free(v->planes);
	v->bytes = v->planes = NULL;
}
