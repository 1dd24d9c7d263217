// SPDX-License-Identifier: MIT
/*
 * judge_tracks.c - masks, tracks and key frames against a movie's truth. Tracks are judged as the
 * user gets them: by the boxes of summary.json, not by what the tracker had in mind.
 */
#include "judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOX_IOU	  0.25
#define NEAR_S	  0.06 /* a box belongs to a frame that is as close */
#define AREA_MIN  40   /* pixels of a thing that can be followed, and ... */
#define SHARE_MIN 0.3  /* ... of the whole thing */
#define SHOWN	  0.4  /* of a thing in a key frame */
#define TRACKS	  128

void judge_mask(struct mask_score *s, const u8 *label, const u8 *mask, u32 w, u32 h)
{
	for (u32 y = 0; y < MOVIE_H; y++) {
		const u8 *row = mask + (size_t)(y * h / MOVIE_H) * w, *l = label + y * MOVIE_W;

		for (u32 x = 0; x < MOVIE_W; x++) {
			bool set = row[x * w / MOVIE_W];

			if (l[x] == LABEL_UNKNOWN)
				continue;
			s->tp += l[x] && set;
			s->fn += l[x] && !set;
			s->fp += !l[x] && set;
			s->tn += !l[x] && !set;
		}
	}
}

double mask_f(const struct mask_score *s)
{
	return s->tp ? 2.0 * s->tp / (2.0 * s->tp + s->fp + s->fn) : 0;
}

double mask_pwc(const struct mask_score *s)
{
	return 100.0 * (s->fp + s->fn) / fmax(1, (double)(s->tp + s->fp + s->fn + s->tn));
}

static bool can_follow(const struct movie_seen *s)
{
	return s->there && s->area >= AREA_MIN && s->area >= SHARE_MIN * s->whole;
}

/* A track of one of the summaries, parts of one event joined by id. */
struct told_track {
	const char *class;
	int id; /* one that goes on in the next event keeps it */
	u32 boxes, matched, on[MOVIE_THINGS];
	bool touched; /* had a box while something could be followed */
};

struct matcher {
	struct track_score *score;
	struct told_track track[TRACKS];
	u32 count;
	int last[MOVIE_THINGS]; /* track of each thing, -1: none yet */
	bool lost[MOVIE_THINGS];
};

static double box_iou(const struct movie_seen *s, const json_t *b)
{
	double x = json_number_value(json_array_get(b, 1)),
	       y = json_number_value(json_array_get(b, 2));
	double w = json_number_value(json_array_get(b, 3)),
	       h = json_number_value(json_array_get(b, 4));
	double iw = fmin(x + w, s->x1) - fmax(x, s->x0), ih = fmin(y + h, s->y1) - fmax(y, s->y0);
	double both = fmax(0, iw) * fmax(0, ih);

	return both / (w * h + (double)(s->x1 - s->x0) * (s->y1 - s->y0) - both + 1e-9);
}

/* A box of the track close to t_s, or NULL. */
static const json_t *box_at(const json_t *track, double t_s)
{
	const json_t *boxes = json_object_get(track, "boxes"), *b;
	size_t i;

	json_array_foreach (boxes, i, b)
		if (fabs(json_number_value(json_array_get(b, 0)) - t_s) < NEAR_S)
			return b;
	return NULL;
}

static void note_match(struct matcher *m, u32 thing, u32 track)
{
	m->score->matched++;
	m->track[track].matched++;
	m->track[track].on[thing]++;
	if (m->last[thing] >= 0 && m->track[m->last[thing]].id != m->track[track].id)
		m->score->switches++;
	else if (m->last[thing] >= 0 && m->lost[thing])
		m->score->fragments++;
	m->last[thing] = (int)track;
	m->lost[thing] = false;
}

/* As CLEAR MOT does: a thing keeps the track that it had as long as that fits; then the best pairs.
 */
