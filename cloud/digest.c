// SPDX-License-Identifier: MIT
/*
 * digest.c - see digest.h. One picture is held at a time: fetched, decoded small, written on,
 * encoded. The clock in the picture is the frame's own time in UTC, so that the video can be played
 * at any speed and still says when it was.
 *
 * The same plan and frames give the same bytes and the same id: a digest made again after a crash
 * is the one that may be there already.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/decode.h"
#include "cloud/digest.h"
#include "cloud/summary.h"
#include "cloud/webm.h"
#include "lib/sha256.h"

#define BOX_NEAR_S 0.3 /* a box is drawn this near to its time */

static uint64_t utc_at(const struct sluice_digest_plan *p, double t_s)
{
	return sluice_summary_utc(p->first_utc_ns, t_s);
}

/* ---- video ---- */

struct film {
	const struct sluice_digest_plan *p;
	const struct sluice_digest_options *o;
	struct sluice_decoder *decoder;
	struct sluice_webm *webm;
	struct sluice_picture picture, next; /* next becomes picture when it is whole */
	struct sluice_digest_line line;
	uint32_t missing, pictures;
	bool shows; /* picture shows something */
};

/* Of the boxes of one track the nearest in time, if it is near. */
static void draw_boxes(struct film *m, double t_s)
{
	const struct sluice_digest_plan *p = m->p;
	double sx = (double)m->picture.w / p->width, sy = (double)m->picture.h / p->height;

	for (uint32_t i = 0; i < p->box_count;) {
		const struct sluice_digest_box *best = &p->boxes[i];
		uint16_t track = best->track;

		for (; i < p->box_count && p->boxes[i].track == track; i++)
			if (fabs(p->boxes[i].t_s - t_s) < fabs(best->t_s - t_s))
				best = &p->boxes[i];
		if (fabs(best->t_s - t_s) <= BOX_NEAR_S)
			sluice_picture_box(&m->picture, lround(best->x * sx), lround(best->y * sy),
					   lround(best->w * sx), lround(best->h * sy));
	}
}

static void draw_clock(struct film *m, double t_s)
{
	uint32_t size = m->picture.w >= 480 ? 2 : 1;
	char text[64];

	sluice_digest_clock(utc_at(m->p, t_s), text);
	if (m->line.factor > 1.05) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, " X%.1f", m->line.factor);
	}
	sluice_picture_text(&m->picture, 0, 0, size, text);
}

/* The picture of frame i, written on. 1: it cannot be shown; the one before stays. */
static int load_picture(struct film *m, uint32_t i)
{
	const struct sluice_digest_frame *f = &m->p->frames[i];
	struct sluice_picture before = m->picture;
	size_t size = 0;
	uint8_t *jpeg = m->o->fetch(m->o->ctx, m->p->epoch, f->sequence, &size);
	int err = jpeg ? sluice_decode_picture(m->decoder, jpeg, size, m->p->width, m->p->height,
					       SLUICE_DIGEST_SIDE, &m->next)
		       : -ENOENT;

	free(jpeg);
	if (err)
		return err == -ENOMEM ? err : 1;
	m->picture = m->next;
	m->next = before;
	m->shows = true;
	if (m->o->boxes)
		draw_boxes(m, f->t_s);
	draw_clock(m, f->t_s);
	return 0;
}

static int add_picture(struct film *m)
{
	int err = m->webm ? 0
			  : sluice_webm_open(m->picture.w, m->picture.h, SLUICE_DIGEST_FPS,
					     SLUICE_WEBM_BITS, &m->webm);

	m->pictures++;
	return err ? err : sluice_webm_picture(m->webm, &m->picture);
}

static int roll(struct film *m)
{
	uint32_t at = 0, last = UINT32_MAX;
	double at_s = 0;
	int err = 0;

	for (uint32_t k = 0; !err && k < m->line.count; k++) {
		uint32_t i = sluice_digest_shown(m->p->frames, m->p->frame_count, &m->line, k, &at,
						 &at_s);

		if (m->o->stopped && m->o->stopped(m->o->ctx))
			return -ECANCELED;
		if (i != last)
			err = load_picture(m, i);
		last = i;
		if (err > 0) {
			m->missing++;
			err = 0;
		}
		if (!err && m->shows)
			err = add_picture(m);
	}
	return err;
}

static int make_video(struct film *m, uint8_t **data, size_t *size)
{
	int err;

	sluice_digest_line(m->p->frames, m->p->frame_count, m->o->seconds, &m->line);
	m->decoder = sluice_decoder_open();
	err = m->decoder ? roll(m) : -ENOMEM;
	if (!err)
		err = m->webm ? sluice_webm_finish(m->webm, data, size) : -ENODATA;
	sluice_webm_close(m->webm);
	m->webm = NULL;
	sluice_decoder_close(m->decoder);
	sluice_picture_free(&m->picture);
	sluice_picture_free(&m->next);
	return err;
}

/* ---- the summary ---- */

static void make_id(const char *event_summary, char id[33])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[64];
	int n = snprintf(text, sizeof(text), "sluice digest 1\n%s", event_summary);

	sluice_sha256(text, n, hash);
	for (int i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", hash[i]);
}

static double rounded(double v)
{
	return round(v * 1000) / 1000;
}

static json_t *file_json(const struct sluice_digest *d, const char *name)
{
	for (size_t i = 0; i < d->summary.media_count; i++)
		if (!strcmp(d->media[i].name, name))
			return json_string(name);
	return json_null();
}

