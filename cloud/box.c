// SPDX-License-Identifier: MIT
/*
 * box.c - see box.h: what a child has said is looked at here, field by field, before the master
 * uses it. Nothing is copied but what must be aligned.
 */
#include "cloud/box.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_FRAMES_MAX 1000000u
#define PLAN_BOXES_MAX	100000u
#define PLAN_SIDE_MAX	4096u

/* ---- plans ---- */

/* The arrays lie behind the struct: frames, boxes, heat. */
static size_t plan_size(const struct sluice_digest_plan *p)
{
	return sizeof(*p) + p->frame_count * sizeof(*p->frames) + p->box_count * sizeof(*p->boxes) +
	       (p->heat ? (size_t)p->heat_w * p->heat_h * sizeof(*p->heat) : 0);
}

int sluice_box_plan_pack(const struct sluice_digest_plan *p, uint8_t **data, size_t *size)
{
	struct sluice_digest_plan flat = *p;
	size_t frames = p->frame_count * sizeof(*p->frames), n = sizeof(flat);
	size_t boxes = p->box_count * sizeof(*p->boxes);

	if (!p->heat)
		flat.heat_w = flat.heat_h = 0;
	flat.frames = NULL;
	flat.boxes = NULL;
	flat.heat = NULL;
	*size = plan_size(p);
	if (*size > SLUICE_BOX_PLAN_MAX)
		return -E2BIG;
	*data = malloc(*size);
	if (!*data)
		return -ENOMEM;
	memcpy(*data, &flat, sizeof(flat));
	memcpy(*data + n, p->frames, frames);
	if (boxes)
		memcpy(*data + n + frames, p->boxes, boxes);
	n += frames + boxes;
	if (*size > n)
		memcpy(*data + n, p->heat, *size - n);
	return 0;
}

static int text_ok(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static int id_ok(const char *id, size_t size)
{
	return text_ok(id, size) && strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32;
}

static int times_ok(const struct sluice_digest_frame *f, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!isfinite(f[i].t_s) || f[i].t_s < 0 || f[i].t_s > 1e9)
			return 0;
	return 1;
}

/* What may be worked with: sizes that fit, times that are some. */
static int plan_ok(const struct sluice_digest_plan *p, size_t size)
{
	return p->frame_count && p->frame_count <= PLAN_FRAMES_MAX &&
	       p->box_count <= PLAN_BOXES_MAX && p->key_count <= SLUICE_KEYFRAMES_MAX &&
	       p->small <= PLAN_SIDE_MAX && p->heat_w <= PLAN_SIDE_MAX &&
	       p->heat_h <= PLAN_SIDE_MAX && p->width && p->height && p->width <= 65535 &&
	       p->height <= 65535 && isfinite(p->start_s) && isfinite(p->end_s) &&
	       p->start_s >= 0 && p->end_s >= p->start_s && p->end_s < 1e9 &&
	       text_ok(p->camera, sizeof(p->camera)) && text_ok(p->title, sizeof(p->title)) &&
	       id_ok(p->event, sizeof(p->event)) && id_ok(p->summary, sizeof(p->summary)) &&
	       times_ok(p->keys, p->key_count) &&
	       size == sizeof(*p) + p->frame_count * sizeof(*p->frames) +
			       p->box_count * sizeof(*p->boxes) +
			       (size_t)p->heat_w * p->heat_h * sizeof(*p->heat);
}

static int plan_fill(struct sluice_digest_plan *p, const uint8_t *data)
{
	size_t frames = p->frame_count * sizeof(*p->frames), boxes;
	size_t heat = (size_t)p->heat_w * p->heat_h * sizeof(*p->heat);

	boxes = p->box_count * sizeof(*p->boxes);
	p->frames = malloc(frames);
	p->boxes = malloc(boxes + 1);
	p->heat = heat ? malloc(heat) : NULL;
	if (!p->frames || !p->boxes || (heat && !p->heat))
		return -ENOMEM;
	memcpy(p->frames, data, frames);
	memcpy(p->boxes, data + frames, boxes);
	if (heat)
		memcpy(p->heat, data + frames + boxes, heat);
	if (!times_ok(p->frames, p->frame_count))
		return -EBADMSG;
	for (uint32_t i = 0; i < p->box_count; i++)
		if (!isfinite(p->boxes[i].t_s))
			return -EBADMSG;
	return 0;
}

