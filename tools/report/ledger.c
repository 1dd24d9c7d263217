// SPDX-License-Identifier: MIT
/*
 * The ledger as a table: every frame that the driver delivered, by what became of it. Whether it
 * adds up is computed here again and said, whatever the file claims.
 */
#include "tools/report/report.h"

static const struct {
	const char *key, *what, *bar;
} groups[] = {
	{ "passed", "passed on", "bar" },
	{ "dropped", "held back", "bar drop" },
	{ "lost", "lost", "bar lost" },
};

static double sum_counts(const json_t *counts)
{
	const char *reason;
	json_t *v;
	double sum = 0;

	json_object_foreach ((json_t *)counts, reason, v)
		sum += json_number_value(v);
	return sum;
}

static void draw_group(FILE *f, const json_t *camera, size_t group, double delivered)
{
	json_t *counts = json_object_get(camera, groups[group].key), *v;
	const char *reason;

	if (!sum_counts(counts))
		fprintf(f, "<tr><td>%s</td><td></td><td class=\"n\">0</td><td></td></tr>\n",
			groups[group].what);
	json_object_foreach (counts, reason, v) {
		double n = json_number_value(v);

		if (n <= 0)
			continue;
		fprintf(f, "<tr><td>%s</td><td>", groups[group].what);
		html_text(f, reason);
		fprintf(f,
			"</td><td class=\"n\">%.0f</td><td><span class=\"%s\" "
			"style=\"width:%.1fpx\">"
			"</span></td></tr>\n",
			n, groups[group].bar, delivered > 0 ? n / delivered * 400 : 0);
	}
}

static void draw_camera(FILE *f, const json_t *camera)
{
	double delivered = json_number(camera, "delivered", 0);
	double pending = json_number(camera, "pending", 0);
	double seen = json_number(camera, "bytes_seen", 0);
	double passed = json_number(camera, "bytes_passed", 0);
	double sum = pending;

	fprintf(f, "<div class=\"card\"><h3>Camera ");
	html_text(f, json_text(camera, "name"));
	fprintf(f, "</h3>\n<p><span class=\"big\">");
	if (seen > 0)
		fprintf(f, "%.1f %%", (1 - passed / seen) * 100);
	fprintf(f, "</span> of the camera's bytes never left the kernel: ");
	html_bytes(f, passed);
	fprintf(f, " passed on, where sending every frame takes ");
	html_bytes(f, seen);
	fprintf(f,
		".</p>\n<table>\n<tr><td>delivered</td><td>by the driver</td><td class=\"n\">%.0f"
		"</td><td></td></tr>\n",
		delivered);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		draw_group(f, camera, i, delivered);
		sum += sum_counts(json_object_get(camera, groups[i].key));
	}
	if (pending > 0)
		fprintf(f,
			"<tr><td>waiting</td><td>pre-roll</td><td "
			"class=\"n\">%.0f</td><td></td></tr>\n",
			pending);
	fprintf(f, "</table>\n<p class=\"soft\">The parts add up to %.0f: %s.", sum,
		sum == delivered ? "every frame is accounted for" : "THEY DO NOT ADD UP");
	if (json_object_get(camera, "stored"))
		fprintf(f, " Of the frames passed on, the cloud has stored %.0f.",
			json_number(camera, "stored", 0));
	fprintf(f, "</p></div>\n");
}

void report_ledger(struct report *r, FILE *f)
{
	json_t *camera;
	size_t i;

	fprintf(f, "<h2>Ledger</h2>\n");
	if (!r->ledger)
		fprintf(f, "<p>There is no ledger.json.</p>\n");
	json_array_foreach (json_object_get(r->ledger, "cameras"), i, camera)
		draw_camera(f, camera);
}
