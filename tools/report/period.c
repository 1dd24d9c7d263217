// SPDX-License-Identifier: MIT
/*
 * The summary of a whole time: what happened, in two languages, the synopsis, the sheet of pictures
 * and the heat map. It comes first in the page: who has half a minute reads no further.
 */
#include "tools/report/report.h"

static void put_text(FILE *f, const json_t *texts, const char *language)
{
	const json_t *t = json_object_get(texts, language);
	const char *report = json_text(t, "report");

	if (!t)
		return;
	fprintf(f, "<div lang=\"%s\"><h3>", language);
	html_text(f, json_text(t, "title"));
	fprintf(f, "</h3>\n<p>");
	html_text(f, json_text(t, "text"));
	fprintf(f, "</p>\n");
	if (report) {
		fprintf(f, "<p class=\"soft\" style=\"white-space:pre-line\">");
		html_text(f, report);
		fprintf(f, "</p>\n");
	}
	fprintf(f, "</div>\n");
}

void report_period(struct report *r, FILE *f, const struct report_event *p)
{
	const json_t *texts = json_object_get(p->json, "texts");
	char caption[160];

	fprintf(f, "<h2>The whole of it</h2>\n<div class=\"card\">\n");
	put_text(f, texts, "en");
	put_text(f, texts, "zh");
	snprintf(caption, sizeof(caption),
		 "synopsis: %.0f things of different times together, each with its own time, in "
		 "%.0f s",
		 json_number(p->json, "objects_shown", 0), json_number(p->json, "video_s", 0));
	fprintf(f, "<div class=\"frames\">\n");
	report_file(r, f, p, "synopsis", "video/webm", caption);
	report_file(r, f, p, "storyboard", "image/jpeg", "storyboard");
	report_file(r, f, p, "heat", "image/png", "where something moved, and how often");
	fprintf(f, "</div>\n</div>\n");
}