static void match_frame(struct matcher *m, const json_t *tracks, u32 base, double t_s,
			const struct movie_seen *seen, u32 things)
{
	bool thing_used[MOVIE_THINGS] = { false }, track_used[TRACKS] = { false };
	const json_t *box[TRACKS];
	u32 n = (u32)json_array_size(tracks);

	for (u32 k = 0; k < n && base + k < TRACKS; k++)
		box[k] = box_at(json_array_get(tracks, k), t_s);
	for (u32 i = 0; i < things; i++) {
		int k = m->last[i] - (int)base;

		if (m->last[i] < (int)base || k >= (int)n || track_used[k] || !box[k] ||
		    !can_follow(&seen[i]) || box_iou(&seen[i], box[k]) < BOX_IOU)
			continue;
		thing_used[i] = track_used[k] = true;
		note_match(m, i, base + (u32)k);
	}
	for (;;) {
		double best = BOX_IOU;
		u32 at_thing = 0, at_track = TRACKS;

		for (u32 i = 0; i < things; i++)
			for (u32 k = 0; k < n && base + k < TRACKS; k++) {
				double iou;

				if (thing_used[i] || track_used[k] || !box[k] || !seen[i].there)
					continue;
				iou = box_iou(&seen[i], box[k]);
				if (iou > best) {
					best = iou;
					at_thing = i;
					at_track = k;
				}
			}
		if (at_track == TRACKS)
			break;
		thing_used[at_thing] = track_used[at_track] = true;
		if (can_follow(&seen[at_thing]))
			note_match(m, at_thing, base + at_track);
		else
			m->track[base + at_track].matched++;
	}
	for (u32 i = 0; i < things; i++)
		m->lost[i] |= can_follow(&seen[i]) && !thing_used[i];
	for (u32 k = 0; k < n && base + k < TRACKS; k++)
		m->track[base + k].boxes += box[k] != NULL;
}

/* Does the class fit? -1: nothing was claimed. */
static int class_right(const char *class, enum sprite_kind kind)
{
	static const char *const name[] = { "person-like", "vehicle-like", "animal-like", "" };

	if (!class || !strcmp(class, "unknown") || !strcmp(class, "small"))
		return -1;
	return !strcmp(class, name[kind]);
}

static void sum_up(struct matcher *m, const struct movie_script *script)
{
	struct track_score *s = m->score;

	for (u32 k = 0; k < m->count && k < TRACKS; k++) {
		const struct told_track *t = &m->track[k];
		u32 best = 0, all = 0;

		s->tracks++;
		if (5 * t->matched < t->boxes || !t->boxes) {
			s->false_tracks++;
			continue;
		}
		for (u32 i = 0; i < script->things; i++) {
			all += t->on[i];
			best = t->on[i] > t->on[best] ? i : best;
		}
		s->purity += all ? (double)t->on[best] / all : 1;
		if (all < 8 || script->thing[best].kind == SPRITE_BAG)
			continue;
		s->classes++;
		s->classes_right += class_right(t->class, script->thing[best].kind) == 1;
		s->classes_unknown += class_right(t->class, script->thing[best].kind) < 0;
	}
}

static bool judged(const struct movie_script *script, u32 thing)
{
	return script->thing[thing].kind != SPRITE_BAG && !script->thing[thing].old;
}

void judge_tracks(struct track_score *s, const struct play *p, const struct movie_log *log,
		  const struct movie_script *script)
{
	struct matcher *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	memset(s, 0, sizeof(*s));
	m->score = s;
	for (u32 i = 0; i < MOVIE_THINGS; i++)
		m->last[i] = -1;
	for (u32 k = 0; k < p->summaries; k++) {
		const json_t *o = p->summary[k], *tracks = json_object_get(o, "tracks"), *t;
		double start = json_number_value(json_object_get(o, "start_s"));
		double end = json_number_value(json_object_get(o, "end_s"));
		u32 peak = (u32)json_integer_value(json_object_get(o, "peak_objects"));
		size_t i;

		s->peak_told = peak > s->peak_told ? peak : s->peak_told;
		json_array_foreach (tracks, i, t)
			if (m->count + i < TRACKS)
				m->track[m->count + i] = (struct told_track){
					.class = json_string_value(json_object_get(t, "class")),
					.id = (int)json_integer_value(json_object_get(t, "id"))
				};
		for (u32 f = 0; f < log->count; f++) {
			u32 here = 0;

			if (log->t_s[f] < start - 1e-3 || log->t_s[f] > end + 1e-3)
				continue;
			match_frame(m, tracks, m->count, log->t_s[f], log->seen[f], script->things);
			for (i = 0; i < script->things; i++) {
				bool there = can_follow(&log->seen[f][i]) && judged(script, i);

				s->boxes += there;
				here += there;
			}
			s->peak_truth = here > s->peak_truth ? here : s->peak_truth;
		}
		m->count += (u32)json_array_size(tracks);
	}
	for (u32 i = 0; i < script->things; i++)
		s->things += judged(script, i);
	sum_up(m, script);
	free(m);
}

void track_score_add(struct track_score *to, const struct track_score *from)
{
	to->things += from->things;
	to->tracks += from->tracks;
	to->false_tracks += from->false_tracks;
	to->boxes += from->boxes;
	to->matched += from->matched;
	to->switches += from->switches;
	to->fragments += from->fragments;
	to->purity += from->purity;
	to->classes += from->classes;
	to->classes_right += from->classes_right;
	to->classes_unknown += from->classes_unknown;
}

/* ---- key frames ---- */

