// SPDX-License-Identifier: MIT
/*
 * The digest of an event: a video that plays in the page, the sheet of key frames, the heat map. In
 * the page as long as there is room (report.h), linked beyond that; what is named and cannot be
 * read is said.
 */
#include "tools/report/report.h"

#include <stdlib.h>
#include <string.h>

static const struct report_event *digest_of(const struct report *r, const struct report_event *e)
{
	const char *id = json_text(e->json, "id");

	for (size_t i = 0; id && i < r->digest_count; i++) {
		const char *of = json_text(r->digests[i].json, "of");

		if (of && !strcmp(of, id))
			return &r->digests[i];
	}
	return NULL;
}

static void put_source(struct report *r, FILE *f, const struct report_event *d, const char *name,
		       const char *type, const unsigned char *bytes, size_t size)
{
	if (r->embedded + size <= REPORT_EMBED_MAX) {
		r->embedded += size;
		fprintf(f, "data:%s;base64,", type);
		html_base64(f, bytes, size);
	} else {
		html_text(f, d->dir);
		fputc('/', f);
		html_text(f, name);
	}
}

void report_file(struct report *r, FILE *f, const struct report_event *d, const char *key,
		 const char *type, const char *caption)
{
	const char *name = json_text(d->json, key);
	unsigned char *bytes;
	size_t size;

	if (!name)
		return;
	bytes = report_load_image(r, d, name, &size);
	fprintf(f, "<figure>");
	if (bytes) {
		bool video = !strncmp(type, "video/", 6);

		fputs(video ? "<video controls preload=\"metadata\" src=\""
			    : "<img alt=\"\" src=\"",
		      f);
		put_source(r, f, d, name, type, bytes, size);
		fputs(video ? "\"></video>" : "\">", f);
	} else {
		html_text(f, name);
		fprintf(f, " cannot be read.");
	}
	fprintf(f, "<figcaption>");
	html_text(f, caption);
	fprintf(f, "</figcaption></figure>\n");
	free(bytes);
}

void report_digest(struct report *r, FILE *f, const struct report_event *e)
{
	const struct report_event *d = digest_of(r, e);

	if (!d)
		return;
	report_file(r, f, d, "digest", "video/webm", json_text(d->json, "text"));
	report_file(r, f, d, "heat", "image/png", "where something moved, and how often");
	report_file(r, f, d, "storyboard", "image/jpeg", "storyboard");
}
