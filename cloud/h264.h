/* SPDX-License-Identifier: MIT */
/*
 * h264.h - videos as H.264 too, for players that have no VP9: by a program of the operator's
 * (ffmpeg with an H.264 encoder), which is never part of this one. It runs as a confined process
 * (cage.h) that has the video and room for its answer open, and nothing else.
 */
#ifndef SLUICE_H264_H
#define SLUICE_H264_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/analysis.h"

#define SLUICE_H264_WORD "h264"	     /* of the child */
#define SLUICE_H264_MAX	 (64u << 20) /* bytes of a video */

/*
 * A WebM as MP4 (H.264, fragmented), malloc'd. program: its path. -ECANCELED: stopping;
 * -ETIME: it took too long; -EIO: it failed, or gave no MP4; -ENOMEM and other -errno.
 */
int sluice_h264_make(const char *program, const uint8_t *webm, size_t size,
		     const atomic_int *stopping, uint8_t **mp4, size_t *made);

/* A summary with NAME.mp4 beside its NAME.webm, and its name in the JSON. */
struct sluice_h264_summary {
	struct sluice_summary sum; /* what it does not own is the original's */
	struct sluice_summary_media media[40];
	uint8_t *mp4;
	char *json;
};

/* 0: s->sum is to be stored, and s to be freed; -ENOENT: there is no video in it; or as above. */
int sluice_h264_add(const char *program, const struct sluice_summary *sum,
		    const atomic_int *stopping, struct sluice_h264_summary *s);
void sluice_h264_free(struct sluice_h264_summary *s);

/* main() of the child. */
int sluice_h264_child(int argc, char **argv);

#endif
