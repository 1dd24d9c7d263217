/* SPDX-License-Identifier: MIT */
/*
 * clip.h - the frames of a video file in a format that a camera could deliver.
 *
 * Any container and codec that libavformat and libavcodec read. Luma is handed on as it was coded:
 * neither its range nor its size is changed unless another size is asked for.
 */
#ifndef SLUICE_LIB_CLIP_H
#define SLUICE_LIB_CLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_clip;

struct sluice_clip_options {
	uint32_t fourcc; /* V4L2 fourcc of the frames; 0: what costs least. MJPEG clips then come as
			    their original JPEG packets */
	uint32_t width, height; /* 0: the clip's own, odd ones made even by leaving out the last */
};

struct sluice_clip_info {
	uint32_t fourcc;
	uint32_t width, height;
	uint64_t interval_ns; /* nominal; 0: unknown */
	uint64_t duration_ns; /* as the container says; 0: unknown */
	const char *codec;
};

/* One frame; the bytes are the clip's until the next call. Planes follow each other unpadded. */
struct sluice_clip_frame {
	const uint8_t *data;
	size_t len;
	uint64_t time_ns; /* since the first frame; as the file says, so it may repeat or go back */
	uint64_t index;	  /* 0, 1, ... since the start or the last rewind */
};

/* "yuyv", "nv12", ... to a fourcc and back; 0 and NULL if there is none. */
uint32_t sluice_clip_format_find(const char *name);
const char *sluice_clip_format_name(uint32_t fourcc);

/*
 * Returns NULL with one sentence in why that names the file and the reason. The first frame has
 * been decoded, so a clip that opens has at least one.
 */
struct sluice_clip *sluice_clip_open(const char *path, const struct sluice_clip_options *o,
				     char *why, size_t why_size);

void sluice_clip_info(const struct sluice_clip *c, struct sluice_clip_info *info);

/*
 * 1: f is the next frame. 0: the end. Negative errno: see sluice_clip_why(). Packets that do not
 * decode are left out and counted in sluice_clip_damaged().
 */
int sluice_clip_next(struct sluice_clip *c, struct sluice_clip_frame *f);

/* Back to the first frame. 0 or a negative errno. */
int sluice_clip_rewind(struct sluice_clip *c);

const char *sluice_clip_why(const struct sluice_clip *c);
uint64_t sluice_clip_damaged(const struct sluice_clip *c);

/* NULL-safe. */
void sluice_clip_close(struct sluice_clip *c);

#endif
