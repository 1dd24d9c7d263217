// SPDX-License-Identifier: MIT
/*
 * export_mp4.c - stored JPEGs in an MP4, each as it is and at its own time (microseconds), nothing
 * is encoded. What plays Motion JPEG in MP4 (ffplay, VLC, mpv) plays it; browsers do not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavformat/avformat.h>

#include "cloud/export.h"
#include "lib/whole.h"

#define BUFFER 65536

struct sluice_mp4 {
	int fd;
	AVFormatContext *format;
	AVIOContext *io;
	uint64_t first_ns, last_ns;
	int begun;
};

static int write_bytes(void *ctx, uint8_t *buf, int size)
{
	struct sluice_mp4 *m = ctx;
	int err = sluice_write_whole(m->fd, buf, (size_t)size);

	return err ? AVERROR(-err) : size;
}

static int64_t seek_bytes(void *ctx, int64_t offset, int whence)
{
	struct sluice_mp4 *m = ctx;
	off_t at;

	if (whence & AVSEEK_SIZE)
		return -1;
	at = lseek(m->fd, (off_t)offset, whence & 3);
	return at < 0 ? AVERROR(errno) : at;
}

static int to_errno(int rc)
{
	return rc >= 0		       ? 0
	       : rc == AVERROR(ENOMEM) ? -ENOMEM
	       : rc == AVERROR(ENOSPC) ? -ENOSPC
				       : -EIO;
}

static int begin_file(struct sluice_mp4 *m, unsigned int width, unsigned int height)
{
	AVStream *st = avformat_new_stream(m->format, NULL);

	if (!st)
		return AVERROR(ENOMEM);
	st->time_base = (AVRational){ 1, 1000000 };
	st->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
	st->codecpar->codec_id = AV_CODEC_ID_MJPEG;
	st->codecpar->width = (int)width;
	st->codecpar->height = (int)height;
	m->format->flags |= AVFMT_FLAG_BITEXACT; /* the same event is the same file */
	return avformat_write_header(m->format, NULL);
}

int sluice_mp4_open(int fd, unsigned int width, unsigned int height, struct sluice_mp4 **out)
{
	struct sluice_mp4 *m = calloc(1, sizeof(*m));
	uint8_t *buffer = av_malloc(BUFFER);
	int rc = AVERROR(ENOMEM);

	*out = NULL;
	if (!m || !buffer)
		goto err;
	m->fd = fd;
	m->io = avio_alloc_context(buffer, BUFFER, 1, m, NULL, write_bytes, seek_bytes);
	if (!m->io)
		goto err;
	buffer = NULL;
	rc = avformat_alloc_output_context2(&m->format, NULL, "mp4", NULL);
	if (rc < 0)
		goto err;
	m->format->pb = m->io;
	rc = begin_file(m, width, height);
	if (rc < 0)
		goto err;
	m->begun = 1;
	*out = m;
	return 0;
err:
	av_free(buffer);
	sluice_mp4_close(m, 0);
	return to_errno(rc);
}

int sluice_mp4_frame(struct sluice_mp4 *m, uint64_t time_ns, const uint8_t *jpeg, size_t size)
{
	AVPacket *p = av_packet_alloc();
	int rc;

	if (!p)
		return -ENOMEM;
	rc = av_new_packet(p, (int)size);
	if (rc < 0) {
		av_packet_free(&p);
		return to_errno(rc);
	}
	memcpy(p->data, jpeg, size);
	if (!m->last_ns)
		m->first_ns = time_ns;
	m->last_ns = time_ns;
	p->pts = p->dts =
		av_rescale_q((int64_t)(time_ns - m->first_ns), (AVRational){ 1, 1000000000 },
			     m->format->streams[0]->time_base);
	p->duration = av_rescale_q(200, (AVRational){ 1, 1000 }, m->format->streams[0]->time_base);
	p->flags |= AV_PKT_FLAG_KEY;
	rc = av_write_frame(m->format, p);
	av_packet_free(&p);
	return to_errno(rc);
}

int sluice_mp4_close(struct sluice_mp4 *m, int finish)
{
	int rc = 0;

	if (!m)
		return 0;
	if (m->begun && finish) {
		rc = av_write_trailer(m->format);
		avio_flush(m->io);
		if (rc >= 0 && m->io->error < 0)
			rc = m->io->error;
	}
	avformat_free_context(m->format);
	if (m->io)
		av_freep(&m->io->buffer);
	avio_context_free(&m->io);
	free(m);
	return to_errno(rc);
}
