/* SPDX-License-Identifier: MIT */
/*
 * play.h - frames through gate, ring and encoder, as sluice-feed and sluice-relay do it with
 * default settings, into the analysis: everything between a camera and a summary but the connection
 * and the disk.
 */
#ifndef SLUICE_ACCURACY_PLAY_H
#define SLUICE_ACCURACY_PLAY_H

#include <jansson.h>

#include "cloud/analysis.h"
#include "kmod/core.h"

#define PLAY_FRAMES    8192 /* of one run */
#define PLAY_SUMMARIES 64

/* A frame that passed the gate. */
struct play_frame {
	u32 index; /* of the frame that was given */
	double t_s;
	u16 reason;
	u8 *jpeg;
	size_t size;
	struct sluice_stored_frame stored; /* points to jpeg and to a copy of the cells */
};

/* What a run left. All of it is the player's until play_free(). */
struct play {
	u32 width, height;
	u32 given; /* frames */
	double length_s;
	u64 bytes_given; /* what all frames are as JPEGs; 0: not asked for */
	u32 count;
	struct play_frame frame[PLAY_FRAMES];
	u32 summaries, events;
	json_t *summary[PLAY_SUMMARIES]; /* of kind event, in order */
	struct sluice_analysis *analysis;
	double cpu_s; /* of the analysis, frames alone */
};

struct play_source {
	u32 width, height;
	/* YU12 and the time of the next frame, or false. The bytes stay the source's. */
	bool (*next)(void *ctx, const u8 **yuv, double *t_s);
	/* After a frame that passed has been analysed; may be NULL. */
	void (*analysed)(void *ctx, const struct play *p, const struct play_frame *f);
	void *ctx;
};

/* Runs all of it and flushes. c: NULL for the product's defaults. Aborts when memory is short. 0 or
 * -1. */
int play_run(struct play *p, const struct play_source *s, const struct sluice_analysis_config *c);
/* The same with all of a clip file; -1: it cannot be read, which has been told. */
int play_clip(struct play *p, const char *path);
/* The stored frames of an earlier run again, with other settings. out->frame is not filled. */
int play_again(struct play *out, const struct play *from, const struct play_source *s,
	       const struct sluice_analysis_config *c);
void play_free(struct play *p);
/* Its events and tracks on stdout, indented. */
void play_print(const struct play *p);

/* The defaults. */
void play_config(struct sluice_analysis_config *c);

#endif
