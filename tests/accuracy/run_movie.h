/* SPDX-License-Identifier: MIT */
/* run_movie.h - one generated movie through everything, judged; and what peers make of its frames.
 */
#ifndef SLUICE_ACCURACY_RUN_MOVIE_H
#define SLUICE_ACCURACY_RUN_MOVIE_H

#include "judge.h"
#include "peers.h"

#define DWELL_S 30.0 /* longer standing ends an event (cloud/telling.c) */

struct movie_score {
	struct event_score events, split; /* joined as the product does (10 s), and at 2 s */
	struct mask_score mask;
	struct track_score tracks;
	struct key_score keys;
	u32 left, removed, left_told, removed_told;
	u32 frames;   /* analysed */
	double cpu_s; /* of the analysis */
};

struct movie_run {
	struct movie *movie;
	const struct movie_script *script;
	struct truth truth;
	struct movie_log log;
	u8 *label[PLAY_FRAMES];
	struct play play;
	/* of the pass that is under way */
	u32 next, at;
	u8 *yuv;
	struct mask_score *mask;
};

/* Aborts when memory is short; -1 if gate and analysis do not agree. */
int movie_run_open(struct movie_run *r, const struct movie_script *s, const struct ground *g,
		   u32 seed, struct movie_score *score);
/* The same stored frames with other settings. */
int movie_run_again(struct movie_run *r, const struct sluice_analysis_config *c,
		    struct movie_score *score);
/* false: there is no such peer here. Its events are spans of frames with a blob of 1/1500 of the
 * picture. */
bool movie_run_peer(struct movie_run *r, enum peer_kind kind, struct movie_score *score);
void movie_run_close(struct movie_run *r);

#endif
