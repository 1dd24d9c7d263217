// SPDX-License-Identifier: MIT
/*
 * The same in a few lines for a terminal, and the judgement of `--expect`: does the directory hold
 * what a whole run must leave?
 */
#include "tools/report/report.h"

#include <stdlib.h>

static const char *const parts[] = { "passed", "dropped", "lost" };

static double sum_of(const json_t *camera, const char *part, FILE *f)
{
	json_t *counts = json_object_get(camera, part), *v;
	const char *reason;
	double sum = 0;

	json_object_foreach (counts, reason, v) {
		double n = json_number_value(v);

		if (f && n > 0)
			fprintf(f, "%s %s %.0f", sum > 0 ? "," : ":", reason, n);
		sum += n;
	}
	return sum;
}

static void print_event(FILE *f, const struct report_event *e)
{
	const char *title = json_text(e->json, "title"), *text = json_text(e->json, "text");

	fprintf(f, "  ");
	html_clock(f, e->start_s);
	fprintf(f, " to ");
	html_clock(f, e->end_s);
	fprintf(f, "  %s\n", title ? title : "(no title)");
	if (text)
		fprintf(f, "    %s\n", text);
	fprintf(f, "    %zu tracks, %zu key frames, in %s\n",
		json_array_size(json_object_get(e->json, "tracks")),
		json_array_size(json_object_get(e->json, "keyframes")), e->dir);
}

void report_overview(const struct report *r, FILE *f)
{
	const json_t *camera;
	size_t i;

	fprintf(f, "%zu %s on the device:\n", r->event_count + r->left_out,
		r->event_count + r->left_out == 1 ? "summary" : "summaries");
	for (i = 0; i < r->event_count; i++)
		print_event(f, &r->events[i]);
	json_array_foreach (json_object_get(r->ledger, "cameras"), i, camera) {
		double seen = json_number(camera, "bytes_seen", 0);
		double passed = json_number(camera, "bytes_passed", 0);

		fprintf(f, "camera %s: %.0f frames delivered", json_text(camera, "name"),
			json_number(camera, "delivered", 0));
		for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++) {
			fprintf(f, "; %.0f %s", sum_of(camera, parts[p], NULL), parts[p]);
			sum_of(camera, parts[p], f);
		}
		fprintf(f, "\n  ");
		html_bytes(f, passed);
		fprintf(f, " passed of ");
		html_bytes(f, seen);
		if (seen > 0)
			fprintf(f, ": %.1f %% never left the kernel", (1 - passed / seen) * 100);
		fprintf(f, "\n");
	}
}

static bool event_is_whole(const struct report *r, const struct report_event *e)
{
	const json_t *frame, *frames = json_object_get(e->json, "keyframes");
	const char *text = json_text(e->json, "text");
	unsigned int width, height;
	size_t i;

	if (!text || !*text || !json_array_size(json_object_get(e->json, "tracks")))
		return false;
	json_array_foreach (frames, i, frame) {
		size_t size;
		unsigned char *bytes = report_load_image(r, e, json_text(frame, "file"), &size);
		bool good = bytes && jpeg_size(bytes, size, &width, &height);

		free(bytes);
		if (!good)
			return false;
	}
	return i > 0;
}

int report_expect(const struct report *r, FILE *f)
{
	const json_t *camera, *cameras = json_object_get(r->ledger, "cameras");
	size_t i, whole = 0, bad = 0;

	for (i = 0; i < r->event_count; i++)
		whole += event_is_whole(r, &r->events[i]);
	if (!whole && ++bad)
		fprintf(f, "no summary has tracks, readable key frames and text\n");
	if (!json_array_size(cameras) && ++bad)
		fprintf(f, "ledger.json is missing or names no camera\n");
	json_array_foreach (cameras, i, camera) {
		double delivered = json_number(camera, "delivered", -1);
		double lost = sum_of(camera, "lost", NULL);
		double sum = json_number(camera, "pending", 0) + sum_of(camera, "passed", NULL) +
			     sum_of(camera, "dropped", NULL) + lost;

		if (delivered <= 0 && ++bad)
			fprintf(f, "no frame was delivered\n");
		if (sum != delivered && ++bad)
			fprintf(f,
				"the ledger does not add up: %.0f delivered, %.0f accounted for\n",
				delivered, sum);
		if (lost > 0 && ++bad)
			fprintf(f, "%.0f frames were lost\n", lost);
	}
	return bad ? 1 : 0;
}
