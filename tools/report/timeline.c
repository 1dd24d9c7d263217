// SPDX-License-Identifier: MIT
/* The stream as a line: when the camera saw something move, and how much of the picture did. */
#include "tools/report/report.h"

#include <math.h>

#define LINE_W 1000.0
#define LINE_H 90.0
#define BASE_Y 68.0

static double stream_seconds(const struct report *r)
{
	double s = r->seconds;

	for (size_t i = 0; i < r->event_count; i++)
		s = fmax(s, r->events[i].end_s);
	return s > 0 ? s : 1;
}

/* A step of 1, 2, 5 x 10^n, or of minutes, that makes at most ten ticks. */
static double tick_step(double seconds)
{
	static const double steps[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (seconds / steps[i] <= 10)
			return steps[i];
	}
	return seconds / 10;
}

static void draw_activity(FILE *f, const struct report_event *e, double scale, double peak)
{
	const json_t *activity = json_object_get(e->json, "activity");
	size_t n = json_array_size(activity);
	double last = e->start_s;

	if (!n || peak <= 0)
		return;
	fprintf(f, "<path fill=\"var(--warm)\" fill-opacity=\".75\" d=\"M%.1f %.1f",
		e->start_s * scale, BASE_Y);
	for (size_t i = 0; i < n; i++) {
		double v = json_number_value(json_array_get(activity, i));
		double from = e->start_s + i, to = fmin(from + 1, e->end_s);

		if (from >= e->end_s)
			break;
		last = to;
		fprintf(f, "L%.1f %.1fL%.1f %.1f", from * scale, BASE_Y - v / peak * 50, to * scale,
			BASE_Y - v / peak * 50);
	}
	fprintf(f, "L%.1f %.1fZ\"/>\n", last * scale, BASE_Y);
}

void report_timeline(struct report *r, FILE *f)
{
	double seconds = stream_seconds(r), scale = LINE_W / seconds, peak = 0;
	double step = tick_step(seconds);

	for (size_t i = 0; i < r->event_count; i++) {
		const json_t *v;
		size_t k;

		json_array_foreach (json_object_get(r->events[i].json, "activity"), k, v)
			peak = fmax(peak, json_number_value(v));
	}
	fprintf(f, "<h2>Timeline</h2>\n<div class=\"scroll\"><svg viewBox=\"-10 0 1020 90\" "
		   "width=\"100%%\" role=\"img\" aria-label=\"events over time\">\n");
	for (size_t i = 0; i < r->event_count; i++) {
		const struct report_event *e = &r->events[i];

		fprintf(f,
			"<a href=\"#e%zu\"><rect x=\"%.1f\" y=\"10\" width=\"%.1f\" height=\"58\" "
			"fill=\"var(--mark)\" fill-opacity=\".18\"><title>",
			i, e->start_s * scale, fmax((e->end_s - e->start_s) * scale, 2));
		html_text(f, json_text(e->json, "title"));
		fprintf(f, "</title></rect></a>\n");
		draw_activity(f, e, scale, peak);
	}
	fprintf(f, "<line x1=\"0\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke=\"var(--soft)\"/>\n",
		BASE_Y, LINE_W, BASE_Y);
	for (double t = 0; t <= seconds + step / 100; t += step) {
		fprintf(f, "<text x=\"%.1f\" y=\"84\" text-anchor=\"middle\">", t * scale);
		html_clock(f, t);
		fprintf(f, "</text>\n");
	}
	fprintf(f,
		"</svg></div>\n<p class=\"soft\">Shaded: an event. Its curve: the share of the "
		"picture that moves%s",
		peak > 0 ? ", at most " : ".");
	if (peak > 0)
		fprintf(f, "%.1f %%.", peak * 100);
	fprintf(f, "</p>\n");
}
