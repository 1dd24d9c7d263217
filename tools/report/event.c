// SPDX-License-Identifier: MIT
/*
 * One event as a card: text, tracks, and its key frames with the boxes of the tracks at that time.
 *
 * The file names in a summary are taken from a file on disk, yet not trusted: a key frame must be a
 * plain name in the summary's own directory. One that cannot be read is named in its place.
 */
#include "tools/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOX_NEAR_S 0.3 /* a box counts for a key frame this near to it */

static const char *const colours[] = { "#22b8cf", "#fab005", "#f06595", "#82c91e",
				       "#845ef7", "#ff922b", "#4dabf7", "#20c997" };

unsigned char *report_load_image(const struct report *r, const struct report_event *e,
				 const char *name, size_t *size)
{
	unsigned char *bytes = NULL;
	char path[4096];
	FILE *f;

	*size = 0;
	if (!name || !*name || name[0] == '.' || strchr(name, '/') ||
	    snprintf(path, sizeof(path), "%s/%s/%s", r->dir, e->dir, name) >= (int)sizeof(path))
		return NULL;
	f = fopen(path, "re");
	if (!f)
		return NULL;
	bytes = malloc(REPORT_IMAGE_MAX);
	if (bytes)
		*size = fread(bytes, 1, REPORT_IMAGE_MAX, f);
	if (bytes && (ferror(f) || !*size || !feof(f))) {
		free(bytes);
		bytes = NULL;
	}
	fclose(f);
	return bytes;
}

/* The track's box nearest in time to t, or NULL if none is near. */
static const json_t *box_at(const json_t *track, double t)
{
	const json_t *best = NULL, *box;
	double near = BOX_NEAR_S;
	size_t i;

	json_array_foreach (json_object_get(track, "boxes"), i, box) {
		double d = fabs(json_number_value(json_array_get(box, 0)) - t);

		if (json_array_size(box) == 5 && d <= near) {
			near = d;
			best = box;
		}
	}
	return best;
}

static double box_value(const json_t *box, size_t i)
{
	return json_number_value(json_array_get(box, i));
}

static void draw_path(FILE *f, const json_t *track, const char *colour, unsigned int width)
{
	const json_t *box;
	size_t i;

	fprintf(f,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-opacity=\".7\" stroke-width=\"%.1f\" "
		"points=\"",
		colour, width / 400.0);
	json_array_foreach (json_object_get(track, "boxes"), i, box)
		fprintf(f, "%.0f,%.0f ", box_value(box, 1) + box_value(box, 3) / 2,
			box_value(box, 2) + box_value(box, 4));
	fprintf(f, "\"/>");
}

static void draw_boxes(FILE *f, const json_t *tracks, double t, unsigned int width, bool paths)
{
	const json_t *track, *box;
	size_t i;

	json_array_foreach (tracks, i, track) {
		const char *colour = colours[i % (sizeof(colours) / sizeof(*colours))];

		if (paths)
			draw_path(f, track, colour, width);
		box = box_at(track, t);
		if (!box)
			continue;
		fprintf(f,
			"<rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" fill=\"none\" "
			"stroke=\"%s\" stroke-width=\"%.1f\"><title>",
			box_value(box, 1), box_value(box, 2), box_value(box, 3), box_value(box, 4),
			colour, width / 250.0);
		html_text(f, json_text(track, "class"));
		fprintf(f, " %.0f</title></rect>", json_number(track, "id", 0));
	}
}

static void draw_frame(struct report *r, FILE *f, const struct report_event *e, const json_t *frame,
		       bool paths)
{
	const char *name = json_text(frame, "file");
	double t = json_number(frame, "t_s", e->start_s);
	unsigned int width = 0, height = 0;
	unsigned char *bytes;
	size_t size;

	bytes = report_load_image(r, e, name, &size);
	fprintf(f, "<figure>");
	if (!bytes || !jpeg_size(bytes, size, &width, &height)) {
		fprintf(f, "<p>The key frame ");
		html_text(f, name);
		fprintf(f, " cannot be read.</p>");
	} else {
		fprintf(f,
			"<svg viewBox=\"0 0 %u %u\" role=\"img\"><image width=\"%u\" height=\"%u\" "
			"href=\"",
			width, height, width, height);
		if (r->embedded + size <= REPORT_EMBED_MAX) {
			r->embedded += size;
			fprintf(f, "data:image/jpeg;base64,");
			html_base64(f, bytes, size);
		} else {
			html_text(f, e->dir);
			fputc('/', f);
			html_text(f, name);
		}
		fprintf(f, "\"/>");
		draw_boxes(f, json_object_get(e->json, "tracks"), t, width, paths);
		fprintf(f, "</svg>");
	}
	fprintf(f, "<figcaption>");
	html_clock(f, t);
	fprintf(f, " &middot; ");
	html_text(f, json_text(frame, "why"));
	fprintf(f, "%s</figcaption></figure>\n", paths ? ", with the paths of all tracks" : "");
	free(bytes);
}

