// SPDX-License-Identifier: MIT
/* range.c - see RFC 9110, sections 8.8.3, 13.1.2 and 14. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cloud/range.h"

/* Digits up to 18; *text is moved behind them. -EINVAL: none, or too many. */
static int read_digits(const char **text, uint64_t *value)
{
	size_t n = strspn(*text, "0123456789");

	if (!n || n > 18)
		return -EINVAL;
	for (*value = 0; n; n--)
		*value = *value * 10 + (uint64_t)(*(*text)++ - '0');
	return 0;
}

int sluice_range_parse(const char *field, uint64_t size, uint64_t *first, uint64_t *last)
{
	uint64_t a = 0, b = UINT64_MAX;

	if (!field || strncasecmp(field, "bytes=", 6))
		return -ENOENT;
	field += 6;
	if (*field == '-') { /* the last so many */
		field++;
		if (read_digits(&field, &b) || *field)
			return -ENOENT;
		if (!b || !size)
			return -ERANGE;
		*first = b < size ? size - b : 0;
		*last = size - 1;
		return 0;
	}
	if (read_digits(&field, &a) || *field++ != '-')
		return -ENOENT;
	if (*field && (read_digits(&field, &b) || *field || b < a))
		return -ENOENT;
	if (a >= size)
		return -ERANGE;
	*first = a;
	*last = b < size ? b : size - 1;
	return 0;
}

int sluice_etag_listed(const char *field, const char *etag)
{
	size_t n = strlen(etag);

	while (field && *field) {
		field += strspn(field, " \t,");
		if (*field == '*')
			return 1;
		if (!strncmp(field, "W/", 2))
			field += 2;
		if (!strncmp(field, etag, n) && (!field[n] || strchr(" \t,", field[n])))
			return 1;
		field = strchr(field, ',');
	}
	return 0;
}
