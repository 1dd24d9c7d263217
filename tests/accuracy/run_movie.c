// SPDX-License-Identifier: MIT
/* run_movie.c - see run_movie.h. Masks are judged from MASK_FROM_S on, when every model has seen
 * the place. */
#include "run_movie.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/analysis_state.h"

#define MASK_FROM_S 3.0
#define PEER_AREA   (MOVIE_LUMA / 1500)

static bool next_frame(void *ctx, const u8 **yuv, double *t_s)
{
	struct movie_run *r = ctx;

	if (r->next == movie_frames(r->movie))
		return false;
	*t_s = movie_time(r->movie, r->next);
	movie_paint(r->movie, r->next++, r->yuv, NULL, NULL);
	*yuv = r->yuv;
	return true;
}

/* The first pass notes where things were; each judges its masks. */
static void analysed(void *ctx, const struct play *p, const struct play_frame *f)
{
	struct movie_run *r = ctx;
	const struct sluice_analysis *a = p->analysis;

	if (r->at == r->log.count) {
		r->label[r->at] = malloc(MOVIE_LUMA);
		if (!r->label[r->at])
			abort();
		r->log.t_s[r->at] = f->t_s;
		movie_paint(r->movie, f->index, NULL, r->label[r->at], r->log.seen[r->at]);
		r->log.count++;
	}
	if (f->t_s >= MASK_FROM_S && a->mask)
		judge_mask(r->mask, r->label[r->at], a->mask, a->gray.w, a->gray.h);
	r->at++;
}

static void count_objects(struct movie_score *s, const struct play *p)
{
	for (u32 i = 0; i < p->summaries; i++) {
		const json_t *list = json_object_get(p->summary[i], "objects"), *o;
		size_t k;

		json_array_foreach (list, k, o) {
			const char *what = json_string_value(json_object_get(o, "what"));

			s->left_told += what && !strcmp(what, "left");
			s->removed_told += what && !strcmp(what, "removed");
		}
	}
}

static void judge(struct movie_run *r, const struct play *p, struct movie_score *s)
{
	judge_events(&s->events, p, &r->truth, 10);
	judge_tracks(&s->tracks, p, &r->log, r->script);
	judge_keys(&s->keys, p, &r->log, r->script);
	count_objects(s, p);
	s->left = r->script->left;
	s->removed = r->script->removed;
	s->frames = r->log.count;
	s->cpu_s = p->cpu_s;
}

static struct play_source source_of(struct movie_run *r)
{
	return (struct play_source){ .width = MOVIE_W,
				     .height = MOVIE_H,
				     .next = next_frame,
				     .analysed = analysed,
				     .ctx = r };
}

int movie_run_open(struct movie_run *r, const struct movie_script *s, const struct ground *g,
		   u32 seed, struct movie_score *score)
{
	struct play_source source = source_of(r);

	memset(r, 0, sizeof(*r));
	memset(score, 0, sizeof(*score));
	r->movie = movie_open(s, g, seed);
	r->script = s;
	r->yuv = malloc(MOVIE_BYTES);
	r->mask = &score->mask;
	if (!r->yuv)
		abort();
	movie_truth(r->movie, DWELL_S, &r->truth);
	if (play_run(&r->play, &source, NULL))
		return -1;
	judge(r, &r->play, score);
	return 0;
}

int movie_run_again(struct movie_run *r, const struct sluice_analysis_config *c,
		    struct movie_score *score)
{
	struct play_source source = source_of(r);
	struct play *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		abort();
	memset(score, 0, sizeof(*score));
	r->at = 0;
	r->mask = &score->mask;
	err = play_again(p, &r->play, &source, c);
	judge(r, p, score);
	play_free(p);
	free(p);
	return err;
}

bool movie_run_peer(struct movie_run *r, enum peer_kind kind, struct movie_score *score)
{
	struct peer *p = peer_open(kind, MOVIE_W, MOVIE_H);
	struct decision *d = calloc(r->play.count, sizeof(*d));
	u8 *mask = malloc(MOVIE_LUMA);
	struct spans told;

	memset(score, 0, sizeof(*score));
	if (!mask || !d)
		abort();
	for (u32 i = 0; p && i < r->play.count; i++) {
		const struct play_frame *f = &r->play.frame[i];

		d[i].t_s = f->t_s;
		d[i].motion =
			peer_frame(p, f->jpeg, (u32)f->size, mask, &score->cpu_s) >= PEER_AREA &&
			f->t_s >= MASK_FROM_S;
		if (f->t_s >= MASK_FROM_S)
			judge_mask(&score->mask, r->label[i], mask, MOVIE_W, MOVIE_H);
		score->frames++;
	}
	motion_spans(&told, d, r->play.count, 10);
	judge_spans(&score->events, &told, &r->truth, 10);
	free(mask);
	free(d);
	peer_close(p);
	return p != NULL;
}

void movie_run_close(struct movie_run *r)
{
	for (u32 i = 0; i < r->log.count; i++)
		free(r->label[i]);
	play_free(&r->play);
	movie_close(r->movie);
	free(r->yuv);
}