static u32 frame_near(const struct movie_log *log, double t_s)
{
	u32 best = 0;

	for (u32 i = 1; i < log->count; i++)
		if (fabs(log->t_s[i] - t_s) < fabs(log->t_s[best] - t_s))
			best = i;
	return best;
}

static bool shows(const struct movie_seen *s)
{
	return s->there && s->area >= SHOWN * s->whole;
}

/* Mark what the frame shows; true if it shows a thing that moves. */
static bool mark(bool shown[MOVIE_THINGS], const struct movie_seen *seen,
		 const struct movie_script *script)
{
	bool any = false;

	for (u32 i = 0; i < script->things; i++) {
		if (!shows(&seen[i]))
			continue;
		shown[i] = true;
		any |= seen[i].moving;
	}
	return any;
}

/* The same things in about the same places. */
static bool alike(const struct movie_seen *a, const struct movie_seen *b, u32 things)
{
	for (u32 i = 0; i < things; i++) {
		double w, h, both, all;

		if (shows(&a[i]) != shows(&b[i]))
			return false;
		if (!shows(&a[i]))
			continue;
		w = fmin(a[i].x1, b[i].x1) - fmax(a[i].x0, b[i].x0);
		h = fmin(a[i].y1, b[i].y1) - fmax(a[i].y0, b[i].y0);
		both = fmax(0, w) * fmax(0, h);
		all = (double)(a[i].x1 - a[i].x0) * (a[i].y1 - a[i].y0) +
		      (double)(b[i].x1 - b[i].x0) * (b[i].y1 - b[i].y0) - both;
		if (both < 0.5 * all)
			return false;
	}
	return true;
}

static void judge_summary(struct key_score *s, const json_t *o, const struct movie_log *log,
			  const struct movie_script *script, const struct play *p,
			  bool shown[MOVIE_THINGS], bool uniform[MOVIE_THINGS])
{
	const json_t *keys = json_object_get(o, "keyframes"), *k;
	double start = json_number_value(json_object_get(o, "start_s"));
	double end = json_number_value(json_object_get(o, "end_s"));
	u32 at[64], even[64], n = 0;
	bool any = false, could = false;
	size_t i;

	json_array_foreach (keys, i, k) {
		u32 f = frame_near(log, json_number_value(json_object_get(k, "t_s")));
		u32 u = frame_near(log, start + (end - start) * (i + 0.5) / json_array_size(keys));
		bool again = false, again_even = false;

		any |= mark(shown, log->seen[f], script);
		mark(uniform, log->seen[u], script);
		for (u32 j = 0; j < n; j++) {
			again |= alike(log->seen[f], log->seen[at[j]], script->things);
			again_even |= alike(log->seen[u], log->seen[even[j]], script->things);
		}
		s->redundant += again;
		s->redundant_even += again_even;
		s->keys++;
		s->key_bytes += p->frame[f].size;
		if (n < 64) {
			even[n] = u;
			at[n++] = f;
		}
	}
	for (u32 f = 0; f < log->count; f++)
		for (u32 j = 0; j < script->things; j++)
			could |= log->t_s[f] >= start && log->t_s[f] <= end &&
				 shows(&log->seen[f][j]) && log->seen[f][j].moving;
	s->events += could;
	s->shown += could && any;
}

void judge_keys(struct key_score *s, const struct play *p, const struct movie_log *log,
		const struct movie_script *script)
{
	bool shown[MOVIE_THINGS] = { false }, uniform[MOVIE_THINGS] = { false };

	memset(s, 0, sizeof(*s));
	s->source_s = p->length_s;
	s->source_bytes = p->bytes_given;
	for (u32 i = 0; i < p->summaries; i++) {
		const json_t *o = p->summary[i];

		if (json_is_true(json_object_get(o, "nuisance")))
			continue;
		s->told_s += json_number_value(json_object_get(o, "end_s")) -
			     json_number_value(json_object_get(o, "start_s"));
		judge_summary(s, o, log, script, p, shown, uniform);
	}
	for (u32 i = 0; i < script->things; i++) {
		if (!judged(script, i))
			continue;
		s->things++;
		s->things_shown += shown[i];
		s->uniform_shown += uniform[i];
	}
}

void key_score_add(struct key_score *to, const struct key_score *from)
{
	to->events += from->events;
	to->shown += from->shown;
	to->things += from->things;
	to->things_shown += from->things_shown;
	to->uniform_shown += from->uniform_shown;
	to->keys += from->keys;
	to->redundant += from->redundant;
	to->redundant_even += from->redundant_even;
	to->source_s += from->source_s;
	to->told_s += from->told_s;
	to->source_bytes += from->source_bytes;
	to->key_bytes += from->key_bytes;
}
