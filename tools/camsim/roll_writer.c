// SPDX-License-Identifier: MIT
/*
 * Writing rolls. The header is written last: a roll whose making was interrupted begins with zeros
 * and is refused by every reader. On an error the caller drops the writer, and the file is of no
 * use.
 */
#include "tools/camsim/roll.h"

#include <errno.h>
#include <string.h>

static int write_all(struct roll_writer *w, const void *data, size_t size)
{
	errno = 0;
	if (fwrite(data, 1, size, w->file) != size)
		return errno ? -errno : -EIO;
	return 0;
}

int roll_writer_begin(struct roll_writer *w, const char *path, enum roll_format format,
		      uint32_t width, uint32_t height)
{
	static const struct roll_header blank;

	*w = (struct roll_writer){ 0 };
	w->header.version = ROLL_VERSION;
	w->header.header_size = sizeof(w->header);
	w->header.format = format;
	w->header.width = width;
	w->header.height = height;
	w->file = fopen(path, "we");
	if (!w->file)
		return -errno;
	return write_all(w, &blank, sizeof(blank));
}

int roll_writer_add(struct roll_writer *w, uint64_t pts_ns, const void *data, uint32_t size)
{
	struct roll_frame_header h = { pts_ns, size, roll_crc32(0, data, size) };
	int r;

	if (!size || size > ROLL_FRAME_MAX || w->header.frame_count == ROLL_FRAMES_MAX)
		return -EFBIG;
	if (w->header.frame_count ? pts_ns < w->pts_last_ns : pts_ns != 0)
		return -EINVAL;
	r = write_all(w, &h, sizeof(h));
	if (!r)
		r = write_all(w, data, size);
	if (r)
		return r;
	w->pts_last_ns = pts_ns;
	w->header.frame_count++;
	return 0;
}

int roll_writer_end(struct roll_writer *w, uint64_t interval_ns, uint64_t loop_pause_ns)
{
	FILE *file = w->file;
	int r;

	if (!w->header.frame_count || !interval_ns)
		return -EINVAL;
	memcpy(w->header.magic, ROLL_MAGIC, sizeof(w->header.magic));
	w->header.interval_ns = interval_ns;
	w->header.loop_pause_ns = loop_pause_ns;
	if (fflush(file) || fseek(file, 0, SEEK_SET))
		return -errno;
	r = write_all(w, &w->header, sizeof(w->header));
	if (r)
		return r;
	w->file = NULL;
	return fclose(file) ? -errno : 0;
}

void roll_writer_drop(struct roll_writer *w)
{
	if (w->file)
		fclose(w->file);
	w->file = NULL;
}