int sluice_box_plan_unpack(const uint8_t *data, size_t size, struct sluice_digest_plan **out)
{
	struct sluice_digest_plan *p;
	int err;

	*out = NULL;
	if (size < sizeof(*p) || size > SLUICE_BOX_PLAN_MAX)
		return -EBADMSG;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	memcpy(p, data, sizeof(*p));
	p->frames = NULL;
	p->boxes = NULL;
	p->heat = NULL;
	err = plan_ok(p, size) ? plan_fill(p, data + sizeof(*p)) : -EBADMSG;
	if (err)
		sluice_digest_plan_free(p);
	else
		*out = p;
	return err;
}

/* ---- replies ---- */

int sluice_box_header_ok(const struct sluice_box_header *h, const struct sluice_box_speaker *s)
{
	if (h->subject != s->subject)
		return 0;
	switch (h->type) {
	case SLUICE_BOX_EVENT:
		return !s->digest && !s->period && h->size > sizeof(struct sluice_box_event) &&
		       h->size <= sizeof(struct sluice_box_event) + SLUICE_BOX_JSON_MAX;
	case SLUICE_BOX_SUMMARY:
		return h->size > sizeof(struct sluice_box_summary) &&
		       h->size <= SLUICE_BOX_REPLY_MAX;
	case SLUICE_BOX_PLAN:
		return !s->digest && !s->period && h->size > sizeof(struct sluice_digest_plan) &&
		       h->size <= SLUICE_BOX_PLAN_MAX;
	case SLUICE_BOX_FETCH:
		return h->size == sizeof(struct sluice_box_fetch);
	case SLUICE_BOX_LOOK:
		return !s->digest && !s->period && h->size >= sizeof(struct sluice_box_look) &&
		       h->size <= sizeof(struct sluice_box_look) + SLUICE_DETECTOR_AREA;
	case SLUICE_BOX_TALLY:
		return !s->digest && !s->period && h->size == sizeof(struct sluice_tally);
	case SLUICE_BOX_PROGRESS:
		return s->period && h->size == sizeof(struct sluice_box_passed);
	case SLUICE_BOX_DONE:
		return h->size == sizeof(struct sluice_box_done);
	}
	return 0;
}

static int member_is(const json_t *o, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && !strcmp(text, want);
}

/* An object about this camera and this id; json[size] is its 0. */
static int json_ok(const char *json, size_t size, const char *id,
		   const struct sluice_box_speaker *s)
{
	json_t *o;
	int ok;

	if (size > SLUICE_BOX_JSON_MAX || json[size] || strlen(json) != size)
		return 0;
	o = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
	ok = json_is_object(o) && member_is(o, "id", id) && member_is(o, "camera", s->camera);
	json_decref(o);
	return ok;
}

/* A file that may lie beside a summary.json. */
static int name_ok(const char name[48])
{
	size_t n = strnlen(name, 48);

	return n && n < 48 && name[0] != '.' && strcmp(name, "summary.json") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       n;
}

static int parse_event(const uint8_t *data, size_t size, const struct sluice_box_speaker *s,
		       struct sluice_box_reply *r)
{
	const struct sluice_box_event *e = (const void *)data;
	const char *json = (const char *)data + sizeof(*e);

	if (!id_ok(e->id, sizeof(e->id)) || !json_ok(json, size - sizeof(*e) - 1, e->id, s))
		return -EBADMSG;
	r->id = e->id;
	r->json = json;
	return 0;
}

static int parse_files(const struct sluice_box_summary *b, const uint8_t *data, size_t size,
		       struct sluice_box_reply *r)
{
	for (uint32_t i = 0; i < b->media_count; i++) {
		struct sluice_summary_media *m = &r->media[i];

		if (!name_ok(b->media[i].name) || b->media[i].size > size)
			return -EBADMSG;
		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(b->media[k].name, b->media[i].name))
				return -EBADMSG;
		memcpy(m->name, b->media[i].name, sizeof(m->name));
		m->data = data;
		m->size = b->media[i].size;
		data += m->size;
		size -= m->size;
	}
	return size ? -EBADMSG : 0;
}

