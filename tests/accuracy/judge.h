/* SPDX-License-Identifier: MIT */
/* judge.h - what the analysis told, held against what really happened. */
#ifndef SLUICE_ACCURACY_JUDGE_H
#define SLUICE_ACCURACY_JUDGE_H

#include "movie.h"
#include "play.h"
#include "truth.h"

#define JUDGE_TIOU   0.3
#define JUDGE_EVENTS 256

/* Events in time. Told ones are joined by event id; those called nuisance do not count as told. */
struct event_score {
	u32 truth, found; /* events of at least a second, closer ones joined */
	u32 told, right; /* right: tIoU >= JUDGE_TIOU with an event, or it begins in an optional one
			  */
	u32 nuisance;	 /* told as such */
	u32 activities, missed;	  /* single ones of at least a second, and those of which less
				     than half is in a told event */
	double truth_s, untold_s; /* seconds of truth, and those in no told event */
	double told_s, false_s;	  /* seconds told, and those in no truth */
	u32 edges;
	double start_error[JUDGE_EVENTS], end_error[JUDGE_EVENTS]; /* of found ones, absolute */
};

/* join_s: how close activities are one event. */
void judge_events(struct event_score *s, const struct play *p, const struct truth *t,
		  double join_s);
/* The same of spans that somebody else found. */
void judge_spans(struct event_score *s, const struct spans *told, const struct truth *t,
		 double join_s);
void event_score_add(struct event_score *to, const struct event_score *from);

/* Masks, by the definitions of CDnet 2012: F = 2TP / (2TP + FP + FN), PWC = 100 (FP + FN) / all. */
struct mask_score {
	u64 tp, fp, fn, tn;
};

void judge_mask(struct mask_score *s, const u8 *label, const u8 *mask, u32 w, u32 h);
double mask_f(const struct mask_score *s);
double mask_pwc(const struct mask_score *s);

/* Where things were in the frames that passed, for tracks and key frames. */
struct movie_log {
	u32 count;
	double t_s[PLAY_FRAMES];
	struct movie_seen seen[PLAY_FRAMES][MOVIE_THINGS];
};

struct track_score {
	u32 things;		  /* that could be followed */
	u32 tracks, false_tracks; /* told; with less than a fifth of their boxes on a thing */
	u32 boxes, matched; /* of things in frames; with a track's box (IoU >= 0.25) on them */
	u32 switches, fragments;
	double purity; /* sum over tracks that are not false */
	u32 peak_truth, peak_told;
	u32 classes, classes_right, classes_unknown; /* tracks on a thing whose class is known */
};

void judge_tracks(struct track_score *s, const struct play *p, const struct movie_log *log,
		  const struct movie_script *script);
void track_score_add(struct track_score *to, const struct track_score *from);

struct key_score {
	u32 events, shown;	  /* told events with something in them; with a picture of it */
	u32 things, things_shown; /* a picture shows two fifths of it or more */
	u32 uniform_shown;	  /* with as many pictures, evenly spread over the events */
	u32 keys, redundant,	  /* an earlier one shows the same things in the same places */
		redundant_even;	  /* of as many evenly spread ones */
	double source_s, told_s;  /* condensation */
	u64 source_bytes, key_bytes;
};

void judge_keys(struct key_score *s, const struct play *p, const struct movie_log *log,
		const struct movie_script *script);
void key_score_add(struct key_score *to, const struct key_score *from);

#endif
