// SPDX-License-Identifier: MIT
/*
 * What people's requests say, beyond the parser of HTTP: path and query decoded, cookies and tokens
 * picked out, ranges, ETags, cursors. The input is a request's head. What must hold: no fault; a
 * secret is bounded and comes from one place; a range lies within its body; a cursor that is taken
 * is written the same again.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/credential.h"
#include "cloud/facets.h"
#include "cloud/range.h"
#include "lib/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(const char *field)
{
	static const uint64_t sizes[] = { 0, 1, 10, 1000, UINT64_MAX >> 1 };
	uint64_t first, last;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!sluice_range_parse(field, sizes[i], &first, &last) &&
		    (first > last || last >= sizes[i]))
			abort();
}

static void check_cursor(const char *text)
{
	char id[64] = "", again[SLUICE_CURSOR_MAX];
	uint64_t start;

	if (sluice_cursor_read(text, &start, id))
		return;
	sluice_cursor_write(start, id, again);
	if (strcasecmp(text, again)) /* digits in either case */
		abort();
}

static void check_credential(const struct sluice_http *h)
{
	char secret[SLUICE_SECRET_MAX], csrf[SLUICE_CSRF_MAX];
	enum sluice_credential found = sluice_credential_read(h, secret);
	const char *sent = sluice_http_field(h, "x-csrf-token");

	if (found == SLUICE_NO_CREDENTIAL)
		return;
	if (!*secret || !memchr(secret, 0, sizeof(secret)))
		abort();
	if (found == SLUICE_COOKIE_SENT && sluice_http_field(h, "authorization"))
		abort();
	sluice_csrf_token(secret, csrf);
	if (!sluice_csrf_check(h, secret) && (!sent || strcmp(sent, csrf)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "cursor", "camera", "from", "region", "t" };
	static struct sluice_http h;
	char path[512], value[128];
	size_t used, i;

	sluice_http_begin_request(&h, 0);
	if (sluice_http_feed(&h, data, size, &used) != SLUICE_HTTP_STARTED)
		return 0;
	if (!sluice_http_path(&h, path, sizeof(path)) && (*path != '/' || strstr(path, "/../")))
		abort();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!sluice_http_query(&h, names[i], value, sizeof(value)) && !i)
			check_cursor(value);
	check_credential(&h);
	check_range(sluice_http_field(&h, "range"));
	sluice_etag_listed(sluice_http_field(&h, "if-none-match"), "\"0123456789abcdef\"");
	return 0;
}