static int parse_summary(const uint8_t *data, size_t size, const struct sluice_box_speaker *s,
			 struct sluice_box_reply *r)
{
	const struct sluice_box_summary *b = (const void *)data;
	const char *json = (const char *)data + sizeof(*b);

	size -= sizeof(*b);
	if (!id_ok(b->id, sizeof(b->id)) || b->epoch != s->epoch ||
	    b->start_utc_ns > b->end_utc_ns || b->end_utc_ns > INT64_MAX ||
	    b->media_count > SLUICE_BOX_MEDIA || b->json_size >= size ||
	    !json_ok(json, b->json_size, b->id, s))
		return -EBADMSG;
	memcpy(r->summary.id, b->id, sizeof(r->summary.id));
	r->summary.epoch = b->epoch;
	r->summary.start_utc_ns = b->start_utc_ns;
	r->summary.end_utc_ns = b->end_utc_ns;
	r->summary.json = json;
	r->summary.media = r->media;
	r->summary.media_count = b->media_count;
	size -= b->json_size + 1;
	return parse_files(b, (const uint8_t *)json + b->json_size + 1, size, r);
}

static int parse_plan(const uint8_t *data, size_t size, const struct sluice_box_speaker *s,
		      struct sluice_box_reply *r)
{
	int err = sluice_box_plan_unpack(data, size, &r->plan);

	if (!err && (r->plan->epoch != s->epoch || strcmp(r->plan->camera, s->camera))) {
		sluice_digest_plan_free(r->plan);
		r->plan = NULL;
		err = -EBADMSG;
	}
	return err;
}

static int parse_look(const uint8_t *data, size_t size, struct sluice_box_reply *r)
{
	const struct sluice_box_look *l = (const void *)data;

	data += sizeof(*l);
	size -= sizeof(*l);
	if (l->count > SLUICE_DETECTOR_PICTURES)
		return -EBADMSG;
	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t w = l->picture[i].w, h = l->picture[i].h;

		if (!w || !h || w > SLUICE_DETECTOR_SIDE_MAX || h > SLUICE_DETECTOR_SIDE_MAX ||
		    (size_t)w * h * 3 > size)
			return -EBADMSG;
		r->look[i] = (struct sluice_detector_image){ data, w, h, 3 * w, 0 };
		data += (size_t)w * h * 3;
		size -= (size_t)w * h * 3;
	}
	r->look_count = l->count;
	return size ? -EBADMSG : 0;
}

static int parse_progress(const uint8_t *data, struct sluice_box_reply *r)
{
	const struct sluice_box_passed *p = (const void *)data;

	if (p->per_mille > 1000)
		return -EBADMSG;
	r->per_mille = (int)p->per_mille;
	return 0;
}

int sluice_box_parse(const struct sluice_box_header *h, const uint8_t *data,
		     const struct sluice_box_speaker *s, struct sluice_box_reply *r)
{
	memset(r, 0, sizeof(*r));
	if (!sluice_box_header_ok(h, s))
		return -EBADMSG;
	r->type = h->type;
	switch (h->type) {
	case SLUICE_BOX_EVENT:
		return parse_event(data, h->size, s, r);
	case SLUICE_BOX_SUMMARY:
		return parse_summary(data, h->size, s, r);
	case SLUICE_BOX_PLAN:
		return parse_plan(data, h->size, s, r);
	case SLUICE_BOX_FETCH:
		memcpy(&r->fetch, data, sizeof(r->fetch));
		return s->period || r->fetch.epoch == s->epoch ? 0 : -EBADMSG;
	case SLUICE_BOX_LOOK:
		return parse_look(data, h->size, r);
	case SLUICE_BOX_TALLY:
		r->tally = (const void *)data;
		return sluice_tally_ok(r->tally) ? 0 : -EBADMSG;
	case SLUICE_BOX_PROGRESS:
		return parse_progress(data, r);
	default:
		memcpy(&r->done, data, sizeof(r->done));
		return 0;
	}
}
