// SPDX-License-Identifier: MIT
/* wire_h264.c - continuous recording: ffmpeg as a process, raw frames in, H.264 in a file. */
#include "wire.h"
#include "lib/clip.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define YU12 0x32315559u

static int encode(const struct wire_clip *c, uint32_t every, int crf, const char *file)
{
	struct sluice_clip_options o = { .fourcc = YU12 };
	struct sluice_clip_frame f;
	struct sluice_clip *clip;
	char why[256], command[1024];
	FILE *out;
	int err = 0;

	clip = sluice_clip_open(c->path, &o, why, sizeof(why));
	snprintf(command, sizeof(command),
		 "ffmpeg -y -v error -f rawvideo -pix_fmt yuv420p -s %ux%u -r %.3f -i - -threads 1 "
		 "-c:v libx264 -preset veryfast -tune zerolatency -crf %d -f h264 %s",
		 c->width, c->height, c->fps / every, crf, file);
	out = clip ? popen(command, "w") : NULL;
	while (out && !err && sluice_clip_next(clip, &f) > 0)
		if (f.index % every == 0)
			err = fwrite(f.data, 1, f.len, out) != f.len;
	if (!out || pclose(out))
		err = -1;
	sluice_clip_close(clip);
	return err ? -1 : 0;
}

/* The sent frame that is nearest to this one of the clip, at most near frames away. */
static const struct wire_frame *nearest(const struct wire_clip *c, uint64_t index, uint64_t near)
{
	const struct wire_frame *best = NULL;

	for (uint64_t i = 0; i < c->sent; i++) {
		uint64_t at = c->frame[i].index, away = at > index ? at - index : index - at;

		if (c->frame[i].mask && away <= near) {
			best = &c->frame[i];
			near = away;
		}
	}
	return best;
}

static int compare(const struct wire_clip *c, uint32_t every, const char *file,
		   struct wire_error *e)
{
	struct sluice_clip_options o = { .fourcc = YU12 };
	size_t size = (size_t)c->width * c->height * 3 / 2;
	uint8_t *picture = malloc(size);
	struct sluice_clip_frame f;
	struct sluice_clip *clip;
	char why[256], command[1024];
	int err = 0;
	FILE *in;

	clip = sluice_clip_open(c->path, &o, why, sizeof(why));
	snprintf(command, sizeof(command),
		 "ffmpeg -v error -threads 1 -i %s -f rawvideo -pix_fmt yuv420p -vsync passthrough "
		 "-",
		 file);
	in = clip && picture ? popen(command, "r") : NULL;
	while (in && !err && sluice_clip_next(clip, &f) > 0) {
		const struct wire_frame *n;

		if (f.index % every)
			continue;
		err = fread(picture, 1, size, in) != size;
		n = err ? NULL : nearest(c, f.index, every / 2);
		if (n)
			wire_compare(e, c, picture, f.data, n->mask, true);
	}
	if (in)
		pclose(in);
	sluice_clip_close(clip);
	free(picture);
	return in && !err ? 0 : -1;
}

int wire_h264_run(const struct wire_clip *c, uint32_t every, int crf, const char *file,
		  uint64_t *bytes, struct wire_error *e)
{
	struct stat st;

	*e = (struct wire_error){ 0 };
	if (encode(c, every, crf, file) || stat(file, &st) || compare(c, every, file, e))
		return -1;
	*bytes = (uint64_t)st.st_size;
	return 0;
}
