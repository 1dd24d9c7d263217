// SPDX-License-Identifier: MIT
/*
 * fuzz_store_text.c - texts that come from outside to the store: a line of a backup's manifest, the
 * cursor of a page, a summary's JSON. What is accepted must be what would be written: no path leads
 * out of the directory, and a cursor is one of ours.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/backup.h"
#include "cloud/camera.h"
#include "cloud/facets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text)
{
	struct sluice_backup_line l;

	if (sluice_backup_line(text, &l))
		return;
	if (!*l.path || *l.path == '/' || *l.path == '.' || strstr(l.path, "/.") ||
	    strstr(l.path, "//") || !memchr(l.path, 0, sizeof(l.path)) || l.size > INT64_MAX)
		abort();
}

static void check_cursor(const char *text)
{
	char again[SLUICE_CURSOR_MAX], id[33];
	uint64_t at;

	if (sluice_cursor_read(text, &at, id))
		return;
	if (at > INT64_MAX || strlen(id) != 32)
		abort();
	sluice_cursor_write(at, id, again);
	if (strcasecmp(again + 1, text + 1) != 0)
		abort();
}

static void check_facets(const char *text)
{
	static struct sluice_facets f;
	size_t i;

	memset(&f, 0, sizeof(f));
	sluice_facets_read(text, &f);
	if (f.tag_count > SLUICE_TAGS_MAX || f.confidence < 0 || f.confidence > 1000 ||
	    !memchr(f.words, 0, sizeof(f.words)))
		abort();
	for (i = 0; i < f.tag_count; i++)
		if (!memchr(f.tags[i], 0, sizeof(f.tags[i])))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* exact, so that a read beyond it is seen */

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	check_line(text);
	check_cursor(text);
	check_facets(text);
	free(text);
	return 0;
}