static void draw_tracks(FILE *f, const struct report_event *e)
{
	const json_t *tracks = json_object_get(e->json, "tracks"), *track;
	size_t i;

	if (!json_array_size(tracks))
		return;
	fprintf(f, "<table><tr class=\"soft\"><th></th><th>what</th><th>from</th><th>to</th>"
		   "<th>came</th><th>went</th></tr>\n");
	json_array_foreach (tracks, i, track) {
		fprintf(f,
			"<tr><td><span class=\"bar\" "
			"style=\"width:.7em;background:%s\"></span></td>"
			"<td>",
			colours[i % (sizeof(colours) / sizeof(*colours))]);
		html_text(f, json_text(track, "class"));
		fprintf(f, "</td><td class=\"n\">");
		html_clock(f, json_number(track, "start_s", 0));
		fprintf(f, "</td><td class=\"n\">");
		html_clock(f, json_number(track, "end_s", 0));
		fprintf(f, "</td><td>");
		html_text(f, json_text(track, "enter"));
		fprintf(f, "</td><td>");
		html_text(f, json_text(track, "leave"));
		fprintf(f, "</td></tr>\n");
	}
	fprintf(f, "</table>\n");
}

/* What somebody may want to look at, each with its evidence. */
static void draw_concerns(FILE *f, const json_t *json)
{
	const json_t *list = json_object_get(json, "concerns"), *k;
	size_t i;

	if (!json_is_array(list) || !json_array_size(list))
		return;
	fprintf(f,
		"<p><b>Of concern</b> <span class=\"soft\">(threat level %.0f, "
		"heuristic)</span></p>\n<ul>\n",
		json_number(json, "threat_level", 0));
	json_array_foreach (list, i, k) {
		fprintf(f, "<li>");
		html_clock(f, json_number(k, "t_s", 0));
		fprintf(f, " ");
		html_text(f, json_text(k, "text"));
		fprintf(f, " <span class=\"soft\" lang=\"zh\">");
		html_text(f, json_text(json_object_get(k, "texts"), "zh"));
		fprintf(f, "</span></li>\n");
	}
	fprintf(f, "</ul>\n");
}

/* What a vision model said of it: a stranger's words, and said to be. */
static void draw_vision(const struct report *r, FILE *f, const json_t *event)
{
	const char *id = json_text(event, "id");
	const json_t *v = NULL, *concern;
	size_t i;

	for (i = 0; id && i < r->vision_count && !v; i++) {
		const char *of = json_text(r->visions[i].json, "of");

		if (of && !strcmp(of, id))
			v = json_object_get(r->visions[i].json, "vision");
	}
	if (!v)
		return;
	fprintf(f, "<blockquote><b>");
	html_text(f, json_text(v, "title"));
	fprintf(f, "</b><br>");
	html_text(f, json_text(v, "text"));
	json_array_foreach (json_object_get(v, "concerns"), i, concern) {
		fprintf(f, "<br>&bull; ");
		html_text(f, json_string_value(concern));
	}
	fprintf(f, "<br><span class=\"soft\">generated by ");
	html_text(f, json_text(v, "model"));
	fprintf(f,
		", threat level %.0f, confidence %.2f: check it against the "
		"pictures</span></blockquote>\n",
		json_number(v, "threat_level", 0), json_number(v, "confidence", 0));
}

void report_event_card(struct report *r, FILE *f, const struct report_event *e)
{
	const json_t *frame;
	size_t i;

	fprintf(f, "<section class=\"card\" id=\"e%zu\"><h3>", (size_t)(e - r->events));
	html_text(f, json_text(e->json, "title"));
	fprintf(f, "</h3>\n<p class=\"soft\">");
	html_text(f, json_text(e->json, "camera"));
	fprintf(f, " &middot; ");
	html_clock(f, e->start_s);
	fprintf(f, " to ");
	html_clock(f, e->end_s);
	fprintf(f, " &middot; ");
	html_text(f, json_text(e->json, "start"));
	fprintf(f, " &middot; at most %.0f at once &middot; confidence %.2f</p>\n<p>",
		json_number(e->json, "peak_objects", 0), json_number(e->json, "confidence", 0));
	html_text(f, json_text(e->json, "text"));
	fprintf(f, "</p>\n");
	draw_vision(r, f, e->json);
	draw_concerns(f, e->json);
	draw_tracks(f, e);
	fprintf(f, "<div class=\"frames\">\n");
	json_array_foreach (json_object_get(e->json, "keyframes"), i, frame)
		draw_frame(r, f, e, frame, i == 0);
	report_digest(r, f, e);
	fprintf(f, "</div></section>\n");
}
