/* SPDX-License-Identifier: MIT */
/* range.h - conditional and partial requests of RFC 9110: strong ETags, one range of bytes. */
#ifndef SLUICE_RANGE_H
#define SLUICE_RANGE_H

#include <stdint.h>

/*
 * A Range field for a body of size bytes. 0 and the first and last byte; -ENOENT: it is to be
 * ignored (NULL, another unit, several ranges, malformed); -ERANGE: nothing of it is there.
 */
int sluice_range_parse(const char *field, uint64_t size, uint64_t *first, uint64_t *last);

/* Does an If-None-Match field (NULL: no) name the ETag (with its quotes)? Weak comparison. */
int sluice_etag_listed(const char *field, const char *etag);

#endif
