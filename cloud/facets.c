// SPDX-License-Identifier: MIT
/* facets.c - see facets.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "cloud/facets.h"
#include "cloud/camera.h"

#define BOXES_MAX 8192 /* of a summary, looked at; the sender has far fewer */

static double clamp(double v, double low, double high)
{
	return v > low ? (v < high ? v : high) : low; /* what is no number becomes low */
}

void sluice_region_add(struct sluice_region *r, double x, double y, double w, double h,
		       double width, double height)
{
	const double side = SLUICE_REGION_SIDE;
	unsigned int x0, x1, y0, y1, i, k;

	if (!(width > 0 && height > 0 && w > 0 && h > 0) || !(x < width) || !(y < height) ||
	    !(x + w > 0) || !(y + h > 0))
		return;
	x0 = (unsigned int)clamp(floor(x * side / width), 0, side - 1);
	y0 = (unsigned int)clamp(floor(y * side / height), 0, side - 1);
	x1 = (unsigned int)clamp(ceil((x + w) * side / width) - 1, x0, side - 1);
	y1 = (unsigned int)clamp(ceil((y + h) * side / height) - 1, y0, side - 1);
	for (k = y0; k <= y1; k++)
		for (i = x0; i <= x1; i++)
			r->word[k / 4] |= 1ull << (k % 4 * 16 + i);
}

/* Where a text was cut to fit: the letter of UTF-8 that is not whole goes too. */
static size_t whole_letters(const char *text, size_t n)
{
	size_t i = n, more = 0;

	while (i && more < 3 && ((unsigned char)text[i - 1] & 0xc0) == 0x80) {
		i--;
		more++;
	}
	if (i && (unsigned char)text[i - 1] >= 0xc0) {
		unsigned char lead = (unsigned char)text[i - 1];
		size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;

		return more < want ? i - 1 : n;
	}
	return n;
}

void sluice_facets_lower(const char *in, char *out, size_t size)
{
	size_t i;

	for (i = 0; in[i] && i + 1 < size; i++)
		out[i] = (char)(in[i] >= 'A' && in[i] <= 'Z' ? in[i] + 32 : in[i]);
	out[whole_letters(out, i)] = 0;
}

void sluice_facets_tag(struct sluice_facets *f, const char *kind, const char *value)
{
	char tag[SLUICE_TAG_MAX];
	size_t i;

	if (!value || f->tag_count == SLUICE_TAGS_MAX ||
	    snprintf(tag, sizeof(tag), "%s:%s", kind, value) >= (int)sizeof(tag))
		return;
	for (i = 0; i < f->tag_count; i++)
		if (!strcmp(f->tags[i], tag))
			return;
	memcpy(f->tags[f->tag_count++], tag, sizeof(tag));
}

static void add_zones(struct sluice_facets *f, const json_t *zones)
{
	size_t i;

	for (i = 0; i < json_array_size(zones); i++)
		sluice_facets_tag(f, "zone", json_string_value(json_array_get(zones, i)));
}

static void add_boxes(struct sluice_facets *f, const json_t *boxes, double width, double height,
		      size_t *budget)
{
	size_t i;

	for (i = 0; i < json_array_size(boxes) && *budget; i++, --*budget) {
		const json_t *b = json_array_get(boxes, i);

		sluice_region_add(&f->region, json_number_value(json_array_get(b, 1)),
				  json_number_value(json_array_get(b, 2)),
				  json_number_value(json_array_get(b, 3)),
				  json_number_value(json_array_get(b, 4)), width, height);
	}
}

static void add_words(struct sluice_facets *f, const json_t *o)
{
	const char *title = json_string_value(json_object_get(o, "title"));
	const char *text = json_string_value(json_object_get(o, "text"));
	const json_t *vision = json_object_get(o, "vision"); /* of a summary of kind vision */
	const char *more = json_string_value(json_object_get(vision, "title"));
	const char *most = json_string_value(json_object_get(vision, "text"));
	char both[SLUICE_WORDS_MAX];

	snprintf(both, sizeof(both), "%s\n%s%s%s%s%s", title ? title : "", text ? text : "",
		 more ? "\n" : "", more ? more : "", most ? "\n" : "", most ? most : "");
	sluice_facets_lower(both, f->words, sizeof(f->words));
}

void sluice_facets_read(const char *json, struct sluice_facets *f)
{
	json_t *o = json_loads(json, 0, NULL), *tracks, *nuisance;
	size_t i, budget = BOXES_MAX;
	const char *kind, *event;
	double width, height;
	json_int_t threat;

	kind = json_string_value(json_object_get(o, "kind"));
	snprintf(f->kind, sizeof(f->kind), "%s", kind ? kind : "event");
	sluice_facets_tag(f, "kind", f->kind);
	threat = json_integer_value(json_object_get(o, "threat_level"));
	if (threat >= 1)
		sluice_facets_tag(f, "threat", "1"); /* at least */
	if (threat >= 2)
		sluice_facets_tag(f, "threat", "2");
	event = json_string_value(json_object_get(o, "event"));
	if (event && !strcmp(f->kind, "event"))
		snprintf(f->event, sizeof(f->event), "%s", event);
	f->continued = json_is_true(json_object_get(o, "continued"));
	width = json_number_value(json_object_get(o, "width"));
	height = json_number_value(json_object_get(o, "height"));
	tracks = json_object_get(o, "tracks");
	for (i = 0; i < json_array_size(tracks); i++) {
		const json_t *t = json_array_get(tracks, i);

		sluice_facets_tag(f, "class", json_string_value(json_object_get(t, "class")));
		add_zones(f, json_object_get(t, "zones"));
		add_boxes(f, json_object_get(t, "boxes"), width, height, &budget);
	}
	add_zones(f, json_object_get(o, "zones"));
	f->confidence =
		(int)(clamp(json_number_value(json_object_get(o, "confidence")), 0, 1) * 1000 +
		      0.5);
	/* true, or the name of what it was */
	nuisance = json_object_get(o, "nuisance");
	f->nuisance = json_is_true(nuisance) || json_string_length(nuisance) > 0;
	add_words(f, o);
	json_decref(o);
}

void sluice_cursor_write(uint64_t start_ns, const char *id, char out[SLUICE_CURSOR_MAX])
{
	snprintf(out, SLUICE_CURSOR_MAX, "a%016" PRIx64 "%.32s", start_ns, id);
}

int sluice_cursor_read(const char *text, uint64_t *start_ns, char *id)
{
	uint8_t time[8], bytes[16];
	char hex[17];
	int i;

	if (strlen(text) != 1 + 16 + 32 || *text != 'a')
		return -EINVAL;
	memcpy(hex, text + 1, 16);
	hex[16] = 0;
	if (sluice_unhex(hex, time, sizeof(time)) ||
	    sluice_unhex(text + 17, bytes, sizeof(bytes)) || time[0] & 0x80)
		return -EINVAL;
	for (*start_ns = 0, i = 0; i < 8; i++)
		*start_ns = *start_ns << 8 | time[i];
	sluice_hex(bytes, sizeof(bytes), id);
	return 0;
}