static void set_text(json_t *o, const struct film *m, bool video)
{
	char text[200];

	snprintf(text, sizeof(text), "Digest: %s", m->p->title);
	json_object_set_new(o, "title", json_string(text));
	if (video)
		snprintf(text, sizeof(text),
			 "%.1f s of activity in %.1f s of video, %.1f times as fast as it was.",
			 m->line.active_s, (double)m->pictures / SLUICE_DIGEST_FPS, m->line.factor);
	else
		snprintf(text, sizeof(text), "There is no video of it.");
	json_object_set_new(o, "text", json_string(text));
}

static char *make_json(const struct sluice_digest *d, const struct film *m)
{
	const struct sluice_digest_plan *p = m->p;
	json_t *o = json_object(), *video = file_json(d, "digest.webm");
	char text[24], *out;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)p->epoch);
	json_object_set_new(o, "version", json_integer(1));
	json_object_set_new(o, "id", json_string(d->summary.id));
	json_object_set_new(o, "kind", json_string("digest"));
	json_object_set_new(o, "camera", json_string(p->camera));
	json_object_set_new(o, "epoch", json_string(text));
	json_object_set_new(o, "event", json_string(p->event));
	json_object_set_new(o, "of", json_string(p->summary));
	sluice_summary_time(o, "start", "start_ns", d->summary.start_utc_ns);
	sluice_summary_time(o, "end", "end_ns", d->summary.end_utc_ns);
	json_object_set_new(o, "start_s", json_real(rounded(p->start_s)));
	json_object_set_new(o, "end_s", json_real(rounded(p->end_s)));
	json_object_set_new(o, "reason", json_string("digest"));
	set_text(o, m, !json_is_null(video));
	if (!json_is_null(video)) {
		json_object_set_new(o, "active_s", json_real(rounded(m->line.active_s)));
		json_object_set_new(o, "video_s",
				    json_real(rounded((double)m->pictures / SLUICE_DIGEST_FPS)));
		json_object_set_new(o, "factor", json_real(rounded(m->line.factor)));
		json_object_set_new(o, "frames_missing", json_integer(m->missing));
		json_object_set_new(o, "boxes", json_boolean(m->o->boxes));
	}
	json_object_set_new(o, "digest", video);
	json_object_set_new(o, "storyboard", file_json(d, "storyboard.jpg"));
	json_object_set_new(o, "heat", file_json(d, "heat.png"));
	json_object_set_new(o, "thumb", file_json(d, "thumb.jpg"));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

/* What could not be made is not there; only what ends it all is returned. */
static int add_file(struct sluice_digest *d, int err, const char *name, uint8_t *data, size_t size)
{
	struct sluice_summary_media *m = &d->media[d->summary.media_count];

	if (err == -ECANCELED || err == -ENOMEM)
		return err;
	if (err)
		return 0;
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->data = data;
	m->size = size;
	d->summary.media_count++;
	return 0;
}

/* Key frames alone. */
static int make_small(struct sluice_digest *d, const struct sluice_digest_plan *p,
		      const struct sluice_digest_options *o)
{
	char name[48];
	int err = 0;

	for (uint32_t i = 0; i < p->key_count && i < SLUICE_DIGEST_MEDIA_MAX && !err; i++) {
		uint8_t *data = NULL;
		size_t size = 0;

		snprintf(name, sizeof(name), "small-%u.jpg", i + 1);
		err = sluice_digest_small(p, o, i, &data, &size);
		err = add_file(d, err, name, data, size);
	}
	return err;
}

static char *make_small_json(const struct sluice_digest_plan *p)
{
	json_t *o = json_pack("{s:s,s:s}", "id", p->summary, "camera", p->camera);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

static int make_digest(struct sluice_digest *d, struct film *m)
{
	static const struct {
		const char *name;
		int (*make)(const struct sluice_digest_plan *p,
			    const struct sluice_digest_options *o, uint8_t **data, size_t *size);
	} sheets[] = { { "storyboard.jpg", sluice_digest_storyboard },
		       { "heat.png", sluice_digest_heat },
		       { "thumb.jpg", sluice_digest_thumb } };
	uint8_t *data = NULL;
	size_t size = 0;
	int err = make_video(m, &data, &size);

	err = add_file(d, err, "digest.webm", data, size);
	for (size_t i = 0; !err && i < sizeof(sheets) / sizeof(sheets[0]); i++) {
		int made = sheets[i].make(m->p, m->o, &data, &size);

		err = add_file(d, made, sheets[i].name, data, size);
	}
	return err;
}

int sluice_digest_make(const struct sluice_digest_plan *p, const struct sluice_digest_options *o,
		       struct sluice_digest **out)
{
	struct sluice_digest *d = calloc(1, sizeof(*d));
	struct film m = { .p = p, .o = o };
	int err;

	*out = NULL;
	if (!d)
		return -ENOMEM;
	d->summary.media = d->media;
	if (p->small)
		memcpy(d->summary.id, p->summary, sizeof(d->summary.id));
	else
		make_id(p->summary, d->summary.id);
	d->summary.epoch = p->epoch;
	d->summary.start_utc_ns = utc_at(p, p->start_s);
	d->summary.end_utc_ns = utc_at(p, p->end_s);
	err = p->small ? make_small(d, p, o) : make_digest(d, &m);
	if (!err && !d->summary.media_count)
		err = -ENODATA;
	if (!err)
		d->json = p->small ? make_small_json(p) : make_json(d, &m);
	d->summary.json = d->json;
	if (!err && !d->json)
		err = -ENOMEM;
	if (err)
		sluice_digest_free(d);
	else
		*out = d;
	return err;
}

void sluice_digest_free(struct sluice_digest *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->summary.media_count; i++)
		free((void *)d->media[i].data);
	free(d->json);
	free(d);
}
